// SPDX-License-Identifier: GPL-2.0-only
/*
 * A report as the template wants it: all figures are in words.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "knobs.h"
#include "report.h"
#include "report-chart.h"
#include "when.h"

#define ROWS_MAX	24
#define WHEN		"%-d %b %H:%M"

static double seconds(int64_t from_ms, int64_t to_ms)
{
	return (to_ms - from_ms) / 1000.0;
}

static void set(json_t *view, const char *name, const char *text)
{
	json_object_set_new(view, name, json_string(text));
}

static void set_head(json_t *view, const struct report *report)
{
	const struct ksm_span *span = &report->span;
	size_t count = ksm_span_count(span);
	const struct ksm_sample *now = span->end.view.now;
	int64_t from = ksm_span_at(span, 0)->time_ms;

	set(view, "host", *now->host.hostname ? now->host.hostname : "?");
	set(view, "release", now->host.release);
	set(view, "kind", now->host.by_keys == 1 ? "KSM by keys" : "KSM");
	set(view, "from", ksm_time(from, "%-d %b %Y %H:%M").s);
	set(view, "to", ksm_time(now->time_ms, "%-d %b %Y %H:%M").s);
	set(view, "zone", ksm_time(now->time_ms, "%Z").s);
	set(view, "length", ksm_duration(seconds(from, now->time_ms)).s);
	set(view, "samples", ksm_count(count).s);
	set(view, "interval", ksm_duration(span->interval_ms / 1000.0).s);
	set(view, "version", KSM_VERSION);
	set(view, "made", ksm_time(report->now_ms, "%-d %b %Y %H:%M").s);
	set(view, "dir", report->dir);
	json_object_set_new(view, "single", json_boolean(count == 1));
}

static void set_damage(json_t *view, const struct ksm_history *history)
{
	char text[160];

	if (!history->damaged)
		return;
	snprintf(text, sizeof(text), "damaged lines of samples that are "
		 "left out: %zu, the first of them %s: a crash or a full disk.",
		 history->damaged, history->damaged_at);
	set(view, "damaged", text);
}

static json_t *warning_of(enum ksm_warning warning)
{
	return json_pack("{s:s,s:s}", "name", ksm_warning_name(warning),
			 "text", ksm_warning_text(warning));
}

static void set_verdict(json_t *view, const struct ksm_status *end)
{
	json_t *warnings = json_array();

	for (int i = 0; i < KSM_NR_WARNINGS; i++)
		if (ksm_verdict_warns(&end->verdict, i))
			json_array_append_new(warnings, warning_of(i));
	set(view, "state", ksm_state_name(end->verdict.state));
	set(view, "reason", ksm_reason_name(end->verdict.reason));
	set(view, "headline", end->words.headline);
	json_object_set_new(view, "warnings", warnings);
}

static void add_tile(json_t *list, const char *name, struct ksm_text value,
		     json_t *note)
{
	json_array_append_new(list, json_pack("{s:s,s:s,s:o}", "name", name,
					      "value", value.s, "note", note));
}

static void set_tiles(json_t *view, const struct ksm_span *span)
{
	const struct ksm_sample *now = span->end.view.now;
	const struct ksm_totals *sums = &span->totals;
	double mean = 100 * sums->cpu_seconds / sums->seconds;
	double part = 100 * fig_ratio(ksm_saved_bytes(now),
				      now->host.mem_total_bytes);
	json_t *list = json_array();

	add_tile(list, "Saved at the end", ksm_size(ksm_saved_bytes(now)),
		 json_sprintf("%s of %s of memory", ksm_percent(part).s,
			      ksm_size(now->host.mem_total_bytes).s));
	add_tile(list, "Profit at the end",
		 ksm_size(now->counters.general_profit),
		 json_sprintf("less book-keeping of %s",
			      ksm_size(ksm_metadata_bytes(now)).s));
	add_tile(list, "CPU of ksmd", ksm_percent(mean),
		 json_sprintf("of one CPU on average; %s at most",
			      ksm_percent(sums->cpu_percent_most).s));
	add_tile(list, "Copies on write", ksm_rate(sums->cow / sums->seconds),
		 json_sprintf("on average; %s at most",
			      ksm_rate(sums->cow_most).s));
	json_object_set_new(view, "tiles", list);
}

/* A text with `commands` in it, taken apart */
static json_t *parts_of(const char *text)
{
	char *copy = strdup(text), *rest = copy, *part;
	json_t *list = json_array();
	bool code = false;

	/* a sentence here, which elsewhere follows "Next:" */
	if (copy)
		*copy = toupper((unsigned char)*copy);
	while (copy && (part = strsep(&rest, "`"))) {
		json_array_append_new(list, json_pack("{s:s}", code ? "code" :
						      "text", part));
		code = !code;
	}
	free(copy);
	return json_pack("{s:o}", "parts", list);
}

