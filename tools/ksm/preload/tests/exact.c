// SPDX-License-Identifier: GPL-2.0-only
/*
 * What exactly is registered: this program has a madvise() of its own, which
 * is the one that the library finds, and looks at each call.
 *
 *   exact CASE     with the default threshold
 *   exact over N   blocks of N bytes are not registered, of N + 1 are
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"

#define KIB 1024UL
#define MIB (1024UL * KIB)
#define OVER (32 * KIB)

/*
 * malloc() is declared as if it could not call anything here, and the compiler
 * believes it: hence volatile.
 */
static volatile struct {
	uintptr_t addr;
	size_t len;
} last;
static volatile int calls;
static volatile int fails;

/* The compiler is not to know that these cannot be had. */
static volatile size_t far_too_much = SIZE_MAX / 2;

/* Called instead of libc's, by the library and by libc's users. */
int madvise(void *addr, size_t len, int advice)
{
	if (advice != MADV_MERGEABLE)
		return syscall(SYS_madvise, addr, len, advice);
	calls++;
	last.addr = (uintptr_t)addr;
	last.len = len;
	if (fails) {
		errno = fails;
		return -1;
	}
	return syscall(SYS_madvise, addr, len, advice);
}

/* Return: calls since last asked */
static int taken(void)
{
	int n = calls;

	calls = 0;
	return n;
}

static bool at_page(void *block)
{
	return (uintptr_t)block % PAGE == 0;
}

/* A block in a heap: its own whole pages. */
static bool last_is_inside(void *block, size_t size)
{
	return last.addr == (uintptr_t)block &&
	       last.len == size / PAGE * PAGE;
}

/* A block with its own mapping: all of it, the size in front included. */
static bool last_is_mapping(void *block)
{
	size_t usable = malloc_usable_size(block);

	return last.addr == (uintptr_t)block - PAGE &&
	       last.len == usable + PAGE && usable % PAGE == 0;
}

static void test_malloc(void)
{
	void *small = malloc(OVER), *heap, *mapped;

	CHECK(small && taken() == 0);
	heap = malloc(OVER + 1);
	CHECK(taken() == 1 && at_page(heap) && last_is_inside(heap, OVER + 1));
	mapped = malloc(MIB);
	CHECK(taken() == 1 && at_page(mapped) && last_is_mapping(mapped));
	CHECK(malloc_usable_size(heap) >= OVER + 1);
	CHECK(malloc_usable_size(mapped) >= MIB);
	fill(mapped, MIB, 1);
	fill(heap, OVER + 1, 2);
	CHECK(is_filled(mapped, MIB, 1) && is_filled(heap, OVER + 1, 2));
	free(small);
	free(heap);
	free(mapped);
	CHECK(taken() == 0);
}

static size_t resident(void)
{
	unsigned long size, pages = 0;
	FILE *statm = fopen("/proc/self/statm", "r");

	CHECK(statm && fscanf(statm, "%lu %lu", &size, &pages) == 2);
	fclose(statm);
	return pages * PAGE;
}

/*
 * Leave dirty memory of that size free in the heap.  What is between it and the
 * end of the heap keeps it from being given back to the kernel.
 */
static void soil(size_t size)
{
	void *one = malloc(size), *two = malloc(size), *last = malloc(100);

	memset(one, 0xa5, size);
	memset(two, 0xa5, size);
	memset(last, 0xa5, 100);
	free(two);
	free(one);
}

/* From now on glibc takes such blocks from the heap. */
static void raise_limit(size_t size)
{
	free(malloc(size));
}

static void test_calloc(void)
{
	static const size_t sizes[] = { OVER + 1, 100 * KIB, 128 * KIB,
		128 * KIB + 5, MIB - 1, 5 * MIB + 17, 20 * MIB };

	raise_limit(30 * MIB);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		void *block;

		soil(sizes[i]);
		taken();
		block = calloc(1, sizes[i]);
		CHECK(taken() == 1 && at_page(block));
		CHECK(is_zero(block, sizes[i]));
		memset(block, 0x5a, sizes[i]);
		free(block);
	}
	CHECK(calloc(1, 100) && taken() == 0);
}

