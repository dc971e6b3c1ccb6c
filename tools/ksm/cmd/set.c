// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksm set: write knobs, all of them or none.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "boost-state.h"
#include "cmd.h"
#include "commands.h"
#include "knobs.h"
#include "restore.h"
#include "root.h"
#include "units.h"
#include "unmerge.h"
#include "wait.h"

#define MAX_CHANGES	64

struct change {
	const struct ksm_knob *knob;
	ksm_figure value;
};

static struct {
	bool force;
	struct change changes[MAX_CHANGES];
	int count;
} opt;

static void help(void)
{
	puts("Usage: ksm set [--force] KNOB=VALUE...\n"
	     "       ksm set\n"
	     "Set knobs of KSM in the order given: all of them, or none. Without "
	     "any, show\nthem, and what they may be.\n\n"
	     "  -f, --force  run=2 also if memory is short for it\n"
	     "  -h, --help   this text\n\n"
	     "run=2 undoes all merging, which takes as much memory as was "
	     "saved. To change\nmerge_across_nodes or max_page_sharing, put it "
	     "between run=2 and run=1.");
}

static int show(void)
{
	struct ksm_counters counters;
	struct ksm_knobs knobs;
	int err = ksm_sysfs_read(&knobs, &counters);

	if (err)
		return ksm_fail_sysfs(err);
	for (size_t i = 0; i < ksm_nr_knobs; i++) {
		const struct ksm_knob *knob = &ksm_knob_table[i];
		ksm_figure value = fig_get(&knobs, &knob->field);

		printf("%-34s %-10s  %s\n", knob->field.name,
		       fig_known(value) ? ksm_knob_print(knob, value).s : "-",
		       knob->what);
	}
	return KSM_EXIT_DONE;
}

static int fail_value(const struct ksm_knob *knob, const char *text)
{
	const char *name = knob->field.name;

	if (knob->kind == KSM_KNOB_ADVISOR)
		return ksm_usage("set", "%s: none or scan-time, not \"%s\"",
				 name, text);
	if (knob->max == INT64_MAX)
		return ksm_usage("set", "%s: at least %s, not \"%s\"", name,
				 ksm_raw(knob->min).s, text);
	return ksm_usage("set", "%s: %s to %s (%s), not \"%s\"", name,
			 ksm_raw(knob->min).s, ksm_raw(knob->max).s,
			 knob->what, text);
}

static bool is_counter(const char *name)
{
	for (size_t i = 0; i < ksm_nr_counters; i++)
		if (!strcmp(ksm_counter_fields[i].name, name))
			return true;
	return false;
}

static int parse_change(char *text)
{
	char *value = strchr(text, '=');
	struct change *change = &opt.changes[opt.count];

	if (opt.count == MAX_CHANGES)
		return ksm_usage("set", "too many at a time");
	if (!value)
		return ksm_usage("set", "\"%s\" is no KNOB=VALUE", text);
	*value++ = '\0';
	change->knob = ksm_knob_find(text);
	if (!change->knob && is_counter(text))
		return ksm_usage("set", "%s is a counter, and cannot be set",
				 text);
	if (!change->knob)
		return ksm_usage("set", "no knob \"%s\"; all of them: ksm set",
				 text);
	change->value = ksm_knob_parse(change->knob, value);
	if (!fig_known(change->value))
		return fail_value(change->knob, value);
	opt.count++;
	return KSM_EXIT_DONE;
}

/* What an error means here, and what to do */
static const char *meaning(const struct ksm_knob *knob, int err)
{
	const char *name = knob->field.name;

	if (err == -EBUSY)
		return "it cannot change while pages are merged; put it "
		       "between run=2 and run=1";
	if (err == -EINVAL && !strcmp(name, "pages_to_scan") &&
	    ksm_knob_read(ksm_knob_find("advisor_mode")) !=
	    KSM_ADVISOR_NONE)
		return "the advisor chooses it; put advisor_mode=none first";
	if (err == -ENOENT)
		return "this kernel has no such knob";
	if (err == -ENOMEM)
		return "memory ran out; part of the pages stays merged";
	if (err == -EINTR)
		return "interrupted; part of the pages stays merged";
	if (err == -EACCES || err == -EPERM)
		return "not permitted: try as root";
	return strerror(-err);
}

static int write_one(const struct change *change)
{
	if (strcmp(change->knob->field.name, "run") ||
	    change->value != KSM_RUN_UNMERGE)
		return ksm_knob_write(change->knob, change->value);
	return ksm_unmerge();
}

/* The text of the failure first: putting back changes what it is about. */
static int fail_change(const struct change *change, int err,
		       const struct ksm_knobs *old, ksm_knob_set written)
{
	int undo;

	ksm_say("%s=%s: %s", change->knob->field.name,
		ksm_knob_print(change->knob, change->value).s,
		meaning(change->knob, err));
	undo = ksm_knobs_restore(old, written);
	if (undo)
		ksm_say("and not all could be set back: %s", strerror(-undo));
	else if (written)
		ksm_say("what was set before it was set back");
	return ksm_exit_of(err);
}

static int write_all(const struct ksm_knobs *old)
{
	ksm_knob_set written = 0;

	for (int i = 0; i < opt.count; i++) {
		const struct change *change = &opt.changes[i];
		int err = write_one(change);

		/* run=2 that failed has changed run as well */
		if (!err || !strcmp(change->knob->field.name, "run"))
			written |= ksm_knob_bit(change->knob);
		if (err)
			return fail_change(change, err, old, written);
	}
	return KSM_EXIT_DONE;
}

static bool undoes_merging(const struct ksm_knobs *old)
{
	for (int i = 0; i < opt.count; i++)
		if (!strcmp(opt.changes[i].knob->field.name, "run") &&
		    opt.changes[i].value == KSM_RUN_UNMERGE)
			return old->run != KSM_RUN_UNMERGE;
	return false;
}

static int set(void)
{
	struct ksm_counters counters;
	struct ksm_knobs old;
	int err = ksm_sysfs_read(&old, &counters);

	if (err)
		return ksm_fail_sysfs(err);
	old.run &= KSM_RUN_MASK;
	if (ksm_boost_tell() > 0)
		return KSM_EXIT_FAILED;
	if (undoes_merging(&old) && !opt.force && ksm_unmerge_allowed())
		return KSM_EXIT_UNSAFE;
	return write_all(&old);
}

int ksm_cmd_set(int argc, char **argv)
{
	static const struct option options[] = {
		{ "force", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "fh", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			opt.force = true;
			break;
		case 'h':
			help();
			return KSM_EXIT_DONE;
		default:
			return ksm_usage("set", NULL);
		}
	}
	if (optind == argc)
		return show();
	for (; optind < argc; optind++)
		if (parse_change(argv[optind]))
			return KSM_EXIT_USAGE;
	ksm_wait_init();
	return set();
}
