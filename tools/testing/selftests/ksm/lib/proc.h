/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files of /proc about a process (pid 0 is the caller), the kernel and ksmd
 */
#ifndef KSM_LIB_PROC_H
#define KSM_LIB_PROC_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct ksm_stat {
	long rmap_items;
	long zero_pages;
	long merging_pages;
	long process_profit;
	int merge_any;		/* 1 yes, 0 no, -1 line missing */
	int mergeable;		/* 1 yes, 0 no, -1 line missing */
	long cow;		/* -1: line missing, as of the next */
	long thp_split;
};

int ksm_stat(pid_t pid, struct ksm_stat *st);		/* 0 or -errno */
long ksm_merging_pages(pid_t pid);			/* or -errno */

struct ksm_vma {
	unsigned long start;
	unsigned long end;
	char perms[8];
	unsigned long rss_kb;
	unsigned long pss_kb;
	unsigned long anonymous_kb;
	long ksm_kb;		/* -1: no such line */
	unsigned long swap_kb;
	unsigned long locked_kb;
	unsigned long anon_huge_kb;
	char flags[256];	/* text after "VmFlags:", ends with a space */
};

/* The VMA of smaps that holds addr: 0, or -ENOENT. */
int ksm_vma(pid_t pid, const void *addr, struct ksm_vma *vma);
bool ksm_vma_flag(pid_t pid, const void *addr, const char *flag);

/* VMAs that overlap [addr, addr + len), from /proc/PID/maps. */
int ksm_vma_count(pid_t pid, const void *addr, size_t len);

/*
 * How many kB of this mapping are KSM pages by smaps, which unlike the flag in
 * kpageflags never mistakes pages shared by a fork for them.
 */
long ksm_smaps_kb(const void *addr);

/* How many kB of this mapping are mapped by PMD. */
unsigned long ksys_thp_kb(const void *addr);

/* A line of /proc/vmstat, or -1 if this kernel has no such line. */
long ksm_vmstat(const char *name);

/* The pid of ksmd, found by its name; -ESRCH if there is none. */
pid_t ksm_ksmd_pid(void);

/* CPU time it has used, in clock ticks. */
long ksm_ksmd_ticks(void);

#endif /* KSM_LIB_PROC_H */
