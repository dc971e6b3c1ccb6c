// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "top_head.h"
#include "units.h"

/* Host, kernel and time, as ksm status has them */
void top_put_title(struct top_frame *frame, int row,
		   const struct top_data *data)
{
	const struct ksm_host *host = &data->now.host;
	time_t seconds = data->now.time_ms / 1000;
	char text[64];
	struct tm tm;
	int column;

	top_set_style(frame, row, TOP_BAR);
	column = top_put(frame, row, 0, TOP_BAR, "ksm top  ");
	column = top_put(frame, row, column, TOP_BAR, host->hostname);
	top_putf(frame, row, column, TOP_BAR, "  Linux %s%s", host->release,
		 !data->now.present ? "" :
		 host->by_keys ? ", KSM by keys" : ", KSM");
	localtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "  %e %b %H:%M:%S", &tm);
	top_put_right(frame, row, frame->columns, TOP_BAR, text);
}

static enum top_style style_of_state(enum ksm_state state)
{
	switch (state) {
	case KSM_EFFECTIVE:
		return TOP_GOOD;
	case KSM_BROKEN:
	case KSM_WASTE:
		return TOP_BAD;
	default:
		return TOP_WARN;
	}
}

/* One of them in words, several by name; return whether there are any. */
static bool put_warnings(struct top_frame *frame, int row,
			 const struct ksm_verdict *verdict)
{
	const char *text = NULL;
	int column = 0, nr = 0;

	for (int i = 0; i < KSM_NR_WARNINGS; i++) {
		if (!ksm_verdict_warns(verdict, i))
			continue;
		column = top_putf(frame, row, column, TOP_WARN, "%s %s",
				  nr++ ? " " : "!", ksm_warning_name(i));
		text = ksm_warning_text(i);
	}
	if (nr == 1)
		top_putf(frame, row, column, TOP_PLAIN, "  %s", text);
	return nr > 0;
}

/**
 * top_put_verdict() - put what it comes to, and warnings below that
 * @frame: where
 * @row:   from the top
 * @data:  what is known
 *
 * Return: row below
 */
int top_put_verdict(struct top_frame *frame, int row,
		    const struct top_data *data)
{
	const struct ksm_verdict *verdict = &data->status.verdict;
	int column;

	column = top_put(frame, row, 0, style_of_state(verdict->state),
			 ksm_state_name(verdict->state));
	column = top_putf(frame, row, column, TOP_BOLD, "  %s  ",
			  ksm_reason_name(verdict->reason));
	top_put(frame, row, column, TOP_PLAIN, data->status.words.headline);
	return row + 1 + put_warnings(frame, row + 1, verdict);
}

/*
 * Two charts beside each other, with labels left of each
 */

#define LABEL_BYTES	10	/* "-192 MiB", and the axis */
#define LABEL_PERCENT	7	/* "100 %", and the axis */
#define BETWEEN		2

static void put_span(struct top_frame *frame, const struct top_area *area,
		     int64_t span_ms)
{
	int row = area->row + area->rows;

	top_putf(frame, row, area->column, TOP_DIM, "%d min ago",
		 (int)(span_ms / 60000));
	top_put_right(frame, row, area->column + area->columns, TOP_DIM, "now");
}

/**
 * struct chart - one of the two
 * @area:   where the dots are
 * @points: what was measured
 * @shape:  what that tells
 * @style:  of the dots
 * @scale:  finds the ends
 * @label:  prints them
 */
struct chart {
	struct top_area area;
	struct top_point *points;
	enum top_shape shape;
	enum top_style style;
	struct top_scale (*scale)(const double *bins, size_t nr);
	void (*label)(double value, char *text, size_t size);
};

static void put_chart(struct top_frame *frame, const struct chart *chart,
		      const struct top_data *data)
{
	int64_t now = data->now.boottime_ms, span = top_data_span_ms(data);
	size_t nr = top_chart_resolution(frame, chart->area.columns);
	struct top_scale scale;
	double bins[TOP_CHART_MAX];

	top_chart_bins(chart->points, data->past.count, chart->shape,
		       now - span, now, bins, nr);
	scale = chart->scale(bins, nr);
	top_chart_axis(frame, &chart->area, &scale, chart->label);
	top_chart_draw(frame, &chart->area, bins, &scale, chart->style);
	put_span(frame, &chart->area, span);
}

/* How far the scan is; only kernels with KSM by keys tell that. */
static void put_scan(struct top_frame *frame, int row, int column,
		     const struct ksm_sample *now)
{
	double done = 100 * ksm_scan_progress(now);

	column = top_putf(frame, row, column, TOP_DIM, ", scan %s",
			  ksm_count(now->counters.full_scans).s);
	if (!isnan(done))
		top_putf(frame, row, column, TOP_DIM, ", %.0f %% done", done);
}

static void put_headings(struct top_frame *frame, int row, int column,
			 const struct top_data *data)
{
	const struct ksm_rates *hour = &data->status.hour;
	const struct ksm_sample *now = &data->now;
	const int wide = 110;
	int at;

	at = top_put(frame, row, 0, TOP_GAIN, "Gain");
	at = top_putf(frame, row, at, TOP_DIM, "  %s; saved %s",
		      ksm_size(top_gained_bytes(now)).s,
		      ksm_size(ksm_saved_bytes(now)).s);
	if (frame->columns >= wide)
		top_putf(frame, row, at, TOP_DIM, ", book-keeping %s",
			 ksm_size(ksm_metadata_bytes(now)).s);
	at = top_put(frame, row, column, TOP_CPU, "CPU of ksmd");
	at = top_putf(frame, row, at, TOP_DIM, "  %s",
		      ksm_percent(data->status.quick.ksmd_cpu_percent).s);
	if (!isnan(hour->ksmd_cpu_percent))
		at = top_putf(frame, row, at, TOP_DIM, ", %s over %s",
			      ksm_percent(hour->ksmd_cpu_percent).s,
			      ksm_duration(hour->seconds).s);
	if (frame->columns >= wide && now->present)
		put_scan(frame, row, at, now);
}

static int chart_width(const struct top_frame *frame)
{
	int half = (frame->columns - BETWEEN) / 2;

	return half < TOP_CHART_COLUMNS ? half : TOP_CHART_COLUMNS;
}

/**
 * top_put_charts() - put the charts of the last hour
 * @frame: where
 * @row:   from the top
 * @rows:  height of the charts, without what is written above and below
 * @data:  what is known
 *
 * Return: row below
 */
int top_put_charts(struct top_frame *frame, int row, int rows,
		   const struct top_data *data)
{
	int half = chart_width(frame), right = half + BETWEEN;
	struct chart gained = {
		{ row + 1, LABEL_BYTES, rows, half - LABEL_BYTES }, NULL,
		TOP_LEVEL, TOP_GAIN, top_scale_bytes, top_label_bytes,
	};
	struct chart cpu = {
		{ row + 1, right + LABEL_PERCENT, rows, half - LABEL_PERCENT },
		NULL, TOP_RATE, TOP_CPU, top_scale_percent, top_label_percent,
	};

	put_headings(frame, row, right, data);
	if (!top_data_series(data, &gained.points, &cpu.points)) {
		put_chart(frame, &gained, data);
		put_chart(frame, &cpu, data);
	}
	free(gained.points);
	free(cpu.points);
	return row + rows + 2;
}
