// SPDX-License-Identifier: GPL-2.0-only
/*
 * Putting back what was found, and only that.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "root.h"
#include "state.h"
#include "sysfs.h"

static void set_run(const char *text)
{
	fixture_write("sys/kernel/mm/ksm/run", text);
}

static void set_pages(const char *text)
{
	fixture_write("sys/kernel/mm/ksm/pages_to_scan", text);
}

/* As the daemon writes: note, save, write. */
static void write_knob(struct state *state, enum state_knob which,
		       ksm_figure value)
{
	assert_true(state_plan(state, which, value));
	assert_int_equal(state_save(state), 0);
	assert_int_equal(state_write(state, which), 0);
	assert_int_equal(state_knob_read(which), value);
}

static void open_host(struct state *state)
{
	fixture_open("tuned");
	state_find(state, TUNED_STATE);
}

static void assert_no_file(void)
{
	assert_int_equal(access(fixture_path(TUNED_STATE + 1), F_OK), -1);
}

static void test_restore(void **unused)
{
	struct state state;

	(void)unused;
	open_host(&state);
	write_knob(&state, STATE_PAGES_TO_SCAN, 364);
	write_knob(&state, STATE_SLEEP_MILLISECS, 10);
	write_knob(&state, STATE_RUN, 1);
	write_knob(&state, STATE_PAGES_TO_SCAN, 664);
	assert_int_equal(state_restore(&state), 0);
	assert_int_equal(state_knob_read(STATE_PAGES_TO_SCAN), 100);
	assert_int_equal(state_knob_read(STATE_SLEEP_MILLISECS), 20);
	assert_int_equal(state_knob_read(STATE_RUN), 0);
	assert_no_file();
}

/* What a killed daemon leaves is in the file. */
static void test_recover(void **unused)
{
	struct state state;

	(void)unused;
	open_host(&state);
	write_knob(&state, STATE_PAGES_TO_SCAN, 364);
	write_knob(&state, STATE_RUN, 1);
	assert_int_equal(state_recover(TUNED_STATE), 0);
	assert_int_equal(state_knob_read(STATE_PAGES_TO_SCAN), 100);
	assert_int_equal(state_knob_read(STATE_SLEEP_MILLISECS), 20);
	assert_int_equal(state_knob_read(STATE_RUN), 0);
	assert_no_file();
	/* and when there is none, nothing is to be done */
	set_pages("7\n");
	assert_int_equal(state_recover(TUNED_STATE), 0);
	assert_int_equal(state_knob_read(STATE_PAGES_TO_SCAN), 7);
}

/* Killed between noting a value and writing it */
static void test_kill_between(void **unused)
{
	struct state state;

	(void)unused;
	open_host(&state);
	write_knob(&state, STATE_PAGES_TO_SCAN, 364);
	assert_true(state_plan(&state, STATE_PAGES_TO_SCAN, 664));
	assert_int_equal(state_save(&state), 0);
	assert_int_equal(state_recover(TUNED_STATE), 0);
	assert_int_equal(state_knob_read(STATE_PAGES_TO_SCAN), 100);
}

static void test_others_stay(void **unused)
{
	struct state state;

	(void)unused;
	open_host(&state);
	write_knob(&state, STATE_PAGES_TO_SCAN, 364);
	write_knob(&state, STATE_SLEEP_MILLISECS, 10);
	set_pages("5000\n");
	assert_int_equal(state_restore(&state), 0);
	assert_int_equal(state_knob_read(STATE_PAGES_TO_SCAN), 5000);
	assert_int_equal(state_knob_read(STATE_SLEEP_MILLISECS), 20);
}

/* Somebody's 5000, overwritten at the next decision, is what comes back. */
static void test_others_are_found(void **unused)
{
	struct state state;

	(void)unused;
	open_host(&state);
	write_knob(&state, STATE_PAGES_TO_SCAN, 364);
	set_pages("5000\n");
	write_knob(&state, STATE_PAGES_TO_SCAN, 664);
	assert_int_equal(state_restore(&state), 0);
	assert_int_equal(state_knob_read(STATE_PAGES_TO_SCAN), 5000);
}

static void test_never_unmerge(void **unused)
{
	struct state state;

	(void)unused;
	fixture_open("tuned");
	set_run("2\n");
	state_find(&state, TUNED_STATE);
	write_knob(&state, STATE_RUN, 1);
	assert_int_equal(state_restore(&state), 0);
	assert_int_equal(state_knob_read(STATE_RUN), 0);
}

