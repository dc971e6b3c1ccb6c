/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A sample as JSON, as it is kept on disk.
 */
#ifndef KSM_LIB_RECORD_H
#define KSM_LIB_RECORD_H

#include <jansson.h>

#include "sample.h"

json_t *ksm_record_of(const struct ksm_sample *sample);
int ksm_record_parse(const json_t *record, struct ksm_sample *sample);
json_t *ksm_json_figure(ksm_figure figure);
json_t *ksm_json_container(const char *name);
json_t *ksm_json_knobs(const struct ksm_knobs *knobs);

#endif
