/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes that arrange their memory so as to cost ksmd as much as possible,
 * and how much that is.
 *
 * The CPU time of ksmd is compared with what ordinary pages cost in the same
 * boot: pages of random unique content in one mapping.  These figures are
 * taken, per page:
 *
 *   settle	all that ksmd does about new pages until it has merged them or
 *		knows them to be unique
 *   learn	the mean of the passes in which it finds out that the adversary
 *		never comes to rest, if it acts
 *   pass	one pass later on, while the adversary does what it does
 *
 * A bound is a multiple of an ordinary figure.  Bounds are generous, so as not
 * to depend on the machine or on what a kernel checks about itself, but far
 * below what anything would take that grows faster than the number of pages.
 */
#ifndef KSM_LIB_SIEGE_H
#define KSM_LIB_SIEGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What unique pages contain: this and their number */
#define SIEGE_SEED	1000000

struct siege_board {
	unsigned long fresh;	/* new mappings of pages made by act() */
	unsigned long ready;	/* children that have set up theirs */
};

/* The memory of an adversary */
struct siege_army {
	size_t pages;		/* mappings of pages that are mergeable */
	size_t stride;		/* bytes from one page to the next */
	char *map;
	pid_t *kids;
	size_t nr_kids;
	uint64_t rounds;
	/* Shared by all its processes, and with the director. */
	struct siege_board *board;
};

struct siege_adversary {
	size_t pages;		/* to be scaled down on small machines */
	/* Set up the memory; as an ordinary user. */
	void (*prepare)(struct siege_army *a);
	/* One round of what it does all the time; NULL: it sits still. */
	void (*act)(struct siege_army *a);
	bool (*verify)(struct siege_army *a);
	/*
	 * What ksmd has to look at for each page, in page table entries: 1
	 * unless there is more table than pages.  Costs are divided by it.
	 */
	unsigned int entries;
	/* Most that settling may cost, as a multiple of ordinary settling. */
	unsigned int settle;
	/*
	 * Most that a pass may cost: if it sits still, as a multiple of an
	 * ordinary pass, otherwise, learning or later on, of ordinary settling,
	 * as there is something new to be looked at in every pass.
	 */
	unsigned int pass;
};

/* Measure ordinary pages, before the first case. */
void siege_begin(void);

/* Measure an adversary; ends the case if it is too dear, or bytes are wrong. */
void siege(const struct siege_adversary *adv);

/* Address of page i. */
char *siege_page(const struct siege_army *a, size_t i);

/* pages in one mapping, not touched yet */
void siege_map(struct siege_army *a);

/* Ordinary memory: unique pages, and are they what they were? */
void siege_prepare_unique(struct siege_army *a);
bool siege_verify_unique(struct siege_army *a);

/* Wait for the pass after the one that was seen last, or for the end. */
void siege_next_pass(long long *pass);

#endif /* KSM_LIB_SIEGE_H */
