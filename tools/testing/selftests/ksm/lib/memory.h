/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mergeable memory and its contents
 */
#ifndef KSM_LIB_MEMORY_H
#define KSM_LIB_MEMORY_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

size_t ksm_page_size(void);

/* The same, for lines that are full of it */
static inline size_t ps(void)
{
	return ksm_page_size();
}

/* Address of page i of a range. */
void *ksys_page(const void *addr, size_t i);

/* For memory that others read and write at the same time. */
#define KSM_READ(x)	__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define KSM_WRITE(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_RELAXED)

/* A page's content is a function of its seed: random words, never zero. */
void ksm_page_fill(void *page, __u64 seed);
bool ksm_page_ok(const void *page, __u64 seed);
bool ksm_page_is_zero(const void *page);

/*
 * Page i gets seed + i * step: step 0 makes all pages equal, step 1 makes all
 * differ.
 */
void ksm_fill(void *addr, size_t pages, __u64 seed, __u64 step);

/*
 * Check every byte of every page.  True if all are right; otherwise says in a
 * "# ..." line which page and byte is not.
 */
bool ksm_contents_ok(const void *addr, size_t pages, __u64 seed,
		     __u64 step);

/*
 * Private anonymous memory between two PROT_NONE guard pages, so that it
 * never joins a neighbour; no THP.  Not touched yet.  Fatal on failure.
 */
void *ksm_map(size_t pages);
void ksm_unmap(void *addr, size_t pages);

/* The same, filled as above and MADV_MERGEABLE. */
void *ksm_map_merge(size_t pages, __u64 seed, __u64 step);

/* madvise() that must work. */
void ksm_mergeable(void *addr, size_t pages);
void ksm_unmergeable(void *addr, size_t pages);

#endif /* KSM_LIB_MEMORY_H */
