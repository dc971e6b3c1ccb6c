/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs say: to standard error, as the journal or a person reads
 * it, and to a file if one is set.
 */
#ifndef KSMTUNED_LOG_H
#define KSMTUNED_LOG_H

#include <stdbool.h>

#include "say.h"

void log_open(const char *program);
void log_config(const char *file, bool debug);

#endif
