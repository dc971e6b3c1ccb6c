// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksm explain: why memory of a process merges, or does not.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "commands.h"
#include "explain-cmd.h"
#include "progress.h"
#include "root.h"
#include "units.h"

#define LIMIT_MIB	256	/* read for comparison, unless told otherwise */
#define MIB		(1LL << 20)

struct request {
	bool all;
	bool idle;
	bool advise;
	bool sample;
	bool json;
	bool raw;
	bool help;
	int64_t limit_bytes;
	int pid;
};

static void help(void)
{
	puts(
"Usage: ksm explain [--sample[=SIZE]] [--advise] [--json | --raw] PID\n"
"       ksm explain --all | --idle [--json | --raw]\n"
"Say of each mapping whether KSM can merge it, and why it does or does not.\n"
"\n"
"      --all       all processes that take part, each with its main reason\n"
"      --idle      only those that gain nothing, with what to do\n"
"      --advise    after a trial with `ksm run`: which mappings to register\n"
"                  with madvise()\n"
"      --sample[=SIZE]\n"
"                  read memory as well: about 64 pages of a mapping, twice,\n"
"                  and up to SIZE (256M; K, M, G) of what they may be merged\n"
"                  with; contents are not shown or kept\n"
"  -j, --json      for programs\n"
"  -r, --raw       bytes and plain numbers instead of MiB and 1,902\n"
"  -h, --help      this text\n"
"\n"
"Answers are can, no (not as it is now) and never (not this kind of memory).\n"
"Reasons that begin with ~ are inferred. See ksm-explain(1) for all of them.");
}

/* "256M"; KSM_UNKNOWN if it is no size */
static ksm_figure parse_size(const char *text)
{
	static const char units[] = "KMG";
	ksm_figure unit = 1;
	const char *found;
	char *end;
	long long value;

	if (*text < '0' || *text > '9')
		return KSM_UNKNOWN;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (*end) {
		found = strchr(units, *end);
		if (!found || (strcmp(end + 1, "") && strcmp(end + 1, "iB")))
			return KSM_UNKNOWN;
		unit <<= 10 * (found - units + 1);
	}
	return errno ? KSM_UNKNOWN : fig_mul(value, unit);
}

static int parse_pid(struct request *request, int argc, char **argv)
{
	ksm_figure pid;

	if (request->all || request->idle) {
		if (argc)
			return ksm_usage("explain", "--all and --idle take no "
					 "PID");
		return 0;
	}
	if (argc != 1)
		return ksm_usage("explain", argc ? "one PID at a time" :
				 "which process? Give a PID, or --all");
	pid = ksm_parse_figure(argv[0]);
	if (pid <= 0 || pid > INT32_MAX)
		return ksm_usage("explain", "\"%s\" is no PID", argv[0]);
	request->pid = pid;
	return 0;
}

static int check(const struct request *request)
{
	bool list = request->all || request->idle;

	if (request->all && request->idle)
		return ksm_usage("explain", "--all or --idle, not both");
	if (list && (request->advise || request->sample))
		return ksm_usage("explain", "--advise and --sample are for one "
				 "process: give its PID");
	if (request->advise && request->sample)
		return ksm_usage("explain", "--advise or --sample, not both: "
				 "a trial shows what merges");
	return 0;
}

static int parse_sample(struct request *request, const char *size)
{
	request->sample = true;
	request->limit_bytes = size ? parse_size(size) : LIMIT_MIB * MIB;
	if (request->limit_bytes <= 0)
		return ksm_usage("explain", "--sample: \"%s\" is no size, such "
				 "as 256M", size);
	return 0;
}

static int parse(struct request *request, int argc, char **argv)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "idle", no_argument, NULL, 'i' },
		{ "advise", no_argument, NULL, 'A' },
		{ "sample", optional_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "raw", no_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	int option, err = 0;

	while (!err &&
	       (option = getopt_long(argc, argv, "hjr", options, NULL)) != -1) {
		if (option == '?')
			return ksm_usage("explain", NULL);
		request->all |= option == 'a';
		request->idle |= option == 'i';
		request->advise |= option == 'A';
		request->json |= option == 'j';
		request->raw |= option == 'r';
		request->help |= option == 'h';
		if (option == 's')
			err = parse_sample(request, optarg);
	}
	if (err || request->help)
		return err;
	err = check(request);
	return err ? err : parse_pid(request, argc - optind, argv + optind);
}

