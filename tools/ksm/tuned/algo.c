// SPDX-License-Identifier: GPL-2.0-only
#include "algo.h"
#include "sysfs.h"

/* KSM_SLEEP_MSEC is for a host of this size; twice the memory, half of it. */
#define SLEEP_HOST_KIB	(16LL * 1024 * 1024)
/* The shortest pause: below it ksmd is busy with waking up. */
#define SLEEP_MIN_MS	10

static int64_t clamp(int64_t value, int64_t min, int64_t max)
{
	if (value < min)
		return min;
	return value > max ? max : value;
}

static ksm_figure threshold_of(const struct tuned_config *config,
			       ksm_figure total_kib)
{
	ksm_figure share = fig_mul(total_kib, config->thres_coef) / 100;

	return share > config->thres_const_kib ? share :
						 config->thres_const_kib;
}

static int64_t sleep_of(const struct tuned_config *config, ksm_figure total_kib)
{
	int64_t ms = config->sleep_ms * SLEEP_HOST_KIB / total_kib;

	return ms < SLEEP_MIN_MS ? SLEEP_MIN_MS : ms;
}

/* NULL if there is no reason not to touch anything */
static const char *why_leave(const struct tuned_input *input)
{
	if (!fig_known(input->total_kib) || input->total_kib <= 0 ||
	    !fig_known(input->free_kib))
		return "memory figures cannot be read";
	if (!fig_known(input->committed_kib))
		return "processes cannot be read";
	if (!fig_known(input->run))
		return "run cannot be read";
	/*
	 * The user wants pages unmerged, and may have switched KSM off for it.
	 * It is not for a daemon to merge them again.
	 */
	if ((input->run & KSM_RUN_MASK) == KSM_RUN_UNMERGE)
		return "run is 2: write 0 or 1 to it to hand KSM back";
	return NULL;
}

static bool is_plenty(const struct tuned_input *input, ksm_figure threshold)
{
	return input->committed_kib + threshold < input->total_kib &&
	       input->free_kib > threshold;
}

static void choose_pace(struct tuned_decision *decision,
			const struct tuned_config *config,
			const struct tuned_input *input)
{
	int64_t change;

	if (input->free_kib < decision->threshold_kib) {
		decision->verdict = TUNED_BOOST;
		decision->reason = "free memory is below the threshold";
		change = config->boost;
	} else if (input->cause == TUNED_PRESSURE) {
		/* An extra decision must not take pace away under pressure. */
		decision->verdict = TUNED_HOLD;
		decision->reason = "memory stalls, but enough of it is free";
		change = 0;
	} else {
		decision->verdict = TUNED_DECAY;
		decision->reason = "guests could use all memory, but enough is free";
		change = config->decay;
	}
	decision->npages = clamp(input->npages + change, config->npages_min,
				 config->npages_max);
}

static void start(struct tuned_decision *decision,
		  const struct tuned_config *config,
		  const struct tuned_input *input)
{
	choose_pace(decision, config, input);
	decision->run = KSM_RUN_MERGE;
	/* The advisor reckons with the pause, so that is its own, too. */
	if (input->advisor)
		return;
	decision->pages_to_scan = decision->npages;
	decision->sleep_millisecs = sleep_of(config, input->total_kib);
}

/**
 * tuned_decide() - what to do about KSM
 * @config: the settings, all in range
 * @input:  how memory stands
 *
 * Return: the decision; it never has 2 for the file run
 */
struct tuned_decision tuned_decide(const struct tuned_config *config,
				   const struct tuned_input *input)
{
	struct tuned_decision decision = {
		.verdict = TUNED_LEAVE,
		.reason = why_leave(input),
		.threshold_kib = KSM_UNKNOWN,
		.npages = input->npages,
		.run = KSM_UNKNOWN,
		.pages_to_scan = KSM_UNKNOWN,
		.sleep_millisecs = KSM_UNKNOWN,
	};

	if (decision.reason)
		return decision;
	decision.threshold_kib = threshold_of(config, input->total_kib);
	if (is_plenty(input, decision.threshold_kib)) {
		decision.verdict = TUNED_STOP;
		decision.reason = "guests and threshold fit into memory, and enough is free";
		decision.run = KSM_RUN_STOP;
	} else {
		start(&decision, config, input);
	}
	return decision;
}

/* A verdict in one word, for logs. */
const char *tuned_verdict_name(enum tuned_verdict verdict)
{
	static const char *const names[] = {
		[TUNED_LEAVE] = "leave",
		[TUNED_STOP] = "stop",
		[TUNED_BOOST] = "boost",
		[TUNED_DECAY] = "decay",
		[TUNED_HOLD] = "hold",
	};

	return names[verdict];
}

/* A cause in one word, for logs. */
const char *tuned_cause_name(enum tuned_cause cause)
{
	static const char *const names[] = {
		[TUNED_START] = "start",
		[TUNED_INTERVAL] = "interval",
		[TUNED_REQUEST] = "request",
		[TUNED_RELOAD] = "reload",
		[TUNED_PRESSURE] = "pressure",
		[TUNED_ONCE] = "once",
	};

	return names[cause];
}
