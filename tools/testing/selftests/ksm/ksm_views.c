// SPDX-License-Identifier: GPL-2.0
/*
 * Where merging is visible: ksm_stat and ksm_merging_pages, smaps, pagemap,
 * kpageflags, kpagecount, vmstat and the two profit counters
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/files.h"
#include "lib/ksm.h"

#define PAGES	64

/* ksm_stat of a process with 64 merged and 64 unlike pages. */
static bool stat_is(const char *path, int merge_any, int mergeable)
{
	char have[1024], want[1024];
	struct ksm_stat st;
	struct stat mode;

	if (ksys_read(path, have, sizeof(have)) <= 0 || stat(path, &mode)) {
		ksft_print_msg("%s: %s\n", path, strerror(errno));
		return false;
	}
	/* Read, print again, compare: nothing but this format survives. */
	if (ksm_stat(0, &st))
		return false;
	snprintf(want, sizeof(want),
		 "ksm_rmap_items %lu\nksm_zero_pages %ld\nksm_merging_pages %lu\nksm_process_profit %ld\nksm_merge_any: %s\nksm_mergeable: %s\nksm_cow %ld\nksm_thp_split %ld\n",
		 st.rmap_items, st.zero_pages, st.merging_pages,
		 st.process_profit, merge_any ? "yes" : "no",
		 mergeable ? "yes" : "no", st.cow, st.thp_split);
	/* Lines behind these are allowed. */
	if (strncmp(have, want, strlen(want))) {
		ksft_print_msg("%s: want \"%s\"\n", path, want);
		ksft_print_msg("have \"%s\"\n", have);
		return false;
	}
	return (mode.st_mode & 07777) == 0400;
}

static bool stat_everywhere(int merge_any, int mergeable)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%ld/ksm_stat", getpid(),
		 syscall(SYS_gettid));
	return stat_is("/proc/self/ksm_stat", merge_any, mergeable) &&
	       stat_is(path, merge_any, mergeable);
}

static void test_ksm_stat_format(void)
{
	char *map;

	CHECK(stat_everywhere(0, 0));
	map = ksm_map_merge(PAGES, 1, 0);
	CHECK(stat_everywhere(0, 1));
	ksm_scan(3);
	CHECK(stat_everywhere(0, 1));
	ksm_unmergeable(map, PAGES);
	CHECK(stat_everywhere(0, 0));
	CHECK(!prctl(PR_SET_MEMORY_MERGE, 1, 0, 0, 0));
	CHECK(stat_everywhere(1, 1));
	CHECK(!prctl(PR_SET_MEMORY_MERGE, 0, 0, 0, 0));
	CHECK(stat_everywhere(0, 0));
}

/* The lines that all kernels with CONFIG_KSM have, in this order. */
static void test_ksm_stat_values(void)
{
	unsigned long items, merging;
	char text[1024];
	long zero, profit;
	int end = 0;

	ksm_set("smart_scan", 0);
	ksm_set("use_zero_pages", 1);
	ksm_map_merge(PAGES, 2, 0);
	ksm_map_merge(PAGES, 100, 1);
	memset(ksm_map_merge(8, 0, 0), 0, 8 * ps());
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, PAGES, 0));
	CHECK(ksys_read("/proc/self/ksm_stat", text, sizeof(text)) > 0);
	CHECK(sscanf(text,
		     "ksm_rmap_items %lu\nksm_zero_pages %ld\nksm_merging_pages %lu\nksm_process_profit %ld\n%n",
		     &items, &zero, &merging, &profit, &end) == 4 && end);
	CHECK(items == 2 * PAGES);
	CHECK(zero == 8);
	CHECK(merging == PAGES);
	CHECK(profit <= (long)((PAGES + 8) * ps()));
	CHECK(profit > (long)(PAGES * ps() / 2));
	CHECK(ksys_read("/proc/self/ksm_merging_pages", text, sizeof(text)) == 3);
	CHECK(!strcmp(text, "64\n"));
	CHECK(ksys_read("/proc/thread-self/ksm_merging_pages", text,
			sizeof(text)) == 3);
}

