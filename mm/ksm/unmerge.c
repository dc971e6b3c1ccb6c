// SPDX-License-Identifier: GPL-2.0-only
/*
 * Give mappings of KSM pages private copies again.
 *
 * One walk over the page tables, so that holes cost nothing whatever their
 * size.  In each table it takes a few mappings at a time:
 *
 *	ksm_unmerge_collect()	find the entries that map KSM pages; a page that
 *				has no other mapping is kept as it is
 *	ksm_unmerge_prepare()	allocate the copies, without a lock as it may
 *				sleep
 *	ksm_unmerge_replace()	look again, copy, exchange the entries
 *
 * ksm_unmerge_replace() does to each entry what an unshare fault would do, all
 * under one hold of the page table lock and with one flush.  Nothing can write
 * to a KSM page, and its mapping keeps it allocated while the lock is held.  So
 * it is copied without a reference, for which it might be taken for pinned.
 *
 * rmap_items and state words are not touched here: ksmd finds out later.
 */
#include <linux/hugetlb.h>
#include <linux/memcontrol.h>
#include <linux/mmu_notifier.h>
#include <linux/pagewalk.h>
#include <linux/prefetch.h>
#include <linux/rmap.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <asm/tlbflush.h>

#include "../internal.h"
#include "internal.h"
#include "merge.h"

/* More at a time save little, and page faults wait for the page table lock. */
#define KSM_UNMERGE_BATCH	16

/* A mapping, and the copy that it gets */
struct ksm_unmerge_copy {
	unsigned long addr;
	struct folio *folio;	/* the copy, NULL when it is not needed */
	pte_t *ptep;
	pte_t old;
};

struct ksm_unmerge {
	struct vm_area_struct *vma;
	struct mem_cgroup *memcg;	/* of the mm */
	bool interruptible;
	bool begun;			/* some copies were made */
	unsigned int nr;
	struct ksm_unmerge_copy copy[KSM_UNMERGE_BATCH];
};

enum ksm_unmerge_kind {
	KSM_ENTRY_PRIVATE,
	KSM_ENTRY_MERGED,
	KSM_ENTRY_MIGRATING,
};

static enum ksm_unmerge_kind ksm_unmerge_classify(struct vm_area_struct *vma,
						  unsigned long addr, pte_t pte)
{
	swp_entry_t entry;
	struct page *page;

	if (pte_present(pte)) {
		if (is_ksm_zero_pte(pte))
			return KSM_ENTRY_MERGED;
		page = vm_normal_page(vma, addr, pte);
		return page && PageKsm(page) ? KSM_ENTRY_MERGED :
					       KSM_ENTRY_PRIVATE;
	}
	if (pte_none(pte))
		return KSM_ENTRY_PRIVATE;
	entry = pte_to_swp_entry(pte);
	if (is_migration_entry(entry) &&
	    folio_test_ksm(pfn_swap_entry_folio(entry)))
		return KSM_ENTRY_MIGRATING;
	return KSM_ENTRY_PRIVATE;
}

/* ksm_unmerge_collect() would wait for struct page most of the time. */
#define KSM_UNMERGE_PREFETCH	8

static void ksm_unmerge_prefetch(pte_t *ptep)
{
	pte_t pte = ptep_get(ptep);

	if (pte_present(pte) && !pte_special(pte))
		prefetch(pte_page(pte));
}

/*
 * The dirty bit tells ksmd that the page has changed.  The page frame does not
 * always: it may be the one in the state word, of a page that was there before,
 * with another content.
 */
static pte_t ksm_unmerge_mkchanged(pte_t old)
{
	pte_t new = pte_mkdirty(old);

	/* But user space has not written to it. */
	return pte_soft_dirty(old) ? new : pte_clear_soft_dirty(new);
}

static void ksm_unmerge_mark_changed(struct vm_area_struct *vma,
				     unsigned long addr, pte_t *ptep)
{
	pte_t new = ksm_unmerge_mkchanged(ptep_get(ptep));

	if (ptep_set_access_flags(vma, addr, ptep, new, 1))
		update_mmu_cache(vma, addr, ptep);
}

/*
 * The last mapping of a KSM page can have the page as it is, unless that is
 * charged to another control group, or there are several NUMA nodes: the mm's
 * memory policy decides where a copy is.
 *
 * An extra reference, such as that of ksmd when it is about to merge with the
 * page, prevents that; with the count frozen none can be taken.
 */
