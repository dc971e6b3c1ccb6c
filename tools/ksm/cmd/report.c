// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksm report: what a span of time was like, as a page.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "commands.h"
#include "replace.h"
#include "report.h"
#include "template.h"
#include "when.h"

#define LAST_MS		86400000LL
#define WHEN		"%Y-%m-%d %H:%M"

static struct {
	const char *since;
	const char *until;
	int64_t last_ms;
	const char *dir;
	const char *file;
	bool json;
} opt;

static void help(void)
{
	puts("Usage: ksm report [OPTION]... -o FILE\n"
	     "Write a page (HTML, all in one file) of what KSM did, from the "
	     "samples that\nksm record keeps.\n\n"
	     "  -d, --dir DIR        where the samples are (default "
	     KSM_HISTORY_DIR ")\n"
	     "  -j, --json           the data instead; the schema is "
	     "ksm-report-1.json\n"
	     "  -l, --last TIME      so long before the end (default 24h)\n"
	     "  -o, --output FILE    where to (default: standard output, "
	     "unless a terminal)\n"
	     "  -s, --since WHEN     begin\n"
	     "  -u, --until WHEN     end (default now)\n"
	     "  -h, --help           this text\n\n"
	     "TIME has a unit: ms, s, min, h, d; without one it is seconds.\n"
	     "WHEN is \"2026-11-29 15:40\", 2026-11-29, or 15:40 of today; "
	     "with Z at the end\nit is UTC.");
}

static int set_option(int option)
{
	switch (option) {
	case 'd':
		opt.dir = optarg;
		return 0;
	case 'j':
		opt.json = true;
		return 0;
	case 'l':
		opt.last_ms = ksm_parse_duration_ms(optarg);
		if (opt.last_ms > 0)
			return 0;
		return ksm_usage("report", "--last: no time: \"%s\"", optarg);
	case 'o':
		opt.file = optarg;
		return 0;
	case 's':
		opt.since = optarg;
		return 0;
	case 'u':
		opt.until = optarg;
		return 0;
	default:
		return ksm_usage("report", NULL);
	}
}

static int set_moment(int64_t *ms, const char *option, const char *text,
		      int64_t now_ms)
{
	ksm_figure value = ksm_parse_time_ms(text, now_ms);

	*ms = value;
	if (fig_known(value))
		return 0;
	return ksm_usage("report", "%s: no moment: \"%s\"", option, text);
}

static int set_span(struct report *report)
{
	struct timespec now;
	int code = 0;

	clock_gettime(CLOCK_REALTIME, &now);
	report->now_ms = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
	report->to_ms = report->now_ms;
	if (opt.since && opt.last_ms)
		return ksm_usage("report", "--since or --last, not both");
	if (opt.until)
		code = set_moment(&report->to_ms, "--until", opt.until,
				  report->now_ms);
	if (code)
		return code;
	report->from_ms = report->to_ms - (opt.last_ms ? opt.last_ms : LAST_MS);
	if (opt.since)
		code = set_moment(&report->from_ms, "--since", opt.since,
				  report->now_ms);
	if (!code && report->from_ms >= report->to_ms)
		return ksm_usage("report", "it would end before it begins");
	return code;
}

/* There are some, but not of that time: of which, then? */
static int fail_other_time(const struct report *report,
			   const struct ksm_history *all)
{
	ksm_say("%s: no samples from %s to %s", opt.dir,
		ksm_time(report->from_ms, WHEN).s,
		ksm_time(report->to_ms, WHEN).s);
	return ksm_fail(KSM_EXIT_FAILED, "there are %zu, from %s to %s: try "
			"--since and --until", all->count,
			ksm_time(all->list[0].time_ms, WHEN).s,
			ksm_time(all->list[all->count - 1].time_ms, WHEN).s);
}

