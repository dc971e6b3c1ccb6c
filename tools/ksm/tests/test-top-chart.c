// SPDX-License-Identifier: GPL-2.0-only
/*
 * From measurements to dots
 */
#include <locale.h>
#include <math.h>
#include <string.h>

#include "../cmd/top_chart.h"
#include "fixture.h"

#define MINUTE	60000LL
#define MIB	(1 << 20)
#define NR	4

static double bins[64];

/* Four bins of a minute each */
static void make_bins(const struct top_point *points, size_t count,
		      enum top_shape shape)
{
	for (size_t i = 0; i < 64; i++)
		bins[i] = -7;
	top_chart_bins(points, count, shape, 0, NR * MINUTE, bins, NR);
	/* nothing else is written to */
	assert_true(bins[NR] == -7);
}

static void near(double value, double expected)
{
	if (!(fabs(value - expected) < 0.000001))
		fail_msg("%g instead of %g", value, expected);
}

static void nothing_known(void **state)
{
	(void)state;
	make_bins(NULL, 0, TOP_LEVEL);
	for (int i = 0; i < NR; i++)
		assert_true(isnan(bins[i]));
}

static void one_measurement(void **state)
{
	const struct top_point point = { 90 * 1000, 5 };

	(void)state;
	make_bins(&point, 1, TOP_LEVEL);
	assert_true(isnan(bins[0]));
	near(bins[1], 5);
	assert_true(isnan(bins[2]) && isnan(bins[3]));
	/* one alone is no rate of anything */
	make_bins(&point, 1, TOP_RATE);
	assert_true(isnan(bins[1]));
}

/* The last moment is the right edge, not beyond it. */
static void one_measurement_now(void **state)
{
	const struct top_point point = { NR * MINUTE, 5 };

	(void)state;
	make_bins(&point, 1, TOP_LEVEL);
	near(bins[NR - 1], 5);
}

static void level_between_measurements(void **state)
{
	const struct top_point points[] = { { 0, 0 }, { 4 * MINUTE, 8 } };

	(void)state;
	make_bins(points, 2, TOP_LEVEL);
	for (int i = 0; i < NR; i++)
		near(bins[i], 1 + 2 * i);
}

/* A line that begins before what is shown counts from the edge on. */
static void level_from_outside(void **state)
{
	const struct top_point points[] = {
		{ -2 * MINUTE, 0 }, { 2 * MINUTE, 4 }, { 6 * MINUTE, 4 },
	};

	(void)state;
	make_bins(points, 3, TOP_LEVEL);
	near(bins[0], 2.5);
	near(bins[1], 3.5);
	near(bins[2], 4);
	near(bins[3], 4);
}

static void rates_hold_until_measured(void **state)
{
	const struct top_point points[] = {
		{ 0, NAN }, { 90 * 1000, 10 }, { 4 * MINUTE, 2 },
	};

	(void)state;
	make_bins(points, 3, TOP_RATE);
	near(bins[0], 10);
	near(bins[1], 6);
	near(bins[2], 2);
	near(bins[3], 2);
}

/* A short peak is seen, however wide the bins are. */
static void peaks_are_not_lost(void **state)
{
	const struct top_point points[] = {
		{ 0, 0 }, { 60 * 1000, 0 }, { 66 * 1000, 100 },
		{ 120 * 1000, 0 },
	};

	(void)state;
	make_bins(points, 4, TOP_RATE);
	near(bins[0], 0);
	near(bins[1], 10);
}

static void gaps(void **state)
{
	const struct top_point points[] = {
		{ -20 * MINUTE, 3 }, { MINUTE / 2, 3 }, { MINUTE, 3 },
		{ MINUTE + TOP_GAP_MS + 1, 9 },
	};
	const struct top_point unknown[] = {
		{ 0, 3 }, { MINUTE, NAN }, { 2 * MINUTE, 5 }, { 3 * MINUTE, 5 },
	};

	(void)state;
	make_bins(points, 4, TOP_LEVEL);
	near(bins[0], 3);
	/* the measurement at the begin of the second */
	near(bins[1], 3);
	assert_true(isnan(bins[2]) && isnan(bins[3]));
	make_bins(unknown, 4, TOP_LEVEL);
	near(bins[0], 3);
	assert_true(isnan(bins[1]));
	near(bins[2], 5);
}

static void two_of_one_time(void **state)
{
	const struct top_point points[] = {
		{ 0, 1 }, { MINUTE, 1 }, { MINUTE, 3 }, { 2 * MINUTE, 3 },
	};

	(void)state;
	make_bins(points, 4, TOP_LEVEL);
	near(bins[0], 1);
	near(bins[1], 3);
}

