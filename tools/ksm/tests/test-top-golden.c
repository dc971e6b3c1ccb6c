// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whole frames of ksm top, as the command prints them.  They are in
 * fixtures/top/; with UPDATE=1 they are written anew, to be looked at.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "top_host.h"

#define FRAME_MAX	65536

static const char *host;

static void make_host(enum top_host_kind kind)
{
	host = fixture_open(NULL);
	assert_int_equal(chmod(host, 0755), 0);
	assert_int_equal(top_host_make(host, kind), 0);
}

/* Run ksm with the environment @env before and @options behind. */
static void run(const char *env, const char *options, char *frame, int code)
{
	char command[2048];
	int status;
	FILE *pipe;
	size_t len;

	snprintf(command, sizeof(command),
		 "env TZ=UTC LC_ALL=C.UTF-8 TERM=xterm %s %s/ksm "
		 "--root %s/" TOP_HOST_NOW " top --before %s/" TOP_HOST_BEFORE
		 " --once %s", env, getenv("KSM_BIN"), host, host, options);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	len = fread(frame, 1, FRAME_MAX - 1, pipe);
	frame[len] = '\0';
	status = pclose(pipe);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
}

static void compare(const char *name, const char *frame)
{
	static char want[FRAME_MAX];
	bool update = getenv("UPDATE");
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/top/%s.txt", getenv("KSM_FIXTURES"),
		 name);
	file = fopen(path, update ? "w" : "r");
	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	if (update)
		fputs(frame, file);
	else
		want[fread(want, 1, sizeof(want) - 1, file)] = '\0';
	fclose(file);
	if (!update)
		assert_string_equal(frame, want);
}

static void check(const char *name, const char *env, const char *options,
		  int code)
{
	static char frame[FRAME_MAX];

	run(env, options, frame, code);
	compare(name, frame);
}

/* No line is longer, and there are as many as the window has. */
static void check_size(const char *frame, int rows, size_t columns)
{
	int lines = 0;

	for (const char *line = frame; *line; lines++) {
		const char *end = strchr(line, '\n');
		size_t width = 0;

		assert_non_null(end);
		for (; line < end; line++)
			width += (*line & 0xc0) != 0x80;
		assert_in_range(width, 0, columns);
		line = end + 1;
	}
	assert_int_equal(lines, rows);
}

static void usual_window(void **state)
{
	(void)state;
	make_host(TOP_HOST_FULL);
	check("full-80x24", "", "", 0);
}

static void large_window(void **state)
{
	(void)state;
	make_host(TOP_HOST_FULL);
	check("full-132x43", "COLUMNS=132 LINES=43", "", 0);
}

static void low_window(void **state)
{
	(void)state;
	make_host(TOP_HOST_FULL);
	check("full-80x16", "LINES=16", "", 0);
}

static void windows_too_small(void **state)
{
	(void)state;
	make_host(TOP_HOST_FULL);
	check("small-60x24", "COLUMNS=60", "", 1);
	check("small-80x15", "LINES=15", "", 1);
	check("small-5x2", "COLUMNS=5 LINES=2", "", 1);
}

static void all_widths(void **state)
{
	static char frame[FRAME_MAX];
	char env[64];

	(void)state;
	make_host(TOP_HOST_FULL);
	for (int columns = 80; columns < 200; columns += 7) {
		snprintf(env, sizeof(env), "COLUMNS=%d LINES=%d", columns,
			 columns / 3);
		run(env, "", frame, 0);
		check_size(frame, columns / 3, columns);
	}
	run("COLUMNS=2000 LINES=100", "", frame, 0);
	check_size(frame, 100, 2000);
}

static void ascii(void **state)
{
	static char frame[FRAME_MAX], other[FRAME_MAX];

	(void)state;
	make_host(TOP_HOST_FULL);
	check("ascii-80x24", "LC_ALL=C", "", 0);
	run("", "--ascii", frame, 0);
	run("LC_ALL=C", "", other, 0);
	assert_string_equal(frame, other);
	for (const char *ch = frame; *ch; ch++)
		assert_true(*ch == '\n' || (*ch >= ' ' && *ch <= '~'));
}

static void orders(void **state)
{
	(void)state;
	make_host(TOP_HOST_FULL);
	check("cost-80x24", "", "--group flat --sort cost", 0);
	check("copies-80x24", "", "--group units --sort copies", 0);
	check("filter-80x24", "", "--filter shop", 0);
	check("no-match-80x24", "", "--filter nobody", 0);
}

static void other_hosts(void **state)
{
	(void)state;
	make_host(TOP_HOST_EMPTY);
	check("empty-80x24", "", "", 0);
	fixture_close();
	make_host(TOP_HOST_STOCK);
	check("stock-80x24", "", "", 0);
	fixture_close();
	make_host(TOP_HOST_WASTE);
	check("waste-80x24", "", "", 0);
	fixture_close();
	make_host(TOP_HOST_NO_KSM);
	check("no-ksm-80x24", "", "", 3);
}

static void as_somebody_else(void **state)
{
	char path[512];

	(void)state;
	if (geteuid())
		skip();
	make_host(TOP_HOST_FULL);
	snprintf(path, sizeof(path), "%s/" TOP_HOST_NOW "/proc/2377/ksm_stat",
		 host);
	assert_int_equal(chmod(path, 0400), 0);
	check("unreadable-80x24", "setpriv --reuid 65534 --clear-groups", "",
	      5);
}

/* Without an earlier moment nothing is known per second. */
static void one_moment(void **state)
{
	static char frame[FRAME_MAX];
	char command[1024];
	FILE *pipe;

	(void)state;
	make_host(TOP_HOST_FULL);
	snprintf(command, sizeof(command), "TZ=UTC LC_ALL=C.UTF-8 %s/ksm "
		 "--root %s/" TOP_HOST_NOW " top --once", getenv("KSM_BIN"),
		 host);
	pipe = popen(command, "r");
	frame[fread(frame, 1, sizeof(frame) - 1, pipe)] = '\0';
	assert_int_equal(pclose(pipe), 0);
	compare("one-moment-80x24", frame);
}

static int exit_code(const char *options)
{
	char command[1024];

	snprintf(command, sizeof(command), "%s/ksm top %s >/dev/null 2>&1 "
		 "</dev/null", getenv("KSM_BIN"), options);
	return WEXITSTATUS(system(command));
}

static void wrong_usage(void **state)
{
	char command[96];

	(void)state;
	assert_int_equal(exit_code("--help"), 0);
	assert_int_equal(exit_code("--nonsense"), 2);
	assert_int_equal(exit_code("nonsense"), 2);
	assert_int_equal(exit_code("--once --delay 0"), 2);
	assert_int_equal(exit_code("--once --delay 0.05"), 2);
	assert_int_equal(exit_code("--once --delay 2h"), 2);
	assert_int_equal(exit_code("--once --delay x"), 2);
	assert_int_equal(exit_code("--once --sort x"), 2);
	assert_int_equal(exit_code("--once --group x"), 2);
	/* longer than a filter may be */
	snprintf(command, sizeof(command), "--once --filter %066d", 0);
	assert_int_equal(exit_code(command), 2);
	/* no terminal */
	make_host(TOP_HOST_FULL);
	assert_int_equal(exit_code(""), 2);
}

#define TEST(name)	cmocka_unit_test_teardown(name, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(usual_window),
		TEST(large_window),
		TEST(low_window),
		TEST(windows_too_small),
		TEST(all_widths),
		TEST(ascii),
		TEST(orders),
		TEST(other_hosts),
		TEST(as_somebody_else),
		TEST(one_moment),
		TEST(wrong_usage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
