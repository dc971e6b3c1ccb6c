/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The daemon: decides again and again, until told to end.
 */
#ifndef KSMTUNED_DAEMON_H
#define KSMTUNED_DAEMON_H

int daemon_main(void);

#endif
