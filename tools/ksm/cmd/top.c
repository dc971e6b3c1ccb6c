// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksm top: KSM and the processes that take part, live.
 */
#include <getopt.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "commands.h"
#include "top_options.h"
#include "units.h"

#define DELAY_MS	2000
#define DELAY_LEAST_MS	100
#define DELAY_MOST_MS	3600000

static const char help[] =
"Usage: ksm top [OPTION]...\n"
"Show live what KSM saves, what it costs, and which processes take part.\n"
"Press h there for help.\n"
"\n"
"  -d, --delay SECONDS  between updates, 0.1 to 3600 (default 2)\n"
"  -f, --filter TEXT    only processes with TEXT in name, unit or PID\n"
"  -g, --group HOW      tree (default), units or flat\n"
"  -s, --sort WHAT      gain (default), cost or copies\n"
"  -a, --ascii          no characters beyond ASCII\n"
"  -1, --once           print one frame as plain text, COLUMNS x LINES\n"
"      --before DIR     with ksm --root DIR2: the earlier of two moments\n"
"  -h, --help           this text\n";

static const struct option long_options[] = {
	{ "delay", required_argument, NULL, 'd' },
	{ "filter", required_argument, NULL, 'f' },
	{ "group", required_argument, NULL, 'g' },
	{ "sort", required_argument, NULL, 's' },
	{ "ascii", no_argument, NULL, 'a' },
	{ "once", no_argument, NULL, '1' },
	{ "before", required_argument, NULL, 'b' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 }
};

/* Index of a word in a list that ends with NULL, or -1 */
static int index_of(const char *const *words, const char *word)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], word))
			return i;
	return -1;
}

static int parse_sort(const char *word, struct top_options *options)
{
	static const char *const words[] = { "gain", "cost", "copies", NULL };
	int sort = index_of(words, word);

	if (sort < 0)
		return ksm_usage("top", "--sort: gain, cost or copies, not "
				 "\"%s\"", word);
	options->order.sort = sort;
	return 0;
}

static int parse_group(const char *word, struct top_options *options)
{
	static const char *const words[] = { "tree", "units", "flat", NULL };
	int grouping = index_of(words, word);

	if (grouping < 0)
		return ksm_usage("top", "--group: tree, units or flat, not "
				 "\"%s\"", word);
	options->order.grouping = grouping;
	return 0;
}

static int parse_delay(const char *text, struct top_options *options)
{
	options->delay_ms = ksm_parse_duration_ms(text);
	if (options->delay_ms < DELAY_LEAST_MS ||
	    options->delay_ms > DELAY_MOST_MS)
		return ksm_usage("top", "--delay: seconds, from 0.1 to 3600, "
				 "not \"%s\"", text);
	return 0;
}

static int parse_filter(const char *text, struct top_options *options)
{
	if (strlen(text) >= TOP_FILTER_MAX)
		return ksm_usage("top", "--filter: at most %d characters",
				 TOP_FILTER_MAX - 1);
	strcpy(options->order.filter, text);
	return 0;
}

static int parse_option(int option, struct top_options *options)
{
	switch (option) {
	case 'd':
		return parse_delay(optarg, options);
	case 'f':
		return parse_filter(optarg, options);
	case 'g':
		return parse_group(optarg, options);
	case 's':
		return parse_sort(optarg, options);
	case 'a':
		options->ascii = true;
		return 0;
	case '1':
		options->once = true;
		return 0;
	case 'b':
		options->before = optarg;
		return 0;
	default:
		return ksm_usage("top", NULL);
	}
}

/**
 * top_use_utf8() - may a frame have characters beyond ASCII?
 * @options: what was asked for
 *
 * The font of the Linux console has no braille.
 *
 * Return: true if it may
 */
bool top_use_utf8(const struct top_options *options)
{
	const char *term = getenv("TERM");

	return !options->ascii && !strcmp(nl_langinfo(CODESET), "UTF-8") &&
	       (options->once || !term || strcmp(term, "linux"));
}

/**
 * ksm_cmd_top() - the subcommand
 * @argc: number of arguments
 * @argv: the arguments, with "top" as first
 *
 * Return: exit code
 */
int ksm_cmd_top(int argc, char **argv)
{
	struct top_options options = { .delay_ms = DELAY_MS };
	int option, err = 0;

	while (!err && (option = getopt_long(argc, argv, "d:f:g:s:a1h",
					     long_options, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return KSM_EXIT_DONE;
		}
		err = parse_option(option, &options);
	}
	if (err)
		return err;
	if (optind < argc)
		return ksm_usage("top", "what is \"%s\"?", argv[optind]);
	return options.once ? top_once(&options) : top_live(&options);
}
