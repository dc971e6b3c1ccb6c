// SPDX-License-Identifier: GPL-2.0
/*
 * Bugs that same-page merging had in the past, one case for each: walking holes
 * page by page, walking every VMA of an anon_vma, not merging new VMAs of a
 * merge-any process with their neighbours, a deadlock when exec fails, and
 * wrong counts of zero pages that are moved.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/files.h"
#include "lib/ksm.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE	0x100000
#endif
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE		0x08
#endif

static __u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static int merge_any(unsigned long on)
{
	return prctl(PR_SET_MEMORY_MERGE, on, 0, 0, 0);
}

/* --- A huge mapping with next to nothing in it --------------------------- */

#define SPARSE_LIMIT_MS	5000
#define SPARSE_PATIENCE	(4 * SPARSE_LIMIT_MS)

/*
 * For 32 TiB.  Where the address space is smaller, so that even a visit to
 * each page would be done in that time, the limit is what a walk of the page
 * tables needs, with much to spare.
 */
static long sparse_limit_ms(size_t size)
{
	if (size >> 40 >= 32)
		return SPARSE_LIMIT_MS;
	return 200L * ksm_slowness();
}

enum sparse_way { BY_MADVISE, BY_PRCTL, BY_RUN };

struct sparse {
	enum sparse_way way;
	/* Shared with the child. */
	size_t size;
	long took_ms;
};

