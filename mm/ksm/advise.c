// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which mappings may be merged, as madvise() and prctl() ask for.
 */
#include <linux/dax.h>
#include <linux/export.h>
#include <linux/hugetlb.h>
#include <linux/mman.h>

#include "internal.h"
#include "merge.h"

/* Can pages of such a mapping be merged, and be told from others? */
static bool ksm_compatible_flags(vm_flags_t vm_flags)
{
	if (vm_flags & (VM_SHARED | VM_MAYSHARE | VM_PFNMAP | VM_IO |
			VM_DONTEXPAND | VM_HUGETLB | VM_MIXEDMAP |
			VM_DROPPABLE))
		return false;
#ifdef VM_SAO
	if (vm_flags & VM_SAO)
		return false;
#endif
#ifdef VM_SPARC_ADI
	if (vm_flags & VM_SPARC_ADI)
		return false;
#endif
	return true;
}

static bool ksm_compatible_vma(struct vm_area_struct *vma)
{
	return ksm_compatible_flags(vma->vm_flags) && !vma_is_dax(vma);
}

/**
 * ksm_vma_flags - compute the flags of a mapping that is about to be made
 * @mm:	      its mm
 * @file:     what is mapped, NULL for anonymous memory
 * @vm_flags: flags so far
 *
 * A mapping can only join its neighbours if its flags are complete before.
 * What a driver's mmap will do to the flags is not known yet, so files are
 * left to ksm_add_vma().
 *
 * Context: mmap_lock held for writing.
 * Return: @vm_flags, with VM_MERGEABLE added where prctl asked for that.
 */
vm_flags_t ksm_vma_flags(const struct mm_struct *mm, const struct file *file,
			 vm_flags_t vm_flags)
{
	if (test_bit(MMF_VM_MERGE_ANY, &mm->flags) && !file &&
	    ksm_compatible_flags(vm_flags))
		vm_flags |= VM_MERGEABLE;
	return vm_flags;
}

/**
 * ksm_add_vma - note that a mapping was made
 * @vma: its VMA
 *
 * Context: mmap_lock held for writing, @vma write-locked; may sleep.
 */
void ksm_add_vma(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;

	mmap_assert_write_locked(mm);
	if (!test_bit(MMF_VM_MERGE_ANY, &mm->flags) || !ksm_compatible_vma(vma))
		return;
	/* ksmd drops an mm that has nothing mergeable for a whole pass. */
	if (__ksm_enter(mm))
		vm_flags_clear(vma, VM_MERGEABLE);
	else
		vm_flags_set(vma, VM_MERGEABLE);
}

static void ksm_advise_flag_all(struct mm_struct *mm)
{
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, mm, 0);
	for_each_vma(vmi, vma)
		if (ksm_compatible_vma(vma))
			vm_flags_set(vma, VM_MERGEABLE);
}

static int ksm_advise_unflag(struct vm_area_struct *vma)
{
	int err = 0;

	if (!(vma->vm_flags & VM_MERGEABLE))
		return 0;
	/* Page faults under the VMA's lock alone might still merge or map. */
	vma_start_write(vma);
	if (vma->anon_vma)
		err = ksm_unmerge_range(vma, vma->vm_start, vma->vm_end, true);
	if (!err)
		vm_flags_clear(vma, VM_MERGEABLE);
	return err;
}

static int ksm_advise_unflag_all(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	int err;

	VMA_ITERATOR(vmi, mm, 0);
	for_each_vma(vmi, vma) {
		err = ksm_advise_unflag(vma);
		if (err)
			return err;
	}
	return 0;
}

/**
 * ksm_enable_merge_any - prctl(PR_SET_MEMORY_MERGE, 1)
 * @mm: of the caller
 *
 * Context: mmap_lock held for writing; may sleep.
 * Return: 0 or -ENOMEM.
 */
