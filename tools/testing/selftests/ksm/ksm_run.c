// SPDX-License-Identifier: GPL-2.0
/*
 * ksmd: the thread, when it runs, how fast, and what it skips
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/files.h"
#include "lib/ksm.h"

#define PAGES	64
#define FORKED	512	/* enough that some key is renewed in each pass */

static void test_thread(void)
{
	char path[64], text[64] = "";
	pid_t pid = ksm_ksmd_pid();
	FILE *f;

	CHECK(pid > 0);
	errno = 0;
	CHECK(getpriority(PRIO_PROCESS, pid) == 5 && !errno);
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "r");
	CHECK(f && fgets(text, sizeof(text), f));
	fclose(f);
	CHECK(!strcmp(text, "ksmd\n"));
}

/* Voluntary and other context switches: each wakeup costs one. */
static long switches(void)
{
	char path[64], line[128];
	long sum = 0, n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", ksm_ksmd_pid());
	f = fopen(path, "r");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1 ||
		    sscanf(line, "nonvoluntary_ctxt_switches: %ld", &n) == 1)
			sum += n;
	}
	fclose(f);
	return sum;
}

/*
 * Does it neither run nor scan for a while?  That nothing happens can only be
 * seen by waiting; before that it may finish what it is at.
 */
static bool stands_still(void)
{
	long scanned, skipped, scans, woken, ticks;
	bool still;
	int i;

	for (i = 0; i < 20; i++) {
		scans = ksm_get("full_scans");
		scanned = ksm_get("pages_scanned");
		skipped = ksm_get("pages_skipped");
		woken = switches();
		ticks = ksm_ksmd_ticks();
		ksm_sleep_ms(300);
		still = ksm_get("full_scans") == scans &&
			ksm_get("pages_scanned") == scanned &&
			ksm_get("pages_skipped") == skipped &&
			switches() == woken && ksm_ksmd_ticks() == ticks;
		if (still)
			return true;
	}
	ksft_print_msg("ksmd does not stand still\n");
	return false;
}

static void test_run_0_sleeps(void)
{
	char *map = ksm_map_merge(PAGES, 1, 0);

	CHECK(stands_still());
	CHECK(ksm_count_merged(map, PAGES) == 0);
	ksm_run();
	CHECK(!ksm_wait_scans(3, KSM_DEADLINE_MS));
	CHECK(ksm_count_merged(map, PAGES) == PAGES);
	ksm_stop();
	CHECK(stands_still());
	CHECK(!ksm_unmerge_all());
	CHECK(stands_still());
	CHECK(ksm_count_merged(map, PAGES) == 0);
	CHECK(ksm_contents_ok(map, PAGES, 1, 0));
}

static int registered_child(struct ksm_child *c, void *arg)
{
	ksm_map_merge(PAGES, 1, 0);
	ksm_say(c, 'r');
	return ksm_hear(c) != 'e';
}

/* run=1, but no mm is registered: no scan, no wakeup. */
static void test_nothing_registered(void)
{
	struct ksm_child c;

	ksm_run();
	CHECK(stands_still());
	ksm_child_start(&c, registered_child, NULL);
	CHECK(ksm_hear(&c) == 'r');
	CHECK(!ksm_wait_scans(3, KSM_DEADLINE_MS));
	CHECK(ksm_get("pages_sharing") == PAGES - 1);
	ksm_say(&c, 'e');
	CHECK(ksm_child_wait(&c) == 0);
	CHECK(ksm_wait_value("pages_sharing", 0, KSM_DEADLINE_MS));
	CHECK(stands_still());
}

/* No pages to scan: no page is scanned, no pass ends. */
static void test_scan_nothing(void)
{
	long scanned, scans;
	char *map;

	ksm_set("pages_to_scan", 0);
	ksm_set("sleep_millisecs", 5);
	map = ksm_map_merge(PAGES, 1, 0);
	ksm_run();
	scanned = ksm_get("pages_scanned");
	scans = ksm_get("full_scans");
	ksm_sleep_ms(300);
	CHECK(ksm_get("pages_scanned") == scanned);
	CHECK(ksm_get("full_scans") == scans);
	CHECK(ksm_count_merged(map, PAGES) == 0);
	ksm_set("pages_to_scan", 100);
	CHECK(!ksm_wait_scans(3, KSM_DEADLINE_MS));
	CHECK(ksm_count_merged(map, PAGES) == PAGES);
	CHECK(ksm_contents_ok(map, PAGES, 1, 0));
}

