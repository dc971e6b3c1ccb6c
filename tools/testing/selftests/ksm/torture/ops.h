/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a thread does with pages of its process
 *
 * An operation gets pages that are locked and right, and leaves them right: it
 * changes memory and what is known of it together.  It returns false if it has
 * done nothing; that is no failure, as kernels may refuse much.
 */
#ifndef KSM_TORTURE_OPS_H
#define KSM_TORTURE_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "world.h"

/**
 * struct torture_op - one operation
 * @slot: of the process
 * @page: the first page that is locked
 * @n: how many are
 * @aux: random bits
 * @child: the name of a process that is made by it
 */
struct torture_op {
	struct torture_slot *slot;
	size_t page;
	size_t n;
	uint64_t aux;
	uint64_t child;
};

typedef bool (*torture_op_fn)(struct torture_op *op);

/* Do it with locked pages, or with pages that others use at the same time. */
struct torture_op_info {
	torture_op_fn locked;
	torture_op_fn unlocked;
};

extern const struct torture_op_info torture_ops[NR_KINDS];

static inline struct torture_page *op_page(const struct torture_op *op,
					   size_t i)
{
	return &op->slot->page[op->page + i];
}

static inline char *op_address(const struct torture_op *op, size_t i)
{
	return torture_address(op->slot, op->page + i);
}

static inline size_t op_bytes(const struct torture_op *op)
{
	return op->n * ps();
}

/* Mapped, and it is known what it contains. */
bool torture_mapped(const struct torture_op *op, size_t i);

/* How many pages from the first one on are. */
size_t torture_mapped_run(const struct torture_op *op);

/* Empty memory was mapped here, or nothing. */
void torture_now_zero(struct torture_page *p);
void torture_now_hole(struct torture_page *p);

/* Room for one page, of this thread */
void *torture_buffer(void);

/* Writes */
bool torture_fill(struct torture_op *op);
bool torture_patch(struct torture_op *op);
bool torture_copy(struct torture_op *op);
bool torture_read(struct torture_op *op);
bool torture_mem(struct torture_op *op);
bool torture_direct(struct torture_op *op);
bool torture_uring(struct torture_op *op);
bool torture_verify(struct torture_op *op);
bool torture_vfork(struct torture_op *op);
bool torture_clone_vm(struct torture_op *op);

/* A partial write to the first page was made by other means. */
bool torture_patched(struct torture_op *op);

/* Advice */
bool torture_mergeable(struct torture_op *op);
bool torture_unmergeable(struct torture_op *op);
bool torture_dontneed(struct torture_op *op);
bool torture_free(struct torture_op *op);
bool torture_pageout(struct torture_op *op);
bool torture_cold(struct torture_op *op);
bool torture_hugepage(struct torture_op *op);
bool torture_collapse(struct torture_op *op);

/* Mappings */
bool torture_mmap(struct torture_op *op);
bool torture_munmap(struct torture_op *op);
bool torture_mremap_move(struct torture_op *op);
bool torture_mremap_grow(struct torture_op *op);
bool torture_mprotect(struct torture_op *op);
bool torture_mlock(struct torture_op *op);
bool torture_mbind(struct torture_op *op);

/* userfaultfd */
bool torture_uffd_copy(struct torture_op *op);
bool torture_uffd_protect(struct torture_op *op);
bool torture_uffd_move(struct torture_op *op);
const char *torture_uffd_lacks(enum torture_kind kind);

/* Processes */
bool torture_prctl(struct torture_op *op);
bool torture_fork(struct torture_op *op);
bool torture_exec(struct torture_op *op);
bool torture_exit(struct torture_op *op);

#endif /* KSM_TORTURE_OPS_H */
