// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is registered: madvise, prctl, fork, exec and exit.
 *
 * A registered mm has a slot, and MMF_VM_MERGEABLE set.  The slot keeps the
 * struct mm alive, not its memory.  It goes when ksmd finds the mm exiting or
 * without a mergeable VMA, or in ksm_exit() if ksmd knows nothing of it yet.
 */
#include <linux/dax.h>
#include <linux/export.h>
#include <linux/hugetlb.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <trace/events/ksm.h>

#include "internal.h"

#define SLOT_HASH_BITS	12

/* Woken when there is something to scan again. */
DECLARE_WAIT_QUEUE_HEAD(ksm_work_wait);

struct ksm_cursor ksm_cursor;

static DEFINE_SPINLOCK(registry_lock);

/* In the order of the scan; registry_lock. */
static LIST_HEAD(slots);

/* By mm; registry_lock. */
static DEFINE_HASHTABLE(slot_hash, SLOT_HASH_BITS);
static struct kmem_cache *slot_cache;

static struct ksm_slot *find_slot(struct mm_struct *mm)
{
	struct ksm_slot *slot;

	lockdep_assert_held(&registry_lock);
	hash_for_each_possible(slot_hash, slot, hash, (unsigned long)mm)
		if (slot->mm == mm)
			return slot;
	return NULL;
}

static void unlink_slot(struct ksm_slot *slot)
{
	lockdep_assert_held(&registry_lock);
	hash_del(&slot->hash);
	list_del(&slot->list);
}

/**
 * __ksm_enter - register an mm
 * @mm: which; nothing happens if it is registered
 *
 * Context: mmap_lock of @mm held for writing; may sleep.
 * Return: 0 or -ENOMEM.
 */
int __ksm_enter(struct mm_struct *mm)
{
	struct ksm_slot *slot;
	bool was_empty;

	if (test_bit(MMF_VM_MERGEABLE, &mm->flags))
		return 0;
	slot = kmem_cache_zalloc(slot_cache, GFP_KERNEL);
	if (!slot)
		return -ENOMEM;
	mmgrab(mm);
	slot->mm = mm;
	xa_init(&slot->chunks);

	spin_lock(&registry_lock);
	was_empty = list_empty(&slots);
	hash_add(slot_hash, &slot->hash, (unsigned long)mm);
	/*
	 * Behind the cursor: what registers is often about to exec or to fill
	 * its memory, so it can wait until the end of this pass.  But while
	 * all is being unmerged, a child must not escape that.
	 */
	if (ksm_cursor.slot && !(READ_ONCE(ksm_run) & KSM_RUN_UNMERGE))
		list_add_tail(&slot->list, &ksm_cursor.slot->list);
	else
		list_add_tail(&slot->list, &slots);
	spin_unlock(&registry_lock);

	set_bit(MMF_VM_MERGEABLE, &mm->flags);
	if (was_empty)
		wake_up_interruptible(&ksm_work_wait);
	trace_ksm_enter(mm);
	return 0;
}

/**
 * ksm_registry_free - let go of a slot
 * @slot: in no list, knows nothing of any page
 */
void ksm_registry_free(struct ksm_slot *slot)
{
	struct mm_struct *mm = slot->mm;

	kmem_cache_free(slot_cache, slot);
	mmdrop(mm);
}

/**
 * __ksm_exit - an mm is going away
 * @mm: which
 *
 * After this nobody here touches its page tables.  ksmd may keep the slot for
 * a while, until it has dropped what it knows.
 *
 * Context: either mm_users is 0 and no lock is held; or, when exec gives up a
 * new mm, mm_users is 1 and its mmap_lock is held for writing.  In the latter
 * case it must not be taken here, and need not be: ksmd is not inside.
 */
void __ksm_exit(struct mm_struct *mm)
{
	struct ksm_slot *slot;
	bool unknown = false;

	spin_lock(&registry_lock);
	slot = find_slot(mm);
	if (slot && slot != ksm_cursor.slot && xa_empty(&slot->chunks)) {
		unlink_slot(slot);
		unknown = true;
	} else if (slot && atomic_read(&mm->mm_users)) {
		WRITE_ONCE(slot->dead, true);
	}
	spin_unlock(&registry_lock);

	trace_ksm_exit(mm);
	if (unknown) {
		clear_bit(MMF_VM_MERGEABLE, &mm->flags);
		ksm_registry_free(slot);
	} else if (slot && !atomic_read(&mm->mm_users)) {
		/* Wait for ksmd to get out; it will see mm_users. */
		mmap_write_lock(mm);
		mmap_write_unlock(mm);
	}
}

/**
 * ksm_registry_next - go through all registered mms
 * @slot: the last one, NULL to begin; must be the cursor's
 *
 * The cursor moves along, which keeps the slot from being freed.
 *
 * Context: ksm_scan_mutex held.
 * Return: the next slot, or NULL after the last.
 */
struct ksm_slot *ksm_registry_next(struct ksm_slot *slot)
{
	struct list_head *at;

	lockdep_assert_held(&ksm_scan_mutex);
	spin_lock(&registry_lock);
	at = slot ? slot->list.next : slots.next;
	slot = at == &slots ? NULL : list_entry(at, struct ksm_slot, list);
	WRITE_ONCE(ksm_cursor.slot, slot);
	spin_unlock(&registry_lock);
	return slot;
}

/**
 * ksm_registry_empty - is nobody registered?
 *
 * Return: true if so; a hint without registry_lock.
 */
bool ksm_registry_empty(void)
{
	return list_empty_careful(&slots);
}

