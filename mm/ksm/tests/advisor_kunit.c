// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arithmetic of the scan-time advisor, fed by a simulated ksmd.
 */
#include <linux/math64.h>

#include "../advisor.h"
#include "testing.h"

/* Work of each pass, and what it costs */
struct load {
	unsigned long work;
	u64 page_ns;
};

static const struct ksm_advice defaults = {
	.pages_now = 500,
	.sleep_ms = 20,
	.target_s = 200,
	.max_cpu = 70,
	.min_pages = 1,
	.max_pages = 30000,
};

/* How long a pass takes with this pages_to_scan, pauses included */
static u64 pass_ns(const struct ksm_advice *in, const struct load *load)
{
	u64 batches = div64_u64(load->work + in->pages_now - 1, in->pages_now);

	return load->work * load->page_ns +
	       batches * in->sleep_ms * (NSEC_PER_SEC / MSEC_PER_SEC);
}

static unsigned long one_pass(struct ksm_advice *in, const struct load *load)
{
	in->work = load->work;
	in->cpu_ns = load->work * load->page_ns;
	in->wall_ns = pass_ns(in, load);
	in->pages_now = ksm_advise(in);
	return in->pages_now;
}

/* Passes until the value does not change any more */
static int converge(struct kunit *test, struct ksm_advice *in,
		    const struct load *load)
{
	unsigned long before;
	int passes;

	for (passes = 0; passes < 200; passes++) {
		before = in->pages_now;
		if (one_pass(in, load) == before)
			break;
	}
	KUNIT_EXPECT_EQ(test, one_pass(in, load), in->pages_now);
	return passes;
}

static void advisor_reaches_target(struct kunit *test)
{
	static const unsigned long works[] = { 100000, 1000000, 10000000 };
	static const unsigned long starts[] = { 1, 500, 30000 };
	unsigned int w, s;

	for (w = 0; w < ARRAY_SIZE(works); w++) {
		for (s = 0; s < ARRAY_SIZE(starts); s++) {
			struct load load = { works[w], 1000 };
			struct ksm_advice in = defaults;
			u64 seconds;

			in.pages_now = starts[s];
			KUNIT_EXPECT_LE(test, converge(test, &in, &load), 40);
			seconds = div64_u64(pass_ns(&in, &load), NSEC_PER_SEC);
			KUNIT_EXPECT_GE_MSG(test, seconds, 180, "work %lu",
					    works[w]);
			KUNIT_EXPECT_LE_MSG(test, seconds, 220, "work %lu",
					    works[w]);
		}
	}
}

/* Each pass closes about 30 percent of the gap, and none overshoots. */
static void advisor_is_smooth(struct kunit *test)
{
	struct load load = { 10000000, 1000 };
	struct ksm_advice in = defaults;
	unsigned long goal, before;
	int i;

	converge(test, &in, &load);
	goal = in.pages_now;
	KUNIT_EXPECT_EQ(test, goal, 1000);

	in.pages_now = 11000;
	KUNIT_EXPECT_EQ(test, one_pass(&in, &load), 8000);
	for (i = 0; i < 100; i++) {
		before = in.pages_now;
		one_pass(&in, &load);
		KUNIT_EXPECT_LE(test, in.pages_now, before);
		KUNIT_EXPECT_GE(test, in.pages_now, goal);
	}
	KUNIT_EXPECT_EQ(test, in.pages_now, goal);

	in.pages_now = 100;
	KUNIT_EXPECT_EQ(test, one_pass(&in, &load), 370);
	for (i = 0; i < 100; i++) {
		before = in.pages_now;
		one_pass(&in, &load);
		KUNIT_EXPECT_GE(test, in.pages_now, before);
		KUNIT_EXPECT_LE(test, in.pages_now, goal);
	}
	KUNIT_EXPECT_EQ(test, in.pages_now, goal);
}