/* Not even with no sleep in between may that stop the machine. */
static void test_scan_nothing_fast(void)
{
	char *map = ksm_map_merge(PAGES, 1, 0);
	long long scans;

	ksm_set("pages_to_scan", 0);
	ksm_run();
	scans = ksm_get("full_scans");
	ksm_sleep_ms(300);
	CHECK(ksm_get("full_scans") == scans);
	ksm_stop();
	CHECK(ksm_contents_ok(map, PAGES, 1, 0));
}

/* The batch and the sleep between two of them bound how fast it goes. */
static void test_pace(void)
{
	const long n = 1000, batch = 20;
	__u64 start, took;
	long scanned;
	char *map;

	ksm_set("smart_scan", 0);
	ksm_set("pages_to_scan", batch);
	ksm_set("sleep_millisecs", 20);
	map = ksm_map_merge(n, 1, 1);
	start = ksm_now_ms();
	scanned = ksm_get("pages_scanned");
	ksm_run();
	ksm_sleep_ms(600);
	ksm_stop();
	took = ksm_now_ms() - start;
	scanned = ksm_get("pages_scanned") - scanned;
	ksft_print_msg("%ld pages in %llu ms\n", scanned,
		       took);
	CHECK(scanned > 0);
	CHECK(scanned <= (long)(took / 20 + 2) * batch);
	CHECK(ksm_contents_ok(map, n, 1, 1));
}

/* A shorter sleep is not slept only after the long one is over. */
static void test_wakes(void)
{
	char *map = ksm_map_merge(PAGES, 1, 0);
	__u64 start;

	/* Ten hours; the first batch sets it off. */
	ksm_set("pages_to_scan", 10);
	ksm_set("sleep_millisecs", 36000000);
	ksm_run();
	CHECK(stands_still());
	start = ksm_now_ms();
	ksm_set("sleep_millisecs", 0);
	CHECK(!ksm_wait_scans(3, KSM_DEADLINE_MS));
	ksft_print_msg("scanned after %llu ms\n",
		       (ksm_now_ms() - start));
	CHECK(ksm_count_merged(map, PAGES) == PAGES);
	/* run=0 and run=2 do not wait for it, either. */
	ksm_set("sleep_millisecs", 36000000);
	CHECK(stands_still());
	start = ksm_now_ms();
	ksm_stop();
	CHECK(!ksm_unmerge_all());
	CHECK(ksm_now_ms() - start < 10000);
	CHECK(ksm_count_merged(map, PAGES) == 0);
}

/* One page that never merges is reason enough to go on counting. */
static void test_single_page(void)
{
	long before = ksm_get("full_scans");

	ksm_map_merge(1, 1, 0);
	ksm_run();
	CHECK(!ksm_wait_scans(20, KSM_DEADLINE_MS));
	CHECK(ksm_get("full_scans") >= before + 20);
	ksm_stop();
	CHECK(ksm_get("pages_shared") == 0);
}

/* Memory that is flagged, but has no page. */
static void test_empty_memory(void)
{
	ksm_mergeable(ksm_map(100), 100);
	ksm_run();
	CHECK(!ksm_wait_scans(5, KSM_DEADLINE_MS));
	ksm_stop();
	CHECK(ksm_counts_are(0, 0, 0, 0));
}

/*
 * On a quiet set smart_scan spares at least every second page; without it no
 * page is spared.  Counted from a time when the set is quiet.
 */
static bool skip_ratio(const char *map, long n, long *percent)
{
	long scanned, skipped, all;

	ksm_scan(6);
	scanned = ksm_get("pages_scanned");
	skipped = ksm_get("pages_skipped");
	ksm_scan(16);
	scanned = ksm_get("pages_scanned") - scanned;
	skipped = ksm_get("pages_skipped") - skipped;
	all = scanned + skipped;
	*percent = all ? skipped * 100 / all : 0;
	ksft_print_msg("%ld scanned, %ld skipped: %ld %%\n", scanned, skipped,
		       *percent);
	return all > 0 && ksm_contents_ok(map, n, 1, 1);
}

