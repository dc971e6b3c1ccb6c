// SPDX-License-Identifier: GPL-2.0
/*
 * All memory that KSM uses is freed, to the last byte.
 *
 * When no mm is registered, KSM holds no memory: neither by its own counter,
 * general_profit, nor by those of the allocator.  Each case ends with that
 * check.  Cases differ in how processes and pages go: while others wait for
 * them, when they are about to be merged, or before ksmd has visited them.
 *
 * Pages are far apart from each other, so that state that is dropped for one is
 * not shared with its neighbours.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/pipe.h"
#include "lib/random.h"
#include "lib/slab.h"

#define PAGES		64
#define SEED		8000
#define FAR		(512UL << 20)	/* bytes from one page to the next */
#define ROUNDS		4
#define KIDS		6
#define PATIENCE_MS	3000	/* for what should be there at once */

/* --- Nothing is held ----------------------------------------------------- */

/* What cases before have left behind is not held against this one. */
static long left_bytes, left_objects;

static bool no_more_objects(void *unused)
{
	return ksys_slab_objects("ksm_") <= left_objects;
}

static void begin(void)
{
	ksm_run();
	ksm_wait_value("general_profit", 0, PATIENCE_MS);
	left_bytes = -ksm_get("general_profit");
	left_objects = ksys_slab_objects("ksm_");
	if (left_bytes || left_objects)
		ksft_print_msg("left before: %ld bytes, %ld objects\n",
			       left_bytes, left_objects);
	ksm_stop();
}

/* No mm is registered any more: ksmd notices and frees everything. */
static void check_nothing_held(void)
{
	struct ksm_counters c;
	bool none;

	ksm_run();
	ksm_wait_value("general_profit", -left_bytes, KSM_DEADLINE_MS / 3);
	ksm_counters(&c);
	ksm_check(c.profit == -left_bytes, "%ld bytes are still held\n",
		  -c.profit - left_bytes);
	none = ksm_poll(no_more_objects, NULL, KSM_DEADLINE_MS / 3);
	if (!none)
		ksys_slab_print("ksm_");
	CHECK(none);
	CHECK(ksm_counts_are(0, 0, 0, 0));
	CHECK_EQ(c.zero, 0);
	CHECK_EQ(c.chains, 0);
	CHECK_EQ(c.dups, 0);
	ksm_stop();
}

/* One process at a time, and what is left after it */
static void one_by_one(int (*life)(struct ksm_child *c, void *arg))
{
	struct ksm_child c;
	long round;

	begin();
	for (round = 0; round < ROUNDS; round++) {
		ksm_child_start(&c, life, (void *)round);
		CHECK_EQ(ksm_child_wait(&c), 0);
		check_nothing_held();
	}
}

/* After all of that */
static void test_nothing(void)
{
	begin();
	CHECK_EQ(left_bytes, 0);
	CHECK_EQ(left_objects, 0);
}

/* --- Pages that are far apart -------------------------------------------- */

static char *page_of(const char *map, size_t i)
{
	return (char *)map + i * FAR;
}

