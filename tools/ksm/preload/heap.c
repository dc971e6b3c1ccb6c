// SPDX-License-Identifier: GPL-2.0-only
/*
 * malloc() and its relatives.
 *
 * Small blocks are passed on at once.  Big ones begin at a page: KSM compares
 * whole pages, so two processes with the same data share it only if it begins
 * at the same place within a page.  glibc puts a block that has a mapping of
 * its own 16 bytes behind the start of a page, and one in a heap just
 * anywhere; and from which size on a block gets a mapping changes with what
 * the process has freed before.  So the same table in two processes may or may
 * not line up.  At the start of a page it always does.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload.h"

/*
 * calloc() of so much is not cleared but mapped again, so that what is never
 * touched takes no memory.  It is the size from which on glibc does so, too.
 */
#define FRESH_BYTES (128 * 1024)

/* Up to so many pages, clearing is faster if all of them are there. */
#define CLEAR_PAGES 256

static bool at_page(const void *block)
{
	return (uintptr_t)block % ksmp_page() == 0;
}

/* Return: @block, for the convenience of the callers */
static void *registered(void *block, size_t size)
{
	uintptr_t addr = (uintptr_t)block;
	struct ksmp_extent extent;

	if (!block)
		return NULL;
	if (ksmp_next_aligns() && ksmp_next.glibc)
		extent = ksmp_of_glibc(addr, size, ksmp_next.usable(block),
				       ksmp_page());
	else
		extent = ksmp_inside(addr, size, ksmp_page());
	ksmp_register(extent);
	return block;
}

/*
 * Return: a block at a page, or NULL if there is none to be had; then errno is
 *	   as before, since another attempt follows
 */
static void *new_at_page(size_t size)
{
	int saved = errno;
	void *block;

	if (!ksmp_next_aligns())
		return NULL;
	block = ksmp_next.align(ksmp_page(), size);
	if (!block)
		errno = saved;
	return block;
}

static void *big_malloc(size_t size)
{
	void *block;

	if (!ksmp_serves(size))
		return KSMP_NEXT(malloc)(size);
	block = new_at_page(size);
	if (!block)
		block = KSMP_NEXT(malloc)(size);
	return registered(block, size);
}

void *KSMP_ENTRY(malloc)(size_t size)
{
	if (!ksmp_is_big(size))
		return KSMP_NEXT(malloc)(size);
	return big_malloc(size);
}

/*
 * Put new pages where the allocator's are.  They are zero, whatever was there
 * before, and whatever kind of memory the allocator uses.
 */
static bool map_anew(void *block, size_t bytes)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

	return KSMP_NEXT(mmap)(block, bytes, PROT_READ | PROT_WRITE, flags, -1,
			       0) == block;
}

/*
 * A mmap() that fails may have removed already what it was to replace.  (A
 * thread may be cancelled in msync(), but not in malloc(); so not by libc.)
 */
static bool is_mapped(void *block, size_t bytes)
{
	return !syscall(SYS_msync, block, bytes, MS_ASYNC);
}

static bool is_resident(void *block, size_t bytes)
{
	unsigned char there[CLEAR_PAGES];
	size_t pages = bytes / ksmp_page(), i;

	if (pages > CLEAR_PAGES || mincore(block, bytes, there))
		return false;
	for (i = 0; i < pages && there[i] & 1; i++)
		;
	return i == pages;
}

static bool clear(char *block, size_t size)
{
	size_t pages = size & ~(ksmp_page() - 1);

	if (size < FRESH_BYTES || is_resident(block, pages)) {
		memset(block, 0, size);
		return true;
	}
	if (map_anew(block, pages)) {
		memset(block + pages, 0, size - pages);
		return true;
	}
	if (!is_mapped(block, pages))
		return false;
	memset(block, 0, size);
	return true;
}

