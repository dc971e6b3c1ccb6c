// SPDX-License-Identifier: GPL-2.0-only
/*
 * Take a page table entry out of use, and put another one in its place.
 *
 * This is the only place where the content of memory is at stake.  Whatever has
 * brought two pages here may be wrong about them.  ksm_pte_take() clears the
 * entry and flushes the TLBs; if the page has no extra references after that,
 * nothing can write to it.  Only then merge.c compares the bytes, and only if
 * they are equal another page goes into the entry.  In any other case the old
 * entry goes back as it was, and nothing has happened.
 *
 * All under one hold of the page table lock.
 */
#include <linux/rmap.h>
#include <linux/swap.h>
#include <asm/tlbflush.h>

#include "../internal.h"
#include "internal.h"
#include "merge.h"

/**
 * ksm_pte_inherit - keep the bits of an entry that user space may watch
 * @new: another entry in its place
 * @old: what it was
 *
 * Return: @new, with those bits of @old.
 */
pte_t ksm_pte_inherit(pte_t new, pte_t old)
{
	if (pte_soft_dirty(old))
		new = pte_mksoft_dirty(new);
	if (pte_uffd_wp(old))
		new = pte_mkuffd_wp(new);
	return new;
}

/* Find and lock the entry.  False: it does not map the page any more. */
static bool ksm_pte_find(struct ksm_taken_pte *t)
{
	struct mm_struct *mm = t->vma->vm_mm;
	pmd_t *pmd = mm_find_pmd(mm, t->addr);

	if (pmd)
		t->ptep = pte_offset_map_lock(mm, pmd, t->addr, &t->ptl);
	if (!t->ptep)
		return false;
	t->old = ptep_get(t->ptep);
	return pte_present(t->old) && pte_pfn(t->old) == page_to_pfn(t->page);
}

static void ksm_pte_clear(struct ksm_taken_pte *t)
{
	flush_cache_page(t->vma, t->addr, pte_pfn(t->old));
	if (ksm_busted(KSM_FAULT_FLUSH))	/* see ksm_pte_finish() */
		t->old = ptep_get_and_clear(t->vma->vm_mm, t->addr, t->ptep);
	else
		t->old = ptep_clear_flush(t->vma, t->addr, t->ptep);
}

/**
 * ksm_pte_take - take the entry of a page out of use
 * @t: @vma, @addr and @page are filled in
 *
 * On KSM_RESULT_DONE nothing can write to the page until another entry is in
 * place, or ksm_pte_give_back() was called.  ksm_pte_finish() is due in any
 * case.
 *
 * Context: mmap_lock held, the page's folio locked, of order 0 and with one
 * reference of the caller; the page table lock is held on return.
 * Return: KSM_RESULT_DONE, KSM_RESULT_GONE or KSM_RESULT_HELD.
 */
enum ksm_result ksm_pte_take(struct ksm_taken_pte *t)
{
	mmap_assert_locked(t->vma->vm_mm);
	VM_WARN_ON_ONCE_PAGE(!PageLocked(t->page), t->page);
	t->ptep = NULL;
	mmu_notifier_range_init(&t->range, MMU_NOTIFY_CLEAR, 0, t->vma->vm_mm,
				t->addr, t->addr + PAGE_SIZE);
	mmu_notifier_invalidate_range_start(&t->range);
	if (!ksm_pte_find(t))
		return KSM_RESULT_GONE;
	ksm_pte_clear(t);
	/* What was written until now has to be seen by the comparison. */
	ksm_flush_page(t->vma, t->page, t->addr);
	/*
	 * GUP-fast takes its reference before it reads the entry again: it
	 * sees the entry gone, or we see its reference.
	 */
	smp_mb();
	if (ksm_folio_no_extra_refs(page_folio(t->page)))
		return KSM_RESULT_DONE;
	ksm_pte_give_back(t);
	return KSM_RESULT_HELD;
}

/**
 * ksm_pte_give_back - put back what was there
 * @t: of ksm_pte_take()
 */
void ksm_pte_give_back(struct ksm_taken_pte *t)
{
	set_pte_at(t->vma->vm_mm, t->addr, t->ptep, t->old);
}

