// SPDX-License-Identifier: GPL-2.0
/*
 * PR_SET_MEMORY_MERGE and PR_GET_MEMORY_MERGE: a whole process is mergeable.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"

#define PAGES	64

static bool set_fails(unsigned long a2, unsigned long a3, unsigned long a4,
		      unsigned long a5)
{
	errno = 0;
	return prctl(PR_SET_MEMORY_MERGE, a2, a3, a4, a5) == -1 &&
	       errno == EINVAL;
}

static bool get_fails(unsigned long a2, unsigned long a3, unsigned long a4,
		      unsigned long a5)
{
	errno = 0;
	return prctl(PR_GET_MEMORY_MERGE, a2, a3, a4, a5) == -1 &&
	       errno == EINVAL;
}

static int enabled(void)
{
	return prctl(PR_GET_MEMORY_MERGE, 0, 0, 0, 0);
}

static int enable(void)
{
	return prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0);
}

static int disable(void)
{
	return prctl(PR_SET_MEMORY_MERGE, 0, 0, 0, 0);
}

/* Memory with no madvise() on it at all. */
static void *plain_map(size_t pages)
{
	void *map = mmap(NULL, pages * ksm_page_size(), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		ksm_die("mmap: %s", strerror(errno));
	return map;
}

static void test_errors(void)
{
	int on;

	CHECK(enabled() == 0);
	for (on = 0; on < 2; on++) {
		CHECK(set_fails(on, 1, 0, 0));
		CHECK(set_fails(on, 0, 1, 0));
		CHECK(set_fails(on, 0, 0, 1));
		CHECK(set_fails(!on, 0, 0, -1UL));
		CHECK(set_fails(!on, 1, 1, 1));
		CHECK(get_fails(1, 0, 0, 0));
		CHECK(get_fails(0, 1, 0, 0));
		CHECK(get_fails(0, 0, 1, 0));
		CHECK(get_fails(0, 0, 0, 1));
		/* None of these changed anything. */
		CHECK(enabled() == on);
		CHECK(enable() == 0);
	}
}

static void test_any_nonzero(void)
{
	static const unsigned long values[] = { 1, 2, 7, -1UL, 1UL << 31 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		CHECK(prctl(PR_SET_MEMORY_MERGE, values[i], 0, 0, 0) == 0);
		CHECK(enabled() == 1);
		CHECK(prctl(PR_SET_MEMORY_MERGE, values[i], 0, 0, 0) == 0);
		CHECK(enabled() == 1);
		CHECK(disable() == 0);
		CHECK(enabled() == 0);
		CHECK(disable() == 0);
		CHECK(enabled() == 0);
	}
}

/* ksm_stat says so too, in its last two lines. */
static void test_stat_lines(void)
{
	struct ksm_stat st;
	void *map;

	CHECK(!ksm_stat(0, &st));
	CHECK(st.merge_any == 0 && st.mergeable == 0);
	CHECK(enable() == 0);
	CHECK(!ksm_stat(0, &st));
	CHECK(st.merge_any == 1 && st.mergeable == 1);
	CHECK(disable() == 0);
	map = ksm_map(1);
	ksm_mergeable(map, 1);
	CHECK(!ksm_stat(0, &st));
	CHECK(st.merge_any == 0 && st.mergeable == 1);
}

/* What is there when prctl() is called. */
static void test_flags_existing(void)
{
	void *anon = ksm_map(4), *none = ksm_map(4), *shared, *file, *heap;
	int fd, on_stack;

	CHECK(!mprotect(none, 4 * ksm_page_size(), PROT_NONE));
	shared = mmap(NULL, ksm_page_size(), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	fd = open("/proc/self/exe", O_RDONLY);
	CHECK(fd >= 0);
	file = mmap(NULL, ksm_page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE,
		    fd, 0);
	CHECK(file != MAP_FAILED);
	close(fd);
	heap = sbrk(ksm_page_size());
	CHECK(heap != (void *)-1);

	CHECK(!ksm_vma_flag(0, anon, "mg"));
	CHECK(!ksm_vma_flag(0, heap, "mg"));
	CHECK(enable() == 0);
	CHECK(ksm_vma_flag(0, anon, "mg"));
	CHECK(ksm_vma_flag(0, none, "mg"));
	CHECK(ksm_vma_flag(0, heap, "mg"));
	CHECK(ksm_vma_flag(0, file, "mg"));
	CHECK(ksm_vma_flag(0, &on_stack, "mg"));
	CHECK(!ksm_vma_flag(0, shared, "mg"));

	CHECK(disable() == 0);
	CHECK(!ksm_vma_flag(0, anon, "mg"));
	CHECK(!ksm_vma_flag(0, none, "mg"));
	CHECK(!ksm_vma_flag(0, heap, "mg"));
	CHECK(!ksm_vma_flag(0, file, "mg"));
	CHECK(!ksm_vma_flag(0, &on_stack, "mg"));
}

/* What comes later. */
static void test_flags_new(void)
{
	void *map, *shared, *file, *heap, *fixed;
	int fd;

	CHECK(enable() == 0);
	map = plain_map(4);
	CHECK(ksm_vma_flag(0, map, "mg"));
	map = mmap(NULL, 4 * ksm_page_size(), PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(map != MAP_FAILED && ksm_vma_flag(0, map, "mg"));
	fixed = mmap(map, ksm_page_size(), PROT_READ,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(fixed == map && ksm_vma_flag(0, map, "mg"));
	shared = mmap(NULL, ksm_page_size(), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED && !ksm_vma_flag(0, shared, "mg"));
	fd = open("/proc/self/exe", O_RDONLY);
	CHECK(fd >= 0);
	file = mmap(NULL, ksm_page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE,
		    fd, 0);
	CHECK(file != MAP_FAILED && ksm_vma_flag(0, file, "mg"));
	file = mmap(NULL, ksm_page_size(), PROT_READ, MAP_SHARED, fd, 0);
	CHECK(file != MAP_FAILED && !ksm_vma_flag(0, file, "mg"));
	close(fd);
	heap = sbrk(16 * ksm_page_size());
	CHECK(heap != (void *)-1);
	CHECK(ksm_vma_flag(0, (char *)heap + 15 * ksm_page_size(), "mg"));

	CHECK(disable() == 0);
	CHECK(!ksm_vma_flag(0, plain_map(4), "mg"));
}

static void test_merges(void)
{
	char *before, *after;

	before = plain_map(PAGES);
	madvise(before, PAGES * ksm_page_size(), MADV_NOHUGEPAGE);
	ksm_fill(before, PAGES, 11, 0);
	CHECK(enable() == 0);
	after = plain_map(PAGES);
	madvise(after, PAGES * ksm_page_size(), MADV_NOHUGEPAGE);
	ksm_fill(after, PAGES, 11, 0);
	ksm_scan(3);
	CHECK(ksm_count_merged(before, PAGES) == PAGES);
	CHECK(ksm_count_merged(after, PAGES) == PAGES);
	CHECK(ksm_pfn(0, before) == ksm_pfn(0, after));
	CHECK(ksm_merging_pages(0) >= 2 * PAGES);
	CHECK(ksm_contents_ok(before, PAGES, 11, 0));
	CHECK(ksm_contents_ok(after, PAGES, 11, 0));

	/* Gone when prctl() returns; the counters may follow later. */
	ksm_run();
	CHECK(disable() == 0);
	CHECK(ksm_count_merged(before, PAGES) == 0);
	CHECK(ksm_count_pfns(before, PAGES) == PAGES);
	CHECK(ksm_count_pfns(after, PAGES) == PAGES);
	CHECK(ksm_contents_ok(before, PAGES, 11, 0));
	CHECK(ksm_contents_ok(after, PAGES, 11, 0));
	CHECK(ksm_wait_value("pages_shared", 0, KSM_DEADLINE_MS));
	CHECK(ksm_wait_value("pages_sharing", 0, KSM_DEADLINE_MS));
	CHECK(ksm_merging_pages(0) == 0);

	/* And back again. */
	CHECK(enable() == 0);
	ksm_scan(3);
	CHECK(ksm_count_pfns(before, PAGES) == 1);
	CHECK(ksm_contents_ok(before, PAGES, 11, 0));
}

/* Disabling also ends what madvise() began, but only if it was enabled. */
static void test_disable_and_madvise(void)
{
	char *map = ksm_map_merge(PAGES, 12, 0);

	CHECK(disable() == 0);
	CHECK(ksm_vma_flag(0, map, "mg"));
	ksm_scan(3);
	CHECK(ksm_count_merged(map, PAGES) == PAGES);
	CHECK(disable() == 0);
	CHECK(ksm_vma_flag(0, map, "mg"));
	CHECK(ksm_count_merged(map, PAGES) == PAGES);

	CHECK(enable() == 0);
	CHECK(ksm_count_merged(map, PAGES) == PAGES);
	CHECK(disable() == 0);
	CHECK(!ksm_vma_flag(0, map, "mg"));
	CHECK(ksm_count_merged(map, PAGES) == 0);
	CHECK(ksm_contents_ok(map, PAGES, 12, 0));
}

/* MADV_UNMERGEABLE makes an exception for a range, not for the process. */
static void test_unmergeable_range(void)
{
	char *map;

	CHECK(enable() == 0);
	map = ksm_map(PAGES);
	ksm_fill(map, PAGES, 13, 0);
	ksm_scan(3);
	CHECK(ksm_count_merged(map, PAGES) == PAGES);
	ksm_unmergeable(map, PAGES / 2);
	CHECK(enabled() == 1);
	CHECK(!ksm_vma_flag(0, map, "mg"));
	CHECK(ksm_vma_flag(0, map + PAGES / 2 * ksm_page_size(), "mg"));
	CHECK(ksm_count_merged(map, PAGES) == PAGES / 2);
	CHECK(ksm_vma_flag(0, plain_map(1), "mg"));
	CHECK(ksm_contents_ok(map, PAGES, 13, 0));
	/* Enabling what is enabled does not take it back: it is a no-op. */
	CHECK(enable() == 0);
	ksm_scan(3);
	CHECK(ksm_contents_ok(map, PAGES, 13, 0));
}

static int inherit_child(struct ksm_child *c, void *arg)
{
	char *map = arg;

	CHECK(enabled() == 1);
	CHECK(ksm_vma_flag(0, map, "mg"));
	CHECK(ksm_vma_flag(0, plain_map(1), "mg"));
	CHECK(disable() == 0);
	CHECK(enabled() == 0);
	CHECK(!ksm_vma_flag(0, map, "mg"));
	CHECK(ksm_count_merged(map, PAGES) == 0);
	CHECK(ksm_contents_ok(map, PAGES, 14, 0));
	return 0;
}

static void test_inheritance(void)
{
	struct ksm_child c;
	char *map;

	CHECK(enable() == 0);
	map = ksm_map(PAGES);
	ksm_fill(map, PAGES, 14, 0);
	ksm_scan(3);
	CHECK(ksm_count_merged(map, PAGES) == PAGES);
	ksm_child_start(&c, inherit_child, map);
	CHECK(ksm_child_wait(&c) == 0);
	/* The child's choice is its own. */
	CHECK(enabled() == 1);
	CHECK(ksm_vma_flag(0, map, "mg"));
	CHECK(ksm_count_merged(map, PAGES) == PAGES);
	CHECK(ksm_contents_ok(map, PAGES, 14, 0));
}

static void *thread_enable(void *arg)
{
	*(int *)arg = enable();
	return NULL;
}

/* It belongs to the address space, so to all threads. */
static void test_thread(void)
{
	pthread_t thread;
	int ret = -1;

	CHECK(!pthread_create(&thread, NULL, thread_enable, &ret));
	CHECK(!pthread_join(thread, NULL));
	CHECK(ret == 0 && enabled() == 1);
}

static void test_unprivileged(void)
{
	char *map;

	CHECK(!setresuid(65534, 65534, 65534));
	CHECK(enable() == 0 && enabled() == 1);
	map = plain_map(1);
	CHECK(!madvise(map, ksm_page_size(), MADV_MERGEABLE));
	CHECK(disable() == 0 && enabled() == 0);
}

/*
 * ksmd drops a process without mergeable memory.  The next new
 * mapping of a merge-any process has to bring it back.
 */
static void test_comes_back(void)
{
	unsigned long start, end;
	char line[512], *map;
	FILE *f;

	CHECK(enable() == 0);
	f = fopen("/proc/self/maps", "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		/* Some refuse (vsyscall): they never were mergeable. */
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			madvise((void *)start, end - start, MADV_UNMERGEABLE);
	}
	fclose(f);
	/* ksmd may finish a pass or two before it lets go. */
	ksm_run();
	ksm_wait_scans(2, 500);
	CHECK(enabled() == 1);
	map = ksm_map(PAGES);
	ksm_fill(map, PAGES, 15, 0);
	CHECK(ksm_vma_flag(0, map, "mg"));
	ksm_scan(3);
	CHECK(ksm_count_merged(map, PAGES) == PAGES);
	CHECK(ksm_contents_ok(map, PAGES, 15, 0));
}

/* On and off while ksmd works at full speed. */
static void test_toggle(void)
{
	__u64 end = ksm_now_ms() + 1500;
	char *map = ksm_map(PAGES);
	unsigned int rounds = 0;

	ksm_fill(map, PAGES, 16, 0);
	ksm_run();
	while (ksm_now_ms() < end || rounds < 3) {
		CHECK(enable() == 0);
		if (rounds % 4 == 0)
			CHECK(!ksm_wait_scans(2, KSM_DEADLINE_MS));
		CHECK(disable() == 0);
		CHECK(ksm_count_merged(map, PAGES) == 0);
		CHECK(ksm_contents_ok(map, PAGES, 16, 0));
		rounds++;
	}
	ksft_print_msg("%u rounds\n", rounds);
}

static const struct ksm_case cases[] = {
	{ "every wrong argument gives EINVAL and changes nothing",
	  test_errors },
	{ "any value but 0 enables, twice is as good as once",
	  test_any_nonzero },
	{ "ksm_merge_any and ksm_mergeable of ksm_stat", test_stat_lines },
	{ "existing VMAs are flagged and unflagged", test_flags_existing },
	{ "new mmap and brk memory is flagged", test_flags_new },
	{ "memory merges, and is unmerged when disabled", test_merges },
	{ "disabling ends madvise's merging, but only if enabled",
	  test_disable_and_madvise },
	{ "MADV_UNMERGEABLE exempts a range", test_unmergeable_range },
	{ "fork inherits it", test_inheritance },
	{ "it holds for all threads", test_thread },
	{ "no privilege is needed", test_unprivileged },
	{ "a process ksmd has forgotten comes back", test_comes_back },
	{ "switching under a running ksmd", test_toggle },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_ON);
}
