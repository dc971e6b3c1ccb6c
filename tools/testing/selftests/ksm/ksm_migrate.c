// SPDX-License-Identifier: GPL-2.0
/*
 * Merged pages move: between nodes, by compaction, off a memory block.
 *
 * A move must take every mapping along, those of forks that ksmd has not yet
 * visited included; what moved is still merged, and new duplicates join it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/blocks.h"
#include "lib/files.h"
#include "lib/ksm.h"
#include "lib/numa.h"

#define PAGES	128
#define SEED	2000

static int nodes[2];
static const char *no_nodes;	/* why pages cannot move between nodes */

static void need_nodes(void)
{
	if (no_nodes)
		ksm_skip("%s", no_nodes);
}

/* The page frames of a range, to be compared later. */
static unsigned long *frames(const void *addr, size_t pages)
{
	unsigned long *pfn = calloc(pages, sizeof(*pfn));
	size_t i;

	CHECK(pfn);
	for (i = 0; i < pages; i++)
		pfn[i] = ksm_pfn(0, ksys_page(addr, i));
	return pfn;
}

static size_t frames_changed(const unsigned long *pfn, const void *addr,
			     size_t pages)
{
	size_t i, n = 0;

	for (i = 0; i < pages; i++)
		n += pfn[i] != ksm_pfn(0, ksys_page(addr, i));
	return n;
}

/* All pages of the range are merged, on this node, with so many mappings. */
static void check_range(const void *addr, int node, long mappings)
{
	unsigned long pfn;
	size_t i;

	CHECK_EQ(ksm_smaps_kb(addr), PAGES * ksm_page_size() / 1024);
	for (i = 0; i < PAGES; i++) {
		pfn = ksm_pfn(0, ksys_page(addr, i));
		CHECK(pfn);
		CHECK_EQ(ksm_kpagecount(pfn), mappings);
		CHECK_EQ(ksys_page_node(0, ksys_page(addr, i)), node);
	}
}

static void pair_on_node(char **a, char **b, int node)
{
	*a = ksm_map(PAGES);
	*b = ksm_map(PAGES);
	ksys_bind(*a, PAGES, node);
	ksys_bind(*b, PAGES, node);
	ksm_fill(*a, PAGES, SEED, 1);
	ksm_fill(*b, PAGES, SEED, 1);
	ksm_mergeable(*a, PAGES);
	ksm_mergeable(*b, PAGES);
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	CHECK(ksm_same_pages(*a, *b, PAGES));
	check_range(*a, node, 2);
}

/* Duplicates that turn up later find the moved pages. */
static char *newcomers_join(char *a, long sharing)
{
	char *c = ksm_map_merge(PAGES, SEED, 1);

	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, sharing + PAGES, 0, 0));
	CHECK(ksm_same_pages(a, c, PAGES));
	CHECK(ksm_contents_ok(c, PAGES, SEED, 1));
	return c;
}

static void test_move(void)
{
	unsigned long *pfn;
	char *a, *b;
	int i;

	need_nodes();
	pair_on_node(&a, &b, nodes[0]);
	for (i = 1; i < 6; i++) {
		pfn = frames(a, PAGES);
		CHECK_EQ(ksys_move_range(0, i & 2 ? a : b, PAGES, nodes[i % 2]),
			 0);
		CHECK_EQ(frames_changed(pfn, a, PAGES), PAGES);
		free(pfn);
		CHECK(ksm_same_pages(a, b, PAGES));
		check_range(a, nodes[i % 2], 2);
		CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
		CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
		CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	}
	/* ksmd is of the same opinion, with and without new pages. */
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	CHECK(ksm_same_pages(a, b, PAGES));
	newcomers_join(a, PAGES);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
}

static void test_move_then_write(void)
{
	char *a, *b;

	need_nodes();
	pair_on_node(&a, &b, nodes[0]);
	CHECK_EQ(ksys_move_range(0, a, PAGES, nodes[1]), 0);
	ksm_fill(b, PAGES, 55000, 1);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, 55000, 1));
	ksm_scan(2);
	/* One mapping left: still a KSM page, without sharers. */
	CHECK(ksm_counts_are(PAGES, 0, PAGES, 0));
	ksm_fill(a, PAGES, 66000, 1);
	ksm_scan(2);
	CHECK(ksm_counts_are(0, 0, 2 * PAGES, 0));
	CHECK(ksm_contents_ok(a, PAGES, 66000, 1));
	CHECK(ksm_contents_ok(b, PAGES, 55000, 1));
}

