// SPDX-License-Identifier: GPL-2.0-only
/*
 * The thread that does it all, in batches with pauses between them, and those
 * changes for which it has to stand still.
 */
#define CREATE_TRACE_POINTS
#include <trace/events/ksm.h>
#undef CREATE_TRACE_POINTS

#include <linux/delay.h>
#include <linux/freezer.h>
#include <linux/init.h>
#include <linux/kthread.h>
#include <linux/oom.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>

#include "internal.h"

/* Passes before which the per-CPU LRU caches are drained; ksmd only. */
static unsigned int drains_due;

/* Two passes begin at least this far apart. */
#define MIN_PASS_US	1000

/* When the last one began; ksmd only. */
static ktime_t pass_began;

/*
 * How often to look, once there is nothing else to do, for KSM pages that
 * nobody maps any more: exit tells us before it unmaps them.  ksmd only.
 */
static unsigned int looks_left;

#define LOOKS_AFTER_EXIT	20U
#define LOOK_JIFFIES		(HZ / 10)

/* And as long as there are some at all: who unmaps them may be unknown to us */
#define LOOK_SLOWLY_JIFFIES	(10 * HZ)

/* So many nodes at a time, each with its folio lock */
#define NODES_AT_ONCE		16384UL

static bool should_run(void)
{
	return ksm_scanning() && !ksm_registry_empty();
}

/* What has exited is forgotten even by one who is told to stop. */
static bool has_work(void)
{
	return should_run() || ksm_registry_has_exited();
}

/**
 * ksmd_pace_changed - batches are of another size, or the pause between them
 *
 * Context: any.
 */
void ksmd_pace_changed(void)
{
	wake_up_interruptible(&ksm_wait);
}

static void begin_pass(void)
{
	trace_ksm_start_scan(ksm_counters.full_scans, ksm_counters.tracked);
	pass_began = ktime_get();
	ksm_advisor_start_scan();
	ksm_node_check(true, ULONG_MAX);
	ksm_orphans_begin_pass();
	ksm_cursor.new_pages = 0;
	ksm_cursor.work = 0;
	WRITE_ONCE(ksm_counters.scan_pages, 0);
	ksm_match_was_busy = false;
}

static void end_pass(void)
{
	WRITE_ONCE(ksm_cursor.pass, ksm_cursor.pass + 1);
	ksm_registry_pass_ended();
	trace_ksm_stop_scan(ksm_counters.full_scans, ksm_counters.tracked);
	ksm_count(&ksm_counters.full_scans, 1);
	WRITE_ONCE(ksm_counters.scan_ms,
		   ktime_ms_delta(ktime_get(), pass_began));
	ksm_advisor_stop_scan(ksm_cursor.work);
	/* Nothing is tracked: do not keep memory for it. */
	if (!ksm_counters.tracked && ksm_node_none_left())
		ksm_recount_drop();
	/* New pages wait in per-CPU caches, which hold references on them. */
	if (ksm_cursor.new_pages)
		drains_due = 2;
	else if (ksm_match_was_busy)
		drains_due = max(drains_due, 1U);
}

static void scan_batch(void)
{
	unsigned long pages = READ_ONCE(ksm_pages_to_scan);

	if (!ksm_recount())
		return;
	if (!ksm_cursor.slot) {
		if (ksm_registry_exits_due())
			return;
		begin_pass();
	}
	if (ksm_walk(pages))
		end_pass();
	ksm_node_drop_orphans(pages);
}

/* True: a pass has come to its end, with the last mm that was to be scanned. */
static bool clear_exited(void)
{
	if (!ksm_walk_exited() || !should_run())
		return false;
	end_pass();
	return true;
}

static void do_batch(void)
{
	looks_left = LOOKS_AFTER_EXIT;
	/* What is counted now must not be uncounted before. */
	if (ksm_recounting() && !should_run())
		ksm_recount_drop();
	if (!ksm_recounting() && clear_exited())
		return;
	if (should_run())
		scan_batch();
}

/* Not under ksm_scan_mutex: it waits for work on all CPUs. */
static void drain_if_due(void)
{
	if (!drains_due || READ_ONCE(ksm_cursor.slot) || ksm_recounting() ||
	    ksm_registry_exits_due())
		return;
	drains_due--;
	lru_add_drain_all();
}

/*
 * A pass over little memory takes microseconds.  To repeat it at once would
 * find nothing, however small the pause that was asked for.
 */
static void space_passes(void)
{
	s64 since_us = ktime_us_delta(ktime_get(), pass_began);

	if (!READ_ONCE(ksm_cursor.slot) && since_us < MIN_PASS_US)
		usleep_idle_range(MIN_PASS_US - since_us, MIN_PASS_US);
}

static bool pause_over(unsigned int ms)
{
	return ms != READ_ONCE(ksm_sleep_ms) || !should_run() ||
	       kthread_should_stop();
}

/* Who exits does not wait for the end of a pause: it may be hours away. */
static bool pause_disturbed(unsigned int ms)
{
	return pause_over(ms) || ksm_registry_has_exited();
}

static void work_in_pause(void)
{
	mutex_lock(&ksm_scan_mutex);
	ksm_offline_wait();
	/* Keys are not uncounted before all are counted. */
	if (!ksm_recounting() || ksm_recount())
		clear_exited();
	mutex_unlock(&ksm_scan_mutex);
}

