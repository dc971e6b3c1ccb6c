/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KSM_SHIM_MMZONE_H
#define _KSM_SHIM_MMZONE_H

#include <linux/mm.h>

/* Two nodes of memory, one after the other */
#define SHIM_NODE_PAGES		1024

static inline int pfn_to_nid(unsigned long pfn)
{
	return pfn / SHIM_NODE_PAGES;
}

/* The one page there is belongs to the second node. */
static inline struct page *ZERO_PAGE(unsigned long address)
{
	return NULL;
}

static inline unsigned long page_to_pfn(const struct page *page)
{
	return SHIM_NODE_PAGES;
}

#endif /* _KSM_SHIM_MMZONE_H */
