// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fixture.h"
#include "history.h"
#include "unit-history.h"

/* 29 Nov 2026, 23:59 UTC */
#define NOW_MS		1795996740000LL
#define MIN_MS		60000LL
#define PAGE		4096

static const char web[] = "machine-qemu\\x2d1\\x2dweb.scope";
static struct ksm_sample sample;
static struct ksm_unit_sums sums;
static struct ksm_unit_history history;

static void read_sums(void)
{
	struct ksm_members members;

	assert_int_equal(ksm_sample_read(&sample, &members), 0);
	assert_int_equal(ksm_unit_sums_of(&sums, &members, PAGE), 0);
	ksm_members_free(&members);
	sample.time_ms = NOW_MS;
}

static struct ksm_unit_sum *sum_named(const char *name)
{
	for (size_t i = 0; i < sums.count; i++)
		if (!strcmp(sums.list[i].name, name))
			return &sums.list[i];
	fail_msg("no unit %s", name);
	return NULL;
}

static const struct ksm_unit_past *past_named(const char *name)
{
	for (size_t i = 0; i < history.count; i++)
		if (!strcmp(history.list[i].last.name, name))
			return &history.list[i];
	fail_msg("no unit %s", name);
	return NULL;
}

static void copy_process(const char *from, const char *to)
{
	static const char *const files[] = {
		"stat", "ksm_stat", "cgroup", "statm",
	};
	char path[64], text[1024];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "proc/%s/%s", from, files[i]);
		fixture_read(path, text, sizeof(text) - 1);
		strcat(text, "\n");
		snprintf(path, sizeof(path), "proc/%s/%s", to, files[i]);
		fixture_write(path, text);
	}
}

static void members_by_unit(void **state)
{
	const struct ksm_unit_sum *unit;

	(void)state;
	fixture_open("ours");
	copy_process("1200", "1201");
	read_sums();
	assert_int_equal(sums.count, 3);
	unit = sum_named(web);
	assert_int_equal(unit->processes, 1);
	assert_int_equal(unit->tracked_bytes, 1050000LL * PAGE);
	assert_int_equal(unit->merged_bytes, 800000LL * PAGE);
	assert_int_equal(unit->zero_bytes, 50000LL * PAGE);
	assert_int_equal(unit->profit_bytes, 3470000000);
	assert_int_equal(unit->cow, 4000);
	unit = sum_named("php8.2-fpm.service");
	assert_int_equal(unit->processes, 2);
	assert_int_equal(unit->merged_bytes, 18000LL * PAGE);
	assert_int_equal(unit->cow, 484);
	assert_int_equal(sum_named("")->processes, 1);
	ksm_unit_sums_free(&sums);
}

static void unknown_is_left_out(void **state)
{
	(void)state;
	fixture_open("stock");
	read_sums();
	assert_int_equal(sum_named(web)->cow, KSM_UNKNOWN);
	ksm_unit_sums_free(&sums);
	fixture_close();
	fixture_open("no-ksm");
	ksm_sample_read(&sample, NULL);
	assert_int_equal(ksm_unit_sums_of(&sums, &(struct ksm_members){ 0 },
					  PAGE), 0);
	assert_int_equal(sums.count, 0);
	ksm_unit_sums_free(&sums);
}

static void keep_after(int minutes, ksm_figure cow)
{
	sum_named(web)->cow = cow;
	sample.time_ms = NOW_MS + minutes * MIN_MS;
	assert_int_equal(ksm_unit_history_append(KSM_HISTORY_DIR, &sample,
						 &sums), 0);
}

static void read_history(int from, int to)
{
	assert_int_equal(ksm_unit_history_read(KSM_HISTORY_DIR,
					       NOW_MS + from * MIN_MS,
					       NOW_MS + to * MIN_MS, &history),
			 0);
}

/* Copies in between count, what was before does not; over midnight, too. */
static void copies_of_a_span(void **state)
{
	(void)state;
	fixture_open("ours");
	read_sums();
	keep_after(0, 4000);
	keep_after(1, 4100);
	sums.count--;
	sum_named(web)->profit_bytes = 1470000000;
	keep_after(2, 4150);
	read_history(0, 2);
	assert_int_equal(history.samples, 3);
	assert_int_equal(history.count, 3);
	assert_int_equal(history.damaged, 0);
	assert_int_equal(past_named(web)->cow, 150);
	assert_int_equal(past_named(web)->samples, 3);
	assert_int_equal(past_named(web)->last.merged_bytes, 800000LL * PAGE);
	assert_int_equal(past_named(web)->profit_bytes / 3,
			 (2 * 3470000000 + 1470000000) / 3);
	assert_int_equal(past_named("php8.2-fpm.service")->last_ms,
			 NOW_MS + MIN_MS);
	assert_int_equal(history.last_ms, NOW_MS + 2 * MIN_MS);
	ksm_unit_history_free(&history);
	read_history(1, 1);
	assert_int_equal(past_named(web)->cow, 0);
	assert_int_equal(history.samples, 1);
	ksm_unit_history_free(&history);
	ksm_unit_sums_free(&sums);
}

/* The count begins anew, or loses what belonged to a process that ended. */
static void counts_that_go_back(void **state)
{
	(void)state;
	fixture_open("ours");
	read_sums();
	keep_after(0, 4000);
	keep_after(1, 10);
	keep_after(2, 30);
	strcpy(sample.host.boot_id, "another");
	keep_after(3, 5000);
	keep_after(4, 5001);
	keep_after(5, KSM_UNKNOWN);
	read_history(0, 5);
	assert_int_equal(past_named(web)->cow, 21);
	ksm_unit_history_free(&history);
	ksm_unit_sums_free(&sums);
}

static void not_for_everybody(void **state)
{
	struct stat st;

	(void)state;
	fixture_open("ours");
	read_sums();
	keep_after(0, 1);
	assert_int_equal(stat(fixture_path("var/lib/ksm/samples/"
					   "2026-11-29.units.jsonl"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	ksm_unit_sums_free(&sums);
}

static void damage(void **state)
{
	(void)state;
	fixture_open("ours");
	fixture_write("var/lib/ksm/samples/2026-11-29.units.jsonl",
		      "{\"time_ms\":1795996740000}\ngarbage\n"
		      "{\"time_ms\":1795996740000,\"units\":{\"a\":{}}}\n");
	read_history(0, 0);
	assert_int_equal(history.damaged, 2);
	assert_string_equal(history.damaged_at, "2026-11-29.units.jsonl:1");
	assert_int_equal(past_named("a")->last.merged_bytes, KSM_UNKNOWN);
	ksm_unit_history_free(&history);
}

static void old_days_go(void **state)
{
	(void)state;
	fixture_open("ours");
	fixture_write("var/lib/ksm/samples/2026-11-20.units.jsonl", "");
	fixture_write("var/lib/ksm/samples/2026-11-20.units.jsonl.gz", "");
	fixture_write("var/lib/ksm/samples/2026-11-20.jsonl", "");
	fixture_write("var/lib/ksm/samples/2026-11-29.units.jsonl", "");
	assert_int_equal(ksm_unit_history_prune(KSM_HISTORY_DIR, NOW_MS, 2),
			 1);
	assert_int_equal(ksm_history_prune(KSM_HISTORY_DIR, NOW_MS, 2), 1);
}

#define TEST(name)	cmocka_unit_test_teardown(name, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(members_by_unit),
		TEST(unknown_is_left_out),
		TEST(copies_of_a_span),
		TEST(counts_that_go_back),
		TEST(not_for_everybody),
		TEST(damage),
		TEST(old_days_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
