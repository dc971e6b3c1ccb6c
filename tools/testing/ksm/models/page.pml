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

/* --- the CPU of an mm, and its page faults --- */

inline store(m)
{
	data[tlb[m]] = 1 - data[tlb[m]];
	expected[m] = data[tlb[m]];
#ifdef FORK
	/* What is stored while fork() copies may be in the child or not. */
	if
	:: forking[m] && MAPS(CHILD, tlb[m]) -> expected[CHILD] = expected[m]
	:: forking[m] && entry[CHILD] == e_none -> unsettled = true
	:: else
	fi
#endif
}

/* The first store through an entry sets the dirty bit in the page table. */
inline store_through_tlb(m)
{
	d_step { tlb[m] != NONE && tlb_writable[m] ->
		if
		:: tlb_written[m] -> store(m)
		:: else ->
			if
			:: MAPS(m, tlb[m]) && writable[m] ->
				written[m] = true;
				tlb_written[m] = true;
				store(m)
			:: else -> tlb[m] = NONE
			fi
		fi
	}
}

/*
 * What is done under one hold of the page table lock is one step here: the
 * thread that faults is the only one of its mm.
 */
#define MAY_FAULT(m)	(!ptl[m] && !writer[m] && !exiting[m])

/* wp_page_copy(); the old page is referenced */
inline copy_page(m)
{
	alloc(new, data[old]);
	d_step { !ptl[m] ->
		if
		:: MAPS(m, old) && !writable[m] ->
			flush_tlb(m);
			set_entry(m, new, true, true);
			exclusive[new] = true;
			maps[new] = 1;
			maps[old]--;
			__put(old)
		:: else -> __put(new)
		fi;
		__put(old);
		old = 0; new = 0; readers[m]--
	}
}

#define WRITE_FAULT(m)	(MAY_FAULT(m) && entry[m] == e_page && !writable[m])

/* Nobody else has it: do_wp_page(), wp_can_reuse_anon_folio() */
#define REUSABLE(f)	(kind[f] == f_anon && \
			 (exclusive[f] || (!locked[f] && maps[f] == 1 && \
					   refs[f] == 1 + cached[f])))

inline reuse_page(m)
{
	old = frame[m];
	if
	:: !exclusive[old] -> leave_cache(old)
	:: else
	fi;
	exclusive[old] = true;
	writable[m] = true;
	written[m] = true;
	flush_tlb(m);
	old = 0
}

/* do_swap_page() of a page in the swap cache; @old is referenced, locked */
inline map_cached(m)
{
	if
	:: entry[m] == e_swap ->
		set_entry(m, old, false, false);
		refs[old]++;
		maps[old]++
	:: else
	fi
}

/* ksm_might_need_to_copy(): it belongs to another. */
inline copy_cached(m)
{
	alloc(new, data[old]);
	d_step { !ptl[m] ->
		if
		:: entry[m] == e_swap ->
			set_entry(m, new, true, true);
			exclusive[new] = true;
			maps[new] = 1
		:: else -> __put(new)
		fi
	}
}

inline swap_in(m)
{
	if
	:: atomic { slot_frame != NONE -> old = slot_frame; refs[old]++ };
		LOCK(locked[old]);
		if
		:: d_step { cached[old] && !ptl[m] &&
			    (kind[old] == f_ksm || maps[old] == 0) ->
			map_cached(m) }
		:: cached[old] && kind[old] != f_ksm && maps[old] > 0 ->
			copy_cached(m)
		:: !cached[old]
		fi;
		d_step { locked[old] = false; __put(old) }
	:: atomic { slot_frame == NONE && entry[m] == e_swap ->
		alloc(new, slot_data) };
		d_step { !ptl[m] ->
			if
			:: entry[m] == e_swap && slot_frame == NONE ->
				set_entry(m, new, false, false);
				cached[new] = true;
				slot_frame = new;
				refs[new]++;
				maps[new] = 1
			:: else -> __put(new)
			fi }
	:: entry[m] != e_swap
	fi;
	d_step { old = 0; new = 0; readers[m]-- }
}

