/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Figures for people, and what people write.
 *
 * All of these give "-" for what is unknown.
 */
#ifndef KSM_LIB_UNITS_H
#define KSM_LIB_UNITS_H

#include "figure.h"

/* Returned by value, so that it can be used within printf() */
struct ksm_text {
	char s[40];
};

struct ksm_text ksm_size(ksm_figure bytes);
struct ksm_text ksm_count(ksm_figure count);
struct ksm_text ksm_raw(ksm_figure figure);
struct ksm_text ksm_duration(double seconds);
struct ksm_text ksm_rate(double per_second);
struct ksm_text ksm_percent(double percent);

const char *ksm_plural(int64_t count, const char *ending);

ksm_figure ksm_parse_duration_ms(const char *text);

#endif
