// SPDX-License-Identifier: GPL-2.0-only
/*
 * The working set of a guest: memory of its own that it writes to over and
 * over.
 *
 * No two pages of any two guests are ever equal, nor is a page equal to what it
 * was: each piece is a sequence of pseudo-random numbers that depends on the
 * guest, on the piece and on how often it has been written.  So nothing of it
 * can be merged for longer than until it is written again, and what is read
 * before it is overwritten has to be what was written there: a page that got
 * the content of another is found.
 */
#include <sys/mman.h>

#include "workset.h"

#define SLICE_WORDS	(SLICE_SIZE / sizeof(uint64_t))

/* The mixer of splitmix64: one bit of difference changes half of the bits. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

static uint64_t first_word(const struct workset *set, size_t slice,
			   uint64_t pass)
{
	return mix(mix(mix(set->seed) + slice) + pass);
}

/* Two instructions a word: the guests share one CPU. */
static uint64_t next_word(uint64_t word)
{
	return word * 6364136223846793005 + 1442695040888963407;
}

static void write_slice(struct workset *set, size_t slice, uint64_t pass)
{
	uint64_t *words = set->words + slice * SLICE_WORDS;
	uint64_t word = first_word(set, slice, pass);

	for (size_t i = 0; i < SLICE_WORDS; i++) {
		words[i] = word;
		word = next_word(word);
	}
}

static void check_slice(struct workset *set, size_t slice, uint64_t pass)
{
	const uint64_t *words = set->words + slice * SLICE_WORDS;
	uint64_t word = first_word(set, slice, pass);

	for (size_t i = 0; i < SLICE_WORDS; i++) {
		set->wrong += words[i] != word;
		word = next_word(word);
	}
}

/**
 * workset_create() - map the memory and write all of it once
 * @set:  the working set
 * @size: bytes, rounded down to whole slices
 * @seed: what no other guest has
 *
 * Return: 0, or -1 with errno
 */
int workset_create(struct workset *set, size_t size, uint64_t seed)
{
	*set = (struct workset) {
		.nr_slices = size / SLICE_SIZE,
		.seed = seed,
	};
	if (!set->nr_slices)
		return 0;
	set->words = mmap(NULL, set->nr_slices * SLICE_SIZE,
			  PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	if (set->words == MAP_FAILED)
		return -1;
	for (size_t slice = 0; slice < set->nr_slices; slice++)
		write_slice(set, slice, 0);
	return 0;
}

/**
 * workset_write() - check one slice, and write it anew
 * @set: the working set
 */
void workset_write(struct workset *set)
{
	if (!set->nr_slices)
		return;
	check_slice(set, set->next, set->pass);
	write_slice(set, set->next, set->pass + 1);
	if (++set->next == set->nr_slices) {
		set->next = 0;
		set->pass++;
	}
}
