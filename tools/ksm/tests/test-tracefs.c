// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "tracefs.h"

#define TRACING	"sys/kernel/tracing"

static struct ksm_tracefs trace;
static char dir[KSM_PATH_MAX];

static void start(void)
{
	fixture_open(NULL);
	fixture_write(TRACING "/events/ksm/ksm_exit/id", "1\n");
	fixture_write(TRACING "/instances/other/trace_pipe", "");
	fixture_write(TRACING "/lines", "one\ntwo\n");
	assert_int_equal(ksm_tracefs_find(dir, sizeof(dir)), 0);
	assert_string_equal(dir, "/" TRACING);
}

static bool is_there(const char *path)
{
	return !access(fixture_path(path), F_OK);
}

static void an_instance_comes_and_goes(void **state)
{
	char text[16], mine[64], file[96];

	(void)state;
	start();
	assert_int_equal(ksm_tracefs_begin(&trace, dir), 0);
	snprintf(mine, sizeof(mine), TRACING "/instances/ksm-%d", getpid());
	assert_string_equal(trace.dir + 1, mine);
	assert_true(is_there(mine));
	snprintf(file, sizeof(file), "%s/trace_clock", mine);
	fixture_read(file, text, sizeof(text));
	assert_string_equal(text, "boot");
	assert_int_equal(ksm_tracefs_enable(&trace, "ksm_exit"), 0);
	assert_int_equal(ksm_tracefs_enable(&trace, "ksm_other"), -ENOENT);
	assert_int_equal(ksm_tracefs_read(&trace, text, sizeof(text)), 8);
	assert_memory_equal(text, "one\ntwo\n", 8);
	assert_int_equal(ksm_tracefs_read(&trace, text, sizeof(text)), 0);
	assert_int_equal(ksm_tracefs_end(&trace), 0);
	assert_false(is_there(mine));
	assert_true(is_there(TRACING "/instances/other"));
	fixture_read(TRACING "/log", text, sizeof(text));
	assert_string_equal(text, "ksm_exit");
	/* again is nothing */
	assert_int_equal(ksm_tracefs_end(&trace), 0);
}

static void left_overs_of_the_dead(void **state)
{
	(void)state;
	start();
	fixture_write("proc/70/comm", "ksm\n");
	fixture_write("proc/71/comm", "bash\n");
	fixture_write(TRACING "/instances/ksm-70/trace_pipe", "");
	fixture_write(TRACING "/instances/ksm-71/trace_pipe", "");
	fixture_write(TRACING "/instances/ksm-72/trace_pipe", "");
	fixture_write(TRACING "/instances/ksm-73/busy", "");
	fixture_write(TRACING "/instances/ksm-74x/trace_pipe", "");
	assert_int_equal(ksm_tracefs_clean(dir), 2);
	assert_true(is_there(TRACING "/instances/ksm-70"));
	assert_false(is_there(TRACING "/instances/ksm-71"));
	assert_false(is_there(TRACING "/instances/ksm-72"));
	assert_true(is_there(TRACING "/instances/ksm-73"));
	assert_true(is_there(TRACING "/instances/ksm-74x"));
	assert_true(is_there(TRACING "/instances/other"));
}

static void of_one_that_had_our_pid(void **state)
{
	char mine[64];

	(void)state;
	start();
	snprintf(mine, sizeof(mine), "proc/%d/comm", getpid());
	fixture_write(mine, "ksm\n");
	assert_int_equal(ksm_tracefs_begin(&trace, dir), 0);
	close(trace.pipe);
	assert_int_equal(ksm_tracefs_begin(&trace, dir), -EEXIST);
	assert_int_equal(ksm_tracefs_clean(dir), 1);
	assert_int_equal(ksm_tracefs_begin(&trace, dir), 0);
	assert_int_equal(ksm_tracefs_end(&trace), 0);
}

static void none(void **state)
{
	(void)state;
	fixture_open(NULL);
	assert_int_equal(ksm_tracefs_find(dir, sizeof(dir)), -ENODEV);
	assert_int_equal(ksm_tracefs_clean(dir), 0);
	fixture_write(TRACING "/events/sched/enable", "0\n");
	assert_int_equal(ksm_tracefs_find(dir, sizeof(dir)), -ENOENT);
	assert_int_equal(ksm_tracefs_begin(&trace, dir), -ENOENT);
	assert_int_equal(ksm_tracefs_end(&trace), 0);
}

static void where_it_was_formerly(void **state)
{
	(void)state;
	fixture_open(NULL);
	fixture_write("sys/kernel/debug/tracing/events/ksm/ksm_exit/id", "1\n");
	assert_int_equal(ksm_tracefs_find(dir, sizeof(dir)), 0);
	assert_string_equal(dir, "/sys/kernel/debug/tracing");
	assert_true(ksm_tracefs_has(dir, "ksm_exit"));
	assert_false(ksm_tracefs_has(dir, "ksm_enter"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(an_instance_comes_and_goes,
					  fixture_teardown),
		cmocka_unit_test_teardown(left_overs_of_the_dead,
					  fixture_teardown),
		cmocka_unit_test_teardown(of_one_that_had_our_pid,
					  fixture_teardown),
		cmocka_unit_test_teardown(none, fixture_teardown),
		cmocka_unit_test_teardown(where_it_was_formerly,
					  fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
