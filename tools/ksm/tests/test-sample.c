// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "fixture.h"
#include "rates.h"

static struct ksm_sample ours, later;

static void read_ours(void)
{
	fixture_open("ours");
	assert_int_equal(ksm_sample_read(&ours, NULL), 0);
	ours.host.page_bytes = 4096;
}

static void what_follows_from_counters(void **state)
{
	(void)state;
	read_ours();
	assert_true(ours.present);
	assert_int_equal(ksm_run_mode(&ours), 1);
	assert_int_equal(ksm_merged_bytes(&ours), 1546649LL * 4096);
	assert_int_equal(ksm_zero_bytes(&ours), 57672LL * 4096);
	assert_int_equal(ksm_saved_bytes(&ours), 1604321LL * 4096);
	assert_int_equal(ksm_metadata_bytes(&ours),
			 1604321LL * 4096 - 6496854016);
	assert_int_equal(ksm_tracked_bytes(&ours), 10747527LL * 4096);
	assert_int_equal(ksm_spare_bytes(&ours),
			 (3040870LL + 1048576) * 1024);
	assert_int_equal(ksm_undo_short_bytes(&ours),
			 1604321LL * 4096 - (3040870LL + 1048576) * 1024);
	assert_int_equal(ours.sums.members, 3);
	assert_true(ours.time_ms > 1700000000000);
}

static void older_kernels_count_no_zero_pages(void **state)
{
	(void)state;
	read_ours();
	ours.counters.ksm_zero_pages = KSM_UNKNOWN;
	assert_int_equal(ksm_saved_bytes(&ours), 1546649LL * 4096);
	assert_int_equal(ksm_zero_bytes(&ours), KSM_UNKNOWN);
	ours.counters.general_profit = KSM_UNKNOWN;
	assert_int_equal(ksm_metadata_bytes(&ours), KSM_UNKNOWN);
	ours.counters.pages_sharing = KSM_UNKNOWN;
	assert_int_equal(ksm_saved_bytes(&ours), KSM_UNKNOWN);
}

static void offline_is_masked(void **state)
{
	(void)state;
	fixture_open("odd");
	assert_int_equal(ksm_sample_read(&ours, NULL), 0);
	assert_int_equal(ours.knobs.run, 5);
	assert_int_equal(ksm_run_mode(&ours), 1);
	ours.knobs.run = KSM_UNKNOWN;
	assert_int_equal(ksm_run_mode(&ours), KSM_UNKNOWN);
}

static void without_ksm(void **state)
{
	struct ksm_members members;

	(void)state;
	fixture_open("no-ksm");
	assert_int_equal(ksm_sample_read(&ours, &members), -ENOENT);
	assert_false(ours.present);
	assert_int_equal(members.count, 0);
	assert_int_equal(ours.host.mem_total_bytes, 2000000LL * 1024);
	assert_int_equal(ksm_saved_bytes(&ours), KSM_UNKNOWN);
	ksm_members_free(&members);
}

static void without_proc(void **state)
{
	(void)state;
	fixture_open(NULL);
	fixture_write("sys/kernel/mm/ksm/run", "0\n");
	assert_int_equal(ksm_sample_read(&ours, NULL), -ENOENT);
	assert_true(ours.present);
	assert_int_equal(ours.sums.members, KSM_UNKNOWN);
}

/* Ten seconds on */
static void advance(void)
{
	read_ours();
	later = ours;
	later.boottime_ms += 10000;
}

static void rates_are_per_second(void **state)
{
	struct ksm_rates rates;

	(void)state;
	advance();
	later.counters.full_scans += 3;
	later.counters.pages_sharing -= 100;
	later.counters.pages_scanned += 5000;
	later.counters.pages_skipped += 70000;
	later.counters.thp_split += 20;
	later.host.thp_split_page += 9999;
	later.host.thp_collapse += 30;
	later.host.cow_ksm += 120;
	later.host.swapin_copies += 40;
	later.host.ksmd_cpu_ns += 90000000;
	ksm_rates_between(&ours, &later, &rates);
	assert_true(rates.seconds == 10);
	assert_true(rates.full_scans == 3);
	assert_true(rates.saved_bytes == -40960);
	assert_true(rates.scanned == 500);
	assert_true(rates.skipped == 7000);
	assert_true(rates.cow == 12);
	assert_true(rates.swapin_copies == 4);
	assert_true(rates.thp_split == 2);
	assert_true(rates.thp_collapse == 3);
	assert_true(fabs(rates.ksmd_cpu_percent - 0.9) < 0.0001);
}

