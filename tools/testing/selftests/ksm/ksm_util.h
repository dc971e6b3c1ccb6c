/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every KSM selftest needs: knobs, full scans, page contents, views.
 *
 * A program starts with
 *
 *	ksft_print_header();
 *	ksm_setup();
 *	ksft_set_plan(N);
 *
 * and brings KSM into a known state with ksm_fresh() before each case.
 * ksm_setup() remembers every knob; they are put back when the process that
 * called it ends, however it ends (exit, a fatal signal it can catch, a hang
 * that the watchdog cuts short).
 *
 * Functions here report no TAP result themselves.  A broken environment ends
 * the program with "Bail out!"; in a forked child it ends the child with
 * exit status 1.
 */
#ifndef KSM_UTIL_H
#define KSM_UTIL_H

#include <errno.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../kselftest.h"

#define KSM_SYSFS		"/sys/kernel/mm/ksm/"

/* How long anything may take before it counts as hung, slow machines too. */
#define KSM_DEADLINE_MS		60000U

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE	67
#define PR_GET_MEMORY_MERGE	68
#endif

/* --- Frame of a program -------------------------------------------------- */

/*
 * Check for root and for KSM (else: the whole program is skipped, with the
 * reason), save the knobs, arrange for their return, start the watchdog.
 */
void ksm_setup(void);

/* Seconds until the watchdog ends the program; ksm_setup() sets 170. */
void ksm_watchdog(unsigned int seconds);

/* Print "Bail out! ..." and exit(1); in a child a "# ..." line and _exit(1). */
void ksm_die(const char *fmt, ...)
	__printf(1, 2) __noreturn;

/*
 * Skip the whole program (exit code 4).  Only before ksft_set_plan(); for one
 * case of several use ksft_test_result_skip().
 */
void ksm_skip_all(const char *fmt, ...)
	__printf(1, 2) __noreturn;

size_t ksm_page_size(void);
__u64 ksm_now_ms(void);
void ksm_sleep_ms(unsigned int ms);

/*
 * How many times slower than an ordinary machine this one is, at least 1.
 * Under emulation about 20.  Scale work by it, or better: bound work by time.
 */
unsigned int ksm_slowness(void);

/* Poll cond(arg) until it is true (returns true) or time is out (false). */
bool ksm_poll(bool (*cond)(void *arg), void *arg, unsigned int timeout_ms);

/* --- Knobs --------------------------------------------------------------- */

bool ksm_has(const char *knob);

/* Whole text of a knob, NUL-terminated; length or -errno. */
ssize_t ksm_read_text(const char *knob, char *buf, size_t size);

/* One write(2) of exactly this text; 0 or -errno. */
int ksm_write_text(const char *knob, const char *text);

/* Numeric read and write that must work. */
long long ksm_get(const char *knob);
void ksm_set(const char *knob, unsigned long long value);

/*
 * Known state: everything unmerged, run=0, every knob at its default but
 * smart_scan as given, sleep_millisecs=0 and pages_to_scan=5000 so that scans
 * are quick.
 */
void ksm_fresh(bool smart_scan);

void ksm_run(void);		/* run=1 */
void ksm_stop(void);		/* run=0; ksmd is between batches after it */
int ksm_unmerge_all(void);	/* run=2, even if it was 2 already; 0/-errno */

/* --- Full scans ---------------------------------------------------------- */

/*
 * Wait until n passes have been made from beginning to end after the call
 * (the one under way does not count).  ksmd must be running.  0 or
 * -ETIMEDOUT.
 */
int ksm_wait_scans(unsigned int n, unsigned int timeout_ms);

/*
 * run=1, n complete passes, run=0.  A timeout is fatal, so some memory must be
 * mergeable: with nobody registered full_scans stands still.  To see the
 * counters reach zero after the last of it went, use ksm_run() and
 * ksm_wait_value().
 */
void ksm_scan(unsigned int n);

/* Poll a knob until it reads this value; true if it did. */
bool ksm_wait_value(const char *knob, long long value,
		    unsigned int timeout_ms);

/* --- Counters ------------------------------------------------------------ */