static int hold_still(struct ksm_child *c, void *arg)
{
	ksm_say(c, 'r');
	ksm_hear(c);
	return !ksm_contents_ok(arg, FORKED, 1, 1);
}

/*
 * Mappings shared by fork are duplicates that cannot be merged, so there is no
 * reason to visit them again.
 */
static void test_smart_scan_fork(void)
{
	char *map = ksm_map_merge(FORKED, 1, 1);
	struct ksm_child c[3];
	long percent;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(c); i++) {
		ksm_child_start(&c[i], hold_still, map);
		CHECK(ksm_hear(&c[i]) == 'r');
	}
	ksm_set("sleep_millisecs", 2);
	CHECK(skip_ratio(map, FORKED, &percent));
	CHECK(percent >= 75);
	CHECK(ksm_counts_are(0, 0, 4 * FORKED, 0));
	for (i = 0; i < ARRAY_SIZE(c); i++) {
		ksm_say(&c[i], 'e');
		CHECK(ksm_child_wait(&c[i]) == 0);
	}
}

static void test_smart_scan(void)
{
	const long n = 500;
	char *map = ksm_map_merge(n, 1, 1);
	long percent;

	ksm_set("sleep_millisecs", 2);
	CHECK(skip_ratio(map, n, &percent));
	CHECK(percent >= 50);
	ksm_set("smart_scan", 0);
	CHECK(skip_ratio(map, n, &percent));
	CHECK(percent == 0);
	ksm_set("smart_scan", 1);
	CHECK(skip_ratio(map, n, &percent));
	CHECK(percent >= 50);
	CHECK(ksm_count_merged(map, n) == 0);
}

/* Skipped before, written now: what is written must be noticed. */
static void test_smart_scan_notices(void)
{
	const size_t n = 200;
	char *map = ksm_map_merge(n, 1, 1);
	__u64 end;

	ksm_set("sleep_millisecs", 2);
	ksm_scan(12);
	CHECK(ksm_count_merged(map, n) == 0);
	ksm_fill(map, n, 7, 0);
	ksm_run();
	end = ksm_now_ms() + KSM_DEADLINE_MS;
	/* It may take some passes, but not for ever. */
	while (ksm_count_merged(map, n) < n && ksm_now_ms() < end)
		CHECK(!ksm_wait_scans(1, KSM_DEADLINE_MS));
	CHECK(ksm_count_merged(map, n) == n);
	CHECK(ksm_contents_ok(map, n, 7, 0));
}

/*
 * How far a pass has come, and how long it took: of a first one, with so many
 * batches that there are pauses for certain.
 */
static void test_progress(void)
{
	const long n = 1024, batch = 64, pause_ms = 20;
	long long scans, now, most = 0, ms;
	__u64 begin;
	bool half_way = false;

	ksm_set("smart_scan", 0);
	ksm_set("pages_to_scan", batch);
	ksm_set("sleep_millisecs", pause_ms);
	ksm_map_merge(n, 1, 1);
	scans = ksm_get("full_scans");
	begin = ksm_now_ms();
	ksm_run();
	while (ksm_get("full_scans") == scans) {
		now = ksm_get("scan_pages");
		CHECK(now >= 0 && now <= n);
		half_way |= now > n / 4 && now < 3 * n / 4;
		CHECK(ksm_now_ms() < begin + KSM_DEADLINE_MS);
	}
	ms = ksm_get("last_scan_millisecs");
	CHECK(ms >= (n / batch - 1) * pause_ms / 2);
	CHECK(ms <= (long long)(ksm_now_ms() - begin));
	CHECK(half_way);
	/* All of it, each time, whether it has changed or not */
	while (most < n) {
		now = ksm_get("scan_pages");
		most = now > most ? now : most;
		CHECK(now <= n);
		CHECK(ksm_now_ms() < begin + KSM_DEADLINE_MS);
	}
	ksm_set("smart_scan", 1);
	CHECK(!ksm_wait_scans(5, KSM_DEADLINE_MS));
	CHECK(ksm_wait_value("scan_pages", n, KSM_DEADLINE_MS));
	CHECK(!ksm_unmerge_all());
	CHECK(ksm_get("scan_pages") == 0);
	CHECK(ksm_get("last_scan_millisecs") == 0);
}