struct maps {
	char *a;
	char *b;
};

/* Says whether its view is right; 'n' for the page frames, then 'c', 'q'. */
static int holder(struct ksm_child *c, void *arg)
{
	struct maps *m = arg;
	int what;
	size_t i;

	while ((what = ksm_hear(c)) != 'q') {
		if (what == 'n') {
			for (i = 0; i < PAGES; i++)
				ksm_say_long(c, ksm_pfn(0, ksys_page(m->a, i)));
		} else if (what == 'c') {
			ksm_say(c, ksm_contents_ok(m->a, PAGES, SEED, 1) &&
				ksm_contents_ok(m->b, PAGES, SEED, 1) ?
				'y' : 'n');
		} else {
			return 1;
		}
	}
	return 0;
}

static void child_agrees(struct ksm_child *c, const struct maps *m)
{
	size_t i;

	ksm_say(c, 'n');
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(ksm_hear_long(c), ksm_pfn(0, ksys_page(m->a, i)));
	CHECK(ksm_ask(c, 'c'));
}

static void test_unvisited_forks(void)
{
	struct ksm_child c[3];
	struct maps m;
	int i;

	need_nodes();
	pair_on_node(&m.a, &m.b, nodes[0]);
	for (i = 0; i < 3; i++)
		ksm_child_start(&c[i], holder, &m);
	check_range(m.a, nodes[0], 8);
	CHECK_EQ(ksys_move_range(0, m.a, PAGES, nodes[1]), 0);
	check_range(m.a, nodes[1], 8);
	for (i = 0; i < 3; i++)
		child_agrees(&c[i], &m);
	/* From the side of a child that ksmd does not know yet. */
	CHECK_EQ(ksys_move_range(c[1].pid, m.b, PAGES, nodes[0]), 0);
	check_range(m.a, nodes[0], 8);
	for (i = 0; i < 3; i++)
		child_agrees(&c[i], &m);
	/* Now it gets to know them. */
	ksm_scan(1);
	CHECK(ksm_counts_are(PAGES, 7 * PAGES, 0, 0));
	CHECK_EQ(ksys_move_range(c[2].pid, m.a, PAGES, nodes[1]), 0);
	check_range(m.a, nodes[1], 8);
	for (i = 0; i < 3; i++)
		child_agrees(&c[i], &m);
	newcomers_join(m.a, 7 * PAGES);
	CHECK(ksm_contents_ok(m.a, PAGES, SEED, 1));
	for (i = 0; i < 3; i++) {
		child_agrees(&c[i], &m);
		CHECK_EQ(ksm_child_end(&c[i]), 0);
	}
}

/* The parent, whom ksmd knew, has unmapped them: only the fork is left. */
static void test_only_the_fork_is_left(void)
{
	struct ksm_child c;
	struct maps m;
	size_t i;

	need_nodes();
	pair_on_node(&m.a, &m.b, nodes[0]);
	ksm_child_start(&c, holder, &m);
	ksm_unmap(m.a, PAGES);
	ksm_unmap(m.b, PAGES);
	CHECK_EQ(ksys_move_range(c.pid, m.a, PAGES, nodes[1]), 0);
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(ksm_pfn(c.pid, ksys_page(m.a, i)),
			 ksm_pfn(c.pid, ksys_page(m.b, i)));
	CHECK(ksm_ask(&c, 'c'));
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	CHECK_EQ(ksys_move_range(c.pid, m.b, PAGES, nodes[0]), 0);
	CHECK(ksm_ask(&c, 'c'));
	CHECK_EQ(ksm_child_end(&c), 0);
}

/* migrate_pages(2): the whole process, as cpusets do it. */
static void test_whole_process(void)
{
	struct ksm_child c;
	struct maps m;
	long left;

	need_nodes();
	pair_on_node(&m.a, &m.b, nodes[0]);
	/* Bound memory is moved as well, against its policy. */
	ksm_child_start(&c, holder, &m);
	left = ksys_migrate_process(0, nodes[0], nodes[1]);
	CHECK(left >= 0);
	ksft_print_msg("%ld pages of the process did not move\n", left);
	check_range(m.a, nodes[1], 4);
	child_agrees(&c, &m);
	CHECK(ksm_contents_ok(m.a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(m.b, PAGES, SEED, 1));
	left = ksys_migrate_process(c.pid, nodes[1], nodes[0]);
	CHECK(left >= 0);
	check_range(m.a, nodes[0], 4);
	child_agrees(&c, &m);
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, 3 * PAGES, 0, 0));
	newcomers_join(m.a, 3 * PAGES);
	CHECK_EQ(ksm_child_end(&c), 0);
}

