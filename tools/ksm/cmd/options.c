// SPDX-License-Identifier: GPL-2.0-only
/*
 * The options of a subcommand that takes nothing else.
 */
#include <getopt.h>
#include <stddef.h>

#include "cmd.h"

/**
 * ksm_options() - go through the options of a subcommand
 * @argc: of the subcommand
 * @argv: of the subcommand
 * @o:    what it knows
 *
 * Return: -1 to go on, or the exit code; what is wrong was said then.
 */
int ksm_options(int argc, char **argv, const struct ksm_options *o)
{
	int option;

	while ((option = getopt_long(argc, argv, o->letters, o->names,
				     NULL)) != -1) {
		if (option == 'h') {
			o->help();
			return KSM_EXIT_DONE;
		}
		if (o->set(option))
			return KSM_EXIT_USAGE;
	}
	if (optind < argc)
		return ksm_usage(argv[0], "\"%s\": too much", argv[optind]);
	return -1;
}