static bool ksm_unmerge_take_over(struct ksm_unmerge *b, unsigned long addr,
				  pte_t *ptep)
{
	pte_t pte = ptep_get(ptep);
	struct page *page = pte_page(pte);
	struct folio *folio = page_folio(page);
	bool ours = false;

	if (nr_online_nodes > 1 || is_ksm_zero_pte(pte) ||
	    folio_ref_count(folio) != 1 || folio_memcg(folio) != b->memcg ||
	    PageHWPoison(page) || !folio_trylock(folio))
		return false;
	if (folio_ref_freeze(folio, 1)) {
		folio->index = linear_page_index(b->vma, addr);
		folio_move_anon_rmap(folio, b->vma);
		SetPageAnonExclusive(page);
		folio_set_dirty(folio);
		folio_ref_unfreeze(folio, 1);
		ksm_unmerge_mark_changed(b->vma, addr, ptep);
		ksm_count_cow(b->vma->vm_mm);
		ours = true;
	}
	folio_unlock(folio);
	return ours;
}

/*
 * Fill a batch.  Return: the address to go on from, where a page is being
 * migrated if that is before @end and the batch is not full.
 */
static unsigned long ksm_unmerge_collect(struct ksm_unmerge *b, pmd_t *pmd,
					 unsigned long addr, unsigned long end)
{
	enum ksm_unmerge_kind kind;
	pte_t *start, *ptep;
	spinlock_t *ptl;

	b->nr = 0;
	start = pte_offset_map_lock(b->vma->vm_mm, pmd, addr, &ptl);
	if (!start)
		return end;
	for (ptep = start; addr < end && b->nr < KSM_UNMERGE_BATCH; ptep++) {
		if (end - addr > KSM_UNMERGE_PREFETCH * PAGE_SIZE)
			ksm_unmerge_prefetch(ptep + KSM_UNMERGE_PREFETCH);
		kind = ksm_unmerge_classify(b->vma, addr, ptep_get(ptep));
		if (kind == KSM_ENTRY_MIGRATING)
			break;
		if (kind == KSM_ENTRY_MERGED &&
		    !ksm_unmerge_take_over(b, addr, ptep))
			b->copy[b->nr++].addr = addr;
		addr += PAGE_SIZE;
	}
	pte_unmap_unlock(start, ptl);
	return addr;
}

/**
 * ksm_alloc_private - allocate memory for a private copy of a page
 * @vma:  where it will be mapped
 * @addr: and at which address
 *
 * Context: mmap_lock or the VMA's read lock held; sleeps.
 * Return: a folio, charged as in a page fault, or NULL.
 */
struct folio *ksm_alloc_private(struct vm_area_struct *vma, unsigned long addr)
{
	struct folio *folio;

	folio = vma_alloc_folio(GFP_HIGHUSER_MOVABLE, 0, vma, addr, false);
	if (!folio)
		return NULL;
	if (mem_cgroup_charge(folio, vma->vm_mm, GFP_KERNEL)) {
		folio_put(folio);
		return NULL;
	}
	return folio;
}

/* Without memory for all copies the batch is cut, to do what can be done. */
static int ksm_unmerge_prepare(struct ksm_unmerge *b)
{
	unsigned int i;

	for (i = 0; i < b->nr; i++) {
		struct ksm_unmerge_copy *c = &b->copy[i];

		c->folio = ksm_alloc_private(b->vma, c->addr);
		if (!c->folio) {
			b->nr = i;
			return -ENOMEM;
		}
		folio_throttle_swaprate(c->folio, GFP_KERNEL);
	}
	return 0;
}

static void ksm_unmerge_leave_out(struct ksm_unmerge_copy *c)
{
	folio_put(c->folio);
	c->folio = NULL;
}

/*
 * The first lines of the next copy: from there on the hardware finds its way,
 * but it does not cross the end of a page.
 */
#define KSM_UNMERGE_LINES	8

