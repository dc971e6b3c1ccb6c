// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the process has mapped, from /proc/self/maps.
 *
 * This runs inside malloc(): no memory is taken, little of the stack, and the
 * system calls are made directly, since a thread may be cancelled in open(),
 * read() and close().
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload.h"

/* All before the name, and the begin of it; the rest of a line is dropped. */
#define LINE_KEPT 96

typedef bool (*maps_fn)(const char *line, void *arg);

struct reader {
	maps_fn fn;		/* false: it has seen enough */
	void *arg;
	size_t used;
	char line[LINE_KEPT];
};

static bool take(struct reader *reader, char c)
{
	if (c != '\n') {
		if (reader->used + 1 < sizeof(reader->line))
			reader->line[reader->used++] = c;
		return true;
	}
	reader->line[reader->used] = 0;
	reader->used = 0;
	return reader->fn(reader->line, reader->arg);
}

static void read_lines(long fd, struct reader *reader)
{
	char chunk[1024];
	long got, i;

	while ((got = syscall(SYS_read, fd, chunk, sizeof(chunk))) > 0)
		for (i = 0; i < got; i++)
			if (!take(reader, chunk[i]))
				return;
}

static void each_line(maps_fn fn, void *arg)
{
	struct reader reader = { .fn = fn, .arg = arg };
	long fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/maps",
			  O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	read_lines(fd, &reader);
	syscall(SYS_close, fd);
}

static bool count_one(const char *line, void *arg)
{
	unsigned long *count = arg;

	(void)line;
	++*count;
	return true;
}

/**
 * ksmp_maps_count() - how many mappings the process has
 *
 * Return: 0 if that cannot be found out
 */
unsigned long ksmp_maps_count(void)
{
	unsigned long count = 0;

	each_line(count_one, &count);
	return count;
}

struct search {
	uintptr_t addr;
	bool private_anonymous;
};

static bool look_at(const char *line, void *arg)
{
	struct search *search = arg;
	unsigned long start, end, inode;
	char perms[5];

	if (sscanf(line, "%lx-%lx %4s %*x %*x:%*x %lu", &start, &end, perms,
		   &inode) != 4)
		return true;
	if (search->addr < start || search->addr >= end)
		return true;
	search->private_anonymous = perms[3] == 'p' && !inode &&
				    !strstr(line, "[stack");
	return false;
}

/**
 * ksmp_maps_private_anonymous() - what kind of memory this is
 * @addr: an address in it
 *
 * Return: whether it is private, from no file and not the stack; false, too,
 *	   if that cannot be found out
 */
bool ksmp_maps_private_anonymous(const void *addr)
{
	struct search search = { .addr = (uintptr_t)addr };

	each_line(look_at, &search);
	return search.private_anonymous;
}
