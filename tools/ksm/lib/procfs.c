// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "procfs.h"
#include "root.h"

#define PF_KTHREAD	0x00200000	/* in the flags of /proc/PID/stat */

/**
 * ksm_proc_open() - begin to go through all processes
 * @list: state
 *
 * Return: 0, or -errno; only after 0 ksm_proc_close() has to be called
 */
int ksm_proc_open(struct ksm_proc_list *list)
{
	list->dir = ksm_root_opendir("/proc");
	return list->dir ? 0 : -errno;
}

/**
 * ksm_proc_next() - go on to the next process
 * @list: state
 *
 * Return: its PID, 0 after the last one
 */
int ksm_proc_next(struct ksm_proc_list *list)
{
	struct dirent *entry;

	while ((entry = readdir(list->dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			return atoi(entry->d_name);
	return 0;
}

/* End going through all processes. */
void ksm_proc_close(struct ksm_proc_list *list)
{
	closedir(list->dir);
}

/**
 * ksm_proc_stat() - what /proc/PID/stat says
 * @pid:  the process
 * @stat: result
 *
 * Return: 0, or -errno: it may have ended
 */
int ksm_proc_stat(int pid, struct ksm_proc_stat *stat)
{
	char text[1024], *name, *end;
	unsigned long flags;
	int64_t user, system, start;
	ssize_t len = ksm_root_read(text, sizeof(text), "/proc/%d/stat", pid);

	if (len < 0)
		return len;
	/* the name may have spaces and parentheses itself */
	name = strchr(text, '(');
	end = strrchr(text, ')');
	if (!name || !end || end <= name)
		return -EINVAL;
	*end = '\0';
	if (sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %lu %*u %*u %*u %*u %"
		   SCNd64 " %" SCNd64 " %*d %*d %*d %*d %*d %*d %" SCNd64,
		   &flags, &user, &system, &start) != 4)
		return -EINVAL;
	snprintf(stat->comm, sizeof(stat->comm), "%s", name + 1);
	stat->kthread = flags & PF_KTHREAD;
	stat->cpu_ticks = fig_add(user, system);
	stat->start_ticks = start;
	return 0;
}

/**
 * ksm_proc_rss_pages() - resident memory of a process
 * @pid: the process
 *
 * Return: pages, or KSM_UNKNOWN
 */
ksm_figure ksm_proc_rss_pages(int pid)
{
	char text[128], *rss;

	if (ksm_root_read(text, sizeof(text), "/proc/%d/statm", pid) < 0)
		return KSM_UNKNOWN;
	rss = strchr(text, ' ');
	if (!rss)
		return KSM_UNKNOWN;
	rss++;
	rss[strcspn(rss, " ")] = '\0';
	return ksm_parse_figure(rss);
}

static bool is_unit(const char *name)
{
	static const char *const kinds[] = { ".service", ".scope", ".slice" };
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t end = strlen(kinds[i]);

		if (len > end && !strcmp(name + len - end, kinds[i]))
			return true;
	}
	return false;
}

/* The last part of the path that names a unit: others are made by programs. */
static void last_unit(char *path, char *unit, size_t size)
{
	char *part;

	while ((part = strsep(&path, "/")))
		if (is_unit(part))
			snprintf(unit, size, "%s", part);
}

/**
 * ksm_unit_unescape() - a unit's name as people write it
 * @name: the name; systemd writes "-" within a part of it as "\x2d"
 */
void ksm_unit_unescape(char *name)
{
	unsigned int byte;
	char *to = name;

	while (*name) {
		if (sscanf(name, "\\x%2x", &byte) == 1 && isprint(byte)) {
			*to++ = byte;
			name += 4;
		} else {
			*to++ = *name++;
		}
	}
	*to = '\0';
}

/**
 * ksm_proc_unit() - the unit of systemd that a process belongs to
 * @pid:  the process
 * @unit: result; "" if it belongs to none
 * @size: of @unit, KSM_UNIT_MAX
 */
void ksm_proc_unit(int pid, char *unit, size_t size)
{
	FILE *file = ksm_root_open("/proc/%d/cgroup", pid);
	char line[1024];

	unit[0] = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		char *path = NULL;

		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::", 3))
			path = line + 3;
		else if (strstr(line, ":name=systemd:"))
			path = strrchr(line, ':') + 1;
		if (path)
			last_unit(path, unit, size);
	}
	if (file)
		fclose(file);
}
