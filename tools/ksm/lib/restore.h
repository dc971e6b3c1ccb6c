/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Putting knobs back.
 */
#ifndef KSM_LIB_RESTORE_H
#define KSM_LIB_RESTORE_H

#include "knobs.h"

/* A set of knobs: bit i is ksm_knob_table[i] */
typedef unsigned int ksm_knob_set;

ksm_knob_set ksm_knob_bit(const struct ksm_knob *knob);
int ksm_knobs_restore(const struct ksm_knobs *to, ksm_knob_set which);

#endif
