// SPDX-License-Identifier: GPL-2.0
/*
 * Memory blocks, which can be put offline.
 */
#include <dirent.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "blocks.h"
#include "files.h"
#include "memory.h"
#include "numa.h"

#define MEMORY_SYSFS "/sys/devices/system/memory/"

unsigned long ksys_block_size(void)
{
	char buf[64];

	if (ksys_read(MEMORY_SYSFS "block_size_bytes", buf, sizeof(buf)) < 0)
		return 0;
	/* Hexadecimal, without a prefix. */
	return strtoul(buf, NULL, 16);
}

long ksys_block_of(unsigned long pfn)
{
	return pfn / (ksys_block_size() / ksm_page_size());
}

static ssize_t block_read(long block, const char *file, char *buf, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), MEMORY_SYSFS "memory%ld/%s", block, file);
	return ksys_read(path, buf, size);
}

bool ksys_block_online(long block)
{
	char buf[64];

	return block_read(block, "state", buf, sizeof(buf)) > 0 &&
	       !strncmp(buf, "online", 6);
}

bool ksys_block_movable(long block)
{
	char buf[64];

	return ksys_block_online(block) &&
	       block_read(block, "valid_zones", buf, sizeof(buf)) > 0 &&
	       !strncmp(buf, "Movable", 7);
}

/* Node of a block: a link in its directory; 0 where there are no nodes. */
static int block_node(long block)
{
	char path[128];
	int node;

	for (node = 0; node < KSYS_MAX_NODES; node++) {
		snprintf(path, sizeof(path), MEMORY_SYSFS "memory%ld/node%d",
			 block, node);
		if (!access(path, F_OK))
			return node;
	}
	return 0;
}

static long movable_block(void)
{
	long block = -1, n;
	struct dirent *d;
	DIR *dir;

	dir = opendir(MEMORY_SYSFS);
	while (dir && block < 0 && (d = readdir(dir))) {
		if (sscanf(d->d_name, "memory%ld", &n) == 1 &&
		    ksys_block_movable(n))
			block = n;
	}
	if (dir)
		closedir(dir);
	return block;
}

char *ksys_map_movable(size_t pages)
{
	unsigned long mask;
	long block;
	char *map;

	block = movable_block();
	if (block < 0)
		return NULL;
	map = ksm_map(pages);
	mask = 1UL << block_node(block);
	/* Preferred, not bound; ENOSYS without NUMA. */
	syscall(SYS_mbind, map, pages * ksm_page_size(), MPOL_PREFERRED, &mask,
		sizeof(mask) * 8, 0);
	return map;
}

int ksys_block_set(long block, bool online)
{
	char path[128];

	snprintf(path, sizeof(path), MEMORY_SYSFS "memory%ld/state", block);
	return ksys_write(path, online ? "online_movable" : "offline");
}
