// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "fixture.h"
#include "span.h"

#define SAMPLES		60
#define MIN_MS		60000LL
#define EPSILON		0.001

static struct ksm_sample list[SAMPLES];
static struct ksm_history history = { .list = list, .count = SAMPLES };
static struct ksm_span span;

/* An hour of a host that has converged, a sample each minute */
static int start(void **state)
{
	(void)state;
	fixture_open("ours");
	ksm_sample_read(&list[0], NULL);
	list[0].time_ms = 1795966800000LL;
	list[0].boottime_ms = 1000 * MIN_MS;
	for (int i = 1; i < SAMPLES; i++) {
		list[i] = list[i - 1];
		list[i].time_ms += MIN_MS;
		list[i].boottime_ms += MIN_MS;
		list[i].counters.full_scans++;
		list[i].counters.pages_scanned += 1000;
		list[i].host.cow_ksm += 600;
		list[i].host.ksmd_cpu_ns += 600000000;
	}
	return 0;
}

static int stop(void **state)
{
	ksm_span_free(&span);
	return fixture_teardown(state);
}

static void from(int i)
{
	assert_int_equal(ksm_span_of(&span, &history, list[i].time_ms), 0);
}

static void all_is_quiet(void **state)
{
	(void)state;
	from(0);
	assert_int_equal(ksm_span_count(&span), SAMPLES);
	assert_int_equal(span.interval_ms, MIN_MS);
	assert_int_equal(span.nr_changes, 0);
	assert_int_equal(span.nr_periods, 1);
	assert_int_equal(span.periods[0].verdict.reason, KSM_SAVING_STEADY);
	assert_int_equal(span.periods[0].from_ms, list[0].time_ms);
	assert_int_equal(span.periods[0].to_ms, list[SAMPLES - 1].time_ms);
	assert_ptr_equal(span.end.view.now, &list[SAMPLES - 1]);
	assert_ptr_equal(span.end.view.before, &list[SAMPLES - 2]);
}

static void sums_of_it(void **state)
{
	const struct ksm_totals *sums = &span.totals;

	(void)state;
	list[30].host.cow_ksm += 6000;
	for (int i = 31; i < SAMPLES; i++)
		list[i].host.cow_ksm += 6000;
	from(10);
	assert_true(sums->seconds == 49 * 60);
	assert_true(sums->full_scans == 49);
	assert_true(fabs(sums->cpu_seconds - 49 * 0.6) < EPSILON);
	assert_true(fabs(sums->cpu_percent_most - 1) < EPSILON);
	assert_true(fabs(sums->cow - 49 * 600 - 6000) < EPSILON);
	assert_true(fabs(sums->cow_most - 110) < EPSILON);
	assert_int_equal(sums->cow_most_ms, list[30].time_ms);
	assert_true(fabs(sums->saved_mean -
			 fig_double(ksm_saved_bytes(&list[0]))) < 1);
}

static void what_is_not_known_stays_so(void **state)
{
	(void)state;
	for (int i = 0; i < SAMPLES; i++)
		list[i].host.cow_ksm = KSM_UNKNOWN;
	from(0);
	assert_true(isnan(span.totals.cow));
	assert_true(isnan(span.totals.cow_most));
	assert_int_equal(span.totals.cow_most_ms, KSM_UNKNOWN);
	assert_true(span.totals.full_scans == SAMPLES - 1);
}

static void verdicts_change(void **state)
{
	(void)state;
	for (int i = 20; i < 30; i++)
		list[i].knobs.run = 0;
	from(5);
	assert_int_equal(span.nr_periods, 3);
	assert_int_equal(span.periods[0].from_ms, list[5].time_ms);
	assert_int_equal(span.periods[0].to_ms, list[20].time_ms);
	assert_int_equal(span.periods[1].verdict.reason, KSM_STOPPED);
	assert_int_equal(span.periods[1].to_ms, list[30].time_ms);
	assert_int_equal(span.periods[2].verdict.state, KSM_EFFECTIVE);
	assert_int_equal(span.nr_changes, 2);
	assert_int_equal(span.changes[0].kind, KSM_CHANGE_KNOB);
	assert_string_equal(span.changes[0].field->name, "run");
	assert_int_equal(span.changes[0].from, 1);
	assert_int_equal(span.changes[0].to, 0);
	assert_int_equal(span.changes[1].time_ms, list[30].time_ms);
}

static void a_gap(void **state)
{
	(void)state;
	for (int i = 20; i < SAMPLES; i++) {
		list[i].time_ms += 3 * MIN_MS;
		list[i].boottime_ms += 3 * MIN_MS;
	}
	from(0);
	assert_int_equal(span.nr_changes, 1);
	assert_int_equal(span.changes[0].kind, KSM_CHANGE_GAP);
	assert_int_equal(span.changes[0].from, list[19].time_ms);
	assert_int_equal(span.changes[0].time_ms, list[20].time_ms);
	assert_int_equal(span.nr_periods, 2);
	assert_int_equal(span.periods[0].to_ms, list[19].time_ms);
	assert_false(ksm_span_joined(&span, 20));
	assert_true(ksm_span_joined(&span, 21));
	assert_false(ksm_span_joined(&span, 0));
}

static void a_boot(void **state)
{
	(void)state;
	for (int i = 20; i < SAMPLES; i++) {
		strcpy(list[i].host.boot_id, "other");
		list[i].boottime_ms -= 1000 * MIN_MS;
		list[i].host.cow_ksm -= 4000;
	}
	from(0);
	assert_int_equal(span.nr_changes, 1);
	assert_int_equal(span.changes[0].kind, KSM_CHANGE_BOOT);
	assert_true(span.totals.seconds == 58 * 60);
	assert_true(fabs(span.totals.cow - 58 * 600) < EPSILON);
}

static void one_sample_or_none(void **state)
{
	(void)state;
	from(SAMPLES - 1);
	assert_int_equal(ksm_span_count(&span), 1);
	assert_int_equal(span.interval_ms, 0);
	assert_int_equal(span.nr_periods, 1);
	assert_true(isnan(span.totals.seconds));
	ksm_span_free(&span);
	assert_int_equal(ksm_span_of(&span, &history,
				     list[SAMPLES - 1].time_ms + 1), -ENODATA);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_is_quiet),
		TEST(sums_of_it),
		TEST(what_is_not_known_stays_so),
		TEST(verdicts_change),
		TEST(a_gap),
		TEST(a_boot),
		TEST(one_sample_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
