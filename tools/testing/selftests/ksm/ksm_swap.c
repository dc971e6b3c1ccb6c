// SPDX-License-Identifier: GPL-2.0
/*
 * Merged pages are swapped out and in.
 *
 * Only one copy is written to swap, which all mappings share.  The first
 * mapping that reads it back gets that page, the others get copies
 * (ksm_swpin_copy), which ksmd merges again.  MADV_PAGEOUT skips merged pages,
 * so the test uses memory.reclaim.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/pipe.h"
#include "lib/reclaim.h"
#include "lib/swap.h"

#define PAGES	256
#define CACHED	8	/* as many as a pipe holds for certain */
#define SEED	1000
#define KB	((long)ksm_page_size() / 1024)

/* Which slot of swap a page that is swapped out has. */
static uint64_t slot(const void *page)
{
	return ksm_pagemap(0, page) & KSM_PM_PFN;
}

static void swap_out_pair(char **a, char **b)
{
	size_t i;

	ksm_merge_pair(PAGES, SEED, a, b);
	CHECK(ksys_swap_out(*a, PAGES) >= 0);
	CHECK_EQ(ksys_count_swapped(*b, PAGES), PAGES);
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(slot(ksys_page(*a, i)), slot(ksys_page(*b, i)));
}

/*
 * How many pages a and b have in common.  After a swap-in: those that had not
 * yet left the swap cache, where they remain KSM pages; by no means all.
 */
static long common(const char *a, const char *b)
{
	long n = 0;
	size_t i;

	for (i = 0; i < PAGES; i++)
		n += ksm_pfn(0, ksys_page(a, i)) == ksm_pfn(0, ksys_page(b, i));
	CHECK(n < PAGES / 2);
	return n;
}

/*
 * Two scans are enough for ordinary pages.  A page that came back from the swap
 * cache may be a KSM page whose node was dropped while it was unmapped: it is
 * unmerged at the first visit, found clean at the third, merged at the fourth.
 */
static void again_merged(char *a, char *b)
{
	ksm_scan(4);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	CHECK(ksm_same_pages(a, b, PAGES));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
}

/* One slot for both mappings; smaps counts it for each of them. */
static void test_out(void)
{
	struct ksm_vma vma;
	char *a, *b;
	long out;

	out = ksm_vmstat("pswpout");
	swap_out_pair(&a, &b);
	out = ksm_vmstat("pswpout") - out;
	CHECK(out >= PAGES);
	CHECK(!ksm_vma(0, a, &vma));
	CHECK_EQ(vma.swap_kb, PAGES * ksm_page_size() / 1024);
	CHECK_EQ(vma.ksm_kb, 0);
	CHECK(!ksm_vma(0, b, &vma));
	CHECK_EQ(vma.swap_kb, PAGES * ksm_page_size() / 1024);
}

static void test_read_back(void)
{
	long copies, cached;
	char *a, *b;

	swap_out_pair(&a, &b);
	copies = ksm_vmstat("ksm_swpin_copy");
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	/* The first mapping takes the page, the second a copy. */
	cached = common(a, b);
	CHECK_EQ(ksm_vmstat("ksm_swpin_copy") - copies, PAGES - cached);
	CHECK_EQ(ksm_smaps_kb(a) / KB, cached);
	CHECK_EQ(ksm_smaps_kb(b) / KB, cached);
	again_merged(a, b);
}

/*
 * A page with extra references, here of a pipe, is unmapped and written like
 * the others but cannot leave the swap cache: it is the KSM page it was.
 */
static void swap_out_to_cache(char **a, char **b, int pipefd[2])
{
	unsigned long pfn;

	ksm_merge_pair(PAGES, SEED, a, b);
	ksys_pipe_hold(pipefd, *a, CACHED);
	pfn = ksm_pfn(0, *a);
	CHECK(ksys_swap_out(*a, PAGES) >= CACHED);
	CHECK_EQ(ksys_count_swapped(*b, PAGES), PAGES);
	CHECK(ksm_kpageflags(pfn) & KSM_KPF_SWAPCACHE);
	CHECK_EQ(ksm_kpagecount(pfn), 0);
}

