/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events of KSM, as lines of trace_pipe tell them.
 */
#ifndef KSM_LIB_TRACE_EVENT_H
#define KSM_LIB_TRACE_EVENT_H

#include "procfs.h"

enum ksm_event_kind {
	KSM_EVENT_ENTER,
	KSM_EVENT_EXIT,
	KSM_EVENT_START_SCAN,
	KSM_EVENT_STOP_SCAN,
	KSM_EVENT_MERGE_WITH_KSM_PAGE,
	KSM_EVENT_MERGE_ONE_PAGE,
	KSM_EVENT_REMOVE_KSM_PAGE,
	KSM_EVENT_REMOVE_RMAP_ITEM,
	KSM_EVENT_ADVISOR,
	KSM_NR_EVENTS
};

#define KSM_ADDRESS_MAX	24	/* the kernel prints it, hashed, as it likes */

/**
 * struct ksm_event - one event
 * @kind:	   which
 * @time_us:	   by the clock of the trace
 * @pid:	   of the task that it happened to; 0 if there is none
 * @comm:	   its name, or "" if it is not known any more
 * @pfn:	   frame number of the page
 * @mm:		   address space, "" if the event has none
 * @rmap_item:	   of KSM's book-keeping, "" if the event has none
 * @with_ksm_page: the page was to be merged with one that KSM has already
 * @error:	   0, or -errno
 * @scans:	   full scans before this one
 * @tracked:	   pages under observation
 * @scan_seconds:  how long the last full scan took
 * @pages_to_scan: what the advisor chose
 * @cpu_percent:   CPU time of that scan
 *
 * Figures that an event does not have are unknown.
 */
struct ksm_event {
	enum ksm_event_kind kind;
	int64_t time_us;
	int pid;
	char comm[KSM_COMM_MAX];
	char mm[KSM_ADDRESS_MAX];
	char rmap_item[KSM_ADDRESS_MAX];
	bool with_ksm_page;
	ksm_figure pfn;
	ksm_figure error;
	ksm_figure scans;
	ksm_figure tracked;
	ksm_figure scan_seconds;
	ksm_figure pages_to_scan;
	ksm_figure cpu_percent;
};

bool ksm_event_parse(char *line, struct ksm_event *event);
ksm_figure ksm_event_lost(const char *line);
const char *ksm_event_name(enum ksm_event_kind kind);
int ksm_event_find(const char *name);
bool ksm_event_is_attempt(const struct ksm_event *event);

#endif
