// SPDX-License-Identifier: GPL-2.0
/*
 * Shared by all KSM selftests; ksm_util.h says what each function promises.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ksm_util.h"

/* --- Frame of a program -------------------------------------------------- */

/* The order matters for the way back: nothing may be merged at first. */
static const char * const saved_knobs[] = {
	"merge_across_nodes",
	"max_page_sharing",
	"use_zero_pages",
	"smart_scan",
	"stable_node_chains_prune_millisecs",
	"sleep_millisecs",
	"advisor_mode",
	"advisor_max_cpu",
	"advisor_min_pages_to_scan",
	"advisor_max_pages_to_scan",
	"advisor_target_scan_time",
	"pages_to_scan",
	"run",
};

#define NR_SAVED ARRAY_SIZE(saved_knobs)

static char saved_text[NR_SAVED][32];
static pid_t setup_pid;

/* Shared with all children. */
static char *skip_reason;

/* open, write and close only: this also runs in a signal handler. */
static int write_path(const char *path, const char *text)
{
	ssize_t ret;
	int fd, err = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text));
	if (ret < 0)
		err = -errno;
	else if ((size_t)ret != strlen(text))
		err = -EIO;
	close(fd);
	return err;
}

static ssize_t read_path(const char *path, char *buf, size_t size)
{
	ssize_t ret, len = 0;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		ret = read(fd, buf + len, size - 1 - len);
		if (ret < 0)
			len = -errno;
		else
			len += ret;
	} while (ret > 0 && (size_t)len < size - 1);
	close(fd);
	buf[len < 0 ? 0 : len] = '\0';
	return len;
}

static void knob_path(char *path, size_t size, const char *knob)
{
	size_t len = strlen(KSM_SYSFS);

	memcpy(path, KSM_SYSFS, len);
	path[len] = '\0';
	strncat(path, knob, size - len - 1);
}

static void restore_knobs(void)
{
	char path[128];
	size_t i;

	if (getpid() != setup_pid)
		return;
	write_path(KSM_SYSFS "run", "0");
	write_path(KSM_SYSFS "run", "2");
	/* pages_to_scan refuses a value while an advisor is in charge. */
	write_path(KSM_SYSFS "advisor_mode", "none");
	for (i = 0; i < NR_SAVED; i++) {
		if (!saved_text[i][0])
			continue;
		knob_path(path, sizeof(path), saved_knobs[i]);
		write_path(path, saved_text[i]);
	}
}

static void fatal_signal(int sig)
{
	static const char hung[] = "Bail out! watchdog: this took too long\n";
	static const char other[] = "Bail out! killed by a signal\n";
	ssize_t ret;

	if (sig == SIGALRM)
		ret = write(1, hung, sizeof(hung) - 1);
	else
		ret = write(1, other, sizeof(other) - 1);
	(void)ret;
	restore_knobs();
	_exit(1);
}

