// SPDX-License-Identifier: GPL-2.0
/*
 * ksmd and userfaultfd share memory.
 *
 * Every write to a page that is write-protected for a monitor must raise an
 * event, whether the page is merged or not.  ksmd must raise none.  A KSM page
 * cannot be moved.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"

#define PAGES	32
#define SEED	12000

#ifndef UFFDIO_MOVE
#define UFFD_FEATURE_MOVE	0x10000

struct uffdio_move {
	__u64 dst;
	__u64 src;
	__u64 len;
	__u64 mode;
	__s64 move;
};

#define UFFDIO_MOVE _IOWR(UFFDIO, 0x05, struct uffdio_move)
#endif

static int open_uffd(uint64_t features)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd;

	fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOSYS)
		ksm_skip("kernel without CONFIG_USERFAULTFD");
	ksm_check(fd >= 0, "userfaultfd: %s\n", strerror(errno));
	/* Ask once what there is; the handle that was asked is used up. */
	CHECK(!ioctl(fd, UFFDIO_API, &api));
	close(fd);
	if ((api.features & features) != features) {
		if (features & UFFD_FEATURE_MOVE)
			ksm_skip("kernel without UFFDIO_MOVE");
		ksm_skip("kernel without userfaultfd write protection");
	}
	fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	CHECK(fd >= 0);
	api.features = features;
	CHECK(!ioctl(fd, UFFDIO_API, &api));
	return fd;
}

static void watch(int fd, char *map, size_t pages, uint64_t mode)
{
	struct uffdio_register reg = {
		.range = { (unsigned long)map, pages * ksm_page_size() },
		.mode = mode,
	};

	ksm_check(!ioctl(fd, UFFDIO_REGISTER, &reg), "UFFDIO_REGISTER: %s\n",
		  strerror(errno));
}

