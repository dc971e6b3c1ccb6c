// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the user sees, line by line.
 *
 * Everything goes to a terminal of its own, so that the kernel's log does not
 * tear it apart.  Only whole lines are printed, never moved back over: it
 * reads the same on a terminal, in a file and in the log of a build machine.
 * A line that starts with "@json " is for the program at the other end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "demo.h"

FILE *terminal;

static const char *const escape[] = {
	[PLAIN]	 = "",
	[BOLD]	 = "\033[1m",
	[DIM]	 = "\033[2m",
	[GREEN]	 = "\033[32m",
	[YELLOW] = "\033[33m",
	[RED]	 = "\033[1;31m",
};

/**
 * say_open() - open the terminal that config.terminal names
 */
void say_open(void)
{
	struct termios raw;
	int fd = open(config.terminal, O_WRONLY | O_NOCTTY);

	terminal = fd < 0 ? NULL : fdopen(fd, "w");
	if (!terminal) {
		fprintf(stderr, "ksm-demo: %s: %s\n", config.terminal,
			strerror(errno));
		exit(1);
	}
	if (!tcgetattr(fd, &raw)) {
		cfmakeraw(&raw);
		tcsetattr(fd, TCSANOW, &raw);
	}
	setvbuf(terminal, NULL, _IOLBF, 0);
}

static void vsay(enum tone tone, const char *fmt, va_list args)
{
	const char *start = config.colour ? escape[tone] : "";

	fputs(start, terminal);
	vfprintf(terminal, fmt, args);
	fputs(*start ? "\033[0m\n" : "\n", terminal);
}

/**
 * say() - print one line
 * @tone: how
 * @fmt:  printf() format, without newline
 */
void say(enum tone tone, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsay(tone, fmt, args);
	va_end(args);
}

/**
 * headline() - begin a new part
 * @fmt: printf() format of its title
 */
void headline(const char *fmt, ...)
{
	va_list args;

	fputc('\n', terminal);
	va_start(args, fmt);
	vsay(BOLD, fmt, args);
	va_end(args);
}

/**
 * fail() - something that has to hold does not: say so and end it all
 * @fmt: printf() format of what is wrong
 */
void fail(const char *fmt, ...)
{
	va_list args;

	fputc('\n', terminal);
	fputs(config.colour ? "\033[1;31mFAILED:\033[0m " : "FAILED: ",
	      terminal);
	va_start(args, fmt);
	vsay(PLAIN, fmt, args);
	va_end(args);
	exit(1);
}