static void *big_calloc(size_t count, size_t size)
{
	int saved = errno;
	size_t bytes;
	void *block;

	if (__builtin_mul_overflow(count, size, &bytes) || !ksmp_serves(bytes))
		return KSMP_NEXT(calloc)(count, size);
	block = new_at_page(bytes);
	if (!block)
		return registered(KSMP_NEXT(calloc)(count, size), bytes);
	/* A block with a hole cannot be given back either. */
	if (!clear(block, bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	errno = saved;
	return registered(block, bytes);
}

void *KSMP_ENTRY(calloc)(size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes) || !ksmp_is_big(bytes))
		return KSMP_NEXT(calloc)(count, size);
	return big_calloc(count, size);
}

/* Return: NULL if there is no such block; then the old one is untouched */
static void *move_to_page(void *old, size_t used, size_t size)
{
	void *block = new_at_page(size);

	if (!block)
		return NULL;
	memcpy(block, old, used < size ? used : size);
	ksmp_next.free(old);
	return registered(block, size);
}

/*
 * A block that begins at a page is left to the allocator, which may be able to
 * make it longer without a copy: glibc does that by mremap().  Only if it was
 * moved within a heap does it have to be moved once more.
 */
static void *resize(void *old, size_t size)
{
	size_t had = ksmp_next.usable(old);
	void *block = NULL, *moved = NULL;

	if (size > had && !at_page(old))
		block = move_to_page(old, had, size);
	if (block)
		return block;
	block = KSMP_NEXT(realloc)(old, size);
	if (!block || (block == old && size <= had))
		return block;
	if (!at_page(block))
		moved = move_to_page(block, had, size);
	return moved ? moved : registered(block, size);
}

static void *big_realloc(void *old, size_t size)
{
	if (!ksmp_serves(size))
		return KSMP_NEXT(realloc)(old, size);
	if (!old)
		return big_malloc(size);
	if (ksmp_next_aligns())
		return resize(old, size);
	return registered(KSMP_NEXT(realloc)(old, size), size);
}

void *KSMP_ENTRY(realloc)(void *old, size_t size)
{
	if (!ksmp_is_big(size))
		return KSMP_NEXT(realloc)(old, size);
	return big_realloc(old, size);
}

/* Less than a page becomes a page; what is no alignment stays none. */
static size_t at_least_page(size_t align)
{
	bool valid = align >= sizeof(void *) && !(align & (align - 1));

	return valid && align < ksmp_page() ? ksmp_page() : align;
}

void *KSMP_ENTRY(memalign)(size_t align, size_t size)
{
	if (!ksmp_is_big(size) || !ksmp_serves(size))
		return KSMP_NEXT(memalign)(align, size);
	return registered(KSMP_NEXT(memalign)(at_least_page(align), size),
			  size);
}

int KSMP_ENTRY(posix_memalign)(void **block, size_t align, size_t size)
{
	int error;

	if (!ksmp_is_big(size) || !ksmp_serves(size))
		return KSMP_NEXT(posix_memalign)(block, align, size);
	error = KSMP_NEXT(posix_memalign)(block, at_least_page(align), size);
	if (!error)
		registered(*block, size);
	return error;
}

void *KSMP_ENTRY(aligned_alloc)(size_t align, size_t size)
{
	if (!ksmp_is_big(size) || !ksmp_serves(size))
		return KSMP_NEXT(aligned_alloc)(align, size);
	return registered(KSMP_NEXT(aligned_alloc)(at_least_page(align), size),
			  size);
}

void *KSMP_ENTRY(valloc)(size_t size)
{
	if (!ksmp_is_big(size) || !ksmp_serves(size))
		return KSMP_NEXT(valloc)(size);
	return registered(KSMP_NEXT(valloc)(size), size);
}

void *KSMP_ENTRY(pvalloc)(size_t size)
{
	if (!ksmp_is_big(size) || !ksmp_serves(size))
		return KSMP_NEXT(pvalloc)(size);
	return registered(KSMP_NEXT(pvalloc)(size), size);
}
