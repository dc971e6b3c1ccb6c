// SPDX-License-Identifier: GPL-2.0
/*
 * Pages in use by a device like a graphics card: migrated to device memory,
 * which no CPU can read, or left in place for exclusive access.
 *
 * The page table entry of such a page is not present.  ksmd must neither read
 * the page nor drop its state, and the page must be unchanged when it comes
 * back.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/device.h"
#include "lib/ksm.h"

#define PAGES	48
#define SEED	6000
#define OTHER	880000

/* All of the range goes. */
static void migrate_to_device(int dev, char *map)
{
	long moved = ksys_to_device(dev, map, PAGES);

	if (moved != PAGES)
		ksft_print_msg("%ld of %d pages moved\n", moved, PAGES);
	CHECK_EQ(ksys_on_device(dev, map, PAGES), PAGES);
}

static void both_right(char *a, char *b)
{
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
}

/* Unchanged pages without a duplicate, known to ksmd */
static char *known(__u64 seed)
{
	char *map = ksm_map_merge(PAGES, seed, 1);

	ksm_scan(3);
	CHECK(ksm_counts_are(0, 0, PAGES, 0));
	return map;
}

/* A KSM page belongs to many: it stays where all can read it. */
static void test_merged(void)
{
	char *a, *b, *seen = ksm_map(PAGES);
	int dev = ksys_device_open(), round;

	ksm_merge_pair(PAGES, SEED, &a, &b);
	for (round = 0; round < 3; round++) {
		/* What it returns tells of pages read, wherever they are. */
		ksys_to_device(dev, round & 1 ? a : b, PAGES);
		CHECK_EQ(ksys_on_device(dev, a, PAGES), 0);
		CHECK_EQ(ksys_on_device(dev, b, PAGES), 0);
		CHECK_EQ(ksys_device_read(dev, a, PAGES, seen), 0);
		CHECK(ksm_contents_ok(seen, PAGES, SEED, 1));
		ksm_scan(2);
		CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
		CHECK(ksm_same_pages(a, b, PAGES));
		both_right(a, b);
	}
	ksm_fill(a, PAGES, OTHER, 1);
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	close(dev);
}

/* What was written is a page of one's own, and goes: half of them. */
static void test_half(void)
{
	int dev = ksys_device_open(), i;
	char *a, *b;

	ksm_merge_pair(PAGES, SEED, &a, &b);
	for (i = 0; i < PAGES; i += 2)
		ksm_page_fill(ksys_page(b, i), OTHER + i);
	ksys_to_device(dev, b, PAGES);
	CHECK_EQ(ksys_on_device(dev, b, PAGES), PAGES / 2);
	ksm_scan(4);
	/* ksmd has seen that they are not KSM's, but not what they are. */
	CHECK(ksm_counts_are(PAGES, PAGES / 2, 0, 0));
	CHECK_EQ(ksys_on_device(dev, b, PAGES), PAGES / 2);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	for (i = 0; i < PAGES; i += 2) {
		CHECK(ksm_page_ok(ksys_page(b, i), OTHER + i));
		ksm_page_fill(ksys_page(b, i), SEED + i);
	}
	CHECK(ksm_scan_until(PAGES, PAGES, 0));
	CHECK(ksm_same_pages(a, b, PAGES));
	both_right(a, b);
	close(dev);
}