static int sharing_child(struct ksm_child *c, void *arg)
{
	ksm_map_merge((long)arg, 3, 0);
	ksm_say(c, 'r');
	return ksm_hear(c) != 'e';
}

/* Of another process, of a kernel thread, of no process */
static void test_of_others(void)
{
	char path[64], text[256];
	struct ksm_child c;
	struct stat mode;
	uid_t other = 65534;

	ksm_child_start(&c, sharing_child, (void *)10);
	CHECK(ksm_hear(&c) == 'r');
	ksm_scan(3);
	CHECK(ksm_merging_pages(c.pid) == 10);
	CHECK(ksm_merging_pages(0) == 0);
	snprintf(path, sizeof(path), "/proc/%d/ksm_merging_pages", c.pid);
	CHECK(!stat(path, &mode) && (mode.st_mode & 07777) == 0400);
	CHECK(!seteuid(other));
	CHECK(ksys_read(path, text, sizeof(text)) == -EACCES);
	CHECK(!seteuid(0));
	ksm_say(&c, 'e');
	CHECK(ksm_child_wait(&c) == 0);
	CHECK(ksys_read(path, text, sizeof(text)) == -ENOENT);

	CHECK(ksm_ksmd_pid() > 0);
	snprintf(path, sizeof(path), "/proc/%d/ksm_stat", ksm_ksmd_pid());
	CHECK(ksys_read(path, text, sizeof(text)) == 0);
	snprintf(path, sizeof(path), "/proc/%d/ksm_merging_pages",
		 ksm_ksmd_pid());
	CHECK(ksys_read(path, text, sizeof(text)) == 0);
}

/* Line of smaps for the VMA at addr; previous and following line, too. */
static bool ksm_line_at(const char *path, unsigned long addr, long kb)
{
	char line[512], before[512] = "", want[64];
	unsigned long start, end;
	bool inside = false, found = false;
	FILE *f = fopen(path, "r");

	if (!f)
		return false;
	snprintf(want, sizeof(want), "KSM:            %8lu kB\n", kb);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2) {
			inside = !addr || (start <= addr && addr < end);
		} else if (inside && !strncmp(line, "KSM:", 4)) {
			found = !strcmp(line, want) &&
				!strncmp(before, "Anonymous:", 10) &&
				fgets(line, sizeof(line), f) &&
				!strncmp(line, "LazyFree:", 9);
			if (!found)
				ksft_print_msg("%s: want %s#, have %s# after %s",
					       path, want, line, before);
			break;
		}
		memcpy(before, line, sizeof(before));
	}
	fclose(f);
	return found;
}

static void test_smaps(void)
{
	char *a = ksm_map_merge(PAGES, 4, 0), *z = ksm_map(8);
	char *b = ksm_map_merge(24, 4, 0), *u = ksm_map_merge(8, 200, 1);
	long kb = ps() / 1024;
	struct ksm_vma vma;

	ksm_set("use_zero_pages", 1);
	ksm_set("smart_scan", 0);
	memset(z, 0, 8 * ps());
	ksm_mergeable(z, 8);
	CHECK(ksm_line_at("/proc/self/smaps", (unsigned long)a, 0));
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES + 24 - 1, 8, 0));
	CHECK(ksm_line_at("/proc/self/smaps", (unsigned long)a, PAGES * kb));
	CHECK(ksm_line_at("/proc/self/smaps", (unsigned long)b, 24 * kb));
	CHECK(ksm_line_at("/proc/self/smaps", (unsigned long)u, 0));
	/* A zero page belongs to no process. */
	CHECK(ksm_line_at("/proc/self/smaps", (unsigned long)z, 0));
	CHECK(ksm_line_at("/proc/self/smaps_rollup", 0, (PAGES + 24) * kb));

	/* Sharing changes Pss, but not Rss; zero pages leave both. */
	CHECK(!ksm_vma(0, a, &vma));
	CHECK(vma.rss_kb == PAGES * (unsigned long)kb);
	CHECK(vma.anonymous_kb == vma.rss_kb);
	CHECK(vma.pss_kb <= (unsigned long)kb * 3);
	CHECK(!ksm_vma(0, z, &vma));
	CHECK(vma.rss_kb == 0 && vma.anonymous_kb == 0);

	/* Written pages leave the line at once. */
	ksm_fill(a, 10, 300, 1);
	CHECK(ksm_line_at("/proc/self/smaps", (unsigned long)a,
			  (PAGES - 10) * kb));
	CHECK(ksm_contents_ok(a, 10, 300, 1));
	CHECK(ksm_contents_ok(a + 10 * ps(), PAGES - 10, 4, 0));
	CHECK(ksm_contents_ok(b, 24, 4, 0));
}

