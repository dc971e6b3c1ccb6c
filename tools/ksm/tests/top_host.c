// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "history.h"
#include "root.h"
#include "top_host.h"

#define PAGES(mib)	((mib) * 256LL)
#define PAGE		4096LL
#define TICK_S		2

/* 29 Nov 2026 15:40:12 UTC */
#define NOW_S		1795966812LL
#define UPTIME_S	1777200LL

/**
 * struct guest - a process
 * @pid:     its PID
 * @comm:    its name
 * @cgroup:  its control group
 * @rss:     resident memory in MiB
 * @tracked: of that under observation
 * @merged:  of that merged
 * @zero:    mapped to the zero page, in MiB
 * @copies:  merged pages that it wrote to, per second
 * @age:     since when it is there, in s
 */
struct guest {
	int pid;
	const char *comm;
	const char *cgroup;
	int rss;
	int tracked;
	int merged;
	int zero;
	int copies;
	int age;
};

#define MACHINE(nr, name) \
	"/machine.slice/machine-qemu\\x2d" #nr "\\x2d" name ".scope/libvirt"
#define SHOP	"/machine.slice/systemd-nspawn@shop.service/payload"
#define PHP	"/system.slice/php8.2-fpm.service"

static const struct guest guests[] = {
	{ 2101, "qemu-system-x86", MACHINE(1, "web01"),
	  3987, 3960, 1720, 38, 3, 1700000 },
	{ 2184, "qemu-system-x86", MACHINE(2, "web02"),
	  3891, 3872, 1655, 41, 2, 1700000 },
	{ 2260, "qemu-system-x86", MACHINE(3, "web03"),
	  3902, 3880, 1689, 44, 1, 1700000 },
	{ 2377, "qemu-system-x86", MACHINE(4, "db01"),
	  15940, 15912, 402, 17, 0, 1700000 },
	{ 2455, "qemu-system-x86", MACHINE(5, "build01"),
	  7712, 7690, 611, 52, 2900, 1700000 },
	{ 9034, "qemu-system-x86", MACHINE(7, "test01"),
	  1210, 1188, 0, 0, 0, 49 },
	{ 3102, "apache2", SHOP, 212, 171, 63, 2, 0, 800000 },
	{ 3110, "apache2", SHOP, 188, 150, 61, 2, 1, 800000 },
	{ 3140, "mariadbd", SHOP, 640, 612, 0, 0, 0, 800000 },
	{ 4011, "php-fpm8.2", PHP, 96, 71, 43, 4, 2, 400000 },
	{ 4012, "php-fpm8.2", PHP, 94, 70, 42, 4, 1, 400000 },
	{ 4013, "php-fpm8.2", PHP, 101, 77, 44, 4, 2, 400000 },
	{ 4014, "php-fpm8.2", PHP, 88, 64, 41, 4, 0, 400000 },
	{ 5520, "jupyter", "/user.slice/user-1000.slice/session-8.scope",
	  1310, 1290, 0, 0, 0, 90000 },
};

static int failed;

static void make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			failed = errno;
		*slash = '/';
	}
}

/* Write a file below the root that was set. */
__attribute__((format(printf, 2, 3)))
static void put(const char *path, const char *fmt, ...)
{
	char full[KSM_PATH_MAX];
	va_list args;
	FILE *file;

	if (ksm_root_path(full, sizeof(full), "/%s", path)) {
		failed = ENAMETOOLONG;
		return;
	}
	make_parents(full);
	file = fopen(full, "w");
	if (!file) {
		failed = errno;
		return;
	}
	va_start(args, fmt);
	vfprintf(file, fmt, args);
	va_end(args);
	fclose(file);
}

static void put_of(int pid, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "proc/%d/%s", pid, name);
	put(path, "%s", text);
}

static void put_stat(int pid, const char *comm, unsigned int flags,
		     int64_t start_ticks)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "%d (%s) S 1 %d %d 0 -1 %u 0 0 0 0 50 50 0 0 20 0 1 0 %" PRId64
		 " 0 0\n", pid, comm, pid, pid, flags, start_ticks);
	put_of(pid, "stat", text);
}

/* What book-keeping is thought to take: 12 bytes for each page */
static int64_t cost_of(const struct guest *guest)
{
	return PAGES(guest->tracked) * 12;
}

static int64_t profit_of(const struct guest *guest)
{
	return PAGES(guest->merged + guest->zero) * PAGE - cost_of(guest);
}

