// SPDX-License-Identifier: GPL-2.0-only
/*
 * Give mappings of KSM pages private copies again.
 *
 * One walk over the page tables finds the next KSM page, so that holes cost
 * nothing whatever their size.  An unshare fault then makes the copy: it
 * leaves the entry read-only and does not count as a write, which userfaultfd
 * and soft-dirty tracking would notice.
 *
 * Our own objects are not touched here.  ksmd finds out later.
 */
#include <linux/pagewalk.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "../internal.h"
#include "internal.h"

/* A fault does its work, or has been raced, but not so often. */
#define MAX_ROUNDS	1000

/* What find_in_table() found */
struct found {
	unsigned long addr;
	pmd_t *migrating;	/* the entry at addr is a migration entry */
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

static int find_in_table(pmd_t *pmd, unsigned long addr, unsigned long end,
			 struct mm_walk *walk)
{
	struct found *found = walk->private;
	enum shared shared = NOT_SHARED;
	pte_t *start, *ptep;
	spinlock_t *ptl;

	start = pte_offset_map_lock(walk->mm, pmd, addr, &ptl);
	if (!start)
		return 0;
	for (ptep = start; addr < end; ptep++, addr += PAGE_SIZE) {
		shared = classify(walk->vma, addr, ptep_get(ptep));
		if (shared != NOT_SHARED)
			break;
	}
	pte_unmap_unlock(start, ptl);
	cond_resched();
	if (shared == NOT_SHARED)
		return 0;
	found->addr = addr;
	found->migrating = shared == SHARED_MIGRATING ? pmd : NULL;
	return 1;
}

static const struct mm_walk_ops find_ops = {
	.pmd_entry	= find_in_table,
	.walk_lock	= PGWALK_RDLOCK,
};

/*
 * The copy an unshare fault makes is clean, and so is its entry.  MADV_FREE by
 * a child of a later fork would take it for a page that nobody needs.  There
 * is no fork while mmap_lock is held.
 */
static void mark_copy_dirty(struct vm_area_struct *vma, unsigned long addr)
{
	struct folio_walk fw;
	struct folio *folio = folio_walk_start(&fw, vma, addr, 0);

	if (!folio)
		return;
	if (folio_test_anon(folio) && !folio_test_ksm(folio))
		folio_mark_dirty(folio);
	folio_walk_end(&fw, vma);
}

/* Make one mapping private: 0, -ENOMEM, or 1 if it was not KSM's any more. */
static int break_sharing(struct vm_area_struct *vma, unsigned long addr)
{
	vm_fault_t fault;

	fault = handle_mm_fault(vma, addr,
				FAULT_FLAG_UNSHARE | FAULT_FLAG_REMOTE, NULL);
	if (fault & VM_FAULT_OOM)
		return -ENOMEM;
	/*
	 * A poisoned page cannot be copied, and SIGBUS or SIGSEGV mean that
	 * somebody unmapped it meanwhile: pass it over.
	 */
	if (fault & VM_FAULT_ERROR)
		return 1;
	mark_copy_dirty(vma, addr);
	return 0;
}

/**
 * ksm_unmerge_range - make all of a range private
 * @vma:   a private mapping
 * @start: first address
 * @end:   the address after the last
 * @interruptible: give up when a signal is pending
 *
 * Context: mmap_lock of the mm held.
 * Return: 0, -ENOMEM, or -ERESTARTSYS.
 */
int ksm_unmerge_range(struct vm_area_struct *vma, unsigned long start,
		      unsigned long end, bool interruptible)
{
	struct found found;
	unsigned long last = ULONG_MAX;
	unsigned int rounds = 0;
	int err;

	mmap_assert_locked(vma->vm_mm);
	/* Nothing is merged elsewhere, and an unshare fault would do nothing */
	if (!is_cow_mapping(vma->vm_flags))
		return 0;
	while (start < end) {
		if (interruptible && signal_pending(current))
			return -ERESTARTSYS;
		if (walk_page_range_vma(vma, start, end, &find_ops, &found) <= 0)
			return 0;
		if (found.migrating) {
			/* Back here when it is a page again. */
			migration_entry_wait(vma->vm_mm, found.migrating,
					     found.addr);
			start = found.addr;
			continue;
		}
		err = break_sharing(vma, found.addr);
		if (err < 0)
			return err;
		/* A fault may succeed without doing anything: look again. */
		start = found.addr;
		rounds = start == last ? rounds + 1 : 0;
		last = start;
		if (err || WARN_ON_ONCE(rounds > MAX_ROUNDS))
			start += PAGE_SIZE;
	}
	return 0;
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