static long rss_pages(void)
{
	long size, rss = -1;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f && fscanf(f, "%ld %ld", &size, &rss) != 2)
		rss = -1;
	if (f)
		fclose(f);
	return rss;
}

/* RSS counts every mapping of a KSM page, and no zero page. */
static void test_rss(void)
{
	const long n = 2048;
	char *map = ksm_map_merge(n, 5, 0);
	long before = rss_pages(), slack = 300;

	CHECK(before > n);
	ksm_scan(3);
	CHECK(labs(rss_pages() - before) < slack);
	ksm_unmergeable(map, n);
	CHECK(labs(rss_pages() - before) < slack);
	ksm_set("use_zero_pages", 1);
	memset(map, 0, n * ps());
	ksm_mergeable(map, n);
	ksm_scan(3);
	CHECK(ksm_get("ksm_zero_pages") == n);
	CHECK(labs(rss_pages() - (before - n)) < slack);
	ksm_unmergeable(map, n);
	CHECK(labs(rss_pages() - before) < slack);
}

static void test_page_views(void)
{
	char *map = ksm_map_merge(PAGES, 6, 0);
	unsigned long pfn;
	__u64 flags;
	size_t i;

	CHECK(ksm_pagemap(0, map) & KSM_PM_EXCLUSIVE);
	ksm_scan(3);
	pfn = ksm_pfn(0, map);
	CHECK(pfn);
	for (i = 0; i < PAGES; i++) {
		__u64 entry = ksm_pagemap(0, map + i * ps());

		CHECK(entry & KSM_PM_PRESENT);
		CHECK(!(entry & KSM_PM_EXCLUSIVE));
		CHECK((entry & KSM_PM_PFN) == pfn);
	}
	flags = ksm_kpageflags(pfn);
	CHECK((flags & (KSM_KPF_KSM | KSM_KPF_ANON | KSM_KPF_MMAP)) ==
	      (KSM_KPF_KSM | KSM_KPF_ANON | KSM_KPF_MMAP));
	CHECK(!(flags & (KSM_KPF_THP | KSM_KPF_ZERO_PAGE |
			 KSM_KPF_HWPOISON)));
	CHECK(ksm_kpagecount(pfn) == PAGES);
	ksm_fill(map, 1, 400, 0);
	CHECK(ksm_kpagecount(pfn) == PAGES - 1);
	CHECK(ksm_pfn(0, map) != pfn);
	CHECK(ksm_pagemap(0, map) & KSM_PM_EXCLUSIVE);
	CHECK(ksm_contents_ok(map + ps(), PAGES - 1, 6, 0));
}

/* An ordinary page is not called a KSM page, flagged or not. */
static void test_kpageflags_ordinary(void)
{
	char *map = ksm_map_merge(2, 500, 1), *plain = ksm_map(1);
	char *gone = ksm_map_merge(4, 9, 0);

	ksm_fill(plain, 1, 600, 0);
	ksm_scan(3);
	CHECK(ksm_kpageflags(ksm_pfn(0, gone)) & KSM_KPF_KSM);
	ksm_unmergeable(gone, 4);
	CHECK(!(ksm_kpageflags(ksm_pfn(0, gone)) & KSM_KPF_KSM));
	CHECK(!(ksm_kpageflags(ksm_pfn(0, map)) & KSM_KPF_KSM));
	CHECK(!(ksm_kpageflags(ksm_pfn(0, plain)) & KSM_KPF_KSM));
}