void ksm_die(const char *fmt, ...)
{
	va_list ap;

	printf("%s", getpid() == setup_pid ? "Bail out! " : "# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	if (getpid() == setup_pid)
		exit(1);
	_exit(1);
}

void ksm_skip_all(const char *fmt, ...)
{
	va_list ap;

	printf("1..0 # SKIP ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	exit(KSFT_SKIP);
}

void ksm_watchdog(unsigned int seconds)
{
	alarm(seconds);
}

static void strip_newline(char *text)
{
	text[strcspn(text, "\n")] = '\0';
}

/* "[none] scan-time" -> "none" */
static void strip_choice(char *text)
{
	char *open = strchr(text, '['), *close = strchr(text, ']');

	if (!open || !close || close < open)
		return;
	*close = '\0';
	memmove(text, open + 1, strlen(open + 1) + 1);
}

void ksm_setup(void)
{
	static const int sigs[] = {
		SIGALRM, SIGTERM, SIGINT, SIGHUP, SIGSEGV, SIGBUS, SIGABRT,
	};
	struct sigaction sa = { .sa_handler = fatal_signal };
	size_t i;

	if (access(KSM_SYSFS "run", F_OK))
		ksm_skip_all("kernel without CONFIG_KSM or without sysfs");
	if (geteuid())
		ksm_skip_all("needs root");
	for (i = 0; i < NR_SAVED; i++) {
		if (!ksm_has(saved_knobs[i]))
			continue;
		if (ksm_read_text(saved_knobs[i], saved_text[i],
				  sizeof(saved_text[i])) < 0)
			ksm_die("cannot read %s", saved_knobs[i]);
		strip_newline(saved_text[i]);
		strip_choice(saved_text[i]);
	}
	skip_reason = mmap(NULL, ksm_page_size(), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (skip_reason == MAP_FAILED)
		ksm_die("mmap: %s", strerror(errno));
	setup_pid = getpid();
	atexit(restore_knobs);
	for (i = 0; i < ARRAY_SIZE(sigs); i++)
		sigaction(sigs[i], &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	ksm_watchdog(170);
}

size_t ksm_page_size(void)
{
	static size_t size;

	if (!size)
		size = sysconf(_SC_PAGESIZE);
	return size;
}

__u64 ksm_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

void ksm_sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, (ms % 1000) * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

unsigned int ksm_slowness(void)
{
	static unsigned int slow;
	__u64 start, x = 1, best = UINT64_MAX;
	int round, i;

	if (slow)
		return slow;
	/* Three million dependent steps: some 5 ms on an ordinary machine. */
	for (round = 0; round < 3; round++) {
		struct timespec a, b;

		clock_gettime(CLOCK_MONOTONIC, &a);
		for (i = 0; i < 3000000; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
		}
		clock_gettime(CLOCK_MONOTONIC, &b);
		start = (b.tv_sec - a.tv_sec) * 1000000000ULL +
			b.tv_nsec - a.tv_nsec;
		if (start < best)
			best = start;
	}
	/* Keep x alive; it is never zero. */
	slow = x ? best / 6000000 : 1;
	if (!slow)
		slow = 1;
	return slow;
}

bool ksm_poll(bool (*cond)(void *arg), void *arg, unsigned int timeout_ms)
{
	__u64 end = ksm_now_ms() + timeout_ms;

	while (!cond(arg)) {
		if (ksm_now_ms() > end)
			return false;
		ksm_sleep_ms(1);
	}
	return true;
}

/* --- Knobs --------------------------------------------------------------- */

bool ksm_has(const char *knob)
{
	char path[128];

	knob_path(path, sizeof(path), knob);
	return !access(path, F_OK);
}

ssize_t ksm_read_text(const char *knob, char *buf, size_t size)
{
	char path[128];

	knob_path(path, sizeof(path), knob);
	return read_path(path, buf, size);
}

int ksm_write_text(const char *knob, const char *text)
{
	char path[128];

	knob_path(path, sizeof(path), knob);
	return write_path(path, text);
}

long long ksm_get(const char *knob)
{
	char buf[64], *end;
	long long value;
	ssize_t len;

	len = ksm_read_text(knob, buf, sizeof(buf));
	if (len <= 0)
		ksm_die("cannot read %s: %s", knob, strerror(-len));
	value = strtoll(buf, &end, 10);
	if (end == buf || *end != '\n')
		ksm_die("%s is not a number: \"%s\"", knob, buf);
	return value;
}

void ksm_set(const char *knob, unsigned long long value)
{
	char buf[32];
	int err;

	snprintf(buf, sizeof(buf), "%llu\n", value);
	err = ksm_write_text(knob, buf);
	if (err)
		ksm_die("cannot write %llu to %s: %s", value, knob,
			strerror(-err));
}

void ksm_fresh(bool smart_scan)
{
	int err = ksm_unmerge_all();

	if (err)
		ksm_die("run=2 failed: %s", strerror(-err));
	ksm_stop();
	if (ksm_has("merge_across_nodes"))
		ksm_set("merge_across_nodes", 1);
	ksm_set("max_page_sharing", 256);
	ksm_set("use_zero_pages", 0);
	ksm_set("smart_scan", smart_scan);
	ksm_set("stable_node_chains_prune_millisecs", 2000);
	if (ksm_write_text("advisor_mode", "none"))
		ksm_die("cannot set advisor_mode to none");
	ksm_set("advisor_max_cpu", 70);
	ksm_set("advisor_min_pages_to_scan", 500);
	ksm_set("advisor_max_pages_to_scan", 30000);
	ksm_set("advisor_target_scan_time", 200);
	ksm_set("pages_to_scan", 5000);
	ksm_set("sleep_millisecs", 0);
}

void ksm_run(void)
{
	ksm_set("run", 1);
}

void ksm_stop(void)
{
	ksm_set("run", 0);
}

int ksm_unmerge_all(void)
{
	ksm_stop();
	return ksm_write_text("run", "2\n");
}

/* --- Full scans ---------------------------------------------------------- */

int ksm_wait_scans(unsigned int n, unsigned int timeout_ms)
{
	__u64 end = ksm_now_ms() + timeout_ms;
	/* The pass under way ends first. */
	long long goal = ksm_get("full_scans") + n + 1;

	while (ksm_get("full_scans") < goal) {
		if (ksm_now_ms() > end)
			return -ETIMEDOUT;
		ksm_sleep_ms(1);
	}
	return 0;
}

void ksm_scan(unsigned int n)
{
	long long before = ksm_get("full_scans");

	ksm_run();
	if (ksm_wait_scans(n, KSM_DEADLINE_MS))
		ksm_die("no %u full scans within %u s: full_scans %lld -> %lld",
			n, KSM_DEADLINE_MS / 1000, before,
			ksm_get("full_scans"));
	ksm_stop();
}

struct value_wait {
	const char *knob;
	long long value;
};

static bool value_reached(void *arg)
{
	const struct value_wait *w = arg;

	return ksm_get(w->knob) == w->value;
}

bool ksm_wait_value(const char *knob, long long value, unsigned int timeout_ms)
{
	struct value_wait w = { knob, value };

	return ksm_poll(value_reached, &w, timeout_ms);
}

/* --- Counters ------------------------------------------------------------ */

void ksm_counters(struct ksm_counters *c)
{
	c->shared = ksm_get("pages_shared");
	c->sharing = ksm_get("pages_sharing");
	c->unshared = ksm_get("pages_unshared");
	c->volatiles = ksm_get("pages_volatile");
	c->zero = ksm_get("ksm_zero_pages");
	c->scanned = ksm_get("pages_scanned");
	c->skipped = ksm_get("pages_skipped");
	c->full_scans = ksm_get("full_scans");
	c->chains = ksm_get("stable_node_chains");
	c->dups = ksm_get("stable_node_dups");
	c->profit = ksm_get("general_profit");
}

bool ksm_counts_are(long shared, long sharing, long unshared, long volatiles)
{
	struct ksm_counters c;

	ksm_counters(&c);
	if (c.shared == shared && c.sharing == sharing &&
	    c.unshared == unshared && c.volatiles == volatiles)
		return true;
	printf("# shared/sharing/unshared/volatile: want %ld/%ld/%ld/%ld, have %ld/%ld/%ld/%ld\n",
	       shared, sharing, unshared, volatiles,
	       c.shared, c.sharing, c.unshared, c.volatiles);
	return false;
}

long ksm_vmstat(const char *name)
{
	char line[128], key[64];
	long value, found = -1;
	FILE *f;

	f = fopen("/proc/vmstat", "re");
	if (!f)
		ksm_die("cannot open /proc/vmstat");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %ld", key, &value) == 2 &&
		    !strcmp(key, name))
			found = value;
	}
	fclose(f);
	return found;
}

/* --- Page contents ------------------------------------------------------- */

/* splitmix64: neighbouring seeds give unrelated streams. */
static __u64 next_word(__u64 *state)
{
	__u64 z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z ^ (z >> 31)) | 1;
}

static __u64 first_state(__u64 seed)
{
	return (seed + 1) * 0xd1342543de82ef95ULL;
}

void ksm_page_fill(void *page, __u64 seed)
{
	__u64 state = first_state(seed), *word = page;
	size_t i;

	for (i = 0; i < ksm_page_size() / sizeof(*word); i++)
		word[i] = next_word(&state);
}

/* Index of the first word that is not as it should be, or -1. */
static long page_wrong(const void *page, __u64 seed, __u64 *want)
{
	__u64 state = first_state(seed);
	const __u64 *word = page;
	size_t i;

	for (i = 0; i < ksm_page_size() / sizeof(*word); i++) {
		*want = next_word(&state);
		if (KSM_READ(word[i]) != *want)
			return i;
	}
	return -1;
}

bool ksm_page_ok(const void *page, __u64 seed)
{
	__u64 want;

	return page_wrong(page, seed, &want) < 0;
}

void ksm_fill(void *addr, size_t pages, __u64 seed, __u64 step)
{
	size_t i;

	for (i = 0; i < pages; i++)
		ksm_page_fill((char *)addr + i * ksm_page_size(),
			      seed + i * step);
}

bool ksm_contents_ok(const void *addr, size_t pages, __u64 seed,
		     __u64 step)
{
	const char *page = addr;
	__u64 want;
	size_t i;
	long word;

	for (i = 0; i < pages; i++, page += ksm_page_size()) {
		word = page_wrong(page, seed + i * step, &want);
		if (word < 0)
			continue;
		printf("# WRONG CONTENTS: page %zu of %zu at %p\n", i, pages,
		       page);
		printf("# at offset %#lx: want %#llx, have %#llx\n", word * 8,
		       want, KSM_READ(((const __u64 *)page)[word]));
		return false;
	}
	return true;
}

void *ksm_map(size_t pages)
{
	size_t ps = ksm_page_size();
	char *map;

	map = mmap(NULL, (pages + 2) * ps, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		ksm_die("mmap of %zu pages: %s", pages, strerror(errno));
	map += ps;
	/* Anew, not mprotect(): the guards keep no anon_vma in common. */
	if (mmap(map, pages * ps, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != map)
		ksm_die("mmap of %zu pages: %s", pages, strerror(errno));
	/* EINVAL only says that this kernel has no THP. */
	madvise(map, pages * ps, MADV_NOHUGEPAGE);
	return map;
}

void ksm_unmap(void *addr, size_t pages)
{
	size_t ps = ksm_page_size();

	if (munmap((char *)addr - ps, (pages + 2) * ps))
		ksm_die("munmap: %s", strerror(errno));
}

void ksm_mergeable(void *addr, size_t pages)
{
	if (madvise(addr, pages * ksm_page_size(), MADV_MERGEABLE))
		ksm_die("MADV_MERGEABLE: %s", strerror(errno));
}

void ksm_unmergeable(void *addr, size_t pages)
{
	if (madvise(addr, pages * ksm_page_size(), MADV_UNMERGEABLE))
		ksm_die("MADV_UNMERGEABLE: %s", strerror(errno));
}

void *ksm_map_merge(size_t pages, __u64 seed, __u64 step)
{
	void *map = ksm_map(pages);

	ksm_fill(map, pages, seed, step);
	ksm_mergeable(map, pages);
	return map;
}

/* --- Views of a process -------------------------------------------------- */

static FILE *proc_open(pid_t pid, const char *file)
{
	char path[64];

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	else
		snprintf(path, sizeof(path), "/proc/self/%s", file);
	return fopen(path, "re");
}

int ksm_stat(pid_t pid, struct ksm_stat *st)
{
	char line[128], key[64], value[64];
	FILE *f;

	memset(st, 0, sizeof(*st));
	st->merge_any = -1;
	st->mergeable = -1;
	f = proc_open(pid, "ksm_stat");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %63s", key, value) != 2)
			continue;
		key[strcspn(key, ":")] = '\0';
		if (!strcmp(key, "ksm_rmap_items"))
			st->rmap_items = atol(value);
		else if (!strcmp(key, "ksm_zero_pages"))
			st->zero_pages = atol(value);
		else if (!strcmp(key, "ksm_merging_pages"))
			st->merging_pages = atol(value);
		else if (!strcmp(key, "ksm_process_profit"))
			st->process_profit = atol(value);
		else if (!strcmp(key, "ksm_merge_any"))
			st->merge_any = !strcmp(value, "yes");
		else if (!strcmp(key, "ksm_mergeable"))
			st->mergeable = !strcmp(value, "yes");
	}
	fclose(f);
	return 0;
}

long ksm_merging_pages(pid_t pid)
{
	long value = -ENODATA;
	FILE *f;

	f = proc_open(pid, "ksm_merging_pages");
	if (!f)
		return -errno;
	if (fscanf(f, "%ld", &value) != 1)
		value = -ENODATA;
	fclose(f);
	return value;
}

static void vma_line(struct ksm_vma *vma, char *line)
{
	unsigned long kb;
	char key[64];

	if (!strncmp(line, "VmFlags:", 8)) {
		strip_newline(line);
		snprintf(vma->flags, sizeof(vma->flags), "%.250s ", line + 8);
		return;
	}
	if (sscanf(line, "%63[A-Za-z_]: %lu kB", key, &kb) != 2)
		return;
	if (!strcmp(key, "Rss"))
		vma->rss_kb = kb;
	else if (!strcmp(key, "Pss"))
		vma->pss_kb = kb;
	else if (!strcmp(key, "Anonymous"))
		vma->anonymous_kb = kb;
	else if (!strcmp(key, "KSM"))
		vma->ksm_kb = kb;
	else if (!strcmp(key, "Swap"))
		vma->swap_kb = kb;
	else if (!strcmp(key, "Locked"))
		vma->locked_kb = kb;
	else if (!strcmp(key, "AnonHugePages"))
		vma->anon_huge_kb = kb;
}

int ksm_vma(pid_t pid, const void *addr, struct ksm_vma *vma)
{
	unsigned long at = (unsigned long)addr, start, end;
	bool inside = false;
	char line[512], perms[8];
	FILE *f;

	memset(vma, 0, sizeof(*vma));
	vma->ksm_kb = -1;
	f = proc_open(pid, "smaps");
	if (!f)
		ksm_die("cannot open smaps: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx %7s", &start, &end, perms) == 3) {
			if (inside)
				break;
			inside = start <= at && at < end;
			if (inside) {
				vma->start = start;
				vma->end = end;
				memcpy(vma->perms, perms, sizeof(perms));
			}
		} else if (inside) {
			vma_line(vma, line);
		}
	}
	fclose(f);
	return inside ? 0 : -ENOENT;
}

