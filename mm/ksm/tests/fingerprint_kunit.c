// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probe and digest under the secrets that were drawn at boot: properties that
 * hold for all secrets
 */
#include "testing.h"

#define NR_WORDS	(PAGE_SIZE / sizeof(u64))
#define NR_LINES	(PAGE_SIZE / KSM_PROBE_LINE)
#define TABLE_SIZE	65536

/* Odd, so that large pages are sampled at each place within a word. */
#define STEP		(PAGE_SIZE / 4096 | 1)

/* With narrow products two of so many hashes may agree. */
#if defined(__SIZEOF_INT128__) && \
	(defined(CONFIG_ARCH_SUPPORTS_INT128) || defined(CONFIG_UML))
#define BY_CHANCE	0
#else
#define BY_CHANCE	3
#endif

static u64 *page_alloc(struct kunit *test)
{
	u64 *page = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	return page;
}

static u64 *random_page(struct kunit *test, u64 seed)
{
	struct ksm_random random = { ksm_test_seed() + seed };
	u64 *page = page_alloc(test);
	unsigned int i;

	for (i = 0; i < NR_WORDS; i++)
		page[i] = ksm_random(&random);
	return page;
}

static void fingerprint_zeroes(struct kunit *test)
{
	u64 *page = page_alloc(test);

	KUNIT_EXPECT_EQ(test, ksm_probe(page), ksm_probe_of_zeroes());
	KUNIT_EXPECT_NE(test, ksm_probe(random_page(test, 0)),
			ksm_probe_of_zeroes());
	memset(page, 0xff, PAGE_SIZE);
	KUNIT_EXPECT_NE(test, ksm_probe(page), ksm_probe_of_zeroes());
}

/* Equal pages are equal wherever they are and whenever they are read. */
static void fingerprint_equal_pages(struct kunit *test)
{
	u64 *a = random_page(test, 1), *b = page_alloc(test);
	u64 *c = random_page(test, 2);

	memcpy(b, a, PAGE_SIZE);
	ksm_probe_prefetch(a);
	KUNIT_EXPECT_EQ(test, ksm_probe(a), ksm_probe(b));
	KUNIT_EXPECT_EQ(test, ksm_digest(a), ksm_digest(b));
	KUNIT_EXPECT_NE(test, ksm_probe(a), ksm_probe(c));
	KUNIT_EXPECT_NE(test, ksm_digest(a), ksm_digest(c));
	KUNIT_EXPECT_EQ(test, ksm_probe(a), ksm_probe(b));
	KUNIT_EXPECT_EQ(test, ksm_digest(a), ksm_digest(b));
}

/* A peek sees one line of those that the probe sees. */
static void fingerprint_peek(struct kunit *test)
{
	u64 *page = random_page(test, 5);
	u32 peek = ksm_peek(page);
	unsigned int i, seen = 0;

	ksm_peek_prefetch(page);
	for (i = 0; i < NR_WORDS; i++) {
		u64 probe = ksm_probe(page);

		page[i] ^= 1;
		if (ksm_peek(page) != peek) {
			seen++;
			KUNIT_EXPECT_NE(test, ksm_probe(page), probe);
		}
		page[i] ^= 1;
	}
	KUNIT_EXPECT_EQ(test, seen, KSM_PROBE_LINE / sizeof(u64));
	KUNIT_EXPECT_EQ(test, ksm_peek(page), peek);
}

static void expect_each_byte(struct kunit *test, u64 *page)
{
	u64 digest = ksm_digest(page);
	u8 *byte = (u8 *)page;
	unsigned int i, missed = 0;

	for (i = 0; i < PAGE_SIZE; i += STEP) {
		u8 old = byte[i];

		byte[i] ^= 1 << (i * 5 % 8);
		missed += ksm_digest(page) == digest;
		byte[i] = ~old;
		missed += ksm_digest(page) == digest;
		byte[i] = old;
	}
	KUNIT_EXPECT_EQ(test, missed, 0);
	KUNIT_EXPECT_EQ(test, ksm_digest(page), digest);
}

static void fingerprint_each_byte_counts(struct kunit *test)
{
	expect_each_byte(test, page_alloc(test));
	expect_each_byte(test, random_page(test, 3));
}

