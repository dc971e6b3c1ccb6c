// SPDX-License-Identifier: GPL-2.0-only
/*
 * The filter: may another page have this key?
 *
 * A counting Bloom filter with counters of two bits.  A page that has a key is
 * counted at two places of one cache line; it is worth an item in a tree only
 * if both count two or more.  A page that has no duplicate passes this test by
 * accident in about one of twenty cases.
 *
 * A counter that has reached three is saturated: it cannot be relied on when it
 * goes down, and stays.  What is left behind by keys that are gone makes for
 * wrong answers.  So where that may be much, it is measured, and the whole filter
 * is rebuilt if so many counters count nothing.
 *
 * A key is called, see recheck.c, when it is added and both of its counters
 * count two or more afterwards: only then can other pages have got a duplicate.
 * That a counter goes from one to two would not do: other keys may have raised
 * each of the counters before.
 *
 * Without memory for a filter every key may match: slower, not wrong.
 */
#include <linux/bitops.h>
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/prefetch.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "filter.h"
#include "recheck.h"

/* One cache line of counters */
#define KSM_FILTER_LINE_WORDS	8
#define KSM_FILTER_WORD_SLOTS	32
#define KSM_FILTER_LINE_SLOTS	(KSM_FILTER_LINE_WORDS * KSM_FILTER_WORD_SLOTS)

#define KSM_FILTER_SLOTS_PER_PAGE	8
#define KSM_FILTER_MIN_LINES	256UL

/* Lines to look at, to tell how many counters are in use */
#define KSM_FILTER_SAMPLE	256UL

/* So many counters in vain, as a share of all, are worth a rebuild. */
#define KSM_FILTER_WORN_SHIFT	4

/* Cleared at a time: a megabyte */
#define KSM_FILTER_CLEAR_LINES	16384UL

/*
 * Keys removed since boot; recount.c notices what it has not counted.  All of
 * this is under ksm_scan_mutex.
 */
unsigned long ksm_filter_removals;

static u64 (*ksm_filter_table)[KSM_FILTER_LINE_WORDS];
static unsigned int ksm_filter_order;	/* log2 of the number of lines */
static unsigned long ksm_filter_keys;	/* counted now */

/* Times that a saturated counter could not be counted down */
static unsigned long ksm_filter_saturated;

struct ksm_filter_place {
	u64 *word;
	unsigned int shift;
};

/*
 * Pages that differ only in a counter may have evenly spaced keys, and one
 * multiplication would leave them evenly spaced.
 */
static u64 ksm_filter_hash(u32 short_key)
{
	u64 hash = short_key * GOLDEN_RATIO_64;

	return (hash ^ (hash >> 32)) * GOLDEN_RATIO_64;
}

static u64 *ksm_filter_line(u64 hash)
{
	return ksm_filter_table[hash >> (64 - ksm_filter_order)];
}

static void ksm_filter_places(u32 short_key, struct ksm_filter_place place[2])
{
	u64 hash = ksm_filter_hash(short_key);
	u64 *line = ksm_filter_line(hash);
	unsigned int first, second;

	first = (hash >> 24) % KSM_FILTER_LINE_SLOTS;
	second = (hash >> 16) % KSM_FILTER_LINE_SLOTS;
	if (first == second)
		second ^= 1;
	place[0].word = line + first / KSM_FILTER_WORD_SLOTS;
	place[0].shift = 2 * (first % KSM_FILTER_WORD_SLOTS);
	place[1].word = line + second / KSM_FILTER_WORD_SLOTS;
	place[1].shift = 2 * (second % KSM_FILTER_WORD_SLOTS);
}

static unsigned int ksm_filter_count_at(const struct ksm_filter_place *place)
{
	return (*place->word >> place->shift) & 3;
}

static unsigned long ksm_filter_lines(void)
{
	return ksm_filter_table ? 1UL << ksm_filter_order : 0;
}

static unsigned int ksm_filter_wanted_order(unsigned long pages)
{
	unsigned long lines =
		DIV_ROUND_UP(pages * KSM_FILTER_SLOTS_PER_PAGE, KSM_FILTER_LINE_SLOTS);

	return ilog2(roundup_pow_of_two(max(lines, KSM_FILTER_MIN_LINES)));
}

static unsigned int ksm_filter_slots_shift(void)
{
	return ksm_filter_order + ilog2(KSM_FILTER_LINE_SLOTS);
}

/* How many counters are not 0, about */
static unsigned long ksm_filter_used(void)
{
	unsigned long step = max(ksm_filter_lines() / KSM_FILTER_SAMPLE, 1UL);
	unsigned long line, nr = 0;
	unsigned int i;
	u64 word;

	for (line = 0; line < ksm_filter_lines(); line += step) {
		for (i = 0; i < KSM_FILTER_LINE_WORDS; i++) {
			word = ksm_filter_table[line][i];
			nr += hweight64((word | word >> 1) &
					0x5555555555555555ULL);
		}
	}
	return nr * step;
}

/* How many would be if they counted the keys and nothing else, about */
static unsigned long ksm_filter_needed(void)
{
	u64 pairs = (u64)ksm_filter_keys * ksm_filter_keys;

	if (ksm_filter_keys >> (ksm_filter_slots_shift() - 1))
		return 1UL << ksm_filter_slots_shift();
	/* Two for each key, less those that meet */
	return 2 * ksm_filter_keys - (pairs >> (ksm_filter_slots_shift() - 1));
}

