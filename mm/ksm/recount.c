// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rebuild the filter: count all keys in a new one.
 *
 * That takes seconds for a terabyte, so it is done in pieces, one in each
 * batch, and ksm_scan_mutex is free in between.  Until all keys are counted
 * nothing is scanned: a filter without some keys would hide duplicates.  Nor
 * are mms dropped that have exited, since a key that was not counted yet must
 * not be uncounted.  If that happens nevertheless, when memory goes offline, it
 * is noticed, and the rebuild starts over.
 */
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/sched/clock.h>

#include "internal.h"

/* A piece takes about this long, */
#define KSM_RECOUNT_NS	(10 * NSEC_PER_MSEC)

/* and the clock is read after this number of keys. */
#define KSM_RECOUNT_KEYS	4096

/* How far the rebuild is, if one is under way; ksm_scan_mutex. */
static struct {
	bool under_way;
	bool chains;			/* all mms are counted */
	unsigned long addr;		/* in the first mm that is not */
	struct ksm_key key;		/* of the last chain that is counted */
	unsigned long removals;		/* ksm_filter_removals when it began */
} ksm_recount_state;

/* When to try again after a failure to allocate; ksm_scan_mutex. */
static unsigned long ksm_recount_retry_at;
static unsigned int ksm_recount_retry_s;

#define KSM_RECOUNT_RETRY_MAX_S	64U

/* It may be gigabytes: do not ask for them in each batch. */
static void ksm_recount_delay_retry(void)
{
	ksm_recount_retry_s =
		clamp(2 * ksm_recount_retry_s, 1U, KSM_RECOUNT_RETRY_MAX_S);
	ksm_recount_retry_at = jiffies + ksm_recount_retry_s * HZ;
}

static bool ksm_recount_must_wait(void)
{
	return ksm_recount_retry_s &&
	       time_before(jiffies, ksm_recount_retry_at);
}

/* An empty filter of the right size.  False: there is no memory for it. */
static bool ksm_recount_resize(void)
{
	unsigned long old = ksm_filter_bytes();

	if (!ksm_filter_resize(ksm_counters.tracked)) {
		ksm_recount_delay_retry();
		return false;
	}
	ksm_recount_retry_s = 0;
	ksm_count(&ksm_counters.bytes, ksm_filter_bytes() - old);
	return true;
}

/* The maps of recheck.c have a size of their own, and keep what is in them. */
static bool ksm_recount_fit_rechecks(void)
{
	unsigned long old = ksm_recheck_bytes();

	if (!ksm_recheck_wants_resize(ksm_counters.tracked))
		return true;
	if (!ksm_recheck_resize(ksm_counters.tracked)) {
		ksm_recount_delay_retry();
		return false;
	}
	ksm_count(&ksm_counters.bytes, ksm_recheck_bytes() - old);
	return true;
}

static bool ksm_recount_begin(void)
{
	if (!ksm_recount_resize())
		return false;
	ksm_registry_uncount_all();
	memset(&ksm_recount_state, 0, sizeof(ksm_recount_state));
	ksm_recount_state.removals = ksm_filter_removals;
	ksm_recount_state.under_way = true;
	return true;
}

static void ksm_recount_nodes(const struct ksm_chain *chain)
{
	unsigned int i;

	for (i = 0; i < chain->nr_dups; i++)
		ksm_filter_recount(ksm_short(chain->key.probe));
}

/* True: all chains are counted. */
static bool ksm_recount_chains(void)
{
	struct ksm_chain *chain;
	unsigned int seen;

	chain = ksm_recount_state.chains ?
			ksm_stable_after(&ksm_recount_state.key) :
			ksm_stable_next(NULL);
	ksm_recount_state.chains = true;
	for (seen = 0; chain && seen < KSM_RECOUNT_KEYS;) {
		ksm_recount_nodes(chain);
		seen += 1 + chain->nr_dups;
		ksm_recount_state.key = chain->key;
		chain = ksm_stable_next(chain);
	}
	return !chain;
}

/* True: all is counted. */
static bool ksm_recount_piece(void)
{
	struct ksm_slot *slot = ksm_registry_uncounted();

	if (!slot)
		return ksm_recount_chains();
	if (ksm_track_recount(slot, &ksm_recount_state.addr,
			      KSM_RECOUNT_KEYS)) {
		ksm_registry_counted(slot);
		ksm_recount_state.addr = 0;
	}
	return false;
}

/**
 * ksm_recounting - is the filter being rebuilt?
 *
 * Context: ksmd, or ksm_scan_mutex held.
 * Return: true if not all keys are counted yet.
 */
bool ksm_recounting(void)
{
	return READ_ONCE(ksm_recount_state.under_way);
}

/**
 * ksm_recount - rebuild the filter if it needs another size
 *
 * Context: ksm_scan_mutex held; may sleep.
 * Return: false if not all keys are counted yet, so that nothing can be scanned
 * in this batch.
 */
bool ksm_recount(void)
{
	u64 until = local_clock() + KSM_RECOUNT_NS;

	lockdep_assert_held(&ksm_scan_mutex);
	if (!ksm_recount_state.under_way) {
		if (!ksm_counters.tracked || ksm_recount_must_wait() ||
		    !ksm_recount_fit_rechecks() ||
		    !ksm_filter_wants_resize(ksm_counters.tracked))
			return true;
		if (!ksm_recount_begin())
			return true;	/* go on with the old one */
	} else if (ksm_recount_state.removals != ksm_filter_removals &&
		   !ksm_recount_begin()) {
		ksm_recount_drop();	/* without one, any key may match */
		return true;
	}
	while (!ksm_recount_piece()) {
		if (local_clock() > until)
			return false;
		cond_resched();
	}
	WRITE_ONCE(ksm_recount_state.under_way, false);
	return true;
}

/**
 * ksm_recount_drop - give the memory of filter and rechecks back until it is
 * needed again
 *
 * All keys that there are then are counted in a new one.
 *
 * Context: ksm_scan_mutex held; may sleep.
 */
void ksm_recount_drop(void)
{
	lockdep_assert_held(&ksm_scan_mutex);
	ksm_count(&ksm_counters.bytes,
		  -(long)(ksm_filter_bytes() + ksm_recheck_bytes()));
	ksm_filter_free();
	ksm_recheck_free();
	WRITE_ONCE(ksm_recount_state.under_way, false);
}
