// SPDX-License-Identifier: GPL-2.0-only
/*
 * Saying what went wrong, and what to do next.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "progress.h"
#include "say.h"
#include "sysfs.h"

static void message(const char *fmt, va_list args)
{
	fflush(stdout);
	ksm_progress_end();
	fputs("ksm: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

/* What the library says; a command that does what it should is silent. */
void log_say(int priority, const char *fmt, ...)
{
	va_list args;

	if (priority > LOG_WARNING)
		return;
	va_start(args, fmt);
	message(fmt, args);
	va_end(args);
}

/**
 * ksm_say() - tell something that is not part of the result
 * @fmt: what, as for printf(), without a newline
 *
 * Return: 0
 */
int ksm_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message(fmt, args);
	va_end(args);
	return 0;
}

/**
 * ksm_fail() - say what went wrong
 * @code: exit code
 * @fmt:  what, and what to do next, as for printf(), without a newline
 *
 * Return: @code
 */
int ksm_fail(int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	message(fmt, args);
	va_end(args);
	return code;
}

/**
 * ksm_usage() - say that a command was called in a wrong way
 * @command: name of the subcommand, or NULL
 * @fmt:     what is wrong; NULL if that was said already, as by getopt()
 *
 * Return: KSM_EXIT_USAGE
 */
int ksm_usage(const char *command, const char *fmt, ...)
{
	va_list args;

	if (fmt) {
		va_start(args, fmt);
		message(fmt, args);
		va_end(args);
	}
	fprintf(stderr, "Try: ksm %s%s--help\n", command ? command : "",
		command ? " " : "");
	return KSM_EXIT_USAGE;
}

/**
 * ksm_exit_of() - exit code for an error
 * @err: -errno
 *
 * Return: the exit code
 */
int ksm_exit_of(int err)
{
	return err == -EACCES || err == -EPERM ? KSM_EXIT_PERMISSION :
						 KSM_EXIT_FAILED;
}

/**
 * ksm_fail_sysfs() - say that the files of KSM cannot be read
 * @err: -errno; -ENOENT if they are not there
 *
 * Return: the exit code
 */
int ksm_fail_sysfs(int err)
{
	if (err == -ENOENT)
		return ksm_fail(KSM_EXIT_NO_KSM, "no " KSM_SYSFS ": this "
				"kernel has no KSM; boot one with CONFIG_KSM=y");
	return ksm_fail(ksm_exit_of(err), KSM_SYSFS ": %s", strerror(-err));
}
