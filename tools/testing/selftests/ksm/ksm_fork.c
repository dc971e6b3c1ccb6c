// SPDX-License-Identifier: GPL-2.0
/*
 * fork(): what a child inherits, what is counted, which pages stay separate
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"

#define PAGES	64

static char *page_at(char *map, size_t i)
{
	return map + i * ps();
}

/*
 * Children of these cases execute commands of one letter.  They answer 'y', or
 * 'n' if something is wrong.
 */
struct order {
	char *map;
	__u64 seed;
	__u64 step;
};

static bool do_command(int what, const struct order *o)
{
	struct ksm_stat st;

	switch (what) {
	case 'c':	/* contents as they should be? */
		return ksm_contents_ok(o->map, PAGES, o->seed, o->step);
	case 'm':	/* all merged? */
		return ksm_count_merged(o->map, PAGES) == PAGES;
	case 'f':	/* flagged? */
		return ksm_vma_flag(0, o->map, "mg");
	case '0':	/* nothing counted? */
		return !ksm_stat(0, &st) && !st.merging_pages &&
		       !st.rmap_items;
	case 'a':	/* all counted? */
		return ksm_merging_pages(0) == PAGES;
	case 'w':	/* write all */
		ksm_fill(o->map, PAGES, 1000 + getpid() * 1000UL, 1);
		return ksm_count_merged(o->map, PAGES) == 0;
	case 'W':	/* still as written? */
		return ksm_contents_ok(o->map, PAGES,
				       1000 + getpid() * 1000UL, 1);
	case 'u':
		ksm_unmergeable(o->map, PAGES);
		return ksm_count_merged(o->map, PAGES) == 0 &&
		       ksm_count_pfns(o->map, PAGES) == PAGES;
	case 'z':	/* all from zero pages? */
		return !ksm_stat(0, &st) && st.zero_pages == PAGES;
	case 'd':	/* zero pages written: each leaves the count */
		memset(o->map, 0, PAGES * ps());
		return !ksm_stat(0, &st) && st.zero_pages == 0;
	default:
		return false;
	}
}

static int command_child(struct ksm_child *c, void *arg)
{
	int what;

	while ((what = ksm_hear(c)) > 0 && what != 'q')
		ksm_say(c, do_command(what, arg) ? 'y' : 'n');
	return what != 'q';
}

static void test_before_merge(void)
{
	struct order o = { ksm_map_merge(PAGES, 1, 0), 1, 0 };
	struct ksm_child c;
	bool copied;

	ksm_set("smart_scan", 0);
	ksm_child_start(&c, command_child, &o);
	CHECK(ksm_ask(&c, 'f') && ksm_ask(&c, '0') && ksm_ask(&c, 'c'));
	ksm_scan(3);
	CHECK(ksm_counts_are(1, 2 * PAGES - 1, 0, 0));
	CHECK(ksm_ask(&c, 'm') && ksm_ask(&c, 'a') && ksm_ask(&c, 'c'));
	CHECK(ksm_merging_pages(0) == PAGES);
	CHECK(ksm_contents_ok(o.map, PAGES, 1, 0));
	/* Here it is not fork that made the pages read-only, but ksmd. */
	copied = ksm_ask(&c, 'w');
	CHECK(ksm_contents_ok(o.map, PAGES, 1, 0));
	CHECK(copied && ksm_ask(&c, 'W'));
	CHECK(ksm_child_end(&c) == 0);
	ksm_scan(2);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
}

static void test_after_merge(void)
{
	struct order o = { ksm_map_merge(PAGES, 2, 0), 2, 0 };
	struct ksm_child c;

	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	ksm_child_start(&c, command_child, &o);
	/* It has the pages, but is counted when ksmd gets there. */
	CHECK(ksm_ask(&c, 'm') && ksm_ask(&c, '0') && ksm_ask(&c, 'f'));
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	CHECK(ksm_kpagecount(ksm_pfn(0, o.map)) == 2 * PAGES);
	ksm_scan(2);
	CHECK(ksm_counts_are(1, 2 * PAGES - 1, 0, 0));
	CHECK(ksm_ask(&c, 'a') && ksm_ask(&c, 'm') && ksm_ask(&c, 'c'));
	CHECK(ksm_child_end(&c) == 0);
	ksm_scan(2);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	CHECK(ksm_contents_ok(o.map, PAGES, 2, 0));
}

