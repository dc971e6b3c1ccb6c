// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it costs to watch memory that is quiet, on a machine on which other
 * things happen: new pages appear, processes come and go.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/*
 * The base's smart_scan passes over a page that stays the same for up to eight
 * scans.  Ours looks at some things every 64th pass, and learns each page in
 * two.
 */
#define SETTLE_SCANS	32
#define STOCK_SCANS	18
#define OUR_SCANS	64

/* Time for things to happen in, between two scans */
#define PAUSE_MS	20
#define PAUSE_EXIT_MS	200

#define DRIP_PAGES	16
#define EXIT_BYTES	(16 * MIB)

/* Numbers of contents that no set has */
static uint64_t fresh = 1ULL << 63;

static void *map_private(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || madvise(p, size, MADV_MERGEABLE))
		die("cannot register %zu bytes: %s", size, strerror(errno));
	return p;
}

static void fill(char *p, size_t size, uint64_t first)
{
	size_t i;

	for (i = 0; i < size / PAGE; i++)
		content_random((uint64_t *)(p + i * PAGE), first + i);
}

/* A few new pages, in a process that has no others */
static void drip(unsigned long scan)
{
	static char *pages;

	if (!pages)
		pages = map_private(DRIP_PAGES * PAGE);
	if (madvise(pages, DRIP_PAGES * PAGE, MADV_DONTNEED))
		die("madvise: %s", strerror(errno));
	fill(pages, DRIP_PAGES * PAGE, fresh);
	fresh += DRIP_PAGES;
}

/* One of a hundred pages, wherever it is; merged ones stay. */
static void drip_1pct(unsigned long scan)
{
	struct area *area = &areas[0];
	unsigned long at = scan % 65;

	/* 65 of 100 pages are not merged, so one of 65 is replaced */
	area_replace(area, at * area->pages / 65, (at + 1) * area->pages / 65,
		     area->copies);
}

static void be_process(int ready, uint64_t first)
{
	char *pages = map_private(EXIT_BYTES);

	fill(pages, EXIT_BYTES, first);
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static pid_t start_process(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready))
		die("pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid)
		be_process(ready[1], fresh);
	fresh += EXIT_BYTES / PAGE;
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		die("a process died");
	close(ready[0]);
	return pid;
}

/* A process exits when another one like it has started. */
static void drip_exit(unsigned long scan)
{
	static pid_t last;
	pid_t next = start_process();

	if (last) {
		kill(last, SIGKILL);
		waitpid(last, NULL, 0);
	}
	last = next;
}

/* Return: nanoseconds per page of the set and scan. */
static double measure(void (*happen)(unsigned long scan), unsigned long scans)
{
	uint64_t first = ksm_get("full_scans"), cpu = ksmd_cpu_ns();
	unsigned long i;

	for (i = 0; i < scans; i++) {
		if (happen)
			happen(i);
		wait_scans(1);
	}
	return (double)(ksmd_cpu_ns() - cpu) /
	       (ksm_get("full_scans") - first) / pages_total();
}

/* A set that is quiet, first alone, then while things happen */
static void run(const struct bench_case *self, unsigned int pause_ms,
		void (*happen)(unsigned long scan), const char *by_quiet)
{
	unsigned long scans = ksm_is_stock() ? STOCK_SCANS : OUR_SCANS;
	struct area *area = set_mix(set_mib);
	double quiet, dripping;

	workers_start(false);
	area_fill(area);
	area_register(area);
	ksm_fast();
	ksm_set("run", 1);
	wait_merged(copies_total());
	wait_scans(SETTLE_SCANS);
	ksm_set("sleep_millisecs", pause_ms);
	wait_scans(1);
	quiet = measure(NULL, scans);
	measure(happen, 4);
	dripping = measure(happen, scans);
	out_value(self->name, dripping);
	if (by_quiet)
		out_value(by_quiet, dripping / quiet);
	out_number("quiet", quiet);
}

void run_drip(const struct bench_case *self)
{
	run(self, PAUSE_MS, drip, "drip_by_quiet");
}

void run_drip_1pct(const struct bench_case *self)
{
	run(self, PAUSE_MS, drip_1pct, NULL);
}

void run_drip_exit(const struct bench_case *self)
{
	run(self, PAUSE_EXIT_MS, drip_exit, NULL);
}
