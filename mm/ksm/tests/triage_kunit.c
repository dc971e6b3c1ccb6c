// SPDX-License-Identifier: GPL-2.0-only
/*
 * Triage against the judge: where triage finds that there is nothing to do, the
 * judge has to find the same, and leave the same word.
 *
 * Random words are drawn from those that pages really have, and from all that
 * can be written: triage must be right about both.
 */
#include "../triage.h"
#include "testing.h"

/**
 * struct triage_case - one entry, and what holds for its slice
 * @seen:    what the judge is told
 * @dirty:   the entry's own dirty bit
 * @due:     all keys are called, or one in two
 * @word:    inline word
 */
struct triage_case {
	struct ksm_observation seen;
	bool dirty;
	struct ksm_rechecks due;
	u64 word;
};

static const u64 all_keys = ~0ULL, some_keys = 0x5555555555555555ULL, no_keys;

/* With smart_scan=0 all are. */
static struct ksm_rechecks random_rechecks(struct ksm_random *random,
					   bool smart)
{
	struct ksm_rechecks due = { &no_keys, 58 };

	if (!smart || ksm_random_chance(random, 20))
		due.bits = &all_keys;
	else if (ksm_random_chance(random, 50))
		due.bits = &some_keys;
	return due;
}

/* Any inline word, mostly with the page frame number of the entry */
static u64 random_word(struct ksm_random *random, u16 pfn)
{
	u64 word = ksm_random(random) & ~(KSM_WORD_TAG | KSM_WORD_PFN);

	if (ksm_random_chance(random, 50))
		word &= ~(KSM_WORD_LOOKUP | KSM_WORD_STREAK | KSM_WORD_WAIT |
			  KSM_WORD_PEEKED);
	if (ksm_random_chance(random, 30))
		word = (word & ~(KSM_WORD_STREAK | KSM_WORD_QUIET)) |
		       FIELD_PREP(KSM_WORD_STREAK, KSM_STREAK_VOLATILE);
	if (ksm_random_chance(random, 5))
		pfn = ksm_random(random);
	return word | KSM_WORD_KNOWN | FIELD_PREP(KSM_WORD_PFN, pfn);
}

/* As ksm_judge_page() derives what it tells the judge from an entry */
static struct triage_case random_case(struct ksm_random *random)
{
	bool joint = ksm_random_chance(random, 30);
	bool smart = ksm_random_chance(random, 80);
	bool trust = smart && ksm_random_chance(random, 80);
	u16 pfn = ksm_random(random);
	struct triage_case c = {
		.dirty = ksm_random_chance(random, 30),
		.due = random_rechecks(random, smart),
		.word = random_word(random, pfn),
	};

	c.seen = (struct ksm_observation) {
		.pfn = pfn,
		.dirty = c.dirty && !joint,
		.trust = trust && !(c.dirty && joint),
		.smart = smart,
		.renew = ksm_random_chance(random, 10),
		.joint = joint,
	};
	return c;
}

/* What holds for the slice does not depend on the entry's dirty bit. */
static struct ksm_triage settings(const struct triage_case *c, bool trust)
{
	struct ksm_observation seen = c->seen;

	seen.trust = trust;
	return ksm_triage_init(&seen, c->due);
}

static bool trusts(const struct triage_case *c)
{
	return c->seen.trust || (c->dirty && c->seen.joint);
}

static void expect_unchanged(struct kunit *test, const struct triage_case *c,
			     int step)
{
	enum ksm_verdict verdict;
	u64 word = ksm_state_judge(c->word, &c->seen, &verdict);

	KUNIT_EXPECT_EQ_MSG(test, verdict, KSM_VERDICT_UNCHANGED, "step %d",
			    step);
	KUNIT_EXPECT_EQ_MSG(test, word, c->word, "step %d", step);
}

static bool is_due(const struct triage_case *c)
{
	return ksm_recheck_due(c->due, c->word);
}

/* A page without item: nor may the judge look for a duplicate. */
static void triage_inline(struct kunit *test)
{
	struct ksm_random random = { ksm_test_seed() };
	int step, skipped = 0;

	for (step = 0; step < KSM_TEST_ROUNDS(50000); step++) {
		struct triage_case c = random_case(&random);
		struct ksm_triage t = settings(&c, trusts(&c));

		if (!ksm_triage_inline(&t, c.word, c.seen.pfn, c.dirty,
				       c.seen.joint))
			continue;
		skipped++;
		expect_unchanged(test, &c, step);
		KUNIT_EXPECT_FALSE_MSG(test,
				       ksm_state_lookup_due(&c.word, is_due(&c)),
				       "step %d", step);
		if (ksm_test_failed(test))
			return;
	}
	/* And it is worth to have it. */
	KUNIT_EXPECT_GT(test, skipped, KSM_TEST_ROUNDS(50000) / 100);
}

/* The same, but for what the filter may say: it is the first that is asked. */
static void triage_asks(struct kunit *test)
{
	struct ksm_random random = { ksm_test_seed() };
	int step, asked = 0;

	for (step = 0; step < KSM_TEST_ROUNDS(50000); step++) {
		struct triage_case c = random_case(&random);
		struct ksm_triage t = settings(&c, trusts(&c));
		bool due = is_due(&c) || (c.word & KSM_WORD_LOOKUP);
		u64 word = c.word;

		if (!ksm_triage_asks(&t, c.word, c.seen.pfn, c.dirty,
				     c.seen.joint))
			continue;
		asked++;
		expect_unchanged(test, &c, step);
		KUNIT_EXPECT_EQ_MSG(test,
				    ksm_state_lookup_due(&word, is_due(&c)), due,
				    "step %d", step);
		KUNIT_EXPECT_EQ_MSG(test, word, c.word, "step %d", step);
		/* What is not skipped has something to ask. */
		KUNIT_EXPECT_EQ_MSG(test,
				    ksm_triage_inline(&t, c.word, c.seen.pfn,
						      c.dirty, c.seen.joint),
				    !due, "step %d", step);
		if (ksm_test_failed(test))
			return;
	}
	KUNIT_EXPECT_GT(test, asked, KSM_TEST_ROUNDS(50000) / 100);
}

