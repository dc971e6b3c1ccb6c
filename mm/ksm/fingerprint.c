// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe and digest of a page: two keyed hashes of 64 bits.
 *
 * Both are sums of products, (a + k) * (b + l) over pairs of words with secret
 * random k and l.  For any two different inputs the chance that they agree
 * depends on the key alone, about 2^-64 with 128-bit products and 2^-32 with
 * 64-bit ones: without the key two pages that agree cannot be prepared.  And it
 * takes one multiplication per 16 bytes only.
 *
 * The probe reads a few cache lines at secret positions, the digest all.
 * Neither ever decides that two pages are equal: that takes the comparison at
 * the end of this file.
 */
#include <linux/cache.h>
#include <linux/mm.h>
#include <linux/prefetch.h>
#include <linux/string.h>

#include "fingerprint.h"

/* The digest is made of blocks of this size, whatever the page size. */
#define KSM_BLOCK_BYTES	4096
#define KSM_BLOCK_WORDS	(KSM_BLOCK_BYTES / sizeof(u64))
#define KSM_PROBE_LINE_WORDS	(KSM_PROBE_LINE / sizeof(u64))
#define KSM_PROBE_WORDS	(KSM_PROBE_LINES * KSM_PROBE_LINE_WORDS)

/* All secret and constant after ksm_fingerprint_seed(). */
static u64 ksm_block_key[KSM_BLOCK_WORDS] __cacheline_aligned;
static u64 ksm_fold_key[2] __ro_after_init;
static u64 ksm_zero_probe __ro_after_init;
static unsigned int ksm_probe_offset[KSM_PROBE_LINES] __ro_after_init;

/* User Mode Linux multiplies as its host does, but does not announce it. */
#if defined(__SIZEOF_INT128__) && \
	(defined(CONFIG_ARCH_SUPPORTS_INT128) || defined(CONFIG_UML))
#define ksm_sum_t	unsigned __int128

static inline ksm_sum_t ksm_hash_product(u64 a, u64 b)
{
	return (ksm_sum_t)a * b;
}

static inline u64 ksm_hash_fold(ksm_sum_t sum)
{
	return (u64)sum * ksm_fold_key[0] + (u64)(sum >> 64) * ksm_fold_key[1];
}
#else
#define ksm_sum_t	u64

static inline ksm_sum_t ksm_hash_product(u64 a, u64 b)
{
	return (u64)(u32)a * (u32)(a >> 32) + (u64)(u32)b * (u32)(b >> 32);
}

static inline u64 ksm_hash_fold(ksm_sum_t sum)
{
	return sum * ksm_fold_key[0];
}
#endif

static inline u64 ksm_hash_finish(ksm_sum_t sum)
{
	u64 hash = ksm_hash_fold(sum);

	/* The low bits of a product are its weak ones. */
	return hash ^ (hash >> 32);
}

static inline ksm_sum_t ksm_hash_words(ksm_sum_t sum, const u64 *word,
				       const u64 *key, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i += 4) {
		sum += ksm_hash_product(word[i] + key[i],
					word[i + 1] + key[i + 1]);
		sum += ksm_hash_product(word[i + 2] + key[i + 2],
			       word[i + 3] + key[i + 3]);
	}
	return sum;
}

static void ksm_fingerprint_draw_offsets(void (*random)(void *buf, size_t len))
{
	const unsigned int nr_lines = PAGE_SIZE / KSM_PROBE_LINE;
	const unsigned int stride = nr_lines / KSM_PROBE_LINES;
	u32 draw[KSM_PROBE_LINES];
	unsigned int i;

	/* One line out of each quarter of the page. */
	random(draw, sizeof(draw));
	for (i = 0; i < KSM_PROBE_LINES; i++)
		ksm_probe_offset[i] = (i * stride + draw[i] % stride) *
				  KSM_PROBE_LINE;
}

/**
 * ksm_fingerprint_seed - draw the secrets
 * @random: fills a buffer with random bytes
 *
 * Context: once at boot, before anything else here.
 */