proctype cpu(byte m)
{
	byte old, new;

end:	do
	:: d_step { tlb[m] == NONE && entry[m] == e_page ->
		tlb[m] = frame[m];
		tlb_writable[m] = writable[m];
		tlb_written[m] = written[m] }
	:: store_through_tlb(m)
	/* A fault through an entry that is too old */
	:: d_step { MAY_FAULT(m) && entry[m] == e_page && writable[m] &&
		    tlb[m] != NONE && !tlb_writable[m] -> flush_tlb(m) }
	:: d_step { WRITE_FAULT(m) && REUSABLE(frame[m]) -> reuse_page(m) }
	:: d_step { WRITE_FAULT(m) && !REUSABLE(frame[m]) ->
		old = frame[m]; refs[old]++; readers[m]++ };
		copy_page(m)
#ifdef RECLAIM
	:: d_step { MAY_FAULT(m) && entry[m] == e_swap -> readers[m]++ };
		swap_in(m)
#endif
	od
}

/* --- get_user_pages(): writes to the page without an entry --- */

#ifdef GUP
proctype gup(byte m)
{
	byte f;

end:	do
	:: atomic { entry[m] == e_page && writable[m] -> f = frame[m] };
		/* try_get_folio(); then the entry is read again. */
		if
		:: atomic { refs[f] > 0 -> refs[f]++ };
			if
			:: atomic { MAPS(m, f) && writable[m] -> skip };
				atomic { data[f] = 1 - data[f];
					 expected[m] = data[f] }
			:: else
			fi;
			put(f)
		:: refs[f] == 0
		fi;
		f = 0
	od
}
#endif

/* --- ksmd --- */

/*
 * While fork() has not flushed the TLBs of the parent, what is stored through an
 * old entry may be in the child or not.  If ksmd has taken the child's entry,
 * that is settled when there is one again.  Within a d_step
 */
inline settle(m, f)
{
#ifdef FORK
	if
	:: m == CHILD && unsettled -> expected[CHILD] = data[f];
		unsettled = false
	:: else
	fi
#else
	skip
#endif
}

/* ksm_pte_take(); the candidate is referenced and locked */
inline take(m, c)
{
#ifdef BUG_COUNT_EARLY
	count = refs[c] - cached[c] - maps[c];
#endif
	LOCK(ptl[m]);
	if
	:: d_step { MAPS(m, c) ->
		was_writable = writable[m];
		was_written = written[m];
		clear_entry(m, e_none) };
#if !defined(BUG_NO_FLUSH) && !defined(BUG_FLUSH_LATE)
		FLUSH(m);
#endif
		seen = maps[c];
#ifndef BUG_COUNT_EARLY
		count = refs[c] - cached[c] - seen;
#endif
#ifdef BUG_NO_COUNT
		count = 1;
#endif
		if
		:: count == 1 && seen == maps[c] -> ok = true
		:: else -> give_back(m, c)
		fi
	:: !MAPS(m, c)
	fi
}

inline give_back(m, c)
{
	d_step { set_entry(m, c, was_writable, was_written); settle(m, c) }
}

/* ksm_pte_map_ksm_page(), and the item is attached */
inline map_ksm_page(m, c, k)
{
	refs[k]++;
	d_step {
		dirty[k] = true;
		maps[k]++;
#ifdef BUG_WRITABLE
		set_entry(m, k, was_writable, true);
#else
		set_entry(m, k, false, false);
#endif
		settle(m, k);
		if
		:: was_written -> dirty[c] = true
		:: else
		fi;
		maps[c]--;
		exclusive[c] = false;
		if
		:: maps[c] == 0 -> leave_cache(c)
		:: else
		fi;
		__put(c)
	}
}

inline pin(m)
{
	atomic { !writer[m] && !exiting[m] -> readers[m]++ };
	d_step { !ptl[m] ->
		assert(!zapped[m]);
		c = NONE;
		if
		:: entry[m] == e_page && kind[frame[m]] == f_anon ->
			c = frame[m]; refs[c]++
		:: else
		fi
	}
}

inline unpin(m)
{
	d_step {
		if
		:: c != NONE -> __put(c)
		:: else
		fi;
		readers[m]--
	}
}

/* ksm_merge_replace(): @k is locked or known to nobody */
inline replace(m, c, k)
{
	take(m, c);
	if
	:: ok;
#ifdef BUG_NO_COMPARE
		ok = true;
#elif defined(BUG_COMPARE_EARLY)
		ok = same;
#else
		ok = (data[c] == data[k]);
#endif
		if
		:: ok -> map_ksm_page(m, c, k)
		:: else -> give_back(m, c)
		fi
	:: !ok
	fi;
#ifdef BUG_FLUSH_LATE
	FLUSH(m);
#endif
	UNLOCK(ptl[m])
}

