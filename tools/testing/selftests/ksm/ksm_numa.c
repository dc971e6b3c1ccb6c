// SPDX-License-Identifier: GPL-2.0
/*
 * merge_across_nodes: with 0, equal pages merge only with those of their own
 * node; with 1, all of them do.  The knob cannot change while pages are
 * shared.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/numa.h"

#define PAGES	64
#define SEED	3000

static int nodes[2];

static char *on_node(int node, uint64_t seed, uint64_t step)
{
	char *map = ksm_map(PAGES);
	size_t i;

	ksys_bind(map, PAGES, node);
	ksm_fill(map, PAGES, seed, step);
	ksm_mergeable(map, PAGES);
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(ksys_page_node(0, ksys_page(map, i)), node);
	return map;
}

static void all_on(const char *map, int node)
{
	size_t i;

	for (i = 0; i < PAGES; i++)
		CHECK_EQ(ksys_page_node(0, ksys_page(map, i)), node);
}

struct four {
	char *a0, *b0, *a1, *b1;
};

static void map_four(struct four *f)
{
	f->a0 = on_node(nodes[0], SEED, 1);
	f->a1 = on_node(nodes[1], SEED, 1);
	f->b0 = on_node(nodes[0], SEED, 1);
	f->b1 = on_node(nodes[1], SEED, 1);
}

static void four_ok(const struct four *f)
{
	CHECK(ksm_contents_ok(f->a0, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(f->b0, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(f->a1, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(f->b1, PAGES, SEED, 1));
}

static void test_apart(void)
{
	struct four f;
	size_t i;

	ksm_set("merge_across_nodes", 0);
	map_four(&f);
	ksm_scan(2);
	CHECK(ksm_counts_are(2 * PAGES, 2 * PAGES, 0, 0));
	CHECK(ksm_same_pages(f.a0, f.b0, PAGES));
	CHECK(ksm_same_pages(f.a1, f.b1, PAGES));
	for (i = 0; i < PAGES; i++)
		CHECK(ksm_pfn(0, ksys_page(f.a0, i)) !=
		      ksm_pfn(0, ksys_page(f.a1, i)));
	all_on(f.a0, nodes[0]);
	all_on(f.b0, nodes[0]);
	all_on(f.a1, nodes[1]);
	all_on(f.b1, nodes[1]);
	four_ok(&f);
	ksm_fill(f.b1, PAGES, 90000, 1);
	CHECK(ksm_contents_ok(f.a0, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(f.b0, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(f.a1, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(f.b1, PAGES, 90000, 1));
}

static void test_across(void)
{
	struct four f;

	ksm_set("merge_across_nodes", 1);
	map_four(&f);
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, 3 * PAGES, 0, 0));
	CHECK(ksm_same_pages(f.a0, f.b0, PAGES));
	CHECK(ksm_same_pages(f.a0, f.a1, PAGES));
	CHECK(ksm_same_pages(f.a0, f.b1, PAGES));
	four_ok(&f);
}

/* One copy on each node: with 0 there is nothing to merge. */
static void test_one_each(void)
{
	char *a, *b;

	ksm_set("merge_across_nodes", 0);
	a = on_node(nodes[0], SEED, 1);
	b = on_node(nodes[1], SEED, 1);
	ksm_scan(3);
	CHECK(ksm_counts_are(0, 0, 2 * PAGES, 0));
	CHECK(ksm_none_merged(a, PAGES));
	CHECK(ksm_none_merged(b, PAGES));
	/* Switched, they do, after everything was unmerged or not. */
	CHECK_EQ(ksm_write_text("merge_across_nodes", "1"), 0);
	ksm_scan(3);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	CHECK(ksm_same_pages(a, b, PAGES));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
}

