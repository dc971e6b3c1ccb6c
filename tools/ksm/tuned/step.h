/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One decision: look, decide, say it, do it.
 */
#ifndef KSMTUNED_STEP_H
#define KSMTUNED_STEP_H

#include "algo.h"
#include "sense.h"
#include "state.h"

struct step {
	struct tuned_input input;
	struct tuned_guests guests;
	struct tuned_decision decision;
};

void step_decide(struct step *step, const struct tuned_config *config,
		 enum tuned_cause cause, int64_t npages);
ksm_figure step_value(const struct step *step, enum state_knob which);
int step_apply(const struct step *step, struct state *state);
void step_log(const struct step *step);

#endif
