// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of rmap_items.
 */
#include <linux/kasan.h>
#include <linux/slab.h>

#include "internal.h"

static struct kmem_cache *ksm_item_cache;

/**
 * ksm_item_alloc - allocate an rmap_item
 * @slot: slot of the mm mapping the page
 * @addr: page-aligned address
 *
 * Context: ksm_scan_mutex held; may sleep.
 * Return: the item, or NULL without memory that a state word can name; the page
 * is skipped then.
 */
struct ksm_rmap_item *ksm_item_alloc(struct ksm_slot *slot, unsigned long addr)
{
	struct ksm_rmap_item *item;

	lockdep_assert_held(&ksm_scan_mutex);
	item = kmem_cache_zalloc(ksm_item_cache, KSM_GFP_TRACK);
	if (!item)
		return NULL;
	/*
	 * A state word has no room for the tag that KASAN puts into a pointer,
	 * and trees and lists compare pointers: none of ours has one.
	 */
	item = kasan_reset_tag(item);
	if (!ksm_word_can_name(__pa(item))) {
		kmem_cache_free(ksm_item_cache, item);
		return NULL;
	}
	item->slot = slot;
	item->address = addr;
	ksm_account(slot, sizeof(*item));
	return item;
}

/**
 * ksm_item_free - free an rmap_item
 * @item: in no tree, attached to nothing
 *
 * Context: ksm_scan_mutex held; perhaps a page table lock.
 */
void ksm_item_free(struct ksm_rmap_item *item)
{
	lockdep_assert_held(&ksm_scan_mutex);
	if (item->slot)
		ksm_item_disown(item);
	ksm_count(&ksm_counters.bytes, -(long)sizeof(*item));
	kmem_cache_free(ksm_item_cache, item);
}

/**
 * ksm_item_free_bulk - free several rmap_items of one mm
 * @slot:  slot of the mm
 * @items: in no tree, attached to nothing
 * @nr:	   number of items
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_item_free_bulk(struct ksm_slot *slot, struct ksm_rmap_item **items,
			unsigned int nr)
{
	lockdep_assert_held(&ksm_scan_mutex);
	ksm_account(slot, -(long)(nr * sizeof(**items)));
	kmem_cache_free_bulk(ksm_item_cache, nr, (void **)items);
}

/**
 * ksm_item_disown - take an rmap_item away from its slot
 * @item: named by no state word; stays allocated
 *
 * Context: ksm_scan_mutex held, and the folio lock if the item is attached.
 */
void ksm_item_disown(struct ksm_rmap_item *item)
{
	lockdep_assert_held(&ksm_scan_mutex);
	ksm_account(item->slot, -(long)sizeof(*item));
	ksm_count(&ksm_counters.bytes, sizeof(*item));
	item->slot = NULL;
}

int __init ksm_item_init(void)
{
	BUILD_BUG_ON(sizeof(struct ksm_rmap_item) > KSM_ITEM_ALIGN);
	ksm_item_cache = KMEM_CACHE(ksm_rmap_item, 0);
	return ksm_item_cache ? 0 : -ENOMEM;
}
