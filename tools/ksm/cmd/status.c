// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksm status: does KSM do any good here?
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "commands.h"
#include "json.h"
#include "status-forms.h"
#include "units.h"
#include "wait.h"

#define WINDOW_MS	1000
#define WATCH_MS	2000
#define HISTORY_MS	(75 * 60000LL)
#define CHECK_UNKNOWN	3

/* Longer sleeps of ksmd than this are not waited for, to see a stall. */
#define PATIENCE_MS	30000

static struct {
	enum { TEXT, RAW, JSON, CHECK } form;
	int64_t window_ms;
	int64_t watch_ms;	/* 0: only once */
} opt;

static void help(void)
{
	puts("Usage: ksm status [OPTION]...\n"
	     "Tell whether KSM does any good on this machine, and why.\n\n"
	     "  -c, --check          one line for monitoring; exit status 0 OK, "
	     "1 warning,\n"
	     "                       2 critical, 3 unknown\n"
	     "  -i, --interval TIME  measure rates for so long (default 1s)\n"
	     "  -j, --json           as JSON; the schema is ksm-status-1.json\n"
	     "  -r, --raw            bytes and plain numbers instead of GiB and "
	     "1,902\n"
	     "  -w, --watch[=TIME]   again and again (default every 2s)\n"
	     "  -h, --help           this text\n\n"
	     "TIME has a unit: ms, s, min, h, d; without one it is seconds.\n"
	     "Figures of the last minutes and the last hour need samples: see "
	     "ksm record.");
}

static int set_time(int64_t *ms, const char *text, const char *option)
{
	if (text)
		*ms = ksm_parse_duration_ms(text);
	if (*ms <= 0)
		return ksm_usage("status", "%s: no time: \"%s\"", option, text);
	return KSM_EXIT_DONE;
}

static int set_option(int option)
{
	switch (option) {
	case 'c':
		opt.form = CHECK;
		return 0;
	case 'j':
		opt.form = JSON;
		return 0;
	case 'r':
		opt.form = RAW;
		return 0;
	case 'i':
		return set_time(&opt.window_ms, optarg, "--interval");
	case 'w':
		opt.watch_ms = WATCH_MS;
		return set_time(&opt.watch_ms, optarg, "--watch");
	default:
		return ksm_usage("status", NULL);
	}
}

static bool seems_stalled(const struct ksm_sample *before,
			  const struct ksm_sample *now)
{
	return ksm_ought_to_move(before) && ksm_ought_to_move(now) &&
	       ksm_nothing_moved(before, now);
}

/* Take another look, for as long as it takes to tell a stall from a pause. */
static int look_longer(const struct ksm_sample *before, struct ksm_sample *now)
{
	ksm_figure need_ms = fig_mul(now->knobs.sleep_millisecs,
				     KSM_STALL_SLEEPS);
	int64_t end;

	/* without knowing how long ksmd sleeps, it cannot be told */
	if (!fig_known(need_ms) || need_ms > PATIENCE_MS)
		return 0;
	if (need_ms < KSM_STALL_SECONDS * 1000)
		need_ms = KSM_STALL_SECONDS * 1000;
	ksm_say("ksmd has not moved; watching it for %s",
		ksm_duration(need_ms / 1000.0).s);
	end = before->boottime_ms + need_ms;
	do {
		if (ksm_wait_ms(WINDOW_MS))
			return -EINTR;
		ksm_sample_read(now, NULL);
	} while (seems_stalled(before, now) && now->boottime_ms < end);
	return 0;
}

static int exit_of(const struct ksm_sample *now)
{
	if (!now->present)
		return KSM_EXIT_NO_KSM;
	return now->sums.unreadable > 0 ? KSM_EXIT_UNREADABLE : KSM_EXIT_DONE;
}

/* A line each, if they follow one another. */
static int print_json(const struct ksm_status *status)
{
	json_t *document = ksm_json_status(status);

	if (!document)
		return ksm_fail(KSM_EXIT_FAILED, "out of memory");
	json_dumpf(document, stdout, JSON_REAL_PRECISION(12) |
		   (opt.watch_ms ? JSON_COMPACT : JSON_INDENT(2)));
	putchar('\n');
	json_decref(document);
	return KSM_EXIT_DONE;
}

static int print_form(const struct ksm_status *status)
{
	int level;

	switch (opt.form) {
	case CHECK:
		level = ksm_status_check(status);
		/* monitoring needs the line, not the code alone */
		return fflush(stdout) ? CHECK_UNKNOWN : level;
	case JSON:
		return print_json(status);
	default:
		ksm_status_text(status, opt.form == RAW);
		return KSM_EXIT_DONE;
	}
}

static int print(const struct ksm_sample *now, const struct ksm_sample *before)
{
	struct ksm_history history;
	struct ksm_status status;
	int code;

	/* what was kept is of use, but not needed */
	ksm_history_read(KSM_HISTORY_DIR, now->time_ms - HISTORY_MS,
			 now->time_ms, &history);
	ksm_status(&status, now, before, &history);
	if (opt.watch_ms && opt.form <= RAW)
		fputs(isatty(1) ? "\033[H\033[J" : "\n", stdout);
	code = print_form(&status);
	ksm_history_free(&history);
	fflush(stdout);
	return code || opt.form == CHECK ? code : exit_of(now);
}

static int unknown(const char *why)
{
	printf("KSM UNKNOWN - %s\n", why);
	return CHECK_UNKNOWN;
}

static int fail(int err)
{
	return opt.form == CHECK ? unknown(strerror(-err)) :
				   ksm_fail_sysfs(err);
}

/* Monitoring has other codes, in which this one is a warning. */
static int fail_signal(void)
{
	return opt.form == CHECK ? unknown("ended by a signal") :
				   KSM_EXIT_FAILED;
}

static int once(void)
{
	struct ksm_sample before, now;
	int err = ksm_sample_read(&before, NULL);

	if (err == -ENOENT && !before.present)
		return print(&before, NULL);
	if (err)
		return fail(err);
	if (ksm_wait_ms(opt.window_ms))
		return fail_signal();
	ksm_sample_read(&now, NULL);
	if (seems_stalled(&before, &now) && look_longer(&before, &now))
		return fail_signal();
	return print(&now, &before);
}

static int watch(void)
{
	struct ksm_sample before, now;
	int err = ksm_sample_read(&before, NULL);

	if (err)
		return fail(err);
	while (!ferror(stdout) && !ksm_wait_ms(opt.watch_ms)) {
		ksm_sample_read(&now, NULL);
		print(&now, &before);
		before = now;
	}
	return KSM_EXIT_DONE;
}

int ksm_cmd_status(int argc, char **argv)
{
	static const struct option names[] = {
		{ "check", no_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "interval", required_argument, NULL, 'i' },
		{ "json", no_argument, NULL, 'j' },
		{ "raw", no_argument, NULL, 'r' },
		{ "watch", optional_argument, NULL, 'w' },
		{ 0 }
	};
	static const struct ksm_options known = {
		.letters = "chi:jrw::",
		.names = names,
		.help = help,
		.set = set_option,
	};
	int code;

	opt.window_ms = WINDOW_MS;
	code = ksm_options(argc, argv, &known);
	if (code != -1)
		return code;
	if (opt.watch_ms && opt.form == CHECK)
		return ksm_usage("status", "--check looks only once");
	ksm_wait_init();
	return opt.watch_ms ? watch() : once();
}
