// SPDX-License-Identifier: GPL-2.0-only
/*
 * A KSM page and its node.
 *
 * folio->mapping of a KSM folio is the address of its node; the node has the
 * page frame number.  Neither holds a reference on the other.  The page is
 * freed, reclaimed and migrated as any other, without a call to KSM: whether a
 * node still has its page is found out by ksm_node_get_folio().
 *
 * The page of a node without a known mapping may still be mapped, by children
 * of a fork that were not visited yet.  The node goes on the check list, and is
 * checked again when the next pass begins.
 */
#include <linux/delay.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <trace/events/ksm.h>

#include "internal.h"

static struct kmem_cache *ksm_node_cache;

/* Nodes without a known mapping; ksm_scan_mutex. */
static LIST_HEAD(ksm_node_check_list);

/* Number of all nodes; ksm_scan_mutex. */
static unsigned long ksm_nr_nodes;

/**
 * ksm_node_alloc - allocate a node that has no page yet
 *
 * Return: the node or NULL.
 */
struct ksm_stable_node *ksm_node_alloc(void)
{
	struct ksm_stable_node *node;

	node = kmem_cache_zalloc(ksm_node_cache, GFP_KERNEL | __GFP_HIGH);
	if (!node)
		return NULL;
	INIT_HLIST_HEAD(&node->items);
	INIT_LIST_HEAD(&node->check);
	ksm_nr_nodes++;
	ksm_count(&ksm_counters.bytes, sizeof(*node));
	return node;
}

/**
 * ksm_node_free - free a node
 * @node: in no tree, without items, and no folio points to it
 */
void ksm_node_free(struct ksm_stable_node *node)
{
	list_del(&node->check);
	ksm_nr_nodes--;
	ksm_count(&ksm_counters.bytes, -(long)sizeof(*node));
	kmem_cache_free(ksm_node_cache, node);
}

/**
 * ksm_node_none_left - are there no KSM pages at all?
 *
 * Context: ksm_scan_mutex held.
 * Return: true if there are none.
 */
bool ksm_node_none_left(void)
{
	lockdep_assert_held(&ksm_scan_mutex);
	return !ksm_nr_nodes;
}

/**
 * ksm_node_unchecked - are there KSM pages without a known mapping?
 *
 * Context: any; a hint without ksm_scan_mutex.
 * Return: true if there are.
 */
bool ksm_node_unchecked(void)
{
	return !list_empty_careful(&ksm_node_check_list);
}

/*
 * The reference count of the folio is zero, so that no reference can be taken.
 * Is that for ever?
 *
 * It is for a moment while the page is taken out of the swap cache or migrated.
 * Otherwise the page will be freed, which takes its mapping away; that may take
 * a while, since reclaim collects such pages.  Which of the two it is cannot be
 * told: a page may leave the swap cache and enter it again between any two
 * looks.  But one that is poisoned and not in the swap cache keeps its mapping
 * for ever.  All code that freezes a count is listed in
 * Documentation/mm/ksm.rst, "What freezes the count of a KSM page".
 *
 * Flags, then count, then mapping, then @moves: migration writes them in the
 * opposite order.  So all was read at one moment, in which the count was zero;
 * or the page has changed, and the caller has to start over: false.
 */
static bool ksm_node_judge_frozen(const struct ksm_stable_node *node,
				  struct folio *folio, unsigned int moves,
				  enum ksm_result *result)
{
	bool kept;

	smp_rmb();	/* the failure to take a reference orders nothing */
	kept = PageHWPoison(folio_page(folio, 0)) &&
	       !folio_test_swapcache(folio);
	smp_rmb();	/* the count was zero after the flags were read */
	if (folio_ref_count(folio))
		return false;
	smp_rmb();	/* pairs with folio_migrate_ksm() */
	if (READ_ONCE(folio->mapping) != ksm_node_mapping(node) ||
	    READ_ONCE(node->moves) != moves)
		return false;
	*result = kept ? KSM_RESULT_GONE : KSM_RESULT_RETRY;
	return true;
}

/**
 * ksm_node_get_folio - take a reference on the page of a node
 * @node:   the node
 * @foliop: set to the folio if the result is KSM_RESULT_DONE
 *
 * Context: ksm_scan_mutex held.
 * Return: KSM_RESULT_DONE; KSM_RESULT_GONE if the node has lost its page for
 * ever; or KSM_RESULT_RETRY if that cannot be said before reclaim or migration,
 * one of which has the page, is done with it.
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
		if (!ksm_node_judge_frozen(node, folio, moves, &result))
			goto again;
		return result;
	}
	if (READ_ONCE(folio->mapping) != expected) {
		folio_put(folio);
		goto stale;
	}
	*foliop = folio;
	return KSM_RESULT_DONE;

stale:
	/*
	 * Freed, or migrated?  Pairs with smp_wmb() in folio_migrate_ksm(),
	 * which counts the move before it takes away the old mapping.
	 */
	smp_rmb();
	if (READ_ONCE(node->moves) != moves)
		goto again;
	return KSM_RESULT_GONE;
}