static void test_cached(void)
{
	unsigned long pfn[CACHED];
	int pipefd[2];
	char *a, *b;
	long copies;
	size_t i;

	swap_out_to_cache(&a, &b, pipefd);
	copies = ksm_vmstat("ksm_swpin_copy");
	for (i = 0; i < CACHED; i++) {
		CHECK(ksm_page_ok(ksys_page(b, i), SEED + i));
		pfn[i] = ksm_pfn(0, ksys_page(b, i));
		CHECK(ksm_page_ok(ksys_page(a, i), SEED + i));
		CHECK_EQ(pfn[i], ksm_pfn(0, ksys_page(a, i)));
	}
	CHECK_EQ(ksm_vmstat("ksm_swpin_copy"), copies);
	CHECK_EQ(ksm_smaps_kb(b) / KB, CACHED);
	/* Writing still makes a copy. */
	ksm_page_fill(a, 4711);
	CHECK(ksm_page_ok(b, SEED));
	CHECK(ksm_page_ok(a, 4711));
	ksm_page_fill(a, SEED);
	CHECK(ksys_pipe_ok(pipefd, CACHED, SEED));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	again_merged(a, b);
}

/* Written first of all: a KSM page is not to be taken over by the writer. */
static void test_cached_write(void)
{
	int pipefd[2];
	char *a, *b;

	swap_out_to_cache(&a, &b, pipefd);
	ksm_fill(a, CACHED, 5555, 1);
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(a, CACHED, 5555, 1));
	CHECK(ksys_pipe_ok(pipefd, CACHED, SEED));
	ksm_fill(a, CACHED, SEED, 1);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	again_merged(a, b);
}

/* Unmerged while in the swap cache: each mapping gets a copy, now or later. */
static void test_cached_unmerge(void)
{
	int pipefd[2];
	char *a, *b;
	long copies;

	swap_out_to_cache(&a, &b, pipefd);
	copies = ksm_vmstat("ksm_swpin_copy");
	CHECK_EQ(ksm_unmerge_all(), 0);
	CHECK(ksm_counts_are(0, 0, 0, 0));
	CHECK(ksm_contents_ok(a, CACHED, SEED, 1));
	CHECK(ksm_none_merged(a, CACHED));
	CHECK(ksm_vmstat("ksm_swpin_copy") - copies >= CACHED);
	ksm_stop();
	CHECK(ksm_contents_ok(b, CACHED, SEED, 1));
	CHECK(ksm_none_merged(b, CACHED));
	CHECK(ksm_vmstat("ksm_swpin_copy") - copies >= 2 * CACHED);
	CHECK(ksys_pipe_ok(pipefd, CACHED, SEED));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	again_merged(a, b);
}

/* swapoff brings the KSM page itself back into the page tables. */
static void test_cached_swapoff(void)
{
	int pipefd[2];
	char *a, *b;

	swap_out_to_cache(&a, &b, pipefd);
	CHECK_EQ(ksys_swapoff(), 0);
	CHECK(ksm_same_pages(a, b, CACHED));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	ksm_fill(a, CACHED, 5555, 1);
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	CHECK_EQ(ksys_swapon(), 0);
	CHECK(ksys_pipe_ok(pipefd, CACHED, SEED));
	ksm_fill(a, CACHED, SEED, 1);
	again_merged(a, b);
}

/* Out, in, merged, several times: nothing wears off. */
static void test_rounds(void)
{
	uint64_t end = ksm_now_ms() + ksys_budget_ms();
	int rounds = 0;
	char *a, *b;

	ksm_merge_pair(PAGES, SEED, &a, &b);
	do {
		CHECK(ksys_swap_out(a, PAGES) >= 0);
		CHECK_EQ(ksys_count_swapped(b, PAGES), PAGES);
		if (rounds % 2) {
			CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
			CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
		}
		/* In every other round only ksmd visits the pages. */
		ksm_scan(2);
		CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
		CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
		again_merged(a, b);
	} while (++rounds < 2 || (rounds < 20 && ksm_now_ms() < end));
	ksft_print_msg("%d rounds\n", rounds);
}

static void test_write_fault(void)
{
	char *a, *b;
	size_t i;

	swap_out_pair(&a, &b);
	for (i = 0; i < PAGES; i += 2)
		ksm_page_fill(ksys_page(b, i), 77000 + i);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	for (i = 0; i < PAGES; i++)
		CHECK(ksm_page_ok(ksys_page(b, i),
				  i % 2 ? SEED + i : 77000 + i));
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES / 2, PAGES / 2, PAGES, 0));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
}

/* One byte of a page that was swapped out: the rest of it has to come back. */
static void test_write_one_byte(void)
{
	char *a, *b, keep;

	swap_out_pair(&a, &b);
	b[5 * ksm_page_size() + 100]++;
	CHECK(ksm_page_ok(ksys_page(a, 5), SEED + 5));
	CHECK(!ksm_page_ok(ksys_page(b, 5), SEED + 5));
	keep = b[5 * ksm_page_size() + 100];
	CHECK_EQ((char)(a[5 * ksm_page_size() + 100] + 1), keep);
	b[5 * ksm_page_size() + 100]--;
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	again_merged(a, b);
}

