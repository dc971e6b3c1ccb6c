/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How ksmtuned and ksmctl end, and what has to be there for them to begin.
 */
#ifndef KSMTUNED_READY_H
#define KSMTUNED_READY_H

#include <stdbool.h>

/* Exit codes, the same as those of ksm(1) */
enum {
	STATUS_DONE = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_NO_KSM = 3,
	STATUS_PERMISSION = 4,
};

int status_of(int err);
int status_written(int status);
int status_ready(bool write);

#endif
