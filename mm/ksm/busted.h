/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Deliberate faults, one at a time, to prove that the tests can fail.
 *
 * Compiled to nothing without CONFIG_KSM_BUSTED.
 */
#ifndef _MM_KSM_BUSTED_H
#define _MM_KSM_BUSTED_H

enum ksm_fault {
	KSM_FAULT_NONE,
	KSM_FAULT_COMPARE, /* merge without the final comparison */
	KSM_FAULT_PROTECT, /* leave the merged page writable */
	KSM_FAULT_FLUSH, /* flush after the page table lock was dropped */
	KSM_FAULT_REFERENCE, /* keep a reference on a merged page */
	KSM_FAULT_FORKS, /* let the rmap walk miss forks */
	KSM_FAULT_COUNT, /* count a merged page twice */
	KSM_NR_FAULTS,
};

#ifdef CONFIG_KSM_BUSTED
bool ksm_busted(enum ksm_fault fault);
#else
static inline bool ksm_busted(enum ksm_fault fault)
{
	return false;
}
#endif

#endif /* _MM_KSM_BUSTED_H */