static void put_ksm_stat(const struct guest *guest, int64_t uptime_s,
			 enum top_host_kind kind)
{
	char text[512];
	int len;

	len = snprintf(text, sizeof(text),
		       "ksm_rmap_items %lld\nksm_zero_pages %lld\n"
		       "ksm_merging_pages %lld\nksm_process_profit %" PRId64
		       "\n", PAGES(guest->tracked), PAGES(guest->zero),
		       PAGES(guest->merged), profit_of(guest));
	if (kind != TOP_HOST_STOCK)
		snprintf(text + len, sizeof(text) - len,
			 "ksm_merge_any: no\nksm_mergeable: yes\n"
			 "ksm_cow %" PRId64 "\nksm_thp_split 0\n",
			 (uptime_s - 1000000) * guest->copies);
	put_of(guest->pid, "ksm_stat", text);
}

static void put_guest(const struct guest *guest, int64_t uptime_s,
		      enum top_host_kind kind)
{
	char text[256];

	put_stat(guest->pid, guest->comm, 0x400100,
		 (UPTIME_S - guest->age) * 100);
	snprintf(text, sizeof(text), "%lld %lld 0 0 0 0 0\n",
		 PAGES(guest->rss + 200), PAGES(guest->rss));
	put_of(guest->pid, "statm", text);
	snprintf(text, sizeof(text), "0::%s\n", guest->cgroup);
	put_of(guest->pid, "cgroup", text);
	put_ksm_stat(guest, uptime_s, kind);
	put_of(guest->pid, "smaps",
	       "55d1c0a00000-55d1c1400000 r-xp 00000000 fd:00 5021 "
	       "/usr/bin/qemu-system-x86_64\nRss: 7200 kB\nKSM: 0 kB\n"
	       "VmFlags: rd ex mr mw me\n"
	       "7f2a40000000-7f2b40000000 rw-p 00000000 00:00 0\n"
	       "Rss: 4078592 kB\nKSM: 1761280 kB\n"
	       "VmFlags: rd wr mr mw me ac dd mg hg\n");
}

static void put_system(int64_t uptime_s)
{
	put("proc/uptime", "%" PRId64 ".00 %" PRId64 ".00\n", uptime_s,
	    12 * uptime_s);
	put("proc/stat", "btime %lld\n", NOW_S - UPTIME_S);
	put("proc/meminfo", "MemTotal: 65788244 kB\nMemFree: 1402000 kB\n"
	    "MemAvailable: 3040870 kB\nSwapTotal: 4194300 kB\n"
	    "SwapFree: 1048576 kB\n");
	put("proc/vmstat", "cow_ksm %" PRId64 "\nksm_swpin_copy 0\n",
	    2912 * uptime_s);
	put("proc/sys/kernel/hostname", "kvm07\n");
	put("proc/sys/kernel/osrelease", "6.12.117\n");
	put("proc/sys/kernel/random/boot_id",
	    "c1f6b3a4-6f0e-4f43-9a52-0d6a52a1ee01\n");
	put("sys/devices/system/node/has_memory", "0\n");
}

static void put_ksmd(int64_t uptime_s)
{
	put_stat(57, "ksmd", 0x208040, 30);
	/* 9 ms in each second */
	put("proc/57/schedstat", "%" PRId64 " 0 0\n", uptime_s * 9000000);
}

static void knob(const char *name, int64_t value)
{
	char path[96];

	snprintf(path, sizeof(path), "sys/kernel/mm/ksm/%s", name);
	put(path, "%" PRId64 "\n", value);
}

static void put_knobs(void)
{
	knob("run", 1);
	knob("pages_to_scan", 100);
	knob("sleep_millisecs", 20);
	knob("merge_across_nodes", 1);
	knob("max_page_sharing", 256);
	knob("use_zero_pages", 1);
	knob("smart_scan", 1);
	put("sys/kernel/mm/ksm/advisor_mode", "[none] scan-time\n");
}

/**
 * struct sums - over all guests, in pages
 * @merged:  mapped to pages of KSM
 * @zero:    mapped to the zero page
 * @tracked: under observation
 * @cost:    of book-keeping, in bytes
 */
struct sums {
	int64_t merged;
	int64_t zero;
	int64_t tracked;
	int64_t cost;
};

static struct sums add_up(size_t nr)
{
	struct sums sums = { 0 };