static void test_unmerge_while_out(void)
{
	char *a, *b;

	swap_out_pair(&a, &b);
	CHECK_EQ(ksm_unmerge_all(), 0);
	CHECK(ksm_counts_are(0, 0, 0, 0));
	CHECK_EQ(ksm_merging_pages(0), 0);
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_none_merged(a, PAGES));
	CHECK(ksm_none_merged(b, PAGES));
	CHECK(ksm_counts_are(0, 0, 0, 0));
	again_merged(a, b);
}

/* Half of it is back when everything has to be unmerged. */
static void test_unmerge_half_in(void)
{
	char *a, *b;
	size_t i;

	swap_out_pair(&a, &b);
	CHECK(ksm_contents_ok(a, PAGES / 2, SEED, 1));
	CHECK_EQ(ksm_unmerge_all(), 0);
	CHECK(ksm_counts_are(0, 0, 0, 0));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	for (i = 0; i < PAGES; i++)
		CHECK(ksm_pfn(0, ksys_page(a, i)) !=
		      ksm_pfn(0, ksys_page(b, i)));
	again_merged(a, b);
}

static void test_unmergeable_while_out(void)
{
	char *a, *b;

	swap_out_pair(&a, &b);
	ksm_unmergeable(b, PAGES);
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK_EQ(ksm_smaps_kb(b) / KB, common(a, b));
	ksm_scan(3);
	CHECK_EQ(ksm_smaps_kb(b) / KB, common(a, b));
	CHECK_EQ(ksm_get("pages_sharing"), 0);
	CHECK_EQ(ksm_get("pages_shared") + ksm_get("pages_unshared"), PAGES);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
}

static int reader(struct ksm_child *c, void *arg)
{
	char **map = arg;

	ksm_hear(c);
	ksm_say(c, ksm_contents_ok(map[0], PAGES, SEED, 1) &&
		ksm_contents_ok(map[1], PAGES, SEED, 1) ? 'y' : 'n');
	/* Its own copies: the parent must not see this. */
	ksm_hear(c);
	ksm_fill(map[0], PAGES, 88000, 1);
	ksm_say(c, ksm_contents_ok(map[0], PAGES, 88000, 1) &&
		ksm_contents_ok(map[1], PAGES, SEED, 1) ? 'y' : 'n');
	ksm_hear(c);
	return 0;
}

static void test_fork_while_out(void)
{
	struct ksm_child c;
	long copies;
	char *map[2];

	swap_out_pair(&map[0], &map[1]);
	copies = ksm_vmstat("ksm_swpin_copy");
	ksm_child_start(&c, reader, map);
	CHECK(ksm_ask(&c, 'g'));
	CHECK(ksm_contents_ok(map[0], PAGES, SEED, 1));
	CHECK(ksm_contents_ok(map[1], PAGES, SEED, 1));
	/* At best parent and child share what they have at one address. */
	copies = ksm_vmstat("ksm_swpin_copy") - copies;
	ksft_print_msg("%ld copies of %d pages with 4 mappings\n", copies,
		       PAGES);
	CHECK(copies >= PAGES - common(map[0], map[1]) && copies <= 3 * PAGES);
	CHECK(ksm_ask(&c, 'w'));
	CHECK(ksm_contents_ok(map[0], PAGES, SEED, 1));
	CHECK(ksm_contents_ok(map[1], PAGES, SEED, 1));
	CHECK_EQ(ksm_child_end(&c), 0);
	again_merged(map[0], map[1]);
}

/* Merged, forked, and only then swapped out: a child ksmd never visited. */
static void test_fork_before_out(void)
{
	struct ksm_child c;
	char *map[2];

	ksm_merge_pair(PAGES, SEED, &map[0], &map[1]);
	ksm_child_start(&c, reader, map);
	CHECK(ksys_swap_out(map[0], PAGES) >= 0);
	CHECK_EQ(ksys_count_swapped(map[1], PAGES), PAGES);
	CHECK(ksm_ask(&c, 'g'));
	CHECK(ksm_contents_ok(map[1], PAGES, SEED, 1));
	CHECK(ksm_contents_ok(map[0], PAGES, SEED, 1));
	CHECK(ksm_ask(&c, 'w'));
	CHECK(ksm_contents_ok(map[0], PAGES, SEED, 1));
	CHECK_EQ(ksm_child_end(&c), 0);
	again_merged(map[0], map[1]);
}

