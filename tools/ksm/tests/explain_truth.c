// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ground truth for ksm explain: processes of which each reason is true, on the
 * running kernel.  Prints TAP; the argument is the command, "ksm" by default.
 *
 * It has to be root, and changes what is in /sys/kernel/mm/ksm meanwhile.
 */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "knobs.h"
#include "root.h"
#include "truths.h"

#define SCANS		3	/* the second merges */
#define SCAN_SECONDS	120	/* on slow emulators as well */
#define SKIP_ALL	4	/* as exit code */

static const struct {
	const char *name;
	ksm_figure value;
} settings[] = {
	/* first what is refused when something else is set */
	{ "advisor_mode", KSM_ADVISOR_NONE },
	{ "pages_to_scan", 20000 },
	{ "sleep_millisecs", 1 },
	{ "use_zero_pages", 0 },
	{ "run", KSM_RUN_STOP },
};

static ksm_figure saved[ARRAY_SIZE(settings)];

static ksm_figure set(const char *name, ksm_figure value)
{
	const struct ksm_knob *knob = ksm_knob_find(name);
	ksm_figure old = ksm_knob_read(knob);

	if (fig_known(old) && old != value)
		ksm_knob_write(knob, value);
	return old;
}

static void restore(void)
{
	for (size_t i = ARRAY_SIZE(settings); i--;)
		if (fig_known(saved[i]))
			set(settings[i].name, saved[i]);
}

static void prepare(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		saved[i] = set(settings[i].name, settings[i].value);
	atexit(restore);
}

static void interrupted(int signal)
{
	(void)signal;
	exit(1);
}

/* The process that is explained */
struct subject {
	pid_t pid;
	uint64_t addr;
	char text[256];		/* what it has reported */
};

static void be_subject(const struct truth *truth, int fd)
{
	void *addr;

	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	truth_report_to(fd);
	addr = truth->make();
	truth_report(addr);
	if (truth->live)
		truth->live(addr);
	for (;;)
		pause();
}

static void start(struct subject *subject, const struct truth *truth)
{
	size_t used = 0;
	ssize_t len;
	int ends[2];

	if (pipe(ends))
		exit(1);
	fflush(stdout);
	subject->pid = fork();
	if (!subject->pid) {
		close(ends[0]);
		be_subject(truth, ends[1]);
	}
	close(ends[1]);
	while (used < sizeof(subject->text) - 1 &&
	       (len = read(ends[0], subject->text + used,
			   sizeof(subject->text) - 1 - used)) > 0)
		used += len;
	subject->text[used] = '\0';
	subject->addr = strtoull(subject->text, NULL, 16);
	close(ends[0]);
}

static void stop(const struct subject *subject)
{
	kill(subject->pid, SIGKILL);
	waitpid(subject->pid, NULL, 0);
}

static ksm_figure full_scans(void)
{
	return ksm_root_figure(KSM_SYSFS "/full_scans");
}

/* One more than asked for, since the one under way does not count. */
static bool scan(void)
{
	ksm_figure until = full_scans() + SCANS + 1;

	set("run", KSM_RUN_MERGE);
	for (int i = 0; i < SCAN_SECONDS * 20 && full_scans() < until; i++)
		usleep(50000);
	set("run", KSM_RUN_STOP);
	return full_scans() >= until;
}

static json_t *ask(const char *command, const struct truth *truth, pid_t pid)
{
	char line[512];
	json_error_t error;
	json_t *answer;
	FILE *out;

	snprintf(line, sizeof(line), "%s explain %s--json %d", command,
		 truth->needs & TRUTH_SAMPLE ? "--sample " : "", pid);
	out = popen(line, "r");
	if (!out)
		return NULL;
	answer = json_loadf(out, 0, &error);
	if (!answer)
		printf("# %s: %s\n", line, error.text);
	if (pclose(out)) {
		printf("# %s: failed\n", line);
		json_decref(answer);
		return NULL;
	}
	return answer;
}

static uint64_t address(const json_t *map, const char *name)
{
	const char *text = json_string_value(json_object_get(map, name));

	return text ? strtoull(text, NULL, 16) : 0;
}

static const json_t *map_at(const json_t *answer, uint64_t addr)
{
	const json_t *map;
	size_t i;

	json_array_foreach(json_object_get(answer, "mappings"), i, map)
		if (address(map, "start") <= addr && addr < address(map, "end"))
			return map;
	return NULL;
}

static bool is_said(const json_t *map, const struct truth *truth)
{
	const char *merge = json_string_value(json_object_get(map, "merge"));
	const char *reason = json_string_value(json_object_get(map, "reason"));
	bool inferred = json_is_true(json_object_get(map, "inferred"));
	bool expected = truth->reason[0] == '~';

	if (!reason)
		reason = "-";
	if (merge && !strcmp(merge, truth->merge) && inferred == expected &&
	    !strcmp(reason, truth->reason + expected))
		return true;
	printf("# expected %s %s, got %s %s%s\n", truth->merge, truth->reason,
	       merge ? merge : "nothing", inferred ? "~" : "", reason);
	return false;
}

static bool holds(const char *command, const struct truth *truth,
		  const struct subject *subject)
{
	json_t *answer = ask(command, truth, subject->pid);
	const json_t *map = answer ? map_at(answer, subject->addr) : NULL;
	bool good = map && is_said(map, truth);

	if (answer && !map)
		printf("# nothing is said about %s\n", subject->text);
	if (map && !good)
		json_dumpf(map, stdout, JSON_COMPACT);
	if (map && !good)
		putchar('\n');
	json_decref(answer);
	return good;
}

enum outcome { GOOD, BAD, SKIPPED };

static enum outcome try(const char *command, const struct truth *truth,
			struct subject *subject)
{
	set("use_zero_pages", !!(truth->needs & TRUTH_ZERO_PAGES));
	start(subject, truth);
	if (!strncmp(subject->text, "skip ", 5))
		return SKIPPED;
	if (!subject->addr) {
		printf("# the process has ended\n");
		return BAD;
	}
	if (truth->needs & TRUTH_SCANS && !scan()) {
		printf("# no %d full scans in %d s\n", SCANS, SCAN_SECONDS);
		return BAD;
	}
	return holds(command, truth, subject) ? GOOD : BAD;
}

static enum outcome test(const char *command, size_t nr)
{
	const struct truth *truth = &truths[nr];
	struct subject subject;
	enum outcome outcome = try(command, truth, &subject);

	stop(&subject);
	printf("%sok %zu - %s: %s%s%s\n", outcome == BAD ? "not " : "", nr + 1,
	       truth->name, truth->reason,
	       outcome == SKIPPED ? " # SKIP " : "",
	       outcome == SKIPPED ? subject.text + 5 : "");
	return outcome;
}

static int skip_all(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	return SKIP_ALL;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "ksm";
	int count[3] = { 0 };

	if (geteuid())
		return skip_all("has to be root");
	if (!fig_known(full_scans()))
		return skip_all("no KSM in this kernel");
	setvbuf(stdout, NULL, _IOLBF, 0);
	prepare();
	signal(SIGINT, interrupted);
	signal(SIGTERM, interrupted);
	printf("TAP version 13\n1..%zu\n", nr_truths);
	for (size_t i = 0; i < nr_truths; i++)
		count[test(command, i)]++;
	printf("# Totals: pass:%d fail:%d xfail:0 xpass:0 skip:%d error:0\n",
	       count[GOOD], count[BAD], count[SKIPPED]);
	return count[BAD] ? 1 : count[GOOD] ? 0 : SKIP_ALL;
}
