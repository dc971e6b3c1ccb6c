// SPDX-License-Identifier: GPL-2.0-only
/*
 * Merge a candidate: with the zero page, with a KSM page, or by making it a KSM
 * page itself.
 *
 * pte.c tells why that is safe.  The other page is one that nothing can write
 * to: a KSM page, the zero page, or a copy that is not mapped yet.
 */
#include <linux/memcontrol.h>
#include <linux/rmap.h>
#include <linux/swap.h>
#include <trace/events/ksm.h>

#include "../internal.h"
#include "internal.h"
#include "merge.h"

/* What the events of old have for a result; ksm_merge has its name. */
static const int ksm_result_errno[] = {
	[KSM_RESULT_DONE]	= 0,
	[KSM_RESULT_DIFFERENT]	= -EFAULT,
	[KSM_RESULT_GONE]	= -ESTALE,
	[KSM_RESULT_HELD]	= -EBUSY,
	[KSM_RESULT_RETRY]	= -EAGAIN,
	[KSM_RESULT_FULL]	= -ENOSPC,
	[KSM_RESULT_NOMEM]	= -ENOMEM,
};

/* KSM_TRACE_RESULTS has them as numbers. */
static_assert(KSM_RESULT_DONE == 0 && KSM_RESULT_DIFFERENT == 1 &&
	      KSM_RESULT_GONE == 2 && KSM_RESULT_HELD == 3 &&
	      KSM_RESULT_RETRY == 4 && KSM_RESULT_FULL == 5 &&
	      KSM_RESULT_NOMEM == 6);

/*
 * A folio that MADV_FREE has made lazyfree is not merged.  If it was written
 * after that, it is an ordinary one again, and only reclaim has not noticed
 * yet: say so, which takes effect when the LRU caches have been drained.
 *
 * If it becomes lazyfree right now, ksm_node_bind() makes it dirty, so it
 * stays.
 */
static bool ksm_merge_is_lazyfree(struct folio *folio)
{
	return !folio_test_swapbacked(folio);
}

static void ksm_merge_revive_lazyfree(struct folio *folio)
{
	if (folio_test_dirty(folio) && folio_isolate_lru(folio)) {
		folio_set_swapbacked(folio);
		folio_putback_lru(folio);
	}
}

/*
 * Split the large folio of a page that is referenced here and locked; that
 * fails if any page of it has extra references.  The mm that maps it pays for
 * the split, so it is counted there.
 */
static bool ksm_merge_split(struct mm_struct *mm, struct page *page)
{
	if (split_huge_page(page)) {
		ksm_count(&ksm_counters.thp_kept, 1);
		return false;
	}
	ksm_count(&ksm_counters.thp_split, 1);
	ksm_count(&mm->ksm_thp_split, 1);
	return true;
}

/* With the folio of the page locked, which may become another one by a split */
static enum ksm_result ksm_merge_prepare(struct mm_struct *mm,
					 struct page *page)
{
	struct folio *folio = page_folio(page);

	if (ksm_merge_is_lazyfree(folio)) {
		ksm_merge_revive_lazyfree(folio);
		return KSM_RESULT_HELD;
	}
	if (!folio_test_anon(folio) || folio_test_ksm(folio))
		return KSM_RESULT_GONE;
	if (folio_test_large(folio) && !ksm_merge_split(mm, page))
		return KSM_RESULT_HELD;
	/* Looked at again when it counts; this spares the writer a fault. */
	if (!ksm_folio_no_extra_refs(page_folio(page)))
		return KSM_RESULT_HELD;
	return KSM_RESULT_DONE;
}

/* Lock a candidate's page, alone in its folio.  Never waits. */
static enum ksm_result ksm_merge_lock(struct ksm_candidate *c)
{
	enum ksm_result result;

