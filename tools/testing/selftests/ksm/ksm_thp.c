// SPDX-License-Identifier: GPL-2.0
/*
 * Huge pages under ksmd, and khugepaged over merged pages.
 *
 * A huge page is split when one of its pages has a duplicate, and only then.
 * When merged pages are collapsed into a huge page, the counters follow.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/pipe.h"
#include "lib/thp.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

#define SEED	8000

static size_t huge;		/* bytes of a huge page */
static size_t nr;		/* pages in one */

static char *map_huge(size_t n, uint64_t seed)
{
	char *map = ksys_map_thp(n, seed, 1);

	if (!map)
		ksm_skip("no huge pages to be had right now");
	return map;
}

static void check_huge(const char *map, size_t n)
{
	CHECK_EQ(ksys_thp_kb(map), n * huge / 1024);
}

static void test_unmatched(void)
{
	char *map = map_huge(2, SEED);

	ksm_mergeable(map, 2 * nr);
	ksm_scan(4);
	check_huge(map, 2);
	CHECK(ksm_counts_are(0, 0, 2 * nr, 0));
	CHECK(ksm_contents_ok(map, 2 * nr, SEED, 1));
	/* Written to, quiet again: still nothing to be gained. */
	ksm_page_fill(ksys_page(map, 17), 99000);
	ksm_scan(4);
	check_huge(map, 2);
	CHECK(ksm_page_ok(ksys_page(map, 17), 99000));
	CHECK(ksm_contents_ok(map, 17, SEED, 1));
	CHECK(ksm_contents_ok(ksys_page(map, 18), 2 * nr - 18, SEED + 18, 1));
}

/* Large folios that ksmd has split, of this process and of all */
static void check_split(long before, long n)
{
	struct ksm_stat st;

	CHECK(!ksm_stat(0, &st));
	CHECK_EQ(st.thp_split, n);
	CHECK_EQ(ksm_get("thp_split") - before, n);
}

/* One duplicate in two huge pages of which there are three. */
static void test_one_match(void)
{
	long before = ksm_get("thp_split"), kept = ksm_get("thp_kept");
	const size_t i = 100, k = nr + 300;
	char *map = map_huge(3, SEED);

	CHECK(k != 2 * nr);
	ksm_page_fill(ksys_page(map, i), 4711);
	ksm_page_fill(ksys_page(map, k), 4711);
	check_huge(map, 3);
	ksm_mergeable(map, 3 * nr);
	ksm_scan(3);
	CHECK(ksm_counts_are(1, 1, 3 * nr - 2, 0));
	CHECK(ksm_pfn(0, ksys_page(map, i)) == ksm_pfn(0, ksys_page(map, k)));
	/* The third one has no part in it. */
	check_huge(map, 1);
	check_split(before, 2);
	CHECK_EQ(ksm_get("thp_kept"), kept);
	CHECK_EQ(ksm_smaps_kb(map), 2 * ksm_page_size() / 1024);
	CHECK(ksm_contents_ok(map, i, SEED, 1));
	CHECK(ksm_page_ok(ksys_page(map, i), 4711));
	CHECK(ksm_page_ok(ksys_page(map, k), 4711));
	CHECK(ksm_contents_ok(ksys_page(map, i + 1), k - i - 1, SEED + i + 1,
			      1));
	CHECK(ksm_contents_ok(ksys_page(map, k + 1), 3 * nr - k - 1,
			      SEED + k + 1, 1));
}

/* A huge page with extra references cannot be split until they are dropped. */
static void test_held(void)
{
	long before = ksm_get("thp_split"), kept = ksm_get("thp_kept");
	char *map = map_huge(1, SEED), *small;
	int fd[2];

	ksys_pipe_hold(fd, map, 1);
	ksm_mergeable(map, nr);
	small = ksm_map_merge(1, SEED + 9, 1);
	ksm_scan(4);
	CHECK_EQ(ksm_get("pages_shared"), 0);
	CHECK_EQ(ksm_get("pages_sharing"), 0);
	/* What was to be merged may have to wait, and is volatile then. */
	CHECK_EQ(ksm_get("pages_unshared") + ksm_get("pages_volatile"), nr + 1);
	check_huge(map, 1);
	check_split(before, 0);
	CHECK(ksm_get("thp_kept") > kept);
	CHECK(ksys_pipe_ok(fd, 1, SEED));
	ksys_pipe_close(fd);
	kept = ksm_get("thp_kept");
	ksm_page_fill(small, SEED + 9);
	CHECK(ksm_scan_until(1, 1, nr - 1));
	check_huge(map, 0);
	check_split(before, 1);
	CHECK_EQ(ksm_get("thp_kept"), kept);
	CHECK(ksm_pfn(0, ksys_page(map, 9)) == ksm_pfn(0, small));
	CHECK(ksm_contents_ok(map, nr, SEED, 1));
}

