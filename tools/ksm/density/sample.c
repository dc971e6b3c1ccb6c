// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel says about memory, as JSON. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "density.h"

#define MEMINFO		"/proc/meminfo"

long available_kib(void)
{
	return file_field(MEMINFO, "MemAvailable");
}

/**
 * pressure_read() - the kernel's counters of memory pressure
 * @pressure: where to
 */
void pressure_read(struct pressure *pressure)
{
	static const char path[] = "/proc/pressure/memory";
	FILE *file = fopen(path, "r");
	char line[128], *total;

	pressure->swapped_out = file_field("/proc/vmstat", "pswpout");
	pressure->full_us = -1;
	while (file && fgets(line, sizeof(line), file)) {
		total = strstr(line, "total=");
		if (!strncmp(line, "full", 4) && total)
			sscanf(total, "total=%ld", &pressure->full_us);
	}
	if (pressure->full_us < 0)
		fail("%s: %s", path,
		     file ? "no \"full\"" : strerror(errno));
	fclose(file);
}

/**
 * emit_sample() - the state of the host, as an event
 */
void emit_sample(void)
{
	struct pressure pressure;

	pressure_read(&pressure);
	emit("sample",
	     "\"guests\":%d,\"lost\":%d,\"available_kib\":%ld,\"free_kib\":%ld,"
	     "\"swap_free_kib\":%ld,\"shared\":%ld,\"sharing\":%ld,"
	     "\"volatile\":%ld,\"profit\":%ld,\"full_scans\":%ld,"
	     "\"ksmd_s\":%.3f,\"swapped_out\":%ld,\"psi_full_us\":%ld",
	     fleet_size() - fleet_booting(), fleet_lost(), available_kib(),
	     file_field(MEMINFO, "MemFree"), file_field(MEMINFO, "SwapFree"),
	     file_long(KSM_DIR "pages_shared"),
	     file_long(KSM_DIR "pages_sharing"),
	     file_long(KSM_DIR "pages_volatile"),
	     file_long(KSM_DIR "general_profit"),
	     file_long(KSM_DIR "full_scans"), ksmd_cpu_s(),
	     pressure.swapped_out, pressure.full_us);
}

/**
 * emit_meminfo() - where the host's memory is, as an event
 * @when: what happened before
 */
void emit_meminfo(const char *when)
{
	static const char *const names[] = {
		"MemTotal", "MemFree", "MemAvailable", "Cached", "AnonPages",
		"Shmem", "Slab", "KernelStack", "PageTables", "SecPageTables",
		"Percpu", "SwapTotal", "SwapFree",
	};
	char text[512];
	int len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		len += snprintf(text + len, sizeof(text) - len,
				",\"%s\":%ld", names[i],
				file_field(MEMINFO, names[i]));
	emit("meminfo", "\"when\":\"%s\"%s", when, text);
}

/**
 * struct mappings - some mappings of a QEMU, KiB
 * @pss:	resident, its share of what others have, too
 * @own:	resident, and nobody else's
 * @ksm:	merged
 * @swap:	swapped out
 */
struct mappings {
	long pss;
	long own;
	long ksm;
	long swap;
};

/*
 * Add up the mappings of a process: the guest's memory, to be known by its
 * size, and all others, which are QEMU's.
 */
static bool read_smaps(pid_t pid, struct mappings *ram, struct mappings *rest)
{
	struct mappings *to = rest;
	char path[32], line[256], name[32];
	long kib;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%31[A-Za-z_]: %ld kB", name, &kib) != 2)
			continue;
		if (!strcmp(name, "Size"))
			to = kib == options.setup.mib * 1024 ? ram : rest;
		else if (!strcmp(name, "Pss"))
			to->pss += kib;
		else if (!strcmp(name, "Private_Clean") ||
			 !strcmp(name, "Private_Dirty"))
			to->own += kib;
		else if (!strcmp(name, "KSM"))
			to->ksm += kib;
		else if (!strcmp(name, "Swap"))
			to->swap += kib;
	}
	if (file)
		fclose(file);
	return file;
}

/**
 * emit_qemu_memory() - what all QEMUs together take, as an event
 */
void emit_qemu_memory(void)
{
	struct mappings ram = {}, rest = {};
	long tables_kib = 0;
	char path[32];
	int nr = 0;

	for (int i = 0; i < fleet_size(); i++) {
		snprintf(path, sizeof(path), "/proc/%d/status", fleet_pid(i));
		if (!read_smaps(fleet_pid(i), &ram, &rest))
			continue;
		tables_kib += file_field(path, "VmPTE");
		nr++;
	}
	emit("qemus",
	     "\"number\":%d,\"ram_pss_kib\":%ld,\"ram_own_kib\":%ld,"
	     "\"ram_ksm_kib\":%ld,\"ram_swap_kib\":%ld,\"qemu_pss_kib\":%ld,"
	     "\"qemu_own_kib\":%ld,\"qemu_swap_kib\":%ld,\"tables_kib\":%ld",
	     nr, ram.pss, ram.own, ram.ksm, ram.swap, rest.pss, rest.own,
	     rest.swap, tables_kib);
}
