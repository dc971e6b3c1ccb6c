// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pages may ever share.
 *
 * A scope is a number that is mixed into the probe of a page.  Pages of
 * different scopes have different keys, so they never meet in a tree or in
 * the filter.  Today there is one domain, and the NUMA node counts only while
 * merge_across_nodes is 0.
 */
#include <linux/mmzone.h>

#include "internal.h"

/* All of memory: the only domain there is. */
#define DOMAIN_GLOBAL	0

/**
 * ksm_page_nid - the NUMA node that counts for a page
 * @pfn: the page
 *
 * Context: ksm_scan_mutex held.
 * Return: its node, or 0 while pages may be merged across nodes.
 */
int ksm_page_nid(unsigned long pfn)
{
	return ksm_merge_across_nodes ? 0 : pfn_to_nid(pfn);
}

/**
 * ksm_scope - what to mix into the probe of a page
 * @mm: whose page it is
 * @nid: of ksm_page_nid()
 *
 * Return: the same number for all pages that may share, 0 for most.
 */
u64 ksm_scope(const struct mm_struct *mm, int nid)
{
	u64 scope = ((u64)DOMAIN_GLOBAL << 16) | nid;

	return scope * 0x9e3779b97f4a7c15ULL;
}

/**
 * ksm_probe_of_zero_page - the probe that a page has if it is all zeroes
 * @mm: whose page it is
 * @pfn: the page
 *
 * Context: ksm_scan_mutex held.
 * Return: the probe, scoped.
 */
u64 ksm_probe_of_zero_page(const struct mm_struct *mm, unsigned long pfn)
{
	return ksm_probe_of_zeroes() ^ ksm_scope(mm, ksm_page_nid(pfn));
}
