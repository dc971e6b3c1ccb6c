/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the KSM selftests need from the rest of the kernel: cases run one by
 * one in processes of their own, and access to NUMA nodes, swap, control
 * groups, memory blocks, huge pages and poisoned pages.
 *
 * A function here that finds a kernel feature missing returns the reason as
 * text, to be given to ksm_skip_all() or ksys_skip(); NULL means all is well.
 */
#ifndef KSM_SYS_H
#define KSM_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* --- Cases --------------------------------------------------------------- */

struct ksys_case {
	const char *name;
	void (*fn)(void);	/* returning is passing */
};

/*
 * Print the plan, run every case in a forked process (a process group of its
 * own, killed as a whole when the case is over), report one TAP result each
 * and end the program.  A case starts with ksm_fresh(false).
 */
void ksys_main(const struct ksys_case *cases, size_t nr)
	__attribute__((noreturn));

/* Unless ok: print what failed and end this process with a failure. */
void ksys_must(bool ok, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The same, naming the function and line that insisted. */
#define must(cond) \
	ksys_must((cond), "%s:%d: %s\n", __func__, __LINE__, #cond)
#define must_eq(a, b) \
	ksys_must_eq((long long)(a), (long long)(b), #a, #b, __func__, __LINE__)

void ksys_must_eq(long long a, long long b, const char *ta, const char *tb,
		  const char *func, int line);

/* End this case: it cannot run here, for this reason. */
void ksys_skip(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/* Milliseconds of work a stress case may do. */
unsigned int ksys_budget_ms(void);

/* --- Files --------------------------------------------------------------- */

/* Whole file as a string; length or -errno. */
ssize_t ksys_read(const char *path, char *buf, size_t size);
int ksys_write(const char *path, const char *text);	/* 0 or -errno */

/* The number a file starts with (after base 0 prefix), or -errno. */
long ksys_read_long(const char *path);

/* Mount debugfs where it belongs unless it is there; 0 or -errno. */
int ksys_debugfs(void);

/* --- Page counters ------------------------------------------------------- */

/* True if addr[i] and other[i] are the same KSM page, for every i. */
bool ksys_same_pages(const void *addr, const void *other, size_t pages);

/* True if no page of the range is a KSM page. */
bool ksys_none_merged(const void *addr, size_t pages);

/* Address of page i of a range. */
void *ksys_page(const void *addr, size_t i);

/*
 * Map copies of the same pages (page i has content seed + i), wait until they
 * are merged, check the counters.
 */
void ksys_merge_pair(size_t pages, uint64_t seed, char **a, char **b);

/*
 * After a storm two passes may not be enough: a page that was busy when ksmd
 * came by has to wait.  Scan until the counters are these, five times at most.
 */
bool ksys_settle(long shared, long sharing, long unshared);

/* --- NUMA ---------------------------------------------------------------- */

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

/* New pages of this range come from this node only; fatal on failure. */
void ksys_bind(void *addr, size_t pages, int node);

/* migrate_pages(2), every mapping: pages that could not be moved, -errno. */
long ksys_migrate_process(pid_t pid, int from, int to);

/* --- Swap and control groups --------------------------------------------- */

/*
 * Make a zram device of this size, format it and swap to it in preference to
 * any other; it is taken down when the program ends.
 */
const char *ksys_swap_setup(size_t bytes);
int ksys_swapoff(void);		/* 0 or -errno */
int ksys_swapon(void);		/* again; 0 or -errno */

/* Name of the block device that zram provides, for other uses; or reason. */
const char *ksys_zram_setup(size_t bytes, char *dev, size_t size);

/*
 * Put the caller and what it forks into a control group of its own, from
 * which memory can be reclaimed; it is removed when the program ends.
 */
const char *ksys_cgroup_setup(void);

/* Both, with so much swap; skips all cases if that is not possible. */
void ksys_reclaim_setup(size_t swap_bytes);

/* How much memory the group uses. */
size_t ksys_cgroup_bytes(void);

/* No more than that, and no swap; 0: as before.  Returns 0 or -errno. */
int ksys_cgroup_limit(size_t bytes);

/*
 * Ask for reclaim until none of these pages is present; -1 on timeout.  With
 * run=0 only.  What is unmapped is not yet gone: a KSM page may stay in the
 * swap cache as what it was, while it is written or in somebody's batch.
 * Returns how many of them seem to be there, after a little time for them.
 */
long ksys_swap_out(const void *addr, size_t pages);

/* One round of reclaim from the group, whatever comes of it. */
void ksys_reclaim(size_t bytes);

/* How many pages of the range are swapped out right now. */
size_t ksys_count_swapped(const void *addr, size_t pages);

/* --- Memory blocks ------------------------------------------------------- */

/* Bytes of one block, or 0 if memory cannot be put offline. */
unsigned long ksys_block_size(void);

/* Block that holds this page frame. */
long ksys_block_of(unsigned long pfn);

/* Online and in ZONE_MOVABLE? */
bool ksys_block_movable(long block);
bool ksys_block_online(long block);

/*
 * Map pages (not touched yet) for which the kernel will take frames of
 * ZONE_MOVABLE first, if there are any blocks of it; else NULL.
 */
char *ksys_map_movable(size_t pages);

/* Write "online_movable" or "offline"; 0 or -errno. */
int ksys_block_set(long block, bool online);

/* --- Huge pages ---------------------------------------------------------- */

/* Size of a PMD-mapped huge page, or 0 if there are none here. */
size_t ksys_thp_size(void);

/*
 * Set a file of /sys/kernel/mm/transparent_hugepage, until the process that
 * was the first to set one ends or restores them.  A case that sets any has to
 * restore what it set.
 */
const char *ksys_thp_set(const char *file, const char *value);
void ksys_thp_restore(void);

/*
 * Aligned private anonymous memory between guards, MADV_HUGEPAGE, filled page
 * by page; NULL if the kernel did not give huge pages.
 */
char *ksys_map_thp(size_t huge, uint64_t seed, uint64_t step);

/*
 * How many kB of this mapping are KSM pages by smaps, which unlike the flag in
 * kpageflags never mistakes pages shared by a fork for them.
 */
long ksys_ksm_kb(const void *addr);

/* How many kB of this mapping are mapped by PMD. */
unsigned long ksys_thp_kb(const void *addr);

/* --- Poison -------------------------------------------------------------- */

/* Give a page frame back that a test poisoned, where that is possible. */
void ksys_unpoison(unsigned long pfn);

#endif /* KSM_SYS_H */
