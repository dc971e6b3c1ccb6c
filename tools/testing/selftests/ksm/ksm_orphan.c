// SPDX-License-Identifier: GPL-2.0
/*
 * The parent goes before ksmd has seen the child.
 *
 * What the child maps has to be found all the same, or nobody could reclaim or
 * migrate it until ksmd comes by, with ksmd stopped never.  And what is kept
 * for that is not kept longer than needed.
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
struct twins {
	char *a;
	char *b;
};

static void make_twins(struct twins *t)
{
	t->a = ksm_map_merge(PAGES, SEED, 1);
	t->b = ksm_map_merge(PAGES, SEED, 1);
}

static bool twins_ok(const struct twins *t)
{
	return ksm_contents_ok(t->a, PAGES, SEED, 1) &&
	       ksm_contents_ok(t->b, PAGES, SEED, 1);
}

static bool twins_swapped_out(const struct twins *t)
{
	return ksys_swap_out(t->a, PAGES) >= 0 &&
	       ksys_count_swapped(t->b, PAGES) == PAGES;
}

static bool twins_moved(const struct twins *t)
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

static bool obey(int what, const struct twins *t)
{
	switch (what) {
	case 'c':	/* contents as they should be? */
		return twins_ok(t);
	case 's':	/* swap all out */
		return twins_swapped_out(t);
	case 'm':	/* move all to another node */
		return twins_moved(t);
	case 'a':	/* all counted? */
		return ksm_merging_pages(0) == 2 * PAGES;
	case 'd':	/* let go of half of them */
		ksm_unmap(t->b, PAGES);
		return true;
	default:
		return false;
	}
}

static int serve(struct ksm_child *c, const struct twins *t)
{
	int what;

	while ((what = ksm_hear(c)) > 0 && what != 'q')
		ksm_say(c, obey(what, t) ? 'y' : 'n');
	return what != 'q';
}

/* 'f': fork; what comes after is said to the child.  'x': exit */
static int parent_life(struct ksm_child *c, void *arg)
{
	struct twins t;
	pid_t pid;

	make_twins(&t);
	ksm_say(c, 'r');
	must_eq(ksm_hear(c), 'f');
	pid = fork();
	must(pid >= 0);
	if (!pid)
		return serve(c, &t);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	pause();
	return 1;
}

/* Merged with its own and, if there are, those of another process; then fork */
static void merge_parent(struct ksm_child *c, struct twins *other)
{
	must(!prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	ksm_child_start(c, parent_life, NULL);
	must_eq(ksm_hear(c), 'r');
	if (other)
		make_twins(other);
	ksm_scan(3);
	must(ksm_counts_are(PAGES, other ? 3 * PAGES : PAGES, 0, 0));
	ksm_say(c, 'f');
	must(ksm_ask(c, 'c'));
}

/* The child goes on with the pipes of its parent. */
static void kill_parent(struct ksm_child *c)
{
	int status;

	must(!kill(c->pid, SIGKILL));
	must_eq(waitpid(c->pid, &status, 0), c->pid);
}

static void end_child(struct ksm_child *c)
{
	int status;

	ksm_say(c, 'q');
	must(wait(&status) > 0);
	must_eq(status, 0);
}

/* With ksmd stopped, a parent whose child was never visited */
static void set_up(struct ksm_child *c)
{
	merge_parent(c, NULL);
	kill_parent(c);
	must(ksm_wait_value("pages_shared", 0, KSM_DEADLINE_MS));
	must(ksm_wait_value("pages_volatile", 0, KSM_DEADLINE_MS));
	must(ksm_counts_are(0, 0, 0, 0));
}

/* --- Found --------------------------------------------------------------- */

static void test_reclaim(void)
{
	struct ksm_child c;

	set_up(&c);
	must(ksm_ask(&c, 's'));
	must(ksm_ask(&c, 'c'));
	end_child(&c);
}

static void test_migrate(void)
{
	const char *why;
	struct ksm_child c;
	int nodes[2];

	why = ksys_two_nodes(nodes);
	if (why)
		ksys_skip("%s", why);
	set_up(&c);
	must(ksm_ask(&c, 'm'));
	must(ksm_ask(&c, 'c'));
	end_child(&c);
}

/* With others that map the pages, and one that does so no more */
static void test_reclaim_among_others(void)
{
	struct ksm_child c;
	struct twins other;

	merge_parent(&c, &other);
	ksm_fill(other.b, PAGES, SEED + 2 * PAGES, 1);
	kill_parent(&c);
	ksm_wait_value("pages_sharing", PAGES, KSM_DEADLINE_MS);
	must(ksm_ask(&c, 's'));
	must(ksm_ask(&c, 'c'));
	must(ksm_contents_ok(other.a, PAGES, SEED, 1));
	must(ksm_contents_ok(other.b, PAGES, SEED + 2 * PAGES, 1));
	end_child(&c);
}

/* --- But not kept -------------------------------------------------------- */

static void must_have_items(long nr)
{
	ksys_slab_print("ksm_rmap_item");
	must_eq(ksys_slab_objects("ksm_rmap_item"), nr);
}

static void test_gone_with_the_child(void)
{
	struct ksm_child c;

	set_up(&c);
	must(ksm_ask(&c, 'c'));
	end_child(&c);
	ksm_wait_value("general_profit", 0, KSM_DEADLINE_MS);
	must_eq(ksys_slab_objects("ksm_"), 0);
	must_eq(ksm_get("general_profit"), 0);
}

static void test_gone_after_a_pass(void)
{
	struct ksm_child c;

	set_up(&c);
	ksm_scan(4);
	must(ksm_counts_are(PAGES, PAGES, 0, 0));
	must(ksm_ask(&c, 'a'));
	must_have_items(2 * PAGES);
	must(ksm_ask(&c, 'c'));
	end_child(&c);
}

/* Who has forked long ago leaves nothing. */
static void test_all_visited(void)
{
	struct ksm_child c;

	merge_parent(&c, NULL);
	ksm_scan(3);
	must(ksm_counts_are(PAGES, 3 * PAGES, 0, 0));
	kill_parent(&c);
	ksm_wait_value("pages_sharing", PAGES, KSM_DEADLINE_MS);
	must(ksm_counts_are(PAGES, PAGES, 0, 0));
	must_have_items(2 * PAGES);
	end_child(&c);
}

static const struct ksys_case cases[] = {
	{ "the child's pages are reclaimed", test_reclaim },
	{ "the child's pages are reclaimed, others map them, too",
	  test_reclaim_among_others },
	{ "the child's pages are migrated", test_migrate },
	{ "nothing is kept when the child goes, too",
	  test_gone_with_the_child },
	{ "nothing is kept when the child was visited",
	  test_gone_after_a_pass },
	{ "nothing is kept by who forked long ago", test_all_visited },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksys_slab_setup();
	ksys_reclaim_setup(SWAP);
	ksys_main(cases, ARRAY_SIZE(cases));
}