/* ksm_node_bind() and ksm_pte_protect(), page table lock held */
inline bind(m, c)
{
	d_step {
		kind[c] = f_ksm;
		exclusive[c] = false;
		node = c;
#ifndef BUG_NOT_DIRTY
		dirty[c] = true;
#endif
		set_entry(m, c, false, false);
		settle(m, c);
		attached[m] = true
	}
}

inline promote_itself(m)
{
	take(m, c);
	if
	:: ok -> bind(m, c)
	:: else
	fi;
	UNLOCK(ptl[m])
}

inline promote_copy(m)
{
	alloc(k, data[c]);
	d_step { locked[k] = true; kind[k] = f_ksm; node = k };
	replace(m, c, k);
	d_step {
		if
		:: ok -> attached[m] = true
		:: else -> node = NONE
		fi;
		locked[k] = false;
		__put(k)
	}
}

/* ksm_merge_promote() */
inline promote(m)
{
	pin(m);
	if
	:: c != NONE;
		if
		:: atomic { !locked[c] -> locked[c] = true };
			if
			:: kind[c] != f_anon
#ifdef BUG_PROMOTE_SHARED
			:: kind[c] == f_anon -> promote_itself(m)
#else
			:: kind[c] == f_anon && maps[c] <= 1 ->
				promote_itself(m)
			:: kind[c] == f_anon && maps[c] > 1 -> promote_copy(m)
#endif
			fi;
			UNLOCK(locked[c])
		:: locked[c]
		fi
	:: else
	fi;
	unpin(m)
}

/* ksm_merge_into(), @k referenced */
inline join_locked(m)
{
#ifndef BUG_NO_NODE_CHECK
	if
	:: kind[k] == f_ksm && node == k ->
#else
	if
	:: true ->
#endif
		same = (data[c] == data[k]);
		if
		:: atomic { same && !locked[c] -> locked[c] = true };
			if
			:: kind[c] == f_anon ->
				replace(m, c, k);
				if
				:: ok -> attached[m] = true
				:: else
				fi
			:: else
			fi;
			UNLOCK(locked[c])
		:: else
		fi
	:: else
	fi
}

inline join(m)
{
	pin(m);
	if
	:: c != NONE && c != k;
		LOCK(locked[k]);
		join_locked(m);
		UNLOCK(locked[k])
	:: else
	fi;
	unpin(m)
}

/* ksm_merge_attach(): a mapping that is there by a fork or from swap */
inline attach(m)
{
	LOCK(locked[k]);
	d_step {
		if
		:: node == k && MAPS(m, k) -> attached[m] = true
		:: else
		fi
	}
	UNLOCK(locked[k])
}

/* ksm_node_detach() */
inline detach(m)
{
	LOCK(locked[k]);
	d_step {
		if
		:: node == k && !MAPS(m, k) -> attached[m] = false
		:: else
		fi
	}
	UNLOCK(locked[k])
}

/* ksm_slice_clean(): the dirty bit goes from the entry to the folio. */
#ifdef CLEAN
inline clean(m)
{
	atomic { !writer[m] && !exiting[m] -> readers[m]++ };
	LOCK(ptl[m]);
	if
	:: entry[m] == e_page && kind[frame[m]] == f_anon &&
	   maps[frame[m]] == 1 && written[m] ->
#ifndef BUG_CLEAN_NOT_DIRTY
		dirty[frame[m]] = true;
#endif
		written[m] = false;
#ifndef BUG_CLEAN_NO_FLUSH
		FLUSH(m)
#endif
	:: else
	fi;
	UNLOCK(ptl[m]);
	readers[m]--
}
#endif

proctype ksmd()
{
	byte c, k, m, seen, count;
	bool ok, same, was_writable, was_written;

end:	do
	:: m = 0;
		if
		:: m = 1
#ifdef FORK
		:: !writer[CHILD] && entry[CHILD] != e_none -> m = CHILD
#endif
		:: skip
		fi;
		if
		:: node == NONE && entry[m] == e_page -> promote(m)
		/* ksm_node_get_folio() */
		:: atomic { node != NONE && refs[node] > 0 ->
			k = node; refs[k]++ };
			if
			:: entry[m] == e_page && frame[m] != k -> join(m)
			:: MAPS(m, k) && !attached[m] -> attach(m)
			:: attached[m] && !MAPS(m, k) &&
			   entry[m] != e_migration -> detach(m)
			:: else
			fi;
			put(k)
#ifdef CLEAN
		:: clean(m)
#endif
		fi;
		d_step { c = 0; k = 0; m = 0; seen = 0; count = 0; ok = false;
			 same = false; was_writable = false;
			 was_written = false }
	od
}