/* Both sides write the pages they share: each keeps its own. */
static void test_write_child(void)
{
	struct order o = { ksm_map_merge(PAGES, 3, 0), 3, 0 };
	struct ksm_child a, b;

	ksm_scan(3);
	ksm_child_start(&a, command_child, &o);
	ksm_child_start(&b, command_child, &o);
	CHECK(ksm_ask(&a, 'w'));
	CHECK(ksm_ask(&b, 'c') && ksm_ask(&b, 'm'));
	CHECK(ksm_contents_ok(o.map, PAGES, 3, 0));
	CHECK(ksm_count_merged(o.map, PAGES) == PAGES);
	ksm_run();
	CHECK(!ksm_wait_scans(2, KSM_DEADLINE_MS));
	CHECK(ksm_ask(&b, 'w') && ksm_ask(&b, 'W') && ksm_ask(&a, 'W'));
	ksm_fill(o.map, PAGES, 4, 1);
	CHECK(!ksm_wait_scans(2, KSM_DEADLINE_MS));
	CHECK(ksm_ask(&a, 'W') && ksm_ask(&b, 'W'));
	CHECK(ksm_contents_ok(o.map, PAGES, 4, 1));
	CHECK(ksm_wait_value("pages_shared", 0, KSM_DEADLINE_MS));
	CHECK(ksm_wait_value("pages_sharing", 0, KSM_DEADLINE_MS));
	CHECK(ksm_child_end(&a) == 0 && ksm_child_end(&b) == 0);
}

/* Only the parent unmerges; then only the child does. */
static void test_unmerge_one(void)
{
	struct order o = { ksm_map_merge(PAGES, 5, 0), 5, 0 };
	struct ksm_child c;

	ksm_scan(3);
	ksm_child_start(&c, command_child, &o);
	ksm_scan(2);
	ksm_unmergeable(o.map, PAGES);
	CHECK(ksm_count_pfns(o.map, PAGES) == PAGES);
	CHECK(ksm_ask(&c, 'm') && ksm_ask(&c, 'f') && ksm_ask(&c, 'c'));
	ksm_scan(2);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	ksm_mergeable(o.map, PAGES);
	ksm_scan(3);
	CHECK(ksm_counts_are(1, 2 * PAGES - 1, 0, 0));
	CHECK(ksm_ask(&c, 'u') && ksm_ask(&c, 'c'));
	CHECK(ksm_count_merged(o.map, PAGES) == PAGES);
	CHECK(ksm_contents_ok(o.map, PAGES, 5, 0));
	ksm_scan(2);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	CHECK(ksm_child_end(&c) == 0);
}

/* run=2 has to find the mappings of forks that ksmd has not seen yet. */
static void test_unmerge_all_forks(void)
{
	struct order o = { ksm_map_merge(PAGES, 6, 0), 6, 0 };
	struct ksm_child c[4];
	size_t i;

	ksm_scan(3);
	for (i = 0; i < ARRAY_SIZE(c); i++)
		ksm_child_start(&c[i], command_child, &o);
	CHECK(!ksm_unmerge_all());
	CHECK(ksm_counts_are(0, 0, 0, 0));
	CHECK(ksm_count_pfns(o.map, PAGES) == PAGES);
	for (i = 0; i < ARRAY_SIZE(c); i++) {
		CHECK(ksm_ask(&c[i], '0') && ksm_ask(&c[i], 'c'));
		CHECK(!ksm_ask(&c[i], 'm'));
	}
	CHECK(ksm_contents_ok(o.map, PAGES, 6, 0));
	for (i = 0; i < ARRAY_SIZE(c); i++)
		CHECK(ksm_child_end(&c[i]) == 0);
}

