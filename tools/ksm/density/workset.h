/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef KSM_DENSITY_WORKSET_H
#define KSM_DENSITY_WORKSET_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct workset - memory that its owner writes to over and over
 * @words:	the memory
 * @nr_slices:	how many pieces of SLICE_SIZE it has
 * @next:	the piece to be written next
 * @pass:	how often each page of it has been written to
 * @seed:	what no other guest has
 * @wrong:	words that were not what had been written there
 */
struct workset {
	uint64_t *words;
	size_t nr_slices;
	size_t next;
	uint64_t pass;
	uint64_t seed;
	unsigned long wrong;
};

/* The pages that are written to in one go. */
#define SLICE_SIZE	(256 * 1024)

int workset_create(struct workset *set, size_t size, uint64_t seed);
void workset_write(struct workset *set);
void workset_check(struct workset *set);

#endif
