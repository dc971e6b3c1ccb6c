/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sums of units of the past, as "ksm record --units" keeps them: beside the
 * samples, in files YYYY-MM-DD.units.jsonl.
 *
 * They tell which units hold how much in common with others, what ksm_stat does
 * not tell to all users.  So only their owner may read them.
 */
#ifndef KSM_LIB_UNIT_HISTORY_H
#define KSM_LIB_UNIT_HISTORY_H

#include "sample.h"
#include "unit-sums.h"

/**
 * struct ksm_unit_past - what a unit was like in a span of time
 * @last:	  its sums when it was last seen; their cow is not that of the
 *		  span
 * @first_ms:	  when it was first seen
 * @last_ms:	  when it was last seen
 * @samples:	  in how many it was
 * @profits:	  in how many its profit was known
 * @profit_bytes: sum over these
 * @cow:	  copies because of writes in the span.  Those of a process
 *		  after the last sample that it was in are missing
 */
struct ksm_unit_past {
	struct ksm_unit_sum last;
	int64_t first_ms;
	int64_t last_ms;
	size_t samples;
	size_t profits;
	double profit_bytes;
	ksm_figure cow;
};

/**
 * struct ksm_unit_history - all units of a span of time
 * @list:	array of @count, in no order
 * @count:	how many
 * @samples:	how many samples there are
 * @last_ms:	when the last one was taken
 * @boot_id:	at that time
 * @damaged:	lines that are no samples
 * @damaged_at: file and line of the first of them
 */
struct ksm_unit_history {
	struct ksm_unit_past *list;
	size_t count;
	size_t samples;
	int64_t last_ms;
	char boot_id[40];
	size_t damaged;
	char damaged_at[40];
};

int ksm_unit_history_append(const char *dir, const struct ksm_sample *sample,
			    const struct ksm_unit_sums *sums);
int ksm_unit_history_read(const char *dir, int64_t from_ms, int64_t to_ms,
			  struct ksm_unit_history *history);
void ksm_unit_history_free(struct ksm_unit_history *history);
int ksm_unit_history_prune(const char *dir, int64_t now_ms, int days);

#endif
