// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "history.h"

/* 29 Nov 2026, 15:40:12 UTC */
#define NOW_MS		1795966812000LL
#define MIN_MS		60000LL
#define DAY_MS		(1440 * MIN_MS)

static const char today[] = "var/lib/ksm/samples/2026-11-29.jsonl";
static struct ksm_sample sample;
static struct ksm_history history;

static void start(void)
{
	fixture_open("ours");
	ksm_sample_read(&sample, NULL);
	sample.time_ms = NOW_MS;
	sample.boottime_ms = 100 * DAY_MS;
}

/* The sample, some time ago */
static struct ksm_sample ago(int64_t ms)
{
	struct ksm_sample old = sample;

	old.time_ms -= ms;
	old.boottime_ms -= ms;
	return old;
}

static void keep_ago(int64_t ms)
{
	struct ksm_sample old = ago(ms);

	assert_int_equal(ksm_history_append(KSM_HISTORY_DIR, &old), 0);
}

static void a_sample_comes_back_as_it_was(void **state)
{
	(void)state;
	start();
	sample.counters.thp_kept = KSM_UNKNOWN;
	keep_ago(0);
	assert_int_equal(access(fixture_path(today), F_OK), 0);
	assert_int_equal(ksm_history_read(KSM_HISTORY_DIR, NOW_MS, NOW_MS,
					  &history), 0);
	assert_int_equal(history.count, 1);
	assert_int_equal(history.damaged, 0);
	assert_memory_equal(&history.list[0].knobs, &sample.knobs,
			    sizeof(sample.knobs));
	assert_memory_equal(&history.list[0].counters, &sample.counters,
			    sizeof(sample.counters));
	assert_memory_equal(&history.list[0].sums, &sample.sums,
			    sizeof(sample.sums));
	assert_int_equal(history.list[0].host.mem_total_bytes,
			 sample.host.mem_total_bytes);
	assert_int_equal(history.list[0].host.ksmd_cpu_ns,
			 sample.host.ksmd_cpu_ns);
	assert_string_equal(history.list[0].host.boot_id, sample.host.boot_id);
	assert_string_equal(history.list[0].host.release, sample.host.release);
	assert_int_equal(history.list[0].time_ms, NOW_MS);
	assert_int_equal(history.list[0].boottime_ms, 100 * DAY_MS);
	assert_true(history.list[0].present);
	ksm_history_free(&history);
}

static void spans_cross_midnight(void **state)
{
	(void)state;
	start();
	for (int day = 3; day >= 0; day--)
		keep_ago(day * DAY_MS);
	assert_int_equal(ksm_history_read(KSM_HISTORY_DIR, NOW_MS - 2 * DAY_MS,
					  NOW_MS - 1, &history), 0);
	assert_int_equal(history.count, 2);
	assert_int_equal(history.list[0].time_ms, NOW_MS - 2 * DAY_MS);
	assert_int_equal(history.list[1].time_ms, NOW_MS - DAY_MS);
	ksm_history_free(&history);
}

static void damaged_lines_are_skipped(void **state)
{
	FILE *file;

	(void)state;
	start();
	keep_ago(1);
	file = fopen(fixture_path(today), "a");
	fputs("{\"time_ms\":17959\n{}\n[1,2]\n\n", file);
	fclose(file);
	keep_ago(0);
	assert_int_equal(ksm_history_read(KSM_HISTORY_DIR, 0, NOW_MS,
					  &history), 0);
	assert_int_equal(history.count, 2);
	assert_int_equal(history.damaged, 4);
	assert_string_equal(history.damaged_at, "2026-11-29.jsonl:2");
	ksm_history_free(&history);
}

/* As a full disk leaves it: only what was begun is lost. */
static void a_line_that_was_cut_off(void **state)
{
	FILE *file;

	(void)state;
	start();
	keep_ago(2);
	file = fopen(fixture_path(today), "a");
	fputs("{\"time_ms\":17959", file);
	fclose(file);
	keep_ago(1);
	keep_ago(0);
	assert_int_equal(ksm_history_read(KSM_HISTORY_DIR, 0, NOW_MS,
					  &history), 0);
	assert_int_equal(history.count, 3);
	assert_int_equal(history.damaged, 1);
	assert_string_equal(history.damaged_at, "2026-11-29.jsonl:2");
	ksm_history_free(&history);
}

static void nothing_kept_is_no_error(void **state)
{
	(void)state;
	start();
	assert_int_equal(ksm_history_read(KSM_HISTORY_DIR, NOW_MS - DAY_MS,
					  NOW_MS, &history), 0);
	assert_int_equal(history.count, 0);
	assert_int_equal(ksm_history_prune(KSM_HISTORY_DIR, NOW_MS, 1), 0);
	assert_null(ksm_history_at(&history, &sample, MIN_MS, MIN_MS));
	ksm_history_free(&history);
}

