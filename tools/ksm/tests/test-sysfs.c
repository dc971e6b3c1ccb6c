// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fixture.h"
#include "knobs.h"
#include "root.h"

static struct ksm_knobs knobs;
static struct ksm_counters counters;

static void all_files_are_read(void **state)
{
	(void)state;
	fixture_open("ours");
	assert_int_equal(ksm_sysfs_read(&knobs, &counters), 0);
	for (size_t i = 0; i < ksm_nr_knobs; i++) {
		const struct ksm_field *field = &ksm_knob_table[i].field;
		char text[64];

		ksm_root_read(text, sizeof(text), KSM_SYSFS "/%s", field->name);
		if (!strcmp(field->name, "advisor_mode"))
			assert_int_equal(fig_get(&knobs, field), 0);
		else
			assert_int_equal(fig_get(&knobs, field), atoi(text));
	}
	for (size_t i = 0; i < ksm_nr_counters; i++) {
		const struct ksm_field *field = &ksm_counter_fields[i];

		assert_true(fig_known(fig_get(&counters, field)));
		assert_int_equal(fig_get(&counters, field),
				 ksm_root_figure(KSM_SYSFS "/%s", field->name));
	}
	assert_int_equal(counters.pages_skipped, 8100000000);
	assert_int_equal(counters.thp_kept, 1902);
}

static void stock_has_not_ours(void **state)
{
	(void)state;
	fixture_open("stock");
	assert_int_equal(ksm_sysfs_read(&knobs, &counters), 0);
	assert_int_equal(counters.pages_sharing, 1441792);
	assert_int_equal(counters.scan_pages, KSM_UNKNOWN);
	assert_int_equal(counters.last_scan_millisecs, KSM_UNKNOWN);
	assert_int_equal(counters.thp_split, KSM_UNKNOWN);
	assert_int_equal(counters.thp_kept, KSM_UNKNOWN);
}

static void no_ksm_is_told_apart(void **state)
{
	(void)state;
	fixture_open("no-ksm");
	assert_int_equal(ksm_sysfs_read(&knobs, &counters), -ENOENT);
	assert_int_equal(knobs.run, KSM_UNKNOWN);
	assert_int_equal(counters.pages_shared, KSM_UNKNOWN);
	/* there, but not to be read */
	mkdir(fixture_path("sys"), 0755);
	mkdir(fixture_path("sys/kernel"), 0755);
	mkdir(fixture_path("sys/kernel/mm"), 0755);
	mkdir(fixture_path("sys/kernel/mm/ksm"), 0755);
	mkdir(fixture_path("sys/kernel/mm/ksm/run"), 0755);
	assert_int_equal(ksm_sysfs_read(&knobs, &counters), -EISDIR);
}

static void odd_numbers_are_unknown(void **state)
{
	(void)state;
	fixture_open("odd");
	assert_int_equal(ksm_sysfs_read(&knobs, &counters), 0);
	assert_int_equal(knobs.run, 5);
	assert_int_equal(knobs.pages_to_scan, 4294967295);
	assert_int_equal(knobs.sleep_millisecs, KSM_UNKNOWN);
	assert_int_equal(knobs.merge_across_nodes, KSM_UNKNOWN);
	assert_int_equal(knobs.max_page_sharing, KSM_UNKNOWN);
	assert_int_equal(knobs.advisor_mode, KSM_UNKNOWN);
	assert_int_equal(counters.pages_shared, KSM_UNKNOWN);
	assert_int_equal(counters.pages_sharing, INT64_MAX);
	assert_int_equal(counters.pages_unshared, KSM_UNKNOWN);
	assert_int_equal(counters.pages_volatile, KSM_UNKNOWN);
	assert_int_equal(counters.pages_scanned, KSM_UNKNOWN);
	assert_int_equal(counters.full_scans, 3);
	assert_int_equal(counters.ksm_zero_pages, 12);
	assert_int_equal(counters.general_profit, -16384);
}

