// SPDX-License-Identifier: GPL-2.0
/*
 * Merging: exactly the equal pages are merged, and counted exactly.
 */
#include <stdlib.h>
#include <string.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/random.h"

/* Slow enough that not many passes happen unseen: the second one counts. */
static void paced_scan(unsigned int n)
{
	ksm_set("sleep_millisecs", 10);
	ksm_set("pages_to_scan", 1000000);
	ksm_scan(n);
}

/* 100 equal pages, five pairs, 40 unique ones */
static void exact_counts(void)
{
	char *many = ksm_map_merge(100, 1, 0), *a = ksm_map_merge(5, 10, 1);
	char *b = ksm_map_merge(5, 10, 1), *single = ksm_map_merge(40, 50, 1);

	paced_scan(2);
	CHECK(ksm_counts_are(6, 104, 40, 0));
	CHECK(ksm_merging_pages(0) == 110);
	CHECK(ksm_count_merged(many, 100) == 100);
	CHECK(ksm_count_pfns(many, 100) == 1);
	CHECK(ksm_count_merged(a, 5) == 5 && ksm_count_pfns(a, 5) == 5);
	CHECK(ksm_count_merged(single, 40) == 0);
	/* They stay exact, however many passes follow. */
	ksm_scan(3);
	CHECK(ksm_counts_are(6, 104, 40, 0));
	ksm_scan(20);
	CHECK(ksm_counts_are(6, 104, 40, 0));
	CHECK(ksm_contents_ok(many, 100, 1, 0));
	CHECK(ksm_contents_ok(a, 5, 10, 1) && ksm_contents_ok(b, 5, 10, 1));
	CHECK(ksm_contents_ok(single, 40, 50, 1));
}

static void test_exact_counts(void)
{
	ksm_set("smart_scan", 0);
	exact_counts();
}

static void test_exact_counts_smart(void)
{
	exact_counts();
}

/* Any mixture: pages of a region, how often each content occurs in it. */
static void random_mixture(bool smart)
{
	const size_t n = 1500, contents = 600;
	__u64 rnd = ksm_random_seed();
	long shared = 0, sharing = 0, unshared = 0;
	unsigned int *count = calloc(contents, sizeof(*count));
	unsigned int *which = calloc(n, sizeof(*which));
	char *map = ksm_map(n);
	size_t i;

	ksm_set("smart_scan", smart);
	ksm_mergeable(map, n);
	for (i = 0; i < n; i++) {
		__u64 r = ksm_random(&rnd);

		/* A few contents are common, most are rare. */
		which[i] = r % 4 ? r / 4 % contents : r / 4 % 5;
		count[which[i]]++;
		ksm_page_fill(map + i * ps(), 5000 + which[i]);
	}
	for (i = 0; i < contents; i++) {
		shared += count[i] > 1;
		sharing += count[i] > 1 ? count[i] - 1 : 0;
		unshared += count[i] == 1;
	}
	paced_scan(2);
	CHECK(ksm_counts_are(shared, sharing, unshared, 0));
	for (i = 0; i < n; i++) {
		CHECK(ksm_is_merged(map + i * ps()) == (count[which[i]] > 1));
		CHECK(ksm_contents_ok(map + i * ps(), 1, 5000 + which[i], 0));
	}
}

static void test_random_mixture(void)
{
	random_mixture(false);
}

static void test_random_mixture_smart(void)
{
	random_mixture(true);
}

/* Pages that come later join what is merged, one by one and in numbers. */
static void test_late(void)
{
	char *first = ksm_map_merge(20, 1, 0), *later, *dup;

	ksm_set("smart_scan", 0);
	paced_scan(2);
	CHECK(ksm_counts_are(1, 19, 0, 0));
	later = ksm_map_merge(1, 1, 0);
	paced_scan(2);
	CHECK(ksm_counts_are(1, 20, 0, 0));
	CHECK(ksm_pfn(0, later) == ksm_pfn(0, first));
	/* A unique page waits for a duplicate, however long that takes. */
	ksm_map_merge(1, 2, 0);
	paced_scan(4);
	CHECK(ksm_counts_are(1, 20, 1, 0));
	dup = ksm_map_merge(1, 2, 0);
	paced_scan(2);
	CHECK(ksm_counts_are(2, 21, 0, 0));
	CHECK(ksm_contents_ok(dup, 1, 2, 0));
	CHECK(ksm_contents_ok(first, 20, 1, 0));
}

