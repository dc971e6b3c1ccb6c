/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The knobs; their defaults and units are in tunables.c.
 */
#ifndef _MM_KSM_TUNABLES_H
#define _MM_KSM_TUNABLES_H

#include <linux/compiler.h>
#include <linux/types.h>

#define KSM_RUN_STOP	0UL
#define KSM_RUN_MERGE	1UL
#define KSM_RUN_UNMERGE	2UL
#define KSM_RUN_OFFLINE	4UL	/* a flag: memory is going offline */

enum ksm_advisor_mode {
	KSM_ADVISOR_NONE,
	KSM_ADVISOR_SCAN_TIME,
};

#define KSM_DEFAULT_PAGES_TO_SCAN	100

extern unsigned long ksm_run;
extern unsigned int ksm_pages_to_scan;
extern unsigned int ksm_sleep_ms;
extern unsigned int ksm_max_page_sharing;
extern unsigned int ksm_prune_ms;
extern bool ksm_merge_across_nodes;
extern bool ksm_use_zero_pages;
extern bool ksm_smart_scan;

extern enum ksm_advisor_mode ksm_advisor_mode;
extern unsigned int ksm_advisor_max_cpu;
extern unsigned long ksm_advisor_min_pages;
extern unsigned long ksm_advisor_max_pages;
extern unsigned long ksm_advisor_target_s;

/* Does ksmd scan?  A batch of no pages at all is no scan. */
static inline bool ksm_scanning(void)
{
	return (READ_ONCE(ksm_run) & KSM_RUN_MERGE) &&
	       READ_ONCE(ksm_pages_to_scan);
}

#endif /* _MM_KSM_TUNABLES_H */
