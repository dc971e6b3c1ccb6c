/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Candidates, and what is done to the page table entries that map them.
 */
#ifndef _MM_KSM_MERGE_H
#define _MM_KSM_MERGE_H

#include <linux/cacheflush.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>

#include "node.h"

struct ksm_slot;

/**
 * struct ksm_candidate - a page that may be merged
 * @slot:  slot of the mm mapping the page
 * @addr:  address
 * @pfn:   page frame number seen there
 * @probe: scoped probe
 * @page:  the page, with a reference, from ksm_candidate_pin() on; else NULL
 */
struct ksm_candidate {
	struct ksm_slot *slot;
	unsigned long addr;
	unsigned long pfn;
	u64 probe;
	struct page *page;
};

/**
 * struct ksm_taken_pte - a page table entry that is taken out of use
 * @vma:   VMA of the mapping
 * @addr:  address
 * @page:  page that the entry maps; locked
 * @ptep:  the entry; NULL if there is none
 * @old:   what it was
 * @ptl:   page table lock, held while @ptep is not NULL
 * @range: what MMU notifiers are told
 */
struct ksm_taken_pte {
	struct vm_area_struct *vma;
	unsigned long addr;
	struct page *page;
	pte_t *ptep;
	pte_t old;
	spinlock_t *ptl;
	struct mmu_notifier_range range;
};

/*
 * Where caches alias, user space may have written to lines that the kernel's
 * own mapping of the page does not see.  To be called before content is read.
 */
static inline void ksm_flush_page(struct vm_area_struct *vma, struct page *page,
				  unsigned long addr)
{
	flush_anon_page(vma, page, addr);
	flush_dcache_page(page);
}

/* candidate.c */
bool ksm_vma_mergeable(const struct vm_area_struct *vma);
bool ksm_vma_takes_zero_page(const struct vm_area_struct *vma);
struct vm_area_struct *ksm_candidate_vma(const struct ksm_candidate *c);
bool ksm_candidate_pin_in(struct ksm_candidate *c, struct vm_area_struct *vma);
void ksm_candidate_lock_mm(struct ksm_candidate *c,
			   struct ksm_candidate *other);
bool ksm_candidate_pin(struct ksm_candidate *c, struct ksm_candidate *other);
void ksm_candidate_unpin(struct ksm_candidate *c);
bool ksm_candidate_digest(struct ksm_candidate *c, struct ksm_candidate *other,
			  u64 *digest);
bool ksm_candidate_held(const struct ksm_candidate *c);
bool ksm_folio_no_extra_refs(struct folio *folio);
bool ksm_folio_readable(struct folio *folio);
bool ksm_page_same(struct page *one, struct page *other);

/* pte.c */
pte_t ksm_pte_inherit(pte_t new, pte_t old);
enum ksm_result ksm_pte_take(struct ksm_taken_pte *t);
void ksm_pte_give_back(struct ksm_taken_pte *t);
void ksm_pte_finish(struct ksm_taken_pte *t);
bool ksm_pte_end_exclusive(struct ksm_taken_pte *t);
void ksm_pte_protect(struct ksm_taken_pte *t);
void ksm_pte_map_ksm_page(struct ksm_taken_pte *t, struct folio *kfolio);
void ksm_pte_map_zero_page(struct ksm_taken_pte *t);

/* merge.c */
enum ksm_result ksm_merge_zero(struct ksm_candidate *c,
			       struct ksm_rmap_item *item);
enum ksm_result ksm_merge_into(struct ksm_candidate *c,
			       struct ksm_rmap_item *item,
			       struct ksm_stable_node *node,
			       struct folio *kfolio);
enum ksm_result ksm_merge_promote(struct ksm_candidate *c,
				  struct ksm_rmap_item *item,
				  struct ksm_stable_node *node,
				  struct page *duplicate);
enum ksm_result ksm_merge_attach(struct ksm_candidate *c,
				 struct ksm_rmap_item *item);

/* unmerge.c */
struct folio *ksm_alloc_private(struct vm_area_struct *vma, unsigned long addr);
int ksm_unmerge_range(struct vm_area_struct *vma, unsigned long start,
		      unsigned long end, bool interruptible);
int ksm_unmerge_page(struct ksm_slot *slot, unsigned long addr);

#endif /* _MM_KSM_MERGE_H */