static size_t count_zero_pages(const char *map)
{
	size_t i, n = 0;

	for (i = 0; i < nr; i++)
		n += !!(ksm_kpageflags(ksm_pfn(0, ksys_page(map, i))) &
			KSM_KPF_ZERO_PAGE);
	return n;
}

/* A huge page whose first quarter has contents, the rest being empty */
static char *map_mostly_empty(void)
{
	char *map = map_huge(1, SEED);

	memset(ksys_page(map, nr / 4), 0, huge - huge / 4);
	check_huge(map, 1);
	return map;
}

static bool mostly_empty_ok(const char *map)
{
	size_t i;

	for (i = huge / 4; i < huge; i++)
		if (KSM_READ(map[i]))
			return false;
	return ksm_contents_ok(map, nr / 4, SEED, 1);
}

/* Empty pages of a huge page that is split are merged like any others. */
static void test_empty_pages(void)
{
	char *map = map_mostly_empty();
	size_t empty = nr - nr / 4;

	ksm_mergeable(map, nr);
	ksm_map_merge(1, SEED + 9, 1);
	ksm_set("max_page_sharing", nr);
	CHECK(ksm_scan_until(2, empty, nr / 4 - 1));
	CHECK_EQ(count_zero_pages(map), 0);
	CHECK_EQ(ksm_get("ksm_zero_pages"), 0);
	CHECK(mostly_empty_ok(map));
	CHECK(!madvise(map, huge, MADV_UNMERGEABLE));
	CHECK_EQ(ksm_count_pfns(map, nr), nr);
	CHECK(mostly_empty_ok(map));
}

static void test_empty_to_zero_page(void)
{
	char *map = map_mostly_empty();
	size_t empty = nr - nr / 4;

	ksm_set("use_zero_pages", 1);
	ksm_mergeable(map, nr);
	ksm_map_merge(1, SEED + 9, 1);
	CHECK(ksm_scan_until(1, 1, nr / 4 - 1));
	CHECK_EQ(count_zero_pages(map), empty);
	CHECK_EQ(ksm_get("ksm_zero_pages"), empty);
	CHECK(mostly_empty_ok(map));
	CHECK(!madvise(map, huge, MADV_UNMERGEABLE));
	CHECK_EQ(ksm_get("ksm_zero_pages"), 0);
	CHECK_EQ(ksm_count_pfns(map, nr), nr);
	CHECK(mostly_empty_ok(map));
}

/* The pair is in one and the same huge page. */
static void test_inner_match(void)
{
	char *map = map_huge(1, SEED);

	ksm_page_fill(ksys_page(map, 7), SEED + 400);
	check_huge(map, 1);
	ksm_mergeable(map, nr);
	CHECK(ksm_scan_until(1, 1, nr - 2));
	check_huge(map, 0);
	CHECK(ksm_pfn(0, ksys_page(map, 7)) == ksm_pfn(0, ksys_page(map, 400)));
	CHECK(ksm_contents_ok(map, 7, SEED, 1));
	CHECK(ksm_page_ok(ksys_page(map, 7), SEED + 400));
	CHECK(ksm_contents_ok(ksys_page(map, 8), nr - 8, SEED + 8, 1));
}

/*
 * Every page of it is like every other, as after memset().  What is compared
 * and merged is one folio with itself.
 */