/* A page in the unstable tree, with the word that its item keeps */
static void triage_unstable(struct kunit *test)
{
	struct ksm_random random = { ksm_test_seed() };
	int step, skipped = 0;

	for (step = 0; step < KSM_TEST_ROUNDS(50000); step++) {
		struct triage_case c = random_case(&random);
		struct ksm_triage t = settings(&c, trusts(&c));

		c.word = ksm_state_queued(c.word);
		if (!ksm_triage_unstable(&t, c.word, c.seen.pfn, c.dirty,
					 c.seen.joint))
			continue;
		skipped++;
		expect_unchanged(test, &c, step);
		/* So it would not look into the stable tree. */
		KUNIT_EXPECT_FALSE_MSG(test, is_due(&c), "step %d", step);
		if (ksm_test_failed(test))
			return;
	}
	KUNIT_EXPECT_GT(test, skipped, KSM_TEST_ROUNDS(50000) / 100);
}

/* A volatile page, written or not */
static void triage_defers(struct kunit *test)
{
	struct ksm_random random = { ksm_test_seed() };
	int step, deferred = 0;

	for (step = 0; step < KSM_TEST_ROUNDS(50000); step++) {
		struct triage_case c = random_case(&random);
		struct ksm_triage t = settings(&c, trusts(&c));
		enum ksm_verdict verdict;
		u64 word;

		if (!ksm_triage_defers(&t, c.word, c.seen.pfn))
			continue;
		deferred++;
		word = ksm_state_judge(c.word, &c.seen, &verdict);
		KUNIT_EXPECT_EQ_MSG(test, verdict, KSM_VERDICT_DEFER, "step %d",
				    step);
		KUNIT_EXPECT_EQ_MSG(test, word, ksm_state_deferred(c.word),
				    "step %d", step);
		if (ksm_test_failed(test))
			return;
	}
	KUNIT_EXPECT_GT(test, deferred, KSM_TEST_ROUNDS(50000) / 100);
}

/* A mapping of a KSM page, unless it was written or its node is gone */
static void triage_stable(struct kunit *test)
{
	static const enum ksm_tag tags[] = {
		KSM_TAG_UNSTABLE, KSM_TAG_STABLE_LOST, KSM_TAG_STABLE,
	};
	struct ksm_rmap_item *item;
	unsigned int i, flags;

	item = kunit_kzalloc(test, sizeof(*item), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, item);
	item->pfn = 0x12345;
	for (i = 0; i < ARRAY_SIZE(tags); i++) {
		u64 word = ksm_word_of_item(item, tags[i]);

		/* One bit each: written, writable, another page, renewed */
		for (flags = 0; flags < 16; flags++) {
			struct ksm_observation seen = { .renew = flags & 8 };
			struct ksm_rechecks due = { &all_keys, 58 };
			struct ksm_triage t = ksm_triage_init(&seen, due);
			bool expected = !flags && tags[i] == KSM_TAG_STABLE;

			KUNIT_EXPECT_EQ_MSG(test, expected,
					    ksm_triage_stable(&t, word,
							      item->pfn ^
							      !!(flags & 4),
							      flags & 1,
							      flags & 2),
					    "tag %d, flags %u", tags[i], flags);
		}
	}
}

/* A word is what it was after it went through an item. */
static void triage_item_word(struct kunit *test)
{
	struct ksm_random random = { ksm_test_seed() };
	struct ksm_rmap_item item = { };
	int step;

	for (step = 0; step < KSM_TEST_ROUNDS(1000); step++) {
		u64 word = ksm_state_queued(random_word(&random, step));
		bool digest = ksm_random_chance(&random, 50);
		unsigned long addr = ksm_random(&random) & PAGE_MASK;

		item.pfn = ksm_word_pfn(word);
		item.key.probe = (u64)ksm_word_short(word) << 32;
		item.address = addr | (digest ? KSM_ITEM_DIGEST : 0);
		ksm_item_set_word(&item, word);
		KUNIT_EXPECT_EQ_MSG(test, ksm_item_word(&item), word, "step %d",
				    step);
		KUNIT_EXPECT_EQ_MSG(test, ksm_item_addr(&item), addr, "step %d",
				    step);
		KUNIT_EXPECT_EQ_MSG(test, ksm_item_has_digest(&item), digest,
				    "step %d", step);
		if (ksm_test_failed(test))
			return;
	}
}

static struct kunit_case triage_cases[] = {
	KUNIT_CASE(triage_inline),
	KUNIT_CASE(triage_asks),
	KUNIT_CASE(triage_unstable),
	KUNIT_CASE(triage_defers),
	KUNIT_CASE(triage_stable),
	KUNIT_CASE(triage_item_word),
	{}
};

static struct kunit_suite triage_suite = {
	.name = "ksm_triage",
	.test_cases = triage_cases,
};

kunit_test_suite(triage_suite);
