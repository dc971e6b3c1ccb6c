// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksmtuned: start and stop KSM, and set its pace, as memory requires.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "daemon.h"
#include "log.h"
#include "once.h"
#include "ready.h"
#include "root.h"

static void help(void)
{
	puts("Usage: ksmtuned [OPTION]...\n"
	     "  or:  ksmtuned retune\n"
	     "  or:  ksmtuned restore\n"
	     "Run KSM while memory is short, and the faster the longer it is. "
	     "Without options\nit stays in the foreground; SIGUSR1 makes it "
	     "decide now, SIGHUP read\n/etc/ksmtuned.conf, too.\n"
	     "\n"
	     "      --once     decide once, say why, and end\n"
	     "      --dry-run  with --once: change nothing\n"
	     "      --help     this\n"
	     "      --version  its version\n"
	     "\n"
	     "retune makes the one that runs decide now; restore puts back what "
	     "it found, if\nit was killed.\n"
	     "\n"
	     "Exit status: 0 done, 1 failed, 2 wrong usage, 3 no KSM in this "
	     "kernel,\n4 not permitted.  See ksmtuned(8) and ksmtuned.conf(5).");
}

static int usage(const char *what)
{
	if (what)
		log_say(LOG_ERR, "%s", what);
	fputs("Try: ksmtuned --help\n", stderr);
	return STATUS_USAGE;
}

static int command(const char *name)
{
	if (!strcmp(name, "retune"))
		return retune_main();
	if (!strcmp(name, "restore"))
		return restore_main();
	log_say(LOG_ERR, "no command \"%s\"", name);
	return usage(NULL);
}

static int run(int argc, char **argv, bool once, bool dry_run)
{
	if (dry_run && !once)
		return usage("--dry-run goes with --once");
	if (once && argc)
		return usage("--once takes no command");
	if (argc > 1)
		return usage("too many words");
	if (argc)
		return command(argv[0]);
	return once ? once_main(dry_run) : daemon_main();
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "once", no_argument, NULL, 'o' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "root", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 }
	};
	bool once = false, dry_run = false;
	int option;

	log_open("ksmtuned");
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'o':
			once = true;
			break;
		case 'n':
			dry_run = true;
			break;
		case 'r':
			if (ksm_root_set(optarg))
				return usage("--root: too long");
			break;
		case 'h':
			help();
			return STATUS_DONE;
		case 'V':
			puts("ksmtuned " KSM_VERSION);
			return STATUS_DONE;
		default:
			return usage(NULL);
		}
	}
	return status_written(run(argc - optind, argv + optind, once,
				  dry_run));
}
