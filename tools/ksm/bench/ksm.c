// SPDX-License-Identifier: GPL-2.0-only
/*
 * The knobs and counters of KSM, and the CPU time of its thread as the kernel
 * accounts for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define DIR_NAME	"/sys/kernel/mm/ksm/"

/* How often to look; what is looked at is more exact than this. */
#define LOOK_US		500

/* Nothing here takes longer, on the slowest of machines. */
#define LIMIT_NS	(1800 * NSEC)

static int schedstat = -1;

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NSEC + t.tv_nsec;
}

void sleep_ms(unsigned long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static void read_file(const char *path, char *text, size_t size)
{
	int fd = open_file(path, O_RDONLY);
	ssize_t len = read(fd, text, size - 1);

	close(fd);
	text[len > 0 ? len : 0] = 0;
}

long ksm_get(const char *file)
{
	char path[80], text[32];

	snprintf(path, sizeof(path), DIR_NAME "%s", file);
	read_file(path, text, sizeof(text));
	return atol(text);
}

void ksm_set(const char *file, long value)
{
	char path[80], text[32];
	int fd, len;

	snprintf(path, sizeof(path), DIR_NAME "%s", file);
	fd = open_file(path, O_WRONLY);
	len = snprintf(text, sizeof(text), "%ld", value);
	if (write(fd, text, len) != len)
		die("%s=%ld: %s", file, value, strerror(errno));
	close(fd);
}

/* Which kernel this is, is said on its command line. */
bool ksm_is_stock(void)
{
	const char *kernel = getenv("kernel");

	return kernel && !strcmp(kernel, "stock");
}

/* As fast as it can */
void ksm_fast(void)
{
	ksm_set("pages_to_scan", 1000000);
	ksm_set("sleep_millisecs", 0);
}

/* Ours is always measured with its default. */
void ksm_smart(bool smart)
{
	if (ksm_is_stock())
		ksm_set("smart_scan", smart);
}

/* Find the thread. */
void ksm_open(void)
{
	char path[300], name[32];
	struct dirent *entry;
	DIR *proc = opendir("/proc");

	while (proc && (entry = readdir(proc))) {
		if (atoi(entry->d_name) <= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		read_file(path, name, sizeof(name));
		if (strcmp(name, "ksmd\n"))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/schedstat",
			 entry->d_name);
		schedstat = open_file(path, O_RDONLY);
		closedir(proc);
		return;
	}
	die("there is no ksmd");
}

uint64_t ksmd_cpu_ns(void)
{
	char text[80];
	ssize_t len = pread(schedstat, text, sizeof(text) - 1, 0);

	if (len <= 0)
		die("cannot read ksmd's CPU time");
	text[len] = 0;
	return strtoull(text, NULL, 10);
}

/* Mappings of KSM pages */
unsigned long ksm_mapped(void)
{
	return ksm_get("pages_shared") + ksm_get("pages_sharing");
}

static void look_again(uint64_t start, const char *what)
{
	usleep(LOOK_US);
	if (now_ns() - start > LIMIT_NS)
		die("no end of waiting for %s", what);
}

/* Until this many full scans more are complete */
void wait_scans(unsigned long scans)
{
	uint64_t start = now_ns();
	unsigned long until = ksm_get("full_scans") + scans;

	while ((unsigned long)ksm_get("full_scans") < until)
		look_again(start, "full scans");
}

/*
 * Until this many mappings are of KSM pages.  A few may be left over: the last
 * copy of a content whose KSM pages have all the mappings they may have waits
 * for one more like it.
 */
void wait_merged(unsigned long pages)
{
	unsigned long enough = pages - pages / 1000;
	uint64_t start = now_ns();

	while (ksm_mapped() < enough)
		look_again(start, "pages to merge");
}

/*
 * cost_of_scans - ksmd's CPU time over full scans
 * @scans: how many, or a multiple of it,
 * @least_ns: for as much CPU time as this at least
 *
 * They are counted from the end of one to the end of another, as seen from
 * outside, so the first and the last are a little longer or shorter.
 */
struct cost cost_of_scans(unsigned long scans, uint64_t least_ns)
{
	uint64_t cpu, first;
	struct cost cost;

	wait_scans(1);
	first = ksm_get("full_scans");
	cpu = ksmd_cpu_ns();
	do {
		wait_scans(scans - (ksm_get("full_scans") - first) % scans);
		cost.cpu_ns = ksmd_cpu_ns() - cpu;
		cost.scans = ksm_get("full_scans") - first;
	} while (cost.cpu_ns < least_ns);
	return cost;
}
