// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksmctl from outside, and the settings it applies.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "fixture.h"

#define KSM		"sys/kernel/mm/ksm/"
#define SETTINGS	"etc/default/ksm"

static void assert_file(const char *path, const char *expected)
{
	char text[256];

	fixture_read(path, text, sizeof(text));
	assert_string_equal(text, expected);
}

static int ksmctl(struct child *child, const char *one, const char *two)
{
	child_start(child, "ksmctl", one, two, NULL);
	return child_end(child);
}

static int count(const char *text, const char *what)
{
	int found = 0;

	while ((text = strstr(text, what))) {
		found++;
		text++;
	}
	return found;
}

static void test_start_stop(void **state)
{
	struct child child;

	(void)state;
	fixture_open("tuned");
	assert_int_equal(ksmctl(&child, "start", NULL), 0);
	assert_string_equal(child.text, "");
	assert_file(KSM "run", "1");
	assert_file(KSM "pages_to_scan", "100");
	assert_int_equal(ksmctl(&child, "start", NULL), 0);
	assert_int_equal(ksmctl(&child, "stop", NULL), 0);
	assert_file(KSM "run", "0");
	assert_int_equal(ksmctl(&child, "stop", NULL), 0);
	assert_file(KSM "run", "0");
}

static void test_settings(void **state)
{
	struct child child;

	(void)state;
	fixture_open("tuned");
	fixture_write(SETTINGS, "KSM_PAGES_TO_SCAN=1000\n"
		      "KSM_SLEEP_MILLISECS='50'\nKSM_USE_ZERO_PAGES=yes\n"
		      "KSM_MERGE_ACROSS_NODES=\n");
	assert_int_equal(ksmctl(&child, "start", NULL), 0);
	assert_string_equal(child.text, "");
	assert_file(KSM "pages_to_scan", "1000");
	assert_file(KSM "sleep_millisecs", "50");
	assert_file(KSM "use_zero_pages", "1");
	assert_file(KSM "merge_across_nodes", "1");
	assert_file(KSM "run", "1");
}

static void test_max_kernel_pages(void **state)
{
	struct child child;

	(void)state;
	fixture_open("tuned");
	fixture_write(SETTINGS,
		      "KSM_MAX_KERNEL_PAGES=0\nKSM_MAX_KERNEL_PAGES=5\n");
	assert_int_equal(ksmctl(&child, "start", NULL), 0);
	assert_int_equal(count(child.text, "KSM_MAX_KERNEL_PAGES"), 1);
	assert_int_equal(count(child.text, "no effect"), 1);
	assert_file(KSM "run", "1");
}

/* Whatever the file says: KSM is on, and each bad line is named. */
static void test_bad_settings(void **state)
{
	struct child child;

	(void)state;
	fixture_open("tuned");
	fixture_write(SETTINGS, "KSM_RUN=2\nKSM_PAGES_TO_SCAN=many\n"
		      "KSM_MAX_PAGE_SHARING=1\nKSM_DANCE=1\n"
		      "KSM_pages_to_scan=7\nreboot\n"
		      "KSM_SMART_SCAN=0\n"
		      "KSM_BOOT_BOOST=-1\nKSM_SLEEP_MILLISECS=30\n");
	assert_int_equal(ksmctl(&child, "start", NULL), 0);
	for (int line = 1; line <= 6; line++) {
		char text[64];

		snprintf(text, sizeof(text), "/" SETTINGS ":%d: ignored", line);
		assert_int_equal(count(child.text, text), 1);
	}
	assert_int_equal(count(child.text, ":7: "), 0);
	assert_int_equal(count(child.text, "no such knob"), 1);
	assert_int_equal(count(child.text, ":8: ignored: KSM_BOOT_BOOST"), 1);
	assert_file(KSM "run", "1");
	assert_file(KSM "pages_to_scan", "100");
	assert_file(KSM "sleep_millisecs", "30");
	assert_file(KSM "max_page_sharing", "256");
}

static void test_advisor_setting(void **state)
{
	struct child child;

	(void)state;
	fixture_open("tuned");
	fixture_write(SETTINGS, "KSM_ADVISOR_MODE=scan-time\n"
		      "KSM_ADVISOR_TARGET_SCAN_TIME=60\n");
	assert_int_equal(ksmctl(&child, "start", NULL), 0);
	assert_file(KSM "advisor_mode", "scan-time");
	assert_file(KSM "advisor_target_scan_time", "60");
}

