// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "spread.h"

/* Which pages are read is to be different each time, not hard to guess. */
static uint64_t draw(uint64_t below)
{
	return random() % below;
}

/* Up to @most pages that are there, beginning anywhere in the chunk */
static uint64_t visit_chunk(const struct ksm_spread *spread, uint64_t addr,
			    uint64_t pages, uint64_t most)
{
	uint64_t present = ksm_memory_present(spread->memory, addr, pages);
	uint64_t first = most < pages ? draw(pages) : 0, done = 0;

	for (uint64_t i = 0; i < pages && done < most; i++) {
		uint64_t page = (first + i) % pages;

		if (!(present >> page & 1))
			continue;
		spread->visit(addr + page * spread->memory->page_bytes,
			      spread->arg);
		done++;
	}
	return done;
}

static uint64_t divisor(uint64_t a, uint64_t b)
{
	return b ? divisor(b, a % b) : a;
}

/*
 * A step by which one comes to each of @count places, and early to all parts:
 * near the golden section.
 */
static uint64_t step_of(uint64_t count)
{
	uint64_t step = count * 0.618 + 1;

	while (divisor(step, count) != 1)
		step++;
	return step;
}

/**
 * ksm_spread_visit() - visit pages spread over a range
 * @spread: which
 *
 * In sparse memory there may be less of them than wanted: the number of places
 * looked at goes with what is wanted, however large the range is.
 */
void ksm_spread_visit(const struct ksm_spread *spread)
{
	uint64_t page_bytes = spread->memory->page_bytes;
	uint64_t pages = (spread->end - spread->start) / page_bytes;
	uint64_t chunks = (pages + KSM_CHUNK_PAGES - 1) / KSM_CHUNK_PAGES;
	uint64_t looks = 4 * (spread->want / spread->most) + 16;
	uint64_t step, done = 0;

	if (looks > chunks)
		looks = chunks;
	step = step_of(looks);
	for (uint64_t i = 0; i < looks && done < spread->want; i++) {
		uint64_t at = i * step % looks;
		uint64_t from = chunks * at / looks;
		uint64_t span = chunks * (at + 1) / looks - from;
		uint64_t page = (from + draw(span)) * KSM_CHUNK_PAGES;
		uint64_t rest = pages - page, left = spread->want - done;

		done += visit_chunk(spread, spread->start + page * page_bytes,
				    rest < KSM_CHUNK_PAGES ? rest :
							     KSM_CHUNK_PAGES,
				    left < spread->most ? left : spread->most);
	}
}
