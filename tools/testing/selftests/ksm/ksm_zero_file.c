// SPDX-License-Identifier: GPL-2.0
/*
 * use_zero_pages and private mappings of files.
 *
 * When part of a file is truncated, private copies of its pages must stay.  The
 * kernel recognizes those as anonymous pages, which the zero page is not.  So a
 * private page of zeroes in a mapping of a file is merged like any other page;
 * only anonymous memory gets the zero page.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"

#define PAGES		32
#define FILE_SEED	3000	/* what the file contains at first ... */
#define NEW_SEED	4000	/* ... and what is written to it later */

/* Neither a page of zeroes nor left out of the file of the program. */
#define DATA_PAGES	16
#define MAX_PAGE	65536

static char data[(DATA_PAGES + 1) * MAX_PAGE] = { 1 };

static bool all_zero(const char *map, size_t pages)
{
	size_t i;

	for (i = 0; i < pages; i++) {
		if (ksm_page_is_zero(ksys_page(map, i)))
			continue;
		ksft_print_msg("WRONG CONTENTS: page %zu is not zero\n", i);
		return false;
	}
	return true;
}

/* How many of these pages are the kernel's zero page? */
static size_t count_zero_pages(const char *map, size_t pages)
{
	unsigned long pfn;
	size_t i, n = 0;

	for (i = 0; i < pages; i++) {
		pfn = ksm_pfn(0, ksys_page(map, i));
		n += pfn && (ksm_kpageflags(pfn) & KSM_KPF_ZERO_PAGE);
	}
	return n;
}

/* --- Files --------------------------------------------------------------- */

static void write_file(int fd, uint64_t seed)
{
	char *page = malloc(ps());
	size_t i;

	CHECK(page);
	for (i = 0; i < PAGES; i++) {
		ksm_page_fill(page, seed + i);
		CHECK_EQ(pwrite(fd, page, ps(), i * ps()), ps());
	}
	free(page);
}

static int open_memfd(void)
{
	int fd = memfd_create("zeroes", MFD_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

/* An unlinked file; its file system lives as long as it is open. */
static int open_on(const char *type)
{
	char dir[] = "/tmp/ksm_zero_file.XXXXXX", path[64];
	int fd;

	if (!mkdtemp(dir))
		ksm_skip("no directory for a file system: %s",
			 strerror(errno));
	if (mount(type, dir, type, 0, NULL)) {
		rmdir(dir);
		ksm_skip("no %s here: %s", type, strerror(errno));
	}
	snprintf(path, sizeof(path), "%s/file", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	umount2(dir, MNT_DETACH);
	rmdir(dir);
	CHECK(fd >= 0);
	return fd;
}

static int open_tmpfs(void)
{
	return open_on("tmpfs");
}

static int open_ramfs(void)
{
	return open_on("ramfs");
}

/* A private mapping of a file that differs from it in being all zeroes */
static char *map_zeroed(int fd)
{
	char *map;

	write_file(fd, FILE_SEED);
	map = mmap(NULL, PAGES * ps(), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,
		   0);
	CHECK(map != MAP_FAILED);
	CHECK(ksm_contents_ok(map, PAGES, FILE_SEED, 1));
	memset(map, 0, PAGES * ps());
	return map;
}

/* The same, when ksmd has done what it does about it */
static char *map_merged(int fd)
{
	char *map = map_zeroed(fd);

	ksm_set("use_zero_pages", 1);
	ksm_mergeable(map, PAGES);
	ksm_scan(3);
	return map;
}

/* --- What becomes of the pages ------------------------------------------- */

static void check_all_merged(const char *map)
{
	CHECK_EQ(count_zero_pages(map, PAGES), 0);
	CHECK_EQ(ksm_get("ksm_zero_pages"), 0);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	CHECK_EQ(ksm_count_merged(map, PAGES), PAGES);
	CHECK_EQ(ksm_count_pfns(map, PAGES), 1);
	CHECK(all_zero(map, PAGES));
}

static void merge_on(int (*open_file)(void))
{
	int fd = open_file();
	char *map = map_merged(fd);

	check_all_merged(map);
	write_file(fd, NEW_SEED);
	CHECK(all_zero(map, PAGES));
	/* What is written to one page stays there. */
	ksm_page_fill(map, 1);
	CHECK(ksm_contents_ok(map, 1, 1, 0));
	CHECK(all_zero(ksys_page(map, 1), PAGES - 1));
}

static void test_memfd(void)
{
	merge_on(open_memfd);
}

static void test_tmpfs(void)
{
	merge_on(open_tmpfs);
}

static void test_ramfs(void)
{
	merge_on(open_ramfs);
}

static void test_pair(void)
{
	int fd = open_memfd();
	char *map = map_zeroed(fd);

	ksm_set("use_zero_pages", 1);
	ksm_mergeable(map, 2);
	ksm_scan(3);
	CHECK(ksm_counts_are(1, 1, 0, 0));
	CHECK_EQ(ksm_get("ksm_zero_pages"), 0);
	CHECK(ksm_same_pages(map, ksys_page(map, 1), 1));
	CHECK(all_zero(map, PAGES));
}

/* A page without a duplicate is not replaced by the zero page either. */
static void test_alone(void)
{
	int fd = open_memfd();
	char *map = map_zeroed(fd);

	ksm_set("use_zero_pages", 1);
	ksm_mergeable(map, 1);
	ksm_scan(4);
	CHECK(ksm_counts_are(0, 0, 1, 0));
	CHECK_EQ(count_zero_pages(map, PAGES), 0);
	CHECK(all_zero(map, PAGES));
}

/* Anonymous memory beside it gets the zero page, in either order. */
static void with_anonymous(bool file_first)
{
	int fd = open_memfd();
	char *map, *anon = ksm_map(PAGES);

	memset(anon, 0, PAGES * ps());
	ksm_set("use_zero_pages", 1);
	if (!file_first) {
		ksm_mergeable(anon, PAGES);
		/* A process that stays registered */
		ksm_scan(3);
		CHECK_EQ(ksm_get("ksm_zero_pages"), PAGES);
	}
	map = map_merged(fd);
	ksm_mergeable(anon, PAGES);
	ksm_scan(3);
	CHECK_EQ(ksm_get("ksm_zero_pages"), PAGES);
	CHECK_EQ(count_zero_pages(anon, PAGES), PAGES);
	CHECK_EQ(count_zero_pages(map, PAGES), 0);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	CHECK(all_zero(map, PAGES) && all_zero(anon, PAGES));
}

static void test_anonymous_first(void)
{
	with_anonymous(false);
}

static void test_file_first(void)
{
	with_anonymous(true);
}

/* --- What becomes of them when the file changes -------------------------- */

/* The file may have other pages now, and the private ones are as they were. */
static void test_hole(void)
{
	int fd = open_memfd();
	char *map = map_merged(fd);

	CHECK(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			 PAGES * ps()));
	write_file(fd, NEW_SEED);
	CHECK(all_zero(map, PAGES));
	check_all_merged(map);
}

/* The same, by any process that maps the file with the others */
static void test_remove(void)
{
	int fd = open_memfd();
	char *map = map_merged(fd), *shared;

	shared = mmap(NULL, PAGES * ps(), PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd, 0);
	CHECK(shared != MAP_FAILED);
	CHECK(!madvise(shared, PAGES / 2 * ps(), MADV_REMOVE));
	CHECK(all_zero(shared, PAGES / 2));
	write_file(fd, NEW_SEED);
	CHECK(ksm_contents_ok(shared, PAGES, NEW_SEED, 1));
	CHECK(all_zero(map, PAGES));
	check_all_merged(map);
}

/* Private pages beyond the end go, too; then the file is seen again. */
static void truncate_on(int (*open_file)(void))
{
	int fd = open_file();
	char *map = map_merged(fd);

	CHECK(!ftruncate(fd, PAGES / 2 * ps()));
	CHECK(!ftruncate(fd, PAGES * ps()));
	CHECK(all_zero(map, PAGES));
	CHECK_EQ(ksm_get("ksm_zero_pages"), 0);
	CHECK_EQ(ksm_count_merged(map, PAGES), PAGES / 2);
	write_file(fd, NEW_SEED);
	CHECK(all_zero(map, PAGES / 2));
	CHECK(ksm_contents_ok(ksys_page(map, PAGES / 2), PAGES / 2,
			      NEW_SEED + PAGES / 2, 1));
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES / 2 - 1, 0, 0));
	CHECK(all_zero(map, PAGES / 2));
}

