/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine around KSM.
 */
#ifndef KSM_LIB_HOST_H
#define KSM_LIB_HOST_H

#include "figure.h"

#define KSM_NAME_MAX	65	/* of host and release, with the 0 */

/**
 * struct ksm_host - figures of the whole machine
 * @hostname:	its name
 * @release:	version of its kernel
 * @boot_id:	differs after each boot; "" if unknown
 * @page_bytes:	size of a page
 * @nodes:	NUMA nodes with memory
 * @mem_total_bytes: MemTotal of /proc/meminfo, like the next four
 * @mem_free_bytes: MemFree
 * @mem_available_bytes: MemAvailable
 * @swap_total_bytes: SwapTotal
 * @swap_free_bytes: SwapFree
 * @cow_ksm:	copies of merged pages since boot, because of writes
 * @swapin_copies: copies made when merged pages came back from swap
 * @thp_split_page: huge pages split since boot, for whatever reason
 * @thp_collapse: huge pages that khugepaged put together
 * @ksmd_pid:	PID of the thread ksmd, 0 if it was not found
 * @ksmd_cpu_ns: CPU time of the thread ksmd since boot
 * @ksmtuned_script: 1 if a ksmtuned runs that is a script: it writes to
 *		pages_to_scan whatever other programs do
 * @by_keys:	1 if this is the KSM that works by keys, 0 if not
 */
struct ksm_host {
	char hostname[KSM_NAME_MAX];
	char release[KSM_NAME_MAX];
	char boot_id[40];
	int ksmd_pid;
	ksm_figure page_bytes;
	ksm_figure nodes;
	ksm_figure mem_total_bytes;
	ksm_figure mem_free_bytes;
	ksm_figure mem_available_bytes;
	ksm_figure swap_total_bytes;
	ksm_figure swap_free_bytes;
	ksm_figure cow_ksm;
	ksm_figure swapin_copies;
	ksm_figure thp_split_page;
	ksm_figure thp_collapse;
	ksm_figure ksmd_cpu_ns;
	ksm_figure ksmtuned_script;
	ksm_figure by_keys;
};

extern const struct ksm_field ksm_host_fields[];
extern const size_t ksm_nr_host_fields;

void ksm_host_read(struct ksm_host *host);
void ksm_host_again(struct ksm_host *host);

#endif