	if (!folio_trylock(page_folio(c->page)))
		return KSM_RESULT_HELD;
	result = ksm_merge_prepare(c->slot->mm, c->page);
	if (result != KSM_RESULT_DONE)
		folio_unlock(page_folio(c->page));
	return result;
}

static void ksm_merge_unlock(struct ksm_candidate *c)
{
	folio_unlock(page_folio(c->page));
}

/* Is the page, with its entry taken out, the same as @by, and not pinned? */
static enum ksm_result ksm_merge_compare(struct ksm_taken_pte *t,
					 struct page *by)
{
	if (!ksm_page_same(t->page, by))
		return KSM_RESULT_DIFFERENT;
	return ksm_pte_end_exclusive(t) ? KSM_RESULT_DONE : KSM_RESULT_HELD;
}

/*
 * Replace a candidate's page, locked, by @kfolio, or by the zero page if NULL
 */
static enum ksm_result ksm_merge_replace(struct ksm_candidate *c,
					 struct vm_area_struct *vma,
					 struct folio *kfolio)
{
	struct ksm_taken_pte t = {
		.vma = vma, .addr = c->addr, .page = c->page,
	};
	struct page *by = kfolio ? folio_page(kfolio, 0) :
				   pfn_to_page(my_zero_pfn(c->addr));
	enum ksm_result result = ksm_pte_take(&t);

	if (result == KSM_RESULT_DONE) {
		result = ksm_merge_compare(&t, by);
		if (result != KSM_RESULT_DONE)
			ksm_pte_give_back(&t);
		else if (kfolio)
			ksm_pte_map_ksm_page(&t, kfolio);
		else
			ksm_pte_map_zero_page(&t);
	}
	ksm_pte_finish(&t);
	return result;
}

static void ksm_merge_attach_item(struct ksm_candidate *c,
				  struct vm_area_struct *vma,
				  struct ksm_rmap_item *item,
				  struct ksm_stable_node *node,
				  struct folio *kfolio)
{
	ksm_node_attach(node, kfolio, item, vma->anon_vma,
			linear_page_index(vma, c->addr));
}

static enum ksm_result ksm_merge_zero_pinned(struct ksm_candidate *c,
					     struct vm_area_struct *vma)
{
	enum ksm_result result;

	if (!ksm_vma_takes_zero_page(vma) ||
	    !ksm_page_same(c->page, pfn_to_page(my_zero_pfn(c->addr))))
		return KSM_RESULT_DIFFERENT;
	result = ksm_merge_lock(c);
	if (result != KSM_RESULT_DONE)
		return result;
	result = ksm_merge_replace(c, vma, NULL);
	ksm_merge_unlock(c);
	return result;
}

/**
 * ksm_merge_zero - put the zero page in place of a page of zeroes
 * @c:	  the page; is pinned afterwards
 * @item: its item, in no tree, attached to nothing
 *
 * Context: ksm_scan_mutex held; takes mmap_lock for reading.
 * Return: KSM_RESULT_DONE, KSM_RESULT_DIFFERENT, KSM_RESULT_GONE or
 * KSM_RESULT_HELD.
 */
enum ksm_result ksm_merge_zero(struct ksm_candidate *c,
			       struct ksm_rmap_item *item)
{
	enum ksm_result result = KSM_RESULT_GONE;
	struct mm_struct *mm = c->slot->mm;
	struct vm_area_struct *vma;

	lockdep_assert_held(&ksm_scan_mutex);
	ksm_candidate_lock_mm(c, NULL);
	vma = ksm_candidate_vma(c);
	if (vma && ksm_candidate_pin_in(c, vma))
		result = ksm_merge_zero_pinned(c, vma);
	mmap_read_unlock(mm);
	trace_ksm_merge_one_page(item, mm, my_zero_pfn(c->addr),
				 ksm_result_errno[result]);
	trace_ksm_merge(mm, c->addr, c->pfn, my_zero_pfn(c->addr), result);
	return result;
}

