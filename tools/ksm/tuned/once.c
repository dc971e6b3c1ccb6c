// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "conf.h"
#include "log.h"
#include "once.h"
#include "ready.h"
#include "single.h"
#include "state.h"
#include "step.h"
#include "sysfs.h"
#include "units.h"

static struct ksm_text size(ksm_figure kib)
{
	return ksm_size(fig_mul(kib, 1024));
}

static void print_figures(const struct step *step)
{
	const struct tuned_input *input = &step->input;

	printf("memory     %s, %s of it free or caches\n",
	       size(input->total_kib).s, size(input->free_kib).s);
	printf("guests     %d process%s with %s resident\n",
	       step->guests.count, ksm_plural(step->guests.count, "es"),
	       size(input->committed_kib).s);
	if (step->guests.unreadable)
		printf("           %d process%s could not be looked at: try as root\n",
		       step->guests.unreadable,
		       ksm_plural(step->guests.unreadable, "es"));
	printf("threshold  %s\n", size(step->decision.threshold_kib).s);
	if (input->advisor)
		puts("advisor    scan-time: pages_to_scan and sleep_millisecs are its own");
}

static void print_knob(const struct step *step, enum state_knob which)
{
	ksm_figure now = state_knob_read(which);
	ksm_figure then = step_value(step, which);

	if (!fig_known(then) || then == now)
		printf("  %-16s %s, stays\n", state_knob_name(which),
		       ksm_raw(now).s);
	else
		printf("  %-16s %s -> %s\n", state_knob_name(which),
		       ksm_raw(now).s, ksm_raw(then).s);
}

static void print_step(const struct step *step)
{
	print_figures(step);
	printf("decision   %s: %s\n",
	       tuned_verdict_name(step->decision.verdict),
	       step->decision.reason);
	print_knob(step, STATE_PAGES_TO_SCAN);
	print_knob(step, STATE_SLEEP_MILLISECS);
	print_knob(step, STATE_RUN);
}

/* The last decision is not known here, but what came of it. */
static int64_t present_npages(void)
{
	ksm_figure pages = state_knob_read(STATE_PAGES_TO_SCAN);

	return state_knob_read(STATE_RUN) == KSM_RUN_MERGE ?
	       fig_or_zero(pages) : 0;
}

static int apply(const struct step *step)
{
	int first = 0;

	for (int i = 0; i < STATE_NR; i++) {
		ksm_figure value = step_value(step, i);
		int err = state_knob_set(i, value);

		if (!err)
			continue;
		log_say(LOG_ERR, "cannot write %s to %s: %s", ksm_raw(value).s,
			state_knob_name(i), strerror(-err));
		first = first ? first : err;
	}
	return first;
}

/**
 * once_main() - decide once, and say why
 * @dry_run: change nothing
 *
 * Return: exit code
 */
int once_main(bool dry_run)
{
	pid_t holder = dry_run ? 0 : single_holder(TUNED_LOCK);
	int status = status_ready(!dry_run);
	struct tuned_config config;
	struct step step;

	if (status)
		return status;
	if (holder > 0) {
		log_say(LOG_ERR, "ksmtuned runs, as process %d: use `ksmtuned retune'",
			holder);
		return STATUS_FAILED;
	}
	tuned_conf_read(&config);
	log_config("", config.debug);
	step_decide(&step, &config, TUNED_ONCE, present_npages());
	print_step(&step);
	if (dry_run)
		return STATUS_DONE;
	return step.decision.verdict == TUNED_LEAVE ? STATUS_FAILED :
						      status_of(apply(&step));
}

/**
 * retune_main() - make the daemon decide now
 *
 * Return: exit code
 */
int retune_main(void)
{
	pid_t pid = single_holder(TUNED_LOCK);
	int err = pid < 0 ? pid : 0;

	if (pid > 0 && kill(pid, SIGUSR1))
		err = -errno;
	if (!pid || err == -ESRCH) {
		log_say(LOG_ERR, "ksmtuned does not run: start it with `systemctl start ksmtuned'");
		return STATUS_FAILED;
	}
	if (err)
		log_say(LOG_ERR, "cannot reach ksmtuned: %s", strerror(-err));
	return status_of(err);
}

/**
 * restore_main() - put back what a daemon found that was killed
 *
 * Return: exit code
 */
int restore_main(void)
{
	pid_t pid = single_holder(TUNED_LOCK);

	if (pid > 0) {
		log_say(LOG_ERR, "ksmtuned runs, as process %d: it restores by itself when it is stopped",
			pid);
		return STATUS_FAILED;
	}
	if (pid < 0)
		log_say(LOG_ERR, "cannot look for ksmtuned: %s",
			strerror(-pid));
	else
		single_remove_pid();
	return status_of(pid < 0 ? pid : state_recover(TUNED_STATE));
}
