/* SPDX-License-Identifier: GPL-2.0-only */
/* When a batch ends, see pace.c */
#ifndef _MM_KSM_PACE_H
#define _MM_KSM_PACE_H

#include <linux/types.h>

/* Unchanged pages may take this long out of a batch at most. */
#define KSM_QUIET_NS	1000000ULL

/**
 * struct ksm_pace - how far a batch may still go
 * @left:     pages that may still be read, looked up or merged
 * @quiet_max_ns: time that may be spent on unchanged pages
 * @quiet_ns: time spent on unchanged pages
 * @stamp_ns: the clock when time was last taken
 * @worked:   pages read, looked up or merged since then
 * @skipped:  pages skipped since then
 */
struct ksm_pace {
	unsigned long left;
	u64 quiet_max_ns;
	u64 quiet_ns;
	u64 stamp_ns;
	unsigned long worked;
	unsigned long skipped;
};

void ksm_pace_begin(struct ksm_pace *pace, unsigned long pages,
		    u64 quiet_max_ns, u64 now_ns);
void ksm_pace_work(struct ksm_pace *pace, unsigned long worked,
		   unsigned long skipped);
void ksm_pace_skip(struct ksm_pace *pace, u64 now_ns);
void ksm_pace_time(struct ksm_pace *pace, u64 now_ns);
bool ksm_pace_over(const struct ksm_pace *pace);

#endif /* _MM_KSM_PACE_H */
