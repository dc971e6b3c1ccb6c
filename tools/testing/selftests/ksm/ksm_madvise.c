// SPDX-License-Identifier: GPL-2.0
/*
 * MADV_MERGEABLE and MADV_UNMERGEABLE: ranges, kinds of memory, errors.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE		0x08
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise	440
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open		434
#endif
#ifndef SYS_mseal
#define SYS_mseal		462
#endif

#define PAGES	32

static const int advices[] = { MADV_MERGEABLE, MADV_UNMERGEABLE };

static bool fails(void *addr, size_t len, int advice, int err)
{
	errno = 0;
	if (madvise(addr, len, advice) == -1 && errno == err)
		return true;
	ksft_print_msg("madvise(%p, %#zx, %d): want %s, have %s\n", addr, len,
		       advice, strerror(err), strerror(errno));
	return false;
}

static void test_errors(void)
{
	char *map = ksm_map(4);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(advices); i++) {
		int advice = advices[i];

		CHECK(fails(map + 1, ps(), advice, EINVAL));
		CHECK(fails(map + ps() / 2, 0, advice, EINVAL));
		CHECK(fails(map, -ps() + 1, advice, EINVAL));
		CHECK(fails(map, -1UL, advice, EINVAL));
		/* Not above the last page, and not around it. */
		CHECK(fails((void *)-ps(), 2 * ps(), advice, EINVAL));
		CHECK(fails(map, -(unsigned long)map, advice, EINVAL));
		/* Nothing at all is always fine. */
		CHECK(madvise(map, 0, advice) == 0);
		CHECK(madvise(NULL, 0, advice) == 0);
	}
	CHECK(!ksm_vma_flag(0, map, "mg"));
	/* A length that is no multiple of the page size is rounded up. */
	CHECK(madvise(map, ps() + 1, MADV_MERGEABLE) == 0);
	CHECK(ksm_vma_flag(0, map + ps(), "mg"));
	CHECK(!ksm_vma_flag(0, map + 2 * ps(), "mg"));
	CHECK(madvise(map, 1, MADV_UNMERGEABLE) == 0);
	CHECK(!ksm_vma_flag(0, map, "mg"));
	CHECK(ksm_vma_flag(0, map + ps(), "mg"));
}

/* A hole gives ENOMEM, but what is mapped before and behind it is done. */
static void test_hole(void)
{
	char *map = ksm_map(9);

	CHECK(!munmap(map + 3 * ps(), 3 * ps()));
	CHECK(fails(map, 9 * ps(), MADV_MERGEABLE, ENOMEM));
	CHECK(ksm_vma_flag(0, map, "mg"));
	CHECK(ksm_vma_flag(0, map + 8 * ps(), "mg"));
	CHECK(fails(map + 3 * ps(), 2 * ps(), MADV_MERGEABLE, ENOMEM));
	CHECK(fails(map + 2 * ps(), 5 * ps(), MADV_UNMERGEABLE, ENOMEM));
	CHECK(ksm_vma_flag(0, map, "mg"));
	CHECK(!ksm_vma_flag(0, map + 2 * ps(), "mg"));
	CHECK(!ksm_vma_flag(0, map + 6 * ps(), "mg"));
	CHECK(ksm_vma_flag(0, map + 7 * ps(), "mg"));
}

/* Ranges that cut VMAs: the flag splits them and joins them again. */
static void test_split(void)
{
	char *map = ksm_map(PAGES);
	size_t i;

	ksm_fill(map, PAGES, 1, 0);
	ksm_mergeable(map, PAGES);
	CHECK(ksm_vma_count(0, map, PAGES * ps()) == 1);
	for (i = 1; i < PAGES; i += 2)
		ksm_unmergeable(map + i * ps(), 1);
	CHECK(ksm_vma_count(0, map, PAGES * ps()) == PAGES);
	ksm_scan(3);
	for (i = 0; i < PAGES; i++)
		CHECK(ksm_is_merged(map + i * ps()) == !(i & 1));
	CHECK(ksm_counts_are(1, PAGES / 2 - 1, 0, 0));
	ksm_mergeable(map, PAGES);
	CHECK(ksm_vma_count(0, map, PAGES * ps()) == 1);
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	CHECK(ksm_contents_ok(map, PAGES, 1, 0));
}

