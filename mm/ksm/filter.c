// SPDX-License-Identifier: GPL-2.0-only
/*
 * The filter: does anybody else have this key?
 *
 * A counting Bloom filter with counters of two bits.  A page that has its
 * probe taken is counted at two places of one cache line; it is worth a node
 * in a tree only where both say "two or more".  A page whose key nobody
 * shares passes this test by accident in about one of twenty cases.
 *
 * A counter that has reached three cannot be trusted to go down again, and
 * stays.  Stuck counters are noted, and the whole filter is made anew once
 * there are many.
 *
 * The epoch moves whenever a counter goes from one to two: only then can a
 * page that was alone have found company, so only then need unchanged pages
 * ask again.
 *
 * Without memory for a filter every key counts as shared: slower, not wrong.
 */
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/prefetch.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "filter.h"

/* One cache line of counters */
#define LINE_WORDS	8
#define WORD_SLOTS	32
#define LINE_SLOTS	(LINE_WORDS * WORD_SLOTS)

#define SLOTS_PER_PAGE	8
#define MIN_LINES	256UL

/* Cleared at a time: a megabyte */
#define CLEAR_LINES	16384UL

/* How often the epoch moved; all of this is under ksm_scan_mutex */
unsigned long ksm_filter_epoch;

/* Keys that were taken out since boot: who counts all keys must know. */
unsigned long ksm_filter_removals;

static u64 (*filter)[LINE_WORDS];
static unsigned int filter_order;	/* log2 of the number of lines */
static unsigned long nr_stuck;

struct place {
	u64 *word;
	unsigned int shift;
};

/*
 * Keys of pages that differ in a counter may be evenly spaced, and multiples
 * of such keys are so, too.  This ends it.
 */
static u64 spread(u32 short_key)
{
	u64 hash = short_key * GOLDEN_RATIO_64;

	return (hash ^ (hash >> 32)) * GOLDEN_RATIO_64;
}

static u64 *line_of(u64 hash)
{
	return filter[hash >> (64 - filter_order)];
}

static void find_places(u32 short_key, struct place place[2])
{
	u64 hash = spread(short_key);
	u64 *line = line_of(hash);
	unsigned int first, second;

	first = (hash >> 24) % LINE_SLOTS;
	second = (hash >> 16) % LINE_SLOTS;
	if (first == second)
		second ^= 1;
	place[0].word = line + first / WORD_SLOTS;
	place[0].shift = 2 * (first % WORD_SLOTS);
	place[1].word = line + second / WORD_SLOTS;
	place[1].shift = 2 * (second % WORD_SLOTS);
}

static unsigned int count_at(const struct place *place)
{
	return (*place->word >> place->shift) & 3;
}

static unsigned long nr_lines(void)
{
	return filter ? 1UL << filter_order : 0;
}

static unsigned int wanted_order(unsigned long pages)
{
	unsigned long lines = DIV_ROUND_UP(pages * SLOTS_PER_PAGE, LINE_SLOTS);

	return ilog2(roundup_pow_of_two(max(lines, MIN_LINES)));
}

/**
 * ksm_filter_wants_resize - is it too small, far too large, or worn out?
 * @pages: pages tracked
 *
 * Return: true if ksm_filter_resize() is due.
 */
bool ksm_filter_wants_resize(unsigned long pages)
{
	if (!filter)
		return true;
	return wanted_order(pages) > filter_order ||
	       wanted_order(pages) + 2 < filter_order ||
	       nr_stuck > nr_lines() * LINE_SLOTS / 16;
}

/* That may be hundreds of megabytes. */
static void clear_lines(void)
{
	unsigned long line, nr;

	for (line = 0; line < nr_lines(); line += nr) {
		nr = min(nr_lines() - line, CLEAR_LINES);
		memset(filter + line, 0, nr * sizeof(*filter));
		cond_resched();
	}
}

/**
 * ksm_filter_resize - start anew with an empty filter of the right size
 * @pages: pages tracked
 *
 * The caller counts all keys again.
 *
 * Context: may sleep.
 * Return: false if there was no memory and the old filter stays as it is.
 */
bool ksm_filter_resize(unsigned long pages)
{
	unsigned int order = wanted_order(pages);
	void *new;

	if (filter && order == filter_order) {
		clear_lines();
	} else {
		new = __vmalloc(sizeof(*filter) << order,
				GFP_KERNEL | __GFP_ZERO | __GFP_NORETRY |
				__GFP_NOWARN);
		if (!new)
			return false;
		vfree(filter);
		filter = new;
		filter_order = order;
	}
	nr_stuck = 0;
	ksm_filter_epoch++;
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
	vfree(filter);
	filter = NULL;
	nr_stuck = 0;
}

/**
 * ksm_filter_bytes - memory the filter occupies
 *
 * Return: bytes.
 */
unsigned long ksm_filter_bytes(void)
{
	return nr_lines() * sizeof(*filter);
}

/**
 * ksm_filter_prefetch - soon this key will be counted or looked up
 * @short_key: the key
 */
void ksm_filter_prefetch(u32 short_key)
{
	if (filter)
		prefetchw(line_of(spread(short_key)));
}

/**
 * ksm_filter_add - one more page has this key
 * @short_key: the key
 */
void ksm_filter_add(u32 short_key)
{
	struct place place[2];
	unsigned int i, count;

	if (!filter)
		return;
	find_places(short_key, place);
	for (i = 0; i < 2; i++) {
		count = count_at(&place[i]);
		if (count == 3)
			continue;
		*place[i].word += 1ULL << place[i].shift;
		if (count == 1)
			ksm_filter_epoch++;
	}
}

/**
 * ksm_filter_remove - one page less has this key
 * @short_key: the key; must have been added
 */
void ksm_filter_remove(u32 short_key)
{
	struct place place[2];
	unsigned int i, count;

	if (!filter)
		return;
	ksm_filter_removals++;
	find_places(short_key, place);
	for (i = 0; i < 2; i++) {
		count = count_at(&place[i]);
		if (count == 3)
			nr_stuck++;
		else if (count)
			*place[i].word -= 1ULL << place[i].shift;
	}
}

/**
 * ksm_filter_shared - may somebody else have this key?
 * @short_key: a key that the caller itself has added
 *
 * Return: false only if nobody has.
 */
bool ksm_filter_shared(u32 short_key)
{
	struct place place[2];

	if (!filter)
		return true;
	find_places(short_key, place);
	return count_at(&place[0]) > 1 && count_at(&place[1]) > 1;
}
