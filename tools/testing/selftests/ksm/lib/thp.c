// SPDX-License-Identifier: GPL-2.0
/*
 * Transparent huge pages.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "end.h"
#include "files.h"
#include "memory.h"
#include "proc.h"
#include "thp.h"

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
