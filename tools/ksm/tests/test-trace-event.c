// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "trace-sums.h"

static struct ksm_event event;

static bool parse(const char *text)
{
	char line[256];

	strcpy(line, text);
	return ksm_event_parse(line, &event);
}

static void a_failed_merge(void **state)
{
	(void)state;
	assert_true(parse("            ksmd-37      [001] .....  1234.500006: "
			  "ksm_merge_with_ksm_page: ksm pfn 4711 rmap_item "
			  "00000000aabbccdd mm 0000000011223344 error -16"));
	assert_int_equal(event.kind, KSM_EVENT_MERGE_WITH_KSM_PAGE);
	assert_int_equal(event.time_us, 1234500006);
	assert_int_equal(event.pid, 37);
	assert_string_equal(event.comm, "ksmd");
	assert_true(event.with_ksm_page);
	assert_int_equal(event.pfn, 4711);
	assert_string_equal(event.rmap_item, "00000000aabbccdd");
	assert_string_equal(event.mm, "0000000011223344");
	assert_int_equal(event.error, -EBUSY);
	assert_int_equal(event.scans, KSM_UNKNOWN);
}

static void each_kind(void **state)
{
	static const struct {
		enum ksm_event_kind kind;
		const char *text;
	} lines[] = {
		{ KSM_EVENT_ENTER, "ksm_enter: mm 01" },
		{ KSM_EVENT_EXIT, "ksm_exit: mm 01" },
		{ KSM_EVENT_START_SCAN, "ksm_start_scan: seq 7 rmap size 9" },
		{ KSM_EVENT_STOP_SCAN, "ksm_stop_scan: seq 7 rmap size 9" },
		{ KSM_EVENT_MERGE_WITH_KSM_PAGE, "ksm_merge_with_ksm_page: pfn "
		  "1 rmap_item 2 mm 3 error 0" },
		{ KSM_EVENT_MERGE_ONE_PAGE, "ksm_merge_one_page: ksm pfn 1 "
		  "rmap_item 2 mm 3 error 0" },
		{ KSM_EVENT_REMOVE_KSM_PAGE, "ksm_remove_ksm_page: pfn 1" },
		{ KSM_EVENT_REMOVE_RMAP_ITEM, "ksm_remove_rmap_item: pfn 1 "
		  "rmap_item 2 mm 3" },
		{ KSM_EVENT_ADVISOR, "ksm_advisor: ksm scan time 4 "
		  "pages_to_scan 500 cpu percent 6" },
	};
	char line[256];

	(void)state;
	assert_int_equal(ARRAY_SIZE(lines), KSM_NR_EVENTS);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		snprintf(line, sizeof(line), "ksmd-37 [000] ..... 1.000002: %s",
			 lines[i].text);
		assert_true(parse(line));
		assert_int_equal(event.kind, lines[i].kind);
	}
	assert_int_equal(event.scan_seconds, 4);
	assert_int_equal(event.pages_to_scan, 500);
	assert_int_equal(event.cpu_percent, 6);
	assert_true(parse("ksmd-37 [0] 1.000002: ksm_stop_scan: seq 7 rmap "
			  "size 9"));
	assert_int_equal(event.scans, 7);
	assert_int_equal(event.tracked, 9);
}

static void programs_of_any_name(void **state)
{
	(void)state;
	assert_true(parse("   <...>-99  [000] d.h1. 1.000002: ksm_exit: mm 1"));
	assert_string_equal(event.comm, "");
	assert_int_equal(event.pid, 99);
	assert_true(parse("  a-5 [1] b-99 (  98) [000] .. 1.000002: ksm_exit: "
			  "mm 1"));
	assert_string_equal(event.comm, "a-5 [1] b");
	assert_int_equal(event.pid, 99);
	assert_true(parse("  : ksm_x: y-99 [000] .. 1.000002: ksm_exit: mm 1"));
	assert_string_equal(event.comm, ": ksm_x: y");
	assert_true(parse("  a\033[2J\xff\x7f-99 [000] .. 1.000002: ksm_exit: "
			  "mm 1"));
	assert_string_equal(event.comm, "a?[2J??");
}

