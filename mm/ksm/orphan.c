// SPDX-License-Identifier: GPL-2.0-only
/*
 * rmap_items that outlive their mapping, for the sake of its forks.
 *
 * What a fork brings is found through the item of the process that forked,
 * until ksmd visits the child.  If that process exits before, or lets go of the
 * page, nobody would find the child's mapping: its page could not be reclaimed,
 * migrated or taken offline, with ksmd stopped for ever.  So an item whose mm
 * has forked lately stays with the node, without a slot: an orphan.
 *
 * It goes with its node; or when a complete pass was made since it came, in
 * which all children were visited.
 */
#include <linux/rmap.h>

#include "internal.h"

/* Those of this pass, those of the last, and the rest; ksm_scan_mutex. */
static LIST_HEAD(young);
static LIST_HEAD(old);
static LIST_HEAD(expired);

/* The pass in which they were last moved on; ksm_scan_mutex. */
static unsigned long moved_in;

/* A mapping of this pass could not be attached; ksm_scan_mutex. */
static bool missed_one;

/* Passes in which those that a process forked are visited, theirs as well */
#define FORK_PASSES	2UL

/**
 * ksm_orphan_forked - an mm has forked
 * @slot: its slot; the child has been put on the list
 *
 * Context: mmap_lock of the mm held for writing.
 */
void ksm_orphan_forked(struct ksm_slot *slot)
{
	mmap_assert_write_locked(slot->mm);
	WRITE_ONCE(slot->forks_until,
		   READ_ONCE(ksm_cursor.pass) + FORK_PASSES);
}

/**
 * ksm_orphan_needed - may forks of a mapping depend on its item?
 * @item:  attached, its mapping has gone or is about to
 * @folio: the KSM page, locked
 *
 * Context: ksm_scan_mutex and folio lock held.
 * Return: true if so.
 */
bool ksm_orphan_needed(const struct ksm_rmap_item *item, struct folio *folio)
{
	unsigned long left = READ_ONCE(item->slot->forks_until) -
			     ksm_cursor.pass;

	lockdep_assert_held(&ksm_scan_mutex);
	VM_WARN_ON_ONCE_FOLIO(!folio_test_locked(folio), folio);
	/* What is in the swap cache may be mapped by swap entries. */
	return left - 1 < FORK_PASSES &&
	       (folio_mapped(folio) || folio_test_swapcache(folio));
}

/**
 * ksm_orphan_add - an item loses its slot
 * @item: attached to a node, but counted no more
 *
 * Context: ksm_scan_mutex and folio lock held.
 */
void ksm_orphan_add(struct ksm_rmap_item *item)
{
	lockdep_assert_held(&ksm_scan_mutex);
	ksm_item_disown(item);
	list_add_tail(&item->orphans, &young);
}

/**
 * ksm_orphan_free - an orphan goes
 * @item: attached to nothing any more
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_orphan_free(struct ksm_rmap_item *item)
{
	lockdep_assert_held(&ksm_scan_mutex);
	list_del(&item->orphans);
	ksm_item_free(item);
}

/**
 * ksm_orphans_missed - a mapping could not be attached, for lack of memory
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_orphans_missed(void)
{
	lockdep_assert_held(&ksm_scan_mutex);
	missed_one = true;
}

/**
 * ksm_orphans_begin_pass - those that had a whole pass are to go
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_orphans_begin_pass(void)
{
	lockdep_assert_held(&ksm_scan_mutex);
	/* Or else this pass begins anew, and the last was none. */
	if (moved_in == ksm_cursor.pass)
		return;
	moved_in = ksm_cursor.pass;
	if (!missed_one) {
		list_splice_tail_init(&old, &expired);
		list_splice_init(&young, &old);
	}
	missed_one = false;
}

/**
 * ksm_orphans_next - one of those that are to go
 *
 * Context: ksm_scan_mutex held.
 * Return: the item, or NULL if there is none.
 */
struct ksm_rmap_item *ksm_orphans_next(void)
{
	lockdep_assert_held(&ksm_scan_mutex);
	return list_first_entry_or_null(&expired, struct ksm_rmap_item,
					orphans);
}
