// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walk over the registered memory, and do something about what deserves it.
 *
 * A walk goes from where the last one stopped to where the batch ends: over
 * the registered mms, their mergeable VMAs and the page tables of these, slice
 * by slice.  What slice.c finds is done after mmap_lock was dropped, by
 * match.c, which finds everything again.
 *
 * The chunks of state words and the page tables are walked side by side, both
 * in order of address; words without a page are dropped on the way.
 */
#include <linux/freezer.h>
#include <linux/mmu_notifier.h>
#include <linux/pagewalk.h>
#include <linux/sched/clock.h>
#include <linux/sched/cputime.h>
#include <linux/sizes.h>

#include "internal.h"
#include "slice.h"

/* State words are dropped in ranges of this size, then time is taken. */
#define SWEEP_BYTES	SZ_16M

/* One visit at a time; ksm_scan_mutex. */
static struct ksm_visit visit;

static bool out_of_jobs(const struct ksm_visit *v)
{
	return v->nr_jobs + KSM_JOBS_PER_SLICE > ARRAY_SIZE(v->job);
}

/*
 * What ksmd itself has run, as long as somebody else has the CPU does not
 * count.  To ask the scheduler takes longer than to visit a dozen pages; so
 * that is only done if there was a switch since.
 */
static u64 cpu_clock_ns(void)
{
	static unsigned long switches;
	static u64 away;
	unsigned long nr = current->nvcsw + current->nivcsw;
	u64 now = local_clock();

	if (nr != switches) {
		switches = nr;
		away = now - task_sched_runtime(current);
	}
	return now - away;
}

/* Suspend is not to wait for the end of a batch. */
static bool batch_over(const struct ksm_pace *pace)
{
	return ksm_pace_over(pace) || freezing(current);
}

/*
 * Are there state words below @addr that no page table was found for?  They
 * are dropped by sweep(), when mmap_lock was let go: there may be millions.
 */
static bool gap(struct ksm_visit *v, unsigned long addr)
{
	if (ksm_cursor.swept >= addr)
		return false;
	if (ksm_track_next(v->slot, ksm_cursor.swept) < addr) {
		v->gap = addr;
		return true;
	}
	ksm_cursor.swept = addr;
	return false;
}

/* Drop what is known from @swept, which moves on, to @end.  False: time is up */
static bool sweep(struct ksm_slot *slot, unsigned long *swept,
		  unsigned long end, struct ksm_pace *pace)
{
	unsigned long from, to;

	while ((from = ksm_track_next(slot, *swept)) < end) {
		if (batch_over(pace))
			return false;
		to = end - from > SWEEP_BYTES ? from + SWEEP_BYTES : end;
		ksm_track_drop_range(slot, from, to, ksm_node_detach);
		*swept = to;
		ksm_pace_time(pace, cpu_clock_ns());
	}
	return true;
}

static int visit_pmd(pmd_t *pmd, unsigned long addr, unsigned long end,
		     struct mm_walk *walk)
{
	struct ksm_visit *v = walk->private;

	if (gap(v, addr))
		return 1;
	while (addr < end) {
		/* The last slice may end where addresses do. */
		unsigned long last = min(end - 1, addr | (KSM_SLICE_BYTES - 1));

		addr = ksm_visit_slice(v, walk->vma, pmd, addr, last + 1);
		ksm_cursor.addr = addr;
		ksm_cursor.swept = addr;
		if (out_of_jobs(v) || ksm_pace_over(v->pace))
			return 1;
	}
	cond_resched();
	ksm_pace_time(v->pace, cpu_clock_ns());
	return batch_over(v->pace) || mmap_lock_is_contended(walk->mm);
}

static const struct mm_walk_ops visit_ops = {
	.pmd_entry	= visit_pmd,
	.walk_lock	= PGWALK_RDLOCK,
};

static void begin_slot(struct ksm_slot *slot)
{
	ksm_cursor.forked = xchg(&slot->forked, 0);
	ksm_cursor.addr = 0;
	ksm_cursor.swept = 0;
	ksm_cursor.mergeable = false;
	ksm_cursor.epoch = ksm_filter_epoch;
	ksm_cursor.room = ksm_stable_room_epoch;
}

static void end_slot(struct ksm_slot *slot)
{
	slot->seen_epoch = ksm_cursor.epoch;
	slot->seen_room = ksm_cursor.room;
}

