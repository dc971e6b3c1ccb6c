// SPDX-License-Identifier: GPL-2.0-only
#include "fixture.h"
#include "units.h"

#define GIB	(1024.0 * 1024 * 1024)

static void sizes(void **state)
{
	(void)state;
	assert_string_equal(ksm_size(KSM_UNKNOWN).s, "-");
	assert_string_equal(ksm_size(0).s, "0 B");
	assert_string_equal(ksm_size(1023).s, "1023 B");
	assert_string_equal(ksm_size(1024).s, "1.00 KiB");
	assert_string_equal(ksm_size(-16384).s, "-16.0 KiB");
	assert_string_equal(ksm_size(71 << 20).s, "71.0 MiB");
	assert_string_equal(ksm_size(250 << 20).s, "250 MiB");
	/* rounding must not show 10.00, 100.0 or 1024 */
	assert_string_equal(ksm_size(9.996 * GIB).s, "10.0 GiB");
	assert_string_equal(ksm_size(99.96 * GIB).s, "100 GiB");
	assert_string_equal(ksm_size(1023.4 * GIB).s, "1023 GiB");
	assert_string_equal(ksm_size(1023.6 * GIB).s, "1.00 TiB");
	assert_string_equal(ksm_size(6571298816).s, "6.12 GiB");
	assert_string_equal(ksm_size(INT64_MAX).s, "8.00 EiB");
}

static void counts(void **state)
{
	(void)state;
	assert_string_equal(ksm_count(KSM_UNKNOWN).s, "-");
	assert_string_equal(ksm_count(0).s, "0");
	assert_string_equal(ksm_count(999).s, "999");
	assert_string_equal(ksm_count(1902).s, "1,902");
	assert_string_equal(ksm_count(-123456).s, "-123,456");
	assert_string_equal(ksm_count(INT64_MAX).s,
			    "9,223,372,036,854,775,807");
	assert_string_equal(ksm_raw(-123456).s, "-123456");
	assert_string_equal(ksm_raw(KSM_UNKNOWN).s, "-");
}

static void durations(void **state)
{
	(void)state;
	assert_string_equal(ksm_duration(NAN).s, "-");
	assert_string_equal(ksm_duration(0.25).s, "250 ms");
	assert_string_equal(ksm_duration(41.2).s, "41 s");
	assert_string_equal(ksm_duration(119).s, "119 s");
	assert_string_equal(ksm_duration(120).s, "2 min");
	assert_string_equal(ksm_duration(2 * 3600).s, "2.0 h");
	assert_string_equal(ksm_duration(47 * 3600).s, "47.0 h");
	assert_string_equal(ksm_duration(72 * 3600).s, "3 days");
}

static void rates(void **state)
{
	(void)state;
	assert_string_equal(ksm_rate(NAN).s, "-");
	assert_string_equal(ksm_rate(0).s, "0/s");
	assert_string_equal(ksm_rate(0.25).s, "0.2/s");
	assert_string_equal(ksm_rate(12.2).s, "12/s");
	assert_string_equal(ksm_rate(12345.6).s, "12,346/s");
	assert_string_equal(ksm_percent(NAN).s, "-");
	assert_string_equal(ksm_percent(0.94).s, "0.9 %");
	assert_string_equal(ksm_percent(31.4).s, "31 %");
}

static void durations_are_parsed(void **state)
{
	static const char *const bad[] = {
		"", "x", "-5", "10 minutes", "1y", "5smin", "0", "1e30d",
		"nan", "inf",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (ksm_parse_duration_ms(bad[i]) != KSM_UNKNOWN)
			fail_msg("\"%s\" was taken for a time", bad[i]);
	assert_int_equal(ksm_parse_duration_ms("10"), 10000);
	assert_int_equal(ksm_parse_duration_ms("10min"), 600000);
	assert_int_equal(ksm_parse_duration_ms("10 min"), 600000);
	assert_int_equal(ksm_parse_duration_ms("0.5s"), 500);
	assert_int_equal(ksm_parse_duration_ms("1h"), 3600000);
	assert_int_equal(ksm_parse_duration_ms("2d"), 172800000);
	assert_int_equal(ksm_parse_duration_ms("20ms"), 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(counts),
		cmocka_unit_test(durations),
		cmocka_unit_test(rates),
		cmocka_unit_test(durations_are_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
