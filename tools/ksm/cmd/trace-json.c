// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events and their sums as JSON, an object in each line;
 * schema/ksm-trace-1.json describes it.
 */
#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "record.h"
#include "trace-print.h"

/* Grows when a member goes or changes, not when one is added */
#define KSM_TRACE_SCHEMA	1

static void print(json_t *object)
{
	json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12));
	putchar('\n');
	json_decref(object);
}

static json_t *time_of(int64_t us)
{
	time_t seconds = us / 1000000;
	char day[32];
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &utc);
	return json_sprintf("%s.%06dZ", day, (int)(us % 1000000));
}

static void set_figure(json_t *object, const char *name, ksm_figure figure)
{
	if (fig_known(figure))
		json_object_set_new(object, name, json_integer(figure));
}

static void set_text(json_t *object, const char *name, const char *text)
{
	if (*text)
		json_object_set_new(object, name, json_string(text));
}

static void set_attempt(json_t *object, const struct ksm_event *event)
{
	if (event->kind == KSM_EVENT_MERGE_WITH_KSM_PAGE)
		json_object_set_new(object, "with_ksm_page",
				    json_boolean(event->with_ksm_page));
	json_object_set_new(object, "error_name", event->error ?
			    json_string(ksm_error_name(event->error)) :
			    json_null());
}

/* One event, with the fields that it has. */
void ksm_trace_json(const struct ksm_event *event,
		    const struct ksm_trace_span *span)
{
	json_t *object = json_pack("{s:i,s:s,s:o,s:s}", "schema_version",
				   KSM_TRACE_SCHEMA, "type", "event", "time",
				   time_of(event->time_us + span->offset_us),
				   "event", ksm_event_name(event->kind));

	set_figure(object, "pid", event->pid ? event->pid : KSM_UNKNOWN);
	set_text(object, "comm", event->comm);
	set_text(object, "mm", event->mm);
	set_text(object, "rmap_item", event->rmap_item);
	set_figure(object, "pfn", event->pfn);
	set_figure(object, "error", event->error);
	if (ksm_event_is_attempt(event))
		set_attempt(object, event);
	set_figure(object, "full_scans_before", event->scans);
	set_figure(object, "tracked_pages", event->tracked);
	set_figure(object, "last_scan_seconds", event->scan_seconds);
	set_figure(object, "pages_to_scan", event->pages_to_scan);
	set_figure(object, "cpu_percent", event->cpu_percent);
	print(object);
}

static json_t *events_of(const struct ksm_trace_sums *sums)
{
	json_t *object = json_object();

	for (int i = 0; i < KSM_NR_EVENTS; i++)
		json_object_set_new(object, ksm_event_name(i),
				    json_integer(sums->events[i]));
	return object;
}

static json_t *attempts_of(const struct ksm_trace_sums *sums)
{
	json_t *object = json_object();

	for (int i = 0; i < KSM_NR_ATTEMPTS; i++)
		json_object_set_new(object, ksm_attempt_name(i),
				    json_pack("{sI,sI}", "tried",
					      (json_int_t)sums->attempts[i],
					      "failed",
					      (json_int_t)sums->failed[i]));
	return object;
}

static json_t *failures_of(const struct ksm_trace_sums *sums)
{
	json_t *list = json_array();

	for (size_t i = 0; i < sums->nr_errors; i++) {
		const struct ksm_error_count *at = &sums->errors[i];

		json_array_append_new(list,
				      json_pack("{si,ss,sI,ss}",
						"error", at->error,
						"name",
						ksm_error_name(at->error),
						"count",
						(json_int_t)at->count, "text",
						ksm_error_text(at->error)));
	}
	return list;
}

/* The sums, told apart from events by their type. */
void ksm_trace_json_sums(struct ksm_trace_sums *sums,
			 const struct ksm_trace_span *span)
{
	ksm_trace_sort(sums);
	print(json_pack("{s:i,s:s,s:f,s:o,s:o,s:o,s:I,s:I,s:o}",
			"schema_version", KSM_TRACE_SCHEMA,
			"type", "summary", "seconds", span->seconds,
			"events", events_of(sums),
			"merges", attempts_of(sums),
			"failures", failures_of(sums),
			"lost_events", (json_int_t)sums->lost,
			"strange_lines", (json_int_t)sums->strange,
			"run", ksm_json_figure(span->run)));
}
