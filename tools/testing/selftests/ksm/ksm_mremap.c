// SPDX-License-Identifier: GPL-2.0
/*
 * mremap() of mergeable and merged memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP	4
#endif

#define PAGES	64

/* A free place of this many pages. */
static char *place(size_t pages)
{
	char *map = ksm_map(pages);

	if (munmap(map, pages * ps()))
		ksm_die("munmap: %s", strerror(errno));
	return map;
}

/*
 * A move takes the pages out of sharing, before it returns; the flag goes
 * along and the next scans merge them again.
 */
static void test_move(void)
{
	char *map = ksm_map_merge(PAGES, 1, 0), *to = place(PAGES), *got;

	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	got = mremap(map, PAGES * ps(), PAGES * ps(),
		     MREMAP_MAYMOVE | MREMAP_FIXED, to);
	CHECK(got == to);
	CHECK(ksm_count_merged(to, PAGES) == 0);
	CHECK(ksm_count_pfns(to, PAGES) == PAGES);
	CHECK(ksm_vma_flag(0, to, "mg"));
	CHECK(ksm_contents_ok(to, PAGES, 1, 0));
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	CHECK(ksm_count_merged(to, PAGES) == PAGES);
	CHECK(ksm_contents_ok(to, PAGES, 1, 0));
}

/* Only a part moves: the rest stays merged. */
static void test_move_part(void)
{
	char *map = ksm_map_merge(PAGES, 2, 0), *to = place(16), *got;

	ksm_scan(3);
	got = mremap(map + 16 * ps(), 16 * ps(), 16 * ps(),
		     MREMAP_MAYMOVE | MREMAP_FIXED, to);
	CHECK(got == to);
	CHECK(ksm_count_merged(to, 16) == 0);
	CHECK(ksm_count_pfns(to, 16) == 16);
	CHECK(ksm_count_merged(map, 16) == 16);
	CHECK(ksm_count_merged(map + 32 * ps(), 32) == 32);
	CHECK(ksm_vma_flag(0, to, "mg") && ksm_vma_flag(0, map, "mg"));
	CHECK(ksm_contents_ok(to, 16, 2, 0));
	CHECK(ksm_contents_ok(map, 16, 2, 0));
	CHECK(ksm_contents_ok(map + 32 * ps(), 32, 2, 0));
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	CHECK(ksm_contents_ok(to, 16, 2, 0));
}

/* A move over something else that is merged. */
static void test_move_over(void)
{
	char *map = ksm_map_merge(PAGES, 3, 0);
	char *over = ksm_map_merge(PAGES, 4, 0);

	ksm_set("smart_scan", 0);
	ksm_scan(3);
	CHECK(ksm_counts_are(2, 2 * PAGES - 2, 0, 0));
	CHECK(mremap(map, PAGES * ps(), PAGES * ps(),
		     MREMAP_MAYMOVE | MREMAP_FIXED, over) == over);
	CHECK(ksm_contents_ok(over, PAGES, 3, 0));
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	CHECK(ksm_contents_ok(over, PAGES, 3, 0));
}

