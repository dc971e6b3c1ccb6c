// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of a page: from its state word and what a visit has seen.
 */
#include "state.h"

/**
 * DOC: The life of a page that has no duplicate
 *
 * ::
 *
 *	           another pfn
 *	  (any) ---------------> new
 *	                          |  same            other, up to 3 in a row
 *	                          v                     +-----+
 *	        +-------------> quiet <------------> changed  |
 *	        |                   same / dirty        ^-----+
 *	        | same                                  | other for the 4th time
 *	        |                                       v
 *	        +----------------------------------- volatile
 *
 * "Same" and "other" are what the probe says of a page whose entry has been
 * dirty since before the last visit.  To clean an entry costs its writer a
 * fault or a walk of the page table, so that is done only when the probe was
 * the same; from then on the entry tells.
 *
 * A volatile page is skipped for 1, then 3, then always 4 visits.  Then ksmd
 * peeks at it, which means to read one cache line.  If that is the same as at
 * the last peek, the page is taken to be quiet, and its entry will tell.
 *
 * A word never says more than "perhaps equal, perhaps quiet".  A wrong word
 * costs a missed merge or a needless comparison, never data.
 */

static u64 ksm_state_with_streak(u64 word, unsigned int streak)
{
	word &= ~KSM_WORD_STREAK;
	return word | FIELD_PREP(KSM_WORD_STREAK, streak);
}

static u64 ksm_state_with_wait(u64 word, unsigned int level, unsigned int wait)
{
	word &= ~(KSM_WORD_LEVEL | KSM_WORD_WAIT);
	return word | FIELD_PREP(KSM_WORD_LEVEL, level) |
	       FIELD_PREP(KSM_WORD_WAIT, wait);
}

static u64 ksm_state_with_joint(u64 word, bool joint)
{
	word &= ~KSM_WORD_JOINT;
	return word | FIELD_PREP(KSM_WORD_JOINT, joint);
}

static u64 ksm_state_with_short(u64 word, u32 short_key)
{
	word &= ~KSM_WORD_SHORT;
	return word | FIELD_PREP(KSM_WORD_SHORT, short_key);
}

/* A quiet page that cannot be merged waits for 1, 3, then 7 visits. */
static u64 ksm_state_back_off(u64 word)
{
	unsigned int level = ksm_word_level(word);

	if (level < KSM_LEVEL_MAX)
		level++;
	return ksm_state_with_wait(word, level, (1U << level) - 1);
}

/*
 * A volatile page waits for 1, 3, then 4 visits: two peeks have to fit into the
 * time by which a duplicate may be found late.
 */
static u64 ksm_state_back_off_volatile(u64 word)
{
	static const u8 wait[] = { 0, 1, 3, 4 };
	unsigned int level = ksm_word_level(word);

	if (level < KSM_LEVEL_MAX)
		level++;
	return ksm_state_with_wait(word, level, wait[level]);
}

/**
 * ksm_state_deferred - take off one visit to wait for
 * @word: of a page that has some left
 *
 * Return: the new word.
 */
u64 ksm_state_deferred(u64 word)
{
	return word - FIELD_PREP(KSM_WORD_WAIT, 1);
}

/**
 * ksm_state_new - make the word of a page that is seen for the first time
 * @pfn: low bits of its page frame number
 *
 * Return: the word.
 */
u64 ksm_state_new(u16 pfn)
{
	return KSM_WORD_KNOWN | KSM_WORD_LOOKUP |
	       FIELD_PREP(KSM_WORD_PFN, pfn);
}

/**
 * ksm_state_quiet - make the word of a quiet page
 * @pfn: low bits of its page frame number
 * @short_key: its short key
 *
 * Return: the word.
 */
u64 ksm_state_quiet(u16 pfn, u32 short_key)
{
	return ksm_state_new(pfn) | KSM_WORD_QUIET | KSM_WORD_KEYED |
	       FIELD_PREP(KSM_WORD_SHORT, short_key);
}

/**
 * ksm_state_queued - make the word that a page takes into the unstable tree
 * @word: its inline word
 *
 * In the tree a page is quiet, and does not wait.  It keeps what tells whether
 * it was quiet before: a page that has only seemed to be is not given another
 * streak of visits.
 *
 * Return: the word, with which it also leaves the tree if it is unchanged then.
 */