static void one_pattern(long limit)
{
	long shared = (nr + limit - 1) / limit;
	char *map = map_huge(1, SEED);
	size_t i;

	memset(map, 0x5a, huge);
	check_huge(map, 1);
	ksm_set("max_page_sharing", limit);
	ksm_mergeable(map, nr);
	CHECK(ksm_scan_until(shared, nr - shared, 0));
	check_huge(map, 0);
	CHECK_EQ(ksm_count_pfns(map, nr), shared);
	CHECK_EQ(ksm_smaps_kb(map), huge / 1024);
	CHECK_EQ(ksm_merging_pages(0), nr);
	for (i = 0; i < huge; i++)
		CHECK_EQ(KSM_READ(map[i]), 0x5a);
	/* A write unshares. */
	ksm_page_fill(ksys_page(map, 77), 4711);
	CHECK(ksm_page_ok(ksys_page(map, 77), 4711));
	for (i = 0; i < huge; i++)
		if (i / ksm_page_size() != 77)
			CHECK_EQ(KSM_READ(map[i]), 0x5a);
}

static void test_one_pattern(void)
{
	one_pattern(nr);
}

static void test_one_pattern_limited(void)
{
	one_pattern(nr / 4);
}

/* An existing small page finds its duplicate in a huge page. */
static void test_small_and_huge(void)
{
	char *map, *small;

	small = ksm_map_merge(2, SEED + 33, 0);
	ksm_scan(2);
	CHECK(ksm_counts_are(1, 1, 0, 0));
	map = map_huge(1, SEED);
	ksm_mergeable(map, nr);
	ksm_scan(3);
	CHECK(ksm_counts_are(1, 2, nr - 1, 0));
	CHECK(ksm_pfn(0, small) == ksm_pfn(0, ksys_page(map, 33)));
	check_huge(map, 0);
	CHECK(ksm_contents_ok(map, nr, SEED, 1));
	CHECK(ksm_contents_ok(small, 2, SEED + 33, 0));
	ksm_page_fill(ksys_page(map, 33), 1);
	CHECK(ksm_contents_ok(small, 2, SEED + 33, 0));
}

/* Two huge pages of the same content merge as a whole. */
static void test_all_match(void)
{
	char *a = map_huge(1, SEED), *b = map_huge(1, SEED);

	ksm_mergeable(a, nr);
	ksm_mergeable(b, nr);
	CHECK(ksm_scan_until(nr, nr, 0));
	CHECK(ksm_same_pages(a, b, nr));
	check_huge(a, 0);
	check_huge(b, 0);
	CHECK(ksm_contents_ok(a, nr, SEED, 1));
	CHECK(ksm_contents_ok(b, nr, SEED, 1));
	ksm_fill(a, nr, 90000, 1);
	CHECK(ksm_contents_ok(b, nr, SEED, 1));
	CHECK(ksm_contents_ok(a, nr, 90000, 1));
}

static int holder(struct ksm_child *c, void *arg)
{
	while (ksm_hear(c) == 'c')
		ksm_say(c, ksm_contents_ok(arg, nr, SEED, 1) ? 'y' : 'n');
	return 0;
}

/* Mapped by two processes: split for both of them. */
static void test_forked(void)
{
	struct ksm_child c;
	char *map, *small;

	map = map_huge(1, SEED);
	ksm_mergeable(map, nr);
	ksm_child_start(&c, holder, map);
	ksm_scan(3);
	check_huge(map, 1);
	small = ksm_map_merge(3, SEED + 11, 0);
	ksm_scan(4);
	CHECK_EQ(ksm_get("pages_shared"), 1);
	CHECK_EQ(ksm_get("pages_sharing"), 4);
	check_huge(map, 0);
	CHECK(ksm_pfn(0, ksys_page(map, 11)) == ksm_pfn(0, small));
	CHECK(ksm_pfn(c.pid, ksys_page(map, 11)) == ksm_pfn(0, small));
	CHECK(ksm_contents_ok(map, nr, SEED, 1));
	CHECK(ksm_ask(&c, 'c'));
	ksm_page_fill(ksys_page(map, 11), 5);
	CHECK(ksm_ask(&c, 'c'));
	CHECK(ksm_contents_ok(small, 3, SEED + 11, 0));
	CHECK_EQ(ksm_child_end(&c), 0);
}

