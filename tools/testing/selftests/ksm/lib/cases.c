// SPDX-License-Identifier: GPL-2.0
/*
 * The test harness: cases of a program, each in a process of its own
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cases.h"
#include "clock.h"
#include "end.h"
#include "memory.h"

#define CASE_SECONDS	100
#define MAX_ADDED	128

/* Shared by all processes of the program */
static char *skip_reason;

static struct ksm_case added[MAX_ADDED];
static size_t nr_added;

void ksm_cases_setup(void)
{
	skip_reason = mmap(NULL, ksm_page_size(), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (skip_reason == MAP_FAILED)
		ksm_die("mmap: %s", strerror(errno));
}

void ksm_add_case(void (*fn)(const void *arg), const void *arg,
		  const char *fmt, ...)
{
	struct ksm_case *c = &added[nr_added];
	va_list ap;
	char *name;
	int len;

	if (nr_added == MAX_ADDED)
		ksm_die("more than %d cases are added", MAX_ADDED);
	va_start(ap, fmt);
	len = vasprintf(&name, fmt, ap);
	va_end(ap);
	if (len < 0)
		ksm_die("out of memory");
	c->name = name;
	c->fn_arg = fn;
	c->arg = arg;
	nr_added++;
}

/* --- The process of a case ----------------------------------------------- */

static unsigned int seconds_of(const struct ksm_case *c)
{
	return c->seconds ? c->seconds : CASE_SECONDS;
}

static __noreturn void case_process(const struct ksm_case *c,
				    enum ksm_smart_scan smart_scan)
{
	static const int sigs[] = {
		SIGALRM, SIGSEGV, SIGBUS, SIGTERM, SIGABRT,
	};
	size_t i;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < ARRAY_SIZE(sigs); i++)
		signal(sigs[i], SIG_DFL);
	alarm(seconds_of(c));
	ksm_fresh(smart_scan);
	if (c->fn)
		c->fn();
	else
		c->fn_arg(c->arg);
	fflush(stdout);
	_exit(KSFT_PASS);
}

/* Fork the process of a case and wait until it has ended: its wait status. */
static int run_process(const struct ksm_case *c,
		       enum ksm_smart_scan smart_scan)
{
	int status = 0;
	pid_t pid;

	skip_reason[0] = '\0';
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		ksm_die("fork: %s", strerror(errno));
	if (!pid)
		case_process(c, smart_scan);
	setpgid(pid, pid);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/*
	 * The next case must not find processes of this one.  A signal alone
	 * does not mean that their memory is gone, so wait for them.
	 */
	kill(-pid, SIGKILL);
	while (waitpid(-pid, NULL, 0) > 0 || errno == EINTR)
		;
	return status;
}

static void report(const struct ksm_case *c, int status)
{
	if (WIFSIGNALED(status)) {
		ksft_print_msg("killed by signal %d\n", WTERMSIG(status));
		ksft_test_result_fail("%s\n", c->name);
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

static void run_cases(const struct ksm_case *cases, size_t nr,
		      enum ksm_smart_scan smart_scan)
{
	unsigned long long start;
	size_t i;
	int status;

	for (i = 0; i < nr; i++) {
		ksm_watchdog(seconds_of(&cases[i]) + 30);
		start = ksm_now_ms();
		status = run_process(&cases[i], smart_scan);
		report(&cases[i], status);
		ksft_print_msg("took %llu ms\n", ksm_now_ms() - start);
	}
}

void ksm_main(const struct ksm_case *cases, size_t nr,
	      enum ksm_smart_scan smart_scan)
{
	/* Orphans of a case become children of this process. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		ksm_die("no child subreaper: %s", strerror(errno));
	/* Calibrate once, and not in every case. */
	ksm_slowness();
	ksft_set_plan(nr_added + nr);
	run_cases(added, nr_added, smart_scan);
	run_cases(cases, nr, smart_scan);
	ksft_finished();
}

/* --- What ends the process of a case ------------------------------------- */

void ksm_check(bool ok, const char *fmt, ...)
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

void ksm_check_eq(long long a, long long b, const char *a_text,
		  const char *b_text, const char *func, int line)
{
	ksm_check(a == b, "%s:%d: %s is %lld, not %s = %lld\n", func, line,
		  a_text, a, b_text, b);
}

void ksm_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(skip_reason, ksm_page_size(), fmt, ap);
	va_end(ap);
	fflush(stdout);
	_exit(KSFT_SKIP);
}
