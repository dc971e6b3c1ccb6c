/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The demonstration that runs inside the booted host: what its files share.
 *
 *   main.c    what happens, in which order, and what has to hold
 *   fleet.c   its guests: the first thing that goes wrong with one ends it all
 *   stat.c    numbers from /sys, /proc and tracefs
 *   report.c  table, summary, JSON
 *   say.c     lines that the user sees
 *
 * ../guests/ has what the guests of other programs need, too.
 */
#ifndef KSM_DEMO_H
#define KSM_DEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "../guests/guests.h"

#define MAX_GUESTS		16
#define PAGE_KIB		4
#define MIB(bytes)		((bytes) / 1048576.0)
#define PAGES_TO_MIB(pages)	((pages) * (double)PAGE_KIB / 1024)

struct config {
	int nr_guests;
	int guest_mib;
	int common_mib;			/* the file that all guests have */
	const char *common_digest;	/* its SHA-256 */
	int boot_timeout_s;
	int reply_timeout_s;
	int settle_timeout_s;
	unsigned long pages_to_scan;
	unsigned long sleep_millisecs;
	const char *qemu;
	const char *kernel;
	const char *initrd;
	const char *terminal;		/* where the user looks */
	bool colour;
	bool utf8;
};

extern struct config config;

/* say.c */
enum tone { PLAIN, BOLD, DIM, GREEN, YELLOW, RED };

extern FILE *terminal;

void say_open(void);
void __printf(2, 3) say(enum tone tone, const char *fmt, ...);
void __printf(1, 2) headline(const char *fmt, ...);

/* fleet.c */
/* SHA-256 of a guest's two files, as text. */
struct digests {
	char common[DIGEST_LEN + 1];
	char random[DIGEST_LEN + 1];
};

/**
 * struct member - a guest of the demonstration
 * @guest:	the guest
 * @boot_s:	seconds from its start to "guest ready"
 * @restarts:	how often it was lost while booting
 * @before:	what its files hashed to before merging
 */
struct member {
	struct guest guest;
	double boot_s;
	int restarts;
	struct digests before;
};

extern struct member members[MAX_GUESTS];

void member_start(struct member *member);
void member_wait_ready(struct member *member);
void member_send(struct member *member, const char *command);
char *member_reply(struct member *member);
void member_check(struct member *member);
void member_wait_off(struct member *member);
void members_kill(void);
int members_up(void);

/* stat.c */
/* Names of the counters in /sys/kernel/mm/ksm, in the order of their values. */
enum ksm_counter {
	KSM_SHARED,
	KSM_SHARING,
	KSM_UNSHARED,
	KSM_VOLATILE,
	KSM_SCANNED,
	KSM_SKIPPED,
	KSM_FULL_SCANS,
	KSM_ZERO_PAGES,
	KSM_CHAINS,
	KSM_DUPS,
	KSM_PROFIT,
	NR_KSM_COUNTERS
};

extern const char *const ksm_counter_names[NR_KSM_COUNTERS];

struct ksm_counters {
	long value[NR_KSM_COUNTERS];
};

struct host_memory {
	long available_kib;
	long anon_kib;
	long qemu_rss_kib;		/* sum over the QEMUs */
	long qemu_anon_kib;
	long qemu_pss_kib;
};

/* What the kernel says about one QEMU. */
struct qemu_memory {
	long rss_kib, pss_kib, anon_kib, ksm_kib;	/* smaps_rollup */
	long rmap_items, zero_pages, merging_pages, profit;	/* ksm_stat */
};

void ksm_read(struct ksm_counters *counters);
void host_memory_read(struct host_memory *memory);
void qemu_memory_read(const struct guest *guest, struct qemu_memory *memory);
long qemu_smaps_ksm_kib(const struct guest *guest);

/* The tracepoints, in the order of their names. */
enum ksm_event {
	EVENT_ENTER,
	EVENT_EXIT,
	EVENT_START_SCAN,
	EVENT_STOP_SCAN,
	EVENT_MERGE_ONE_PAGE,
	EVENT_MERGE_WITH_KSM_PAGE,
	EVENT_REMOVE_KSM_PAGE,
	EVENT_REMOVE_RMAP_ITEM,
	EVENT_ADVISOR,
	NR_EVENTS
};

extern const char *const event_names[NR_EVENTS];
void events_start(void);
void events_read(long *count);

/* report.c */
struct result {
	struct host_memory before, merged, after;
	struct ksm_counters counters;	/* when they stood still */
	struct qemu_memory qemu[MAX_GUESTS];
	long smaps_ksm_kib;
	long events[NR_EVENTS];
	double boot_s, merge_s, unmerge_s;
	double ksmd_s;			/* CPU time until they stood still */
};

void table_head(void);
void table_row(double seconds, const struct ksm_counters *counters,
	       double cpu_percent, long total_kib);
void summary(const struct result *result);
void print_json(const struct result *result, const char *verdict);

#endif
