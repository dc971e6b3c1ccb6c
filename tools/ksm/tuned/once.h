/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What ksmtuned does besides being a daemon.
 */
#ifndef KSMTUNED_ONCE_H
#define KSMTUNED_ONCE_H

#include <stdbool.h>

int once_main(bool dry_run);
int retune_main(void);
int restore_main(void);

#endif
