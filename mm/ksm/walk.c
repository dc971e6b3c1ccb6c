// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walk over the registered memory.
 *
 * A walk goes on where the last one stopped, until the batch ends: over the
 * registered mms, their mergeable VMAs and the page tables of these, slice by
 * slice.  What slice.c finds is done after mmap_lock was dropped, by match.c,
 * which finds everything again.
 *
 * The chunks of state words and the page tables are walked side by side, both
 * in order of address; words without a page are dropped on the way.
 */
#include <linux/freezer.h>
#include <linux/mmdebug.h>
#include <linux/mmu_notifier.h>
#include <linux/pagewalk.h>
#include <linux/sched/clock.h>
#include <linux/sched/cputime.h>
#include <linux/sizes.h>

#include "internal.h"
#include "match.h"
#include "slice.h"

/* State words are dropped in ranges of this size, then the time is taken. */
#define KSM_SWEEP_BYTES	SZ_16M

static bool ksm_walk_jobs_full(const struct ksm_visit *v)
{
	return v->nr_jobs + KSM_JOBS_PER_SLICE > ARRAY_SIZE(v->job);
}

/*
 * The time that ksmd itself has run: while another task has the CPU does not
 * count.  To ask the scheduler takes longer than to visit a dozen pages; so
 * that is done only if there was a context switch since.
 */
static u64 ksm_walk_clock_ns(void)
{
	static unsigned long switches;
	static u64 away;
	unsigned long nr = current->nvcsw + current->nivcsw;
	u64 now = local_clock();

	lockdep_assert_held(&ksm_scan_mutex);
	if (nr != switches) {
		switches = nr;
		away = now - task_sched_runtime(current);
	}
	return now - away;
}

/* Suspend is not to wait for the end of a batch. */
static bool ksm_walk_batch_over(const struct ksm_pace *pace)
{
	return ksm_pace_over(pace) || freezing(current);
}

/*
 * Are there state words below @addr for which no page table was found?  They
 * are dropped by ksm_walk_sweep() without mmap_lock: there may be millions.
 */
static bool ksm_walk_found_gap(struct ksm_visit *v, unsigned long addr)
{
	struct ksm_pass *pass = v->pass;

	if (pass->swept >= addr)
		return false;
	if (ksm_track_next(v->slot, pass->swept) < addr) {
		v->gap = addr;
		return true;
	}
	pass->swept = addr;
	return false;
}

/*
 * Drop what is known from @swept, which moves on, to @end.  False: time is up
 */
static bool ksm_walk_sweep(struct ksm_slot *slot, unsigned long *swept,
			   unsigned long end, struct ksm_pace *pace)
{
	unsigned long from, to;

	while ((from = ksm_track_next(slot, *swept)) < end) {
		if (ksm_walk_batch_over(pace))
			return false;
		to = end - from > KSM_SWEEP_BYTES ? from + KSM_SWEEP_BYTES :
						    end;
		ksm_track_drop_range(slot, from, to, ksm_node_detach);
		*swept = to;
		ksm_pace_time(pace, ksm_walk_clock_ns());
	}
	return true;
}

static int ksm_walk_pmd(pmd_t *pmd, unsigned long addr, unsigned long end,
			struct mm_walk *walk)
{
	struct ksm_visit *v = walk->private;

	if (ksm_walk_found_gap(v, addr))
		return 1;
	while (addr < end) {
		/* The last slice may end where addresses do. */
		unsigned long last = min(end - 1, addr | (KSM_SLICE_BYTES - 1));

		addr = ksm_visit_slice(v, walk->vma, pmd, addr, last + 1);
		v->pass->addr = addr;
		v->pass->swept = addr;
		if (ksm_walk_jobs_full(v) || ksm_pace_over(v->pace))
			return 1;
	}
	cond_resched();
	ksm_pace_time(v->pace, ksm_walk_clock_ns());
	return ksm_walk_batch_over(v->pace) ||
	       mmap_lock_is_contended(walk->mm);
}

static const struct mm_walk_ops ksm_walk_ops = {
	.pmd_entry	= ksm_walk_pmd,
	.walk_lock	= PGWALK_RDLOCK,
};

/* False: the walk stops here. */
static bool ksm_walk_vma(struct ksm_visit *v, struct vm_area_struct *vma)
{
	struct ksm_pass *pass = v->pass;

	/* It may get pages later, and would not be registered again. */
	if (vma->vm_flags & VM_MERGEABLE)
		pass->mergeable = true;
	if (ksm_vma_mergeable(vma) &&
	    walk_page_range_vma(vma, max(vma->vm_start, pass->addr),
				vma->vm_end, &ksm_walk_ops, v) > 0)
		return false;
	pass->addr = vma->vm_end;
	/* There may be thousands without a page table. */
	ksm_pace_time(v->pace, ksm_walk_clock_ns());
	return !ksm_walk_batch_over(v->pace);
}

/* Walk on from where the pass is.  True: the mm is done. */
static bool ksm_walk_mm(struct ksm_visit *v)
{
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, v->slot->mm, v->pass->addr);

	for_each_vma(vmi, vma) {
		cond_resched();
		if (!ksm_walk_vma(v, vma))
			return false;
	}
	return !ksm_walk_found_gap(v, ULONG_MAX);
}

