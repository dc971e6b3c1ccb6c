/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nothing here has a cache that aliases.
 */
#ifndef _KSM_SHIM_HIGHMEM_H
#define _KSM_SHIM_HIGHMEM_H

struct page;
struct vm_area_struct;

static inline void flush_anon_page(struct vm_area_struct *vma,
				   struct page *page, unsigned long addr)
{
}

static inline void flush_dcache_page(struct page *page)
{
}

#endif /* _KSM_SHIM_HIGHMEM_H */
