/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A report, as a page and as data.
 */
#ifndef KSM_REPORT_H
#define KSM_REPORT_H

#include <jansson.h>

#include "span.h"

#define KSM_REPORT_VERSION	1

/**
 * struct report - what it is made of
 * @span:    of what
 * @from_ms: what was asked for
 * @to_ms:   until then
 * @now_ms:  when it is made
 * @dir:     where the samples are
 */
struct report {
	struct ksm_span span;
	int64_t from_ms;
	int64_t to_ms;
	int64_t now_ms;
	const char *dir;
};

extern const char report_template[];

json_t *report_view(const struct report *report);
json_t *report_data(const struct report *report);
json_t *report_advice(const struct ksm_span *span);
json_t *report_costs(const struct ksm_span *span);
json_t *report_members(const struct ksm_span *span);

#endif