/* False: stop here. */
static bool walk_vma(struct ksm_visit *v, struct vm_area_struct *vma)
{
	/* It may be filled later, and nobody would register it again */
	if (vma->vm_flags & VM_MERGEABLE)
		ksm_cursor.mergeable = true;
	if (ksm_vma_mergeable(vma) &&
	    walk_page_range_vma(vma, max(vma->vm_start, ksm_cursor.addr),
				vma->vm_end, &visit_ops, v) > 0)
		return false;
	ksm_cursor.addr = vma->vm_end;
	/* There may be thousands without a page table. */
	ksm_pace_time(v->pace, cpu_clock_ns());
	return !batch_over(v->pace);
}

/* Walk on from the cursor.  True: this mm is done. */
static bool walk_mm(struct ksm_visit *v)
{
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, v->slot->mm, ksm_cursor.addr);

	for_each_vma(vmi, vma) {
		cond_resched();
		if (!walk_vma(v, vma))
			return false;
	}
	return !gap(v, ULONG_MAX);
}

/* Drop all that is known of the cursor's mm. */
static void forget_slot(struct ksm_slot *slot)
{
	ksm_track_drop_range(slot, 0, ULONG_MAX, ksm_node_detach);
}

/* Let go of a slot about which nothing is known any more. */
static void retire(struct ksm_slot *slot)
{
	ksm_registry_remove(slot);
	ksm_registry_free(slot);
}

/* All mms that have exited; the scan begins anew. */
static void forget_exited(void)
{
	struct ksm_slot *slot;

	ksm_registry_rewind();
	while ((slot = ksm_registry_exited())) {
		forget_slot(slot);
		retire(slot);
	}
}

enum outcome {
	WALK_MORE,	/* there is more to see in this mm */
	WALK_GAP,	/* there is something to sweep before */
	WALK_DONE,	/* this mm is done */
	WALK_UNUSED,	/* and nothing there can be merged */
	WALK_EXITING,	/* nobody may touch this mm any more */
};

/* mmap_lock held for reading */
static enum outcome walk_locked(struct ksm_visit *v)
{
	struct mm_struct *mm = v->slot->mm;

	/* Its exit is waiting for the lock. */
	if (ksm_slot_exiting(v->slot))
		return WALK_EXITING;
	v->gap = 0;
	v->trust = v->patient && !mm_has_notifiers(mm);
	v->forked = ksm_cursor.forked || READ_ONCE(v->slot->forked);
	if (!walk_mm(v)) {
		/* What was passed may be mergeable when the walk goes on. */
		ksm_cursor.mergeable = true;
		return v->gap ? WALK_GAP : WALK_MORE;
	}
	end_slot(v->slot);
	if (ksm_cursor.mergeable)
		return WALK_DONE;
	/* Under the lock: it may be registered again. */
	ksm_registry_remove(v->slot);
	return WALK_UNUSED;
}

/* Walk over the cursor's mm, from where the last walk stopped. */
static enum outcome walk_slot(struct ksm_slot *slot, struct ksm_pace *pace)
{
	struct mm_struct *mm = slot->mm;
	enum outcome outcome;

	visit.slot = slot;
	visit.pace = pace;
	visit.patient = READ_ONCE(ksm_smart_scan);

	mmap_read_lock(mm);
	outcome = walk_locked(&visit);
	mmap_read_unlock(mm);
	return outcome;
}

static void do_job(struct ksm_slot *slot, const struct ksm_job *job)
{
	switch (job->kind) {
	case KSM_JOB_CANDIDATE:
		ksm_match_candidate(slot, job->addr, job->pfn, job->probe);
		break;
	case KSM_JOB_JOIN:
		ksm_match_join(slot, job->addr, job->pfn);
		break;
	case KSM_JOB_DETACH:
		if (ksm_node_detach(job->item))
			ksm_item_free(job->item);
		break;
	}
}

static void do_jobs(struct ksm_slot *slot, struct ksm_pace *pace)
{
	unsigned int i;

	if (!visit.nr_jobs)
		return;
	for (i = 0; i < visit.nr_jobs; i++) {
		do_job(slot, &visit.job[i]);
		cond_resched();
	}
	visit.nr_jobs = 0;
	ksm_pace_skip(pace, cpu_clock_ns());
}

static struct ksm_slot *next_slot(struct ksm_slot *slot)
{
	slot = ksm_registry_next(slot);
	if (slot)
		begin_slot(slot);
	return slot;
}