/* What is never touched must not take memory. */
static void test_lazy(void)
{
	size_t before;
	char *block;

	raise_limit(21 * MIB);
	before = resident();
	block = calloc(20, MIB);
	block[10 * MIB] = 1;
	CHECK(resident() < before + MIB);
	free(block);
}

static void test_realloc(void)
{
	size_t size = 100, had;
	char *block = malloc(size), *other;

	fill(block, size, 7);
	while (size < 64 * MIB) {
		had = size;
		size = size * 3 / 2 + 4000;
		block = realloc(block, size);
		CHECK(block && is_filled(block, had, 7));
		CHECK(size <= OVER || at_page(block));
		CHECK(malloc_usable_size(block) >= size);
		fill(block, size, 7);
	}
	CHECK(taken() > 10);
	CHECK(last_is_mapping(block));
	block = realloc(block, 3 * MIB);
	CHECK(is_filled(block, 3 * MIB, 7) && at_page(block));
	taken();
	block = realloc(block, 10);
	CHECK(is_filled(block, 10, 7) && taken() == 0);
	other = realloc(NULL, MIB);
	CHECK(at_page(other) && taken() == 1 && last_is_mapping(other));
	free(other);
	free(block);
}

/* In a heap, with somebody behind: it has to be moved. */
static void test_realloc_moved(void)
{
	char *block = malloc(40 * KIB), *behind = malloc(40 * KIB);

	fill(block, 40 * KIB, 3);
	fill(behind, 40 * KIB, 4);
	taken();
	block = realloc(block, 90 * KIB);
	CHECK(taken() == 1 && at_page(block));
	CHECK(last_is_inside(block, 90 * KIB));
	CHECK(is_filled(block, 40 * KIB, 3) && is_filled(behind, 40 * KIB, 4));
	free(block);
	free(behind);
}

/*
 * A big block is made longer without a copy: nothing of it becomes resident.
 * That holds only as long as the kernel sees one mapping.
 */
static void test_realloc_lazy(void)
{
	char *block = malloc(60 * MIB);
	size_t before = resident();

	for (size_t size = 61 * MIB; size < 100 * MIB; size += MIB) {
		block = realloc(block, size);
		CHECK(at_page(block) && taken() && last_is_mapping(block));
		block[size - 1] = 1;
	}
	CHECK(resident() < before + 2 * MIB);
	free(block);
}

static void test_reallocarray(void)
{
	CHECK(at_page(reallocarray(NULL, MIB, 2)) && taken() == 1);
	errno = 0;
	CHECK(!reallocarray(NULL, far_too_much, 4) && errno == ENOMEM);
}

static void test_aligned(void)
{
	void *block = (void *)1;

	CHECK(!posix_memalign(&block, 64, 100000) && taken() == 1);
	CHECK(at_page(block) && last_is_inside(block, 100000));
	free(block);
	CHECK(!posix_memalign(&block, MIB, 100000) && taken() == 1);
	CHECK((uintptr_t)block % MIB == 0);
	free(block);
	block = (void *)1;
	CHECK(posix_memalign(&block, 2, MIB) == EINVAL && taken() == 0);
	CHECK(posix_memalign(&block, 24, MIB) == EINVAL && taken() == 0);
	CHECK(block == (void *)1);
	block = aligned_alloc(128, 50048);
	CHECK(taken() == 1 && at_page(block) && last_is_inside(block, 50048));
	free(block);
	block = memalign(32, 50000);
	CHECK(taken() == 1 && at_page(block) && last_is_inside(block, 50000));
	free(block);
	block = valloc(50000);
	CHECK(taken() == 1 && at_page(block));
	free(block);
	block = pvalloc(50000);
	CHECK(taken() == 1 && at_page(block));
	free(block);
	CHECK(!posix_memalign(&block, 64, 1000) && taken() == 0);
	free(block);
}

