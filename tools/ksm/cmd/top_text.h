/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines of text, for pages that one scrolls through.
 */
#ifndef KSM_TOP_TEXT_H
#define KSM_TOP_TEXT_H

#include <stddef.h>

/**
 * struct top_text - a page of text
 * @title: what it is, in its first row
 * @head:  what stands above columns, or ""
 * @lines: array of @count lines
 * @count: how many
 * @size:  room in @lines
 */
struct top_text {
	char title[128];
	char head[128];
	char **lines;
	size_t count;
	size_t size;
};

void top_text_clear(struct top_text *text);
int top_text_add(struct top_text *text, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int top_text_split(struct top_text *text, char *lines);

#endif
