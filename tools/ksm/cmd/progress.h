/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How far something is that takes long: a line on the terminal that the next one
 * replaces.  Where standard error is no terminal, nothing.
 */
#ifndef KSM_PROGRESS_H
#define KSM_PROGRESS_H

#include <stdbool.h>

bool ksm_progress_seen(void);
void ksm_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void ksm_progress_end(void);

#endif
