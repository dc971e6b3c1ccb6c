/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is where on the screen.
 */
#ifndef KSM_TOP_VIEW_H
#define KSM_TOP_VIEW_H

#include "top_frame.h"
#include "top_keys.h"

/* The smallest window that holds it all */
#define TOP_MIN_ROWS	16
#define TOP_MIN_COLUMNS	80

bool top_view_fits(const struct top_frame *frame);
void top_view(struct top_frame *frame, struct top_ui *ui,
	      const struct top_data *data, const struct top_table *table);

#endif
