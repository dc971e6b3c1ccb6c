/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of one merged page: mm/ksm/pte.c, merge.c and unmerge.c against
 * whoever writes to the page, holds, moves, reclaims or gives it up.
 *
 * Each mm has one page, at one address, and one thread, with a TLB that may hold
 * an old entry until it is flushed.  The content of a page is one bit.  Memory
 * is sequentially consistent here: the litmus tests are about barriers.  How
 * ksmd gets from a node to its page is one step here: that is node.pml.
 *
 * What must hold in every state is the claim of monitor() below:
 *
 *  - an mm sees what it has written itself, and nothing else;
 *  - no entry, in a page table or in a TLB, allows to write to a KSM page;
 *  - no entry leads to a frame that was freed.
 *
 * Besides, no migration entry is left behind, and nothing but the mm itself
 * touches a page table after ksm_exit().
 *
 * Who takes part is chosen by macros: GUP, FORK, RECLAIM, MIGRATION, EXIT,
 * UNMERGE, CLEAN.  With ONE_WRITER the second mm does not write.  Names that
 * begin with BUG_ are mutants: each leaves out one thing, and has to break the
 * claim.
 */

#ifdef FORK
#define NM	3		/* mms; the last is the child of the first */
#else
#define NM	2
#endif
#define CHILD	2
#ifndef NF
#define NF	4		/* page frames */
#endif
#define NONE	9

mtype = { f_free, f_anon, f_ksm };
mtype = { e_none, e_page, e_swap, e_migration };

/* Page frames */
mtype kind[NF] = f_free;
byte refs[NF];
byte maps[NF];			/* mapcount */
bool exclusive[NF];
bool locked[NF];
bool dirty[NF];
bool cached[NF];		/* in the swap cache */
bit data[NF];

/* Page table entries */
mtype entry[NM] = e_none;
byte frame[NM];
bool writable[NM];
bool written[NM];		/* dirty */
bool ptl[NM];

/* TLBs */
byte tlb[NM] = NONE;
bool tlb_writable[NM];
bool tlb_written[NM];

/* mms */
byte readers[NM];		/* mmap_lock */
bool writer[NM];
bool forking[NM];
bool exiting[NM];		/* mm_users is 0 */
bool zapped[NM];		/* ksm_exit() has returned */
bit expected[NM];		/* what the mm has written last */

#ifdef FORK
bool unsettled;			/* see settle() */
#endif

/* KSM */
byte node = NONE;		/* frame of the KSM page */
bool attached[NM];		/* an item of the mm is attached to the node */

/* The one swap slot */
bool slot_used;
bit slot_data;
byte slot_frame = NONE;		/* its page in the swap cache */

#define LOCK(l)		atomic { !l -> l = true }
#define UNLOCK(l)	l = false

/* Does the reverse map lead from the frame to the entry of this mm? */
#ifdef FORK
#define FOUND(f, m)	(kind[f] != f_ksm || attached[m] || \
			 (m == CHILD && attached[0]))
#else
#define FOUND(f, m)	(kind[f] != f_ksm || attached[m])
#endif

#define MAPS(m, f)	(entry[m] == e_page && frame[m] == (f))

#define BAD_ENTRY(m)	(entry[m] == e_page && \
			 (kind[frame[m]] == f_free || \
			  data[frame[m]] != expected[m] || \
			  (writable[m] && kind[frame[m]] == f_ksm)))
#define BAD_TLB(m)	(tlb[m] != NONE && \
			 (kind[tlb[m]] == f_free || \
			  data[tlb[m]] != expected[m] || \
			  (tlb_writable[m] && kind[tlb[m]] == f_ksm)))

#define BAD(m)		(BAD_ENTRY(m) || BAD_TLB(m))
#ifdef FORK
#define BAD_CHILD	BAD(CHILD)
#define CHILD_SWAPPED	(entry[CHILD] == e_swap)
#else
#define BAD_CHILD	false
#define CHILD_SWAPPED	false
#endif

proctype monitor()
{
end:	if
	:: d_step { BAD(0) || BAD(1) || BAD_CHILD -> assert(false) }
	fi
}

/* --- frames --- */

/* The lowest that is free: one that was just freed is used again at once. */
inline alloc(f, value)
{
	d_step {
		if
		:: kind[0] == f_free -> f = 0
		:: kind[0] != f_free && kind[1] == f_free -> f = 1
		:: kind[0] != f_free && kind[1] != f_free &&
		   kind[2] == f_free -> f = 2
#if NF > 3
		:: kind[0] != f_free && kind[1] != f_free &&
		   kind[2] != f_free && kind[3] == f_free -> f = 3
#endif
#if NF > 4
		:: kind[0] != f_free && kind[1] != f_free &&
		   kind[2] != f_free && kind[3] != f_free &&
		   kind[4] == f_free -> f = 4
#endif
		fi;
		kind[f] = f_anon;
		refs[f] = 1;
		data[f] = value
	}
}

inline release(f)
{
	kind[f] = f_free;
	exclusive[f] = false;
	dirty[f] = false;
	data[f] = 0;
	if
	:: node == f -> node = NONE; attached[0] = false; attached[1] = false
	:: else
	fi
}

/* Within a d_step or an atomic */
inline __put(f)
{
	refs[f]--;
	if
	:: refs[f] == 0 -> release(f)
	:: else
	fi
}

inline put(f)
{
	d_step { __put(f) }
}

/* An entry of @m is filled in; within a d_step */
inline set_entry(m, f, may_write, is_dirty)
{
	entry[m] = e_page;
	frame[m] = f;
	writable[m] = may_write;
	written[m] = is_dirty
}

inline clear_entry(m, how)
{
	entry[m] = how;
	written[m] = false;
	if
	:: how != e_migration -> frame[m] = 0; writable[m] = false
	:: else
	fi
}

inline flush_tlb(m)
{
	tlb[m] = NONE; tlb_writable[m] = false; tlb_written[m] = false
}

#define FLUSH(m)	d_step { flush_tlb(m) }

inline leave_cache(f)
{
	if
	:: cached[f] -> cached[f] = false; slot_frame = NONE; refs[f]--
	:: else
	fi;
	if
	:: slot_frame == NONE && entry[0] != e_swap && entry[1] != e_swap &&
	   !CHILD_SWAPPED -> slot_used = false
	:: else
	fi
}

#include "page-cpu.pml"
#include "page-ksmd.pml"
#include "page-rest.pml"

init {
	atomic {
		kind[0] = f_anon; refs[0] = 1; maps[0] = 1; exclusive[0] = true;
		kind[1] = f_anon; refs[1] = 1; maps[1] = 1; exclusive[1] = true;
		entry[0] = e_page; frame[0] = 0; writable[0] = true;
		entry[1] = e_page; frame[1] = 1; writable[1] = true;
		dirty[0] = true; dirty[1] = true;
		run monitor();
		run ksmd();
		run cpu(0);
#ifndef ONE_WRITER
		run cpu(1);
#endif
#ifdef GUP
		run gup(0);
#endif
#ifdef FORK
		run fork();
#endif
#ifdef RECLAIM
		run reclaim();
#endif
#ifdef MIGRATION
		run migration();
#endif
#ifdef UNMERGE
		run unmerge(0);
#endif
#ifdef EXIT
		run exit(0);
#endif
	}
}