static void advisor_mode_has_words(void **state)
{
	const struct ksm_knob *knob = ksm_knob_find("advisor_mode");

	(void)state;
	fixture_open("ours");
	fixture_write("sys/kernel/mm/ksm/advisor_mode", "none [scan-time]\n");
	assert_int_equal(ksm_knob_read(knob), KSM_ADVISOR_SCAN_TIME);
	fixture_write("sys/kernel/mm/ksm/advisor_mode", "[none] scan-time\n");
	assert_int_equal(ksm_knob_read(knob), KSM_ADVISOR_NONE);
	fixture_write("sys/kernel/mm/ksm/advisor_mode", "none [magic]\n");
	assert_int_equal(ksm_knob_read(knob), KSM_UNKNOWN);
	assert_string_equal(ksm_knob_print(knob, 1).s, "scan-time");
	assert_string_equal(ksm_knob_print(knob, 0).s, "none");
}

/* Each limit: what is just inside, and just outside */
static void ranges_are_kept(void **state)
{
	static const struct {
		const char *knob, *text;
		ksm_figure value;
	} cases[] = {
		{ "run", "-1", KSM_UNKNOWN },
		{ "run", "0", 0 },
		{ "run", "2", 2 },
		{ "run", "3", KSM_UNKNOWN },
		{ "pages_to_scan", "-1", KSM_UNKNOWN },
		{ "pages_to_scan", "0", 0 },
		{ "pages_to_scan", "4294967295", 4294967295 },
		{ "pages_to_scan", "4294967296", KSM_UNKNOWN },
		{ "pages_to_scan", "1000x", KSM_UNKNOWN },
		{ "pages_to_scan", "", KSM_UNKNOWN },
		{ "sleep_millisecs", "4294967295", 4294967295 },
		{ "sleep_millisecs", "4294967296", KSM_UNKNOWN },
		{ "max_page_sharing", "1", KSM_UNKNOWN },
		{ "max_page_sharing", "2", 2 },
		{ "max_page_sharing", "2147483647", 2147483647 },
		{ "max_page_sharing", "2147483648", KSM_UNKNOWN },
		{ "merge_across_nodes", "1", 1 },
		{ "merge_across_nodes", "2", KSM_UNKNOWN },
		{ "use_zero_pages", "on", 1 },
		{ "use_zero_pages", "off", 0 },
		{ "use_zero_pages", "10", KSM_UNKNOWN },
		{ "smart_scan", "yes", 1 },
		{ "smart_scan", "maybe", KSM_UNKNOWN },
		{ "advisor_mode", "none", 0 },
		{ "advisor_mode", "scan-time", 1 },
		{ "advisor_mode", "scan", KSM_UNKNOWN },
		{ "advisor_max_cpu", "100", 100 },
		{ "advisor_max_cpu", "101", KSM_UNKNOWN },
		{ "advisor_target_scan_time", "0", KSM_UNKNOWN },
		{ "advisor_target_scan_time", "1", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct ksm_knob *knob = ksm_knob_find(cases[i].knob);

		assert_non_null(knob);
		if (ksm_knob_parse(knob, cases[i].text) != cases[i].value)
			fail_msg("%s=%s", cases[i].knob, cases[i].text);
	}
	assert_null(ksm_knob_find("pages_sharing"));
	assert_null(ksm_knob_find(""));
}

static void knobs_are_written(void **state)
{
	char text[64];

	(void)state;
	fixture_open("ours");
	assert_int_equal(ksm_knob_write(ksm_knob_find("pages_to_scan"), 640),
			 0);
	fixture_read("sys/kernel/mm/ksm/pages_to_scan", text, sizeof(text));
	assert_string_equal(text, "640");
	assert_int_equal(ksm_knob_write(ksm_knob_find("advisor_mode"), 1), 0);
	fixture_read("sys/kernel/mm/ksm/advisor_mode", text, sizeof(text));
	assert_string_equal(text, "scan-time");
	fixture_remove("sys/kernel/mm/ksm/merge_across_nodes");
	assert_int_equal(ksm_knob_write(ksm_knob_find("merge_across_nodes"),
					1), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(all_files_are_read, fixture_teardown),
		cmocka_unit_test_teardown(stock_has_not_ours, fixture_teardown),
		cmocka_unit_test_teardown(no_ksm_is_told_apart,
					  fixture_teardown),
		cmocka_unit_test_teardown(odd_numbers_are_unknown,
					  fixture_teardown),
		cmocka_unit_test_teardown(advisor_mode_has_words,
					  fixture_teardown),
		cmocka_unit_test(ranges_are_kept),
		cmocka_unit_test_teardown(knobs_are_written, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