static void test_zero_page_views(void)
{
	char *map = ksm_map(PAGES), *own = ksm_map(1);
	__u64 flags;
	size_t i;

	ksm_set("use_zero_pages", 1);
	memset(map, 0, PAGES * ps());
	ksm_mergeable(map, PAGES);
	ksm_scan(3);
	CHECK(ksm_get("ksm_zero_pages") == PAGES);
	/* The page a read fault gets. */
	CHECK(!KSM_READ(own[0]));
	for (i = 0; i < PAGES; i++)
		CHECK(ksm_pfn(0, map + i * ps()) == ksm_pfn(0, own));
	flags = ksm_kpageflags(ksm_pfn(0, map));
	CHECK(flags & KSM_KPF_ZERO_PAGE);
	CHECK(!(flags & KSM_KPF_KSM));
	/* Ours, not the other one, is in the count. */
	CHECK(ksm_get("ksm_zero_pages") == PAGES);
	own[0] = 1;
	CHECK(ksm_get("ksm_zero_pages") == PAGES);
	map[0] = 1;
	CHECK(ksm_get("ksm_zero_pages") == PAGES - 1);
	for (i = 1; i < PAGES * ps(); i++)
		CHECK(!map[i]);
}

/* One count per copied page, for writes to KSM pages only. */
static void test_vmstat(void)
{
	char *map = ksm_map_merge(PAGES, 7, 0), *zero = ksm_map(8);
	long cow;

	CHECK(ksm_vmstat("cow_ksm") >= 0);
	CHECK(ksm_vmstat("ksm_swpin_copy") >= 0 ||
	      access("/proc/swaps", F_OK));
	ksm_set("use_zero_pages", 1);
	memset(zero, 0, 8 * ps());
	ksm_mergeable(zero, 8);
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	cow = ksm_vmstat("cow_ksm");
	CHECK(ksm_contents_ok(map, PAGES, 7, 0));
	CHECK(ksm_vmstat("cow_ksm") == cow);
	ksm_fill(map, 10, 700, 1);
	CHECK(ksm_vmstat("cow_ksm") == cow + 10);
	ksm_fill(map, 10, 800, 1);
	CHECK(ksm_vmstat("cow_ksm") == cow + 10);
	memset(zero, 1, 8 * ps());
	CHECK(ksm_vmstat("cow_ksm") == cow + 10);
	/* The last mapping of a KSM page is copied as well. */
	ksm_fill(map, PAGES, 900, 1);
	CHECK(ksm_vmstat("cow_ksm") == cow + PAGES);
	CHECK(ksm_contents_ok(map, PAGES, 900, 1));
}

static long cow_of(pid_t pid)
{
	struct ksm_stat st;

	return ksm_stat(pid, &st) ? -1 : st.cow;
}

/* Writes when told: how many of its first pages */
static int writing_child(struct ksm_child *c, void *arg)
{
	char *map = arg;
	long n;

	while ((n = ksm_hear_long(c)) > 0) {
		ksm_fill(map, n, 60000, 1);
		ksm_say(c, ksm_contents_ok(map, n, 60000, 1) &&
			ksm_contents_ok(ksys_page(map, n), PAGES - n, 12, 0) ?
			'y' : 'n');
	}
	return 0;
}