bool ksm_vma_flag(pid_t pid, const void *addr, const char *flag)
{
	struct ksm_vma vma;
	char word[16];

	if (ksm_vma(pid, addr, &vma))
		ksm_die("no VMA at %p", addr);
	snprintf(word, sizeof(word), " %s ", flag);
	return strstr(vma.flags, word);
}

int ksm_vma_count(pid_t pid, const void *addr, size_t len)
{
	unsigned long from = (unsigned long)addr, to = from + len, start, end;
	char line[512];
	int count = 0;
	FILE *f;

	f = proc_open(pid, "maps");
	if (!f)
		ksm_die("cannot open maps: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2 &&
		    start < to && end > from)
			count++;
	}
	fclose(f);
	return count;
}

/* --- Views of a page ----------------------------------------------------- */

static __u64 read_entry(const char *path, __u64 index)
{
	__u64 entry;
	ssize_t ret;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		ksm_die("cannot open %s: %s", path, strerror(errno));
	ret = pread(fd, &entry, sizeof(entry), index * sizeof(entry));
	close(fd);
	if (ret != sizeof(entry))
		ksm_die("cannot read entry %#llx of %s",
			index, path);
	return entry;
}

__u64 ksm_pagemap(pid_t pid, const void *addr)
{
	char path[64];

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	else
		snprintf(path, sizeof(path), "/proc/self/pagemap");
	return read_entry(path, (unsigned long)addr / ksm_page_size());
}

