// SPDX-License-Identifier: GPL-2.0
/*
 * NUMA nodes, and moving pages between them.
 */
#include <errno.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "end.h"
#include "files.h"
#include "memory.h"
#include "numa.h"

int ksys_stay_on_this_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	return sched_setaffinity(0, sizeof(one), &one) ? -errno : 0;
}

/* "0-1,3" */
static int parse_list(const char *text, int *out, int max)
{
	int n = 0;

	while (*text >= '0' && *text <= '9') {
		long from, to;
		char *end;

		from = strtol(text, &end, 10);
		to = from;
		if (*end == '-')
			to = strtol(end + 1, &end, 10);
		for (; from <= to && n < max; from++)
			out[n++] = from;
		text = *end == ',' ? end + 1 : end;
	}
	return n;
}

int ksys_nodes(int *nodes, int max)
{
	char buf[256];

	if (ksys_read("/sys/devices/system/node/has_memory", buf,
		      sizeof(buf)) < 0)
		return 0;
	return parse_list(buf, nodes, max);
}

const char *ksys_two_nodes(int nodes[2])
{
	int all[KSYS_MAX_NODES], n;

	n = ksys_nodes(all, KSYS_MAX_NODES);
	if (!n)
		return "kernel without CONFIG_NUMA";
	if (n < 2)
		return "machine with one memory node";
	nodes[0] = all[0];
	nodes[1] = all[1];
	if (syscall(SYS_move_pages, 0, 0, NULL, NULL, NULL, 0) < 0 &&
	    errno == ENOSYS)
		return "kernel without CONFIG_MIGRATION";
	return NULL;
}

int ksys_page_node(pid_t pid, const void *addr)
{
	void *pages[1] = { (void *)addr };
	int status = -EIO;

	if (syscall(SYS_move_pages, pid, 1UL, pages, NULL, &status, 0) < 0)
		return -errno;
	return status;
}

int ksys_move_page(pid_t pid, const void *addr, int node)
{
	void *pages[1] = { (void *)addr };
	int status = -EIO;

	if (syscall(SYS_move_pages, pid, 1UL, pages, &node, &status,
		    MPOL_MF_MOVE_ALL) < 0)
		return -errno;
	return status;
}

size_t ksys_move_range(pid_t pid, const void *addr, size_t pages, int node)
{
	void **list = calloc(pages, sizeof(*list));
	int *nodes = calloc(pages, sizeof(*nodes));
	int *status = calloc(pages, sizeof(*status));
	size_t i, failed = 0;

	if (!list || !nodes || !status)
		ksm_die("out of memory");
	for (i = 0; i < pages; i++) {
		list[i] = ksys_page(addr, i);
		nodes[i] = node;
		status[i] = -EIO;
	}
	if (syscall(SYS_move_pages, pid, pages, list, nodes, status,
		    MPOL_MF_MOVE_ALL) < 0)
		ksm_die("move_pages: %s", strerror(errno));
	for (i = 0; i < pages; i++)
		failed += ksys_page_node(pid, list[i]) != node;
	free(list);
	free(nodes);
	free(status);
	return failed;
}

void ksys_bind(void *addr, size_t pages, int node)
{
	unsigned long mask[KSYS_MAX_NODES / (8 * sizeof(long)) + 1] = { 0 };

	mask[node / (8 * sizeof(long))] |= 1UL << (node % (8 * sizeof(long)));
	if (syscall(SYS_mbind, addr, pages * ksm_page_size(), MPOL_BIND, mask,
		    sizeof(mask) * 8, 0))
		ksm_die("mbind to node %d: %s", node, strerror(errno));
}

long ksys_migrate_process(pid_t pid, int from, int to)
{
	unsigned long old = 1UL << from, new = 1UL << to;
	long ret;

	ret = syscall(SYS_migrate_pages, pid, sizeof(old) * 8, &old, &new);
	return ret < 0 ? -errno : ret;
}
