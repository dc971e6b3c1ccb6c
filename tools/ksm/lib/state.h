/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The knobs that are written for some time: what was found there, and how to put
 * it back.
 *
 * This is kept in a file as well, so that it can be put back after a kill, and
 * by another program.
 */
#ifndef KSM_LIB_STATE_H
#define KSM_LIB_STATE_H

#include "figure.h"

#define TUNED_STATE	"/run/ksmtuned.state"
#define BOOST_STATE	"/run/ksm-boost.state"	/* of all kinds of boosts */

/*
 * In the order in which they are put back: pages_to_scan cannot be written with
 * the advisor on, and ksmd starts with the right pace.
 */
enum state_knob {
	STATE_PAGES_TO_SCAN,
	STATE_SLEEP_MILLISECS,
	STATE_ADVISOR_MODE,
	STATE_RUN,
	STATE_NR,
};

/**
 * struct state_values - of one knob
 * @found:  before anything was written
 * @before: before the last value was written
 * @set:    the last value written, KSM_UNKNOWN if none was.  A kill may come
 *	    after this was noted and before it was written; then the knob is
 *	    still @before
 */
struct state_values {
	ksm_figure found;
	ksm_figure before;
	ksm_figure set;
};

/**
 * struct state - of all of them
 * @path:     file that keeps it
 * @until_ms: when it is to be put back, by the wall clock, if that is known
 * @knob:     the values
 */
struct state {
	const char *path;
	ksm_figure until_ms;
	struct state_values knob[STATE_NR];
};

const char *state_knob_name(enum state_knob which);
ksm_figure state_knob_read(enum state_knob which);
int state_knob_set(enum state_knob which, ksm_figure value);

void state_find(struct state *state, const char *path);
bool state_plan(struct state *state, enum state_knob which, ksm_figure value);
int state_save(const struct state *state);
int state_write(const struct state *state, enum state_knob which);
int state_load(struct state *state, const char *path);
int state_restore(const struct state *state);
int state_recover(const char *path);

#endif
