// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who is registered: enter, fork, exec and exit.
 *
 * A registered mm has a slot, and MMF_VM_MERGEABLE set.  The slot keeps the
 * struct mm alive, not its memory.  It goes when ksmd finds the mm without a
 * mergeable VMA, or in ksm_exit() if ksmd knows nothing of it yet.  If it does,
 * the slot is put on a list of its own, to be forgotten before anything else.
 */
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <trace/events/ksm.h>

#include "internal.h"

#define SLOT_HASH_BITS	12

/* Where ksmd waits: for something to do, or for the end of a pause. */
DECLARE_WAIT_QUEUE_HEAD(ksm_wait);

struct ksm_cursor ksm_cursor;

static DEFINE_SPINLOCK(registry_lock);

/* In the order of the scan; registry_lock. */
static LIST_HEAD(slots);

/* Their mms have exited, and ksmd knows of pages there; registry_lock. */
static LIST_HEAD(exited);

/* How many ever came there, now and when the last pass ended; registry_lock. */
static unsigned long nr_exits, exits_due;

/* Not counted in a filter made anew; registry_lock. */
static LIST_HEAD(uncounted);

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
	list_del_init(&slot->uncounted);
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
	atomic_long_add(sizeof(*slot), &ksm_slot_bytes);
	slot->mm = mm;
	slot->tables = RB_ROOT;
	INIT_LIST_HEAD(&slot->uncounted);

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
		wake_up_interruptible(&ksm_wait);
	trace_ksm_enter(mm);
	return 0;
}

/**
 * __ksm_fork - an mm has forked
 * @mm:	   the new one, to be registered
 * @oldmm: a registered one
 *
 * Pages that were written, and are read-only and shared now, may have been so
 * before, too: ksmd has to know that it cannot tell.  A failure to register
 * costs savings only.
 *
 * Context: mmap_lock of both held for writing; may sleep.
 */
void __ksm_fork(struct mm_struct *mm, struct mm_struct *oldmm)
{
	struct ksm_slot *slot;

	mmap_assert_write_locked(oldmm);
	spin_lock(&registry_lock);
	slot = find_slot(oldmm);
	if (slot)
		WRITE_ONCE(slot->forked, 1);
	spin_unlock(&registry_lock);
	__ksm_enter(mm);
	/* It stays where it is, as exit and ksmd need the lock that we have. */
	if (slot)
		ksm_orphan_forked(slot);
}

/* Does ksmd know nothing of its pages?  Read once if under registry_lock only */
static bool knows_nothing(const struct ksm_slot *slot)
{
	return !READ_ONCE(slot->tables.rb_node);
}

/**
 * ksm_registry_free - let go of a slot
 * @slot: in no list, knows nothing of any page
 */
void ksm_registry_free(struct ksm_slot *slot)
{
	struct mm_struct *mm = slot->mm;

	/* Somewhere there may be an item that leads here: rather lose it. */
	if (WARN_ON_ONCE(!knows_nothing(slot) || slot->bytes))
		return;
	atomic_long_sub(sizeof(*slot), &ksm_slot_bytes);
	kmem_cache_free(slot_cache, slot);
	mmdrop(mm);
}

static void put_on_exited(struct ksm_slot *slot)
{
	lockdep_assert_held(&registry_lock);
	list_move_tail(&slot->list, &exited);
	slot->exit_nr = ++nr_exits;
}

/*
 * The cursor's slot stays where it is: the walk finds out at once, unless it is
 * just about to leave it, see leave_slot().
 */