/* The last word on two pages: each bit of each byte */
static void fingerprint_comparison(struct kunit *test)
{
	u8 *a = (u8 *)random_page(test, 4), *b = (u8 *)page_alloc(test);
	unsigned int i, missed = 0;

	memcpy(b, a, PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, ksm_content_same(a, a));
	KUNIT_EXPECT_TRUE(test, ksm_content_same(a, b));
	for (i = 0; i < PAGE_SIZE * 8; i++) {
		b[i / 8] ^= BIT(i % 8);
		missed += ksm_content_same(a, b);
		missed += ksm_content_same(b, a);
		b[i / 8] ^= BIT(i % 8);
	}
	KUNIT_EXPECT_EQ(test, missed, 0);
	KUNIT_EXPECT_TRUE(test, ksm_content_same(a, b));
}

/* Does any byte of this line change the probe, and do all of them? */
static void try_line(u64 *page, unsigned int line, bool *any, bool *all)
{
	u8 *byte = (u8 *)page + line * KSM_PROBE_LINE;
	u64 probe = ksm_probe(page);
	unsigned int i, bit;

	*any = false;
	*all = true;
	for (i = 0; i < KSM_PROBE_LINE; i++) {
		for (bit = 0; bit < 8; bit++) {
			byte[i] ^= 1 << bit;
			if (ksm_probe(page) != probe)
				*any = true;
			else
				*all = false;
			byte[i] ^= 1 << bit;
		}
	}
}

/* All of a few lines, one in each quarter of the page, and nothing else */
static void fingerprint_probe_lines(struct kunit *test)
{
	u64 *pages[] = { page_alloc(test), random_page(test, 4) };
	unsigned int lines[KSM_PROBE_LINES] = { };
	unsigned int i, line;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		for (line = 0; line < NR_LINES; line++) {
			unsigned int part = line * KSM_PROBE_LINES / NR_LINES;
			bool any, all;

			try_line(pages[i], line, &any, &all);
			KUNIT_EXPECT_EQ_MSG(test, any, all, "line %u", line);
			if (any)
				lines[part]++;
		}
	}
	for (i = 0; i < KSM_PROBE_LINES; i++)
		KUNIT_EXPECT_EQ(test, lines[i], ARRAY_SIZE(pages));
}

static void swap_words(u64 *page, unsigned int a, unsigned int b)
{
	u64 word = page[a];

	page[a] = page[b];
	page[b] = word;
}

static void fingerprint_order_counts(struct kunit *test)
{
	struct ksm_random random = { ksm_test_seed() };
	u64 *page = random_page(test, 5);
	u64 digest = ksm_digest(page), probe = ksm_probe(page);
	unsigned int i, a, b, missed = 0, noticed = 0;

	for (i = 0; i < NR_WORDS + KSM_TEST_ROUNDS(1000) / STEP; i++) {
		a = i < NR_WORDS ? i : ksm_random_below(&random, NR_WORDS);
		b = i < NR_WORDS ? (i + 1) % NR_WORDS :
				   ksm_random_below(&random, NR_WORDS);
		if (a == b)
			continue;
		swap_words(page, a, b);
		missed += ksm_digest(page) == digest;
		noticed += ksm_probe(page) != probe;
		swap_words(page, a, b);
	}
	KUNIT_EXPECT_EQ(test, missed, 0);
	/* Neighbours in the lines that the probe reads, at least */
	KUNIT_EXPECT_GE(test, noticed, KSM_PROBE_LINES * 7);
	KUNIT_EXPECT_EQ(test, ksm_digest(page), digest);
	/* Larger pieces, up to what a large page is hashed by */
	for (i = 1; i < NR_WORDS; i *= 2) {
		for (a = 0; a < i; a++)
			swap_words(page, a, a + i);
		KUNIT_EXPECT_NE(test, ksm_digest(page), digest);
		for (a = 0; a < i; a++)
			swap_words(page, a, a + i);
	}
}

/* A set of numbers that counts how often one was in it already */
struct seen {
	u64 hash[TABLE_SIZE];
	bool used[TABLE_SIZE];
	unsigned int twice;
};

