// SPDX-License-Identifier: GPL-2.0
/*
 * Writing to memory of another process: ptrace, /proc/PID/mem,
 * process_vm_writev
 *
 * Such a write must break the sharing like any other, be seen by its owner
 * only, and not go unnoticed on pages that ksmd knows but has not merged, even
 * though it leaves no trace in the page table.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"

#define PAGES	16
#define SEED	9000

/* Write so many bytes, whole words; 0 or -errno. */
typedef int (*write_fn)(pid_t pid, void *addr, const void *data, size_t len);

static int by_pokedata(pid_t pid, void *addr, const void *data, size_t len)
{
	const long *word = data;
	size_t i;

	for (i = 0; i < len / sizeof(long); i++) {
		if (ptrace(PTRACE_POKEDATA, pid, (char *)addr + i * sizeof(long),
			   word[i]))
			return -errno;
	}
	return 0;
}

static int by_mem(pid_t pid, void *addr, const void *data, size_t len)
{
	ssize_t ret;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = pwrite(fd, data, len, (off_t)(unsigned long)addr);
	ret = ret == (ssize_t)len ? 0 : ret < 0 ? -errno : -EIO;
	close(fd);
	return ret;
}

static int by_writev(pid_t pid, void *addr, const void *data, size_t len)
{
	struct iovec local = { (void *)data, len };
	struct iovec remote = { addr, len };
	ssize_t ret;

	ret = process_vm_writev(pid, &local, 1, &remote, 1, 0);
	if (ret < 0)
		return -errno;
	return ret == (ssize_t)len ? 0 : -EIO;
}

static const struct {
	const char *name;
	write_fn write;
	bool forces;		/* writes where the owner may not */
} ways[] = {
	{ "PTRACE_POKEDATA", by_pokedata, true },
	{ "/proc/PID/mem", by_mem, true },
	{ "process_vm_writev", by_writev, false },
};

/* Write a page of this content to memory of a process. */
static int write_page(size_t way, pid_t pid, void *addr, uint64_t seed)
{
	static uint64_t *buf;
	int err;

	if (!buf)
		buf = ksm_map(1);
	ksm_page_fill(buf, seed);
	err = ways[way].write(pid, addr, buf, ksm_page_size());
	if (err == -ENOSYS || (err == -EPERM && pid == getpid()))
		ksm_skip("%s: %s", ways[way].name, strerror(-err));
	return err;
}

/* The tracee: maps what arg says, stops, and then does what it is told. */
struct tracee {
	int prot;
	uint64_t step;		/* of the contents */
	char *map;		/* in the tracee */
	struct ksm_child c;
};

static int tracee_main(struct ksm_child *c, void *arg)
{
	struct tracee *t = arg;
	size_t len = PAGES * ksm_page_size();
	long what;
	char *map;

	map = ksm_map_merge(PAGES, SEED, t->step);
	if (mprotect(map, len, t->prot))
		return 1;
	ksm_say_long(c, (long)map);
	/* A seed: does page 3 have it, and the others what they had? */
	while ((what = ksm_hear_long(c)) != 0) {
		bool ok;

		if (mprotect(map, len, PROT_READ))
			return 1;
		ok = ksm_contents_ok(map, 3, SEED, t->step) &&
		     ksm_page_ok(ksys_page(map, 3), what) &&
		     ksm_contents_ok(ksys_page(map, 4), PAGES - 4,
				     SEED + 4 * t->step, t->step);
		if (mprotect(map, len, t->prot))
			return 1;
		ksm_say(c, ok ? 'y' : 'n');
	}
	return 0;
}

static void tracee_start(struct tracee *t, int prot, uint64_t step)
{
	t->prot = prot;
	t->step = step;
	ksm_child_start(&t->c, tracee_main, t);
	t->map = (char *)ksm_hear_long(&t->c);
}

static void attach(struct tracee *t)
{
	int status;

	if (ptrace(PTRACE_SEIZE, t->c.pid, NULL, NULL))
		ksm_check(false, "PTRACE_SEIZE: %s\n", strerror(errno));
	CHECK(!ptrace(PTRACE_INTERRUPT, t->c.pid, NULL, NULL));
	CHECK(waitpid(t->c.pid, &status, __WALL) == t->c.pid);
	CHECK(WIFSTOPPED(status));
}

