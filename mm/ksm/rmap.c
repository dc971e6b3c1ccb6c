// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of the mm core about KSM folios: visit all mappings, note a migration,
 * decide whether a folio from the swap cache can be mapped as it is.
 */
#include <linux/rmap.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>

#include "../internal.h"
#include "internal.h"
#include "merge.h"

/* One visit of the mappings of a folio */
struct ksm_rmap_visit {
	struct folio *folio;
	struct rmap_walk_control *rwc;
	bool own;		/* those of the items, or those of forks */
};

/* Visit the VMAs of one item.  False: stop the whole walk. */
static bool ksm_rmap_visit_vmas(struct ksm_rmap_visit *v,
				struct ksm_rmap_item *item)
{
	struct rmap_walk_control *rwc = v->rwc;
	struct anon_vma_chain *avc;

	anon_vma_interval_tree_foreach(avc, &item->anon_vma->rb_root,
				       item->index, item->index) {
		struct vm_area_struct *vma = avc->vma;
		bool own = item->slot && vma->vm_mm == item->slot->mm;
		unsigned long addr;

		cond_resched();
		if (own != v->own)
			continue;
		addr = vma_address(vma, item->index, 1);
		if (addr == -EFAULT)
			continue;
		if (rwc->invalid_vma && rwc->invalid_vma(vma, rwc->arg))
			continue;
		if (!rwc->rmap_one(v->folio, vma, addr, rwc->arg))
			return false;
		if (rwc->done && rwc->done(v->folio))
			return false;
	}
	return true;
}

/* Visit all items.  False: stop the whole walk. */
static bool ksm_rmap_visit_items(struct ksm_rmap_visit *v,
				 struct ksm_stable_node *node)
{
	struct ksm_rmap_item *item;
	bool more = true;

	hlist_for_each_entry(item, &node->items, link) {
		struct anon_vma *anon_vma = item->anon_vma;

		cond_resched();
		if (v->own && !item->slot)
			continue;
		if (!anon_vma_trylock_read(anon_vma)) {
			if (v->rwc->try_lock) {
				v->rwc->contended = true;
				return false;
			}
			anon_vma_lock_read(anon_vma);
		}
		more = ksm_rmap_visit_vmas(v, item);
		anon_vma_unlock_read(anon_vma);
		if (!more)
			break;
	}
	return more;
}

/**
 * rmap_walk_ksm - visit all mappings of a KSM folio
 * @folio: the folio, locked
 * @rwc:   what to do with each
 *
 * The mappings that were attached come first, then those of forks, whether ksmd
 * has visited them or not.  Both are found by the index of the page in the
 * anon_vma: a mapping cannot get another index, because mremap() unmerges it
 * first and userfaultfd refuses to move it.
 *
 * All walks visit the same mappings, whatever their purpose: a migration entry
 * that one walk puts in has to be found by the one that takes it out.
 *
 * Context: folio lock held; takes anon_vma locks.
 */
void rmap_walk_ksm(struct folio *folio, struct rmap_walk_control *rwc)
{
	struct ksm_rmap_visit v = { .folio = folio, .rwc = rwc, .own = true };
	struct ksm_stable_node *node;

	VM_WARN_ON_ONCE_FOLIO(!folio_test_ksm(folio), folio);
	VM_WARN_ON_ONCE_FOLIO(!folio_test_locked(folio), folio);
	node = ksm_folio_node(folio);
	if (!node || !ksm_rmap_visit_items(&v, node))
		return;
	if (ksm_busted(KSM_FAULT_FORKS))
		return;
	v.own = false;
	ksm_rmap_visit_items(&v, node);
}

#ifdef CONFIG_MEMORY_FAILURE
/* Add the process of @task if it maps @page by one of @item's VMAs. */
static void ksm_rmap_collect_task(struct page *page, struct ksm_rmap_item *item,
				  struct task_struct *task,
				  struct list_head *to_kill)
{
	struct anon_vma_chain *avc;

	anon_vma_interval_tree_foreach(avc, &item->anon_vma->rb_root,
				       item->index, item->index) {
		struct page_vma_mapped_walk pvmw = {
			.pfn = page_to_pfn(page),
			.nr_pages = 1,
			.vma = avc->vma,
			.flags = PVMW_SYNC,
		};

		if (avc->vma->vm_mm != task->mm)
			continue;
		pvmw.address = vma_address(avc->vma, item->index, 1);
		if (pvmw.address == -EFAULT || !page_vma_mapped_walk(&pvmw))
			continue;
		page_vma_mapped_walk_done(&pvmw);
		add_to_kill_ksm(task, page, avc->vma, to_kill, pvmw.address);
	}
}

/**
 * collect_procs_ksm - find the processes that map a poisoned KSM page
 * @folio:	 the KSM folio, locked
 * @page:	 its page
 * @to_kill:	 list to add them to
 * @force_early: the current process needs to know at once
 *
 * Only processes that are to be told early are collected: the current one if
 * @force_early, and those that have asked for it.
 *
 * Context: folio lock held; takes anon_vma locks.
 */
void collect_procs_ksm(struct folio *folio, struct page *page,
		       struct list_head *to_kill, int force_early)
{
	struct ksm_stable_node *node = ksm_folio_node(folio);
	struct task_struct *process, *task;
	struct ksm_rmap_item *item;

