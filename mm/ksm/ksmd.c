// SPDX-License-Identifier: GPL-2.0-only
/*
 * The thread that scans, in batches with pauses between them.
 */
#define CREATE_TRACE_POINTS
#include <trace/events/ksm.h>
#undef CREATE_TRACE_POINTS

#include <linux/delay.h>
#include <linux/freezer.h>
#include <linux/init.h>
#include <linux/kthread.h>
#include <linux/random.h>
#include <linux/swap.h>

#include "internal.h"
#include "slice.h"

/* Two passes begin at least this far apart. */
#define KSMD_MIN_PASS_US	1000

/* How often to check KSM pages without a known mapping, after an exit */
#define KSMD_CHECKS_AFTER_EXIT	20U
#define KSMD_CHECK_JIFFIES	(HZ / 10)

/* And as long as there are any: what maps them may not be registered */
#define KSMD_CHECK_SLOWLY_JIFFIES	(10 * HZ)

/* So many nodes at a time, each with its folio lock */
#define KSMD_NODES_AT_ONCE	16384UL

/* What ksmd is doing; the job list is too long for a stack. */
static struct ksm_visit ksmd_visit;

/* Passes before which the per-CPU LRU caches are drained; ksmd only. */
static unsigned int ksmd_drains_due;

/*
 * Checks left, once there is nothing else to do, for KSM pages that are not
 * mapped any more: ksm_exit() is called before exit unmaps them.  ksmd only.
 */
static unsigned int ksmd_checks_left;

static bool ksmd_should_scan(void)
{
	return ksm_scanning() && !ksm_registry_empty();
}

/* What is known of an mm that has exited is dropped even if run is 0. */
static bool ksmd_has_work(void)
{
	return ksmd_should_scan() || ksm_registry_has_exited();
}

/**
 * ksmd_pace_changed - batches have another size, or the pause another length
 *
 * Context: any.
 */
void ksmd_pace_changed(void)
{
	wake_up_interruptible(&ksm_wait);
}

static void ksmd_begin_pass(struct ksm_pass *pass)
{
	trace_ksm_start_scan(ksm_counters.full_scans, ksm_counters.tracked);
	pass->began = ktime_get();
	ksm_advisor_start_scan();
	ksm_node_check(true, ULONG_MAX);
	ksm_orphan_begin_pass();
	pass->new_pages = 0;
	pass->work = 0;
	pass->held = false;
	ksm_rest_begin_pass(&pass->rest);
	WRITE_ONCE(ksm_counters.scan_pages, 0);
}

static void ksmd_end_pass(struct ksm_pass *pass)
{
	WRITE_ONCE(pass->nr, pass->nr + 1);
	ksm_registry_pass_ended();
	ksm_recheck_pass_ended();
	trace_ksm_stop_scan(ksm_counters.full_scans, ksm_counters.tracked);
	ksm_count(&ksm_counters.full_scans, 1);
	WRITE_ONCE(ksm_counters.scan_ms,
		   ktime_ms_delta(ktime_get(), pass->began));
	ksm_advisor_stop_scan(pass->work);
	ksm_rest_end_pass(&pass->rest, READ_ONCE(ksm_sleep_ms));
	/* Nothing is tracked: do not keep memory for it. */
	if (!ksm_counters.tracked && ksm_node_none_left())
		ksm_recount_drop();
	/* New pages wait in per-CPU caches, which hold references on them. */
	if (pass->new_pages)
		ksmd_drains_due = 2;
	else if (pass->held)
		ksmd_drains_due = max(ksmd_drains_due, 1U);
}

static void ksmd_scan_batch(struct ksm_visit *v)
{
	unsigned long pages = READ_ONCE(ksm_pages_to_scan);

	if (!ksm_recount())
		return;
	if (!v->pass->slot) {
		if (ksm_registry_exits_due())
			return;
		ksmd_begin_pass(v->pass);
	}
	ksm_rest_answer_call(&v->pass->rest);
	if (ksm_walk(v, pages))
		ksmd_end_pass(v->pass);
	ksm_node_drop_orphans(pages);
}

/* True: that has completed a pass, as the last mm to be scanned has gone. */
static bool ksmd_forget_exited(struct ksm_pass *pass)
{
	if (!ksm_walk_exited(pass) || !ksmd_should_scan())
		return false;
	ksmd_end_pass(pass);
	return true;
}

static void ksmd_do_batch(struct ksm_visit *v)
{
	ksmd_checks_left = KSMD_CHECKS_AFTER_EXIT;
	/* A key that is yet to be counted must not be uncounted before. */
	if (ksm_recounting() && !ksmd_should_scan())
		ksm_recount_drop();
	if (!ksm_recounting() && ksmd_forget_exited(v->pass))
		return;
	if (ksmd_should_scan())
		ksmd_scan_batch(v);
}