/* Pages without a duplicate are not forgotten either, and change there. */
static void test_unique(void)
{
	char *map = known(SEED), *dup;
	int dev = ksys_device_open();

	migrate_to_device(dev, map);
	ksm_scan(4);
	CHECK(ksm_counts_are(0, 0, PAGES, 0));
	CHECK_EQ(ksys_on_device(dev, map, PAGES), PAGES);
	CHECK(ksm_contents_ok(map, PAGES, SEED, 1));
	migrate_to_device(dev, map);
	dup = ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(4);
	CHECK_EQ(ksm_get("pages_shared"), 0);
	CHECK_EQ(ksys_on_device(dev, map, PAGES), PAGES);
	CHECK(ksm_contents_ok(dup, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(map, PAGES, SEED, 1));
	CHECK(ksm_scan_until(PAGES, PAGES, 0));
	CHECK(ksm_same_pages(map, dup, PAGES));
	both_right(map, dup);
	close(dev);
}

static void test_exclusive(void)
{
	char *map = ksm_map_merge(PAGES, SEED, 1), *dup;
	int dev = ksys_device_open();

	ksm_scan(3);
	CHECK_EQ(ksys_device_exclusive(dev, map, PAGES), 0);
	CHECK_EQ(ksm_pfn(0, map), 0);
	ksm_scan(4);
	CHECK(ksm_counts_are(0, 0, PAGES, 0));
	CHECK_EQ(ksm_pfn(0, map), 0);
	dup = ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(4);
	/* The device may write to it at any time. */
	CHECK_EQ(ksm_get("pages_shared"), 0);
	CHECK_EQ(ksm_pfn(0, map), 0);
	both_right(map, dup);
	CHECK(ksm_scan_until(PAGES, PAGES, 0));
	/* What is merged is copied first. */
	CHECK_EQ(ksys_device_exclusive(dev, map, PAGES), 0);
	ksm_scan(3);
	CHECK(ksm_contents_ok(dup, PAGES, SEED, 1));
	ksm_fill(map, PAGES, OTHER, 1);
	CHECK(ksm_contents_ok(dup, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(map, PAGES, OTHER, 1));
	ksm_fill(map, PAGES, SEED, 1);
	CHECK(ksm_scan_until(PAGES, PAGES, 0));
	both_right(map, dup);
	close(dev);
}

static int sharer(struct ksm_child *c, void *arg)
{
	char *map = arg;
	int what;

	while ((what = ksm_hear(c)) > 0 && what != 'q') {
		if (what == 'w')
			ksm_fill(map, PAGES, OTHER, 1);
		ksm_say(c, ksm_contents_ok(map, PAGES, what == 'c' ? SEED :
					   OTHER, 1) ? 'y' : 'n');
	}
	return 0;
}

/* A child has the same entries; it writes, and leaves. */
static void test_fork(void)
{
	char *map = known(SEED);
	int dev = ksys_device_open();
	struct ksm_child c[2];

	migrate_to_device(dev, map);
	ksm_child_start(&c[0], sharer, map);
	ksm_child_start(&c[1], sharer, map);
	ksm_scan(3);
	CHECK(ksm_ask(&c[0], 'w'));
	CHECK(ksm_ask(&c[1], 'c'));
	CHECK(ksm_ask(&c[0], 'o'));
	CHECK(ksm_contents_ok(map, PAGES, SEED, 1));
	ksm_scan(3);
	CHECK(ksm_ask(&c[1], 'c'));
	CHECK_EQ(ksm_child_kill(&c[1]), 128 + SIGKILL);
	CHECK(ksm_ask(&c[0], 'o'));
	CHECK_EQ(ksm_child_end(&c[0]), 0);
	CHECK(ksm_scan_until(0, 0, PAGES));
	CHECK(ksm_contents_ok(map, PAGES, SEED, 1));
	close(dev);
}

/* A child that migrates its pages, and those shared with its parent */
static int migrating_child(struct ksm_child *c, void *arg)
{
	char *map = arg ?: ksm_map_merge(PAGES, SEED, 1);
	int dev, what;

	dev = ksys_device_open();
	ksm_say(c, 'r');
	while ((what = ksm_hear(c)) > 0 && what != 'q') {
		migrate_to_device(dev, map);
		ksm_say(c, 'y');
	}
	return 0;
}

/* It exits, and the pages come back to the other processes. */
static void test_exit(void)
{
	char *map = known(SEED);
	struct ksm_child c;
	int round;

	for (round = 0; round < 4; round++) {
		ksm_child_start(&c, migrating_child, map);
		CHECK_EQ(ksm_hear(&c), 'r');
		ksm_scan(2);
		CHECK(ksm_ask(&c, 'm'));
		CHECK_EQ(ksm_pfn(0, map), 0);
		if (round & 1)
			ksm_scan(2);
		if (round & 2)
			CHECK_EQ(ksm_child_kill(&c), 128 + SIGKILL);
		else
			CHECK_EQ(ksm_child_end(&c), 0);
		CHECK(ksm_contents_ok(map, PAGES, SEED, 1));
		CHECK(ksm_scan_until(0, 0, PAGES));
	}
	CHECK(ksm_contents_ok(map, PAGES, SEED, 1));
}

/* The last one exits while they are there: nothing is left. */
static void test_all_exit(void)
{
	char *keeper = NULL;
	struct ksm_child c;

	ksm_child_start(&c, migrating_child, NULL);
	CHECK_EQ(ksm_hear(&c), 'r');
	keeper = ksm_map_merge(1, 4711, 0);
	ksm_scan(3);
	CHECK(ksm_ask(&c, 'm'));
	ksm_scan(2);
	CHECK_EQ(ksm_child_kill(&c), 128 + SIGKILL);
	ksm_scan(2);
	CHECK(ksm_counts_are(0, 0, 1, 0));
	CHECK(ksm_page_ok(keeper, 4711));
}

/* Equal pages in ordinary memory find each other, and it when it is back. */
static void test_candidates(void)
{
	char *map = known(SEED), *one, *two;
	int dev = ksys_device_open();

	migrate_to_device(dev, map);
	one = ksm_map_merge(PAGES, SEED, 1);
	two = ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(5);
	CHECK_EQ(ksm_get("pages_shared"), PAGES);
	CHECK_EQ(ksm_get("pages_sharing"), PAGES);
	CHECK_EQ(ksys_on_device(dev, map, PAGES), PAGES);
	both_right(one, two);
	CHECK(ksm_contents_ok(map, PAGES, SEED, 1));
	CHECK(ksm_scan_until(PAGES, 2 * PAGES, 0));
	CHECK(ksm_same_pages(map, one, PAGES));
	both_right(map, two);
	close(dev);
}

/* Unmerging leaves alone what a device has, which is private. */
static void test_unmerge(void)
{
	char *map = known(SEED);
	int dev = ksys_device_open();

	migrate_to_device(dev, map);
	ksm_unmergeable(map, PAGES);
	CHECK_EQ(ksys_on_device(dev, map, PAGES), PAGES);
	ksm_mergeable(map, PAGES);
	CHECK_EQ(ksm_unmerge_all(), 0);
	CHECK(ksm_counts_are(0, 0, 0, 0));
	CHECK_EQ(ksys_on_device(dev, map, PAGES), PAGES);
	ksm_stop();
	CHECK(ksm_contents_ok(map, PAGES, SEED, 1));
	close(dev);
}

/* ksmd, the device and the CPU at once, and pages that become equal */
static void test_all_at_once(void)
{
	__u64 end = ksm_now_ms() + ksys_budget_ms();
	char *a, *b, *c = ksm_map_merge(PAGES, OTHER, 1);
	int dev = ksys_device_open(), round = 0;
	long moved = 0;

	a = ksm_map_merge(PAGES, SEED, 1);
	b = ksm_map_merge(PAGES, SEED, 1);
	ksm_run();
	do {
		ksys_to_device(dev, round & 1 ? a : b, PAGES);
		moved += ksys_on_device(dev, round & 1 ? a : b, PAGES) > 0;
		ksm_fill(c, PAGES, round & 1 ? SEED : OTHER, 1);
		if (round % 3 == 0)
			ksm_fill(a, PAGES / 2, round & 2 ? SEED : OTHER, 1);
		if (round % 3 == 1)
			ksys_device_exclusive(dev, b, PAGES / 4);
		CHECK(ksm_contents_ok(c, PAGES, round & 1 ? SEED : OTHER, 1));
		CHECK(ksm_contents_ok(ksys_page(a, PAGES / 2), PAGES / 2,
				      SEED + PAGES / 2, 1));
		CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
		round++;
	} while (ksm_now_ms() < end);
	ksft_print_msg("%d rounds, %ld with pages moved\n", round, moved);
	CHECK(moved > 0);
	ksm_stop();
	ksys_from_device(dev, a, PAGES);
	ksys_from_device(dev, b, PAGES);
	close(dev);
	ksm_fill(a, PAGES, SEED, 1);
	ksm_fill(c, PAGES, SEED, 1);
	CHECK(ksm_scan_until(PAGES, 2 * PAGES, 0));
	both_right(a, b);
	CHECK(ksm_contents_ok(c, PAGES, SEED, 1));
}

static const struct ksm_case cases[] = {
	{ "merged pages stay", test_merged },
	{ "half of them", test_half },
	{ "unique pages", test_unique },
	{ "exclusive access", test_exclusive },
	{ "fork", test_fork },
	{ "the process that migrated them exits", test_exit },
	{ "all exit", test_all_exit },
	{ "equal pages elsewhere", test_candidates },
	{ "unmerging", test_unmerge },
	{ "ksmd, device and writers at once", test_all_at_once },
};

int main(void)
{
	const char *why;

	ksft_print_header();
	ksm_setup();
	why = ksys_device_setup();
	if (why)
		ksm_skip_all("%s", why);
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
