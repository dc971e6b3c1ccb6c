/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state word: 8 bytes on each page that was ever looked at.
 *
 *	63        32 31     16  15     14    13   12..10 9..8  7..5 4   3    2   1..0
 *	+-----------+---------+------+-----+------+----+-----+---+-+----+-----+---+
 *	| short key | low pfn |shared|keyed|peeked|wait|level|run| |look|quiet|tag|
 *	+-----------+---------+------+-----+------+----+-----+---+-+----+-----+---+
 *
 *	tag	0 as drawn; 1 or 3: the word says where the rmap_item is, see
 *		ksm_word_of_item(), which is in the unstable tree or attached
 *		to a stable node.  The word 0 means that nothing is known.
 *	quiet	unchanged at the last visit, which left its entry clean
 *	look	ask the filter at the next quiet visit, whatever its epoch
 *	run	visits in a row that found the page written, up to RUN_VOLATILE
 *	level	of back-off: wait 1, 3, 7 visits; 4 at most if volatile
 *	wait	visits left to wait
 *	peeked	instead of a short key there is what the last peek saw
 *	keyed	short key is valid, and counted in the filter
 *	shared	its dirty bit was one for several pages at the last visit
 */
#ifndef _MM_KSM_STATE_H
#define _MM_KSM_STATE_H

#include <linux/bits.h>
#include <linux/types.h>

#define KSM_TAG_MASK		3ULL
#define KSM_TAG_UNSTABLE	1ULL
#define KSM_TAG_STABLE		3ULL

#define KSM_WORD_QUIET		BIT_ULL(2)
#define KSM_WORD_LOOK		BIT_ULL(3)
#define KSM_WORD_USED		BIT_ULL(4)	/* never 0 when in use */
#define KSM_WORD_RUN_SHIFT	5
#define KSM_WORD_RUN		GENMASK_ULL(7, 5)
#define KSM_WORD_LEVEL_SHIFT	8
#define KSM_WORD_WAIT_SHIFT	10
#define KSM_WORD_WAIT		GENMASK_ULL(12, 10)
#define KSM_WORD_PEEKED		BIT_ULL(13)
#define KSM_WORD_KEYED		BIT_ULL(14)
#define KSM_WORD_SHARED		BIT_ULL(15)
#define KSM_WORD_PFN_SHIFT	16
#define KSM_WORD_SHORT_SHIFT	32

#define KSM_RUN_VOLATILE	4U
#define KSM_LEVEL_MAX		3U

/* What a visit saw in the page table */
struct ksm_look {
	u16 pfn;	/* low bits of the page frame number */
	bool dirty;	/* written since the bit was last cleared */
	bool trust;	/* a clean entry proves that it was not */
	bool patient;	/* volatile pages may be passed over */
	bool renew;	/* take the probe again, to be sure */
	bool shared;	/* the dirty bit is one for several pages */
};

/* What to do about it */
enum ksm_verdict {
	KSM_UNCHANGED,	/* nothing */
	KSM_NEW,	/* another page: take the probe */
	KSM_CHANGED,	/* written since its entry was cleaned: the same */
	KSM_VERIFY,	/* cannot be told from the entry: the same, compare */
	KSM_PROVE,	/* its entry was left dirty: compare, and clean it then */
	KSM_PEEK,	/* volatile: only see whether it is time for that */
	KSM_PASS_OVER,	/* volatile: nothing, this time */
};

u64 ksm_state_judge(u64 word, const struct ksm_look *look,
		    enum ksm_verdict *verdict);
u64 ksm_state_probed(u64 word, enum ksm_verdict verdict, u32 short_key,
		     bool *changed);
bool ksm_state_same(u64 word, u32 short_key);
u64 ksm_state_peeked(u64 word, u32 peek, bool *same);
bool ksm_state_looks(u64 *word, bool moved);
u64 ksm_state_waited(u64 word);
u64 ksm_state_unmatched(u64 word);
u64 ksm_state_failed(u64 word);
u64 ksm_state_busy(u64 word);
u64 ksm_state_quiet(u16 pfn, u32 short_key);
u64 ksm_state_fresh(u16 pfn);

static inline u64 ksm_word_tag(u64 word)
{
	return word & KSM_TAG_MASK;
}

static inline bool ksm_word_inline(u64 word)
{
	return word && !ksm_word_tag(word);
}

static inline u16 ksm_word_pfn(u64 word)
{
	return word >> KSM_WORD_PFN_SHIFT;
}

static inline u32 ksm_word_short(u64 word)
{
	return word >> KSM_WORD_SHORT_SHIFT;
}

static inline unsigned int ksm_word_run(u64 word)
{
	return (word >> KSM_WORD_RUN_SHIFT) & 7;
}

/* Unchanged for two visits at least, and with nothing left to ask or wait for */
static inline bool ksm_word_settled(u64 word)
{
	return (word & (KSM_TAG_MASK | KSM_WORD_QUIET | KSM_WORD_LOOK |
			KSM_WORD_RUN | KSM_WORD_WAIT)) == KSM_WORD_QUIET;
}

static inline unsigned int ksm_word_level(u64 word)
{
	return (word >> KSM_WORD_LEVEL_SHIFT) & 3;
}

static inline unsigned int ksm_word_wait(u64 word)
{
	return (word >> KSM_WORD_WAIT_SHIFT) & 7;
}

/* Volatile, and to be passed over at this visit */
static inline bool ksm_word_waits(u64 word)
{
	return (word & (KSM_TAG_MASK | KSM_WORD_QUIET | KSM_WORD_RUN)) ==
	       ((u64)KSM_RUN_VOLATILE << KSM_WORD_RUN_SHIFT) &&
	       (word & KSM_WORD_WAIT);
}

/* The part of a probe that a state word has room for. */
static inline u32 ksm_short(u64 probe)
{
	return probe >> 32;
}

/* An unchanged page or a page in the unstable tree: neither saved nor moving */
static inline bool ksm_word_unshared(u64 word)
{
	if (ksm_word_tag(word))
		return ksm_word_tag(word) == KSM_TAG_UNSTABLE;
	return word & KSM_WORD_QUIET;
}

#endif /* _MM_KSM_STATE_H */
