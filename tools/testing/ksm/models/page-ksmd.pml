/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A part of page.pml: ksmd.
 */

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