/*
 * A count is frozen for no longer than that, unless by a task that was
 * preempted, or by reclaim, which frees pages in batches.
 */
#define KSM_NODE_SPINS	100

/*
 * The same, until there is an answer, with the folio locked.  NULL: it is gone
 */
static struct folio *ksm_node_lock_folio(struct ksm_stable_node *node)
{
	unsigned int spins = 0;
	struct folio *folio;

	for (;;) {
		switch (ksm_node_get_folio(node, &folio)) {
		case KSM_RESULT_DONE:
			folio_lock(folio);
			if (READ_ONCE(folio->mapping) == ksm_node_mapping(node))
				return folio;
			/* It was migrated in the meantime. */
			folio_unlock(folio);
			folio_put(folio);
			break;
		case KSM_RESULT_GONE:
			return NULL;
		default:
			if (++spins < KSM_NODE_SPINS)
				cpu_relax();
			else
				usleep_range(50, 100);
		}
	}
}

/**
 * ksm_node_bind - make a folio the KSM page of a node
 * @node:  has no page yet
 * @folio: locked; mapped read-only everywhere
 * @scope: scope of the folio
 *
 * Context: folio lock and ksm_scan_mutex held.
 */
void ksm_node_bind(struct ksm_stable_node *node, struct folio *folio,
		   struct ksm_scope scope)
{
	lockdep_assert_held(&ksm_scan_mutex);
	VM_WARN_ON_ONCE_FOLIO(!folio_test_locked(folio), folio);
	VM_WARN_ON_ONCE_FOLIO(folio_test_large(folio), folio);
	node->pfn = folio_pfn(folio);
	node->scope = scope;
	/* Reclaim must write it to swap, not drop it. */
	folio_mark_dirty(folio);
	WRITE_ONCE(folio->mapping, ksm_node_mapping(node));
}

/**
 * ksm_node_attach - note that a page of an mm maps a KSM page
 * @node:     node of the KSM page
 * @folio:    the KSM page, locked
 * @item:     item of the page, in no tree
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

/* An item has no mapping any more; it may stay as an orphan. */
static void ksm_node_uncount(struct ksm_rmap_item *item)
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

/* The folio is locked, or does not lead to the node any more. */
static void ksm_node_unlink(struct ksm_rmap_item *item)
{
	hlist_del(&item->link);
	item->node = NULL;
	put_anon_vma(item->anon_vma);
	item->anon_vma = NULL;
}

/* The folio, locked, is no KSM page any more; it may live on as swap cache. */
static void ksm_node_release_folio(struct ksm_stable_node *node,
				   struct folio *folio)
{
	WRITE_ONCE(folio->mapping, (void *)PAGE_MAPPING_KSM);
	trace_ksm_remove_ksm_page(folio_pfn(folio));
}

/* The node of an item is dropped. */
static void ksm_node_lose_item(struct ksm_rmap_item *item)
{
	if (!item->slot) {
		ksm_node_unlink(item);
		ksm_orphan_free(item);
		return;
	}
	trace_ksm_remove_rmap_item(item, item->slot->mm, item->node->pfn);
	ksm_node_uncount(item);
	ksm_node_unlink(item);
	ksm_track_node_gone(item);
}

/**
 * ksm_node_forget - drop a node whose page is gone
 * @node: ksm_node_get_folio() said KSM_RESULT_GONE, or the page is unmapped
 *	  and no longer points here
 *
 * Its items stay with their slots, attached to nothing; its orphans are freed.
 *
 * Context: ksm_scan_mutex held; may sleep.
 */
void ksm_node_forget(struct ksm_stable_node *node)
{
	struct ksm_rmap_item *item;
	struct hlist_node *next;

	lockdep_assert_held(&ksm_scan_mutex);
	hlist_for_each_entry_safe(item, next, &node->items, link) {
		ksm_node_lose_item(item);
		/* There may be millions. */
		cond_resched();
	}
	if (node->chain)
		ksm_stable_unlink(node);
	ksm_node_free(node);
}

/*
 * A page that is only in the swap cache may be mapped again, by all mms that
 * read it from there: @keep_cached.  Return: whether the node is forgotten.
 */
