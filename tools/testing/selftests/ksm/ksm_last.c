// SPDX-License-Identifier: GPL-2.0
/*
 * The last mapping of a KSM page keeps the page when it is unmerged.
 *
 * From then on it is an ordinary page of the process: it can be written in
 * place, forked, swapped and merged again.  Whoever could notice the
 * difference gets a copy as all others do: one that holds a reference, and a
 * control group that the page is not charged to.  With more than one node, all
 * are copied, as the memory policy says where to.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/child.h"
#include "lib/ksm.h"
#include "lib/pipe.h"
#include "lib/numa.h"
#include "lib/reclaim.h"

#define PAGES	256	/* as many as a pipe holds, if it is told to */
#define SEED	7000
#define AFTER	90000	/* what is written then */

static unsigned long pfn[PAGES];
static char *map;
static bool one_node;

static void remember_pfns(void)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		pfn[i] = ksm_pfn(0, ksys_page(map, i));
		must(ksm_is_merged(ksys_page(map, i)));
	}
}

/* Is each page where it was, or each one elsewhere?  And is it private? */
static void must_be_kept(bool kept)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		uint64_t entry = ksm_pagemap(0, ksys_page(map, i));

		must(entry & KSM_PM_PRESENT);
		must_eq((entry & KSM_PM_PFN) == pfn[i], kept);
		must(entry & KSM_PM_EXCLUSIVE);
		must(!ksm_is_merged(ksys_page(map, i)));
	}
}

/* How many pages of the range are where those of map were? */
static size_t count_kept(const char *range)
{
	size_t i, n = 0;

	for (i = 0; i < PAGES; i++)
		n += ksm_pfn(0, ksys_page(range, i)) == pfn[i];
	return n;
}

/* One range whose pages are KSM's, and mapped nowhere else */
static void be_the_last(void)
{
	char *other;

	ksys_merge_pair(PAGES, SEED, &map, &other);
	remember_pfns();
	ksm_unmergeable(other, PAGES);
	must(ksm_contents_ok(other, PAGES, SEED, 1));
	ksm_fill(other, PAGES, AFTER, 1);
	must(ksm_contents_ok(map, PAGES, SEED, 1));
}

static int child_of_fork(void)
{
	CHECK(ksm_contents_ok(map, PAGES, AFTER, 1));
	ksm_fill(map, PAGES, AFTER + PAGES, 1);
	CHECK(ksm_contents_ok(map, PAGES, AFTER + PAGES, 1));
	return 0;
}

static void test_kept(void)
{
	long cow;

	be_the_last();
	cow = ksm_vmstat("cow_ksm");
	ksm_unmergeable(map, PAGES);
	/* It became private, whether by a copy or not. */
	must_eq(ksm_vmstat("cow_ksm") - cow, PAGES);
	must_be_kept(one_node);
	must(ksm_contents_ok(map, PAGES, SEED, 1));
	ksm_fill(map, PAGES, AFTER, 1);
	must_be_kept(one_node);
	must_eq(ksm_in_child(child_of_fork), 0);
	must(ksm_contents_ok(map, PAGES, AFTER, 1));
}

static void test_kept_run(void)
{
	size_t kept;
	char *other;
	long cow;

	ksys_merge_pair(PAGES, SEED, &map, &other);
	remember_pfns();
	cow = ksm_vmstat("cow_ksm");
	must_eq(ksm_unmerge_all(), 0);
	must_eq(ksm_vmstat("cow_ksm") - cow, 2 * PAGES);
	must(ksm_counts_are(0, 0, 0, 0));
	must_eq(ksm_count_merged(map, PAGES), 0);
	kept = count_kept(map) + count_kept(other);
	must_eq(kept, one_node ? PAGES : 0);
	ksm_fill(map, PAGES, AFTER, 1);
	must(ksm_contents_ok(other, PAGES, SEED, 1));
	ksm_fill(other, PAGES, AFTER + PAGES, 1);
	must(ksm_contents_ok(map, PAGES, AFTER, 1));
}

