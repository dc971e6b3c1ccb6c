// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksm metrics: figures for Prometheus.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "commands.h"
#include "metrics.h"
#include "replace.h"
#include "units.h"
#include "wait.h"

#define WINDOW_MS	1000
#define HISTORY_MS	(75 * 60000LL)

static struct {
	const char *textfile;
	bool units;
	int64_t window_ms;
} opt;

static void help(void)
{
	puts("Usage: ksm metrics [OPTION]...\n"
	     "Print KSM's figures in the text format of Prometheus.\n\n"
	     "  -i, --interval TIME  measure what the verdict needs for so long "
	     "(default 1s)\n"
	     "  -t, --textfile FILE  write FILE instead, at one stroke; for the "
	     "textfile\n"
	     "                       collector of node_exporter, it ends with "
	     ".prom\n"
	     "  -u, --units          also figures of each systemd unit\n"
	     "  -h, --help           this text\n\n"
	     "There are no figures of single processes: see ksm top.");
}

static int set_option(int option)
{
	switch (option) {
	case 'i':
		opt.window_ms = ksm_parse_duration_ms(optarg);
		if (opt.window_ms > 0)
			return 0;
		return ksm_usage("metrics", "--interval: no time: \"%s\"",
				 optarg);
	case 't':
		opt.textfile = optarg;
		return 0;
	case 'u':
		opt.units = true;
		return 0;
	default:
		return ksm_usage("metrics", NULL);
	}
}

/* What is to be printed */
struct figures {
	const struct ksm_status *status;
	const struct ksm_members *members;
};

static int print(FILE *file, const void *arg)
{
	const struct figures *figures = arg;
	const struct ksm_status *status = figures->status;

	ksm_metrics_print(file, status);
	if (!opt.units)
		return 0;
	return ksm_metrics_print_units(file, figures->members,
				       status->view.now->host.page_bytes);
}

static int output(const struct ksm_sample *now, const struct ksm_sample *before,
		  const struct ksm_members *members)
{
	struct ksm_history history;
	struct ksm_status status;
	const struct figures figures = { &status, members };
	int err;

	ksm_history_read(KSM_HISTORY_DIR, now->time_ms - HISTORY_MS,
			 now->time_ms, &history);
	ksm_status(&status, now, before, &history);
	err = opt.textfile ?
	      ksm_replace_file(opt.textfile, 0644, print, &figures) :
	      ksm_print_to(stdout, print, &figures);
	ksm_history_free(&history);
	if (err)
		return ksm_fail(ksm_exit_of(err), "%s: %s", opt.textfile ?
				opt.textfile : "output", strerror(-err));
	if (!now->present)
		return KSM_EXIT_NO_KSM;
	return now->sums.unreadable > 0 ? KSM_EXIT_UNREADABLE : KSM_EXIT_DONE;
}

/* A kernel without KSM is a result as well; it is told with exit code 3. */
static int metrics(void)
{
	struct ksm_sample before, now;
	struct ksm_members members;
	int err = ksm_sample_read(&before, NULL);
	int code;

	if (err && before.present)
		return ksm_fail_sysfs(err);
	if (before.present && ksm_wait_ms(opt.window_ms))
		return KSM_EXIT_FAILED;
	ksm_sample_read(&now, &members);
	code = output(&now, &before, &members);
	ksm_members_free(&members);
	return code;
}

int ksm_cmd_metrics(int argc, char **argv)
{
	static const struct option names[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "interval", required_argument, NULL, 'i' },
		{ "textfile", required_argument, NULL, 't' },
		{ "units", no_argument, NULL, 'u' },
		{ 0 }
	};
	static const struct ksm_options known = {
		.letters = "hi:t:u",
		.names = names,
		.help = help,
		.set = set_option,
	};
	int code;

	opt.window_ms = WINDOW_MS;
	code = ksm_options(argc, argv, &known);
	if (code != -1)
		return code;
	ksm_wait_init();
	return metrics();
}