static void ksm_unmerge_prefetch_copy(const struct ksm_unmerge_copy *c)
{
	pte_t pte = ptep_get(c->ptep);
	void *from, *to = page_address(folio_page(c->folio, 0));
	unsigned int i;

	if (!pte_present(pte))
		return;
	from = page_address(pte_page(pte));
	for (i = 0; i < KSM_UNMERGE_LINES; i++) {
		prefetch(from + i * L1_CACHE_BYTES);
		prefetchw(to + i * L1_CACHE_BYTES);
	}
}

/* Copy the page, if the entry still maps a KSM page. */
static enum ksm_unmerge_kind ksm_unmerge_fill(struct vm_area_struct *vma,
					      struct ksm_unmerge_copy *c)
{
	enum ksm_unmerge_kind kind;

	c->old = ptep_get(c->ptep);
	kind = ksm_unmerge_classify(vma, c->addr, c->old);
	/* A poisoned page cannot be copied: skip it. */
	if (kind != KSM_ENTRY_MERGED ||
	    copy_mc_user_highpage(folio_page(c->folio, 0), pte_page(c->old),
				  c->addr, vma)) {
		ksm_unmerge_leave_out(c);
		return kind;
	}
	__folio_mark_uptodate(c->folio);
	return kind;
}

static void ksm_unmerge_clear(struct vm_area_struct *vma,
			      struct ksm_unmerge_copy *c)
{
	flush_cache_page(vma, c->addr, pte_pfn(c->old));
	c->old = ptep_get_and_clear(vma->vm_mm, c->addr, c->ptep);
}

/* The page has lost the mapping that was cleared. */
static void ksm_unmerge_drop_page(struct vm_area_struct *vma, pte_t old)
{
	struct page *page = pte_page(old);
	struct folio *folio = page_folio(page);

	if (is_ksm_zero_pte(old)) {
		ksm_might_unmap_zero_page(vma->vm_mm, old);
		inc_mm_counter(vma->vm_mm, MM_ANONPAGES);
		return;
	}
	ksm_count_cow(vma->vm_mm);
	folio_remove_rmap_pte(folio, page, vma);
	free_swap_cache(folio);
	folio_put(folio);
}

/* Not a write, so the entry is read-only, whatever the VMA allows. */
static void ksm_unmerge_map_copy(struct vm_area_struct *vma,
				 struct ksm_unmerge_copy *c)
{
	pte_t pte = mk_pte(folio_page(c->folio, 0), vma->vm_page_prot);

	pte = ksm_pte_inherit(pte_sw_mkyoung(pte), c->old);
	pte = ksm_unmerge_mkchanged(pte);
	folio_add_new_anon_rmap(c->folio, vma, c->addr, RMAP_EXCLUSIVE);
	folio_add_lru_vma(c->folio, vma);
	set_pte_at(vma->vm_mm, c->addr, c->ptep, pte);
	update_mmu_cache(vma, c->addr, c->ptep);
	ksm_unmerge_drop_page(vma, c->old);
}

/*
 * Exchange the entries of a batch, page table lock held.  Return: @next, or
 * the address of a page that is being migrated by now.
 */
static unsigned long ksm_unmerge_replace_locked(struct ksm_unmerge *b,
						pte_t *start,
						unsigned long next)
{
	unsigned long first = b->copy[0].addr;
	unsigned long last = b->copy[b->nr - 1].addr;
	struct ksm_unmerge_copy *c, *end = b->copy + b->nr;

	for (c = b->copy; c < end; c++)
		c->ptep = start + ((c->addr - first) >> PAGE_SHIFT);
	for (c = b->copy; c < end; c++) {
		if (c + 1 < end)
			ksm_unmerge_prefetch_copy(c + 1);
		if (ksm_unmerge_fill(b->vma, c) == KSM_ENTRY_MIGRATING)
			next = min(next, c->addr);
	}
	for (c = b->copy; c < end; c++)
		if (c->folio)
			ksm_unmerge_clear(b->vma, c);
	/*
	 * Before another entry is there: no CPU may see the copy while another
	 * still sees the old page, which may soon be used for something else.
	 */
	flush_tlb_range(b->vma, first, last + PAGE_SIZE);
	for (c = b->copy; c < end; c++)
		if (c->folio)
			ksm_unmerge_map_copy(b->vma, c);
	return next;
}

