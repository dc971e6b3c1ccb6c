// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "content.h"
#include "pagehash.h"
#include "spread.h"

#define PROBES		2	/* pieces of each page that are searched for */
#define SHIFT_WORDS	(KSM_PAGE_WORDS_MAX / 64)
#define PAGES_MAX	(KSM_SAMPLE_PAGES * KSM_SAMPLE_MAPS)
#define FILTER_BITS	(1 << 17)
#define LOOK_MS		1000	/* between the two looks, at least */

/* A piece of a page, and by how much it was found shifted elsewhere */
struct probe {
	size_t word;
	bool telling;
	uint64_t shifts[SHIFT_WORDS];
};

struct sampled {
	size_t map;
	uint64_t addr;
	uint64_t hash;
	bool changed;
	bool equal;
	struct probe probes[PROBES];
};

/* Where a hash comes from: a whole page, or one of its probes */
struct key {
	uint64_t hash;
	unsigned int page;
	int probe;	/* -1: the page */
};

struct ksm_sampler {
	int pid;
	struct ksm_memory memory;
	struct ksm_memory other;
	int other_pid;		/* 0: none is open */
	struct ksm_pagehash hash;
	uint64_t *buffer;
	size_t page_bytes;
	struct timespec start;
	struct sampled *pages;
	size_t nr_pages;
	size_t map;		/* that is sampled now */
	struct key *keys;
	size_t nr_keys;
	size_t compared;
	uint64_t filter[FILTER_BITS / 64];
};

/* Neither in a core dump nor merged: others must not learn of it that way. */
static void *private_buffer(size_t size)
{
	void *buffer = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (buffer == MAP_FAILED)
		return NULL;
	madvise(buffer, size, MADV_DONTDUMP);
	madvise(buffer, size, MADV_UNMERGEABLE);
	return buffer;
}

static int prepare(struct ksm_sampler *sampler)
{
	size_t keys = PAGES_MAX * (1 + PROBES);

	sampler->page_bytes = sampler->memory.page_bytes;
	sampler->buffer = private_buffer(sampler->page_bytes);
	sampler->pages = calloc(PAGES_MAX, sizeof(*sampler->pages));
	sampler->keys = calloc(keys, sizeof(*sampler->keys));
	if (!sampler->buffer || !sampler->pages || !sampler->keys)
		return -ENOMEM;
	clock_gettime(CLOCK_MONOTONIC, &sampler->start);
	srandom(sampler->start.tv_nsec);
	return ksm_pagehash_init(&sampler->hash, sampler->page_bytes);
}

/**
 * ksm_sampler_new() - begin to sample a process
 * @result: result
 * @pid:    the process
 *
 * Return: 0, or -errno: -EACCES if one may not read its memory
 */
int ksm_sampler_new(struct ksm_sampler **result, int pid)
{
	struct ksm_sampler *sampler = calloc(1, sizeof(*sampler));
	int err;

	if (!sampler)
		return -ENOMEM;
	err = ksm_memory_open(&sampler->memory, pid);
	if (err) {
		free(sampler);
		return err;
	}
	sampler->pid = pid;
	err = prepare(sampler);
	if (err)
		ksm_sampler_free(sampler);
	else
		*result = sampler;
	return err;
}

static void close_other(struct ksm_sampler *sampler)
{
	if (sampler->other_pid)
		ksm_memory_close(&sampler->other);
	sampler->other_pid = 0;
}

/* End, and forget everything. */
void ksm_sampler_free(struct ksm_sampler *sampler)
{
	close_other(sampler);
	ksm_memory_close(&sampler->memory);
	if (sampler->buffer) {
		explicit_bzero(sampler->buffer, sampler->page_bytes);
		munmap(sampler->buffer, sampler->page_bytes);
	}
	free(sampler->pages);
	free(sampler->keys);
	free(sampler);
}

/*
 * The two pieces are in the second and third quarter of the page.  When shifted
 * a little, what is nearer to an end is in two pages, and not found.
 */
static void choose_probe(const struct ksm_sampler *sampler, struct probe *probe,
			 int nr)
{
	size_t quarter = sampler->hash.words / 4;
	size_t from = quarter * (1 + nr);

	for (size_t word = from; word + KSM_PIECE_WORDS <= from + quarter;
	     word += KSM_PIECE_WORDS / 2) {
		if (!ksm_piece_is_telling(sampler->buffer + word))
			continue;
		probe->word = word;
		probe->telling = true;
		return;
	}
}

