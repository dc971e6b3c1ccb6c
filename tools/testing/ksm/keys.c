// SPDX-License-Identifier: GPL-2.0-only
/*
 * The filter with keys of real pages: sets of pages that differ in a counter
 * must not have more false positives than random ones.
 */
#include "testing.h"

#define NR_PAGES	16384

static struct ksm_random secret;

static void draw(void *buf, size_t len)
{
	unsigned char *byte = buf;

	while (len--)
		*byte++ = ksm_random(&secret);
}

/* Keys of pages that have the number @i in each line, scaled */
static u32 key_of(u64 *page, unsigned int i, unsigned int shift)
{
	unsigned int w;

	for (w = 0; w < PAGE_SIZE / sizeof(u64); w += 8)
		page[w] = (u64)i << shift;
	return ksm_short(ksm_probe(page));
}

static void keys_of_counters(struct kunit *test)
{
	u64 *page = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	u32 *key = kunit_kcalloc(test, NR_PAGES, sizeof(*key), GFP_KERNEL);
	unsigned int set, i, total = 0, worst = 0;

	guard(mutex)(&ksm_scan_mutex);
	for (set = 0; set < 48; set++) {
		unsigned int wrong = 0;

		secret.state = set;
		ksm_fingerprint_seed(draw);
		/* The maximum load */
		KUNIT_EXPECT_TRUE(test, ksm_filter_resize(NR_PAGES));
		for (i = 0; i < NR_PAGES; i++) {
			key[i] = key_of(page, i, set % 4 * 16);
			ksm_filter_add(key[i]);
		}
		for (i = 0; i < NR_PAGES; i++)
			wrong += ksm_filter_may_match(key[i]);
		total += wrong;
		worst = max(worst, wrong);
		ksm_filter_free();
	}
	kunit_info(test, "false positives: %u of 1000, at worst %u\n",
		   total / 48 * 1000 / NR_PAGES, worst * 1000 / NR_PAGES);
	KUNIT_EXPECT_LE(test, total / 48 * 1000 / NR_PAGES, 60);
	KUNIT_EXPECT_LE(test, worst * 1000 / NR_PAGES, 100);
}

static struct kunit_case keys_cases[] = {
	KUNIT_CASE(keys_of_counters),
	{}
};

static struct kunit_suite keys_suite = {
	.name = "ksm_keys",
	.init = ksm_test_begin,
	.exit = ksm_test_end,
	.test_cases = keys_cases,
};

kunit_test_suite(keys_suite);
