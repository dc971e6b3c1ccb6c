// SPDX-License-Identifier: GPL-2.0
/*
 * The time of a batch of unchanged pages is limited by ksmd's own CPU time, not
 * by elapsed time.
 *
 * ksmd pauses after each batch, so the number of batches decides how long a
 * pass takes.  A task of higher priority on ksmd's CPU makes a batch take
 * longer, but must not increase the number of batches.
 *
 * Each pause is a voluntary context switch.  The test counts those, and does
 * not measure time, so the load of the host does not matter.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"

#define SEED		20000
#define MAX_RATIO	3	/* of batches beside the task and without it */
#define MIN_BATCHES	6	/* of a pass, to be able to compare */
#define WARM_UP		10	/* passes until all pages are known */
#define PASSES		5
#define TRIES		3
#define MOMENT_US	150	/* for which ksmd runs ... */
#define BUSY_US		1200	/* ... after the task has run for so long */

/* --- Counting pauses ----------------------------------------------------- */

/* Voluntary context switches of ksmd */
static long pauses(void)
{
	char path[64], line[128];
	long found = -1, n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", ksm_ksmd_pid());
	f = fopen(path, "re");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1)
			found = n;
	fclose(f);
	CHECK(found >= 0);
	return found;
}

static void wait_for_scans(long goal)
{
	while (ksm_get("full_scans") < goal)
		ksm_sleep_ms(2);
}

/*
 * Pauses of a pass: the mean of several, as its end may be noticed late
 */
static long pauses_in_a_pass(void)
{
	long begun, ended, from, n;
	__u64 start;

	begun = ksm_get("full_scans") + 1;
	wait_for_scans(begun);
	from = pauses();
	start = ksm_now_ms();
	begun = ksm_get("full_scans");
	wait_for_scans(begun + PASSES);
	n = pauses() - from;
	ended = ksm_get("full_scans");
	ksft_print_msg("%ld pauses in %ld passes, %llu ms\n", n, ended - begun,
		       ksm_now_ms() - start);
	return n / (ended - begun);
}

/* --- Others on the CPU --------------------------------------------------- */

static cpu_set_t ksmd_cpus;

static void restore_ksmd(void)
{
	if (ksm_is_program())
		sched_setaffinity(ksm_ksmd_pid(), sizeof(ksmd_cpus),
				  &ksmd_cpus);
}

/* All of ksmd on one CPU, until the program ends */
static void pin_ksmd(void)
{
	pid_t ksmd = ksm_ksmd_pid();
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_getaffinity(ksmd, sizeof(ksmd_cpus), &ksmd_cpus) ||
	    sched_setaffinity(ksmd, sizeof(one), &one))
		ksm_skip_all("ksmd cannot be held on a CPU");
	atexit(restore_ksmd);
}

static long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000L + ts.tv_nsec / 1000;
}

/* A real-time task that sleeps only for moments */
static int rt_task(struct ksm_child *c, void *arg)
{
	struct timespec moment = { .tv_nsec = MOMENT_US * 1000 };
	struct sched_param param = { .sched_priority = 1 };
	cpu_set_t one;
	long until;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	CHECK(!sched_setaffinity(0, sizeof(one), &one));
	/* The test may end without it. */
	if (ksm_hear(c) != 'g')
		return 0;
	CHECK(!sched_setscheduler(0, SCHED_FIFO, &param));
	ksm_say(c, 'r');
	for (;;) {
		until = now_us() + BUSY_US;
		while (now_us() < until)
			;
		nanosleep(&moment, NULL);
	}
	return 0;
}

/* --- Unchanged pages ----------------------------------------------------- */

#define STRIDE		(2UL << 20)	/* a page table for each page */
#define MAX_TABLES	8192

static char *map;

static char *page_of(size_t i)
{
	return map + i * STRIDE;
}

static void map_tables(void)
{
	map = mmap(NULL, MAX_TABLES * STRIDE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(map != MAP_FAILED);
	madvise(map, MAX_TABLES * STRIDE, MADV_NOHUGEPAGE);
	CHECK(!madvise(map, MAX_TABLES * STRIDE, MADV_MERGEABLE));
}

static void check_unchanged(size_t tables)
{
	size_t i;

	CHECK(ksm_counts_are(0, 0, tables, 0));
	for (i = 0; i < tables; i++)
		CHECK(ksm_contents_ok(page_of(i), 1, SEED + i, 0));
}

/* So many unique pages, known to ksmd, that a pass has several batches. */
static size_t make_unchanged_set(long *batches)
{
	size_t tables = 0, i;

	do {
		i = tables;
		tables = tables ? 2 * tables : 512;
		CHECK(tables <= MAX_TABLES);
		for (; i < tables; i++)
			ksm_page_fill(page_of(i), SEED + i);
		ksm_set("sleep_millisecs", 0);
		CHECK(!ksm_wait_scans(WARM_UP, KSM_DEADLINE_MS));
		ksm_set("sleep_millisecs", 20);
		*batches = pauses_in_a_pass();
		ksft_print_msg("%zu tables: %ld pauses in a pass\n", tables,
			       *batches);
	} while (*batches < MIN_BATCHES);
	return tables;
}

static void test_rt_task(void)
{
	long alone, beside = 0;
	struct ksm_child c[TRIES];
	size_t tables;
	int i;

	/* Before the memory is mapped, so that they do not share it */
	for (i = 0; i < TRIES; i++)
		ksm_child_start(&c[i], rt_task, NULL);
	map_tables();
	ksm_set("smart_scan", 1);
	ksm_run();
	tables = make_unchanged_set(&alone);
	for (i = 0; i < TRIES; i++) {
		ksm_say(&c[i], 'g');
		CHECK_EQ(ksm_hear(&c[i]), 'r');
		beside = pauses_in_a_pass();
		CHECK_EQ(ksm_child_kill(&c[i]), 128 + SIGKILL);
		ksft_print_msg("%ld pauses in a pass beside a real-time task\n", beside);
		if (beside <= MAX_RATIO * alone)
			break;
	}
	ksm_stop();
	check_unchanged(tables);
	CHECK(beside <= MAX_RATIO * alone);
}

static const struct ksm_case cases[] = {
	{ "a real-time task on the CPU of ksmd", test_rt_task },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	pin_ksmd();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
