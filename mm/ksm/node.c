// SPDX-License-Identifier: GPL-2.0-only
/*
 * A KSM page and its node.
 *
 * folio->mapping of a KSM folio is the address of its node; the node knows the
 * page frame number.  Neither holds a reference on the other.  The page is
 * freed, reclaimed and migrated as any other, and nobody tells us: a node is
 * believed only by ksm_node_get_folio().
 *
 * A node of which no mapping is known may still be mapped, by children of a
 * fork that were not visited yet.  It goes on the check list, and is looked at
 * again when the next pass begins.
 */
#include <linux/delay.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <trace/events/ksm.h>

#include "internal.h"

static struct kmem_cache *node_cache;

/* Nodes without a known mapping; ksm_scan_mutex. */
static LIST_HEAD(check_list);

/* All nodes there are; ksm_scan_mutex. */
static unsigned long nr_nodes;

/**
 * ksm_node_alloc - make a node that belongs to no page yet
 *
 * Return: the node or NULL.
 */
struct ksm_stable_node *ksm_node_alloc(void)
{
	struct ksm_stable_node *node;

	node = kmem_cache_zalloc(node_cache, GFP_KERNEL | __GFP_HIGH);
	if (!node)
		return NULL;
	INIT_HLIST_HEAD(&node->items);
	INIT_LIST_HEAD(&node->check);
	nr_nodes++;
	ksm_count(&ksm_counters.bytes, sizeof(*node));
	return node;
}

/**
 * ksm_node_free - the opposite
 * @node: in no tree, without items, and no folio points to it
 */
void ksm_node_free(struct ksm_stable_node *node)
{
	list_del(&node->check);
	nr_nodes--;
	ksm_count(&ksm_counters.bytes, -(long)sizeof(*node));
	kmem_cache_free(node_cache, node);
}

/**
 * ksm_node_none_left - is there no KSM page at all?
 *
 * Context: ksm_scan_mutex held.
 * Return: true if there is none.
 */
bool ksm_node_none_left(void)
{
	return !nr_nodes;
}

/**
 * ksm_node_unchecked - are there KSM pages that only strangers map?
 *
 * Context: any; a hint without ksm_scan_mutex.
 * Return: true if there are.
 */
bool ksm_node_unchecked(void)
{
	return !list_empty_careful(&check_list);
}

/*
 * Nobody can be given a reference on the folio.  Is that for ever?
 *
 * The count of a page in the swap cache is zero for a moment, while it is taken
 * out there or migrated.  That of any other page is zero only once it will be
 * freed, even if that takes a while: reclaim collects such pages, and one that
 * is poisoned keeps its mapping for ever.  All who do that are listed in
 * Documentation/mm/ksm.rst, "Who freezes the count of a KSM page".
 *
 * Flag, then count, then mapping, then @moves: migration writes them in the
 * opposite order.  So this is one moment, in which the count was zero and the
 * page not in the swap cache, or the caller has to begin again: KSM_BUSY.
 */
static enum ksm_result judge_frozen(const struct ksm_stable_node *node,
				    struct folio *folio, unsigned int moves)
{
	bool cached;

	smp_rmb();	/* what failed to take a reference orders nothing */
	cached = folio_test_swapcache(folio);
	smp_rmb();	/* the count was zero after the flag was read */
	if (folio_ref_count(folio))
		return KSM_BUSY;
	smp_rmb();	/* pairs with folio_migrate_ksm() */
	if (READ_ONCE(folio->mapping) != ksm_node_mapping(node) ||
	    READ_ONCE(node->moves) != moves)
		return KSM_BUSY;
	return cached ? KSM_RETRY : KSM_GONE;
}

/**
 * ksm_node_get_folio - take a reference on the page of a node
 * @node:   which
 * @foliop: set to the folio if the result is KSM_DONE
 *
 * Context: ksm_scan_mutex held.
 * Return: KSM_DONE; KSM_GONE if the page is no longer ours, for ever; or
 * KSM_RETRY if that cannot be said now, but very soon.
 */
