/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between walk.c and slice.c: a visit to one mm, and what comes out of it.
 */
#ifndef _MM_KSM_SLICE_H
#define _MM_KSM_SLICE_H

#include <linux/mm.h>

struct ksm_pace;
struct ksm_pass;
struct ksm_rmap_item;
struct ksm_slot;

/* Entries visited under one hold of the page table lock, at most */
#define KSM_SLICE	64
#define KSM_SLICE_BYTES	(KSM_SLICE * PAGE_SIZE)

enum ksm_job_kind {
	KSM_JOB_CANDIDATE,	/* unchanged, and may have a duplicate */
	KSM_JOB_MAPPING,	/* maps a KSM page that is not known there */
	KSM_JOB_DETACH,		/* an item that no longer maps its KSM page */
};

/**
 * struct ksm_job - something to do about a page when no lock is held
 * @kind:  what to do
 * @addr:  address where the page was seen
 * @pfn:   page frame number
 * @probe: scoped probe of a candidate
 * @item:  item to be detached
 */
struct ksm_job {
	enum ksm_job_kind kind;
	unsigned long addr;
	unsigned long pfn;
	u64 probe;
	struct ksm_rmap_item *item;
};

/* A slice leaves at most two jobs per entry. */
#define KSM_JOBS_PER_SLICE	(2 * KSM_SLICE)

/**
 * struct ksm_visit - walking over one mm, under its mmap_lock
 * @pass:    the pass it is part of
 * @slot:    slot of the mm
 * @pace:    pace of the batch
 * @smart:   smart_scan
 * @trust:   dirty bits tell of every write
 * @recheck: all unchanged pages look for a duplicate
 * @forked:  the mm may have forked since the last visit
 * @gap:     what is known below this address is to be dropped; 0: nothing
 * @nr_jobs: length of @job
 * @job:     has room for what another slice may leave
 */
struct ksm_visit {
	struct ksm_pass *pass;
	struct ksm_slot *slot;
	struct ksm_pace *pace;
	bool smart;
	bool trust;
	bool recheck;
	bool forked;
	unsigned long gap;
	unsigned int nr_jobs;
	struct ksm_job job[2 * KSM_JOBS_PER_SLICE];
};

unsigned long ksm_visit_slice(struct ksm_visit *v, struct vm_area_struct *vma,
			      pmd_t *pmd, unsigned long addr,
			      unsigned long end);

/* walk.c */
bool ksm_walk(struct ksm_visit *v, unsigned long pages);
bool ksm_walk_exited(struct ksm_pass *pass);
int ksm_walk_unmerge_all(struct ksm_pass *pass);
void ksm_walk_forget_all(void);

#endif /* _MM_KSM_SLICE_H */
