// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scan-time advisor: choose pages_to_scan so that a full scan takes a
 * given time.
 *
 * What pages_to_scan bounds is work: pages read, looked up or merged.  A pass
 * with little work is over soon at any value, so the advisor is fed with the
 * work of the last pass, not with the size of the set.  It aims at spreading
 * that work over the target time in equal batches, and moves there by a
 * weighted average.  Two bounds keep it sane: the CPU time that a page has
 * cost, times the pages per second, may not exceed the CPU share allowed; and
 * the knobs for the smallest and the largest value.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sched/cputime.h>
#include <linux/timekeeping.h>
#include <trace/events/ksm.h>

#include "advisor.h"
#include "internal.h"

/* When the scan began; ksm_scan_mutex. */
static struct {
	ktime_t time;
	u64 cpu_ns;
} ksm_advisor_began;

static u64 ksm_advisor_cpu_ns(void)
{
	return task_sched_runtime(current);
}

/**
 * ksm_advisor_start_scan - note that a full scan begins
 *
 * Context: ksmd, ksm_scan_mutex held.
 */
void ksm_advisor_start_scan(void)
{
	lockdep_assert_held(&ksm_scan_mutex);
	ksm_advisor_began.time = ktime_get();
	ksm_advisor_began.cpu_ns = ksm_advisor_cpu_ns();
}

/**
 * ksm_advisor_stop_scan - choose pages_to_scan after a full scan
 * @work: pages read, looked up or merged in it
 *
 * Context: ksmd, ksm_scan_mutex held.
 */
void ksm_advisor_stop_scan(unsigned long work)
{
	u64 wall_ns =
		ktime_to_ns(ktime_sub(ktime_get(), ksm_advisor_began.time));
	/* By the scheduler's clock, which may be faster than the other. */
	u64 cpu_ns =
		min(ksm_advisor_cpu_ns() - ksm_advisor_began.cpu_ns, wall_ns);
	struct ksm_advice in = {
		.pages_now = READ_ONCE(ksm_pages_to_scan),
		.work = work,
		.wall_ns = wall_ns,
		.cpu_ns = cpu_ns,
		.sleep_ms = READ_ONCE(ksm_sleep_ms),
		.target_s = READ_ONCE(ksm_advisor_target_s),
		.max_cpu = READ_ONCE(ksm_advisor_max_cpu),
		.min_pages = READ_ONCE(ksm_advisor_min_pages),
		.max_pages = READ_ONCE(ksm_advisor_max_pages),
	};
	unsigned long pages;

	lockdep_assert_held(&ksm_scan_mutex);
	if (ksm_advisor_mode != KSM_ADVISOR_SCAN_TIME)
		return;
	pages = ksm_advise(&in);
	WRITE_ONCE(ksm_pages_to_scan, pages);
	trace_ksm_advisor(div_u64(wall_ns, NSEC_PER_SEC), pages,
			  ksm_advice_cpu_percent(&in));
}

/**
 * ksm_advisor_set_mode - switch the advisor on or off
 * @mode: if it is the present one, nothing happens
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_advisor_set_mode(enum ksm_advisor_mode mode)
{
	lockdep_assert_held(&ksm_scan_mutex);
	if (mode == ksm_advisor_mode)
		return;
	WRITE_ONCE(ksm_advisor_mode, mode);
	WRITE_ONCE(ksm_pages_to_scan, mode == KSM_ADVISOR_NONE ?
		   KSM_DEFAULT_PAGES_TO_SCAN :
		   clamp_t(unsigned long, READ_ONCE(ksm_advisor_min_pages),
			   1, U32_MAX));
}
