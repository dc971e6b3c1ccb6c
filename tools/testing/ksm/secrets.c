// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fingerprints under many secrets: what is promised is a matter of the secret
 * alone, so the pages are fixed here and the secrets vary.
 */
#include "testing.h"

#define NR_WORDS	(PAGE_SIZE / sizeof(u64))

static struct ksm_random secret;

static void draw(void *buf, size_t len)
{
	unsigned char *byte = buf;

	while (len--)
		*byte++ = ksm_random(&secret);
}

static void draw_zeroes(void *buf, size_t len)
{
	memset(buf, 0, len);
}

static void draw_ones(void *buf, size_t len)
{
	memset(buf, 0xff, len);
}

static void seed(u64 number)
{
	secret.state = number;
	ksm_fingerprint_seed(draw);
}

/* Exactly one page, so that ASan sees a read beyond it. */
static u64 *page_alloc(void)
{
	u64 *page = aligned_alloc(PAGE_SIZE, PAGE_SIZE);

	if (!page)
		abort();
	return memset(page, 0, PAGE_SIZE);
}

static u64 lines_of_probe(u64 *page)
{
	u64 probe = ksm_probe(page), lines = 0;
	unsigned int i;

	for (i = 0; i < PAGE_SIZE / KSM_PROBE_LINE; i++) {
		page[i * 8] ^= 1;
		if (ksm_probe(page) != probe)
			lines = lines * PAGE_SIZE / KSM_PROBE_LINE + i;
		page[i * 8] ^= 1;
	}
	return lines;
}

static void secret_same(struct kunit *test)
{
	u64 *page = page_alloc(), probe, digest, zeroes, lines;
	unsigned int i;

	for (i = 0; i < NR_WORDS; i++)
		page[i] = i * i;
	seed(1);
	probe = ksm_probe(page);
	digest = ksm_digest(page);
	zeroes = ksm_probe_of_zeroes();
	lines = lines_of_probe(page);
	for (i = 2; i < 50; i++) {
		seed(i);
		KUNIT_EXPECT_NE(test, ksm_probe(page), probe);
		KUNIT_EXPECT_NE(test, ksm_digest(page), digest);
		KUNIT_EXPECT_NE(test, ksm_probe_of_zeroes(), zeroes);
		KUNIT_EXPECT_NE(test, lines_of_probe(page), lines);
	}
	seed(1);
	KUNIT_EXPECT_EQ(test, ksm_probe(page), probe);
	KUNIT_EXPECT_EQ(test, ksm_digest(page), digest);
	KUNIT_EXPECT_EQ(test, ksm_probe_of_zeroes(), zeroes);
	KUNIT_EXPECT_EQ(test, lines_of_probe(page), lines);
	free(page);
}

/* Each line of a quarter is a probe line under some secret. */
static void secret_lines(struct kunit *test)
{
	const unsigned int nr_lines = PAGE_SIZE / KSM_PROBE_LINE;
	unsigned int *hits = calloc(nr_lines, sizeof(*hits));
	unsigned int secrets = 40 * nr_lines, i, line;
	u64 *page = page_alloc();

	if (!hits)
		abort();
	if (PAGE_SIZE > 4096)
		secrets = 100;
	for (i = 0; i < secrets; i++) {
		unsigned int found = 0;
		u64 probe;

		seed(i);
		probe = ksm_probe(page);
		for (line = 0; line < nr_lines; line++) {
			page[line * 8 + i % 8] = 1;
			if (ksm_probe(page) != probe) {
				hits[line]++;
				found++;
			}
			page[line * 8 + i % 8] = 0;
		}
		KUNIT_EXPECT_EQ(test, found, KSM_PROBE_LINES);
	}
	if (PAGE_SIZE == 4096)
		for (line = 0; line < nr_lines; line++)
			KUNIT_EXPECT_TRUE_MSG(test, hits[line] > 100 &&
					      hits[line] < 240,
					      "line %u: %u hits of about 160",
					      line, hits[line]);
	free(page);
	free(hits);
}

