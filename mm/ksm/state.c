// SPDX-License-Identifier: GPL-2.0-only
/*
 * What to think of a page, from what was known and what a visit saw.
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
 * "Same" and "other" is what the probe says of a page whose entry is dirty
 * since before the last visit.  To clean an entry costs the writer, so that is
 * only done when the probe was the same; from then on the entry tells.
 *
 * A volatile page is passed over for 1, then 3, then 7 visits.  Then one takes
 * its probe, and the next compares.
 *
 * A word never says more than "perhaps equal, perhaps quiet".  A wrong word
 * costs a missed merge or a needless comparison.
 */
#include "state.h"

static u64 with_run(u64 word, unsigned int run)
{
	word &= ~(7ULL << KSM_WORD_RUN_SHIFT);
	return word | ((u64)run << KSM_WORD_RUN_SHIFT);
}

static u64 with_backoff(u64 word, unsigned int level, unsigned int wait)
{
	word &= ~((3ULL << KSM_WORD_LEVEL_SHIFT) |
		  (15ULL << KSM_WORD_WAIT_SHIFT));
	return word | ((u64)level << KSM_WORD_LEVEL_SHIFT) |
		((u64)wait << KSM_WORD_WAIT_SHIFT);
}

static u64 with_shared(u64 word, bool shared)
{
	return shared ? word | KSM_WORD_SHARED : word & ~KSM_WORD_SHARED;
}

static u64 back_off(u64 word)
{
	unsigned int level = ksm_word_level(word);

	if (level < KSM_LEVEL_MAX)
		level++;
	return with_backoff(word, level, (1U << level) - 1);
}

/**
 * ksm_state_fresh - the word of a page seen for the first time
 * @pfn: low bits of its page frame number
 *
 * Return: the word.
 */
u64 ksm_state_fresh(u16 pfn)
{
	return KSM_WORD_USED | KSM_WORD_LOOK | ((u64)pfn << KSM_WORD_PFN_SHIFT);
}

/**
 * ksm_state_quiet - the word of a page that leaves a tree unchanged
 * @pfn: low bits of its page frame number
 * @short_key: its short key
 *
 * Return: the word.
 */
u64 ksm_state_quiet(u16 pfn, u32 short_key)
{
	return ksm_state_fresh(pfn) | KSM_WORD_QUIET | KSM_WORD_KEYED |
		((u64)short_key << KSM_WORD_SHORT_SHIFT);
}

/* Written to since its entry was cleaned */
static u64 judge_written(u64 word, enum ksm_verdict *verdict)
{
	unsigned int run = ksm_word_run(word);

	word = (word & ~KSM_WORD_QUIET) | KSM_WORD_LOOK;
	if (run + 1 < KSM_RUN_VOLATILE) {
		*verdict = KSM_CHANGED;
		return with_backoff(with_run(word, run + 1), 0, 0);
	}
	/* One that was taken to have come to rest deceives the probe. */
	word = with_backoff(word, run < KSM_RUN_VOLATILE ? 0 : KSM_LEVEL_MAX,
			    0);
	/* What it contained counts for nothing any more. */
	*verdict = KSM_PASS_OVER;
	return back_off(with_run(word, KSM_RUN_VOLATILE)) & ~KSM_WORD_KEYED;
}

/* Only the probe can tell: @verdict, unless it is to wait. */
static u64 judge_by_probe(u64 word, const struct ksm_look *look,
			  enum ksm_verdict *verdict)
{
	unsigned int wait = ksm_word_wait(word);

	if (ksm_word_run(word) < KSM_RUN_VOLATILE)
		return word;
	/* Who is impatient knows no volatile pages. */
	if (!look->patient)
		return with_run(word, KSM_RUN_VOLATILE - 1);
	if (!wait)
		return word;
	*verdict = KSM_PASS_OVER;
	return with_backoff(word, ksm_word_level(word), wait - 1);
}

/**
 * ksm_state_judge - what to do about a page
 * @word:    what is known of it: 0 or a word without tag
 * @look:    what the page table says
 * @verdict: what to do
 *
 * Where the verdict asks for the probe, ksm_state_probed() comes next.  With
 * KSM_PROVE, if ksm_state_same(), the entry is cleaned before, and the probe
 * taken again.
 *
 * Return: the new word.
 */
u64 ksm_state_judge(u64 word, const struct ksm_look *look,
		    enum ksm_verdict *verdict)
{
	bool was_shared = word & KSM_WORD_SHARED;