/* Drop all that is known of an mm. */
static void ksm_walk_forget_slot(struct ksm_slot *slot)
{
	ksm_track_drop_range(slot, 0, ULONG_MAX, ksm_node_detach);
}

/* Drop a slot of which nothing is known any more. */
static void ksm_walk_retire_slot(struct ksm_slot *slot)
{
	ksm_registry_remove(slot);
	ksm_registry_free(slot);
}

/* Drop all mms that have exited; the next scan starts over. */
static void ksm_walk_forget_exited(void)
{
	struct ksm_slot *slot;

	ksm_registry_rewind();
	while ((slot = ksm_registry_exited())) {
		ksm_walk_forget_slot(slot);
		ksm_walk_retire_slot(slot);
	}
}

enum ksm_walk_result {
	KSM_WALK_MORE, /* there is more to visit in this mm */
	KSM_WALK_GAP, /* there is something to sweep before */
	KSM_WALK_DONE, /* this mm is done */
	KSM_WALK_UNUSED, /* and nothing there can be merged */
	KSM_WALK_EXITING, /* its page tables must not be touched any more */
};

static enum ksm_walk_result ksm_walk_end_mm(struct ksm_visit *v)
{
	if (!v->pass->missed)
		v->slot->walked = v->pass->nr;
	if (v->pass->mergeable)
		return KSM_WALK_DONE;
	/* Under mmap_lock: it may be registered again. */
	ksm_registry_remove(v->slot);
	return KSM_WALK_UNUSED;
}

static enum ksm_walk_result ksm_walk_locked(struct ksm_visit *v)
{
	struct mm_struct *mm = v->slot->mm;

	mmap_assert_locked(mm);
	/* Exit is waiting for the lock. */
	if (ksm_slot_exiting(v->slot))
		return KSM_WALK_EXITING;
	v->gap = 0;
	v->trust = v->smart && !mm_has_notifiers(mm);
	v->recheck = !v->smart || v->pass->recheck;
	v->forked = v->pass->forked || READ_ONCE(v->slot->forked);
	if (ksm_walk_mm(v))
		return ksm_walk_end_mm(v);
	/* What was passed may be mergeable when the walk goes on. */
	v->pass->mergeable = true;
	return v->gap ? KSM_WALK_GAP : KSM_WALK_MORE;
}

static enum ksm_walk_result ksm_walk_slot(struct ksm_visit *v)
{
	struct mm_struct *mm = v->slot->mm;
	enum ksm_walk_result result;

	v->smart = READ_ONCE(ksm_smart_scan);
	mmap_read_lock(mm);
	result = ksm_walk_locked(v);
	mmap_read_unlock(mm);
	return result;
}

static void ksm_walk_do_job(struct ksm_visit *v, const struct ksm_job *job)
{
	struct ksm_candidate c = {
		.slot = v->slot,
		.addr = job->addr,
		.pfn = job->pfn,
		.probe = job->probe,
	};

	switch (job->kind) {
	case KSM_JOB_CANDIDATE:
		ksm_match_candidate(v->pass, &c);
		break;
	case KSM_JOB_MAPPING:
		ksm_match_mapping(&c);
		break;
	case KSM_JOB_DETACH:
		if (ksm_node_detach(job->item))
			ksm_item_free(job->item);
		break;
	}
}

static void ksm_walk_do_jobs(struct ksm_visit *v)
{
	unsigned int i;

	if (!v->nr_jobs)
		return;
	for (i = 0; i < v->nr_jobs; i++) {
		ksm_walk_do_job(v, &v->job[i]);
		cond_resched();
	}
	v->nr_jobs = 0;
	ksm_pace_skip(v->pace, ksm_walk_clock_ns());
}

/* Go on with the next mm.  Return: its slot, or NULL after the last. */
static struct ksm_slot *ksm_walk_next_slot(struct ksm_pass *pass)
{
	struct ksm_slot *slot = ksm_registry_next();

	/* The registry knows of this one only. */
	VM_WARN_ON_ONCE(pass != &ksm_pass);
	if (!slot)
		return NULL;
	pass->forked = xchg(&slot->forked, 0);
	pass->addr = 0;
	pass->swept = 0;
	pass->mergeable = false;
	pass->recheck = !ksm_recheck_believed(slot->walked, pass->nr);
	pass->missed = false;
	return slot;
}

/* One step of the scan.  Return: the slot to go on with. */
static struct ksm_slot *ksm_walk_step(struct ksm_visit *v)
{
	struct ksm_pass *pass = v->pass;
	struct ksm_slot *slot = v->slot;

