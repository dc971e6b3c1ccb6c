/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is there a boost, by this command or by ksmctl?
 *
 * Both keep what has to be put back in one file, and hold one lock while they
 * run.  A file without the lock was left by one that was killed.
 */
#ifndef KSM_BOOST_STATE_H
#define KSM_BOOST_STATE_H

#include <stdbool.h>

int ksm_boost_tell(void);
bool ksm_boost_is_kept(void);

#endif
