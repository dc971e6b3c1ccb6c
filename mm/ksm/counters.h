/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Statistics.
 */
#ifndef _MM_KSM_COUNTERS_H
#define _MM_KSM_COUNTERS_H

#include <linux/compiler.h>
#include <linux/slab.h>

struct ksm_slot;

/* A failed allocation means that a page is skipped, so do not try hard. */
#define KSM_GFP_TRACK	(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN)

/**
 * struct ksm_counters - all statistics; written under ksm_scan_mutex
 * @shared:	KSM pages that are mapped
 * @sharing:	further mappings of them: the pages saved
 * @unshared:	pages that were unchanged when last seen, but have no duplicate
 * @tracked:	pages with a state word
 * @scanned:	pages whose content was read
 * @skipped:	pages skipped because nothing said that they had changed
 * @chains:	chains of two or more dups
 * @dups:	nodes in those chains
 * @full_scans:	passes since boot, or since run was set to 2
 * @bytes:	memory of all objects but the slots, see ksm_slot_bytes
 * @collisions:	candidates left alone as their chain had KSM_MAX_CONTENTS
 * @scan_pages:	pages visited in this pass; after it, in the last one
 * @scan_ms:	milliseconds from begin to end of the last pass
 * @thp_split:	large folios that were split to merge a page of them
 * @thp_kept:	times that such a split failed, since the folio was in use
 */
struct ksm_counters {
	unsigned long shared;
	unsigned long sharing;
	unsigned long unshared;
	unsigned long tracked;
	unsigned long scanned;
	unsigned long skipped;
	unsigned long chains;
	unsigned long dups;
	unsigned long full_scans;
	unsigned long bytes;
	unsigned long collisions;
	unsigned long scan_pages;
	unsigned long scan_ms;
	unsigned long thp_split;
	unsigned long thp_kept;
};

extern struct ksm_counters ksm_counters;
extern atomic_long_t ksm_slot_bytes;

/**
 * ksm_count - change a counter
 * @counter: one of ksm_counters, or a counter of an mm that only KSM writes
 * @by:	     difference
 *
 * Context: ksm_scan_mutex held; readers take no lock.
 */
static inline void ksm_count(unsigned long *counter, long by)
{
	WRITE_ONCE(*counter, *counter + by);
}

void ksm_account(struct ksm_slot *slot, long bytes);
long ksm_general_profit(void);

#endif /* _MM_KSM_COUNTERS_H */
