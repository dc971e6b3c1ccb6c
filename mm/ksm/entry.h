/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a page table entry is to KSM.
 */
#ifndef _MM_KSM_ENTRY_H
#define _MM_KSM_ENTRY_H

#include <linux/mm.h>
#include <linux/swap.h>
#include <linux/swapops.h>

/* May it map a page that can be merged? */
static inline bool ksm_entry_may_have_page(pte_t pte)
{
	return pte_present(pte) && !pte_special(pte);
}

static inline bool ksm_entry_is_migrating(pte_t pte)
{
	return !pte_present(pte) && !pte_none(pte) &&
	       is_migration_entry(pte_to_swp_entry(pte));
}

/* Is its page lent to a device, which may or may not let the CPU read it? */
static inline bool ksm_entry_is_lent(pte_t pte)
{
	swp_entry_t entry;

	if (pte_present(pte) || pte_none(pte))
		return false;
	entry = pte_to_swp_entry(pte);
	return is_device_private_entry(entry) ||
	       is_device_exclusive_entry(entry);
}

#endif /* _MM_KSM_ENTRY_H */
