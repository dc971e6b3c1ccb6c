/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How ksm explain shows what it has found.
 */
#ifndef KSM_EXPLAIN_CMD_H
#define KSM_EXPLAIN_CMD_H

#include <jansson.h>

#include "advice.h"
#include "explain.h"
#include "trial.h"
#include "units.h"

/* Of the JSON; grows when a member goes or changes, not when one is added */
#define KSM_EXPLAIN_SCHEMA	1

void explain_raw(bool raw);
struct ksm_text explain_size(ksm_figure bytes);
struct ksm_text explain_count(ksm_figure count);
void explain_print(const struct ksm_explained *explained,
		   const struct ksm_advice *advice);
void explain_print_place(const struct ksm_map *map, int width);
void explain_print_head(const struct ksm_explained *explained);
void explain_wrap(const char *begin, const char *text);

json_t *explain_json(const struct ksm_explained *explained,
		     const struct ksm_advice *advice);
json_t *explain_json_process(const struct ksm_explained *explained);
json_t *explain_json_map(const struct ksm_finding *finding);
json_t *explain_json_figure(ksm_figure figure);
int explain_json_print(json_t *json);

int explain_unreadable(size_t count);
int explain_list(const struct ksm_scene *scene, bool idle, bool json);
int explain_advise(const struct ksm_explained *explained, bool json);

#endif
