// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "progress.h"

#define CLEAR	"\r\033[K"

static bool shown;

/* Whether it is worth to find out how far it is. */
bool ksm_progress_seen(void)
{
	return isatty(STDERR_FILENO);
}

/**
 * ksm_progress() - say how far it is
 * @fmt: the line, as for printf(), without a newline
 */
void ksm_progress(const char *fmt, ...)
{
	va_list args;

	if (!ksm_progress_seen())
		return;
	va_start(args, fmt);
	fputs(CLEAR, stderr);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fflush(stderr);
	shown = true;
}

/* Take the line away; also before anything else is said. */
void ksm_progress_end(void)
{
	if (shown)
		fputs(CLEAR, stderr);
	shown = false;
}