u64 ksm_state_queued(u64 word)
{
	return ksm_state_quiet(ksm_word_pfn(word), ksm_word_short(word)) |
	       (word & (KSM_WORD_STREAK | KSM_WORD_JOINT));
}

/* The page was changed once more. */
static u64 ksm_state_changed(u64 word)
{
	unsigned int streak = ksm_word_streak(word);

	word = (word & ~KSM_WORD_QUIET) | KSM_WORD_LOOKUP;
	if (streak + 1 < KSM_STREAK_VOLATILE) {
		word = ksm_state_with_streak(word, streak + 1);
		return ksm_state_with_wait(word, 0, 0);
	}
	/* One that was volatile and has only seemed quiet waits longer. */
	word = ksm_state_with_wait(word, streak < KSM_STREAK_VOLATILE ? 0 : 1,
				   0);
	word = ksm_state_with_streak(word, KSM_STREAK_VOLATILE);
	/* Its key says nothing any more. */
	return ksm_state_back_off_volatile(word) & ~KSM_WORD_KEYED;
}

/* Only the content can tell: @verdict, but a peek at a volatile page. */
static u64 ksm_state_by_content(u64 word, const struct ksm_observation *seen,
				enum ksm_verdict *verdict)
{
	unsigned int streak = ksm_word_streak(word);

	/* smart_scan=0 knows no volatile pages, nor makes any. */
	if (!seen->smart && streak > KSM_STREAK_VOLATILE - 2)
		return ksm_state_with_streak(word & ~KSM_WORD_PEEKED,
					     KSM_STREAK_VOLATILE - 2);
	if (streak == KSM_STREAK_VOLATILE && !(word & KSM_WORD_QUIET))
		*verdict = KSM_VERDICT_PEEK;
	return word;
}

/* Is the page quiet, for good, as far as can be said, and waits for nothing? */
static bool ksm_state_at_rest(u64 word)
{
	const u64 mask = KSM_WORD_QUIET | KSM_WORD_KEYED | KSM_WORD_STREAK |
			 KSM_WORD_WAIT;

	return (word & mask) == (KSM_WORD_QUIET | KSM_WORD_KEYED);
}

/*
 * There is another page frame.  If a quiet page was here it may have been
 * migrated, which is no change of it: the probe tells.
 */
static u64 ksm_state_other_frame(u64 word, const struct ksm_observation *seen,
				 enum ksm_verdict *verdict)
{
	u64 new = ksm_state_with_joint(ksm_state_new(seen->pfn), seen->joint);

	*verdict = KSM_VERDICT_NEW;
	if (!seen->smart || !ksm_state_at_rest(word))
		return new;
	*verdict = KSM_VERDICT_MOVED;
	new &= ~KSM_WORD_LOOKUP;
	return new | (word & (KSM_WORD_KEYED | KSM_WORD_LOOKUP |
			      KSM_WORD_LEVEL | KSM_WORD_SHORT));
}

/**
 * ksm_state_judge - decide what to do about a page
 * @word:    what is known of it: 0 or an inline word
 * @seen:    what the visit has seen
 * @verdict: set to what is to be done
 *
 * What comes next depends on the verdict:
 *
 *   KSM_VERDICT_NEW, KSM_VERDICT_MOVED, KSM_VERDICT_CHANGED,
 *   KSM_VERDICT_VERIFY
 *	ksm_state_probed() with the probe.
 *   KSM_VERDICT_PROVE
 *	If ksm_word_has_key() with the probe, the entry is cleaned and the probe
 *	taken again; then ksm_state_probed().
 *   KSM_VERDICT_PEEK
 *	ksm_state_peeked(); if that says so, the entry is cleaned and the probe
 *	taken for ksm_state_probed().
 *   KSM_VERDICT_UNCHANGED
 *	ksm_state_lookup_due().
 *
 * Return: the new word.
 */
u64 ksm_state_judge(u64 word, const struct ksm_observation *seen,
		    enum ksm_verdict *verdict)
{
	bool quiet = word & KSM_WORD_QUIET, was_joint = word & KSM_WORD_JOINT;