static void mark_exited(struct ksm_slot *slot)
{
	lockdep_assert_held(&registry_lock);
	if (slot == ksm_cursor.slot)
		slot->exited = true;
	else
		put_on_exited(slot);
	if (atomic_read(&slot->mm->mm_users))
		WRITE_ONCE(slot->dead, true);
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
	if (slot && slot != ksm_cursor.slot && knows_nothing(slot)) {
		unlink_slot(slot);
		unknown = true;
	} else if (slot) {
		mark_exited(slot);
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
	/* Even if it is told to stop it has to forget; or nobody is left. */
	wake_up_interruptible(&ksm_wait);
}

/*
 * The cursor moves on: an mm that has exited meanwhile is not to be met again
 * only at the end of a whole pass, or never if there will be none.
 */
static void leave_slot(void)
{
	struct ksm_slot *slot = ksm_cursor.slot;

	lockdep_assert_held(&registry_lock);
	if (slot && slot->exited)
		put_on_exited(slot);
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
	/* Or else leave_slot() could move away the head of the list. */
	VM_WARN_ON_ONCE(slot != ksm_cursor.slot);
	at = slot ? slot->list.next : slots.next;
	leave_slot();
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
 * ksm_registry_remove - take a slot off the list
 * @slot: the cursor's, which moves to the one before, or to none; or one of
 *	  ksm_registry_exited()
 *
 * Context: ksm_scan_mutex held, and the mmap_lock unless the mm has exited, so
 * that it cannot be registered again before its flag is cleared.
 */
void ksm_registry_remove(struct ksm_slot *slot)
{
	struct list_head *before;

	lockdep_assert_held(&ksm_scan_mutex);
	spin_lock(&registry_lock);
	before = slot->list.prev;
	unlink_slot(slot);
	if (slot == ksm_cursor.slot)
		WRITE_ONCE(ksm_cursor.slot, before == &slots ? NULL :
			   list_entry(before, struct ksm_slot, list));
	spin_unlock(&registry_lock);
	clear_bit(MMF_VM_MERGEABLE, &slot->mm->flags);
}

static struct ksm_slot *find_exited(void)
{
	struct ksm_slot *slot = ksm_cursor.slot;

	lockdep_assert_held(&registry_lock);
	if (slot && ksm_slot_exiting(slot))
		return slot;
	return list_first_entry_or_null(&exited, struct ksm_slot, list);
}

/**
 * ksm_registry_has_exited - is there an mm that has exited, and is still known?
 *
 * Context: any.
 * Return: true if there is.
 */
bool ksm_registry_has_exited(void)
{
	bool found;

	spin_lock(&registry_lock);
	found = find_exited();
	spin_unlock(&registry_lock);
	return found;
}

/**
 * ksm_registry_exited - an mm that has exited, and is still known
 *
 * Context: ksm_scan_mutex held, which keeps it from being freed.
 * Return: its slot, the cursor's before all others; or NULL.
 */
struct ksm_slot *ksm_registry_exited(void)
{
	struct ksm_slot *slot;

	lockdep_assert_held(&ksm_scan_mutex);
	spin_lock(&registry_lock);
	slot = find_exited();
	spin_unlock(&registry_lock);
	return slot;
}

/**
 * ksm_registry_rewind - let the next scan begin anew
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_registry_rewind(void)
{
	lockdep_assert_held(&ksm_scan_mutex);
	spin_lock(&registry_lock);
	leave_slot();
	/* Its walk was not complete. */
	if (ksm_cursor.slot && ksm_cursor.forked)
		WRITE_ONCE(ksm_cursor.slot->forked, 1);
	WRITE_ONCE(ksm_cursor.slot, NULL);
	spin_unlock(&registry_lock);
}

/**
 * ksm_registry_pass_ended - what has exited by now is due before the next pass
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_registry_pass_ended(void)
{
	lockdep_assert_held(&ksm_scan_mutex);
	spin_lock(&registry_lock);
	exits_due = nr_exits;
	spin_unlock(&registry_lock);
}

/**
 * ksm_registry_exits_due - was an mm to be forgotten before the next pass?
 *
 * After a pass the counters are right about all that had exited before it.
 *
 * Context: ksmd, or ksm_scan_mutex held.
 * Return: true if there is one that still is to be forgotten.
 */
bool ksm_registry_exits_due(void)
{
	struct ksm_slot *slot;
	bool due;

	spin_lock(&registry_lock);
	slot = list_first_entry_or_null(&exited, struct ksm_slot, list);
	due = slot && (long)(exits_due - slot->exit_nr) >= 0;
	spin_unlock(&registry_lock);
	return due;
}

/**
 * ksm_registry_uncount_all - the filter is empty: the keys of no mm are counted
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_registry_uncount_all(void)
{
	struct ksm_slot *slot;

	lockdep_assert_held(&ksm_scan_mutex);
	spin_lock(&registry_lock);
	list_for_each_entry(slot, &slots, list)
		list_move_tail(&slot->uncounted, &uncounted);
	list_for_each_entry(slot, &exited, list)
		list_move_tail(&slot->uncounted, &uncounted);
	spin_unlock(&registry_lock);
}

/**
 * ksm_registry_uncounted - an mm whose keys are not counted
 *
 * Context: ksm_scan_mutex held, which keeps it from being freed.
 * Return: its slot, the same until ksm_registry_counted(); or NULL.
 */
struct ksm_slot *ksm_registry_uncounted(void)
{
	struct ksm_slot *slot;

	lockdep_assert_held(&ksm_scan_mutex);
	spin_lock(&registry_lock);
	while ((slot = list_first_entry_or_null(&uncounted, struct ksm_slot,
						uncounted))) {
		/* Exit may free one of which nothing is known. */
		if (!knows_nothing(slot))
			break;
		list_del_init(&slot->uncounted);
	}
	spin_unlock(&registry_lock);
	return slot;
}

/**
 * ksm_registry_counted - all keys of an mm are counted
 * @slot: of ksm_registry_uncounted()
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_registry_counted(struct ksm_slot *slot)
{
	lockdep_assert_held(&ksm_scan_mutex);
	spin_lock(&registry_lock);
	list_del_init(&slot->uncounted);
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
	bytes = slot ? READ_ONCE(slot->bytes) + sizeof(*slot) : 0;
	spin_unlock(&registry_lock);
	return bytes;
}

int __init ksm_registry_init(void)
{
	slot_cache = KMEM_CACHE(ksm_slot, 0);
	return slot_cache ? 0 : -ENOMEM;
}
