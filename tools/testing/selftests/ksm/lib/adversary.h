/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes that arrange their memory to make ksmd as slow as possible, and
 * measurements of its cost
 *
 * The CPU time of ksmd is compared with that for ordinary pages in the same
 * boot: pages of random unique content in one mapping.  Measured per page are:
 *
 *   initial	the passes until ksmd has merged new pages or knows that they
 *		are unique
 *   backoff	the mean of the passes in which ksmd finds out that pages never
 *		stop changing, if the adversary acts
 *   pass	one later pass, while the adversary acts
 *
 * A bound is a multiple of an ordinary cost.  Bounds are generous, so as not to
 * depend on the machine or on debug options of the kernel, but far below any
 * cost that grows faster than the number of pages.
 */
#ifndef KSM_LIB_ADVERSARY_H
#define KSM_LIB_ADVERSARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Seed of the contents of unique page 0; page i has this plus i */
#define ADVERSARY_SEED	1000000

struct adversary_shared {
	unsigned long fresh;	/* new mappings of pages made by act() */
	unsigned long ready;	/* children whose memory is set up */
};

/* The memory of an adversary */
struct adversary_mem {
	size_t pages;		/* mappings of pages that are mergeable */
	size_t stride;		/* bytes from one page to the next */
	char *map;
	pid_t *children;
	size_t nr_children;
	uint64_t rounds;
	/* Shared by all its processes and the test */
	struct adversary_shared *shared;
};

struct adversary {
	size_t pages;		/* scaled down on small machines */
	/* Set up the memory; as an ordinary user. */
	void (*prepare)(struct adversary_mem *a);
	/* One round of what it does all the time; NULL: it does nothing */
	void (*act)(struct adversary_mem *a);
	bool (*verify)(struct adversary_mem *a);
	/*
	 * Page table entries for each page: 1 unless memory is sparse.  Costs
	 * are divided by it.
	 */
	unsigned int entries;
	/* Maximum of the initial cost, as a multiple of the ordinary one */
	unsigned int initial;
	/*
	 * Maximum of the cost of a pass.  Without act() it is a multiple of an
	 * ordinary pass.  Otherwise every pass finds new contents, so it is a
	 * multiple of the ordinary initial cost, also for backoff.
	 */
	unsigned int pass;
};

/* Measure ordinary pages, before the first case. */
void adversary_calibrate(void);

/* Measure an adversary; check that costs are bounded, and its contents. */
void adversary_test(const struct adversary *adv);

/* Address of page i. */
char *adversary_page(const struct adversary_mem *a, size_t i);

/* pages in one mapping, not touched yet */
void adversary_map(struct adversary_mem *a);

/* Ordinary memory: unique pages, and whether their contents are unchanged */
void adversary_prepare_unique(struct adversary_mem *a);
bool adversary_verify_unique(struct adversary_mem *a);

/* Wait until the pass seen last has ended, or ksmd was stopped. */
void adversary_next_pass(long long *pass);

#endif /* KSM_LIB_ADVERSARY_H */
