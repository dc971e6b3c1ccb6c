// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers from /sys and /proc.
 *
 * A file that is missing or holds no number ends the program: every one of
 * them is part of what the kernel promises.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "guests.h"

/**
 * now_s() - a clock that never jumps
 *
 * Return: seconds
 */
double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static FILE *open_or_fail(const char *path, const char *mode)
{
	FILE *file = fopen(path, mode);

	if (!file)
		fail("%s: %s", path, strerror(errno));
	return file;
}

/**
 * file_long() - the number that a file holds
 * @fmt: printf() format of the file's name
 *
 * Return: the number
 */
long file_long(const char *fmt, ...)
{
	char path[256];
	va_list args;
	FILE *file;
	long value;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);

	file = open_or_fail(path, "r");
	if (fscanf(file, "%ld", &value) != 1)
		fail("%s does not hold a number", path);
	fclose(file);
	return value;
}

/**
 * file_field() - the number in a line "NAME: VALUE" or "NAME VALUE"
 * @path: the file
 * @name: of the line, which has to be there
 *
 * Return: the number
 */
long file_field(const char *path, const char *name)
{
	size_t len = strlen(name);
	FILE *file = open_or_fail(path, "r");
	char line[256];

	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, name, len) &&
		    (line[len] == ':' || line[len] == ' ')) {
			fclose(file);
			return strtol(line + len + 1, NULL, 10);
		}
	}
	fail("%s has no line \"%s\"", path, name);
}

/**
 * ksm_write() - set a knob of KSM, as the user would
 * @knob: name of the file
 * @fmt:  printf() format of what to write
 */
void ksm_write(const char *knob, const char *fmt, ...)
{
	char path[128], value[64];
	va_list args;
	FILE *file;

	va_start(args, fmt);
	vsnprintf(value, sizeof(value), fmt, args);
	va_end(args);

	snprintf(path, sizeof(path), KSM_DIR "%s", knob);
	file = open_or_fail(path, "w");
	if (fprintf(file, "%s\n", value) < 0 || fclose(file))
		fail("echo %s > %s: %s", value, path, strerror(errno));
}

static int find_ksmd(void)
{
	char path[288], comm[32];
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	int pid = 0;
	FILE *file;

	while (proc && !pid && (entry = readdir(proc))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (fscanf(file, "%31s", comm) == 1 && !strcmp(comm, "ksmd"))
			pid = atoi(entry->d_name);
		fclose(file);
	}
	if (proc)
		closedir(proc);
	if (!pid)
		fail("no kernel thread \"ksmd\": was the kernel built with CONFIG_KSM=y?");
	return pid;
}

/**
 * ksmd_cpu_s() - CPU time that ksmd has used
 *
 * From schedstat: the tick-based times of /proc/PID/stat are too coarse for
 * a thread that wakes up 50 times a second.
 *
 * Return: seconds
 */
double ksmd_cpu_s(void)
{
	static int pid;
	unsigned long long ns;
	char path[64];
	FILE *file;

	if (!pid)
		pid = find_ksmd();
	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	file = open_or_fail(path, "r");
	if (fscanf(file, "%llu", &ns) != 1)
		fail("%s does not hold a number", path);
	fclose(file);
	return ns / 1e9;
}
