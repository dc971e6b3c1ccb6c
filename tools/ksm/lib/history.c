// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "days.h"
#include "history.h"
#include "record.h"
#include "root.h"
#include "verdict.h"

/* Sums, no names: all users may read them. */
#define MODE		0644

static struct ksm_days days_of(const char *dir)
{
	return (struct ksm_days){ .dir = dir, .kind = "" };
}

/**
 * ksm_history_append() - keep a sample
 * @dir:    where; is made if it is not there
 * @sample: the sample
 *
 * Return: 0, or -errno
 */
int ksm_history_append(const char *dir, const struct ksm_sample *sample)
{
	struct ksm_days days = days_of(dir);
	json_t *record = ksm_record_of(sample);
	int err = ksm_days_append(&days, MODE, sample->time_ms, record);

	json_decref(record);
	return err;
}

static int keep(struct ksm_history *history, const struct ksm_sample *sample)
{
	size_t count = history->count;

	/* grow at 0, 64, 128, 256 ... */
	if (!count || (count >= 64 && !(count & (count - 1)))) {
		void *list = realloc(history->list, (count ? 2 * count : 64) *
						    sizeof(*sample));

		if (!list)
			return -ENOMEM;
		history->list = list;
	}
	history->list[history->count++] = *sample;
	return 0;
}

/* What is wanted, and where it goes */
struct reading {
	int64_t from_ms;
	int64_t to_ms;
	struct ksm_history *history;
};

static int take_line(void *to, const json_t *record, const char *day, int line)
{
	struct reading *reading = to;
	struct ksm_history *history = reading->history;
	struct ksm_sample sample;

	if (!record || ksm_record_parse(record, &sample)) {
		if (!history->damaged++)
			snprintf(history->damaged_at,
				 sizeof(history->damaged_at), "%s:%d", day,
				 line);
		return 0;
	}
	if (sample.time_ms < reading->from_ms ||
	    sample.time_ms > reading->to_ms)
		return 0;
	return keep(history, &sample);
}

/**
 * ksm_history_read() - read the samples of a span of time
 * @dir:     where they are kept
 * @from_ms: begin, by the wall clock
 * @to_ms:   end, included
 * @history: result, for ksm_history_free(), also after an error; empty if
 *           nothing was kept
 *
 * Return: 0, or -errno
 */
int ksm_history_read(const char *dir, int64_t from_ms, int64_t to_ms,
		     struct ksm_history *history)
{
	struct reading reading = { from_ms, to_ms, history };
	struct ksm_days days = days_of(dir);

	memset(history, 0, sizeof(*history));
	return ksm_days_read(&days, from_ms, to_ms, take_line, &reading);
}

/* Give back what ksm_history_read() has made. */
void ksm_history_free(struct ksm_history *history)
{
	free(history->list);
	memset(history, 0, sizeof(*history));
}

/**
 * ksm_history_prune() - remove the samples of days long gone
 * @dir:    where samples are kept; other files there stay
 * @now_ms: the present
 * @days:   how many days before this one are kept
 *
 * Return: number of files removed, or -errno
 */
int ksm_history_prune(const char *dir, int64_t now_ms, int days)
{
	struct ksm_days samples = days_of(dir);

	return ksm_days_prune(&samples, now_ms, days);
}

/**
 * ksm_history_at() - a sample of some time ago, of this boot
 * @history:  samples
 * @now:      the present
 * @ago_ms:   how long ago
 * @slack_ms: how much newer or older it may be
 *
 * Return: the one that fits best, or NULL
 */
const struct ksm_sample *ksm_history_at(const struct ksm_history *history,
					const struct ksm_sample *now,
					int64_t ago_ms, int64_t slack_ms)
{
	const struct ksm_sample *best = NULL;
	int64_t best_off = slack_ms + 1;

	for (size_t i = 0; i < history->count; i++) {
		const struct ksm_sample *at = &history->list[i];
		int64_t off = llabs(now->boottime_ms - at->boottime_ms -
				    ago_ms);

		if (off >= best_off || at->boottime_ms >= now->boottime_ms ||
		    strcmp(at->host.boot_id, now->host.boot_id))
			continue;
		best = at;
		best_off = off;
	}
	return best;
}

static bool grew(const struct ksm_sample *from, const struct ksm_sample *to)
{
	struct ksm_rates rates;

	ksm_rates_between(from, to, &rates);
	return ksm_growth_per_scan(to, &rates) > KSM_GROWING_PER_SCAN;
}

/**
 * ksm_history_converged() - since when has nothing grown any more?
 * @history: samples
 * @now:     the present
 *
 * Return: time by the wall clock in ms; KSM_UNKNOWN if it still grows, or has
 *         not grown for as long as the samples of this boot go back
 */
int64_t ksm_history_converged(const struct ksm_history *history,
			      const struct ksm_sample *now)
{
	const struct ksm_sample *newer = now;

	for (size_t i = history->count; i-- > 0;) {
		const struct ksm_sample *at = &history->list[i];

		if (strcmp(at->host.boot_id, now->host.boot_id))
			break;
		if (grew(at, newer))
			return newer == now ? KSM_UNKNOWN : newer->time_ms;
		newer = at;
	}
	return KSM_UNKNOWN;
}
