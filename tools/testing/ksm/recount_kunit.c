// SPDX-License-Identifier: GPL-2.0-only
/*
 * A filter that is rebuilt: how long each step takes, what changes between
 * steps, and what happens without memory for it.
 */
#include <linux/jiffies.h>
#include <linux/sched/clock.h>

#include "testing.h"

#define NR_CHUNKS	4096
#define NR_MMS		3
#define DUPLICATES		7

static struct ksm_slot slots[NR_MMS];
static struct mm_struct mm;
static bool counted[NR_MMS];

/* --- Stand-ins for the registry ------------------------------------------ */

void ksm_registry_uncount_all(void)
{
	memset(counted, 0, sizeof(counted));
}

struct ksm_slot *ksm_registry_uncounted(void)
{
	int i;

	for (i = 0; i < NR_MMS; i++)
		if (!counted[i] && slots[i].tables.rb_node)
			return &slots[i];
	return NULL;
}

void ksm_registry_counted(struct ksm_slot *slot)
{
	counted[slot - slots] = true;
}

/* --- The cases ----------------------------------------------------------- */

static u64 probe_of(unsigned int i)
{
	return (i + 1) * 0x9e3779b97f4a7c15ULL;
}

static u64 *word_of(unsigned int i)
{
	struct ksm_slot *slot = &slots[i % NR_MMS];
	unsigned long addr = i / NR_MMS * PAGE_SIZE;

	if (!ksm_track_chunk(slot, addr, true))
		return NULL;
	return ksm_track_word(slot, addr);
}

/* Key i is that of the pages i and i + half. */
#define NR_PAGES	(NR_CHUNKS * KSM_CHUNK_PAGES)
#define HALF		(NR_PAGES / 2)

static void fill(struct kunit *test)
{
	unsigned int i;
	u64 *word;

	memset(slots, 0, sizeof(slots));
	for (i = 0; i < NR_MMS; i++)
		slots[i].mm = &mm;
	for (i = 0; i < NR_PAGES; i++) {
		word = word_of(i);
		KUNIT_EXPECT_NOT_NULL(test, word);
		if (!word)
			return;
		ksm_track_set(&slots[i % NR_MMS], word,
			      ksm_state_quiet(i, ksm_short(probe_of(i % HALF))));
	}
}

static bool no_detach(struct ksm_rmap_item *item)
{
	return true;
}

static void clear(void)
{
	int i;

	for (i = 0; i < NR_MMS; i++)
		ksm_track_drop_range(&slots[i], 0, ~0UL, no_detach);
	ksm_recount_drop();
	jiffies += 3600 * HZ;
}

static void expect_none_hidden(struct kunit *test)
{
	unsigned int i, hidden = 0;

	for (i = 0; i < HALF; i++)
		hidden += !ksm_filter_may_match(ksm_short(probe_of(i)));
	KUNIT_EXPECT_EQ(test, hidden, 0);
}

/* How many batches it takes if each read of the clock advances it by this */
static unsigned int batches(struct kunit *test, u64 tick_ns)
{
	unsigned int nr = 1;

	shim_clock_tick = tick_ns;
	while (!ksm_recount()) {
		KUNIT_EXPECT_TRUE(test, ksm_recounting());
		if (++nr > 1000)
			break;
	}
	shim_clock_tick = 0;
	KUNIT_EXPECT_FALSE(test, ksm_recounting());
	return nr;
}

static void recount_in_pieces(struct kunit *test)
{
	guard(mutex)(&ksm_scan_mutex);
	fill(test);
	KUNIT_EXPECT_EQ(test, batches(test, 0), 1);
	expect_none_hidden(test);
	ksm_recount_drop();
	KUNIT_EXPECT_GT(test, batches(test, 20 * NSEC_PER_MSEC), 5);
	expect_none_hidden(test);
	/* It has the right size now. */
	KUNIT_EXPECT_EQ(test, batches(test, 20 * NSEC_PER_MSEC), 1);
	clear();
}

