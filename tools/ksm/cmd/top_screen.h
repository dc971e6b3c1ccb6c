/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The terminal, by ncurses.
 */
#ifndef KSM_TOP_SCREEN_H
#define KSM_TOP_SCREEN_H

#include "top_frame.h"

int top_screen_begin(void);
void top_screen_end(void);
void top_screen_size(int *rows, int *columns);
void top_screen_draw(const struct top_frame *frame);
unsigned int top_screen_key(void);

#endif
