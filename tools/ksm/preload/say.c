// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages to standard error.
 *
 * They may have to be given from within malloc(), so stdio is not used, nor
 * write(), in which a thread may be cancelled; malloc() promises that it is
 * not.
 */
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload.h"

/**
 * ksmp_say() - one line, with our name in front
 * @format: as for printf(), without newline; what takes more than a line of
 *          a screen or three is cut
 */
void ksmp_say(const char *format, ...)
{
	char line[256] = KSMP_NAME ": ";
	size_t used = sizeof(KSMP_NAME ": ") - 1;
	size_t space = sizeof(line) - used - 1;
	va_list args;
	int more;

	va_start(args, format);
	more = vsnprintf(line + used, space, format, args);
	va_end(args);
	if (more < 0)
		return;
	used += (size_t)more < space ? (size_t)more : space - 1;
	line[used++] = '\n';
	/* If it cannot be written, it cannot be told either. */
	(void)!syscall(SYS_write, STDERR_FILENO, line, used);
}
