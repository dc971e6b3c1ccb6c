/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KSM on one page: the objects, the locks and what must hold.
 */
#ifndef _MM_KSM_INTERNAL_H
#define _MM_KSM_INTERNAL_H

#include <linux/ksm.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/rmap.h>
#include <linux/string.h>

#include "busted.h"
#include "counters.h"
#include "domain.h"
#include "filter.h"
#include "fingerprint.h"
#include "item.h"
#include "lock.h"
#include "node.h"
#include "pace.h"
#include "recheck.h"
#include "registry.h"
#include "state.h"
#include "track.h"
#include "tunables.h"

/**
 * DOC: Objects
 *
 * ksm_slot
 *	one registered mm
 * ksm_table
 *	the chunks of 512 neighbouring pages of an mm
 * ksm_chunk
 *	the state words of 16 neighbouring pages of an mm
 * ksm_rmap_item
 *	one page of an mm that is in one of the trees
 * ksm_stable_node
 *	one KSM page, with the list of its mappings
 * ksm_chain
 *	the KSM pages (dups) that have one key
 * ksm_pass
 *	how far ksmd has come in this pass over all slots
 * ksm_candidate
 *	a page that may be merged, from the visit to the merge
 */

/**
 * DOC: Locks
 *
 * Outermost first::
 *
 *	mem_hotplug_lock, cpus_read_lock
 *	  ksm_scan_mutex
 *	    mmap_lock			one at a time, never two
 *	      folio lock		a second one only by trylock
 *	        anon_vma
 *	          page table lock
 *	  ksm_registry_lock		a leaf
 *
 * ksm_scan_mutex
 *	protects the trees, the state words, the filter, the counters and the
 *	pass.  ksmd holds it for one batch; so does a write to run,
 *	advisor_mode, use_zero_pages or a knob that answers EBUSY.  It is never
 *	taken in page faults, reclaim or exit.
 * folio lock
 *	of a KSM folio: the list of rmap_items of its node and whether they have
 *	a slot, the node's pfn, and folio->mapping.  Rmap, migration and memory
 *	failure hold only this when they call in.
 * ksm_registry_lock
 *	the list and the hash of slots, and ksm_pass.slot.
 *
 * Nothing under ksm_scan_mutex may take cpus_read_lock.
 */

/**
 * DOC: Invariants
 *
 * If one of these does not hold, memory is corrupted:
 *
 * - No byte is merged on a key: see ksm_pte_take().
 * - A KSM folio is of order 0, not exclusive, dirty, on the LRU, mapped by
 *   read-only clean entries only, and carries no reference of KSM.
 * - A node is relied on only with a reference on its folio, after
 *   folio->mapping was read again: see ksm_node_get_folio().
 * - rmap_walk_ksm() finds each mapping that was attached, and its forks.
 * - After ksm_exit() KSM does not touch the page tables of that mm.
 * - To lose any object above loses savings, never data.
 */

/*
 * Some 6.12 define the flag with fewer bits than a long has: its complement
 * must not take the flags above with it.
 */
static inline vm_flags_t ksm_flags_unmergeable(vm_flags_t flags)
{
	return flags & ~(vm_flags_t)VM_MERGEABLE;
}

/* recount.c */
bool ksm_recounting(void);
bool ksm_recount(void);
void ksm_recount_drop(void);

/* advisor.c */
void ksm_advisor_start_scan(void);
void ksm_advisor_stop_scan(unsigned long work);
void ksm_advisor_set_mode(enum ksm_advisor_mode mode);

/* ksmd.c */
void ksmd_pace_changed(void);

/* control.c */
int ksm_set_run(unsigned long value);
int ksm_set_max_page_sharing(unsigned long value);
int ksm_set_merge_across_nodes(unsigned long value);
int ksm_set_use_zero_pages(unsigned long value);

#endif /* _MM_KSM_INTERNAL_H */