/* The same with smart_scan, which skips unchanged pages */
static void test_late_smart(void)
{
	char *others = ksm_map_merge(300, 100, 1), *dup;
	char *one = ksm_map_merge(1, 3, 0);

	paced_scan(12);
	CHECK(ksm_counts_are(0, 0, 301, 0));
	/* The old page was skipped for long; the new one finds it. */
	dup = ksm_map_merge(1, 3, 0);
	paced_scan(2);
	CHECK(ksm_counts_are(1, 1, 300, 0));
	CHECK(ksm_pfn(0, one) == ksm_pfn(0, dup));
	CHECK(ksm_contents_ok(one, 1, 3, 0) && ksm_contents_ok(dup, 1, 3, 0));
	CHECK(ksm_contents_ok(others, 300, 100, 1));
}

/* Writing all sharers: one more full scan, and nothing is merged. */
static void test_cow_back(void)
{
	const size_t n = 200;
	char *map = ksm_map_merge(n, 1, 0);
	size_t i;

	ksm_set("smart_scan", 0);
	ksm_scan(2);
	CHECK(ksm_counts_are(1, n - 1, 0, 0));
	for (i = 0; i < n; i++) {
		map[i * ps() + i * 7 % ps()] ^= i + 1;
		CHECK(ksm_count_merged(map + i * ps(), 1) == 0);
	}
	ksm_scan(1);
	CHECK(ksm_get("pages_shared") == 0 && ksm_get("pages_sharing") == 0);
	CHECK(ksm_merging_pages(0) == 0);
	for (i = 0; i < n; i++) {
		map[i * ps() + i * 7 % ps()] ^= i + 1;
		CHECK(ksm_contents_ok(map + i * ps(), 1, 1, 0));
	}
	ksm_scan(2);
	CHECK(ksm_counts_are(1, n - 1, 0, 0));
	CHECK(ksm_contents_ok(map, n, 1, 0));
}

/*
 * Every byte counts: pages that are equal but for one byte, a different one
 * for each page.
 */
static void test_one_byte(void)
{
	const size_t n = ps() + 1;
	char *map = ksm_map(n);
	size_t i;

	ksm_set("smart_scan", 0);
	ksm_fill(map, n, 1, 0);
	for (i = 0; i + 1 < n; i++)
		map[i * ps() + i] ^= 0x10;
	ksm_mergeable(map, n);
	ksm_scan(3);
	CHECK(ksm_counts_are(0, 0, n, 0));
	CHECK(ksm_count_merged(map, n) == 0);
	for (i = 0; i + 1 < n; i++)
		map[i * ps() + i] ^= 0x10;
	CHECK(ksm_contents_ok(map, n, 1, 0));
	/* Now they are equal. */
	ksm_set("max_page_sharing", n);
	ksm_scan(2);
	CHECK(ksm_counts_are(1, n - 1, 0, 0));
	CHECK(ksm_contents_ok(map, n, 1, 0));
	/* And unequal once more, by their last bit. */
	for (i = 0; i < n; i += 2)
		map[i * ps() + ps() - 1] ^= 1;
	ksm_scan(2);
	CHECK(ksm_counts_are(2, n - 2, 0, 0));
	for (i = 0; i < n; i += 2)
		map[i * ps() + ps() - 1] ^= 1;
	CHECK(ksm_contents_ok(map, n, 1, 0));
}

/* Pages with little in them: one byte, one word, a pattern. */
static void test_sparse_pages(void)
{
	const size_t n = 512;
	char *map = ksm_map(2 * n), *page = malloc(ps());
	size_t i, half;

	ksm_set("smart_scan", 0);
	memset(map, 0, 2 * n * ps());
	for (half = 0; half < 2; half++) {
		for (i = 0; i < n; i++) {
			char *p = map + (half * n + i) * ps();

			p[i * 8 % ps()] = 1 + i * 8 / ps();
		}
	}
	ksm_mergeable(map, 2 * n);
	ksm_scan(2);
	CHECK(ksm_counts_are(n, n, 0, 0));
	for (i = 0; i < 2 * n; i++) {
		memset(page, 0, ps());
		page[i % n * 8 % ps()] = 1 + i % n * 8 / ps();
		CHECK(!memcmp(page, map + i * ps(), ps()));
		CHECK(ksm_pfn(0, map + i * ps()) ==
		      ksm_pfn(0, map + (i + n) % (2 * n) * ps()));
	}
}

static const struct ksm_case cases[] = {
	{ "exact counts by the second full scan", test_exact_counts },
	{ "the same with smart_scan", test_exact_counts_smart },
	{ "a random mixture", test_random_mixture },
	{ "a random mixture with smart_scan", test_random_mixture_smart },
	{ "pages that come later", test_late },
	{ "pages that come later, smart_scan", test_late_smart },
	{ "all sharers written: back to 0/0", test_cow_back },
	{ "pages that differ in one byte", test_one_byte },
	{ "pages that are almost empty", test_sparse_pages },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_ON);
}