/* It has no like now, and ksmd has to see that it is not KSM's any more. */
static void test_noticed(void)
{
	be_the_last();
	ksm_scan(3);
	must(ksm_counts_are(PAGES, 0, 0, 0));
	ksm_unmergeable(map, PAGES);
	ksm_mergeable(map, PAGES);
	must_be_kept(one_node);
	ksm_scan(4);
	must(ksm_counts_are(0, 0, PAGES, 0));
	must_be_kept(one_node);
	must(ksm_contents_ok(map, PAGES, SEED, 1));
}

/* Reclaim has to find the mapping of a page that was KSM's. */
static void test_swapped(void)
{
	be_the_last();
	ksm_unmergeable(map, PAGES);
	must_be_kept(one_node);
	must_eq(ksys_swap_out(map, PAGES), 0);
	must(ksm_contents_ok(map, PAGES, SEED, 1));
}

static void test_merged_again(void)
{
	char *other;

	be_the_last();
	ksm_unmergeable(map, PAGES);
	must_be_kept(one_node);
	other = ksm_map_merge(PAGES, SEED, 1);
	ksm_mergeable(map, PAGES);
	ksm_scan(4);
	must_eq(ksm_count_merged(map, PAGES), PAGES);
	must_eq(ksm_count_merged(other, PAGES), PAGES);
	ksm_fill(map, PAGES, AFTER, 1);
	must(ksm_contents_ok(other, PAGES, SEED, 1));
}

/* A pipe that holds the pages sees none of the writes that come later. */
static void test_referenced(void)
{
	int fd[2];

	be_the_last();
	ksys_pipe_hold(fd, map, PAGES);
	ksm_unmergeable(map, PAGES);
	must_be_kept(false);
	ksm_fill(map, PAGES, AFTER, 1);
	must(ksys_pipe_ok(fd, PAGES, SEED));
	must(ksm_contents_ok(map, PAGES, AFTER, 1));
}

/* The first to have the content, in the root control group */
static int elsewhere(struct ksm_child *c, void *arg)
{
	char *a, *b;

	ksys_cgroup_leave();
	ksys_merge_pair(PAGES, SEED, &a, &b);
	ksm_say(c, 'm');
	ksm_hear(c);
	return !ksm_contents_ok(a, PAGES, SEED, 1) ||
	       !ksm_contents_ok(b, PAGES, SEED, 1);
}

/* So many pages each CPU has charged in advance, which need not be charged. */
#define AHEAD	64

static void test_charged_elsewhere(void)
{
	long sure = PAGES - AHEAD * sysconf(_SC_NPROCESSORS_CONF);
	struct ksm_child c;
	size_t charged;

	ksm_child_start(&c, elsewhere, NULL);
	must_eq(ksm_hear(&c), 'm');
	map = ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(4);
	remember_pfns();
	ksm_say(&c, 'e');
	must_eq(ksm_child_wait(&c), 0);
	charged = ksys_cgroup_bytes();
	ksm_unmergeable(map, PAGES);
	must_be_kept(false);
	must(sure > 0);
	must(ksys_cgroup_bytes() >= charged + sure * ksm_page_size());
	must(ksm_contents_ok(map, PAGES, SEED, 1));
}

static const struct ksys_case cases[] = {
	{ "the last mapping keeps the page", test_kept },
	{ "run=2: one copy for each pair", test_kept_run },
	{ "ksmd notices", test_noticed },
	{ "the page can be swapped out", test_swapped },
	{ "the page is merged again", test_merged_again },
	{ "not a page that somebody has a reference on", test_referenced },
	{ "not a page that another group pays for", test_charged_elsewhere },
};

int main(void)
{
	int nodes[2];

	ksft_print_header();
	ksm_setup();
	one_node = ksys_nodes(nodes, ARRAY_SIZE(nodes)) < 2;
	ksys_reclaim_setup(64UL << 20);
	ksys_main(cases, ARRAY_SIZE(cases));
}
