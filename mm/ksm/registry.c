// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registered mms: enter, fork, exec and exit.
 *
 * A registered mm has a slot, and MMF_VM_MERGEABLE set.  The slot keeps the
 * mm_struct allocated, not its memory.  It is freed when ksmd finds no
 * mergeable VMA in the mm, or in ksm_exit() if nothing is tracked there yet.
 * Otherwise the slot goes to a list of its own, which ksmd clears before
 * anything else.
 */
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <trace/events/ksm.h>

#include "internal.h"

#define KSM_SLOT_HASH_BITS	12

/* ksmd waits here: for something to do, or for the end of a pause. */
DECLARE_WAIT_QUEUE_HEAD(ksm_wait);

struct ksm_pass ksm_pass = { .rest.quiet_ns = KSM_QUIET_NS };

static DEFINE_SPINLOCK(ksm_registry_lock);

/* In the order of the scan; ksm_registry_lock. */
static LIST_HEAD(ksm_slots);

/* Those whose mm has exited, with pages tracked; ksm_registry_lock. */
static LIST_HEAD(ksm_exited_slots);

/* Slots ever put there, now and when the last pass ended; ksm_registry_lock. */
static unsigned long ksm_nr_exits, ksm_exits_due;

/* Those not counted yet in a rebuilt filter; ksm_registry_lock. */
static LIST_HEAD(ksm_uncounted_slots);

/* By mm; ksm_registry_lock. */
static DEFINE_HASHTABLE(ksm_slot_hash, KSM_SLOT_HASH_BITS);
static struct kmem_cache *ksm_slot_cache;

static struct ksm_slot *ksm_registry_find(struct mm_struct *mm)
{
	struct ksm_slot *slot;

	lockdep_assert_held(&ksm_registry_lock);
	hash_for_each_possible(ksm_slot_hash, slot, hash, (unsigned long)mm)
		if (slot->mm == mm)
			return slot;
	return NULL;
}

static void ksm_registry_unlink(struct ksm_slot *slot)
{
	lockdep_assert_held(&ksm_registry_lock);
	hash_del(&slot->hash);
	list_del(&slot->list);
	list_del_init(&slot->uncounted);
}

/**
 * __ksm_enter - register an mm
 * @mm: the mm; nothing happens if it is registered
 *
 * Context: mmap_lock of @mm held for writing; may sleep.
 * Return: 0 or -ENOMEM.
 */
int __ksm_enter(struct mm_struct *mm)
{
	struct ksm_slot *slot;
	bool was_empty;

	mmap_assert_write_locked(mm);
	if (test_bit(MMF_VM_MERGEABLE, &mm->flags))
		return 0;
	ksm_rest_call(&ksm_pass.rest);
	slot = kmem_cache_zalloc(ksm_slot_cache, GFP_KERNEL);
	if (!slot)
		return -ENOMEM;
	mmgrab(mm);
	atomic_long_add(sizeof(*slot), &ksm_slot_bytes);
	slot->mm = mm;
	slot->domain = KSM_DOMAIN_GLOBAL;
	slot->tables = RB_ROOT;
	INIT_LIST_HEAD(&slot->uncounted);

	spin_lock(&ksm_registry_lock);
	was_empty = list_empty(&ksm_slots);
	hash_add(ksm_slot_hash, &slot->hash, (unsigned long)mm);
	/*
	 * Behind the pass: an mm that registers is often about to exec or to
	 * fill its memory, so it can wait until the end of this pass.  But
	 * while all is being unmerged, a child must not escape that.
	 */
	if (ksm_pass.slot && !(READ_ONCE(ksm_run) & KSM_RUN_UNMERGE))
		list_add_tail(&slot->list, &ksm_pass.slot->list);
	else
		list_add_tail(&slot->list, &ksm_slots);
	spin_unlock(&ksm_registry_lock);

	set_bit(MMF_VM_MERGEABLE, &mm->flags);
	if (was_empty)
		wake_up_interruptible(&ksm_wait);
	trace_ksm_enter(mm);
	return 0;
}

