// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory goes offline.
 *
 * During that ksmd and writes to its knobs wait: they might touch a struct page
 * that is about to vanish.  When the memory is offline, nodes whose page was
 * there are dropped, because their pfn cannot be looked up any more.
 */
#include <linux/memory.h>
#include <linux/wait_bit.h>

#include "internal.h"

/**
 * ksm_scan_lock - lock ksm_scan_mutex when no memory is going offline
 *
 * Context: may sleep for long.
 */
void ksm_scan_lock(void)
{
	mutex_lock(&ksm_scan_mutex);
	while (ksm_run & KSM_RUN_OFFLINE) {
		mutex_unlock(&ksm_scan_mutex);
		wait_var_event(&ksm_run,
			       !(READ_ONCE(ksm_run) & KSM_RUN_OFFLINE));
		mutex_lock(&ksm_scan_mutex);
	}
}

static void ksm_hotplug_set_offline(bool offline)
{
	mutex_lock(&ksm_scan_mutex);
	if (offline)
		WRITE_ONCE(ksm_run, ksm_run | KSM_RUN_OFFLINE);
	else
		WRITE_ONCE(ksm_run, ksm_run & ~KSM_RUN_OFFLINE);
	mutex_unlock(&ksm_scan_mutex);
	if (offline)
		return;
	/* Pairs with the barrier of wait_var_event(): no sleeper is missed. */
	smp_mb();
	wake_up_var(&ksm_run);
}

static void ksm_hotplug_forget_range(unsigned long start, unsigned long end)
{
	mutex_lock(&ksm_scan_mutex);
	ksm_node_forget_range(start, end);
	mutex_unlock(&ksm_scan_mutex);
}

static int ksm_hotplug_notify(struct notifier_block *self, unsigned long action,
			      void *arg)
{
	struct memory_notify *range = arg;

	switch (action) {
	case MEM_GOING_OFFLINE:
		ksm_hotplug_set_offline(true);
		break;
	case MEM_OFFLINE:
		ksm_hotplug_forget_range(range->start_pfn,
					 range->start_pfn + range->nr_pages);
		fallthrough;
	case MEM_CANCEL_OFFLINE:
		ksm_hotplug_set_offline(false);
		break;
	}
	return NOTIFY_OK;
}

static int __init ksm_hotplug_init(void)
{
	hotplug_memory_notifier(ksm_hotplug_notify, KSM_CALLBACK_PRI);
	return 0;
}
subsys_initcall(ksm_hotplug_init);
