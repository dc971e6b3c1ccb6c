/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A round of the torture: a storm, a rest, the end of all processes
 */
#ifndef KSM_TORTURE_ROUND_H
#define KSM_TORTURE_ROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the kernel did, by its counters or by what they were seen to change */
enum torture_effect {
	EFFECT_MERGES,		/* pages_sharing was seen to grow by */
	EFFECT_UNMERGES,	/* pages_sharing was seen to fall by */
	EFFECT_COW,
	EFFECT_SWAP_OUTS,
	EFFECT_SWAP_INS,
	EFFECT_KSM_SWAP_INS,	/* copies of KSM pages that were swapped in */
	EFFECT_MIGRATIONS,
	EFFECT_THP_SPLITS,
	NR_EFFECTS
};

struct torture_report {
	uint64_t effect[NR_EFFECTS];
	uint64_t rounds;
	uint64_t roots;		/* processes that are no forks */
	uint64_t ms;
};

/*
 * Find out what this kernel cannot do; once, before the first round.  Kinds in
 * this list, with underscores in their names, are left out as well.
 */
void torture_setup(const char *without);

/* One round, with a storm of so many milliseconds */
void torture_round(uint64_t nr, unsigned int storm_ms,
		   struct torture_report *r);

/* The rest, when every thread has ended: look, audit, swap out, look. */
void torture_rest(void);

/* Look at all pages of all processes. */
void torture_look(void);

/* Nothing may be left of what has ended. */
void torture_after(long pages_before);

/* Pages of the control group that are on LRU lists, or -1 */
long torture_lru_pages(void);

/* Did everything that can be had here happen often enough to mean something? */
bool torture_enough(const struct torture_report *r);

void torture_report(const struct torture_report *r, bool json);

#endif /* KSM_TORTURE_ROUND_H */