static void set_advice(json_t *view, const struct ksm_span *span)
{
	json_t *texts = report_advice(span), *list = json_array();
	const char *text;

	for (size_t i = 0; i < json_array_size(texts); i++) {
		text = json_string_value(json_array_get(texts, i));
		json_array_append_new(list, parts_of(text));
	}
	json_object_set_new(view, "advice",
			    json_boolean(json_array_size(texts)));
	json_object_set_new(view, "advices", list);
	json_decref(texts);
}

static int by_length(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x < y) - (x > y);
}

/* The length of which there are few enough that are longer */
static int64_t worth_listing_ms(const struct ksm_span *span)
{
	int64_t *lengths, least;

	if (span->nr_periods <= ROWS_MAX)
		return 0;
	lengths = calloc(span->nr_periods, sizeof(*lengths));
	if (!lengths)
		return 0;
	for (size_t i = 0; i < span->nr_periods; i++)
		lengths[i] = span->periods[i].to_ms - span->periods[i].from_ms;
	qsort(lengths, span->nr_periods, sizeof(*lengths), by_length);
	least = lengths[ROWS_MAX] + 1;
	free(lengths);
	return least;
}

static json_t *period_of(const struct ksm_period *at)
{
	double length = seconds(at->from_ms, at->to_ms);

	return json_pack("{s:s,s:s,s:s,s:s,s:s}",
			 "from", ksm_time(at->from_ms, WHEN).s,
			 "length", ksm_duration(length).s,
			 "state", ksm_state_name(at->verdict.state),
			 "reason", ksm_reason_name(at->verdict.reason),
			 "headline", at->words.headline);
}

static void set_verdicts(json_t *view, const struct ksm_span *span)
{
	int64_t least = worth_listing_ms(span);
	json_t *list = json_array();

	for (size_t i = 0; i < span->nr_periods; i++) {
		const struct ksm_period *at = &span->periods[i];

		if (at->to_ms - at->from_ms >= least)
			json_array_append_new(list, period_of(at));
	}
	if (json_array_size(list) < span->nr_periods)
		json_object_set_new(view, "left_out",
				    json_integer(span->nr_periods -
						 json_array_size(list)));
	json_object_set_new(view, "verdicts", list);
}

static struct ksm_knob_text knob_text(const struct ksm_field *field,
				      ksm_figure value)
{
	struct ksm_knob_text unknown = { "-" };

	return fig_known(value) ? ksm_knob_print(ksm_knob_find(field->name),
						 value) : unknown;
}

static json_t *change_in_words(const struct ksm_change *at)
{
	const char *what = at->kind == KSM_CHANGE_BOOT ?
			   "the machine was booted; the last sample before is "
			   "of" : "no samples were taken; the last one before is "
				  "of";

	if (at->kind == KSM_CHANGE_KNOB)
		return json_sprintf("%s was set from %s to %s", at->field->name,
				    knob_text(at->field, at->from).s,
				    knob_text(at->field, at->to).s);
	return json_sprintf("%s %s", what, ksm_time(at->from, WHEN).s);
}

static void set_changes(json_t *view, const struct ksm_span *span)
{
	json_t *list = json_array(), *row;

	for (size_t i = 0; i < span->nr_changes; i++) {
		const struct ksm_change *at = &span->changes[i];

		row = json_pack("{s:s,s:o}",
				"time", ksm_time(at->time_ms, WHEN).s,
				"what", change_in_words(at));
		json_array_append_new(list, row);
	}
	json_object_set_new(view, "changed", json_boolean(span->nr_changes));
	json_object_set_new(view, "changes", list);
}

static void set_geometry(json_t *view)
{
	static const struct {
		const char *name;
		int value;
	} sizes[] = {
		{ "width", REPORT_WIDTH },
		{ "height", REPORT_HEIGHT },
		{ "plot_left", REPORT_LEFT },
		{ "plot_right", REPORT_WIDTH - REPORT_RIGHT },
		{ "plot_top", REPORT_TOP },
		{ "plot_bottom", REPORT_HEIGHT - REPORT_BOTTOM },
		{ "plot_height", REPORT_HEIGHT - REPORT_TOP - REPORT_BOTTOM },
		{ "label_x", REPORT_LEFT - 6 },
		{ "time_y", REPORT_HEIGHT - 8 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		json_object_set_new(view, sizes[i].name,
				    json_integer(sizes[i].value));
}

/**
 * report_view() - what the template is filled with
 * @report: the report
 *
 * Return: an object
 */
json_t *report_view(const struct report *report)
{
	const struct ksm_span *span = &report->span;
	json_t *view = json_object();

	set_head(view, report);
	set_damage(view, span->history);
	set_verdict(view, &span->end);
	set_tiles(view, span);
	set_advice(view, span);
	set_verdicts(view, span);
	set_changes(view, span);
	set_geometry(view);
	json_object_set_new(view, "bands", report_bands(span));
	json_object_set_new(view, "time_ticks", report_time_ticks(span));
	json_object_set_new(view, "charts", report_charts(span));
	json_object_set_new(view, "costs", report_costs(span));
	json_object_set_new(view, "members", report_members(span));
	report_units_view(view, report);
	return view;
}
