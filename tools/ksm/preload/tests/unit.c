// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library's own code under ASan and UBSan: it is linked here under other
 * names (ksmp_malloc() and so on), on top of the sanitizer's allocator.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../preload.h"
#include "renamed.h"

#define MIB (1024UL * 1024)

static void test_parse(void **state)
{
	static const char *const bad[] = { "", " 1", "1 ", "-1", "+1", "0x10",
		"1k", "1.5", "abc", "18446744073709551616",
		"99999999999999999999999", "1\n", "\xff" };
	size_t number = 5, i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(ksmp_parse(bad[i], SIZE_MAX, &number));
	assert_int_equal(number, 5);
	assert_true(ksmp_parse("0", SIZE_MAX, &number));
	assert_int_equal(number, 0);
	assert_true(ksmp_parse("0032768", SIZE_MAX, &number));
	assert_int_equal(number, 32768);
	assert_true(ksmp_parse("18446744073709551615", SIZE_MAX, &number));
	assert_true(number == SIZE_MAX);
	assert_true(ksmp_parse("2", 2, &number));
	assert_false(ksmp_parse("3", 2, &number));
}

static void is_extent(struct ksmp_extent extent, uintptr_t start, uintptr_t end)
{
	assert_int_equal(extent.start, start);
	assert_int_equal(extent.end, end);
}

static void is_empty(struct ksmp_extent extent)
{
	assert_int_equal(extent.start, extent.end);
}

static void test_inside(void **state)
{
	(void)state;
	is_extent(ksmp_inside(0x10000, 0x2000, 4096), 0x10000, 0x12000);
	is_extent(ksmp_inside(0x10000, 0x2fff, 4096), 0x10000, 0x12000);
	is_extent(ksmp_inside(0x10010, 0x2000, 4096), 0x11000, 0x12000);
	is_extent(ksmp_inside(0x10fff, 0x2001, 4096), 0x11000, 0x13000);
	is_extent(ksmp_inside(0x10010, 0x20000, 65536), 0x20000, 0x30000);
	is_empty(ksmp_inside(0x10010, 0x1000, 4096));
	is_empty(ksmp_inside(0x10010, 0x10, 4096));
	is_empty(ksmp_inside(0x10000, 0, 4096));
	/* At the end of the address space. */
	is_empty(ksmp_inside(UINTPTR_MAX - 10, 5, 4096));
	is_empty(ksmp_inside(UINTPTR_MAX - 10, 100, 4096));
}

static void test_glibc(void **state)
{
	(void)state;
	/* A mapping: one page for the size, and the block to its end. */
	is_extent(ksmp_of_glibc(0x11000, 0x2ff0, 0x3000, 4096), 0x10000,
		  0x14000);
	is_extent(ksmp_of_glibc(0x10010, 0x2ff0, 0x3ff0, 4096), 0x10000,
		  0x14000);
	/* In a heap: the next size begins 8 bytes before a multiple of 16. */
	is_extent(ksmp_of_glibc(0x11000, 0x3000, 0x3008, 4096), 0x11000,
		  0x14000);
	is_extent(ksmp_of_glibc(0x11000, 0x2fff, 0x3ff8, 4096), 0x11000,
		  0x13000);
}

/* Run something with standard error in a pipe. Return: what was in it. */
static const char *stderr_of(void (*run)(void))
{
	static char text[4096];
	int ends[2], saved = dup(STDERR_FILENO);
	ssize_t got;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	run();
	dup2(saved, STDERR_FILENO);
	close(saved);
	got = read(ends[0], text, sizeof(text) - 1);
	close(ends[0]);
	text[got > 0 ? got : 0] = 0;
	return text;
}

static struct ksmp_settings set;

static void read_settings(void)
{
	set = ksmp_settings_read();
}

static const char *with(const char *threshold, const char *level)
{
	setenv("KSMP_MERGE_THRESHOLD", threshold, 1);
	setenv("KSMP_LOG_LEVEL", level, 1);
	return stderr_of(read_settings);
}

static void test_settings(void **state)
{
	(void)state;
	assert_string_equal(with("", ""), "");
	assert_int_equal(set.threshold, 32768);
	assert_int_equal(set.level, KSMP_ERRORS);
	assert_string_equal(with("65536", "2"), "");
	assert_int_equal(set.threshold, 65536);
	assert_int_equal(set.level, KSMP_SUMMARY);
	assert_string_equal(with("64K", ""),
			    "libksm_preload: KSMP_MERGE_THRESHOLD=64K is not a number of bytes, such as 65536; using 32768\n");
	assert_int_equal(set.threshold, 32768);
	assert_string_equal(with("64K", "0"), "");
	assert_string_equal(with("1", "3"),
			    "libksm_preload: KSMP_LOG_LEVEL=3 is not 0, 1 or 2; using 1\n");
	assert_int_equal(set.level, KSMP_ERRORS);
	assert_int_equal(set.threshold, 1);
}