/* The same, with the page table lock and MMU notifiers */
static unsigned long ksm_unmerge_replace(struct ksm_unmerge *b, pmd_t *pmd,
					 unsigned long next)
{
	unsigned long first = b->copy[0].addr;
	unsigned long last = b->copy[b->nr - 1].addr;
	struct mm_struct *mm = b->vma->vm_mm;
	struct mmu_notifier_range range;
	unsigned int i;
	pte_t *start;
	spinlock_t *ptl;

	mmu_notifier_range_init(&range, MMU_NOTIFY_CLEAR, 0, mm, first,
				last + PAGE_SIZE);
	mmu_notifier_invalidate_range_start(&range);
	start = pte_offset_map_lock(mm, pmd, first, &ptl);
	if (start) {
		next = ksm_unmerge_replace_locked(b, start, next);
		pte_unmap_unlock(start, ptl);
	} else {
		for (i = 0; i < b->nr; i++)
			ksm_unmerge_leave_out(&b->copy[i]);
	}
	mmu_notifier_invalidate_range_end(&range);
	return next;
}

/*
 * An mm that is about to exit needs no copies, and exit waits for this.  A
 * signal that is not fatal has to wait until some copies were made: or a task
 * that gets many of them would never come to an end.
 */
static int ksm_unmerge_interrupted(const struct ksm_unmerge *b)
{
	if (!atomic_read(&b->vma->vm_mm->mm_users))
		return -ESRCH;
	if (!b->interruptible)
		return 0;
	if (fatal_signal_pending(current) ||
	    (b->nr && b->begun && signal_pending(current)))
		return -ERESTARTSYS;
	return 0;
}

static int ksm_unmerge_table(pmd_t *pmd, unsigned long addr, unsigned long end,
			     struct mm_walk *walk)
{
	struct ksm_unmerge *b = walk->private;
	unsigned long next;
	int err = 0;

	while (addr < end && !err) {
		next = ksm_unmerge_collect(b, pmd, addr, end);
		err = ksm_unmerge_interrupted(b);
		if (err)
			break;
		if (b->nr) {
			err = ksm_unmerge_prepare(b);
			if (b->nr)
				next = ksm_unmerge_replace(b, pmd, next);
			b->begun = true;
		} else if (next < end) {
			/* Collect again when it is a page again. */
			migration_entry_wait(walk->mm, pmd, next);
		}
		addr = next;
		cond_resched();
	}
	return err;
}

static const struct mm_walk_ops ksm_unmerge_ops = {
	.pmd_entry	= ksm_unmerge_table,
	.walk_lock	= PGWALK_RDLOCK,
};

/**
 * ksm_unmerge_range - make all of a range private
 * @vma:   VMA of the range, with an anon_vma
 * @start: first address
 * @end:   the address after the last
 * @interruptible: give up when a signal is pending: a fatal one at once, others
 *		   where there is more to copy than a batch
 *
 * Context: mmap_lock of the mm held; may sleep.
 * Return: 0, -ENOMEM, -ERESTARTSYS, or -ESRCH if the mm is exiting.
 */
int ksm_unmerge_range(struct vm_area_struct *vma, unsigned long start,
		      unsigned long end, bool interruptible)
{
	struct ksm_unmerge batch = {
		.vma = vma,
		.interruptible = interruptible,
	};
	int err;

	mmap_assert_locked(vma->vm_mm);
	/* Nothing is merged elsewhere. */
	if (!is_cow_mapping(vma->vm_flags))
		return 0;
	batch.memcg = get_mem_cgroup_from_mm(vma->vm_mm);
	err = walk_page_range_vma(vma, start, end, &ksm_unmerge_ops, &batch);
	mem_cgroup_put(batch.memcg);
	return err;
}

/**
 * ksm_unmerge_page - make one mapping private
 * @slot: slot of the mm
 * @addr: its address
 *
 * Context: takes mmap_lock for reading.
 * Return: 0 or -ENOMEM.
 */
int ksm_unmerge_page(struct ksm_slot *slot, unsigned long addr)
{
	struct vm_area_struct *vma;
	int err = 0;

	mmap_read_lock(slot->mm);
	if (!ksm_slot_exiting(slot)) {
		vma = vma_lookup(slot->mm, addr);
		if (vma && vma->anon_vma)
			err = ksm_unmerge_range(vma, addr, addr + PAGE_SIZE,
						false);
	}
	mmap_read_unlock(slot->mm);
	return err;
}
