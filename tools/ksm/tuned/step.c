// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "step.h"
#include "units.h"

/**
 * step_decide() - look at the system and decide
 * @step:   result
 * @config: the settings
 * @cause:  why now
 * @npages: batch chosen last
 */
void step_decide(struct step *step, const struct tuned_config *config,
		 enum tuned_cause cause, int64_t npages)
{
	tuned_sense(&step->input, &step->guests);
	step->input.cause = cause;
	step->input.npages = npages;
	step->decision = tuned_decide(config, &step->input);
}

/* What the decision is for a knob; KSM_UNKNOWN: leave it as it is. */
ksm_figure step_value(const struct step *step, enum state_knob which)
{
	switch (which) {
	case STATE_PAGES_TO_SCAN:
		return step->decision.pages_to_scan;
	case STATE_SLEEP_MILLISECS:
		return step->decision.sleep_millisecs;
	case STATE_RUN:
		return step->decision.run;
	default:
		return KSM_UNKNOWN;
	}
}

static int write_planned(const struct state *state, const bool *planned)
{
	int first = 0;

	for (int i = 0; i < STATE_NR; i++) {
		int err = planned[i] ? state_write(state, i) : 0;

		if (!err)
			continue;
		log_say(LOG_ERR, "cannot write %" PRId64 " to %s: %s",
			state->knob[i].set, state_knob_name(i),
			strerror(-err));
		first = first ? first : err;
	}
	return first;
}

/**
 * step_apply() - write what was decided, where it is something new
 * @step:  the decision
 * @state: notes what is written, and is saved before
 *
 * Return: 0, or -errno
 */
int step_apply(const struct step *step, struct state *state)
{
	bool planned[STATE_NR], any = false;
	int err;

	for (int i = 0; i < STATE_NR; i++) {
		planned[i] = state_plan(state, i, step_value(step, i));
		any |= planned[i];
	}
	if (!any)
		return 0;
	err = state_save(state);
	if (err) {
		log_say(LOG_ERR, "nothing is changed, as %s cannot be written: %s",
			state->path, strerror(-err));
		return err;
	}
	return write_planned(state, planned);
}

/**
 * step_log() - say what was decided, and by which figures
 * @step: the decision, done
 */
void step_log(const struct step *step)
{
	const struct tuned_decision *decision = &step->decision;
	const struct tuned_input *input = &step->input;

	log_say(decision->verdict == TUNED_LEAVE ? LOG_WARNING : LOG_INFO,
		"decision=%s cause=%s total_kib=%s free_kib=%s committed_kib=%s guests=%d threshold_kib=%s run=%s pages_to_scan=%s sleep_millisecs=%s: %s",
		tuned_verdict_name(decision->verdict),
		tuned_cause_name(input->cause), ksm_raw(input->total_kib).s,
		ksm_raw(input->free_kib).s, ksm_raw(input->committed_kib).s,
		step->guests.count, ksm_raw(decision->threshold_kib).s,
		ksm_raw(state_knob_read(STATE_RUN)).s,
		ksm_raw(state_knob_read(STATE_PAGES_TO_SCAN)).s,
		ksm_raw(state_knob_read(STATE_SLEEP_MILLISECS)).s,
		decision->reason);
}
