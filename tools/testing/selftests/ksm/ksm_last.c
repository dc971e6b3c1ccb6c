// SPDX-License-Identifier: GPL-2.0
/*
 * The last mapping of a KSM page keeps the page when it is unmerged.
 *
 * From then on it is an ordinary page of the process: it can be written in
 * place, forked, swapped and merged again.  The page is copied instead if that
 * could be noticed: if it has extra references, or is charged to another
 * control group.  With more than one node every page is copied, as the memory
 * policy decides where to.
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

#define PAGES	256	/* the maximum of a pipe */
#define SEED	7000
#define AFTER	90000	/* seed of what is written after unmerging */

static unsigned long pfn[PAGES];
static char *map;
static bool one_node;

static void remember_pfns(void)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		pfn[i] = ksm_pfn(0, ksys_page(map, i));
		CHECK(ksm_is_merged(ksys_page(map, i)));
	}
}

/* Each page is private, and was kept in place or copied as expected. */
static void check_kept(bool kept)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++) {
		uint64_t entry = ksm_pagemap(0, ksys_page(map, i));

		CHECK(entry & KSM_PM_PRESENT);
		CHECK_EQ((entry & KSM_PM_PFN) == pfn[i], kept);
		CHECK(entry & KSM_PM_EXCLUSIVE);
		CHECK(!ksm_is_merged(ksys_page(map, i)));
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

/* A range of KSM pages that have no other mapping */
static void keep_one_mapping(void)
{
	char *other;

	ksm_merge_pair(PAGES, SEED, &map, &other);
	remember_pfns();
	ksm_unmergeable(other, PAGES);
	CHECK(ksm_contents_ok(other, PAGES, SEED, 1));
	ksm_fill(other, PAGES, AFTER, 1);
	CHECK(ksm_contents_ok(map, PAGES, SEED, 1));
}

static int write_in_child(void)
{
	CHECK(ksm_contents_ok(map, PAGES, AFTER, 1));
	ksm_fill(map, PAGES, AFTER + PAGES, 1);
	CHECK(ksm_contents_ok(map, PAGES, AFTER + PAGES, 1));
	return 0;
}

static void test_kept(void)
{
	long cow;

	keep_one_mapping();
	cow = ksm_vmstat("cow_ksm");
	ksm_unmergeable(map, PAGES);
	/* It became private, whether by a copy or not. */
	CHECK_EQ(ksm_vmstat("cow_ksm") - cow, PAGES);
	check_kept(one_node);
	CHECK(ksm_contents_ok(map, PAGES, SEED, 1));
	ksm_fill(map, PAGES, AFTER, 1);
	check_kept(one_node);
	CHECK_EQ(ksm_in_child(write_in_child), 0);
	CHECK(ksm_contents_ok(map, PAGES, AFTER, 1));
}

static void test_kept_run(void)
{
	size_t kept;
	char *other;
	long cow;

	ksm_merge_pair(PAGES, SEED, &map, &other);
	remember_pfns();
	cow = ksm_vmstat("cow_ksm");
	CHECK_EQ(ksm_unmerge_all(), 0);
	CHECK_EQ(ksm_vmstat("cow_ksm") - cow, 2 * PAGES);
	CHECK(ksm_counts_are(0, 0, 0, 0));
	CHECK_EQ(ksm_count_merged(map, PAGES), 0);
	kept = count_kept(map) + count_kept(other);
	CHECK_EQ(kept, one_node ? PAGES : 0);
	ksm_fill(map, PAGES, AFTER, 1);
	CHECK(ksm_contents_ok(other, PAGES, SEED, 1));
	ksm_fill(other, PAGES, AFTER + PAGES, 1);
	CHECK(ksm_contents_ok(map, PAGES, AFTER, 1));
}

/* Without a duplicate: ksmd must notice that the page is no KSM page now. */
static void test_noticed(void)
{
	keep_one_mapping();
	ksm_scan(3);
	CHECK(ksm_counts_are(PAGES, 0, 0, 0));
	ksm_unmergeable(map, PAGES);
	ksm_mergeable(map, PAGES);
	check_kept(one_node);
	ksm_scan(4);
	CHECK(ksm_counts_are(0, 0, PAGES, 0));
	check_kept(one_node);
	CHECK(ksm_contents_ok(map, PAGES, SEED, 1));
}

/* Reclaim must find the mapping of a former KSM page. */
static void test_swapped(void)
{
	keep_one_mapping();
	ksm_unmergeable(map, PAGES);
	check_kept(one_node);
	CHECK_EQ(ksys_swap_out(map, PAGES), 0);
	CHECK(ksm_contents_ok(map, PAGES, SEED, 1));
}

static void test_merged_again(void)
{
	char *other;

	keep_one_mapping();
	ksm_unmergeable(map, PAGES);
	check_kept(one_node);
	other = ksm_map_merge(PAGES, SEED, 1);
	ksm_mergeable(map, PAGES);
	ksm_scan(4);
	CHECK_EQ(ksm_count_merged(map, PAGES), PAGES);
	CHECK_EQ(ksm_count_merged(other, PAGES), PAGES);
	ksm_fill(map, PAGES, AFTER, 1);
	CHECK(ksm_contents_ok(other, PAGES, SEED, 1));
}

/* A pipe with references on the pages sees none of the later writes. */
static void test_referenced(void)
{
	int fd[2];

	keep_one_mapping();
	ksys_pipe_hold(fd, map, PAGES);
	ksm_unmergeable(map, PAGES);
	check_kept(false);
	ksm_fill(map, PAGES, AFTER, 1);
	CHECK(ksys_pipe_ok(fd, PAGES, SEED));
	CHECK(ksm_contents_ok(map, PAGES, AFTER, 1));
}

/* The first to have the content, in the root control group */
static int root_cgroup_child(struct ksm_child *c, void *arg)
{
	char *a, *b;

	ksys_cgroup_leave();
	ksm_merge_pair(PAGES, SEED, &a, &b);
	ksm_say(c, 'm');
	ksm_hear(c);
	return !ksm_contents_ok(a, PAGES, SEED, 1) ||
	       !ksm_contents_ok(b, PAGES, SEED, 1);
}

/* Pages that each CPU may have charged in advance */
#define AHEAD	64

static void test_charged_elsewhere(void)
{
	long sure = PAGES - AHEAD * sysconf(_SC_NPROCESSORS_CONF);
	struct ksm_child c;
	size_t charged;

	ksm_child_start(&c, root_cgroup_child, NULL);
	CHECK_EQ(ksm_hear(&c), 'm');
	map = ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(4);
	remember_pfns();
	ksm_say(&c, 'e');
	CHECK_EQ(ksm_child_wait(&c), 0);
	charged = ksys_cgroup_bytes();
	ksm_unmergeable(map, PAGES);
	check_kept(false);
	CHECK(sure > 0);
	CHECK(ksys_cgroup_bytes() >= charged + sure * ksm_page_size());
	CHECK(ksm_contents_ok(map, PAGES, SEED, 1));
}

static const struct ksm_case cases[] = {
	{ "the last mapping keeps the page", test_kept },
	{ "run=2: one copy for each pair", test_kept_run },
	{ "ksmd notices", test_noticed },
	{ "the page can be swapped out", test_swapped },
	{ "the page is merged again", test_merged_again },
	{ "a page with extra references is copied", test_referenced },
	{ "a page charged to another cgroup is copied",
	  test_charged_elsewhere },
};

int main(void)
{
	int nodes[2];

	ksft_print_header();
	ksm_setup();
	one_node = ksys_nodes(nodes, ARRAY_SIZE(nodes)) < 2;
	ksys_reclaim_setup(64UL << 20);
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
