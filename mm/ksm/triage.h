/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Triage: find, from the entry and the state word alone, the pages about which
 * a visit has nothing to do.
 *
 * Most pages are such pages, so this is the fast path of ksmd: struct page, the
 * rmap_item and the content are not touched.  For a page that is not merged
 * ksm_state_judge() comes to the same conclusion, with the same word; the KUnit
 * suite ksm_triage holds the two against each other.
 */
#ifndef _MM_KSM_TRIAGE_H
#define _MM_KSM_TRIAGE_H

#include "item.h"
#include "recheck.h"
#include "state.h"

/**
 * struct ksm_triage - what holds for all entries of a slice
 * @rechecks:	 the keys of which unchanged pages look for a duplicate
 * @skip_clean:  a clean entry proves that a page that is not merged is unchanged
 * @skip_stable: the same for a mapping of a KSM page
 * @defer:	 volatile pages may be skipped
 */
struct ksm_triage {
	struct ksm_rechecks rechecks;
	bool skip_clean;
	bool skip_stable;
	bool defer;
};

/**
 * ksm_triage_init - prepare for a slice
 * @seen:     what its observations have in common: @trust, @smart and @renew
 * @rechecks: of ksm_recheck_view()
 *
 * Return: the settings.
 */
static inline struct ksm_triage
ksm_triage_init(const struct ksm_observation *seen, struct ksm_rechecks rechecks)
{
	return (struct ksm_triage) {
		.rechecks = rechecks,
		.skip_clean = seen->trust && !seen->renew,
		.skip_stable = !seen->renew,
		.defer = seen->smart,
	};
}

/* A "!" between terms of "&" looks like a mistake, to sparse at least. */
static __always_inline bool ksm_triage_not(bool bit)
{
	return bit ^ 1;
}

/*
 * Is a page without item unchanged, with a word that stays the same?  Bits of
 * @clear are those that have to be 0 besides.
 */
static __always_inline bool ksm_triage_at_rest(u64 word, u64 clear, u16 pfn,
					       bool dirty, bool joint)
{
	const u64 mask = KSM_WORD_TAG | KSM_WORD_QUIET | KSM_WORD_STREAK |
			 KSM_WORD_WAIT | KSM_WORD_JOINT | KSM_WORD_PFN | clear;
	u64 want = KSM_WORD_QUIET | FIELD_PREP(KSM_WORD_JOINT, joint) |
		   FIELD_PREP(KSM_WORD_PFN, pfn);

	return ksm_triage_not(dirty) & ((word & mask) == want);
}

/**
 * ksm_triage_inline - is there nothing to do about a page without item?
 * @t:	   settings
 * @word:  state word, with any tag
 * @pfn:   page frame number in the entry
 * @dirty: the entry's dirty bit
 * @joint: which is that of several pages
 *
 * Without branches: what differs from page to page cannot be predicted, and a
 * misprediction takes longer than all the rest.
 *
 * Return: true if the page is unchanged and has nothing to look up.
 */
static __always_inline bool ksm_triage_inline(const struct ksm_triage *t,
					      u64 word, u16 pfn, bool dirty,
					      bool joint)
{
	return t->skip_clean &
	       ksm_triage_not(ksm_recheck_due(t->rechecks, word)) &
	       ksm_triage_at_rest(word, KSM_WORD_LOOKUP, pfn, dirty, joint);
}

/**
 * ksm_triage_asks - has a page without item only the filter to ask?
 * @t:	   settings
 * @word:  state word, with any tag
 * @pfn:   page frame number in the entry
 * @dirty: the entry's dirty bit
 * @joint: which is that of several pages
 *
 * Return: true if the page is unchanged, so that its key is what it was.
 */
static __always_inline bool ksm_triage_asks(const struct ksm_triage *t,
					    u64 word, u16 pfn, bool dirty,
					    bool joint)
{
	return t->skip_clean & ksm_triage_at_rest(word, 0, pfn, dirty, joint);
}

/**
 * ksm_triage_stable - is there nothing to do about a mapping of a KSM page?
 * @t:	      settings
 * @word:     state word, with any tag
 * @pfn:      page frame number in the entry
 * @dirty:    the entry's dirty bit
 * @writable: the entry allows writing
 *
 * Without branches, as ksm_triage_inline().
 *
 * Return: true if the page is the one that the item is attached to.
 */
static __always_inline bool ksm_triage_stable(const struct ksm_triage *t,
					      u64 word, u16 pfn, bool dirty,
					      bool writable)
{
	return t->skip_stable & ksm_triage_not(dirty | writable) &
	       (ksm_word_tag(word) == KSM_TAG_STABLE) &
	       (ksm_word_item_pfn(word) == pfn);
}

/**
 * ksm_triage_unstable - is there nothing to do about a page in the tree?
 * @t:	   settings
 * @word:  of ksm_item_word()
 * @pfn:   page frame number in the entry
 * @dirty: the entry's dirty bit
 * @joint: which is that of several pages
 *
 * Return: true if the page is unchanged and cannot join a KSM page.
 */
static inline bool ksm_triage_unstable(const struct ksm_triage *t, u64 word,
				       u16 pfn, bool dirty, bool joint)
{
	const u64 mask = KSM_WORD_QUIET | KSM_WORD_STREAK | KSM_WORD_JOINT |
			 KSM_WORD_PFN;
	u64 want = KSM_WORD_QUIET | FIELD_PREP(KSM_WORD_JOINT, joint) |
		   FIELD_PREP(KSM_WORD_PFN, pfn);

	return t->skip_clean && !ksm_recheck_due(t->rechecks, word) && !dirty &&
	       (word & mask) == want;
}

/**
 * ksm_triage_defers - is a volatile page to be skipped at this visit?
 * @t:	  settings
 * @word: state word, with any tag
 * @pfn:  page frame number in the entry
 *
 * Return: true if it has visits left to wait, whether it was written or not.
 */
static inline bool ksm_triage_defers(const struct ksm_triage *t, u64 word,
				     u16 pfn)
{
	return t->defer && ksm_word_defers(word) && ksm_word_pfn(word) == pfn;
}

#endif /* _MM_KSM_TRIAGE_H */