/* Who unmerged meanwhile does not want merging back. */
static void test_unmerged_stays(void **unused)
{
	struct state state;

	(void)unused;
	fixture_open("tuned");
	set_run("1\n");
	state_find(&state, TUNED_STATE);
	write_knob(&state, STATE_RUN, 0);
	set_run("2\n");
	assert_int_equal(state_restore(&state), 0);
	assert_int_equal(state_knob_read(STATE_RUN), 2);
}

static void test_run_comes_back(void **unused)
{
	struct state state;

	(void)unused;
	fixture_open("tuned");
	set_run("1\n");
	state_find(&state, TUNED_STATE);
	write_knob(&state, STATE_RUN, 0);
	assert_int_equal(state_restore(&state), 0);
	assert_int_equal(state_knob_read(STATE_RUN), 1);
}

/* While memory is taken offline, run reads 4 more. */
static void test_offline(void **unused)
{
	struct state state;

	(void)unused;
	fixture_open("tuned");
	set_run("5\n");
	state_find(&state, TUNED_STATE);
	assert_int_equal(state.knob[STATE_RUN].found, 1);
	assert_false(state_plan(&state, STATE_RUN, 1));
}

/* A file that tells to write 2, by hand or by a fault */
static void test_file_with_2(void **unused)
{
	(void)unused;
	fixture_open("tuned");
	set_run("1\n");
	fixture_write(TUNED_STATE + 1, "run 2 0 1\n");
	assert_int_equal(state_recover(TUNED_STATE), 0);
	assert_int_equal(state_knob_read(STATE_RUN), 0);
}

static void test_bad_file(void **unused)
{
	static const char *const texts[] = {
		"\n", "run\n", "run 1 1\n", "run a b c\n", "walk 1 1 1\n",
		"run 0 0 1\nnonsense\n", "\\0\\0\\0\\0\n",
	};

	(void)unused;
	fixture_open("tuned");
	set_run("1\n");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		fixture_write(TUNED_STATE + 1, texts[i]);
		assert_int_equal(state_recover(TUNED_STATE), -EINVAL);
		assert_int_equal(state_knob_read(STATE_RUN), 1);
		assert_no_file();
	}
}

static void test_absent_knob(void **unused)
{
	struct state state;

	(void)unused;
	fixture_open("tuned");
	fixture_remove("sys/kernel/mm/ksm/sleep_millisecs");
	state_find(&state, TUNED_STATE);
	assert_false(state_plan(&state, STATE_SLEEP_MILLISECS, 10));
	write_knob(&state, STATE_PAGES_TO_SCAN, 364);
	assert_int_equal(state_restore(&state), 0);
	assert_int_equal(state_knob_read(STATE_PAGES_TO_SCAN), 100);
}

/* Saving goes by a new file: a kill cannot leave half of one. */
static void test_save_whole(void **unused)
{
	struct state state, loaded;
	struct stat st;

	(void)unused;
	open_host(&state);
	fixture_write("run/ksmtuned.state.new", "left by a kill");
	assert_int_equal(state_save(&state), 0);
	assert_int_equal(access(fixture_path("run/ksmtuned.state.new"), F_OK),
			 -1);
	assert_int_equal(stat(fixture_path("run/ksmtuned.state"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(state_load(&loaded, TUNED_STATE), 0);
	assert_int_equal(loaded.knob[STATE_RUN].found, 0);
	assert_int_equal(loaded.knob[STATE_RUN].set, KSM_UNKNOWN);
	assert_int_equal(loaded.knob[STATE_PAGES_TO_SCAN].found, 100);
	fixture_remove("run");
	assert_int_equal(state_save(&state), -ENOENT);
}

#define TEST(name)	cmocka_unit_test_teardown(name, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_restore),
		TEST(test_recover),
		TEST(test_kill_between),
		TEST(test_others_stay),
		TEST(test_others_are_found),
		TEST(test_never_unmerge),
		TEST(test_unmerged_stays),
		TEST(test_run_comes_back),
		TEST(test_offline),
		TEST(test_file_with_2),
		TEST(test_bad_file),
		TEST(test_absent_knob),
		TEST(test_save_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