/* Neither a long nor a hostile value makes more than one short line. */
static void test_hostile(void **state)
{
	char value[3000];
	const char *text;

	(void)state;
	memset(value, '\033', sizeof(value));
	value[7] = '\n';
	value[sizeof(value) - 1] = 0;
	text = with(value, "");
	assert_true(strlen(text) < 256);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_null(strchr(text, '\033'));
	unsetenv("KSMP_MERGE_THRESHOLD");
	unsetenv("KSMP_LOG_LEVEL");
}

static bool at_page(void *block)
{
	return (uintptr_t)block % ksmp_page() == 0;
}

static bool is_zero(const char *block, size_t size)
{
	return !size || (!*block && !memcmp(block, block + 1, size - 1));
}

static void test_blocks(void **state)
{
	char *block = ksmp_malloc(100), *zero;

	(void)state;
	memset(block, 1, 100);
	for (size_t size = 200; size < 8 * MIB; size = size * 2 + 1) {
		block = ksmp_realloc(block, size);
		assert_int_equal(block[0], 1);
		assert_int_equal(block[size / 4], 1);
		memset(block, 1, size);
		zero = ksmp_calloc(1, size);
		assert_true(is_zero(zero, size));
		assert_true(size <= 32768 || (at_page(zero) && at_page(block)));
		memset(zero, 1, size);
		free(zero);
	}
	block = ksmp_realloc(block, 50000);
	assert_int_equal(block[49999], 1);
	free(block);
}

static void *no_mmap(void *addr, size_t len, int prot, int flags, int fd,
		     off_t offset)
{
	(void)addr, (void)len, (void)prot, (void)flags, (void)fd, (void)offset;
	errno = EAGAIN;
	return MAP_FAILED;
}

/* The allocator's pages cannot be replaced: they have to be cleared. */
static void test_no_mmap(void **state)
{
	void *(*saved)(void *addr, size_t len, int prot, int flags, int fd,
		       off_t offset) = ksmp_next.mmap;
	char *block;

	(void)state;
	ksmp_next.mmap = no_mmap;
	errno = 77;
	block = ksmp_calloc(3, MIB);
	ksmp_next.mmap = saved;
	assert_int_equal(errno, 77);
	assert_true(is_zero(block, 3 * MIB));
	free(block);
}

static void *mmap_with_hole(void *addr, size_t len, int prot, int flags, int fd,
			    off_t offset)
{
	(void)prot, (void)flags, (void)fd, (void)offset;
	munmap(addr, len);
	errno = ENOMEM;
	return MAP_FAILED;
}

static int in_child(void (*run)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		run();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void calloc_with_hole(void)
{
	ksmp_next.mmap = mmap_with_hole;
	errno = 0;
	if (ksmp_calloc(3, MIB) || errno != ENOMEM)
		_exit(1);
}

static void test_hole(void **state)
{
	(void)state;
	assert_int_equal(in_child(calloc_with_hole), 0);
}

/* memalign() is from elsewhere: blocks are left where malloc() puts them. */
static void test_no_partner(void **state)
{
	void *(*saved)(size_t align, size_t size) = ksmp_next.align;
	char *block;

	(void)state;
	ksmp_next.align = NULL;
	block = ksmp_malloc(MIB);
	memset(block, 1, MIB);
	block = ksmp_realloc(block, 2 * MIB);
	assert_int_equal(block[MIB - 1], 1);
	free(block);
	block = ksmp_calloc(2, MIB);
	assert_true(is_zero(block, 2 * MIB));
	free(block);
	ksmp_next.align = saved;
}

static void *no_align(size_t align, size_t size)
{
	(void)align;
	(void)size;
	errno = ENOMEM;
	return NULL;
}

/* There is memory, but not for a page more. */
static void test_no_room(void **state)
{
	void *(*saved)(size_t align, size_t size) = ksmp_next.align;
	char *block;

	(void)state;
	ksmp_next.align = no_align;
	errno = 77;
	block = ksmp_malloc(MIB);
	assert_non_null(block);
	memset(block, 3, MIB);
	block = ksmp_realloc(block, 3 * MIB);
	assert_int_equal(block[MIB - 1], 3);
	free(block);
	block = ksmp_calloc(1, MIB);
	assert_true(is_zero(block, MIB));
	free(block);
	assert_int_equal(errno, 77);
	ksmp_next.align = saved;
}

static void test_kinds(void **state)
{
	void *map = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
	void *shared = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);

	(void)state;
	assert_true(ksmp_maps_private_anonymous(map));
	assert_false(ksmp_maps_private_anonymous(shared));
	assert_false(ksmp_maps_private_anonymous(ksmp_parse));
	assert_false(ksmp_maps_private_anonymous((void *)(uintptr_t)64));
	assert_true(ksmp_maps_count() > 10);
	munmap(map, 4096);
	munmap(shared, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_inside),
		cmocka_unit_test(test_glibc),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_no_mmap),
		cmocka_unit_test(test_hole),
		cmocka_unit_test(test_no_partner),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
