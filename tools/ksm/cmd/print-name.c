// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names in tables.
 */
#include <langinfo.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "names.h"

/* A terminal for another encoding may take bytes of UTF-8 for commands. */
static bool is_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

/**
 * ksm_print_name() - print a name in a column
 * @name:  a clean name
 * @width: of the column; what is longer is cut.  If 0, the name is all
 */
void ksm_print_name(const char *name, int width)
{
	bool utf8 = is_utf8();
	int used = 0;

	while (*name && (!width || used < width)) {
		const char *next = ksm_name_next(name);

		if (next - name == 1 || utf8)
			fwrite(name, 1, next - name, stdout);
		else
			putchar('?');
		name = next;
		used++;
	}
	if (used < width)
		printf("%*s", width - used, "");
}
