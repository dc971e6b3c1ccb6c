// SPDX-License-Identifier: GPL-2.0-only
/*
 * The filter against a plain count of keys.  It must never have a false
 * negative; how many false positives it has is measured.
 */
#include "testing.h"

#define MODEL_KEYS	4096

struct filter_model {
	u32 key[MODEL_KEYS];
	unsigned int count[MODEL_KEYS];
};

static struct filter_model *model_alloc(struct kunit *test,
					struct ksm_random *random)
{
	struct filter_model *m;
	unsigned int i;

	m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m);
	for (i = 0; i < MODEL_KEYS; i++)
		m->key[i] = ksm_random(random);
	return m;
}

static void model_add(struct filter_model *m, unsigned int i)
{
	ksm_filter_add(m->key[i]);
	m->count[i]++;
}

static void model_remove(struct filter_model *m, unsigned int i)
{
	ksm_filter_remove(m->key[i]);
	m->count[i]--;
}

static void expect_no_false_negative(struct kunit *test,
				     const struct filter_model *m)
{
	unsigned int i, missed = 0;

	for (i = 0; i < MODEL_KEYS; i++)
		missed += m->count[i] > 1 && !ksm_filter_may_match(m->key[i]);
	KUNIT_EXPECT_EQ(test, missed, 0);
}

/* Without a filter every key may have a duplicate. */
static void filter_absent(struct kunit *test)
{
	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_TRUE(test, ksm_recheck_resize(1));
	ksm_test_forget_calls();
	KUNIT_EXPECT_EQ(test, ksm_filter_bytes(), 0);
	KUNIT_EXPECT_TRUE(test, ksm_filter_wants_resize(0));
	ksm_filter_recount(1);
	KUNIT_EXPECT_FALSE(test, ksm_test_due(1));
	ksm_filter_add(1);
	KUNIT_EXPECT_TRUE(test, ksm_test_due(1));
	KUNIT_EXPECT_TRUE(test, ksm_filter_may_match(1));
	KUNIT_EXPECT_TRUE(test, ksm_filter_may_match(2));
	ksm_filter_remove(1);
	KUNIT_EXPECT_TRUE(test, ksm_filter_may_match(1));
	ksm_filter_free();
	ksm_recheck_free();
	KUNIT_EXPECT_EQ(test, ksm_filter_bytes(), 0);
}

static void expect_one_key(struct kunit *test, u32 key)
{
	ksm_test_forget_calls();
	ksm_filter_add(key);
	KUNIT_EXPECT_FALSE(test, ksm_filter_may_match(key));
	KUNIT_EXPECT_FALSE(test, ksm_test_due(key));
	ksm_filter_add(key);
	KUNIT_EXPECT_TRUE(test, ksm_filter_may_match(key));
	KUNIT_EXPECT_TRUE(test, ksm_test_due(key));
	ksm_test_forget_calls();
	ksm_filter_remove(key);
	KUNIT_EXPECT_FALSE(test, ksm_filter_may_match(key));
	KUNIT_EXPECT_FALSE(test, ksm_test_due(key));
	/* A new duplicate calls the key again, and so does one more. */
	ksm_filter_add(key);
	KUNIT_EXPECT_TRUE(test, ksm_test_due(key));
	ksm_test_forget_calls();
	ksm_filter_add(key);
	KUNIT_EXPECT_TRUE(test, ksm_test_due(key));
	/* What was counted before is no news. */
	ksm_test_forget_calls();
	ksm_filter_recount(key);
	KUNIT_EXPECT_FALSE(test, ksm_test_due(key));
}

static void filter_one_key(struct kunit *test)
{
	static const u32 keys[] = { 0, 1, 0xff, 0x80000000, 0xffffffff };
	unsigned int i;

	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_TRUE(test, ksm_recheck_resize(1));
	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		KUNIT_EXPECT_TRUE(test, ksm_filter_resize(1));
		expect_one_key(test, keys[i]);
	}
	ksm_recheck_free();
	ksm_filter_free();
}

