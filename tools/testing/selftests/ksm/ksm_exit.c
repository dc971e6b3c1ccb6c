// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that exit at any time, also while ksmd scans them.  They must leave
 * nothing behind, neither in the counters nor in memory.
 */
#include <pthread.h>
#include <signal.h>
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

/* All counters at zero once ksmd has looked, and nothing is held any more. */
static bool all_gone(void)
{
	struct ksm_counters c;

	ksm_run();
	if (!ksm_wait_value("pages_shared", 0, KSM_DEADLINE_MS) ||
	    !ksm_wait_value("pages_sharing", 0, KSM_DEADLINE_MS) ||
	    !ksm_wait_value("pages_unshared", 0, KSM_DEADLINE_MS) ||
	    !ksm_wait_value("pages_volatile", 0, KSM_DEADLINE_MS) ||
	    !ksm_wait_value("ksm_zero_pages", 0, KSM_DEADLINE_MS))
		return ksm_counts_are(0, 0, 0, 0);
	/* The pages of a process go a little after it was forgotten. */
	ksm_wait_value("general_profit", 0, KSM_DEADLINE_MS / 6);
	ksm_stop();
	ksm_counters(&c);
	if (c.zero || c.chains || c.dups || c.profit)
		ksft_print_msg("zero %ld, chains %ld, dups %ld, profit %ld\n",
			       c.zero, c.chains, c.dups, c.profit);
	return ksm_counts_are(0, 0, 0, 0) && !c.zero && !c.profit;
}

static int merged_child(struct ksm_child *c, void *arg)
{
	char *map = ksm_map_merge(PAGES, 1, 0);
	char *own = ksm_map_merge(PAGES, 100, 1);

	ksm_say(c, 'r');
	CHECK(ksm_hear(c) == 'e');
	CHECK(ksm_contents_ok(map, PAGES, 1, 0));
	CHECK(ksm_contents_ok(own, PAGES, 100, 1));
	return 0;
}

/* One of two goes: what the other has is as before. */
static void test_one_of_two(void)
{
	struct ksm_child a, b;

	ksm_set("smart_scan", 0);
	ksm_child_start(&a, merged_child, NULL);
	ksm_child_start(&b, merged_child, NULL);
	CHECK(ksm_hear(&a) == 'r' && ksm_hear(&b) == 'r');
	ksm_scan(3);
	CHECK(ksm_counts_are(1 + PAGES, 3 * PAGES - 1, 0, 0));
	ksm_say(&a, 'e');
	CHECK(ksm_child_wait(&a) == 0);
	ksm_scan(3);
	/* Pages with no other sharer are still KSM pages. */
	CHECK(ksm_counts_are(1 + PAGES, PAGES - 1, 0, 0));
	ksm_say(&b, 'e');
	CHECK(ksm_child_wait(&b) == 0);
	CHECK(all_gone());
}

/* With run=0 counters may be stale, but recover. */
static void test_while_stopped(void)
{
	struct ksm_child c;

	ksm_set("smart_scan", 0);
	ksm_child_start(&c, merged_child, NULL);
	CHECK(ksm_hear(&c) == 'r');
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, PAGES, 0));
	ksm_say(&c, 'e');
	CHECK(ksm_child_wait(&c) == 0);
	CHECK(all_gone());
	ksm_child_start(&c, merged_child, NULL);
	CHECK(ksm_hear(&c) == 'r');
	ksm_scan(3);
	CHECK(ksm_child_kill(&c) == 128 + SIGKILL);
	CHECK(!ksm_unmerge_all());
	CHECK(ksm_counts_are(0, 0, 0, 0));
}

/* Killed at a random moment, many at once, pages of all kinds. */
static int killed_child(struct ksm_child *c, void *arg)
{
	size_t n = 50 + getpid() % 200;
	char *map;

	if (getpid() & 1)
		prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0);
	map = ksm_map_merge(n, 1, getpid() % 3);
	memset(ksm_map_merge(8, 0, 0), 0, 8 * ksm_page_size());
	ksm_say(c, 'r');
	for (;;) {
		if (!ksm_contents_ok(map, n, 1, getpid() % 3))
			return 1;
		ksm_page_fill(map, 1);
	}
}

