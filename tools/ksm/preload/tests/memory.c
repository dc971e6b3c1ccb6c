// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the test programs have in common.  Nothing here allocates but stdio.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory.h"

void check(bool holds, const char *what, const char *file, int line)
{
	if (holds)
		return;
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	fflush(stderr);
	abort();
}

static bool has_flag(const char *line, const char *flag)
{
	return !strncmp(line, "VmFlags:", 8) && strstr(line, flag);
}

/* Return: bytes of [addr, addr + len) in mappings with this flag */
static size_t bytes_with(const char *flag, uintptr_t addr, size_t len)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	unsigned long start = 0, end = 0, a, b;
	size_t bytes = 0;
	char line[512], perms[5];

	CHECK(smaps);
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx %4s", &a, &b, perms) == 3) {
			start = a > addr ? a : addr;
			end = b < addr + len ? b : addr + len;
		} else if (has_flag(line, flag) && start < end) {
			bytes += end - start;
		}
	}
	fclose(smaps);
	return bytes;
}

bool is_registered(const void *addr, size_t len)
{
	return bytes_with(" mg", (uintptr_t)addr, len) == len;
}

/* Not by madvise(), which a program here may have put its own in place of. */
bool can_register(void)
{
	void *map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			 0);
	bool can = !syscall(SYS_madvise, map, PAGE, MADV_MERGEABLE);

	munmap(map, PAGE);
	return can;
}

static unsigned char byte_at(size_t at, unsigned int seed)
{
	return (at * 2654435761U + seed * 40503U) >> 13;
}

void fill(void *block, size_t len, unsigned int seed)
{
	unsigned char *bytes = block;

	for (size_t i = 0; i < len; i++)
		bytes[i] = byte_at(i, seed);
}

bool is_filled(const void *block, size_t len, unsigned int seed)
{
	const unsigned char *bytes = block;

	for (size_t i = 0; i < len; i++)
		if (bytes[i] != byte_at(i, seed))
			return false;
	return true;
}

bool is_zero(const void *block, size_t len)
{
	const unsigned char *bytes = block;

	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}
