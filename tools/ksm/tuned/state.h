/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The knobs that are written: what was found there, and how to put it back.
 *
 * This is kept in a file as well, so that it can be put back after a kill.
 */
#ifndef KSMTUNED_STATE_H
#define KSMTUNED_STATE_H

#include "figure.h"

#define TUNED_STATE	"/run/ksmtuned.state"
#define BOOST_STATE	"/run/ksm-boost.state"

enum state_knob {
	STATE_PAGES_TO_SCAN,
	STATE_SLEEP_MILLISECS,
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
 * @path: file that keeps it
 * @knob: the values
 */
struct state {
	const char *path;
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