static int fail_empty(const struct report *report)
{
	struct ksm_history all;
	int code, err = ksm_history_read(opt.dir, 0, report->now_ms, &all);

	if (err)
		code = ksm_fail(ksm_exit_of(err), "%s: %s", opt.dir,
				strerror(-err));
	else if (all.count)
		code = fail_other_time(report, &all);
	else if (all.damaged)
		code = ksm_fail(KSM_EXIT_FAILED, "%s: all %zu lines are "
				"damaged, the first of them %s: was the disk "
				"full? Remove the file; ksm record writes a "
				"new one", opt.dir, all.damaged,
				all.damaged_at);
	else
		code = ksm_fail(KSM_EXIT_FAILED, "%s: there are no samples; "
				"`systemctl enable --now ksm-record`, or `ksm "
				"record`, takes one each minute", opt.dir);
	ksm_history_free(&all);
	return code;
}

static int print(FILE *file, const void *arg)
{
	const struct report *report = arg;
	json_t *data = opt.json ? report_data(report) : report_view(report);

	if (!data)
		return -ENOMEM;
	if (opt.json) {
		json_dumpf(data, file, JSON_COMPACT | JSON_REAL_PRECISION(12));
		fputc('\n', file);
	} else {
		ksm_template_print(file, report_template, data);
	}
	json_decref(data);
	return 0;
}

/* What only root may read does not become readable for all by a report. */
static mode_t mode_of(const struct report *report)
{
	mode_t mask = umask(0);

	umask(mask);
	return (report->units.samples ? 0600 : 0666) & ~mask;
}

static int output(const struct report *report)
{
	bool to_file = opt.file && strcmp(opt.file, "-");
	int err = to_file ?
		  ksm_replace_file(opt.file, mode_of(report), print, report) :
		  ksm_print_to(stdout, print, report);

	if (err)
		return ksm_fail(ksm_exit_of(err), "%s: %s", to_file ? opt.file :
				"output", strerror(-err));
	return KSM_EXIT_DONE;
}

/* Not every user may read them; then there is a report without them. */
static int read_units(struct report *report)
{
	int err = ksm_unit_history_read(opt.dir, report->from_ms,
					report->to_ms, &report->units);

	report->units_hidden = err == -EACCES;
	return report->units_hidden ? 0 : err;
}

static void tell_damage(size_t damaged, const char *at)
{
	if (damaged)
		ksm_say("damaged lines of samples that are left out: %zu, the "
			"first of them %s: after a crash or on a full disk "
			"that is all right once", damaged, at);
}

static int make(struct report *report)
{
	struct ksm_history history;
	int code, err = ksm_history_read(opt.dir,
					 report->from_ms - KSM_SPAN_BEFORE_MS,
					 report->to_ms, &history);

	if (!err)
		err = ksm_span_of(&report->span, &history, report->from_ms);
	if (!err)
		err = read_units(report);
	if (err == -ENODATA)
		code = fail_empty(report);
	else if (err)
		code = ksm_fail(ksm_exit_of(err), "%s: %s", opt.dir,
				strerror(-err));
	else
		code = output(report);
	if (!code) {
		tell_damage(history.damaged, history.damaged_at);
		tell_damage(report->units.damaged, report->units.damaged_at);
	}
	ksm_unit_history_free(&report->units);
	ksm_span_free(&report->span);
	ksm_history_free(&history);
	return code;
}

int ksm_cmd_report(int argc, char **argv)
{
	static const struct option names[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "last", required_argument, NULL, 'l' },
		{ "output", required_argument, NULL, 'o' },
		{ "since", required_argument, NULL, 's' },
		{ "until", required_argument, NULL, 'u' },
		{ 0 }
	};
	static const struct ksm_options known = {
		.letters = "d:hjl:o:s:u:",
		.names = names,
		.help = help,
		.set = set_option,
	};
	struct report report = { 0 };
	int code;

	opt.dir = KSM_HISTORY_DIR;
	code = ksm_options(argc, argv, &known);
	if (code != -1)
		return code;
	if (!opt.file && !opt.json && isatty(STDOUT_FILENO))
		return ksm_usage("report", "where to? Give -o FILE");
	report.dir = opt.dir;
	code = set_span(&report);
	return code ? code : make(&report);
}
