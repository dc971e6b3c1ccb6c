// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory goes offline.
 *
 * While it does, ksmd and those who want to change its knobs wait: they might
 * touch a struct page that is about to vanish.  When it has gone, nodes whose
 * page was there are dropped, because their pfn cannot be looked up any more.
 */
#include <linux/memory.h>
#include <linux/wait_bit.h>

#include "internal.h"

/**
 * ksm_offline_wait - wait until no memory is going offline
 *
 * Context: ksm_scan_mutex held, dropped while waiting.
 */
void ksm_offline_wait(void)
{
	while (ksm_run & KSM_RUN_OFFLINE) {
		mutex_unlock(&ksm_scan_mutex);
		wait_var_event(&ksm_run,
			       !(READ_ONCE(ksm_run) & KSM_RUN_OFFLINE));
		mutex_lock(&ksm_scan_mutex);
	}
}

static void set_offline(bool offline)
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

static void drop_range(unsigned long start, unsigned long end)
{
	mutex_lock(&ksm_scan_mutex);
	ksm_node_forget_range(start, end);
	mutex_unlock(&ksm_scan_mutex);
}

static int notify(struct notifier_block *self, unsigned long action, void *arg)
{
	struct memory_notify *range = arg;

	switch (action) {
	case MEM_GOING_OFFLINE:
		set_offline(true);
		break;
	case MEM_OFFLINE:
		drop_range(range->start_pfn,
			   range->start_pfn + range->nr_pages);
		fallthrough;
	case MEM_CANCEL_OFFLINE:
		set_offline(false);
		break;
	}
	return NOTIFY_OK;
}

static int __init ksm_hotplug_init(void)
{
	hotplug_memory_notifier(notify, KSM_CALLBACK_PRI);
	return 0;
}
subsys_initcall(ksm_hotplug_init);