/**
 * __ksm_fork - note that an mm has forked
 * @mm:	   the child, to be registered
 * @oldmm: the parent, registered
 *
 * Pages of the parent that are mapped by both now may have been written before:
 * ksmd has to know that their entries do not tell.  A failure to register the
 * child costs savings only.
 *
 * Context: mmap_lock of both held for writing; may sleep.
 */
void __ksm_fork(struct mm_struct *mm, struct mm_struct *oldmm)
{
	struct ksm_slot *slot;

	mmap_assert_write_locked(oldmm);
	spin_lock(&ksm_registry_lock);
	slot = ksm_registry_find(oldmm);
	if (slot)
		WRITE_ONCE(slot->forked, 1);
	spin_unlock(&ksm_registry_lock);
	__ksm_enter(mm);
	/* The slot stays, as exit and ksmd need the mmap_lock for that. */
	if (slot)
		ksm_orphan_forked(slot);
}

/* Is no page of the mm tracked?  Read once if under ksm_registry_lock only */
static bool ksm_slot_untracked(const struct ksm_slot *slot)
{
	return !READ_ONCE(slot->tables.rb_node);
}

/**
 * ksm_registry_free - free a slot
 * @slot: in no list, with no page tracked
 */
void ksm_registry_free(struct ksm_slot *slot)
{
	struct mm_struct *mm = slot->mm;

	/* There may be an item that leads here: rather leak the slot. */
	if (WARN_ON_ONCE(!ksm_slot_untracked(slot) || slot->bytes))
		return;
	atomic_long_sub(sizeof(*slot), &ksm_slot_bytes);
	kmem_cache_free(ksm_slot_cache, slot);
	mmdrop(mm);
}

static void ksm_registry_move_exited(struct ksm_slot *slot)
{
	lockdep_assert_held(&ksm_registry_lock);
	list_move_tail(&slot->list, &ksm_exited_slots);
	slot->exit_nr = ++ksm_nr_exits;
}

/*
 * The slot where the pass is stays in its place: the walk finds out at once,
 * unless it is just about to go on, see ksm_registry_leave().
 */
static void ksm_registry_mark_exited(struct ksm_slot *slot)
{
	lockdep_assert_held(&ksm_registry_lock);
	if (slot == ksm_pass.slot)
		slot->exited = true;
	else
		ksm_registry_move_exited(slot);
	if (atomic_read(&slot->mm->mm_users))
		WRITE_ONCE(slot->dead, true);
}

/**
 * __ksm_exit - note that an mm exits
 * @mm: the mm
 *
 * After this KSM does not touch its page tables.  ksmd may keep the slot for a
 * while, until it has dropped what is tracked.
 *
 * Context: either mm_users is 0 and no lock is held; or, when exec gives up a
 * new mm, mm_users is 1 and its mmap_lock is held for writing.  In the latter
 * case it must not be taken here, and need not be: ksmd is not inside.
 */
void __ksm_exit(struct mm_struct *mm)
{
	struct ksm_slot *slot;
	bool untracked = false;

	spin_lock(&ksm_registry_lock);
	slot = ksm_registry_find(mm);
	if (slot && slot != ksm_pass.slot && ksm_slot_untracked(slot)) {
		ksm_registry_unlink(slot);
		untracked = true;
	} else if (slot) {
		ksm_registry_mark_exited(slot);
	}
	spin_unlock(&ksm_registry_lock);

	trace_ksm_exit(mm);
	if (untracked) {
		clear_bit(MMF_VM_MERGEABLE, &mm->flags);
		ksm_registry_free(slot);
	} else if (slot && !atomic_read(&mm->mm_users)) {
		/* Wait until ksmd has left; from now on it sees mm_users. */
		mmap_write_lock(mm);
		mmap_write_unlock(mm);
	}
	/* ksmd clears the list even if run is 0; or this was the last mm. */
	wake_up_interruptible(&ksm_wait);
}

