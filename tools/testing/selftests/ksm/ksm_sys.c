// SPDX-License-Identifier: GPL-2.0
/*
 * Cases in processes of their own, NUMA, swap, control groups, memory blocks,
 * huge pages; ksm_sys.h says what each function promises.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest.h"
#include "ksm_util.h"
#include "ksm_sys.h"

#define CASE_SECONDS	100

/* --- Cases --------------------------------------------------------------- */

/* Shared with the process of the case: why it was skipped. */
static char *skip_reason;

static void case_process(const struct ksys_case *c)
{
	static const int sigs[] = { SIGSEGV, SIGBUS, SIGTERM, SIGABRT };
	size_t i;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < ARRAY_SIZE(sigs); i++)
		signal(sigs[i], SIG_DFL);
	signal(SIGALRM, SIG_DFL);
	alarm(CASE_SECONDS);
	ksm_fresh(false);
	c->fn();
	fflush(stdout);
	_exit(KSFT_PASS);
}

static void run_case(const struct ksys_case *c)
{
	int status = 0;
	pid_t pid;

	skip_reason[0] = '\0';
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		ksm_die("fork: %s", strerror(errno));
	if (!pid)
		case_process(c);
	setpgid(pid, pid);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* Whatever it left behind must not be there for the next one. */
	kill(-pid, SIGKILL);

	if (WIFSIGNALED(status)) {
		ksft_test_result_fail("%s (killed by signal %d)\n", c->name,
				      WTERMSIG(status));
		return;
	}
	switch (WEXITSTATUS(status)) {
	case KSFT_PASS:
		ksft_test_result_pass("%s\n", c->name);
		break;
	case KSFT_SKIP:
		ksft_test_result_skip("%s: %s\n", c->name, skip_reason);
		break;
	default:
		ksft_test_result_fail("%s\n", c->name);
	}
}

void ksys_main(const struct ksys_case *cases, size_t nr)
{
	uint64_t start;
	size_t i;

	skip_reason = mmap(NULL, ksm_page_size(), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (skip_reason == MAP_FAILED)
		ksm_die("mmap: %s", strerror(errno));
	/* The calibration would otherwise be done anew in every case. */
	ksm_slowness();
	ksft_set_plan(nr);
	for (i = 0; i < nr; i++) {
		ksm_watchdog(CASE_SECONDS + 30);
		start = ksm_now_ms();
		run_case(&cases[i]);
		ksft_print_msg("took %llu ms\n",
			       (unsigned long long)(ksm_now_ms() - start));
	}
	ksft_finished();
}

void ksys_must(bool ok, const char *fmt, ...)
{
	va_list ap;

	if (ok)
		return;
	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	fflush(stdout);
	_exit(KSFT_FAIL);
}

void ksys_must_eq(long long a, long long b, const char *ta, const char *tb,
		  const char *func, int line)
{
	ksys_must(a == b, "%s:%d: %s is %lld, not %s = %lld\n", func, line,
		  ta, a, tb, b);
}

void ksys_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(skip_reason, ksm_page_size(), fmt, ap);
	va_end(ap);
	fflush(stdout);
	_exit(KSFT_SKIP);
}

unsigned int ksys_budget_ms(void)
{
	return ksm_slowness() > 4 ? 8000 : 3000;
}

/* --- Files --------------------------------------------------------------- */

ssize_t ksys_read(const char *path, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t ret;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (len < size - 1) {
		ret = read(fd, buf + len, size - 1 - len);
		if (ret < 0) {
			ret = -errno;
			close(fd);
			return ret;
		}
		if (!ret)
			break;
		len += ret;
	}
	close(fd);
	buf[len] = '\0';
	return len;
}

int ksys_write(const char *path, const char *text)
{
	ssize_t len = strlen(text);
	int fd, err = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != len)
		err = errno ? -errno : -EIO;
	close(fd);
	return err;
}

long ksys_read_long(const char *path)
{
	char buf[64], *end;
	ssize_t len;
	long value;

	len = ksys_read(path, buf, sizeof(buf));
	if (len < 0)
		return len;
	value = strtol(buf, &end, 0);
	return end == buf ? -EINVAL : value;
}

int ksys_debugfs(void)
{
	char line[256];
	bool there = false;
	FILE *f;

	f = fopen("/proc/mounts", "re");
	while (f && fgets(line, sizeof(line), f))
		there |= !!strstr(line, " /sys/kernel/debug ");
	if (f)
		fclose(f);
	if (there)
		return 0;
	if (mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL))
		return -errno;
	return 0;
}

/* --- Page counters ------------------------------------------------------- */

void *ksys_page(const void *addr, size_t i)
{
	return (char *)addr + i * ksm_page_size();
}

