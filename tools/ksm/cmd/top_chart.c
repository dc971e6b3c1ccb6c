// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <string.h>

#include "top_chart.h"

/*
 * From measurements to values.  Bins are equal parts of the time shown; each
 * gets the mean of what was measured in it, so that no peak gets lost, whatever
 * the width of the window.
 */

/**
 * struct bins - values under work
 * @value: sum over time, then the mean
 * @ms:	   time that @value covers, for each bin
 * @nr:	   how many
 * @from:  begin of the first one
 * @width: of each, in ms
 */
struct bins {
	double *value;
	double ms[TOP_CHART_MAX];
	size_t nr;
	int64_t from;
	double width;
};

/* A line from one measurement to the next, or a part of it */
struct line {
	double begin;
	double end;
	double at_begin;
	double at_end;
};

static double line_at(const struct line *line, double ms)
{
	double part = (ms - line->begin) / (line->end - line->begin);

	return line->at_begin + part * (line->at_end - line->at_begin);
}

static void add_line(struct bins *bins, const struct line *line)
{
	double first = (line->begin - bins->from) / bins->width;
	double last = (line->end - bins->from) / bins->width;

	for (double i = fmax(floor(first), 0); i < bins->nr && i < last; i++) {
		double begin = fmax(line->begin, bins->from + i * bins->width);
		double end = fmin(line->end,
				  bins->from + (i + 1) * bins->width);
		double ms = end - begin;

		if (ms <= 0)
			continue;
		bins->value[(size_t)i] += ms * line_at(line, (begin + end) / 2);
		bins->ms[(size_t)i] += ms;
	}
}

static void add_lines(struct bins *bins, const struct top_point *points,
		      size_t count, enum top_shape shape)
{
	for (size_t i = 1; i < count; i++) {
		const struct top_point *from = &points[i - 1], *to = &points[i];
		struct line line = {
			from->ms, to->ms,
			shape == TOP_RATE ? to->value : from->value, to->value,
		};

		if (to->ms > from->ms && to->ms - from->ms <= TOP_GAP_MS &&
		    !isnan(line.at_begin) && !isnan(line.at_end))
			add_line(bins, &line);
	}
}

static void take_means(struct bins *bins)
{
	for (size_t i = 0; i < bins->nr; i++)
		bins->value[i] = bins->ms[i] > 0 ? bins->value[i] / bins->ms[i]
						 : NAN;
}

/* A measurement without neighbours is better than nothing. */
static void add_single(struct bins *bins, const struct top_point *points,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		double at = (points[i].ms - bins->from) / bins->width;
		size_t bin = at;

		/* the last moment belongs to the last bin */
		if (at == bins->nr)
			bin--;
		if (at >= 0 && bin < bins->nr && isnan(bins->value[bin]))
			bins->value[bin] = points[i].value;
	}
}

/**
 * top_chart_bins() - what to show of a span of time
 * @points:  measurements, from old to new
 * @count:   how many
 * @shape:   what they tell of the time in between
 * @from_ms: begin of the span
 * @to_ms:   its end
 * @bins:    result: the mean of each part of it, NAN where nothing is known
 * @nr:	     number of @bins, up to TOP_CHART_MAX
 */
void top_chart_bins(const struct top_point *points, size_t count,
		    enum top_shape shape, int64_t from_ms, int64_t to_ms,
		    double *bins, size_t nr)
{
	struct bins work = {
		.value = bins, .nr = nr, .from = from_ms,
		.width = (double)(to_ms - from_ms) / nr,
	};

	memset(bins, 0, nr * sizeof(*bins));
	add_lines(&work, points, count, shape);
	take_means(&work);
	if (shape == TOP_LEVEL)
		add_single(&work, points, count);
}

static void range_of(const double *bins, size_t nr, double *low, double *high)
{
	*low = 0;
	*high = 0;
	for (size_t i = 0; i < nr; i++) {
		/* also so if the value is NAN */
		*low = fmin(*low, bins[i]);
		*high = fmax(*high, bins[i]);
	}
}

/* 1, 1.5, 2, 3, 4, 6, 8 ... MiB: next to powers of two nothing looks round. */
static double round_bytes(double bytes)
{
	double step = 1 << 20;

	if (bytes <= 0)
		return 0;
	while (step < bytes)
		step *= 2;
	return step > 1 << 20 && step * 0.75 >= bytes ? step * 0.75 : step;
}

/* 1, 2, 5, 10, 20, 50, 100 percent */
static double round_percent(double percent)
{
	static const double steps[] = { 1, 2, 5, 10, 20, 50, 100 };

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (percent <= steps[i])
			return steps[i];
	return 100 * ceil(percent / 100);
}

/**
 * top_scale_bytes() - ends of a chart of memory, as round numbers
 * @bins: what it shows; may be negative
 * @nr:   number of @bins
 *
 * Return: both ends
 */
struct top_scale top_scale_bytes(const double *bins, size_t nr)
{
	double low, high;

	range_of(bins, nr, &low, &high);
	if (low < 0)
		return (struct top_scale){ -round_bytes(-low),
					   round_bytes(high) };
	return (struct top_scale){ 0, round_bytes(fmax(high, 1)) };
}

