// SPDX-License-Identifier: GPL-2.0-only
/*
 * More big blocks than a process may have mappings.  Registering each would
 * use them up, and what the program maps itself would fail.
 *
 *   crowd BLOCKS
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "memory.h"

static unsigned long count_mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long count = 0;
	int c;

	CHECK(maps);
	while ((c = getc(maps)) != EOF)
		count += c == '\n';
	fclose(maps);
	return count;
}

int main(int argc, char **argv)
{
	long blocks = argc == 2 ? atol(argv[1]) : 0, i;
	void *map;

	for (i = 0; i < blocks; i++)
		CHECK(malloc(36000));
	printf("%lu\n", count_mappings());
	/* Every other page of its own, so that each is a mapping. */
	for (i = 0; i < 10000; i++) {
		map = mmap(NULL, 2 * PAGE, PROT_READ,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(map != MAP_FAILED && !mprotect(map, PAGE, PROT_NONE));
	}
	return 0;
}