static void detach(struct tracee *t)
{
	CHECK(!ptrace(PTRACE_DETACH, t->c.pid, NULL, NULL));
}

static void tracee_has(struct tracee *t, uint64_t seed)
{
	ksm_say_long(&t->c, seed);
	CHECK_EQ(ksm_hear(&t->c), 'y');
}

static void tracee_end(struct tracee *t)
{
	ksm_say_long(&t->c, 0);
	CHECK_EQ(ksm_child_wait(&t->c), 0);
}

/* Merged pages of a tracee and two of ours: write to the tracee's. */
static void check_merged(int prot)
{
	struct tracee t;
	char *a, *b;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		if (!ways[i].forces && prot != (PROT_READ | PROT_WRITE))
			continue;
		CHECK_EQ(ksm_unmerge_all(), 0);
		tracee_start(&t, prot, 1);
		a = ksm_map_merge(PAGES, SEED, 1);
		b = ksm_map_merge(PAGES, SEED, 1);
		ksm_scan(2);
		CHECK(ksm_counts_are(PAGES, 2 * PAGES, 0, 0));
		CHECK(ksm_same_pages(a, b, PAGES));
		attach(&t);
		ksm_check_eq(write_page(i, t.c.pid, ksys_page(t.map, 3), 777),
			     0, ways[i].name, "success", __func__, __LINE__);
		detach(&t);
		CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
		CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
		tracee_has(&t, 777);
		CHECK(ksm_pfn(t.c.pid, ksys_page(t.map, 3)) !=
		      ksm_pfn(0, ksys_page(a, 3)));
		CHECK_EQ(ksm_pfn(t.c.pid, ksys_page(t.map, 2)),
			 ksm_pfn(0, ksys_page(a, 2)));
		ksm_scan(2);
		CHECK(ksm_counts_are(PAGES, 2 * PAGES - 1, 1, 0));
		tracee_has(&t, 777);
		/* What it was: it joins them again. */
		attach(&t);
		CHECK_EQ(write_page(i, t.c.pid, ksys_page(t.map, 3), SEED + 3),
			 0);
		detach(&t);
		tracee_has(&t, SEED + 3);
		ksm_scan(2);
		CHECK(ksm_counts_are(PAGES, 2 * PAGES, 0, 0));
		tracee_has(&t, SEED + 3);
		CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
		tracee_end(&t);
		ksm_unmap(a, PAGES);
		ksm_unmap(b, PAGES);
	}
}

static void test_writable(void)
{
	check_merged(PROT_READ | PROT_WRITE);
}

static void test_readonly(void)
{
	check_merged(PROT_READ);
}

static void test_none(void)
{
	check_merged(PROT_NONE);
}

static void test_refused(void)
{
	struct tracee t;
	char *a;

	tracee_start(&t, PROT_READ, 1);
	a = ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	/* process_vm_writev does not force its way. */
	CHECK_EQ(write_page(2, t.c.pid, ksys_page(t.map, 3), 777), -EFAULT);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	tracee_has(&t, SEED + 3);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	tracee_end(&t);
}

/*
 * Pages on the zero page: they too have to be broken.
 */
static void test_zero_page(void)
{
	struct tracee t;
	size_t i;
	char *a;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		CHECK_EQ(ksm_unmerge_all(), 0);
		ksm_set("use_zero_pages", 1);
		/* Our own: ptrace(2) cannot, the other two can. */
		a = ksm_map(PAGES);
		memset(a, 1, PAGES * ksm_page_size());
		memset(a, 0, PAGES * ksm_page_size());
		ksm_mergeable(a, PAGES);
		ksm_scan(2);
		CHECK_EQ(ksm_get("ksm_zero_pages"), PAGES);
		if (i) {
			CHECK_EQ(write_page(i, getpid(), ksys_page(a, 3), 777),
				 0);
			CHECK(ksm_page_ok(ksys_page(a, 3), 777));
			CHECK_EQ(ksm_get("ksm_zero_pages"), PAGES - 1);
			CHECK(!*(long *)ksys_page(a, 2));
			CHECK(!*(long *)ksys_page(a, 4));
		}
		ksm_unmap(a, PAGES);
		CHECK_EQ(ksm_get("ksm_zero_pages"), 0);
		/* A new process reads zeroes where nothing was written. */
		tracee_start(&t, PROT_READ | PROT_WRITE, 1);
		tracee_has(&t, SEED + 3);
		tracee_end(&t);
	}
}

