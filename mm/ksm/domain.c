// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pages may ever be merged with each other.
 *
 * The scope of a page is mixed into its probe as a number.  Pages of different
 * scopes have different keys, so they do not meet in a tree or in the filter.
 * Today there is one domain, and the NUMA node counts only while
 * merge_across_nodes is 0.
 */
#include <linux/mmzone.h>

#include "internal.h"

/**
 * ksm_scope_in - scope of a page in a domain
 * @domain: KSM_DOMAIN_*
 * @pfn:    page frame number
 *
 * Context: ksm_scan_mutex held, for merge_across_nodes.
 * Return: the scope.
 */
struct ksm_scope ksm_scope_in(u16 domain, unsigned long pfn)
{
	lockdep_assert_held(&ksm_scan_mutex);
	return (struct ksm_scope) {
		.domain = domain,
		.nid = ksm_merge_across_nodes ? 0 : pfn_to_nid(pfn),
	};
}

/**
 * ksm_scope_of - scope of a page of an mm
 * @slot: slot of the mm mapping the page
 * @pfn:  page frame number
 *
 * Context: ksm_scan_mutex held.
 * Return: the scope.
 */
struct ksm_scope ksm_scope_of(const struct ksm_slot *slot, unsigned long pfn)
{
	return ksm_scope_in(slot->domain, pfn);
}

/**
 * ksm_scope_mix - what to mix into the probe of a page
 * @scope: scope of the page
 *
 * Return: a number that is different for each scope; 0 for the scope that most
 * pages have.
 */
u64 ksm_scope_mix(struct ksm_scope scope)
{
	u64 nr = (u64)scope.domain << 16 | scope.nid;

	return nr * 0x9e3779b97f4a7c15ULL;
}

/**
 * ksm_scope_zero_probe - the probe of a page that is all zeroes
 * @scope: scope of the page
 *
 * Return: the probe, scoped.
 */
u64 ksm_scope_zero_probe(struct ksm_scope scope)
{
	return ksm_probe_of_zeroes() ^ ksm_scope_mix(scope);
}
