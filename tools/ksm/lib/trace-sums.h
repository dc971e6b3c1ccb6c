/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How often each event was seen, and why merging failed.
 */
#ifndef KSM_LIB_TRACE_SUMS_H
#define KSM_LIB_TRACE_SUMS_H

#include "trace-event.h"

/* What a page was to be merged with */
enum ksm_attempt {
	KSM_ATTEMPT_KSM_PAGE,
	KSM_ATTEMPT_ITSELF,	/* with nothing: it was to become a KSM page */
	KSM_ATTEMPT_ZERO_PAGE,
	KSM_NR_ATTEMPTS
};

#define KSM_ERRORS_MAX	12

/**
 * struct ksm_trace_sums - sums over events
 * @events:	how many of each kind
 * @attempts:	to merge
 * @failed:	how many of @attempts failed
 * @errors:	by what; the last one takes all that there is no room for
 * @nr_errors:	how many different ones
 * @lost:	events that the kernel had no room for
 * @strange:	lines that were not understood
 */
struct ksm_trace_sums {
	int64_t events[KSM_NR_EVENTS];
	int64_t attempts[KSM_NR_ATTEMPTS];
	int64_t failed[KSM_NR_ATTEMPTS];
	struct ksm_error_count {
		int error;
		int64_t count;
	} errors[KSM_ERRORS_MAX];
	size_t nr_errors;
	int64_t lost;
	int64_t strange;
};

void ksm_trace_count(struct ksm_trace_sums *sums,
		     const struct ksm_event *event);
void ksm_trace_sort(struct ksm_trace_sums *sums);
int64_t ksm_trace_total(const int64_t *counts, size_t nr);

const char *ksm_attempt_name(enum ksm_attempt attempt);
const char *ksm_error_name(int error);
const char *ksm_error_text(int error);

#endif