static bool shared_pairs(void *arg)
{
	long n = *(long *)arg;

	return ksm_get("pages_shared") == n && ksm_get("pages_sharing") == n;
}

/* So many pairs, and so many pages that ksmd knows but that are alone. */
static void check_known(long pairs, long alone)
{
	CHECK_EQ(ksm_get("pages_shared"), pairs);
	CHECK_EQ(ksm_get("pages_sharing"), pairs);
	/* Those it skips may count as volatile. */
	CHECK_EQ(ksm_get("pages_unshared") + ksm_get("pages_volatile"), alone);
}

/* With smart_scan ksmd may take its time. */
static void wait_pairs(long n)
{
	ksm_run();
	if (!ksm_poll(shared_pairs, &n, KSM_DEADLINE_MS / 4))
		CHECK(ksm_counts_are(n, n, 0, 0));
	ksm_stop();
}

/*
 * ksmd knows the pages and what was in them; then their content is replaced
 * behind the page table's back, and pages with the old content turn up.
 * Whatever ksmd remembers, it must not merge what differs.
 */
static void check_stale(enum ksm_smart_scan smart_scan)
{
	struct tracee t;
	char *map;
	size_t i;
	int pass;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		ksm_fresh(smart_scan);
		tracee_start(&t, PROT_READ | PROT_WRITE, 1);
		ksm_scan(4);
		check_known(0, PAGES);
		attach(&t);
		CHECK_EQ(write_page(i, t.c.pid, ksys_page(t.map, 3), 777), 0);
		detach(&t);
		map = ksm_map_merge(PAGES, SEED, 1);
		for (pass = 0; pass < (smart_scan ? 20 : 4); pass++) {
			ksm_scan(1);
			CHECK(ksm_contents_ok(map, PAGES, SEED, 1));
			tracee_has(&t, 777);
			CHECK(ksm_get("pages_sharing") <= PAGES - 1);
		}
		/* All but page 3 are equal. */
		if (!smart_scan)
			wait_pairs(PAGES - 1);
		CHECK(ksm_pfn(0, ksys_page(map, 3)) !=
		      ksm_pfn(t.c.pid, ksys_page(t.map, 3)));
		CHECK(ksm_contents_ok(map, PAGES, SEED, 1));
		tracee_has(&t, 777);
		tracee_end(&t);
		ksm_unmap(map, PAGES);
	}
}

static void test_stale(void)
{
	check_stale(KSM_SMART_SCAN_OFF);
}

static void test_stale_smart(void)
{
	check_stale(KSM_SMART_SCAN_ON);
}

/* Pages that differ in one word, each in another. */
#define NEAR	64

static uint64_t *near_word(char *map, size_t i)
{
	return (uint64_t *)ksys_page(map, i) + (i * 61 + 5) % 512;
}

static char *map_near(uint64_t value)
{
	char *map = ksm_map(NEAR);
	size_t i;

	ksm_fill(map, NEAR, SEED, 0);
	for (i = 0; i < NEAR; i++)
		*near_word(map, i) = value + i;
	ksm_mergeable(map, NEAR);
	return map;
}

static void near_ok(char *map, uint64_t value)
{
	uint64_t *want = ksm_map(1);
	size_t i;

	for (i = 0; i < NEAR; i++) {
		ksm_page_fill(want, SEED);
		want[near_word(map, i) - (uint64_t *)ksys_page(map, i)] =
			value + i;
		ksm_check(!memcmp(want, ksys_page(map, i), ksm_page_size()),
			  "page %zu of those with %llu is wrong\n", i,
			  (unsigned long long)value);
	}
	ksm_unmap(want, 1);
}

/*
 * The same with similar pages: each part of a page is equal to that of others.
 */
