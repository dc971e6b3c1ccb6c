/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Some pages out of a range, spread over all of it.
 */
#ifndef KSM_LIB_SPREAD_H
#define KSM_LIB_SPREAD_H

#include "memory.h"

/**
 * struct ksm_spread - which pages to visit
 * @memory: of the process
 * @start:  first address
 * @end:    first address behind the range
 * @want:   how many pages
 * @most:   how many of them may be neighbours, at most KSM_CHUNK_PAGES
 * @visit:  is given the address of each page
 * @arg:    for @visit
 */
struct ksm_spread {
	const struct ksm_memory *memory;
	uint64_t start;
	uint64_t end;
	uint64_t want;
	uint64_t most;
	void (*visit)(uint64_t addr, void *arg);
	void *arg;
};

void ksm_spread_visit(const struct ksm_spread *spread);

#endif