static void protect(int fd, char *map, size_t pages, bool on)
{
	struct uffdio_writeprotect wp = {
		.range = { (unsigned long)map, pages * ksm_page_size() },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	ksm_check(!ioctl(fd, UFFDIO_WRITEPROTECT, &wp),
		  "UFFDIO_WRITEPROTECT: %s\n", strerror(errno));
}

/* The monitor: answers faults, and remembers where they were. */
struct monitor {
	int fd;
	pthread_t thread;
	char *map;
	size_t pages;
	uint64_t seed;			/* what missing pages are filled with */
	int stop[2];
	unsigned int wp[PAGES];		/* writes to protected pages seen */
	unsigned int missing[PAGES];	/* accesses to missing pages seen */
	unsigned int strange;
};

static void fill_missing(struct monitor *m, size_t i)
{
	struct uffdio_copy copy = {
		.dst = (unsigned long)ksys_page(m->map, i),
		.len = ksm_page_size(),
	};
	static char *buf;

	if (!buf)
		buf = ksm_map(1);
	ksm_page_fill(buf, m->seed + i);
	copy.src = (unsigned long)buf;
	if (ioctl(m->fd, UFFDIO_COPY, &copy) && errno != EEXIST)
		m->strange++;
}

static void answer(struct monitor *m, const struct uffd_msg *msg)
{
	unsigned long at = msg->arg.pagefault.address;
	size_t i = (at - (unsigned long)m->map) / ksm_page_size();

	if (msg->event != UFFD_EVENT_PAGEFAULT || i >= m->pages) {
		m->strange++;
		return;
	}
	if (msg->arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP) {
		__atomic_add_fetch(&m->wp[i], 1, __ATOMIC_SEQ_CST);
		protect(m->fd, ksys_page(m->map, i), 1, false);
	} else {
		__atomic_add_fetch(&m->missing[i], 1, __ATOMIC_SEQ_CST);
		fill_missing(m, i);
	}
}

static void *monitor_main(void *arg)
{
	struct monitor *m = arg;
	struct pollfd pfd[2] = {
		{ .fd = m->fd, .events = POLLIN },
		{ .fd = m->stop[0], .events = POLLIN },
	};
	struct uffd_msg msg;

	for (;;) {
		if (poll(pfd, 2, -1) < 0)
			continue;
		if (pfd[1].revents)
			return NULL;
		while (read(m->fd, &msg, sizeof(msg)) == sizeof(msg))
			answer(m, &msg);
	}
}

static void monitor_start(struct monitor *m, int fd, char *map, uint64_t seed)
{
	memset(m, 0, sizeof(*m));
	m->fd = fd;
	m->map = map;
	m->pages = PAGES;
	m->seed = seed;
	CHECK(!pipe(m->stop));
	CHECK(!pthread_create(&m->thread, NULL, monitor_main, m));
}

static void monitor_end(struct monitor *m)
{
	CHECK_EQ(write(m->stop[1], "", 1), 1);
	CHECK(!pthread_join(m->thread, NULL));
	CHECK_EQ(m->strange, 0);
	close(m->fd);
}

static unsigned int wp_seen(struct monitor *m, size_t i)
{
	return __atomic_load_n(&m->wp[i], __ATOMIC_SEQ_CST);
}

static unsigned int missing_seen(struct monitor *m, size_t i)
{
	return __atomic_load_n(&m->missing[i], __ATOMIC_SEQ_CST);
}

/* Merged, then protected: the monitor hears of every first write. */
static void test_wp_after_merge(void)
{
	struct monitor m;
	char *a, *b;
	size_t i;
	int fd;

	fd = open_uffd(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	ksm_merge_pair(PAGES, SEED, &a, &b);
	watch(fd, a, PAGES, UFFDIO_REGISTER_MODE_WP);
	protect(fd, a, PAGES, true);
	/* Protecting is not writing. */
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	CHECK(ksm_same_pages(a, b, PAGES));
	CHECK(ksm_pagemap(0, a) & KSM_PM_UFFD_WP);
	monitor_start(&m, fd, a, 0);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	for (i = 0; i < PAGES; i += 2) {
		CHECK_EQ(wp_seen(&m, i), 0);
		ksm_page_fill(ksys_page(a, i), 60000 + i);
		CHECK_EQ(wp_seen(&m, i), 1);
		CHECK(ksm_page_ok(ksys_page(a, i), 60000 + i));
	}
	for (i = 1; i < PAGES; i += 2)
		CHECK_EQ(wp_seen(&m, i), 0);
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	/* Scanning removes no protection. */
	ksm_scan(3);
	for (i = 1; i < PAGES; i += 2) {
		ksm_page_fill(ksys_page(a, i), 60000 + i);
		CHECK_EQ(wp_seen(&m, i), 1);
	}
	CHECK(ksm_contents_ok(a, PAGES, 60000, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	/* The other mapping was never watched. */
	ksm_fill(b, PAGES, 70000, 1);
	CHECK(ksm_contents_ok(b, PAGES, 70000, 1));
	monitor_end(&m);
}

/* Unmerging protected pages leaves the protection to the monitor. */
static void test_wp_unmerge(void)
{
	struct monitor m;
	char *a, *b;
	size_t i;
	int fd;

	fd = open_uffd(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	ksm_merge_pair(PAGES, SEED, &a, &b);
	watch(fd, a, PAGES, UFFDIO_REGISTER_MODE_WP);
	protect(fd, a, PAGES, true);
	monitor_start(&m, fd, a, 0);
	ksm_unmergeable(a, PAGES);
	CHECK(ksm_none_merged(a, PAGES));
	/* Unmerging is not a write of the process: no event. */
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(wp_seen(&m, i), 0);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	CHECK_EQ(ksm_unmerge_all(), 0);
	CHECK(ksm_counts_are(0, 0, 0, 0));
	for (i = 0; i < PAGES; i++)
		CHECK(ksm_pagemap(0, ksys_page(a, i)) & KSM_PM_UFFD_WP);
	for (i = 0; i < PAGES; i++) {
		ksm_page_fill(ksys_page(a, i), 60000 + i);
		CHECK_EQ(wp_seen(&m, i), 1);
	}
	CHECK(ksm_contents_ok(a, PAGES, 60000, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	monitor_end(&m);
}

/* Protected first: whether ksmd merges them or not, contents stay right. */
static void test_wp_before_merge(void)
{
	struct monitor m;
	char *a, *b;
	size_t i;
	int fd;

	fd = open_uffd(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	a = ksm_map_merge(PAGES, SEED, 1);
	b = ksm_map_merge(PAGES, SEED, 1);
	watch(fd, a, PAGES, UFFDIO_REGISTER_MODE_WP);
	protect(fd, a, PAGES, true);
	monitor_start(&m, fd, a, 0);
	ksm_scan(3);
	/* ksmd raises no event. */
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(wp_seen(&m, i), 0);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	ksm_fill(a, PAGES, 60000, 1);
	CHECK(ksm_contents_ok(a, PAGES, 60000, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	ksm_scan(2);
	CHECK(ksm_contents_ok(a, PAGES, 60000, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	monitor_end(&m);
}

/* The monitor that protected pages hears of writes, whatever ksmd did. */
static void test_wp_kept(void)
{
	struct monitor m;
	char *a, *b;
	size_t i;
	int fd;

	fd = open_uffd(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	a = ksm_map_merge(PAGES, SEED, 1);
	b = ksm_map_merge(PAGES, SEED, 1);
	watch(fd, a, PAGES, UFFDIO_REGISTER_MODE_WP);
	protect(fd, a, PAGES, true);
	monitor_start(&m, fd, a, 0);
	ksm_scan(3);
	for (i = 0; i < PAGES; i++) {
		ksm_page_fill(ksys_page(a, i), 60000 + i);
		ksm_check(wp_seen(&m, i) == 1,
			  "page %zu: a write to a protected page went unseen\n",
			  i);
	}
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	monitor_end(&m);
}

/* ksmd does not touch what is not there. */
static void test_missing(void)
{
	size_t ps = ksm_page_size(), i;
	struct monitor m;
	char *a, *b;
	int fd;

	fd = open_uffd(0);
	ksm_merge_pair(PAGES, SEED, &a, &b);
	CHECK(!madvise(a, PAGES / 2 * ps, MADV_DONTNEED));
	watch(fd, a, PAGES, UFFDIO_REGISTER_MODE_MISSING);
	monitor_start(&m, fd, a, SEED);
	ksm_scan(3);
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(missing_seen(&m, i), 0);
	CHECK_EQ(ksm_unmerge_all(), 0);
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(missing_seen(&m, i), 0);
	/* What the monitor puts there merges with the rest. */
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(missing_seen(&m, i), i < PAGES / 2);
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	CHECK(ksm_same_pages(a, b, PAGES));
	/* A merged page that is dropped is missing again. */
	CHECK(!madvise(a, ps, MADV_DONTNEED));
	CHECK(ksm_page_ok(a, SEED));
	CHECK_EQ(missing_seen(&m, 0), 2);
	ksm_page_fill(ksys_page(a, 1), 1);
	CHECK_EQ(missing_seen(&m, 1), 1);
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	monitor_end(&m);
}

static int move(int fd, void *dst, const void *src, size_t pages)
{
	struct uffdio_move mv = {
		.dst = (unsigned long)dst,
		.src = (unsigned long)src,
		.len = pages * ksm_page_size(),
	};

	return ioctl(fd, UFFDIO_MOVE, &mv) ? -errno : 0;
}

static void test_move(void)
{
	char *a, *b, *to;
	size_t i;
	int fd;

	fd = open_uffd(UFFD_FEATURE_MOVE);
	ksm_merge_pair(PAGES, SEED, &a, &b);
	to = ksm_map(PAGES);
	watch(fd, to, PAGES, UFFDIO_REGISTER_MODE_MISSING);
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(move(fd, ksys_page(to, i), ksys_page(a, i), 1),
			 -EBUSY);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	CHECK(ksm_same_pages(a, b, PAGES));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	for (i = 0; i < PAGES; i++)
		CHECK(!(ksm_pagemap(0, ksys_page(to, i)) & KSM_PM_PRESENT));
	/* One that was written since is an ordinary page: source and goal. */
	ksm_page_fill(ksys_page(a, 4), 4444);
	ksm_check(!move(fd, ksys_page(to, 4), ksys_page(a, 4), 1),
		  "UFFDIO_MOVE of an ordinary page: %s\n", strerror(errno));
	CHECK(ksm_page_ok(ksys_page(to, 4), 4444));
	CHECK(ksm_page_ok(ksys_page(b, 4), SEED + 4));
	CHECK(!(ksm_pagemap(0, ksys_page(a, 4)) & KSM_PM_PRESENT));
	ksm_scan(2);
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	CHECK(ksm_page_ok(ksys_page(to, 4), 4444));
	close(fd);
}

/* Pages that ksmd knows and has not merged change places. */
static void test_move_candidates(void)
{
	char *a, *to, *c;
	int fd;

	fd = open_uffd(UFFD_FEATURE_MOVE);
	a = ksm_map_merge(PAGES, SEED, 1);
	to = ksm_map(PAGES);
	ksm_mergeable(to, PAGES);
	ksm_scan(3);
	CHECK(ksm_counts_are(0, 0, PAGES, 0));
	watch(fd, to, PAGES, UFFDIO_REGISTER_MODE_MISSING);
	ksm_check(!move(fd, to, a, PAGES), "UFFDIO_MOVE: %s\n",
		  strerror(errno));
	CHECK(ksm_contents_ok(to, PAGES, SEED, 1));
	/* Something else where they were, and its double. */
	ksm_fill(a, PAGES, 50000, 1);
	c = ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(3);
	CHECK(ksm_counts_are(PAGES, PAGES, PAGES, 0));
	CHECK(ksm_same_pages(to, c, PAGES));
	CHECK(ksm_contents_ok(a, PAGES, 50000, 1));
	CHECK(ksm_contents_ok(to, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(c, PAGES, SEED, 1));
	close(fd);
}

/* A monitor, writers and ksmd, again and again. */
static void test_all_at_once(void)
{
	uint64_t end = ksm_now_ms() + ksys_budget_ms();
	struct monitor m;
	int round = 0, fd;
	char *a, *b;
	size_t i;

	fd = open_uffd(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	a = ksm_map_merge(PAGES, SEED, 1);
	b = ksm_map_merge(PAGES, SEED, 1);
	watch(fd, a, PAGES, UFFDIO_REGISTER_MODE_WP);
	monitor_start(&m, fd, a, 0);
	ksm_run();
	do {
		protect(fd, a, PAGES, true);
		CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
		for (i = round % 3; i < PAGES; i += 3) {
			ksm_page_fill(ksys_page(a, i), 60000 + round);
			CHECK(ksm_page_ok(ksys_page(a, i), 60000 + round));
			ksm_page_fill(ksys_page(a, i), SEED + i);
		}
		CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
		round++;
	} while (ksm_now_ms() < end);
	ksm_stop();
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	monitor_end(&m);
	ksft_print_msg("%d rounds\n", round);
}

static const struct ksm_case cases[] = {
	{ "write protection after merging", test_wp_after_merge },
	{ "unmerging what is protected", test_wp_unmerge },
	{ "write protection before merging: contents", test_wp_before_merge },
	{ "write protection before merging: kept", test_wp_kept },
	{ "missing pages", test_missing },
	{ "UFFDIO_MOVE of a KSM page", test_move },
	{ "UFFDIO_MOVE of candidates", test_move_candidates },
	{ "monitor, writer and ksmd at once", test_all_at_once },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