static void *map(size_t len, int flags, int fd)
{
	void *addr = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, 0);

	CHECK(addr != MAP_FAILED);
	return addr;
}

static int file_of(size_t len)
{
	char name[] = "/tmp/ksmp-exact-XXXXXX";
	int fd = mkstemp(name);

	CHECK(fd >= 0 && !unlink(name) && !ftruncate(fd, len));
	return fd;
}

static void test_mmap(void)
{
	int anon = MAP_PRIVATE | MAP_ANONYMOUS, fd = file_of(MIB);
	void *addr = map(MIB, anon, -1);

	CHECK(taken() == 1 && last.addr == (uintptr_t)addr && last.len == MIB);
	CHECK(munmap(addr, MIB) == 0 && taken() == 0);
	addr = map(OVER + 1, anon, -1);
	CHECK(taken() == 1 && last.len == OVER + PAGE);
	map(OVER, anon, -1);
	CHECK(taken() == 0);
	map(MIB, anon | MAP_NORESERVE, -1);
	CHECK(taken() == 1);
	map(MIB, anon | MAP_STACK, -1);
	map(MIB, anon | MAP_GROWSDOWN, -1);
	map(MIB, MAP_SHARED | MAP_ANONYMOUS, -1);
	map(MIB, MAP_PRIVATE, fd);
	map(MIB, MAP_SHARED, fd);
	CHECK(taken() == 0);
	CHECK(mmap64(NULL, MIB, PROT_NONE, anon, -1, 0) != MAP_FAILED);
	CHECK(taken() == 1);
	CHECK(mmap(NULL, 0, PROT_READ, anon, -1, 0) == MAP_FAILED);
	CHECK(mmap(NULL, MIB, PROT_READ, MAP_PRIVATE, 999, 0) == MAP_FAILED);
	CHECK(errno == EBADF && taken() == 0);
}

static void test_mremap(void)
{
	int anon = MAP_PRIVATE | MAP_ANONYMOUS, fd = file_of(MIB);
	char *addr = map(MIB, anon, -1), *target;

	fill(addr, MIB, 5);
	taken();
	addr = mremap(addr, MIB, 9 * MIB, MREMAP_MAYMOVE);
	CHECK(addr != MAP_FAILED && taken() == 0 && is_filled(addr, MIB, 5));
	CHECK(!can_register() || is_registered(addr, 9 * MIB));
	target = map(9 * MIB, PROT_NONE | anon, -1);
	taken();
	addr = mremap(addr, 9 * MIB, 9 * MIB, MREMAP_MAYMOVE | MREMAP_FIXED,
		      target);
	CHECK(addr == target && taken() == 0 && is_filled(addr, MIB, 5));
	CHECK(!can_register() || is_registered(addr, 9 * MIB));
	addr = mremap(map(PAGE, anon, -1), PAGE, MIB, MREMAP_MAYMOVE);
	CHECK(taken() == 1 && last.addr == (uintptr_t)addr && last.len == MIB);
	mremap(map(PAGE, MAP_PRIVATE, fd), PAGE, MIB, MREMAP_MAYMOVE);
	mremap(map(PAGE, MAP_SHARED, fd), PAGE, MIB, MREMAP_MAYMOVE);
	mremap(map(PAGE, MAP_SHARED | MAP_ANONYMOUS, -1), PAGE, MIB,
	       MREMAP_MAYMOVE);
	CHECK(taken() == 0);
	CHECK(mremap((void *)PAGE, PAGE, MIB, 0) == MAP_FAILED);
	CHECK(taken() == 0);
}

static void test_errno(void)
{
	void *block;

	errno = 77;
	block = calloc(1, MIB);
	CHECK(errno == 77);
	block = realloc(block, 2 * MIB);
	CHECK(errno == 77);
	fails = ENOMEM;
	block = realloc(block, 4 * MIB);
	CHECK(block && errno == 77 && taken() == 3);
	fails = 0;
	CHECK(!malloc(far_too_much) && errno == ENOMEM);
	errno = 0;
	CHECK(!calloc(far_too_much, 3) && errno == ENOMEM);
	fill(block, 4 * MIB, 9);
	errno = 0;
	CHECK(!realloc(block, far_too_much) && errno == ENOMEM);
	CHECK(is_filled(block, 4 * MIB, 9));
	CHECK(!memalign(64, far_too_much) && taken() == 0);
}