bool ksys_same_pages(const void *addr, const void *other, size_t pages)
{
	unsigned long x, y;
	size_t i;

	for (i = 0; i < pages; i++) {
		x = ksm_pfn(0, ksys_page(addr, i));
		y = ksm_pfn(0, ksys_page(other, i));
		if (!x || x != y || !(ksm_kpageflags(x) & KSM_KPF_KSM)) {
			ksft_print_msg("page %zu: pfns %#lx and %#lx, flags %#llx\n",
				       i, x, y, x ? (unsigned long long)
				       ksm_kpageflags(x) : 0ULL);
			return false;
		}
	}
	return true;
}

bool ksys_none_merged(const void *addr, size_t pages)
{
	size_t n = ksm_count_merged(addr, pages);

	if (n)
		ksft_print_msg("%zu of %zu pages are merged\n", n, pages);
	return !n;
}

void ksys_merge_pair(size_t pages, uint64_t seed, char **a, char **b)
{
	*a = ksm_map_merge(pages, seed, 1);
	*b = ksm_map_merge(pages, seed, 1);
	ksm_scan(2);
	must(ksm_counts_are(pages, pages, 0, 0));
	must(ksys_same_pages(*a, *b, pages));
}

/* --- NUMA ---------------------------------------------------------------- */

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

/* --- Swap and control groups --------------------------------------------- */

static pid_t owner_pid;
static char swap_dev[32];
static bool swap_is_on;

static void owner(void (*fn)(void))
{
	owner_pid = getpid();
	atexit(fn);
}

/* The node of a block device; made by hand where nothing makes them. */
static int device_node(const char *name, char *path, size_t size)
{
	char sys[128], buf[32];
	unsigned int major, minor;

	snprintf(path, size, "/dev/%s", name);
	if (!access(path, F_OK))
		return 0;
	snprintf(sys, sizeof(sys), "/sys/block/%s/dev", name);
	if (ksys_read(sys, buf, sizeof(buf)) < 0 ||
	    sscanf(buf, "%u:%u", &major, &minor) != 2)
		return -ENODEV;
	if (mknod(path, S_IFBLK | 0600, makedev(major, minor)))
		return -errno;
	return 0;
}

static void zram_free(const char *dev)
{
	char path[96];
	const char *digits = dev + strcspn(dev, "0123456789");

	snprintf(path, sizeof(path), "/sys/block/zram%s/reset", digits);
	ksys_write(path, "1");
	/* Fails for the devices that were there from the start. */
	ksys_write("/sys/class/zram-control/hot_remove", digits);
}

const char *ksys_zram_setup(size_t bytes, char *dev, size_t size)
{
	char path[96], text[32], name[32];
	long id;

	/* Reading makes a new device and says its number. */
	id = ksys_read_long("/sys/class/zram-control/hot_add");
	if (id < 0)
		return "kernel without CONFIG_ZRAM";
	snprintf(name, sizeof(name), "zram%ld", id);
	snprintf(path, sizeof(path), "/sys/block/%s/disksize", name);
	snprintf(text, sizeof(text), "%zu", bytes);
	if (ksys_write(path, text))
		return "zram does not take a size";
	if (device_node(name, dev, size))
		return "no device node for zram";
	return NULL;
}

/* The header that mkswap(8) writes, version 1. */
static int format_swap(const char *dev, size_t bytes)
{
	size_t ps = ksm_page_size();
	uint32_t *info;
	char *header;
	int fd, err = 0;

	header = calloc(1, ps);
	if (!header)
		return -ENOMEM;
	info = (uint32_t *)(header + 1024);
	info[0] = 1;
	info[1] = bytes / ps - 1;
	memcpy(header + ps - 10, "SWAPSPACE2", 10);
	fd = open(dev, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, header, ps) != (ssize_t)ps || fsync(fd))
		err = errno ? -errno : -EIO;
	if (fd >= 0)
		close(fd);
	free(header);
	return err;
}

int ksys_swapon(void)
{
	if (swapon(swap_dev, SWAP_FLAG_PREFER | SWAP_FLAG_PRIO_MASK))
		return -errno;
	swap_is_on = true;
	return 0;
}

int ksys_swapoff(void)
{
	if (swapoff(swap_dev))
		return -errno;
	swap_is_on = false;
	return 0;
}

static void swap_end(void)
{
	if (getpid() != owner_pid || !swap_dev[0])
		return;
	/* A case may have switched it off: its copy of the flag is not ours. */
	swapoff(swap_dev);
	zram_free(swap_dev);
}

