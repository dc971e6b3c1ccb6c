/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that "ksm status" tells, whatever the form.
 */
#ifndef KSM_LIB_STATUS_H
#define KSM_LIB_STATUS_H

#include "history.h"
#include "words.h"

/**
 * struct ksm_status - what is told
 * @view:	  the samples
 * @verdict:	  of them
 * @words:	  for it
 * @quick:	  what happens now
 * @trend:	  what happened in the last minutes
 * @hour:	  what happened in the last hour; NAN if no samples were kept
 * @converged_ms: since when nothing grows, by the wall clock, or unknown
 */
struct ksm_status {
	struct ksm_view view;
	struct ksm_verdict verdict;
	struct ksm_words words;
	struct ksm_rates quick;
	struct ksm_rates trend;
	struct ksm_rates hour;
	int64_t converged_ms;
};

void ksm_status(struct ksm_status *status, const struct ksm_sample *now,
		const struct ksm_sample *before,
		const struct ksm_history *history);

double ksm_yield_bytes(const struct ksm_status *status);
double ksm_scan_progress(const struct ksm_sample *sample);
double ksm_scan_remaining_seconds(const struct ksm_sample *sample);

#endif
