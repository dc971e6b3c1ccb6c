/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes that have no pages of their own: the visitor, which reads and writes
 * those of others, and the disturber, which turns knobs and takes memory away
 */
#ifndef KSM_TORTURE_OUTSIDE_H
#define KSM_TORTURE_OUTSIDE_H

#include <stdint.h>

#include "kinds.h"

/* Go on until the storm is over. */
void torture_visitor(uint64_t name);
void torture_disturber(uint64_t name);

/* Why this kernel cannot do it, or NULL */
const char *torture_visitor_lacks(enum torture_kind kind);
const char *torture_disturber_lacks(enum torture_kind kind);

/* Unlike every other, these may be needed by others than their doer. */
void torture_plain_knobs(void);

#endif /* KSM_TORTURE_OUTSIDE_H */