/**
 * top_scale_percent() - ends of a chart of CPU time, as round numbers
 * @bins: what it shows
 * @nr:   number of @bins
 *
 * Return: both ends
 */
struct top_scale top_scale_percent(const double *bins, size_t nr)
{
	double low, high;

	range_of(bins, nr, &low, &high);
	return (struct top_scale){ 0, round_percent(high) };
}

/*
 * From values to dots.  In UTF-8 a character has 2 by 4 of them (braille), else
 * 1 by 2.
 */

static int dots_high(const struct top_frame *frame)
{
	return frame->utf8 ? 4 : 2;
}

static int dots_wide(const struct top_frame *frame)
{
	return frame->utf8 ? 2 : 1;
}

/**
 * top_chart_resolution() - how many values there is room for
 * @frame:   where the chart will be
 * @columns: its width, up to TOP_CHART_COLUMNS
 *
 * Return: how many
 */
size_t top_chart_resolution(const struct top_frame *frame, int columns)
{
	return columns * dots_wide(frame);
}

/* How many dots above the lower end zero lies */
static int zero_level(const struct top_scale *scale, int levels)
{
	return lround(-scale->low / (scale->high - scale->low) * levels);
}

/* What is known has one dot at least, to tell it from what is not. */
static bool is_dot(double value, int level, const struct top_scale *scale,
		   int levels)
{
	int zero = zero_level(scale, levels);
	int height;

	if (isnan(value))
		return false;
	height = lround(value / (scale->high - scale->low) * levels);
	if (!height)
		height = zero == levels || value < 0 ? -1 : 1;
	return height > 0 ? level >= zero && level < zero + height :
			    level < zero && level >= zero + height;
}

static wchar_t braille(const double *bins, int level,
		       const struct top_scale *scale, int levels)
{
	/* dots of a braille character from the bottom, left and right */
	static const int bits[4][2] = {
		{ 0x40, 0x80 }, { 0x04, 0x20 }, { 0x02, 0x10 }, { 0x01, 0x08 },
	};
	int dots = 0;

	for (int y = 0; y < 4; y++)
		for (int x = 0; x < 2; x++)
			if (is_dot(bins[x], level + y, scale, levels))
				dots |= bits[y][x];
	return dots ? 0x2800 + dots : L' ';
}

static wchar_t ascii(const double *bins, int level,
		     const struct top_scale *scale, int levels)
{
	bool low = is_dot(*bins, level, scale, levels);
	bool high = is_dot(*bins, level + 1, scale, levels);

	return low && high ? L':' : low ? L'.' : high ? L'\'' : L' ';
}

/**
 * top_chart_draw() - draw a chart
 * @frame: where
 * @area:  where in it
 * @bins:  as many values as top_chart_resolution() says
 * @scale: what the ends stand for
 * @style: of the dots
 */
void top_chart_draw(struct top_frame *frame, const struct top_area *area,
		    const double *bins, const struct top_scale *scale,
		    enum top_style style)
{
	int levels = area->rows * dots_high(frame);

	for (int y = 0; y < area->rows; y++) {
		int level = (area->rows - 1 - y) * dots_high(frame);

		for (int x = 0; x < area->columns; x++) {
			const double *at = &bins[x * dots_wide(frame)];
			wchar_t ch = frame->utf8 ?
				     braille(at, level, scale, levels) :
				     ascii(at, level, scale, levels);

			top_put_char(frame, area->row + y, area->column + x,
				     style, ch);
		}
	}
}

static void tick(struct top_frame *frame, const struct top_area *area, int y,
		 const char *text)
{
	top_put_char(frame, area->row + y, area->column - 1, TOP_DIM,
		     frame->utf8 ? L'\u2524' : L'+');
	top_put_right(frame, area->row + y, area->column - 2, TOP_DIM, text);
}

/**
 * top_chart_axis() - draw what stands left of a chart
 * @frame: where
 * @area:  of the chart itself; there has to be room beside it
 * @scale: what the ends stand for
 * @label: prints a value
 */
void top_chart_axis(struct top_frame *frame, const struct top_area *area,
		    const struct top_scale *scale,
		    void (*label)(double value, char *text, size_t size))
{
	int bottom = area->rows - 1;
	int zero = bottom - zero_level(scale, bottom);
	char text[32];

	for (int y = 0; y < area->rows; y++)
		top_put_char(frame, area->row + y, area->column - 1, TOP_DIM,
			     frame->utf8 ? L'\u2502' : L'|');
	label(scale->high, text, sizeof(text));
	tick(frame, area, 0, text);
	label(scale->low, text, sizeof(text));
	tick(frame, area, bottom, text);
	if (zero > 0 && zero < bottom)
		tick(frame, area, zero, "0");
}

/* "1.5 GiB", "0" */
void top_label_bytes(double bytes, char *text, size_t size)
{
	static const char *const units[] = {
		"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB",
	};
	size_t i = 0;

	for (; fabs(bytes) >= 1024 && i < 6; i++)
		bytes /= 1024;
	if (bytes)
		snprintf(text, size, "%g %s", bytes, units[i]);
	else
		snprintf(text, size, "0");
}

/* "50 %", "0" */
void top_label_percent(double percent, char *text, size_t size)
{
	if (percent)
		snprintf(text, size, "%g %%", percent);
	else
		snprintf(text, size, "0");
}
