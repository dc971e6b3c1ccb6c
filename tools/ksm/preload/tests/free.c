// SPDX-License-Identifier: GPL-2.0-only
/*
 * An allocator that has malloc() and free(), but no memalign(): what libc's
 * memalign() gives, its free() does not know, and says so.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char pool[64 << 20] __attribute__((aligned(16)));
static size_t used;

/* The size lies in front. */
void *malloc(size_t size)
{
	size_t whole = (size + 31) & ~(size_t)15;
	size_t at = __atomic_fetch_add(&used, whole, __ATOMIC_RELAXED);

	if (size > sizeof(pool) || at + whole > sizeof(pool))
		return NULL;
	*(size_t *)(pool + at) = size;
	return pool + at + 16;
}

void free(void *block)
{
	static const char text[] = "free() of a block of somebody else\n";

	if (!block || ((char *)block >= pool &&
		       (char *)block < pool + sizeof(pool)))
		return;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	abort();
}

void *calloc(size_t count, size_t size)
{
	return malloc(count * size);
}

void *realloc(void *old, size_t size)
{
	void *block = malloc(size);
	size_t had = old ? *(size_t *)((char *)old - 16) : 0;

	if (block && old)
		memcpy(block, old, had < size ? had : size);
	return block;
}
