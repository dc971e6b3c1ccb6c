/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One daemon at a time, and how to find it.
 *
 * The process that holds the lock on a file is the daemon: the kernel knows its
 * PID, and forgets it when the daemon is killed.  No other user may open the
 * file: any lock would do to stand in the daemon's way.  It is never removed.
 */
#ifndef KSM_LIB_SINGLE_H
#define KSM_LIB_SINGLE_H

#include <sys/types.h>

/* What others read; that it is there proves nothing. */
#define TUNED_PID	"/run/ksmtune.pid"

#define TUNED_LOCK	"/run/ksmtuned.lock"
#define BOOST_LOCK	"/run/ksm-boost.lock"

int single_begin(const char *lock_file);
pid_t single_holder(const char *lock_file);

int single_write_pid(void);
void single_remove_pid(void);

#endif
