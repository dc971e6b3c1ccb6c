// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pages of a block are registered: arithmetic only.
 */
#include "preload.h"

static uintptr_t round_down(uintptr_t addr, size_t page)
{
	return addr & ~((uintptr_t)page - 1);
}

/**
 * ksmp_inside() - the pages that a block has for itself
 * @block: address
 * @size:  bytes
 * @page:  bytes in a page
 *
 * Return: rounded inward, since what lies around belongs to others
 */
struct ksmp_extent ksmp_inside(uintptr_t block, size_t size, size_t page)
{
	struct ksmp_extent extent = {
		.start = round_down(block + page - 1, page),
		.end = round_down(block + size, page),
	};

	if (extent.start < block || extent.end <= extent.start)
		extent.end = extent.start;
	return extent;
}

/**
 * ksmp_of_glibc() - the same, if the block comes from glibc
 * @block:  address
 * @size:   bytes that were asked for
 * @usable: malloc_usable_size()
 * @page:   bytes in a page
 *
 * glibc gives big blocks a mapping of their own, and a size in front of the
 * block.  Then the page with that size is registered as well: a mapping of
 * which a part is registered becomes two for the kernel, and realloc() could
 * not grow it by mremap() but had to copy it.  Nothing else is there.
 *
 * Such blocks are known by their end, which is that of a page.  One in a heap
 * cannot end there: the next size comes first.  If the guess is wrong since
 * the allocator was replaced behind our back, a page too much of that
 * allocator is registered, which does no harm.
 *
 * Return: the pages
 */
struct ksmp_extent ksmp_of_glibc(uintptr_t block, size_t size, size_t usable,
				 size_t page)
{
	if ((block + usable) % page)
		return ksmp_inside(block, size, page);
	return (struct ksmp_extent) {
		.start = round_down(block - 1, page),
		.end = block + usable,
	};
}
