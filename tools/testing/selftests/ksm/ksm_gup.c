// SPDX-License-Identifier: GPL-2.0
/*
 * Pages with references of the kernel or of a device
 *
 * A page with extra references is not merged: a device could write to a page
 * that the process does not map any more.  It is merged once they are dropped.
 * A KSM page that is pinned for long is unshared first, also for reading.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/files.h"
#include "lib/ksm.h"
#include "lib/pipe.h"
#include "lib/swap.h"

#define PAGES	32
#define PINNED	8		/* the first ones; a pipe has room for them */
#define SEED	13000

/* From mm/gup_test.h, which is no header for user space. */
struct pin_longterm_test {
	uint64_t addr;
	uint64_t size;
	uint32_t flags;
};

#define PIN_LONGTERM_TEST_START	_IOW('g', 7, struct pin_longterm_test)
#define PIN_LONGTERM_TEST_STOP	_IO('g', 8)
#define PIN_LONGTERM_TEST_READ	_IOW('g', 9, uint64_t)
#define PIN_LONGTERM_TEST_FLAG_USE_WRITE	1
#define PIN_LONGTERM_TEST_FLAG_USE_FAST		2

/* --- Ways to hold pages -------------------------------------------------- */

struct holder {
	/* Hold the first PINNED pages of map; skips if it cannot. */
	void (*hold)(char *map);
	/* Is this what a reader through the reference sees? */
	void (*sees)(char *map, uint64_t seed);
	void (*release)(void);
};

static int pipefd[2];

static void pipe_hold(char *map)
{
	ksys_pipe_hold(pipefd, map, PINNED);
}

/* What a pipe has can be read but once: after this it holds nothing. */
static void pipe_sees(char *map, uint64_t seed)
{
	CHECK(ksys_pipe_ok(pipefd, PINNED, seed));
}

static void pipe_release(void)
{
	ksys_pipe_close(pipefd);
}

static int gup_fd = -1;

static void gup_open(void)
{
	ksys_debugfs();
	gup_fd = open("/sys/kernel/debug/gup_test", O_RDWR | O_CLOEXEC);
	if (gup_fd < 0)
		ksm_skip("kernel without CONFIG_GUP_TEST or debugfs");
}

static void gup_pin(char *map, size_t pages, unsigned int flags)
{
	struct pin_longterm_test args = {
		.addr = (unsigned long)map,
		.size = pages * ksm_page_size(),
		.flags = flags,
	};

	gup_open();
	ksm_check(!ioctl(gup_fd, PIN_LONGTERM_TEST_START, &args),
		  "PIN_LONGTERM_TEST_START: %s\n", strerror(errno));
}

static void gup_hold(char *map)
{
	gup_pin(map, PINNED, PIN_LONGTERM_TEST_FLAG_USE_WRITE);
}

static void gup_hold_fast(char *map)
{
	gup_pin(map, PINNED, PIN_LONGTERM_TEST_FLAG_USE_WRITE |
		PIN_LONGTERM_TEST_FLAG_USE_FAST);
}

static void gup_hold_read(char *map)
{
	gup_pin(map, PINNED, 0);
}

static void gup_hold_read_fast(char *map)
{
	gup_pin(map, PINNED, PIN_LONGTERM_TEST_FLAG_USE_FAST);
}

static void gup_sees(char *map, uint64_t seed)
{
	char *buf = ksm_map(PINNED);
	uint64_t to = (unsigned long)buf;

	memset(buf, 1, PINNED * ksm_page_size());
	CHECK(!ioctl(gup_fd, PIN_LONGTERM_TEST_READ, &to));
	CHECK(ksm_contents_ok(buf, PINNED, seed, 1));
	ksm_unmap(buf, PINNED);
}

static void gup_release(void)
{
	CHECK(!ioctl(gup_fd, PIN_LONGTERM_TEST_STOP));
	close(gup_fd);
}

/* A ring that takes one request at a time. */
static struct {
	int fd;
	char *sq;
	char *cq;
	struct io_uring_sqe *sqe;
	struct io_uring_params p;
} ring;

static void *ring_map(size_t size, off_t offset)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_POPULATE, ring.fd, offset);

	CHECK(map != MAP_FAILED);
	return map;
}

