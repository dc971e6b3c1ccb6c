/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A part of page.pml: what an mm does to its page.
 */

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
