/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Moments, as people write them.
 */
#ifndef KSM_LIB_WHEN_H
#define KSM_LIB_WHEN_H

#include "units.h"

ksm_figure ksm_parse_time_ms(const char *text, int64_t now_ms);
struct ksm_text ksm_time(int64_t time_ms, const char *fmt);

#endif
