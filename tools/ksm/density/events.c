// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the programs of "make density" say, and what all of them are told.
 *
 * Events go to a serial line of their own, so that the kernel's log does not
 * tear them apart.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "density.h"

#define EVENTS		"/dev/ttyS1"

static FILE *events;
static double start;

/**
 * emit() - one line of JSON: {"event": "NAME", "t": SECONDS, ...}
 * @event: its name
 * @fmt:   printf() format of the fields, without braces
 */
void emit(const char *event, const char *fmt, ...)
{
	va_list args;

	fprintf(events, "{\"event\":\"%s\",\"t\":%.2f,", event,
		now_s() - start);
	va_start(args, fmt);
	vfprintf(events, fmt, args);
	va_end(args);
	fputs("}\n", events);
	fflush(events);
}

/**
 * fail() - something that has to hold does not: say so and end it all
 * @fmt: printf() format of what is wrong
 */
void fail(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/**
 * open_events() - a serial line that changes nothing of what it is given
 */
void open_events(void)
{
	int fd = open(EVENTS, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	struct termios raw;

	events = fd < 0 ? NULL : fdopen(fd, "w");
	if (!events)
		fail("%s: %s", EVENTS, strerror(errno));
	if (!tcgetattr(fd, &raw)) {
		cfmakeraw(&raw);
		tcsetattr(fd, TCSANOW, &raw);
	}
	start = now_s();
}

/**
 * number() - what an option says
 * @text: the number
 *
 * Return: its value
 */
double number(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (!*text || *end || !(value >= 0 && value < 1e6))
		fail("%s is no number", text);
	return value;
}

/**
 * set_knob() - write to a file of KSM
 * @text: FILE=VALUE
 */
void set_knob(char *text)
{
	char *value = strchr(text, '=');

	if (!value)
		fail("--knob %s: no \"=\"", text);
	*value++ = '\0';
	ksm_write(text, "%s", value);
}

/**
 * never_kill_me() - if memory runs out, others go, and this tells of it
 */
void never_kill_me(void)
{
	FILE *file = fopen("/proc/self/oom_score_adj", "w");

	if (!file || fprintf(file, "-1000\n") < 0 || fclose(file))
		fail("oom_score_adj: %s", strerror(errno));
}
