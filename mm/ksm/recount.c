// SPDX-License-Identifier: GPL-2.0-only
/*
 * Make the filter anew, and count all keys in it.
 *
 * That takes seconds for a terabyte, so it is done in pieces, one in each
 * batch, and ksm_scan_mutex is free in between.  Until all is counted nothing
 * is scanned: a filter that does not know every key hides likes from each
 * other.  Nor are mms forgotten that have exited, since a key that was not
 * counted yet must not be uncounted.  Where that happens nevertheless, when
 * memory goes offline, it is noticed and all is begun again.
 */
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/sched/clock.h>

#include "internal.h"

/* A piece takes about so long, */
#define PIECE_NS	(10 * NSEC_PER_MSEC)

/* and the clock is read after so many keys. */
#define PIECE_KEYS	4096

/* Where the counting is, if it is under way; ksm_scan_mutex. */
static struct {
	bool under_way;
	bool chains;			/* the mms are done */
	unsigned long addr;		/* in the first mm that is not */
	struct ksm_key key;		/* of the last chain that is */
	unsigned long removals;		/* ksm_filter_removals when it began */
} count;

/* Without memory: when to try again; ksm_scan_mutex. */
static unsigned long retry_at;
static unsigned int retry_s;

#define RETRY_MAX_S	64U

/* Do not ask for what may be gigabytes in each batch. */
static void wait_for_memory(void)
{
	retry_s = clamp(2 * retry_s, 1U, RETRY_MAX_S);
	retry_at = jiffies + retry_s * HZ;
}

static bool have_to_wait(void)
{
	return retry_s && time_before(jiffies, retry_at);
}

/* An empty filter of the right size.  False: there is no memory for it. */
static bool resize(void)
{
	unsigned long old = ksm_filter_bytes();

	if (!ksm_filter_resize(ksm_counters.tracked)) {
		wait_for_memory();
		return false;
	}
	retry_s = 0;
	ksm_count(&ksm_counters.bytes, ksm_filter_bytes() - old);
	return true;
}

static bool begin(void)
{
	if (!resize())
		return false;
	ksm_registry_uncount_all();
	memset(&count, 0, sizeof(count));
	count.removals = ksm_filter_removals;
	count.under_way = true;
	return true;
}

static void count_nodes(const struct ksm_chain *chain)
{
	unsigned int i;

	for (i = 0; i < chain->nr_dups; i++)
		ksm_filter_add(ksm_short(chain->key.probe));
}

/* True: all chains are counted. */
static bool count_chains(void)
{
	struct ksm_chain *chain;
	unsigned int seen;

	chain = count.chains ? ksm_stable_after(&count.key) :
			       ksm_stable_next(NULL);
	count.chains = true;
	for (seen = 0; chain && seen < PIECE_KEYS;) {
		count_nodes(chain);
		seen += 1 + chain->nr_dups;
		count.key = chain->key;
		chain = ksm_stable_next(chain);
	}
	return !chain;
}

/* True: all is counted. */
static bool count_some(void)
{
	struct ksm_slot *slot = ksm_registry_uncounted();

	if (!slot)
		return count_chains();
	if (ksm_track_recount(slot, &count.addr, PIECE_KEYS)) {
		ksm_registry_counted(slot);
		count.addr = 0;
	}
	return false;
}

/**
 * ksm_recounting - does the filter not know all keys yet?
 *
 * Context: ksmd, or ksm_scan_mutex held.
 * Return: true if so.
 */
bool ksm_recounting(void)
{
	return READ_ONCE(count.under_way);
}

/**
 * ksm_recount - give the filter the size it needs, if it has another one
 *
 * Context: ksm_scan_mutex held; may sleep.
 * Return: false if not all keys are counted yet, so that nothing can be scanned
 * in this batch.
 */
bool ksm_recount(void)
{
	u64 until = local_clock() + PIECE_NS;

	lockdep_assert_held(&ksm_scan_mutex);
	if (!count.under_way) {
		if (!ksm_counters.tracked || have_to_wait() ||
		    !ksm_filter_wants_resize(ksm_counters.tracked))
			return true;
		if (!begin())
			return true;	/* the old one is as good as before */
	} else if (count.removals != ksm_filter_removals && !begin()) {
		ksm_recount_drop();	/* without one, each key has company */
		return true;
	}
	while (!count_some()) {
		if (local_clock() > until)
			return false;
		cond_resched();
	}
	WRITE_ONCE(count.under_way, false);
	return true;
}

/**
 * ksm_recount_drop - give the filter's memory back until it is needed again
 *
 * All keys that there are then are counted in a new one.
 *
 * Context: ksm_scan_mutex held; may sleep.
 */
void ksm_recount_drop(void)
{
	lockdep_assert_held(&ksm_scan_mutex);
	ksm_count(&ksm_counters.bytes, -(long)ksm_filter_bytes());
	ksm_filter_free();
	WRITE_ONCE(count.under_way, false);
}