/* The worst secrets there are: nothing is read that is not the page. */
static void secret_extremes(struct kunit *test)
{
	u64 *page = page_alloc();
	u64 zeroes;

	ksm_fingerprint_seed(draw_zeroes);
	KUNIT_EXPECT_EQ(test, ksm_probe(page), ksm_probe_of_zeroes());
	ksm_digest(page);
	ksm_fingerprint_seed(draw_ones);
	KUNIT_EXPECT_EQ(test, ksm_probe(page), ksm_probe_of_zeroes());
	zeroes = ksm_digest(page);
	page[NR_WORDS - 1] = 1;
	KUNIT_EXPECT_NE(test, ksm_digest(page), zeroes);
	ksm_probe_prefetch(page);
	free(page);
	seed(1);
}

/* Pages that an adversary prepares without knowing the secret */
static void make_similar(u64 *a, u64 *b, unsigned int how)
{
	unsigned int at = how / 8 % (NR_WORDS / 2) * 2, i;

	for (i = 0; i < NR_WORDS; i++)
		a[i] = how & 256 ? ~0ULL : i * 0x0123456789abcdefULL;
	memcpy(b, a, PAGE_SIZE);
	switch (how % 8) {
	case 0:		/* the highest bit, that products lose first */
		b[at] ^= 1ULL << 63;
		break;
	case 1:
		b[at] ^= 1ULL << 63;
		b[at + 1] ^= 1ULL << 63;
		break;
	case 2:		/* what one gains the other loses */
		b[at] += 1;
		b[at + 1] -= 1;
		break;
	case 3:		/* both factors of a product exchanged */
		b[at] = a[at + 1];
		b[at + 1] = a[at];
		break;
	case 4:		/* two products exchanged */
		b[at] = a[(at + 2) % NR_WORDS];
		b[at + 1] = a[(at + 3) % NR_WORDS];
		b[(at + 2) % NR_WORDS] = a[at];
		b[(at + 3) % NR_WORDS] = a[at + 1];
		break;
	case 5:		/* the upper halves */
		b[at] ^= 1ULL << 32;
		b[at + 1] ^= 1ULL << 32;
		break;
	case 6:		/* both words the other way round */
		b[at] = -a[at];
		b[at + 1] = -a[at + 1];
		break;
	default:
		b[at] ^= 1;
	}
}

static void secret_similar(struct kunit *test)
{
	unsigned int i, pairs = 0, equal = 0;
	u64 *a = page_alloc(), *b = page_alloc();

	for (i = 0; i < 60000 * 4096 / PAGE_SIZE; i++) {
		make_similar(a, b, i);
		if (!memcmp(a, b, PAGE_SIZE))
			continue;
		seed(i);
		pairs++;
		equal += ksm_digest(a) == ksm_digest(b);
	}
	KUNIT_EXPECT_GT(test, pairs, i / 2);
	KUNIT_EXPECT_EQ(test, equal, 0);
	free(a);
	free(b);
	seed(1);
}

static int by_value(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/*
 * The short keys of sets of pages that differ only in a counter.  By chance
 * 2^14 of them give 1/32 of a pair, so 64 sets give 2.
 */
static void secret_short_keys(struct kunit *test)
{
	static u32 keys[1 << 14];
	unsigned int set, i, w, equal = 0;
	u64 *page = page_alloc();

	for (set = 0; set < 64; set++) {
		seed(set);
		for (i = 0; i < ARRAY_SIZE(keys); i++) {
			/* One word of each line, wherever the probe looks */
			for (w = 0; w < NR_WORDS; w += 8)
				page[w + set % 8] = (u64)i << (set & 32);
			keys[i] = ksm_short(ksm_probe(page));
		}
		memset(page, 0, PAGE_SIZE);
		qsort(keys, ARRAY_SIZE(keys), sizeof(*keys), by_value);
		for (i = 1; i < ARRAY_SIZE(keys); i++)
			equal += keys[i] == keys[i - 1];
	}
	kunit_info(test, "%u equal short keys, 2 by chance\n", equal);
	KUNIT_EXPECT_LE(test, equal, 10);
	free(page);
	seed(1);
}

static struct kunit_case secret_cases[] = {
	KUNIT_CASE(secret_same),
	KUNIT_CASE(secret_lines),
	KUNIT_CASE(secret_extremes),
	KUNIT_CASE(secret_similar),
	KUNIT_CASE(secret_short_keys),
	{}
};

static struct kunit_suite secret_suite = {
	.name = "ksm_secrets",
	.test_cases = secret_cases,
};

kunit_test_suite(secret_suite);
