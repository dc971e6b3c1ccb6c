// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions that would be called if we were not there: those of the next
 * library that has them, be it libc or another allocator.
 *
 * Each pointer first leads to a function that looks for all of them.  So there
 * is no question to ask before a call, and no order in which things have to be
 * initialised: the first call may come from the dynamic linker, long before
 * any constructor.
 *
 * dlsym() may want memory to look for malloc().  To such a call, which is one
 * from within the same thread, we have none to give; dlsym() then makes do
 * with what it has.
 */
#include <dlfcn.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <stdarg.h>
#include <sys/mman.h>

#include "preload.h"

/* Threads that look at the same time find the same, and need not wait. */
static __thread bool looking __attribute__((tls_model("initial-exec")));

#define FORWARD(type, name, params, args, failed)			\
static type first_##name params						\
{									\
	if (ksmp_next_find() && KSMP_NEXT(name) != first_##name)	\
		return KSMP_NEXT(name) args;				\
	errno = ENOMEM;							\
	return failed;							\
}

FORWARD(void *, malloc, (size_t size), (size), NULL)
FORWARD(void *, calloc, (size_t count, size_t size), (count, size), NULL)
FORWARD(void *, realloc, (void *block, size_t size), (block, size), NULL)
FORWARD(void *, memalign, (size_t align, size_t size), (align, size), NULL)
FORWARD(int, posix_memalign, (void **block, size_t align, size_t size),
	(block, align, size), ENOMEM)
FORWARD(void *, aligned_alloc, (size_t align, size_t size), (align, size), NULL)
FORWARD(void *, valloc, (size_t size), (size), NULL)
FORWARD(void *, pvalloc, (size_t size), (size), NULL)
FORWARD(void *, mmap,
	(void *addr, size_t len, int prot, int flags, int fd, off_t offset),
	(addr, len, prot, flags, fd, offset), MAP_FAILED)
FORWARD(void *, mmap64,
	(void *addr, size_t len, int prot, int flags, int fd, off64_t offset),
	(addr, len, prot, flags, fd, offset), MAP_FAILED)

/* These take what they pass on from a list that may be longer than needed. */
static void *first_mremap(void *addr, size_t old_len, size_t len, int flags,
			  ...)
{
	void *target;
	va_list args;

	va_start(args, flags);
	target = va_arg(args, void *);
	va_end(args);
	if (ksmp_next_find() && KSMP_NEXT(mremap) != first_mremap)
		return KSMP_NEXT(mremap)(addr, old_len, len, flags, target);
	errno = ENOMEM;
	return MAP_FAILED;
}

static int first_prctl(int option, ...)
{
	unsigned long arg[4];
	va_list args;
	int i;

	va_start(args, option);
	for (i = 0; i < 4; i++)
		arg[i] = va_arg(args, unsigned long);
	va_end(args);
	if (ksmp_next_find() && KSMP_NEXT(prctl) != first_prctl)
		return KSMP_NEXT(prctl)(option, arg[0], arg[1], arg[2], arg[3]);
	errno = ENOMEM;
	return -1;
}

struct ksmp_next ksmp_next = {
	.malloc = first_malloc,
	.calloc = first_calloc,
	.realloc = first_realloc,
	.memalign = first_memalign,
	.posix_memalign = first_posix_memalign,
	.aligned_alloc = first_aligned_alloc,
	.valloc = first_valloc,
	.pvalloc = first_pvalloc,
	.mmap = first_mmap,
	.mmap64 = first_mmap64,
	.mremap = first_mremap,
	.prctl = first_prctl,
};

#define FIND(name)							\
do {									\
	__typeof__(ksmp_next.name) found = dlsym(RTLD_NEXT, #name);	\
									\
	if (found)							\
		__atomic_store_n(&ksmp_next.name, found,		\
				 __ATOMIC_RELAXED);			\
} while (0)

static bool same_library(const void *one, const void *other)
{
	Dl_info a, b;

	return one && other && dladdr(one, &a) && dladdr(other, &b) &&
	       a.dli_fbase == b.dli_fbase;
}

/*
 * Big blocks are taken from memalign() where the program called malloc().
 * That is safe only if the free() that belongs to the one knows of the other:
 * a library with malloc() and free() but no memalign() is not rare.
 */
static void find_partners(void)
{
	void *(*malloc)(size_t size) = KSMP_NEXT(malloc);
	void *(*memalign)(size_t align, size_t size) = KSMP_NEXT(memalign);
	void (*free)(void *block) = dlsym(RTLD_NEXT, "free");
	size_t (*usable)(void *block) = dlsym(RTLD_NEXT, "malloc_usable_size");

	if (!same_library(malloc, memalign) || !same_library(malloc, free) ||
	    !same_library(malloc, usable))
		return;
	ksmp_next.free = free;
	ksmp_next.usable = usable;
	ksmp_next.glibc = same_library(malloc, gnu_get_libc_version);
	__atomic_store_n(&ksmp_next.align, memalign, __ATOMIC_RELEASE);
}

/**
 * ksmp_next_find() - look for all of them
 *
 * Return: false if this is a call from within a search
 */
bool ksmp_next_find(void)
{
	int saved = errno;

	if (looking)
		return false;
	looking = true;
	FIND(malloc);
	FIND(calloc);
	FIND(realloc);
	FIND(memalign);
	FIND(posix_memalign);
	FIND(aligned_alloc);
	FIND(valloc);
	FIND(pvalloc);
	FIND(mmap);
	FIND(mmap64);
	FIND(mremap);
	FIND(prctl);
	find_partners();
	looking = false;
	errno = saved;
	return true;
}