/* The parent goes, the child's pages stay merged and right. */
static int orphan(struct ksm_child *c, void *arg)
{
	struct order *o = arg;
	struct ksm_child *up = c;
	pid_t pid;

	o->map = ksm_map_merge(PAGES, o->seed, 0);
	ksm_say(up, 'r');
	if (ksm_hear(up) != 'g')
		return 1;
	pid = fork();
	if (pid < 0)
		return 1;
	/* The grandchild speaks over the pipes of its parent. */
	return pid ? 0 : command_child(c, o);
}

static void test_parent_exits(void)
{
	struct order o = { NULL, 7, 0 };
	struct ksm_child c;
	int status;

	CHECK(!prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	ksm_set("smart_scan", 0);
	ksm_child_start(&c, orphan, &o);
	CHECK(ksm_hear(&c) == 'r');
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	ksm_say(&c, 'g');
	CHECK(waitpid(c.pid, &status, 0) == c.pid && !status);
	CHECK(ksm_ask(&c, 'm') && ksm_ask(&c, 'c'));
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	CHECK(ksm_ask(&c, 'a') && ksm_ask(&c, 'm') && ksm_ask(&c, 'c'));
	CHECK(ksm_ask(&c, 'w') && ksm_ask(&c, 'W'));
	ksm_scan(3);
	CHECK(ksm_counts_are(0, 0, PAGES, 0));
	CHECK(ksm_ask(&c, 'W'));
	ksm_say(&c, 'q');
	CHECK(wait(&status) > 0 && !status);
}

/* Children of children, half of them seen by ksmd. */
static int generation(struct ksm_child *c, void *arg)
{
	struct order *o = arg;
	long depth = o->step;
	struct ksm_child next;

	if (!ksm_contents_ok(o->map, PAGES, o->seed, 0))
		return 1;
	if (depth) {
		o->step = depth - 1;
		ksm_child_start(&next, generation, o);
		if (ksm_hear(&next) != 'b')
			return 1;
		ksm_say(c, 'b');
		if (ksm_hear(c) != 'g')
			return 1;
		ksm_page_fill(page_at(o->map, depth), 100 + depth);
		ksm_say(&next, 'g');
		if (ksm_child_wait(&next))
			return 1;
	} else {
		ksm_say(c, 'b');
		if (ksm_hear(c) != 'g')
			return 1;
	}
	/* Of all the pages only the own write is seen. */
	return !ksm_contents_ok(o->map, depth, o->seed, 0) ||
	       (depth && !ksm_page_ok(page_at(o->map, depth), 100 + depth)) ||
	       !ksm_contents_ok(page_at(o->map, depth + 1),
				PAGES - depth - 1, o->seed, 0);
}

static void test_generations(void)
{
	struct order o = { ksm_map_merge(PAGES, 8, 0), 8, 6 };
	struct ksm_child c;

	ksm_scan(3);
	ksm_run();
	ksm_child_start(&c, generation, &o);
	CHECK(ksm_hear(&c) == 'b');
	CHECK(!ksm_wait_scans(1, KSM_DEADLINE_MS));
	ksm_say(&c, 'g');
	CHECK(ksm_child_wait(&c) == 0);
	CHECK(ksm_contents_ok(o.map, PAGES, 8, 0));
	CHECK(!ksm_wait_scans(2, KSM_DEADLINE_MS));
	ksm_stop();
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
}

/* The zero-page accounting is inherited and given back. */
static void test_zero_pages(void)
{
	struct order o = { ksm_map(PAGES), 0, 0 };
	struct ksm_child a, b;
	struct ksm_stat st;

	ksm_set("use_zero_pages", 1);
	memset(o.map, 0, PAGES * ps());
	ksm_mergeable(o.map, PAGES);
	ksm_scan(3);
	CHECK(ksm_get("ksm_zero_pages") == PAGES);
	ksm_child_start(&a, command_child, &o);
	ksm_child_start(&b, command_child, &o);
	CHECK(ksm_ask(&a, 'z') && ksm_ask(&b, 'z'));
	CHECK(ksm_get("ksm_zero_pages") == 3 * PAGES);
	CHECK(ksm_ask(&a, 'd'));
	CHECK(ksm_get("ksm_zero_pages") == 2 * PAGES);
	CHECK(ksm_child_end(&b) == 0);
	CHECK(ksm_get("ksm_zero_pages") == PAGES);
	CHECK(ksm_child_end(&a) == 0);
	CHECK(ksm_get("ksm_zero_pages") == PAGES);
	CHECK(!ksm_stat(0, &st) && st.zero_pages == PAGES);
	ksm_unmap(o.map, PAGES);
	CHECK(ksm_get("ksm_zero_pages") == 0);
}

/* A process that was never registered leaves no trace in its children. */
static void test_unregistered(void)
{
	char *map = ksm_map(PAGES);
	struct order o = { map, 9, 0 };
	struct ksm_child c;

	ksm_fill(map, PAGES, 9, 0);
	ksm_child_start(&c, command_child, &o);
	CHECK(!ksm_ask(&c, 'f'));
	CHECK(ksm_ask(&c, '0') && ksm_ask(&c, 'c'));
	CHECK(ksm_child_end(&c) == 0);
}

/* vfork() and exit, many times, of a process with merged pages. */
static void test_vfork(void)
{
	char *map = ksm_map_merge(PAGES, 10, 0);
	int i, status;
	pid_t pid;

	ksm_scan(3);
	ksm_run();
	for (i = 0; i < 50; i++) {
		pid = vfork();
		if (!pid)
			_exit(0);
		CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
	}
	CHECK(!ksm_wait_scans(2, KSM_DEADLINE_MS));
	ksm_stop();
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	CHECK(ksm_contents_ok(map, PAGES, 10, 0));
}

/* Forks while ksmd merges, each checks and writes what it got. */
static int storm_child(struct ksm_child *c, void *arg)
{
	struct order *o = arg;
	size_t i;

	if (!ksm_contents_ok(o->map, PAGES, o->seed, o->step))
		return 1;
	for (i = 0; i < PAGES; i += 3)
		ksm_page_fill(page_at(o->map, i), 5000 + i);
	for (i = 0; i < PAGES; i++) {
		__u64 seed = i % 3 ? o->seed + i * o->step : 5000 + i;

		if (!ksm_contents_ok(page_at(o->map, i), 1, seed, 0))
			return 1;
	}
	return 0;
}

static void test_storm(void)
{
	struct order o = { ksm_map(PAGES), 20, 0 };
	__u64 stop = ksm_now_ms() + 2500;
	unsigned int rounds = 0;
	struct ksm_child c[4];
	size_t i;

	ksm_mergeable(o.map, PAGES);
	ksm_run();
	while (ksm_now_ms() < stop || rounds < 5) {
		o.seed++;
		ksm_fill(o.map, PAGES, o.seed, 0);
		for (i = 0; i < ARRAY_SIZE(c); i++) {
			ksm_child_start(&c[i], storm_child, &o);
			if (rounds % 4 == 1)
				CHECK(!ksm_wait_scans(1, KSM_DEADLINE_MS));
		}
		for (i = 0; i < ARRAY_SIZE(c); i++)
			CHECK(ksm_child_wait(&c[i]) == 0);
		CHECK(ksm_contents_ok(o.map, PAGES, o.seed, o.step));
		rounds++;
	}
	ksft_print_msg("%u rounds\n", rounds);
	ksm_set("smart_scan", 0);
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	CHECK(ksm_contents_ok(o.map, PAGES, o.seed, o.step));
}

static const struct ksm_case cases[] = {
	{ "fork, then merge: both are merged", test_before_merge },
	{ "merge, then fork: the child is counted by the next scan",
	  test_after_merge },
	{ "writes of one side are not seen by the others", test_write_child },
	{ "unmerging one side leaves the other merged", test_unmerge_one },
	{ "run=2 unmerges forks that were never scanned",
	  test_unmerge_all_forks },
	{ "the child's pages outlive the parent", test_parent_exits },
	{ "seven generations", test_generations },
	{ "zero pages are counted for every process", test_zero_pages },
	{ "an unregistered process has unregistered children",
	  test_unregistered },
	{ "vfork", test_vfork },
	{ "forks during merging", test_storm },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_ON);
}