enum ksm_result ksm_node_get_folio(struct ksm_stable_node *node,
				   struct folio **foliop)
{
	void *expected = ksm_node_mapping(node);
	enum ksm_result result;
	struct folio *folio;
	unsigned int moves;

	lockdep_assert_held(&ksm_scan_mutex);
again:
	/* Pairs with folio_migrate_ksm(): not older than the pfn */
	moves = smp_load_acquire(&node->moves);
	folio = pfn_folio(READ_ONCE(node->pfn));
	if (READ_ONCE(folio->mapping) != expected)
		goto stale;
	if (!folio_try_get(folio)) {
		result = judge_frozen(node, folio, moves);
		if (result == KSM_BUSY)
			goto again;
		return result;
	}
	if (READ_ONCE(folio->mapping) != expected) {
		folio_put(folio);
		goto stale;
	}
	*foliop = folio;
	return KSM_DONE;

stale:
	/*
	 * Freed, or migrated?  Pairs with smp_wmb() in folio_migrate_ksm(),
	 * which counts the move before it takes away the old mapping.
	 */
	smp_rmb();
	if (READ_ONCE(node->moves) != moves)
		goto again;
	return KSM_GONE;
}

/* Who froze the count needs no longer than that, unless it was interrupted. */
#define SPINS	100

/* The same, until there is an answer, with the folio locked. */
static struct folio *lock_folio_of(struct ksm_stable_node *node)
{
	unsigned int spins = 0;
	struct folio *folio;

	for (;;) {
		switch (ksm_node_get_folio(node, &folio)) {
		case KSM_DONE:
			folio_lock(folio);
			if (READ_ONCE(folio->mapping) == ksm_node_mapping(node))
				return folio;
			/* Migrated while we waited for the lock. */
			folio_unlock(folio);
			folio_put(folio);
			break;
		case KSM_GONE:
			return NULL;
		default:
			if (++spins < SPINS)
				cpu_relax();
			else
				usleep_range(50, 100);
		}
	}
}

/**
 * ksm_node_bind - make a folio the KSM page of a node
 * @node:  belongs to no page yet
 * @folio: locked; mapped read-only everywhere
 *
 * Context: folio lock and ksm_scan_mutex held.
 */
void ksm_node_bind(struct ksm_stable_node *node, struct folio *folio)
{
	VM_WARN_ON_ONCE_FOLIO(!folio_test_locked(folio), folio);
	VM_WARN_ON_ONCE_FOLIO(folio_test_large(folio), folio);
	node->pfn = folio_pfn(folio);
	node->nid = ksm_page_nid(node->pfn);
	/* Reclaim must write it to swap, not drop it. */
	folio_mark_dirty(folio);
	WRITE_ONCE(folio->mapping, ksm_node_mapping(node));
}

/**
 * ksm_node_attach - note that a page of an mm maps a KSM page
 * @node:     of the KSM page
 * @folio:    the KSM page, locked
 * @item:     in no tree
 * @anon_vma: all mappings by forks of this one are found there
 * @index:    linear_page_index() of the mapping
 *
 * Context: mmap_lock of the mm, folio lock and ksm_scan_mutex held.
 */
void ksm_node_attach(struct ksm_stable_node *node, struct folio *folio,
		     struct ksm_rmap_item *item, struct anon_vma *anon_vma,
		     pgoff_t index)
{
	VM_WARN_ON_ONCE_FOLIO(!folio_test_locked(folio), folio);
	lockdep_assert_held(&ksm_scan_mutex);

	get_anon_vma(anon_vma);
	item->address &= PAGE_MASK;
	item->pfn = folio_pfn(folio);
	item->anon_vma = anon_vma;
	item->index = index;
	item->node = node;
	hlist_add_head(&item->link, &node->items);

	list_del_init(&node->check);
	ksm_count(node->nr_items ? &ksm_counters.sharing :
				   &ksm_counters.shared, 1);
	if (ksm_busted(KSM_FAULT_COUNT))
		ksm_count(&ksm_counters.sharing, 1);
	ksm_count(&item->slot->mm->ksm_merging_pages, 1);
	node->nr_items++;
	if (!ksm_node_has_room(node))
		ksm_stable_resort(node);
}