/* KSM page locked, and that of @node; compare before a writer is disturbed. */
static enum ksm_result ksm_merge_into_locked(struct ksm_candidate *c,
					     struct vm_area_struct *vma,
					     struct ksm_rmap_item *item,
					     struct ksm_stable_node *node,
					     struct folio *kfolio)
{
	enum ksm_result result;

	/* Not even to be read */
	if (!ksm_folio_readable(kfolio))
		return KSM_RESULT_RETRY;
	/* It may have been migrated since its node was looked up. */
	if (!ksm_scope_same(ksm_scope_of(c->slot, c->pfn),
			    ksm_scope_in(node->scope.domain,
					 folio_pfn(kfolio))))
		return KSM_RESULT_RETRY;
	if (!ksm_page_same(c->page, folio_page(kfolio, 0)))
		return KSM_RESULT_DIFFERENT;
	result = ksm_merge_lock(c);
	if (result != KSM_RESULT_DONE)
		return result;
	result = ksm_merge_replace(c, vma, kfolio);
	ksm_merge_unlock(c);
	if (result == KSM_RESULT_DONE)
		ksm_merge_attach_item(c, vma, item, node, kfolio);
	return result;
}

static enum ksm_result ksm_merge_into_pinned(struct ksm_candidate *c,
					     struct vm_area_struct *vma,
					     struct ksm_rmap_item *item,
					     struct ksm_stable_node *node,
					     struct folio *kfolio)
{
	enum ksm_result result = KSM_RESULT_RETRY;

	folio_lock(kfolio);
	if (READ_ONCE(kfolio->mapping) == ksm_node_mapping(node))
		result = ksm_merge_into_locked(c, vma, item, node, kfolio);
	folio_unlock(kfolio);
	return result;
}

/**
 * ksm_merge_into - put a KSM page in place of a page
 * @c:	    the page; is pinned afterwards
 * @item:   its item, in no tree, attached to nothing
 * @node:   node of the KSM page
 * @kfolio: the KSM page, with a reference
 *
 * Context: ksm_scan_mutex held; takes mmap_lock for reading.
 * Return: KSM_RESULT_DONE, with @item attached; KSM_RESULT_DIFFERENT,
 * KSM_RESULT_GONE, KSM_RESULT_HELD or KSM_RESULT_RETRY.
 */
enum ksm_result ksm_merge_into(struct ksm_candidate *c,
			       struct ksm_rmap_item *item,
			       struct ksm_stable_node *node,
			       struct folio *kfolio)
{
	enum ksm_result result = KSM_RESULT_GONE;
	struct mm_struct *mm = c->slot->mm;
	struct vm_area_struct *vma;

	lockdep_assert_held(&ksm_scan_mutex);
	ksm_candidate_lock_mm(c, NULL);
	vma = ksm_candidate_vma(c);
	if (vma && ksm_candidate_pin_in(c, vma))
		result = ksm_merge_into_pinned(c, vma, item, node, kfolio);
	mmap_read_unlock(mm);
	trace_ksm_merge_with_ksm_page(item, mm, c->pfn, folio_page(kfolio, 0),
				      ksm_result_errno[result]);
	trace_ksm_merge(mm, c->addr, c->pfn, folio_pfn(kfolio), result);
	return result;
}

/* Write-protect a locked page where it is, and make it the page of @node. */
static enum ksm_result ksm_merge_promote_itself(struct ksm_candidate *c,
						struct vm_area_struct *vma,
						struct ksm_rmap_item *item,
						struct ksm_stable_node *node)
{
	struct ksm_taken_pte t = {
		.vma = vma, .addr = c->addr, .page = c->page,
	};
	struct folio *folio = page_folio(c->page);
	enum ksm_result result = ksm_pte_take(&t);

