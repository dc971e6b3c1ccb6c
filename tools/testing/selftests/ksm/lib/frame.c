// SPDX-License-Identifier: GPL-2.0
/*
 * Saving and restoring the knobs, also when a signal ends the program
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../kselftest.h"
#include "cases.h"
#include "end.h"
#include "frame.h"
#include "knobs.h"

/* The order matters for the way back: nothing may be merged at first. */
static const char * const saved_knobs[] = {
	"merge_across_nodes",
	"max_page_sharing",
	"use_zero_pages",
	"smart_scan",
	"stable_node_chains_prune_millisecs",
	"sleep_millisecs",
	"advisor_mode",
	"advisor_max_cpu",
	"advisor_min_pages_to_scan",
	"advisor_max_pages_to_scan",
	"advisor_target_scan_time",
	"pages_to_scan",
	"run",
};

#define NR_SAVED ARRAY_SIZE(saved_knobs)

static char saved_text[NR_SAVED][32];

/* Of what happens here nothing may be unsafe in a signal handler. */
static void restore_knobs(void)
{
	size_t i;

	if (!ksm_is_program())
		return;
	ksm_write_text("run", "0");
	ksm_write_text("run", "2");
	/* pages_to_scan refuses a value while an advisor is in charge. */
	ksm_write_text("advisor_mode", "none");
	for (i = 0; i < NR_SAVED; i++) {
		if (saved_text[i][0])
			ksm_write_text(saved_knobs[i], saved_text[i]);
	}
}

static void fatal_signal(int sig)
{
	static const char hung[] = "Bail out! watchdog: this took too long\n";
	static const char other[] = "Bail out! killed by a signal\n";
	ssize_t ret;

	if (sig == SIGALRM)
		ret = write(1, hung, sizeof(hung) - 1);
	else
		ret = write(1, other, sizeof(other) - 1);
	(void)ret;
	restore_knobs();
	_exit(1);
}

static void strip_newline(char *text)
{
	text[strcspn(text, "\n")] = '\0';
}

/* "[none] scan-time" -> "none" */
static void strip_choice(char *text)
{
	char *open = strchr(text, '['), *close = strchr(text, ']');

	if (!open || !close || close < open)
		return;
	*close = '\0';
	memmove(text, open + 1, strlen(open + 1) + 1);
}

void ksm_setup(void)
{
	static const int sigs[] = {
		SIGALRM, SIGTERM, SIGINT, SIGHUP, SIGSEGV, SIGBUS, SIGABRT,
	};
	struct sigaction sa = { .sa_handler = fatal_signal };
	size_t i;

	ksm_end_setup();
	if (access(KSM_SYSFS "run", F_OK))
		ksm_skip_all("kernel without CONFIG_KSM or without sysfs");
	if (geteuid())
		ksm_skip_all("needs root");
	for (i = 0; i < NR_SAVED; i++) {
		if (!ksm_has(saved_knobs[i]))
			continue;
		if (ksm_read_text(saved_knobs[i], saved_text[i],
				  sizeof(saved_text[i])) < 0)
			ksm_die("cannot read %s", saved_knobs[i]);
		strip_newline(saved_text[i]);
		strip_choice(saved_text[i]);
	}
	ksm_cases_setup();
	atexit(restore_knobs);
	for (i = 0; i < ARRAY_SIZE(sigs); i++)
		sigaction(sigs[i], &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	ksm_watchdog(170);
}
