// SPDX-License-Identifier: GPL-2.0
/*
 * The trace events of KSM.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "files.h"
#include "tracefs.h"

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
	return ksys_read(path, buf, size);
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

#define ALLOC_EVENT	"events/kmem/kmem_cache_alloc"

int ksm_trace_allocs(pid_t pid)
{
	char text[96];

	/* By opening it for writing all triggers are removed. */
	trace_write(ALLOC_EVENT "/trigger", "");
	snprintf(text, sizeof(text),
		 "hist:keys=call_site.sym if common_pid == %d", pid);
	return trace_write(ALLOC_EVENT "/trigger", text);
}

long ksm_trace_allocs_stop(void)
{
	char path[256], line[256];
	long hits = -ENOENT, n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/" ALLOC_EVENT "/hist", tracefs);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (line[0] == '{')
			printf("# %s", line);
		if (sscanf(line, " Hits: %ld", &n) == 1)
			hits = n;
	}
	if (f)
		fclose(f);
	trace_write(ALLOC_EVENT "/trigger", "");
	return hits;
}
