/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of processes, units, files and hosts.
 *
 * Any user may choose some of them, with any byte in them.  JSON and the format
 * of Prometheus have to be UTF-8: one name that is not would take all the rest
 * with it.  And a terminal would obey control characters.  So names are made
 * clean where they are read.
 */
#ifndef KSM_LIB_NAMES_H
#define KSM_LIB_NAMES_H

#include <stdbool.h>
#include <stddef.h>

void ksm_name_clean(char *name);
const char *ksm_name_next(const char *name);

#endif
