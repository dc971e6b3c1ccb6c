// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading again and again
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "../cmd/top_read.h"
#include "fixture.h"

static struct top_reader reader;

static int begin(void **state)
{
	(void)state;
	fixture_open("ours");
	fixture_write("proc/uptime", "1000.50 1.00\n");
	fixture_write("proc/stat", "cpu 1 2 3\nbtime 1700000000\n");
	return 0;
}

static int end(void **state)
{
	top_reader_free(&reader);
	return fixture_teardown(state);
}

static int open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static const struct ksm_stat *stat_of(int pid)
{
	for (size_t i = 0; i < reader.members.count; i++)
		if (reader.members.list[i].pid == pid)
			return &reader.members.list[i].stat;
	return NULL;
}

static void read_ok(void)
{
	assert_int_equal(top_read(&reader), 0);
}

static void time_of_fixtures(void **state)
{
	(void)state;
	read_ok();
	assert_int_equal(reader.sample.boottime_ms, 1000500);
	assert_int_equal(reader.sample.time_ms, 1700001000500);
	fixture_write("proc/uptime", "1002.50 1.00\n");
	read_ok();
	assert_int_equal(reader.sample.boottime_ms, 1002500);
}

static void what_changes_is_read_again(void **state)
{
	(void)state;
	read_ok();
	assert_int_equal(reader.members.count, 3);
	fixture_write("proc/1000/ksm_stat",
		      "ksm_rmap_items 5\nksm_zero_pages 6\n"
		      "ksm_merging_pages 7\nksm_cow 8\n");
	fixture_write("sys/kernel/mm/ksm/full_scans", "900\n");
	read_ok();
	assert_int_equal(reader.members.count, 3);
	assert_int_equal(stat_of(1000)->rmap_items, 5);
	assert_int_equal(stat_of(1000)->cow, 8);
	/* a line that is not there any more is unknown, not the old one */
	assert_int_equal(stat_of(1000)->profit_bytes, KSM_UNKNOWN);
	assert_int_equal(reader.sample.counters.full_scans, 900);
}

/* Going through /proc is what costs; it is not done each time. */
static void others_are_found_later(void **state)
{
	(void)state;
	read_ok();
	fixture_write("proc/1400/ksm_stat",
		      "ksm_rmap_items 5\nksm_merging_pages 7\n");
	read_ok();
	assert_null(stat_of(1400));
	reader.next_ms = 0;
	read_ok();
	assert_non_null(stat_of(1400));
}

static void who_ends_is_gone_at_once(void **state)
{
	(void)state;
	read_ok();
	assert_non_null(stat_of(1200));
	fixture_write("proc/1200/ksm_stat", "");
	read_ok();
	assert_null(stat_of(1200));
	assert_int_equal(reader.members.count, 2);
	assert_int_equal(reader.sample.sums.members, 2);
	/* the others are still themselves */
	assert_int_equal(stat_of(1000)->rmap_items, 1000000);
	fixture_write("proc/1300/ksm_stat", "ksm_rmap_items 99\n");
	read_ok();
	assert_int_equal(stat_of(1300)->rmap_items, 99);
}

static void files_are_closed(void **state)
{
	int before = open_files();

	(void)state;
	read_ok();
	assert_int_equal(open_files(), before + 3);
	fixture_write("proc/1200/ksm_stat", "");
	read_ok();
	assert_int_equal(open_files(), before + 2);
	reader.next_ms = 0;
	read_ok();
	assert_int_equal(open_files(), before + 2);
	top_reader_free(&reader);
	assert_int_equal(open_files(), before);
}

/* It works as well when not so many files may be open. */
static void few_files(void **state)
{
	struct rlimit old, few = { 64, 64 };

	(void)state;
	getrlimit(RLIMIT_NOFILE, &old);
	few.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	few.rlim_max = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	read_ok();
	assert_int_equal(reader.fds[0], -1);
	fixture_write("proc/1000/ksm_stat", "ksm_rmap_items 5\n");
	read_ok();
	assert_int_equal(stat_of(1000)->rmap_items, 5);
	setrlimit(RLIMIT_NOFILE, &old);
}

static void without_ksm(void **state)
{
	(void)state;
	fixture_remove("sys/kernel/mm/ksm");
	assert_int_equal(top_read(&reader), -ENOENT);
	assert_false(reader.sample.present);
	/* and when it comes back */
	fixture_write("sys/kernel/mm/ksm/run", "1\n");
	read_ok();
	assert_true(reader.sample.present);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(time_of_fixtures),
		TEST(what_changes_is_read_again),
		TEST(others_are_found_later),
		TEST(who_ends_is_gone_at_once),
		TEST(files_are_closed),
		TEST(without_ksm),
		TEST(few_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
