/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KSM_SHIM_SCHED_CLOCK_H
#define _KSM_SHIM_SCHED_CLOCK_H

#include <linux/types.h>

/* By how much the clock goes on each time somebody looks at it */
extern u64 shim_clock_tick;

u64 local_clock(void);

#endif /* _KSM_SHIM_SCHED_CLOCK_H */
