// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether one more registration does no harm.
 *
 * A block in a heap that is registered is a mapping of its own for the kernel,
 * and what lies between two of them another.  A process may have so many
 * (vm.max_map_count) and no more; behind that, its own mmap() and malloc()
 * fail.  So we stop at half of it, and go on when it has become less.
 *
 * Counting takes long where there is much to count.  It is done once in so
 * many registrations that it costs little for each, and often enough that not
 * much can happen in between.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload.h"

#define ROOM_EVERY 1024		/* registrations: 2048 mappings at most */
#define ROOM_DEFAULT 65530	/* the kernel's own default */

static unsigned long asked;
static bool full;

static unsigned long read_limit(void)
{
	char text[24] = "";
	unsigned long limit;
	long fd = syscall(SYS_openat, AT_FDCWD, "/proc/sys/vm/max_map_count",
			  O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!syscall(SYS_read, fd, text, sizeof(text) - 1);
		syscall(SYS_close, fd);
	}
	limit = strtoul(text, NULL, 10);
	return limit ? limit : ROOM_DEFAULT;
}

/* Without /proc there is nothing to count, so we assume the worst. */
static bool is_full(unsigned long registrations)
{
	unsigned long count = ksmp_maps_count();

	return (count ? count : 2 * registrations) > read_limit() / 2;
}

/**
 * ksmp_room() - ask once for each registration
 *
 * Return: whether it may be made
 */
bool ksmp_room(void)
{
	unsigned long n = __atomic_add_fetch(&asked, 1, __ATOMIC_RELAXED);

	if (n % ROOM_EVERY == 0)
		__atomic_store_n(&full, is_full(n), __ATOMIC_RELAXED);
	return !__atomic_load_n(&full, __ATOMIC_RELAXED);
}
