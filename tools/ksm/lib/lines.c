// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <string.h>

#include "lines.h"
#include "root.h"

/**
 * ksm_line_value() - take a line apart
 * @line:  "NAME VALUE", "NAME: VALUE" or "NAME: VALUE kB"; is cut into pieces
 * @name:  result: NAME
 * @value: result: VALUE, without the unit
 *
 * Return: whether the line was of that kind
 */
bool ksm_line_value(char *line, char **name, char **value)
{
	size_t len = strcspn(line, ": \t\n");
	char *at = line + len;

	at += strspn(at, ": \t");
	if (!len || !*at || *at == '\n')
		return false;
	line[len] = '\0';
	*name = line;
	*value = at;
	at[strcspn(at, " \t\n")] = '\0';
	return true;
}

/**
 * ksm_fields_unknown() - nothing is known yet
 * @fields: which figures
 * @count:  number of @fields
 * @base:   struct that has them
 */
void ksm_fields_unknown(const struct ksm_field *fields, size_t count,
			void *base)
{
	for (size_t i = 0; i < count; i++)
		*fig_at(base, &fields[i]) = KSM_UNKNOWN;
}

/**
 * ksm_lines_read() - read those lines of a file that are asked for
 * @file:   open file, or NULL: then nothing is known
 * @fields: which lines
 * @count:  number of @fields
 * @base:   struct that takes the figures; lines that are not there, or hold
 *          no number, are KSM_UNKNOWN
 */
void ksm_lines_read(FILE *file, const struct ksm_field *fields, size_t count,
		    void *base)
{
	char line[256], *name, *value;

	ksm_fields_unknown(fields, count, base);
	while (file && fgets(line, sizeof(line), file)) {
		if (!ksm_line_value(line, &name, &value))
			continue;
		for (size_t i = 0; i < count; i++) {
			if (strcmp(fields[i].name, name))
				continue;
			*fig_at(base, &fields[i]) =
				fig_mul(ksm_parse_figure(value),
					fields[i].unit);
		}
	}
}