/* One step of the scan.  Return: the slot to go on with. */
static struct ksm_slot *step(struct ksm_slot *slot, struct ksm_pace *pace)
{
	switch (walk_slot(slot, pace)) {
	case WALK_GAP:
		do_jobs(slot, pace);
		sweep(slot, &ksm_cursor.swept, visit.gap, pace);
		return slot;
	case WALK_DONE:
		do_jobs(slot, pace);
		return next_slot(slot);
	case WALK_UNUSED:
		ksm_registry_free(slot);
		return next_slot(ksm_cursor.slot);
	case WALK_EXITING:
		ksm_cursor.swept = 0;
		if (!sweep(slot, &ksm_cursor.swept, ULONG_MAX, pace))
			return slot;
		retire(slot);
		return next_slot(ksm_cursor.slot);
	default:
		do_jobs(slot, pace);
		return slot;
	}
}

/**
 * ksm_walk - scan for one batch
 * @pages: how many may be read, searched or merged
 *
 * Context: ksm_scan_mutex held; may sleep.
 * Return: true if the pass over all mms is complete.
 */
bool ksm_walk(unsigned long pages)
{
	struct ksm_slot *slot = ksm_cursor.slot ?: next_slot(NULL);
	struct ksm_pace pace;

	lockdep_assert_held(&ksm_scan_mutex);
	ksm_pace_begin(&pace, pages, cpu_clock_ns());
	while (slot) {
		slot = step(slot, &pace);
		ksm_pace_time(&pace, cpu_clock_ns());
		if (slot && batch_over(&pace))
			return false;
		cond_resched();
	}
	return true;
}

/**
 * ksm_walk_exited - forget what is known of mms that have exited
 *
 * For as long as a batch at most; that there are some left is seen by
 * ksm_registry_has_exited().
 *
 * Context: ksm_scan_mutex held; may sleep.
 * Return: true if this brought a pass to its end: the mm where the cursor was
 * has gone, and was the last.
 */
bool ksm_walk_exited(void)
{
	bool pass_ended = false;
	struct ksm_slot *slot;
	struct ksm_pace pace;

	lockdep_assert_held(&ksm_scan_mutex);
	ksm_pace_begin(&pace, ULONG_MAX, cpu_clock_ns());
	while ((slot = ksm_registry_exited())) {
		unsigned long swept = 0;
		bool at_cursor = slot == ksm_cursor.slot;

		if (!sweep(slot, &swept, ULONG_MAX, &pace))
			break;
		retire(slot);
		if (at_cursor && !next_slot(ksm_cursor.slot))
			pass_ended = true;
		cond_resched();
	}
	return pass_ended;
}

/* mmap_lock held */
static int unmerge_mm(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	int err = 0;

	VMA_ITERATOR(vmi, mm, 0);
	for_each_vma(vmi, vma) {
		if (!(vma->vm_flags & VM_MERGEABLE) || !vma->anon_vma)
			continue;
		err = ksm_unmerge_range(vma, vma->vm_start, vma->vm_end, true);
		if (err)
			break;
	}
	return err;
}

/**
 * ksm_walk_unmerge_all - make all that is registered private, and forget it
 *
 * The next scan begins anew.
 *
 * Context: ksm_scan_mutex held; takes mmap_lock for reading.
 * Return: 0, -ENOMEM or -ERESTARTSYS.
 */
int ksm_walk_unmerge_all(void)
{
	struct ksm_slot *slot;
	int err = 0;

	ksm_registry_rewind();
	slot = ksm_registry_next(NULL);
	while (slot && !err) {
		mmap_read_lock(slot->mm);
		if (ksm_slot_exiting(slot)) {
			mmap_read_unlock(slot->mm);
			forget_slot(slot);
			retire(slot);
			slot = ksm_cursor.slot;
		} else {
			err = unmerge_mm(slot->mm);
			mmap_read_unlock(slot->mm);
			if (!err || err == -ESRCH)
				forget_slot(slot);
			if (err == -ESRCH)
				err = 0;	/* it exits by itself */
		}
		slot = ksm_registry_next(slot);
	}
	/* Who has exited since was not met on the way. */
	forget_exited();
	return err;
}

/**
 * ksm_walk_forget_all - forget all pages
 *
 * The next scan begins anew.
 *
 * Context: ksm_scan_mutex held; there are no KSM pages.
 */
void ksm_walk_forget_all(void)
{
	struct ksm_slot *slot = NULL;

	ksm_registry_rewind();
	while ((slot = ksm_registry_next(slot)))
		forget_slot(slot);
	/* Who has exited was not met on the way. */
	forget_exited();
}
