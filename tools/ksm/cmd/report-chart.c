// SPDX-License-Identifier: GPL-2.0-only
/*
 * Charts of a report, from samples to paths of SVG.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report-axis.h"
#include "report-chart.h"
#include "when.h"

#define LINES_MAX	5
#define PLOT_WIDTH	(REPORT_WIDTH - REPORT_LEFT - REPORT_RIGHT)

/* One line or area: of what, and how it is called */
struct line {
	const char *name;
	double (*value)(const struct ksm_sample *at,
			const struct ksm_rates *rates);
};

static double bytes_of(const struct ksm_sample *at, ksm_figure pages)
{
	return fig_double(fig_mul(pages, at->host.page_bytes));
}

#define OF_SAMPLE(name, expression) \
static double name(const struct ksm_sample *at, const struct ksm_rates *rates) \
{ \
	(void)rates; \
	return expression; \
}

#define OF_RATES(name, expression) \
static double name(const struct ksm_sample *at, const struct ksm_rates *rates) \
{ \
	(void)at; \
	return expression; \
}

OF_SAMPLE(merged, fig_double(ksm_merged_bytes(at)))
OF_SAMPLE(zero, fig_double(ksm_zero_bytes(at)))
OF_SAMPLE(profit, fig_double(at->counters.general_profit))
OF_SAMPLE(shared, bytes_of(at, at->counters.pages_shared))
OF_SAMPLE(unshared, bytes_of(at, at->counters.pages_unshared))
OF_SAMPLE(changing, bytes_of(at, at->counters.pages_volatile))
OF_RATES(cpu, rates->ksmd_cpu_percent)
OF_RATES(cow, rates->cow)
OF_RATES(swapin, rates->swapin_copies)

static const struct chart {
	const char *title;
	const char *note;
	enum report_unit unit;
	bool stacked;		/* areas, the first at the bottom */
	struct line lines[LINES_MAX];
} charts[] = {
	{ "Memory saved", "what merging leaves free, and what undoing it takes",
	  REPORT_BYTES, true,
	  { { "merged", merged }, { "zero pages", zero } } },
	{ "Profit", "saved, less the book-keeping of KSM", REPORT_BYTES, true,
	  { { "profit", profit } } },
	{ "CPU time of ksmd", "of one CPU", REPORT_PERCENT, true,
	  { { "ksmd", cpu } } },
	{ "Memory by state", "what KSM has under observation", REPORT_BYTES,
	  true, { { "merged away (sharing)", merged },
		  { "kept for all (shared)", shared },
		  { "zero pages", zero }, { "alone (unshared)", unshared },
		  { "changing (volatile)", changing } } },
	{ "Copies", "merged pages that became private again", REPORT_RATE,
	  false, { { "on write", cow }, { "on swap-in", swapin } } },
};

/* Where a moment is, from the left */
double report_x(const struct ksm_span *span, int64_t time_ms)
{
	size_t last = ksm_span_count(span) - 1;
	int64_t from = ksm_span_at(span, 0)->time_ms;
	int64_t length = ksm_span_at(span, last)->time_ms - from;
	double part = length > 0 ? (double)(time_ms - from) / length : 0;

	return REPORT_LEFT + fmin(fmax(part, 0), 1) * PLOT_WIDTH;
}

/* The values of a line, one for each sample; those of areas pile up. */
static void fill(const struct ksm_span *span, const struct chart *chart,
		 double **values)
{
	struct ksm_rates rates;

	for (size_t i = 0; i < ksm_span_count(span); i++) {
		const struct ksm_sample *at = ksm_span_at(span, i);
		double sum = 0;

		ksm_rates_between(ksm_span_joined(span, i) ? at - 1 : NULL, at,
				  &rates);
		for (int j = 0; j < LINES_MAX && chart->lines[j].name; j++) {
			double value = chart->lines[j].value(at, &rates);

			values[j][i] = value;
			/* what is not known takes no room in a pile */
			if (chart->stacked && !isnan(value) && j)
				values[j][i] = value + sum;
			if (!isnan(value))
				sum = values[j][i];
		}
	}
}

/* A path that is being made */
struct path {
	FILE *out;
	const struct report_axis *axis;
	bool area;
	double from_x;		/* of this piece; < 0 if there is none */
	double x;		/* the column that is being looked at */
	double least;		/* in it */
	double most;
	double last;
};

static void end_column(struct path *path)
{
	double low = report_y(path->axis, path->least);
	double high = report_y(path->axis, path->most);

	if (low - high > 0.5)
		fprintf(path->out, "L%.0f %.1f L%.0f %.1f", path->x, high,
			path->x, low);
	fprintf(path->out, "L%.0f %.1f", path->x,
		report_y(path->axis, path->last));
}

static void end_piece(struct path *path)
{
	double base = report_y(path->axis, 0);

	if (path->from_x < 0)
		return;
	end_column(path);
	if (path->area)
		fprintf(path->out, "L%.0f %.1f L%.0f %.1fZ", path->x, base,
			path->from_x, base);
	path->from_x = -1;
}

static void begin_piece(struct path *path, double x, double value)
{
	fprintf(path->out, "M%.0f %.1f", x, report_y(path->axis, value));
	path->from_x = x;
	path->x = x;
	path->least = value;
	path->most = value;
	path->last = value;
}

