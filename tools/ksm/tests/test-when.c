// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <time.h>

#include "fixture.h"
#include "when.h"

/* 29 Nov 2026, 15:40:12 UTC */
#define NOW_MS		1795966812000LL
#define HOUR_MS		3600000LL

static void in_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

static void moments(void **state)
{
	(void)state;
	in_zone("UTC");
	assert_int_equal(ksm_parse_time_ms("now", NOW_MS), NOW_MS);
	assert_int_equal(ksm_parse_time_ms("2026-11-29 15:40:12", 0), NOW_MS);
	assert_int_equal(ksm_parse_time_ms("2026-11-29T15:40:12", 0), NOW_MS);
	assert_int_equal(ksm_parse_time_ms("2026-11-29 15:40", 0),
			 NOW_MS - 12000);
	assert_int_equal(ksm_parse_time_ms("15:40", NOW_MS), NOW_MS - 12000);
	assert_int_equal(ksm_parse_time_ms("15:40:12", NOW_MS), NOW_MS);
	assert_int_equal(ksm_parse_time_ms("2026-11-29", 0),
			 NOW_MS - 12000 - 15 * HOUR_MS - 40 * 60000);
}

static void of_the_local_clock(void **state)
{
	(void)state;
	in_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_int_equal(ksm_parse_time_ms("2026-11-29 16:40:12", 0), NOW_MS);
	assert_int_equal(ksm_parse_time_ms("2026-11-29 15:40:12Z", 0), NOW_MS);
	assert_int_equal(ksm_parse_time_ms("16:40:12", NOW_MS), NOW_MS);
	/* in summer it is another hour */
	assert_int_equal(ksm_parse_time_ms("2026-07-01 14:00", NOW_MS),
			 ksm_parse_time_ms("2026-07-01 12:00Z", NOW_MS));
	assert_string_equal(ksm_time(NOW_MS, "%H:%M %Z").s, "16:40 CET");
	assert_string_equal(ksm_time(KSM_UNKNOWN, "%H:%M").s, "-");
}

static void no_moments(void **state)
{
	static const char *const texts[] = {
		"", "x", "yesterday", "2026-13-01", "25:00", "15:40 x",
		"2026-11-29 15:40 UTC", "1900-01-01", "-1", "2026",
	};

	(void)state;
	in_zone("UTC");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(ksm_parse_time_ms(texts[i], NOW_MS),
				 KSM_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moments),
		cmocka_unit_test(of_the_local_clock),
		cmocka_unit_test(no_moments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
