/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The files of /sys/kernel/mm/ksm.
 */
#ifndef KSM_LIB_SYSFS_H
#define KSM_LIB_SYSFS_H

#include "figure.h"

#define KSM_SYSFS	"/sys/kernel/mm/ksm"

/* What advisor_mode is, as a figure */
#define KSM_ADVISOR_NONE	0
#define KSM_ADVISOR_SCAN_TIME	1

/* Values of run, and what is added while memory is taken offline */
#define KSM_RUN_STOP		0
#define KSM_RUN_MERGE		1
#define KSM_RUN_UNMERGE		2
#define KSM_RUN_MASK		3

struct ksm_knobs {
	ksm_figure run;
	ksm_figure pages_to_scan;
	ksm_figure sleep_millisecs;
	ksm_figure merge_across_nodes;
	ksm_figure max_page_sharing;
	ksm_figure use_zero_pages;
	ksm_figure smart_scan;
	ksm_figure stable_node_chains_prune_millisecs;
	ksm_figure advisor_mode;
	ksm_figure advisor_max_cpu;
	ksm_figure advisor_min_pages_to_scan;
	ksm_figure advisor_max_pages_to_scan;
	ksm_figure advisor_target_scan_time;
};

/**
 * struct ksm_counters - the files that cannot be written to
 * @pages_shared: pages of KSM in use
 * @pages_sharing: mappings of them beyond the first of each: pages saved
 * @pages_unshared: pages that did not change and are not merged
 * @pages_volatile: pages that change, or are too new to know
 * @pages_scanned: pages read, since boot
 * @pages_skipped: pages passed over without reading them, since boot
 * @full_scans: full scans that were completed
 * @ksm_zero_pages: mappings of the zero page that KSM made
 * @stable_node_chains: contents that have several pages of KSM
 * @stable_node_dups: the pages of these
 * @general_profit: bytes saved, less book-keeping
 * @scan_pages: pages visited in this scan
 * @last_scan_millisecs: how long the last full scan took
 * @thp_split:  huge pages split for merging, since boot
 * @thp_kept:   huge pages left whole though pages of them could be merged
 *
 * The last four are there only if KSM works by keys.  More about all of them is
 * in Documentation/ABI/testing/sysfs-kernel-mm-ksm.
 */
struct ksm_counters {
	ksm_figure pages_shared;
	ksm_figure pages_sharing;
	ksm_figure pages_unshared;
	ksm_figure pages_volatile;
	ksm_figure pages_scanned;
	ksm_figure pages_skipped;
	ksm_figure full_scans;
	ksm_figure ksm_zero_pages;
	ksm_figure stable_node_chains;
	ksm_figure stable_node_dups;
	ksm_figure general_profit;
	ksm_figure scan_pages;
	ksm_figure last_scan_millisecs;
	ksm_figure thp_split;
	ksm_figure thp_kept;
};

extern const struct ksm_field ksm_counter_fields[];
extern const size_t ksm_nr_counters;

int ksm_sysfs_read(struct ksm_knobs *knobs, struct ksm_counters *counters);

#endif