void ksm_fingerprint_seed(void (*random)(void *buf, size_t len))
{
	static const u64 zeroes[KSM_PROBE_WORDS];
	unsigned int i;
	ksm_sum_t sum;

	random(ksm_block_key, sizeof(ksm_block_key));
	random(ksm_fold_key, sizeof(ksm_fold_key));
	for (i = 0; i < ARRAY_SIZE(ksm_fold_key); i++)
		ksm_fold_key[i] |= 1;
	ksm_fingerprint_draw_offsets(random);
	sum = ksm_hash_words(0, zeroes, ksm_block_key, KSM_PROBE_WORDS);
	ksm_zero_probe = ksm_hash_finish(sum);
}

/**
 * ksm_probe_prefetch - announce a ksm_probe()
 * @page: page-aligned address
 */
void ksm_probe_prefetch(const void *page)
{
	unsigned int i;

	for (i = 0; i < KSM_PROBE_LINES; i++)
		prefetch(page + ksm_probe_offset[i]);
}

/**
 * ksm_peek_prefetch - announce a ksm_peek()
 * @page: page-aligned address
 */
void ksm_peek_prefetch(const void *page)
{
	prefetch(page + ksm_probe_offset[0]);
}

/**
 * ksm_peek - hash one of these cache lines
 * @page: page-aligned address; may be written to at the same time
 *
 * Return: a number that tells whether a page is still written to.
 */
u32 ksm_peek(const void *page)
{
	return ksm_hash_finish(ksm_hash_words(0, page + ksm_probe_offset[0],
					      ksm_block_key,
					      KSM_PROBE_LINE_WORDS)) >>
	       32;
}

/**
 * ksm_probe - hash a few secret cache lines
 * @page: page-aligned address; may be written to at the same time
 *
 * Return: the probe, before any scope is mixed in.
 */
u64 ksm_probe(const void *page)
{
	ksm_sum_t sum = 0;
	unsigned int i;

	for (i = 0; i < KSM_PROBE_LINES; i++)
		sum = ksm_hash_words(sum, page + ksm_probe_offset[i],
				     ksm_block_key + i * KSM_PROBE_LINE_WORDS,
				     KSM_PROBE_LINE_WORDS);
	return ksm_hash_finish(sum);
}

/**
 * ksm_probe_of_zeroes - tell the probe of a page of zeroes
 *
 * Return: the probe, before any scope is mixed in.
 */
u64 ksm_probe_of_zeroes(void)
{
	return ksm_zero_probe;
}

/**
 * ksm_digest - hash a whole page
 * @page: page-aligned address; may be written to at the same time
 *
 * Return: the digest.
 */
u64 ksm_digest(const void *page)
{
	u64 digest = 0;
	size_t at;

	for (at = 0; at < PAGE_SIZE; at += KSM_BLOCK_BYTES) {
		ksm_sum_t sum = ksm_hash_words(0, page + at, ksm_block_key,
					       KSM_BLOCK_WORDS);

		/* Odd factors lose nothing, and make the order count. */
		digest = (digest ^ ksm_hash_finish(sum)) * ksm_fold_key[0];
	}
	return digest;
}

/**
 * ksm_content_same - compare two pages
 * @page:  page-aligned address
 * @other: page-aligned address
 *
 * By words and without an order, so it is faster than memcmp(), which goes byte
 * by byte where unaligned words are slow to load.
 *
 * Return: true if all bytes are equal.
 */
bool ksm_content_same(const void *page, const void *other)
{
	const u64 *a = page, *b = other;
	unsigned int i, j;

	for (i = 0; i < PAGE_SIZE / sizeof(u64); i += KSM_PROBE_LINE_WORDS) {
		u64 differ = 0;

		for (j = i; j < i + KSM_PROBE_LINE_WORDS; j++)
			differ |= a[j] ^ b[j];
		if (differ)
			return false;
	}
	return true;
}
