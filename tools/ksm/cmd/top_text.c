// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "top_text.h"

/* Take all lines away. */
void top_text_clear(struct top_text *text)
{
	for (size_t i = 0; i < text->count; i++)
		free(text->lines[i]);
	free(text->lines);
	memset(text, 0, sizeof(*text));
}

static int append(struct top_text *text, char *line)
{
	if (text->count == text->size) {
		size_t size = text->size ? 2 * text->size : 64;
		char **lines = reallocarray(text->lines, size, sizeof(*lines));

		if (!lines)
			return -ENOMEM;
		text->lines = lines;
		text->size = size;
	}
	text->lines[text->count++] = line;
	return 0;
}

/**
 * top_text_add() - add a line
 * @text: where
 * @fmt:  the line, as for printf(), without a newline
 *
 * Return: 0, or -ENOMEM
 */
int top_text_add(struct top_text *text, const char *fmt, ...)
{
	va_list args;
	char *line;
	int len;

	va_start(args, fmt);
	len = vasprintf(&line, fmt, args);
	va_end(args);
	if (len < 0)
		return -ENOMEM;
	if (append(text, line)) {
		free(line);
		return -ENOMEM;
	}
	return 0;
}

/**
 * top_text_split() - add many lines
 * @text:  where
 * @lines: the lines, with newlines; is cut into pieces
 *
 * Return: 0, or -ENOMEM
 */
int top_text_split(struct top_text *text, char *lines)
{
	char *line;
	int err = 0;

	while (!err && (line = strsep(&lines, "\n")))
		/* nothing follows the last newline */
		if (lines || *line)
			err = top_text_add(text, "%s", line);
	return err;
}
