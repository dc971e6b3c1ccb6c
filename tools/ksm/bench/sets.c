// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sets of pages that several cases use.
 */
#include "bench.h"

/* A number that no other page has */
static uint64_t unique(const struct area *area, unsigned int worker,
		       unsigned long role)
{
	return content_hash(((uint64_t)(area - areas + 1) << 56) +
			    ((uint64_t)worker << 48) + role) | 1;
}

static uint64_t unique_content(const struct area *area, unsigned int worker,
			       unsigned long role, uint64_t generation)
{
	return unique(area, worker, role) + (generation << 1);
}

/*
 * 30 % duplicates, one copy in each worker; 5 % zero; the rest unique.  With
 * another number of copies it is six of seven that are not zero.
 */
static uint64_t mix_content(const struct area *area, unsigned int worker,
			    unsigned long role, uint64_t generation)
{
	if (role < area->copies * 6 / 7)
		return unique(area, MAX_WORKERS, role);
	if (role < area->copies)
		return 0;
	return unique(area, worker, role) + (generation << 1);
}

/*
 * 27 % duplicates, 42 mappings of each content; 10 % unique; the rest is
 * rewritten.
 */
#define PRODUCTION_COPIES	42

static uint64_t production_content(const struct area *area, unsigned int worker,
				   unsigned long role, uint64_t generation)
{
	unsigned long contents = area->copies * nr_workers / PRODUCTION_COPIES;

	if (role < area->copies)
		return unique(area, MAX_WORKERS,
			      (worker * area->copies + role) % contents);
	return unique(area, worker, role) + (generation << 1);
}

struct area *set_unique(unsigned long mib)
{
	struct area *area = area_add(mib);

	area->content = unique_content;
	return area;
}

struct area *set_mix(unsigned long mib)
{
	struct area *area = area_add(mib);

	area->content = mix_content;
	area->copies = area->pages * 35 / 100;
	return area;
}

struct area *set_production(unsigned long mib)
{
	struct area *area = area_add(mib);

	area->content = production_content;
	area->copies = area->pages * 27 / 100;
	area->rewritten = area->pages * 37 / 100;
	return area;
}
