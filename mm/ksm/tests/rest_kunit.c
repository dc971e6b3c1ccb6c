// SPDX-License-Identifier: GPL-2.0-only
/*
 * How closely unchanged pages are watched.
 */
#include "../pace.h"
#include "../rest.h"
#include "testing.h"

#define TRACKED	100000UL
#define SLEEP	20U
#define LEAST	(SLEEP * 2000ULL)	/* a 500th of the pause, in ns */

static const struct ksm_rest awake = { .quiet_ns = KSM_QUIET_NS };

/* A pass with these new pages and merges, which took this long */
static void pass(struct ksm_rest *rest, unsigned long new_pages,
		 unsigned long merged, u64 spent_ns, unsigned int sleep_ms)
{
	ksm_rest_begin_pass(rest);
	ksm_rest_answer_call(rest);
	rest->merged += merged;
	rest->spent_ns += spent_ns;
	ksm_rest_wake_if_found(rest, new_pages, TRACKED);
	ksm_rest_end_pass(rest, sleep_ms);
}

/* Halved with each pass, down to the share of the pause */
static void rest_comes_by_and_by(struct kunit *test)
{
	struct ksm_rest rest = awake;
	u64 want = KSM_QUIET_NS;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		pass(&rest, 0, 0, 0, SLEEP);
		want = max(want / 2, LEAST);
		KUNIT_EXPECT_EQ(test, rest.quiet_ns, want);
	}
	KUNIT_EXPECT_EQ(test, rest.quiet_ns, LEAST);
}

static void rest_ends_at_once(struct kunit *test)
{
	struct ksm_rest rest = awake;
	unsigned int i;

	for (i = 0; i < 20; i++)
		pass(&rest, 0, 0, 0, SLEEP);
	pass(&rest, 0, 1, 0, SLEEP);
	KUNIT_EXPECT_EQ(test, rest.quiet_ns, KSM_QUIET_NS);
	pass(&rest, 0, 0, 0, SLEEP);
	KUNIT_EXPECT_EQ(test, rest.quiet_ns, KSM_QUIET_NS / 2);

	/* In the middle of a pass, too */
	ksm_rest_begin_pass(&rest);
	ksm_rest_call(&rest);
	KUNIT_EXPECT_EQ(test, rest.quiet_ns, KSM_QUIET_NS / 2);
	ksm_rest_answer_call(&rest);
	KUNIT_EXPECT_EQ(test, rest.quiet_ns, KSM_QUIET_NS);
	ksm_rest_end_pass(&rest, SLEEP);
	KUNIT_EXPECT_EQ(test, rest.quiet_ns, KSM_QUIET_NS);
	/* A call is answered once. */
	pass(&rest, 0, 0, 0, SLEEP);
	KUNIT_EXPECT_EQ(test, rest.quiet_ns, KSM_QUIET_NS / 2);
}

/* A few new pages are not worth it: there always are some. */
static void rest_among_few_new_pages(struct kunit *test)
{
	struct ksm_rest rest = awake;

	pass(&rest, TRACKED / 1024, 0, 0, SLEEP);
	KUNIT_EXPECT_EQ(test, rest.quiet_ns, KSM_QUIET_NS / 2);
	pass(&rest, TRACKED / 1024 + 1, 0, 0, SLEEP);
	KUNIT_EXPECT_EQ(test, rest.quiet_ns, KSM_QUIET_NS);
}

/* Ten seconds for a pass, however much there is to visit */
static void rest_within_bounds(struct kunit *test)
{
	static const struct {
		unsigned int sleep_ms;
		u64 spent_ns, want;
	} cases[] = {
		{ 20, 0, LEAST },
		{ 20, 20000000, LEAST },		/* exactly as much */
		{ 20, 40000000, 2 * LEAST },
		{ 20, 4000000000ULL, KSM_QUIET_NS },	/* that takes longer */
		{ 20, U64_MAX, KSM_QUIET_NS },
		{ 0, 0, KSM_QUIET_NS },
		{ 1, 0, 2000 },
		{ 499, 0, 998000 },
		{ 500, 0, KSM_QUIET_NS },
		{ U32_MAX, U64_MAX, KSM_QUIET_NS },
	};
	struct ksm_rest rest;
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		rest = awake;
		for (k = 0; k < 20; k++)
			pass(&rest, 0, 0, cases[i].spent_ns, cases[i].sleep_ms);
		KUNIT_EXPECT_EQ(test, rest.quiet_ns, cases[i].want);
	}
}

static struct kunit_case rest_cases[] = {
	KUNIT_CASE(rest_comes_by_and_by),
	KUNIT_CASE(rest_ends_at_once),
	KUNIT_CASE(rest_among_few_new_pages),
	KUNIT_CASE(rest_within_bounds),
	{}
};

static struct kunit_suite rest_suite = {
	.name = "ksm_rest",
	.test_cases = rest_cases,
};

kunit_test_suite(rest_suite);
