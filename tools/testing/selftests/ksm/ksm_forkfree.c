// SPDX-License-Identifier: GPL-2.0
/*
 * MADV_FREE of pages that two processes share since a fork.
 *
 * The dirty bit of a page table entry decides what reclaim does with a lazyfree
 * page: it must be freed for the process that called MADV_FREE, as without KSM,
 * and kept for the other one.  ksmd uses these dirty bits too, and must disturb
 * neither.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/reclaim.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

#define PAGES	128
#define SEED	3000
#define NEW	900000

/* How many pages still are what they were; -1 if one is neither that nor 0. */
static long kept(const char *map, uint64_t seed)
{
	const char *page;
	long n = 0;
	size_t i;

	for (i = 0; i < PAGES; i++) {
		page = ksys_page(map, i);
		/* In this order: it may go at any moment. */
		if (ksm_page_ok(page, seed + i)) {
			n++;
		} else if (!ksm_page_is_zero(page)) {
			ksft_print_msg("page %zu is neither old nor zero\n", i);
			return -1;
		}
	}
	return n;
}

static size_t present(const char *map)
{
	size_t i, n = 0;

	for (i = 0; i < PAGES; i++)
		n += ksm_pfn(0, ksys_page(map, i)) != 0;
	return n;
}

/* Reclaim all of it. */
static void reclaim_all(char *map)
{
	unsigned int round;

	for (round = 0; round < 8 && present(map); round++) {
		ksys_reclaim(16 * PAGES * ps());
		CHECK(!madvise(map, PAGES * ps(), MADV_PAGEOUT));
	}
}

/*
 * 'm': register.  'f': MADV_FREE.  's': reclaim.  'w': write new content.  'c',
 * 'n', 'o': old, new content, or old or freed?  'k': how many pages are old?
 */
static int sharer(struct ksm_child *c, void *arg)
{
	char *map = arg;
	bool ok;
	int what;

	while ((what = ksm_hear(c)) > 0 && what != 'q') {
		ok = true;
		if (what == 'm')
			ksm_mergeable(map, PAGES);
		else if (what == 'f')
			ok = !madvise(map, PAGES * ps(), MADV_FREE);
		else if (what == 's')
			reclaim_all(map);
		else if (what == 'w')
			ksm_fill(map, PAGES, NEW, 1);
		else if (what == 'c')
			ok = ksm_contents_ok(map, PAGES, SEED, 1);
		else if (what == 'n')
			ok = ksm_contents_ok(map, PAGES, NEW, 1);
		else if (what == 'o')
			ok = kept(map, SEED) >= 0;
		else if (what == 'k')
			ksm_say_long(c, kept(map, SEED));
		if (what != 'k')
			ksm_say(c, ok ? 'y' : 'n');
	}
	return 0;
}

/* The caller's pages, written before the fork, and the child with them */
struct sharers {
	struct ksm_child c;
	char *map;
};

/* Both are registered after the fork, and scanned while they share. */
static void sharers_start(struct sharers *f, unsigned int scans)
{
	f->map = ksm_map(PAGES);
	ksm_fill(f->map, PAGES, SEED, 1);
	ksm_child_start(&f->c, sharer, f->map);
	if (!scans)
		return;
	ksm_set("smart_scan", 1);
	ksm_mergeable(f->map, PAGES);
	CHECK(ksm_ask(&f->c, 'm'));
	ksm_scan(scans);
	CHECK_EQ(ksm_get("pages_sharing"), 0);
}

/* How many pages remain for the last of two owners after its MADV_FREE? */
static long left_after_child(unsigned int scans)
{
	struct sharers f;
	long left;

	sharers_start(&f, scans);
	CHECK(ksm_ask(&f.c, 'f'));
	ksm_unmap(f.map, PAGES);
	CHECK(ksm_ask(&f.c, 's'));
	ksm_say(&f.c, 'k');
	left = ksm_hear_long(&f.c);
	CHECK(left >= 0);
	CHECK(ksm_ask(&f.c, 'w'));
	CHECK(ksm_ask(&f.c, 's'));
	CHECK(ksm_ask(&f.c, 'n'));
	CHECK_EQ(ksm_child_end(&f.c), 0);
	return left;
}

