/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a boost has to put back, in a file, so that it can be done even if the
 * boost itself was killed.
 */
#ifndef KSM_BOOST_STATE_H
#define KSM_BOOST_STATE_H

#include "sysfs.h"

#define KSM_BOOST_FILE	"/run/ksm/boost.json"

/**
 * struct ksm_boost - a boost that was begun
 * @pid:	 process that is to end it
 * @start_ticks: when that was started, since PIDs are used again
 * @until_ms:	 end, by the wall clock
 * @old:	 what the knobs were
 * @raised:	 what they were set to; unknown: nothing
 */
struct ksm_boost {
	int pid;
	ksm_figure start_ticks;
	int64_t until_ms;
	struct ksm_knobs old;
	struct ksm_knobs raised;
};

int ksm_boost_save(const struct ksm_boost *boost);
int ksm_boost_load(struct ksm_boost *boost);
ksm_figure ksm_boost_started(int pid);
bool ksm_boost_lives(const struct ksm_boost *boost);
int ksm_boost_undo(const struct ksm_boost *boost);
int ksm_boost_forget(void);
int ksm_boost_tell(void);

#endif
