// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "report-axis.h"
#include "report-chart.h"

#define TICKS	4

/* A size, percentage or rate in words; "-" if it is not known */
struct ksm_text report_value(enum report_unit unit, double value)
{
	if (unit == REPORT_PERCENT)
		return ksm_percent(value);
	if (unit == REPORT_RATE)
		return ksm_rate(value);
	return ksm_size(fig_round(value));
}

/* 1, 2 or 5 times a power of ten, in the unit that is shown */
static double round_step(double rough, double unit)
{
	double power = pow(10, floor(log10(rough / unit)));
	double part = rough / unit / power;

	return (part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 10) * power *
	       unit;
}

static double unit_of(enum report_unit unit, double value)
{
	double size = 1;

	while (unit == REPORT_BYTES && value >= 1024 * size)
		size *= 1024;
	return size;
}

/**
 * report_axis_of() - a scale for these values
 * @axis: result
 * @unit: of the values
 * @low:  the least, NAN if there are none
 * @high: the most
 */
void report_axis_of(struct report_axis *axis, enum report_unit unit,
		    double low, double high)
{
	/* fmin() and fmax() take what is known */
	low = fmin(low, 0);
	high = fmax(high, 0);
	if (high - low <= 0)
		high = unit == REPORT_BYTES ? 1024 * 1024 : 1;
	axis->unit = unit;
	axis->step = round_step((high - low) / TICKS,
				unit_of(unit, fmax(high, -low)));
	axis->low = floor(low / axis->step) * axis->step;
	axis->high = ceil(high / axis->step) * axis->step;
}

/* Where a value is, from the top */
double report_y(const struct report_axis *axis, double value)
{
	double part = (value - axis->low) / (axis->high - axis->low);

	return REPORT_HEIGHT - REPORT_BOTTOM -
	       part * (REPORT_HEIGHT - REPORT_TOP - REPORT_BOTTOM);
}

/* Shorter than the value would be elsewhere: ticks are round. */
static struct ksm_text label(const struct report_axis *axis, double value)
{
	static const char *const units[] = {
		"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB",
	};
	struct ksm_text text;
	int i = 0;

	if (axis->unit == REPORT_RATE)
		return ksm_rate(value);
	if (axis->unit == REPORT_BYTES)
		i = lround(log2(unit_of(axis->unit,
					fmax(axis->high, -axis->low))) / 10);
	snprintf(text.s, sizeof(text.s), "%.4g %s", value / pow(1024, i),
		 axis->unit == REPORT_PERCENT ? "%" : units[i]);
	return text;
}

/* All ticks, each with its place and its label */
json_t *report_axis_ticks(const struct report_axis *axis)
{
	json_t *list = json_array();
	int count = lround((axis->high - axis->low) / axis->step);

	for (int i = 0; i <= count; i++) {
		double value = axis->low + i * axis->step;
		double y = report_y(axis, value);
		bool zero = fabs(value) < axis->step / 2;
		json_t *tick = json_pack("{s:f,s:f,s:s,s:s}", "y", y,
					 "text_y", y + 4, "label",
					 label(axis, value).s,
					 "class", zero ? "zero" : "");

		json_array_append_new(list, tick);
	}
	return list;
}
