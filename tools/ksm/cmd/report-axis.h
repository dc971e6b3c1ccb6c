/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The scale at the left of a chart.
 */
#ifndef KSM_REPORT_AXIS_H
#define KSM_REPORT_AXIS_H

#include <jansson.h>

#include "units.h"

enum report_unit { REPORT_BYTES, REPORT_PERCENT, REPORT_RATE };

/**
 * struct report_axis - from what to what
 * @unit: of the values
 * @low:  0, or less
 * @high: more than @low
 * @step: between two ticks
 */
struct report_axis {
	enum report_unit unit;
	double low;
	double high;
	double step;
};

void report_axis_of(struct report_axis *axis, enum report_unit unit,
		    double low, double high);
double report_y(const struct report_axis *axis, double value);
json_t *report_axis_ticks(const struct report_axis *axis);
struct ksm_text report_value(enum report_unit unit, double value);

#endif
