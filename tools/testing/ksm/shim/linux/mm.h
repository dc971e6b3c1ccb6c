/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few types and functions of the mm core that the logic of KSM names.
 */
#ifndef _KSM_SHIM_MM_H
#define _KSM_SHIM_MM_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/time64.h>
#include <errno.h>

#ifndef PAGE_SHIFT
#define PAGE_SHIFT	12
#endif
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))

#define PAGE_MAPPING_KSM	0x3UL
#define PAGE_MAPPING_FLAGS	0x3UL

/* Addresses are addresses here. */
#define __pa(address)	((unsigned long)(address))
#define __va(address)	((void *)(unsigned long)(address))

typedef unsigned long pgoff_t;
typedef unsigned long vm_flags_t;

#define VM_MERGEABLE	0x80000000UL

typedef struct {
	unsigned long bits;
} pte_t;
typedef struct {
	bool held;
} spinlock_t;
typedef struct {
	unsigned int sleepers;
} wait_queue_head_t;

struct anon_vma;
struct page;
struct vm_area_struct;

struct mm_struct {
	atomic_t mm_users;
	unsigned long ksm_merging_pages;
	unsigned long ksm_rmap_items;
};

struct folio {
	void *mapping;
};

/* An address that is only ever prefetched: there are no pages. */
static inline struct page *pfn_to_page(unsigned long pfn)
{
	return (struct page *)(pfn << PAGE_SHIFT);
}

#define ATOMIC_LONG_INIT(i)	{ (i) }

static inline int shim_atomic_read(const atomic_t *value)
{
	return value->counter;
}

#undef atomic_read
#define atomic_read		shim_atomic_read

static inline long atomic_long_read(const atomic_long_t *value)
{
	return value->counter;
}

static inline void cond_resched(void)
{
}

#endif /* _KSM_SHIM_MM_H */
