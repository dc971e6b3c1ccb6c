/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The processes that take part.
 */
#ifndef KSM_LIB_MEMBERS_H
#define KSM_LIB_MEMBERS_H

#include <stddef.h>

#include "procfs.h"

/**
 * struct ksm_stat - of /proc/PID/ksm_stat
 * @rmap_items:	 pages under observation, but for zero pages
 * @zero_pages:	 pages mapped to the zero page
 * @merging_pages: pages mapped to pages of KSM
 * @merge_any:	 1 if PR_SET_MEMORY_MERGE is on, 0 if not
 * @mergeable:	 1 if any mapping is registered, 0 if none is
 * @profit_bytes: bytes saved less the book-keeping for this process
 * @cow:	 merged pages that were copied because it wrote to them
 * @thp_split:	 its huge pages that were split for merging
 *
 * Lines that this kernel has not are unknown.
 */
struct ksm_stat {
	ksm_figure rmap_items;
	ksm_figure zero_pages;
	ksm_figure merging_pages;
	ksm_figure profit_bytes;
	ksm_figure merge_any;
	ksm_figure mergeable;
	ksm_figure cow;
	ksm_figure thp_split;
};

/**
 * struct ksm_member - a process that takes part
 * @pid:	 its PID
 * @start_ticks: when it was started
 * @comm:	 name of its program
 * @unit:	 unit of systemd, or ""
 * @rss_pages:	 resident memory
 * @stat:	 what KSM says about it
 */
struct ksm_member {
	int pid;
	ksm_figure start_ticks;
	char comm[KSM_COMM_MAX];
	char unit[KSM_UNIT_MAX];
	ksm_figure rss_pages;
	struct ksm_stat stat;
};

/**
 * struct ksm_members - all of them
 * @list:	array of @count members, in the order of /proc
 * @count:	number of members
 * @unreadable:	processes whose ksm_stat may not be read
 */
struct ksm_members {
	struct ksm_member *list;
	size_t count;
	size_t unreadable;
};

#define KSM_STAT_MAX	1024	/* bytes of ksm_stat */

int ksm_stat_parse(char *text, struct ksm_stat *stat);
int ksm_stat_read(int pid, struct ksm_stat *stat);
bool ksm_stat_takes_part(const struct ksm_stat *stat);
int ksm_member_read(int pid, struct ksm_member *member);
int ksm_members_read(struct ksm_members *members);
void ksm_members_free(struct ksm_members *members);

ksm_figure ksm_member_tracked_pages(const struct ksm_member *member);
ksm_figure ksm_member_merged_pages(const struct ksm_member *member);

#endif
