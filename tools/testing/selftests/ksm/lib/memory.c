// SPDX-License-Identifier: GPL-2.0
/*
 * Memory to be merged, and what it contains.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "end.h"
#include "memory.h"

size_t ksm_page_size(void)
{
	static size_t size;

	if (!size)
		size = sysconf(_SC_PAGESIZE);
	return size;
}

void *ksys_page(const void *addr, size_t i)
{
	return (char *)addr + i * ksm_page_size();
}

/* splitmix64: neighbouring seeds give unrelated streams. */
static __u64 next_word(__u64 *state)
{
	__u64 z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z ^ (z >> 31)) | 1;
}

static __u64 first_state(__u64 seed)
{
	return (seed + 1) * 0xd1342543de82ef95ULL;
}

void ksm_page_fill(void *page, __u64 seed)
{
	__u64 state = first_state(seed), *word = page;
	size_t i;

	for (i = 0; i < ksm_page_size() / sizeof(*word); i++)
		word[i] = next_word(&state);
}

/* Index of the first word that is not as it should be, or -1. */
static long page_wrong(const void *page, __u64 seed, __u64 *want)
{
	__u64 state = first_state(seed);
	const __u64 *word = page;
	size_t i;

	for (i = 0; i < ksm_page_size() / sizeof(*word); i++) {
		*want = next_word(&state);
		if (KSM_READ(word[i]) != *want)
			return i;
	}
	return -1;
}

bool ksm_page_ok(const void *page, __u64 seed)
{
	__u64 want;

	return page_wrong(page, seed, &want) < 0;
}

bool ksm_page_is_zero(const void *page)
{
	const __u64 *word = page;
	size_t i;

	for (i = 0; i < ksm_page_size() / sizeof(*word); i++)
		if (KSM_READ(word[i]))
			return false;
	return true;
}

void ksm_fill(void *addr, size_t pages, __u64 seed, __u64 step)
{
	size_t i;

	for (i = 0; i < pages; i++)
		ksm_page_fill((char *)addr + i * ksm_page_size(),
			      seed + i * step);
}

bool ksm_contents_ok(const void *addr, size_t pages, __u64 seed,
		     __u64 step)
{
	const char *page = addr;
	__u64 want;
	size_t i;
	long word;

	for (i = 0; i < pages; i++, page += ksm_page_size()) {
		word = page_wrong(page, seed + i * step, &want);
		if (word < 0)
			continue;
		printf("# WRONG CONTENTS: page %zu of %zu at %p\n", i, pages,
		       page);
		printf("# at offset %#lx: want %#llx, have %#llx\n", word * 8,
		       want, KSM_READ(((const __u64 *)page)[word]));
		return false;
	}
	return true;
}

void *ksm_map(size_t pages)
{
	size_t ps = ksm_page_size();
	char *map;

	map = mmap(NULL, (pages + 2) * ps, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		ksm_die("mmap of %zu pages: %s", pages, strerror(errno));
	map += ps;
	/* mmap(), not mprotect(): the guards must not share an anon_vma. */
	if (mmap(map, pages * ps, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != map)
		ksm_die("mmap of %zu pages: %s", pages, strerror(errno));
	/* EINVAL only says that this kernel has no THP. */
	madvise(map, pages * ps, MADV_NOHUGEPAGE);
	return map;
}

void ksm_unmap(void *addr, size_t pages)
{
	size_t ps = ksm_page_size();

	if (munmap((char *)addr - ps, (pages + 2) * ps))
		ksm_die("munmap: %s", strerror(errno));
}

void ksm_mergeable(void *addr, size_t pages)
{
	if (madvise(addr, pages * ksm_page_size(), MADV_MERGEABLE))
		ksm_die("MADV_MERGEABLE: %s", strerror(errno));
}

void ksm_unmergeable(void *addr, size_t pages)
{
	if (madvise(addr, pages * ksm_page_size(), MADV_UNMERGEABLE))
		ksm_die("MADV_UNMERGEABLE: %s", strerror(errno));
}

void *ksm_map_merge(size_t pages, __u64 seed, __u64 step)
{
	void *map = ksm_map(pages);

	ksm_fill(map, pages, seed, step);
	ksm_mergeable(map, pages);
	return map;
}
