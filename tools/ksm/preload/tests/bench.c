// SPDX-License-Identifier: GPL-2.0-only
/*
 * What malloc() and free() cost, by size: CPU time of the best of some rounds.
 *
 *   bench [ROUNDS]   print one line a case: name and ns
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define ROUNDS 5	/* more where others disturb */

static double cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

static void *volatile sink;

static void pair(size_t size)
{
	sink = malloc(size);
	free(sink);
}

/* Many live blocks of mixed small sizes, as real programs have. */
static void mixed(size_t size)
{
	static void *block[256];
	static unsigned int n;
	unsigned int i = n++ * 2654435761U >> 24;

	free(block[i]);
	block[i] = malloc(16 + (n * 40503U >> 4) % size);
}

static void touched(size_t size)
{
	char *block = malloc(size);

	for (size_t at = 0; at < size; at += 4096)
		block[at] = 1;
	sink = block;
	free(block);
}

static void zeroed(size_t size)
{
	char *block = calloc(1, size);

	for (size_t at = 0; at < size; at += 4096)
		block[at] = 1;
	sink = block;
	free(block);
}

static void grown(size_t size)
{
	char *block = NULL;

	for (size_t now = 4096; now <= size; now += 65536) {
		block = realloc(block, now);
		block[now - 1] = 1;
	}
	free(block);
}

static void mapped(size_t size)
{
	char *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t at = 0; at < size; at += 4096)
		map[at] = 1;
	munmap(map, size);
}

static const struct {
	const char *name;
	void (*run)(size_t size);
	size_t size;
	long times;
} cases[] = {
	{ "malloc + free, 64 B", pair, 64, 200000 },
	{ "malloc + free, 16 to 1024 B, 256 live", mixed, 1024, 100000 },
	{ "malloc + free, 16 KiB", pair, 16384, 200000 },
	{ "malloc + touch + free, 40 KiB", touched, 40000, 2000 },
	{ "malloc + touch + free, 1 MiB", touched, 1 << 20, 100 },
	{ "malloc + touch + free, 64 MiB", touched, 64 << 20, 1 },
	{ "calloc + touch + free, 100 KiB", zeroed, 100000, 1000 },
	{ "calloc + touch + free, 1 MiB", zeroed, 1 << 20, 100 },
	{ "realloc by 64 KiB up to 64 MiB", grown, 64 << 20, 1 },
	{ "mmap + touch + munmap, 1 MiB", mapped, 1 << 20, 100 },
};

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : ROUNDS;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		double best = 1e18;

		for (int round = 0; round < rounds; round++) {
			double start = cpu_ns(), took;

			for (long n = 0; n < cases[i].times; n++)
				cases[i].run(cases[i].size);
			took = (cpu_ns() - start) / cases[i].times;
			best = took < best ? took : best;
		}
		printf("%s\t%.1f\n", cases[i].name, best);
	}
	return 0;
}
