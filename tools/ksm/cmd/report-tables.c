// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables of a report: what it costs, and which processes take part.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "when.h"

static ksm_figure whole(double value)
{
	return isnan(value) ? KSM_UNKNOWN : llround(value);
}

__attribute__((format(printf, 4, 5)))
static void add(json_t *list, const char *name, struct ksm_text value,
		const char *fmt, ...)
{
	char note[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(note, sizeof(note), fmt, args);
	va_end(args);
	json_array_append_new(list, json_pack("{s:s,s:s,s:s}", "name", name,
					      "value", value.s, "note", note));
}

static void add_cpu(json_t *list, const struct ksm_totals *sums)
{
	double mean = 100 * sums->cpu_seconds / sums->seconds;

	add(list, "CPU time of ksmd", ksm_duration(sums->cpu_seconds),
	    "%s of one CPU on average, %s at most, in %s full scans",
	    ksm_percent(mean).s, ksm_percent(sums->cpu_percent_most).s,
	    ksm_count(whole(sums->full_scans)).s);
}

static void add_copies(json_t *list, const struct ksm_totals *sums)
{
	add(list, "Copies on write", ksm_count(whole(sums->cow)),
	    "%s on average, %s at most, at %s",
	    ksm_rate(sums->cow / sums->seconds).s, ksm_rate(sums->cow_most).s,
	    ksm_time(sums->cow_most_ms, "%-d %b %H:%M").s);
	add(list, "Copies on swap-in", ksm_count(whole(sums->swapin_copies)),
	    "merged pages that came back from swap as private ones");
}

static void add_undo(json_t *list, const struct ksm_sample *now)
{
	ksm_figure lack = ksm_undo_short_bytes(now);
	char outcome[64] = "enough";

	if (lack > 0)
		snprintf(outcome, sizeof(outcome), "%s short",
			 ksm_size(lack).s);
	else if (!fig_known(lack))
		strcpy(outcome, "-");
	add(list, "To undo it all", ksm_size(ksm_saved_bytes(now)),
	    "%s available + %s swap free: %s",
	    ksm_size(now->host.mem_available_bytes).s,
	    ksm_size(now->host.swap_free_bytes).s, outcome);
}

static double yield(const struct ksm_totals *sums)
{
	return sums->saved_mean / (100 * sums->cpu_seconds / sums->seconds);
}

/* What it costs: over the span, and at its end */
json_t *report_costs(const struct ksm_span *span)
{
	const struct ksm_sample *now = span->end.view.now;
	const struct ksm_totals *sums = &span->totals;
	double per_percent = yield(sums);
	json_t *list = json_array();

	add_cpu(list, sums);
	add(list, "Yield", ksm_size(isfinite(per_percent) ? whole(per_percent) :
							    KSM_UNKNOWN),
	    "for each %% of a CPU; on average, %s were saved",
	    ksm_size(whole(sums->saved_mean)).s);
	add(list, "Book-keeping", ksm_size(ksm_metadata_bytes(now)),
	    "memory of KSM at the end, already subtracted from the profit");
	add_copies(list, sums);
	add(list, "Huge pages split", ksm_count(whole(sums->thp_split)),
	    "%s left whole", ksm_count(now->counters.thp_kept).s);
	add_undo(list, now);
	return list;
}

static ksm_figure tracked(const struct ksm_sample *at)
{
	return at->sums.tracked_bytes;
}

static ksm_figure members(const struct ksm_sample *at)
{
	return at->sums.members;
}

static ksm_figure idle(const struct ksm_sample *at)
{
	return at->sums.idle;
}

static ksm_figure unreadable(const struct ksm_sample *at)
{
	return at->sums.unreadable;
}

static ksm_figure rss(const struct ksm_sample *at)
{
	return at->sums.rss_bytes;
}

static const struct row {
	const char *name;
	ksm_figure (*value)(const struct ksm_sample *at);
	struct ksm_text (*text)(ksm_figure value);
} rows[] = {
	{ "processes", members, ksm_count },
	{ "of them gain nothing", idle, ksm_count },
	{ "could not be read", unreadable, ksm_count },
	{ "resident memory of all", rss, ksm_size },
	{ "of it under observation", tracked, ksm_size },
};

static json_t *row_of(const struct ksm_span *span, const struct row *row)
{
	ksm_figure begin = row->value(ksm_span_at(span, 0));
	ksm_figure end = row->value(span->end.view.now);
	ksm_figure most = begin;

	for (size_t i = 1; i < ksm_span_count(span); i++) {
		ksm_figure at = row->value(ksm_span_at(span, i));

		/* what is unknown is less than all else */
		most = at > most ? at : most;
	}
	return json_pack("{s:s,s:s,s:s,s:s}", "name", row->name,
			 "begin", row->text(begin).s,
			 "most", row->text(most).s, "end", row->text(end).s);
}

/* Processes that take part: at first, at the end, and the most */
json_t *report_members(const struct ksm_span *span)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		json_array_append_new(list, row_of(span, &rows[i]));
	return list;
}
