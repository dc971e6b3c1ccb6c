// SPDX-License-Identifier: GPL-2.0-only
/*
 * /etc/ksmtuned.conf: what is understood, and what hostile files can do.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assign.h"
#include "conf.h"
#include "fixture.h"
#include "root.h"

#define CONF	"etc/ksmtuned.conf"

static struct tuned_config read_conf(const char *text, int expected)
{
	struct tuned_config config;

	fixture_write(CONF, text);
	assert_int_equal(tuned_conf_read(&config), expected);
	return config;
}

static void assert_defaults(const struct tuned_config *config)
{
	struct tuned_config preset;

	tuned_conf_default(&preset);
	assert_int_equal(config->interval_s, preset.interval_s);
	assert_int_equal(config->sleep_ms, preset.sleep_ms);
	assert_int_equal(config->boost, preset.boost);
	assert_int_equal(config->decay, preset.decay);
	assert_int_equal(config->npages_min, preset.npages_min);
	assert_int_equal(config->npages_max, preset.npages_max);
	assert_int_equal(config->thres_coef, preset.thres_coef);
	assert_int_equal(config->thres_const_kib, preset.thres_const_kib);
	assert_int_equal(config->psi_stall_ms, preset.psi_stall_ms);
	assert_int_equal(config->debug, preset.debug);
	assert_string_equal(config->logfile, "");
}

static void test_defaults(void **state)
{
	struct tuned_config config;

	(void)state;
	fixture_open(NULL);
	assert_int_equal(tuned_conf_read(&config), 0);
	assert_int_equal(config.interval_s, 60);
	assert_int_equal(config.sleep_ms, 10);
	assert_int_equal(config.boost, 300);
	assert_int_equal(config.decay, -50);
	assert_int_equal(config.npages_min, 64);
	assert_int_equal(config.npages_max, 1250);
	assert_int_equal(config.thres_coef, 20);
	assert_int_equal(config.thres_const_kib, 2048);
	assert_int_equal(config.debug, 0);
	assert_string_equal(config.logfile, "");
}

static void test_all_keys(void **state)
{
	struct tuned_config config;

	(void)state;
	fixture_open(NULL);
	config = read_conf("# a comment\n\n"
			   "KSM_MONITOR_INTERVAL=5\n"
			   "  KSM_SLEEP_MSEC=\"20\"   # and one here\n"
			   "export KSM_NPAGES_BOOST='400'\n"
			   "KSM_NPAGES_DECAY=-60\r\n"
			   "KSM_NPAGES_MIN=1\n"
			   "KSM_NPAGES_MAX=2\n"
			   "KSM_THRES_COEF=30\n"
			   "KSM_THRES_CONST=4096\n"
			   "KSM_PSI_STALL_MSEC=0\n"
			   "LOGFILE=/var/\"log/ksm\"'tuned'\n"
			   "DEBUG=1", 0);
	assert_int_equal(config.interval_s, 5);
	assert_int_equal(config.sleep_ms, 20);
	assert_int_equal(config.boost, 400);
	assert_int_equal(config.decay, -60);
	assert_int_equal(config.npages_min, 1);
	assert_int_equal(config.npages_max, 2);
	assert_int_equal(config.thres_coef, 30);
	assert_int_equal(config.thres_const_kib, 4096);
	assert_int_equal(config.psi_stall_ms, 0);
	assert_string_equal(config.logfile, "/var/log/ksmtuned");
	assert_int_equal(config.debug, 1);
}

static void test_sign_left_out(void **state)
{
	(void)state;
	fixture_open(NULL);
	assert_int_equal(read_conf("KSM_NPAGES_DECAY=70\n", 0).decay, -70);
}

/* Each of these lines is left out, with a word about it. */
static const char *const bad_lines[] = {
	"KSM_MONITOR_INTERVAL=0",
	"KSM_MONITOR_INTERVAL=86401",
	"KSM_MONITOR_INTERVAL=-1",
	"KSM_MONITOR_INTERVAL=",
	"KSM_MONITOR_INTERVAL=1e3",
	"KSM_MONITOR_INTERVAL=99999999999999999999999",
	"KSM_MONITOR_INTERVAL=0x10",
	"KSM_MONITOR_INTERVAL=10 20",
	"KSM_MONITOR_INTERVAL = 10",
	"KSM_MONITOR_INTERVAL=10;",
	"KSM_MONITOR_INTERVAL=$((10))",
	"KSM_MONITOR_INTERVAL=`echo 10`",
	"KSM_MONITOR_INTERVAL=\"$TEN\"",
	"KSM_MONITOR_INTERVAL=1\\0",
	"KSM_MONITOR_INTERVAL=\"10",
	"KSM_MONITOR_INTERVAL='10",
	"KSM_MONITOR_INTERVAL=1\\00",
	"ksm_monitor_interval=10",
	"KSM_SLEEP_MSEC=0",
	"KSM_NPAGES_BOOST=-1",
	"KSM_NPAGES_BOOST=4294967296",
	"KSM_NPAGES_DECAY=-4294967296",
	"KSM_NPAGES_MIN=0",
	"KSM_NPAGES_MAX=0",
	"KSM_THRES_COEF=101",
	"KSM_THRES_COEF=-1",
	"KSM_THRES_CONST=9223372036854775807",
	"KSM_PSI_STALL_MSEC=2001",
	"DEBUG=2",
	"DEBUG=yes",
	"LOGFILE=ksmtuned.log",
	"LOGFILE=$HOME/log",
	"PATH=/tmp",
	"rm -rf /",
	"=10",
	"export",
	"export =3",
	"9KSM=1",
	"\xff\xfe\x00",
};

