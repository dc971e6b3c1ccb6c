// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "knobs.h"
#include "lines.h"
#include "log.h"
#include "procfs.h"
#include "root.h"
#include "sense.h"

struct memory {
	ksm_figure total;
	ksm_figure free;
	ksm_figure buffers;
	ksm_figure cached;
};

static const struct ksm_field meminfo[] = {
	KSM_FIELD(struct memory, total, "MemTotal", 1),
	KSM_FIELD(struct memory, free, "MemFree", 1),
	KSM_FIELD(struct memory, buffers, "Buffers", 1),
	KSM_FIELD(struct memory, cached, "Cached", 1),
};

static void read_memory(struct tuned_input *input)
{
	FILE *file = ksm_root_open("/proc/meminfo");
	struct memory memory;

	ksm_lines_read(file, meminfo, ARRAY_SIZE(meminfo),
		       &memory);
	if (file)
		fclose(file);
	input->total_kib = memory.total;
	input->free_kib = fig_add(memory.free,
				  fig_add(memory.buffers, memory.cached));
}

/**
 * tuned_is_guest_line() - does a mapping tell of a virtual machine?
 * @line: a line of /proc/PID/maps
 *
 * A program that runs guests by KVM has the state of each virtual CPU mapped.
 * Names of files begin with a slash, so a name cannot pretend that.
 *
 * Return: whether it does
 */
bool tuned_is_guest_line(const char *line)
{
	static const char vcpu[] = "anon_inode:kvm-vcpu";
	int name = 0;

	/* addresses, mode, offset, device, inode; then the name */
	if (sscanf(line, "%*s %*s %*s %*s %*s %n", &name) < 0)
		return false;
	return name && !strncmp(line + name, vcpu, strlen(vcpu));
}

/* 1 if it runs guests, 0 if not, or -errno */
static int is_guest(int pid)
{
	FILE *file = ksm_root_open("/proc/%d/maps", pid);
	char *line = NULL;
	size_t size = 0;
	int found = 0;

	if (!file)
		return -errno;
	while (!found && getline(&line, &size, file) > 0)
		found = tuned_is_guest_line(line);
	free(line);
	fclose(file);
	return found;
}

static void look_at(struct tuned_guests *guests, int pid)
{
	ksm_figure rss = ksm_proc_rss_pages(pid);
	struct ksm_proc_stat stat;
	int64_t kib;
	int found;

	/* threads of the kernel have none */
	if (!fig_known(rss) || rss <= 0)
		return;
	found = is_guest(pid);
	if (found == -EACCES || found == -EPERM)
		guests->unreadable++;
	if (found <= 0)
		return;
	kib = rss * (sysconf(_SC_PAGESIZE) / 1024);
	guests->kib += kib;
	guests->count++;
	if (!ksm_proc_stat(pid, &stat))
		log_say(LOG_DEBUG, "guest pid=%d comm=%s rss_kib=%lld", pid,
			stat.comm, (long long)kib);
}

/**
 * tuned_guests_read() - find processes that run virtual machines
 * @guests: result
 */
void tuned_guests_read(struct tuned_guests *guests)
{
	struct ksm_proc_list list;
	int pid;

	guests->kib = KSM_UNKNOWN;
	guests->count = 0;
	guests->unreadable = 0;
	if (ksm_proc_open(&list))
		return;
	guests->kib = 0;
	while ((pid = ksm_proc_next(&list)) > 0)
		look_at(guests, pid);
	ksm_proc_close(&list);
}

/**
 * tuned_sense() - read all that a decision needs of the system
 * @input:  result, but for npages and cause
 * @guests: result
 */
void tuned_sense(struct tuned_input *input, struct tuned_guests *guests)
{
	read_memory(input);
	tuned_guests_read(guests);
	input->committed_kib = guests->kib;
	input->run = ksm_knob_read(ksm_knob_find("run"));
	input->advisor = ksm_knob_read(ksm_knob_find("advisor_mode")) ==
			 KSM_ADVISOR_SCAN_TIME;
}
