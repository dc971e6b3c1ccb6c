// SPDX-License-Identifier: GPL-2.0-only
/*
 * What /proc shows of one process.
 */
#include "internal.h"

/**
 * ksm_process_profit - compute the memory saved in an mm, less what KSM takes
 * @mm: the mm
 *
 * Context: any.
 * Return: bytes, negative if KSM costs more than it saves.
 */
long ksm_process_profit(struct mm_struct *mm)
{
	long saved = READ_ONCE(mm->ksm_merging_pages) + mm_ksm_zero_pages(mm);

	return saved * PAGE_SIZE - ksm_registry_bytes(mm);
}

/**
 * ksm_process_mergeable - may any page of an mm be merged?
 * @mm: the mm
 *
 * Context: mmap_lock held.
 * Return: true if any mapping is registered.
 */
bool ksm_process_mergeable(struct mm_struct *mm)
{
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, mm, 0);
	mmap_assert_locked(mm);
	for_each_vma(vmi, vma)
		if (vma->vm_flags & VM_MERGEABLE)
			return true;
	return false;
}