static bool ksm_node_forget_unused(struct ksm_stable_node *node,
				   bool keep_cached)
{
	struct folio *folio = ksm_node_lock_folio(node);

	if (folio && (folio_mapped(folio) ||
		      (keep_cached && folio_test_swapcache(folio)))) {
		if (list_empty(&node->check))
			list_add_tail(&node->check, &ksm_node_check_list);
		folio_unlock(folio);
		folio_put(folio);
		return false;
	}
	if (folio) {
		ksm_node_release_folio(node, folio);
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
 * @item: item of the page, which no state word names; may be attached to
 *	  nothing
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

	lockdep_assert_held(&ksm_scan_mutex);
	if (!node)
		return true;
	folio = ksm_node_lock_folio(node);
	if (!folio) {
		trace_ksm_remove_ksm_page(node->pfn);
		ksm_node_forget(node);
		return true;
	}
	stays = ksm_orphan_needed(item, folio);
	ksm_node_uncount(item);
	if (stays)
		ksm_orphan_add(item);
	else
		ksm_node_unlink(item);
	folio_unlock(folio);
	folio_put(folio);
	if (!node->nr_items)
		ksm_node_forget_unused(node, true);
	return !stays;
}

/* Drop an orphan that has no forks any more, or none that were not visited. */
static void ksm_node_drop_orphan(struct ksm_rmap_item *item)
{
	struct ksm_stable_node *node = item->node;
	struct folio *folio = ksm_node_lock_folio(node);

	if (!folio) {
		trace_ksm_remove_ksm_page(node->pfn);
		ksm_node_forget(node);
		return;
	}
	ksm_node_unlink(item);
	folio_unlock(folio);
	folio_put(folio);
	ksm_orphan_free(item);
}

/* How many may be dropped in a batch, at least */
#define KSM_ORPHANS_AT_ONCE	4096UL

/**
 * ksm_node_drop_orphans - drop some of the orphans that have expired
 * @nr: pages of a batch, which makes no more orphans than that
 *
 * Context: ksm_scan_mutex held; takes folio locks.
 */
void ksm_node_drop_orphans(unsigned long nr)
{
	struct ksm_rmap_item *item;

	lockdep_assert_held(&ksm_scan_mutex);
	for (nr = max(nr, KSM_ORPHANS_AT_ONCE); nr; nr--) {
		item = ksm_orphan_expired();
		if (!item)
			return;
		ksm_node_drop_orphan(item);
		cond_resched();
	}
}

/**
 * ksm_node_check - drop nodes whose pages are not mapped any more
 * @keep_cached: but not those whose page is in the swap cache
 * @nr:		 how many to check, ULONG_MAX for all; the next time others
 *
 * Context: ksm_scan_mutex held; takes folio locks.
 * Return: true if any were dropped.
 */
bool ksm_node_check(bool keep_cached, unsigned long nr)
{
	struct ksm_stable_node *node;
	bool dropped = false;
	LIST_HEAD(todo);

	lockdep_assert_held(&ksm_scan_mutex);
	list_splice_init(&ksm_node_check_list, &todo);
	for (; nr && !list_empty(&todo); nr--) {
		node = list_first_entry(&todo, struct ksm_stable_node, check);
		list_del_init(&node->check);
		dropped |= ksm_node_forget_unused(node, keep_cached);
		cond_resched();
	}
	list_splice(&todo, &ksm_node_check_list);
	return dropped;
}

static bool ksm_node_within(const struct ksm_stable_node *node,
			    unsigned long start, unsigned long end)
{
	unsigned long pfn = READ_ONCE(node->pfn);

	return pfn >= start && pfn < end;
}

/**
 * ksm_node_forget_range - drop the nodes of pages that are gone
 * @start: first page frame number
 * @end:   the one after the last; no page there is in use any more
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_node_forget_range(unsigned long start, unsigned long end)
{
	struct ksm_stable_node *node, *next;
	struct ksm_chain *chain, *next_chain;

	lockdep_assert_held(&ksm_scan_mutex);
	/* A node in no chain has no items, so it is on this list. */
	list_for_each_entry_safe(node, next, &ksm_node_check_list, check) {
		if (ksm_node_within(node, start, end))
			ksm_node_forget(node);
		cond_resched();
	}

	for (chain = ksm_stable_next(NULL); chain; chain = next_chain) {
		unsigned int left = chain->nr_dups;

		next_chain = ksm_stable_next(chain);
		list_for_each_entry_safe(node, next, &chain->dups, dup) {
			if (ksm_node_within(node, start, end))
				ksm_node_forget(node);
			if (!--left)	/* the chain may be freed */
				break;
		}
		cond_resched();
	}
}

/**
 * ksm_node_prune - drop the dups of a chain whose pages were freed
 * @chain: the chain; freed if it loses its last dup
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_node_prune(struct ksm_chain *chain)
{
	struct ksm_stable_node *node, *next;
	unsigned int left = chain->nr_dups;

	lockdep_assert_held(&ksm_scan_mutex);
	chain->pruned = jiffies;
	list_for_each_entry_safe(node, next, &chain->dups, dup) {
		struct folio *folio;
		enum ksm_result got = ksm_node_get_folio(node, &folio);

		/* With the last dup the chain is freed. */
		left--;
		if (got == KSM_RESULT_DONE)
			folio_put(folio);
		else if (got == KSM_RESULT_GONE)
			ksm_node_forget(node);
		if (!left)
			break;
		cond_resched();
	}
}

int __init ksm_node_init(void)
{
	ksm_node_cache = KMEM_CACHE(ksm_stable_node, 0);
	return ksm_node_cache ? 0 : -ENOMEM;
}
