// SPDX-License-Identifier: GPL-2.0
/*
 * A control group from which memory is reclaimed, to swap for example.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../kselftest.h"
#include "clock.h"
#include "end.h"
#include "files.h"
#include "memory.h"
#include "pages.h"
#include "reclaim.h"
#include "swap.h"

static pid_t cgroup_pid;
static char cgroup_root[128];
static char cgroup_dir[192];

static void cgroup_move(const char *dir)
{
	char path[256], text[16];

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	snprintf(text, sizeof(text), "%d", getpid());
	ksys_write(path, text);
}

static void cgroup_end(void)
{
	int i;

	if (getpid() != cgroup_pid || !cgroup_dir[0])
		return;
	cgroup_move(cgroup_root);
	/* Processes killed a moment ago may still be on their way out. */
	for (i = 0; i < 200 && rmdir(cgroup_dir) && errno == EBUSY; i++)
		ksm_sleep_ms(10);
}

static bool find_cgroup2(void)
{
	char line[512], dir[128], type[32];
	bool found = false;
	FILE *f;

	f = fopen("/proc/mounts", "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %127s %31s", dir, type) == 2 &&
		    !strcmp(type, "cgroup2")) {
			snprintf(cgroup_root, sizeof(cgroup_root), "%s", dir);
			found = true;
		}
	}
	if (f)
		fclose(f);
	return found;
}

const char *ksys_cgroup_setup(void)
{
	char path[256];

	if (!find_cgroup2()) {
		if (mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL) ||
		    !find_cgroup2())
			return "kernel without cgroup 2";
	}
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", cgroup_root);
	if (ksys_write(path, "+memory"))
		return "kernel without CONFIG_MEMCG, or it serves cgroup 1";
	snprintf(cgroup_dir, sizeof(cgroup_dir), "%s/ksm-test-%d", cgroup_root,
		 getpid());
	if (mkdir(cgroup_dir, 0755)) {
		cgroup_dir[0] = '\0';
		return "cannot make a control group";
	}
	cgroup_pid = getpid();
	atexit(cgroup_end);
	snprintf(path, sizeof(path), "%s/memory.reclaim", cgroup_dir);
	if (access(path, F_OK))
		return "kernel without memory.reclaim";
	cgroup_move(cgroup_dir);
	return NULL;
}

void ksys_reclaim_setup(size_t swap_bytes)
{
	const char *why = ksys_swap_setup(swap_bytes);

	if (!why)
		why = ksys_cgroup_setup();
	if (why)
		ksm_skip_all("%s", why);
}

void ksys_reclaim(size_t bytes)
{
	char path[256], text[64];

	snprintf(path, sizeof(path), "%s/memory.reclaim", cgroup_dir);
	snprintf(text, sizeof(text), "%zu swappiness=200", bytes);
	/* EAGAIN when there was less to get than asked for. */
	ksys_write(path, text);
}

ssize_t ksys_cgroup_read(const char *file, char *buf, size_t size)
{
	char path[256];

	if (!cgroup_dir[0])
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/%s", cgroup_dir, file);
	return ksys_read(path, buf, size);
}

int ksys_cgroup_write(const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", cgroup_dir, file);
	return ksys_write(path, text);
}

void ksys_cgroup_leave(void)
{
	cgroup_move(cgroup_root);
}

size_t ksys_cgroup_bytes(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/memory.current", cgroup_dir);
	return ksys_read_long(path);
}

int ksys_cgroup_limit(size_t bytes)
{
	char path[256], text[32];
	int err;

	snprintf(path, sizeof(path), "%s/memory.swap.max", cgroup_dir);
	err = ksys_write(path, bytes ? "0" : "max");
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/memory.max", cgroup_dir);
	snprintf(text, sizeof(text), "%zu", bytes);
	return ksys_write(path, bytes ? text : "max");
}

static bool is_swapped(const void *page)
{
	uint64_t entry = ksm_pagemap(0, page);

	return (entry & KSM_PM_SWAP) && !(entry & KSM_PM_PRESENT);
}

size_t ksys_count_swapped(const void *addr, size_t pages)
{
	size_t i, n = 0;

	for (i = 0; i < pages; i++)
		n += is_swapped(ksys_page(addr, i));
	return n;
}

static bool in_swap_cache(unsigned long pfn)
{
	const uint64_t flags = KSM_KPF_KSM | KSM_KPF_SWAPCACHE;

	return (ksm_kpageflags(pfn) & flags) == flags;
}

long ksys_swap_out(const void *addr, size_t pages)
{
	uint64_t end = ksm_now_ms() + KSM_DEADLINE_MS / 4, patience = 0;
	unsigned long *pfn = calloc(pages, sizeof(*pfn));
	size_t i, left, swapped;

	if (!pfn)
		ksm_die("out of memory");
	for (i = 0; i < pages; i++)
		pfn[i] = ksm_pfn(0, ksys_page(addr, i));
	do {
		ksys_reclaim(pages * ksm_page_size());
		swapped = ksys_count_swapped(addr, pages);
		if (swapped == pages && !patience)
			patience = ksm_now_ms() + 200;
		left = 0;
		for (i = 0; i < pages; i++)
			left += pfn[i] && in_swap_cache(pfn[i]);
		if (swapped == pages && (!left || ksm_now_ms() > patience))
			break;
	} while (ksm_now_ms() < end);
	free(pfn);
	if (swapped == pages)
		return left;
	ksft_print_msg("%zu of %zu pages swapped out\n", swapped, pages);
	return -1;
}
