/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files of days (UTC), with a JSON object in each line: YYYY-MM-DD.jsonl, or of
 * another kind YYYY-MM-DD.KIND.jsonl.
 */
#ifndef KSM_LIB_DAYS_H
#define KSM_LIB_DAYS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define KSM_DAY_MS	86400000LL

/* Up to the year 9999.  What is more would overflow when it is reckoned with. */
static inline bool ksm_time_is_sane(int64_t ms)
{
	return ms >= 0 && ms < 253402300800000LL;
}

/**
 * struct ksm_days - where, and which
 * @dir:  directory
 * @kind: what comes before .jsonl, as ".units"; "" for nothing
 */
struct ksm_days {
	const char *dir;
	const char *kind;
};

/* Takes a line: @record is NULL if it is damaged. Return: 0, or -errno to end */
typedef int (*ksm_days_take)(void *to, const json_t *record, const char *day,
			     int line);

int ksm_days_append(const struct ksm_days *days, mode_t mode, int64_t time_ms,
		    const json_t *record);
int ksm_days_read(const struct ksm_days *days, int64_t from_ms, int64_t to_ms,
		  ksm_days_take take, void *to);
int ksm_days_prune(const struct ksm_days *days, int64_t now_ms, int keep);

#endif
