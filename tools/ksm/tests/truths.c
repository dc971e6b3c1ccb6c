// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "figure.h"
#include "truths.h"
#include "uring.h"

#define PAGES		256
#define HUGE_BYTES	(2UL << 20)

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE	0x08
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

static int report_fd = -1;

/* Where truth_report() and truth_skip() write to. */
void truth_report_to(int fd)
{
	report_fd = fd;
}

static void write_report(const char *text)
{
	if (write(report_fd, text, strlen(text)) < 0)
		_exit(1);
	close(report_fd);
}

/* This cannot be made here: end, and say why. */
void truth_skip(const char *fmt, ...)
{
	char text[256] = "skip ";
	va_list args;

	va_start(args, fmt);
	vsnprintf(text + 5, sizeof(text) - 5, fmt, args);
	va_end(args);
	write_report(text);
	_exit(0);
}

/* It is made, and this is where. */
void truth_report(void *addr)
{
	char text[64];

	snprintf(text, sizeof(text), "%p", addr);
	write_report(text);
}

static size_t size(void)
{
	return PAGES * sysconf(_SC_PAGESIZE);
}

static void *map(size_t bytes, int flags, int fd)
{
	void *addr = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (addr == MAP_FAILED)
		truth_skip("mmap: %s", strerror(errno));
	return addr;
}

static void *private(void)
{
	return map(size(), MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

/* It has no effect on most of these mappings, and must not have one here. */
static void *registered(void *addr)
{
	if (madvise(addr, size(), MADV_MERGEABLE))
		truth_skip("MADV_MERGEABLE: %s", strerror(errno));
	return addr;
}

/* The same in all pages, and in nobody else's */
static void fill_equal(void *addr, size_t bytes)
{
	size_t page = sysconf(_SC_PAGESIZE);

	if (getrandom(addr, page, 0) != (ssize_t)page)
		truth_skip("getrandom: %s", strerror(errno));
	for (size_t at = page; at < bytes; at += page)
		memcpy((char *)addr + at, addr, page);
}

static void fill_random(void *addr, size_t bytes)
{
	for (size_t at = 0; at < bytes;) {
		ssize_t len = getrandom((char *)addr + at, bytes - at, 0);

		if (len <= 0)
			truth_skip("getrandom: %s", strerror(errno));
		at += len;
	}
}

static void *equal_pages(void)
{
	void *addr = registered(private());

	fill_equal(addr, size());
	return addr;
}

static void *not_registered(void)
{
	void *addr = private();

	fill_equal(addr, size());
	return addr;
}

static void *memfd(void)
{
	int fd = memfd_create("guest-ram", 0);
	void *addr;

	if (fd < 0 || ftruncate(fd, size()))
		truth_skip("memfd: %s", strerror(errno));
	addr = registered(map(size(), MAP_SHARED, fd));
	fill_equal(addr, size());
	return addr;
}

static void *posix_shm(void)
{
	static const char name[] = "/ksm-explain-truth";
	int fd = shm_open(name, O_CREAT | O_RDWR, 0600);
	void *addr;

	if (fd < 0 || ftruncate(fd, size()))
		truth_skip("shm_open: %s", strerror(errno));
	addr = registered(map(size(), MAP_SHARED, fd));
	shm_unlink(name);
	fill_equal(addr, size());
	return addr;
}

static void *sysv_shm(void)
{
	int id = shmget(IPC_PRIVATE, size(), IPC_CREAT | 0600);
	void *addr;

	if (id < 0)
		truth_skip("shmget: %s", strerror(errno));
	addr = shmat(id, NULL, 0);
	shmctl(id, IPC_RMID, NULL);
	if (addr == (void *)-1)
		truth_skip("shmat: %s", strerror(errno));
	fill_equal(registered(addr), size());
	return addr;
}

static void *anonymous_shared(void)
{
	void *addr = registered(map(size(), MAP_SHARED | MAP_ANONYMOUS, -1));

	fill_equal(addr, size());
	return addr;
}

static int file(void)
{
	char path[] = "/tmp/ksm-explain-truth.XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0)
		truth_skip("%s: %s", path, strerror(errno));
	unlink(path);
	for (size_t at = 0; at < size(); at += 8)
		if (write(fd, "content\n", 8) != 8)
			truth_skip("write: %s", strerror(errno));
	return fd;
}

static void *shared_file(void)
{
	void *addr = registered(map(size(), MAP_SHARED, file()));

	fill_equal(addr, size());
	return addr;
}

static void read_all(const volatile char *addr)
{
	for (size_t at = 0; at < size(); at += sysconf(_SC_PAGESIZE))
		(void)addr[at];
}

static void *clean_file(void)
{
	void *addr = registered(map(size(), MAP_PRIVATE, file()));

	read_all(addr);
	return addr;
}

static void *written_file(void)
{
	void *addr = map(size(), MAP_PRIVATE, file());

	fill_equal(addr, size());
	return addr;
}

static void *hugetlb(void)
{
	void *addr = map(HUGE_BYTES, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB,
			 -1);

	madvise(addr, HUGE_BYTES, MADV_MERGEABLE);
	fill_equal(addr, HUGE_BYTES);
	return addr;
}

static void *vdso(void)
{
	void *addr = (void *)getauxval(AT_SYSINFO_EHDR);

	if (!addr)
		truth_skip("no vDSO here");
	return addr;
}

static void *perf_buffer(void)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.sample_period = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);

	if (fd < 0)
		truth_skip("perf_event_open: %s", strerror(errno));
	return map(2 * sysconf(_SC_PAGESIZE), MAP_SHARED, fd);
}