/* With a tree for each node, a moved page belongs to its new node's. */
static void test_new_home(void)
{
	char *a, *b, *c, *d;

	need_nodes();
	ksm_set("merge_across_nodes", 0);
	pair_on_node(&a, &b, nodes[0]);
	CHECK_EQ(ksys_move_range(0, a, PAGES, nodes[1]), 0);
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));

	c = ksm_map(PAGES);
	ksys_bind(c, PAGES, nodes[1]);
	ksm_fill(c, PAGES, SEED, 1);
	ksm_mergeable(c, PAGES);
	d = ksm_map(PAGES);
	ksys_bind(d, PAGES, nodes[0]);
	ksm_fill(d, PAGES, SEED, 1);
	ksm_mergeable(d, PAGES);
	ksm_scan(3);
	CHECK(ksm_counts_are(PAGES, 2 * PAGES, PAGES, 0));
	CHECK(ksm_same_pages(a, b, PAGES));
	CHECK(ksm_same_pages(a, c, PAGES));
	CHECK(ksm_none_merged(d, PAGES));
	check_range(a, nodes[1], 3);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(c, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(d, PAGES, SEED, 1));

	/* Two merged pages of equal content meet on one node. */
	CHECK_EQ(ksys_move_range(0, d, PAGES, nodes[1]), 0);
	ksm_scan(3);
	CHECK(ksm_counts_are(PAGES, 3 * PAGES, 0, 0));
	CHECK(ksm_same_pages(a, d, PAGES));
	CHECK(ksm_contents_ok(d, PAGES, SEED, 1));
}

static int writer(struct ksm_child *c, void *arg)
{
	uint64_t end = ksm_now_ms() + ksys_budget_ms(), round = 0;
	char *map = *(char **)arg;
	size_t i;

	do {
		i = round * 7 % PAGES;
		ksm_page_fill(ksys_page(map, i), 99000 + round);
		if (!ksm_page_ok(ksys_page(map, i), 99000 + round))
			return 1;
		ksm_page_fill(ksys_page(map, i), SEED + i);
		if (round % 64 == 0 && !ksm_contents_ok(map, PAGES, SEED, 1))
			return 1;
		round++;
	} while (ksm_now_ms() < end);
	ksm_say(c, 'd');
	ksm_hear(c);
	return ksm_contents_ok(map, PAGES, SEED, 1) ? 0 : 1;
}

/* Pages move while ksmd merges them and two processes write. */
static void test_all_at_once(void)
{
	uint64_t end = ksm_now_ms() + ksys_budget_ms();
	struct ksm_child c[2];
	int rounds = 0, i;
	char *a, *b;

	need_nodes();
	a = ksm_map_merge(PAGES, SEED, 1);
	b = ksm_map_merge(PAGES, SEED, 1);
	ksm_run();
	ksm_child_start(&c[0], writer, &a);
	ksm_child_start(&c[1], writer, &b);
	do {
		ksys_move_range(c[rounds % 2].pid, rounds % 2 ? b : a, PAGES,
				nodes[rounds / 2 % 2]);
		rounds++;
	} while (ksm_now_ms() < end);
	for (i = 0; i < 2; i++)
		CHECK_EQ(ksm_hear(&c[i]), 'd');
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	ksm_stop();
	CHECK(ksm_scan_until(PAGES, 5 * PAGES, 0));
	CHECK_EQ(ksys_move_range(0, a, PAGES, nodes[0]), 0);
	check_range(a, nodes[0], 6);
	for (i = 0; i < 2; i++)
		CHECK_EQ(ksm_child_end(&c[i]), 0);
	ksft_print_msg("%d rounds\n", rounds);
}

/*
 * Compaction moves pages from the low end of a zone to free ones at its high
 * end.  Which ones is the kernel's choice: take a part of the free memory away
 * first, merge pages of what is left, with holes between them, and give
 * everything back.  Some of 2048 pages have to be in the way then.
 */
#define COMPACT_PAGES	2048
#define COMPACT_SECONDS	400	/* an emulated machine needs minutes */