static void test_killed(void)
{
	__u64 end = ksm_now_ms() + 4000;
	unsigned int rounds = 0, seed = 1;
	struct ksm_child c[6];
	size_t i;

	ksm_set("use_zero_pages", 1);
	ksm_set("max_page_sharing", 8);
	ksm_run();
	while (ksm_now_ms() < end || rounds < 5) {
		ksm_set("pages_to_scan", 1 + rand_r(&seed) % 500);
		for (i = 0; i < ARRAY_SIZE(c); i++)
			ksm_child_start(&c[i], killed_child, NULL);
		for (i = 0; i < ARRAY_SIZE(c); i++) {
			CHECK(ksm_hear(&c[i]) == 'r');
			/* At a random moment of the scan, or after it */
			usleep(rand_r(&seed) % 2000);
			CHECK(ksm_child_kill(&c[i]) == 128 + SIGKILL);
		}
		rounds++;
	}
	ksft_print_msg("%u rounds\n", rounds);
	ksm_set("pages_to_scan", 5000);
	CHECK(all_gone());
}

/* Very short lives: registered and gone before ksmd ever comes by. */
static void test_short_lives(void)
{
	__u64 end = ksm_now_ms() + 2000;
	unsigned int rounds = 0;
	int status;
	pid_t pid;
	void *map = ksm_map(4);

	ksm_run();
	while (ksm_now_ms() < end || rounds < 20) {
		pid = fork();
		CHECK(pid >= 0);
		if (!pid) {
			ksm_fill(map, 4, 1, 0);
			ksm_mergeable(map, 4);
			_exit(0);
		}
		CHECK(waitpid(pid, &status, 0) == pid && !status);
		rounds++;
	}
	ksft_print_msg("%u processes\n", rounds);
	CHECK(all_gone());
}

static void *busy_thread(void *arg)
{
	char *map = arg;

	for (;;)
		ksm_fill(map, PAGES, 5, 0);
	return NULL;
}

/* exit_group() with threads that write at that moment. */
static int threaded_child(struct ksm_child *c, void *arg)
{
	pthread_t thread;
	int i;

	for (i = 0; i < 3; i++)
		CHECK(!pthread_create(&thread, NULL, busy_thread,
				      ksm_map_merge(PAGES, 5, 0)));
	ksm_say(c, 'r');
	ksm_hear(c);
	_exit(0);
}

static void test_threads(void)
{
	__u64 end = ksm_now_ms() + 1500;
	struct ksm_child c;
	int rounds = 0;

	ksm_run();
	while (ksm_now_ms() < end || rounds < 3) {
		ksm_child_start(&c, threaded_child, NULL);
		CHECK(ksm_hear(&c) == 'r');
		usleep(rounds * 997 % 20000);
		ksm_say(&c, 'e');
		CHECK(ksm_child_wait(&c) == 0);
		rounds++;
	}
	CHECK(all_gone());
}

/*
 * Free memory, in kB: what the zones say is free and what lies in the lists
 * that each CPU keeps, which can be a good part of all memory.
 */
static unsigned long free_kb(void)
{
	unsigned long pages = 0, n;
	char line[128];
	FILE *f;

	f = fopen("/proc/zoneinfo", "r");
	if (!f)
		ksm_die("cannot open /proc/zoneinfo");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, " nr_free_pages %lu", &n) == 1 ||
		    sscanf(line, " count: %lu", &n) == 1)
			pages += n;
	}
	fclose(f);
	return pages * (ksm_page_size() / 1024);
}

/* Each page has one duplicate: as many pages are merged as are freed. */
static int big_child(struct ksm_child *c, void *arg)
{
	size_t n = (size_t)arg;
	char *map = ksm_map(n);

	ksm_fill(map, n / 2, 1000, 1);
	ksm_fill(map + n / 2 * ksm_page_size(), n / 2, 1000, 1);
	ksm_mergeable(map, n);
	ksm_say(c, 'r');
	ksm_hear(c);
	return !ksm_contents_ok(map, n / 2, 1000, 1);
}

static bool has_free_kb(void *arg)
{
	return free_kb() >= *(unsigned long *)arg;
}

static void test_memory_returns(void)
{
	const size_t n = 8192;
	unsigned long kb = n * ksm_page_size() / 1024, floor = 0;
	struct ksm_child c;
	bool ok;
	int i;

	for (i = 0; i < 5; i++) {
		ksm_child_start(&c, big_child, (void *)n);
		CHECK(ksm_hear(&c) == 'r');
		ksm_run();
		CHECK(!ksm_wait_scans(2, KSM_DEADLINE_MS));
		CHECK(ksm_get("pages_sharing") == (long)n / 2);
		ksm_say(&c, 'e');
		CHECK(ksm_child_wait(&c) == 0);
		CHECK(all_gone());
		/* The first round pays for caches that stay. */
		if (!i)
			floor = free_kb() - kb / 4;
	}
	/* A leak of all pages would be four times what each child had. */
	ok = ksm_poll(has_free_kb, &floor, 10000);
	ksft_print_msg("free: %lu kB, at least wanted: %lu kB\n", free_kb(),
		       floor);
	CHECK(ok);
}

