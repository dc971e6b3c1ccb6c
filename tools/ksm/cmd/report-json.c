// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data of a report, for scripts; schema/ksm-report-1.json describes it.
 */
#include "json.h"
#include "knobs.h"
#include "record.h"
#include "report.h"

/* null for what is unknown */
static json_t *real(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *period_of(const struct ksm_period *at)
{
	return json_pack("{s:o,s:o,s:s,s:s,s:s}",
			 "since", ksm_json_time(at->from_ms),
			 "until", ksm_json_time(at->to_ms),
			 "state", ksm_state_name(at->verdict.state),
			 "reason", ksm_reason_name(at->verdict.reason),
			 "headline", at->words.headline);
}

static json_t *verdicts_of(const struct ksm_span *span)
{
	json_t *list = json_array();

	for (size_t i = 0; i < span->nr_periods; i++)
		json_array_append_new(list, period_of(&span->periods[i]));
	return list;
}

static json_t *change_of(const struct ksm_change *at)
{
	static const char *const kinds[] = {
		[KSM_CHANGE_KNOB] = "knob",
		[KSM_CHANGE_BOOT] = "boot",
		[KSM_CHANGE_GAP] = "gap",
	};
	json_t *object = json_pack("{s:s,s:o}", "kind", kinds[at->kind],
				   "time", ksm_json_time(at->time_ms));

	if (at->kind != KSM_CHANGE_KNOB) {
		json_object_set_new(object, "last_sample_before",
				    ksm_json_time(at->from));
		return object;
	}
	json_object_set_new(object, "knob", json_string(at->field->name));
	json_object_set_new(object, "from", ksm_json_figure(at->from));
	json_object_set_new(object, "to", ksm_json_figure(at->to));
	return object;
}

static json_t *changes_of(const struct ksm_span *span)
{
	json_t *list = json_array();

	for (size_t i = 0; i < span->nr_changes; i++)
		json_array_append_new(list, change_of(&span->changes[i]));
	return list;
}

static json_t *totals_of(const struct ksm_totals *sums)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
			 "watched_seconds", real(sums->seconds),
			 "saved_mean_bytes", real(sums->saved_mean),
			 "ksmd_cpu_seconds", real(sums->cpu_seconds),
			 "ksmd_cpu_most_percent", real(sums->cpu_percent_most),
			 "full_scans", real(sums->full_scans),
			 "cow", real(sums->cow),
			 "cow_most_per_second", real(sums->cow_most),
			 "swapin_copies", real(sums->swapin_copies),
			 "thp_splits", real(sums->thp_split));
}

#define COUNTER(name) \
static ksm_figure name(const struct ksm_sample *at) \
{ \
	return at->counters.name; \
}

COUNTER(general_profit)
COUNTER(pages_shared)
COUNTER(pages_sharing)
COUNTER(pages_unshared)
COUNTER(pages_volatile)
COUNTER(ksm_zero_pages)
COUNTER(full_scans)

static ksm_figure members(const struct ksm_sample *at)
{
	return at->sums.members;
}

static ksm_figure available(const struct ksm_sample *at)
{
	return at->host.mem_available_bytes;
}

/* One value of all samples: an array is smaller than many objects. */
struct column {
	const char *name;
	ksm_figure (*figure)(const struct ksm_sample *at);
	size_t rate;		/* where in struct ksm_rates, if no figure */
};

#define RATE(name, member)	{ name, NULL, offsetof(struct ksm_rates, member) }

static const struct column columns[] = {
	{ "saved_bytes", ksm_saved_bytes },
	{ "profit_bytes", general_profit },
	{ "mem_available_bytes", available },
	{ "shared_pages", pages_shared },
	{ "sharing_pages", pages_sharing },
	{ "unshared_pages", pages_unshared },
	{ "volatile_pages", pages_volatile },
	{ "zero_pages", ksm_zero_pages },
	{ "full_scans_total", full_scans },
	{ "processes", members },
	RATE("ksmd_cpu_percent", ksmd_cpu_percent),
	RATE("cow_per_second", cow),
	RATE("swapin_copies_per_second", swapin_copies),
};

static json_t *value_of(const struct ksm_span *span, size_t i,
			const struct column *column)
{
	const struct ksm_sample *at = ksm_span_at(span, i);
	struct ksm_rates rates;

	if (column->figure)
		return ksm_json_figure(column->figure(at));
	ksm_rates_between(ksm_span_joined(span, i) ? at - 1 : NULL, at, &rates);
	return real(*(double *)((char *)&rates + column->rate));
}

static json_t *series_of(const struct ksm_span *span)
{
	json_t *object = json_object(), *times = json_array();

	for (size_t i = 0; i < ksm_span_count(span); i++)
		json_array_append_new(times,
				      ksm_json_time(ksm_span_at(span, i)->time_ms));
	json_object_set_new(object, "time", times);
	for (size_t j = 0; j < ARRAY_SIZE(columns); j++) {
		json_t *list = json_array();

		for (size_t i = 0; i < ksm_span_count(span); i++)
			json_array_append_new(list, value_of(span, i,
							     &columns[j]));
		json_object_set_new(object, columns[j].name, list);
	}
	return object;
}

/**
 * report_data() - the data of a report
 * @report: the report
 *
 * Return: an object
 */
json_t *report_data(const struct report *report)
{
	const struct ksm_span *span = &report->span;

	return json_pack("{s:i,s:o,s:o,s:I,s:I,s:f,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
			 "schema_version", KSM_REPORT_VERSION,
			 "since", ksm_json_time(report->from_ms),
			 "until", ksm_json_time(report->to_ms),
			 "samples", (json_int_t)ksm_span_count(span),
			 "damaged_lines", (json_int_t)span->history->damaged,
			 "interval_seconds", span->interval_ms / 1000.0,
			 "end", ksm_json_status(&span->end),
			 "verdicts", verdicts_of(span),
			 "changes", changes_of(span),
			 "totals", totals_of(&span->totals),
			 "advice", report_advice(span),
			 "units", report_units_data(report),
			 "series", series_of(span));
}
