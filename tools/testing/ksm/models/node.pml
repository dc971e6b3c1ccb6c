/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a node to its page: ksm_node_get_folio() and ksm_node_lock_folio() of
 * mm/ksm/node.c, against everything that moves, frees or freezes the page.
 *
 * Each access to memory of the reader is a step of its own.  What the others do
 * is in steps where the reader could tell the difference.  Memory is
 * sequentially consistent here: the litmus tests are about the order in which
 * other CPUs see the steps.
 *
 * What must hold:
 *
 *  - a page that ksm_node_get_folio() returns has the content of the KSM page,
 *    as long as the reference is held;
 *  - a page that ksm_node_lock_folio() returns is that of the node;
 *  - a node that is said to have lost its page has lost it for ever.
 *
 * Mutants, each of which has to break one of these: NO_RECHECK, NO_LOCK_RECHECK,
 * NO_MOVES, PFN_FOR_MOVES, MAPPING_FIRST, NO_FLAG, NO_COUNT, NO_MAPPING,
 * NO_FREEZE.
 *
 * CACHED_TWICE lets a page come into the swap cache for a second time while the
 * reader decides: see "Models" in Documentation/mm/ksm-testing.rst.
 */

#define NF	3		/* page frames */
#define NONE	9

#define KSM_CONTENT	1
#define OTHER_CONTENT	2

mtype = { m_free, m_node, m_other };	/* folio->mapping */
mtype = { r_done, r_gone, r_retry };	/* enum ksm_result */

mtype mapping[NF];
byte count[NF];
byte content[NF];
bool cached[NF];		/* in the swap cache */
bool locked[NF];
bool mapped;			/* some entry maps the page */

/* struct ksm_stable_node */
byte pfn = 0;
byte moves = 0;

/* Where the page of the node is; NONE: freed, or no KSM page any more */
byte home = 0;

/*
 * Bounds, so that there is an end; RECLAIM, TAKE_OVER and REUSE tell what
 * happens to the page besides.
 */
#ifndef MIGRATIONS
#define MIGRATIONS	2
#endif
byte migrations = MIGRATIONS;
byte cachings = 1;

#define TRYLOCK(f)	(!locked[f] && count[f] > 0)

inline put(f)
{
	d_step {
		count[f]--;
		if
		:: count[f] == 0 ->
			mapping[f] = m_free;
			content[f] = OTHER_CONTENT;
			cached[f] = false;
			if
			:: home == f -> home = NONE
			:: else
			fi
		:: else
		fi
	}
}

/* --- what happens to the page --- */

/* A frame that nobody has */
inline alloc(f)
{
	atomic {
		if
		:: count[0] == 0 && mapping[0] == m_free -> f = 0
		:: count[1] == 0 && mapping[1] == m_free -> f = 1
		:: count[2] == 0 && mapping[2] == m_free -> f = 2
		fi;
		count[f] = 1
	}
}

inline put_moved(from, to)
{
#ifdef MAPPING_FIRST
	mapping[from] = m_other;
	home = to;
	pfn = to;
	moves++;
#else
	home = to;
	pfn = to;
	moves++;
	mapping[from] = m_other;
#endif
	cached[from] = false
}

/* __folio_migrate_mapping(), folio_migrate_flags(); the frame is @from */
inline migrate_to(from, to)
{
	if
	:: atomic { cached[from] && count[from] == 2 -> count[from] = 0 };
		mapping[to] = m_node;
		count[to]++;
		cached[to] = true;
		count[from] = 1;
		put_moved(from, to)
	:: atomic { !cached[from] && count[from] == 1 -> mapping[to] = m_node };
		put_moved(from, to)
	:: else
	fi
}

proctype migration()
{
	byte from, to;

end:	do
	:: atomic { migrations > 0 && home != NONE && TRYLOCK(home) ->
		from = home;
		locked[from] = true;
		count[from]++;
		migrations-- };
		alloc(to);
		atomic { locked[to] = true; content[to] = content[from] };
		atomic { if
			 :: mapped -> mapped = false; count[from]--
			 :: else
			 fi };
		migrate_to(from, to);
		/* The one that is the page now is mapped again. */
		atomic { mapped = true; count[home]++ };
		locked[from] = false;
		locked[to] = false;
		put(from);
		put(to)
	od
}

/* Reclaim: shrink_folio_list(), __remove_mapping() */
proctype reclaim()
{
	byte f;

end:	do
	:: atomic { cachings > 0 && home != NONE && TRYLOCK(home) ->
		f = home;
		locked[f] = true;
		count[f]++;
		if
		:: !cached[f] -> cachings--
		:: else
		fi };
		atomic { if
			 :: !cached[f] -> cached[f] = true; count[f]++
			 :: else
			 fi };
		atomic { if
			 :: mapped -> mapped = false; count[f]--
			 :: else
			 fi };
		if
		:: atomic { count[f] == 2 -> count[f] = 0 };
			if
			:: count[f] = 2		/* it was found dirty */
			:: atomic { cached[f] = false; home = NONE };
				locked[f] = false;
				/* It waits in a batch, then it is freed. */
				atomic { mapping[f] = m_free;
					 content[f] = OTHER_CONTENT };
				goto next
			fi
		:: count[f] != 2
		fi;
		locked[f] = false;
		put(f);
next:		skip
	od
}

