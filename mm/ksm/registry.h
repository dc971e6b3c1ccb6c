/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registered mms, and where the scan of them is.
 */
#ifndef _MM_KSM_REGISTRY_H
#define _MM_KSM_REGISTRY_H

#include <linux/hashtable.h>
#include <linux/ksm.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/wait.h>

#include "rest.h"

struct ksm_table;

/**
 * struct ksm_slot - one registered mm
 * @mm:		holds a reference by mm_count; never NULL
 * @hash:	by mm; ksm_registry_lock
 * @list:	all slots in the order of the scan, or those whose mm has
 *		exited; ksm_registry_lock
 * @uncounted:	slots whose keys a rebuilt filter does not have yet, see
 *		recount.c; ksm_registry_lock
 * @tables:	struct ksm_table by address; changed under ksm_scan_mutex only
 * @recent:	the table found last
 * @bytes:	memory of the tables, their chunks and the rmap_items
 * @walked:	number of the last pass that visited all pages of this mm
 * @exit_nr:	place among those that have exited; ksm_registry_lock
 * @forks_until: number of the pass after which all children of this mm were
 *		visited; written under the mmap_lock held for writing
 * @forked:	1 if the mm has forked since its walk began; set under the
 *		mmap_lock held for writing
 * @domain:	KSM_DOMAIN_*; immutable
 * @exited:	the mm has exited while the scan was there: the slot goes to the
 *		other list when the scan moves on; ksm_registry_lock
 * @dead:	exec gave this mm up before it was complete: drop it; written
 *		under the mmap_lock held for writing
 */
struct ksm_slot {
	struct mm_struct *mm;
	struct hlist_node hash;
	struct list_head list;
	struct list_head uncounted;
	struct rb_root tables;
	struct ksm_table *recent;
	unsigned long bytes;
	unsigned long walked;
	unsigned long exit_nr;
	unsigned long forks_until;
	unsigned int forked;
	u16 domain;
	bool exited;
	bool dead;
};

/* Is the mm left to exit, so that its page tables must not be touched? */
static inline bool ksm_slot_exiting(const struct ksm_slot *slot)
{
	return READ_ONCE(slot->dead) || !atomic_read(&slot->mm->mm_users);
}

/**
 * struct ksm_pass - one pass over all registered mms, and how far it is
 * @slot:	which mm is walked over, NULL between two passes; also
 *		ksm_registry_lock
 * @addr:	the next address there
 * @swept:	below this address the state words agree with the page tables
 * @recheck:	unchanged pages of this mm look for a duplicate, since in the
 *		last pass some were not visited
 * @missed:	some were not in this pass
 * @mergeable:	this mm has a mergeable VMA, or may have got one where the walk
 *		has been already
 * @forked:	this mm has forked between the begin of its last walk and that
 *		of this one
 * @held:	a page was not merged for extra references, which are perhaps
 *		those of the per-CPU LRU caches
 * @nr:		number of the pass since boot; fork reads it without
 *		ksm_scan_mutex
 * @new_pages:	pages first seen in this pass
 * @work:	pages read, looked up or merged in this pass
 * @rest:	how closely unchanged pages are watched
 * @began:	when it began
 */
struct ksm_pass {
	struct ksm_slot *slot;
	unsigned long addr;
	unsigned long swept;
	bool recheck;
	bool missed;
	bool mergeable;
	bool forked;
	bool held;
	unsigned long nr;
	unsigned long new_pages;
	unsigned long work;
	struct ksm_rest rest;
	ktime_t began;
};

/*
 * The only one there is, and the one that the registry moves: fork, exit and
 * registration need to know where it is.  The walk gets to it through its struct
 * ksm_visit.
 */
extern struct ksm_pass ksm_pass;
extern wait_queue_head_t ksm_wait;

struct ksm_slot *ksm_registry_next(void);
bool ksm_registry_empty(void);
void ksm_registry_remove(struct ksm_slot *slot);
void ksm_registry_rewind(void);
bool ksm_registry_has_exited(void);
struct ksm_slot *ksm_registry_exited(void);
void ksm_registry_pass_ended(void);
bool ksm_registry_exits_due(void);
void ksm_registry_uncount_all(void);
struct ksm_slot *ksm_registry_uncounted(void);
void ksm_registry_counted(struct ksm_slot *slot);
void ksm_registry_free(struct ksm_slot *slot);
unsigned long ksm_registry_bytes(struct mm_struct *mm);
int __init ksm_registry_init(void);

#endif /* _MM_KSM_REGISTRY_H */