	if (result == KSM_RESULT_DONE && !ksm_pte_end_exclusive(&t)) {
		ksm_pte_give_back(&t);
		result = KSM_RESULT_HELD;
	}
	if (result == KSM_RESULT_DONE) {
		ksm_node_bind(node, folio, ksm_scope_of(c->slot, c->pfn));
		ksm_pte_protect(&t);
	}
	ksm_pte_finish(&t);
	if (result == KSM_RESULT_DONE)
		ksm_merge_attach_item(c, vma, item, node, folio);
	return result;
}

/* A copy that is to be a KSM page: locked, charged, not on the LRU yet */
static struct folio *ksm_merge_make_copy(struct ksm_candidate *c,
					 struct vm_area_struct *vma)
{
	struct folio *copy;

	/* The NUMA node of the page may be part of its scope. */
	copy = __folio_alloc_node(GFP_HIGHUSER_MOVABLE | __GFP_THISNODE |
				  __GFP_NORETRY | __GFP_NOWARN, 0,
				  page_to_nid(c->page));
	if (!copy)
		return NULL;
	/* No process is to be killed for it where a control group is full. */
	if (mem_cgroup_charge(copy, vma->vm_mm, GFP_KERNEL | __GFP_NORETRY) ||
	    copy_mc_user_highpage(folio_page(copy, 0), c->page, c->addr, vma)) {
		folio_put(copy);
		return NULL;
	}
	__folio_set_locked(copy);
	__folio_set_swapbacked(copy);
	__folio_mark_uptodate(copy);
	return copy;
}

/* Map a new KSM page in place of a locked page. */
static enum ksm_result ksm_merge_promote_copy(struct ksm_candidate *c,
					      struct vm_area_struct *vma,
					      struct ksm_rmap_item *item,
					      struct ksm_stable_node *node)
{
	struct folio *copy = ksm_merge_make_copy(c, vma);
	enum ksm_result result;

	if (!copy)
		return KSM_RESULT_NOMEM;
	ksm_node_bind(node, copy, ksm_scope_of(c->slot, folio_pfn(copy)));
	result = ksm_merge_replace(c, vma, copy);
	if (result == KSM_RESULT_DONE) {
		ksm_merge_attach_item(c, vma, item, node, copy);
		folio_add_lru(copy);
	} else {
		WRITE_ONCE(copy->mapping, NULL);
	}
	folio_unlock(copy);
	folio_put(copy);
	return result;
}

static enum ksm_result ksm_merge_promote_pinned(struct ksm_candidate *c,
						struct vm_area_struct *vma,
						struct ksm_rmap_item *item,
						struct ksm_stable_node *node,
						struct page *duplicate)
{
	enum ksm_result result;

	if (!ksm_page_same(c->page, duplicate))
		return KSM_RESULT_DIFFERENT;
	result = ksm_merge_lock(c);
	if (result != KSM_RESULT_DONE)
		return result;
	/*
	 * A page that is also mapped by a fork is copied.  The fork may not be
	 * registered, and then nothing would lead the reverse map to it once
	 * this mapping is gone.  And fork() flushes the parent's TLBs only
	 * after the child can be merged: a store through a stale entry would
	 * go to the KSM page.
	 */
	if (folio_mapcount(page_folio(c->page)) > 1)
		result = ksm_merge_promote_copy(c, vma, item, node);
	else
		result = ksm_merge_promote_itself(c, vma, item, node);
	ksm_merge_unlock(c);
	return result;
}

/*
 * Pin a candidate that may be in one large folio with its duplicate.  That can
 * be split only while there is a single reference, the caller's on @duplicate.
 */
static enum ksm_result ksm_merge_pin_apart(struct ksm_candidate *c,
					   struct vm_area_struct *vma,
					   struct page *duplicate)
{
	struct folio *folio;
	bool split = false;

