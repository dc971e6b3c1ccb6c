// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake-tracefs.h"

#define PATH	1024
#define FILE_PATH	(PATH + 64)

static bool is_instance(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *above = "/instances";
	size_t len = strlen(above);

	return slash && (size_t)(slash - path) >= len &&
	       !strncmp(slash - len, above, len);
}

static void put(const char *dir, const char *name, const char *text,
		const char *mode)
{
	char path[FILE_PATH];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, mode);
	if (!file)
		return;
	fputs(text, file);
	fclose(file);
}

/* Call @each for all events that the kernel has, with a path in @dir. */
static void for_events(const char *dir,
		       void (*each)(const char *dir, const char *name))
{
	char path[PATH];
	struct dirent *entry;
	DIR *list;

	snprintf(path, sizeof(path), "%s/../../events/ksm", dir);
	list = opendir(path);
	while (list && (entry = readdir(list)))
		if (entry->d_name[0] != '.')
			each(dir, entry->d_name);
	if (list)
		closedir(list);
}

static void add_event(const char *dir, const char *name)
{
	char path[PATH];

	snprintf(path, sizeof(path), "%s/events/ksm/%s", dir, name);
	__real_mkdir(path, 0755);
	put(path, "enable", "0\n", "w");
}

static void copy_lines(const char *dir)
{
	char path[PATH], line[PATH];
	FILE *file;

	put(dir, "trace_pipe", "", "w");
	snprintf(path, sizeof(path), "%s/../../lines", dir);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		put(dir, "trace_pipe", line, "a");
	if (file)
		fclose(file);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	char events[PATH];
	int err = __real_mkdir(path, mode);

	if (err || !is_instance(path))
		return err;
	copy_lines(path);
	put(path, "trace_clock", "[local] boot\n", "w");
	put(path, "tracing_on", "1\n", "w");
	snprintf(events, sizeof(events), "%s/events", path);
	__real_mkdir(events, 0755);
	snprintf(events, sizeof(events), "%s/events/ksm", path);
	__real_mkdir(events, 0755);
	for_events(path, add_event);
	return 0;
}

static void log_event(const char *dir, const char *name)
{
	char path[PATH], line[PATH], text[2] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/events/ksm/%s/enable", dir, name);
	file = fopen(path, "r");
	if (!file)
		return;
	if (fgets(text, sizeof(text), file) && text[0] == '1') {
		snprintf(line, sizeof(line), "%.100s\n", name);
		put(dir, "../../log", line, "a");
	}
	fclose(file);
}

static int remove_one(const char *path, const struct stat *stat, int type,
		      struct FTW *ftw)
{
	(void)stat;
	(void)ftw;
	return type == FTW_DP ? __real_rmdir(path) : unlink(path);
}

int __wrap_rmdir(const char *path)
{
	char busy[PATH];

	if (!is_instance(path))
		return __real_rmdir(path);
	snprintf(busy, sizeof(busy), "%s/busy", path);
	if (!access(busy, F_OK)) {
		errno = EBUSY;
		return -1;
	}
	for_events(path, log_event);
	return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
