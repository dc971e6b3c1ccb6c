/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The columns of the table.
 */
#ifndef KSM_TOP_COLUMNS_H
#define KSM_TOP_COLUMNS_H

#include "top_frame.h"
#include "top_table.h"

void top_put_head(struct top_frame *frame, int row, enum top_sort sort);
void top_put_row(struct top_frame *frame, int row, enum top_sort sort,
		 const struct top_row *of);

struct ksm_text top_short_size(ksm_figure bytes);

#endif
