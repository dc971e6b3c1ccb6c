// SPDX-License-Identifier: GPL-2.0-only
/*
 * make-report-host DIR: samples of a host, as "ksm record --units" would have
 * kept them in DIR/var/lib/ksm/samples on 29 and 30 November 2026.
 *
 * It is booted at 15:40 UTC and gets 40 guests, one after another.  In the
 * night all of them make their backups, which writes to pages that were merged.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "history.h"
#include "root.h"
#include "unit-history.h"

#define BEGIN_S		1795966800LL	/* 29 Nov 2026, 15:40 UTC */
#define MINUTES		1440
#define PAGE		4096
#define GIB		(1024.0 * 1024 * 1024)
#define GUESTS		40
#define GUEST_GIB	3.7

/* Minutes since the begin */
#define RUN_AT		12
#define HURRY_AT	20
#define FIRST_GUEST_AT	30
#define GUEST_EACH	4
#define CALM_AT		300
#define BACKUP_AT	690
#define BACKUP_UNTIL	738
#define DARK_AT		1050
#define DARK_UNTIL	1076

/* What goes on from sample to sample */
static struct {
	double merged_gib;
	double zero_gib;
	double tracked_gib;
	double cow;
	double scans;
	double scanned;
	double skipped;
	double cpu_ns;
	double thp_split;
} state;

static double noise(int minute, int kind)
{
	return sin(minute * 12.9898 + kind * 78.233) *
	       cos(minute * 4.1414 + kind * 3.7);
}

static int guests_at(int minute)
{
	int guests = (minute - FIRST_GUEST_AT) / GUEST_EACH + 1;

	if (minute < FIRST_GUEST_AT)
		return 0;
	return guests < GUESTS ? guests : GUESTS;
}

static bool in_backup(int minute)
{
	return minute >= BACKUP_AT && minute < BACKUP_UNTIL;
}

/* Each goes part of the way to where it would stay. */
static void approach(double *value, double target, double part)
{
	*value += (target - *value) * part;
}

static double copies_per_second(int minute)
{
	double into = minute - BACKUP_AT;

	if (in_backup(minute))
		return 155000 * fmin(1, into / 6) + 14000 * noise(minute, 1);
	return minute > HURRY_AT ? state.merged_gib * (3 + noise(minute, 2)) :
				   0;
}

static double cpu_percent(int minute, double grown_gib)
{
	double percent = 1.6 + 0.4 * noise(minute, 3);

	if (minute < RUN_AT || !guests_at(minute))
		return minute < RUN_AT ? 0 : 0.05;
	percent += fmin(70, 130 * fmax(0, grown_gib));
	return in_backup(minute) ? 58 + 6 * noise(minute, 4) : percent;
}

static void step(int minute)
{
	double all = guests_at(minute) * GUEST_GIB, before = state.merged_gib;
	double part = in_backup(minute) ? 0.075 : 0.045;
	double tilt = 1 + 0.012 * noise(minute / 40, 5);

	if (minute < RUN_AT)
		return;
	approach(&state.tracked_gib, all * 0.985, 0.12);
	approach(&state.merged_gib, in_backup(minute) ? 15 :
		 state.tracked_gib * 0.215 * tilt, part);
	approach(&state.zero_gib, in_backup(minute) ? 0.9 :
		 state.tracked_gib * 0.017, part);
	state.cow += 60 * copies_per_second(minute);
	state.cpu_ns += cpu_percent(minute, state.merged_gib - before) * 6e8;
	if (!guests_at(minute))
		return;
	state.scans += minute < CALM_AT ? 0.8 : 1.4;
	state.scanned += 60 * 12000;
	state.skipped += state.tracked_gib * GIB / PAGE;
	state.thp_split += fmax(0, state.merged_gib - before) * 30;
}

static void set_knobs(struct ksm_sample *at, int minute)
{
	at->knobs.run = minute >= RUN_AT;
	at->knobs.pages_to_scan = minute < HURRY_AT || minute >= CALM_AT ?
				  1000 : 5000;
	at->knobs.sleep_millisecs = 20;
	at->knobs.merge_across_nodes = 1;
	at->knobs.max_page_sharing = 256;
	at->knobs.use_zero_pages = 1;
	at->knobs.smart_scan = 1;
	at->knobs.advisor_mode = KSM_ADVISOR_NONE;
}

static void set_counters(struct ksm_sample *at)
{
	struct ksm_counters *to = &at->counters;
	double merged = state.merged_gib * GIB / PAGE;
	double zero = state.zero_gib * GIB / PAGE;
	double tracked = state.tracked_gib * GIB / PAGE;

	to->pages_sharing = merged;
	to->pages_shared = merged * 0.075;
	to->ksm_zero_pages = zero;
	to->pages_volatile = tracked * 0.014;
	to->pages_unshared = fmax(0, tracked - zero - 1.089 * merged);
	to->general_profit = (merged + zero) * PAGE - merged * 70 -
			     tracked * 8;
	to->full_scans = state.scans;
	to->pages_scanned = state.scanned;
	to->pages_skipped = state.skipped;
	to->scan_pages = tracked / 3;
	to->last_scan_millisecs = 43000;
	to->thp_split = state.thp_split;
	to->thp_kept = state.tracked_gib * 70;
	to->stable_node_chains = 0;
	to->stable_node_dups = 0;
}