/* Memory where a huge page can be, mapped by small ones. */
static char *map_small(uint64_t seed, bool zero)
{
	char *map = map_huge(1, seed);

	/* Taken away and filled again without the advice. */
	CHECK(!madvise(map, huge, MADV_DONTNEED));
	CHECK(!madvise(map, huge, MADV_NOHUGEPAGE));
	if (zero) {
		memset(map, 1, huge);
		memset(map, 0, huge);
	} else {
		ksm_fill(map, nr, seed, 1);
	}
	check_huge(map, 0);
	CHECK(!madvise(map, huge, MADV_HUGEPAGE));
	return map;
}

/* The kernel does this only where at least one page can be written to. */
static void collapse(char *map)
{
	int err = madvise(map, huge, MADV_COLLAPSE) ? errno : 0;

	if (err == EINVAL)
		ksm_skip("kernel without MADV_COLLAPSE");
	ksm_check(!err, "MADV_COLLAPSE: %s\n", strerror(err));
	check_huge(map, 1);
}

static void test_collapse_merged(void)
{
	char *map, *other;

	map = map_small(SEED, false);
	ksm_mergeable(map, nr);
	other = ksm_map_merge(nr - 1, SEED, 1);
	ksm_scan(2);
	CHECK(ksm_counts_are(nr - 1, nr - 1, 1, 0));
	CHECK(ksm_same_pages(map, other, nr - 1));
	/* The last page has no duplicate; ksmd made it clean, not read-only. */
	collapse(map);
	CHECK_EQ(ksm_smaps_kb(map), 0);
	CHECK(ksm_contents_ok(map, nr, SEED, 1));
	CHECK(ksm_contents_ok(other, nr - 1, SEED, 1));
	/* Without a match it stays whole, and counts are right. */
	ksm_unmap(other, nr - 1);
	ksm_scan(3);
	CHECK(ksm_counts_are(0, 0, nr, 0));
	check_huge(map, 1);
	CHECK(ksm_contents_ok(map, nr, SEED, 1));
	/* A new match makes it merge again. */
	other = ksm_map_merge(nr, SEED, 1);
	CHECK(ksm_scan_until(nr, nr, 0));
	CHECK(ksm_same_pages(map, other, nr));
	CHECK(ksm_contents_ok(map, nr, SEED, 1));
	CHECK(ksm_contents_ok(other, nr, SEED, 1));
}

static void test_collapse_zero(void)
{
	struct ksm_stat st;
	char *map;
	size_t i;

	ksm_set("use_zero_pages", 1);
	map = map_small(SEED, true);
	ksm_mergeable(map, nr);
	ksm_scan(2);
	CHECK_EQ(ksm_get("ksm_zero_pages"), nr);
	/* One page of it is not empty. */
	map[3] = 3;
	CHECK_EQ(ksm_get("ksm_zero_pages"), nr - 1);
	collapse(map);
	CHECK_EQ(ksm_get("ksm_zero_pages"), 0);
	CHECK(!ksm_stat(0, &st));
	CHECK_EQ(st.zero_pages, 0);
	for (i = 0; i < huge; i++)
		CHECK_EQ(map[i], i == 3 ? 3 : 0);
	CHECK_EQ(ksm_unmerge_all(), 0);
	CHECK_EQ(ksm_get("ksm_zero_pages"), 0);
	for (i = 0; i < huge; i++)
		CHECK_EQ(map[i], i == 3 ? 3 : 0);
}

static bool is_huge(void *arg)
{
	return ksys_thp_kb(arg) == huge / 1024;
}