/* Not under ksm_scan_mutex: it waits for work on all CPUs. */
static void ksmd_drain_if_due(const struct ksm_pass *pass)
{
	if (!ksmd_drains_due || READ_ONCE(pass->slot) || ksm_recounting() ||
	    ksm_registry_exits_due())
		return;
	ksmd_drains_due--;
	lru_add_drain_all();
}

/*
 * A pass over little memory takes microseconds.  To repeat it at once would
 * find nothing, however short the pause that was asked for.
 */
static void ksmd_space_passes(const struct ksm_pass *pass)
{
	s64 since_us = ktime_us_delta(ktime_get(), pass->began);

	if (!READ_ONCE(pass->slot) && since_us < KSMD_MIN_PASS_US)
		usleep_idle_range(KSMD_MIN_PASS_US - since_us,
				  KSMD_MIN_PASS_US);
}

static bool ksmd_pause_over(unsigned int ms)
{
	return ms != READ_ONCE(ksm_sleep_ms) || !ksmd_should_scan() ||
	       kthread_should_stop();
}

/* An exit does not wait for the end of a pause: that may be hours away. */
static bool ksmd_pause_disturbed(unsigned int ms)
{
	return ksmd_pause_over(ms) || ksm_registry_has_exited();
}

static void ksmd_work_in_pause(struct ksm_pass *pass)
{
	ksm_scan_lock();
	/* Keys are not uncounted before all are counted. */
	if (!ksm_recounting() || ksm_recount())
		ksmd_forget_exited(pass);
	ksm_scan_unlock();
}

static void ksmd_pause(struct ksm_pass *pass)
{
	unsigned int ms = READ_ONCE(ksm_sleep_ms);
	long left = msecs_to_jiffies(ms);

	do {
		left = wait_event_freezable_timeout(ksm_wait,
						    ksmd_pause_disturbed(ms),
						    left);
		/* The condition may have been true from the beginning. */
		try_to_freeze();
		cond_resched();
		if (left && !ksmd_pause_over(ms))
			ksmd_work_in_pause(pass);
	} while (left && !ksmd_pause_over(ms));
}

/*
 * Nothing is registered, or nothing is to be merged.  The last KSM pages may
 * still be mapped, by mms that are about to exit, or by forks that were never
 * registered.  Return: how long to wait before checking again.
 */
static long ksmd_check_left_over(void)
{
	bool alone = ksm_registry_empty();

	if (ksmd_checks_left)
		ksmd_checks_left--;
	ksm_scan_lock();
	/* Without registered mms, what is in the swap cache stays unmerged. */
	if (ksm_node_check(!alone, KSMD_NODES_AT_ONCE) && ksmd_checks_left)
		ksmd_checks_left = KSMD_CHECKS_AFTER_EXIT;
	if (!ksm_counters.tracked)
		ksm_recount_drop();
	ksm_scan_unlock();
	if (!ksm_node_unchecked())
		return MAX_SCHEDULE_TIMEOUT;
	return ksmd_checks_left ? KSMD_CHECK_JIFFIES :
				  KSMD_CHECK_SLOWLY_JIFFIES;
}

static void ksmd_idle(void)
{
	long timeout = ksmd_check_left_over();

	/* A write of 2 to run may leave some behind. */
	wait_event_freezable_timeout(ksm_wait, ksmd_has_work() ||
				     kthread_should_stop() ||
				     (timeout == MAX_SCHEDULE_TIMEOUT &&
				      ksm_node_unchecked()), timeout);
}

static int ksmd(void *data)
{
	struct ksm_visit *v = data;

	set_freezable();
	set_user_nice(current, 5);
	while (!kthread_should_stop()) {
		if (ksmd_should_scan()) {
			ksmd_space_passes(v->pass);
			ksmd_drain_if_due(v->pass);
		}
		ksm_scan_lock();
		if (ksmd_has_work())
			ksmd_do_batch(v);
		ksm_scan_unlock();

		if (ksmd_has_work())
			ksmd_pause(v->pass);
		else
			ksmd_idle();
	}
	return 0;
}

static void ksmd_random(void *buf, size_t len)
{
	get_random_bytes(buf, len);
}

static int __init ksmd_init(void)
{
	struct task_struct *task;
	int err;

	ksm_fingerprint_seed(ksmd_random);
	err = ksm_registry_init() ?: ksm_table_init() ?: ksm_item_init() ?:
	      ksm_track_init() ?: ksm_stable_init() ?: ksm_node_init();
	if (err)
		return err;
	ksmd_visit.pass = &ksm_pass;
	task = kthread_run(ksmd, &ksmd_visit, "ksmd");
	return PTR_ERR_OR_ZERO(task);
}
subsys_initcall(ksmd_init);
