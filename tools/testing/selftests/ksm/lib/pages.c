// SPDX-License-Identifier: GPL-2.0
/*
 * What pagemap and kpageflags say about a page.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../kselftest.h"
#include "end.h"
#include "memory.h"
#include "pages.h"

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

bool ksm_same_pages(const void *addr, const void *other, size_t pages)
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

bool ksm_none_merged(const void *addr, size_t pages)
{
	size_t n = ksm_count_merged(addr, pages);

	if (n)
		ksft_print_msg("%zu of %zu pages are merged\n", n, pages);
	return !n;
}