static void test_child_rid(void)
{
	long before = left_after_child(0), after;

	/* If nothing can be freed, this would prove nothing. */
	CHECK(before < PAGES / 4);
	after = left_after_child(6);
	ksft_print_msg("%ld of %d pages left, without KSM %ld\n", after, PAGES,
		       before);
	CHECK(after <= before + PAGES / 8);
}

/* The same where the parent is the one that stays */
static long left_after_parent(unsigned int scans)
{
	struct sharers f;
	long left;

	sharers_start(&f, scans);
	CHECK(!madvise(f.map, PAGES * ps(), MADV_FREE));
	CHECK_EQ(ksm_child_end(&f.c), 0);
	reclaim_all(f.map);
	left = kept(f.map, SEED);
	CHECK(left >= 0);
	ksm_fill(f.map, PAGES, NEW, 1);
	reclaim_all(f.map);
	CHECK(ksm_contents_ok(f.map, PAGES, NEW, 1));
	return left;
}

static void test_parent_rid(void)
{
	long before = left_after_parent(0), after;

	CHECK(before < PAGES / 4);
	after = left_after_parent(6);
	ksft_print_msg("%ld of %d pages left, without KSM %ld\n", after, PAGES,
		       before);
	CHECK(after <= before + PAGES / 8);
}

/* Only the child calls MADV_FREE: the parent keeps its pages. */
static void test_parent_keeps(void)
{
	struct sharers f;

	sharers_start(&f, 6);
	CHECK(ksm_ask(&f.c, 'f'));
	reclaim_all(f.map);
	CHECK(ksm_contents_ok(f.map, PAGES, SEED, 1));
	CHECK(ksm_ask(&f.c, 'o'));
	CHECK(ksm_ask(&f.c, 'f'));
	ksm_scan(4);
	CHECK(ksm_ask(&f.c, 's'));
	reclaim_all(f.map);
	CHECK(ksm_contents_ok(f.map, PAGES, SEED, 1));
	CHECK(ksm_ask(&f.c, 'f'));
	CHECK_EQ(ksm_child_end(&f.c), 0);
	ksm_scan(4);
	reclaim_all(f.map);
	CHECK(ksm_contents_ok(f.map, PAGES, SEED, 1));
}

/* Only the parent calls MADV_FREE: the child keeps its pages. */
static void test_child_keeps(void)
{
	struct sharers f;

	sharers_start(&f, 6);
	CHECK(!madvise(f.map, PAGES * ps(), MADV_FREE));
	CHECK(ksm_ask(&f.c, 's'));
	CHECK(ksm_ask(&f.c, 'c'));
	CHECK(kept(f.map, SEED) >= 0);
	CHECK(!madvise(f.map, PAGES * ps(), MADV_FREE));
	ksm_scan(4);
	reclaim_all(f.map);
	CHECK(ksm_ask(&f.c, 'c'));
	CHECK(!madvise(f.map, PAGES * ps(), MADV_FREE));
	ksm_unmap(f.map, PAGES);
	CHECK(ksm_ask(&f.c, 's'));
	CHECK(ksm_ask(&f.c, 'c'));
	CHECK_EQ(ksm_child_end(&f.c), 0);
}

/* MADV_FREE, then written by the same process: the new content stays. */
static void test_written_again(void)
{
	struct sharers f;

	sharers_start(&f, 6);
	CHECK(ksm_ask(&f.c, 'f'));
	CHECK(ksm_ask(&f.c, 'w'));
	reclaim_all(f.map);
	CHECK(ksm_ask(&f.c, 's'));
	CHECK(ksm_ask(&f.c, 'n'));
	CHECK(ksm_contents_ok(f.map, PAGES, SEED, 1));
	ksm_scan(4);
	CHECK(ksm_ask(&f.c, 's'));
	CHECK(ksm_ask(&f.c, 'n'));

	CHECK(!madvise(f.map, PAGES * ps(), MADV_FREE));
	ksm_scan(2);
	ksm_fill(f.map, PAGES, SEED, 1);
	ksm_scan(2);
	reclaim_all(f.map);
	CHECK(ksm_contents_ok(f.map, PAGES, SEED, 1));
	CHECK(ksm_ask(&f.c, 'n'));
	CHECK_EQ(ksm_child_end(&f.c), 0);
	reclaim_all(f.map);
	CHECK(ksm_contents_ok(f.map, PAGES, SEED, 1));
}