static void advisor_follows_the_load(struct kunit *test)
{
	struct load load = { 1000000, 1000 };
	struct ksm_advice in = defaults;
	unsigned long small;

	converge(test, &in, &load);
	small = in.pages_now;
	load.work *= 10;
	converge(test, &in, &load);
	KUNIT_EXPECT_EQ(test, in.pages_now, 10 * small);
	load.work /= 10;
	converge(test, &in, &load);
	KUNIT_EXPECT_EQ(test, in.pages_now, small);
	/* Half the time, twice the pages */
	in.target_s /= 2;
	converge(test, &in, &load);
	KUNIT_EXPECT_EQ(test, in.pages_now, 2 * small);
	/* Half the batches, twice the pages again */
	in.sleep_ms *= 2;
	converge(test, &in, &load);
	KUNIT_EXPECT_EQ(test, in.pages_now, 4 * small);
}

/* A target that needs more CPU than allowed is missed. */
static void advisor_cpu_cap(struct kunit *test)
{
	static const unsigned int shares[] = { 10, 35, 70, 100 };
	struct load load = { 100000000, 10000 };
	struct ksm_advice in = defaults;
	unsigned int i;

	in.max_pages = 1000000;
	for (i = 0; i < ARRAY_SIZE(shares); i++) {
		u64 busy_ns;

		in.max_cpu = shares[i];
		converge(test, &in, &load);
		/* Per second: 50 batches of so many pages, 10 us each */
		busy_ns = in.pages_now * 50 * load.page_ns;
		KUNIT_EXPECT_LE(test, busy_ns, shares[i] * NSEC_PER_SEC / 100);
		KUNIT_EXPECT_GE(test, busy_ns,
				shares[i] * NSEC_PER_SEC / 100 * 95 / 100);
	}
	/* A tenth of a CPU is always allowed. */
	in.max_cpu = 10;
	converge(test, &in, &load);
	i = in.pages_now;
	in.max_cpu = 0;
	converge(test, &in, &load);
	KUNIT_EXPECT_EQ(test, in.pages_now, i);
}

/* Fewer batches may be larger ones, and without pauses the cap holds, too. */
static void advisor_cpu_cap_and_sleep(struct kunit *test)
{
	static const unsigned int sleeps[] = { 0, 1, 20, 100, 500 };
	struct load load = { 100000000, 10000 };
	struct ksm_advice in = defaults;
	unsigned int i;

	in.max_pages = 1000000;
	for (i = 0; i < ARRAY_SIZE(sleeps); i++) {
		u64 busy_ns;

		in.sleep_ms = sleeps[i];
		converge(test, &in, &load);
		busy_ns = in.pages_now * load.page_ns *
			  (MSEC_PER_SEC / max(in.sleep_ms, 1U));
		KUNIT_EXPECT_LE_MSG(test, busy_ns, 700000000, "%u ms",
				    sleeps[i]);
		KUNIT_EXPECT_GE_MSG(test, busy_ns, 660000000, "%u ms",
				    sleeps[i]);
	}
}

static void advisor_max_pages(struct kunit *test)
{
	struct load load = { 1000000000, 1 };
	struct ksm_advice in = defaults;

	converge(test, &in, &load);
	KUNIT_EXPECT_EQ(test, in.pages_now, in.max_pages);
	/* It can be lowered at any time, with immediate effect. */
	in.max_pages = 700;
	KUNIT_EXPECT_LE(test, one_pass(&in, &load), 700);
	in.max_pages = 0;
	KUNIT_EXPECT_EQ(test, one_pass(&in, &load), 1);
}

/* Without work it decreases step by step to the smallest value above 0. */
static void advisor_no_work(struct kunit *test)
{
	static const unsigned long mins[] = { 0, 1, 500, 30000, 30001 };
	struct ksm_advice in = defaults;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mins); i++) {
		struct load load = { 0, 1000 };
		unsigned long least = clamp_t(unsigned long, mins[i], 1,
					      in.max_pages);

		in.min_pages = mins[i];
		in.pages_now = in.max_pages;
		KUNIT_EXPECT_LE(test, converge(test, &in, &load), 60);
		KUNIT_EXPECT_EQ(test, in.pages_now, least);
		/* From no work, and up again when there is work */
		in.pages_now = 0;
		KUNIT_EXPECT_GE(test, ksm_advise(&in), 1);
		in.pages_now = least;
		load.work = 10000000;
		converge(test, &in, &load);
		KUNIT_EXPECT_EQ(test, in.pages_now, max(least, 1000UL));
	}
}

