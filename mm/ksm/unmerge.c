// SPDX-License-Identifier: GPL-2.0-only
/*
 * Give mappings of KSM pages private copies again.
 *
 * One walk over the page tables, so that holes cost nothing whatever their
 * size.  In each table it takes a few mappings at a time:
 *
 *	collect()	which entries are KSM's; a page that nobody else maps is
 *			kept as it is
 *	prepare()	memory for the copies, without a lock as it may sleep
 *	replace()	look again, copy, exchange the entries
 *
 * replace() does to each entry what an unshare fault would do, all under one
 * hold of the page table lock and with one flush.  Nobody can write to a page
 * of KSM, and its mapping keeps it where it is while the lock is held.  So it
 * is copied in peace, and no reference of ours has anybody take it for pinned.
 *
 * Our own objects are not touched here.  ksmd finds out later.
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

/* More at a time save little, and others wait for the page table lock. */
#define BATCH	16

/* A mapping that gets a copy */
struct copy {
	unsigned long addr;
	struct folio *folio;	/* the copy, NULL when it is not needed */
	pte_t *ptep;
	pte_t old;
};

struct batch {
	struct vm_area_struct *vma;
	struct mem_cgroup *memcg;	/* of the mm */
	bool interruptible;
	bool begun;			/* some copies are made */
	unsigned int nr;
	struct copy copy[BATCH];
};

enum shared {
	NOT_SHARED,
	SHARED,
	SHARED_MIGRATING,
};

static enum shared classify(struct vm_area_struct *vma, unsigned long addr,
			    pte_t pte)
{
	swp_entry_t entry;
	struct page *page;

	if (pte_present(pte)) {
		if (is_ksm_zero_pte(pte))
			return SHARED;
		page = vm_normal_page(vma, addr, pte);
		return page && PageKsm(page) ? SHARED : NOT_SHARED;
	}
	if (pte_none(pte))
		return NOT_SHARED;
	entry = pte_to_swp_entry(pte);
	if (is_migration_entry(entry) &&
	    folio_test_ksm(pfn_swap_entry_folio(entry)))
		return SHARED_MIGRATING;
	return NOT_SHARED;
}

/* Entry by entry, to wait for struct page would take longest in collect(). */
#define PREFETCH_AHEAD	8

static void prefetch_page(pte_t pte)
{
	if (pte_present(pte) && !pte_special(pte))
		prefetch(pte_page(pte));
}

/*
 * By the entry's dirty bit ksmd will see that it has to look at the page.  The
 * page frame may be the one that ksmd remembers: of a page that was there
 * before, and has had another content.
 */
static pte_t mk_changed(pte_t old)
{
	pte_t new = pte_mkdirty(old);

	/* User space has not written to it. */
	return pte_soft_dirty(old) ? new : pte_clear_soft_dirty(new);
}

static void mark_changed(struct vm_area_struct *vma, unsigned long addr,
			 pte_t *ptep)
{
	pte_t new = mk_changed(ptep_get(ptep));

	if (ptep_set_access_flags(vma, addr, ptep, new, 1))
		update_mmu_cache(vma, addr, ptep);
}

/*
 * If this mapping is all that is left of a KSM page, the mm can have the page
 * as it is, unless it is charged to others, or there is a choice of nodes: the
 * mm's memory policy has a say in where a copy is.
 *
 * A reference, such as ksmd has when it is about to merge with the page, keeps
 * us from it; with the count frozen, nobody can get one meanwhile.
 */
static bool take_over(struct batch *b, unsigned long addr, pte_t *ptep)
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
		mark_changed(b->vma, addr, ptep);
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
static unsigned long collect(struct batch *b, pmd_t *pmd, unsigned long addr,
			     unsigned long end)
{
	enum shared shared;
	pte_t *start, *ptep;
	spinlock_t *ptl;

	b->nr = 0;
	start = pte_offset_map_lock(b->vma->vm_mm, pmd, addr, &ptl);
	if (!start)
		return end;
	for (ptep = start; addr < end && b->nr < BATCH; ptep++) {
		if (end - addr > PREFETCH_AHEAD * PAGE_SIZE)
			prefetch_page(ptep_get(ptep + PREFETCH_AHEAD));
		shared = classify(b->vma, addr, ptep_get(ptep));
		if (shared == SHARED_MIGRATING)
			break;
		if (shared == SHARED && !take_over(b, addr, ptep))
			b->copy[b->nr++].addr = addr;
		addr += PAGE_SIZE;
	}
	pte_unmap_unlock(start, ptl);
	return addr;
}

/**
 * ksm_alloc_private - memory for a private copy of a page
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

/* Without memory for all the batch is cut, to do what can be done. */
static int prepare(struct batch *b)
{
	unsigned int i;

	for (i = 0; i < b->nr; i++) {
		struct copy *c = &b->copy[i];

		c->folio = ksm_alloc_private(b->vma, c->addr);
		if (!c->folio) {
			b->nr = i;
			return -ENOMEM;
		}
		folio_throttle_swaprate(c->folio, GFP_KERNEL);
	}
	return 0;
}

static void leave_out(struct copy *c)
{
	folio_put(c->folio);
	c->folio = NULL;
}

/*
 * The first lines of the next copy: from there on the hardware finds its way,
 * but it does not cross the end of a page.
 */
#define PREFETCH_LINES	8