static void ring_open(void)
{
	memset(&ring, 0, sizeof(ring));
	ring.fd = syscall(SYS_io_uring_setup, 1, &ring.p);
	if (ring.fd < 0)
		ksm_skip("io_uring_setup: %s", strerror(errno));
	ring.sq = ring_map(ring.p.sq_off.array + 4 * ring.p.sq_entries,
			   IORING_OFF_SQ_RING);
	ring.cq = ring_map(ring.p.cq_off.cqes +
			   ring.p.cq_entries * sizeof(struct io_uring_cqe),
			   IORING_OFF_CQ_RING);
	ring.sqe = ring_map(ring.p.sq_entries * sizeof(*ring.sqe),
			    IORING_OFF_SQES);
}

/* One request from start to end: its result. */
static int ring_do(int opcode, int fd, char *buf, size_t len, uint64_t offset)
{
	unsigned int *tail = (unsigned int *)(ring.sq + ring.p.sq_off.tail);
	unsigned int *array = (unsigned int *)(ring.sq + ring.p.sq_off.array);
	unsigned int *head = (unsigned int *)(ring.cq + ring.p.cq_off.head);
	unsigned int mask = *(unsigned int *)(ring.cq +
					      ring.p.cq_off.ring_mask);
	struct io_uring_cqe *cqe;
	int ret;

	memset(ring.sqe, 0, sizeof(*ring.sqe));
	ring.sqe->opcode = opcode;
	ring.sqe->fd = fd;
	ring.sqe->addr = (unsigned long)buf;
	ring.sqe->len = len;
	ring.sqe->off = offset;
	array[0] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	CHECK_EQ(syscall(SYS_io_uring_enter, ring.fd, 1, 1,
			 IORING_ENTER_GETEVENTS, NULL, 0), 1);
	cqe = (struct io_uring_cqe *)(ring.cq + ring.p.cq_off.cqes) +
	      (*head & mask);
	ret = cqe->res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return ret;
}

static void ring_hold(char *map)
{
	struct iovec iov = { map, PINNED * ksm_page_size() };

	ring_open();
	ksm_check(!syscall(SYS_io_uring_register, ring.fd,
			   IORING_REGISTER_BUFFERS, &iov, 1),
		  "IORING_REGISTER_BUFFERS: %s\n", strerror(errno));
}

/* A file that loses its name at once. */
static int temp_file(void)
{
	int fd = memfd_create("ksm_gup", MFD_CLOEXEC);

	if (fd < 0)
		ksm_skip("memfd_create: %s", strerror(errno));
	return fd;
}

static void ring_sees(char *map, uint64_t seed)
{
	size_t len = PINNED * ksm_page_size();
	char *buf = ksm_map(PINNED);
	int fd = temp_file();

	/* The kernel writes to the file what it has pinned. */
	CHECK_EQ(ring_do(IORING_OP_WRITE_FIXED, fd, map, len, 0), len);
	CHECK_EQ(pread(fd, buf, len, 0), len);
	CHECK(ksm_contents_ok(buf, PINNED, seed, 1));
	ksm_unmap(buf, PINNED);
	close(fd);
}

static void ring_release(void)
{
	CHECK(!syscall(SYS_io_uring_register, ring.fd,
		       IORING_UNREGISTER_BUFFERS, NULL, 0));
	close(ring.fd);
}

static const struct holder by_pipe = { pipe_hold, pipe_sees, pipe_release };
static const struct holder by_gup = { gup_hold, gup_sees, gup_release };

static const struct holder by_gup_fast = {
	gup_hold_fast, gup_sees, gup_release
};

static const struct holder by_gup_read = {
	gup_hold_read, gup_sees, gup_release
};

static const struct holder by_gup_read_fast = {
	gup_hold_read_fast, gup_sees, gup_release
};

static const struct holder by_ring = { ring_hold, ring_sees, ring_release };

/* --- Held before ksmd comes ---------------------------------------------- */

