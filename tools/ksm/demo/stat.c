// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers from /sys/kernel/mm/ksm, /proc and tracefs.
 *
 * A file that is missing or holds no number ends the demonstration: every one
 * of them is part of what KSM promises.  Only the QEMUs' files may go away.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"

#define EVENT_DIR	"/sys/kernel/tracing/events/ksm/"

const char *const ksm_counter_names[NR_KSM_COUNTERS] = {
	[KSM_SHARED]	 = "pages_shared",
	[KSM_SHARING]	 = "pages_sharing",
	[KSM_UNSHARED]	 = "pages_unshared",
	[KSM_VOLATILE]	 = "pages_volatile",
	[KSM_SCANNED]	 = "pages_scanned",
	[KSM_SKIPPED]	 = "pages_skipped",
	[KSM_FULL_SCANS] = "full_scans",
	[KSM_ZERO_PAGES] = "ksm_zero_pages",
	[KSM_CHAINS]	 = "stable_node_chains",
	[KSM_DUPS]	 = "stable_node_dups",
	[KSM_PROFIT]	 = "general_profit",
};

const char *const event_names[NR_EVENTS] = {
	[EVENT_ENTER]		    = "ksm_enter",
	[EVENT_EXIT]		    = "ksm_exit",
	[EVENT_START_SCAN]	    = "ksm_start_scan",
	[EVENT_STOP_SCAN]	    = "ksm_stop_scan",
	[EVENT_MERGE_ONE_PAGE]	    = "ksm_merge_one_page",
	[EVENT_MERGE_WITH_KSM_PAGE] = "ksm_merge_with_ksm_page",
	[EVENT_REMOVE_KSM_PAGE]	    = "ksm_remove_ksm_page",
	[EVENT_REMOVE_RMAP_ITEM]    = "ksm_remove_rmap_item",
	[EVENT_ADVISOR]		    = "ksm_advisor",
};

/**
 * ksm_read() - read the counters of KSM
 * @counters: where to
 */
void ksm_read(struct ksm_counters *counters)
{
	for (int i = 0; i < NR_KSM_COUNTERS; i++)
		counters->value[i] = file_long(KSM_DIR "%s",
					       ksm_counter_names[i]);
}

/**
 * qemu_memory_read() - what the kernel says about the memory of one QEMU
 * @guest:  its guest
 * @memory: where to
 */
void qemu_memory_read(const struct guest *guest, struct qemu_memory *memory)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", guest->pid);
	memory->rss_kib = file_field(path, "Rss");
	memory->pss_kib = file_field(path, "Pss");
	memory->anon_kib = file_field(path, "Anonymous");
	memory->ksm_kib = file_field(path, "KSM");

	snprintf(path, sizeof(path), "/proc/%d/ksm_stat", guest->pid);
	memory->rmap_items = file_field(path, "ksm_rmap_items");
	memory->zero_pages = file_field(path, "ksm_zero_pages");
	memory->merging_pages = file_field(path, "ksm_merging_pages");
	memory->profit = file_field(path, "ksm_process_profit");
}

/**
 * qemu_smaps_ksm_kib() - sum of the KSM: lines in the smaps of one QEMU
 * @guest: its guest
 *
 * Return: KiB
 */
long qemu_smaps_ksm_kib(const struct guest *guest)
{
	char path[64], line[256];
	long sum = 0, kib;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps", guest->pid);
	file = fopen(path, "r");
	if (!file)
		fail("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "KSM: %ld kB", &kib) == 1)
			sum += kib;
	}
	fclose(file);
	return sum;
}

/**
 * host_memory_read() - what the host has left, and what its guests take
 * @memory: where to
 */
void host_memory_read(struct host_memory *memory)
{
	struct qemu_memory qemu;

	*memory = (struct host_memory) {
		.available_kib = file_field("/proc/meminfo", "MemAvailable"),
		.anon_kib = file_field("/proc/meminfo", "AnonPages"),
	};
	for (int i = 0; i < config.nr_guests; i++) {
		if (members[i].guest.state != GUEST_UP)
			continue;
		qemu_memory_read(&members[i].guest, &qemu);
		memory->qemu_rss_kib += qemu.rss_kib;
		memory->qemu_anon_kib += qemu.anon_kib;
		memory->qemu_pss_kib += qemu.pss_kib;
	}
}

/**
 * events_start() - begin to count the tracepoints of KSM
 *
 * A histogram per event counts every hit inside the kernel: no buffer that
 * could overflow, nothing to read along.
 */
void events_start(void)
{
	for (int i = 0; i < NR_EVENTS; i++) {
		char path[128];
		FILE *file;

		snprintf(path, sizeof(path), EVENT_DIR "%s/trigger",
			 event_names[i]);
		file = fopen(path, "w");
		if (!file || fputs("hist:keys=common_type\n", file) < 0 ||
		    fclose(file))
			fail("%s: %s", path, strerror(errno));
	}
}

/**
 * events_read() - how often each tracepoint was hit since events_start()
 * @count: where to, in the order of event_names
 */
void events_read(long *count)
{
	for (int i = 0; i < NR_EVENTS; i++) {
		char path[128];

		snprintf(path, sizeof(path), EVENT_DIR "%s/hist",
			 event_names[i]);
		count[i] = file_field(path, "    Hits");
	}
}