/* A page is never its own duplicate, wherever its counters are. */
static void filter_alone(struct kunit *test)
{
	struct ksm_random random = { ksm_test_seed() };
	unsigned int i, wrong = 0;

	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_TRUE(test, ksm_filter_resize(1));
	KUNIT_EXPECT_TRUE(test, ksm_recheck_resize(1));
	ksm_test_forget_calls();
	for (i = 0; i < 10000; i++) {
		u32 key = ksm_random(&random);

		ksm_filter_add(key);
		wrong += ksm_filter_may_match(key);
		wrong += ksm_test_due(key);
		ksm_filter_remove(key);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	ksm_recheck_free();
	ksm_filter_free();
}

/* A saturated counter never drops below the real count. */
static void filter_saturation(struct kunit *test)
{
	unsigned int have, left;

	guard(mutex)(&ksm_scan_mutex);
	for (have = 3; have < 12; have++) {
		KUNIT_EXPECT_TRUE(test, ksm_filter_resize(1));
		for (left = 0; left < have; left++)
			ksm_filter_add(77);
		for (; left > 1; left--) {
			KUNIT_EXPECT_TRUE(test, ksm_filter_may_match(77));
			ksm_filter_remove(77);
		}
	}
	/* A resize clears saturated counters. */
	KUNIT_EXPECT_TRUE(test, ksm_filter_may_match(77));
	KUNIT_EXPECT_TRUE(test, ksm_filter_resize(1));
	ksm_filter_add(77);
	KUNIT_EXPECT_FALSE(test, ksm_filter_may_match(77));
	ksm_filter_free();
}

/*
 * If a key seems to be shared and was not called when it came to be, no page
 * that had it before would ever look.
 */
static void filter_calls(struct kunit *test)
{
	struct ksm_random random = { ksm_test_seed() };
	struct filter_model *m = model_alloc(test, &random);
	unsigned int i, was;
	int step;

	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_TRUE(test, ksm_filter_resize(1));
	KUNIT_EXPECT_TRUE(test, ksm_recheck_resize(1));
	for (step = 0; step < KSM_TEST_ROUNDS(3000); step++) {
		ksm_test_forget_calls();
		i = ksm_random_below(&random, MODEL_KEYS);
		was = m->count[i];
		if (was && ksm_random_chance(&random, 40)) {
			model_remove(m, i);
			KUNIT_EXPECT_FALSE_MSG(test, ksm_test_due(m->key[i]),
					       "step %d", step);
			continue;
		}
		model_add(m, i);
		KUNIT_EXPECT_EQ_MSG(test, ksm_test_due(m->key[i]),
				    ksm_filter_may_match(m->key[i]),
				    "step %d", step);
		KUNIT_EXPECT_TRUE_MSG(test, !was || ksm_test_due(m->key[i]),
				      "step %d", step);
		if (ksm_test_failed(test))
			break;
	}
	ksm_recheck_free();
	ksm_filter_free();
}

static void filter_random(struct kunit *test)
{
	struct ksm_random random = { ksm_test_seed() };
	struct filter_model *m = model_alloc(test, &random);
	unsigned int i;
	int step;

	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_TRUE(test, ksm_filter_resize(MODEL_KEYS));
	for (step = 0; step < KSM_TEST_ROUNDS(50000); step++) {
		/* Most keys once, a few often */
		i = ksm_random_below(&random, MODEL_KEYS);
		if (ksm_random_chance(&random, 30))
			i %= 64;
		if (m->count[i] && ksm_random_chance(&random, 48)) {
			model_remove(m, i);
		} else {
			model_add(m, i);
			KUNIT_EXPECT_TRUE_MSG(test, m->count[i] < 2 ||
					      ksm_filter_may_match(m->key[i]),
					      "step %d", step);
		}
		if (step % 1000 == 0)
			expect_no_false_negative(test, m);
		if (ksm_test_failed(test))
			break;
	}
	expect_no_false_negative(test, m);
	ksm_filter_free();
}

/* A saturated filter asks to be rebuilt, and that helps. */
static void filter_saturates(struct kunit *test)
{
	struct ksm_random random = { ksm_test_seed() };
	struct filter_model *m = model_alloc(test, &random);
	unsigned long bytes, rounds;
	unsigned int i, alone = 0;
	int times;

	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_TRUE(test, ksm_filter_resize(MODEL_KEYS));
	bytes = ksm_filter_bytes();
	for (i = 0; i < MODEL_KEYS; i++)
		model_add(m, i);
	KUNIT_EXPECT_FALSE(test, ksm_filter_wants_resize(MODEL_KEYS));

	for (rounds = 0; rounds < 1000000; rounds++) {
		u32 key = ksm_random(&random);

		for (times = 0; times < 4; times++)
			ksm_filter_add(key);
		for (times = 0; times < 4; times++)
			ksm_filter_remove(key);
		if (ksm_filter_wants_resize(MODEL_KEYS))
			break;
	}
	KUNIT_EXPECT_TRUE(test, ksm_filter_wants_resize(MODEL_KEYS));
	/* Not for the first few saturated counters */
	KUNIT_EXPECT_GT(test, rounds, 100);

	KUNIT_EXPECT_TRUE(test, ksm_filter_resize(MODEL_KEYS));
	KUNIT_EXPECT_LE(test, ksm_filter_bytes(), bytes);
	KUNIT_EXPECT_FALSE(test, ksm_filter_wants_resize(MODEL_KEYS));
	for (i = 0; i < MODEL_KEYS; i++)
		ksm_filter_add(m->key[i]);
	expect_no_false_negative(test, m);
	for (i = 0; i < MODEL_KEYS; i++)
		alone += !ksm_filter_may_match(m->key[i]);
	KUNIT_EXPECT_GT(test, alone, MODEL_KEYS * 9 / 10);
	ksm_filter_free();
}

/* What many pages had, and have no more, leaves two counters behind. */
static void filter_popular(struct kunit *test)
{
	struct ksm_random random = { ksm_test_seed() };
	struct filter_model *m = model_alloc(test, &random);
	unsigned int i;

	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_TRUE(test, ksm_filter_resize(MODEL_KEYS));
	for (i = 0; i < MODEL_KEYS; i++)
		model_add(m, i);
	for (i = 0; i < 100000; i++)
		ksm_filter_add(77);
	for (i = 0; i < 100000; i++)
		ksm_filter_remove(77);
	KUNIT_EXPECT_FALSE(test, ksm_filter_wants_resize(MODEL_KEYS));
	/* Nor is it worn out by having many keys. */
	for (i = 0; i < 8 * MODEL_KEYS; i++)
		ksm_filter_add(ksm_random(&random));
	for (i = 0; i < 100000; i++)
		ksm_filter_add(77);
	for (i = 0; i < 100000; i++)
		ksm_filter_remove(77);
	KUNIT_EXPECT_FALSE(test, ksm_filter_wants_resize(MODEL_KEYS));
	ksm_filter_free();
}

/* At least 8 slots of 2 bits for each page, and not many times more */
static void filter_size(struct kunit *test)
{
	unsigned long pages, bytes;

	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_TRUE(test, ksm_filter_resize(0));
	bytes = ksm_filter_bytes();
	KUNIT_EXPECT_GT(test, bytes, 0);
	KUNIT_EXPECT_LE(test, bytes, 64 * 1024);
	for (pages = 1; pages < 1000000; pages += pages / 3 + 1) {
		if (ksm_filter_wants_resize(pages))
			KUNIT_EXPECT_TRUE(test, ksm_filter_resize(pages));
		bytes = ksm_filter_bytes();
		KUNIT_EXPECT_FALSE(test, ksm_filter_wants_resize(pages));
		KUNIT_EXPECT_GE(test, bytes * 4, pages * 8);
		if (pages > 100000)
			KUNIT_EXPECT_LE(test, bytes * 4, pages * 8 * 4);
	}
	/* Memory is freed later, but not kept for ever. */
	KUNIT_EXPECT_FALSE(test, ksm_filter_wants_resize(pages * 3 / 4));
	KUNIT_EXPECT_TRUE(test, ksm_filter_wants_resize(pages / 100));
	KUNIT_EXPECT_TRUE(test, ksm_filter_resize(pages / 100));
	KUNIT_EXPECT_LT(test, ksm_filter_bytes(), bytes / 8);
	ksm_filter_free();
}

/* After a resize all keys must be counted again, which calls none. */
static void filter_resize_is_no_news(struct kunit *test)
{
	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_TRUE(test, ksm_recheck_resize(1));
	KUNIT_EXPECT_TRUE(test, ksm_filter_resize(1));
	ksm_filter_add(5);
	ksm_filter_add(5);
	ksm_test_forget_calls();
	KUNIT_EXPECT_TRUE(test, ksm_filter_resize(1000000));
	KUNIT_EXPECT_FALSE(test, ksm_filter_may_match(5));
	ksm_filter_recount(5);
	ksm_filter_recount(5);
	KUNIT_EXPECT_TRUE(test, ksm_filter_may_match(5));
	KUNIT_EXPECT_FALSE(test, ksm_test_due(5));
	ksm_recheck_free();
	ksm_filter_free();
}

/* In thousandths, how many of @pages keys seem to be shared and are not */
static unsigned int false_positives(struct kunit *test, unsigned long pages,
				    u64 seed)
{
	struct ksm_random random = { seed }, again = { seed };
	unsigned int i, wrong = 0;

	for (i = 0; i < pages; i++)
		ksm_filter_add(ksm_random(&random));
	for (i = 0; i < pages; i++)
		wrong += ksm_filter_may_match(ksm_random(&again));
	return wrong * 1000 / pages;
}

static void filter_false_positives(struct kunit *test)
{
	const unsigned long pages = 32768;

	guard(mutex)(&ksm_scan_mutex);
	/* The maximum load, one page for 8 slots: about one of twenty */
	KUNIT_EXPECT_TRUE(test, ksm_filter_resize(pages));
	KUNIT_EXPECT_EQ(test, ksm_filter_bytes() * 4, pages * 8);
	KUNIT_EXPECT_FALSE(test, ksm_filter_wants_resize(pages));
	KUNIT_EXPECT_LE(test, false_positives(test, pages, ksm_test_seed()),
			55);
	/* Half full */
	KUNIT_EXPECT_TRUE(test, ksm_filter_resize(pages));
	KUNIT_EXPECT_LE(test, false_positives(test, pages / 2,
					      ksm_test_seed()), 20);
	ksm_filter_free();
}

static struct kunit_case filter_cases[] = {
	KUNIT_CASE(filter_absent),
	KUNIT_CASE(filter_one_key),
	KUNIT_CASE(filter_alone),
	KUNIT_CASE(filter_saturation),
	KUNIT_CASE(filter_calls),
	KUNIT_CASE(filter_random),
	KUNIT_CASE(filter_saturates),
	KUNIT_CASE(filter_popular),
	KUNIT_CASE(filter_size),
	KUNIT_CASE(filter_resize_is_no_news),
	KUNIT_CASE(filter_false_positives),
	{}
};

static struct kunit_suite filter_suite = {
	.name = "ksm_filter",
	.init = ksm_test_begin,
	.exit = ksm_test_end,
	.test_cases = filter_cases,
};

kunit_test_suite(filter_suite);
