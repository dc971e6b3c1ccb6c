// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksm: everything about KSM in one command.
 */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "commands.h"
#include "root.h"

static const struct ksm_command commands[] = {
	KSM_COMMANDS
	{ 0 }
};

static void overview(void)
{
	puts("Usage: ksm [--root DIR] COMMAND [OPTION]...\n"
	     "Watch and control KSM, which merges memory pages of equal "
	     "content.\n\nCommands:");
	for (const struct ksm_command *at = commands; at->name; at++)
		printf("  %-10s %s\n", at->name, at->what);
	puts("\nEach has --help, and a manual page: man ksm-COMMAND\n"
	     "\nExit status: 0 done, 1 failed, 2 wrong usage, 3 no KSM in this "
	     "kernel,\n4 not permitted, 5 some processes could not be read, "
	     "6 refused as unsafe.");
}

static const struct ksm_command *find(const char *name)
{
	for (const struct ksm_command *at = commands; at->name; at++)
		if (!strcmp(at->name, name))
			return at;
	return NULL;
}

static int run(int argc, char **argv)
{
	const struct ksm_command *command;

	if (!argc) {
		overview();
		return KSM_EXIT_USAGE;
	}
	command = find(argv[0]);
	if (!command)
		return ksm_usage(NULL, "no command \"%s\"", argv[0]);
	/* the commands parse their own options */
	optind = 0;
	return command->run(argc, argv);
}

/* What cannot be written was not done, whatever the command says. */
static int end(int code)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return code;
	if (code != KSM_EXIT_DONE && code != KSM_EXIT_UNREADABLE)
		return code;
	return ksm_fail(KSM_EXIT_FAILED, "the output cannot be written%s%s",
			errno ? ": " : "", errno ? strerror(errno) : "");
}

static int parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "root", required_argument, NULL, 'r' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (option) {
		case 'h':
			overview();
			return KSM_EXIT_DONE;
		case 'r':
			if (ksm_root_set(optarg))
				return ksm_usage(NULL, "--root: too long");
			break;
		case 'V':
			puts("ksm " KSM_VERSION);
			return KSM_EXIT_DONE;
		default:
			return ksm_usage(NULL, NULL);
		}
	}
	return run(argc - optind, argv + optind);
}

int main(int argc, char **argv)
{
	/* numbers are the same everywhere */
	setlocale(LC_CTYPE, "");
	return end(parse(argc, argv));
}