static void add_key(struct ksm_sampler *sampler, uint64_t hash, int probe)
{
	struct key *key = &sampler->keys[sampler->nr_keys++];

	key->hash = hash;
	key->page = sampler->nr_pages;
	key->probe = probe;
	hash %= FILTER_BITS;
	sampler->filter[hash / 64] |= 1ULL << hash % 64;
}

static void sample_page(uint64_t addr, void *arg)
{
	struct ksm_sampler *sampler = arg;
	struct sampled *page = &sampler->pages[sampler->nr_pages];

	if (sampler->nr_pages == PAGES_MAX ||
	    !ksm_memory_read(&sampler->memory, addr, sampler->buffer))
		return;
	page->map = sampler->map;
	page->addr = addr;
	page->hash = ksm_pagehash_page(&sampler->hash, sampler->buffer);
	add_key(sampler, page->hash, -1);
	for (int i = 0; i < PROBES; i++) {
		struct probe *probe = &page->probes[i];

		choose_probe(sampler, probe, i);
		if (probe->telling)
			add_key(sampler,
				ksm_pagehash_piece(&sampler->hash, probe->word),
				i);
	}
	sampler->nr_pages++;
}

/* A small mapping has less chunks than samples. */
static uint64_t neighbours(const struct ksm_sampler *sampler, uint64_t start,
			   uint64_t end)
{
	uint64_t chunks = (end - start) / sampler->page_bytes /
			  KSM_CHUNK_PAGES + 1;

	return chunks < KSM_SAMPLE_PAGES ? KSM_SAMPLE_PAGES / chunks + 1 : 1;
}

/**
 * ksm_sampler_take() - sample pages of a mapping
 * @sampler: of the process
 * @map:     number of the mapping
 * @start:   its first address
 * @end:     first address behind it
 *
 * Return: 0, or -ENOSPC if there are too many mappings
 */
int ksm_sampler_take(struct ksm_sampler *sampler, size_t map, uint64_t start,
		     uint64_t end)
{
	const struct ksm_spread spread = {
		.memory = &sampler->memory,
		.start = start,
		.end = end,
		.want = KSM_SAMPLE_PAGES,
		.most = neighbours(sampler, start, end),
		.visit = sample_page,
		.arg = sampler,
	};

	if (sampler->nr_pages + KSM_SAMPLE_PAGES > PAGES_MAX)
		return -ENOSPC;
	sampler->map = map;
	ksm_spread_visit(&spread);
	return 0;
}

static int by_hash(const void *left, const void *right)
{
	const struct key *a = left, *b = right;

	return a->hash < b->hash ? -1 : a->hash > b->hash;
}

