// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksm boost: scan fast for some time, and then as before.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "boost-state.h"
#include "cmd.h"
#include "commands.h"
#include "knobs.h"
#include "restore.h"
#include "sample.h"
#include "units.h"
#include "wait.h"

/*
 * The guide's upper value for a program that should merge soon, and a pause
 * that is short beside the work: ksmd takes up to one CPU as long as there is
 * work, and rests when there is none.
 */
#define BOOST_PAGES	5000
#define BOOST_SLEEP_MS	2
#define BOOST_MS	(10 * 60000LL)
#define STOP_MS		10000
#define SHOW_MS		1000

static struct {
	int64_t ms;
	ksm_figure pages;
	ksm_figure sleep_ms;
	bool stop;
} opt;

static void help(void)
{
	printf("Usage: ksm boost [OPTION]...\n"
	       "       ksm boost --stop\n"
	       "Scan fast for some time; then all is set back to what it was. "
	       "ksmd takes up\nto one CPU meanwhile. SIGINT and SIGTERM end it "
	       "early.\n\n"
	       "  -f, --for TIME    for how long (default 10min)\n"
	       "  -p, --pages N     pages_to_scan (default %d)\n"
	       "  -s, --sleep MS    sleep_millisecs (default %d)\n"
	       "      --stop        end a boost that runs, or undo one that was "
	       "killed\n"
	       "  -h, --help        this text\n\n"
	       "TIME has a unit: ms, s, min, h, d; without one it is seconds.\n",
	       BOOST_PAGES, BOOST_SLEEP_MS);
}

static int set_knob(ksm_figure *value, const char *name, const char *text)
{
	const struct ksm_knob *knob = ksm_knob_find(name);

	*value = ksm_knob_parse(knob, text);
	if (fig_known(*value))
		return KSM_EXIT_DONE;
	return ksm_usage("boost", "%s: 0 to %s, not \"%s\"", name,
			 ksm_raw(knob->max).s, text);
}

static int set_option(int option)
{
	switch (option) {
	case 'f':
		opt.ms = ksm_parse_duration_ms(optarg);
		if (opt.ms > 0)
			return 0;
		return ksm_usage("boost", "--for: no time: \"%s\"", optarg);
	case 'p':
		return set_knob(&opt.pages, "pages_to_scan", optarg);
	case 's':
		return set_knob(&opt.sleep_ms, "sleep_millisecs", optarg);
	case 'S':
		opt.stop = true;
		return 0;
	default:
		return ksm_usage("boost", NULL);
	}
}

static int undo(const struct ksm_boost *boost)
{
	int err = ksm_boost_undo(boost);

	if (err)
		return ksm_fail(ksm_exit_of(err), "not all knobs could be set "
				"back: %s; " KSM_BOOST_FILE " has what they "
				"were", strerror(-err));
	err = ksm_boost_forget();
	if (err)
		return ksm_fail(ksm_exit_of(err), KSM_BOOST_FILE ": %s",
				strerror(-err));
	return KSM_EXIT_DONE;
}

static int await_end(const struct ksm_boost *boost)
{
	struct ksm_boost now;
	int64_t end = ksm_boottime_ms() + STOP_MS;

	while (!ksm_boost_load(&now) && now.pid == boost->pid) {
		if (ksm_boottime_ms() > end)
			return ksm_fail(KSM_EXIT_FAILED, "PID %d does not end "
					"its boost", boost->pid);
		if (ksm_wait_ms(20))
			return KSM_EXIT_FAILED;
	}
	return KSM_EXIT_DONE;
}

static int stop(void)
{
	struct ksm_boost boost;
	int err = ksm_boost_load(&boost);

	if (err == -ENOENT) {
		puts("There is no boost.");
		return KSM_EXIT_DONE;
	}
	if (err)
		return ksm_fail(ksm_exit_of(err), KSM_BOOST_FILE ": %s; set the "
				"knobs by hand and remove it", strerror(-err));
	if (!ksm_boost_lives(&boost))
		return undo(&boost);
	if (kill(boost.pid, SIGTERM))
		return ksm_fail(ksm_exit_of(-errno), "PID %d: %s", boost.pid,
				strerror(errno));
	return await_end(&boost);
}

