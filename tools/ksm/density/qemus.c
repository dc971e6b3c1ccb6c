// SPDX-License-Identifier: GPL-2.0-only
/* What the QEMUs of the guests take: the guests' memory, and QEMU's own. */
#include <stdio.h>
#include <string.h>

#include "density.h"

/**
 * struct mappings - some mappings of a QEMU, KiB
 * @pss:	resident, its share of what others have, too
 * @own:	resident, and in no other process
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