/* The daemon itself, which counts KSM pages as shared ones. */
static void test_khugepaged(void)
{
	const char *why;
	char *map, *other;
	size_t i;

	why = ksys_thp_set("khugepaged/scan_sleep_millisecs", "10");
	if (!why)
		why = ksys_thp_set("khugepaged/alloc_sleep_millisecs", "10");
	if (!why)
		why = ksys_thp_set("khugepaged/pages_to_scan", "4096");
	if (!why)
		why = ksys_thp_set("khugepaged/max_ptes_shared", "511");
	if (why)
		ksm_skip("%s", why);
	map = map_small(SEED, false);
	ksm_mergeable(map, nr);
	other = ksm_map_merge(nr / 2, SEED, 1);
	/* Collapse needs pages that were used of late. */
	ksm_scan(2);
	for (i = 0; i < 50; i++) {
		CHECK(ksm_contents_ok(map, nr, SEED, 1));
		if (ksm_poll(is_huge, map, 500))
			break;
	}
	ksys_thp_restore();
	check_huge(map, 1);
	CHECK(ksm_contents_ok(map, nr, SEED, 1));
	CHECK(ksm_contents_ok(other, nr / 2, SEED, 1));
	ksm_unmap(other, nr / 2);
	ksm_scan(3);
	CHECK(ksm_counts_are(0, 0, nr, 0));
	CHECK(ksm_contents_ok(map, nr, SEED, 1));
}

static int writer(struct ksm_child *c, void *arg)
{
	uint64_t end = ksm_now_ms() + ksys_budget_ms(), round = 0;
	char *map = arg;
	size_t i;

	do {
		i = round * 37 % nr;
		ksm_page_fill(ksys_page(map, i), 50000 + round);
		if (!ksm_page_ok(ksys_page(map, i), 50000 + round))
			return 1;
		ksm_page_fill(ksys_page(map, i), SEED + i);
		round++;
		if (round % 128 == 0 && !ksm_contents_ok(map, nr, SEED, 1))
			return 1;
	} while (ksm_now_ms() < end);
	return ksm_contents_ok(map, nr, SEED, 1) ? 0 : 1;
}

/* Collapsed and split again and again while ksmd runs and others write. */
static void test_all_at_once(void)
{
	uint64_t end = ksm_now_ms() + ksys_budget_ms();
	int rounds = 0, collapsed = 0;
	struct ksm_child c;
	char *map, *other;

	map = map_small(SEED, false);
	ksm_mergeable(map, nr);
	other = ksm_map_merge(nr, SEED, 1);
	ksm_run();
	ksm_child_start(&c, writer, map);
	do {
		/* Its own since the fork, and still what it was. */
		ksm_page_fill(ksys_page(map, rounds % nr),
			      SEED + rounds % nr);
		collapsed += !madvise(map, huge, MADV_COLLAPSE);
		CHECK(ksm_contents_ok(map, nr, SEED, 1));
		rounds++;
	} while (ksm_now_ms() < end);
	CHECK_EQ(ksm_child_wait(&c), 0);
	ksm_stop();
	CHECK(ksm_scan_until(nr, nr, 0));
	CHECK(ksm_contents_ok(map, nr, SEED, 1));
	CHECK(ksm_contents_ok(other, nr, SEED, 1));
	ksft_print_msg("%d of %d times collapsed\n", collapsed, rounds);
}

static const struct ksm_case cases[] = {
	{ "without a match it stays whole", test_unmatched },
	{ "one match splits two of three", test_one_match },
	{ "a match, but extra references", test_held },
	{ "empty pages of a split page", test_empty_pages },
	{ "the same with use_zero_pages", test_empty_to_zero_page },
	{ "a match within one huge page", test_inner_match },
	{ "one pattern throughout", test_one_pattern },
	{ "one pattern throughout, max_page_sharing",
	  test_one_pattern_limited },
	{ "a small page and a huge page", test_small_and_huge },
	{ "two equal huge pages", test_all_match },
	{ "a huge page of two processes", test_forked },
	{ "MADV_COLLAPSE of merged pages", test_collapse_merged },
	{ "MADV_COLLAPSE of zero pages", test_collapse_zero },
	{ "khugepaged", test_khugepaged },
	{ "collapse, ksmd and a writer at once", test_all_at_once },
};

int main(void)
{
	const char *why;

	ksft_print_header();
	ksm_setup();
	huge = ksys_thp_size();
	nr = huge / ksm_page_size();
	if (!huge)
		ksm_skip_all("kernel without CONFIG_TRANSPARENT_HUGEPAGE");
	why = ksys_thp_set("enabled", "madvise");
	if (!why)
		why = ksys_thp_set("defrag", "madvise");
	if (why)
		ksm_skip_all("%s", why);
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
