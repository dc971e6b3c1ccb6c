// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "fixture.h"
#include "root.h"

static void files_are_below_the_root(void **state)
{
	char text[16], path[KSM_PATH_MAX];

	(void)state;
	fixture_open(NULL);
	fixture_write("proc/5/number", "17\n");
	assert_int_equal(ksm_root_figure("/proc/%d/number", 5), 17);
	assert_int_equal(ksm_root_read(text, sizeof(text), "/proc/5/number"),
			 2);
	assert_string_equal(text, "17");
	assert_int_equal(ksm_root_path(path, sizeof(path), "/proc/5/number"),
			 0);
	assert_string_equal(path, fixture_path("proc/5/number"));
}

static void what_cannot_be_read_is_unknown(void **state)
{
	char text[16];

	(void)state;
	fixture_open(NULL);
	assert_int_equal(ksm_root_figure("/missing"), KSM_UNKNOWN);
	assert_int_equal(ksm_root_read(text, sizeof(text), "/missing"),
			 -ENOENT);
	/* opens, but cannot be read */
	mkdir(fixture_path("dir"), 0755);
	assert_int_equal(ksm_root_read(text, sizeof(text), "/dir"), -EISDIR);
	assert_int_equal(ksm_root_figure("/dir"), KSM_UNKNOWN);
}

static void long_paths_are_refused(void **state)
{
	char dir[2 * KSM_PATH_MAX], text[16];

	(void)state;
	memset(dir, 'a', sizeof(dir));
	dir[sizeof(dir) - 1] = '\0';
	assert_int_equal(ksm_root_set(dir), -ENAMETOOLONG);
	assert_string_equal(ksm_root(), "");
	assert_int_equal(ksm_root_read(text, sizeof(text), "/%s", dir),
			 -ENAMETOOLONG);
	assert_null(ksm_root_open("/%s", dir));
	assert_null(ksm_root_opendir(dir));
}

static void a_long_file_is_cut(void **state)
{
	char text[4];

	(void)state;
	fixture_open(NULL);
	fixture_write("long", "abcdefgh\n");
	assert_int_equal(ksm_root_read(text, sizeof(text), "/long"), 3);
	assert_string_equal(text, "abc");
}

static void writing_makes_no_files(void **state)
{
	char text[16];

	(void)state;
	fixture_open(NULL);
	assert_int_equal(ksm_root_write("/knob", "1\n"), -ENOENT);
	fixture_write("knob", "100\n");
	assert_int_equal(ksm_root_write("/knob", "1\n"), 0);
	fixture_read("knob", text, sizeof(text));
	assert_string_equal(text, "1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(files_are_below_the_root,
					  fixture_teardown),
		cmocka_unit_test_teardown(what_cannot_be_read_is_unknown,
					  fixture_teardown),
		cmocka_unit_test_teardown(long_paths_are_refused,
					  fixture_teardown),
		cmocka_unit_test_teardown(a_long_file_is_cut,
					  fixture_teardown),
		cmocka_unit_test_teardown(writing_makes_no_files,
					  fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
