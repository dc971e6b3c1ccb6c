// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scale below a chart: times of the local clock.
 */
#include <string.h>
#include <time.h>

#include "report-chart.h"
#include "when.h"

#define MINUTE_MS	60000LL
#define DAY_MIN		1440
#define TICKS_MAX	9

/* Round times, in minutes; longer spans have multiples of the last. */
static const int steps_min[] = {
	1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, DAY_MIN, 2 * DAY_MIN,
	7 * DAY_MIN,
};

static int64_t step_of(int64_t length_ms)
{
	size_t i = 0;
	int64_t step;

	while (i < ARRAY_SIZE(steps_min) - 1 &&
	       length_ms / (steps_min[i] * MINUTE_MS) >= TICKS_MAX)
		i++;
	step = steps_min[i] * MINUTE_MS;
	while (length_ms / step >= TICKS_MAX)
		step *= 2;
	return step;
}

static int64_t local_offset_ms(int64_t time_ms)
{
	time_t seconds = time_ms / 1000;
	struct tm local;

	localtime_r(&seconds, &local);
	return local.tm_gmtoff * 1000;
}

/* The first round time of the local clock at or after a moment */
static int64_t round_up(int64_t time_ms, int64_t step)
{
	int64_t local = time_ms + local_offset_ms(time_ms);

	return time_ms + (step - local % step) % step;
}

/* All ticks, each with its place and label; a day where one begins */
json_t *report_time_ticks(const struct ksm_span *span)
{
	size_t last = ksm_span_count(span) - 1;
	int64_t from = ksm_span_at(span, 0)->time_ms;
	int64_t to = ksm_span_at(span, last)->time_ms;
	int64_t step = step_of(to - from);
	json_t *list = json_array(), *tick;

	for (int64_t at = round_up(from, step); at <= to; at += step) {
		struct ksm_text text = ksm_time(at, "%H:%M");
		bool day = !strcmp(text.s, "00:00");

		if (day)
			text = ksm_time(at, "%-d %b");
		tick = json_pack("{s:f,s:s,s:s}", "x", report_x(span, at),
				 "label", text.s, "class", day ? "day" : "");
		json_array_append_new(list, tick);
	}
	return list;
}
