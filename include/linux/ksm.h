/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KSM: one write-protected page in place of many equal ones.
 *
 * What the rest of the kernel may call.  How it works is told in mm/ksm/.
 */
#ifndef _LINUX_KSM_H
#define _LINUX_KSM_H

#include <linux/mm_types.h>
#include <linux/pgtable.h>
#include <linux/rmap.h>
#include <linux/sched/coredump.h>

struct file;

#ifdef CONFIG_KSM

/* Zero pages that KSM placed and that are still mapped, system-wide. */
extern atomic_long_t ksm_zero_pages;

int ksm_madvise(struct vm_area_struct *vma, unsigned long start,
		unsigned long end, int advice, unsigned long *vm_flags);
vm_flags_t ksm_vma_flags(const struct mm_struct *mm, const struct file *file,
			 vm_flags_t vm_flags);
void ksm_add_vma(struct vm_area_struct *vma);
bool ksm_will_merge(const struct vm_area_struct *vma);
int ksm_enable_merge_any(struct mm_struct *mm);
int ksm_disable_merge_any(struct mm_struct *mm);
int ksm_disable(struct mm_struct *mm);

int __ksm_enter(struct mm_struct *mm);
void __ksm_fork(struct mm_struct *mm, struct mm_struct *oldmm);
void __ksm_exit(struct mm_struct *mm);

void rmap_walk_ksm(struct folio *folio, struct rmap_walk_control *rwc);
void folio_migrate_ksm(struct folio *newfolio, struct folio *folio);
struct folio *ksm_might_need_to_copy(struct folio *folio,
				     struct vm_area_struct *vma,
				     unsigned long addr);
void collect_procs_ksm(struct folio *folio, struct page *page,
		       struct list_head *to_kill, int force_early);

long ksm_process_profit(struct mm_struct *mm);
bool ksm_process_mergeable(struct mm_struct *mm);

/*
 * A zero page placed by KSM is told from an ordinary one by its dirty bit,
 * which nothing else sets on the zero page.
 */
static inline bool is_ksm_zero_pte(pte_t pte)
{
	return is_zero_pfn(pte_pfn(pte)) && pte_dirty(pte);
}

static inline void ksm_map_zero_page(struct mm_struct *mm)
{
	atomic_long_inc(&mm->ksm_zero_pages);
	atomic_long_inc(&ksm_zero_pages);
}

/* fork copies an entry that maps no ordinary page. */
static inline void ksm_might_map_zero_page(struct mm_struct *mm, pte_t pte)
{
	if (is_ksm_zero_pte(pte))
		ksm_map_zero_page(mm);
}

static inline void ksm_might_unmap_zero_page(struct mm_struct *mm, pte_t pte)
{
	if (!is_ksm_zero_pte(pte))
		return;
	atomic_long_dec(&mm->ksm_zero_pages);
	atomic_long_dec(&ksm_zero_pages);
}

static inline long mm_ksm_zero_pages(struct mm_struct *mm)
{
	return atomic_long_read(&mm->ksm_zero_pages);
}

/* A KSM page is replaced in an mm by a copy, or becomes an ordinary page. */
static inline void ksm_count_cow(struct mm_struct *mm)
{
	count_vm_event(COW_KSM);
	atomic_long_inc(&mm->ksm_cow);
}

/* A new mm, be it empty or a copy: nothing of it has been merged yet. */
static inline void ksm_mm_init(struct mm_struct *mm)
{
	mm->ksm_merging_pages = 0;
	mm->ksm_rmap_items = 0;
	atomic_long_set(&mm->ksm_zero_pages, 0);
	atomic_long_set(&mm->ksm_cow, 0);
	mm->ksm_thp_split = 0;
}

/* The page tables of @oldmm have been copied.  Only fork sees @mm. */
static inline void ksm_fork(struct mm_struct *mm, struct mm_struct *oldmm)
{
	if (test_bit(MMF_VM_MERGEABLE, &oldmm->flags))
		__ksm_fork(mm, oldmm);
}

static inline int ksm_execve(struct mm_struct *mm)
{
	return test_bit(MMF_VM_MERGE_ANY, &mm->flags) ? __ksm_enter(mm) : 0;
}

static inline void ksm_exit(struct mm_struct *mm)
{
	if (test_bit(MMF_VM_MERGEABLE, &mm->flags))
		__ksm_exit(mm);
}

#else /* !CONFIG_KSM */

static inline void ksm_add_vma(struct vm_area_struct *vma) { }
static inline void ksm_exit(struct mm_struct *mm) { }
static inline int ksm_execve(struct mm_struct *mm) { return 0; }
static inline void ksm_fork(struct mm_struct *mm, struct mm_struct *oldmm) { }
static inline void ksm_mm_init(struct mm_struct *mm) { }
static inline int ksm_disable(struct mm_struct *mm) { return 0; }
static inline void ksm_might_map_zero_page(struct mm_struct *mm, pte_t pte) { }

static inline bool ksm_will_merge(const struct vm_area_struct *vma)
{
	return false;
}

static inline void ksm_might_unmap_zero_page(struct mm_struct *mm,
					     pte_t pte) { }

static inline vm_flags_t ksm_vma_flags(const struct mm_struct *mm,
				       const struct file *file,
				       vm_flags_t vm_flags)
{
	return vm_flags;
}

static inline void collect_procs_ksm(struct folio *folio, struct page *page,
				     struct list_head *to_kill, int force_early)
{
}

#ifdef CONFIG_MMU
static inline void folio_migrate_ksm(struct folio *newfolio,
				     struct folio *folio) { }
static inline void rmap_walk_ksm(struct folio *folio,
				 struct rmap_walk_control *rwc) { }

static inline struct folio *ksm_might_need_to_copy(struct folio *folio,
						   struct vm_area_struct *vma,
						   unsigned long addr)
{
	return folio;
}

static inline int ksm_madvise(struct vm_area_struct *vma, unsigned long start,
			      unsigned long end, int advice,
			      unsigned long *vm_flags)
{
	return 0;
}
#endif /* CONFIG_MMU */

#endif /* CONFIG_KSM */

#endif /* _LINUX_KSM_H */