/* --- the rest of the kernel --- */

/* Unmerging one mapping: run=2, under mmap_lock for reading */
#ifdef UNMERGE
inline take_over(m)
{
	if
	:: atomic { refs[f] == 1 && !locked[f] -> locked[f] = true };
		if
		:: d_step { refs[f] == 1 -> refs[f] = 0 };
			d_step {
				kind[f] = f_anon; exclusive[f] = true;
				if
				:: node == f -> node = NONE;
					attached[0] = false;
					attached[1] = false
				:: else
				fi;
				dirty[f] = true
			};
			refs[f] = 1;
			written[m] = true;
			done = true
		:: refs[f] != 1
		fi;
		locked[f] = false
	:: else
	fi
}

inline unmerge_copy(m)
{
	UNLOCK(ptl[m]);
	alloc(new, 0);
	LOCK(ptl[m]);
	if
	:: entry[m] == e_page && kind[frame[m]] == f_ksm ->
		f = frame[m];
		data[new] = data[f];
		clear_entry(m, e_none);
#ifndef BUG_UNMERGE_NO_FLUSH
		FLUSH(m);
#endif
		d_step {
			set_entry(m, new, false, true);
			exclusive[new] = true;
			maps[new] = 1;
			maps[f]--;
			__put(f)
		}
	:: else -> put(new)
	fi
}

proctype unmerge(byte m)
{
	byte f, new;
	bool done;

end:	do
	:: atomic { !writer[m] && entry[m] == e_page &&
		    kind[frame[m]] == f_ksm -> readers[m]++ };
		LOCK(ptl[m]);
		done = false;
		if
		:: entry[m] == e_page && kind[frame[m]] == f_ksm ->
			f = frame[m];
			take_over(m);
			if
			:: !done -> unmerge_copy(m)
			:: else
			fi
		:: else
		fi;
		UNLOCK(ptl[m]);
		readers[m]--;
		f = 0;
		new = 0
	od
}
#endif

#ifdef FORK
proctype fork()
{
	atomic { !writer[0] && readers[0] == 0 ->
		writer[0] = true; forking[0] = true };
	LOCK(ptl[0]);
	if
	:: entry[0] == e_page ->
		refs[frame[0]]++;
		maps[frame[0]]++;
		d_step {
			exclusive[frame[0]] = false;
			writable[0] = false;
			set_entry(CHILD, frame[0], false, written[0]);
			expected[CHILD] = expected[0]
		}
	:: d_step { entry[0] == e_swap || entry[0] == e_migration ->
		entry[CHILD] = entry[0];
		frame[CHILD] = frame[0];
		expected[CHILD] = expected[0] }
	:: else
	fi;
	UNLOCK(ptl[0]);
	/* ksmd may visit the child already. */
	FLUSH(0);
	forking[0] = false;
	writer[0] = false;
	run cpu(CHILD)
}
#endif

#ifdef EXIT
proctype exit(byte m)
{
	byte f;

	exiting[m] = true;
	/* ksm_exit() waits for ksmd to leave. */
#ifndef BUG_EXIT_NO_WAIT
	atomic { readers[m] == 0 && !writer[m] -> writer[m] = true };
	writer[m] = false;
#endif
	zapped[m] = true;
	LOCK(ptl[m]);
	if
	:: d_step { entry[m] == e_page ->
		f = frame[m]; clear_entry(m, e_none); maps[f]-- };
		UNLOCK(ptl[m]);
#ifdef BUG_EXIT_FREE_EARLY
		put(f);
		FLUSH(m)
#else
		FLUSH(m);
		put(f)
#endif
	:: d_step { entry[m] != e_page -> clear_entry(m, e_none) };
		UNLOCK(ptl[m]);
		FLUSH(m)
	fi
}
#endif