static void *ring(void)
{
	int fd = uring_open();

	if (fd < 0)
		truth_skip("io_uring: %s", strerror(errno));
	return map(sysconf(_SC_PAGESIZE), MAP_SHARED, fd);
}

static void *droppable(void)
{
	void *addr = map(size(), MAP_DROPPABLE | MAP_ANONYMOUS, -1);

	fill_equal(registered(addr), size());
	return addr;
}

static void *untouched(void)
{
	return registered(private());
}

/* What smaps says about the mapping of this address, in KiB */
static long smaps_kib(const void *addr, const char *name)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	uintptr_t start, end, at = (uintptr_t)addr;
	size_t len = strlen(name);
	char line[512];
	long kib = -1;
	bool found = false;

	while (smaps && kib < 0 && fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &start,
			   &end) == 2)
			found = start <= at && at < end;
		else if (found && !strncmp(line, name, len))
			sscanf(line + len, ": %ld", &kib);
	}
	if (smaps)
		fclose(smaps);
	return kib;
}

static void *only_read(void)
{
	void *addr = registered(private());

	read_all(addr);
	if (smaps_kib(addr, "Anonymous"))
		truth_skip("this kernel gives pages to who only reads");
	return addr;
}

static void *swapped(void)
{
	void *addr = registered(private());
	size_t page = sysconf(_SC_PAGESIZE);
	unsigned char here[PAGES];

	fill_random(addr, size());
	for (int i = 0; i < 10; i++) {
		int left = 0;

		madvise(addr, size(), MADV_PAGEOUT);
		if (mincore(addr, size(), here))
			truth_skip("mincore: %s", strerror(errno));
		for (size_t at = 0; at < size() / page; at++)
			left += here[at] & 1;
		if (!left)
			return addr;
	}
	truth_skip("no swap here");
}

static void *zeroes(void)
{
	void *addr = registered(private());

	memset(addr, 1, size());
	memset(addr, 0, size());
	return addr;
}

/* A page that is in a pipe is in use, and so is the huge page around it. */
static void hold(void *addr)
{
	struct iovec page = { addr, sysconf(_SC_PAGESIZE) };
	int ends[2];

	if (pipe(ends) || vmsplice(ends[1], &page, 1, 0) < 0)
		truth_skip("vmsplice: %s", strerror(errno));
}