static void test_bad_lines(void **state)
{
	(void)state;
	fixture_open(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(bad_lines); i++) {
		struct tuned_config config;

		print_message("%s\n", bad_lines[i]);
		config = read_conf(bad_lines[i], 0);
		assert_defaults(&config);
	}
}

/* A bad line takes none of its neighbours along. */
static void test_good_beside_bad(void **state)
{
	struct tuned_config config;

	(void)state;
	fixture_open(NULL);
	config = read_conf("KSM_NPAGES_MIN=70\nKSM_NPAGES_MIN=$(reboot)\n"
			   "KSM_NPAGES_MAX=80\\0 90\nKSM_SLEEP_MSEC=30\n", 0);
	assert_int_equal(config.npages_min, 70);
	assert_int_equal(config.sleep_ms, 30);
}

static void test_min_over_max(void **state)
{
	struct tuned_config config;

	(void)state;
	fixture_open(NULL);
	config = read_conf("KSM_NPAGES_MIN=2000\n", 0);
	assert_int_equal(config.npages_min, 64);
	assert_int_equal(config.npages_max, 1250);
}

static void test_not_executed(void **state)
{
	char text[KSM_PATH_MAX * 5], mark[KSM_PATH_MAX];

	(void)state;
	fixture_open(NULL);
	strcpy(mark, fixture_path("mark"));
	snprintf(text, sizeof(text),
		 "touch %s\nLOGFILE=$(touch %s)\nDEBUG=1 touch %s\n"
		 "LOGFILE=`touch %s`\n", mark, mark, mark, mark);
	read_conf(text, 0);
	assert_int_not_equal(access(mark, F_OK), 0);
}

static void test_long_lines(void **state)
{
	char *text = malloc(60000);
	struct tuned_config config;

	(void)state;
	fixture_open(NULL);
	memset(text, 'x', 60000);
	memcpy(text, "LOGFILE=/", 9);
	strcpy(text + 50000, "\nKSM_SLEEP_MSEC=30\n");
	config = read_conf(text, 0);
	assert_string_equal(config.logfile, "");
	assert_int_equal(config.sleep_ms, 30);
	/* between the longest value and the longest path */
	text[9 + TUNED_LOGFILE_MAX - 1] = '\n';
	text[9 + TUNED_LOGFILE_MAX] = '\0';
	assert_string_equal(read_conf(text, 0).logfile, "");
	text[9 + TUNED_LOGFILE_MAX - 2] = '\0';
	assert_int_equal(strlen(read_conf(text, 0).logfile),
			 TUNED_LOGFILE_MAX - 1);
	free(text);
}