/* An item is of no mapping any more; whether it stays is another question. */
static void uncount_item(struct ksm_rmap_item *item)
{
	struct ksm_stable_node *node = item->node;
	bool was_full = !ksm_node_has_room(node);

	node->nr_items--;
	ksm_count(node->nr_items ? &ksm_counters.sharing :
				   &ksm_counters.shared, -1);
	ksm_count(&item->slot->mm->ksm_merging_pages, -1);
	if (was_full)
		ksm_stable_resort(node);
}

/* Nobody can reach the node through its folio any more, or the caller has it */
static void unlink_item(struct ksm_rmap_item *item)
{
	hlist_del(&item->link);
	item->node = NULL;
	put_anon_vma(item->anon_vma);
	item->anon_vma = NULL;
}

/* The folio is locked and stops being ours; it may live on as swap cache. */
static void release_folio(struct ksm_stable_node *node, struct folio *folio)
{
	WRITE_ONCE(folio->mapping, (void *)PAGE_MAPPING_KSM);
	trace_ksm_remove_ksm_page(folio_pfn(folio));
}

/* The node of an item goes. */
static void lose_node(struct ksm_rmap_item *item)
{
	if (!item->slot) {
		unlink_item(item);
		ksm_orphan_free(item);
		return;
	}
	trace_ksm_remove_rmap_item(item, item->slot->mm, item->node->pfn);
	uncount_item(item);
	unlink_item(item);
	ksm_item_doubt(item);
}

/**
 * ksm_node_forget - drop a node whose page is gone
 * @node: ksm_node_get_folio() said KSM_GONE, or the page is unmapped and no
 *	  longer points here
 *
 * Its items stay with their owners, attached to nothing; its orphans go.
 *
 * Context: ksm_scan_mutex held; may sleep.
 */
void ksm_node_forget(struct ksm_stable_node *node)
{
	struct ksm_rmap_item *item;
	struct hlist_node *next;

	lockdep_assert_held(&ksm_scan_mutex);
	hlist_for_each_entry_safe(item, next, &node->items, link) {
		lose_node(item);
		/* There may be millions. */
		cond_resched();
	}
	if (node->chain)
		ksm_stable_unlink(node);
	ksm_node_free(node);
}

/*
 * A page that is only in the swap cache may be mapped again by those who read
 * it from there, all of them: @keep_cached.  Return: whether it is forgotten.
 */
static bool forget_if_unused(struct ksm_stable_node *node, bool keep_cached)
{
	struct folio *folio = lock_folio_of(node);

	if (folio && (folio_mapped(folio) ||
		      (keep_cached && folio_test_swapcache(folio)))) {
		if (list_empty(&node->check))
			list_add_tail(&node->check, &check_list);
		folio_unlock(folio);
		folio_put(folio);
		return false;
	}
	if (folio) {
		release_folio(node, folio);
		folio_unlock(folio);
		folio_put(folio);
	} else {
		trace_ksm_remove_ksm_page(node->pfn);
	}
	ksm_node_forget(node);
	return true;
}

/**
 * ksm_node_detach - note that a page of an mm no longer maps a KSM page
 * @item: its item, which no state word names; may be attached to nothing
 *
 * Context: ksm_scan_mutex held; takes the folio lock.
 * Return: true if the item is the caller's now, attached to nothing; false if
 * it has to stay where it is, for forks of its mapping.
 */
bool ksm_node_detach(struct ksm_rmap_item *item)
{
	struct ksm_stable_node *node = item->node;
	struct folio *folio;
	bool stays;

	if (!node)
		return true;
	folio = lock_folio_of(node);
	if (!folio) {
		trace_ksm_remove_ksm_page(node->pfn);
		ksm_node_forget(node);
		return true;
	}
	stays = ksm_orphan_needed(item, folio);
	uncount_item(item);
	if (stays)
		ksm_orphan_add(item);
	else
		unlink_item(item);
	folio_unlock(folio);
	folio_put(folio);
	if (!node->nr_items)
		forget_if_unused(node, true);
	return !stays;
}

