// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ksm top knows of processes and of the past
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../cmd/top_data.h"
#include "fixture.h"
#include "lines.h"

#define MINUTE	60000LL

static struct top_data data;
static struct ksm_sample now;
static struct ksm_member list[4];
static struct ksm_members members = { .list = list };

/* One process that was there for long, in the middle of a scan */
static int begin(void **state)
{
	const struct ksm_history none = { 0 };

	(void)state;
	memset(&now, 0, sizeof(now));
	ksm_fields_unknown(ksm_counter_fields, ksm_nr_counters, &now.counters);
	ksm_fields_unknown(ksm_host_fields, ksm_nr_host_fields, &now.host);
	now.present = true;
	now.boottime_ms = 600 * MINUTE;
	now.knobs.run = 1;
	now.host.page_bytes = 4096;
	now.counters.full_scans = 100;
	memset(list, 0, sizeof(list));
	list[0].pid = 10;
	list[0].stat.rmap_items = 1000;
	list[0].stat.merging_pages = 500;
	list[0].stat.profit_bytes = 2000000;
	members.count = 1;
	return top_data_begin(&data, &none);
}

static int end(void **state)
{
	(void)state;
	top_data_free(&data);
	return 0;
}

static void update(int64_t ms)
{
	now.boottime_ms += ms;
	assert_int_equal(top_data_update(&data, &now, &members), 0);
	assert_int_equal(data.count, members.count);
}

static void copies_per_second(void **state)
{
	(void)state;
	list[0].stat.cow = 7000;
	update(0);
	assert_true(isnan(data.list[0].copies));
	list[0].stat.cow += 50;
	update(2000);
	assert_true(data.list[0].copies == 25);
	update(2000);
	assert_true(data.list[0].copies == 0);
	/* began anew, as after an exec() */
	list[0].stat.cow = 3;
	update(2000);
	assert_true(isnan(data.list[0].copies));
}

static void no_copies_on_stock(void **state)
{
	(void)state;
	list[0].stat.cow = KSM_UNKNOWN;
	update(0);
	update(2000);
	assert_true(isnan(data.list[0].copies));
}

/* The PID is another's now, and so are the copies. */
static void pids_are_used_again(void **state)
{
	(void)state;
	update(0);
	list[0].start_ticks = 77;
	list[0].stat.cow = 1000000;
	update(2000);
	assert_true(isnan(data.list[0].copies));
}

/* Found by PID and start, wherever it is in the list. */
static void processes_come_and_go(void **state)
{
	(void)state;
	list[1] = list[0];
	list[2] = list[0];
	list[1].pid = 20;
	list[2].pid = 30;
	members.count = 3;
	update(0);
	list[0] = list[2];
	list[0].stat.cow += 8;
	list[1].pid = 40;
	members.count = 2;
	update(2000);
	assert_true(data.list[0].copies == 4);
	assert_true(isnan(data.list[1].copies));
	members.count = 0;
	update(2000);
}

static enum top_why why(void)
{
	update(2000);
	return data.list[0].why;
}

static void why_it_gains(void **state)
{
	(void)state;
	assert_int_equal(why(), TOP_GAINS);
	/* also while KSM is stopped: what is merged stays */
	now.knobs.run = 0;
	assert_int_equal(why(), TOP_GAINS);
	/* kernels that do not tell the profit */
	list[0].stat.profit_bytes = KSM_UNKNOWN;
	assert_int_equal(why(), TOP_GAINS);
}

static void why_it_does_not(void **state)
{
	(void)state;
	list[0].stat.profit_bytes = -64000;
	assert_int_equal(why(), TOP_COSTS);
	list[0].stat.merging_pages = 0;
	assert_int_equal(why(), TOP_IDLE);
	list[0].stat.rmap_items = 0;
	list[0].stat.profit_bytes = 0;
	assert_int_equal(why(), TOP_UNSEEN);
	now.knobs.run = 0;
	assert_int_equal(why(), TOP_STOPPED);
}

/* A merged page that does not last a minute is not worth it. */
static void copies_eat_it_up(void **state)
{
	(void)state;
	assert_int_equal(why(), TOP_GAINS);
	list[0].stat.cow += 2 * 8;
	assert_int_equal(why(), TOP_GAINS);
	list[0].stat.cow += 2 * 9;
	assert_int_equal(why(), TOP_COPIES);
	/* one page now and then is nobody's trouble */
	list[0].stat.merging_pages = 0;
	list[0].stat.cow += 1;
	assert_int_equal(why(), TOP_GAINS);
}

/* Seen from its begin, so its full scans can be counted. */
static void new_ones_by_scans(void **state)
{
	(void)state;
	update(0);
	list[0].pid = 11;
	list[0].stat.merging_pages = 0;
	list[0].stat.profit_bytes = -64000;
	assert_int_equal(why(), TOP_NEW);
	now.counters.full_scans += 1;
	assert_int_equal(why(), TOP_NEW);
	now.counters.full_scans += 1;
	assert_int_equal(why(), TOP_IDLE);
}

