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
 * A volatile page is passed over for 1, then 3, then always 4 visits.  Then it
 * is peeked at, which means to read one cache line.  If that is the same as the
 * last time, it is taken to be quiet, and its entry will tell.
 *
 * A word never says more than "perhaps equal, perhaps quiet".  A wrong word
 * costs a missed merge or a needless comparison.
 */
#include "state.h"

static u64 with_run(u64 word, unsigned int run)
{
	word &= ~KSM_WORD_RUN;
	return word | ((u64)run << KSM_WORD_RUN_SHIFT);
}

static u64 with_backoff(u64 word, unsigned int level, unsigned int wait)
{
	word &= ~((3ULL << KSM_WORD_LEVEL_SHIFT) | KSM_WORD_WAIT);
	return word | ((u64)level << KSM_WORD_LEVEL_SHIFT) |
		((u64)wait << KSM_WORD_WAIT_SHIFT);
}

static u64 with_shared(u64 word, bool shared)
{
	return shared ? word | KSM_WORD_SHARED : word & ~KSM_WORD_SHARED;
}

static u64 with_short(u64 word, u32 short_key)
{
	word &= ~(~0ULL << KSM_WORD_SHORT_SHIFT);
	return word | ((u64)short_key << KSM_WORD_SHORT_SHIFT);
}

/* Of a quiet page that cannot be merged */
static u64 back_off(u64 word)
{
	unsigned int level = ksm_word_level(word);

	if (level < KSM_LEVEL_MAX)
		level++;
	return with_backoff(word, level, (1U << level) - 1);
}

/* Of a volatile page: two looks have to fit into what others may be late. */
static u64 leave_alone(u64 word)
{
	static const u8 wait[] = { 0, 1, 3, 4 };
	unsigned int level = ksm_word_level(word);

	if (level < KSM_LEVEL_MAX)
		level++;
	return with_backoff(word, level, wait[level]);
}

/**
 * ksm_state_waited - one visit less to wait
 * @word: of a page that has some left
 *
 * Return: the new word.
 */
u64 ksm_state_waited(u64 word)
{
	return word - (1ULL << KSM_WORD_WAIT_SHIFT);
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

/* It was found written once more. */
static u64 written(u64 word)
{
	unsigned int run = ksm_word_run(word);

	word = (word & ~KSM_WORD_QUIET) | KSM_WORD_LOOK;
	if (run + 1 < KSM_RUN_VOLATILE)
		return with_backoff(with_run(word, run + 1), 0, 0);
	/* One that seemed to have come to rest deceives us: wait for long. */
	word = with_backoff(word, run < KSM_RUN_VOLATILE ? 0 : 1, 0);
	/* What it contained counts for nothing any more. */
	return leave_alone(with_run(word, KSM_RUN_VOLATILE)) & ~KSM_WORD_KEYED;
}

/* Only its content can tell: @verdict, but less for a volatile page. */
static u64 judge_by_content(u64 word, const struct ksm_look *look,
			    enum ksm_verdict *verdict)
{
	unsigned int run = ksm_word_run(word);

	/* Who is impatient knows no volatile pages, nor makes any. */
	if (!look->patient && run > KSM_RUN_VOLATILE - 2)
		return with_run(word & ~KSM_WORD_PEEKED, KSM_RUN_VOLATILE - 2);
	if (run < KSM_RUN_VOLATILE || (word & KSM_WORD_QUIET))
		return word;
	if (!ksm_word_wait(word)) {
		*verdict = KSM_PEEK;
		return word;
	}
	*verdict = KSM_PASS_OVER;
	return ksm_state_waited(word);
}

/**
 * ksm_state_judge - what to do about a page
 * @word:    what is known of it: 0 or a word without tag
 * @look:    what the page table says
 * @verdict: what to do
 *
 * What comes next depends on the verdict:
 *
 *   KSM_NEW, KSM_CHANGED, KSM_VERIFY
 *	ksm_state_probed() with the probe.
 *   KSM_PROVE
 *	If ksm_state_same() with the probe, the entry is cleaned and the probe
 *	taken again; then ksm_state_probed().
 *   KSM_PEEK
 *	ksm_state_peeked(); if that says so, the entry is cleaned and the probe
 *	taken for ksm_state_probed().
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
		return judge_by_content(word, look, verdict);
	/* Its own entry may be new, with the dirty bit of all the others. */
	if (look->dirty && (word & KSM_WORD_QUIET) && !was_shared) {
		word = written(word);
		*verdict = word & KSM_WORD_KEYED ? KSM_CHANGED : KSM_PASS_OVER;
		return word;
	}
	if (look->dirty)
		*verdict = KSM_PROVE;
	if (look->dirty || !(word & KSM_WORD_QUIET))
		return judge_by_content(word, look, verdict);
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
 * ksm_state_peeked - enter what was seen of a volatile page
 * @word: of ksm_state_judge()
 * @peek: ksm_peek() of the page
 * @same: set to whether it seems to have come to rest
 *
 * Return: the new word.
 */
u64 ksm_state_peeked(u64 word, u32 peek, bool *same)
{
	*same = (word & KSM_WORD_PEEKED) && ksm_word_short(word) == peek;
	if (*same)
		return word & ~KSM_WORD_PEEKED;
	return leave_alone(with_short(word, peek) | KSM_WORD_PEEKED);
}

/**
 * ksm_state_probed - enter the probe that a verdict asked for
 * @word:      of ksm_state_judge() or ksm_state_peeked()
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
	bool same = ksm_state_same(word, short_key) || verdict == KSM_PEEK;

	word = with_short(word, short_key) | KSM_WORD_KEYED;
	*changed = verdict == KSM_NEW || verdict == KSM_CHANGED || !same;
	if (verdict == KSM_NEW || verdict == KSM_CHANGED)
		return word;
	if (!same)
		return written(word);
	if (!(word & KSM_WORD_QUIET))
		word = with_backoff(word, 0, 0);
	/* Of the others it is seen at the next visit whether they stay quiet. */
	if (verdict == KSM_VERIFY)
		word = with_run(word, 0);
	return word | KSM_WORD_QUIET;
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
	if (ksm_word_wait(*word)) {
		*word = ksm_state_waited(*word);
		return false;
	}
	return moved || (*word & KSM_WORD_LOOK);
}
