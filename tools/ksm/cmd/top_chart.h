/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Charts: from what was measured at some times to dots.
 */
#ifndef KSM_TOP_CHART_H
#define KSM_TOP_CHART_H

#include <stdint.h>

#include "figure.h"
#include "top_frame.h"

/*
 * Between measurements further apart than this nobody knows.  "ksm record"
 * takes one each minute at most times.
 */
#define TOP_GAP_MS	(5 * 60 * 1000)

/**
 * struct top_point - a measurement
 * @ms:	   when
 * @value: what, NAN if unknown
 */
struct top_point {
	int64_t ms;
	double value;
};

/* Width that a chart can have, and the values that it has room for then */
#define TOP_CHART_COLUMNS	512
#define TOP_CHART_MAX		(2 * TOP_CHART_COLUMNS)

enum top_shape {
	TOP_LEVEL,	/* changes evenly from one measurement to the next */
	TOP_RATE,	/* is a mean since the measurement before */
};

/* What the lower and the upper end of a chart stand for; 0 is in between. */
struct top_scale {
	double low;
	double high;
};

/* A part of a frame */
struct top_area {
	int row;
	int column;
	int rows;
	int columns;
};

void top_chart_bins(const struct top_point *points, size_t count,
		    enum top_shape shape, int64_t from_ms, int64_t to_ms,
		    double *bins, size_t nr);
struct top_scale top_scale_bytes(const double *bins, size_t nr);
struct top_scale top_scale_percent(const double *bins, size_t nr);
size_t top_chart_resolution(const struct top_frame *frame, int columns);
void top_chart_draw(struct top_frame *frame, const struct top_area *area,
		    const double *bins, const struct top_scale *scale,
		    enum top_style style);
void top_chart_axis(struct top_frame *frame, const struct top_area *area,
		    const struct top_scale *scale,
		    void (*label)(double value, char *text, size_t size));

void top_label_bytes(double bytes, char *text, size_t size);
void top_label_percent(double percent, char *text, size_t size);

#endif
