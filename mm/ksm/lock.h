/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ksm_scan_mutex: what it protects is told in internal.h.
 */
#ifndef _MM_KSM_LOCK_H
#define _MM_KSM_LOCK_H

#include <linux/mutex.h>

extern struct mutex ksm_scan_mutex;

/* Lock it when no memory is going offline, see hotplug.c. */
#ifdef CONFIG_MEMORY_HOTREMOVE
void ksm_scan_lock(void);
#else
static inline void ksm_scan_lock(void)
{
	mutex_lock(&ksm_scan_mutex);
}
#endif

static inline void ksm_scan_unlock(void)
{
	mutex_unlock(&ksm_scan_mutex);
}

#endif /* _MM_KSM_LOCK_H */
