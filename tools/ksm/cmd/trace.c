// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksm trace: KSM's events as lines, and why merges fail.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "commands.h"
#include "sample.h"
#include "trace-print.h"
#include "tracefs.h"
#include "units.h"
#include "wait.h"

/* The kernel wakes readers late, when half of the buffer is full: so look. */
#define LOOK_MS		100
#define DRAIN_MS	2000

static struct {
	int64_t for_ms;		/* 0: until a signal */
	int64_t every_ms;	/* 0: a summary only at the end */
	unsigned int events;	/* a bit for each; 0: all */
	bool quiet;		/* no lines of events */
	bool json;
} opt;

static struct {
	struct ksm_tracefs trace;
	struct ksm_trace_sums sums;
	struct ksm_trace_span span;
	int64_t since_ms;
	char line[1024];
	size_t len;
} run;

static volatile sig_atomic_t ended;

static void help(void)
{
	puts("Usage: ksm trace [OPTION]...\n"
	     "Print KSM's events as they happen, until SIGINT or SIGTERM, and "
	     "then how often\neach happened and why merges failed. For root.\n"
	     "\n"
	     "  -e, --event NAME      only this one; can be repeated; \"help\" "
	     "lists them\n"
	     "  -f, --for TIME        end after this time\n"
	     "  -j, --json            as JSON, an object in each line\n"
	     "  -s, --summary[=TIME]  no events, only the summary; with a TIME, "
	     "each TIME\n"
	     "  -h, --help            this text\n\n"
	     "TIME has a unit: ms, s, min, h, d; without one it is seconds.\n"
	     "It uses an instance of tracefs of its own, for as long as it "
	     "runs.");
}

static int add_event(const char *name)
{
	int kind = ksm_event_find(name);

	if (kind >= 0) {
		opt.events |= 1U << kind;
		return 0;
	}
	return ksm_usage("trace", "--event: no event \"%s\"; \"--event help\" "
			 "lists them", name);
}

static int set_time(int64_t *ms, const char *option)
{
	*ms = ksm_parse_duration_ms(optarg);
	if (*ms > 0)
		return 0;
	return ksm_usage("trace", "%s: no time: \"%s\"", option, optarg);
}

static int set_option(int option)
{
	switch (option) {
	case 'e':
		return add_event(optarg);
	case 'f':
		return set_time(&opt.for_ms, "--for");
	case 'j':
		opt.json = true;
		return 0;
	case 's':
		opt.quiet = true;
		return optarg ? set_time(&opt.every_ms, "--summary") : 0;
	default:
		return ksm_usage("trace", NULL);
	}
}

static void list_events(void)
{
	for (int i = 0; i < KSM_NR_EVENTS; i++)
		puts(ksm_event_name(i));
}

static void end(int signal)
{
	ended = signal;
}

/* None of them may leave the instance behind.  Calls they interrupt return. */
static void catch_signals(void)
{
	static const int signals[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGALRM, SIGUSR1,
		SIGUSR2,
	};
	struct sigaction action = { .sa_handler = end };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

static void pause_ms(int64_t ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

static int fail_tracefs(int err)
{
	if (err == -ENODEV)
		return ksm_fail(KSM_EXIT_NO_KSM, "tracefs is not mounted: "
				"`mount -t tracefs nodev /sys/kernel/"
				"tracing`; if that fails, this kernel has none");
	if (err == -ENOENT)
		return ksm_fail(KSM_EXIT_NO_KSM, "this kernel has no events of "
				"KSM; boot one with CONFIG_KSM=y and "
				"CONFIG_TRACING=y");
	if (ksm_exit_of(err) == KSM_EXIT_PERMISSION)
		return ksm_fail(KSM_EXIT_PERMISSION, "tracefs: %s; try as root",
				strerror(-err));
	return ksm_fail(KSM_EXIT_FAILED, "tracefs: %s", strerror(-err));
}

static void restart_sums(void)
{
	memset(&run.sums, 0, sizeof(run.sums));
	run.since_ms = ksm_boottime_ms();
}

static void print_sums(void)
{
	run.span.seconds = (ksm_boottime_ms() - run.since_ms) / 1000.0;
	run.span.run = ksm_root_figure(KSM_SYSFS "/run");
	if (opt.json)
		ksm_trace_json_sums(&run.sums, &run.span);
	else
		ksm_trace_print_sums(&run.sums, &run.span);
	fflush(stdout);
	restart_sums();
}

static void take_line(void)
{
	ksm_figure lost = ksm_event_lost(run.line);
	struct ksm_event event;

	run.sums.lost += lost;
	if (lost)
		return;
	if (!ksm_event_parse(run.line, &event)) {
		run.sums.strange++;
		return;
	}
	ksm_trace_count(&run.sums, &event);
	if (opt.quiet)
		return;
	if (opt.json)
		ksm_trace_json(&event, &run.span);
	else
		ksm_trace_print(&event, &run.span);
}

/* A read may end within a line. */
static void take(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\n') {
			if (run.len < sizeof(run.line) - 1)
				run.line[run.len++] = text[i];
			continue;
		}
		run.line[run.len] = '\0';
		take_line();
		run.len = 0;
	}
}

