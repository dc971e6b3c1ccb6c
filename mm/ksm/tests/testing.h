/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites share.
 *
 * They run in the kernel under KUnit and, all but that of the knobs, also in
 * user space, see tools/testing/ksm/.  There is only one engine, so they use
 * the real trees, filter and counters, and leave them as they found them:
 * empty.  If KSM is in use already, they do nothing.
 *
 * A case that holds ksm_scan_mutex expects and never asserts: an assertion
 * that fails ends its thread.
 */
#ifndef _MM_KSM_TESTS_TESTING_H
#define _MM_KSM_TESTS_TESTING_H

#include <kunit/test.h>
#include <linux/mutex.h>

#include "../internal.h"

#define KSM_TEST_SEED	0x4b534d2d74657374ULL

#ifdef __KERNEL__
/* Amount of work that an emulated machine has time for */
#define KSM_TEST_ROUNDS(nr)	(nr)

static inline u64 ksm_test_seed(void)
{
	return KSM_TEST_SEED;
}
#else
#define KSM_TEST_ROUNDS(nr)	((nr) * 20)

u64 ksm_test_seed(void);
void ksm_test_random_bytes(void *buf, size_t len);
#endif

/* Numbers that are the same in each run: splitmix64 */
struct ksm_random {
	u64 state;
};

static inline u64 ksm_random(struct ksm_random *random)
{
	u64 z = random->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* From 0 to @nr - 1 */
static inline u32 ksm_random_below(struct ksm_random *random, u32 nr)
{
	return ((ksm_random(random) >> 32) * nr) >> 32;
}

static inline bool ksm_random_chance(struct ksm_random *random, u32 percent)
{
	return ksm_random_below(random, 100) < percent;
}

/* One difference is enough: later ones only repeat it. */
static inline bool ksm_test_failed(const struct kunit *test)
{
	return READ_ONCE(test->status) == KUNIT_FAILURE;
}

static inline bool ksm_test_at_rest(void)
{
	guard(mutex)(&ksm_scan_mutex);
	return ksm_run == KSM_RUN_STOP && ksm_registry_empty() &&
	       ksm_node_none_left() && !ksm_stable_next(NULL) &&
	       !ksm_filter_bytes() && !ksm_recheck_bytes() &&
	       !ksm_counters.tracked;
}

/* Is a key called?  Other keys may share its bit. */
static inline bool ksm_test_due(u32 short_key)
{
	return ksm_recheck_due(ksm_recheck_view(false), (u64)short_key << 32);
}

static inline void ksm_test_forget_calls(void)
{
	ksm_recheck_pass_ended();
	ksm_recheck_pass_ended();
}

/* Before and after each case that touches the engine */
static inline int ksm_test_begin(struct kunit *test)
{
	struct ksm_counters *before;

	if (!ksm_test_at_rest())
		kunit_skip(test, "KSM is in use");
	before = kunit_kzalloc(test, sizeof(*before), GFP_KERNEL);
	if (!before)
		return -ENOMEM;
	*before = ksm_counters;
	test->priv = before;
	return 0;
}

static inline void ksm_test_end(struct kunit *test)
{
	const struct ksm_counters *before = test->priv;

	if (!before)
		return;
	KUNIT_EXPECT_TRUE(test, ksm_test_at_rest());
	KUNIT_EXPECT_EQ(test, ksm_counters.shared, before->shared);
	KUNIT_EXPECT_EQ(test, ksm_counters.sharing, before->sharing);
	KUNIT_EXPECT_EQ(test, ksm_counters.unshared, before->unshared);
	KUNIT_EXPECT_EQ(test, ksm_counters.tracked, before->tracked);
	KUNIT_EXPECT_EQ(test, ksm_counters.chains, before->chains);
	KUNIT_EXPECT_EQ(test, ksm_counters.dups, before->dups);
	KUNIT_EXPECT_EQ(test, ksm_counters.bytes, before->bytes);
}

#endif /* _MM_KSM_TESTS_TESTING_H */