struct ksm_counters {
	long shared;		/* pages_shared */
	long sharing;		/* pages_sharing */
	long unshared;		/* pages_unshared */
	long volatiles;		/* pages_volatile */
	long zero;		/* ksm_zero_pages */
	long scanned;		/* pages_scanned */
	long skipped;		/* pages_skipped */
	long full_scans;
	long chains;		/* stable_node_chains */
	long dups;		/* stable_node_dups */
	long profit;		/* general_profit */
};

void ksm_counters(struct ksm_counters *c);

/* True if they are exactly these; otherwise says so in a "# ..." line. */
bool ksm_counts_are(long shared, long sharing, long unshared, long volatiles);

/* A line of /proc/vmstat, or -1 if this kernel has no such line. */
long ksm_vmstat(const char *name);

/* For memory that others read and write at the same time. */
#define KSM_READ(x)	__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define KSM_WRITE(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_RELAXED)

/* --- Page contents ------------------------------------------------------- */

/* A page's content is a function of its seed: random words, never zero. */
void ksm_page_fill(void *page, __u64 seed);
bool ksm_page_ok(const void *page, __u64 seed);

/*
 * Page i gets seed + i * step: step 0 makes all pages equal, step 1 makes all
 * differ.
 */
void ksm_fill(void *addr, size_t pages, __u64 seed, __u64 step);

/*
 * Check every byte of every page.  True if all are right; otherwise says in a
 * "# ..." line which page and byte is not.
 */
bool ksm_contents_ok(const void *addr, size_t pages, __u64 seed,
		     __u64 step);

/*
 * Private anonymous memory between two PROT_NONE guard pages, so that it
 * never joins a neighbour; no THP.  Not touched yet.  Fatal on failure.
 */
void *ksm_map(size_t pages);
void ksm_unmap(void *addr, size_t pages);

/* The same, filled as above and MADV_MERGEABLE. */
void *ksm_map_merge(size_t pages, __u64 seed, __u64 step);

/* madvise() that must work. */
void ksm_mergeable(void *addr, size_t pages);
void ksm_unmergeable(void *addr, size_t pages);

/* --- Views of a process; pid 0 is the caller ----------------------------- */

