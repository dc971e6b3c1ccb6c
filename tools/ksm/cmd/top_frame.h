/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A screenful of characters, before it is shown.
 *
 * What ksm top shows is drawn here first, so that the terminal, --once and the
 * tests get the same.  Whatever does not fit is cut off.
 */
#ifndef KSM_TOP_FRAME_H
#define KSM_TOP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <wchar.h>

/* What a character means; the terminal decides how that looks. */
enum top_style {
	TOP_PLAIN,
	TOP_BOLD,
	TOP_DIM,
	TOP_BAR,	/* title and keys */
	TOP_HEAD,	/* of the table */
	TOP_HEAD_SORT,	/* of the column that it is sorted by */
	TOP_SELECTED,
	TOP_GOOD,
	TOP_WARN,
	TOP_BAD,
	TOP_GAIN,	/* charts */
	TOP_CPU,
	TOP_NR_STYLES
};

struct top_cell {
	wchar_t ch;
	enum top_style style;
};

/**
 * struct top_frame - a screenful
 * @rows:    its height
 * @columns: its width
 * @utf8:    whether there are characters beyond ASCII
 * @cells:   row by row
 */
struct top_frame {
	int rows;
	int columns;
	bool utf8;
	struct top_cell *cells;
};

int top_frame_resize(struct top_frame *frame, int rows, int columns);
void top_frame_free(struct top_frame *frame);
void top_frame_clear(struct top_frame *frame);
int top_frame_write(const struct top_frame *frame, FILE *out);

const struct top_cell *top_cell_at(const struct top_frame *frame, int row,
				   int column);
void top_put_char(struct top_frame *frame, int row, int column,
		  enum top_style style, wchar_t ch);
int top_put(struct top_frame *frame, int row, int column, enum top_style style,
	    const char *text);
int top_putf(struct top_frame *frame, int row, int column,
	     enum top_style style, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void top_put_right(struct top_frame *frame, int row, int end,
		   enum top_style style, const char *text);
void top_put_within(struct top_frame *frame, int row, int column, int width,
		    enum top_style style, const char *text);
void top_set_style(struct top_frame *frame, int row, enum top_style style);

int top_width(const struct top_frame *frame, const char *text);
const char *top_glyph(const struct top_frame *frame, const char *utf8,
		      const char *ascii);

#endif