/* It was there before us: its age has to tell. */
static void new_ones_by_age(void **state)
{
	(void)state;
	list[0].stat.merging_pages = 0;
	list[0].stat.profit_bytes = -64000;
	now.counters.last_scan_millisecs = 30000;
	list[0].start_ticks = (now.boottime_ms - 50000) / 10;
	assert_int_equal(why(), TOP_NEW);
	update(9000);
	assert_int_equal(data.list[0].why, TOP_IDLE);
}

static void units_as_people_write_them(void **state)
{
	(void)state;
	strcpy(list[0].unit, "machine-qemu\\x2d1\\x2dweb.scope");
	list[1] = list[0];
	strcpy(list[1].unit, "odd\\x0a\\xzz\\x");
	members.count = 2;
	update(0);
	assert_string_equal(data.list[0].member.unit, "machine-qemu-1-web.scope");
	/* what cannot be shown stays as it is */
	assert_string_equal(data.list[1].member.unit, "odd\\x0a\\xzz\\x");
}

static void keep_an_hour(void **state)
{
	(void)state;
	for (int minute = 0; minute <= 90; minute++)
		update(MINUTE);
	/* and one before the begin of the hour */
	assert_int_equal(data.past.count, 62);
	assert_int_equal(data.past.list[0].boottime_ms,
			 now.boottime_ms - 61 * MINUTE);
	assert_int_equal(top_data_span_ms(&data), 60 * MINUTE);
}

static void not_more_often_than_needed(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		update(500);
	assert_int_equal(data.past.count, 3);
	assert_int_equal(top_data_span_ms(&data), 5 * MINUTE);
}

static void spans(void **state)
{
	(void)state;
	update(0);
	update(5 * MINUTE);
	assert_int_equal(top_data_span_ms(&data), 5 * MINUTE);
	update(1);
	update(TOP_KEEP_MS);
	assert_int_equal(top_data_span_ms(&data), 15 * MINUTE);
	update(10 * MINUTE);
	assert_int_equal(top_data_span_ms(&data), 60 * MINUTE);
}

/* What others have kept is shown, unless it is of another boot. */
static void history_of_boot(const char *boot_id, size_t want)
{
	struct ksm_sample past[2] = { now, now };
	const struct ksm_history history = { .list = past, .count = 2 };

	top_data_free(&data);
	strcpy(past[0].host.boot_id, "one before");
	strcpy(past[1].host.boot_id, boot_id);
	past[0].boottime_ms -= 4 * MINUTE;
	past[1].boottime_ms -= 2 * MINUTE;
	assert_int_equal(top_data_begin(&data, &history), 0);
	update(0);
	assert_int_equal(data.past.count, want);
}

static void history(void **state)
{
	(void)state;
	strcpy(now.host.boot_id, "this");
	history_of_boot("this", 2);
	history_of_boot("one before", 1);
	history_of_boot("other", 1);
}

static void series(void **state)
{
	struct top_point *gained, *cpu;

	(void)state;
	now.counters.general_profit = -5;
	now.host.ksmd_cpu_ns = 1000000000;
	update(0);
	now.counters.general_profit = 9000;
	now.host.ksmd_cpu_ns += 500000000;
	update(2000);
	assert_int_equal(top_data_series(&data, &gained, &cpu), 0);
	assert_true(gained[0].value == -5);
	assert_true(gained[1].value == 9000);
	assert_int_equal(gained[1].ms, now.boottime_ms);
	assert_true(isnan(cpu[0].value));
	assert_true(cpu[1].value == 25);
	free(gained);
	free(cpu);
}

/* Kernels before 6.4 have no general_profit. */
static void gain_of_old_kernels(void **state)
{
	(void)state;
	now.counters.pages_sharing = 10;
	now.counters.ksm_zero_pages = KSM_UNKNOWN;
	assert_int_equal(top_gained_bytes(&now), 40960);
	now.counters.general_profit = 30000;
	assert_int_equal(top_gained_bytes(&now), 30000);
}

static void each_why_has_words(void **state)
{
	(void)state;
	for (int i = 0; i < TOP_NR_WHY; i++) {
		assert_in_range(strlen(top_why_name(i)), 3, 7);
		assert_in_range(strlen(top_why_text(i)), 3, 28);
	}
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(copies_per_second),
		TEST(no_copies_on_stock),
		TEST(pids_are_used_again),
		TEST(processes_come_and_go),
		TEST(why_it_gains),
		TEST(why_it_does_not),
		TEST(copies_eat_it_up),
		TEST(new_ones_by_scans),
		TEST(new_ones_by_age),
		TEST(units_as_people_write_them),
		TEST(keep_an_hour),
		TEST(not_more_often_than_needed),
		TEST(spans),
		TEST(history),
		TEST(series),
		TEST(gain_of_old_kernels),
		TEST(each_why_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