static void test_status(void **state)
{
	struct child child;

	(void)state;
	fixture_open("tuned");
	assert_int_equal(ksmctl(&child, "status", NULL), 0);
	assert_non_null(strstr(child.text, "KSM        off; what was merged stays merged\n"));
	assert_non_null(strstr(child.text, "pace       100 pages, then 20 ms of pause\n"));
	assert_non_null(strstr(child.text, "shared     1000 pages, in place of 9000 more\n"));
	assert_non_null(strstr(child.text, "profit     34.3 MiB\n"));
}

static void test_boost(void **state)
{
	struct child child;

	(void)state;
	fixture_open("tuned");
	/* without a time, none */
	assert_int_equal(ksmctl(&child, "boost", NULL), 0);
	assert_file(KSM "pages_to_scan", "100");
	child_start(&child, "ksmctl", "boost", "1", NULL);
	child_expect(&child, "pages_to_scan is 5000 for 1 s");
	assert_file(KSM "pages_to_scan", "5000");
	assert_int_equal(child_end(&child), 0);
	assert_file(KSM "pages_to_scan", "100");
}

static void test_boost_ended(void **state)
{
	struct child child, second;

	(void)state;
	fixture_open("tuned");
	fixture_write(SETTINGS, "KSM_BOOT_BOOST=600\n");
	child_start(&child, "ksmctl", "boost", NULL);
	child_expect(&child, "5000 for 600 s");
	assert_int_equal(ksmctl(&second, "boost", "1"), 0);
	assert_non_null(strstr(second.text, "another"));
	/* as a debugger does it */
	child_kill(&child, SIGSTOP);
	child_kill(&child, SIGCONT);
	child_expect_none(&child, "restored", 300);
	assert_file(KSM "pages_to_scan", "5000");
	child_kill(&child, SIGTERM);
	assert_int_equal(child_end(&child), 0);
	assert_file(KSM "pages_to_scan", "100");
	child_start(&child, "ksmctl", "boost", NULL);
	child_expect(&child, "5000 for 600 s");
	child_kill(&child, SIGKILL);
	assert_int_equal(child_end(&child), -SIGKILL);
	assert_file(KSM "pages_to_scan", "5000");
	assert_int_equal(ksmctl(&child, "restore", NULL), 0);
	assert_file(KSM "pages_to_scan", "100");
}

/* Who sets the pace is not disturbed. */
static void test_boost_beside(void **state)
{
	struct child daemon, child;

	(void)state;
	fixture_open("tuned");
	child_start(&child, "ksmctl", "boost", "600", NULL);
	child_expect(&child, "5000 for 600 s");
	child_start(&daemon, "ksmtuned", NULL);
	child_expect(&daemon, "pages_to_scan restored: 5000 -> 100");
	child_expect(&daemon, "cause=start");
	assert_file(KSM "pages_to_scan", "100");
	child_kill(&child, SIGTERM);
	assert_int_equal(child_end(&child), 0);
	assert_int_equal(ksmctl(&child, "boost", "600"), 0);
	assert_non_null(strstr(child.text, "no boost: ksmtuned runs"));
	child_kill(&daemon, SIGTERM);
	assert_int_equal(child_end(&daemon), 0);
	assert_file(KSM "pages_to_scan", "100");
	fixture_write(KSM "advisor_mode", "none [scan-time]\n");
	assert_int_equal(ksmctl(&child, "boost", "600"), 0);
	assert_non_null(strstr(child.text, "no boost: the kernel's advisor"));
}

static void test_usage(void **state)
{
	struct child child;

	(void)state;
	fixture_open("tuned");
	assert_int_equal(ksmctl(&child, NULL, NULL), 2);
	assert_int_equal(ksmctl(&child, "dance", NULL), 2);
	assert_int_equal(ksmctl(&child, "start", "now"), 2);
	assert_int_equal(ksmctl(&child, "boost", "soon"), 2);
	assert_int_equal(ksmctl(&child, "boost", "86401"), 2);
	assert_int_equal(ksmctl(&child, "--dance", NULL), 2);
	assert_int_equal(ksmctl(&child, "--help", NULL), 0);
	assert_file(KSM "run", "0");
	fixture_remove("sys");
	assert_int_equal(ksmctl(&child, "start", NULL), 3);
	assert_int_equal(ksmctl(&child, "status", NULL), 3);
}

static int teardown(void **state)
{
	child_stop_all();
	return fixture_teardown(state);
}

#define TEST(name)	cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_start_stop),
		TEST(test_settings),
		TEST(test_max_kernel_pages),
		TEST(test_bad_settings),
		TEST(test_advisor_setting),
		TEST(test_status),
		TEST(test_boost),
		TEST(test_boost_ended),
		TEST(test_boost_beside),
		TEST(test_usage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
