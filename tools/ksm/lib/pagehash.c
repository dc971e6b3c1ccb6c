// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sys/random.h>

#include "pagehash.h"

#define PRIME		((1ULL << 61) - 1)

/* A piece with less different words than that is found everywhere. */
#define TELLING_WORDS	(KSM_PIECE_WORDS / 2)

/* Any 64-bit number, to less than PRIME */
static uint64_t reduce(uint64_t x)
{
	x = (x & PRIME) + (x >> 61);
	return x >= PRIME ? x - PRIME : x;
}

static uint64_t times(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return reduce((uint64_t)(product & PRIME) + (uint64_t)(product >> 61));
}

/* Three bits are lost by reduce(); after this it is not known which. */
static uint64_t mix(const struct ksm_pagehash *hash, uint64_t word)
{
	word = (word ^ hash->mask) * 0x9e3779b97f4a7c15ULL;
	return reduce(word ^ word >> 32);
}

/**
 * ksm_pagehash_init() - choose a key
 * @hash:	result
 * @page_bytes: size of a page
 *
 * Return: 0, or -errno
 */
int ksm_pagehash_init(struct ksm_pagehash *hash, size_t page_bytes)
{
	uint64_t key[2];

	hash->words = page_bytes / sizeof(uint64_t);
	if (hash->words > KSM_PAGE_WORDS_MAX)
		return -EINVAL;
	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		return -EIO;
	hash->point = reduce(key[0] | 1ULL << 32);
	hash->mask = key[1];
	hash->begin[0] = 0;
	hash->piece = 1;
	for (int i = 0; i < KSM_PIECE_WORDS; i++)
		hash->piece = times(hash->piece, hash->point);
	return 0;
}

/**
 * ksm_pagehash_page() - hash a page, and all pieces of it
 * @hash: the key
 * @page: the page
 *
 * Return: the hash of the page
 */
uint64_t ksm_pagehash_page(struct ksm_pagehash *hash, const uint64_t *page)
{
	uint64_t value = 0;

	for (size_t i = 0; i < hash->words; i++) {
		value = reduce(times(value, hash->point) + mix(hash, page[i]));
		hash->begin[i + 1] = value;
	}
	return value;
}

/**
 * ksm_pagehash_piece() - the hash of a piece of the page hashed last
 * @hash: the key
 * @word: where the piece begins; KSM_PIECE_WORDS words follow
 *
 * Return: its hash, which is the same wherever in a page it is
 */
uint64_t ksm_pagehash_piece(const struct ksm_pagehash *hash, size_t word)
{
	uint64_t before = times(hash->begin[word], hash->piece);

	return reduce(hash->begin[word + KSM_PIECE_WORDS] + PRIME - before);
}

/* Are there so many different words that a piece is not found by chance? */
bool ksm_piece_is_telling(const uint64_t *piece)
{
	int different = 0;

	for (int i = 0; i < KSM_PIECE_WORDS; i++) {
		int j = 0;

		while (j < i && piece[j] != piece[i])
			j++;
		different += j == i;
	}
	return different >= TELLING_WORDS;
}
