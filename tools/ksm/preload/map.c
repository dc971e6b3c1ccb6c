// SPDX-License-Identifier: GPL-2.0-only
/*
 * mmap() and mremap().
 *
 * Only what is private and anonymous is registered: KSM merges nothing else
 * but the private copies of file pages, which are few.  Stacks are not: each
 * is written all the time, near its end, by one thread.
 */
#undef _FILE_OFFSET_BITS	/* mmap() is to remain the one with off_t */
#include <stdarg.h>
#include <sys/mman.h>

#include "preload.h"

static bool is_wanted(size_t len, int flags)
{
	int unwanted = MAP_GROWSDOWN | MAP_STACK | MAP_HUGETLB;

	return ksmp_is_big(len) && (flags & MAP_TYPE) == MAP_PRIVATE &&
	       (flags & MAP_ANONYMOUS) && !(flags & unwanted) &&
	       ksmp_serves(len);
}

/* Return: @addr; the kernel maps whole pages, so that is what it has */
static void *registered(void *addr, size_t len)
{
	size_t whole = (len + ksmp_page() - 1) & ~(ksmp_page() - 1);

	if (addr != MAP_FAILED)
		ksmp_register(ksmp_inside((uintptr_t)addr, whole, ksmp_page()));
	return addr;
}

void *KSMP_ENTRY(mmap)(void *addr, size_t len, int prot, int flags, int fd,
		       off_t offset)
{
	void *map = KSMP_NEXT(mmap)(addr, len, prot, flags, fd, offset);

	return is_wanted(len, flags) ? registered(map, len) : map;
}

void *KSMP_ENTRY(mmap64)(void *addr, size_t len, int prot, int flags, int fd,
			 off64_t offset)
{
	void *map = KSMP_NEXT(mmap64)(addr, len, prot, flags, fd, offset);

	return is_wanted(len, flags) ? registered(map, len) : map;
}

/*
 * The kernel keeps the registration of what it moves or makes longer.  Left
 * are blocks that were too small before; what kind they are is not said here,
 * so it has to be looked up.  (An old length of 0 is a second view of shared
 * memory.)
 */
static bool has_become_big(size_t old_len, size_t len)
{
	return ksmp_is_big(len) && ksmp_serves(len) && old_len &&
	       !ksmp_is_big(old_len);
}

void *KSMP_ENTRY(mremap)(void *addr, size_t old_len, size_t len, int flags, ...)
{
	void *target, *map;
	va_list args;

	va_start(args, flags);
	target = va_arg(args, void *);
	va_end(args);
	map = KSMP_NEXT(mremap)(addr, old_len, len, flags, target);
	if (map != MAP_FAILED && has_become_big(old_len, len) &&
	    ksmp_maps_private_anonymous(map))
		return registered(map, len);
	return map;
}
