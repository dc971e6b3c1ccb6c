/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Going through /proc, and what it says about one process.
 */
#ifndef KSM_LIB_PROCFS_H
#define KSM_LIB_PROCFS_H

#include <dirent.h>

#include "figure.h"

struct ksm_proc_list {
	DIR *dir;
};

#define KSM_COMM_MAX	64	/* 16 for processes, more for some threads */
#define KSM_UNIT_MAX	320	/* with the container it is in */

/**
 * struct ksm_proc_stat - of /proc/PID/stat
 * @comm:	 name of the program
 * @kthread:	 whether it is a thread of the kernel
 * @cpu_ticks:	 CPU time used
 * @start_ticks: when it was started; with the PID, this names a process
 */
struct ksm_proc_stat {
	char comm[KSM_COMM_MAX];
	bool kthread;
	ksm_figure cpu_ticks;
	ksm_figure start_ticks;
};

int ksm_proc_open(struct ksm_proc_list *list);
int ksm_proc_next(struct ksm_proc_list *list);
void ksm_proc_close(struct ksm_proc_list *list);

int ksm_proc_stat(int pid, struct ksm_proc_stat *stat);
ksm_figure ksm_proc_rss_pages(int pid);
void ksm_proc_unit(int pid, char *unit, size_t size);
void ksm_unit_unescape(char *name);
const char *ksm_unit_name(const char *name);

#endif
