// SPDX-License-Identifier: GPL-2.0
/*
 * The parent exits before ksmd has visited the child.
 *
 * The reverse map must find the child's mappings all the same.  Otherwise they
 * could not be reclaimed or migrated until ksmd visits them, which with ksmd
 * stopped is never.  Items kept for that must not be kept longer than needed.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/numa.h"
#include "lib/reclaim.h"
#include "lib/slab.h"

#define PAGES	128
#define SEED	3000
#define SWAP	(64UL << 20)

/* Two mappings of the same pages */
struct pair {
	char *a;
	char *b;
};

static void make_pair(struct pair *t)
{
	t->a = ksm_map_merge(PAGES, SEED, 1);
	t->b = ksm_map_merge(PAGES, SEED, 1);
}

static bool pair_ok(const struct pair *t)
{
	return ksm_contents_ok(t->a, PAGES, SEED, 1) &&
	       ksm_contents_ok(t->b, PAGES, SEED, 1);
}

static bool pair_swapped_out(const struct pair *t)
{
	return ksys_swap_out(t->a, PAGES) >= 0 &&
	       ksys_count_swapped(t->b, PAGES) == PAGES;
}

static bool pair_moved(const struct pair *t)
{
	int nodes[2], from, to;

	if (ksys_two_nodes(nodes))
		return false;
	from = ksys_page_node(0, t->a);
	to = from == nodes[0] ? nodes[1] : nodes[0];
	return !ksys_move_range(0, t->a, PAGES, to) &&
	       ksys_page_node(0, ksys_page(t->b, PAGES - 1)) == to;
}

/* --- The child and its parent -------------------------------------------- */

static bool do_command(int what, const struct pair *t)
{
	switch (what) {
	case 'c':	/* contents as they should be? */
		return pair_ok(t);
	case 's':	/* swap all out */
		return pair_swapped_out(t);
	case 'm':	/* move all to another node */
		return pair_moved(t);
	case 'a':	/* all counted? */
		return ksm_merging_pages(0) == 2 * PAGES;
	case 'd':	/* let go of half of them */
		ksm_unmap(t->b, PAGES);
		return true;
	default:
		return false;
	}
}

static int command_loop(struct ksm_child *c, const struct pair *t)
{
	int what;

	while ((what = ksm_hear(c)) > 0 && what != 'q')
		ksm_say(c, do_command(what, t) ? 'y' : 'n');
	return what != 'q';
}

/* 'f': fork; what comes after is said to the child.  'x': exit */
static int parent_main(struct ksm_child *c, void *arg)
{
	struct pair t;
	pid_t pid;

	make_pair(&t);
	ksm_say(c, 'r');
	CHECK_EQ(ksm_hear(c), 'f');
	pid = fork();
	CHECK(pid >= 0);
	if (!pid)
		return command_loop(c, &t);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	pause();
	return 1;
}

/* Merged with its own and, if there are, those of another process; then fork */
static void merge_parent(struct ksm_child *c, struct pair *other)
{
	CHECK(!prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	ksm_child_start(c, parent_main, NULL);
	CHECK_EQ(ksm_hear(c), 'r');
	if (other)
		make_pair(other);
	ksm_scan(3);
	CHECK(ksm_counts_are(PAGES, other ? 3 * PAGES : PAGES, 0, 0));
	ksm_say(c, 'f');
	CHECK(ksm_ask(c, 'c'));
}

/* The child goes on with the pipes of its parent. */
static void kill_parent(struct ksm_child *c)
{
	int status;

	CHECK(!kill(c->pid, SIGKILL));
	CHECK_EQ(waitpid(c->pid, &status, 0), c->pid);
}

static void end_child(struct ksm_child *c)
{
	int status;

	ksm_say(c, 'q');
	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 0);
}

/* With ksmd stopped, a parent whose child was never visited */
static void set_up(struct ksm_child *c)
{
	merge_parent(c, NULL);
	kill_parent(c);
	CHECK(ksm_wait_value("pages_shared", 0, KSM_DEADLINE_MS));
	CHECK(ksm_wait_value("pages_volatile", 0, KSM_DEADLINE_MS));
	CHECK(ksm_counts_are(0, 0, 0, 0));
}

/* --- Found --------------------------------------------------------------- */

static void test_reclaim(void)
{
	struct ksm_child c;

	set_up(&c);
	CHECK(ksm_ask(&c, 's'));
	CHECK(ksm_ask(&c, 'c'));
	end_child(&c);
}

static void test_migrate(void)
{
	const char *why;
	struct ksm_child c;
	int nodes[2];

	why = ksys_two_nodes(nodes);
	if (why)
		ksm_skip("%s", why);
	set_up(&c);
	CHECK(ksm_ask(&c, 'm'));
	CHECK(ksm_ask(&c, 'c'));
	end_child(&c);
}

/* With others that map the pages, and one that does so no more */
static void test_reclaim_among_others(void)
{
	struct ksm_child c;
	struct pair other;

	merge_parent(&c, &other);
	ksm_fill(other.b, PAGES, SEED + 2 * PAGES, 1);
	kill_parent(&c);
	ksm_wait_value("pages_sharing", PAGES, KSM_DEADLINE_MS);
	CHECK(ksm_ask(&c, 's'));
	CHECK(ksm_ask(&c, 'c'));
	CHECK(ksm_contents_ok(other.a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(other.b, PAGES, SEED + 2 * PAGES, 1));
	end_child(&c);
}

/* --- But not kept -------------------------------------------------------- */

static void check_items(long nr)
{
	ksys_slab_print("ksm_rmap_item");
	CHECK_EQ(ksys_slab_objects("ksm_rmap_item"), nr);
}

static void test_gone_with_the_child(void)
{
	struct ksm_child c;

	set_up(&c);
	CHECK(ksm_ask(&c, 'c'));
	end_child(&c);
	ksm_wait_value("general_profit", 0, KSM_DEADLINE_MS);
	CHECK_EQ(ksys_slab_objects("ksm_"), 0);
	CHECK_EQ(ksm_get("general_profit"), 0);
}

static void test_gone_after_a_pass(void)
{
	struct ksm_child c;

	set_up(&c);
	ksm_scan(4);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	CHECK(ksm_ask(&c, 'a'));
	check_items(2 * PAGES);
	CHECK(ksm_ask(&c, 'c'));
	end_child(&c);
}

/* Who has forked long ago leaves nothing. */
static void test_all_visited(void)
{
	struct ksm_child c;

	merge_parent(&c, NULL);
	ksm_scan(3);
	CHECK(ksm_counts_are(PAGES, 3 * PAGES, 0, 0));
	kill_parent(&c);
	ksm_wait_value("pages_sharing", PAGES, KSM_DEADLINE_MS);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	check_items(2 * PAGES);
	end_child(&c);
}

static const struct ksm_case cases[] = {
	{ "the child's pages are reclaimed", test_reclaim },
	{ "the child's pages are reclaimed, others map them, too",
	  test_reclaim_among_others },
	{ "the child's pages are migrated", test_migrate },
	{ "nothing is kept when the child goes, too",
	  test_gone_with_the_child },
	{ "nothing is kept when the child was visited",
	  test_gone_after_a_pass },
	{ "nothing is kept by a process that forked long ago", test_all_visited },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksys_slab_setup();
	ksys_reclaim_setup(SWAP);
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
