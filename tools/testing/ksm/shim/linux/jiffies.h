/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KSM_SHIM_JIFFIES_H
#define _KSM_SHIM_JIFFIES_H

#define HZ	250

/* Stands still unless a test moves it */
extern unsigned long jiffies;

#define time_before(a, b)	((long)((a) - (b)) < 0)

#endif /* _KSM_SHIM_JIFFIES_H */
