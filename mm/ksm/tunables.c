// SPDX-License-Identifier: GPL-2.0-only
/*
 * The knobs: their meaning, unit and default.
 *
 * Read once per batch or per decision with READ_ONCE(); written by sysfs.c, or
 * under ksm_scan_mutex by control.c where nothing may be scanned.
 */
#include "internal.h"

/* KSM_RUN_*; ksm_scan_mutex.  Without sysfs it could not be started later. */
unsigned long ksm_run = IS_ENABLED(CONFIG_SYSFS) ? KSM_RUN_STOP : KSM_RUN_MERGE;

/* Pages read, looked up or merged per batch. */
unsigned int ksm_pages_to_scan = KSM_DEFAULT_PAGES_TO_SCAN;

/* Pause between two batches. */
unsigned int ksm_sleep_ms = 20;

/* Mappings of one KSM page, which bound the length of a reverse map walk. */
unsigned int ksm_max_page_sharing = 256;

/* How often a chain is searched for KSM pages that were freed. */
unsigned int ksm_prune_ms = 2000;

/* May pages of different NUMA nodes share?  ksm_scan_mutex. */
bool ksm_merge_across_nodes = true;

/* Map pages of zeroes to the zero page. */
bool ksm_use_zero_pages;

/* Rely on the dirty bits of page table entries. */
bool ksm_smart_scan = true;

enum ksm_advisor_mode ksm_advisor_mode;

/* Percent of a CPU that ksmd may use while the advisor is on. */
unsigned int ksm_advisor_max_cpu = 70;

/* Bounds for the pages_to_scan that the advisor chooses. */
unsigned long ksm_advisor_min_pages = 500;
unsigned long ksm_advisor_max_pages = 30000;

/* How long a full scan should take, in seconds. */
unsigned long ksm_advisor_target_s = 200;