struct ksm_stat {
	long rmap_items;
	long zero_pages;
	long merging_pages;
	long process_profit;
	int merge_any;		/* 1 yes, 0 no, -1 line missing */
	int mergeable;		/* 1 yes, 0 no, -1 line missing */
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

/* --- Views of a page ----------------------------------------------------- */

#define KSM_BIT(nr)		(1ULL << (nr))

#define KSM_PM_SOFT_DIRTY	KSM_BIT(55)
#define KSM_PM_EXCLUSIVE	KSM_BIT(56)
#define KSM_PM_UFFD_WP		KSM_BIT(57)
#define KSM_PM_SWAP		KSM_BIT(62)
#define KSM_PM_PRESENT		KSM_BIT(63)
#define KSM_PM_PFN		(KSM_BIT(55) - 1)

#define KSM_KPF_MMAP		KSM_BIT(11)
#define KSM_KPF_ANON		KSM_BIT(12)
#define KSM_KPF_SWAPCACHE	KSM_BIT(13)
#define KSM_KPF_HWPOISON	KSM_BIT(19)
#define KSM_KPF_KSM		KSM_BIT(21)
#define KSM_KPF_THP		KSM_BIT(22)
#define KSM_KPF_ZERO_PAGE	KSM_BIT(24)

__u64 ksm_pagemap(pid_t pid, const void *addr);	/* raw entry */
unsigned long ksm_pfn(pid_t pid, const void *addr);	/* 0: not present */
__u64 ksm_kpageflags(unsigned long pfn);
long ksm_kpagecount(unsigned long pfn);

/* Is the caller's page a KSM page (not: a shared zero page)? */
bool ksm_is_merged(const void *addr);

/* How many of these pages are KSM pages, and how many different PFNs. */
size_t ksm_count_merged(const void *addr, size_t pages);
size_t ksm_count_pfns(const void *addr, size_t pages);

/* --- Children ------------------------------------------------------------ */

/*
 * A forked process and a pair of pipes.  Both sides use the same struct: what
 * one says the other hears.
 */
struct ksm_child {
	pid_t pid;		/* 0 on the child's side */
	int rfd;
	int wfd;
};

/* Fork; the child runs fn and exits with what it returns. */
void ksm_child_start(struct ksm_child *c,
		     int (*fn)(struct ksm_child *c, void *arg), void *arg);

void ksm_say(struct ksm_child *c, char what);
void ksm_say_long(struct ksm_child *c, long what);

/* The byte the other side said; -1 if it is gone, -2 on timeout. */
int ksm_hear(struct ksm_child *c);
long ksm_hear_long(struct ksm_child *c);	/* fatal if nothing comes */

/* Close the pipes, wait: exit status, or 128 + signal. */
int ksm_child_wait(struct ksm_child *c);
int ksm_child_kill(struct ksm_child *c);	/* SIGKILL, then wait */

/* --- Cases --------------------------------------------------------------- */

/*
 * A program as a table of cases, each run in a child of its own after
 * ksm_fresh(true):
 *
 *	static int test_foo(void)
 *	{
 *		if (!possible)
 *			return ksm_skip("kernel without CONFIG_FOO");
 *		CHECK(foo());
 *		return 0;
 *	}
 *	...
 *	ksm_run_cases(cases, ARRAY_SIZE(cases));
 */
struct ksm_case {
	const char *name;
	int (*fn)(void);
};

/* Say where, and leave the calling function with 1 (failed). */
#define CHECK(cond)							\
	do {								\
		if (!(cond)) {						\
			ksm_check_failed(__func__, __LINE__, #cond);	\
			return 1;					\
		}							\
	} while (0)

void ksm_check_failed(const char *func, int line, const char *cond);

/* Remember why and return 4; also from a child of ksm_in_child(). */
int ksm_skip(const char *fmt, ...) __printf(1, 2);
const char *ksm_skip_reason(void);

/* Run fn in a child: what it returned, or 128 + signal. */
int ksm_in_child(int (*fn)(void));

/* Inline because kselftest.h keeps its counters per source file. */
static inline void ksm_run_cases(const struct ksm_case *cases, size_t n)
{
	__u64 start;
	size_t i;
	int ret;

	for (i = 0; i < n; i++) {
		start = ksm_now_ms();
		ksm_fresh(true);
		ret = ksm_in_child(cases[i].fn);
		if (ret == KSFT_SKIP)
			ksft_test_result_skip("%s: %s\n", cases[i].name,
					      ksm_skip_reason());
		else
			ksft_test_result(ret == KSFT_PASS, "%s\n",
					 cases[i].name);
		ksft_print_msg("took %llu ms, status %d\n",
			       (ksm_now_ms() - start),
			       ret);
	}
}

/* --- Trace events -------------------------------------------------------- */

/* Find (or mount) tracefs; 0, or -errno if this kernel has none. */
int ksm_trace_setup(void);

/* Text of events/ksm/EVENT/format; length or -errno. */
ssize_t ksm_trace_format(const char *event, char *buf, size_t size);

/* Empty the buffer and switch on one event of the group, or all if NULL. */
int ksm_trace_start(const char *event);

/* Switch all events of the group off.  What was seen stays readable. */
void ksm_trace_stop(void);

/*
 * Lines of this event in the buffer whose text after "event: " contains
 * every given substring (NULL: not wanted).  -errno if it cannot be read,
 * -EOVERFLOW if events were lost.
 */
long ksm_trace_count(const char *event, const char *has, const char *has2);

/* Call fn for each captured line of the group, in order, until it says no. */
long ksm_trace_each(bool (*fn)(const char *event, const char *text, void *arg),
		    void *arg);

/* --- ksmd ---------------------------------------------------------------- */

/* Its pid, found by name among kernel threads; -ESRCH if there is none. */
pid_t ksm_ksmd_pid(void);

/* CPU time it has used, in clock ticks. */
long ksm_ksmd_ticks(void);

#endif /* KSM_UTIL_H */
