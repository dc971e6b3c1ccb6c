// SPDX-License-Identifier: GPL-2.0-only
/*
 * Do the big blocks of two processes line up?
 *
 * The same tables are made in two processes with a different past: the second
 * has allocated and freed other things before, so its heap looks different and
 * its allocator has other ideas of what to map.  Every page of the one's tables
 * is looked for in the other's.
 *
 *   twins SEED       print a checksum of each registered page, as they lie
 *   twins SEED hold  and stay until standard input ends
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

static const size_t sizes[] = { 40000, 70000, 131072, 500000, 1000000,
	3000000 };

#define TABLES (sizeof(sizes) / sizeof(*sizes))

static void live_a_life(unsigned int seed)
{
	void *block[200];

	srand(seed);
	for (int i = 0; i < 200; i++)
		block[i] = malloc(rand() % 3000 + 1);
	for (int i = 0; i < 200; i += 3)
		free(block[i]);
	for (int i = 0; seed % 2 && i < 3; i++)
		free(malloc(2000000));
}

/* Made in each of the ways that there are. */
static unsigned char *make(size_t i)
{
	unsigned char *table;

	if (i % 3 == 0)
		table = malloc(sizes[i]);
	else if (i % 3 == 1)
		table = calloc(1, sizes[i]);
	else
		table = realloc(malloc(sizes[i] / 2), sizes[i]);
	fill(table, sizes[i], i);
	return table;
}

static unsigned long sum_page(const unsigned char *page)
{
	unsigned long sum = 14695981039346656037UL;

	for (size_t i = 0; i < PAGE; i++)
		sum = (sum ^ page[i]) * 1099511628211UL;
	return sum;
}

static void print_pages(const unsigned char *table, size_t len)
{
	uintptr_t first = ((uintptr_t)table + PAGE - 1) / PAGE * PAGE;
	uintptr_t end = ((uintptr_t)table + len) / PAGE * PAGE;

	for (; first < end; first += PAGE)
		if (is_registered((void *)first, PAGE))
			printf("%016lx\n", sum_page((void *)first));
}

int main(int argc, char **argv)
{
	unsigned char *table[TABLES];
	size_t i;

	if (argc < 2)
		return 2;
	live_a_life(atoi(argv[1]));
	for (i = 0; i < TABLES; i++)
		table[i] = make(i);
	for (i = 0; i < TABLES; i++)
		print_pages(table[i], sizes[i]);
	fflush(stdout);
	while (argc > 2 && getchar() != EOF)
		;
	return 0;
}