	switch (ksm_walk_slot(v)) {
	case KSM_WALK_GAP:
		ksm_walk_do_jobs(v);
		ksm_walk_sweep(slot, &pass->swept, v->gap, v->pace);
		return slot;
	case KSM_WALK_DONE:
		ksm_walk_do_jobs(v);
		return ksm_walk_next_slot(pass);
	case KSM_WALK_UNUSED:
		ksm_registry_free(slot);
		return ksm_walk_next_slot(pass);
	case KSM_WALK_EXITING:
		pass->swept = 0;
		if (!ksm_walk_sweep(slot, &pass->swept, ULONG_MAX, v->pace))
			return slot;
		ksm_walk_retire_slot(slot);
		return ksm_walk_next_slot(pass);
	default:
		ksm_walk_do_jobs(v);
		return slot;
	}
}

/**
 * ksm_walk - scan for one batch
 * @v:	   the visit, with its pass; has no jobs
 * @pages: number of pages that may be read, looked up or merged
 *
 * Context: ksm_scan_mutex held; may sleep.
 * Return: true if the pass over all mms is complete.
 */
bool ksm_walk(struct ksm_visit *v, unsigned long pages)
{
	struct ksm_pace pace;

	lockdep_assert_held(&ksm_scan_mutex);
	v->pace = &pace;
	v->slot = v->pass->slot ?: ksm_walk_next_slot(v->pass);
	ksm_pace_begin(&pace, pages, v->pass->rest.quiet_ns,
		       ksm_walk_clock_ns());
	while (v->slot) {
		v->slot = ksm_walk_step(v);
		ksm_pace_time(&pace, ksm_walk_clock_ns());
		if (v->slot && ksm_walk_batch_over(&pace))
			break;
		cond_resched();
	}
	v->pace = NULL;
	v->pass->rest.spent_ns += pace.quiet_ns;
	ksm_rest_wake_if_found(&v->pass->rest, v->pass->new_pages,
			       ksm_counters.tracked);
	return !v->slot;
}

/**
 * ksm_walk_exited - drop what is known of mms that have exited
 * @pass: the pass; goes on behind them
 *
 * This takes a batch at most; ksm_registry_has_exited() tells whether any are
 * left.
 *
 * Context: ksm_scan_mutex held; may sleep.
 * Return: true if this has completed the pass: the mm where it was has gone,
 * and was the last.
 */
bool ksm_walk_exited(struct ksm_pass *pass)
{
	bool pass_ended = false;
	struct ksm_slot *slot;
	struct ksm_pace pace;

	lockdep_assert_held(&ksm_scan_mutex);
	ksm_pace_begin(&pace, ULONG_MAX, KSM_QUIET_NS, ksm_walk_clock_ns());
	while ((slot = ksm_registry_exited())) {
		bool at_pass = slot == pass->slot;
		unsigned long swept = 0;

		if (!ksm_walk_sweep(slot, &swept, ULONG_MAX, &pace))
			break;
		ksm_walk_retire_slot(slot);
		if (at_pass && !ksm_walk_next_slot(pass))
			pass_ended = true;
		cond_resched();
	}
	return pass_ended;
}

static int ksm_walk_unmerge_mm(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	int err = 0;

	VMA_ITERATOR(vmi, mm, 0);
	mmap_assert_locked(mm);
	for_each_vma(vmi, vma) {
		if (!(vma->vm_flags & VM_MERGEABLE) || !vma->anon_vma)
			continue;
		err = ksm_unmerge_range(vma, vma->vm_start, vma->vm_end, true);
		if (err)
			break;
	}
	return err;
}

/* Unmerge and forget the mm where the pass is; one that exits needs no copies */
static int ksm_walk_unmerge_slot(struct ksm_slot *slot)
{
	bool exiting;
	int err = 0;

	mmap_read_lock(slot->mm);
	exiting = ksm_slot_exiting(slot);
	if (!exiting)
		err = ksm_walk_unmerge_mm(slot->mm);
	mmap_read_unlock(slot->mm);
	if (!err || err == -ESRCH)
		ksm_walk_forget_slot(slot);
	if (exiting)
		ksm_walk_retire_slot(slot);
	return err == -ESRCH ? 0 : err;
}

/**
 * ksm_walk_unmerge_all - make all registered memory private, and forget it
 * @pass: the pass; starts over
 *
 * Context: ksm_scan_mutex held; takes mmap_lock for reading.
 * Return: 0, -ENOMEM or -ERESTARTSYS.
 */
int ksm_walk_unmerge_all(struct ksm_pass *pass)
{
	int err = 0;

	lockdep_assert_held(&ksm_scan_mutex);
	ksm_registry_rewind();
	/* A slot that is retired leaves the pass at the one before. */
	while (!err && ksm_registry_next())
		err = ksm_walk_unmerge_slot(pass->slot);
	/* An mm that has exited since was not met on the way. */
	ksm_walk_forget_exited();
	return err;
}

/**
 * ksm_walk_forget_all - forget all pages
 *
 * The next scan starts over.
 *
 * Context: ksm_scan_mutex held; there are no KSM pages.
 */
void ksm_walk_forget_all(void)
{
	struct ksm_slot *slot;

	lockdep_assert_held(&ksm_scan_mutex);
	ksm_registry_rewind();
	while ((slot = ksm_registry_next()))
		ksm_walk_forget_slot(slot);
	/* An mm that has exited was not met on the way. */
	ksm_walk_forget_exited();
}
