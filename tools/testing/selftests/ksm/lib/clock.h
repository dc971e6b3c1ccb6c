/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Time, and waiting
 */
#ifndef KSM_LIB_CLOCK_H
#define KSM_LIB_CLOCK_H

#include <linux/types.h>
#include <stdbool.h>

/* How long anything may take before it counts as hung, slow machines too. */
#define KSM_DEADLINE_MS		60000U

__u64 ksm_now_ms(void);
void ksm_sleep_ms(unsigned int ms);

/*
 * How many times slower than an ordinary machine this one is, at least 1.
 * Under emulation about 20.  Scale work by it, or better: bound work by time.
 */
unsigned int ksm_slowness(void);

/* Poll cond(arg) until it is true (returns true) or time is out (false). */
bool ksm_poll(bool (*cond)(void *arg), void *arg, unsigned int timeout_ms);

/* Milliseconds of work a stress case may do. */
unsigned int ksys_budget_ms(void);

#endif /* KSM_LIB_CLOCK_H */
