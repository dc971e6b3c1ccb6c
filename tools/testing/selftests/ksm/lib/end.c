// SPDX-License-Identifier: GPL-2.0
/*
 * Ends before the end: bail out, skip all, take too long.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "end.h"

static pid_t program;

void ksm_end_setup(void)
{
	program = getpid();
}

bool ksm_is_program(void)
{
	return getpid() == program;
}

void ksm_die(const char *fmt, ...)
{
	va_list ap;

	printf("%s", ksm_is_program() ? "Bail out! " : "# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	if (ksm_is_program())
		exit(1);
	_exit(1);
}

void ksm_skip_all(const char *fmt, ...)
{
	va_list ap;

	printf("1..0 # SKIP ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	exit(KSFT_SKIP);
}

void ksm_watchdog(unsigned int seconds)
{
	alarm(seconds);
}
