/* SPDX-License-Identifier: GPL-2.0-only */
/* Arithmetic of the advisor.  See advice.c */
#ifndef _MM_KSM_ADVISOR_H
#define _MM_KSM_ADVISOR_H

#include <linux/types.h>

/**
 * struct ksm_advice - figures of a pass, and the bounds of the advice
 * @pages_now: pages_to_scan during the last pass
 * @work:      pages read, looked up or merged in it
 * @wall_ns:   time it took
 * @cpu_ns:    CPU time it took
 * @sleep_ms:  pause between two batches
 * @target_s:  how long it should have taken
 * @max_cpu:   CPU share that may be used, in percent
 * @min_pages: lower bound of the result
 * @max_pages: upper bound of the result
 */
struct ksm_advice {
	unsigned long pages_now;
	unsigned long work;
	u64 wall_ns;
	u64 cpu_ns;
	unsigned int sleep_ms;
	unsigned long target_s;
	unsigned int max_cpu;
	unsigned long min_pages;
	unsigned long max_pages;
};

unsigned long ksm_advise(const struct ksm_advice *in);
unsigned int ksm_advice_cpu_percent(const struct ksm_advice *in);

#endif /* _MM_KSM_ADVISOR_H */