/* MADV_FREE while the pages are shared, written when they are not any more */
static void test_written_alone(void)
{
	struct sharers f;

	sharers_start(&f, 6);
	CHECK(ksm_ask(&f.c, 'f'));
	ksm_unmap(f.map, PAGES);
	CHECK(ksm_ask(&f.c, 'w'));
	ksm_scan(3);
	CHECK(ksm_ask(&f.c, 's'));
	CHECK(ksm_ask(&f.c, 'n'));
	ksm_scan(3);
	CHECK(ksm_ask(&f.c, 's'));
	CHECK(ksm_ask(&f.c, 'n'));
	CHECK_EQ(ksm_child_end(&f.c), 0);
}

/*
 * Pages that were read back from swap, by a process that had them alone, are
 * clean everywhere; ksmd has seen none of them.
 */
static void test_read_from_swap(void)
{
	char *map = ksm_map(PAGES);
	struct ksm_child c;

	ksm_fill(map, PAGES, SEED, 1);
	reclaim_all(map);
	CHECK_EQ(present(map), 0);
	CHECK(ksm_contents_ok(map, PAGES, SEED, 1));
	ksm_child_start(&c, sharer, map);
	CHECK(ksm_ask(&c, 'f'));
	reclaim_all(map);
	CHECK(ksm_contents_ok(map, PAGES, SEED, 1));
	CHECK(ksm_ask(&c, 'o'));
	CHECK_EQ(ksm_child_end(&c), 0);
}

/*
 * A server that forks children which exit: what it writes in between is
 * noticed, and merged as soon as that of others.
 */
static void test_server(void)
{
	struct ksm_child c;
	char *map, *dup;
	int round;

	ksm_set("smart_scan", 1);
	map = ksm_map_merge(PAGES, SEED, 1);
	dup = ksm_map_merge(PAGES, NEW, 1);
	ksm_scan(4);
	for (round = 0; round < 4; round++) {
		ksm_child_start(&c, sharer, map);
		ksm_scan(4);
		CHECK_EQ(ksm_child_end(&c), 0);
		/* Some only after a look at them when they are not shared. */
		if (round & 1) {
			ksm_scan(2);
			CHECK_EQ(ksm_get("pages_sharing"), 0);
			CHECK_EQ(ksm_get("pages_shared") +
				 ksm_get("pages_unshared"), 2 * PAGES);
		}
		ksm_fill(map, PAGES, NEW, 1);
		ksm_scan(3);
		CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
		CHECK(ksm_same_pages(map, dup, PAGES));
		CHECK(ksm_contents_ok(map, PAGES, NEW, 1));
		ksm_fill(map, PAGES, SEED, 1);
		ksm_scan(5);
		CHECK(ksm_contents_ok(dup, PAGES, NEW, 1));
	}
}

static const struct ksm_case cases[] = {
	{ "lazyfree pages of a child are freed", test_child_rid },
	{ "lazyfree pages of a parent are freed", test_parent_rid },
	{ "lazyfree in the child, kept by the parent", test_parent_keeps },
	{ "lazyfree in the parent, kept by the child", test_child_keeps },
	{ "lazyfree, then written", test_written_again },
	{ "lazyfree, then written by the last owner", test_written_alone },
	{ "lazyfree in the child after the parent has read from swap",
	  test_read_from_swap },
	{ "a server that forks is scanned all the same", test_server },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksys_reclaim_setup(64UL << 20);
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
