/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A part of page.pml: unmerging, and the rest of the kernel.
 */

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
