// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksm boost: scan fast for some time, and then as before.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boost-state.h"
#include "cmd.h"
#include "commands.h"
#include "knobs.h"
#include "progress.h"
#include "root.h"
#include "sample.h"
#include "single.h"
#include "state.h"
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

/* By the file: it may be that of another one, or gone. */
static int undo(void)
{
	int err = state_recover(BOOST_STATE);

	if (!err)
		return KSM_EXIT_DONE;
	return ksm_fail(ksm_exit_of(err), "not all knobs could be set back: %s",
			strerror(-err));
}

static int await_end(pid_t pid)
{
	int64_t end = ksm_boottime_ms() + STOP_MS;

	while (single_holder(BOOST_LOCK) == pid) {
		if (ksm_boottime_ms() > end)
			return ksm_fail(KSM_EXIT_FAILED, "PID %d does not end "
					"its boost", pid);
		if (ksm_wait_ms(20))
			return KSM_EXIT_FAILED;
	}
	return KSM_EXIT_DONE;
}

static int stop(void)
{
	pid_t pid = single_holder(BOOST_LOCK);

	if (pid < 0)
		return ksm_fail(ksm_exit_of(pid), BOOST_LOCK ": %s",
				strerror(-pid));
	if (!pid && ksm_boost_is_kept())
		return undo();
	if (!pid) {
		puts("There is no boost.");
		return KSM_EXIT_DONE;
	}
	if (kill(pid, SIGTERM))
		return ksm_fail(ksm_exit_of(-errno), "PID %d: %s", pid,
				strerror(errno));
	return await_end(pid);
}

/* Before pages_to_scan, which cannot be written with the advisor on */
static const enum state_knob order[STATE_NR] = {
	STATE_ADVISOR_MODE, STATE_PAGES_TO_SCAN, STATE_SLEEP_MILLISECS,
	STATE_RUN,
};

static ksm_figure raised(enum state_knob which)
{
	switch (which) {
	case STATE_ADVISOR_MODE:
		return KSM_ADVISOR_NONE;
	case STATE_PAGES_TO_SCAN:
		return opt.pages;
	case STATE_SLEEP_MILLISECS:
		return opt.sleep_ms;
	default:
		return KSM_RUN_MERGE;
	}
}

/* Kernels without the advisor are all right; of another knob, writing tells. */
static bool plan(struct state *state, enum state_knob which)
{
	ksm_figure value = raised(which);

	if (fig_known(state_knob_read(which)) || which == STATE_ADVISOR_MODE)
		return state_plan(state, which, value);
	state->knob[which].set = value;
	return true;
}

static int raise_all(int64_t now_ms)
{
	bool planned[STATE_NR];
	struct state state;
	int err;

	state_find(&state, BOOST_STATE);
	state.until_ms = now_ms + opt.ms;
	for (int i = 0; i < STATE_NR; i++)
		planned[i] = plan(&state, i);
	err = state_save(&state);
	for (int i = 0; !err && i < STATE_NR; i++)
		if (planned[order[i]])
			err = state_write(&state, order[i]);
	return err;
}

static void show(int64_t left_ms)
{
	struct ksm_sample now;

	if (!ksm_progress_seen())
		return;
	ksm_sample_read(&now, NULL);
	ksm_progress("boost: %s left, %s saved",
		     ksm_duration(left_ms / 1000.0).s,
		     ksm_size(ksm_saved_bytes(&now)).s);
}

static void last(void)
{
	int64_t end = ksm_boottime_ms() + opt.ms, next;

	do {
		show(end - ksm_boottime_ms());
		next = ksm_boottime_ms() + SHOW_MS;
		if (ksm_wait_until(next < end ? next : end))
			break;
	} while (ksm_boottime_ms() < end && ksm_boost_is_kept());
	ksm_progress_end();
	if (!ksm_boost_is_kept())
		ksm_say("another program has ended the boost: ksmtuned does "
			"so when it begins");
}

/* A root for tests may be without it. */
static int make_run_dir(void)
{
	char path[KSM_PATH_MAX];
	int err = ksm_root_path(path, sizeof(path), "/run");

	if (err)
		return err;
	return mkdir(path, 0755) && errno != EEXIST ? -errno : 0;
}

/* No other program may set the pace meanwhile. */
static int begin(void)
{
	int err = make_run_dir();
	pid_t tuned;

	if (!err)
		err = single_begin(BOOST_LOCK);
	if (err == -EAGAIN) {
		ksm_boost_tell();
		return KSM_EXIT_FAILED;
	}
	if (err)
		return ksm_fail(ksm_exit_of(err), BOOST_LOCK ": %s",
				strerror(-err));
	tuned = single_holder(TUNED_LOCK);
	if (tuned > 0)
		return ksm_fail(KSM_EXIT_FAILED, "ksmtuned (PID %d) sets the "
				"pace; `systemctl stop ksmtuned` first", tuned);
	if (!ksm_boost_is_kept())
		return KSM_EXIT_DONE;
	ksm_say("a boost was killed; what it has set is set back first");
	return undo();
}

static int boost_now(void)
{
	struct ksm_counters counters;
	struct ksm_knobs knobs;
	struct ksm_sample now;
	int code, err = ksm_sysfs_read(&knobs, &counters);

	if (err)
		return ksm_fail_sysfs(err);
	code = begin();
	if (code)
		return code;
	ksm_sample_read(&now, NULL);
	if (now.host.ksmtuned_script == 1)
		ksm_say("ksmtuned runs, and may set these knobs meanwhile");
	err = raise_all(now.time_ms);
	if (!err)
		last();
	code = undo();
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
