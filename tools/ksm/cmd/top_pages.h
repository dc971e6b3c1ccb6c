/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages of text: help, and the mappings of one process.
 */
#ifndef KSM_TOP_PAGES_H
#define KSM_TOP_PAGES_H

#include "maps.h"
#include "top_text.h"

int top_page_help(struct top_text *text);
int top_page_maps(struct top_text *text, int pid, const char *comm);
int top_lines_of_maps(struct top_text *text, struct ksm_maps *maps);

#endif