static void test_stale_near(void)
{
	char *a, *b, *c;
	uint64_t word;
	size_t i, way;
	int pass;

	for (way = 1; way < ARRAY_SIZE(ways); way++) {
		ksm_fresh(KSM_SMART_SCAN_ON);
		a = map_near(1000);
		ksm_scan(4);
		check_known(0, NEAR);
		for (i = 0; i < NEAR; i++) {
			word = 5000 + i;
			CHECK_EQ(ways[way].write(getpid(), near_word(a, i),
						 &word, sizeof(word)), 0);
		}
		/* Duplicates of what a was; now there are no duplicates. */
		b = map_near(1000);
		for (pass = 0; pass < 10; pass++) {
			ksm_scan(1);
			near_ok(a, 5000);
			near_ok(b, 1000);
			CHECK_EQ(ksm_get("pages_shared"), 0);
		}
		ksm_set("smart_scan", 0);
		c = map_near(5000);
		wait_pairs(NEAR);
		CHECK(ksm_same_pages(a, c, NEAR));
		near_ok(a, 5000);
		near_ok(b, 1000);
		near_ok(c, 5000);
		ksm_unmap(a, NEAR);
		ksm_unmap(b, NEAR);
		ksm_unmap(c, NEAR);
	}
}

/* And what became equal in that way is found out in the end. */
static void check_noticed(enum ksm_smart_scan smart_scan)
{
	struct tracee t;
	char *map;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		ksm_fresh(smart_scan);
		tracee_start(&t, PROT_READ | PROT_WRITE, 1);
		map = ksm_map_merge(PAGES, SEED, 1);
		ksm_page_fill(ksys_page(map, 3), 888);
		ksm_scan(4);
		check_known(PAGES - 1, 2);
		attach(&t);
		CHECK_EQ(write_page(i, t.c.pid, ksys_page(t.map, 3), 888), 0);
		detach(&t);
		wait_pairs(PAGES);
		CHECK_EQ(ksm_pfn(0, ksys_page(map, 3)),
			 ksm_pfn(t.c.pid, ksys_page(t.map, 3)));
		tracee_has(&t, 888);
		CHECK(ksm_page_ok(ksys_page(map, 3), 888));
		tracee_end(&t);
		ksm_unmap(map, PAGES);
	}
}

static void test_noticed(void)
{
	check_noticed(KSM_SMART_SCAN_OFF);
}

static void test_noticed_smart(void)
{
	check_noticed(KSM_SMART_SCAN_ON);
}

/* Writers of both kinds and ksmd, on pages that keep becoming equal. */
static void test_all_at_once(void)
{
	uint64_t end = ksm_now_ms() + ksys_budget_ms(), round = 0;
	uint64_t seed, own;
	struct tracee t;
	char *map;
	size_t way;

	tracee_start(&t, PROT_READ | PROT_WRITE, 1);
	map = ksm_map_merge(PAGES, SEED, 1);
	ksm_run();
	do {
		way = 1 + round % 2;
		seed = SEED + 3 + (round & 4 ? 0 : 1000 + round);
		own = SEED + 3 + (round & 8 ? 0 : 1000 + round);
		CHECK_EQ(write_page(way, t.c.pid, ksys_page(t.map, 3), seed),
			 0);
		ksm_page_fill(ksys_page(map, 3), own);
		if (round % 4 == 0)
			ksm_wait_scans(1, 1000);
		CHECK(ksm_page_ok(ksys_page(map, 3), own));
		tracee_has(&t, seed);
		round++;
	} while (ksm_now_ms() < end);
	ksm_stop();
	CHECK(ksm_contents_ok(map, 3, SEED, 1));
	tracee_end(&t);
	ksft_print_msg("%llu rounds\n", (unsigned long long)round);
}

static const struct ksm_case cases[] = {
	{ "into merged pages", test_writable },
	{ "into merged pages, read-only", test_readonly },
	{ "into merged pages, PROT_NONE", test_none },
	{ "refused", test_refused },
	{ "into the zero page", test_zero_page },
	{ "never merged on what was there before", test_stale },
	{ "the same with smart_scan", test_stale_smart },
	{ "the same among near duplicates", test_stale_near },
	{ "noticed in the end", test_noticed },
	{ "noticed in the end with smart_scan", test_noticed_smart },
	{ "writers and ksmd at once", test_all_at_once },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
