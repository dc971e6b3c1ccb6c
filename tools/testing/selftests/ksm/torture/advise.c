// SPDX-License-Identifier: GPL-2.0
/*
 * madvise() in all ways that concern KSM.
 *
 * Advice that leaves the content alone is given while other threads use the
 * pages.  Ranges have holes, which makes madvise() say ENOMEM in the end.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ops.h"

#ifndef MADV_COLD
#define MADV_COLD	20
#define MADV_PAGEOUT	21
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

static bool advise(struct torture_op *op, int advice)
{
	return !madvise(op_address(op, 0), op_bytes(op), advice) ||
	       errno == ENOMEM;
}

bool torture_mergeable(struct torture_op *op)
{
	return advise(op, MADV_MERGEABLE);
}

bool torture_unmergeable(struct torture_op *op)
{
	return advise(op, MADV_UNMERGEABLE);
}

bool torture_pageout(struct torture_op *op)
{
	return advise(op, MADV_PAGEOUT);
}

bool torture_cold(struct torture_op *op)
{
	return advise(op, MADV_COLD);
}

/* --- Huge pages ----------------------------------------------------------- */

/*
 * One mapping without holes in place of the whole arena, filled; its pages are
 * of any size if huge.  All pages are locked.
 */
static bool renew_arena(struct torture_op *op, bool huge)
{
	struct torture_op all = { .slot = op->slot, .n = TORTURE_PAGES };

	if (!torture_mmap(&all))
		return false;
	madvise(op->slot->arena, op_bytes(&all),
		huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	if (op->aux & 1)
		madvise(op->slot->arena, op_bytes(&all), MADV_MERGEABLE);
	return torture_fill(&all);
}

/* Unlike others this waits for each lock, but not for ever. */
static size_t lock_all(struct torture_slot *s)
{
	unsigned int patience = 200;
	size_t n = 0;

	while (n < TORTURE_PAGES && patience) {
		if (torture_page_trylock(s, n)) {
			n++;
		} else {
			usleep(200);
			patience--;
		}
	}
	return n;
}

static bool with_all_locked(struct torture_op *op, bool collapse)
{
	struct torture_slot *s = op->slot;
	size_t n = lock_all(s);
	bool done;

	done = n == TORTURE_PAGES && renew_arena(op, !collapse);
	torture_range_unlock(s, 0, n);
	if (done && collapse)
		done = !madvise(s->arena, TORTURE_PAGES * ps(), MADV_COLLAPSE);
	return done;
}

bool torture_hugepage(struct torture_op *op)
{
	return with_all_locked(op, false);
}

bool torture_collapse(struct torture_op *op)
{
	return with_all_locked(op, true);
}

/* --- Advice that changes contents ---------------------------------------- */

/* Page by page: one that is locked refuses, and those behind it would not. */
bool torture_dontneed(struct torture_op *op)
{
	size_t i, done = 0;

	for (i = 0; i < op->n; i++) {
		if (!torture_mapped(op, i) ||
		    madvise(op_address(op, i), ps(), MADV_DONTNEED))
			continue;
		torture_now_zero(op_page(op, i));
		done++;
	}
	return done;
}

bool torture_free(struct torture_op *op)
{
	size_t i, done = 0;

	for (i = 0; i < op->n; i++) {
		if (!torture_mapped(op, i) ||
		    madvise(op_address(op, i), ps(), MADV_FREE))
			continue;
		op_page(op, i)->flags |= PAGE_LAZY;
		done++;
	}
	return done;
}