static void see(struct seen *seen, u64 hash)
{
	unsigned int at = hash % TABLE_SIZE;

	for (; seen->used[at]; at = (at + 1) % TABLE_SIZE) {
		if (seen->hash[at] == hash) {
			seen->twice++;
			return;
		}
	}
	seen->used[at] = true;
	seen->hash[at] = hash;
}

static struct seen *seen_alloc(struct kunit *test)
{
	struct seen *seen = kunit_kzalloc(test, sizeof(*seen), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, seen);
	return seen;
}

/* Sets of pages that differ as little as pages can. */
static void fingerprint_single_bits(struct kunit *test)
{
	struct seen *seen = seen_alloc(test);
	u64 *page = page_alloc(test);
	unsigned int i;

	see(seen, ksm_digest(page));
	for (i = 0; i < 8 * PAGE_SIZE; i += 2 * STEP + 1) {
		page[i / 64] = 1ULL << (i % 64);
		see(seen, ksm_digest(page));
		page[i / 64] = 0;
	}
	KUNIT_EXPECT_LE(test, seen->twice, BY_CHANCE);
}

static void fingerprint_counters(struct kunit *test)
{
	static const int words[] = { 0, 1, NR_WORDS / 2 + 1, NR_WORDS - 1 };
	struct seen *seen = seen_alloc(test);
	u64 *page = random_page(test, 6);
	unsigned int i, w;

	/* As many numbers as a guest has pages, in one word each */
	see(seen, ksm_digest(page));
	for (w = 0; w < ARRAY_SIZE(words); w++) {
		u64 *word = &page[words[w]], old = *word;

		for (i = 1; i < 4096; i++) {
			*word = old + i;
			see(seen, ksm_digest(page));
		}
		*word = old;
	}
	KUNIT_EXPECT_LE(test, seen->twice, BY_CHANCE);
}

/* What one word gains the other loses, and pages full of one word */
static void fingerprint_balanced(struct kunit *test)
{
	struct seen *seen = seen_alloc(test);
	u64 *page = page_alloc(test);
	unsigned int i, w;

	for (w = 0; w + 1 < 64; w++) {
		for (i = 0; i < 128; i++) {
			page[w] += i + 1;
			page[w + 1] -= i + 1;
			see(seen, ksm_digest(page));
			page[w] -= i + 1;
			page[w + 1] += i + 1;
		}
	}
	for (i = 0; i < 2048; i++) {
		for (w = 0; w < NR_WORDS; w++)
			page[w] = i * 0x0101010101010101ULL;
		see(seen, ksm_digest(page));
	}
	KUNIT_EXPECT_LE(test, seen->twice, BY_CHANCE);
}

/* The state word has room for one half of the probe: it must be well mixed. */
static void fingerprint_short_keys(struct kunit *test)
{
	struct seen *seen = seen_alloc(test);
	u64 *page = page_alloc(test);
	unsigned int i, w;

	for (i = 0; i < 16384; i++) {
		for (w = 0; w < NR_WORDS; w++)
			page[w] = i;
		see(seen, ksm_short(ksm_probe(page)));
	}
	/* 2^28 / 2 pairs, each agrees with a chance of 2^-32 */
	KUNIT_EXPECT_LE(test, seen->twice, 3);
}

static struct kunit_case fingerprint_cases[] = {
	KUNIT_CASE(fingerprint_zeroes),
	KUNIT_CASE(fingerprint_equal_pages),
	KUNIT_CASE(fingerprint_each_byte_counts),
	KUNIT_CASE(fingerprint_comparison),
	KUNIT_CASE(fingerprint_peek),
	KUNIT_CASE(fingerprint_probe_lines),
	KUNIT_CASE(fingerprint_order_counts),
	KUNIT_CASE(fingerprint_single_bits),
	KUNIT_CASE(fingerprint_counters),
	KUNIT_CASE(fingerprint_balanced),
	KUNIT_CASE(fingerprint_short_keys),
	{}
};

static struct kunit_suite fingerprint_suite = {
	.name = "ksm_fingerprint",
	.test_cases = fingerprint_cases,
};

kunit_test_suite(fingerprint_suite);