static void check_bytes(double low, double high, double want_low,
			double want_high)
{
	const double values[] = { NAN, low, high };
	struct top_scale scale = top_scale_bytes(values, 3);

	near(scale.low, want_low);
	near(scale.high, want_high);
}

static void scales_of_bytes(void **state)
{
	(void)state;
	check_bytes(NAN, NAN, 0, MIB);
	check_bytes(0, 0, 0, MIB);
	check_bytes(0, MIB, 0, MIB);
	check_bytes(0, 1.1 * MIB, 0, 1.5 * MIB);
	check_bytes(0, 6.12 * 1024 * MIB, 0, 8.0 * 1024 * MIB);
	check_bytes(0, 5.9 * 1024 * MIB, 0, 6.0 * 1024 * MIB);
	/* costs more than it saves, now or always */
	check_bytes(-3 * MIB, 9 * MIB, -3 * MIB, 12 * MIB);
	check_bytes(-16384, NAN, -MIB, 0);
}

static void check_percent(double percent, double want)
{
	const double values[] = { percent, NAN };
	struct top_scale scale = top_scale_percent(values, 2);

	near(scale.low, 0);
	near(scale.high, want);
}

static void scales_of_percent(void **state)
{
	(void)state;
	check_percent(NAN, 1);
	check_percent(0, 1);
	check_percent(0.9, 1);
	check_percent(1.1, 2);
	check_percent(21, 50);
	check_percent(100, 100);
	check_percent(101, 200);
}

static void check_label(double bytes, const char *want)
{
	char text[32];

	top_label_bytes(bytes, text, sizeof(text));
	assert_string_equal(text, want);
}

static void labels(void **state)
{
	char text[32];

	(void)state;
	check_label(0, "0");
	check_label(1.5 * MIB, "1.5 MiB");
	check_label(-8.0 * 1024 * MIB, "-8 GiB");
	check_label(1024.0 * 1024 * MIB, "1 TiB");
	top_label_percent(50, text, sizeof(text));
	assert_string_equal(text, "50 %");
	top_label_percent(0, text, sizeof(text));
	assert_string_equal(text, "0");
}

/* Draw @bins with two rows; @want has both, with a newline behind each. */
static void check_chart(bool utf8, int columns, struct top_scale scale,
			const char *want)
{
	struct top_frame frame = { .utf8 = utf8 };
	struct top_area area = { 0, 0, 2, columns };
	char text[256] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_int_equal(top_frame_resize(&frame, 2, columns), 0);
	assert_int_equal(top_chart_resolution(&frame, columns),
			 utf8 ? 2 * columns : columns);
	top_chart_draw(&frame, &area, bins, &scale, TOP_GAIN);
	top_frame_write(&frame, out);
	fclose(out);
	top_frame_free(&frame);
	assert_string_equal(text, want);
}

static void set_bins(const double *values, size_t nr)
{
	memcpy(bins, values, nr * sizeof(*values));
}

static void dots_in_utf8(void **state)
{
	const double values[] = { 0, 1, 2, 4, NAN, 8, 5, 8 };

	(void)state;
	set_bins(values, 8);
	/* a zero is one dot, what is unknown is none */
	check_chart(true, 4, (struct top_scale){ 0, 8 },
		    "  \u28b8\u28f8\n\u28c0\u28fc\u28b8\u28ff\n");
}

static void dots_in_ascii(void **state)
{
	const double values[] = { 0, 1, 2, 3, 4, NAN, 4 };

	(void)state;
	set_bins(values, 7);
	check_chart(false, 7, (struct top_scale){ 0, 4 },
		    "   .: :\n..::: :\n");
}

static void negative_dots(void **state)
{
	const double values[] = { 2, 1, 0, -1, -2, NAN, -0.1 };

	(void)state;
	set_bins(values, 7);
	check_chart(false, 7, (struct top_scale){ -2, 2 },
		    ":..\n   ': '\n");
	/* nothing above: what hangs there hangs from the top */
	set_bins(values + 2, 3);
	check_chart(false, 3, (struct top_scale){ -2, 0 }, "'::\n  :\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_known),
		cmocka_unit_test(one_measurement),
		cmocka_unit_test(one_measurement_now),
		cmocka_unit_test(level_between_measurements),
		cmocka_unit_test(level_from_outside),
		cmocka_unit_test(rates_hold_until_measured),
		cmocka_unit_test(peaks_are_not_lost),
		cmocka_unit_test(gaps),
		cmocka_unit_test(two_of_one_time),
		cmocka_unit_test(scales_of_bytes),
		cmocka_unit_test(scales_of_percent),
		cmocka_unit_test(labels),
		cmocka_unit_test(dots_in_utf8),
		cmocka_unit_test(dots_in_ascii),
		cmocka_unit_test(negative_dots),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
