/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the library has to say by itself.  Each program has a log_say() of its
 * own: daemons log, commands print what is worth it.
 */
#ifndef KSM_LIB_SAY_H
#define KSM_LIB_SAY_H

#include <syslog.h>

void log_say(int priority, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