/**
 * ksm_registry_remove - take the cursor's slot off the list
 * @slot: the cursor's; the cursor moves to the one before, or to none
 *
 * Context: ksm_scan_mutex held, and the mmap_lock, so that the mm cannot be
 * registered again before its flag is cleared.
 */
void ksm_registry_remove(struct ksm_slot *slot)
{
	struct list_head *before;

	lockdep_assert_held(&ksm_scan_mutex);
	spin_lock(&registry_lock);
	before = slot->list.prev;
	unlink_slot(slot);
	WRITE_ONCE(ksm_cursor.slot, before == &slots ? NULL :
		   list_entry(before, struct ksm_slot, list));
	spin_unlock(&registry_lock);
	clear_bit(MMF_VM_MERGEABLE, &slot->mm->flags);
}

/**
 * ksm_registry_rewind - let the next scan begin anew
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_registry_rewind(void)
{
	spin_lock(&registry_lock);
	WRITE_ONCE(ksm_cursor.slot, NULL);
	spin_unlock(&registry_lock);
}

/**
 * ksm_registry_recount - count the keys of all mms in a filter made anew
 *
 * Context: ksm_scan_mutex held, which keeps those slots from being freed.
 */
void ksm_registry_recount(void)
{
	struct ksm_slot *slot;

	lockdep_assert_held(&ksm_scan_mutex);
	spin_lock(&registry_lock);
	list_for_each_entry(slot, &slots, list) {
		if (xa_empty(&slot->chunks))
			continue;
		spin_unlock(&registry_lock);
		ksm_track_recount(slot);
		spin_lock(&registry_lock);
	}
	spin_unlock(&registry_lock);
}

/**
 * ksm_mm_bytes - memory that tracking an mm takes
 * @mm: which
 *
 * Context: any.
 * Return: bytes.
 */
unsigned long ksm_mm_bytes(struct mm_struct *mm)
{
	struct ksm_slot *slot;
	unsigned long bytes;

	spin_lock(&registry_lock);
	slot = find_slot(mm);
	bytes = slot ? READ_ONCE(slot->bytes) : 0;
	spin_unlock(&registry_lock);
	return bytes;
}

/* Can pages of such a mapping be merged, and be told from others? */
static bool compatible_flags(vm_flags_t vm_flags)
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

static bool compatible(struct vm_area_struct *vma)
{
	return compatible_flags(vma->vm_flags) && !vma_is_dax(vma);
}

/**
 * ksm_vma_flags - flags of a mapping that is about to be made
 * @mm:	      where
 * @file:     what is mapped, NULL for anonymous memory
 * @vm_flags: what was asked for
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
	    compatible_flags(vm_flags))
		vm_flags |= VM_MERGEABLE;
	return vm_flags;
}

/**
 * ksm_add_vma - a new mapping was made
 * @vma: which
 *
 * Context: mmap_lock held for writing, @vma write-locked; may sleep.
 */
void ksm_add_vma(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;

	if (!test_bit(MMF_VM_MERGE_ANY, &mm->flags) || !compatible(vma))
		return;
	/* ksmd drops an mm that has nothing mergeable for a whole pass. */
	if (__ksm_enter(mm))
		vm_flags_clear(vma, VM_MERGEABLE);
	else
		vm_flags_set(vma, VM_MERGEABLE);
}

static void flag_all(struct mm_struct *mm)
{
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, mm, 0);
	for_each_vma(vmi, vma)
		if (compatible(vma))
			vm_flags_set(vma, VM_MERGEABLE);
}

static int unflag(struct vm_area_struct *vma)
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

static int unflag_all(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	int err;

	VMA_ITERATOR(vmi, mm, 0);
	for_each_vma(vmi, vma) {
		err = unflag(vma);
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
	flag_all(mm);
	return 0;
}

/**
 * ksm_disable_merge_any - prctl(PR_SET_MEMORY_MERGE, 0)
 * @mm: of the caller
 *
 * Context: mmap_lock held for writing; may sleep.
 * Return: 0, or -ENOMEM or -ERESTARTSYS, and nothing has changed.
 */
int ksm_disable_merge_any(struct mm_struct *mm)
{
	int err = 0;

	mmap_assert_write_locked(mm);
	if (test_bit(MMF_VM_MERGE_ANY, &mm->flags)) {
		err = unflag_all(mm);
		if (err)
			flag_all(mm);
		else
			clear_bit(MMF_VM_MERGE_ANY, &mm->flags);
	}
	return err;
}

/**
 * ksm_disable - have nothing of an mm merged
 * @mm: which
 *
 * Context: mmap_lock held for writing; may sleep.
 * Return: 0, -ENOMEM or -ERESTARTSYS.
 */
int ksm_disable(struct mm_struct *mm)
{
	if (test_bit(MMF_VM_MERGE_ANY, &mm->flags))
		return ksm_disable_merge_any(mm);

	mmap_assert_write_locked(mm);
	return test_bit(MMF_VM_MERGEABLE, &mm->flags) ? unflag_all(mm) : 0;
}

static int advise_unmergeable(struct vm_area_struct *vma, unsigned long start,
			      unsigned long end, unsigned long *vm_flags)
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
	*vm_flags &= ~VM_MERGEABLE;
	return 0;
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
		return advise_unmergeable(vma, start, end, vm_flags);
	if (advice != MADV_MERGEABLE || !compatible(vma))
		return 0;
	/* Even if it has the flag: after a fork the mm may not be registered */
	err = __ksm_enter(vma->vm_mm);
	if (!err)
		*vm_flags |= VM_MERGEABLE;
	return err;
}
EXPORT_SYMBOL_GPL(ksm_madvise);

int __init ksm_registry_init(void)
{
	slot_cache = KMEM_CACHE(ksm_slot, 0);
	return slot_cache ? 0 : -ENOMEM;
}
