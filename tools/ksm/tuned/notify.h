/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Telling systemd how the daemon does.
 */
#ifndef KSMTUNED_NOTIFY_H
#define KSMTUNED_NOTIFY_H

int notify(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