/*
 * The pass leaves a slot.  If its mm has exited in the meantime, the slot goes
 * to the other list now: the next pass may be far away, or never come.
 */
static void ksm_registry_leave(void)
{
	struct ksm_slot *slot = ksm_pass.slot;

	lockdep_assert_held(&ksm_registry_lock);
	if (slot && slot->exited)
		ksm_registry_move_exited(slot);
}

/**
 * ksm_registry_next - move the pass to the next registered mm
 *
 * A slot is not freed while the pass is there.
 *
 * Context: ksm_scan_mutex held.
 * Return: its slot, the first one if the pass was at none; or NULL after the
 * last.
 */
struct ksm_slot *ksm_registry_next(void)
{
	struct ksm_slot *slot = ksm_pass.slot;
	struct list_head *at;

	lockdep_assert_held(&ksm_scan_mutex);
	spin_lock(&ksm_registry_lock);
	at = slot ? slot->list.next : ksm_slots.next;
	ksm_registry_leave();
	slot = at == &ksm_slots ? NULL : list_entry(at, struct ksm_slot, list);
	WRITE_ONCE(ksm_pass.slot, slot);
	spin_unlock(&ksm_registry_lock);
	return slot;
}

/**
 * ksm_registry_empty - is no mm registered?
 *
 * Return: true if none is; a hint without ksm_registry_lock.
 */
bool ksm_registry_empty(void)
{
	return list_empty_careful(&ksm_slots);
}

/**
 * ksm_registry_remove - take a slot off the list
 * @slot: where the pass is, which moves to the slot before, or to none; or one
 *	  of ksm_registry_exited()
 *
 * Context: ksm_scan_mutex held, and the mmap_lock unless the mm has exited, so
 * that it cannot be registered again before its flag is cleared.
 */
void ksm_registry_remove(struct ksm_slot *slot)
{
	struct list_head *before;

	lockdep_assert_held(&ksm_scan_mutex);
	spin_lock(&ksm_registry_lock);
	before = slot->list.prev;
	ksm_registry_unlink(slot);
	if (slot == ksm_pass.slot)
		WRITE_ONCE(ksm_pass.slot, before == &ksm_slots ? NULL :
			   list_entry(before, struct ksm_slot, list));
	spin_unlock(&ksm_registry_lock);
	clear_bit(MMF_VM_MERGEABLE, &slot->mm->flags);
}

static struct ksm_slot *ksm_registry_find_exited(void)
{
	struct ksm_slot *slot = ksm_pass.slot;

	lockdep_assert_held(&ksm_registry_lock);
	if (slot && ksm_slot_exiting(slot))
		return slot;
	return list_first_entry_or_null(&ksm_exited_slots, struct ksm_slot,
					list);
}

/**
 * ksm_registry_has_exited - has an mm exited of which pages are tracked?
 *
 * Context: any.
 * Return: true if one has.
 */
bool ksm_registry_has_exited(void)
{
	bool found;

	spin_lock(&ksm_registry_lock);
	found = ksm_registry_find_exited();
	spin_unlock(&ksm_registry_lock);
	return found;
}

/**
 * ksm_registry_exited - find an mm that has exited, with pages tracked
 *
 * Context: ksm_scan_mutex held, which keeps it from being freed.
 * Return: its slot, that of the pass before all others; or NULL.
 */
struct ksm_slot *ksm_registry_exited(void)
{
	struct ksm_slot *slot;

	lockdep_assert_held(&ksm_scan_mutex);
	spin_lock(&ksm_registry_lock);
	slot = ksm_registry_find_exited();
	spin_unlock(&ksm_registry_lock);
	return slot;
}

