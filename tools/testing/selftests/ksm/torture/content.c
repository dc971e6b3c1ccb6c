// SPDX-License-Identifier: GPL-2.0
/*
 * Contents that follow from numbers
 *
 * Most of them are rare enough to differ and common enough to merge: many
 * pages have one of a few bases, pages that differ from them in one byte are
 * among them, and pages that are zero but for one byte.
 */
#include <string.h>

#include "../lib/memory.h"
#include "content.h"

#define BASES		8
#define POOL		64	/* contents that some pages have */
#define TWINS		16	/* ways to differ from a base in one byte */

static uint64_t content_seed;

uint64_t torture_mix(uint64_t a, uint64_t b)
{
	uint64_t z = a * 0x9e3779b97f4a7c15ULL + b + 0x632be59bd9b4e019ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void torture_content_setup(uint64_t seed)
{
	content_seed = seed;
}

void torture_content_next(struct torture_content *c, uint64_t name,
			  size_t page)
{
	c->gen++;
	c->from = c->gen;
	c->base = torture_mix(torture_mix(name, page), c->gen) | 1;
	c->key = c->base;
}

void torture_content_zero(struct torture_content *c)
{
	c->gen++;
	c->from = c->gen;
	c->base = 0;
}

void torture_content_block(struct torture_content *c, size_t block)
{
	c->gen++;
	c->from = c->gen;
	c->base = torture_mix(content_seed, 0xd15c0000 + block) | 1;
	c->key = c->base;
}

bool torture_content_has_room(const struct torture_content *c)
{
	return c->gen - c->from < TORTURE_PATCHES;
}

/* Every other one is one of a few, so that pages are equal after it as well. */
static struct torture_patch patch_of(uint64_t key, uint32_t gen)
{
	static const uint16_t lens[] = { 1, 8, 64, 8 };
	uint64_t r = torture_mix(key, gen);
	struct torture_patch p;
	size_t i;

	if (r & 1)
		r = torture_mix(content_seed, r >> 1 & 7);
	p.len = lens[r >> 8 & 3];
	p.at = (r >> 16) % (ps() - p.len);
	for (i = 0; i < p.len; i++)
		p.byte[i] = r >> (8 * (i % 4) + 24);
	return p;
}

struct torture_patch torture_content_patch(const struct torture_content *c)
{
	return patch_of(c->key, c->gen + 1);
}

static void write_base(uint64_t base, unsigned char *page)
{
	uint64_t r = torture_mix(base, 1), kind = r % 100, many;

	r >>= 8;
	many = content_seed + r % BASES;
	if (!base || (kind >= 45 && kind < 65)) {
		memset(page, 0, ps());
		if (base && kind >= 55)
			page[r * 509 % ps()] = 1 + (r >> 16 & 3);
	} else if (kind < 45) {
		ksm_page_fill(page, many);
	} else if (kind < 80) {
		ksm_page_fill(page, many);
		page[(r >> 16) % TWINS * 251] ^= 0x10;
	} else if (kind < 90) {
		ksm_page_fill(page, content_seed + BASES + r % POOL);
	} else {
		ksm_page_fill(page, base);
	}
}

void torture_content_write(const struct torture_content *c, void *page)
{
	struct torture_patch p;
	uint32_t gen;

	write_base(c->base, page);
	for (gen = c->from + 1; gen - c->from <= c->gen - c->from; gen++) {
		p = patch_of(c->key, gen);
		memcpy((char *)page + p.at, p.byte, p.len);
	}
}
