/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ksm_folio_no_extra_refs() of mm/ksm/candidate.c, while other mms that share
 * the page by fork exit (EXIT) or fork (FORK).  There is an extra reference all
 * the time, which must be noticed.
 *
 * With both EXIT and FORK it may be overlooked, see "Models" in
 * Documentation/mm/ksm-testing.rst.  Mutants: NO_SECOND, NO_FIRST.
 */

byte maps = 2;
byte refs = 4;		/* two mappings, that of the caller, the extra one */

proctype exit_mm()
{
	maps--;
	refs--
}

proctype fork_mm()
{
	refs++;
	maps++
}

proctype ksmd()
{
	byte seen, count;

#ifndef NO_FIRST
	seen = maps;
#endif
	count = refs;
#ifdef NO_FIRST
	seen = maps;
#endif
#ifdef NO_SECOND
	assert(count != seen + 1)
#else
	assert(count != seen + 1 || seen != maps)
#endif
}

init {
	atomic {
		run ksmd();
#ifdef EXIT
		run exit_mm();
#endif
#ifdef FORK
		run fork_mm()
#endif
	}
}