	if (!ksm_candidate_pin_in(c, vma))
		return KSM_RESULT_GONE;
	folio = page_folio(duplicate);
	if (page_folio(c->page) != folio)
		return KSM_RESULT_DONE;
	ksm_candidate_unpin(c);
	if (folio_trylock(folio)) {
		split = ksm_merge_split(c->slot->mm, duplicate);
		folio_unlock(page_folio(duplicate));
	}
	return split && ksm_candidate_pin_in(c, vma) ? KSM_RESULT_DONE :
						       KSM_RESULT_HELD;
}

/**
 * ksm_merge_promote - make a page a KSM page
 * @c:	       the page
 * @item:      its item, in no tree, attached to nothing
 * @node:      a node that has no page yet
 * @duplicate: another page, with a reference, that is to be merged with it; if
 *	       they differ already nothing is done
 *
 * Context: ksm_scan_mutex held; takes mmap_lock for reading.
 * Return: KSM_RESULT_DONE, with @item attached; KSM_RESULT_DIFFERENT,
 * KSM_RESULT_GONE, KSM_RESULT_HELD; or KSM_RESULT_NOMEM without memory for a
 * copy.
 */
enum ksm_result ksm_merge_promote(struct ksm_candidate *c,
				  struct ksm_rmap_item *item,
				  struct ksm_stable_node *node,
				  struct page *duplicate)
{
	enum ksm_result result = KSM_RESULT_GONE;
	struct mm_struct *mm = c->slot->mm;
	struct vm_area_struct *vma;

	lockdep_assert_held(&ksm_scan_mutex);
	ksm_candidate_lock_mm(c, NULL);
	vma = ksm_candidate_vma(c);
	if (vma)
		result = ksm_merge_pin_apart(c, vma, duplicate);
	if (result == KSM_RESULT_DONE)
		result = ksm_merge_promote_pinned(c, vma, item, node,
						  duplicate);
	mmap_read_unlock(mm);
	trace_ksm_merge_with_ksm_page(item, mm, c->pfn, NULL,
				      ksm_result_errno[result]);
	trace_ksm_merge(mm, c->addr, c->pfn, 0, result);
	return result;
}

static enum ksm_result ksm_merge_attach_locked(struct ksm_candidate *c,
					       struct vm_area_struct *vma,
					       struct ksm_rmap_item *item)
{
	struct folio *folio = page_folio(c->page);
	struct ksm_stable_node *node;

	if (!folio_test_ksm(folio))
		return KSM_RESULT_GONE;
	node = ksm_folio_node(folio);
	/* One without a chain was to be made private again. */
	if (!node || !node->chain)
		return KSM_RESULT_DIFFERENT;
	ksm_merge_attach_item(c, vma, item, node, folio);
	return KSM_RESULT_DONE;
}

/**
 * ksm_merge_attach - attach a mapping of a KSM page that ksmd has not made
 * @c:	  the mapping; is pinned afterwards
 * @item: its item, in no tree, attached to nothing
 *
 * It is there by a fork, or was read from swap.  max_page_sharing limits what
 * is merged: this mapping exists, and to make it private would take memory.
 *
 * Context: ksm_scan_mutex held; takes mmap_lock for reading.
 * Return: KSM_RESULT_DONE, with @item attached to @item->node; KSM_RESULT_GONE;
 * or KSM_RESULT_DIFFERENT if the KSM page has no node any more, or one that is
 * in no tree.
 */
enum ksm_result ksm_merge_attach(struct ksm_candidate *c,
				 struct ksm_rmap_item *item)
{
	enum ksm_result result = KSM_RESULT_GONE;
	struct mm_struct *mm = c->slot->mm;
	struct vm_area_struct *vma;

	lockdep_assert_held(&ksm_scan_mutex);
	ksm_candidate_lock_mm(c, NULL);
	vma = ksm_candidate_vma(c);
	if (vma && ksm_candidate_pin_in(c, vma)) {
		folio_lock(page_folio(c->page));
		result = ksm_merge_attach_locked(c, vma, item);
		folio_unlock(page_folio(c->page));
	}
	mmap_read_unlock(mm);
	return result;
}
