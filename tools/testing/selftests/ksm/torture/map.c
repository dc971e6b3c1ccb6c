// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of mappings
 *
 * A hole is covered by an inaccessible mapping at once, which only says that the
 * address is ours.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ops.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP	4
#endif

#define MPOL_BIND		2
#define MPOL_MF_MOVE		(1 << 1)

static bool map_at(char *at, size_t n, int prot)
{
	if (mmap(at, n * ps(), prot, MAP_PRIVATE | MAP_ANONYMOUS |
		 MAP_NORESERVE | MAP_FIXED, -1, 0) == at)
		return true;
	torture_fail("mmap: %s\n", strerror(errno));
	return false;
}

static void plug(struct torture_slot *s, size_t page, size_t n)
{
	size_t i;

	map_at(torture_address(s, page), n, PROT_NONE);
	for (i = page; i < page + n; i++)
		torture_now_hole(&s->page[i]);
}

bool torture_mmap(struct torture_op *op)
{
	size_t i;

	if (!map_at(op_address(op, 0), op->n, PROT_READ | PROT_WRITE))
		return false;
	for (i = 0; i < op->n; i++)
		torture_now_zero(op_page(op, i));
	if (op->aux & 3)
		madvise(op_address(op, 0), op_bytes(op), MADV_MERGEABLE);
	return op->aux & 4 ? torture_fill(op) : true;
}

bool torture_munmap(struct torture_op *op)
{
	size_t n = torture_mapped_run(op);

	if (!n)
		return false;
	torture_holes_lock(op->slot);
	munmap(op_address(op, 0), n * ps());
	plug(op->slot, op->page, n);
	torture_holes_unlock(op->slot);
	return true;
}

/* --- mremap() ------------------------------------------------------------ */

static bool move_one(struct torture_op *op, size_t i, size_t to, int more)
{
	struct torture_page *from = op_page(op, i), *p = &op->slot->page[to];

	if (mremap(op_address(op, i), ps(), ps(),
		   MREMAP_MAYMOVE | MREMAP_FIXED | more,
		   torture_address(op->slot, to)) == MAP_FAILED)
		return false;
	torture_page_note(p, KIND_MREMAP_MOVE);
	p->content = from->content;
	p->flags = from->flags;
	if (more)
		torture_now_zero(from);
	else
		plug(op->slot, op->page + i, 1);
	return true;
}

static bool move_all(struct torture_op *op, size_t n, size_t to)
{
	size_t i;

	if (mremap(op_address(op, 0), n * ps(), n * ps(),
		   MREMAP_MAYMOVE | MREMAP_FIXED,
		   torture_address(op->slot, to)) == MAP_FAILED)
		return false;
	for (i = 0; i < n; i++) {
		torture_page_note(&op->slot->page[to + i], KIND_MREMAP_MOVE);
		op->slot->page[to + i].content = op_page(op, i)->content;
		op->slot->page[to + i].flags = op_page(op, i)->flags;
	}
	plug(op->slot, op->page, n);
	return true;
}

/*
 * To anywhere in the arena: all at once, which only works for pages of one
 * mapping, or one by one, sometimes with the old mapping left behind.
 */
bool torture_mremap_move(struct torture_op *op)
{
	size_t to = op->aux % (TORTURE_PAGES - op->n), i, n, done = 0;
	int more = op->aux >> 60 & 1 ? MREMAP_DONTUNMAP : 0;

	if (to + op->n > op->page && to < op->page + op->n)
		return false;
	n = torture_range_trylock(op->slot, to, torture_mapped_run(op));
	if (!n)
		return false;
	/* A call that fails may have unmapped what was there. */
	torture_holes_lock(op->slot);
	plug(op->slot, to, n);
	if (more || !move_all(op, n, to)) {
		for (i = 0; i < n; i++)
			done += move_one(op, i, to + i, more);
	} else {
		done = n;
	}
	for (i = 0; i < n; i++)
		if (!(op->slot->page[to + i].flags & PAGE_MAPPED))
			plug(op->slot, to + i, 1);
	torture_holes_unlock(op->slot);
	torture_range_unlock(op->slot, to, n);
	return done;
}

/* The first page grows over the others, in place. */
bool torture_mremap_grow(struct torture_op *op)
{
	size_t i, n = torture_mapped_run(op);
	bool done;

	if (n < 2)
		return false;
	torture_holes_lock(op->slot);
	munmap(op_address(op, 1), (n - 1) * ps());
	done = mremap(op_address(op, 0), ps(), n * ps(), 0) != MAP_FAILED;
	if (!done)
		plug(op->slot, op->page + 1, n - 1);
	torture_holes_unlock(op->slot);
	for (i = 1; done && i < n; i++)
		torture_now_zero(op_page(op, i));
	return done;
}

/* --- Others -------------------------------------------------------------- */

bool torture_mprotect(struct torture_op *op)
{
	size_t i, n = torture_mapped_run(op);
	int prot = op->aux & 1 ? PROT_READ : PROT_NONE;

	if (!n || mprotect(op_address(op, 0), n * ps(), prot))
		return false;
	if (op->aux & 2)
		usleep(op->aux >> 8 & 1023);
	for (i = 0; prot == PROT_READ && i < n; i++)
		torture_page_check(op->slot, op->page + i, op_address(op, i),
				   "when read-only");
	if (mprotect(op_address(op, 0), n * ps(), PROT_READ | PROT_WRITE))
		torture_fail("mprotect: %s\n", strerror(errno));
	return true;
}

bool torture_mlock(struct torture_op *op)
{
	size_t n = torture_mapped_run(op);

	if (!n)
		return false;
	if (op->aux % 3)
		return !munlock(op_address(op, 0), n * ps());
	return !mlock(op_address(op, 0), n * ps());
}

bool torture_mbind(struct torture_op *op)
{
	unsigned long mask = 1UL << world->nodes[op->aux % 2];
	size_t n = torture_mapped_run(op);

	return n && !syscall(SYS_mbind, op_address(op, 0), n * ps(), MPOL_BIND,
			     &mask, 8 * sizeof(mask), MPOL_MF_MOVE);
}