	if (!word || ksm_word_pfn(word) != look->pfn) {
		*verdict = KSM_NEW;
		return with_shared(ksm_state_fresh(look->pfn), look->shared);
	}
	word = with_shared(word, look->shared);
	*verdict = KSM_VERIFY;
	if (!look->trust)
		return judge_by_probe(word, look, verdict);
	/* Its own entry may be new, with the dirty bit of all the others. */
	if (look->dirty && (word & KSM_WORD_QUIET) && !was_shared)
		return judge_written(word, verdict);
	if (look->dirty) {
		*verdict = KSM_PROVE;
		return judge_by_probe(word, look, verdict);
	}
	if (!(word & KSM_WORD_QUIET))
		return judge_by_probe(word, look, verdict);
	if (!look->renew)
		*verdict = KSM_UNCHANGED;
	return with_run(word, 0);
}

/**
 * ksm_state_same - does the key of a page say that it is the same?
 * @word:      the page's
 * @short_key: ksm_short() of its probe
 *
 * Return: true if it had a key, which was this one.
 */
bool ksm_state_same(u64 word, u32 short_key)
{
	return (word & KSM_WORD_KEYED) && ksm_word_short(word) == short_key;
}

/**
 * ksm_state_probed - enter the probe that a verdict asked for
 * @word:      of ksm_state_judge()
 * @verdict:   of ksm_state_judge()
 * @short_key: ksm_short() of the probe
 * @changed:   set to whether the page is to be taken as changed
 *
 * The caller moves the count in the filter from the old key to the new one.
 *
 * Return: the new word.
 */
u64 ksm_state_probed(u64 word, enum ksm_verdict verdict, u32 short_key,
		     bool *changed)
{
	bool same = ksm_state_same(word, short_key);
	bool keyed = word & KSM_WORD_KEYED;
	unsigned int run = ksm_word_run(word);

	word &= ~(~0ULL << KSM_WORD_SHORT_SHIFT);
	word |= ((u64)short_key << KSM_WORD_SHORT_SHIFT) | KSM_WORD_KEYED;
	*changed = true;
	if (verdict != KSM_VERIFY && verdict != KSM_PROVE)
		return word;
	if (same) {
		*changed = false;
		if (!(word & KSM_WORD_QUIET))
			word = with_backoff(word, 0, 0);
		/* Whether its entry stays clean now is seen at the next visit */
		if (verdict == KSM_VERIFY)
			word = with_run(word, 0);
		return word | KSM_WORD_QUIET;
	}

	word = (word & ~KSM_WORD_QUIET) | KSM_WORD_LOOK;
	if (run < KSM_RUN_VOLATILE)
		return with_backoff(with_run(word, run + 1), 0, 0);
	/* The first look after a wait only takes the key, the next one tells */
	if (!keyed)
		return with_backoff(word, ksm_word_level(word), 0);
	return back_off(word) & ~KSM_WORD_KEYED;
}

/**
 * ksm_state_unmatched - nobody has this page's key: do not look again
 * @word: the page's
 *
 * Return: the new word; the next look is due when the filter's epoch moves.
 */
u64 ksm_state_unmatched(u64 word)
{
	return with_backoff(word, 0, 0) & ~KSM_WORD_LOOK;
}

/**
 * ksm_state_busy - somebody held this page, or its like
 * @word: the page's
 *
 * Return: the new word; the next look is due in 1, 4, then 8 visits.
 */
u64 ksm_state_busy(u64 word)
{
	if (!ksm_word_level(word))
		return with_backoff(word, 1, 0) | KSM_WORD_LOOK;
	return ksm_state_failed(word);
}

/**
 * ksm_state_failed - there is a like, but they could not be merged
 * @word: the page's
 *
 * Return: the new word; the next look is due in 2, 4, then 8 visits.
 */
u64 ksm_state_failed(u64 word)
{
	return back_off(word) | KSM_WORD_LOOK;
}

/**
 * ksm_state_looks - may an unchanged page be looked up at this visit?
 * @word:  the page's; a visit that has to be waited for is taken off
 * @moved: the filter's epoch has moved since the last visit
 *
 * Return: true if it may.
 */
bool ksm_state_looks(u64 *word, bool moved)
{
	unsigned int wait = ksm_word_wait(*word);

	if (wait) {
		*word = with_backoff(*word, ksm_word_level(*word), wait - 1);
		return false;
	}
	return moved || (*word & KSM_WORD_LOOK);
}