/* Unmerging is done when the call returns, and touches no other range. */
static void test_unmerge(void)
{
	char *map = ksm_map_merge(PAGES, 2, 0);
	long cow;

	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	CHECK(ksm_count_pfns(map, PAGES) == 1);
	cow = ksm_vmstat("cow_ksm");
	CHECK(madvise(map + 8 * ps(), 8 * ps(), MADV_UNMERGEABLE) == 0);
	CHECK(ksm_count_merged(map + 8 * ps(), 8) == 0);
	CHECK(ksm_count_merged(map, PAGES) == PAGES - 8);
	CHECK(ksm_count_pfns(map, PAGES) == 9);
	CHECK(!ksm_vma_flag(0, map + 8 * ps(), "mg"));
	CHECK(ksm_vma_flag(0, map, "mg"));
	CHECK(ksm_vmstat("cow_ksm") == cow + 8);
	CHECK(ksm_contents_ok(map, PAGES, 2, 0));
	ksm_scan(2);
	CHECK(ksm_counts_are(1, PAGES - 9, 0, 0));
	CHECK(ksm_merging_pages(0) == PAGES - 8);
	ksm_unmergeable(map, PAGES);
	CHECK(ksm_count_pfns(map, PAGES) == PAGES);
	CHECK(ksm_contents_ok(map, PAGES, 2, 0));
	ksm_run();
	CHECK(ksm_wait_value("pages_shared", 0, KSM_DEADLINE_MS));
	CHECK(ksm_wait_value("pages_sharing", 0, KSM_DEADLINE_MS));
	CHECK(ksm_merging_pages(0) == 0);
}

static void test_unmerge_zero(void)
{
	char *map = ksm_map(PAGES), *page = malloc(ps());
	struct ksm_stat st;
	size_t i;

	ksm_set("use_zero_pages", 1);
	memset(map, 0, PAGES * ps());
	memset(page, 0, ps());
	ksm_mergeable(map, PAGES);
	ksm_scan(3);
	CHECK(ksm_get("ksm_zero_pages") == PAGES);
	ksm_unmergeable(map, PAGES);
	CHECK(ksm_get("ksm_zero_pages") == 0);
	CHECK(!ksm_stat(0, &st) && st.zero_pages == 0);
	CHECK(ksm_count_pfns(map, PAGES) == PAGES);
	for (i = 0; i < PAGES; i++)
		CHECK(!memcmp(map + i * ps(), page, ps()));
}

/* Twice is as good as once, and a range never merged can be unmerged. */
static void test_idempotent(void)
{
	char *map = ksm_map(PAGES);

	CHECK(madvise(map, PAGES * ps(), MADV_UNMERGEABLE) == 0);
	ksm_fill(map, PAGES, 3, 0);
	CHECK(madvise(map, PAGES * ps(), MADV_UNMERGEABLE) == 0);
	ksm_mergeable(map, PAGES);
	ksm_mergeable(map, PAGES);
	ksm_scan(3);
	ksm_mergeable(map, PAGES);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	ksm_unmergeable(map, PAGES);
	ksm_unmergeable(map, PAGES);
	CHECK(ksm_count_pfns(map, PAGES) == PAGES);
	CHECK(ksm_contents_ok(map, PAGES, 3, 0));
}

/* Both calls succeed on memory that never merges, and set no flag. */
static bool silently_refused(const char *what, void *addr, size_t len)
{
	bool ok;

	ok = !madvise(addr, len, MADV_MERGEABLE) &&
	     !ksm_vma_flag(0, addr, "mg") &&
	     !madvise(addr, len, MADV_UNMERGEABLE);
	if (!ok)
		ksft_print_msg("%s: %s, flag %d\n", what, strerror(errno),
			       ksm_vma_flag(0, addr, "mg"));
	return ok;
}

