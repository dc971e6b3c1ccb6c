/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Figures in the text format of Prometheus.
 */
#ifndef KSM_METRICS_H
#define KSM_METRICS_H

#include <stdio.h>

#include "status.h"

void ksm_metrics_print(FILE *file, const struct ksm_status *status);
int ksm_metrics_print_units(FILE *file, const struct ksm_members *members,
			    ksm_figure page_bytes);

#endif
