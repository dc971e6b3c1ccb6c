// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksmctl: switch KSM on and off.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "boost.h"
#include "knobs.h"
#include "log.h"
#include "ready.h"
#include "root.h"
#include "settings.h"
#include "single.h"
#include "state.h"
#include "units.h"

static void help(void)
{
	puts("Usage: ksmctl start            set what /etc/default/ksm says, "
	     "and merge\n"
	     "  or:  ksmctl stop             do not merge; what is merged "
	     "stays so\n"
	     "  or:  ksmctl status           say how things stand\n"
	     "  or:  ksmctl boost [SECONDS]  scan fast for that long (default: "
	     "KSM_BOOT_BOOST)\n"
	     "  or:  ksmctl restore          put back the pace, after boost was "
	     "killed\n"
	     "\n"
	     "Exit status: 0 done, 1 failed, 2 wrong usage, 3 no KSM in this "
	     "kernel,\n4 not permitted.  See ksmctl(8).");
}

static int usage(const char *what)
{
	if (what)
		log_say(LOG_ERR, "%s", what);
	fputs("Try: ksmctl --help\n", stderr);
	return STATUS_USAGE;
}

static int set_run(ksm_figure value)
{
	int err = state_knob_set(STATE_RUN, value);

	if (err)
		log_say(LOG_ERR, "cannot write %lld to run: %s",
			(long long)value, strerror(-err));
	return status_of(err);
}

/* A setting that is wrong is no reason to be without KSM. */
static int start(int argc, char **argv)
{
	struct settings settings;

	(void)argc;
	(void)argv;
	settings_read(&settings);
	settings_apply(&settings);
	return set_run(KSM_RUN_MERGE);
}

/*
 * Never 2: that needs as much memory as merging has saved.  What was merged
 * stays so until it is written to.
 */
static int stop(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return set_run(KSM_RUN_STOP);
}

static const char *run_text(ksm_figure run)
{
	if (!fig_known(run))
		return "cannot be read";
	switch (run & KSM_RUN_MASK) {
	case KSM_RUN_STOP:
		return "off; what was merged stays merged";
	case KSM_RUN_MERGE:
		return "on";
	default:
		return "off; everything was unmerged";
	}
}

static int status(int argc, char **argv)
{
	struct ksm_counters counters;
	struct ksm_knobs knobs;

	(void)argc;
	(void)argv;
	ksm_sysfs_read(&knobs, &counters);
	printf("KSM        %s\n", run_text(knobs.run));
	printf("pace       %s pages, then %s ms of pause%s\n",
	       ksm_raw(knobs.pages_to_scan).s, ksm_raw(knobs.sleep_millisecs).s,
	       knobs.advisor_mode == KSM_ADVISOR_SCAN_TIME ?
	       "; the advisor is on" : "");
	printf("shared     %s pages, in place of %s more\n",
	       ksm_raw(counters.pages_shared).s,
	       ksm_raw(counters.pages_sharing).s);
	printf("profit     %s\n", ksm_size(counters.general_profit).s);
	return STATUS_DONE;
}

static int boost_for(int argc, char **argv)
{
	struct settings settings;

	if (argc > 1) {
		ksm_figure seconds = ksm_parse_figure(argv[1]);

		if (seconds <= 0 || seconds > BOOST_MAX_S)
			return usage("boost takes seconds, from 1 to 86400");
		return status_of(boost(seconds));
	}
	settings_read(&settings);
	return status_of(boost(settings.boost_s));
}

/* One that runs does this by itself: ksm-boost.service may have made way. */
static int restore(int argc, char **argv)
{
	pid_t pid = single_holder(BOOST_LOCK);

	(void)argc;
	(void)argv;
	if (pid > 0) {
		log_say(LOG_INFO, "a boost runs, as process %d: nothing to restore",
			pid);
		return STATUS_DONE;
	}
	return status_of(pid < 0 ? pid : state_recover(BOOST_STATE));
}

static const struct command {
	const char *name;
	int args;
	bool writes;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "start", 0, true, start },
	{ "stop", 0, true, stop },
	{ "status", 0, false, status },
	{ "boost", 1, true, boost_for },
	{ "restore", 0, true, restore },
};

static int run(int argc, char **argv)
{
	if (!argc)
		return usage("say what to do");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *command = &commands[i];
		int code;

		if (strcmp(command->name, argv[0]))
			continue;
		if (argc - 1 > command->args)
			return usage("too many words");
		code = status_ready(command->writes);
		return code ? code : command->run(argc, argv);
	}
	log_say(LOG_ERR, "no command \"%s\"", argv[0]);
	return usage(NULL);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "root", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 }
	};
	int option;

	log_open("ksmctl");
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'r':
			if (ksm_root_set(optarg))
				return usage("--root: too long");
			break;
		case 'h':
			help();
			return STATUS_DONE;
		case 'V':
			puts("ksmctl " KSM_VERSION);
			return STATUS_DONE;
		default:
			return usage(NULL);
		}
	}
	return status_written(run(argc - optind, argv + optind));
}