	for (size_t i = 0; i < nr; i++) {
		sums.merged += PAGES(guests[i].merged);
		sums.zero += PAGES(guests[i].zero);
		sums.tracked += PAGES(guests[i].tracked);
		sums.cost += cost_of(&guests[i]);
	}
	return sums;
}

static void put_counters(size_t nr, int64_t uptime_s, enum top_host_kind kind)
{
	struct sums sums = add_up(nr);
	/* three mappings of each page, more or less */
	int64_t shared = sums.merged / 3;

	knob("pages_shared", shared);
	knob("pages_sharing", sums.merged - shared);
	knob("pages_unshared", sums.tracked - sums.merged);
	knob("pages_volatile", 0);
	knob("ksm_zero_pages", sums.zero);
	knob("general_profit", kind == TOP_HOST_WASTE ? -150000000 :
	     (sums.merged - shared + sums.zero) * PAGE - sums.cost);
	knob("full_scans", nr ? uptime_s / 41 : 0);
	knob("pages_scanned", nr ? uptime_s * 1900 : 0);
	knob("pages_skipped", nr ? uptime_s * 200000 : 0);
	knob("stable_node_chains", 0);
	knob("stable_node_dups", 0);
	if (kind == TOP_HOST_STOCK)
		return;
	knob("scan_pages", nr ? sums.tracked * 38 / 100 : 0);
	knob("last_scan_millisecs", nr ? 41000 : 0);
	knob("thp_split", 214);
	knob("thp_kept", 1902);
}

static void make_moment(const char *dir, int64_t uptime_s,
			enum top_host_kind kind)
{
	size_t nr = kind == TOP_HOST_EMPTY ? 0 : ARRAY_SIZE(guests);

	ksm_root_set(dir);
	put_system(uptime_s);
	if (kind == TOP_HOST_NO_KSM)
		return;
	put_ksmd(uptime_s);
	put_knobs();
	put_counters(nr, uptime_s, kind);
	for (size_t i = 0; i < nr; i++)
		put_guest(&guests[i], uptime_s, kind);
}

/* Half an hour ago two guests were started again; that took ksmd some time. */
static double part_merged(int minute)
{
	return minute < 28 ? 1.02 - 0.12 * exp(-minute / 6.0) :
			     1 - 0.44 * exp(-(minute - 28) / 7.0);
}

static double percent_of_cpu(int minute)
{
	return minute < 28 ? 0.9 + 4 * exp(-minute / 5.0) :
			     0.9 + 11 * exp(-(minute - 28) / 6.0) +
			     0.3 * sin(minute);
}

/* What "ksm record" would have written, once a minute */
static void make_past(void)
{
	struct ksm_sample now, past;
	double cpu_ns;

	if (ksm_sample_read(&now, NULL))
		failed = EIO;
	cpu_ns = now.host.ksmd_cpu_ns;
	for (int minute = 1; minute <= 59; minute++)
		cpu_ns -= percent_of_cpu(60 - minute) / 100 * 60e9;
	for (int minute = 59; minute >= 1; minute--) {
		double part = part_merged(60 - minute);

		past = now;
		past.time_ms = (NOW_S - 60 * minute) * 1000;
		past.boottime_ms = (UPTIME_S - 60 * minute) * 1000;
		past.counters.pages_sharing *= part;
		past.counters.general_profit *= part;
		past.counters.full_scans -= minute * 60 / 41;
		past.host.ksmd_cpu_ns = cpu_ns;
		cpu_ns += percent_of_cpu(60 - minute) / 100 * 60e9;
		if (ksm_history_append(KSM_HISTORY_DIR, &past))
			failed = EIO;
	}
}

/**
 * top_host_make() - make a host
 * @dir:  where; is there, and empty
 * @kind: what host
 *
 * Return: 0, or -errno
 */
int top_host_make(const char *dir, enum top_host_kind kind)
{
	char now[KSM_PATH_MAX / 2], before[KSM_PATH_MAX / 2];

	failed = 0;
	snprintf(now, sizeof(now), "%s/" TOP_HOST_NOW, dir);
	snprintf(before, sizeof(before), "%s/" TOP_HOST_BEFORE, dir);
	make_moment(before, UPTIME_S - TICK_S, kind);
	make_moment(now, UPTIME_S, kind);
	if (kind == TOP_HOST_FULL || kind == TOP_HOST_WASTE)
		make_past();
	ksm_root_set("");
	return -failed;
}
