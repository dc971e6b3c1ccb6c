/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What ksm top was asked for.
 */
#ifndef KSM_TOP_OPTIONS_H
#define KSM_TOP_OPTIONS_H

#include "top_keys.h"

/**
 * struct top_options - from the command line
 * @delay_ms: between two updates
 * @once:     print one frame
 * @before:   root directory of an earlier moment, or NULL
 * @ascii:    use no characters beyond ASCII
 * @order:    of the table
 */
struct top_options {
	int64_t delay_ms;
	bool once;
	const char *before;
	bool ascii;
	struct top_order order;
};

bool top_use_utf8(const struct top_options *options);
int top_once(const struct top_options *options);
int top_live(const struct top_options *options);

#endif
