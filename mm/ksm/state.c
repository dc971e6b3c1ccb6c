// SPDX-License-Identifier: GPL-2.0-only
/*
 * What to think of a page, from what was known and what a visit saw.
 *
 *	           another pfn
 *	  (any) ---------------> new
 *	                          |  clean            dirty, up to 3 in a row
 *	                          v                     +-----+
 *	        +-------------> quiet <------------> changed  |
 *	        |                   clean / dirty       ^-----+
 *	        | clean                                 | dirty for the 4th time
 *	        |                                       v
 *	        +----------------------------------- volatile
 *
 * A volatile page is not read.  To clean its entry costs the writer, so that
 * is done every 2nd, then 4th, then every 8th visit; in between the entry is
 * merely looked at, and stays dirty.
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

static u64 judge_written(u64 word, enum ksm_verdict *verdict)
{
	unsigned int run = ksm_word_run(word);
	unsigned int wait = ksm_word_wait(word);

	word &= ~KSM_WORD_QUIET;
	if (run + 1 < KSM_RUN_VOLATILE) {
		*verdict = KSM_CHANGED;
		return with_backoff(with_run(word, run + 1), 0, 0) |
			KSM_WORD_LOOK;
	}
	if (run < KSM_RUN_VOLATILE) {
		word = with_backoff(with_run(word, KSM_RUN_VOLATILE), 0, 0);
	} else if (wait) {
		*verdict = KSM_PASS_OVER;
		return with_backoff(word, ksm_word_level(word), wait - 1);
	}
	/* What it contained counts for nothing any more. */
	*verdict = KSM_VOLATILE;
	return back_off(word) & ~KSM_WORD_KEYED;
}

static u64 judge_untrusted(u64 word, const struct ksm_look *look,
			   enum ksm_verdict *verdict)
{
	unsigned int wait = ksm_word_wait(word);

	*verdict = KSM_VERIFY;
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
 * Where the verdict asks for the probe, ksm_state_probed() comes next.
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
	if (!look->trust)
		return judge_untrusted(word, look, verdict);
	/* Its own entry is new, and got the dirty bit of all the others. */
	if (look->dirty && was_shared) {
		*verdict = KSM_VERIFY;
		return word;
	}
	if (look->dirty)
		return judge_written(word, verdict);

	if (ksm_word_run(word) == KSM_RUN_VOLATILE ||
	    !(word & KSM_WORD_KEYED)) {
		*verdict = KSM_SETTLED;
		return with_backoff(with_run(word, 0), 0, 0) | KSM_WORD_LOOK |
			KSM_WORD_QUIET;
	}
	*verdict = look->renew ? KSM_VERIFY : KSM_UNCHANGED;
	if (!(word & KSM_WORD_QUIET))
		word = with_backoff(word, 0, 0);
	return with_run(word, 0) | KSM_WORD_QUIET;
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
	bool keyed = word & KSM_WORD_KEYED;
	bool same = keyed && ksm_word_short(word) == short_key;
	unsigned int run = ksm_word_run(word);

	word &= ~(~0ULL << KSM_WORD_SHORT_SHIFT);
	word |= ((u64)short_key << KSM_WORD_SHORT_SHIFT) | KSM_WORD_KEYED;
	*changed = verdict == KSM_VERIFY ? !same : verdict != KSM_SETTLED;
	if (verdict != KSM_VERIFY)
		return word;
	if (same) {
		if (!(word & KSM_WORD_QUIET))
			word = with_backoff(word, 0, 0);
		return with_run(word, 0) | KSM_WORD_QUIET;
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
