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

/* Time that the CPU had nothing to do, since boot. */
static double idle_s(void)
{
	FILE *file = fopen("/proc/uptime", "r");
	double up, idle;

	if (!file || fscanf(file, "%lf %lf", &up, &idle) != 2)
		fail("/proc/uptime: no two numbers");
	fclose(file);
	return idle;
}

/**
 * emit_sample() - the state of the host, as an event
 * @up:   guests or workers that have come up
 * @lost: of these
 */
void emit_sample(int up, int lost)
{
	struct pressure pressure;

	pressure_read(&pressure);
	emit("sample",
	     "\"guests\":%d,\"lost\":%d,\"available_kib\":%ld,\"free_kib\":%ld,"
	     "\"swap_free_kib\":%ld,\"shared\":%ld,\"sharing\":%ld,"
	     "\"volatile\":%ld,\"profit\":%ld,\"full_scans\":%ld,"
	     "\"ksmd_s\":%.3f,\"idle_s\":%.2f,\"swapped_out\":%ld,\"psi_full_us\":%ld",
	     up, lost, available_kib(),
	     file_field(MEMINFO, "MemFree"), file_field(MEMINFO, "SwapFree"),
	     file_long(KSM_DIR "pages_shared"),
	     file_long(KSM_DIR "pages_sharing"),
	     file_long(KSM_DIR "pages_volatile"),
	     file_long(KSM_DIR "general_profit"),
	     file_long(KSM_DIR "full_scans"), ksmd_cpu_s(), idle_s(),
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