/* Growing in place: old pages stay merged, new ones are mergeable. */
static void test_grow(void)
{
	char *map = place(2 * PAGES);

	CHECK(mmap(map, PAGES * ps(), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == map);
	madvise(map, PAGES * ps(), MADV_NOHUGEPAGE);
	ksm_fill(map, PAGES, 5, 0);
	ksm_mergeable(map, PAGES);
	ksm_scan(3);
	CHECK(mremap(map, PAGES * ps(), 2 * PAGES * ps(), 0) == map);
	CHECK(ksm_count_merged(map, PAGES) == PAGES);
	CHECK(ksm_vma_count(0, map, 2 * PAGES * ps()) == 1);
	ksm_fill(map + PAGES * ps(), PAGES, 5, 0);
	ksm_scan(3);
	CHECK(ksm_counts_are(1, 2 * PAGES - 1, 0, 0));
	CHECK(ksm_contents_ok(map, 2 * PAGES, 5, 0));
}

/* Growing with a move. */
static void test_grow_and_move(void)
{
	char *map = ksm_map_merge(PAGES, 6, 0), *got;

	ksm_scan(3);
	/* The guard behind it leaves no room. */
	got = mremap(map, PAGES * ps(), 3 * PAGES * ps(), MREMAP_MAYMOVE);
	CHECK(got != MAP_FAILED && got != map);
	CHECK(ksm_vma_flag(0, got, "mg"));
	CHECK(ksm_vma_flag(0, got + 2 * PAGES * ps(), "mg"));
	CHECK(ksm_count_pfns(got, PAGES) == PAGES);
	CHECK(ksm_contents_ok(got, PAGES, 6, 0));
	ksm_fill(got + PAGES * ps(), 2 * PAGES, 6, 0);
	ksm_scan(3);
	CHECK(ksm_counts_are(1, 3 * PAGES - 1, 0, 0));
	CHECK(ksm_contents_ok(got, 3 * PAGES, 6, 0));
}

static void test_shrink(void)
{
	char *map = ksm_map_merge(PAGES, 7, 0);

	ksm_scan(3);
	CHECK(mremap(map, PAGES * ps(), PAGES / 4 * ps(), 0) == map);
	CHECK(ksm_count_merged(map, PAGES / 4) == PAGES / 4);
	ksm_scan(2);
	CHECK(ksm_counts_are(1, PAGES / 4 - 1, 0, 0));
	CHECK(ksm_contents_ok(map, PAGES / 4, 7, 0));
}

/* The old place stays mapped, empty and mergeable. */
static void test_dontunmap(void)
{
	char *map = ksm_map_merge(PAGES, 8, 0), *got;
	size_t i;

	ksm_scan(3);
	got = mremap(map, PAGES * ps(), PAGES * ps(),
		     MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	CHECK(got != MAP_FAILED && got != map);
	CHECK(ksm_count_pfns(got, PAGES) == PAGES);
	CHECK(ksm_contents_ok(got, PAGES, 8, 0));
	for (i = 0; i < PAGES * ps(); i++)
		CHECK(!map[i]);
	CHECK(ksm_vma_flag(0, map, "mg") && ksm_vma_flag(0, got, "mg"));
	ksm_fill(map, PAGES, 8, 0);
	ksm_set("smart_scan", 0);
	ksm_scan(3);
	CHECK(ksm_counts_are(1, 2 * PAGES - 1, 0, 0));
	CHECK(ksm_contents_ok(got, PAGES, 8, 0));
	CHECK(ksm_contents_ok(map, PAGES, 8, 0));
}

static void test_zero_pages(void)
{
	char *map = ksm_map(PAGES), *to = place(PAGES);
	size_t i;

	ksm_set("use_zero_pages", 1);
	memset(map, 0, PAGES * ps());
	ksm_mergeable(map, PAGES);
	ksm_scan(3);
	CHECK(ksm_get("ksm_zero_pages") == PAGES);
	CHECK(mremap(map, PAGES * ps(), PAGES * ps(),
		     MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	CHECK(ksm_get("ksm_zero_pages") == 0);
	for (i = 0; i < PAGES * ps(); i++)
		CHECK(!to[i]);
	ksm_scan(3);
	CHECK(ksm_get("ksm_zero_pages") == PAGES);
	CHECK(!munmap(to, PAGES * ps()));
	CHECK(ksm_get("ksm_zero_pages") == 0);
}

/*
 * Pages of other contents at an address ksmd knows, with clean or dirty page
 * table entries as the moves leave them: the judgement "not changed" must
 * never be carried over from the page that was there before.
 */
static void test_swap_places(void)
{
	__u64 end = ksm_now_ms() + 2000;
	size_t i, n = 16, rounds = 0;
	char *a[2], *hole = place(n);
	__u64 seed[2] = { 1000, 2000 };

	for (i = 0; i < 2; i++)
		a[i] = ksm_map_merge(n, seed[i], i);
	ksm_run();
	while (ksm_now_ms() < end || rounds < 4) {
		__u64 tmp = seed[0];
		int flags = MREMAP_MAYMOVE | MREMAP_FIXED;

		CHECK(mremap(a[0], n * ps(), n * ps(), flags, hole) == hole);
		CHECK(mremap(a[1], n * ps(), n * ps(), flags, a[0]) == a[0]);
		CHECK(mremap(hole, n * ps(), n * ps(), flags, a[1]) == a[1]);
		seed[0] = seed[1];
		seed[1] = tmp;
		rounds++;
		/* The steps moved with the seeds: 1000 has 0, 2000 has 1. */
		CHECK(ksm_contents_ok(a[0], n, seed[0], seed[0] == 2000));
		CHECK(ksm_contents_ok(a[1], n, seed[1], seed[1] == 2000));
		if (rounds % 8 == 0)
			CHECK(!ksm_wait_scans(rounds % 4, KSM_DEADLINE_MS));
	}
	ksft_print_msg("%zu rounds\n", rounds);
	ksm_set("smart_scan", 0);
	CHECK(!ksm_wait_scans(3, KSM_DEADLINE_MS));
	ksm_stop();
	CHECK(ksm_counts_are(1, n - 1, n, 0));
	CHECK(ksm_contents_ok(a[0], n, seed[0], seed[0] == 2000));
	CHECK(ksm_contents_ok(a[1], n, seed[1], seed[1] == 2000));
}

/* A merge-any process: moves keep the flag, too. */
static void test_merge_any(void)
{
	char *map, *to;

	CHECK(!prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0));
	map = ksm_map(PAGES);
	to = place(PAGES);
	ksm_fill(map, PAGES, 9, 0);
	ksm_scan(3);
	CHECK(ksm_count_merged(map, PAGES) == PAGES);
	CHECK(mremap(map, PAGES * ps(), PAGES * ps(),
		     MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	CHECK(ksm_vma_flag(0, to, "mg"));
	CHECK(ksm_contents_ok(to, PAGES, 9, 0));
	ksm_scan(3);
	CHECK(ksm_count_merged(to, PAGES) == PAGES);
	CHECK(ksm_contents_ok(to, PAGES, 9, 0));
}

static const struct ksm_case cases[] = {
	{ "a move unmerges first and keeps the flag", test_move },
	{ "a part moves", test_move_part },
	{ "a move over merged memory", test_move_over },
	{ "growing in place", test_grow },
	{ "growing with a move", test_grow_and_move },
	{ "shrinking", test_shrink },
	{ "MREMAP_DONTUNMAP", test_dontunmap },
	{ "zero pages are counted right", test_zero_pages },
	{ "pages change places under a running ksmd", test_swap_places },
	{ "a merge-any process", test_merge_any },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_ON);
}