/* What there is, but only for so long: it may come faster than we read. */
static ssize_t take_all(int64_t until_ms)
{
	char text[4096];
	ssize_t len;

	do {
		len = ksm_tracefs_read(&run.trace, text, sizeof(text));
		if (len > 0)
			take(text, len);
	} while (len > 0 && !ferror(stdout) && ksm_boottime_ms() < until_ms);
	fflush(stdout);
	return len < 0 ? len : 0;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int watch(void)
{
	int64_t begin = ksm_boottime_ms();
	int64_t stop = opt.for_ms ? begin + opt.for_ms : INT64_MAX;
	int64_t next = opt.every_ms ? begin + opt.every_ms : INT64_MAX;
	int64_t now;
	int err;

	restart_sums();
	while (!ended && (now = ksm_boottime_ms()) < stop) {
		pause_ms(least(LOOK_MS, least(stop, next) - now));
		err = take_all(least(stop, next));
		if (err || ferror(stdout))
			return err;
		if (ksm_boottime_ms() < next || next >= stop)
			continue;
		print_sums();
		next = ksm_wait_next(next, opt.every_ms);
	}
	ksm_tracefs_stop(&run.trace);
	return take_all(ksm_boottime_ms() + DRAIN_MS);
}

static int enable(const char *dir)
{
	int err = 0, enabled = 0;

	for (int i = 0; !err && i < KSM_NR_EVENTS; i++) {
		const char *name = ksm_event_name(i);

		if (opt.events && !(opt.events & 1U << i))
			continue;
		/* older kernels have fewer */
		if (!opt.events && !ksm_tracefs_has(dir, name))
			continue;
		err = ksm_tracefs_enable(&run.trace, name);
		enabled++;
	}
	return err ? err : enabled ? 0 : -ENOENT;
}

static int64_t clock_offset_us(void)
{
	struct timespec wall;

	clock_gettime(CLOCK_REALTIME, &wall);
	return wall.tv_sec * 1000000LL + wall.tv_nsec / 1000 -
	       ksm_boottime_ms() * 1000;
}

static int trace_in(const char *dir)
{
	int err;

	err = ksm_tracefs_begin(&run.trace, dir);
	if (!err)
		err = enable(dir);
	return err ? err : watch();
}

/* A reader who goes away, as head(1) does, is no error. */
static int finish(int err)
{
	int end_err = ksm_tracefs_end(&run.trace);

	if (err)
		return fail_tracefs(err);
	/* a signal may have ended a write, too */
	if (ended)
		clearerr(stdout);
	if (ended == SIGPIPE)
		__fpurge(stdout);
	else
		print_sums();
	if (ended != SIGPIPE && ferror(stdout))
		return ksm_fail(KSM_EXIT_FAILED, "output: %s; is the disk full?",
				strerror(errno));
	if (end_err)
		return ksm_fail(ksm_exit_of(end_err), "the instance of tracefs "
				"stays: %s; the next ksm trace removes it",
				strerror(-end_err));
	return KSM_EXIT_DONE;
}

static int trace(void)
{
	char dir[KSM_PATH_MAX / 4];
	int err = ksm_tracefs_find(dir, sizeof(dir));
	int removed;

	if (err)
		return fail_tracefs(err);
	removed = ksm_tracefs_clean(dir);
	if (removed)
		ksm_say("removed what %d killed ksm trace left behind",
			removed);
	run.span.offset_us = clock_offset_us();
	return finish(trace_in(dir));
}

int ksm_cmd_trace(int argc, char **argv)
{
	static const struct option options[] = {
		{ "event", required_argument, NULL, 'e' },
		{ "for", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "summary", optional_argument, NULL, 's' },
		{ 0 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "e:f:hjs::", options,
				     NULL)) != -1) {
		if (option == 'h') {
			help();
			return KSM_EXIT_DONE;
		}
		if (option == 'e' && !strcmp(optarg, "help")) {
			list_events();
			return KSM_EXIT_DONE;
		}
		if (set_option(option))
			return KSM_EXIT_USAGE;
	}
	if (optind < argc)
		return ksm_usage("trace", "\"%s\": too much", argv[optind]);
	catch_signals();
	return trace();
}
