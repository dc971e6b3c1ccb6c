/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files of lines "NAME VALUE": /proc/meminfo, /proc/vmstat, ksm_stat, smaps.
 */
#ifndef KSM_LIB_LINES_H
#define KSM_LIB_LINES_H

#include <stddef.h>
#include <stdio.h>

#include "figure.h"

#define KSM_FIELD(type, member, line, unit) \
	{ line, offsetof(type, member), unit }

bool ksm_line_value(char *line, char **name, char **value);
void ksm_lines_read(FILE *file, const struct ksm_field *fields, size_t count,
		    void *base);
void ksm_fields_unknown(const struct ksm_field *fields, size_t count,
			void *base);

#endif