/* --- How soon ------------------------------------------------------------ */

#define OTHERS	4
#define SLOW	500	/* pages of each */
#define BATCH	20
#define SOON	10	/* batches, of a hundred that a pass has */

static int slow_child(struct ksm_child *c, void *arg)
{
	char *map = ksm_map_merge(SLOW, (long)arg, 1);

	ksm_say(c, 'r');
	ksm_hear(c);
	return !ksm_contents_ok(map, SLOW, (long)arg, 1);
}

static void wait_until_past(const char *knob, long long value)
{
	while (ksm_get(knob) < value)
		ksm_sleep_ms(1);
}

/*
 * Processes of which ksmd looks at every page.  The first one's are merged and
 * quickly passed; then it goes, when ksmd is busy with the others.  Returns
 * how many pages ksmd has read before the counters were right.
 */
static long read_until_right(void)
{
	struct ksm_child first, other[OTHERS];
	long i, scanned;

	ksm_fresh(KSM_SMART_SCAN_OFF);
	ksm_child_start(&first, merged_child, NULL);
	if (ksm_hear(&first) != 'r')
		return -1;
	for (i = 0; i < OTHERS; i++) {
		ksm_child_start(&other[i], slow_child,
				(void *)(100000 * (i + 1)));
		if (ksm_hear(&other[i]) != 'r')
			return -1;
	}
	ksm_scan(3);
	ksm_set("pages_to_scan", BATCH);
	ksm_set("sleep_millisecs", 50);
	ksm_run();
	if (ksm_get("pages_sharing") != PAGES - 1)
		return -1;
	wait_until_past("full_scans", ksm_get("full_scans") + 1);
	/* As much as the first one has, and some of the others */
	wait_until_past("pages_scanned",
			ksm_get("pages_scanned") + 2 * PAGES + SLOW);
	scanned = ksm_get("pages_scanned");
	ksm_child_kill(&first);
	ksm_wait_value("pages_sharing", 0, KSM_DEADLINE_MS);
	ksm_wait_value("pages_shared", 0, KSM_DEADLINE_MS);
	scanned = ksm_get("pages_scanned") - scanned;
	for (i = 0; i < OTHERS; i++) {
		ksm_say(&other[i], 'e');
		if (ksm_child_wait(&other[i]))
			return -1;
	}
	return scanned;
}

static void test_soon(void)
{
	long scanned = 0;
	int i;

	/* On a busy machine it may take us long to see that they are right. */
	for (i = 0; i < 3; i++) {
		scanned = read_until_right();
		CHECK(scanned >= 0);
		ksft_print_msg("right after %ld pages of %d\n", scanned,
			       OTHERS * SLOW);
		if (scanned <= SOON * BATCH)
			break;
	}
	CHECK(scanned <= SOON * BATCH);
	CHECK(all_gone());
}

/* With run=0 nothing is scanned, but what is gone is cleared away. */
static void test_soon_stopped(void)
{
	struct ksm_child a, b;
	long long scans;

	ksm_set("smart_scan", 0);
	ksm_child_start(&a, merged_child, NULL);
	ksm_child_start(&b, merged_child, NULL);
	CHECK(ksm_hear(&a) == 'r' && ksm_hear(&b) == 'r');
	ksm_scan(3);
	CHECK(ksm_counts_are(1 + PAGES, 3 * PAGES - 1, 0, 0));
	scans = ksm_get("full_scans");
	CHECK(ksm_child_kill(&a) == 128 + SIGKILL);
	ksm_wait_value("pages_sharing", PAGES - 1, KSM_DEADLINE_MS / 6);
	/* It forgets page by page, and can be seen half way through. */
	ksm_wait_value("pages_volatile", 0, KSM_DEADLINE_MS / 6);
	CHECK(ksm_counts_are(1 + PAGES, PAGES - 1, 0, 0));
	CHECK(ksm_get("full_scans") == scans);
	ksm_say(&b, 'e');
	CHECK(ksm_child_wait(&b) == 0);
	ksm_wait_value("pages_shared", 0, KSM_DEADLINE_MS / 6);
	ksm_wait_value("pages_volatile", 0, KSM_DEADLINE_MS / 6);
	CHECK(ksm_counts_are(0, 0, 0, 0));
	CHECK(ksm_get("run") == 0);
	CHECK(all_gone());
}

