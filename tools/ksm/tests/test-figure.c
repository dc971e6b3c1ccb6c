// SPDX-License-Identifier: GPL-2.0-only
#include "figure.h"
#include "fixture.h"
#include "root.h"

static void unknown_stays_unknown(void **state)
{
	(void)state;
	assert_int_equal(fig_add(KSM_UNKNOWN, 1), KSM_UNKNOWN);
	assert_int_equal(fig_add(1, KSM_UNKNOWN), KSM_UNKNOWN);
	assert_int_equal(fig_sub(KSM_UNKNOWN, -1), KSM_UNKNOWN);
	assert_int_equal(fig_sub(0, KSM_UNKNOWN), KSM_UNKNOWN);
	assert_int_equal(fig_mul(KSM_UNKNOWN, 0), KSM_UNKNOWN);
	assert_int_equal(fig_mul(0, KSM_UNKNOWN), KSM_UNKNOWN);
	assert_true(isnan(fig_double(KSM_UNKNOWN)));
	assert_true(isnan(fig_ratio(KSM_UNKNOWN, 2)));
	assert_true(isnan(fig_ratio(2, KSM_UNKNOWN)));
}

static void overflow_is_unknown(void **state)
{
	(void)state;
	assert_int_equal(fig_add(INT64_MAX, 1), KSM_UNKNOWN);
	assert_int_equal(fig_sub(-2, INT64_MAX), KSM_UNKNOWN);
	assert_int_equal(fig_mul(INT64_MAX / 4096 + 1, 4096), KSM_UNKNOWN);
	assert_int_equal(fig_mul(INT64_MAX / 4096, 4096),
			 INT64_MAX / 4096 * 4096);
}

static void known_ones_are_computed(void **state)
{
	(void)state;
	assert_int_equal(fig_add(3, -5), -2);
	assert_int_equal(fig_sub(3, 5), -2);
	assert_int_equal(fig_mul(-3, 5), -15);
	assert_true(fig_ratio(1, 4) == 0.25);
	assert_true(isnan(fig_ratio(1, 0)));
	assert_int_equal(fig_or_zero(KSM_UNKNOWN), 0);
	assert_int_equal(fig_or_zero(7), 7);
}

static void only_numbers_are_parsed(void **state)
{
	static const char *const bad[] = {
		"", "-", "x", " 7", "+7", "0x10", "1e6", "12 34", "7kB",
		"9223372036854775808", "18446744073709551615",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (ksm_parse_figure(bad[i]) != KSM_UNKNOWN)
			fail_msg("\"%s\" was taken for a number", bad[i]);
	assert_int_equal(ksm_parse_figure("0"), 0);
	assert_int_equal(ksm_parse_figure("-16384\n"), -16384);
	assert_int_equal(ksm_parse_figure("00012\n"), 12);
	assert_int_equal(ksm_parse_figure("9223372036854775807"), INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_stays_unknown),
		cmocka_unit_test(overflow_is_unknown),
		cmocka_unit_test(known_ones_are_computed),
		cmocka_unit_test(only_numbers_are_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
