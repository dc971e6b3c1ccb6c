/* SPDX-License-Identifier: GPL-2.0 */
/*
 * NUMA nodes, and moving pages between them
 */
#ifndef KSM_LIB_NUMA_H
#define KSM_LIB_NUMA_H

#include <stddef.h>
#include <sys/types.h>

#define KSYS_MAX_NODES	64

/* Nodes with memory, lowest first: how many, or 0 without NUMA. */
int ksys_nodes(int *nodes, int max);

/* Two nodes with memory, or the reason why there are none. */
const char *ksys_two_nodes(int nodes[2]);

/* The node a page is on, or -errno.  pid 0 is the caller. */
int ksys_page_node(pid_t pid, const void *addr);

/* Move a page and all its mappings to a node: that node, or -errno. */
int ksys_move_page(pid_t pid, const void *addr, int node);

/* How many pages of the range did not reach the node. */
size_t ksys_move_range(pid_t pid, const void *addr, size_t pages, int node);

/* Stay on this CPU, and so prefer memory of its node; 0 or -errno. */
int ksys_stay_on_this_cpu(void);

/* New pages of this range come from this node only; fatal on failure. */
void ksys_bind(void *addr, size_t pages, int node);

/* migrate_pages(2), every mapping: pages that could not be moved, -errno. */
long ksys_migrate_process(pid_t pid, int from, int to);

#endif /* KSM_LIB_NUMA_H */