static size_t compact(size_t filler)
{
	char *a, *b, *fill, *holes;
	unsigned long *pfn;
	size_t moved, i;

	CHECK_EQ(ksm_unmerge_all(), 0);
	fill = ksm_map(filler);
	for (i = 0; i < filler; i++)
		*(char *)ksys_page(fill, i) = 1;
	/* In turn, so that freeing one leaves holes between the others. */
	a = ksm_map(COMPACT_PAGES);
	holes = ksm_map(COMPACT_PAGES);
	for (i = 0; i < COMPACT_PAGES; i++) {
		ksm_page_fill(ksys_page(a, i), SEED + i);
		*(char *)ksys_page(holes, i) = 1;
	}
	ksm_mergeable(a, COMPACT_PAGES);
	b = ksm_map_merge(COMPACT_PAGES, SEED, 1);
	ksm_scan(2);
	CHECK(ksm_counts_are(COMPACT_PAGES, COMPACT_PAGES, 0, 0));
	pfn = frames(a, COMPACT_PAGES);
	ksm_unmap(fill, filler);
	ksm_unmap(holes, COMPACT_PAGES);
	CHECK_EQ(ksys_write("/proc/sys/vm/compact_memory", "1"), 0);
	moved = frames_changed(pfn, a, COMPACT_PAGES);
	free(pfn);
	CHECK(ksm_same_pages(a, b, COMPACT_PAGES));
	CHECK(ksm_contents_ok(a, COMPACT_PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, COMPACT_PAGES, SEED, 1));
	ksm_scan(2);
	CHECK(ksm_counts_are(COMPACT_PAGES, COMPACT_PAGES, 0, 0));
	ksm_fill(b, COMPACT_PAGES, 44000, 1);
	CHECK(ksm_contents_ok(a, COMPACT_PAGES, SEED, 1));
	ksm_unmap(a, COMPACT_PAGES);
	ksm_unmap(b, COMPACT_PAGES);
	return moved;
}

static void test_compaction(void)
{
	struct sysinfo info;
	size_t moved = 0, eighth;
	int round;

	if (access("/proc/sys/vm/compact_memory", F_OK))
		ksm_skip("kernel without CONFIG_COMPACTION");
	CHECK(!sysinfo(&info));
	eighth = info.freeram * info.mem_unit / ksm_page_size() / 8;
	for (round = 0; round < 5 && !moved; round++)
		moved = compact((2 + round) * eighth);
	ksft_print_msg("compaction moved %zu of %d merged pages in round %d\n",
		       moved, COMPACT_PAGES, round);
	CHECK(moved);
}

static void test_offline(void)
{
	unsigned long pfn;
	struct ksm_child c;
	struct maps m;
	size_t i;
	long block;
	int err;

	if (!ksys_block_size())
		ksm_skip("kernel without CONFIG_MEMORY_HOTPLUG");
	m.a = ksys_map_movable(PAGES);
	m.b = ksys_map_movable(PAGES);
	if (!m.a || !m.b)
		ksm_skip("no memory block in ZONE_MOVABLE");
	ksm_fill(m.a, PAGES, SEED, 1);
	ksm_fill(m.b, PAGES, SEED, 1);
	ksm_mergeable(m.a, PAGES);
	ksm_mergeable(m.b, PAGES);
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	block = ksys_block_of(ksm_pfn(0, m.a));
	CHECK(ksys_block_movable(block));
	ksm_child_start(&c, holder, &m);
	err = ksys_block_set(block, false);
	ksm_check(!err, "offline of block %ld: %s\n", block, strerror(-err));
	for (i = 0; i < PAGES; i++) {
		pfn = ksm_pfn(0, ksys_page(m.a, i));
		CHECK(pfn);
		CHECK(ksys_block_of(pfn) != block);
		CHECK_EQ(ksm_kpagecount(pfn), 4);
	}
	CHECK(ksm_same_pages(m.a, m.b, PAGES));
	child_agrees(&c, &m);
	CHECK(ksm_contents_ok(m.a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(m.b, PAGES, SEED, 1));
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, 3 * PAGES, 0, 0));
	newcomers_join(m.a, 3 * PAGES);
	CHECK_EQ(ksys_block_set(block, true), 0);
	CHECK_EQ(ksm_child_end(&c), 0);
}

static const struct ksm_case cases[] = {
	{ "move_pages: every mapping goes along", test_move },
	{ "written after a move", test_move_then_write },
	{ "forks ksmd has not visited", test_unvisited_forks },
	{ "only an unvisited fork is left", test_only_the_fork_is_left },
	{ "migrate_pages: a whole process", test_whole_process },
	{ "merge_across_nodes=0: a new home", test_new_home },
	{ "moves, ksmd and writers at once", test_all_at_once },
	{ "compaction", test_compaction, COMPACT_SECONDS },
	{ "offline of a memory block", test_offline },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	no_nodes = ksys_two_nodes(nodes);
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
