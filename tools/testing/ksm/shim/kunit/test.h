/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of KUnit's interface as the suites of mm/ksm/tests/ use, for user
 * space.  One program is one suite or a few; the results are printed as TAP.
 */
#ifndef _KSM_SHIM_KUNIT_TEST_H
#define _KSM_SHIM_KUNIT_TEST_H

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/kernel.h>
#include <linux/slab.h>

enum kunit_status {
	KUNIT_SUCCESS,
	KUNIT_FAILURE,
	KUNIT_SKIPPED,
};

struct shim_buffer;

struct kunit {
	void *priv;
	const char *name;
	enum kunit_status status;
	char status_comment[128];
	jmp_buf abort;
	struct shim_buffer *buffers;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char name[64];
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
	struct kunit_suite *next;
};

#define KUNIT_CASE(function)	{ .run_case = function, .name = #function }
#define KUNIT_CASE_SLOW(function) KUNIT_CASE(function)

void shim_add_suite(struct kunit_suite *suite);

#define kunit_test_suite(suite)						\
	static void __attribute__((constructor)) add_##suite(void)	\
	{								\
		shim_add_suite(&(suite));				\
	}								\
	extern struct kunit_suite *shim_suites

__attribute__((format(printf, 4, 5)))
void shim_fail(struct kunit *test, const char *file, int line,
	       const char *format, ...);
void __attribute__((noreturn)) shim_abort(struct kunit *test);
void *kunit_kzalloc(struct kunit *test, size_t size, unsigned int gfp);
void *kunit_kcalloc(struct kunit *test, size_t nr, size_t size,
		    unsigned int gfp);

#define kunit_info(test, ...)						\
	do {								\
		(void)(test);						\
		printf("    # " __VA_ARGS__);				\
	} while (0)

#define kunit_skip(test, ...)						\
	do {								\
		struct kunit *__test = (test);				\
									\
		__test->status = KUNIT_SKIPPED;				\
		snprintf(__test->status_comment,			\
			 sizeof(__test->status_comment), __VA_ARGS__);	\
		shim_abort(__test);					\
	} while (0)

#define KUNIT_FAIL(test, ...) \
	shim_fail(test, __FILE__, __LINE__, __VA_ARGS__)

/* Both sides are shown as 64-bit numbers, which all of them are. */
#define shim_check(test, left, op, right, fatal, ...)			\
	do {								\
		struct kunit *__test = (test);				\
		__auto_type __left = (left);				\
		__auto_type __right = (right);				\
									\
		if (__left op __right)					\
			break;						\
		shim_fail(__test, __FILE__, __LINE__,			\
			  "%s %s %s, but they are %lld and %lld",	\
			  #left, #op, #right, (long long)__left,	\
			  (long long)__right);				\
		shim_more(__test, " " __VA_ARGS__);			\
		if (fatal)						\
			shim_abort(__test);				\
	} while (0)

__attribute__((format(printf, 2, 3)))
void shim_more(struct kunit *test, const char *format, ...);

#define KUNIT_EXPECT_EQ(t, a, b)	shim_check(t, a, ==, b, false)
#define KUNIT_EXPECT_NE(t, a, b)	shim_check(t, a, !=, b, false)
#define KUNIT_EXPECT_LT(t, a, b)	shim_check(t, a, <, b, false)
#define KUNIT_EXPECT_LE(t, a, b)	shim_check(t, a, <=, b, false)
#define KUNIT_EXPECT_GT(t, a, b)	shim_check(t, a, >, b, false)
#define KUNIT_EXPECT_GE(t, a, b)	shim_check(t, a, >=, b, false)
#define KUNIT_EXPECT_EQ_MSG(t, a, b, ...) \
	shim_check(t, a, ==, b, false, __VA_ARGS__)
#define KUNIT_EXPECT_NE_MSG(t, a, b, ...) \
	shim_check(t, a, !=, b, false, __VA_ARGS__)
#define KUNIT_EXPECT_LT_MSG(t, a, b, ...) \
	shim_check(t, a, <, b, false, __VA_ARGS__)
#define KUNIT_EXPECT_LE_MSG(t, a, b, ...) \
	shim_check(t, a, <=, b, false, __VA_ARGS__)
#define KUNIT_EXPECT_GE_MSG(t, a, b, ...) \
	shim_check(t, a, >=, b, false, __VA_ARGS__)

#define KUNIT_EXPECT_TRUE(t, a)		shim_check(t, !!(a), ==, true, false)
#define KUNIT_EXPECT_FALSE(t, a)	shim_check(t, !!(a), ==, false, false)
#define KUNIT_EXPECT_TRUE_MSG(t, a, ...) \
	shim_check(t, !!(a), ==, true, false, __VA_ARGS__)
#define KUNIT_EXPECT_FALSE_MSG(t, a, ...) \
	shim_check(t, !!(a), ==, false, false, __VA_ARGS__)

#define KUNIT_EXPECT_PTR_EQ(t, a, b) \
	KUNIT_EXPECT_EQ(t, (long)(a), (long)(b))
#define KUNIT_EXPECT_PTR_EQ_MSG(t, a, b, ...) \
	KUNIT_EXPECT_EQ_MSG(t, (long)(a), (long)(b), __VA_ARGS__)
#define KUNIT_EXPECT_NULL(t, a)		KUNIT_EXPECT_EQ(t, (long)(a), 0L)
#define KUNIT_EXPECT_NOT_NULL(t, a)	KUNIT_EXPECT_NE(t, (long)(a), 0L)
#define KUNIT_EXPECT_NULL_MSG(t, a, ...) \
	KUNIT_EXPECT_EQ_MSG(t, (long)(a), 0L, __VA_ARGS__)
#define KUNIT_EXPECT_NOT_NULL_MSG(t, a, ...) \
	KUNIT_EXPECT_NE_MSG(t, (long)(a), 0L, __VA_ARGS__)

#define KUNIT_ASSERT_NOT_NULL(t, a) \
	shim_check(t, (long)(a), !=, 0L, true)
#define KUNIT_ASSERT_TRUE(t, a) \
	shim_check(t, !!(a), ==, true, true)

#endif /* _KSM_SHIM_KUNIT_TEST_H */
