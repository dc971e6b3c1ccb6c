// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "days.h"
#include "root.h"

#define NAME_MAX_LEN	64

static void day_name(char *name, const char *kind, int64_t time_ms)
{
	time_t seconds = time_ms / 1000;
	struct tm day;
	size_t len;

	gmtime_r(&seconds, &day);
	len = strftime(name, NAME_MAX_LEN, "%Y-%m-%d", &day);
	snprintf(name + len, NAME_MAX_LEN - len, "%s.jsonl", kind);
}

static int make_dir(const char *path)
{
	char part[KSM_PATH_MAX];
	size_t len = strlen(path);

	for (size_t i = 1; i <= len; i++) {
		if (path[i] && path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0755) && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* A crash or a full disk may have left the beginning of a line. */
static bool is_within_line(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char last;

	return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

/* In one piece, so that readers see whole lines, also of several writers. */
static int append_line(const char *path, mode_t mode, const char *line)
{
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, mode);
	ssize_t len, done;
	int err;

	if (fd < 0)
		return -errno;
	/* only what was begun is lost then */
	if (!is_within_line(fd))
		line++;
	len = strlen(line);
	done = write(fd, line, len);
	err = done < 0 ? -errno : done < len ? -ENOSPC : 0;
	if (close(fd) && !err)
		err = -errno;
	return err;
}

/* With a newline at its beginning as well */
static char *line_of(const json_t *record)
{
	char *text = json_dumps(record, JSON_COMPACT), *line = NULL;

	if (text && asprintf(&line, "\n%s\n", text) < 0)
		line = NULL;
	free(text);
	return line;
}

/**
 * ksm_days_append() - write a line
 * @days:    where; the directory is made if it is not there
 * @mode:    of a file that is made
 * @time_ms: tells the day
 * @record:  the line, or NULL if there was no memory for it
 *
 * Return: 0, or -errno
 */
int ksm_days_append(const struct ksm_days *days, mode_t mode, int64_t time_ms,
		    const json_t *record)
{
	char path[KSM_PATH_MAX], day[NAME_MAX_LEN];
	char *line = line_of(record);
	int err;

	if (!line)
		return -ENOMEM;
	day_name(day, days->kind, time_ms);
	err = ksm_root_path(path, sizeof(path), "%s", days->dir);
	if (!err)
		err = make_dir(path);
	if (!err)
		err = ksm_root_path(path, sizeof(path), "%s/%s", days->dir,
				    day);
	if (!err)
		err = append_line(path, mode, line);
	free(line);
	return err;
}

static int read_day(const struct ksm_days *days, int64_t day_ms,
		    ksm_days_take take, void *to)
{
	char day[NAME_MAX_LEN], *line = NULL;
	size_t size = 0;
	FILE *file;
	int err = 0;

	day_name(day, days->kind, day_ms);
	file = ksm_root_open("%s/%s", days->dir, day);
	if (!file)
		return errno == ENOENT ? 0 : -errno;
	for (int nr = 1; !err && getline(&line, &size, file) > 0; nr++) {
		json_t *record = json_loads(line, 0, NULL);

		err = take(to, record, day, nr);
		json_decref(record);
	}
	free(line);
	fclose(file);
	return err;
}

/**
 * ksm_days_read() - read all lines of some days
 * @days:    where
 * @from_ms: the first day
 * @to_ms:   the last one
 * @take:    gets each line, those of other times of these days included
 * @to:      its first parameter
 *
 * Return: 0, also if there is nothing; or -errno
 */
int ksm_days_read(const struct ksm_days *days, int64_t from_ms, int64_t to_ms,
		  ksm_days_take take, void *to)
{
	int err = 0;

	/* "the last 100000 days" are all there are */
	if (from_ms < 0)
		from_ms = 0;
	for (int64_t day = from_ms / KSM_DAY_MS;
	     !err && day <= to_ms / KSM_DAY_MS; day++)
		err = read_day(days, day * KSM_DAY_MS, take, to);
	return err;
}

static bool is_day(const char *name, const char *kind)
{
	struct tm day = { 0 };
	const char *end = strptime(name, "%Y-%m-%d", &day);
	size_t len = strlen(kind);

	return end && !strncmp(end, kind, len) && !strcmp(end + len, ".jsonl");
}

/**
 * ksm_days_prune() - remove the files of days long gone
 * @days:   where; other files there stay
 * @now_ms: the present
 * @keep:   how many days before this one are kept
 *
 * Return: number of files removed, or -errno
 */
int ksm_days_prune(const struct ksm_days *days, int64_t now_ms, int keep)
{
	DIR *list = ksm_root_opendir(days->dir);
	char oldest[NAME_MAX_LEN];
	struct dirent *entry;
	int removed = 0;

	if (!list)
		return errno == ENOENT ? 0 : -errno;
	/* names of days sort as the days do */
	day_name(oldest, days->kind, now_ms - keep * KSM_DAY_MS);
	while ((entry = readdir(list)))
		if (is_day(entry->d_name, days->kind) &&
		    strcmp(entry->d_name, oldest) < 0)
			removed += !unlinkat(dirfd(list), entry->d_name, 0);
	closedir(list);
	return removed;
}