/* A copy is counted for the process that writes, not for the other sharers. */
static void test_cow_of_each(void)
{
	char *map = ksm_map_merge(PAGES, 12, 0);
	struct ksm_child c;
	long all;

	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));
	all = ksm_vmstat("cow_ksm");
	CHECK(cow_of(0) == 0);
	ksm_fill(map, 5, 500, 1);
	CHECK(cow_of(0) == 5);
	ksm_fill(map, 5, 12, 0);
	CHECK(cow_of(0) == 5);
	ksm_scan(3);
	CHECK(ksm_counts_are(1, PAGES - 1, 0, 0));

	/* A child begins at zero. */
	ksm_child_start(&c, writing_child, map);
	CHECK(cow_of(c.pid) == 0);
	ksm_say_long(&c, 9);
	CHECK(ksm_hear(&c) == 'y');
	CHECK(cow_of(c.pid) == 9);
	CHECK(cow_of(0) == 5);
	CHECK(ksm_contents_ok(map, PAGES, 12, 0));
	CHECK(ksm_vmstat("cow_ksm") == all + 14);

	/* To be unmerged is to be copied, too. */
	ksm_unmergeable(map, PAGES);
	CHECK(cow_of(0) == 5 + PAGES);
	CHECK(cow_of(c.pid) == 9);
	CHECK(ksm_vmstat("cow_ksm") == all + 14 + PAGES);
	CHECK(ksm_contents_ok(map, PAGES, 12, 0));
	ksm_say_long(&c, 0);
	CHECK(!ksm_child_end(&c));
}

/* What merging gains, less what it costs: bounds, not a formula. */
static void test_profit(void)
{
	const long n = 4096;
	struct ksm_counters c;
	struct ksm_stat st;
	char *map;
	long gross;

	ksm_set("smart_scan", 0);
	CHECK(ksm_get("general_profit") <= 0);
	map = ksm_map_merge(n, 8, 0);
	ksm_scan(3);
	ksm_counters(&c);
	CHECK(!ksm_stat(0, &st));
	CHECK(c.shared + c.sharing == n && st.merging_pages == n);
	gross = c.sharing * (long)ps();
	CHECK(c.profit <= gross && c.profit > gross * 9 / 10);
	gross = st.merging_pages * (long)ps();
	CHECK(st.process_profit <= gross &&
	      st.process_profit > gross * 9 / 10);
	CHECK(ksm_contents_ok(map, n, 8, 0));
	ksm_unmap(map, n);

	/* No duplicates: no profit, only the cost, and that is small. */
	map = ksm_map_merge(n, 10000, 1);
	ksm_scan(3);
	CHECK(ksm_counts_are(0, 0, n, 0));
	ksm_counters(&c);
	CHECK(!ksm_stat(0, &st));
	CHECK(c.profit <= 0 && c.profit >= -n * 128);
	CHECK(st.process_profit <= 0 && st.process_profit >= -n * 128);
	ksm_unmap(map, n);

	ksm_set("use_zero_pages", 1);
	map = ksm_map(n);
	memset(map, 0, n * ps());
	ksm_mergeable(map, n);
	ksm_scan(3);
	ksm_counters(&c);
	CHECK(!ksm_stat(0, &st));
	CHECK(c.zero == n && st.zero_pages == n && st.merging_pages == 0);
	gross = n * (long)ps();
	CHECK(c.profit <= gross && c.profit > gross * 9 / 10);
	CHECK(st.process_profit <= gross &&
	      st.process_profit > gross * 9 / 10);
}

static const struct ksm_case cases[] = {
	{ "ksm_stat: the eight lines, mode 0400", test_ksm_stat_format },
	{ "ksm_stat and ksm_merging_pages: values", test_ksm_stat_values },
	{ "of other processes and of kernel threads", test_of_others },
	{ "smaps and smaps_rollup: the KSM line", test_smaps },
	{ "resident set size", test_rss },
	{ "pagemap, kpageflags, kpagecount of merged pages",
	  test_page_views },
	{ "kpageflags of ordinary pages", test_kpageflags_ordinary },
	{ "pagemap and kpageflags of zero pages", test_zero_page_views },
	{ "vmstat: cow_ksm, ksm_swpin_copy", test_vmstat },
	{ "ksm_stat: ksm_cow", test_cow_of_each },
	{ "general_profit, ksm_process_profit", test_profit },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_ON);
}
