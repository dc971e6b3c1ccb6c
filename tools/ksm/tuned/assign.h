/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files of KEY=value lines, as a shell would read them; but nothing is
 * executed, and what only a shell can understand is refused.
 */
#ifndef KSMTUNED_ASSIGN_H
#define KSMTUNED_ASSIGN_H

#include <stddef.h>

#define ASSIGN_VALUE_MAX	512

/**
 * struct assign - one line
 * @name:  KEY; NULL if the line is empty or a comment, or wrong
 * @value: without quotes
 * @error: what is wrong; NULL if nothing is
 */
struct assign {
	char *name;
	char value[ASSIGN_VALUE_MAX];
	const char *error;
};

/* Takes one setting; returns what is wrong with it, or NULL. */
typedef const char *(*assign_take)(void *to, const char *name,
				   const char *value);

void assign_parse(struct assign *assign, char *line, size_t len);
int assign_read(const char *path, assign_take take, void *to);

#endif
