/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cases of a program, each run in a process of its own
 *
 * There are two kinds.  A struct ksm_case says by what it returns how it went,
 * and is left by CHECK().  A struct ksys_case passes if it returns; must() and
 * ksys_skip() end it from wherever they are called, in a helper, too.
 */
#ifndef KSM_LIB_CASES_H
#define KSM_LIB_CASES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "../../kselftest.h"
#include "clock.h"
#include "knobs.h"

/* --- struct ksm_case ----------------------------------------------------- */

/*
 * A program as a table of cases, each run in a child of its own after
 * ksm_fresh(true):
 *
 *	static int test_foo(void)
 *	{
 *		if (!possible)
 *			return ksm_skip("kernel without CONFIG_FOO");
 *		CHECK(foo());
 *		return 0;
 *	}
 *	...
 *	ksm_main(cases, ARRAY_SIZE(cases));
 */
struct ksm_case {
	const char *name;
	int (*fn)(void);
};

/* Say where, and leave the calling function with 1 (failed). */
#define CHECK(cond)							\
	do {								\
		if (!(cond)) {						\
			ksm_check_failed(__func__, __LINE__, #cond);	\
			return 1;					\
		}							\
	} while (0)

void ksm_check_failed(const char *func, int line, const char *cond);

/* Remember why and return 4; also from a child of ksm_in_child(). */
int ksm_skip(const char *fmt, ...) __printf(1, 2);
const char *ksm_skip_reason(void);

/* Room for the reason, shared with all children; by ksm_setup(). */
void ksm_cases_setup(void);

/* Run fn in a child: what it returned, or 128 + signal. */
int ksm_in_child(int (*fn)(void));

/* Inline because kselftest.h keeps its counters per source file. */
static inline void ksm_run_cases(const struct ksm_case *cases, size_t n)
{
	__u64 start;
	size_t i;
	int ret;

	for (i = 0; i < n; i++) {
		start = ksm_now_ms();
		ksm_fresh(true);
		ret = ksm_in_child(cases[i].fn);
		if (ret == KSFT_SKIP)
			ksft_test_result_skip("%s: %s\n", cases[i].name,
					      ksm_skip_reason());
		else
			ksft_test_result(ret == KSFT_PASS, "%s\n",
					 cases[i].name);
		ksft_print_msg("took %llu ms, status %d\n",
			       (ksm_now_ms() - start),
			       ret);
	}
}

/* Print the plan, run every case, and end the program. */
static inline __noreturn void ksm_main(const struct ksm_case *cases, size_t n)
{
	ksft_set_plan(n);
	ksm_run_cases(cases, n);
	ksft_finished();
}

/* --- struct ksys_case ---------------------------------------------------- */

struct ksys_case {
	const char *name;
	void (*fn)(void);	/* returning is passing */
	unsigned int seconds;	/* then it counts as hung; 0: 100 */
};

/*
 * Print the plan, run every case in a forked process (a process group of its
 * own, killed as a whole when the case is over), report one TAP result each
 * and end the program.  A case starts with ksm_fresh(false).
 */
void ksys_main(const struct ksys_case *cases, size_t nr)
	__attribute__((noreturn));

/* Unless ok: print what failed and end this process with a failure. */
void ksys_must(bool ok, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The same, naming the function and line that insisted. */
#define must(cond) \
	ksys_must((cond), "%s:%d: %s\n", __func__, __LINE__, #cond)
#define must_eq(a, b) \
	ksys_must_eq((long long)(a), (long long)(b), #a, #b, __func__, __LINE__)

void ksys_must_eq(long long a, long long b, const char *ta, const char *tb,
		  const char *func, int line);

/* End this case: it cannot run here, for this reason. */
void ksys_skip(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

#endif /* KSM_LIB_CASES_H */
