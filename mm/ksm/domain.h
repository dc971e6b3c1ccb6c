/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scopes: which pages may ever be merged with each other.
 */
#ifndef _MM_KSM_DOMAIN_H
#define _MM_KSM_DOMAIN_H

#include <linux/types.h>

struct ksm_slot;

/* All of memory: the only domain there is */
#define KSM_DOMAIN_GLOBAL	0

/**
 * struct ksm_scope - pages of different scopes are never merged
 * @domain: domain of the mm, KSM_DOMAIN_*
 * @nid:    NUMA node of the page, or 0 while merge_across_nodes is 1
 */
struct ksm_scope {
	u16 domain;
	u16 nid;
};

static inline bool ksm_scope_same(struct ksm_scope a, struct ksm_scope b)
{
	return a.domain == b.domain && a.nid == b.nid;
}

struct ksm_scope ksm_scope_in(u16 domain, unsigned long pfn);
struct ksm_scope ksm_scope_of(const struct ksm_slot *slot, unsigned long pfn);
u64 ksm_scope_mix(struct ksm_scope scope);
u64 ksm_scope_zero_probe(struct ksm_scope scope);

#endif /* _MM_KSM_DOMAIN_H */
