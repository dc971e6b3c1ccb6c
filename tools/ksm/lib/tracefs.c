// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tracefs.h"

/* Where the kernel's documentation has it mounted, now and formerly */
static const char *const places[] = {
	"/sys/kernel/tracing",
	"/sys/kernel/debug/tracing",
};

#define INSTANCE	"ksm-"

static int access_of(const char *dir, const char *name)
{
	char path[KSM_PATH_MAX];
	int err = ksm_root_path(path, sizeof(path), "%s/%s", dir, name);

	if (!err && access(path, F_OK))
		err = -errno;
	return err;
}

/**
 * ksm_tracefs_find() - where tracefs is
 * @dir:  result, without the root
 * @size: of @dir
 *
 * Return: 0; -ENODEV if it is not mounted; -ENOENT if it has no events of KSM;
 *         or -EACCES
 */
int ksm_tracefs_find(char *dir, size_t size)
{
	int err = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(dir, size, "%s", places[i]);
		err = access_of(dir, "events");
		if (!err)
			return access_of(dir, "events/ksm");
		if (err != -ENOENT)
			return err;
	}
	return -ENODEV;
}

/* Whether this kernel has an event, by its whole name. */
bool ksm_tracefs_has(const char *dir, const char *event)
{
	char name[128];

	snprintf(name, sizeof(name), "events/ksm/%s", event);
	return !access_of(dir, name);
}

static int remove_instance(const char *dir)
{
	char path[KSM_PATH_MAX];
	int err = ksm_root_path(path, sizeof(path), "%s", dir);

	if (!err && rmdir(path))
		err = -errno;
	return err;
}

/* Another process may have the PID by now. */
static bool is_ksm(int pid)
{
	char comm[32];

	return ksm_root_read(comm, sizeof(comm), "/proc/%d/comm", pid) > 0 &&
	       !strcmp(comm, "ksm");
}

/**
 * ksm_tracefs_clean() - remove instances of those that were killed
 * @dir: of tracefs
 *
 * One that is open cannot be removed: so it is safe to be wrong about a
 * process, as one of another PID namespace.
 *
 * Return: number of instances removed
 */
int ksm_tracefs_clean(const char *dir)
{
	char instances[KSM_PATH_MAX / 2], path[KSM_PATH_MAX];
	struct dirent *entry;
	int removed = 0, pid;
	DIR *list;
	char rest;

	snprintf(instances, sizeof(instances), "%.400s/instances", dir);
	list = ksm_root_opendir(instances);
	if (!list)
		return 0;
	while ((entry = readdir(list))) {
		if (sscanf(entry->d_name, INSTANCE "%d%c", &pid, &rest) != 1 ||
		    (pid != getpid() && is_ksm(pid)))
			continue;
		snprintf(path, sizeof(path), "%s/" INSTANCE "%d", instances,
			 pid);
		removed += !remove_instance(path);
	}
	closedir(list);
	return removed;
}

static int open_pipe(struct ksm_tracefs *trace)
{
	char path[KSM_PATH_MAX];
	int err = ksm_root_path(path, sizeof(path), "%s/trace_pipe",
				trace->dir);

	if (err)
		return err;
	trace->pipe = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return trace->pipe < 0 ? -errno : 0;
}

static int write_to(const struct ksm_tracefs *trace, const char *name,
		    const char *text)
{
	char path[KSM_PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", trace->dir, name);
	return ksm_root_write(path, text);
}

/**
 * ksm_tracefs_begin() - make an instance
 * @trace: result, for ksm_tracefs_end(), also after an error
 * @dir:   of tracefs
 *
 * Its clock counts from boot, also while suspended.  No event is enabled yet.
 *
 * Return: 0, or -errno
 */
int ksm_tracefs_begin(struct ksm_tracefs *trace, const char *dir)
{
	char path[KSM_PATH_MAX];
	int err;

	trace->pipe = -1;
	snprintf(trace->dir, sizeof(trace->dir),
		 "%.400s/instances/" INSTANCE "%d", dir, (int)getpid());
	err = ksm_root_path(path, sizeof(path), "%s", trace->dir);
	if (!err && mkdir(path, 0700))
		err = -errno;
	if (err) {
		trace->dir[0] = '\0';
		return err;
	}
	err = write_to(trace, "trace_clock", "boot");
	return err ? err : open_pipe(trace);
}

/* From now on this event is recorded; by its whole name. */
int ksm_tracefs_enable(const struct ksm_tracefs *trace, const char *event)
{
	char name[128];

	snprintf(name, sizeof(name), "events/ksm/%s/enable", event);
	return write_to(trace, name, "1");
}

/**
 * ksm_tracefs_read() - what was recorded
 * @trace: of what
 * @text:  result, not a string
 * @size:  of @text
 *
 * Return: how much was read, 0 if there is nothing yet, or -errno
 */
ssize_t ksm_tracefs_read(const struct ksm_tracefs *trace, char *text,
			 size_t size)
{
	ssize_t len = read(trace->pipe, text, size);

	if (len >= 0)
		return len;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

/* Record no more; what was recorded can still be read. */
void ksm_tracefs_stop(const struct ksm_tracefs *trace)
{
	write_to(trace, "tracing_on", "0");
}

/**
 * ksm_tracefs_end() - remove the instance, with all that it has recorded
 * @trace: which; there may be none
 *
 * Return: 0, or -errno
 */
int ksm_tracefs_end(struct ksm_tracefs *trace)
{
	int err = 0;

	if (trace->pipe >= 0)
		close(trace->pipe);
	if (trace->dir[0])
		err = remove_instance(trace->dir);
	trace->pipe = -1;
	trace->dir[0] = '\0';
	return err;
}