static void set_host(struct ksm_sample *at, int minute)
{
	struct ksm_host *host = &at->host;
	double used = 6 + guests_at(minute) * GUEST_GIB - state.merged_gib -
		      state.zero_gib;

	strcpy(host->hostname, "kvm12");
	strcpy(host->release, "6.12.117");
	strcpy(host->boot_id, "5f0c9a1e-7d0b-4c55-9a53-2c8f6f1f2e40");
	host->page_bytes = PAGE;
	host->nodes = 1;
	host->mem_total_bytes = 144 * GIB;
	host->mem_available_bytes = fmax(1, 144 - used - 1) * GIB;
	host->mem_free_bytes = host->mem_available_bytes / 2;
	host->swap_total_bytes = 8 * GIB;
	host->swap_free_bytes = 7.2 * GIB;
	host->cow_ksm = state.cow;
	host->swapin_copies = 0;
	host->thp_split_page = state.thp_split;
	host->thp_collapse = 900;
	host->ksmd_cpu_ns = state.cpu_ns;
	host->ksmtuned_script = 0;
	host->by_keys = 1;
}

static void set_sums(struct ksm_sample *at, int minute)
{
	at->sums.members = guests_at(minute);
	at->sums.idle = at->sums.members > 25 ? 1 : 0;
	at->sums.unreadable = 0;
	at->sums.rss_bytes = guests_at(minute) * GUEST_GIB * GIB;
	at->sums.tracked_bytes = state.tracked_gib * GIB;
	at->sums.cow = state.cow;
}

/* What they are for; those that build are rebuilt all the time. */
static const struct {
	const char *name;
	double merged;		/* of the usual part */
	double copies;
} kinds[] = {
	{ "web", 1.2, 0.2 },
	{ "db", 0.5, 0.7 },
	{ "build", 1.3, 3.0 },
	{ "mail", 1.0, 0.1 },
};

#define NR_KINDS	((int)ARRAY_SIZE(kinds))

/* A service besides, which was stopped in the night */
#define SERVICE_UNTIL	610

static void set_unit(struct ksm_unit_sum *unit, int nr, int minute)
{
	static double copies[GUESTS];
	int guests = guests_at(minute), kind = nr % NR_KINDS;
	double part = kinds[kind].merged * (1 + 0.2 * noise(nr, 6)) / guests;
	double tracked = state.tracked_gib * GIB / guests *
			 (1 + 0.03 * noise(nr, 7));

	snprintf(unit->name, sizeof(unit->name),
		 "machine-qemu\\x2d%d\\x2d%s%02d.scope", nr + 1,
		 kinds[kind].name, nr / NR_KINDS + 1);
	unit->processes = 1;
	unit->tracked_bytes = tracked;
	unit->merged_bytes = state.merged_gib * GIB * part;
	unit->zero_bytes = state.zero_gib * GIB * part;
	unit->profit_bytes = unit->merged_bytes + unit->zero_bytes -
			     tracked * 0.0034;
	copies[nr] += 60 * copies_per_second(minute) * kinds[kind].copies /
		      guests * (1 + 0.5 * noise(nr, 8));
	unit->cow = copies[nr];
}

static int keep_units(const struct ksm_sample *at, int minute)
{
	struct ksm_unit_sum list[GUESTS + 1] = { 0 };
	struct ksm_unit_sums sums = { .list = list };
	int guests = guests_at(minute);

	for (int i = 0; i < guests; i++)
		set_unit(&list[sums.count++], i, minute);
	if (guests && minute < SERVICE_UNTIL) {
		list[sums.count] = list[0];
		list[sums.count].processes = 6;
		strcpy(list[sums.count++].name, "php8.2-fpm.service");
	}
	return ksm_unit_history_append(KSM_HISTORY_DIR, at, &sums);
}

static int keep(int minute)
{
	struct ksm_sample at;
	int err;

	memset(&at, 0, sizeof(at));
	for (size_t i = 0; i < sizeof(at.knobs) / sizeof(ksm_figure); i++)
		((ksm_figure *)&at.knobs)[i] = KSM_UNKNOWN;
	at.time_ms = (BEGIN_S + 60LL * minute) * 1000;
	at.boottime_ms = 60000LL * (minute + 1);
	at.present = true;
	set_knobs(&at, minute);
	set_counters(&at);
	set_host(&at, minute);
	set_sums(&at, minute);
	err = ksm_history_append(KSM_HISTORY_DIR, &at);
	return err ? err : keep_units(&at, minute);
}

int main(int argc, char **argv)
{
	int err = 0;

	if (argc != 2 || ksm_root_set(argv[1])) {
		fputs("Usage: make-report-host DIR\n", stderr);
		return 2;
	}
	if (mkdir(argv[1], 0755) && errno != EEXIST)
		err = -errno;
	for (int minute = 0; !err && minute <= MINUTES; minute++) {
		step(minute);
		if (minute < DARK_AT || minute >= DARK_UNTIL)
			err = keep(minute);
	}
	if (err)
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-err));
	return !!err;
}