static void test_shared(void)
{
	char *map;
	int fd;

	map = mmap(NULL, PAGES * ps(), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(map != MAP_FAILED);
	ksm_fill(map, PAGES, 4, 0);
	CHECK(silently_refused("shared anonymous", map, PAGES * ps()));
	CHECK(ksm_contents_ok(map, PAGES, 4, 0));
	/* A shared mapping of a read-only file has VM_MAYSHARE only. */
	fd = open("/proc/self/exe", O_RDONLY);
	CHECK(fd >= 0);
	map = mmap(NULL, ps(), PROT_READ, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	CHECK(silently_refused("shared file", map, ps()));
	close(fd);
}

static void test_hugetlb(void)
{
	char text[16] = "";
	void *map;
	FILE *f;

	f = fopen("/proc/sys/vm/nr_hugepages", "r+");
	if (!f)
		ksm_skip("kernel without CONFIG_HUGETLBFS");
	CHECK(fgets(text, sizeof(text), f));
	rewind(f);
	fprintf(f, "%d\n", atoi(text) + 2);
	fflush(f);
	map = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (map != MAP_FAILED) {
		memset(map, 1, ps());
		CHECK(silently_refused("hugetlb", map, 2 << 20));
		munmap(map, 2 << 20);
	}
	rewind(f);
	fputs(text, f);
	fclose(f);
	if (map == MAP_FAILED)
		ksm_skip("no huge page to be had");
}

/* A driver that sets VM_PFNMAP or VM_IO in its mmap(). */
static void test_pfnmap(void)
{
	void *map = MAP_FAILED;
	int fd;

	fd = open("/dev/mem", O_RDONLY);
	if (fd >= 0)
		map = mmap(NULL, ps(), PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		ksm_skip("/dev/mem cannot be mapped (CONFIG_DEVMEM)");
	close(fd);
	CHECK(silently_refused("/dev/mem", map, ps()));
}

static void test_droppable(void)
{
	char *map;

	map = mmap(NULL, PAGES * ps(), PROT_READ | PROT_WRITE,
		   MAP_DROPPABLE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		ksm_skip("kernel without MAP_DROPPABLE");
	ksm_fill(map, PAGES, 5, 0);
	CHECK(silently_refused("droppable", map, PAGES * ps()));
}

/* The vdso is VM_DONTEXPAND (vvar: VM_PFNMAP); not all machines have one. */
static void test_special(void)
{
	unsigned long start, end;
	char line[512];
	int seen = 0;
	FILE *f;

	f = fopen("/proc/self/maps", "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		if (!strstr(line, "[vdso]") && !strstr(line, "[vvar"))
			continue;
		CHECK(sscanf(line, "%lx-%lx ", &start, &end) == 2);
		CHECK(silently_refused(strchr(line, '['), (void *)start,
				       end - start));
		seen++;
	}
	fclose(f);
	if (!seen)
		ksm_skip("no vdso on this machine");
}

static void test_private_file(void)
{
	char name[] = "/tmp/ksm_madvise.XXXXXX", *map;
	char *want = malloc(PAGES * ps());
	size_t i;
	int fd;

	fd = mkstemp(name);
	CHECK(fd >= 0);
	unlink(name);
	ksm_fill(want, PAGES, 6, 0);
	CHECK(write(fd, want, PAGES * ps()) == (ssize_t)(PAGES * ps()));
	map = mmap(NULL, PAGES * ps(), PROT_READ | PROT_WRITE, MAP_PRIVATE,
		   fd, 0);
	CHECK(map != MAP_FAILED);
	ksm_mergeable(map, PAGES);
	CHECK(ksm_vma_flag(0, map, "mg"));
	/* The first half becomes anonymous, with the content it had. */
	for (i = 0; i < PAGES / 2; i++)
		KSM_WRITE(map[i * ps()], want[i * ps()]);
	CHECK(ksm_contents_ok(map, PAGES, 6, 0));
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES / 2 - 1, 0, 0));
	CHECK(ksm_count_merged(map, PAGES) == PAGES / 2);
	CHECK(ksm_contents_ok(map, PAGES, 6, 0));
	/* A merged page is not the file's. */
	memset(map, 0xee, ps());
	CHECK(ksm_contents_ok(map + ps(), PAGES - 1, 6, 0));
	CHECK(pread(fd, want, ps(), 0) == (ssize_t)ps());
	CHECK(ksm_page_ok(want, 6));
	close(fd);
}

static void test_prot_none(void)
{
	char *map = ksm_map(PAGES);

	ksm_fill(map, PAGES, 7, 0);
	CHECK(!mprotect(map, PAGES * ps(), PROT_NONE));
	ksm_mergeable(map, PAGES);
	CHECK(ksm_vma_flag(0, map, "mg"));
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	/* Unmerging must work without access rights, too. */
	CHECK(madvise(map, PAGES / 2 * ps(), MADV_UNMERGEABLE) == 0);
	CHECK(ksm_count_pfns(map, PAGES / 2) == PAGES / 2);
	CHECK(!mprotect(map, PAGES * ps(), PROT_READ | PROT_WRITE));
	CHECK(ksm_contents_ok(map, PAGES, 7, 0));
}

/* Also after merging, and read-only ones. */
static void test_mprotect(void)
{
	char *map = ksm_map_merge(PAGES, 8, 0);

	ksm_set("smart_scan", 0);
	CHECK(!mprotect(map, PAGES * ps(), PROT_READ));
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	CHECK(!mprotect(map, PAGES * ps(), PROT_READ | PROT_WRITE));
	CHECK(ksm_count_pfns(map, PAGES) == 1);
	memset(map, 1, ps());
	CHECK(!mprotect(map, PAGES * ps(), PROT_NONE));
	CHECK(!mprotect(map, PAGES * ps(), PROT_READ | PROT_WRITE));
	memset(map + ps(), 2, ps());
	CHECK(ksm_contents_ok(map + 2 * ps(), PAGES - 2, 8, 0));
	CHECK(map[0] == 1 && map[ps() - 1] == 1 && map[ps()] == 2);
	ksm_scan(2);
	CHECK(ksm_counts_are(1, PAGES - 3, 2, 0));
}

static void test_mlock(void)
{
	struct ksm_vma vma;
	char *map;

	map = ksm_map(PAGES);
	ksm_fill(map, PAGES, 9, 0);
	CHECK(!mlock(map, PAGES * ps()));
	ksm_mergeable(map, PAGES);
	CHECK(ksm_vma_flag(0, map, "mg") && ksm_vma_flag(0, map, "lo"));
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	CHECK(ksm_count_merged(map, PAGES) == PAGES);
	CHECK(!ksm_vma(0, map, &vma));
	CHECK(vma.rss_kb == PAGES * ps() / 1024);
	/* Still resident and locked after unmerging. */
	ksm_unmergeable(map, PAGES);
	CHECK(!ksm_vma(0, map, &vma));
	CHECK(vma.rss_kb == PAGES * ps() / 1024);
	CHECK(ksm_vma_flag(0, map, "lo"));
	CHECK(!munlock(map, PAGES * ps()));
	CHECK(ksm_contents_ok(map, PAGES, 9, 0));
}

/* mlock of what is merged: it stays merged until it is written. */
static void test_mlock_merged(void)
{
	char *map = ksm_map_merge(PAGES, 10, 0);

	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	CHECK(!mlock(map, PAGES * ps()));
	CHECK(ksm_contents_ok(map, PAGES, 10, 0));
	CHECK(!munlock(map, PAGES * ps()));
	memset(map, 3, ps());
	CHECK(ksm_contents_ok(map + ps(), PAGES - 1, 10, 0));
}

static void test_stack(void)
{
	size_t size = 40 * ps();
	char *room = alloca(size);
	char *map = (char *)(((unsigned long)room + ps() - 1) & -ps());
	size_t n = 24;

	ksm_fill(map, n, 11, 0);
	ksm_mergeable(map, n);
	CHECK(ksm_vma_flag(0, map, "mg") && ksm_vma_flag(0, map, "gd"));
	ksm_scan(3);
	CHECK(ksm_counts_are(1, n - 1, 0, 0));
	CHECK(ksm_contents_ok(map, n, 11, 0));
	memset(map, 0x55, 2 * ps());
	CHECK(ksm_contents_ok(map + 2 * ps(), n - 2, 11, 0));
	CHECK(map[0] == 0x55 && map[2 * ps() - 1] == 0x55);
}

static void test_grows_down(void)
{
	size_t n = 8;
	char *map;

	map = mmap(NULL, 1024 * ps(), PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(map != MAP_FAILED);
	CHECK(!munmap(map, 1024 * ps()));
	map = mmap(map + 1000 * ps(), n * ps(), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED,
		   -1, 0);
	CHECK(map != MAP_FAILED);
	ksm_fill(map, n, 12, 0);
	ksm_mergeable(map, n);
	/* Let it grow: what is new is as mergeable as the rest. */
	ksm_page_fill(map - ps(), 12);
	CHECK(ksm_vma_flag(0, map - ps(), "mg"));
	ksm_scan(3);
	CHECK(ksm_counts_are(1, n, 0, 0));
	CHECK(ksm_contents_ok(map - ps(), n + 1, 12, 0));
}

static void test_process_madvise(void)
{
	char *map = ksm_map(PAGES);
	struct iovec iov = { map, PAGES * ps() };
	size_t i;
	long fd;

	fd = syscall(SYS_pidfd_open, getpid(), 0);
	if (fd < 0)
		ksm_skip("pidfd_open: %s", strerror(errno));
	for (i = 0; i < ARRAY_SIZE(advices); i++) {
		errno = 0;
		CHECK(syscall(SYS_process_madvise, fd, &iov, 1, advices[i],
			      0) == -1);
		CHECK(errno == EINVAL);
	}
	CHECK(!ksm_vma_flag(0, map, "mg"));
}

static void test_mseal(void)
{
	char *map = ksm_map(PAGES);

	ksm_fill(map, PAGES, 13, 0);
	if (syscall(SYS_mseal, map, PAGES * ps(), 0))
		ksm_skip("mseal: %s", strerror(errno));
	ksm_mergeable(map, PAGES);
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	ksm_unmergeable(map, PAGES);
	CHECK(ksm_count_pfns(map, PAGES) == PAGES);
	CHECK(ksm_contents_ok(map, PAGES, 13, 0));
}

/* A split that would need one VMA too many. */
static void test_map_limit(void)
{
	char text[32] = "";
	char *map = ksm_map(PAGES);
	int have, i, err = 0;
	FILE *f;

	f = fopen("/proc/sys/vm/max_map_count", "r+");
	if (!f)
		ksm_skip("no vm.max_map_count");
	CHECK(fgets(text, sizeof(text), f));
	have = ksm_vma_count(0, NULL, -1UL);
	rewind(f);
	fprintf(f, "%d\n", have + 4);
	fflush(f);
	for (i = 1; i < PAGES && !err; i += 2) {
		errno = 0;
		if (madvise(map + i * ps(), ps(), MADV_MERGEABLE))
			err = errno;
	}
	rewind(f);
	fputs(text, f);
	fclose(f);
	ksft_print_msg("page %d: %s\n", i - 2, strerror(err));
	CHECK(err == EAGAIN);
}

static int registered_child(struct ksm_child *c, void *arg)
{
	char *map = ksm_map_merge(PAGES, 14, 0);

	ksm_say(c, 'r');
	CHECK(ksm_hear(c) == 'c');
	CHECK(ksm_contents_ok(map, PAGES, 14, 0));
	ksm_unmergeable(map, PAGES);
	ksm_say(c, 'u');
	CHECK(ksm_hear(c) == 'a');
	/* A process that ksmd has forgotten registers again. */
	CHECK(ksm_contents_ok(map, PAGES, 14, 0));
	ksm_mergeable(map, PAGES);
	ksm_say(c, 'm');
	CHECK(ksm_hear(c) == 'e');
	CHECK(ksm_count_merged(map, PAGES) == PAGES);
	CHECK(ksm_contents_ok(map, PAGES, 14, 0));
	return 0;
}

static void test_register_again(void)
{
	struct ksm_child c;
	long long scans;

	ksm_child_start(&c, registered_child, NULL);
	CHECK(ksm_hear(&c) == 'r');
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	ksm_say(&c, 'c');
	CHECK(ksm_hear(&c) == 'u');
	/* Without a registered mm, full_scans stands still in the end. */
	ksm_run();
	CHECK(ksm_wait_value("pages_shared", 0, KSM_DEADLINE_MS));
	do {
		scans = ksm_get("full_scans");
		ksm_sleep_ms(100);
	} while (ksm_get("full_scans") != scans);
	ksm_say(&c, 'a');
	CHECK(ksm_hear(&c) == 'm');
	CHECK(!ksm_wait_scans(3, KSM_DEADLINE_MS));
	ksm_stop();
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	ksm_say(&c, 'e');
	CHECK(ksm_child_wait(&c) == 0);
}

/* MADV_DONTNEED and MADV_FREE of merged pages. */
static void test_dontneed(void)
{
	char *map = ksm_map_merge(PAGES, 15, 0);
	size_t i;

	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	CHECK(!madvise(map, 8 * ps(), MADV_DONTNEED));
	for (i = 0; i < 8 * ps(); i++)
		CHECK(map[i] == 0);
	CHECK(!madvise(map + 8 * ps(), 8 * ps(), MADV_FREE));
	/* What is merged is shared: it is not freed lazily. */
	CHECK(ksm_contents_ok(map + 8 * ps(), PAGES - 8, 15, 0));
	ksm_set("run", 1);
	CHECK(!ksm_wait_scans(2, KSM_DEADLINE_MS));
	CHECK(ksm_contents_ok(map + 8 * ps(), PAGES - 8, 15, 0));
}

/*
 * Advice comes first and contents later, as with memory that is allocated for
 * a guest.  ksmd may go over the empty mapping any number of times before.
 */
static void filled_later(unsigned int empty_scans)
{
	char *a = ksm_map(PAGES), *b = ksm_map(PAGES);

	ksm_mergeable(a, PAGES);
	ksm_mergeable(b, PAGES);
	if (empty_scans) {
		ksm_scan(empty_scans);
		CHECK(ksm_counts_are(0, 0, 0, 0));
		/* Empty as they are, they stay what they were advised to be. */
		CHECK(ksm_vma_flag(0, a, "mg") && ksm_vma_flag(0, b, "mg"));
	}
	ksm_fill(a, PAGES, 2100, 1);
	ksm_fill(b, PAGES / 2, 2100, 1);
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES / 2, PAGES / 2, PAGES - PAGES / 2, 0));
	CHECK(ksm_merging_pages(0) == PAGES / 2 * 2);
	/* The rest of b follows while ksmd runs. */
	ksm_run();
	ksm_fill(b + PAGES / 2 * ps(), PAGES - PAGES / 2, 2100 + PAGES / 2, 1);
	CHECK(!ksm_wait_scans(2, KSM_DEADLINE_MS));
	ksm_stop();
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	CHECK(ksm_contents_ok(a, PAGES, 2100, 1));
	CHECK(ksm_contents_ok(b, PAGES, 2100, 1));
	ksm_fill(a, PAGES, 2900, 1);
	CHECK(ksm_contents_ok(b, PAGES, 2100, 1));
	CHECK(ksm_contents_ok(a, PAGES, 2900, 1));
}

static void test_before_touch(void)
{
	filled_later(0);
}

static void test_empty_for_long(void)
{
	filled_later(5);
}

static const struct ksm_case cases[] = {
	{ "alignment and overflow: EINVAL; length 0: nothing", test_errors },
	{ "a hole: ENOMEM, the rest is done", test_hole },
	{ "parts of a VMA are split and joined", test_split },
	{ "MADV_UNMERGEABLE unmerges before it returns", test_unmerge },
	{ "MADV_UNMERGEABLE of zero pages", test_unmerge_zero },
	{ "repeated calls", test_idempotent },
	{ "shared memory is silently left alone", test_shared },
	{ "hugetlb memory is silently left alone", test_hugetlb },
	{ "PFN mappings are silently left alone", test_pfnmap },
	{ "droppable memory is silently left alone", test_droppable },
	{ "special mappings are silently left alone", test_special },
	{ "private file mappings: only written pages merge",
	  test_private_file },
	{ "PROT_NONE memory merges and unmerges", test_prot_none },
	{ "mprotect of merged memory", test_mprotect },
	{ "mlocked memory merges and stays locked", test_mlock },
	{ "mlock of merged memory", test_mlock_merged },
	{ "the stack merges", test_stack },
	{ "a VMA that grows down takes its flag along", test_grows_down },
	{ "process_madvise: EINVAL", test_process_madvise },
	{ "sealed memory merges", test_mseal },
	{ "too many VMAs: EAGAIN", test_map_limit },
	{ "a process registers, is forgotten and registers again",
	  test_register_again },
	{ "MADV_DONTNEED and MADV_FREE of merged memory", test_dontneed },
	{ "advised before the first touch", test_before_touch },
	{ "advised, scanned while empty, then filled", test_empty_for_long },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_ON);
}