static void check_candidates(const struct holder *h)
{
	unsigned long pfn[PINNED];
	char *a, *b, *c;
	size_t i;

	a = ksm_map_merge(PAGES, SEED, 1);
	h->hold(a);
	for (i = 0; i < PINNED; i++)
		pfn[i] = ksm_pfn(0, ksys_page(a, i));
	b = ksm_map_merge(PAGES, SEED, 1);
	c = ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(3);
	/* Whether its duplicates merge while one is held is another matter. */
	CHECK(ksm_get("pages_shared") >= PAGES - PINNED);
	CHECK(ksm_get("pages_sharing") <= 2 * PAGES - PINNED);
	for (i = 0; i < PINNED; i++)
		CHECK_EQ(ksm_pfn(0, ksys_page(a, i)), pfn[i]);
	CHECK_EQ(ksm_smaps_kb(a), (PAGES - PINNED) * ksm_page_size() / 1024);
	CHECK(ksm_same_pages(ksys_page(b, PINNED), ksys_page(c, PINNED),
			     PAGES - PINNED));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(c, PAGES, SEED, 1));
	/* Only the holder of the references sees what the process writes. */
	ksm_fill(a, PINNED, 66000, 1);
	for (i = 0; i < PINNED; i++)
		CHECK_EQ(ksm_pfn(0, ksys_page(a, i)), pfn[i]);
	h->sees(a, 66000);
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(c, PAGES, SEED, 1));
	/* Released, they are ordinary pages. */
	h->release();
	ksm_fill(a, PINNED, SEED, 1);
	CHECK(ksm_scan_until(PAGES, 2 * PAGES, 0));
	CHECK(ksm_same_pages(a, b, PAGES));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
}

static void test_pipe(void)
{
	check_candidates(&by_pipe);
}

static void test_gup(void)
{
	check_candidates(&by_gup);
}

static void test_gup_fast(void)
{
	check_candidates(&by_gup_fast);
}

static void test_gup_read(void)
{
	check_candidates(&by_gup_read);
}

static void test_ring(void)
{
	check_candidates(&by_ring);
}

/* Both of a pair are held. */
static void test_all_held(void)
{
	char *a, *b;

	a = ksm_map_merge(PINNED, SEED, 1);
	b = ksm_map_merge(PINNED, SEED, 1);
	by_pipe.hold(a);
	by_ring.hold(b);
	ksm_scan(3);
	CHECK_EQ(ksm_get("pages_shared"), 0);
	CHECK_EQ(ksm_get("pages_sharing"), 0);
	CHECK(ksm_contents_ok(a, PINNED, SEED, 1));
	CHECK(ksm_contents_ok(b, PINNED, SEED, 1));
	by_pipe.sees(a, SEED);
	by_pipe.release();
	by_ring.sees(b, SEED);
	by_ring.release();
	CHECK(ksm_scan_until(PINNED, PINNED, 0));
	CHECK(ksm_same_pages(a, b, PINNED));
	CHECK(ksm_contents_ok(b, PINNED, SEED, 1));
}

/* --- Merged before they are wanted --------------------------------------- */

static void check_merged(const struct holder *h)
{
	unsigned long pfn[PINNED];
	char *a, *b;
	size_t i;
	long cow;

	ksm_merge_pair(PAGES, SEED, &a, &b);
	for (i = 0; i < PINNED; i++)
		pfn[i] = ksm_pfn(0, ksys_page(a, i));
	cow = ksm_vmstat("cow_ksm");
	h->hold(a);
	/* Unshared, each in the way a write would do it. */
	CHECK_EQ(ksm_vmstat("cow_ksm") - cow, PINNED);
	for (i = 0; i < PINNED; i++) {
		CHECK(ksm_pfn(0, ksys_page(a, i)) != pfn[i]);
		CHECK_EQ(ksm_pfn(0, ksys_page(b, i)), pfn[i]);
		pfn[i] = ksm_pfn(0, ksys_page(a, i));
	}
	CHECK_EQ(ksm_smaps_kb(a), (PAGES - PINNED) * ksm_page_size() / 1024);
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	h->sees(a, SEED);
	/* It stays so for as long as they are held. */
	ksm_scan(3);
	for (i = 0; i < PINNED; i++)
		CHECK_EQ(ksm_pfn(0, ksys_page(a, i)), pfn[i]);
	CHECK_EQ(ksm_get("pages_shared"), PAGES);
	CHECK_EQ(ksm_get("pages_sharing"), PAGES - PINNED);
	ksm_fill(a, PINNED, 77000, 1);
	for (i = 0; i < PINNED; i++)
		CHECK_EQ(ksm_pfn(0, ksys_page(a, i)), pfn[i]);
	h->sees(a, 77000);
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	h->release();
	ksm_fill(a, PINNED, SEED, 1);
	CHECK(ksm_scan_until(PAGES, PAGES, 0));
	CHECK(ksm_same_pages(a, b, PAGES));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
}

