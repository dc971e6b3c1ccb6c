/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events and their sums, for people and for scripts.
 */
#ifndef KSM_TRACE_PRINT_H
#define KSM_TRACE_PRINT_H

#include "trace-sums.h"

/**
 * struct ksm_trace_span - what the sums are about
 * @offset_us: of the wall clock to that of the trace
 * @seconds:   for how long was looked
 * @run:       whether ksmd runs, as /sys/kernel/mm/ksm/run has it
 */
struct ksm_trace_span {
	int64_t offset_us;
	double seconds;
	ksm_figure run;
};

void ksm_trace_print(const struct ksm_event *event,
		     const struct ksm_trace_span *span);
void ksm_trace_json(const struct ksm_event *event,
		    const struct ksm_trace_span *span);
void ksm_trace_print_sums(struct ksm_trace_sums *sums,
			  const struct ksm_trace_span *span);
void ksm_trace_json_sums(struct ksm_trace_sums *sums,
			 const struct ksm_trace_span *span);

#endif