static void prefetch_copy(const struct copy *c)
{
	pte_t pte = ptep_get(c->ptep);
	void *from, *to = page_address(folio_page(c->folio, 0));
	unsigned int i;

	if (!pte_present(pte))
		return;
	from = page_address(pte_page(pte));
	for (i = 0; i < PREFETCH_LINES; i++) {
		prefetch(from + i * L1_CACHE_BYTES);
		prefetchw(to + i * L1_CACHE_BYTES);
	}
}

/* Is it KSM's still?  Then make the copy. */
static enum shared fill(struct vm_area_struct *vma, struct copy *c)
{
	enum shared shared;

	c->old = ptep_get(c->ptep);
	shared = classify(vma, c->addr, c->old);
	/* One that is poisoned cannot be copied: pass it over. */
	if (shared != SHARED ||
	    copy_mc_user_highpage(folio_page(c->folio, 0), pte_page(c->old),
				  c->addr, vma)) {
		leave_out(c);
		return shared;
	}
	__folio_mark_uptodate(c->folio);
	return shared;
}

static void take_out(struct vm_area_struct *vma, struct copy *c)
{
	flush_cache_page(vma, c->addr, pte_pfn(c->old));
	c->old = ptep_get_and_clear(vma->vm_mm, c->addr, c->ptep);
}

/* The page lost the mapping that was taken out. */
static void drop_mapping(struct vm_area_struct *vma, pte_t old)
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
static void put_in(struct vm_area_struct *vma, struct copy *c)
{
	pte_t pte = mk_pte(folio_page(c->folio, 0), vma->vm_page_prot);

	pte = mk_changed(ksm_pte_inherit(pte_sw_mkyoung(pte), c->old));
	folio_add_new_anon_rmap(c->folio, vma, c->addr, RMAP_EXCLUSIVE);
	folio_add_lru_vma(c->folio, vma);
	set_pte_at(vma->vm_mm, c->addr, c->ptep, pte);
	update_mmu_cache(vma, c->addr, c->ptep);
	drop_mapping(vma, c->old);
}

/*
 * Exchange the entries of a batch, page table lock held.  Return: @next, or
 * the address of a page that is being migrated by now.
 */
static unsigned long replace_locked(struct batch *b, pte_t *start,
				    unsigned long next)
{
	unsigned long first = b->copy[0].addr;
	unsigned long last = b->copy[b->nr - 1].addr;
	struct copy *c, *end = b->copy + b->nr;

	for (c = b->copy; c < end; c++)
		c->ptep = start + ((c->addr - first) >> PAGE_SHIFT);
	for (c = b->copy; c < end; c++) {
		if (c + 1 < end)
			prefetch_copy(c + 1);
		if (fill(b->vma, c) == SHARED_MIGRATING)
			next = min(next, c->addr);
	}
	for (c = b->copy; c < end; c++)
		if (c->folio)
			take_out(b->vma, c);
	/*
	 * Before anything else is there: no CPU may see the copy while another
	 * still sees the old page, which may soon be somebody else's.
	 */
	flush_tlb_range(b->vma, first, last + PAGE_SIZE);
	for (c = b->copy; c < end; c++)
		if (c->folio)
			put_in(b->vma, c);
	return next;
}

/* The same, and what has to be done around it */
static unsigned long replace(struct batch *b, pmd_t *pmd, unsigned long next)
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
		next = replace_locked(b, start, next);
		pte_unmap_unlock(start, ptl);
	} else {
		for (i = 0; i < b->nr; i++)
			leave_out(&b->copy[i]);
	}
	mmu_notifier_invalidate_range_end(&range);
	return next;
}

/*
 * Who is about to exit needs no copies, and waits for us.  A signal can wait
 * until there is something to show for the time: or those who get many of them
 * would never come to an end.
 */
static int interrupted(const struct batch *b)
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

static int unmerge_table(pmd_t *pmd, unsigned long addr, unsigned long end,
			 struct mm_walk *walk)
{
	struct batch *b = walk->private;
	unsigned long next;
	int err = 0;

	while (addr < end && !err) {
		next = collect(b, pmd, addr, end);
		err = interrupted(b);
		if (err)
			break;
		if (b->nr) {
			err = prepare(b);
			if (b->nr)
				next = replace(b, pmd, next);
			b->begun = true;
		} else if (next < end) {
			/* Back here when it is a page again. */
			migration_entry_wait(walk->mm, pmd, next);
		}
		addr = next;
		cond_resched();
	}
	return err;
}

static const struct mm_walk_ops unmerge_ops = {
	.pmd_entry	= unmerge_table,
	.walk_lock	= PGWALK_RDLOCK,
};

/**
 * ksm_unmerge_range - make all of a range private
 * @vma:   one that has an anon_vma
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
	struct batch batch = {
		.vma = vma,
		.interruptible = interruptible,
	};
	int err;

	mmap_assert_locked(vma->vm_mm);
	/* Nothing is merged elsewhere. */
	if (!is_cow_mapping(vma->vm_flags))
		return 0;
	batch.memcg = get_mem_cgroup_from_mm(vma->vm_mm);
	err = walk_page_range_vma(vma, start, end, &unmerge_ops, &batch);
	mem_cgroup_put(batch.memcg);
	return err;
}

/**
 * ksm_unmerge_page - make one mapping private
 * @slot: whose
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