static void *write_all(void *arg)
{
	char *map = ((void **)arg)[0];
	int *stop = ((void **)arg)[1];
	long *rounds = ((void **)arg)[2];
	__u64 seed = 1000;

	while (!KSM_READ(*stop)) {
		ksm_fill(map, PAGES, seed, 1);
		/* So that a pass falls between two rounds, too. */
		usleep(1000);
		if (!ksm_contents_ok(map, PAGES, seed, 1))
			return "wrong contents";
		seed += PAGES;
		KSM_WRITE(*rounds, *rounds + 1);
	}
	return NULL;
}

/* Pages that change all the time are not merged, and are counted as such. */
static void test_changing(void)
{
	char *map = ksm_map_merge(PAGES, 1, 1);
	int stop = 0;
	long rounds = 0;
	void *arg[3] = { map, &stop, &rounds }, *ret;
	long most = 0, now, end;
	pthread_t thread;

	ksm_set("smart_scan", 0);
	ksm_set("sleep_millisecs", 20);
	CHECK(!pthread_create(&thread, NULL, write_all, arg));
	ksm_run();
	for (end = 0; end < 30; end++) {
		CHECK(!ksm_wait_scans(1, KSM_DEADLINE_MS));
		now = ksm_get("pages_volatile");
		if (now > most)
			most = now;
		CHECK(ksm_get("pages_sharing") == 0);
	}
	KSM_WRITE(stop, 1);
	pthread_join(thread, &ret);
	CHECK(!ret);
	ksft_print_msg("%ld of %d volatile, %ld rounds of writing\n", most,
		       PAGES, rounds);
	CHECK(most > PAGES / 2);
	/* Quiet now. */
	ksm_scan(2);
	CHECK(ksm_counts_are(0, 0, PAGES, 0));
}

/* The advisor stays within its bounds and moves towards its target. */
static void test_advisor(void)
{
	const size_t n = 1500;
	long long low, pages, i;
	char *map;

	ksm_set("smart_scan", 0);
	map = ksm_map_merge(n, 1, 1);
	ksm_set("sleep_millisecs", 20);
	ksm_set("advisor_min_pages_to_scan", 300);
	ksm_set("advisor_max_pages_to_scan", 2000);
	ksm_set("advisor_target_scan_time", 1);
	CHECK(!ksm_write_text("advisor_mode", "scan-time"));
	CHECK(ksm_get("pages_to_scan") == 300);
	ksm_run();
	low = ksm_get("pages_to_scan");
	for (i = 0; i < 4; i++) {
		CHECK(!ksm_wait_scans(1, KSM_DEADLINE_MS));
		pages = ksm_get("pages_to_scan");
		CHECK(pages <= 2000);
	}
	ksft_print_msg("pages_to_scan %lld -> %lld\n", low,
		       ksm_get("pages_to_scan"));
	ksm_stop();
	CHECK(!ksm_write_text("advisor_mode", "none"));
	CHECK(ksm_get("pages_to_scan") == 100);
	CHECK(ksm_contents_ok(map, n, 1, 1));
}

/* --- Freezing ------------------------------------------------------------ */

/*
 * A suspend that only goes as far as freezing tasks and thawing them again:
 * ksmd in full work must let itself be frozen.
 */
static void freeze_and_thaw(unsigned int sleep_millisecs)
{
	char modes[128] = "", *map;
	long scans;
	bool ok;
	FILE *f;

	f = fopen("/sys/power/pm_test", "r");
	if (!f)
		ksm_skip("kernel without CONFIG_PM_DEBUG");
	ok = fgets(modes, sizeof(modes), f) && strstr(modes, "freezer");
	fclose(f);
	if (!ok || access("/sys/power/state", W_OK))
		ksm_skip("no freezer test in /sys/power/pm_test");
	map = ksm_map_merge(2000, 1, 1);
	ksm_set("smart_scan", 0);
	ksm_set("sleep_millisecs", sleep_millisecs);
	ksm_run();
	CHECK(!ksm_wait_scans(2, KSM_DEADLINE_MS));
	scans = ksm_get("full_scans");
	CHECK(!ksys_write("/sys/power/pm_test", "freezer"));
	/* Freezes, waits (five seconds, if this fails), thaws. */
	ksys_write("/sys/module/suspend/parameters/pm_test_delay", "1");
	ok = !ksys_write("/sys/power/state", "freeze");
	ksys_write("/sys/power/pm_test", "none");
	CHECK(ok);
	CHECK(!ksm_wait_scans(2, KSM_DEADLINE_MS));
	CHECK(ksm_get("full_scans") > scans);
	CHECK(ksm_contents_ok(map, 2000, 1, 1));
}