static void what_is_no_event(void **state)
{
	static const char *const lines[] = {
		"", "-", "[", ": ksm_", "a: ksm_exit: mm 1", "# tracer: nop",
		"a-1 [0] 1.000002: sched_switch: mm 1",
		"a-1 [0] 1.000002: ksm_other: mm 1",
		"a-1 [0] 1.000002: ksm_exit: nothing",
		"a-1 [0] x: ksm_exit: mm 1", "a [0] 1.000002: ksm_exit: mm 1",
		") [0] 1.000002: ksm_exit: mm 1",
		"a-1 1.000002: ksm_exit: mm 1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_false(parse(lines[i]));
	assert_int_equal(ksm_event_lost("CPU:3 [LOST 27 EVENTS]"), 27);
	assert_int_equal(ksm_event_lost("a-1 [LOST 27 EVENTS]"), 0);
	assert_int_equal(ksm_event_find("exit"), KSM_EVENT_EXIT);
	assert_int_equal(ksm_event_find("ksm_exit"), KSM_EVENT_EXIT);
	assert_int_equal(ksm_event_find("ksm_"), -1);
}

static void count(struct ksm_trace_sums *sums, enum ksm_event_kind kind,
		  bool with, int error, int times)
{
	const struct ksm_event one = {
		.kind = kind, .with_ksm_page = with, .error = error,
	};

	while (times--)
		ksm_trace_count(sums, &one);
}

static void failures_by_reason(void **state)
{
	struct ksm_trace_sums sums = { 0 };

	(void)state;
	count(&sums, KSM_EVENT_MERGE_WITH_KSM_PAGE, true, 0, 5);
	count(&sums, KSM_EVENT_MERGE_WITH_KSM_PAGE, true, -EFAULT, 2);
	count(&sums, KSM_EVENT_MERGE_WITH_KSM_PAGE, false, -EBUSY, 3);
	count(&sums, KSM_EVENT_MERGE_ONE_PAGE, true, -EBUSY, 1);
	count(&sums, KSM_EVENT_REMOVE_KSM_PAGE, false, -1, 9);
	ksm_trace_sort(&sums);
	assert_int_equal(sums.attempts[KSM_ATTEMPT_KSM_PAGE], 7);
	assert_int_equal(sums.failed[KSM_ATTEMPT_KSM_PAGE], 2);
	assert_int_equal(sums.attempts[KSM_ATTEMPT_ITSELF], 3);
	assert_int_equal(sums.failed[KSM_ATTEMPT_ZERO_PAGE], 1);
	assert_int_equal(sums.nr_errors, 2);
	assert_int_equal(sums.errors[0].error, -EBUSY);
	assert_int_equal(sums.errors[0].count, 4);
	assert_int_equal(sums.errors[1].count, 2);
	assert_int_equal(ksm_trace_total(sums.events, KSM_NR_EVENTS), 20);
	assert_string_equal(ksm_error_name(-EBUSY), "EBUSY");
	assert_string_equal(ksm_error_name(-1), "other");
}

static void more_reasons_than_there_is_room_for(void **state)
{
	struct ksm_trace_sums sums = { 0 };
	int64_t all = 0;

	(void)state;
	for (int error = 1; error <= 2 * KSM_ERRORS_MAX; error++)
		count(&sums, KSM_EVENT_MERGE_ONE_PAGE, true, -error, 1);
	assert_int_equal(sums.nr_errors, KSM_ERRORS_MAX);
	for (size_t i = 0; i < sums.nr_errors; i++)
		all += sums.errors[i].count;
	assert_int_equal(all, 2 * KSM_ERRORS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_merge),
		cmocka_unit_test(each_kind),
		cmocka_unit_test(programs_of_any_name),
		cmocka_unit_test(what_is_no_event),
		cmocka_unit_test(failures_by_reason),
		cmocka_unit_test(more_reasons_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