/* Drop an item that nobody needs any more. */
static void drop_orphan(struct ksm_rmap_item *item)
{
	struct ksm_stable_node *node = item->node;
	struct folio *folio = lock_folio_of(node);

	if (!folio) {
		trace_ksm_remove_ksm_page(node->pfn);
		ksm_node_forget(node);
		return;
	}
	unlink_item(item);
	folio_unlock(folio);
	folio_put(folio);
	ksm_orphan_free(item);
}

/* How many may go in a batch, at least */
#define ORPHANS_AT_ONCE	4096UL

/**
 * ksm_node_drop_orphans - drop some of those that had a whole pass
 * @nr: pages of a batch, which brings no more of them than that
 *
 * Context: ksm_scan_mutex held; takes folio locks.
 */
void ksm_node_drop_orphans(unsigned long nr)
{
	struct ksm_rmap_item *item;

	lockdep_assert_held(&ksm_scan_mutex);
	for (nr = max(nr, ORPHANS_AT_ONCE); nr; nr--) {
		item = ksm_orphans_next();
		if (!item)
			return;
		drop_orphan(item);
		cond_resched();
	}
}

/**
 * ksm_node_check - drop nodes that nobody maps any more
 * @keep_cached: but not those whose page is in the swap cache
 * @nr:		 how many to look at, ULONG_MAX for all; the next time others
 *
 * Context: ksm_scan_mutex held; takes folio locks.
 * Return: true if there were some.
 */
bool ksm_node_check(bool keep_cached, unsigned long nr)
{
	struct ksm_stable_node *node;
	bool dropped = false;
	LIST_HEAD(todo);

	list_splice_init(&check_list, &todo);
	for (; nr && !list_empty(&todo); nr--) {
		node = list_first_entry(&todo, struct ksm_stable_node, check);
		list_del_init(&node->check);
		dropped |= forget_if_unused(node, keep_cached);
		cond_resched();
	}
	list_splice(&todo, &check_list);
	return dropped;
}

static bool node_within(const struct ksm_stable_node *node,
			unsigned long start, unsigned long end)
{
	unsigned long pfn = READ_ONCE(node->pfn);

	return pfn >= start && pfn < end;
}

/**
 * ksm_node_forget_range - drop the nodes of pages that are gone
 * @start: first page frame number
 * @end:   the one after the last; nothing there is in use any more
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_node_forget_range(unsigned long start, unsigned long end)
{
	struct ksm_stable_node *node, *next;
	struct ksm_chain *chain, *next_chain;

	/* A node that is in no chain has no items, so it is on this list. */
	list_for_each_entry_safe(node, next, &check_list, check) {
		if (node_within(node, start, end))
			ksm_node_forget(node);
		cond_resched();
	}

	for (chain = ksm_stable_next(NULL); chain; chain = next_chain) {
		unsigned int left = chain->nr_dups;

		next_chain = ksm_stable_next(chain);
		list_for_each_entry_safe(node, next, &chain->dups, dup) {
			if (node_within(node, start, end))
				ksm_node_forget(node);
			if (!--left)	/* the chain may have gone */
				break;
		}
		cond_resched();
	}
}

/**
 * ksm_chain_prune - drop the dups of a chain whose pages were freed
 * @chain: which; gone afterwards if it lost its last dup
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_chain_prune(struct ksm_chain *chain)
{
	struct ksm_stable_node *node, *next;
	unsigned int left = chain->nr_dups;

	chain->pruned = jiffies;
	list_for_each_entry_safe(node, next, &chain->dups, dup) {
		struct folio *folio;
		enum ksm_result got = ksm_node_get_folio(node, &folio);

		/* The last one takes the chain with it. */
		left--;
		if (got == KSM_DONE)
			folio_put(folio);
		else if (got == KSM_GONE)
			ksm_node_forget(node);
		if (!left)
			break;
		cond_resched();
	}
}

int __init ksm_node_init(void)
{
	node_cache = KMEM_CACHE(ksm_stable_node, 0);
	return node_cache ? 0 : -ENOMEM;
}
