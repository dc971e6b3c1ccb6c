/* SPDX-License-Identifier: GPL-2.0-only */
/* Which unchanged pages look for a duplicate again?  See recheck.c */
#ifndef _MM_KSM_RECHECK_H
#define _MM_KSM_RECHECK_H

#include <linux/types.h>

/**
 * struct ksm_rechecks - the keys that are due, as one slice sees them
 * @bits:  a bit for each range of keys
 * @shift: brings the number of the bit out of a state word
 */
struct ksm_rechecks {
	const u64 *bits;
	unsigned int shift;
};

/**
 * ksm_recheck_due - is a page to look for a duplicate again?
 * @due:  of ksm_recheck_view()
 * @word: its state word, if that is inline; any other will do where the answer
 *	  is not used
 *
 * Without branches, as the functions of triage.h.
 *
 * Return: true if so.
 */
static __always_inline bool ksm_recheck_due(struct ksm_rechecks due, u64 word)
{
	u64 at = word >> due.shift;

	return due.bits[at / 64] >> (at % 64) & 1;
}

struct ksm_rechecks ksm_recheck_view(bool all);
void ksm_recheck(u32 short_key);
void ksm_recheck_pass_ended(void);
bool ksm_recheck_believed(unsigned long walked, unsigned long pass_nr);
bool ksm_recheck_wants_resize(unsigned long pages);
bool ksm_recheck_resize(unsigned long pages);
void ksm_recheck_free(void);
unsigned long ksm_recheck_bytes(void);

#endif /* _MM_KSM_RECHECK_H */
