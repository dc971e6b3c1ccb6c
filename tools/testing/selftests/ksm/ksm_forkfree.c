// SPDX-License-Identifier: GPL-2.0
/*
 * MADV_FREE of pages that two processes share since a fork.
 *
 * What such a page table entry knows by its dirty bit decides what becomes of
 * the page: the process that gave it up must be rid of it, as without KSM, and
 * the other one must not lose it.  ksmd looks at these dirty bits too, and
 * must disturb neither.
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

/* Have all of it reclaimed, in whatever way its pages can be. */
static void squeeze(char *map)
{
	unsigned int round;

	for (round = 0; round < 8 && present(map); round++) {
		ksys_reclaim(16 * PAGES * ps());
		must(!madvise(map, PAGES * ps(), MADV_PAGEOUT));
	}
}

/*
 * 'm': register.  'f': give up.  's': squeeze.  'w': write new content.  'c',
 * 'n', 'o': old, new content, or old or gone?  'k': how many pages are old?
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
			squeeze(map);
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

/* The caller's pages, written before the fork, and who shares them */
struct family {
	struct ksm_child c;
	char *map;
};

/* Both are registered only now, and looked at while they share. */
static void family_start(struct family *f, unsigned int scans)
{
	f->map = ksm_map(PAGES);
	ksm_fill(f->map, PAGES, SEED, 1);
	ksm_child_start(&f->c, sharer, f->map);
	if (!scans)
		return;
	ksm_set("smart_scan", 1);
	ksm_mergeable(f->map, PAGES);
	must(ksm_ask(&f->c, 'm'));
	ksm_scan(scans);
	must_eq(ksm_get("pages_sharing"), 0);
}

/* How many pages does the last of two owners keep, having given them up? */
static long left_of(unsigned int scans)
{
	struct family f;
	long left;

	family_start(&f, scans);
	must(ksm_ask(&f.c, 'f'));
	ksm_unmap(f.map, PAGES);
	must(ksm_ask(&f.c, 's'));
	ksm_say(&f.c, 'k');
	left = ksm_hear_long(&f.c);
	must(left >= 0);
	must(ksm_ask(&f.c, 'w'));
	must(ksm_ask(&f.c, 's'));
	must(ksm_ask(&f.c, 'n'));
	must_eq(ksm_child_end(&f.c), 0);
	return left;
}

static void test_child_rid(void)
{
	long before = left_of(0), after;

	/* If nothing can be got rid of, this would prove nothing. */
	must(before < PAGES / 4);
	after = left_of(6);
	ksft_print_msg("%ld of %d pages left, without KSM %ld\n", after, PAGES,
		       before);
	must(after <= before + PAGES / 8);
}

/* The same where the parent is the one that stays */
static long left_of_parent(unsigned int scans)
{
	struct family f;
	long left;

	family_start(&f, scans);
	must(!madvise(f.map, PAGES * ps(), MADV_FREE));
	must_eq(ksm_child_end(&f.c), 0);
	squeeze(f.map);
	left = kept(f.map, SEED);
	must(left >= 0);
	ksm_fill(f.map, PAGES, NEW, 1);
	squeeze(f.map);
	must(ksm_contents_ok(f.map, PAGES, NEW, 1));
	return left;
}

static void test_parent_rid(void)
{
	long before = left_of_parent(0), after;

	must(before < PAGES / 4);
	after = left_of_parent(6);
	ksft_print_msg("%ld of %d pages left, without KSM %ld\n", after, PAGES,
		       before);
	must(after <= before + PAGES / 8);
}

/* Only the child gives up: the parent keeps, while ksmd looks, and later. */
static void test_parent_keeps(void)
{
	struct family f;

	family_start(&f, 6);
	must(ksm_ask(&f.c, 'f'));
	squeeze(f.map);
	must(ksm_contents_ok(f.map, PAGES, SEED, 1));
	must(ksm_ask(&f.c, 'o'));
	must(ksm_ask(&f.c, 'f'));
	ksm_scan(4);
	must(ksm_ask(&f.c, 's'));
	squeeze(f.map);
	must(ksm_contents_ok(f.map, PAGES, SEED, 1));
	must(ksm_ask(&f.c, 'f'));
	must_eq(ksm_child_end(&f.c), 0);
	ksm_scan(4);
	squeeze(f.map);
	must(ksm_contents_ok(f.map, PAGES, SEED, 1));
}

