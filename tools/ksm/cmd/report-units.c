// SPDX-License-Identifier: GPL-2.0-only
/*
 * Units in a report: which gained, and which wrote.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "record.h"
#include "report.h"
#include "units.h"
#include "when.h"

#define ROWS_MAX	24

/* By what they gain, from much to little; what is unknown is least. */
static int by_profit(const void *a, const void *b)
{
	const struct ksm_unit_past *x = *(const struct ksm_unit_past *const *)a;
	const struct ksm_unit_past *y = *(const struct ksm_unit_past *const *)b;

	if (x->last.profit_bytes != y->last.profit_bytes)
		return x->last.profit_bytes < y->last.profit_bytes ? 1 : -1;
	return strcmp(x->last.name, y->last.name);
}

/* For free(); NULL if there is no memory */
static const struct ksm_unit_past **
in_order(const struct ksm_unit_history *units)
{
	const struct ksm_unit_past **list = calloc(units->count + 1,
						   sizeof(*list));

	for (size_t i = 0; list && i < units->count; i++)
		list[i] = &units->list[i];
	if (list)
		qsort(list, units->count, sizeof(*list), by_profit);
	return list;
}

static json_t *row_of(const struct report *report,
		      const struct ksm_unit_past *unit)
{
	const struct ksm_unit_sum *last = &unit->last;
	char name[KSM_UNIT_MAX];
	json_t *row;

	strcpy(name, *last->name ? last->name : "(no unit)");
	ksm_unit_unescape(name);
	row = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "name", name,
			"processes", ksm_count(last->processes).s,
			"tracked", ksm_size(last->tracked_bytes).s,
			"merged", ksm_size(last->merged_bytes).s,
			"zero", ksm_size(last->zero_bytes).s,
			"profit", ksm_size(last->profit_bytes).s,
			"copies", ksm_count(unit->cow).s);
	if (unit->last_ms < report->units.last_ms)
		json_object_set_new(row, "gone",
				    json_string(ksm_time(unit->last_ms,
							 "%-d %b %H:%M").s));
	return row;
}

static json_t *rest_of(const struct ksm_unit_past **list, size_t count)
{
	ksm_figure profit = KSM_UNKNOWN;

	for (size_t i = 0; i < count; i++)
		fig_include(&profit, list[i]->last.profit_bytes);
	return json_sprintf("%s more gain %s in all.", ksm_count(count).s,
			    ksm_size(profit).s);
}

static void set_rows(json_t *view, const struct report *report,
		     const struct ksm_unit_past **list)
{
	size_t count = report->units.count;
	json_t *rows = json_array();

	for (size_t i = 0; i < count && i < ROWS_MAX; i++)
		json_array_append_new(rows, row_of(report, list[i]));
	json_object_set_new(view, "units", rows);
	if (count > ROWS_MAX)
		json_object_set_new(view, "units_left_out",
				    rest_of(list + ROWS_MAX, count - ROWS_MAX));
}

/**
 * report_units_view() - what the template needs for the table of units
 * @view:   where to
 * @report: the report
 */
void report_units_view(json_t *view, const struct report *report)
{
	const struct ksm_unit_past **list = in_order(&report->units);
	bool any = list && report->units.samples;

	json_object_set_new(view, "by_unit", json_boolean(any));
	json_object_set_new(view, "units_hidden",
			    json_boolean(report->units_hidden));
	if (any)
		set_rows(view, report, list);
	free(list);
}

static json_t *object_of(const struct ksm_unit_past *unit)
{
	double mean = unit->profit_bytes / unit->profits;
	const char *name = ksm_unit_name(unit->last.name);
	json_t *object = json_pack("{s:s,s:o,s:o,s:o}", "unit", name,
				   "container",
				   ksm_json_container(unit->last.name),
				   "since", ksm_json_time(unit->first_ms),
				   "until", ksm_json_time(unit->last_ms));

	for (size_t i = 0; i < ksm_nr_unit_fields; i++) {
		const struct ksm_field *field = &ksm_unit_fields[i];
		ksm_figure value = fig_get(&unit->last, field);

		json_object_set_new(object, field->name,
				    ksm_json_figure(value));
	}
	json_object_set_new(object, "cow", ksm_json_figure(unit->cow));
	json_object_set_new(object, "profit_mean_bytes", isfinite(mean) ?
			    json_real(mean) : json_null());
	return object;
}

/* The same as data; null if there is nothing, or it may not be read */
json_t *report_units_data(const struct report *report)
{
	const struct ksm_unit_past **list = in_order(&report->units);
	json_t *array;

	if (!list || !report->units.samples) {
		free(list);
		return json_null();
	}
	array = json_array();
	for (size_t i = 0; i < report->units.count; i++)
		json_array_append_new(array, object_of(list[i]));
	free(list);
	return array;
}