	if (!word || ksm_word_pfn(word) != seen->pfn)
		return ksm_state_other_frame(word, seen, verdict);
	if (seen->smart && ksm_word_defers(word)) {
		*verdict = KSM_VERDICT_DEFER;
		return ksm_state_deferred(word);
	}
	word = ksm_state_with_joint(word, seen->joint);
	*verdict = KSM_VERDICT_VERIFY;
	if (!seen->trust)
		return ksm_state_by_content(word, seen, verdict);
	/*
	 * An entry that had its dirty bit in common with others may be an entry
	 * of its own now, and have inherited the bit.
	 */
	if (seen->dirty && quiet && !was_joint) {
		word = ksm_state_changed(word);
		*verdict = word & KSM_WORD_KEYED ? KSM_VERDICT_CHANGED :
						   KSM_VERDICT_DEFER;
		return word;
	}
	if (seen->dirty)
		*verdict = KSM_VERDICT_PROVE;
	if (seen->dirty || !quiet)
		return ksm_state_by_content(word, seen, verdict);
	if (!seen->renew)
		*verdict = KSM_VERDICT_UNCHANGED;
	return ksm_state_with_streak(word, 0);
}

/**
 * ksm_state_peeked - enter what a peek has read
 * @word: of ksm_state_judge()
 * @peek: of ksm_peek()
 * @same: set to whether the page seems to be quiet
 *
 * Return: the new word.
 */
u64 ksm_state_peeked(u64 word, u32 peek, bool *same)
{
	*same = (word & KSM_WORD_PEEKED) && ksm_word_short(word) == peek;
	if (*same)
		return word & ~KSM_WORD_PEEKED;
	word = ksm_state_with_short(word, peek) | KSM_WORD_PEEKED;
	return ksm_state_back_off_volatile(word);
}

/**
 * ksm_state_probed - enter the probe that a verdict has asked for
 * @word:      of ksm_state_judge() or ksm_state_peeked()
 * @verdict:   of ksm_state_judge()
 * @short_key: ksm_short() of the probe
 * @changed:   set to whether the page counts as changed
 *
 * The caller moves the count in the filter from the old key to the new one.
 *
 * Return: the new word.
 */
u64 ksm_state_probed(u64 word, enum ksm_verdict verdict, u32 short_key,
		     bool *changed)
{
	bool same = ksm_word_has_key(word, short_key) ||
		    verdict == KSM_VERDICT_PEEK;
	bool expected = verdict == KSM_VERDICT_NEW ||
			verdict == KSM_VERDICT_CHANGED;

	word = ksm_state_with_short(word, short_key) | KSM_WORD_KEYED;
	*changed = expected || !same;
	if (expected)
		return word;
	/* At the next visit it is quiet, or it was not the same page. */
	if (verdict == KSM_VERDICT_MOVED)
		return same ? word : ksm_state_with_wait(word, 0, 0) |
				     KSM_WORD_LOOKUP;
	if (!same)
		return ksm_state_changed(word);
	if (!(word & KSM_WORD_QUIET))
		word = ksm_state_with_wait(word, 0, 0);
	/* Of the others the next visit tells whether they stay quiet. */
	if (verdict == KSM_VERDICT_VERIFY)
		word = ksm_state_with_streak(word, 0);
	return word | KSM_WORD_QUIET;
}

/**
 * ksm_state_unique - no other page has this key
 * @word: state word
 *
 * Return: the new word; the next lookup is due when its key is called.
 */
u64 ksm_state_unique(u64 word)
{
	return ksm_state_with_wait(word, 0, 0) & ~KSM_WORD_LOOKUP;
}

/**
 * ksm_state_held - the page or its duplicate has extra references
 * @word: state word
 *
 * Return: the new word; the next lookup is due in 1, 4, then 8 visits.
 */
u64 ksm_state_held(u64 word)
{
	if (!ksm_word_level(word))
		return ksm_state_with_wait(word, 1, 0) | KSM_WORD_LOOKUP;
	return ksm_state_failed(word);
}

/**
 * ksm_state_failed - there is a duplicate, but they could not be merged
 * @word: state word
 *
 * Return: the new word; the next lookup is due in 2, 4, then 8 visits.
 */
u64 ksm_state_failed(u64 word)
{
	return ksm_state_back_off(word) | KSM_WORD_LOOKUP;
}

/**
 * ksm_state_lookup_due - may an unchanged page look for a duplicate?
 * @word:    state word; a visit that has to be waited for is taken off
 * @recheck: its key is due, see recheck.c
 *
 * Return: true if it may.
 */
bool ksm_state_lookup_due(u64 *word, bool recheck)
{
	if (ksm_word_wait(*word)) {
		*word = ksm_state_deferred(*word);
		return false;
	}
	return recheck || (*word & KSM_WORD_LOOKUP);
}
