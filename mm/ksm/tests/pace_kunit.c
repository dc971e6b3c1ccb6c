// SPDX-License-Identifier: GPL-2.0-only
/*
 * When a batch ends, by a clock that the tests set
 */
#include "../pace.h"
#include "testing.h"

#define TICK_NS		(KSM_QUIET_NS / 10)

/* Any time will do, also one that is about to wrap around. */
static const u64 starts[] = { 0, 12345678901ULL, ~0ULL - TICK_NS };

static void pace_ends_after_pages(struct kunit *test)
{
	struct ksm_pace pace;
	unsigned int i;

	ksm_pace_begin(&pace, 100, KSM_QUIET_NS, 0);
	for (i = 0; i < 100; i++) {
		KUNIT_EXPECT_FALSE(test, ksm_pace_over(&pace));
		ksm_pace_work(&pace, 1, 0);
	}
	KUNIT_EXPECT_TRUE(test, ksm_pace_over(&pace));
}

static void pace_takes_more_work_than_was_left(struct kunit *test)
{
	struct ksm_pace pace;

	ksm_pace_begin(&pace, 100, KSM_QUIET_NS, 0);
	ksm_pace_work(&pace, 64, 0);
	KUNIT_EXPECT_EQ(test, pace.left, 36UL);
	ksm_pace_work(&pace, 64, 0);
	KUNIT_EXPECT_EQ(test, pace.left, 0UL);
	KUNIT_EXPECT_TRUE(test, ksm_pace_over(&pace));
}

static void pace_without_pages_is_over(struct kunit *test)
{
	struct ksm_pace pace;

	ksm_pace_begin(&pace, 0, KSM_QUIET_NS, 0);
	KUNIT_EXPECT_TRUE(test, ksm_pace_over(&pace));
}

static void pace_ends_after_quiet_time(struct kunit *test)
{
	unsigned int i, ticks;
	struct ksm_pace pace;
	u64 now;

	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		now = starts[i];
		ksm_pace_begin(&pace, 100, KSM_QUIET_NS, now);
		for (ticks = 0; ticks < 1000 && !ksm_pace_over(&pace); ticks++)
			ksm_pace_time(&pace, now += TICK_NS);
		KUNIT_EXPECT_EQ(test, ticks, 11U);
		KUNIT_EXPECT_EQ(test, pace.left, 100UL);
	}
}

/* Work has its own bound: its time does not count for the batch. */
/* The clock is corrected when others had the CPU. */
static void pace_clock_goes_back(struct kunit *test)
{
	struct ksm_pace pace;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		ksm_pace_begin(&pace, 100, KSM_QUIET_NS, starts[i]);
		ksm_pace_time(&pace, starts[i] - TICK_NS);
		KUNIT_EXPECT_EQ(test, pace.quiet_ns, 0ULL);
		ksm_pace_time(&pace, starts[i]);
		KUNIT_EXPECT_EQ(test, pace.quiet_ns, TICK_NS);
	}
}

static void pace_lets_work_take_its_time(struct kunit *test)
{
	struct ksm_pace pace;
	unsigned int i;
	u64 now = 0;

	ksm_pace_begin(&pace, 1000, KSM_QUIET_NS, now);
	for (i = 0; i < 900; i++) {
		ksm_pace_work(&pace, 1, 0);
		ksm_pace_time(&pace, now += KSM_QUIET_NS);
	}
	KUNIT_EXPECT_FALSE(test, ksm_pace_over(&pace));
	KUNIT_EXPECT_EQ(test, pace.quiet_ns, 0ULL);

	/* 0 pages of work count as none. */
	ksm_pace_work(&pace, 0, 0);
	ksm_pace_time(&pace, now += TICK_NS);
	KUNIT_EXPECT_EQ(test, pace.quiet_ns, TICK_NS + 0ULL);
}

/* Unchanged pages around a changed one are still charged. */
static void pace_shares_time(struct kunit *test)
{
	struct ksm_pace pace;
	unsigned int i;
	u64 now = 0;

	ksm_pace_begin(&pace, 1000, KSM_QUIET_NS, now);
	ksm_pace_work(&pace, 1, 3);
	ksm_pace_time(&pace, now += 4 * TICK_NS);
	KUNIT_EXPECT_EQ(test, pace.quiet_ns, 3 * TICK_NS + 0ULL);

	for (i = 1; i < 1000 && !ksm_pace_over(&pace); i++) {
		ksm_pace_work(&pace, 1, 511);
		ksm_pace_time(&pace, now += TICK_NS);
	}
	KUNIT_EXPECT_LE(test, i, 9U);
	KUNIT_EXPECT_GT(test, pace.left, 900UL);
}

static void pace_skips_what_is_not_to_count(struct kunit *test)
{
	struct ksm_pace pace;

	ksm_pace_begin(&pace, 100, KSM_QUIET_NS, 0);
	ksm_pace_skip(&pace, 10 * KSM_QUIET_NS);
	ksm_pace_time(&pace, 10 * KSM_QUIET_NS + TICK_NS);
	KUNIT_EXPECT_EQ(test, pace.quiet_ns, TICK_NS + 0ULL);
	KUNIT_EXPECT_FALSE(test, ksm_pace_over(&pace));
}

static struct kunit_case pace_cases[] = {
	KUNIT_CASE(pace_ends_after_pages),
	KUNIT_CASE(pace_takes_more_work_than_was_left),
	KUNIT_CASE(pace_without_pages_is_over),
	KUNIT_CASE(pace_ends_after_quiet_time),
	KUNIT_CASE(pace_clock_goes_back),
	KUNIT_CASE(pace_lets_work_take_its_time),
	KUNIT_CASE(pace_shares_time),
	KUNIT_CASE(pace_skips_what_is_not_to_count),
	{}
};

static struct kunit_suite pace_suite = {
	.name = "ksm_pace",
	.test_cases = pace_cases,
};

kunit_test_suite(pace_suite);