const char *ksys_swap_setup(size_t bytes)
{
	const char *why;

	if (access("/proc/swaps", F_OK))
		return "kernel without CONFIG_SWAP";
	why = ksys_zram_setup(bytes, swap_dev, sizeof(swap_dev));
	if (why)
		return why;
	owner(swap_end);
	if (format_swap(swap_dev, bytes))
		return "cannot write to zram";
	if (ksys_swapon())
		return "cannot swap to zram";
	return NULL;
}

static char cgroup_root[128];
static char cgroup_dir[192];

static void cgroup_move(const char *dir)
{
	char path[256], text[16];

	snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	snprintf(text, sizeof(text), "%d", getpid());
	ksys_write(path, text);
}

static void cgroup_end(void)
{
	int i;

	if (getpid() != owner_pid || !cgroup_dir[0])
		return;
	cgroup_move(cgroup_root);
	/* Processes killed a moment ago may still be on their way out. */
	for (i = 0; i < 200 && rmdir(cgroup_dir) && errno == EBUSY; i++)
		ksm_sleep_ms(10);
}

static bool find_cgroup2(void)
{
	char line[512], dir[128], type[32];
	bool found = false;
	FILE *f;

	f = fopen("/proc/mounts", "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %127s %31s", dir, type) == 2 &&
		    !strcmp(type, "cgroup2")) {
			snprintf(cgroup_root, sizeof(cgroup_root), "%s", dir);
			found = true;
		}
	}
	if (f)
		fclose(f);
	return found;
}

const char *ksys_cgroup_setup(void)
{
	char path[256];

	if (!find_cgroup2()) {
		if (mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL) ||
		    !find_cgroup2())
			return "kernel without cgroup 2";
	}
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", cgroup_root);
	if (ksys_write(path, "+memory"))
		return "kernel without CONFIG_MEMCG, or it serves cgroup 1";
	snprintf(cgroup_dir, sizeof(cgroup_dir), "%s/ksm-test-%d", cgroup_root,
		 getpid());
	if (mkdir(cgroup_dir, 0755)) {
		cgroup_dir[0] = '\0';
		return "cannot make a control group";
	}
	owner(cgroup_end);
	snprintf(path, sizeof(path), "%s/memory.reclaim", cgroup_dir);
	if (access(path, F_OK))
		return "kernel without memory.reclaim";
	cgroup_move(cgroup_dir);
	return NULL;
}

void ksys_reclaim_setup(size_t swap_bytes)
{
	const char *why = ksys_swap_setup(swap_bytes);

	if (!why)
		why = ksys_cgroup_setup();
	if (why)
		ksm_skip_all("%s", why);
}

void ksys_reclaim(size_t bytes)
{
	char path[256], text[64];

	snprintf(path, sizeof(path), "%s/memory.reclaim", cgroup_dir);
	snprintf(text, sizeof(text), "%zu swappiness=200", bytes);
	/* EAGAIN when there was less to get than asked for. */
	ksys_write(path, text);
}

size_t ksys_cgroup_bytes(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/memory.current", cgroup_dir);
	return ksys_read_long(path);
}

int ksys_cgroup_limit(size_t bytes)
{
	char path[256], text[32];
	int err;

	snprintf(path, sizeof(path), "%s/memory.swap.max", cgroup_dir);
	err = ksys_write(path, bytes ? "0" : "max");
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/memory.max", cgroup_dir);
	snprintf(text, sizeof(text), "%zu", bytes);
	return ksys_write(path, bytes ? text : "max");
}

static bool is_swapped(const void *page)
{
	uint64_t entry = ksm_pagemap(0, page);

	return (entry & KSM_PM_SWAP) && !(entry & KSM_PM_PRESENT);
}

size_t ksys_count_swapped(const void *addr, size_t pages)
{
	size_t i, n = 0;

	for (i = 0; i < pages; i++)
		n += is_swapped(ksys_page(addr, i));
	return n;
}

static bool in_swap_cache(unsigned long pfn)
{
	const uint64_t flags = KSM_KPF_KSM | KSM_KPF_SWAPCACHE;

	return (ksm_kpageflags(pfn) & flags) == flags;
}

long ksys_swap_out(const void *addr, size_t pages)
{
	uint64_t end = ksm_now_ms() + KSM_DEADLINE_MS / 4, patience = 0;
	unsigned long *pfn = calloc(pages, sizeof(*pfn));
	size_t i, left, swapped;

	if (!pfn)
		ksm_die("out of memory");
	for (i = 0; i < pages; i++)
		pfn[i] = ksm_pfn(0, ksys_page(addr, i));
	do {
		ksys_reclaim(pages * ksm_page_size());
		swapped = ksys_count_swapped(addr, pages);
		if (swapped == pages && !patience)
			patience = ksm_now_ms() + 200;
		left = 0;
		for (i = 0; i < pages; i++)
			left += pfn[i] && in_swap_cache(pfn[i]);
		if (swapped == pages && (!left || ksm_now_ms() > patience))
			break;
	} while (ksm_now_ms() < end);
	free(pfn);
	if (swapped == pages)
		return left;
	ksft_print_msg("%zu of %zu pages swapped out\n", swapped, pages);
	return -1;
}

