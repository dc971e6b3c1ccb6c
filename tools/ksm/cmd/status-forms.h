/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The forms of "ksm status" that are text.
 */
#ifndef KSM_STATUS_FORMS_H
#define KSM_STATUS_FORMS_H

#include "status.h"

void ksm_status_text(const struct ksm_status *status, bool raw);
int ksm_status_check(const struct ksm_status *status);

#endif