/* Removing a key restarts the recount; otherwise it would be removed twice. */
static void recount_begins_again(struct kunit *test)
{
	unsigned int i;

	guard(mutex)(&ksm_scan_mutex);
	fill(test);
	shim_clock_tick = 20 * NSEC_PER_MSEC;
	KUNIT_EXPECT_FALSE(test, ksm_recount());
	/* The last of the last mm is not counted yet. */
	for (i = NR_PAGES - 1; i >= NR_PAGES - DUPLICATES; i--)
		ksm_track_set(&slots[i % NR_MMS], word_of(i), 0);
	KUNIT_EXPECT_GT(test, batches(test, 20 * NSEC_PER_MSEC), 5);
	/* Remaining duplicates were counted in the same filter. */
	for (i = 0; i < HALF - DUPLICATES; i++)
		if (!ksm_filter_may_match(ksm_short(probe_of(i))))
			break;
	KUNIT_EXPECT_EQ(test, i, HALF - DUPLICATES);
	clear();
}

/* The chains of the stable tree are counted, too. */
static void recount_chains(struct kunit *test)
{
	struct ksm_key key = { .probe = probe_of(1), .digest = 1 };
	struct ksm_stable_node node = { };
	struct ksm_chain *chain;

	guard(mutex)(&ksm_scan_mutex);
	memset(slots, 0, sizeof(slots));
	slots[0].mm = &mm;
	ksm_track_set(&slots[0], word_of(0),
		      ksm_state_quiet(0, ksm_short(key.probe)));
	KUNIT_EXPECT_EQ(test, batches(test, 0), 1);
	KUNIT_EXPECT_FALSE(test, ksm_filter_may_match(ksm_short(key.probe)));
	chain = ksm_chain_alloc(&key);
	KUNIT_EXPECT_NOT_NULL(test, chain);
	ksm_stable_link(&node, chain);
	ksm_recount_drop();
	KUNIT_EXPECT_EQ(test, batches(test, 0), 1);
	KUNIT_EXPECT_TRUE(test, ksm_filter_may_match(ksm_short(key.probe)));
	ksm_stable_unlink(&node);
	clear();
}

/* Failed allocations are repeated, but not in each batch. */
static void recount_without_memory(struct kunit *test)
{
	unsigned long asked;
	unsigned int i;

	guard(mutex)(&ksm_scan_mutex);
	fill(test);
	shim_alloc_budget = 0;
	asked = shim_alloc_failures;
	for (i = 0; i < 1000; i++)
		KUNIT_EXPECT_TRUE(test, ksm_recount());
	KUNIT_EXPECT_EQ(test, shim_alloc_failures - asked, 1);
	/* An hour of batches: at most once a minute in the end */
	for (i = 0; i < 3600; i++) {
		jiffies += HZ;
		KUNIT_EXPECT_TRUE(test, ksm_recount());
	}
	KUNIT_EXPECT_LT(test, shim_alloc_failures - asked, 70);
	KUNIT_EXPECT_GT(test, shim_alloc_failures - asked, 50);
	shim_alloc_budget = -1;
	jiffies += 65 * HZ;
	KUNIT_EXPECT_EQ(test, batches(test, 0), 1);
	KUNIT_EXPECT_GT(test, ksm_filter_bytes(), 0);
	expect_none_hidden(test);
	clear();
}

static struct kunit_case recount_cases[] = {
	KUNIT_CASE(recount_in_pieces),
	KUNIT_CASE(recount_begins_again),
	KUNIT_CASE(recount_chains),
	KUNIT_CASE(recount_without_memory),
	{}
};

static struct kunit_suite recount_suite = {
	.name = "ksm_recount",
	.init = ksm_test_begin,
	.exit = ksm_test_end,
	.test_cases = recount_cases,
};

kunit_test_suite(recount_suite);
