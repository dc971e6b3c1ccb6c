// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes of knobs across which nothing may be scanned.
 */
#include <linux/oom.h>
#include <linux/wait.h>

#include "internal.h"
#include "slice.h"

static int ksm_control_unmerge_all(void)
{
	int err;

	/*
	 * Instead of counting down key by key.  Should some be left in the
	 * end, ksm_recount() counts them in a new filter.
	 */
	ksm_recount_drop();
	err = ksm_walk_unmerge_all(&ksm_pass);
	if (err)
		return err;
	ksm_node_check(false, ULONG_MAX);
	WRITE_ONCE(ksm_counters.full_scans, 0);
	WRITE_ONCE(ksm_counters.scan_pages, 0);
	WRITE_ONCE(ksm_counters.scan_ms, 0);
	return 0;
}

static int ksm_control_change_run(unsigned long value)
{
	int err;

	WRITE_ONCE(ksm_run, value);
	ksm_rest_call(&ksm_pass.rest);
	if (value != KSM_RUN_UNMERGE)
		return 0;
	/* If memory runs out, kill the one that has asked for it. */
	set_current_oom_origin();
	err = ksm_control_unmerge_all();
	clear_current_oom_origin();
	if (err)
		WRITE_ONCE(ksm_run, KSM_RUN_STOP);
	return err;
}

/**
 * ksm_set_run - stop, merge or unmerge
 * @value: KSM_RUN_STOP, KSM_RUN_MERGE or KSM_RUN_UNMERGE
 *
 * Unmerging is complete on return.
 *
 * Context: may sleep for long.
 * Return: 0, or -ENOMEM or -ERESTARTSYS, and KSM is stopped.
 */
int ksm_set_run(unsigned long value)
{
	int err = 0;

	ksm_scan_lock();
	if (ksm_run != value)
		err = ksm_control_change_run(value);
	ksm_scan_unlock();
	wake_up_interruptible(&ksm_wait);
	return err;
}

/**
 * ksm_set_max_page_sharing - limit the mappings of one KSM page
 * @value: 2 or more
 *
 * Context: may sleep.
 * Return: 0, or -EBUSY while there are KSM pages.
 */
int ksm_set_max_page_sharing(unsigned long value)
{
	int err = 0;

	ksm_scan_lock();
	if (ksm_max_page_sharing != value) {
		if (ksm_counters.shared)
			err = -EBUSY;
		else
			WRITE_ONCE(ksm_max_page_sharing, value);
	}
	ksm_scan_unlock();
	return err;
}

/* With another setting all pages have other scopes, so all keys are wrong. */
static int ksm_control_change_scopes(bool value)
{
	ksm_node_check(false, ULONG_MAX);
	if (ksm_counters.shared || !ksm_node_none_left())
		return -EBUSY;
	ksm_walk_forget_all();
	WRITE_ONCE(ksm_merge_across_nodes, value);
	return 0;
}

/**
 * ksm_set_merge_across_nodes - may pages of different NUMA nodes share?
 * @value: new setting, 0 or 1; all keys are taken again
 *
 * Context: may sleep.
 * Return: 0, or -EBUSY while there are KSM pages.
 */
int ksm_set_merge_across_nodes(unsigned long value)
{
	int err = 0;

	ksm_scan_lock();
	if (ksm_merge_across_nodes != value)
		err = ksm_control_change_scopes(value);
	ksm_scan_unlock();
	return err;
}

/* Pages of zeroes may have got a duplicate, on whatever NUMA node they are. */
static void ksm_control_recheck_zeroes(void)
{
	struct ksm_scope scope = { .domain = KSM_DOMAIN_GLOBAL };
	int nid;

	ksm_recheck(ksm_short(ksm_scope_zero_probe(scope)));
	for_each_node(nid) {
		scope.nid = nid;
		ksm_recheck(ksm_short(ksm_scope_zero_probe(scope)));
	}
}

/**
 * ksm_set_use_zero_pages - may pages of zeroes become the zero page?
 * @value: new setting, 0 or 1
 *
 * Context: may sleep.
 * Return: 0.
 */
int ksm_set_use_zero_pages(unsigned long value)
{
	mutex_lock(&ksm_scan_mutex);
	/* Unchanged pages look for a duplicate only if they are called. */
	if (value && !ksm_use_zero_pages)
		ksm_control_recheck_zeroes();
	WRITE_ONCE(ksm_use_zero_pages, value);
	mutex_unlock(&ksm_scan_mutex);
	return 0;
}
