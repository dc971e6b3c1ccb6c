// SPDX-License-Identifier: GPL-2.0-only
/*
 * /init of a guest of "make density".
 *
 * From the kernel's command line: set_kib=N, the size of the working set;
 * period_ms=N, how often a slice of it is written to; seed=N, what no other
 * guest has.  It says "guest ready", writes to its working set from then on, and does
 * what it is told on its console, see init.h:
 *
 *   hash   print the SHA-256 of the files that all guests have, and
 *          "set PASSES WRONG": how often each page of the working set has been
 *          written to, and how many words were ever not what they should be
 *   off    end
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../guests/init.h"
#include "workset.h"

static struct workset set;

static long parameter(const char *name, long otherwise)
{
	const char *value = getenv(name);

	return value ? atol(value) : otherwise;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int execute(const char *command)
{
	static const char *const files[] = { "/data/common", "/bin/busybox" };
	int err;

	if (!strcmp(command, "hash")) {
		err = init_hash(files, 2);
		workset_check(&set);
		printf("set %llu %lu\n", (unsigned long long)set.pass,
		       set.wrong);
		return err;
	}
	if (!strcmp(command, "off"))
		init_off();
	printf("unknown command \"%s\"\n", command);
	return 2;
}

/* Read what is there of a line; false at the end of the console. */
static int read_commands(void)
{
	static char line[80];
	static size_t len;
	ssize_t got = read(STDIN_FILENO, line + len, sizeof(line) - 1 - len);
	char *end;

	if (got <= 0)
		return 0;
	len += got;
	line[len] = '\0';
	end = strchr(line, '\n');
	if (!end && len < sizeof(line) - 1)
		return 1;
	init_answer(line, execute);
	len = 0;
	return 1;
}

int main(void)
{
	struct pollfd console = { .fd = STDIN_FILENO, .events = POLLIN };
	long period = parameter("period_ms", 250);
	long next, now;

	init_console();
	if (workset_create(&set, parameter("set_kib", 0) * 1024,
			   parameter("seed", 0)))
		printf("no working set: %s\n", strerror(errno));
	else
		printf("guest ready\n");
	fflush(stdout);

	next = now_ms() + period;
	for (;;) {
		now = now_ms();
		if (now >= next) {
			workset_write(&set);
			/* what could not be done in time is not made up for */
			next = now_ms() >= next + period ? now_ms() + period :
			       next + period;
			continue;
		}
		if (poll(&console, 1, next - now) > 0 && !read_commands())
			break;
	}
	/* The console is gone: so is the reason to run. */
	init_off();
	return 1;
}
