/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The upper part of the screen: host, verdict, charts.
 */
#ifndef KSM_TOP_HEAD_H
#define KSM_TOP_HEAD_H

#include "top_data.h"
#include "top_frame.h"

void top_put_title(struct top_frame *frame, int row,
		   const struct top_data *data);
int top_put_verdict(struct top_frame *frame, int row,
		    const struct top_data *data);
int top_put_charts(struct top_frame *frame, int row, int rows,
		   const struct top_data *data);

#endif