unsigned long ksm_pfn(pid_t pid, const void *addr)
{
	__u64 entry = ksm_pagemap(pid, addr);

	return entry & KSM_PM_PRESENT ? entry & KSM_PM_PFN : 0;
}

__u64 ksm_kpageflags(unsigned long pfn)
{
	return read_entry("/proc/kpageflags", pfn);
}

long ksm_kpagecount(unsigned long pfn)
{
	return read_entry("/proc/kpagecount", pfn);
}

bool ksm_is_merged(const void *addr)
{
	__u64 entry = ksm_pagemap(0, addr);

	/* Some 6.12 kernels set the flag for every anonymous page. */
	if (!(entry & KSM_PM_PRESENT) || (entry & KSM_PM_EXCLUSIVE))
		return false;
	return ksm_kpageflags(entry & KSM_PM_PFN) & KSM_KPF_KSM;
}

size_t ksm_count_merged(const void *addr, size_t pages)
{
	size_t i, count = 0;

	for (i = 0; i < pages; i++)
		count += ksm_is_merged((char *)addr + i * ksm_page_size());
	return count;
}

static int compare_pfns(const void *a, const void *b)
{
	unsigned long x = *(const unsigned long *)a;
	unsigned long y = *(const unsigned long *)b;

	return x < y ? -1 : x > y;
}

