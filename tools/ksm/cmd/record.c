// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksm record: keep samples, for trends and reports.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "commands.h"
#include "history.h"
#include "root.h"
#include "unit-history.h"
#include "units.h"
#include "wait.h"

#define INTERVAL_MS	60000
#define KEEP_DAYS	14
#define MAX_DAYS	3660

static struct {
	int64_t interval_ms;
	int days;
	bool once;
	bool units;
	const char *dir;
} opt;

static void help(void)
{
	printf("Usage: ksm record [OPTION]...\n"
	       "Keep a sample of KSM's figures from time to time, until "
	       "SIGTERM or SIGINT.\n\n"
	       "  -d, --dir DIR        where (default %s)\n"
	       "  -i, --interval TIME  how often (default 1min)\n"
	       "  -k, --keep DAYS      remove what is older (default %d)\n"
	       "  -1, --once           only one sample\n"
	       "  -u, --units          also sums of each systemd unit, for root "
	       "alone to read\n"
	       "  -h, --help           this text\n\n"
	       "TIME has a unit: ms, s, min, h, d; without one it is seconds.\n"
	       "There is one file for each day, about 1 KiB for each sample.\n",
	       KSM_HISTORY_DIR, KEEP_DAYS);
}

static int set_option(int option)
{
	ksm_figure days;

	switch (option) {
	case '1':
		opt.once = true;
		return 0;
	case 'd':
		opt.dir = optarg;
		return 0;
	case 'i':
		opt.interval_ms = ksm_parse_duration_ms(optarg);
		if (opt.interval_ms > 0)
			return 0;
		return ksm_usage("record", "--interval: no time: \"%s\"",
				 optarg);
	case 'k':
		days = ksm_parse_figure(optarg);
		opt.days = days;
		if (days > 0 && days <= MAX_DAYS)
			return 0;
		return ksm_usage("record", "--keep: 1 to %d days, not \"%s\"",
				 MAX_DAYS, optarg);
	case 'u':
		opt.units = true;
		return 0;
	default:
		return ksm_usage("record", NULL);
	}
}

static int append_units(const struct ksm_sample *sample,
			const struct ksm_members *members)
{
	struct ksm_unit_sums sums;
	int err = ksm_unit_sums_of(&sums, members, sample->host.page_bytes);

	if (!err)
		err = ksm_unit_history_append(opt.dir, sample, &sums);
	ksm_unit_sums_free(&sums);
	return err;
}

/* Also of units: they may have been kept earlier only */
static int prune(int64_t now_ms)
{
	int err = ksm_history_prune(opt.dir, now_ms, opt.days);

	if (err >= 0)
		err = ksm_unit_history_prune(opt.dir, now_ms, opt.days);
	return err < 0 ? err : 0;
}

/* Keep one sample, and remove what is too old. */
static int keep(void)
{
	struct ksm_members members;
	struct ksm_sample sample;
	int err = ksm_sample_read(&sample, &members);

	if (!sample.present || err) {
		ksm_members_free(&members);
		return ksm_fail_sysfs(err);
	}
	err = ksm_history_append(opt.dir, &sample);
	if (!err && opt.units)
		err = append_units(&sample, &members);
	ksm_members_free(&members);
	if (!err)
		err = prune(sample.time_ms);
	if (err)
		return ksm_fail(ksm_exit_of(err), "%s: %s", opt.dir,
				strerror(-err));
	return sample.sums.unreadable > 0 ? KSM_EXIT_UNREADABLE :
					    KSM_EXIT_DONE;
}

/*
 * Once the first sample was kept, go on whatever happens: a full disk may be
 * cleared, and each failure is told.
 */
static int run(void)
{
	int64_t next = ksm_boottime_ms();
	int code = keep();

	if (code == KSM_EXIT_UNREADABLE)
		ksm_say("the sums are without processes that could not be "
			"read: try as root");
	if (opt.once || (code && code != KSM_EXIT_UNREADABLE))
		return code;
	for (;;) {
		next = ksm_wait_next(next, opt.interval_ms);
		if (ksm_wait_until(next))
			return KSM_EXIT_DONE;
		keep();
	}
}

int ksm_cmd_record(int argc, char **argv)
{
	static const struct option names[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "interval", required_argument, NULL, 'i' },
		{ "keep", required_argument, NULL, 'k' },
		{ "once", no_argument, NULL, '1' },
		{ "units", no_argument, NULL, 'u' },
		{ 0 }
	};
	static const struct ksm_options known = {
		.letters = "1d:hi:k:u",
		.names = names,
		.help = help,
		.set = set_option,
	};
	int code;

	opt.interval_ms = INTERVAL_MS;
	opt.days = KEEP_DAYS;
	opt.dir = KSM_HISTORY_DIR;
	code = ksm_options(argc, argv, &known);
	if (code != -1)
		return code;
	ksm_wait_init();
	return run();
}