static void test_refused(void)
{
	fails = ENOMEM;
	CHECK(malloc(MIB) && malloc(MIB) && taken() == 2);
	fails = EINVAL;
	CHECK(malloc(MIB) && taken() == 1);
	CHECK(malloc(MIB) && taken() == 0);
	map(MIB, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	CHECK(taken() == 0);
}

static void test_confined(void)
{
	CHECK(malloc(MIB) && taken() == 1);
	CHECK(!prctl(PR_SET_NAME, "other", 0, 0, 0));
	CHECK(malloc(MIB) && taken() == 1);
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK(malloc(MIB) && taken() == 0);
}

/* The child has what the parent had, and does the same for itself. */
static void test_fork(void)
{
	char *block = malloc(MIB);
	int status;
	pid_t pid;

	fill(block, MIB, 11);
	taken();
	pid = fork();
	if (!pid) {
		CHECK(is_filled(block, MIB, 11));
		CHECK(!can_register() || is_registered(block, MIB));
		CHECK(taken() == 0);
		CHECK(malloc(MIB) && taken() == 1);
		block = realloc(block, 3 * MIB);
		CHECK(is_filled(block, MIB, 11) && taken() == 1);
		free(block);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(is_filled(block, MIB, 11));
}

static volatile bool survived;

/* More often than the library counts mappings once. */
static void *allocate_cancelled(void *arg)
{
	int i;

	pthread_cancel(pthread_self());
	for (i = 0; i < 3000; i++)
		free(malloc(MIB));
	survived = true;
	pthread_testcancel();
	return arg;
}

/* malloc() is no point where a thread may be cancelled. */
static void test_cancel(void)
{
	pthread_t thread;
	void *result;

	CHECK(!pthread_create(&thread, NULL, allocate_cancelled, NULL));
	CHECK(!pthread_join(thread, &result));
	CHECK(survived && result == PTHREAD_CANCELED);
}

static void test_seen_by_kernel(void)
{
	char *heap = malloc(60 * KIB), *mapped = malloc(MIB);
	char *zero = calloc(1, MIB), *small = malloc(100);

	CHECK(is_registered(heap, 60 * KIB));
	CHECK(is_registered(mapped, MIB));
	CHECK(is_registered(zero, MIB));
	CHECK(!is_registered(small, 100));
	mapped = realloc(mapped, 40 * MIB);
	CHECK(is_registered(mapped, 40 * MIB));
	free(mapped);
}

static void test_over(size_t over)
{
	CHECK(malloc(over) && taken() == 0);
	CHECK(malloc(over + 1) && taken() == 1);
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "malloc", test_malloc },
	{ "calloc", test_calloc },
	{ "lazy", test_lazy },
	{ "realloc", test_realloc },
	{ "realloc-moved", test_realloc_moved },
	{ "realloc-lazy", test_realloc_lazy },
	{ "reallocarray", test_reallocarray },
	{ "aligned", test_aligned },
	{ "mmap", test_mmap },
	{ "mremap", test_mremap },
	{ "errno", test_errno },
	{ "refused", test_refused },
	{ "confined", test_confined },
	{ "fork", test_fork },
	{ "cancel", test_cancel },
	{ "seen-by-kernel", test_seen_by_kernel },
};

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "over")) {
		test_over(strtoul(argv[2], NULL, 10));
		return 0;
	}
	for (size_t i = 0; argc == 2 && i < sizeof(tests) / sizeof(*tests); i++)
		if (!strcmp(argv[1], tests[i].name)) {
			tests[i].run();
			return 0;
		}
	fprintf(stderr, "Usage: exact CASE | exact over BYTES\n");
	return 2;
}
