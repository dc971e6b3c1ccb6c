/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What pagemap and kpageflags say about a page; pid 0 is the caller
 */
#ifndef KSM_LIB_PAGES_H
#define KSM_LIB_PAGES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define KSM_BIT(nr)		(1ULL << (nr))

#define KSM_PM_SOFT_DIRTY	KSM_BIT(55)
#define KSM_PM_EXCLUSIVE	KSM_BIT(56)
#define KSM_PM_UFFD_WP		KSM_BIT(57)
#define KSM_PM_SWAP		KSM_BIT(62)
#define KSM_PM_PRESENT		KSM_BIT(63)
#define KSM_PM_PFN		(KSM_BIT(55) - 1)

#define KSM_KPF_DIRTY		KSM_BIT(4)
#define KSM_KPF_MMAP		KSM_BIT(11)
#define KSM_KPF_ANON		KSM_BIT(12)
#define KSM_KPF_SWAPCACHE	KSM_BIT(13)
#define KSM_KPF_HEAD		KSM_BIT(15)
#define KSM_KPF_TAIL		KSM_BIT(16)
#define KSM_KPF_HWPOISON	KSM_BIT(19)
#define KSM_KPF_KSM		KSM_BIT(21)
#define KSM_KPF_THP		KSM_BIT(22)
#define KSM_KPF_ZERO_PAGE	KSM_BIT(24)

__u64 ksm_pagemap(pid_t pid, const void *addr);	/* raw entry */
unsigned long ksm_pfn(pid_t pid, const void *addr);	/* 0: not present */
__u64 ksm_kpageflags(unsigned long pfn);
long ksm_kpagecount(unsigned long pfn);

/* Is the caller's page a KSM page (not: a shared zero page)? */
bool ksm_is_merged(const void *addr);

/* How many of these pages are KSM pages, and how many different PFNs. */
size_t ksm_count_merged(const void *addr, size_t pages);
size_t ksm_count_pfns(const void *addr, size_t pages);

/* True if addr[i] and other[i] are the same KSM page, for every i. */
bool ksm_same_pages(const void *addr, const void *other, size_t pages);

/* True if no page of the range is a KSM page. */
bool ksm_none_merged(const void *addr, size_t pages);

#endif /* KSM_LIB_PAGES_H */