/* Not touched yet */
static char *reserve(void)
{
	char *map = mmap(NULL, PAGES * FAR, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(map != MAP_FAILED);
	madvise(map, PAGES * FAR, MADV_NOHUGEPAGE);
	return map;
}

static char *map_apart(uint64_t seed, uint64_t step)
{
	char *map = reserve();
	size_t i;

	for (i = 0; i < PAGES; i++)
		ksm_page_fill(page_of(map, i), seed + i * step);
	return map;
}

static void make_mergeable(char *map)
{
	CHECK(!madvise(map, PAGES * FAR, MADV_MERGEABLE));
}

static bool apart_ok(const char *map, uint64_t seed, uint64_t step)
{
	size_t i;

	for (i = 0; i < PAGES; i++)
		if (!ksm_contents_ok(page_of(map, i), 1, seed + i * step, 0))
			return false;
	return true;
}

/* --- A page is unmapped before its duplicate comes ----------------------- */

/* A pipe with references on these pages, so that they are not merged */
static void hold(int fd[2], char *map)
{
	size_t i;

	ksys_pipe_open(fd, PAGES);
	for (i = 0; i < PAGES; i++)
		ksys_pipe_add(fd, page_of(map, i), 1);
}

/*
 * Exactly so many passes, or a few more if the machine is busy.  There is one
 * batch to a pass, and time enough to stop in the pause after it.
 */
static void passes(long n)
{
	long goal = ksm_get("full_scans") + n;

	ksm_set("sleep_millisecs", 60);
	ksm_run();
	while (ksm_get("full_scans") < goal)
		ksm_sleep_ms(1);
	ksm_stop();
	ksm_set("sleep_millisecs", 0);
}

/*
 * Two ranges of duplicates.  The lower one, which ksmd visits first, has extra
 * references, so the pages of the upper one wait for their duplicates.  The
 * number of passes decides when those of the lower one are tried again.
 */
static void make_wait(char **low, char **high, int fd[2], long round)
{
	char *one = map_apart(SEED, 1), *other = map_apart(SEED, 1);

	*low = one < other ? one : other;
	*high = one < other ? other : one;
	hold(fd, *low);
	make_mergeable(*low);
	make_mergeable(*high);
	passes(2 + round);
	CHECK_EQ(ksm_get("pages_shared"), 0);
}

/* Now the lower ones are looked at, and those that waited are no more. */
static int lost_partner(struct ksm_child *c, void *arg)
{
	char *low, *high;
	int fd[2];

	make_wait(&low, &high, fd, (long)arg);
	CHECK(!munmap(high, PAGES * FAR));
	ksys_pipe_close(fd);
	ksm_scan(8);
	CHECK(ksm_counts_are(0, 0, PAGES, 0));
	CHECK(apart_ok(low, SEED, 1));
	return 0;
}

static void test_lost_partner(void)
{
	one_by_one(lost_partner);
}

/* Only every other one, and in its place there is something else. */
static int lost_some(struct ksm_child *c, void *arg)
{
	char *low, *high;
	int fd[2], i;

	make_wait(&low, &high, fd, (long)arg);
	for (i = 0; i < PAGES; i += 2)
		CHECK(!madvise(page_of(high, i), ps(), MADV_DONTNEED));
	ksys_pipe_close(fd);
	ksm_scan(9);
	CHECK(ksm_counts_are(PAGES / 2, PAGES / 2, PAGES / 2, 0));
	CHECK(apart_ok(low, SEED, 1));
	for (i = 0; i < PAGES; i++)
		CHECK(i % 2 ? ksm_page_ok(page_of(high, i), SEED + i) :
		      ksm_page_is_zero(page_of(high, i)));
	return 0;
}

static void test_lost_some(void)
{
	one_by_one(lost_some);
}

/* A process whose pages wait, until it is told to go */
static int waiting_process(struct ksm_child *c, void *arg)
{
	make_mergeable(map_apart(SEED, 1));
	ksm_say(c, 'r');
	ksm_hear(c);
	return 0;
}

/* As lost_partner(), and with its pages the other process goes. */
static int lost_process(struct ksm_child *c, void *arg)
{
	char *low = map_apart(SEED, 1);
	struct ksm_child other;
	int fd[2];

	hold(fd, low);
	/* First in the order of the scan */
	make_mergeable(low);
	ksm_child_start(&other, waiting_process, NULL);
	CHECK_EQ(ksm_hear(&other), 'r');
	passes(2 + (long)arg);
	CHECK_EQ(ksm_get("pages_shared"), 0);
	CHECK_EQ(ksm_child_kill(&other), 128 + SIGKILL);
	ksys_pipe_close(fd);
	ksm_scan(8);
	CHECK(ksm_counts_are(0, 0, PAGES, 0));
	CHECK(apart_ok(low, SEED, 1));
	return 0;
}

static void test_lost_process(void)
{
	one_by_one(lost_process);
}

/* --- A process goes between the look at its pages and what comes of it --- */

static bool any_shared(const char *map)
{
	size_t i;

	for (i = 0; i < PAGES; i++)
		if (!(ksm_pagemap(0, page_of(map, i)) &
		      KSM_PM_EXCLUSIVE))
			return true;
	return false;
}

/* The first of its pages is merged, the others are about to be. */
static int leaves_at_once(struct ksm_child *c, void *arg)
{
	__u64 end = ksm_now_ms() + KSM_DEADLINE_MS / 3;
	char *map = map_apart(SEED, 1);
	bool shared;

	make_mergeable(map);
	do
		shared = any_shared(map);
	while (!shared && ksm_now_ms() < end);
	_exit(shared ? 0 : 1);
}

static int leaving_child(struct ksm_child *c, void *arg)
{
	char *map = map_apart(SEED, 1), *dup = map_apart(SEED, 1);
	struct ksm_child kid;
	unsigned int i;

	make_mergeable(map);
	make_mergeable(dup);
	ksm_scan(3);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	ksm_run();
	for (i = 0; i < 20; i++) {
		ksm_child_start(&kid, leaves_at_once, NULL);
		CHECK_EQ(ksm_child_wait(&kid), 0);
	}
	CHECK(ksm_wait_value("pages_sharing", PAGES, KSM_DEADLINE_MS));
	CHECK(apart_ok(map, SEED, 1) && apart_ok(dup, SEED, 1));
	return 0;
}

static void test_leavers(void)
{
	one_by_one(leaving_child);
}

/* --- While it lives ------------------------------------------------------ */

static long cost(void)
{
	struct ksm_stat st;

	CHECK(!ksm_stat(0, &st));
	return (st.merging_pages + st.zero_pages) * (long)ps() -
	       st.process_profit;
}

static void by_munmap(char *map)
{
	CHECK(!munmap(map, PAGES * FAR));
}

static void by_dontneed(char *map)
{
	CHECK(!madvise(map, PAGES * FAR, MADV_DONTNEED));
}

static void by_unmergeable(char *map)
{
	CHECK(!madvise(map, PAGES * FAR, MADV_UNMERGEABLE));
}

static void by_mremap(char *map)
{
	size_t len = PAGES * FAR;
	char *to = reserve();

	CHECK(mremap(map, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	by_munmap(to);
}

static void by_zero_pages(char *map)
{
	size_t i;

	ksm_set("use_zero_pages", 1);
	for (i = 0; i < PAGES; i++)
		memset(page_of(map, i), 0, ps());
	ksm_scan(3);
	CHECK_EQ(ksm_get("ksm_zero_pages"), PAGES);
	ksm_set("use_zero_pages", 0);
	by_munmap(map);
}

static void by_unmerging_all(char *map)
{
	by_munmap(map);
	CHECK_EQ(ksm_unmerge_all(), 0);
}

static void (* const ways[])(char *map) = {
	by_munmap, by_dontneed, by_unmergeable, by_mremap, by_zero_pages,
	by_unmerging_all,
};

/*
 * What it costs to know of a page that stays is the same each time the others
 * have gone, in whatever way, and wherever they were.
 */
static int come_and_go(struct ksm_child *c, void *arg)
{
	char *stays = ksm_map_merge(1, 1, 0), *map;
	long first = 0, now;
	size_t i;

	for (i = 0; i < 2 * ARRAY_SIZE(ways); i++) {
		/* Duplicates, or unique pages */
		map = map_apart(SEED, i / ARRAY_SIZE(ways));
		make_mergeable(map);
		ksm_scan(3);
		CHECK(cost() > first);
		ways[i % ARRAY_SIZE(ways)](map);
		ksm_scan(2);
		now = cost();
		CHECK(now > 0);
		if (!first)
			first = now;
		CHECK_EQ(now, first);
	}
	CHECK(ksm_contents_ok(stays, 1, 1, 0));
	return 0;
}

static void test_come_and_go(void)
{
	one_by_one(come_and_go);
}

/* --- Killed at any time -------------------------------------------------- */

/* Pages that other processes have, too, duplicates of its own, unique pages */
static int killed_child(struct ksm_child *c, void *arg)
{
	char *map[3];
	size_t i;

	if (getpid() & 1)
		prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0);
	map[0] = map_apart(SEED, 1);
	map[1] = map_apart(getpid(), 0);
	map[2] = map_apart(getpid() * 1000, 1);
	for (i = 0; i < ARRAY_SIZE(map); i++)
		make_mergeable(map[i]);
	ksm_say(c, 'r');
	for (;;) {
		ksm_page_fill(map[1], getpid());
		ksm_page_fill(map[2], getpid());
		CHECK(apart_ok(map[0], SEED, 1));
	}
	return 0;
}

static void kill_round(__u64 *rnd)
{
	struct ksm_child kid[KIDS];
	size_t i;

	ksm_set("pages_to_scan", 1 + ksm_random(rnd) % 300);
	for (i = 0; i < KIDS; i++)
		ksm_child_start(&kid[i], killed_child, NULL);
	for (i = 0; i < KIDS; i++) {
		CHECK_EQ(ksm_hear(&kid[i]), 'r');
		usleep(ksm_random(rnd) % 3000);
		CHECK_EQ(ksm_child_kill(&kid[i]), 128 + SIGKILL);
	}
}

static void test_killed(void)
{
	__u64 rnd = ksm_random_seed(), end;
	unsigned int rounds = 0;

	begin();
	end = ksm_now_ms() + ksys_budget_ms();
	ksm_run();
	while (ksm_now_ms() < end || rounds < ROUNDS) {
		kill_round(&rnd);
		rounds++;
	}
	ksft_print_msg("%u rounds\n", rounds);
	ksm_set("pages_to_scan", 5000);
	check_nothing_held();
}

/* Registered and gone, mostly before ksmd has seen anything */
static int short_life(struct ksm_child *c, void *arg)
{
	ksm_map_merge(4, SEED, 0);
	return 0;
}

static void test_short_lives(void)
{
	unsigned int rounds = 0;
	struct ksm_child c;
	__u64 end;

	begin();
	end = ksm_now_ms() + ksys_budget_ms() / 2;
	ksm_run();
	while (ksm_now_ms() < end || rounds < ROUNDS) {
		ksm_child_start(&c, short_life, NULL);
		CHECK_EQ(ksm_child_wait(&c), 0);
		rounds++;
	}
	ksft_print_msg("%u processes\n", rounds);
	check_nothing_held();
}

/* --- More mappings of a page than it may have ---------------------------- */

static int many_copies(struct ksm_child *c, void *arg)
{
	char *map;

	ksm_set("max_page_sharing", 4);
	map = map_apart(SEED, 0);
	make_mergeable(map);
	ksm_scan(3);
	CHECK(ksm_counts_are(PAGES / 4, PAGES - PAGES / 4, 0, 0));
	CHECK_EQ(ksm_get("stable_node_chains"), 1);
	CHECK(apart_ok(map, SEED, 0));
	return 0;
}

static void test_many_copies(void)
{
	one_by_one(many_copies);
}

static const struct ksm_case cases[] = {
	{ "pages that were waited for are gone", test_lost_partner },
	{ "every other one of them is gone", test_lost_some },
	{ "and their process with them", test_lost_process },
	{ "processes leave in the midst of merging", test_leavers },
	{ "pages come and go, in all ways", test_come_and_go },
	{ "processes are killed in mid-scan", test_killed },
	{ "registered and gone", test_short_lives },
	{ "chains", test_many_copies },
	{ "nothing is left after all of that", test_nothing },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksys_slab_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