static void test_merged_gup(void)
{
	check_merged(&by_gup);
}

static void test_merged_gup_read(void)
{
	check_merged(&by_gup_read);
}

static void test_merged_gup_read_fast(void)
{
	check_merged(&by_gup_read_fast);
}

static void test_merged_ring(void)
{
	check_merged(&by_ring);
}

/* A short-lived reference to a KSM page does no harm. */
static void test_merged_pipe(void)
{
	char *a, *b;

	ksm_merge_pair(PAGES, SEED, &a, &b);
	by_pipe.hold(a);
	CHECK(ksm_same_pages(a, b, PAGES));
	ksm_scan(2);
	CHECK(ksm_counts_are(PAGES, PAGES, 0, 0));
	/* The pipe has the page as it was: a write makes a copy. */
	ksm_fill(a, PINNED, 77000, 1);
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	by_pipe.sees(a, SEED);
	by_pipe.release();
	ksm_fill(a, PINNED, SEED, 1);
	CHECK(ksm_scan_until(PAGES, PAGES, 0));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
}

/* The zero page is no page to be pinned for long either. */
static void test_zero_page(void)
{
	unsigned int flags;
	long *word;
	char *a;

	gup_open();
	close(gup_fd);
	for (flags = 0; flags < 3; flags += 2) {
		CHECK_EQ(ksm_unmerge_all(), 0);
		ksm_set("use_zero_pages", 1);
		a = ksm_map(PAGES);
		memset(a, 1, PAGES * ksm_page_size());
		memset(a, 0, PAGES * ksm_page_size());
		ksm_mergeable(a, PAGES);
		ksm_scan(2);
		CHECK_EQ(ksm_get("ksm_zero_pages"), PAGES);
		gup_pin(a, PINNED, flags);
		CHECK_EQ(ksm_get("ksm_zero_pages"), PAGES - PINNED);
		ksm_scan(2);
		CHECK_EQ(ksm_get("ksm_zero_pages"), PAGES - PINNED);
		for (word = (long *)a; (char *)word < a + PAGES *
		     ksm_page_size(); word++)
			CHECK_EQ(*word, 0);
		ksm_fill(a, PINNED, 1, 1);
		gup_sees(a, 1);
		gup_release();
		ksm_unmap(a, PAGES);
		CHECK_EQ(ksm_get("ksm_zero_pages"), 0);
	}
}

/* --- Direct I/O ---------------------------------------------------------- */

/*
 * Pages 0.. of the file have the common content, pages PAGES.. another, which
 * differs from page to page.
 */
static void fill_file(int fd)
{
	char *buf = ksm_map(2 * PAGES);
	size_t len = 2 * PAGES * ksm_page_size();

	ksm_fill(buf, PAGES, SEED, 1);
	ksm_fill(ksys_page(buf, PAGES), PAGES, 55000, 1);
	CHECK_EQ(pwrite(fd, buf, len, 0), len);
	CHECK(!fsync(fd));
	ksm_unmap(buf, 2 * PAGES);
}

static void *churn(void *arg)
{
	char *map = arg;
	uint64_t end = ksm_now_ms() + ksys_budget_ms();
	unsigned long round = 0;
	size_t i;

	do {
		i = round % PAGES;
		if (!ksm_page_ok(ksys_page(map, i), SEED + i))
			return "a bystander's page is wrong";
		/* Broken, and as it was. */
		*(volatile char *)ksys_page(map, i) ^= 1;
		*(volatile char *)ksys_page(map, i) ^= 1;
		round++;
	} while (ksm_now_ms() < end);
	return NULL;
}