/* --- Though nothing is scanned ------------------------------------------- */

static bool soon(const char *knob, long long value)
{
	return ksm_wait_value(knob, value, KSM_DEADLINE_MS / 6);
}

/* ksmd pauses for very long in the middle of a pass. */
static void test_long_pause(void)
{
	struct ksm_child first, second;

	ksm_set("smart_scan", 0);
	ksm_child_start(&first, merged_child, NULL);
	ksm_child_start(&second, merged_child, NULL);
	CHECK(ksm_hear(&first) == 'r' && ksm_hear(&second) == 'r');
	ksm_scan(3);
	CHECK(ksm_counts_are(1 + PAGES, 3 * PAGES - 1, 0, 0));
	ksm_set("pages_to_scan", 10);
	ksm_set("sleep_millisecs", 10 * KSM_DEADLINE_MS);
	ksm_run();
	ksm_sleep_ms(200);
	/* One of them is where the cursor is. */
	CHECK(ksm_child_kill(&first) == 128 + SIGKILL);
	CHECK(soon("pages_sharing", PAGES - 1));
	CHECK(ksm_child_kill(&second) == 128 + SIGKILL);
	CHECK(soon("pages_shared", 0) && soon("pages_volatile", 0));
	CHECK(soon("general_profit", 0));
}

/* What is scanned is nothing, beginning in the midst of a process. */
static void test_no_pages(void)
{
	struct ksm_child c;

	ksm_set("smart_scan", 0);
	ksm_child_start(&c, merged_child, NULL);
	CHECK(ksm_hear(&c) == 'r');
	ksm_scan(3);
	ksm_set("pages_to_scan", 1);
	ksm_set("sleep_millisecs", 50);
	ksm_run();
	ksm_sleep_ms(500);
	ksm_set("pages_to_scan", 0);
	CHECK(ksm_counts_are(1, PAGES - 1, PAGES, 0));
	CHECK(ksm_child_kill(&c) == 128 + SIGKILL);
	CHECK(soon("pages_shared", 0) && soon("pages_volatile", 0));
	CHECK(soon("general_profit", 0));
}

/* Maps pages its parent had merged; ksmd has visited the parent only. */
static int unknown_child(struct ksm_child *c, void *arg)
{
	char *map = ksm_map_merge(PAGES, 1, 0);
	pid_t pid;

	ksm_say(c, 'r');
	if (ksm_hear(c) != 'f')
		return 1;
	pid = fork();
	if (pid)
		return pid < 0;
	ksm_say(c, 'r');
	ksm_hear(c);
	return !ksm_contents_ok(map, PAGES, 1, 0);
}

/* The last that maps a page is one that ksmd never visited. */
static void test_last_unknown(void)
{
	struct ksm_child c;
	int status;

	CHECK(!prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	ksm_set("smart_scan", 0);
	ksm_child_start(&c, unknown_child, NULL);
	CHECK(ksm_hear(&c) == 'r');
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	ksm_say(&c, 'f');
	CHECK(ksm_hear(&c) == 'r');
	CHECK(waitpid(c.pid, &status, 0) == c.pid && !status);
	CHECK(soon("pages_shared", 0));
	/* So long that ksmd has stopped to look all the time. */
	ksm_sleep_ms(4000);
	CHECK(ksm_get("general_profit") < 0);
	ksm_say(&c, 'q');
	CHECK(wait(&status) > 0 && !status);
	CHECK(ksm_wait_value("general_profit", 0, KSM_DEADLINE_MS));
	CHECK(ksm_get("run") == 0);
}

static const struct ksm_case cases[] = {
	{ "one of two sharers exits", test_one_of_two },
	{ "exit while ksmd is stopped", test_while_stopped },
	{ "killed in mid-scan, many times", test_killed },
	{ "registered and gone at once", test_short_lives },
	{ "exit with writing threads", test_threads },
	{ "memory comes back", test_memory_returns },
	{ "counters are right long before the pass ends", test_soon },
	{ "counters are right while ksmd is stopped", test_soon_stopped },
	{ "counters are right while ksmd pauses", test_long_pause },
	{ "counters are right with pages_to_scan=0", test_no_pages },
	{ "the last to go is one that ksmd never met", test_last_unknown },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_ON);
}