static void test_huge_file(void **state)
{
	char *text = malloc(70001);
	struct tuned_config config;

	(void)state;
	fixture_open(NULL);
	memset(text, '\n', 70000);
	memcpy(text, "DEBUG=1\n", 8);
	text[70000] = '\0';
	config = read_conf(text, -EFBIG);
	assert_defaults(&config);
	free(text);
}

static void test_writable_by_all(void **state)
{
	struct tuned_config config;

	(void)state;
	fixture_open(NULL);
	fixture_write(CONF, "LOGFILE=/etc/passwd\n");
	assert_int_equal(chmod(fixture_path(CONF), 0666), 0);
	assert_int_equal(tuned_conf_read(&config), -EPERM);
	assert_defaults(&config);
}

/* Opening a FIFO would wait for a writer. */
static void test_no_file(void **state)
{
	struct tuned_config config;

	(void)state;
	fixture_open(NULL);
	fixture_write("etc/.keep", "");
	assert_int_equal(mkfifo(fixture_path(CONF), 0600), 0);
	alarm(10);
	assert_int_equal(tuned_conf_read(&config), -EINVAL);
	alarm(0);
	assert_defaults(&config);
	fixture_remove(CONF);
	assert_int_equal(mkdir(fixture_path(CONF), 0700), 0);
	assert_int_equal(tuned_conf_read(&config), -EINVAL);
}

static void parse(struct assign *assign, const char *text)
{
	static char line[256];

	strcpy(line, text);
	assign_parse(assign, line, strlen(line));
}

static void test_parse(void **state)
{
	struct assign assign;

	(void)state;
	parse(&assign, "A_1=b#c # d\n");
	assert_string_equal(assign.name, "A_1");
	assert_string_equal(assign.value, "b#c");
	parse(&assign, "A=\n");
	assert_string_equal(assign.name, "A");
	assert_string_equal(assign.value, "");
	parse(&assign, "A='$x `y` \\z'\n");
	assert_string_equal(assign.value, "$x `y` \\z");
	parse(&assign, "A=\"it's\"\n");
	assert_string_equal(assign.value, "it's");
	parse(&assign, "exported=1\n");
	assert_string_equal(assign.name, "exported");
	parse(&assign, " \t\r\n");
	assert_null(assign.name);
	assert_null(assign.error);
	parse(&assign, "A=a b\n");
	assert_null(assign.name);
	assert_non_null(assign.error);
}

/* What a shell would act on is not taken for text. */
static void test_parse_active(void **state)
{
	static const char *const lines[] = {
		"A=/x$y", "A=/x`y`", "A=/x\\y", "A=/x;y", "A=/x&y", "A=/x|y",
		"A=/x<y", "A=/x>y", "A=/x(y)", "A=\"/x$y\"", "A=\"/x`y`\"",
		"A=\"/x\\y\"", "A='x'$y", "A=;",
	};
	struct assign assign;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		print_message("%s\n", lines[i]);
		parse(&assign, lines[i]);
		assert_null(assign.name);
		assert_non_null(assign.error);
	}
}

#define TEST(name)	cmocka_unit_test_teardown(name, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_defaults),
		TEST(test_all_keys),
		TEST(test_sign_left_out),
		TEST(test_bad_lines),
		TEST(test_good_beside_bad),
		TEST(test_min_over_max),
		TEST(test_not_executed),
		TEST(test_long_lines),
		TEST(test_huge_file),
		TEST(test_writable_by_all),
		TEST(test_no_file),
		TEST(test_parse),
		TEST(test_parse_active),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
