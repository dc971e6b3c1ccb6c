// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "lines.h"
#include "names.h"
#include "procfs.h"
#include "root.h"
#include "sysfs.h"

#define HOST(name, line, unit)	KSM_FIELD(struct ksm_host, name, line, unit)

static const struct ksm_field meminfo[] = {
	HOST(mem_total_bytes, "MemTotal", 1024),
	HOST(mem_free_bytes, "MemFree", 1024),
	HOST(mem_available_bytes, "MemAvailable", 1024),
	HOST(swap_total_bytes, "SwapTotal", 1024),
	HOST(swap_free_bytes, "SwapFree", 1024),
};

static const struct ksm_field vmstat[] = {
	HOST(cow_ksm, "cow_ksm", 1),
	HOST(swapin_copies, "ksm_swpin_copy", 1),
	HOST(thp_split_page, "thp_split_page", 1),
	HOST(thp_collapse, "thp_collapse_alloc", 1),
};

/* All of them, by the names they have in samples and JSON */
#define SAME(name)	HOST(name, #name, 1)

const struct ksm_field ksm_host_fields[] = {
	SAME(page_bytes),
	SAME(nodes),
	SAME(mem_total_bytes),
	SAME(mem_free_bytes),
	SAME(mem_available_bytes),
	SAME(swap_total_bytes),
	SAME(swap_free_bytes),
	SAME(cow_ksm),
	SAME(swapin_copies),
	SAME(thp_split_page),
	SAME(thp_collapse),
	SAME(ksmd_cpu_ns),
	SAME(ksmtuned_script),
	SAME(by_keys),
};

const size_t ksm_nr_host_fields = ARRAY_SIZE(ksm_host_fields);

static void read_lines(const char *path, const struct ksm_field *fields,
		       size_t count, struct ksm_host *host)
{
	FILE *file = ksm_root_open("%s", path);

	ksm_lines_read(file, fields, count, host);
	if (file)
		fclose(file);
}

/* "0-1,3" are three; a kernel without NUMA has no such file, and one node. */
static ksm_figure count_nodes(void)
{
	char text[256], *rest = text, *range;
	int from, to, read;
	ksm_figure count = 0;

	if (ksm_root_read(text, sizeof(text),
			  "/sys/devices/system/node/has_memory") < 0)
		return 1;
	while ((range = strsep(&rest, ","))) {
		read = sscanf(range, "%d-%d", &from, &to);
		if (read == 1)
			count++;
		else if (read == 2)
			count += (ksm_figure)to - from + 1;
	}
	return count > 0 ? count : KSM_UNKNOWN;
}

static void read_name(char *name, size_t size, const char *path)
{
	if (ksm_root_read(name, size, "%s", path) < 0)
		name[0] = '\0';
	ksm_name_clean(name);
}

/* schedstat counts in ns; stat, in ticks, is always there. */
static ksm_figure cpu_ns(int pid)
{
	char text[128];
	struct ksm_proc_stat stat;

	if (ksm_root_read(text, sizeof(text), "/proc/%d/schedstat", pid) > 0) {
		text[strcspn(text, " ")] = '\0';
		return ksm_parse_figure(text);
	}
	if (ksm_proc_stat(pid, &stat))
		return KSM_UNKNOWN;
	return fig_mul(stat.cpu_ticks, 1000000000 / sysconf(_SC_CLK_TCK));
}

static bool is_script(int pid, const char *name)
{
	char argv0[256], *base;

	/* the first of the strings that cmdline holds */
	if (ksm_root_read(argv0, sizeof(argv0), "/proc/%d/cmdline", pid) < 1)
		return false;
	base = strrchr(argv0, '/');
	return strcmp(base ? base + 1 : argv0, name);
}

/* The threads and daemons that matter, by what they are called */
static void find_daemons(struct ksm_host *host)
{
	struct ksm_proc_stat stat;
	struct ksm_proc_list list;
	int pid;

	host->ksmd_pid = 0;
	host->ksmtuned_script = 0;
	if (ksm_proc_open(&list)) {
		host->ksmtuned_script = KSM_UNKNOWN;
		return;
	}
	while ((pid = ksm_proc_next(&list)) > 0) {
		if (ksm_proc_stat(pid, &stat))
			continue;
		if (stat.kthread && !strcmp(stat.comm, "ksmd"))
			host->ksmd_pid = pid;
		else if (!stat.kthread && !strcmp(stat.comm, "ksmtuned") &&
			 is_script(pid, "ksmtuned"))
			host->ksmtuned_script = 1;
	}
	ksm_proc_close(&list);
}

/**
 * ksm_host_again() - read again what changes all the time
 * @host: as ksm_host_read() has left it
 *
 * This does not go through all processes.
 */
void ksm_host_again(struct ksm_host *host)
{
	read_lines("/proc/meminfo", meminfo, ARRAY_SIZE(meminfo), host);
	read_lines("/proc/vmstat", vmstat, ARRAY_SIZE(vmstat), host);
	host->ksmd_cpu_ns = host->ksmd_pid ? cpu_ns(host->ksmd_pid) :
					     KSM_UNKNOWN;
}

/**
 * ksm_host_read() - read what there is to know about the machine
 * @host: result
 */
void ksm_host_read(struct ksm_host *host)
{
	char path[KSM_PATH_MAX];

	read_name(host->hostname, sizeof(host->hostname),
		  "/proc/sys/kernel/hostname");
	read_name(host->release, sizeof(host->release),
		  "/proc/sys/kernel/osrelease");
	read_name(host->boot_id, sizeof(host->boot_id),
		  "/proc/sys/kernel/random/boot_id");
	host->page_bytes = sysconf(_SC_PAGESIZE);
	host->nodes = count_nodes();
	find_daemons(host);
	ksm_host_again(host);
	host->by_keys = !ksm_root_path(path, sizeof(path),
				       KSM_SYSFS "/scan_pages") &&
			!access(path, F_OK);
}
