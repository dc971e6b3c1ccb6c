/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A report, as a page and as data.
 */
#ifndef KSM_REPORT_H
#define KSM_REPORT_H

#include <jansson.h>

#include "span.h"
#include "unit-history.h"

#define KSM_REPORT_VERSION	1

/**
 * struct report - what it is made of
 * @span:    of what
 * @from_ms: what was asked for
 * @to_ms:   until then
 * @now_ms:  when it is made
 * @dir:     where the samples are
 * @units:   sums of units of that time; they may be missing
 * @units_hidden: they are there, but may not be read
 */
struct report {
	struct ksm_span span;
	int64_t from_ms;
	int64_t to_ms;
	int64_t now_ms;
	const char *dir;
	struct ksm_unit_history units;
	bool units_hidden;
};

extern const char report_template[];

json_t *report_view(const struct report *report);
json_t *report_data(const struct report *report);
json_t *report_advice(const struct ksm_span *span);
json_t *report_costs(const struct ksm_span *span);
json_t *report_members(const struct ksm_span *span);
json_t *report_units_data(const struct report *report);
void report_units_view(json_t *view, const struct report *report);

#endif
