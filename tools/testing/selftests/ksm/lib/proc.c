// SPDX-License-Identifier: GPL-2.0
/*
 * What /proc says about a process, about the kernel and about ksmd.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "end.h"
#include "files.h"
#include "proc.h"

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
	st->cow = -1;
	st->thp_split = -1;
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
		else if (!strcmp(key, "ksm_cow"))
			st->cow = atol(value);
		else if (!strcmp(key, "ksm_thp_split"))
			st->thp_split = atol(value);
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
		line[strcspn(line, "\n")] = '\0';
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

long ksm_smaps_kb(const void *addr)
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

/* /proc/PID/stat after the command name, which must be "(ksmd)". */
static bool ksmd_stat(pid_t pid, char *buf, size_t size)
{
	char path[64], *name;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (ksys_read(path, buf, size) <= 0)
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
