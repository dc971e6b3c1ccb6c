// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading how memory stands, and finding those who run guests.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "sense.h"
#include "sysfs.h"

static ksm_figure pages_kib(ksm_figure pages)
{
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* As a line of /proc/PID/maps begins */
#define ADDRESSES	"7f1247a3c000-7f1247a3f000 rw-s "
#define SHARED		ADDRESSES "00000000 00:0e 1067 "
#define BLANKS		"                    "

static void test_lines(void **state)
{
	(void)state;
	assert_true(tuned_is_guest_line(SHARED "anon_inode:kvm-vcpu:0\n"));
	assert_true(tuned_is_guest_line(SHARED BLANKS "anon_inode:kvm-vcpu:12"));
	assert_false(tuned_is_guest_line(SHARED "/anon_inode:kvm-vcpu:0\n"));
	assert_false(tuned_is_guest_line(SHARED "anon_inode:[io_uring]\n"));
	assert_false(tuned_is_guest_line(ADDRESSES "00000000 00:00 0\n"));
	assert_false(tuned_is_guest_line(ADDRESSES "anon_inode:kvm-vcpu:0\n"));
	assert_false(tuned_is_guest_line("anon_inode:kvm-vcpu:0\n"));
	assert_false(tuned_is_guest_line("\n"));
	assert_false(tuned_is_guest_line(""));
}

static void test_guests(void **state)
{
	struct tuned_guests guests;

	(void)state;
	fixture_open("tuned");
	tuned_guests_read(&guests);
	assert_int_equal(guests.count, 1);
	assert_int_equal(guests.kib, pages_kib(262144));
	assert_int_equal(guests.unreadable, 0);
}

/* A name of 4 KiB before it does not hide a mapping. */
static void test_long_name(void **state)
{
	struct tuned_guests guests;
	char maps[6000];
	int len;

	(void)state;
	fixture_open("tuned");
	len = sprintf(maps, "1000-2000 r--p 00000000 fe:00 1312 /");
	memset(maps + len, 'x', 4096);
	strcpy(maps + len + 4096, "\n7000-8000 rw-s 0 00:0e 7 anon_inode:kvm-vcpu:0\n");
	fixture_write("proc/201/maps", maps);
	tuned_guests_read(&guests);
	assert_int_equal(guests.count, 2);
	assert_int_equal(guests.kib, pages_kib(262144 + 500000));
}

/* Processes end while one looks at them. */
static void test_ended(void **state)
{
	struct tuned_guests guests;

	(void)state;
	fixture_open("tuned");
	fixture_remove("proc/200/maps");
	tuned_guests_read(&guests);
	assert_int_equal(guests.count, 0);
	assert_int_equal(guests.kib, 0);
	assert_int_equal(guests.unreadable, 0);
	fixture_remove("proc");
	tuned_guests_read(&guests);
	assert_int_equal(guests.kib, KSM_UNKNOWN);
}

static void test_sense(void **state)
{
	struct tuned_guests guests;
	struct tuned_input input;

	(void)state;
	fixture_open("tuned");
	tuned_sense(&input, &guests);
	assert_int_equal(input.total_kib, 16777216);
	assert_int_equal(input.free_kib, 9000000);
	assert_int_equal(input.committed_kib, pages_kib(262144));
	assert_int_equal(input.run, KSM_RUN_STOP);
	assert_false(input.advisor);
	fixture_write("sys/kernel/mm/ksm/advisor_mode", "none [scan-time]\n");
	tuned_sense(&input, &guests);
	assert_true(input.advisor);
	/* older kernels have none */
	fixture_remove("sys/kernel/mm/ksm/advisor_mode");
	tuned_sense(&input, &guests);
	assert_false(input.advisor);
}

/* One line missing: better no figure than a wrong one. */
static void test_odd_meminfo(void **state)
{
	struct tuned_guests guests;
	struct tuned_input input;

	(void)state;
	fixture_open("tuned");
	fixture_write("proc/meminfo",
		      "MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 5 kB\n");
	tuned_sense(&input, &guests);
	assert_int_equal(input.total_kib, 100);
	assert_int_equal(input.free_kib, KSM_UNKNOWN);
	fixture_remove("proc/meminfo");
	tuned_sense(&input, &guests);
	assert_int_equal(input.total_kib, KSM_UNKNOWN);
}

#define TEST(name)	cmocka_unit_test_teardown(name, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lines),
		TEST(test_guests),
		TEST(test_long_name),
		TEST(test_ended),
		TEST(test_sense),
		TEST(test_odd_meminfo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