/* Only the parent gives up: the child keeps. */
static void test_child_keeps(void)
{
	struct family f;

	family_start(&f, 6);
	must(!madvise(f.map, PAGES * ps(), MADV_FREE));
	must(ksm_ask(&f.c, 's'));
	must(ksm_ask(&f.c, 'c'));
	must(kept(f.map, SEED) >= 0);
	must(!madvise(f.map, PAGES * ps(), MADV_FREE));
	ksm_scan(4);
	squeeze(f.map);
	must(ksm_ask(&f.c, 'c'));
	must(!madvise(f.map, PAGES * ps(), MADV_FREE));
	ksm_unmap(f.map, PAGES);
	must(ksm_ask(&f.c, 's'));
	must(ksm_ask(&f.c, 'c'));
	must_eq(ksm_child_end(&f.c), 0);
}

/* Given up, and written again by the same: what was written stays. */
static void test_written_again(void)
{
	struct family f;

	family_start(&f, 6);
	must(ksm_ask(&f.c, 'f'));
	must(ksm_ask(&f.c, 'w'));
	squeeze(f.map);
	must(ksm_ask(&f.c, 's'));
	must(ksm_ask(&f.c, 'n'));
	must(ksm_contents_ok(f.map, PAGES, SEED, 1));
	ksm_scan(4);
	must(ksm_ask(&f.c, 's'));
	must(ksm_ask(&f.c, 'n'));

	must(!madvise(f.map, PAGES * ps(), MADV_FREE));
	ksm_scan(2);
	ksm_fill(f.map, PAGES, SEED, 1);
	ksm_scan(2);
	squeeze(f.map);
	must(ksm_contents_ok(f.map, PAGES, SEED, 1));
	must(ksm_ask(&f.c, 'n'));
	must_eq(ksm_child_end(&f.c), 0);
	squeeze(f.map);
	must(ksm_contents_ok(f.map, PAGES, SEED, 1));
}

/* Given up while it is shared, written again when it is not any more */
static void test_written_alone(void)
{
	struct family f;

	family_start(&f, 6);
	must(ksm_ask(&f.c, 'f'));
	ksm_unmap(f.map, PAGES);
	must(ksm_ask(&f.c, 'w'));
	ksm_scan(3);
	must(ksm_ask(&f.c, 's'));
	must(ksm_ask(&f.c, 'n'));
	ksm_scan(3);
	must(ksm_ask(&f.c, 's'));
	must(ksm_ask(&f.c, 'n'));
	must_eq(ksm_child_end(&f.c), 0);
}

/*
 * A server that forks children which exit: what it writes in between is
 * noticed, and merged as soon as that of others.
 */
static void test_server(void)
{
	struct ksm_child c;
	char *map, *like;
	int round;

	ksm_set("smart_scan", 1);
	map = ksm_map_merge(PAGES, SEED, 1);
	like = ksm_map_merge(PAGES, NEW, 1);
	ksm_scan(4);
	for (round = 0; round < 4; round++) {
		ksm_child_start(&c, sharer, map);
		ksm_scan(4);
		must_eq(ksm_child_end(&c), 0);
		/* Some only after a look at them when they are not shared. */
		if (round & 1) {
			ksm_scan(2);
			must_eq(ksm_get("pages_sharing"), 0);
			must_eq(ksm_get("pages_shared") +
				ksm_get("pages_unshared"), 2 * PAGES);
		}
		ksm_fill(map, PAGES, NEW, 1);
		ksm_scan(3);
		must(ksm_counts_are(PAGES, PAGES, 0, 0));
		must(ksys_same_pages(map, like, PAGES));
		must(ksm_contents_ok(map, PAGES, NEW, 1));
		ksm_fill(map, PAGES, SEED, 1);
		ksm_scan(5);
		must(ksm_contents_ok(like, PAGES, NEW, 1));
	}
}

static const struct ksys_case cases[] = {
	{ "a child is rid of what it gave up", test_child_rid },
	{ "a parent is rid of what it gave up", test_parent_rid },
	{ "the child gives up, the parent keeps", test_parent_keeps },
	{ "the parent gives up, the child keeps", test_child_keeps },
	{ "given up and written again", test_written_again },
	{ "given up, written again when alone", test_written_alone },
	{ "a server that forks is watched all the same", test_server },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksys_reclaim_setup(64UL << 20);
	ksys_main(cases, ARRAY_SIZE(cases));
}