static void old_days_are_pruned(void **state)
{
	(void)state;
	start();
	for (int day = 4; day >= 0; day--)
		keep_ago(day * DAY_MS);
	fixture_write("var/lib/ksm/samples/2026-01-01.jsonl.gz", "");
	fixture_write("var/lib/ksm/samples/notes", "");
	assert_int_equal(ksm_history_prune(KSM_HISTORY_DIR, NOW_MS, 2), 2);
	assert_int_equal(ksm_history_prune(KSM_HISTORY_DIR, NOW_MS, 2), 0);
	assert_int_equal(ksm_history_read(KSM_HISTORY_DIR, 0, NOW_MS,
					  &history), 0);
	assert_int_equal(history.count, 3);
	assert_int_equal(access(fixture_path("var/lib/ksm/samples/notes"),
				F_OK), 0);
	ksm_history_free(&history);
}

static void many_samples(void **state)
{
	(void)state;
	start();
	for (int i = 200; i > 0; i--)
		keep_ago(i * 1000);
	assert_int_equal(ksm_history_read(KSM_HISTORY_DIR, 0, NOW_MS,
					  &history), 0);
	assert_int_equal(history.count, 200);
	for (int i = 0; i < 200; i++)
		assert_int_equal(history.list[i].time_ms,
				 NOW_MS - (200 - i) * 1000);
	ksm_history_free(&history);
}

static void the_nearest_one_of_this_boot(void **state)
{
	struct ksm_sample list[4];
	const struct ksm_history of = { .list = list, .count = 4 };

	(void)state;
	start();
	list[0] = ago(61 * MIN_MS);
	list[1] = ago(59 * MIN_MS + 1);
	list[2] = ago(12 * MIN_MS);
	list[3] = ago(9 * MIN_MS);
	assert_ptr_equal(ksm_history_at(&of, &sample, 60 * MIN_MS,
					5 * MIN_MS), &list[1]);
	assert_ptr_equal(ksm_history_at(&of, &sample, 10 * MIN_MS,
					5 * MIN_MS), &list[3]);
	assert_null(ksm_history_at(&of, &sample, 30 * MIN_MS, 5 * MIN_MS));
	strcpy(list[1].host.boot_id, "other");
	assert_ptr_equal(ksm_history_at(&of, &sample, 60 * MIN_MS,
					5 * MIN_MS), &list[0]);
	/* a clock that was set back is no reason to take the future */
	list[3].boottime_ms = sample.boottime_ms + 1;
	assert_null(ksm_history_at(&of, &sample, 0, MIN_MS));
}

/* One full scan each minute; saved grew by 2 % until 3 minutes ago. */
static void converged_since(void **state)
{
	struct ksm_sample list[6];
	const struct ksm_history of = { .list = list, .count = 6 };

	(void)state;
	start();
	for (int i = 0; i < 6; i++) {
		list[i] = ago((6 - i) * MIN_MS);
		list[i].counters.full_scans -= 6 - i;
		if (i < 3)
			list[i].counters.pages_sharing -= (3 - i) * 32000;
	}
	assert_int_equal(ksm_history_converged(&of, &sample),
			 NOW_MS - 3 * MIN_MS);
	/* grows still */
	sample.counters.pages_sharing += 32000;
	assert_int_equal(ksm_history_converged(&of, &sample), KSM_UNKNOWN);
	/* never grew, as far as one can look back */
	sample.counters.pages_sharing -= 32000;
	for (int i = 0; i < 3; i++)
		list[i].counters.pages_sharing = sample.counters.pages_sharing;
	assert_int_equal(ksm_history_converged(&of, &sample), KSM_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_sample_comes_back_as_it_was,
					  fixture_teardown),
		cmocka_unit_test_teardown(spans_cross_midnight,
					  fixture_teardown),
		cmocka_unit_test_teardown(damaged_lines_are_skipped,
					  fixture_teardown),
		cmocka_unit_test_teardown(a_line_that_was_cut_off,
					  fixture_teardown),
		cmocka_unit_test_teardown(nothing_kept_is_no_error,
					  fixture_teardown),
		cmocka_unit_test_teardown(old_days_are_pruned,
					  fixture_teardown),
		cmocka_unit_test_teardown(many_samples, fixture_teardown),
		cmocka_unit_test_teardown(the_nearest_one_of_this_boot,
					  fixture_teardown),
		cmocka_unit_test_teardown(converged_since, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