/*
 * Popular content that is given up wears out two counters, however many pages
 * had it: so this is looked at now and then, but not believed.
 */
static bool ksm_filter_worn(void)
{
	unsigned long many = 1UL << (ksm_filter_slots_shift() -
				     KSM_FILTER_WORN_SHIFT);

	if (ksm_filter_saturated <= many)
		return false;
	if (ksm_filter_used() > ksm_filter_needed() + many)
		return true;
	ksm_filter_saturated = 0;
	return false;
}

/**
 * ksm_filter_wants_resize - is it too small, far too large, or worn out?
 * @pages: pages tracked
 *
 * Return: true if ksm_filter_resize() is due.
 */
bool ksm_filter_wants_resize(unsigned long pages)
{
	if (!ksm_filter_table)
		return true;
	return ksm_filter_wanted_order(pages) > ksm_filter_order ||
	       ksm_filter_wanted_order(pages) + 2 < ksm_filter_order ||
	       ksm_filter_worn();
}

/* This may be hundreds of megabytes. */
static void ksm_filter_clear(void)
{
	unsigned long line, nr;

	for (line = 0; line < ksm_filter_lines(); line += nr) {
		nr = min(ksm_filter_lines() - line, KSM_FILTER_CLEAR_LINES);
		memset(ksm_filter_table + line, 0,
		       nr * sizeof(*ksm_filter_table));
		cond_resched();
	}
}

/**
 * ksm_filter_resize - start over with an empty filter of the right size
 * @pages: pages tracked
 *
 * The caller counts all keys again, by ksm_filter_recount().
 *
 * Context: may sleep.
 * Return: false if there was no memory and the old filter stays as it is.
 */
bool ksm_filter_resize(unsigned long pages)
{
	unsigned int order = ksm_filter_wanted_order(pages);
	void *new;

	if (ksm_filter_table && order == ksm_filter_order) {
		ksm_filter_clear();
	} else {
		new = __vmalloc(sizeof(*ksm_filter_table) << order,
				GFP_KERNEL | __GFP_ZERO | __GFP_NORETRY |
				__GFP_NOWARN);
		if (!new)
			return false;
		vfree(ksm_filter_table);
		ksm_filter_table = new;
		ksm_filter_order = order;
	}
	ksm_filter_keys = 0;
	ksm_filter_saturated = 0;
	return true;
}

/**
 * ksm_filter_free - give its memory back until it is needed again
 *
 * The keys that pages have are counted again after ksm_filter_resize().
 *
 * Context: may sleep.
 */
void ksm_filter_free(void)
{
	vfree(ksm_filter_table);
	ksm_filter_table = NULL;
	ksm_filter_keys = 0;
	ksm_filter_saturated = 0;
}

/**
 * ksm_filter_bytes - tell the memory of the filter
 *
 * Return: bytes.
 */
unsigned long ksm_filter_bytes(void)
{
	return ksm_filter_lines() * sizeof(*ksm_filter_table);
}

/**
 * ksm_filter_prefetch - announce that a key will be counted or looked up
 * @short_key: the key
 */
void ksm_filter_prefetch(u32 short_key)
{
	if (ksm_filter_table)
		prefetchw(ksm_filter_line(ksm_filter_hash(short_key)));
}

/**
 * ksm_filter_recount - count a key that the filter has not had yet
 * @short_key: the key
 *
 * Pages have it since before the filter was made, so that is no news.
 */
void ksm_filter_recount(u32 short_key)
{
	struct ksm_filter_place place[2];
	unsigned int i;

	if (!ksm_filter_table)
		return;
	ksm_filter_keys++;
	ksm_filter_places(short_key, place);
	for (i = 0; i < 2; i++)
		if (ksm_filter_count_at(&place[i]) < 3)
			*place[i].word += 1ULL << place[i].shift;
}

/**
 * ksm_filter_add - one more page has this key
 * @short_key: the key
 *
 * If others may have it, they are called.
 */
void ksm_filter_add(u32 short_key)
{
	ksm_filter_recount(short_key);
	if (ksm_filter_may_match(short_key))
		ksm_recheck(short_key);
}

/**
 * ksm_filter_remove - one page less has this key
 * @short_key: the key; must have been added
 */
void ksm_filter_remove(u32 short_key)
{
	struct ksm_filter_place place[2];
	unsigned int i, count;

	if (!ksm_filter_table)
		return;
	ksm_filter_removals++;
	ksm_filter_keys--;
	ksm_filter_places(short_key, place);
	for (i = 0; i < 2; i++) {
		count = ksm_filter_count_at(&place[i]);
		if (count == 3)
			ksm_filter_saturated++;
		else if (count)
			*place[i].word -= 1ULL << place[i].shift;
	}
}

/**
 * ksm_filter_may_match - may another page have this key?
 * @short_key: a key that was added for the page itself
 *
 * Return: false only if no other page has it.
 */
bool ksm_filter_may_match(u32 short_key)
{
	struct ksm_filter_place place[2];

	if (!ksm_filter_table)
		return true;
	ksm_filter_places(short_key, place);
	return ksm_filter_count_at(&place[0]) > 1 &&
	       ksm_filter_count_at(&place[1]) > 1;
}
