// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contents are made from a number, so that they can be made again to compare
 * with: no second copy of the memory is needed.
 */
#include <string.h>

#include "bench.h"

#define LINE_WORDS	8
#define TWIN_BASE	0x7717

/* One step of splitmix64: looks random, is a bijection. */
uint64_t content_hash(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

/* All of the page is random; number 0 is a page of zeroes. */
void content_random(uint64_t *page, uint64_t id)
{
	uint64_t state = content_hash(id);
	unsigned int i;

	if (!id) {
		memset(page, 0, PAGE);
		return;
	}
	for (i = 0; i < PAGE_WORDS; i++)
		page[i] = content_hash(state + i * 0x9e3779b97f4a7c15);
}

/* Only the last eight bytes differ. */
void content_near_twin(uint64_t *page, uint64_t id)
{
	content_random(page, TWIN_BASE);
	page[PAGE_WORDS - 1] = id;
}

/* Only one cache line differs, each time another one. */
void content_sampled_twin(uint64_t *page, uint64_t id)
{
	uint64_t state = content_hash(id);
	uint64_t *line;
	unsigned int i;

	content_random(page, TWIN_BASE);
	line = page + state % (PAGE_WORDS / LINE_WORDS) * LINE_WORDS;
	for (i = 0; i < LINE_WORDS; i++)
		line[i] = content_hash(state + i);
}
