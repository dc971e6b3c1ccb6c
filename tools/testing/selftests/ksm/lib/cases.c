// SPDX-License-Identifier: GPL-2.0
/*
 * Cases of a program, each in a process of its own.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../kselftest.h"
#include "cases.h"
#include "child.h"
#include "clock.h"
#include "end.h"
#include "knobs.h"
#include "memory.h"

#define CASE_SECONDS	100

/* Shared with all children. */
static char *skip_reason;

void ksm_cases_setup(void)
{
	skip_reason = mmap(NULL, ksm_page_size(), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (skip_reason == MAP_FAILED)
		ksm_die("mmap: %s", strerror(errno));
}

/* --- struct ksm_case ----------------------------------------------------- */

void ksm_check_failed(const char *func, int line, const char *cond)
{
	printf("# %s:%d: not true: %s\n", func, line, cond);
}

int ksm_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(skip_reason, ksm_page_size(), fmt, ap);
	va_end(ap);
	return KSFT_SKIP;
}

const char *ksm_skip_reason(void)
{
	return skip_reason;
}

static int call_case(struct ksm_child *c, void *arg)
{
	int (**fn)(void) = arg;

	return (*fn)();
}

int ksm_in_child(int (*fn)(void))
{
	struct ksm_child c;

	ksm_child_start(&c, call_case, &fn);
	return ksm_child_wait(&c);
}

/* --- struct ksys_case ---------------------------------------------------- */

static unsigned int seconds_of(const struct ksys_case *c)
{
	return c->seconds ? c->seconds : CASE_SECONDS;
}

static void case_process(const struct ksys_case *c)
{
	static const int sigs[] = { SIGSEGV, SIGBUS, SIGTERM, SIGABRT };
	size_t i;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < ARRAY_SIZE(sigs); i++)
		signal(sigs[i], SIG_DFL);
	signal(SIGALRM, SIG_DFL);
	alarm(seconds_of(c));
	ksm_fresh(false);
	c->fn();
	fflush(stdout);
	_exit(KSFT_PASS);
}

static void run_case(const struct ksys_case *c)
{
	int status = 0;
	pid_t pid;

	skip_reason[0] = '\0';
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		ksm_die("fork: %s", strerror(errno));
	if (!pid)
		case_process(c);
	setpgid(pid, pid);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/*
	 * Whatever it left behind must not be there for the next one.  That a
	 * process was sent a signal does not mean that its memory is gone.
	 */
	kill(-pid, SIGKILL);
	while (waitpid(-pid, NULL, 0) > 0 || errno == EINTR)
		;

	if (WIFSIGNALED(status)) {
		ksft_test_result_fail("%s (killed by signal %d)\n", c->name,
				      WTERMSIG(status));
		return;
	}
	switch (WEXITSTATUS(status)) {
	case KSFT_PASS:
		ksft_test_result_pass("%s\n", c->name);
		break;
	case KSFT_SKIP:
		ksft_test_result_skip("%s: %s\n", c->name, skip_reason);
		break;
	default:
		ksft_test_result_fail("%s\n", c->name);
	}
}

void ksys_main(const struct ksys_case *cases, size_t nr)
{
	uint64_t start;
	size_t i;

	/* Orphans of a case become children of this process. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		ksm_die("no child subreaper: %s", strerror(errno));
	/* The calibration would otherwise be done anew in every case. */
	ksm_slowness();
	ksft_set_plan(nr);
	for (i = 0; i < nr; i++) {
		ksm_watchdog(seconds_of(&cases[i]) + 30);
		start = ksm_now_ms();
		run_case(&cases[i]);
		ksft_print_msg("took %llu ms\n",
			       (unsigned long long)(ksm_now_ms() - start));
	}
	ksft_finished();
}

void ksys_must(bool ok, const char *fmt, ...)
{
	va_list ap;

	if (ok)
		return;
	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	fflush(stdout);
	_exit(KSFT_FAIL);
}

void ksys_must_eq(long long a, long long b, const char *ta, const char *tb,
		  const char *func, int line)
{
	ksys_must(a == b, "%s:%d: %s is %lld, not %s = %lld\n", func, line,
		  ta, a, tb, b);
}

void ksys_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(skip_reason, ksm_page_size(), fmt, ap);
	va_end(ap);
	fflush(stdout);
	_exit(KSFT_SKIP);
}
