/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state word of a page, and what a visit makes of it.
 */
#ifndef _MM_KSM_STATE_H
#define _MM_KSM_STATE_H

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/types.h>

/**
 * DOC: The state word
 *
 * ksmd keeps 8 bytes for each page that it has visited::
 *
 *	63       32 31     16 15                                     2 1   0
 *	+----------+---------+----------------------------------------+-----+
 *	| short key| low pfn |                  flags                 | tag |
 *	+----------+---------+----------------------------------------+-----+
 *
 *	  15    14   13..11 10..9  8..6    5     4     3     2
 *	+------+-----+-----+-----+------+------+-----+-----+-----+
 *	|peeked|joint| wait|level|streak|lookup|quiet|keyed|known|
 *	+------+-----+-----+-----+------+------+-----+-----+-----+
 *
 * tag
 *	0: as drawn, an inline word.  Otherwise the word names the rmap_item of
 *	the page: 1 if that is in the unstable tree, 3 if it is attached to a
 *	stable node, 2 if that node is gone, so that the page has to be looked at
 *	whatever the entry says.  The word 0 means that nothing is known.
 * known
 *	always set, so that a word in use is not 0
 * keyed
 *	the short key is valid, and counted in the filter
 * quiet
 *	unchanged at the last visit, which left the entry clean
 * lookup
 *	look for a duplicate at the next quiet visit, whether called or not
 * streak
 *	visits in a row that found the page changed, up to KSM_STREAK_VOLATILE
 * level
 *	of back-off: wait for 1, 3, 7 visits; at most 4 if the page is volatile
 * wait
 *	visits left to wait
 * joint
 *	the dirty bit of the entry was that of several pages when it was last
 *	looked at
 * peeked
 *	the short key is not one, but what the last peek has read
 *
 * A page in the unstable tree has these bits in its rmap_item, in the same
 * order: see ksm_item_word().
 */
#define KSM_WORD_TAG		GENMASK_ULL(1, 0)
#define KSM_WORD_KNOWN		BIT_ULL(2)
#define KSM_WORD_KEYED		BIT_ULL(3)
#define KSM_WORD_QUIET		BIT_ULL(4)
#define KSM_WORD_LOOKUP		BIT_ULL(5)
#define KSM_WORD_STREAK		GENMASK_ULL(8, 6)
#define KSM_WORD_LEVEL		GENMASK_ULL(10, 9)
#define KSM_WORD_WAIT		GENMASK_ULL(13, 11)
#define KSM_WORD_JOINT		BIT_ULL(14)
#define KSM_WORD_PEEKED		BIT_ULL(15)
#define KSM_WORD_PFN		GENMASK_ULL(31, 16)
#define KSM_WORD_SHORT		GENMASK_ULL(63, 32)

enum ksm_tag {
	KSM_TAG_INLINE,
	KSM_TAG_UNSTABLE,
	KSM_TAG_STABLE_LOST,	/* the stable node is gone */
	KSM_TAG_STABLE,
};

#define KSM_STREAK_VOLATILE	4U
#define KSM_LEVEL_MAX		3U

/**
 * struct ksm_observation - what a visit sees in the page table
 * @pfn:   low bits of the page frame number
 * @dirty: the page was written since the bit was last cleared
 * @trust: a clean entry proves that the page was not written
 * @smart: smart_scan: volatile pages may be skipped
 * @renew: take the probe again, whatever the entry says
 * @joint: the dirty bit is that of several pages
 */
struct ksm_observation {
	u16 pfn;
	bool dirty;
	bool trust;
	bool smart;
	bool renew;
	bool joint;
};

