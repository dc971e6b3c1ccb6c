// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pages may be merged: all, or those of one domain and NUMA node.
 */
#include <linux/mmzone.h>

#include "testing.h"

/* Most pages have this scope, which leaves their probes as they are. */
static void domain_global(struct kunit *test)
{
	struct ksm_scope first = { .domain = KSM_DOMAIN_GLOBAL, .nid = 0 };

	KUNIT_EXPECT_EQ(test, ksm_scope_mix(first), 0);
	KUNIT_EXPECT_EQ(test, ksm_scope_zero_probe(first),
			ksm_probe_of_zeroes());
}

static void domain_scopes_differ(struct kunit *test)
{
	int a, b;

	for (a = 0; a < 64; a++)
		for (b = 0; b < a; b++) {
			struct ksm_scope one = { a / 8, a % 8 };
			struct ksm_scope other = { b / 8, b % 8 };
			u64 mixed = ksm_scope_mix(one) ^ ksm_scope_mix(other);

			KUNIT_EXPECT_FALSE(test, ksm_scope_same(one, other));
			/* The state word has only the upper half. */
			KUNIT_EXPECT_NE(test, ksm_short(mixed), 0);
		}
}

static void domain_of_page(struct kunit *test)
{
	unsigned long pfn = page_to_pfn(ZERO_PAGE(0));

	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_TRUE(test, ksm_merge_across_nodes);
	KUNIT_EXPECT_EQ(test, ksm_scope_in(3, pfn).nid, 0);
	KUNIT_EXPECT_EQ(test, ksm_scope_in(3, pfn).domain, 3);
	ksm_merge_across_nodes = false;
	KUNIT_EXPECT_EQ(test, ksm_scope_in(3, pfn).nid, pfn_to_nid(pfn));
	KUNIT_EXPECT_EQ(test, ksm_scope_in(3, pfn).domain, 3);
	ksm_merge_across_nodes = true;
	KUNIT_EXPECT_EQ(test, ksm_scope_in(3, pfn).nid, 0);
}

static struct kunit_case domain_cases[] = {
	KUNIT_CASE(domain_global),
	KUNIT_CASE(domain_scopes_differ),
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