static int fail_read(int pid, int err)
{
	switch (err) {
	case -ENOENT:
	case -ESRCH:
		return ksm_fail(KSM_EXIT_FAILED, "there is no process %d; "
				"`ksm explain --all` lists those that take "
				"part", pid);
	case -ENODATA:
		return ksm_fail(KSM_EXIT_FAILED, "process %d has no memory: "
				"it is a thread of the kernel, or has ended",
				pid);
	case -EACCES:
	case -EPERM:
		return ksm_fail(KSM_EXIT_PERMISSION, "process %d is not yours: "
				"run this as root", pid);
	default:
		return ksm_fail(KSM_EXIT_FAILED, "process %d: %s", pid,
				strerror(-err));
	}
}

/**
 * explain_unreadable() - say that some processes are missing
 * @count: how many
 *
 * Return: the exit code
 */
int explain_unreadable(size_t count)
{
	if (!count)
		return KSM_EXIT_DONE;
	return ksm_fail(KSM_EXIT_UNREADABLE, "%zu process%s could not be read; "
			"run this as root to have %s as well", count,
			ksm_plural(count, "es"), count == 1 ? "it" : "them");
}

static void tell(double part)
{
	ksm_progress("reading memory to compare with: %s done",
		     ksm_percent(100 * part).s);
}

/* Exit code for what could not be compared with, or of the failure */
static int sample(struct ksm_explained *explained,
		  const struct ksm_scene *scene, int64_t limit_bytes,
		  size_t *unreadable)
{
	struct ksm_sampling sampling = { limit_bytes, tell };
	struct ksm_members members;
	int err = ksm_members_read(&members);

	if (!err)
		err = ksm_explain_sample(explained, scene, &members,
					 &sampling);
	ksm_progress_end();
	*unreadable = members.unreadable + explained->unreadable;
	ksm_members_free(&members);
	if (err == -ENODATA) {
		*unreadable = 0;
		return ksm_say("nothing that process %d has registered has "
			       "pages: nothing was sampled",
			       explained->member.pid);
	}
	if (err == -EACCES || err == -EPERM)
		return ksm_fail(KSM_EXIT_PERMISSION, "memory of process %d "
				"must not be read: run this as root, or "
				"without --sample", explained->member.pid);
	if (err)
		return ksm_fail(KSM_EXIT_FAILED, "cannot sample process %d: %s",
				explained->member.pid, strerror(-err));
	return KSM_EXIT_DONE;
}

static int show(const struct request *request,
		const struct ksm_explained *explained,
		const struct ksm_scene *scene)
{
	struct ksm_advice advice;
	int code = KSM_EXIT_DONE;

	if (request->advise)
		return explain_advise(explained, request->json);
	ksm_advise(&advice, explained, scene);
	if (request->json)
		code = explain_json_print(explain_json(explained, &advice));
	else
		explain_print(explained, &advice);
	ksm_advice_free(&advice);
	return code;
}

static int explain_one(const struct request *request,
		       const struct ksm_scene *scene)
{
	struct ksm_explained explained;
	size_t unreadable = 0;
	int err = ksm_explain_read(&explained, scene, request->pid), code;

	if (err)
		code = fail_read(request->pid, err);
	else
		code = request->sample ?
		       sample(&explained, scene, request->limit_bytes,
			      &unreadable) : KSM_EXIT_DONE;
	if (!code)
		code = show(request, &explained, scene);
	if (!code)
		code = explain_unreadable(unreadable);
	ksm_explain_free(&explained);
	return code;
}

/**
 * ksm_cmd_explain() - the subcommand
 * @argc: number of @argv
 * @argv: its name, and what follows
 *
 * Return: the exit code
 */
int ksm_cmd_explain(int argc, char **argv)
{
	struct request request = { 0 };
	struct ksm_scene scene;
	int code = parse(&request, argc, argv), err;

	if (code)
		return code;
	if (request.help) {
		help();
		return KSM_EXIT_DONE;
	}
	err = ksm_scene_read(&scene);
	if (err)
		return ksm_fail_sysfs(err);
	explain_raw(request.raw);
	if (request.all || request.idle)
		return explain_list(&scene, request.idle, request.json);
	return explain_one(&request, &scene);
}