static void test_swapoff(void)
{
	char *a, *b;
	long copies;

	swap_out_pair(&a, &b);
	copies = ksm_vmstat("ksm_swpin_copy");
	CHECK_EQ(ksys_swapoff(), 0);
	CHECK_EQ(ksys_count_swapped(a, PAGES), 0);
	CHECK_EQ(ksys_count_swapped(b, PAGES), 0);
	CHECK_EQ(ksm_vmstat("ksm_swpin_copy") - copies,
		 PAGES - common(a, b));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	CHECK_EQ(ksys_swapon(), 0);
	again_merged(a, b);
	/* And with nothing merged any more. */
	CHECK(ksys_swap_out(a, PAGES) >= 0);
	CHECK_EQ(ksys_count_swapped(b, PAGES), PAGES);
	CHECK_EQ(ksm_unmerge_all(), 0);
	CHECK_EQ(ksys_swapoff(), 0);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	CHECK_EQ(ksys_swapon(), 0);
}

/* ksmd, reclaim and two users of the memory at the same time. */
static int toucher(struct ksm_child *c, void *arg)
{
	char *map = *(char **)arg;
	uint64_t end = ksm_now_ms() + ksys_budget_ms(), round = 0;
	size_t i;

	do {
		/* Every fourth page changes, and back again. */
		for (i = 0; i < PAGES; i += 4)
			ksm_page_fill(ksys_page(map, i),
				      round & 1 ? SEED + i : 99000 + i);
		for (i = 0; i < PAGES; i++) {
			uint64_t seed = SEED + i;

			if (i % 4 == 0 && !(round & 1))
				seed = 99000 + i;
			if (!ksm_page_ok(ksys_page(map, i), seed)) {
				ksft_print_msg("round %llu, page %zu is wrong\n",
					       (unsigned long long)round, i);
				return 1;
			}
		}
		round++;
	} while (ksm_now_ms() < end);
	ksft_print_msg("%llu rounds\n", (unsigned long long)round);
	ksm_fill(map, PAGES, SEED, 1);
	ksm_say(c, 'd');
	ksm_hear(c);
	return ksm_contents_ok(map, PAGES, SEED, 1) ? 0 : 1;
}

static void test_all_at_once(void)
{
	uint64_t end = ksm_now_ms() + ksys_budget_ms();
	struct ksm_child c[2];
	long out, in;
	char *a, *b;

	a = ksm_map_merge(PAGES, SEED, 1);
	b = ksm_map_merge(PAGES, SEED, 1);
	out = ksm_vmstat("pswpout");
	in = ksm_vmstat("pswpin");
	ksm_run();
	ksm_child_start(&c[0], toucher, &a);
	ksm_child_start(&c[1], toucher, &b);
	do {
		ksys_reclaim(4 * PAGES * ksm_page_size());
		CHECK(ksm_contents_ok(b, 8, SEED, 1));
	} while (ksm_now_ms() < end);
	CHECK_EQ(ksm_hear(&c[0]), 'd');
	CHECK_EQ(ksm_hear(&c[1]), 'd');
	ksm_stop();
	ksft_print_msg("%ld pages out, %ld in\n", ksm_vmstat("pswpout") - out,
		       ksm_vmstat("pswpin") - in);
	CHECK(ksm_vmstat("pswpout") > out);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	ksm_say(&c[0], 'q');
	ksm_say(&c[1], 'q');
	CHECK_EQ(ksm_child_wait(&c[0]), 0);
	CHECK_EQ(ksm_child_wait(&c[1]), 0);
	CHECK(ksm_scan_until(PAGES, PAGES, 0));
	CHECK(ksm_same_pages(a, b, PAGES));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
}

static const struct ksm_case cases[] = {
	{ "merged pages share their place in swap", test_out },
	{ "read back, copied once, merged again", test_read_back },
	{ "in the swap cache: shared as before", test_cached },
	{ "in the swap cache: written", test_cached_write },
	{ "in the swap cache: unmerged", test_cached_unmerge },
	{ "in the swap cache: swapoff", test_cached_swapoff },
	{ "many rounds", test_rounds },
	{ "written while swapped out", test_write_fault },
	{ "one byte written while swapped out", test_write_one_byte },
	{ "run=2 while swapped out", test_unmerge_while_out },
	{ "run=2 with half of it back", test_unmerge_half_in },
	{ "MADV_UNMERGEABLE while swapped out", test_unmergeable_while_out },
	{ "fork while swapped out", test_fork_while_out },
	{ "fork, then swapped out", test_fork_before_out },
	{ "swapoff", test_swapoff },
	{ "ksmd, reclaim and writers at once", test_all_at_once },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksys_reclaim_setup(64UL << 20);
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