static void test_freezer(void)
{
	freeze_and_thaw(20);
}

/* One that never sleeps has to look for itself whether it shall freeze. */
static void test_freezer_no_sleep(void)
{
	freeze_and_thaw(0);
}

/* --- A signal during run=2 ----------------------------------------------- */

static int unmerging_child(struct ksm_child *c, void *arg)
{
	int ret;

	ksm_say(c, 'r');
	if (ksm_hear(c) != 'g')
		return 1;
	ret = ksm_write_text("run", "2");
	ksm_say_long(c, ret);
	return 0;
}

static void nothing(int sig)
{
}

/*
 * The write of 2 either succeeds, then all is unmerged, or is interrupted,
 * then run is 0; in between there is nothing.
 */
static void test_interrupted(void)
{
	const size_t n = 6000;
	struct sigaction sa = { .sa_handler = nothing };
	char *map = ksm_map_merge(n, 1, 0);
	int i, interrupted = 0, whole = 0;
	struct ksm_child c;
	long ret;

	/* Inherited by the child; without SA_RESTART. */
	CHECK(!sigaction(SIGUSR1, &sa, NULL));
	for (i = 0; i < 8; i++) {
		ksm_scan(2);
		CHECK(ksm_count_merged(map, 64) == 64);
		ksm_child_start(&c, unmerging_child, NULL);
		CHECK(ksm_hear(&c) == 'r');
		ksm_say(&c, 'g');
		usleep(i * 300);
		kill(c.pid, SIGUSR1);
		ret = ksm_hear_long(&c);
		CHECK(ksm_child_wait(&c) == 0);
		if (!ret) {
			whole++;
			CHECK(ksm_get("run") == 2);
			CHECK(ksm_counts_are(0, 0, 0, 0));
			CHECK(ksm_count_merged(map, n) == 0);
		} else {
			interrupted++;
			CHECK(ret == -EINTR);
			CHECK(ksm_get("run") == 0);
		}
		CHECK(ksm_contents_ok(map, n, 1, 0));
	}
	ksft_print_msg("%d interrupted, %d not\n", interrupted, whole);
	CHECK(!ksm_unmerge_all());
	CHECK(ksm_counts_are(0, 0, 0, 0));
	CHECK(ksm_contents_ok(map, n, 1, 0));
}

static const struct ksm_case cases[] = {
	{ "ksmd: name and nice value", test_thread },
	{ "run=0 and run=2: ksmd sleeps", test_run_0_sleeps },
	{ "no mm registered: ksmd sleeps", test_nothing_registered },
	{ "pages_to_scan=0 scans nothing", test_scan_nothing },
	{ "pages_to_scan and sleep_millisecs bound the pace", test_pace },
	{ "a new sleep_millisecs applies at once", test_wakes },
	{ "scan_pages, last_scan_millisecs", test_progress },
	{ "full_scans goes on for a single page", test_single_page },
	{ "full_scans goes on for empty memory", test_empty_memory },
	{ "smart_scan skips half of a quiet set", test_smart_scan },
	{ "smart_scan skips what a fork has in common", test_smart_scan_fork },
	{ "smart_scan notices new contents", test_smart_scan_notices },
	{ "changing pages are volatile", test_changing },
	{ "advisor: bounds and resets", test_advisor },
	{ "ksmd can be frozen", test_freezer },
	{ "run=2 with a signal", test_interrupted },
	/* Last, as a failure may take the machine along. */
	{ "ksmd can be frozen when it never sleeps", test_freezer_no_sleep },
	{ "pages_to_scan=0 without sleep blocks no task",
	  test_scan_nothing_fast },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_ON);
}
