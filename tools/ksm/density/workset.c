// SPDX-License-Identifier: GPL-2.0-only
/*
 * The working set of a guest: memory of its own that it writes to over and
 * over.
 *
 * It is filled with pseudo-random numbers that depend on the guest and on the
 * piece, so that no two pages of any two guests are ever equal.  Then a word in
 * each 512 bytes is written again and again, with a number that depends on
 * how often that was done, too: no page stays what it was.  What is read before
 * it is overwritten has to be what was written there, and in the end each word:
 * a page that got the content of another is found.
 *
 * Not all of a page is written each time because a guest has to spend its time
 * in the kernel, see init.h.
 */
#include <sys/mman.h>

#include "workset.h"

#define SLICE_WORDS	(SLICE_SIZE / sizeof(uint64_t))
#define STEP_WORDS	64

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

static uint64_t next_word(uint64_t word)
{
	return word * 6364136223846793005 + 1442695040888963407;
}

static uint64_t *slice_words(const struct workset *set, size_t slice)
{
	return set->words + slice * SLICE_WORDS;
}

static void fill_slice(struct workset *set, size_t slice)
{
	uint64_t *words = slice_words(set, slice);
	uint64_t word = first_word(set, slice, 0);

	for (size_t i = 0; i < SLICE_WORDS; i++) {
		words[i] = word;
		word = next_word(word);
	}
}

/* Those words of a slice that are written again and again. */
static void write_slice(struct workset *set, size_t slice, uint64_t pass)
{
	uint64_t *words = slice_words(set, slice);
	uint64_t word = first_word(set, slice, pass);

	for (size_t i = 0; i < SLICE_WORDS; i += STEP_WORDS) {
		words[i] = word;
		word = next_word(word);
	}
}

static void check_written(struct workset *set, size_t slice, uint64_t pass)
{
	const uint64_t *words = slice_words(set, slice);
	uint64_t word = first_word(set, slice, pass);

	for (size_t i = 0; i < SLICE_WORDS; i += STEP_WORDS) {
		set->wrong += words[i] != word;
		word = next_word(word);
	}
}

static void check_filled(struct workset *set, size_t slice)
{
	const uint64_t *words = slice_words(set, slice);
	uint64_t word = first_word(set, slice, 0);

	for (size_t i = 0; i < SLICE_WORDS; i++) {
		if (i % STEP_WORDS)
			set->wrong += words[i] != word;
		word = next_word(word);
	}
}

/**
 * workset_create() - map the memory and fill it
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
		.pass = 1,
		.seed = seed,
	};
	if (!set->nr_slices)
		return 0;
	set->words = mmap(NULL, set->nr_slices * SLICE_SIZE,
			  PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	if (set->words == MAP_FAILED)
		return -1;
	for (size_t slice = 0; slice < set->nr_slices; slice++) {
		fill_slice(set, slice);
		write_slice(set, slice, set->pass);
	}
	return 0;
}

/**
 * workset_write() - check what was last written to one slice, write it again
 * @set: the working set
 */
void workset_write(struct workset *set)
{
	if (!set->nr_slices)
		return;
	check_written(set, set->next, set->pass);
	write_slice(set, set->next, set->pass + 1);
	if (++set->next == set->nr_slices) {
		set->next = 0;
		set->pass++;
	}
}

/**
 * workset_check() - check every word
 * @set: the working set, in which @set->wrong counts
 */
void workset_check(struct workset *set)
{
	for (size_t slice = 0; slice < set->nr_slices; slice++) {
		check_filled(set, slice);
		check_written(set, slice,
			      set->pass + (slice < set->next));
	}
}