/**
 * ksm_registry_rewind - let the pass start over
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_registry_rewind(void)
{
	lockdep_assert_held(&ksm_scan_mutex);
	spin_lock(&ksm_registry_lock);
	ksm_registry_leave();
	/* Its walk was not complete. */
	if (ksm_pass.slot && ksm_pass.forked)
		WRITE_ONCE(ksm_pass.slot->forked, 1);
	WRITE_ONCE(ksm_pass.slot, NULL);
	spin_unlock(&ksm_registry_lock);
}

/**
 * ksm_registry_pass_ended - note which mms had exited when a pass ended
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_registry_pass_ended(void)
{
	lockdep_assert_held(&ksm_scan_mutex);
	spin_lock(&ksm_registry_lock);
	ksm_exits_due = ksm_nr_exits;
	spin_unlock(&ksm_registry_lock);
}

/**
 * ksm_registry_exits_due - has an mm to be dropped before the next pass?
 *
 * The next pass begins when all mms are dropped that had exited by the end of
 * the last one: then the counters are exact about those.
 *
 * Context: ksmd, or ksm_scan_mutex held.
 * Return: true if there is one.
 */
bool ksm_registry_exits_due(void)
{
	struct ksm_slot *slot;
	bool due;

	spin_lock(&ksm_registry_lock);
	slot = list_first_entry_or_null(&ksm_exited_slots, struct ksm_slot,
					list);
	due = slot && (long)(ksm_exits_due - slot->exit_nr) >= 0;
	spin_unlock(&ksm_registry_lock);
	return due;
}

/**
 * ksm_registry_uncount_all - note that the keys of no mm are counted
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_registry_uncount_all(void)
{
	struct ksm_slot *slot;

	lockdep_assert_held(&ksm_scan_mutex);
	spin_lock(&ksm_registry_lock);
	list_for_each_entry(slot, &ksm_slots, list)
		list_move_tail(&slot->uncounted, &ksm_uncounted_slots);
	list_for_each_entry(slot, &ksm_exited_slots, list)
		list_move_tail(&slot->uncounted, &ksm_uncounted_slots);
	spin_unlock(&ksm_registry_lock);
}

/**
 * ksm_registry_uncounted - find an mm whose keys are not counted
 *
 * Context: ksm_scan_mutex held, which keeps it from being freed.
 * Return: its slot, the same until ksm_registry_counted(); or NULL.
 */
struct ksm_slot *ksm_registry_uncounted(void)
{
	struct ksm_slot *slot;

	lockdep_assert_held(&ksm_scan_mutex);
	spin_lock(&ksm_registry_lock);
	while ((slot = list_first_entry_or_null(&ksm_uncounted_slots,
						struct ksm_slot, uncounted))) {
		/* Exit may free a slot without tracked pages. */
		if (!ksm_slot_untracked(slot))
			break;
		list_del_init(&slot->uncounted);
	}
	spin_unlock(&ksm_registry_lock);
	return slot;
}

/**
 * ksm_registry_counted - note that all keys of an mm are counted
 * @slot: of ksm_registry_uncounted()
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_registry_counted(struct ksm_slot *slot)
{
	lockdep_assert_held(&ksm_scan_mutex);
	spin_lock(&ksm_registry_lock);
	list_del_init(&slot->uncounted);
	spin_unlock(&ksm_registry_lock);
}

/**
 * ksm_registry_bytes - compute the memory that tracking an mm takes
 * @mm: the mm
 *
 * Context: any.
 * Return: bytes.
 */
unsigned long ksm_registry_bytes(struct mm_struct *mm)
{
	struct ksm_slot *slot;
	unsigned long bytes;

	spin_lock(&ksm_registry_lock);
	slot = ksm_registry_find(mm);
	bytes = slot ? READ_ONCE(slot->bytes) + sizeof(*slot) : 0;
	spin_unlock(&ksm_registry_lock);
	return bytes;
}

int __init ksm_registry_init(void)
{
	ksm_slot_cache = KMEM_CACHE(ksm_slot, 0);
	return ksm_slot_cache ? 0 : -ENOMEM;
}
