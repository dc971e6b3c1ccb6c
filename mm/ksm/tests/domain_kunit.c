// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pages may meet: all, or those of one NUMA node.
 */
#include <linux/mmzone.h>

#include "testing.h"

static void domain_global(struct kunit *test)
{
	struct mm_struct *a, *b;

	a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);
	b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	/* The mm makes no difference. */
	KUNIT_EXPECT_EQ(test, ksm_scope(a, 0), ksm_scope(b, 0));
	KUNIT_EXPECT_EQ(test, ksm_scope(a, 7), ksm_scope(b, 7));
	/* And the first node leaves the probe as it is. */
	KUNIT_EXPECT_EQ(test, ksm_scope(a, 0), 0);
}

static void domain_nodes_differ(struct kunit *test)
{
	struct mm_struct *mm = kunit_kzalloc(test, sizeof(*mm), GFP_KERNEL);
	int a, b;

	KUNIT_ASSERT_NOT_NULL(test, mm);
	for (a = 0; a < 64; a++)
		for (b = 0; b < a; b++) {
			u64 mixed = ksm_scope(mm, a) ^ ksm_scope(mm, b);

			/* The state word sees only the upper half. */
			KUNIT_EXPECT_NE(test, ksm_short(mixed), 0);
		}
}

static void domain_of_page(struct kunit *test)
{
	unsigned long pfn = page_to_pfn(ZERO_PAGE(0));

	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_TRUE(test, ksm_merge_across_nodes);
	KUNIT_EXPECT_EQ(test, ksm_page_nid(pfn), 0);
	ksm_merge_across_nodes = false;
	KUNIT_EXPECT_EQ(test, ksm_page_nid(pfn), pfn_to_nid(pfn));
	ksm_merge_across_nodes = true;
	KUNIT_EXPECT_EQ(test, ksm_page_nid(pfn), 0);
}

static struct kunit_case domain_cases[] = {
	KUNIT_CASE(domain_global),
	KUNIT_CASE(domain_nodes_differ),
	KUNIT_CASE(domain_of_page),
	{}
};

static struct kunit_suite domain_suite = {
	.name = "ksm_domain",
	.init = ksm_test_begin,
	.exit = ksm_test_end,
	.test_cases = domain_cases,
};

kunit_test_suite(domain_suite);