/* Of many samples in a column of the picture, the extremes are what counts. */
static void add_point(struct path *path, double x, double value)
{
	if (path->from_x < 0) {
		begin_piece(path, x, value);
		return;
	}
	if (x > path->x) {
		end_column(path);
		path->x = x;
		path->least = value;
		path->most = value;
	}
	path->least = fmin(path->least, value);
	path->most = fmax(path->most, value);
	path->last = value;
}

static json_t *path_of(const struct ksm_span *span,
		       const struct report_axis *axis, const double *values,
		       bool area)
{
	struct path path = { .axis = axis, .area = area, .from_x = -1 };
	char *text = NULL;
	json_t *result;
	size_t size;

	path.out = open_memstream(&text, &size);
	if (!path.out)
		return json_null();
	for (size_t i = 0; i < ksm_span_count(span); i++) {
		int64_t time_ms = ksm_span_at(span, i)->time_ms;

		if (isnan(values[i]) || !ksm_span_joined(span, i))
			end_piece(&path);
		if (!isnan(values[i]))
			add_point(&path, round(report_x(span, time_ms)),
				  values[i]);
	}
	end_piece(&path);
	fclose(path.out);
	result = json_string(text);
	free(text);
	return result;
}

static void extremes(const double *values, size_t count, double *low,
		     double *high)
{
	for (size_t i = 0; i < count; i++) {
		*low = fmin(*low, values[i]);
		*high = fmax(*high, values[i]);
	}
}

/* What is told beside the name of a line: at the end, and the most */
static json_t *legend_of(const struct ksm_span *span, const struct chart *chart,
			 int j)
{
	size_t count = ksm_span_count(span);
	double last = NAN, low = NAN, high = NAN;
	struct ksm_rates rates;

	for (size_t i = 0; i < count; i++) {
		const struct ksm_sample *at = ksm_span_at(span, i);

		ksm_rates_between(ksm_span_joined(span, i) ? at - 1 : NULL, at,
				  &rates);
		last = chart->lines[j].value(at, &rates);
		extremes(&last, 1, &low, &high);
	}
	return json_pack("{s:i,s:s,s:s,s:s}", "nr", j + 1, "name",
			 chart->lines[j].name, "last",
			 report_value(chart->unit, last).s, "most",
			 report_value(chart->unit, high).s);
}

/* Those that are piled up higher are drawn first: the others cover them. */
static json_t *draw(const struct ksm_span *span, const struct chart *chart,
		    double **values, int lines)
{
	json_t *paths = json_array(), *legend = json_array(), *path;
	double low = NAN, high = NAN;
	struct report_axis axis;

	for (int j = 0; j < lines; j++)
		extremes(values[j], ksm_span_count(span), &low, &high);
	report_axis_of(&axis, chart->unit, low, high);
	for (int j = lines; j-- > 0;) {
		path = path_of(span, &axis, values[j], chart->stacked);
		json_array_append_new(paths, json_pack("{s:i,s:s,s:o}", "nr",
						       j + 1, "kind",
						       chart->stacked ?
						       "area" : "line",
						       "d", path));
	}
	for (int j = 0; j < lines; j++)
		json_array_append_new(legend, legend_of(span, chart, j));
	return json_pack("{s:s,s:s,s:b,s:o,s:o,s:o}", "title", chart->title,
			 "note", chart->note, "unknown", isnan(high), "paths",
			 paths, "legend", legend, "ticks",
			 report_axis_ticks(&axis));
}

static json_t *chart_of(const struct ksm_span *span, const struct chart *chart)
{
	size_t count = ksm_span_count(span);
	double *values[LINES_MAX], *all;
	json_t *result = NULL;
	int lines = 0;

	all = calloc(LINES_MAX * count, sizeof(*all));
	if (!all)
		return NULL;
	for (int j = 0; j < LINES_MAX; j++) {
		values[j] = all + j * count;
		lines += !!chart->lines[j].name;
	}
	fill(span, chart, values);
	result = draw(span, chart, values, lines);
	free(all);
	return result;
}

/* All charts, for the template */
json_t *report_charts(const struct ksm_span *span)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(charts); i++)
		json_array_append_new(list, chart_of(span, &charts[i]));
	return list;
}

/* A name only where there is room for it */
static const char *band_label(const struct ksm_period *at, double width)
{
	const char *name = ksm_state_name(at->verdict.state);

	return width > 9 * strlen(name) ? name : "";
}

static json_t *band_of(const struct ksm_span *span, const struct ksm_period *at)
{
	double x = report_x(span, at->from_ms);
	double width = fmax(1, report_x(span, at->to_ms) - x);

	return json_pack("{s:f,s:f,s:f,s:s,s:s,s:s,s:s}", "x", x,
			 "width", width, "middle", x + width / 2,
			 "state", ksm_state_name(at->verdict.state),
			 "reason", ksm_reason_name(at->verdict.reason),
			 "label", band_label(at, width),
			 "from", ksm_time(at->from_ms, "%H:%M").s);
}

/* The times of each verdict, as rectangles behind the charts */
json_t *report_bands(const struct ksm_span *span)
{
	json_t *list = json_array();

	for (size_t i = 0; i < span->nr_periods; i++)
		json_array_append_new(list, band_of(span, &span->periods[i]));
	return list;
}
