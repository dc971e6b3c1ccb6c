/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The test harness: the cases of a program, each run in a process of its own
 *
 *	static void test_foo(void)
 *	{
 *		if (!possible)
 *			ksm_skip("kernel without CONFIG_FOO");
 *		CHECK(foo());
 *		CHECK_EQ(bar(), 3);
 *	}
 *
 *	static const struct ksm_case cases[] = {
 *		{ "foo and bar", test_foo },
 *	};
 *	...
 *	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
 *
 * A case passes if its function returns.  CHECK(), CHECK_EQ() and ksm_skip()
 * end the process they are called in: the case, when called by the case or by
 * any helper of it; a child, whose exit status the case has to check.
 *
 * kselftest.h prints the results.  kselftest_harness.h does not serve: its
 * names are C identifiers, it cannot add cases at run time, and it lets the
 * processes of a case outlive the case.
 */
#ifndef KSM_LIB_CASES_H
#define KSM_LIB_CASES_H

#include <stdbool.h>
#include <stddef.h>

#include "../../kselftest.h"
#include "knobs.h"

struct ksm_case {
	const char *name;
	void (*fn)(void);
	unsigned int seconds;	/* after which it counts as hung; 0: 100 */

	/* Of ksm_add_case(), instead of fn */
	void (*fn_arg)(const void *arg);
	const void *arg;
};

/*
 * Add a case that is run before those given to ksm_main(); for programs that
 * have a case for each entry of a table.
 */
void ksm_add_case(void (*fn)(const void *arg), const void *arg,
		  const char *fmt, ...) __printf(3, 4);

/*
 * Print the plan, run every case, report one TAP result each and end the
 * program.  Each case starts with ksm_fresh(smart_scan), in a process group of
 * its own.  All processes of the group, and orphans of it, are killed when the
 * case is over.
 */
void ksm_main(const struct ksm_case *cases, size_t nr,
	      enum ksm_smart_scan smart_scan) __noreturn;

/* Unless ok: print what failed and end this process with a failure. */
void ksm_check(bool ok, const char *fmt, ...) __printf(2, 3);
void ksm_check_eq(long long a, long long b, const char *a_text,
		  const char *b_text, const char *func, int line);

/* The same, with the condition and its place as the message. */
#define CHECK(cond) \
	ksm_check((cond), "%s:%d: not true: %s\n", __func__, __LINE__, #cond)
#define CHECK_EQ(a, b) \
	ksm_check_eq((long long)(a), (long long)(b), #a, #b, __func__, __LINE__)

/* End this case: it cannot run here, for this reason. */
void ksm_skip(const char *fmt, ...) __printf(1, 2) __noreturn;

/* Prepare what all cases share; called by ksm_setup(). */
void ksm_cases_setup(void);

#endif /* KSM_LIB_CASES_H */