/* Without a count of those split for merging, all of them stand in. */
static void rates_of_stock(void **state)
{
	struct ksm_rates rates;

	(void)state;
	advance();
	ours.counters.thp_split = KSM_UNKNOWN;
	later.counters.thp_split = KSM_UNKNOWN;
	later.host.thp_split_page += 50;
	later.host.cow_ksm = KSM_UNKNOWN;
	ksm_rates_between(&ours, &later, &rates);
	assert_true(rates.thp_split == 5);
	assert_true(isnan(rates.cow));
}

/* "echo 2 >run" sets full_scans back, and nothing else. */
static void counters_that_were_reset(void **state)
{
	struct ksm_rates rates;

	(void)state;
	advance();
	later.counters.full_scans = 0;
	later.host.cow_ksm += 10;
	ksm_rates_between(&ours, &later, &rates);
	assert_true(isnan(rates.full_scans));
	assert_true(rates.cow == 1);
}

static void other_boots_do_not_compare(void **state)
{
	struct ksm_rates rates;

	(void)state;
	advance();
	strcpy(later.host.boot_id, "other");
	ksm_rates_between(&ours, &later, &rates);
	assert_true(isnan(rates.seconds) && isnan(rates.cow) &&
		    isnan(rates.ksmd_cpu_percent));
	advance();
	later.boottime_ms = ours.boottime_ms;
	ksm_rates_between(&ours, &later, &rates);
	assert_true(isnan(rates.seconds));
	ksm_rates_between(NULL, &later, &rates);
	assert_true(isnan(rates.seconds));
}

/* What changes is read, and nothing else. */
static void read_again(void **state)
{
	struct ksm_members members;

	(void)state;
	fixture_open("ours");
	assert_int_equal(ksm_sample_read(&ours, &members), 0);
	assert_int_equal(ours.host.ksmd_pid, 37);
	later = ours;
	members.list[0].stat.cow += 10;
	fixture_write("sys/kernel/mm/ksm/full_scans", "813\n");
	fixture_write("proc/vmstat", "cow_ksm 77\n");
	fixture_write("proc/37/schedstat", "5000 0 0\n");
	fixture_write("proc/sys/kernel/hostname", "other\n");
	fixture_remove("proc/1000");
	assert_int_equal(ksm_sample_again(&later, &members), 0);
	assert_int_equal(later.counters.full_scans, 813);
	assert_int_equal(later.host.cow_ksm, 77);
	assert_int_equal(later.host.ksmd_cpu_ns, 5000);
	assert_string_equal(later.host.hostname, ours.host.hostname);
	assert_int_equal(later.sums.members, 3);
	assert_int_equal(later.sums.cow, ours.sums.cow + 10);
	assert_true(later.boottime_ms >= ours.boottime_ms);
	ksm_members_free(&members);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_follows_from_counters,
					  fixture_teardown),
		cmocka_unit_test_teardown(older_kernels_count_no_zero_pages,
					  fixture_teardown),
		cmocka_unit_test_teardown(offline_is_masked, fixture_teardown),
		cmocka_unit_test_teardown(without_ksm, fixture_teardown),
		cmocka_unit_test_teardown(without_proc, fixture_teardown),
		cmocka_unit_test_teardown(read_again, fixture_teardown),
		cmocka_unit_test_teardown(rates_are_per_second,
					  fixture_teardown),
		cmocka_unit_test_teardown(rates_of_stock, fixture_teardown),
		cmocka_unit_test_teardown(counters_that_were_reset,
					  fixture_teardown),
		cmocka_unit_test_teardown(other_boots_do_not_compare,
					  fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
