// SPDX-License-Identifier: GPL-2.0-only
#include "status.h"

#define MINUTE_MS	60000LL

/* How far back one looks, and how much a sample may be off */
#define RECENT_MS	(10 * MINUTE_MS)
#define RECENT_SLACK_MS	(5 * MINUTE_MS)
#define HOUR_MS		(60 * MINUTE_MS)
#define HOUR_SLACK_MS	(10 * MINUTE_MS)

/* CPU time is counted in ticks; below this share it is not known enough. */
#define LEAST_CPU_PERCENT	0.05

/**
 * ksm_status() - everything that follows from samples
 * @status:  result; points to the samples
 * @now:     the newest
 * @before:  a moment ago, or NULL
 * @history: samples that were kept, may be empty
 */
void ksm_status(struct ksm_status *status, const struct ksm_sample *now,
		const struct ksm_sample *before,
		const struct ksm_history *history)
{
	status->view = (struct ksm_view){
		.now = now,
		.before = before,
		.recent = ksm_history_at(history, now, RECENT_MS,
					 RECENT_SLACK_MS),
		.hour = ksm_history_at(history, now, HOUR_MS, HOUR_SLACK_MS),
	};
	ksm_verdict(&status->view, &status->verdict);
	ksm_words(&status->view, &status->verdict, &status->words);
	ksm_rates_between(before, now, &status->quick);
	ksm_trend(&status->view, &status->trend);
	ksm_rates_between(status->view.hour, now, &status->hour);
	status->converged_ms = ksm_history_converged(history, now);
}

/* Bytes gained for each percent of a CPU, or NAN. */
double ksm_yield_bytes(const struct ksm_status *status)
{
	double cpu = status->quick.ksmd_cpu_percent;

	if (!(cpu >= LEAST_CPU_PERCENT))
		return NAN;
	return fig_double(status->view.now->counters.general_profit) / cpu;
}

/* The part of this full scan that is done, 0 to 1, or NAN. */
double ksm_scan_progress(const struct ksm_sample *sample)
{
	ksm_figure visited = fig_mul(sample->counters.scan_pages,
				     sample->host.page_bytes);
	double part = fig_ratio(visited, ksm_tracked_bytes(sample));

	/* fmin() would take an unknown one for a whole */
	return isnan(part) ? part : fmin(part, 1);
}

/* What this full scan takes still, if it is like the last, or NAN. */
double ksm_scan_remaining_seconds(const struct ksm_sample *sample)
{
	double last = fig_double(sample->counters.last_scan_millisecs) / 1000;

	return last * (1 - ksm_scan_progress(sample));
}