/* The first key of this hash, or NULL */
static const struct key *find_key(const struct ksm_sampler *sampler,
				  uint64_t hash)
{
	size_t low = 0, high = sampler->nr_keys, bit = hash % FILTER_BITS;

	if (!(sampler->filter[bit / 64] >> bit % 64 & 1))
		return NULL;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (sampler->keys[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low < sampler->nr_keys && sampler->keys[low].hash == hash ?
	       &sampler->keys[low] : NULL;
}

/* All keys of a hash follow each other. */
#define for_each_key(sampler, key, value)				\
	for (key = find_key(sampler, value);				\
	     key && key < (sampler)->keys + (sampler)->nr_keys &&	\
	     key->hash == (value); key++)

/* Sampled pages may be equal to each other. */
static void compare_sampled(struct ksm_sampler *sampler)
{
	for (size_t i = 0; i < sampler->nr_pages; i++) {
		struct sampled *page = &sampler->pages[i];
		const struct key *key;

		for_each_key(sampler, key, page->hash)
			if (key->probe < 0 && key->page != i)
				page->equal = true;
	}
}

/**
 * ksm_sampler_ready() - all samples are taken
 * @sampler: of the process
 */
void ksm_sampler_ready(struct ksm_sampler *sampler)
{
	qsort(sampler->keys, sampler->nr_keys, sizeof(*sampler->keys), by_hash);
	compare_sampled(sampler);
}

static void mark_shift(struct ksm_sampler *sampler, const struct key *key,
		       size_t word)
{
	struct probe *probe = &sampler->pages[key->page].probes[key->probe];
	size_t words = sampler->hash.words;
	size_t shift = (word + words - probe->word) % words;

	if (shift)
		probe->shifts[shift / 64] |= 1ULL << shift % 64;
}

/* Is this where the page of the key was taken from? */
static bool is_itself(const struct ksm_sampler *sampler, const struct key *key,
		      uint64_t addr)
{
	return sampler->other_pid == sampler->pid &&
	       sampler->pages[key->page].addr == addr;
}

static void search_pieces(struct ksm_sampler *sampler, uint64_t addr)
{
	size_t last = sampler->hash.words - KSM_PIECE_WORDS;

	for (size_t word = 0; word <= last; word++) {
		uint64_t hash = ksm_pagehash_piece(&sampler->hash, word);
		const struct key *key;

		for_each_key(sampler, key, hash)
			if (key->probe >= 0 && !is_itself(sampler, key, addr))
				mark_shift(sampler, key, word);
	}
}

static void compare_page(uint64_t addr, void *arg)
{
	struct ksm_sampler *sampler = arg;
	const struct key *key;
	uint64_t hash;

	if (!ksm_memory_read(&sampler->other, addr, sampler->buffer))
		return;
	sampler->compared++;
	hash = ksm_pagehash_page(&sampler->hash, sampler->buffer);
	for_each_key(sampler, key, hash)
		if (key->probe < 0 && !is_itself(sampler, key, addr))
			sampler->pages[key->page].equal = true;
	search_pieces(sampler, addr);
}

static int open_other(struct ksm_sampler *sampler, int pid)
{
	int err;

	if (sampler->other_pid == pid)
		return 0;
	close_other(sampler);
	err = ksm_memory_open(&sampler->other, pid);
	if (!err)
		sampler->other_pid = pid;
	return err;
}

/**
 * ksm_sampler_compare() - compare the samples with pages of a mapping
 * @sampler: after ksm_sampler_ready()
 * @pid:     whose mapping it is; may be the process that was sampled
 * @start:   its first address
 * @end:     first address behind it
 * @pages:   with how many pages
 *
 * Return: 0, or -errno: its memory cannot be read
 */
int ksm_sampler_compare(struct ksm_sampler *sampler, int pid, uint64_t start,
			uint64_t end, size_t pages)
{
	const struct ksm_spread spread = {
		.memory = &sampler->other,
		.start = start,
		.end = end,
		.want = pages,
		.most = KSM_CHUNK_PAGES,
		.visit = compare_page,
		.arg = sampler,
	};
	int err = open_other(sampler, pid);

	if (!err)
		ksm_spread_visit(&spread);
	return err;
}

static void wait_for_changes(const struct ksm_sampler *sampler)
{
	struct timespec until = sampler->start;

	until.tv_sec += LOOK_MS / 1000;
	until.tv_nsec += LOOK_MS % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/**
 * ksm_sampler_again() - look at the samples for the second time
 * @sampler: of the process
 *
 * A page that cannot be read any more has changed, too.
 */
void ksm_sampler_again(struct ksm_sampler *sampler)
{
	wait_for_changes(sampler);
	for (size_t i = 0; i < sampler->nr_pages; i++) {
		struct sampled *page = &sampler->pages[i];

		page->changed = !ksm_memory_read(&sampler->memory, page->addr,
						 sampler->buffer) ||
				ksm_pagehash_page(&sampler->hash,
						  sampler->buffer) !=
				page->hash;
	}
}

/* All pieces of the page were found, at the same distance. */
static bool is_shifted(const struct sampled *page)
{
	for (int i = 0; i < SHIFT_WORDS; i++)
		if (page->probes[0].shifts[i] & page->probes[1].shifts[i])
			return true;
	return false;
}

/**
 * ksm_sampler_result() - what was found in a mapping
 * @sampler: of the process
 * @map:     number of the mapping
 * @content: result
 */
void ksm_sampler_result(const struct ksm_sampler *sampler, size_t map,
			struct ksm_content *content)
{
	memset(content, 0, sizeof(*content));
	for (size_t i = 0; i < sampler->nr_pages; i++) {
		const struct sampled *page = &sampler->pages[i];

		if (page->map != map)
			continue;
		content->pages++;
		if (page->changed) {
			content->changed++;
		} else if (!page->equal) {
			content->unique++;
			content->shifted += is_shifted(page);
		}
	}
}

/* With how many pages they were compared. */
size_t ksm_sampler_compared(const struct ksm_sampler *sampler)
{
	return sampler->compared;
}

