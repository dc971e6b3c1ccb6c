// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether the library is here, and whether it does anything.
 *
 * Prints "absent", "idle" (it is here and registers nothing) or "active".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

static bool is_here(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	bool here = false;
	char line[512];

	while (maps && fgets(line, sizeof(line), maps))
		here = here || strstr(line, "/libksm_preload.so");
	if (maps)
		fclose(maps);
	return here;
}

int main(void)
{
	char *block = malloc(1 << 20);

	memset(block, 1, 1 << 20);
	puts(!is_here() ? "absent" :
	     is_registered(block + PAGE, 1 << 19) ? "active" : "idle");
	free(block);
	return 0;
}