	if (!node)
		return;
	hlist_for_each_entry(item, &node->items, link) {
		anon_vma_lock_read(item->anon_vma);
		rcu_read_lock();
		for_each_process(process) {
			task = task_early_kill(process, force_early);
			if (task)
				ksm_rmap_collect_task(page, item, task,
						      to_kill);
		}
		rcu_read_unlock();
		anon_vma_unlock_read(item->anon_vma);
	}
}
#endif

#ifdef CONFIG_MIGRATION
/**
 * folio_migrate_ksm - note that a folio was migrated
 * @newfolio: the new folio; its mapping is a copy of the old one's
 * @folio:    the old folio
 *
 * Called for every folio that is migrated.
 *
 * Context: both folios locked.
 */
void folio_migrate_ksm(struct folio *newfolio, struct folio *folio)
{
	struct ksm_stable_node *node;

	VM_WARN_ON_ONCE_FOLIO(!folio_test_locked(folio), folio);
	VM_WARN_ON_ONCE_FOLIO(!folio_test_locked(newfolio), newfolio);
	if (!folio_test_ksm(folio))
		return;
	node = ksm_folio_node(folio);
	if (!node)
		return;
	VM_WARN_ON_ONCE_FOLIO(folio_is_zone_device(newfolio), newfolio);
	/*
	 * All this pairs with ksm_node_get_folio().  A page may come back into
	 * the frame where it was: then only the number of moves tells.
	 *
	 * A reader of the new pfn sees the new page's mapping;
	 */
	smp_store_release(&node->pfn, folio_pfn(newfolio));
	/* a reader of the new number of moves sees the new pfn; */
	smp_store_release(&node->moves, node->moves + 1);
	smp_wmb();	/* a reader without the old mapping, the new number */
	WRITE_ONCE(folio->mapping, (void *)PAGE_MAPPING_KSM);
}
#endif

/* Does the reverse map lead to @addr?  Folio lock held. */
static bool ksm_rmap_is_attached(const struct ksm_stable_node *node,
				 struct vm_area_struct *vma, unsigned long addr)
{
	pgoff_t index = linear_page_index(vma, addr);
	struct anon_vma_chain *avc;
	struct ksm_rmap_item *item;

	hlist_for_each_entry(item, &node->items, link) {
		if (item->index != index)
			continue;
		list_for_each_entry(avc, &vma->anon_vma_chain, same_vma)
			if (avc->anon_vma == item->anon_vma)
				return true;
	}
	return false;
}

/*
 * May a KSM folio be mapped at @addr?  The mapping has to be attached: by ksmd,
 * if it is going to visit it, or already.
 */
static bool ksm_rmap_ksm_folio_fits(struct folio *folio,
				    struct vm_area_struct *vma,
				    unsigned long addr)
{
	const struct ksm_stable_node *node = ksm_folio_node(folio);

	if (!node || !(vma->vm_flags & VM_MERGEABLE) ||
	    (READ_ONCE(ksm_run) & KSM_RUN_UNMERGE))
		return false;
	return ksm_scanning() || ksm_rmap_is_attached(node, vma, addr);
}

/* May a folio from the swap cache be mapped at @addr as it is? */
static bool ksm_rmap_folio_fits(struct folio *folio, struct vm_area_struct *vma,
				unsigned long addr)
{
	struct anon_vma *anon_vma;

	if (folio_test_large(folio))
		return true;
	if (folio_test_ksm(folio))
		return ksm_rmap_ksm_folio_fits(folio, vma, addr);
	/* NULL: it was just read from swap, and has no owner yet. */
	anon_vma = folio_anon_vma(folio);
	if (!anon_vma)
		return true;
	return folio->index == linear_page_index(vma, addr) && vma->anon_vma &&
	       anon_vma->root == vma->anon_vma->root;
}

/* A locked copy, NULL without memory, or an error if @folio is unreadable. */
static struct folio *ksm_rmap_copy_folio(struct folio *folio,
					 struct vm_area_struct *vma,
					 unsigned long addr)
{
	struct folio *copy;

	copy = ksm_alloc_private(vma, addr);
	if (!copy)
		return NULL;
	if (copy_mc_user_highpage(folio_page(copy, 0), folio_page(folio, 0),
				  addr, vma)) {
		folio_put(copy);
		return ERR_PTR(-EHWPOISON);
	}
	folio_set_dirty(copy);
	__folio_mark_uptodate(copy);
	__folio_set_locked(copy);
#ifdef CONFIG_SWAP
	count_vm_event(KSM_SWPIN_COPY);
#endif
	return copy;
}

/**
 * ksm_might_need_to_copy - prepare a folio from the swap cache for mapping
 * @folio: locked, in the swap cache
 * @vma:   where it is to be mapped
 * @addr:  and at which address
 *
 * All mappings of a KSM page have one swap entry.  Once the page was written
 * out and freed, the first mm that reads it back owns it; the others get
 * copies.
 *
 * Context: mmap_lock, or only the VMA's read lock, held.
 * Return: @folio; a copy, locked and dirty; NULL without memory; or
 * -EHWPOISON.
 */
struct folio *ksm_might_need_to_copy(struct folio *folio,
				     struct vm_area_struct *vma,
				     unsigned long addr)
{
	if (ksm_rmap_folio_fits(folio, vma, addr))
		return folio;
	if (PageHWPoison(folio_page(folio, 0)))
		return ERR_PTR(-EHWPOISON);
	if (!folio_test_uptodate(folio))
		return folio;	/* the caller reports it */
	return ksm_rmap_copy_folio(folio, vma, addr);
}
