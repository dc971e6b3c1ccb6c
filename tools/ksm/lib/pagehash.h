/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hashes of a page and of any piece of it.
 *
 * A page is read as words of 8 bytes, which are the coefficients of a
 * polynomial modulo 2^61 - 1.  Its value at a secret random point is the hash:
 * it says whether pages are equal and nothing about what is in them.  From the
 * values of all beginnings of a page follows that of any piece, as in
 * Rabin-Karp, so that equal content is found at every offset that is a multiple
 * of 8.
 */
#ifndef KSM_LIB_PAGEHASH_H
#define KSM_LIB_PAGEHASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KSM_PIECE_WORDS		32	/* 256 bytes */
#define KSM_PAGE_WORDS_MAX	8192	/* a page of 64 KiB */

/**
 * struct ksm_pagehash - what is needed to hash, and the page hashed last
 * @point: where the polynomial is taken
 * @mask:  random, mixed into each word
 * @piece: @point to the power of KSM_PIECE_WORDS
 * @words: words of a page
 * @begin: hashes of the first 0, 1 ... @words words
 */
struct ksm_pagehash {
	uint64_t point;
	uint64_t mask;
	uint64_t piece;
	size_t words;
	uint64_t begin[KSM_PAGE_WORDS_MAX + 1];
};

int ksm_pagehash_init(struct ksm_pagehash *hash, size_t page_bytes);
uint64_t ksm_pagehash_page(struct ksm_pagehash *hash, const uint64_t *page);
uint64_t ksm_pagehash_piece(const struct ksm_pagehash *hash, size_t word);
bool ksm_piece_is_telling(const uint64_t *piece);

#endif
