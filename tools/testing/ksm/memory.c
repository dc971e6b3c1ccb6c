// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failed allocations cost merges, and nothing else.
 */
#include <linux/vmalloc.h>

#include "testing.h"

static void memory_filter(struct kunit *test)
{
	unsigned long bytes;

	guard(mutex)(&ksm_scan_mutex);
	shim_alloc_budget = 0;
	KUNIT_EXPECT_FALSE(test, ksm_filter_resize(1));
	KUNIT_EXPECT_EQ(test, ksm_filter_bytes(), 0);
	KUNIT_EXPECT_TRUE(test, ksm_filter_wants_resize(1));
	ksm_filter_add(1);
	KUNIT_EXPECT_TRUE(test, ksm_filter_may_match(1));
	ksm_filter_remove(1);

	/* A filter that cannot grow keeps its counters. */
	shim_alloc_budget = -1;
	KUNIT_EXPECT_TRUE(test, ksm_filter_resize(1));
	bytes = ksm_filter_bytes();
	ksm_filter_add(1);
	ksm_filter_add(2);
	ksm_filter_add(2);
	shim_alloc_budget = 0;
	KUNIT_EXPECT_FALSE(test, ksm_filter_resize(1000000));
	KUNIT_EXPECT_EQ(test, ksm_filter_bytes(), bytes);
	KUNIT_EXPECT_FALSE(test, ksm_filter_may_match(1));
	KUNIT_EXPECT_TRUE(test, ksm_filter_may_match(2));
	shim_alloc_budget = -1;
	ksm_filter_free();
	KUNIT_EXPECT_EQ(test, shim_objects, 0);
}

static void memory_track(struct kunit *test)
{
	unsigned long bytes = ksm_counters.bytes;
	struct mm_struct mm = { };
	struct ksm_slot slot = { .mm = &mm };

	guard(mutex)(&ksm_scan_mutex);
	/* No table, then a table and no chunk */
	for (shim_alloc_budget = 0; shim_alloc_budget < 2;) {
		long budget = shim_alloc_budget;

		KUNIT_EXPECT_NULL(test, ksm_track_chunk(&slot, 0, true));
		KUNIT_EXPECT_EQ(test, slot.bytes, 0);
		KUNIT_EXPECT_EQ(test, ksm_counters.bytes, bytes);
		KUNIT_EXPECT_EQ(test, shim_objects, 0);
		KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&slot.tables));
		shim_alloc_budget = budget + 1;
	}
	shim_alloc_budget = 0;
	KUNIT_EXPECT_NULL(test, ksm_item_alloc(&slot, 0));
	KUNIT_EXPECT_EQ(test, slot.bytes, 0);
	KUNIT_EXPECT_EQ(test, ksm_counters.bytes, bytes);
	shim_alloc_budget = -1;
}

static void memory_chain(struct kunit *test)
{
	struct ksm_key key = { 1, 2 };

	guard(mutex)(&ksm_scan_mutex);
	shim_alloc_budget = 0;
	KUNIT_EXPECT_NULL(test, ksm_chain_alloc(&key));
	shim_alloc_budget = -1;
}

static struct kunit_case memory_cases[] = {
	KUNIT_CASE(memory_filter),
	KUNIT_CASE(memory_track),
	KUNIT_CASE(memory_chain),
	{}
};

static struct kunit_suite memory_suite = {
	.name = "ksm_memory",
	.init = ksm_test_begin,
	.exit = ksm_test_end,
	.test_cases = memory_cases,
};

kunit_test_suite(memory_suite);