static void advisor_cpu_percent(struct kunit *test)
{
	struct ksm_advice in = {
		.wall_ns = 10ULL * NSEC_PER_SEC, .cpu_ns = 3ULL * NSEC_PER_SEC,
	};

	KUNIT_EXPECT_EQ(test, ksm_advice_cpu_percent(&in), 30);
	in.cpu_ns = 0;
	KUNIT_EXPECT_EQ(test, ksm_advice_cpu_percent(&in), 0);
	/* A pass of 0 ms, and one of a year */
	in.wall_ns = 0;
	KUNIT_EXPECT_EQ(test, ksm_advice_cpu_percent(&in), 0);
	in.wall_ns = 365 * 86400 * (u64)NSEC_PER_SEC;
	in.cpu_ns = in.wall_ns / 2;
	KUNIT_EXPECT_EQ(test, ksm_advice_cpu_percent(&in), 50);
}

static u64 some_extreme(struct ksm_random *random)
{
	static const u64 extremes[] = {
		0, 1, 2, 20, 70, 100, 1000, 1001, 1000000000, INT_MAX,
		UINT_MAX, 1ULL << 32, LLONG_MAX, 1ULL << 63, ULLONG_MAX - 1,
		ULLONG_MAX,
	};

	return extremes[ksm_random_below(random, ARRAY_SIZE(extremes))];
}

/* Any values of the knobs give a valid result. */
static void advisor_extremes(struct kunit *test)
{
	struct ksm_random random = { ksm_test_seed() };
	int i;

	for (i = 0; i < KSM_TEST_ROUNDS(20000); i++) {
		struct ksm_advice in = {
			.pages_now = some_extreme(&random),
			.work = some_extreme(&random),
			.wall_ns = some_extreme(&random),
			.cpu_ns = some_extreme(&random),
			.sleep_ms = some_extreme(&random),
			.target_s = some_extreme(&random),
			.max_cpu = some_extreme(&random),
			.min_pages = some_extreme(&random),
			.max_pages = some_extreme(&random),
		};
		unsigned long pages = ksm_advise(&in);

		/* pages_to_scan has 32 bits, and 0 would stop the scan. */
		KUNIT_EXPECT_GE_MSG(test, pages, 1, "round %d", i);
		KUNIT_EXPECT_LE_MSG(test, pages, UINT_MAX, "round %d", i);
		KUNIT_EXPECT_LE_MSG(test, pages, max(in.max_pages, 1UL),
				    "round %d", i);
		/* It moves towards the target, not away from it. */
		if (in.pages_now <= in.max_pages &&
		    (!in.work || (in.work < UINT_MAX && in.sleep_ms < 2000 &&
				  in.target_s > UINT_MAX)))
			KUNIT_EXPECT_LE_MSG(test, pages,
					    max3(in.pages_now, in.min_pages,
						 1UL), "round %d", i);
		ksm_advice_cpu_percent(&in);
		if (ksm_test_failed(test))
			return;
	}
}

static struct kunit_case advisor_cases[] = {
	KUNIT_CASE(advisor_reaches_target),
	KUNIT_CASE(advisor_is_smooth),
	KUNIT_CASE(advisor_follows_the_load),
	KUNIT_CASE(advisor_cpu_cap),
	KUNIT_CASE(advisor_cpu_cap_and_sleep),
	KUNIT_CASE(advisor_max_pages),
	KUNIT_CASE(advisor_no_work),
	KUNIT_CASE(advisor_cpu_percent),
	KUNIT_CASE(advisor_extremes),
	{}
};

static struct kunit_suite advisor_suite = {
	.name = "ksm_advisor",
	.test_cases = advisor_cases,
};

kunit_test_suite(advisor_suite);
