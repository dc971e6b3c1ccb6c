/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Charts of a report: what the template needs to draw them as SVG.
 */
#ifndef KSM_REPORT_CHART_H
#define KSM_REPORT_CHART_H

#include <jansson.h>

#include "span.h"

/* Size of a chart, and of what is around its plot */
#define REPORT_WIDTH	860
#define REPORT_HEIGHT	190
#define REPORT_LEFT	76
#define REPORT_RIGHT	10
#define REPORT_TOP	8
#define REPORT_BOTTOM	24

double report_x(const struct ksm_span *span, int64_t time_ms);
json_t *report_bands(const struct ksm_span *span);
json_t *report_time_ticks(const struct ksm_span *span);
json_t *report_charts(const struct ksm_span *span);

#endif
