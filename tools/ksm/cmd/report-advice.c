// SPDX-License-Identifier: GPL-2.0-only
/*
 * What to do, about the end and about what is over.
 */
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "when.h"

static bool is_bad(const struct ksm_period *period)
{
	return period->verdict.state == KSM_WASTE ||
	       period->verdict.state == KSM_BROKEN;
}

/* The last time of a reason stands for all of them. */
static bool is_last(const struct ksm_span *span, size_t i)
{
	for (size_t j = i + 1; j < span->nr_periods; j++)
		if (span->periods[j].verdict.reason ==
		    span->periods[i].verdict.reason)
			return false;
	return true;
}

static double seconds_of(const struct ksm_span *span, enum ksm_reason reason)
{
	int64_t ms = 0;

	for (size_t i = 0; i < span->nr_periods; i++)
		if (span->periods[i].verdict.reason == reason)
			ms += span->periods[i].to_ms - span->periods[i].from_ms;
	return ms / 1000.0;
}

static json_t *should_it_come_again(const struct ksm_span *span,
				    const struct ksm_period *last)
{
	enum ksm_reason reason = last->verdict.reason;

	return json_sprintf("should %s come again (for %s in all, until %s): "
			    "%s", ksm_reason_name(reason),
			    ksm_duration(seconds_of(span, reason)).s,
			    ksm_time(last->to_ms, "%-d %b %H:%M").s,
			    last->words.next);
}

/**
 * report_advice() - what to do
 * @span: what it is about
 *
 * Return: sentences, the most urgent first; commands are in `backticks`
 */
json_t *report_advice(const struct ksm_span *span)
{
	const struct ksm_status *end = &span->end;
	json_t *list = json_array();

	if (*end->words.next)
		json_array_append_new(list, json_string(end->words.next));
	for (size_t i = 0; i < span->nr_periods; i++) {
		const struct ksm_period *at = &span->periods[i];

		if (is_bad(at) && is_last(span, i) &&
		    at->verdict.reason != end->verdict.reason)
			json_array_append_new(list,
					      should_it_come_again(span, at));
	}
	return list;
}
