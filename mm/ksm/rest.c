// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rest: where passes find nothing, unchanged pages are watched less closely.
 *
 * Unchanged pages are visited as fast as the time allows that a batch may spend
 * on them.  Each pass without a find halves that time, down to what is left by
 * two bounds: two thousandths of the pause between batches, or so much that a
 * pass takes no longer than ten seconds.  A find brings all of it back at once,
 * for the rest of the pass and for the next.
 *
 * A find is a merge; or new pages, by more than a thousandth of those that are
 * tracked; or that a process registers memory.  There may be more to merge then.
 * That pages change is none: what changes and has no duplicate is work, which
 * pages_to_scan bounds.
 */
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/time64.h>

#include "pace.h"
#include "rest.h"

/* Of a pause, as part of it */
#define KSM_REST_SHARE		500

/* For a pass, in milliseconds */
#define KSM_REST_PASS_MS	10000U

/* New pages, as part of those that are tracked */
#define KSM_REST_NEW_SHIFT	10

static void ksm_rest_wake(struct ksm_rest *rest)
{
	rest->quiet_ns = KSM_QUIET_NS;
	rest->found = true;
}

/**
 * ksm_rest_call - there will be a find
 * @rest: the state
 *
 * Context: any.
 */
void ksm_rest_call(struct ksm_rest *rest)
{
	if (!READ_ONCE(rest->called))
		WRITE_ONCE(rest->called, true);
}

/**
 * ksm_rest_answer_call - watch as closely as ever after a call
 * @rest: the state
 *
 * Context: only one at a time; a call meanwhile may be lost, which is followed
 * by a find later on.
 */
void ksm_rest_answer_call(struct ksm_rest *rest)
{
	if (!READ_ONCE(rest->called))
		return;
	WRITE_ONCE(rest->called, false);
	ksm_rest_wake(rest);
}

static bool ksm_rest_found(const struct ksm_rest *rest, unsigned long new_pages,
			   unsigned long tracked)
{
	return rest->merged || new_pages > tracked >> KSM_REST_NEW_SHIFT;
}

/**
 * ksm_rest_wake_if_found - watch as closely as ever after a find
 * @rest:      the state
 * @new_pages: pages first seen in this pass up to now
 * @tracked:   pages that have a state word
 */
void ksm_rest_wake_if_found(struct ksm_rest *rest, unsigned long new_pages,
			    unsigned long tracked)
{
	if (ksm_rest_found(rest, new_pages, tracked))
		ksm_rest_wake(rest);
}

/**
 * ksm_rest_begin_pass - count anew
 * @rest: the state
 */
void ksm_rest_begin_pass(struct ksm_rest *rest)
{
	rest->spent_ns = 0;
	rest->merged = 0;
	rest->found = false;
}

/* The least time for a batch; without a pause there is no share of it. */
static u64 ksm_rest_least_ns(const struct ksm_rest *rest, unsigned int sleep_ms)
{
	u64 share_ns, pass_ns;

	if (!sleep_ms)
		return KSM_QUIET_NS;
	share_ns = div64_u64((u64)sleep_ms * NSEC_PER_MSEC, KSM_REST_SHARE);
	pass_ns = div64_u64(min_t(u64, rest->spent_ns, NSEC_PER_SEC * 1000) *
			  min(sleep_ms, KSM_REST_PASS_MS), KSM_REST_PASS_MS);
	return min(max(share_ns, pass_ns), KSM_QUIET_NS);
}

/**
 * ksm_rest_end_pass - draw the conclusion from a pass
 * @rest:     the state
 * @sleep_ms: pause between batches, in milliseconds
 */
void ksm_rest_end_pass(struct ksm_rest *rest, unsigned int sleep_ms)
{
	if (!rest->found)
		rest->quiet_ns = max(rest->quiet_ns / 2,
				     ksm_rest_least_ns(rest, sleep_ms));
}