/* All copies of a content equal, on either node, with a sharing limit. */
static void test_limit_per_node(void)
{
	char *a, *b;

	ksm_set("merge_across_nodes", 0);
	ksm_set("max_page_sharing", 8);
	a = on_node(nodes[0], SEED, 0);
	b = on_node(nodes[1], SEED, 0);
	ksm_scan(2);
	CHECK(ksm_counts_are(2 * PAGES / 8, 2 * PAGES / 8 * 7, 0, 0));
	CHECK_EQ(ksm_count_pfns(a, PAGES), PAGES / 8);
	CHECK_EQ(ksm_count_pfns(b, PAGES), PAGES / 8);
	all_on(a, nodes[0]);
	all_on(b, nodes[1]);
	CHECK_EQ(ksm_get("stable_node_chains"), 2);
	CHECK_EQ(ksm_get("stable_node_dups"), 2 * PAGES / 8);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 0));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 0));
}

static void test_busy(void)
{
	struct four f;

	map_four(&f);
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, 3 * PAGES, 0, 0));
	CHECK_EQ(ksm_write_text("merge_across_nodes", "0"), -EBUSY);
	CHECK_EQ(ksm_write_text("merge_across_nodes", "1"), 0);
	CHECK_EQ(ksm_get("merge_across_nodes"), 1);
	CHECK_EQ(ksm_unmerge_all(), 0);
	CHECK_EQ(ksm_write_text("merge_across_nodes", "0"), 0);
	CHECK_EQ(ksm_get("merge_across_nodes"), 0);
	ksm_scan(2);
	CHECK(ksm_get("pages_shared") > 0);
	CHECK_EQ(ksm_write_text("merge_across_nodes", "1"), -EBUSY);
	CHECK_EQ(ksm_write_text("merge_across_nodes", "0"), 0);
	CHECK_EQ(ksm_get("merge_across_nodes"), 0);
	four_ok(&f);
	/* All sharers write: after a scan nothing is shared any more. */
	ksm_fill(f.a0, PAGES, 10000, 1);
	ksm_fill(f.b0, PAGES, 20000, 1);
	ksm_fill(f.a1, PAGES, 30000, 1);
	ksm_fill(f.b1, PAGES, 40000, 1);
	ksm_scan(2);
	CHECK_EQ(ksm_get("pages_shared"), 0);
	CHECK_EQ(ksm_write_text("merge_across_nodes", "1"), 0);
	CHECK(ksm_contents_ok(f.b1, PAGES, 40000, 1));
}

/* What one setting merged the other separates again. */
static void test_switch(void)
{
	struct four f;
	int i;

	map_four(&f);
	for (i = 0; i < 4; i++) {
		CHECK_EQ(ksm_unmerge_all(), 0);
		ksm_set("merge_across_nodes", i % 2);
		/* Copies are on the node of the policy of each range. */
		all_on(f.a0, nodes[0]);
		all_on(f.b0, nodes[0]);
		all_on(f.a1, nodes[1]);
		all_on(f.b1, nodes[1]);
		ksm_scan(2);
		if (i % 2)
			CHECK(ksm_counts_are(PAGES, 3 * PAGES, 0, 0));
		else
			CHECK(ksm_counts_are(2 * PAGES, 2 * PAGES, 0, 0));
		four_ok(&f);
	}
}

/* --- A KSM page that moved ----------------------------------------------- */

/* A process with pages on the first node, registered when it is told to */
struct owner {
	struct ksm_child c;
	char *map;
};

/* 'm': mergeable; 'e': equal contents, 'd': different ones; 'c', 'x': check */
static int owner_life(struct ksm_child *c, void *arg)
{
	uint64_t other = *(uint64_t *)arg;
	char *map = ksm_map(PAGES);
	bool ok = true;
	int what;

	ksys_bind(map, PAGES, nodes[0]);
	ksm_fill(map, PAGES, other, 1);
	ksm_say_long(c, (long)map);
	while ((what = ksm_hear(c)) > 0 && what != 'q') {
		if (what == 'm')
			ksm_mergeable(map, PAGES);
		else if (what == 'e' || what == 'd')
			ksm_fill(map, PAGES, what == 'e' ? SEED : other, 1);
		else
			ok = ksm_contents_ok(map, PAGES,
					     what == 'c' ? SEED : other, 1);
		ksm_say(c, ok ? 'y' : 'n');
	}
	return 0;
}

