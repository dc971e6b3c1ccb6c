/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Samples of the past, as "ksm record" keeps them: one file for each day (UTC),
 * YYYY-MM-DD.jsonl, with a JSON object in each line.
 */
#ifndef KSM_LIB_HISTORY_H
#define KSM_LIB_HISTORY_H

#include "sample.h"

#define KSM_HISTORY_DIR		"/var/lib/ksm/samples"

/**
 * struct ksm_history - samples of a span of time
 * @list:    array of @count samples, from old to new
 * @count:   how many
 * @damaged: lines that are no samples, as after a crash or a full disk
 * @damaged_at: file and line of the first of them
 */
struct ksm_history {
	struct ksm_sample *list;
	size_t count;
	size_t damaged;
	char damaged_at[40];
};

int ksm_history_append(const char *dir, const struct ksm_sample *sample);
int ksm_history_read(const char *dir, int64_t from_ms, int64_t to_ms,
		     struct ksm_history *history);
void ksm_history_free(struct ksm_history *history);
int ksm_history_prune(const char *dir, int64_t now_ms, int days);

const struct ksm_sample *ksm_history_at(const struct ksm_history *history,
					const struct ksm_sample *now,
					int64_t ago_ms, int64_t slack_ms);
int64_t ksm_history_converged(const struct ksm_history *history,
			      const struct ksm_sample *now);

#endif