int ksm_enable_merge_any(struct mm_struct *mm)
{
	int err;

	mmap_assert_write_locked(mm);
	if (test_bit(MMF_VM_MERGE_ANY, &mm->flags))
		return 0;
	err = __ksm_enter(mm);
	if (err)
		return err;
	set_bit(MMF_VM_MERGE_ANY, &mm->flags);
	ksm_advise_flag_all(mm);
	return 0;
}

/**
 * ksm_disable_merge_any - prctl(PR_SET_MEMORY_MERGE, 0)
 * @mm: of the caller
 *
 * Context: mmap_lock held for writing; may sleep.
 * Return: 0; or -ENOMEM or -ERESTARTSYS, and all that can be merged is
 * registered again, including what MADV_UNMERGEABLE had taken out.
 */
int ksm_disable_merge_any(struct mm_struct *mm)
{
	int err = 0;

	mmap_assert_write_locked(mm);
	if (test_bit(MMF_VM_MERGE_ANY, &mm->flags)) {
		err = ksm_advise_unflag_all(mm);
		if (err)
			ksm_advise_flag_all(mm);
		else
			clear_bit(MMF_VM_MERGE_ANY, &mm->flags);
	}
	return err;
}

/**
 * ksm_disable - make all memory of an mm private
 * @mm: the mm
 *
 * Context: mmap_lock held for writing; may sleep.
 * Return: 0, -ENOMEM or -ERESTARTSYS.
 */
int ksm_disable(struct mm_struct *mm)
{
	if (test_bit(MMF_VM_MERGE_ANY, &mm->flags))
		return ksm_disable_merge_any(mm);

	mmap_assert_write_locked(mm);
	return test_bit(MMF_VM_MERGEABLE, &mm->flags) ?
		       ksm_advise_unflag_all(mm) :
		       0;
}

static int ksm_advise_unmergeable(struct vm_area_struct *vma,
				  unsigned long start, unsigned long end,
				  unsigned long *vm_flags)
{
	int err;

	if (!(*vm_flags & VM_MERGEABLE))
		return 0;
	if (vma->anon_vma) {
		vma_start_write(vma);
		err = ksm_unmerge_range(vma, start, end, true);
		if (err)
			return err;
	}
	*vm_flags = ksm_flags_unmergeable(*vm_flags);
	return 0;
}

/**
 * ksm_will_merge - are empty pages left to ksmd?
 * @vma: their VMA
 *
 * A huge page that is split may lose its empty pages to the zero page.  Where
 * ksmd merges pages this is its task: it does so only if use_zero_pages says
 * so, counts them, and MADV_UNMERGEABLE gives them back.
 *
 * Context: the VMA must not go away.  Its flags may change at any time, after
 * which the answer is out of date, but not dangerous.
 * Return: true if they are.
 */
bool ksm_will_merge(const struct vm_area_struct *vma)
{
	return (READ_ONCE(vma->vm_flags) & VM_MERGEABLE) && ksm_scanning();
}

/**
 * ksm_madvise - MADV_MERGEABLE and MADV_UNMERGEABLE
 * @vma:      contains the range
 * @start:    first address
 * @end:      the address after the last
 * @advice:   which of the two
 * @vm_flags: the VMA's flags, which the caller is going to set for the range
 *
 * Context: mmap_lock held for writing; may sleep.
 * Return: 0, -ENOMEM or -ERESTARTSYS, with @vm_flags as they were.
 */
int ksm_madvise(struct vm_area_struct *vma, unsigned long start,
		unsigned long end, int advice, unsigned long *vm_flags)
{
	int err;

	if (advice == MADV_UNMERGEABLE)
		return ksm_advise_unmergeable(vma, start, end, vm_flags);
	if (advice != MADV_MERGEABLE || !ksm_compatible_vma(vma))
		return 0;
	/* Even if it has the flag: after a fork the mm may not be registered */
	err = __ksm_enter(vma->vm_mm);
	if (err)
		return err;
	*vm_flags |= VM_MERGEABLE;
	ksm_rest_call(&ksm_pass.rest);
	return 0;
}
EXPORT_SYMBOL_GPL(ksm_madvise);