size_t ksm_count_pfns(const void *addr, size_t pages)
{
	unsigned long *pfns = calloc(pages, sizeof(*pfns));
	size_t i, count = 0;

	if (!pfns)
		ksm_die("out of memory");
	for (i = 0; i < pages; i++)
		pfns[i] = ksm_pfn(0, (char *)addr + i * ksm_page_size());
	qsort(pfns, pages, sizeof(*pfns), compare_pfns);
	for (i = 0; i < pages; i++)
		count += pfns[i] && (!i || pfns[i] != pfns[i - 1]);
	free(pfns);
	return count;
}

/* --- Children ------------------------------------------------------------ */

void ksm_child_start(struct ksm_child *c,
		     int (*fn)(struct ksm_child *c, void *arg), void *arg)
{
	int down[2], up[2];

	fflush(stdout);
	if (pipe2(down, O_CLOEXEC) || pipe2(up, O_CLOEXEC))
		ksm_die("pipe: %s", strerror(errno));
	c->pid = fork();
	if (c->pid < 0)
		ksm_die("fork: %s", strerror(errno));
	if (!c->pid) {
		signal(SIGALRM, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		/* No child outlives a parent that was killed. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(down[1]);
		close(up[0]);
		c->rfd = down[0];
		c->wfd = up[1];
		exit(fn(c, arg));
	}
	close(down[0]);
	close(up[1]);
	c->rfd = up[0];
	c->wfd = down[1];
}

static bool send_bytes(struct ksm_child *c, const void *buf, size_t len)
{
	return write(c->wfd, buf, len) == (ssize_t)len;
}

void ksm_say(struct ksm_child *c, char what)
{
	if (!send_bytes(c, &what, 1) && !c->pid)
		_exit(1);
}

void ksm_say_long(struct ksm_child *c, long what)
{
	if (!send_bytes(c, &what, sizeof(what)) && !c->pid)
		_exit(1);
}

/* 1 done, 0 the other side is gone, -1 timeout */
static int receive(struct ksm_child *c, void *buf, size_t len)
{
	struct pollfd pfd = { .fd = c->rfd, .events = POLLIN };
	__u64 end = ksm_now_ms() + KSM_DEADLINE_MS;
	size_t have = 0;
	ssize_t ret;

	while (have < len) {
		__u64 now = ksm_now_ms();

		if (now >= end)
			return -1;
		ret = poll(&pfd, 1, end - now);
		if (ret < 0 && errno != EINTR)
			return 0;
		if (ret <= 0)
			continue;
		ret = read(c->rfd, (char *)buf + have, len - have);
		if (ret == 0 || (ret < 0 && errno != EINTR))
			return 0;
		if (ret > 0)
			have += ret;
	}
	return 1;
}

int ksm_hear(struct ksm_child *c)
{
	unsigned char what;

	switch (receive(c, &what, 1)) {
	case 1:
		return what;
	case 0:
		return -1;
	default:
		return -2;
	}
}

long ksm_hear_long(struct ksm_child *c)
{
	long what;

	if (receive(c, &what, sizeof(what)) != 1)
		ksm_die("%s has nothing to say", c->pid ? "child" : "parent");
	return what;
}

int ksm_child_wait(struct ksm_child *c)
{
	int status;

	close(c->rfd);
	close(c->wfd);
	while (waitpid(c->pid, &status, 0) < 0) {
		if (errno != EINTR)
			ksm_die("waitpid: %s", strerror(errno));
	}
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

int ksm_child_kill(struct ksm_child *c)
{
	kill(c->pid, SIGKILL);
	return ksm_child_wait(c);
}

/* --- Cases --------------------------------------------------------------- */

void ksm_check_failed(const char *func, int line, const char *cond)
{
	printf("# %s:%d: not true: %s\n", func, line, cond);
}

int ksm_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(skip_reason, ksm_page_size(), fmt, ap);
	va_end(ap);
	return KSFT_SKIP;
}

const char *ksm_skip_reason(void)
{
	return skip_reason;
}

static int call_case(struct ksm_child *c, void *arg)
{
	int (**fn)(void) = arg;

	return (*fn)();
}

int ksm_in_child(int (*fn)(void))
{
	struct ksm_child c;

	ksm_child_start(&c, call_case, &fn);
	return ksm_child_wait(&c);
}

/* --- Trace events -------------------------------------------------------- */

static char tracefs[64];

static bool tracefs_at(const char *dir)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/events", dir);
	if (access(path, F_OK))
		return false;
	snprintf(tracefs, sizeof(tracefs), "%s", dir);
	return true;
}

int ksm_trace_setup(void)
{
	if (tracefs[0] || tracefs_at("/sys/kernel/tracing") ||
	    tracefs_at("/sys/kernel/debug/tracing"))
		return 0;
	if (mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL))
		return -errno;
	return tracefs_at("/sys/kernel/tracing") ? 0 : -ENOENT;
}

static int trace_write(const char *file, const char *text)
{
	char path[256];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/%s", tracefs, file);
	fd = open(path, O_WRONLY | O_CLOEXEC | O_TRUNC);
	if (fd < 0)
		return -errno;
	if (*text && write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

ssize_t ksm_trace_format(const char *event, char *buf, size_t size)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/events/ksm/%s/format", tracefs,
		 event);
	return read_path(path, buf, size);
}

int ksm_trace_start(const char *event)
{
	char file[128];
	int err;

	ksm_trace_stop();
	err = trace_write("buffer_size_kb", "16384");
	if (!err)
		err = trace_write("trace", "");
	if (event)
		snprintf(file, sizeof(file), "events/ksm/%s/enable", event);
	else
		snprintf(file, sizeof(file), "events/ksm/enable");
	if (!err)
		err = trace_write(file, "1");
	if (!err)
		err = trace_write("tracing_on", "1");
	return err;
}

void ksm_trace_stop(void)
{
	trace_write("events/ksm/enable", "0");
}

/* Split a trace line in place: "...: EVENT: TEXT". */
static bool trace_split(char *line, char **event, char **text)
{
	char *at = strstr(line, ": ksm_"), *colon;

	if (line[0] == '#' || !at)
		return false;
	*event = at + 2;
	colon = strchr(*event, ':');
	if (!colon)
		return false;
	*colon = '\0';
	*text = colon + 1;
	*text += strspn(*text, " ");
	(*text)[strcspn(*text, "\n")] = '\0';
	return true;
}

/* Events in all buffers that were overwritten or dropped. */
static bool trace_lost(void)
{
	char path[256], line[128];
	bool lost = false;
	unsigned long n;
	int cpu;

	for (cpu = 0; cpu < 256; cpu++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/per_cpu/cpu%d/stats",
			 tracefs, cpu);
		f = fopen(path, "re");
		if (!f)
			continue;
		while (fgets(line, sizeof(line), f)) {
			if (sscanf(line, "overrun: %lu", &n) == 1 ||
			    sscanf(line, "dropped events: %lu", &n) == 1)
				lost |= n != 0;
		}
		fclose(f);
	}
	return lost;
}

