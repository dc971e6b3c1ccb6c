// SPDX-License-Identifier: GPL-2.0-only
/*
 * To find the processes that take part, all of /proc has to be gone through:
 * with 500 processes that takes 50 ms.  So it is done now and then only.  In
 * between the files of those that do are read again; to leave them open saves
 * most of the rest.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "root.h"
#include "top_read.h"

/* Look for processes that often, or less often if it takes over 1 % of a CPU */
#define SEARCH_MS	10000
#define SEARCH_SHARE	100

/* Files left for others: terminal, subprocesses, what is read at once */
#define FILES_SPARE	64

static int64_t clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/*
 * The files of a fixture are from another time.  Their /proc/uptime tells which
 * one, as does btime in /proc/stat.
 */
static void set_time_of_root(struct ksm_sample *sample)
{
	char text[4096], *btime;
	double uptime;

	if (!*ksm_root() ||
	    ksm_root_read(text, sizeof(text), "/proc/uptime") < 0 ||
	    sscanf(text, "%lf", &uptime) != 1)
		return;
	sample->boottime_ms = uptime * 1000;
	if (ksm_root_read(text, sizeof(text), "/proc/stat") < 0)
		return;
	btime = strstr(text, "btime ");
	if (btime)
		sample->time_ms = atoll(btime + 6) * 1000 +
				  sample->boottime_ms;
}

static void close_all(struct top_reader *reader)
{
	for (size_t i = 0; reader->fds && i < reader->members.count; i++)
		if (reader->fds[i] >= 0)
			close(reader->fds[i]);
	free(reader->fds);
	reader->fds = NULL;
}

/* As many files as are allowed, less some that others may need */
static size_t files_allowed(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
		getrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur > FILES_SPARE ? limit.rlim_cur - FILES_SPARE : 0;
}

static int open_stat(int pid)
{
	char path[KSM_PATH_MAX];

	if (ksm_root_path(path, sizeof(path), "/proc/%d/ksm_stat", pid))
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int open_all(struct top_reader *reader)
{
	size_t count = reader->members.count, allowed = files_allowed();

	reader->fds = calloc(count + 1, sizeof(*reader->fds));
	if (!reader->fds)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		reader->fds[i] = i < allowed ?
				 open_stat(reader->members.list[i].pid) : -1;
	return 0;
}

/* All of /proc */
static int search(struct top_reader *reader)
{
	int64_t begin = clock_ms(CLOCK_MONOTONIC), took;
	struct ksm_members members;
	int err;

	err = ksm_sample_read(&reader->sample, &members);
	close_all(reader);
	ksm_members_free(&reader->members);
	reader->members = members;
	if (err)
		return err;
	took = clock_ms(CLOCK_MONOTONIC) - begin;
	reader->next_ms = begin + SEARCH_MS;
	if (took * SEARCH_SHARE > SEARCH_MS)
		reader->next_ms = begin + took * SEARCH_SHARE;
	return open_all(reader);
}

/* The open file is still of the same process when the PID is another's. */
static int read_again(const struct top_reader *reader, size_t i,
		      struct ksm_stat *stat)
{
	char text[KSM_STAT_MAX];
	ssize_t len;

	if (reader->fds[i] < 0)
		return ksm_stat_read(reader->members.list[i].pid, stat);
	len = pread(reader->fds[i], text, sizeof(text) - 1, 0);
	if (len < 0)
		return -errno;
	text[len] = '\0';
	return ksm_stat_parse(text, stat);
}

/* Only what changes all the time, of those already known */
static void refresh(struct top_reader *reader)
{
	struct ksm_members *members = &reader->members;
	size_t kept = 0;

	for (size_t i = 0; i < members->count; i++) {
		struct ksm_member *member = &members->list[i];

		if (read_again(reader, i, &member->stat)) {
			if (reader->fds[i] >= 0)
				close(reader->fds[i]);
			continue;
		}
		members->list[kept] = *member;
		reader->fds[kept++] = reader->fds[i];
	}
	members->count = kept;
}

/**
 * top_read() - read what there is now
 * @reader: all 0 before the first call; for top_reader_free(), also after an
 *	    error
 *
 * Return: 0, or -errno as ksm_sample_read()
 */
int top_read(struct top_reader *reader)
{
	int err;

	if (!reader->fds ||
	    clock_ms(CLOCK_MONOTONIC) >= reader->next_ms) {
		err = search(reader);
	} else {
		refresh(reader);
		err = ksm_sample_again(&reader->sample, &reader->members);
	}
	set_time_of_root(&reader->sample);
	return err;
}

/* Give back what top_read() has made. */
void top_reader_free(struct top_reader *reader)
{
	close_all(reader);
	ksm_members_free(&reader->members);
	memset(reader, 0, sizeof(*reader));
}