/* The largest that this machine has room for. */
static char *sparse_map(size_t *size)
{
	static const unsigned int shift[] = { 45, 43, 42, 38, 37, 36, 30 };
	size_t i;
	char *map;

	for (i = 0; i < ARRAY_SIZE(shift); i++) {
		*size = (size_t)1 << (shift[i] % (8 * sizeof(size_t)));
		map = mmap(NULL, *size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (map != MAP_FAILED)
			return map;
	}
	ksm_die("no room for a sparse mapping: %s", strerror(errno));
}

static int sparse_child(struct ksm_child *c, void *arg)
{
	struct sparse *s = arg;
	__u64 start;
	size_t size, i;
	char *map = sparse_map(&size), *page[3];

	KSM_WRITE(s->size, size);
	madvise(map, size, MADV_NOHUGEPAGE);
	page[0] = map;
	page[1] = map + size / 2 + 17 * ps();
	page[2] = map + size - ps();
	for (i = 0; i < 3; i++)
		ksm_page_fill(page[i], 1);
	if (s->way == BY_PRCTL)
		CHECK(!merge_any(1));
	else
		CHECK(!madvise(map, size, MADV_MERGEABLE));
	ksm_say(c, 'r');
	CHECK(ksm_hear(c) == 'u');
	for (i = 0; i < 3; i++)
		CHECK(ksm_is_merged(page[i]));
	start = ksm_now_ms();
	switch (s->way) {
	case BY_MADVISE:
		CHECK(!madvise(map, size, MADV_UNMERGEABLE));
		break;
	case BY_PRCTL:
		CHECK(!merge_any(0));
		break;
	case BY_RUN:
		CHECK(!ksm_unmerge_all());
		break;
	}
	KSM_WRITE(s->took_ms, (long)(ksm_now_ms() - start));
	for (i = 0; i < 3; i++) {
		CHECK(!ksm_is_merged(page[i]));
		CHECK(ksm_contents_ok(page[i], 1, 1, 0));
	}
	ksm_say(c, 'd');
	return 0;
}

static int heard_by(struct ksm_child *c, int what, unsigned int ms)
{
	struct timespec tick = { 0, 1000000 };
	__u64 end = ksm_now_ms() + ms;
	int avail = 0;

	while (!avail && ksm_now_ms() < end) {
		ioctl(c->rfd, FIONREAD, &avail);
		nanosleep(&tick, NULL);
	}
	return avail && ksm_hear(c) == what;
}

static void sparse(enum sparse_way way)
{
	struct sparse *s = mmap(NULL, ps(), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct ksm_child c;
	__u64 start;
	bool scanned;

	CHECK(s != MAP_FAILED);
	s->way = way;
	s->took_ms = -1;
	ksm_child_start(&c, sparse_child, s);
	CHECK(ksm_hear(&c) == 'r');
	start = ksm_now_ms();
	ksm_run();
	/* Scanning it must not take long, either. */
	scanned = !ksm_wait_scans(3, SPARSE_PATIENCE);
	ksft_print_msg("%zu GiB: 3 scans %s %llu ms\n", s->size >> 30,
		       scanned ? "took" : "not done after",
		       (ksm_now_ms() - start));
	if (way != BY_RUN)
		ksm_stop();
	if (scanned) {
		ksm_say(&c, 'u');
		if (!heard_by(&c, 'd', SPARSE_PATIENCE))
			ksft_print_msg("not unmerged after %u ms\n",
				       SPARSE_PATIENCE);
		else
			ksft_print_msg("unmerging took %ld ms\n", s->took_ms);
	}
	ksm_child_kill(&c);
	CHECK(scanned);
	CHECK(s->took_ms >= 0 && s->took_ms < sparse_limit_ms(s->size));
}

static void test_sparse_madvise(void)
{
	sparse(BY_MADVISE);
}

static void test_sparse_prctl(void)
{
	sparse(BY_PRCTL);
}

static void test_sparse_run(void)
{
	sparse(BY_RUN);
}

/* --- An anon_vma with 20,000 VMAs ---------------------------------------- */

#define MANY_VMAS	20000
#define MANY_STEP	100	/* one page in so many is present and merged */
#define IDLE_BITMAP	"/sys/kernel/mm/page_idle/bitmap"

/*
 * Idle page tracking walks all mappings of a page, to clear their accessed
 * bits, for a write as for a read: the shortest of some such walks, in ns.
 */
static long idle_walk_ns(int fd, unsigned long pfn)
{
	__u64 word = 1ULL << (pfn % 64), best = UINT64_MAX, start, took;
	int i;

	for (i = 0; i < 5; i++) {
		start = now_ns();
		if (pwrite(fd, &word, 8, pfn / 64 * 8) != 8)
			return -1;
		took = now_ns() - start;
		if (took < best)
			best = took;
	}
	return best;
}

static int page_is_idle(int fd, unsigned long pfn)
{
	__u64 word;

	if (pread(fd, &word, 8, pfn / 64 * 8) != 8)
		return -1;
	return word >> (pfn % 64) & 1;
}

/*
 * Clearing an accessed bit leaves it to chance when the CPU sets it again: it
 * may still have a translation.  A change of protection makes it forget.
 */
static bool access_anew(char *page, __u64 seed)
{
	return !mprotect(page, ps(), PROT_NONE) &&
	       !mprotect(page, ps(), PROT_READ | PROT_WRITE) &&
	       ksm_contents_ok(page, 1, seed, 0);
}

static void test_many_vmas(void)
{
	const size_t merged = MANY_VMAS / MANY_STEP;
	long before, after, limit;
	unsigned long pfn;
	size_t i;
	char *map;
	int fd;

	fd = open(IDLE_BITMAP, O_RDWR);
	if (fd < 0)
		ksm_skip("kernel without CONFIG_IDLE_PAGE_TRACKING");
	map = ksm_map(MANY_VMAS);
	for (i = 0; i < MANY_VMAS; i += MANY_STEP)
		ksm_page_fill(map + i * ps(), 1);
	ksm_mergeable(map, MANY_VMAS);
	ksm_scan(3);
	CHECK(ksm_counts_are(1, merged - 1, 0, 0));
	pfn = ksm_pfn(0, map);
	CHECK(ksm_kpagecount(pfn) == (long)merged);
	before = idle_walk_ns(fd, pfn);
	CHECK(before > 0);

	for (i = 1; i < MANY_VMAS; i += 2) {
		if (mprotect(map + i * ps(), ps(), PROT_READ))
			ksm_skip("no %d VMAs: %s", MANY_VMAS,
				 strerror(errno));
	}
	CHECK(ksm_vma_count(0, map, MANY_VMAS * ps()) == MANY_VMAS);
	CHECK(ksm_pfn(0, map) == pfn);
	after = idle_walk_ns(fd, pfn);
	/* A search in a tree of VMAs is allowed, a visit to each is not. */
	limit = 10 * before + 3000000L * ksm_slowness();
	ksft_print_msg("rmap walk: %ld us with 1 VMA, %ld us with %d, limit %ld us\n",
		       before / 1000, after / 1000, MANY_VMAS, limit / 1000);
	CHECK(after > 0 && after < limit);

	/* And still it finds all mappings: an access to any ends idleness. */
	for (i = 0; i < MANY_VMAS; i += MANY_STEP * 13) {
		CHECK(idle_walk_ns(fd, pfn) > 0);
		CHECK(page_is_idle(fd, pfn) == 1);
		CHECK(access_anew(map + i * ps(), 1));
		CHECK(page_is_idle(fd, pfn) == 0);
	}
	/* Unmerging has to find them as well. */
	CHECK(!ksm_unmerge_all());
	for (i = 0; i < MANY_VMAS; i += MANY_STEP) {
		CHECK(!ksm_is_merged(map + i * ps()));
		CHECK(ksm_contents_ok(map + i * ps(), 1, 1, 0));
	}
}

/* The same mapped again by forks that ksmd has not seen. */
static int idle_child(struct ksm_child *c, void *arg)
{
	char *page = arg;
	int what;

	while ((what = ksm_hear(c)) == 'r') {
		if (!access_anew(page, 1))
			return 1;
		ksm_say(c, 'y');
	}
	return what != 'e';
}

static void test_forks_in_walk(void)
{
	char *map = ksm_map_merge(16, 1, 0);
	struct ksm_child c[4];
	unsigned long pfn;
	size_t i;
	int fd;

	fd = open(IDLE_BITMAP, O_RDWR);
	if (fd < 0)
		ksm_skip("kernel without CONFIG_IDLE_PAGE_TRACKING");
	ksm_scan(3);
	CHECK(ksm_counts_are(1, 15, 0, 0));
	pfn = ksm_pfn(0, map);
	for (i = 0; i < ARRAY_SIZE(c); i++)
		ksm_child_start(&c[i], idle_child, map + i * ps());
	for (i = 0; i < ARRAY_SIZE(c); i++) {
		CHECK(idle_walk_ns(fd, pfn) > 0);
		CHECK(page_is_idle(fd, pfn) == 1);
		ksm_say(&c[i], 'r');
		CHECK(ksm_hear(&c[i]) == 'y');
		CHECK(page_is_idle(fd, pfn) == 0);
	}
	for (i = 0; i < ARRAY_SIZE(c); i++) {
		ksm_say(&c[i], 'e');
		CHECK(ksm_child_wait(&c[i]) == 0);
	}
}

/* --- Neighbours that do not join ----------------------------------------- */

#define NEIGHBOURS	1000

/* A free range, with room to both sides. */
static char *free_range(size_t pages)
{
	char *map = mmap(NULL, (pages + 512) * ps(), PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (map == MAP_FAILED || munmap(map, (pages + 512) * ps()))
		ksm_die("mmap: %s", strerror(errno));
	return map + 256 * ps();
}

static bool map_neighbour(char *at, bool touch, __u64 seed)
{
	if (mmap(at, ps(), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) !=
	    at)
		return false;
	if (touch)
		ksm_page_fill(at, seed);
	return true;
}

static void neighbours(bool touch, bool downwards)
{
	char *map;
	size_t i;

	CHECK(!merge_any(1));
	map = free_range(NEIGHBOURS);
	for (i = 0; i < NEIGHBOURS; i++) {
		size_t k = downwards ? NEIGHBOURS - 1 - i : i;

		CHECK(map_neighbour(map + k * ps(), touch, 1));
	}
	ksft_print_msg("%d VMAs\n",
		       ksm_vma_count(0, map, NEIGHBOURS * ps()));
	CHECK(ksm_vma_count(0, map, NEIGHBOURS * ps()) == 1);
	CHECK(ksm_vma_flag(0, map, "mg"));
	ksm_fill(map, NEIGHBOURS, 1, 0);
	ksm_scan(3);
	CHECK(ksm_count_merged(map, NEIGHBOURS) == NEIGHBOURS);
	CHECK(ksm_contents_ok(map, NEIGHBOURS, 1, 0));
	CHECK(!merge_any(0));
	CHECK(ksm_vma_count(0, map, NEIGHBOURS * ps()) == 1);
	CHECK(ksm_contents_ok(map, NEIGHBOURS, 1, 0));
}

static void test_neighbours(void)
{
	neighbours(false, false);
	neighbours(false, true);
}

static void test_neighbours_touched(void)
{
	neighbours(true, false);
	neighbours(true, true);
}

/* A page between two mappings joins both. */
static void test_neighbours_gap(void)
{
	char *map;

	CHECK(!merge_any(1));
	map = free_range(3);
	CHECK(map_neighbour(map, true, 1));
	CHECK(map_neighbour(map + 2 * ps(), false, 1));
	CHECK(ksm_vma_count(0, map, 3 * ps()) == 2);
	CHECK(map_neighbour(map + ps(), false, 1));
	CHECK(ksm_vma_count(0, map, 3 * ps()) == 1);
	CHECK(ksm_vma_flag(0, map + ps(), "mg"));
}

static void test_brk(void)
{
	char *start, *end;
	size_t i;

	CHECK(!merge_any(1));
	start = sbrk(0);
	start += -(unsigned long)start & (ps() - 1);
	CHECK(!brk(start + ps()));
	for (i = 0; i < NEIGHBOURS; i++) {
		end = sbrk(ps());
		CHECK(end != (void *)-1);
		if (i & 1)
			ksm_page_fill(end, 2);
	}
	end = sbrk(0);
	ksft_print_msg("%d VMAs\n", ksm_vma_count(0, start, end - start));
	CHECK(ksm_vma_count(0, start, end - start) == 1);
	CHECK(ksm_vma_flag(0, start, "mg"));
	CHECK(ksm_vma_flag(0, end - ps(), "mg"));
	ksm_fill(start + ps(), NEIGHBOURS, 2, 0);
	ksm_scan(3);
	CHECK(ksm_count_merged(start + ps(), NEIGHBOURS) == NEIGHBOURS);
	CHECK(ksm_contents_ok(start + ps(), NEIGHBOURS, 2, 0));
}

/* What was exempted stays exempted, also next to new memory. */
static void test_unlike_neighbours(void)
{
	char *map;

	CHECK(!merge_any(1));
	map = free_range(3);
	CHECK(map_neighbour(map, true, 1));
	ksm_unmergeable(map, 1);
	CHECK(map_neighbour(map + ps(), true, 1));
	CHECK(!ksm_vma_flag(0, map, "mg"));
	CHECK(ksm_vma_flag(0, map + ps(), "mg"));
	CHECK(!merge_any(0));
	/* Now a new one has no flag, like its old neighbour. */
	CHECK(map_neighbour(map + 2 * ps(), true, 1));
	CHECK(!ksm_vma_flag(0, map + 2 * ps(), "mg"));
	CHECK(ksm_vma_count(0, map + ps(), 2 * ps()) == 1);
	CHECK(ksm_contents_ok(map, 3, 1, 0));
}

/*
 * A driver makes its VMA special only while it is mapped: the flag must not
 * be set too early for that.
 */
static void test_special_excluded(void)
{
	int fd, seen = 0;
	char *map;

	CHECK(!merge_any(1));
	fd = open("/dev/mem", O_RDONLY);
	map = fd < 0 ? MAP_FAILED :
		       mmap(NULL, ps(), PROT_READ, MAP_PRIVATE, fd, 0);
	if (map != MAP_FAILED) {
		CHECK(ksm_vma_flag(0, map, "pf"));
		CHECK(!ksm_vma_flag(0, map, "mg"));
		seen++;
	}
	map = mmap(NULL, ps(), PROT_READ | PROT_WRITE,
		   MAP_DROPPABLE | MAP_ANONYMOUS, -1, 0);
	if (map != MAP_FAILED) {
		CHECK(!ksm_vma_flag(0, map, "mg"));
		seen++;
	}
	map = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE,
		   -1, 0);
	if (map != MAP_FAILED) {
		CHECK(!ksm_vma_flag(0, map, "mg"));
		seen++;
	}
	map = mmap(NULL, ps(), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(map != MAP_FAILED && !ksm_vma_flag(0, map, "mg"));
	/* This one is special at first, and then ordinary memory. */
	fd = open("/dev/zero", O_RDWR);
	if (fd >= 0) {
		map = mmap(NULL, ps(), PROT_READ | PROT_WRITE, MAP_PRIVATE,
			   fd, 0);
		CHECK(map != MAP_FAILED && ksm_vma_flag(0, map, "mg"));
	}
	ksft_print_msg("%d kinds of special memory\n", seen);
	if (!seen)
		ksm_skip("no special memory on this kernel");
}

/* --- exec that fails half way -------------------------------------------- */

#define EXECS	10000

/* A single CPU is shared with a ksmd that does not sleep: fewer will do. */
static long nr_execs(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN) > 1 ? EXECS : EXECS / 10;
}

/* A file that passes for a program until its first bytes are looked at. */
static int make_program(char *name)
{
	int fd = mkstemp(name);

	if (fd < 0 || write(fd, "no program", 10) != 10 || fchmod(fd, 0755))
		return -1;
	return close(fd);
}

/* Commit what is left. */
static void exhaust(void)
{
	size_t n;

	for (n = 1 << 20; n;) {
		if (mmap(NULL, n * ps(), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
			n /= 2;
	}
}

/*
 * With no memory left to commit, the stack of the new image cannot be set up:
 * exec gives up while it holds the mmap_lock of an mm that is registered.
 */
static int exec_child(struct ksm_child *c, void *arg)
{
	char name[] = "/tmp/ksm_faults.XXXXXX";
	char *argv[2] = { "x" }, *envp[1] = { NULL };
	long *count = arg;

	CHECK(!make_program(name));
	CHECK(!merge_any(1));
	ksm_fill(ksm_map(64), 64, 1, 0);
	ksm_say(c, 'r');
	CHECK(ksm_hear(c) == 'g');
	while (KSM_READ(*count) < nr_execs()) {
		CHECK(execve(name, argv, envp) == -1);
		if (errno == ENOMEM) {
			KSM_WRITE(*count, *count + 1);
			continue;
		}
		/* Memory was freed, or was never all taken. */
		CHECK(errno == ENOEXEC);
		exhaust();
	}
	unlink(name);
	CHECK(prctl(PR_GET_MEMORY_MERGE, 0, 0, 0, 0) == 1);
	return 0;
}

/*
 * In this order: writing the ratio zeroes the kbytes.  The reserve would keep
 * back from us what a small new image may still take.
 */
static const struct {
	const char *path;
	const char *text;
} commit_knobs[] = {
	{ "/proc/sys/vm/overcommit_ratio", NULL },
	{ "/proc/sys/vm/overcommit_kbytes", "1\n" },
	{ "/proc/sys/vm/user_reserve_kbytes", "0\n" },
	{ "/proc/sys/vm/overcommit_memory", "2\n" },
};

static char commit_saved[ARRAY_SIZE(commit_knobs)][32];

static int commit_nothing(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commit_knobs); i++) {
		if (ksys_read(commit_knobs[i].path, commit_saved[i],
			      sizeof(commit_saved[i])) <= 0)
			return -1;
	}
	for (i = 1; i < ARRAY_SIZE(commit_knobs); i++) {
		if (ksys_write(commit_knobs[i].path, commit_knobs[i].text))
			return -1;
	}
	return 0;
}

static void commit_again(void)
{
	size_t i = ARRAY_SIZE(commit_knobs);

	/* The mode first: everything else may need memory. */
	ksys_write(commit_knobs[i - 1].path, commit_saved[i - 1]);
	for (i = 0; i < ARRAY_SIZE(commit_knobs) - 1; i++) {
		if (i != 1 || atoi(commit_saved[i]))
			ksys_write(commit_knobs[i].path, commit_saved[i]);
	}
}

static void test_exec_fails(void)
{
	long *count = mmap(NULL, ps(), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	__u64 quiet = ksm_now_ms(), end = quiet + 45000;
	long last = -1, scans;
	struct ksm_child c;
	bool hung = false;
	int status = -1;

	CHECK(count != MAP_FAILED);
	ksm_set("pages_to_scan", 100);
	ksm_child_start(&c, exec_child, count);
	CHECK(ksm_hear(&c) == 'r');
	ksm_run();
	scans = ksm_get("full_scans");
	if (commit_nothing()) {
		commit_again();
		ksm_child_kill(&c);
		ksm_skip("the commit limit cannot be set");
	}
	ksm_say(&c, 'g');
	/* It must go on all the time. */
	while (KSM_READ(*count) < nr_execs() && !hung && ksm_now_ms() < end) {
		if (KSM_READ(*count) != last) {
			last = KSM_READ(*count);
			quiet = ksm_now_ms();
		}
		hung = ksm_now_ms() - quiet > 10000;
		if (waitpid(c.pid, &status, WNOHANG) == c.pid)
			break;
		usleep(1000);
	}
	commit_again();
	ksft_print_msg("%ld execs failed as they should, %lld full scans\n",
		       KSM_READ(*count), ksm_get("full_scans") - scans);
	CHECK(!hung);
	/* A very slow machine may not get through in time. */
	CHECK(KSM_READ(*count) >= nr_execs() / (long)ksm_slowness());
	if (KSM_READ(*count) == nr_execs()) {
		if (status == -1)
			CHECK(waitpid(c.pid, &status, 0) == c.pid);
		CHECK(status == 0);
	} else {
		ksm_child_kill(&c);
	}
	/* ksmd must be alive: one pass with memory of our own. */
	ksm_map_merge(4, 1, 0);
	CHECK(!ksm_wait_scans(2, KSM_DEADLINE_MS));
	ksm_stop();
	CHECK(ksm_counts_are(1, 3, 0, 0));
}

/* --- Zero pages that move ------------------------------------------------ */

#define MOVED	64

#ifdef UFFDIO_MOVE
static int uffd_open(void)
{
	struct uffdio_api api = {
		.api = UFFD_API, .features = UFFD_FEATURE_MOVE,
	};
	int fd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		ksm_skip("userfaultfd: %s", strerror(errno));
	if (ioctl(fd, UFFDIO_API, &api))
		ksm_skip("kernel without UFFDIO_MOVE");
	return fd;
}

static bool counts_zero(long want)
{
	struct ksm_stat st;
	long global = ksm_get("ksm_zero_pages");

	if (!ksm_stat(0, &st) && st.zero_pages == want && global == want)
		return true;
	ksft_print_msg("zero pages: want %ld, have %ld in the process, %ld in all\n",
		       want, st.zero_pages, global);
	return false;
}

/*
 * How many pages of a range are KSM's zero pages, by unmapping them one after
 * another: only of those the count speaks.
 */
static bool all_return(char *map, size_t pages)
{
	long before, after;
	size_t i;

	for (i = 0; i < pages; i++) {
		before = ksm_get("ksm_zero_pages");
		if (madvise(map + i * ps(), ps(), MADV_DONTNEED))
			return false;
		after = ksm_get("ksm_zero_pages");
		if (after != before && after != before - 1)
			return false;
	}
	return true;
}

static void test_uffd_move(void)
{
	char *src = ksm_map(MOVED), *dst = ksm_map(MOVED);
	struct uffdio_register reg = {
		.range = { (unsigned long)dst, MOVED * ps() },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_move move = {
		.dst = (unsigned long)dst, .src = (unsigned long)src,
		.len = MOVED / 2 * ps(),
	};
	size_t i;
	long now;
	int fd = uffd_open();

	CHECK(!ioctl(fd, UFFDIO_REGISTER, &reg));
	ksm_set("use_zero_pages", 1);
	memset(src, 0, MOVED * ps());
	ksm_mergeable(src, MOVED);
	ksm_scan(3);
	ksm_stop();
	CHECK(counts_zero(MOVED));
	if (ioctl(fd, UFFDIO_MOVE, &move))
		ksm_skip("UFFDIO_MOVE: %s", strerror(errno));
	CHECK(move.move == (long)(MOVED / 2 * ps()));
	/* Moved with their mark or without, but not half and half. */
	now = ksm_get("ksm_zero_pages");
	CHECK(now == MOVED || now == MOVED / 2);
	CHECK(counts_zero(now));
	for (i = 0; i < MOVED / 2 * ps(); i++)
		CHECK(!dst[i]);
	CHECK(counts_zero(now));
	/* Written where they are now ... */
	memset(dst, 7, ps());
	CHECK(counts_zero(now == MOVED ? MOVED - 1 : now));
	/* ... and gone where they were: all is given back, nothing more. */
	CHECK(!ioctl(fd, UFFDIO_UNREGISTER, &reg.range));
	close(fd);
	CHECK(all_return(src, MOVED) && all_return(dst, MOVED));
	CHECK(counts_zero(0));
}
#else
static void test_uffd_move(void)
{
	ksm_skip("headers without UFFDIO_MOVE");
}
#endif

static const struct ksm_case cases[] = {
	{ "sparse mapping: MADV_UNMERGEABLE in 5 s", test_sparse_madvise },
	{ "sparse mapping: PR_SET_MEMORY_MERGE 0 in 5 s", test_sparse_prctl },
	{ "sparse mapping: run=2 in 5 s", test_sparse_run },
	{ "rmap walk with 20,000 VMAs of one anon_vma", test_many_vmas },
	{ "rmap walk finds forks that were never scanned",
	  test_forks_in_walk },
	{ "merge-any: 1,000 neighbours are one VMA", test_neighbours },
	{ "merge-any: 1,000 neighbours with contents are one VMA",
	  test_neighbours_touched },
	{ "merge-any: a gap is filled", test_neighbours_gap },
	{ "merge-any: a heap of 1,000 brk() calls is one VMA", test_brk },
	{ "merge-any: exempted memory stays apart", test_unlike_neighbours },
	{ "merge-any: special mappings stay excluded",
	  test_special_excluded },
	{ "10,000 execs fail for want of memory, nothing hangs",
	  test_exec_fails },
	{ "UFFDIO_MOVE of zero pages keeps the counts right",
	  test_uffd_move },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_ON);
}