/* Reads into pages that ksmd is merging, writes from them. */
static void check_io(int fd)
{
	uint64_t end = ksm_now_ms() + ksys_budget_ms();
	size_t ps = ksm_page_size(), at, n;
	unsigned int random = 1;
	pthread_t thread;
	int round = 0;
	char *a, *b;
	void *why;

	fill_file(fd);
	a = ksm_map_merge(PAGES, SEED, 1);
	b = ksm_map_merge(PAGES, SEED, 1);
	ksm_run();
	CHECK(!pthread_create(&thread, NULL, churn, b));
	do {
		at = rand_r(&random) % PAGES;
		n = 1 + rand_r(&random) % (PAGES - at);
		/* Unique content, then the common one */
		CHECK_EQ(pread(fd, ksys_page(a, at), n * ps,
			       (PAGES + at) * ps), n * ps);
		CHECK(ksm_contents_ok(ksys_page(a, at), n, 55000 + at, 1));
		CHECK_EQ(pwrite(fd, ksys_page(a, at), n * ps,
				(PAGES + at) * ps), n * ps);
		if (round % 4 == 0)
			ksm_wait_scans(1, 1000);
		CHECK(ksm_contents_ok(ksys_page(a, at), n, 55000 + at, 1));
		CHECK_EQ(pread(fd, ksys_page(a, at), n * ps, at * ps), n * ps);
		CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
		if (round % 4 == 1)
			ksm_wait_scans(2, 1000);
		/* From pages that are merged by now. */
		CHECK_EQ(pwrite(fd, ksys_page(a, at), n * ps, at * ps), n * ps);
		CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
		round++;
	} while (ksm_now_ms() < end);
	CHECK(!pthread_join(thread, &why));
	ksm_check(!why, "%s\n", (char *)why);
	ksm_stop();
	ksft_print_msg("%d rounds\n", round);
	CHECK(ksm_scan_until(PAGES, PAGES, 0));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	/* And the file has what it should have. */
	CHECK_EQ(pread(fd, b, PAGES * ps, 0), PAGES * ps);
	CHECK(ksm_contents_ok(b, PAGES, SEED, 1));
	CHECK_EQ(pread(fd, b, PAGES * ps, PAGES * ps), PAGES * ps);
	CHECK(ksm_contents_ok(b, PAGES, 55000, 1));
	CHECK(ksm_contents_ok(a, PAGES, SEED, 1));
}

static char zram[64];
static const char *no_zram;

static void test_direct(void)
{
	int fd;

	if (no_zram)
		ksm_skip("%s", no_zram);
	fd = open(zram, O_RDWR | O_DIRECT | O_CLOEXEC);
	ksm_check(fd >= 0, "open: %s\n", strerror(errno));
	check_io(fd);
	close(fd);
}

static void test_buffered(void)
{
	int fd = temp_file();

	check_io(fd);
	close(fd);
}

/*
 * The content of a page that ksmd knows is replaced by direct I/O; the page
 * table does not show it.  What ksmd remembers must not be believed.
 */
static void test_direct_stale(void)
{
	size_t ps = ksm_page_size();
	int fd, pass;
	char *a, *c;

	if (no_zram)
		ksm_skip("%s", no_zram);
	fd = open(zram, O_RDWR | O_DIRECT | O_CLOEXEC);
	ksm_check(fd >= 0, "open: %s\n", strerror(errno));
	ksm_fresh(KSM_SMART_SCAN_ON);
	fill_file(fd);
	a = ksm_map_merge(PAGES, SEED, 1);
	ksm_scan(4);
	CHECK_EQ(pread(fd, a, PAGES * ps, PAGES * ps), PAGES * ps);
	c = ksm_map_merge(PAGES, SEED, 1);
	for (pass = 0; pass < 20; pass++) {
		ksm_scan(1);
		CHECK(ksm_contents_ok(a, PAGES, 55000, 1));
		CHECK(ksm_contents_ok(c, PAGES, SEED, 1));
		CHECK_EQ(ksm_get("pages_shared"), 0);
	}
	close(fd);
}

static const struct ksm_case cases[] = {
	{ "held by a pipe", test_pipe },
	{ "pinned for long", test_gup },
	{ "pinned for long, fast", test_gup_fast },
	{ "pinned for long, to be read", test_gup_read },
	{ "registered with io_uring", test_ring },
	{ "both of a pair held", test_all_held },
	{ "merged, then pinned", test_merged_gup },
	{ "merged, then pinned to be read", test_merged_gup_read },
	{ "merged, then pinned to be read, fast", test_merged_gup_read_fast },
	{ "merged, then registered with io_uring", test_merged_ring },
	{ "merged, then held by a pipe", test_merged_pipe },
	{ "the zero page, pinned", test_zero_page },
	{ "direct I/O and ksmd at once", test_direct },
	{ "direct I/O behind ksmd's back", test_direct_stale },
	{ "buffered I/O and ksmd at once", test_buffered },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	no_zram = ksys_zram_setup(4UL << 20, zram, sizeof(zram));
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
