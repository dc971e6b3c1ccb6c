// SPDX-License-Identifier: GPL-2.0
/*
 * Huge pages of a file in a private mapping.
 *
 * KSM does not merge them, and a mapping may have very many of them.  Once ksmd
 * knows them, a pass over them must not allocate memory, not even temporarily.
 * Pages between them that were written are private, and are merged.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/thp.h"
#include "lib/tracefs.h"

#define HUGE_PAGES	4
#define SEED		5000
#define PRIVATE		900000
#define PASSES		12

static size_t size;		/* of a huge page, in bytes */
static size_t nr;		/* the same in pages */

/* A file of unique pages on a file system of its own; deleted already */
static int make_file(const char *options)
{
	char dir[] = "/tmp/ksm-XXXXXX", path[64];
	char *page = ksm_map(1);
	size_t i;
	int fd;

	CHECK(mkdtemp(dir));
	if (mount("tmpfs", dir, "tmpfs", 0, options)) {
		rmdir(dir);
		ksm_skip("tmpfs does not know %s: %s", options,
			 strerror(errno));
	}
	snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	umount2(dir, MNT_DETACH);
	rmdir(dir);
	CHECK(fd >= 0);
	for (i = 0; i < HUGE_PAGES * nr; i++) {
		ksm_page_fill(page, SEED + i);
		CHECK_EQ(write(fd, page, ps()), ps());
	}
	ksm_unmap(page, 1);
	return fd;
}

static char *map_private(int fd)
{
	char *room, *map;

	room = mmap(NULL, (HUGE_PAGES + 2) * size, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(room != MAP_FAILED);
	map = (char *)(((unsigned long)room + size) & ~(size - 1));
	CHECK(mmap(map, HUGE_PAGES * size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_FIXED, fd, 0) == map);
	return map;
}

/* How many kB of files this process has mapped by huge entries */
static long huge_kb(void)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	long sum = 0, kb;
	char line[256];

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "ShmemPmdMapped: %ld", &kb) == 1 ||
		    sscanf(line, "FilePmdMapped: %ld", &kb) == 1)
			sum += kb;
	}
	fclose(f);
	return sum;
}

/* All of it as in the file but for the first page, which is private */
static void check_contents(const char *map)
{
	CHECK(ksm_page_ok(map, PRIVATE));
	CHECK(ksm_contents_ok(ksys_page(map, 1), HUGE_PAGES * nr - 1, SEED + 1,
			      1));
}

/* Times that ksmd takes memory in so many passes, the first ones left out */
static long allocs_at_rest(void)
{
	long long before;
	long hits;

	ksm_scan(4);
	before = ksm_get("full_scans");
	CHECK_EQ(ksm_trace_allocs(ksm_ksmd_pid()), 0);
	ksm_scan(PASSES);
	hits = ksm_trace_allocs_stop();
	ksft_print_msg("%ld allocations in %lld passes\n", hits,
		       ksm_get("full_scans") - before);
	return hits;
}

static void passes(const char *options, bool huge)
{
	int fd = make_file(options);
	char *map = map_private(fd);

	/* Something private, or ksmd would not look at the mapping at all. */
	ksm_page_fill(map, PRIVATE);
	check_contents(map);
	if (huge)
		CHECK_EQ(huge_kb(), (HUGE_PAGES - 1) * size / 1024);
	/* If this is not seen, nothing is. */
	CHECK_EQ(ksm_trace_allocs(ksm_ksmd_pid()), 0);
	ksm_mergeable(map, HUGE_PAGES * nr);
	ksm_scan(2);
	CHECK(ksm_trace_allocs_stop() > 0);
	CHECK(ksm_counts_are(0, 0, 1, 0));

	CHECK(allocs_at_rest() <= PASSES / 4);
	CHECK(ksm_counts_are(0, 0, 1, 0));
	check_contents(map);
	if (huge)
		CHECK_EQ(huge_kb(), (HUGE_PAGES - 1) * size / 1024);
	close(fd);
}

static void test_small(void)
{
	passes("huge=never", false);
}

static void test_huge(void)
{
	passes("huge=always", true);
}

/* With and without smart_scan the same */
static void test_huge_smart(void)
{
	ksm_set("smart_scan", 1);
	passes("huge=always", true);
}

/* Written to, pages in the midst of a huge one are private, and merge. */
static void test_written(void)
{
	int fd = make_file("huge=always");
	char *map = map_private(fd);
	size_t i;

	ksm_page_fill(map, PRIVATE);
	check_contents(map);
	ksm_mergeable(map, HUGE_PAGES * nr);
	ksm_scan(3);
	for (i = 0; i < HUGE_PAGES; i++)
		ksm_page_fill(ksys_page(map, i * nr + 77), PRIVATE + 1);
	ksm_scan(3);
	CHECK(ksm_counts_are(1, HUGE_PAGES - 1, 1, 0));
	CHECK(allocs_at_rest() <= PASSES / 4);
	for (i = 0; i < HUGE_PAGES; i++) {
		CHECK(ksm_page_ok(ksys_page(map, i * nr + 77), PRIVATE + 1));
		ksm_page_fill(ksys_page(map, i * nr + 77), SEED + i * nr + 77);
	}
	check_contents(map);
	close(fd);
}

static const struct ksm_case cases[] = {
	{ "pages of a file cost no memory", test_small },
	{ "huge pages of a file cost no memory", test_huge },
	{ "the same with smart_scan", test_huge_smart },
	{ "written in the midst of huge pages", test_written },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	size = ksys_thp_size();
	if (!size)
		ksm_skip_all("kernel without CONFIG_TRANSPARENT_HUGEPAGE");
	nr = size / ps();
	if (ksm_trace_setup() || ksm_trace_allocs(ksm_ksmd_pid()))
		ksm_skip_all("no hist triggers (CONFIG_HIST_TRIGGERS)");
	ksm_trace_allocs_stop();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