static void *huge_held(void)
{
	char *area = map(3 * HUGE_BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	char *addr = (char *)(((uintptr_t)area + HUGE_BYTES - 1) &
			      ~(HUGE_BYTES - 1));

	if (madvise(addr, 2 * HUGE_BYTES, MADV_HUGEPAGE))
		truth_skip("MADV_HUGEPAGE: %s", strerror(errno));
	fill_equal(addr, 2 * HUGE_BYTES);
	if (smaps_kib(addr, "AnonHugePages") < (long)(2 * HUGE_BYTES / 1024))
		truth_skip("got no huge pages");
	hold(addr);
	hold(addr + HUGE_BYTES);
	if (madvise(addr, 2 * HUGE_BYTES, MADV_MERGEABLE))
		truth_skip("MADV_MERGEABLE: %s", strerror(errno));
	return addr;
}

static void *fixed_buffer(void)
{
	void *addr = equal_pages();
	int fd = uring_open();

	if (fd < 0 || uring_fix(fd, addr, size()))
		truth_skip("io_uring: %s", strerror(errno));
	return addr;
}

static void rewrite(void *addr)
{
	size_t page = sysconf(_SC_PAGESIZE);

	for (uint64_t count = 0;; count++) {
		for (size_t at = 0; at < size(); at += page)
			*(volatile uint64_t *)((char *)addr + at) = count;
		usleep(1000);
	}
}

static void *unique(void)
{
	void *addr = registered(private());

	fill_random(addr, size());
	return addr;
}

/* malloc() puts 16 bytes before large blocks. */
static void *shifted(void)
{
	char *one = unique(), *other = registered(private());

	memcpy(other + 16, one, size() - 16);
	return one;
}

const struct truth truths[] = {
	{ "equal pages", "can", "MERGED", TRUTH_SCANS, equal_pages },
	{ "not registered", "no", "NOT_OPTED_IN", 0, not_registered },
	{ "memfd", "never", "SHARED_MEMFD", 0, memfd },
	{ "POSIX shared memory", "never", "SHARED_SHM", 0, posix_shm },
	{ "System V shared memory", "never", "SHARED_SHM", 0, sysv_shm },
	{ "anonymous shared memory", "never", "SHARED_SHM", 0,
	  anonymous_shared },
	{ "shared file", "never", "SHARED_FILE", 0, shared_file },
	{ "private file, read", "no", "FILE_CLEAN", 0, clean_file },
	{ "private file, written", "no", "NOT_OPTED_IN", 0, written_file },
	{ "hugetlbfs", "never", "HUGETLB", 0, hugetlb },
	{ "vDSO", "never", "DEVICE", 0, vdso },
	{ "buffer of perf", "never", "DEVICE", 0, perf_buffer },
	{ "ring of io_uring", "never", "DEVICE", 0, ring },
	{ "droppable", "never", "DROPPABLE", 0, droppable },
	{ "untouched", "no", "UNTOUCHED", 0, untouched },
	{ "only read", "no", "UNTOUCHED", 0, only_read },
	{ "swapped out", "no", "SWAPPED", TRUTH_STOPPED, swapped },
	{ "zeroes", "can", "~ZERO_PAGES", TRUTH_SCANS | TRUTH_ZERO_PAGES,
	  zeroes },
	{ "brand new", "can", "TOO_NEW", TRUTH_STOPPED, equal_pages },
	{ "huge pages in use", "can", "HUGE_KEPT", TRUTH_SCANS, huge_held },
	{ "the same, sampled", "can", "HUGE_KEPT", TRUTH_SCANS | TRUTH_SAMPLE,
	  huge_held },
	{ "fixed buffer of io_uring", "can", "~PINNED", TRUTH_SCANS,
	  fixed_buffer },
	{ "rewritten all the time", "can", "~VOLATILE",
	  TRUTH_SCANS | TRUTH_SAMPLE, unique, rewrite },
	{ "random content", "can", "~UNIQUE", TRUTH_SCANS | TRUTH_SAMPLE,
	  unique },
	{ "random content, not sampled", "can", "-", TRUTH_SCANS, unique },
	{ "equal but for 16 bytes", "can", "~UNALIGNED",
	  TRUTH_SCANS | TRUTH_SAMPLE, shifted },
	{ "equal pages, sampled when new", "can", "TOO_NEW",
	  TRUTH_STOPPED | TRUTH_SAMPLE, equal_pages },
};

const size_t nr_truths = ARRAY_SIZE(truths);