/* A page fault reads it from the swap cache. */
proctype swap_in()
{
	byte f;

end:	do
	:: atomic { home != NONE && TRYLOCK(home) && cached[home] && !mapped ->
		f = home;
		locked[f] = true;
		count[f] = count[f] + 2;	/* its own, and the mapping's */
		mapped = true };
		if
		:: atomic { cached[f] = false; count[f]-- }
#ifdef CACHED_TWICE
			; cachings = 1
#endif
		:: skip
		fi;
		locked[f] = false;
		put(f)
	od
}

/* The last mapping goes. */
proctype unmap()
{
	byte f;

	atomic { mapped && home != NONE -> f = home; mapped = false };
	put(f)
}

/* ksm_unmerge_take_over() */
proctype take_over()
{
	byte f;

	atomic { mapped && home != NONE && TRYLOCK(home) ->
		f = home; locked[f] = true };
	if
#ifdef NO_FREEZE
	:: count[f] == 1 && mapped;
#else
	/* From here on it cannot fail: the node has lost its page. */
	:: atomic { count[f] == 1 && mapped -> count[f] = 0; home = NONE };
#endif
		atomic { mapping[f] = m_other; home = NONE };
		/* Its owner writes to it as soon as the lock is dropped. */
#ifdef NO_FREEZE
		content[f] = OTHER_CONTENT;
#else
		atomic { count[f] = 1; content[f] = OTHER_CONTENT };
#endif
		mapped = false
	:: else
	fi;
	locked[f] = false
}

/* A frame is used for something else, and is freed again. */
proctype reuse()
{
	byte f;

	alloc(f);
	atomic { mapping[f] = m_other; content[f] = OTHER_CONTENT };
	put(f)
}

/* --- the reader, ksmd --- */

/* Without an answer r_result is 0. */
inline judge_frozen()
{
	r_result = 0;
	r_cached = cached[r_folio];
#ifndef NO_COUNT
	r_count = count[r_folio];
#endif
	if
	:: r_count != 0
	:: r_count == 0;
#ifndef NO_MAPPING
		if
		:: mapping[r_folio] != m_node -> goto judged
		:: mapping[r_folio] == m_node
		fi;
		if
		:: moves != r_moves -> goto judged
		:: moves == r_moves
		fi;
#endif
#ifdef NO_FLAG
		r_result = r_gone
#else
		if
		:: r_cached -> r_result = r_retry
		:: else -> r_result = r_gone
		fi
#endif
	fi;
judged:	skip
}

#ifdef PFN_FOR_MOVES
#define MOVED	(pfn != r_folio)
#else
#define MOVED	(moves != r_moves)
#endif

inline get_folio()
{
	skip;
again:	skip;
	r_moves = moves;
	r_folio = pfn;
	if
	:: mapping[r_folio] != m_node -> goto stale
	:: mapping[r_folio] == m_node
	fi;
	if
	:: atomic { count[r_folio] > 0 -> count[r_folio]++ }
	:: atomic { count[r_folio] == 0 -> r_count = 0 };
		judge_frozen();
		if
		:: r_result == 0 -> goto again
		:: else -> goto got
		fi
	fi;
#ifndef NO_RECHECK
	if
	:: mapping[r_folio] != m_node -> put(r_folio); goto stale
	:: mapping[r_folio] == m_node
	fi;
#endif
	r_result = r_done;
	goto got;
stale:	skip;
#ifndef NO_MOVES
	if
	:: MOVED -> goto again
	:: else
	fi;
#endif
	r_result = r_gone;
got:	skip
}

proctype ksmd()
{
	byte r_moves, r_folio, r_count;
	bool r_cached;
	mtype r_result;

	do
	:: get_folio();
		if
		:: r_result == r_gone -> break
		:: r_result == r_retry
		:: r_result == r_done;
			assert(content[r_folio] == KSM_CONTENT);
			atomic { !locked[r_folio] -> locked[r_folio] = true };
			assert(content[r_folio] == KSM_CONTENT ||
			       mapping[r_folio] != m_node);
#ifndef NO_LOCK_RECHECK
			if
			:: mapping[r_folio] == m_node ->
				assert(home == r_folio)
			:: else
			fi;
#else
			assert(home == r_folio);
#endif
			locked[r_folio] = false;
			put(r_folio)
		fi
	od;
	assert(home == NONE)
}

init {
	atomic {
		mapping[0] = m_node; count[0] = 1; content[0] = KSM_CONTENT;
		mapping[1] = m_free; content[1] = OTHER_CONTENT;
		mapping[2] = m_free; content[2] = OTHER_CONTENT;
		mapped = true;
		run ksmd();
		run unmap();
#if MIGRATIONS > 0
		run migration();
#endif
#ifdef RECLAIM
		run reclaim();
		run swap_in();
#endif
#ifdef TAKE_OVER
		run take_over();
#endif
#ifdef REUSE
		run reuse()
#endif
	}
}
