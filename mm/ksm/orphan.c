// SPDX-License-Identifier: GPL-2.0-only
/*
 * rmap_items that outlive their mapping, for the sake of its forks.
 *
 * The mapping of a child is found through the item of the parent, until ksmd
 * visits the child.  If the parent exits before, or unmaps the page, the
 * reverse map would not find the child's mapping: the page could not be
 * reclaimed, migrated or taken offline, with ksmd stopped for ever.  So an item
 * whose mm has forked lately stays with the node, without a slot: an orphan.
 *
 * An orphan is freed with its node; or it expires when a whole pass was made
 * since it was added, in which all children were visited.
 */
#include <linux/rmap.h>

#include "internal.h"

/* Added in this pass, in the last, and before; ksm_scan_mutex. */
static LIST_HEAD(ksm_orphans_young);
static LIST_HEAD(ksm_orphans_old);
static LIST_HEAD(ksm_orphans_expired);

/* The pass in which the lists were last moved on; ksm_scan_mutex. */
static unsigned long ksm_orphans_moved_in;

/* A mapping could not be attached in this pass; ksm_scan_mutex. */
static bool ksm_orphan_was_missed;

/* Passes in which the children of an mm are visited, and their children */
#define KSM_FORK_PASSES	2UL

/**
 * ksm_orphan_forked - note that an mm has forked
 * @slot: slot of the mm; the child is registered already
 *
 * Context: mmap_lock of the mm held for writing.
 */
void ksm_orphan_forked(struct ksm_slot *slot)
{
	mmap_assert_write_locked(slot->mm);
	WRITE_ONCE(slot->forks_until,
		   READ_ONCE(ksm_pass.nr) + KSM_FORK_PASSES);
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
			     ksm_pass.nr;

	lockdep_assert_held(&ksm_scan_mutex);
	VM_WARN_ON_ONCE_FOLIO(!folio_test_locked(folio), folio);
	/* A page in the swap cache may be mapped by swap entries. */
	return left - 1 < KSM_FORK_PASSES &&
	       (folio_mapped(folio) || folio_test_swapcache(folio));
}

/**
 * ksm_orphan_add - take an item away from its slot, and keep it
 * @item: attached to a node, but not counted any more
 *
 * Context: ksm_scan_mutex and folio lock held.
 */
void ksm_orphan_add(struct ksm_rmap_item *item)
{
	lockdep_assert_held(&ksm_scan_mutex);
	ksm_item_disown(item);
	list_add_tail(&item->orphans, &ksm_orphans_young);
}

/**
 * ksm_orphan_free - free an orphan
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
 * ksm_orphan_missed - note that a mapping could not be attached
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_orphan_missed(void)
{
	lockdep_assert_held(&ksm_scan_mutex);
	ksm_orphan_was_missed = true;
}

/**
 * ksm_orphan_begin_pass - let orphans expire that had a whole pass
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_orphan_begin_pass(void)
{
	lockdep_assert_held(&ksm_scan_mutex);
	/* If not, this pass starts over, and the last was not complete. */
	if (ksm_orphans_moved_in == ksm_pass.nr)
		return;
	ksm_orphans_moved_in = ksm_pass.nr;
	if (!ksm_orphan_was_missed) {
		list_splice_tail_init(&ksm_orphans_old, &ksm_orphans_expired);
		list_splice_init(&ksm_orphans_young, &ksm_orphans_old);
	}
	ksm_orphan_was_missed = false;
}

/**
 * ksm_orphan_expired - find an orphan that has expired
 *
 * Context: ksm_scan_mutex held.
 * Return: the item, or NULL if there is none.
 */
struct ksm_rmap_item *ksm_orphan_expired(void)
{
	lockdep_assert_held(&ksm_scan_mutex);
	return list_first_entry_or_null(&ksm_orphans_expired,
					struct ksm_rmap_item, orphans);
}
