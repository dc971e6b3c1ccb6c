/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Full scans, and the counters that show their results
 */
#ifndef KSM_LIB_SCAN_H
#define KSM_LIB_SCAN_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Wait until n passes have been made from beginning to end after the call
 * (the one under way does not count).  ksmd must be running.  0 or
 * -ETIMEDOUT.
 */
int ksm_wait_scans(unsigned int n, unsigned int timeout_ms);

/*
 * run=1, n complete passes, run=0.  A timeout is fatal, so some memory must be
 * mergeable: full_scans stands still while no mm is registered.  To see the
 * counters reach zero after the last of it went, use ksm_run() and
 * ksm_wait_value().
 */
void ksm_scan(unsigned int n);

/* Poll a knob until it reads this value; true if it did. */
bool ksm_wait_value(const char *knob, long long value,
		    unsigned int timeout_ms);

struct ksm_counters {
	long shared;		/* pages_shared */
	long sharing;		/* pages_sharing */
	long unshared;		/* pages_unshared */
	long volatiles;		/* pages_volatile */
	long zero;		/* ksm_zero_pages */
	long scanned;		/* pages_scanned */
	long skipped;		/* pages_skipped */
	long full_scans;
	long chains;		/* stable_node_chains */
	long dups;		/* stable_node_dups */
	long profit;		/* general_profit */
};

void ksm_counters(struct ksm_counters *c);

/* True if they are exactly these; otherwise says so in a "# ..." line. */
bool ksm_counts_are(long shared, long sharing, long unshared, long volatiles);

/*
 * Map copies of the same pages (page i has content seed + i), wait until they
 * are merged, check the counters.
 */
void ksm_merge_pair(size_t pages, __u64 seed, char **a, char **b);

/*
 * After a storm two passes may not be enough: a page that was busy when ksmd
 * came by has to wait.  Scan until the counters are these, five times at most.
 */
bool ksm_scan_until(long shared, long sharing, long unshared);

#endif /* KSM_LIB_SCAN_H */