/* For as long as more than one scan may be needed: see ksm_sys.h. */
bool ksys_settle(long shared, long sharing, long unshared)
{
	int pass;

	for (pass = 0; pass < 4; pass++) {
		ksm_scan(1);
		if (ksm_get("pages_shared") == shared &&
		    ksm_get("pages_sharing") == sharing &&
		    ksm_get("pages_unshared") == unshared)
			break;
	}
	return ksm_counts_are(shared, sharing, unshared, 0);
}

/* --- Memory blocks ------------------------------------------------------- */

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

/* --- Huge pages ---------------------------------------------------------- */

#define THP_SYSFS "/sys/kernel/mm/transparent_hugepage/"

size_t ksys_thp_size(void)
{
	long size = ksys_read_long(THP_SYSFS "hpage_pmd_size");

	return size > 0 ? size : 0;
}

#define THP_MAX_SAVED 8

static struct {
	char path[128];
	char value[64];
} thp_saved[THP_MAX_SAVED];

static int thp_nr_saved;
static int thp_nr_inherited;	/* belong to the parent of this case */
static pid_t thp_pid;

void ksys_thp_restore(void)
{
	while (thp_nr_saved > thp_nr_inherited) {
		thp_nr_saved--;
		ksys_write(thp_saved[thp_nr_saved].path,
			   thp_saved[thp_nr_saved].value);
	}
}

static void thp_end(void)
{
	if (getpid() == thp_pid)
		ksys_thp_restore();
}

const char *ksys_thp_set(const char *file, const char *value)
{
	char buf[128], *from, *to;
	int i = thp_nr_saved;

	if (i == THP_MAX_SAVED)
		return "too many settings to remember";
	snprintf(thp_saved[i].path, sizeof(thp_saved[i].path), THP_SYSFS "%s",
		 file);
	if (ksys_read(thp_saved[i].path, buf, sizeof(buf)) < 0)
		return "kernel without CONFIG_TRANSPARENT_HUGEPAGE";
	/* Either "always [madvise] never" or a number. */
	from = strchr(buf, '[');
	to = strchr(buf, ']');
	if (from && to && from < to) {
		*to = '\0';
		from++;
	} else {
		from = buf;
	}
	snprintf(thp_saved[i].value, sizeof(thp_saved[i].value), "%.60s",
		 from);
	if (!thp_pid) {
		thp_pid = getpid();
		atexit(thp_end);
	} else if (thp_pid != getpid()) {
		thp_pid = getpid();
		thp_nr_inherited = i;
	}
	thp_nr_saved++;
	if (ksys_write(thp_saved[i].path, value))
		return "a setting of transparent_hugepage is refused";
	return NULL;
}

long ksys_ksm_kb(const void *addr)
{
	struct ksm_vma vma;

	if (ksm_vma(0, addr, &vma))
		ksm_die("no VMA at %p", addr);
	return vma.ksm_kb;
}

unsigned long ksys_thp_kb(const void *addr)
{
	struct ksm_vma vma;

	if (ksm_vma(0, addr, &vma))
		ksm_die("no VMA at %p", addr);
	return vma.anon_huge_kb;
}

char *ksys_map_thp(size_t huge, uint64_t seed, uint64_t step)
{
	size_t size = ksys_thp_size(), ps = ksm_page_size();
	char *map, *addr;

	/* A guard page on either side, at least. */
	map = mmap(NULL, (huge + 2) * size, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		ksm_die("mmap: %s", strerror(errno));
	addr = (char *)(((unsigned long)map + size) & ~(size - 1));
	if (mmap(addr, huge * size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != addr)
		ksm_die("mmap: %s", strerror(errno));
	if (madvise(addr, huge * size, MADV_HUGEPAGE))
		ksm_die("MADV_HUGEPAGE: %s", strerror(errno));
	ksm_fill(addr, huge * size / ps, seed, step);
	if (ksys_thp_kb(addr) != huge * size / 1024)
		return NULL;
	return addr;
}

/* --- Poison -------------------------------------------------------------- */

void ksys_unpoison(unsigned long pfn)
{
	char text[32];

	if (ksys_debugfs())
		return;
	snprintf(text, sizeof(text), "%#lx", pfn);
	ksys_write("/sys/kernel/debug/hwpoison/unpoison-pfn", text);
}
