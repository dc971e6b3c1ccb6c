/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A span of time: how the verdict changed, what happened, what it cost.
 */
#ifndef KSM_LIB_SPAN_H
#define KSM_LIB_SPAN_H

#include "status.h"

/* Samples of so long before a span are of use for its first verdicts. */
#define KSM_SPAN_BEFORE_MS	(75 * 60000LL)

/**
 * struct ksm_period - a time of one verdict
 * @verdict: it; the warnings are those of its end
 * @words:   of its end
 * @from_ms: when it was first found
 * @to_ms:   when another one was, or the samples ended
 */
struct ksm_period {
	struct ksm_verdict verdict;
	struct ksm_words words;
	int64_t from_ms;
	int64_t to_ms;
};

enum ksm_change_kind { KSM_CHANGE_KNOB, KSM_CHANGE_BOOT, KSM_CHANGE_GAP };

/**
 * struct ksm_change - something that was different from then on
 * @kind:    a knob was set; the machine was booted; no samples for a while
 * @time_ms: when it was found, or when the gap ended
 * @field:   the knob
 * @from:    its old value; when the gap began
 * @to:      its new value
 */
struct ksm_change {
	enum ksm_change_kind kind;
	int64_t time_ms;
	const struct ksm_field *field;
	ksm_figure from;
	ksm_figure to;
};

/**
 * struct ksm_totals - sums over the span; NAN where unknown
 * @seconds:	 that were watched
 * @saved_mean:	 bytes saved, on average
 * @cpu_seconds: CPU time of ksmd
 * @cpu_percent_most: of one CPU, between two samples
 * @full_scans:	 completed
 * @cow:	 copies because of writes
 * @cow_most:	 per second, between two samples
 * @cow_most_ms: when that was
 * @swapin_copies: copies when swapped in
 * @thp_split:	 huge pages split
 */
struct ksm_totals {
	double seconds;
	double saved_mean;
	double cpu_seconds;
	double cpu_percent_most;
	double full_scans;
	double cow;
	double cow_most;
	int64_t cow_most_ms;
	double swapin_copies;
	double thp_split;
};

/**
 * struct ksm_span - all of it
 * @history:	samples, from some time before the span on
 * @first:	the first of them that is in the span
 * @interval_ms: the usual pause between two samples, or 0
 * @gap_ms:	longer pauses are gaps
 * @end:	status at the last sample
 * @totals:	sums
 * @periods:	in order of time
 * @nr_periods:	how many
 * @changes:	in order of time
 * @nr_changes:	how many
 */
struct ksm_span {
	const struct ksm_history *history;
	size_t first;
	int64_t interval_ms;
	int64_t gap_ms;
	struct ksm_status end;
	struct ksm_totals totals;
	struct ksm_period *periods;
	size_t nr_periods;
	struct ksm_change *changes;
	size_t nr_changes;
};

int ksm_span_of(struct ksm_span *span, const struct ksm_history *history,
		int64_t from_ms);
void ksm_span_free(struct ksm_span *span);

const struct ksm_sample *ksm_span_at(const struct ksm_span *span, size_t i);
size_t ksm_span_count(const struct ksm_span *span);
bool ksm_span_joined(const struct ksm_span *span, size_t i);

#endif
