// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "top_frame.h"

/**
 * top_frame_resize() - give a frame its size, and empty it
 * @frame:   the frame; all 0 before the first call, but for @utf8
 * @rows:    its height
 * @columns: its width
 *
 * Return: 0, or -ENOMEM
 */
int top_frame_resize(struct top_frame *frame, int rows, int columns)
{
	struct top_cell *cells;

	cells = reallocarray(frame->cells, (size_t)rows * columns,
			     sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	frame->cells = cells;
	frame->rows = rows;
	frame->columns = columns;
	top_frame_clear(frame);
	return 0;
}

/* Give back what top_frame_resize() has made. */
void top_frame_free(struct top_frame *frame)
{
	free(frame->cells);
	memset(frame, 0, sizeof(*frame));
}

/* Spaces everywhere. */
void top_frame_clear(struct top_frame *frame)
{
	for (int i = 0; i < frame->rows * frame->columns; i++)
		frame->cells[i] = (struct top_cell){ L' ', TOP_PLAIN };
}

/* The cell of a place, NULL if that is outside. */
static struct top_cell *cell_of(const struct top_frame *frame, int row,
				int column)
{
	if (row < 0 || row >= frame->rows || column < 0 ||
	    column >= frame->columns)
		return NULL;
	return &frame->cells[row * frame->columns + column];
}

/* The cell of a place, to look at; NULL if that is outside. */
const struct top_cell *top_cell_at(const struct top_frame *frame, int row,
				   int column)
{
	return cell_of(frame, row, column);
}

/**
 * top_put_char() - put one character
 * @frame:  where
 * @row:    from the top
 * @column: from the left
 * @style:  what it means
 * @ch:     the character, one column wide
 */
void top_put_char(struct top_frame *frame, int row, int column,
		  enum top_style style, wchar_t ch)
{
	struct top_cell *cell = cell_of(frame, row, column);

	if (cell)
		*cell = (struct top_cell){ ch, style };
}

/*
 * The next character of a text.  Names of processes can hold anything: what
 * cannot be shown, or would take more or less than one column, is a '?'.
 */
static wchar_t next_char(const struct top_frame *frame, const char **text,
			 mbstate_t *state)
{
	wchar_t ch = L'?';
	size_t len = 1;

	if ((unsigned char)**text < 0x80) {
		ch = **text == '\t' ? L' ' : (unsigned char)**text;
	} else if (frame->utf8) {
		len = mbrtowc(&ch, *text, strlen(*text), state);
		if (len == (size_t)-1 || len == (size_t)-2) {
			memset(state, 0, sizeof(*state));
			ch = L'?';
			len = 1;
		}
	}
	*text += len;
	return wcwidth(ch) == 1 ? ch : L'?';
}

/**
 * top_put() - put a text
 * @frame:  where
 * @row:    from the top
 * @column: of its first character
 * @style:  what it means
 * @text:   in the encoding of the locale
 *
 * Return: column behind the text, also if that is outside
 */
int top_put(struct top_frame *frame, int row, int column, enum top_style style,
	    const char *text)
{
	mbstate_t state = { 0 };

	while (*text)
		top_put_char(frame, row, column++, style,
			     next_char(frame, &text, &state));
	return column;
}

/* Like top_put(), with a text as for printf(). */
int top_putf(struct top_frame *frame, int row, int column,
	     enum top_style style, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return top_put(frame, row, column, style, text);
}

/**
 * top_width() - how many columns a text takes
 * @frame: where it would be put
 * @text:  the text
 *
 * Return: columns
 */
int top_width(const struct top_frame *frame, const char *text)
{
	mbstate_t state = { 0 };
	int width = 0;

	for (; *text; width++)
		next_char(frame, &text, &state);
	return width;
}

/**
 * top_put_right() - put a text so that it ends somewhere
 * @frame: where
 * @row:   from the top
 * @end:   column behind it
 * @style: what it means
 * @text:  the text
 */
void top_put_right(struct top_frame *frame, int row, int end,
		   enum top_style style, const char *text)
{
	top_put(frame, row, end - top_width(frame, text), style, text);
}

/**
 * top_put_within() - put a text, shortened if need be
 * @frame:  where
 * @row:    from the top
 * @column: of its first character
 * @width:  columns that it may take; if it has to be cut, the last one says so
 * @style:  what it means
 * @text:   the text
 */
void top_put_within(struct top_frame *frame, int row, int column, int width,
		    enum top_style style, const char *text)
{
	bool cut = top_width(frame, text) > width;
	mbstate_t state = { 0 };

	for (int i = 0; i < width - cut && *text; i++)
		top_put_char(frame, row, column + i, style,
			     next_char(frame, &text, &state));
	if (cut && width > 0)
		top_put_char(frame, row, column + width - 1, style,
			     frame->utf8 ? L'\u2026' : L'~');
}

/* Give a whole row another meaning. */
void top_set_style(struct top_frame *frame, int row, enum top_style style)
{
	for (int column = 0; column < frame->columns; column++) {
		struct top_cell *cell = cell_of(frame, row, column);

		if (cell)
			cell->style = style;
	}
}

/* The text that this frame can show. */
const char *top_glyph(const struct top_frame *frame, const char *utf8,
		      const char *ascii)
{
	return frame->utf8 ? utf8 : ascii;
}

static int row_end(const struct top_frame *frame, int row)
{
	int end = frame->columns;

	while (end && top_cell_at(frame, row, end - 1)->ch == L' ')
		end--;
	return end;
}

/**
 * top_frame_write() - write a frame as plain text
 * @frame: the frame
 * @out:   where to; spaces at the ends of lines are left out
 *
 * Return: 0, or -errno
 */
int top_frame_write(const struct top_frame *frame, FILE *out)
{
	errno = 0;
	for (int row = 0; row < frame->rows; row++) {
		int end = row_end(frame, row);

		for (int column = 0; column < end; column++)
			fprintf(out, "%lc",
				(wint_t)top_cell_at(frame, row, column)->ch);
		fputc('\n', out);
	}
	return fflush(out) || ferror(out) ? -(errno ? errno : EIO) : 0;
}