static void owner_start(struct owner *o, uint64_t other)
{
	ksm_child_start(&o->c, owner_life, &other);
	o->map = (char *)ksm_hear_long(&o->c);
	CHECK(ksm_ask(&o->c, 'm'));
}

static void owner_on(const struct owner *o, int node)
{
	size_t i;

	for (i = 0; i < PAGES; i++)
		CHECK_EQ(ksys_page_node(o->c.pid, ksys_page(o->map, i)), node);
}

static size_t owners_share(const struct owner *a, const struct owner *b)
{
	size_t i, n = 0;

	for (i = 0; i < PAGES; i++)
		n += ksm_pfn(a->c.pid, ksys_page(a->map, i)) ==
		     ksm_pfn(b->c.pid, ksys_page(b->map, i));
	return n;
}

/*
 * Three processes, visited in this order: one that will leave a KSM page that
 * is full, one that waits for room, one that stays.  If the page moves to
 * another node after the first has left, he who waits is the first to see it.
 */
static void test_moved(void)
{
	struct owner leaves, waits, stays;

	ksm_set("merge_across_nodes", 0);
	ksm_set("max_page_sharing", 2);
	owner_start(&leaves, 20000);
	owner_start(&waits, 30000);
	owner_start(&stays, 40000);
	CHECK(ksm_ask(&leaves.c, 'e'));
	CHECK(ksm_ask(&stays.c, 'e'));
	ksm_scan(3);
	CHECK(ksm_counts_are(PAGES, PAGES, PAGES, 0));
	CHECK_EQ(owners_share(&leaves, &stays), PAGES);
	CHECK(ksm_ask(&waits.c, 'e'));
	ksm_scan(4);
	CHECK(ksm_counts_are(PAGES, PAGES, PAGES, 0));

	CHECK(ksm_ask(&leaves.c, 'd'));
	owner_on(&waits, nodes[0]);
	owner_on(&stays, nodes[0]);
	CHECK_EQ(ksys_move_range(stays.c.pid, stays.map, PAGES, nodes[1]), 0);
	owner_on(&stays, nodes[1]);
	ksm_scan(4);
	/* No page has changed nodes by sharing or unsharing. */
	owner_on(&leaves, nodes[0]);
	owner_on(&waits, nodes[0]);
	owner_on(&stays, nodes[1]);
	CHECK_EQ(owners_share(&waits, &stays), 0);
	CHECK(ksm_counts_are(PAGES, 0, 2 * PAGES, 0));
	CHECK(ksm_ask(&leaves.c, 'x'));
	CHECK(ksm_ask(&waits.c, 'c'));
	CHECK(ksm_ask(&stays.c, 'c'));

	/* Back on the first node the page has room for him. */
	CHECK_EQ(ksys_move_range(stays.c.pid, stays.map, PAGES, nodes[0]), 0);
	ksm_scan(12);
	CHECK(ksm_counts_are(PAGES, PAGES, PAGES, 0));
	CHECK_EQ(owners_share(&waits, &stays), PAGES);
	owner_on(&waits, nodes[0]);
	CHECK(ksm_ask(&waits.c, 'c'));
	CHECK(ksm_ask(&stays.c, 'c'));
}

static const struct ksm_case cases[] = {
	{ "0: each node for itself", test_apart },
	{ "1: across nodes", test_across },
	{ "one copy on each node", test_one_each },
	{ "max_page_sharing on each node", test_limit_per_node },
	{ "EBUSY while pages are shared", test_busy },
	{ "switched back and forth", test_switch },
	{ "0: a KSM page that moved to another node", test_moved },
};

int main(void)
{
	const char *why;

	ksft_print_header();
	ksm_setup();
	why = ksys_two_nodes(nodes);
	if (why)
		ksm_skip_all("%s", why);
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
