/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KSM_SHIM_SCHED_CLOCK_H
#define _KSM_SHIM_SCHED_CLOCK_H

#include <linux/types.h>

/* How much each read of the clock advances it */
extern u64 shim_clock_tick;

u64 local_clock(void);

#endif /* _KSM_SHIM_SCHED_CLOCK_H */
