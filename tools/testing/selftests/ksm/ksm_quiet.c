// SPDX-License-Identifier: GPL-2.0
/*
 * How long a batch may take over pages that did not change is a matter of
 * ksmd's own time, not of what others do with the CPU meanwhile.
 *
 * ksmd pauses after each batch, so how many batches a pass has is how long the
 * pass takes.  With somebody on its CPU who is more important, and lets it run
 * but for moments, a batch takes longer; but there must not be more of them.
 *
 * A pause is a voluntary context switch.  To count those, and not the time,
 * makes the figures independent of how busy the host of this machine is.
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
#define MOST		3	/* times as many batches are too many */
#define ENOUGH		6	/* batches of a pass, to be able to compare */
#define SETTLE		10	/* passes until nothing is new any more */
#define PASSES		5
#define TRIES		3
#define MOMENT_US	150	/* what ksmd is left with at a time ... */
#define BUSY_US		1200	/* ... after so long */

/* --- Counting pauses ----------------------------------------------------- */

/* Voluntary context switches of ksmd */
static long pauses(void)
{
	char path[64], line[128];
	long found = -1, n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", ksm_ksmd_pid());
	f = fopen(path, "re");
	must(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "voluntary_ctxt_switches: %ld", &n) == 1)
			found = n;
	fclose(f);
	must(found >= 0);
	return found;
}

static void wait_for_scans(long goal)
{
	while (ksm_get("full_scans") < goal)
		ksm_sleep_ms(2);
}

/*
 * How many in a pass.  Over several, as we may see late that one has ended.
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

/* Busy but for moments, and more important than all others on that CPU */
static int hog(struct ksm_child *c, void *arg)
{
	struct timespec moment = { .tv_nsec = MOMENT_US * 1000 };
	struct sched_param param = { .sched_priority = 1 };
	cpu_set_t one;
	long until;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	must(!sched_setaffinity(0, sizeof(one), &one));
	/* Perhaps it is not wanted. */
	if (ksm_hear(c) != 'g')
		return 0;
	must(!sched_setscheduler(0, SCHED_FIFO, &param));
	ksm_say(c, 'r');
	for (;;) {
		until = now_us() + BUSY_US;
		while (now_us() < until)
			;
		nanosleep(&moment, NULL);
	}
	return 0;
}

/* --- A quiet set --------------------------------------------------------- */

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
	must(map != MAP_FAILED);
	madvise(map, MAX_TABLES * STRIDE, MADV_NOHUGEPAGE);
	must(!madvise(map, MAX_TABLES * STRIDE, MADV_MERGEABLE));
}

static void must_be_quiet(size_t tables)
{
	size_t i;

	must(ksm_counts_are(0, 0, tables, 0));
	for (i = 0; i < tables; i++)
		must(ksm_contents_ok(page_of(i), 1, SEED + i, 0));
}

/* So many unique pages, known to ksmd, that a pass has several batches. */
static size_t make_quiet_set(long *batches)
{
	size_t tables = 0, i;

	do {
		i = tables;
		tables = tables ? 2 * tables : 512;
		must(tables <= MAX_TABLES);
		for (; i < tables; i++)
			ksm_page_fill(page_of(i), SEED + i);
		ksm_set("sleep_millisecs", 0);
		must(!ksm_wait_scans(SETTLE, KSM_DEADLINE_MS));
		ksm_set("sleep_millisecs", 20);
		*batches = pauses_in_a_pass();
		ksft_print_msg("%zu tables: %ld pauses in a pass\n", tables,
			       *batches);
	} while (*batches < ENOUGH);
	return tables;
}

static void test_hog(void)
{
	long alone, beside = 0;
	struct ksm_child c[TRIES];
	size_t tables;
	int i;

	/* Now, so that they do not have all the memory as well */
	for (i = 0; i < TRIES; i++)
		ksm_child_start(&c[i], hog, NULL);
	map_tables();
	ksm_set("smart_scan", 1);
	ksm_run();
	tables = make_quiet_set(&alone);
	for (i = 0; i < TRIES; i++) {
		ksm_say(&c[i], 'g');
		must_eq(ksm_hear(&c[i]), 'r');
		beside = pauses_in_a_pass();
		must_eq(ksm_child_kill(&c[i]), 128 + SIGKILL);
		ksft_print_msg("%ld pauses in a pass beside a hog\n", beside);
		if (beside <= MOST * alone)
			break;
	}
	ksm_stop();
	must_be_quiet(tables);
	must(beside <= MOST * alone);
}

static const struct ksys_case cases[] = {
	{ "a hog on the CPU of ksmd", test_hog },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	pin_ksmd();
	ksys_main(cases, ARRAY_SIZE(cases));
}