long ksm_trace_each(bool (*fn)(const char *event, const char *text, void *arg),
		    void *arg)
{
	char path[256], line[512], *event, *text;
	long count = 0;
	FILE *f;

	if (trace_lost())
		return -EOVERFLOW;
	snprintf(path, sizeof(path), "%s/trace", tracefs);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (!trace_split(line, &event, &text))
			continue;
		count++;
		if (!fn(event, text, arg))
			break;
	}
	fclose(f);
	return count;
}

struct trace_match {
	const char *event;
	const char *has;
	const char *has2;
	long count;
};

static bool trace_count_one(const char *event, const char *text, void *arg)
{
	struct trace_match *m = arg;

	if (!strcmp(event, m->event) &&
	    (!m->has || strstr(text, m->has)) &&
	    (!m->has2 || strstr(text, m->has2)))
		m->count++;
	return true;
}

long ksm_trace_count(const char *event, const char *has, const char *has2)
{
	struct trace_match m = { event, has, has2, 0 };
	long ret = ksm_trace_each(trace_count_one, &m);

	return ret < 0 ? ret : m.count;
}

/* --- ksmd ---------------------------------------------------------------- */

/* /proc/PID/stat after the command name, which must be "(ksmd)". */
static bool ksmd_stat(pid_t pid, char *buf, size_t size)
{
	char path[64], *name;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_path(path, buf, size) <= 0)
		return false;
	name = strstr(buf, " (ksmd) ");
	if (!name)
		return false;
	memmove(buf, name + 8, strlen(name + 8) + 1);
	return true;
}

pid_t ksm_ksmd_pid(void)
{
	static pid_t found;
	struct dirent *de;
	char buf[1024];
	DIR *dir;

	if (found)
		return found;
	dir = opendir("/proc");
	if (!dir)
		ksm_die("cannot open /proc");
	while (!found && (de = readdir(dir))) {
		pid_t pid = atoi(de->d_name), ppid;

		/* A kernel thread is a child of kthreadd, pid 2. */
		if (pid > 0 && ksmd_stat(pid, buf, sizeof(buf)) &&
		    sscanf(buf, "%*c %d", &ppid) == 1 && ppid == 2)
			found = pid;
	}
	closedir(dir);
	return found ? found : -ESRCH;
}

long ksm_ksmd_ticks(void)
{
	unsigned long utime, stime;
	char buf[1024];
	pid_t pid = ksm_ksmd_pid();

	if (pid < 0 || !ksmd_stat(pid, buf, sizeof(buf)))
		ksm_die("no ksmd in /proc");
	/* Fields 14 and 15; the text starts with field 3. */
	if (sscanf(buf,
		   "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
		   &utime, &stime) != 2)
		ksm_die("cannot parse the stat of ksmd");
	return utime + stime;
}
