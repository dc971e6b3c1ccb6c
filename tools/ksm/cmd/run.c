// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksm run: start a program with all its memory registered.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cmd.h"
#include "commands.h"
#include "knobs.h"

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE	67
#endif

/* As env(1) and shells have it */
#define EXIT_NOT_FOUND		127
#define EXIT_CANNOT_RUN		126

static void help(void)
{
	puts("Usage: ksm run [--] COMMAND [ARGUMENT]...\n"
	     "Start a program all of whose memory KSM may merge, and that of "
	     "the programs it\nstarts. No privilege is needed.\n\n"
	     "  -h, --help  this text\n\n"
	     "What is merged others can find out: see SECURITY in ksm-run(1).\n"
	     "Exit status: that of COMMAND; 126 if it cannot be run, 127 if it "
	     "is not found,\n2 wrong usage, 3 the kernel cannot do this.");
}

/* Without CONFIG_KSM, or too old: it says the same. */
static int fail_prctl(void)
{
	struct ksm_counters counters;
	struct ksm_knobs knobs;
	int err = errno;

	if (err != EINVAL)
		return ksm_fail(KSM_EXIT_FAILED, "prctl(PR_SET_MEMORY_MERGE): "
				"%s", strerror(err));
	if (ksm_sysfs_read(&knobs, &counters) == -ENOENT)
		return ksm_fail_sysfs(-ENOENT);
	return ksm_fail(KSM_EXIT_NO_KSM, "this kernel has no "
			"prctl(PR_SET_MEMORY_MERGE), which came with Linux "
			"6.4; programs can register memory by madvise() only");
}

/* A user is not to wait in vain; scripts need not hear it. */
static void warn_if_off(void)
{
	if (isatty(2) && ksm_knob_read(ksm_knob_find("run")) == KSM_RUN_STOP)
		ksm_say("run is 0: nothing is merged before `ksm set run=1`");
}

int ksm_cmd_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	int option, err;

	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		if (option != 'h')
			return ksm_usage("run", NULL);
		help();
		return KSM_EXIT_DONE;
	}
	if (optind == argc)
		return ksm_usage("run", "which command?");
	if (prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0))
		return fail_prctl();
	warn_if_off();
	execvp(argv[optind], argv + optind);
	err = errno;
	return ksm_fail(err == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN,
			"%s: %s", argv[optind], strerror(err));
}