static int raise_knob(const char *name, ksm_figure value)
{
	const struct ksm_knob *knob = ksm_knob_find(name);
	ksm_figure now = ksm_knob_read(knob);

	return now == value ? 0 : ksm_knob_write(knob, value);
}

/* With the advisor on, pages_to_scan cannot be written: it is first. */
static int raise_all(const struct ksm_boost *boost)
{
	const struct ksm_knobs *to = &boost->raised;
	int err = 0;

	if (fig_known(to->advisor_mode))
		err = raise_knob("advisor_mode", to->advisor_mode);
	if (!err)
		err = raise_knob("pages_to_scan", to->pages_to_scan);
	if (!err)
		err = raise_knob("sleep_millisecs", to->sleep_millisecs);
	if (!err)
		err = raise_knob("run", to->run);
	return err;
}

static void show(const struct ksm_boost *boost)
{
	struct ksm_sample now;

	if (!isatty(2))
		return;
	ksm_sample_read(&now, NULL);
	fprintf(stderr, "\r\033[Kboost: %s left, %s saved",
		ksm_duration((boost->until_ms - now.time_ms) / 1000.0).s,
		ksm_size(ksm_saved_bytes(&now)).s);
}

static void last(const struct ksm_boost *boost)
{
	int64_t end = ksm_boottime_ms() + opt.ms, next;

	do {
		show(boost);
		next = ksm_boottime_ms() + SHOW_MS;
		if (ksm_wait_until(next < end ? next : end))
			break;
	} while (ksm_boottime_ms() < end);
	if (isatty(2))
		fputs("\r\033[K", stderr);
}

static int prepare(struct ksm_boost *boost)
{
	struct ksm_counters counters;
	struct ksm_sample now;
	int err = ksm_sysfs_read(&boost->old, &counters);

	if (err)
		return ksm_fail_sysfs(err);
	ksm_sample_read(&now, NULL);
	if (now.host.ksmtuned_script == 1)
		ksm_say("ksmtuned runs, and may set these knobs meanwhile");
	boost->old.run &= KSM_RUN_MASK;
	boost->pid = getpid();
	boost->start_ticks = ksm_boost_started(boost->pid);
	boost->until_ms = now.time_ms + opt.ms;
	return KSM_EXIT_DONE;
}

static void fill(struct ksm_boost *boost)
{
	struct ksm_knobs *to = &boost->raised;

	for (size_t i = 0; i < ksm_nr_knobs; i++)
		*fig_at(to, &ksm_knob_table[i].field) = KSM_UNKNOWN;
	to->run = KSM_RUN_MERGE;
	to->pages_to_scan = opt.pages;
	to->sleep_millisecs = opt.sleep_ms;
	/* older kernels have no advisor */
	if (fig_known(boost->old.advisor_mode))
		to->advisor_mode = KSM_ADVISOR_NONE;
}

static int boost_now(void)
{
	struct ksm_boost boost;
	int code = prepare(&boost);
	int err;

	if (code)
		return code;
	fill(&boost);
	err = ksm_boost_save(&boost);
	if (err == -EEXIST) {
		ksm_boost_tell();
		return KSM_EXIT_FAILED;
	}
	if (err)
		return ksm_fail(ksm_exit_of(err), KSM_BOOST_FILE ": %s",
				strerror(-err));
	err = raise_all(&boost);
	if (!err)
		last(&boost);
	code = undo(&boost);
	if (err)
		return ksm_fail(ksm_exit_of(err), "cannot set the knobs: %s",
				strerror(-err));
	return code;
}

int ksm_cmd_boost(int argc, char **argv)
{
	static const struct option names[] = {
		{ "for", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ "pages", required_argument, NULL, 'p' },
		{ "sleep", required_argument, NULL, 's' },
		{ "stop", no_argument, NULL, 'S' },
		{ 0 }
	};
	static const struct ksm_options known = {
		.letters = "f:hp:s:",
		.names = names,
		.help = help,
		.set = set_option,
	};
	int code;

	opt.ms = BOOST_MS;
	opt.pages = BOOST_PAGES;
	opt.sleep_ms = BOOST_SLEEP_MS;
	code = ksm_options(argc, argv, &known);
	if (code != -1)
		return code;
	ksm_wait_init();
	return opt.stop ? stop() : boost_now();
}