/**
 * ksm_pte_finish - the other half of ksm_pte_take()
 * @t: its entry is filled in again
 *
 * Context: drops the page table lock.
 */
void ksm_pte_finish(struct ksm_taken_pte *t)
{
	if (t->ptep)
		pte_unmap_unlock(t->ptep, t->ptl);
	if (ksm_busted(KSM_FAULT_FLUSH))
		flush_tlb_page(t->vma, t->addr);
	mmu_notifier_invalidate_range_end(&t->range);
}

/**
 * ksm_pte_end_exclusive - the page is not exclusive to this mm any more
 * @t: of ksm_pte_take()
 *
 * Return: false if the page is pinned.
 */
bool ksm_pte_end_exclusive(struct ksm_taken_pte *t)
{
	return !PageAnonExclusive(t->page) ||
	       !folio_try_share_anon_rmap_pte(page_folio(t->page), t->page);
}

static pte_t ksm_pte_readonly(struct ksm_taken_pte *t, struct page *page)
{
	pte_t pte = mk_pte(page, t->vma->vm_page_prot);

	if (ksm_busted(KSM_FAULT_PROTECT) && (t->vma->vm_flags & VM_WRITE))
		pte = pte_mkwrite(pte_mkdirty(pte), t->vma);
	else
		pte = pte_mkclean(pte_wrprotect(pte));
	return ksm_pte_inherit(pte, t->old);
}

/**
 * ksm_pte_protect - map the same page again, read-only and clean
 * @t: of ksm_pte_take()
 */
void ksm_pte_protect(struct ksm_taken_pte *t)
{
	set_pte_at(t->vma->vm_mm, t->addr, t->ptep,
		   ksm_pte_readonly(t, t->page));
}

/* The page has lost the mapping that was taken out. */
static void ksm_pte_drop_page(struct ksm_taken_pte *t)
{
	struct folio *folio = page_folio(t->page);

	/* Other mappings of it may rely on what this one knew. */
	if (pte_dirty(t->old))
		folio_mark_dirty(folio);
	folio_remove_rmap_pte(folio, t->page, t->vma);
	if (!folio_mapped(folio))
		folio_free_swap(folio);
	folio_put(folio);
}

/**
 * ksm_pte_map_ksm_page - map a KSM page instead
 * @t:	    of ksm_pte_take()
 * @kfolio: the KSM page, locked, of the same content
 */
void ksm_pte_map_ksm_page(struct ksm_taken_pte *t, struct folio *kfolio)
{
	struct page *kpage = folio_page(kfolio, 0);

	folio_get(kfolio);
	/*
	 * MADV_FREE by the only mm that has mapped it so far may have made it
	 * clean and disposable.  Reclaim keeps a dirty page.
	 */
	folio_mark_dirty(kfolio);
	if (ksm_busted(KSM_FAULT_REFERENCE))
		folio_get(kfolio);
	folio_add_anon_rmap_pte(kfolio, kpage, t->vma, t->addr, RMAP_NONE);
	set_pte_at(t->vma->vm_mm, t->addr, t->ptep,
		   ksm_pte_readonly(t, kpage));
	ksm_pte_drop_page(t);
}

/**
 * ksm_pte_map_zero_page - map the zero page instead
 * @t: of ksm_pte_take(); its page is all zeroes
 */
void ksm_pte_map_zero_page(struct ksm_taken_pte *t)
{
	struct mm_struct *mm = t->vma->vm_mm;
	pte_t pte = pfn_pte(my_zero_pfn(t->addr), t->vma->vm_page_prot);

	/* Dirty is how is_ksm_zero_pte() knows it from other zero pages. */
	pte = pte_mkdirty(pte_mkspecial(pte_wrprotect(pte)));
	/* Which is not a write that user space was to know of. */
	pte = pte_clear_soft_dirty(pte);
	ksm_map_zero_page(mm);
	dec_mm_counter(mm, MM_ANONPAGES);
	set_pte_at(mm, t->addr, t->ptep, ksm_pte_inherit(pte, t->old));
	ksm_pte_drop_page(t);
}
