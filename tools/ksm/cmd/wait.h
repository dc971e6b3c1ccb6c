/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting for time to pass, or for a signal to end.
 */
#ifndef KSM_WAIT_H
#define KSM_WAIT_H

#include <stdint.h>

void ksm_wait_init(void);
int ksm_wait_ms(int64_t ms);
int ksm_wait_until(int64_t boottime_ms);
int64_t ksm_wait_next(int64_t last, int64_t interval);
int64_t ksm_boottime_ms(void);

#endif