static void pause(void)
{
	unsigned int ms = READ_ONCE(ksm_sleep_ms);
	long left = msecs_to_jiffies(ms);

	do {
		left = wait_event_freezable_timeout(ksm_wait,
						    pause_disturbed(ms), left);
		/* The wait may have had nothing to wait for. */
		try_to_freeze();
		cond_resched();
		if (left && !pause_over(ms))
			work_in_pause();
	} while (left && !pause_over(ms));
}

/*
 * Nobody is registered, or nothing is to be merged.  The last KSM pages may
 * still be mapped, by processes that are about to exit or that were forked and
 * never registered.  Return: how long to wait before looking again.
 */
static long check_left_over(void)
{
	bool alone = ksm_registry_empty();

	if (looks_left)
		looks_left--;
	mutex_lock(&ksm_scan_mutex);
	ksm_offline_wait();
	/* Nobody will read from swap what could be merged. */
	if (ksm_node_check(!alone, NODES_AT_ONCE) && looks_left)
		looks_left = LOOKS_AFTER_EXIT;
	if (!ksm_counters.tracked)
		ksm_recount_drop();
	mutex_unlock(&ksm_scan_mutex);
	if (!ksm_node_unchecked())
		return MAX_SCHEDULE_TIMEOUT;
	return looks_left ? LOOK_JIFFIES : LOOK_SLOWLY_JIFFIES;
}

static void idle(void)
{
	long timeout = check_left_over();

	/* Who writes 2 to run may leave some behind. */
	wait_event_freezable_timeout(ksm_wait, has_work() ||
				     kthread_should_stop() ||
				     (timeout == MAX_SCHEDULE_TIMEOUT &&
				      ksm_node_unchecked()), timeout);
}

static int ksmd(void *unused)
{
	set_freezable();
	set_user_nice(current, 5);
	while (!kthread_should_stop()) {
		if (should_run()) {
			space_passes();
			drain_if_due();
		}
		mutex_lock(&ksm_scan_mutex);
		ksm_offline_wait();
		if (has_work())
			do_batch();
		mutex_unlock(&ksm_scan_mutex);

		if (has_work())
			pause();
		else
			idle();
	}
	return 0;
}

static int unmerge_all(void)
{
	int err;

	/*
	 * Rather than to count down key by key.  Should some be left in the
	 * end, ksm_recount() counts them in a new one.
	 */
	ksm_recount_drop();
	err = ksm_walk_unmerge_all();
	if (err)
		return err;
	ksm_node_check(false, ULONG_MAX);
	WRITE_ONCE(ksm_counters.full_scans, 0);
	WRITE_ONCE(ksm_counters.scan_pages, 0);
	WRITE_ONCE(ksm_counters.scan_ms, 0);
	return 0;
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

	mutex_lock(&ksm_scan_mutex);
	ksm_offline_wait();
	if (ksm_run != value) {
		WRITE_ONCE(ksm_run, value);
		if (value == KSM_RUN_UNMERGE) {
			/* Who asks for the memory is the one to kill for it. */
			set_current_oom_origin();
			err = unmerge_all();
			clear_current_oom_origin();
			if (err)
				WRITE_ONCE(ksm_run, KSM_RUN_STOP);
		}
	}
	mutex_unlock(&ksm_scan_mutex);
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
int ksm_set_max_page_sharing(unsigned int value)
{
	int err = 0;

	mutex_lock(&ksm_scan_mutex);
	ksm_offline_wait();
	if (ksm_max_page_sharing != value) {
		if (ksm_counters.shared)
			err = -EBUSY;
		else
			WRITE_ONCE(ksm_max_page_sharing, value);
	}
	mutex_unlock(&ksm_scan_mutex);
	return err;
}

/**
 * ksm_set_merge_across_nodes - may pages of different NUMA nodes share?
 * @value: new setting; all keys are made anew
 *
 * Context: may sleep.
 * Return: 0, or -EBUSY while there are KSM pages.
 */
int ksm_set_merge_across_nodes(bool value)
{
	int err = 0;

	mutex_lock(&ksm_scan_mutex);
	ksm_offline_wait();
	if (ksm_merge_across_nodes != value) {
		ksm_node_check(false, ULONG_MAX);
		if (ksm_counters.shared || !ksm_node_none_left()) {
			err = -EBUSY;
		} else {
			ksm_walk_forget_all();
			WRITE_ONCE(ksm_merge_across_nodes, value);
		}
	}
	mutex_unlock(&ksm_scan_mutex);
	return err;
}

/**
 * ksm_set_use_zero_pages - may pages of zeroes become the zero page?
 * @value: new setting
 *
 * Context: may sleep.
 */
void ksm_set_use_zero_pages(bool value)
{
	mutex_lock(&ksm_scan_mutex);
	/* Unchanged pages look only if something has moved. */
	if (value && !ksm_use_zero_pages)
		ksm_filter_epoch++;
	WRITE_ONCE(ksm_use_zero_pages, value);
	mutex_unlock(&ksm_scan_mutex);
}

static void draw_random(void *buf, size_t len)
{
	get_random_bytes(buf, len);
}

static int __init ksm_init(void)
{
	struct task_struct *task;
	int err;

	ksm_fingerprint_seed(draw_random);
	err = ksm_registry_init() ?: ksm_table_init() ?: ksm_track_init() ?:
	      ksm_stable_init() ?: ksm_node_init();
	if (err)
		return err;
	task = kthread_run(ksmd, NULL, "ksmd");
	return PTR_ERR_OR_ZERO(task);
}
subsys_initcall(ksm_init);
