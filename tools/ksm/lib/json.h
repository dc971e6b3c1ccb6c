/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The status as JSON, for scripts.
 *
 * schema/ksm-status-1.json describes it.  Names and meanings of version 1 stay;
 * members may be added.
 */
#ifndef KSM_LIB_JSON_H
#define KSM_LIB_JSON_H

#include <jansson.h>

#include "status.h"

#define KSM_SCHEMA_VERSION	1

json_t *ksm_json_time(ksm_figure time_ms);
json_t *ksm_json_status(const struct ksm_status *status);

#endif