static void test_truncate(void)
{
	truncate_on(open_memfd);
}

static void test_truncate_ramfs(void)
{
	truncate_on(open_ramfs);
}

/* --- A program's own data ------------------------------------------------ */

/* .data is a private mapping of the program's file. */
static void test_data(void)
{
	char *own = data + ps() - (uintptr_t)data % ps();

	CHECK(DATA_PAGES * ps() <= sizeof(data) - ps());
	CHECK(!prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0));
	ksm_set("use_zero_pages", 1);
	CHECK(ksm_vma_flag(0, own, "mg"));
	memset(own, 1, DATA_PAGES * ps());
	memset(own, 0, DATA_PAGES * ps());
	ksm_scan(4);
	CHECK_EQ(count_zero_pages(own, DATA_PAGES), 0);
	CHECK_EQ(ksm_count_merged(own, DATA_PAGES), DATA_PAGES);
	CHECK_EQ(ksm_count_pfns(own, DATA_PAGES), 1);
	CHECK(all_zero(own, DATA_PAGES));
	own[1] = 1;
	CHECK(all_zero(ksys_page(own, 1), DATA_PAGES - 1));
	own[1] = 0;
	CHECK(all_zero(own, DATA_PAGES));
}

static const struct ksm_case cases[] = {
	{ "pages of zeroes merge: memfd", test_memfd },
	{ "pages of zeroes merge: tmpfs", test_tmpfs },
	{ "pages of zeroes merge: ramfs", test_ramfs },
	{ "two pages of zeroes", test_pair },
	{ "one page of zeroes", test_alone },
	{ "anonymous memory before", test_anonymous_first },
	{ "anonymous memory after", test_file_first },
	{ "a hole is made in the file", test_hole },
	{ "MADV_REMOVE of the file", test_remove },
	{ "the file is truncated", test_truncate },
	{ "the file is truncated: ramfs", test_truncate_ramfs },
	{ "a program's .data under prctl", test_data },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