/**
 * enum ksm_verdict - what is to be done about a page
 * @KSM_VERDICT_UNCHANGED: nothing, but perhaps look for a duplicate
 * @KSM_VERDICT_NEW:       another page: take the probe
 * @KSM_VERDICT_MOVED:     another page, or the one that was here, at another place
 *			   in memory: take the probe
 * @KSM_VERDICT_CHANGED:   written since its entry was cleaned: take the probe
 * @KSM_VERDICT_VERIFY:    the entry cannot tell: take the probe and compare
 * @KSM_VERDICT_PROVE:     the entry was left dirty: compare the probe, and
 *			   clean the entry if it is the same
 * @KSM_VERDICT_PEEK:      volatile: see whether the content is still changing
 * @KSM_VERDICT_DEFER:     volatile: nothing at this visit
 */
enum ksm_verdict {
	KSM_VERDICT_UNCHANGED,
	KSM_VERDICT_NEW,
	KSM_VERDICT_MOVED,
	KSM_VERDICT_CHANGED,
	KSM_VERDICT_VERIFY,
	KSM_VERDICT_PROVE,
	KSM_VERDICT_PEEK,
	KSM_VERDICT_DEFER,
};

u64 ksm_state_judge(u64 word, const struct ksm_observation *seen,
		    enum ksm_verdict *verdict);
u64 ksm_state_probed(u64 word, enum ksm_verdict verdict, u32 short_key,
		     bool *changed);
u64 ksm_state_peeked(u64 word, u32 peek, bool *same);
bool ksm_state_lookup_due(u64 *word, bool recheck);
u64 ksm_state_deferred(u64 word);
u64 ksm_state_unique(u64 word);
u64 ksm_state_failed(u64 word);
u64 ksm_state_held(u64 word);
u64 ksm_state_queued(u64 word);
u64 ksm_state_quiet(u16 pfn, u32 short_key);
u64 ksm_state_new(u16 pfn);

static inline enum ksm_tag ksm_word_tag(u64 word)
{
	return FIELD_GET(KSM_WORD_TAG, word);
}

/* Is anything known of the page, and is it in the word itself? */
static inline bool ksm_word_inline(u64 word)
{
	return word && ksm_word_tag(word) == KSM_TAG_INLINE;
}

static inline bool ksm_word_unstable(u64 word)
{
	return ksm_word_tag(word) == KSM_TAG_UNSTABLE;
}

static inline bool ksm_word_stable(u64 word)
{
	return ksm_word_tag(word) >= KSM_TAG_STABLE_LOST;
}

static inline u16 ksm_word_pfn(u64 word)
{
	return FIELD_GET(KSM_WORD_PFN, word);
}

static inline u32 ksm_word_short(u64 word)
{
	return FIELD_GET(KSM_WORD_SHORT, word);
}

static inline unsigned int ksm_word_streak(u64 word)
{
	return FIELD_GET(KSM_WORD_STREAK, word);
}

static inline unsigned int ksm_word_level(u64 word)
{
	return FIELD_GET(KSM_WORD_LEVEL, word);
}

static inline unsigned int ksm_word_wait(u64 word)
{
	return FIELD_GET(KSM_WORD_WAIT, word);
}

/* Is a volatile page to be skipped at this visit? */
static inline bool ksm_word_defers(u64 word)
{
	const u64 mask = KSM_WORD_TAG | KSM_WORD_QUIET | KSM_WORD_STREAK;

	return (word & mask) == FIELD_PREP(KSM_WORD_STREAK,
					   KSM_STREAK_VOLATILE) &&
	       (word & KSM_WORD_WAIT);
}

/* Does an inline word have this short key? */
static inline bool ksm_word_has_key(u64 word, u32 short_key)
{
	return (word & KSM_WORD_KEYED) && ksm_word_short(word) == short_key;
}

/* The part of a probe that a state word has room for */
static inline u32 ksm_short(u64 probe)
{
	return probe >> 32;
}

/* Does the page count as pages_unshared: quiet, but without a duplicate? */
static inline bool ksm_word_unshared(u64 word)
{
	if (ksm_word_tag(word) != KSM_TAG_INLINE)
		return ksm_word_unstable(word);
	return word & KSM_WORD_QUIET;
}

#endif /* _MM_KSM_STATE_H */