#define UNMAP(m, how) \
	d_step { !ptl[m] -> \
		if \
		:: MAPS(m, f) && FOUND(f, m) -> \
			if \
			:: written[m] -> dirty[f] = true; flush = true \
			:: else \
			fi; \
			clear_entry(m, how); \
			maps[f]--; \
			refs[f]-- \
		:: else \
		fi \
	}

inline flush_all()
{
	d_step {
		flush_tlb(0); flush_tlb(1);
#ifdef FORK
		flush_tlb(2);
#endif
		flush = false
	}
}

#ifdef RECLAIM
/* shrink_folio_list() of one folio, isolated and locked */
inline pageout()
{
	if
	:: maps[f] == 0;
		if
		:: dirty[f];
			if
			:: flush -> flush_all()
			:: else
			fi;
			d_step { slot_data = data[f]; dirty[f] = false }
		:: else
		fi;
		/* The flush of clean entries is due before the page is freed. */
		if
		:: d_step { refs[f] == 2 && !dirty[f] -> refs[f] = 0;
			cached[f] = false; slot_frame = NONE };
			flush_all();
			d_step { locked[f] = false; release(f) };
			done = true
		:: else
		fi
	:: else
	fi
}

proctype reclaim()
{
	byte f;
	bool flush, done;

end:	do
	:: if
	   :: f = 0
	   :: f = 1
	   :: f = 2
	   fi;
		if
		:: atomic { kind[f] != f_free && refs[f] > 0 && maps[f] > 0 &&
			    !locked[f] && (cached[f] || !slot_used) ->
			locked[f] = true; refs[f]++; done = false };
			d_step {
				if
				:: !cached[f] -> cached[f] = true; refs[f]++;
					slot_frame = f; slot_used = true;
					dirty[f] = true
				:: else
				fi
			}
			UNMAP(0, e_swap);
			if
			:: { UNMAP(1, e_swap);
#ifdef FORK
			     UNMAP(2, e_swap);
#endif
			     pageout() }
			:: skip		/* it could not go on */
			fi;
			if
			:: !done -> flush_all();
				locked[f] = false;
				put(f)
			:: else
			fi
		:: else
		fi;
		d_step { f = 0; flush = false; done = false }
	od
}
#endif

#ifdef MIGRATION
#define REMAP(m, to) \
	d_step { !ptl[m] -> \
		if \
		:: entry[m] == e_migration && frame[m] == f && FOUND(to, m) -> \
			entry[m] = e_page; \
			frame[m] = to; \
			maps[to]++; \
			refs[to]++ \
		:: else \
		fi \
	}

/* The new one gets what the old one was: folio_migrate_flags() */
inline migrate_to(to)
{
	d_step {
		kind[to] = kind[f];
		data[to] = data[f];
		exclusive[to] = exclusive[f];
		dirty[to] = dirty[f];
		if
		:: node == f -> node = to
		:: else
		fi;
		if
		:: cached[f] -> cached[f] = false; cached[to] = true;
			refs[f]--; refs[to]++; slot_frame = to
		:: else
		fi
	}
}

proctype migration()
{
	byte f, to, target;
	bool flush;

end:	do
	:: if
	   :: f = 0
	   :: f = 1
	   :: f = 2
	   fi;
		if
		:: atomic { kind[f] != f_free && refs[f] > 0 && maps[f] > 0 &&
			    !locked[f] -> locked[f] = true; refs[f]++ };
			alloc(to, 0);
			locked[to] = true;
			target = f;
			UNMAP(0, e_migration);
			UNMAP(1, e_migration);
#ifdef FORK
			UNMAP(2, e_migration);
#endif
#ifndef BUG_MIGRATE_NO_FLUSH
			flush_all();
#endif
			if
			:: maps[f] == 0 && refs[f] == 1 + cached[f] ->
				migrate_to(to);
				target = to
			:: else
			fi;
			REMAP(0, target);
			REMAP(1, target);
#ifdef FORK
			REMAP(2, target);
#endif
			d_step {
				assert(!(entry[0] == e_migration &&
					 frame[0] == f));
				assert(!(entry[1] == e_migration &&
					 frame[1] == f));
#ifdef FORK
				assert(!(entry[2] == e_migration &&
					 frame[2] == f))
#endif
			};
			locked[f] = false;
			locked[to] = false;
			put(to);
			put(f)
		:: else
		fi;
		d_step { f = 0; to = 0; target = 0; flush = false }
	od
}
#endif

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
