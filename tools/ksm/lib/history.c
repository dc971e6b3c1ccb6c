// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "history.h"
#include "record.h"
#include "root.h"
#include "verdict.h"

#define DAY_MS		86400000LL
#define DAY_NAME	sizeof("YYYY-MM-DD.jsonl")

static void day_name(char *name, int64_t time_ms)
{
	time_t seconds = time_ms / 1000;
	struct tm day;

	gmtime_r(&seconds, &day);
	strftime(name, DAY_NAME, "%Y-%m-%d.jsonl", &day);
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

/* In one piece, so that readers see whole lines, whoever else writes. */
static int append_line(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	ssize_t len = strlen(line), done;
	int err;

	if (fd < 0)
		return -errno;
	done = write(fd, line, len);
	err = done < 0 ? -errno : done < len ? -ENOSPC : 0;
	if (close(fd) && !err)
		err = -errno;
	return err;
}

static char *line_of(const struct ksm_sample *sample)
{
	json_t *record = ksm_record_of(sample);
	char *text = json_dumps(record, JSON_COMPACT), *line = NULL;

	if (text && asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	free(text);
	json_decref(record);
	return line;
}

/**
 * ksm_history_append() - keep a sample
 * @dir:    where; is made if it is not there
 * @sample: the sample
 *
 * Return: 0, or -errno
 */
int ksm_history_append(const char *dir, const struct ksm_sample *sample)
{
	char path[KSM_PATH_MAX], day[DAY_NAME];
	char *line = line_of(sample);
	int err;

	if (!line)
		return -ENOMEM;
	day_name(day, sample->time_ms);
	err = ksm_root_path(path, sizeof(path), "%s", dir);
	if (!err)
		err = make_dir(path);
	if (!err)
		err = ksm_root_path(path, sizeof(path), "%s/%s", dir, day);
	if (!err)
		err = append_line(path, line);
	free(line);
	return err;
}

static int keep(struct ksm_history *history, const struct ksm_sample *sample)
{
	size_t count = history->count;

	/* grow at 0, 64, 128, 256 ... */
	if (!count || (count >= 64 && !(count & (count - 1)))) {
		void *list = realloc(history->list, (count ? 2 * count : 64) *
						    sizeof(*sample));

		if (!list)
			return -ENOMEM;
		history->list = list;
	}
	history->list[history->count++] = *sample;
	return 0;
}

static int parse_line(const char *line, int64_t from_ms, int64_t to_ms,
		      struct ksm_history *history)
{
	json_t *record = json_loads(line, 0, NULL);
	struct ksm_sample sample;
	int err = 0;

	if (!record || ksm_record_parse(record, &sample))
		history->damaged++;
	else if (sample.time_ms >= from_ms && sample.time_ms <= to_ms)
		err = keep(history, &sample);
	json_decref(record);
	return err;
}

static int read_day(const char *dir, int64_t day_ms, int64_t from_ms,
		    int64_t to_ms, struct ksm_history *history)
{
	char day[DAY_NAME], *line = NULL;
	size_t size = 0, damaged;
	FILE *file;
	int err = 0;

	day_name(day, day_ms);
	file = ksm_root_open("%s/%s", dir, day);
	if (!file)
		return errno == ENOENT ? 0 : -errno;
	for (int nr = 1; !err && getline(&line, &size, file) > 0; nr++) {
		damaged = history->damaged;
		err = parse_line(line, from_ms, to_ms, history);
		if (!damaged && history->damaged)
			snprintf(history->damaged_at,
				 sizeof(history->damaged_at), "%s:%d", day, nr);
	}
	free(line);
	fclose(file);
	return err;
}

/**
 * ksm_history_read() - read the samples of a span of time
 * @dir:     where they are kept
 * @from_ms: begin, by the wall clock
 * @to_ms:   end, included
 * @history: result, for ksm_history_free(), also after an error; empty if
 *           nothing was kept
 *
 * Return: 0, or -errno
 */
int ksm_history_read(const char *dir, int64_t from_ms, int64_t to_ms,
		     struct ksm_history *history)
{
	int err = 0;

	memset(history, 0, sizeof(*history));
	for (int64_t day = from_ms / DAY_MS; !err && day <= to_ms / DAY_MS;
	     day++)
		err = read_day(dir, day * DAY_MS, from_ms, to_ms, history);
	return err;
}

/* Give back what ksm_history_read() has made. */
void ksm_history_free(struct ksm_history *history)
{
	free(history->list);
	memset(history, 0, sizeof(*history));
}

static bool is_day(const char *name)
{
	struct tm day = { 0 };
	const char *end = strptime(name, "%Y-%m-%d", &day);

	return end && !strcmp(end, ".jsonl");
}

/**
 * ksm_history_prune() - remove the files of days long gone
 * @dir:    where samples are kept; other files there stay
 * @now_ms: the present
 * @days:   how many days before this one are kept
 *
 * Return: number of files removed, or -errno
 */
int ksm_history_prune(const char *dir, int64_t now_ms, int days)
{
	DIR *list = ksm_root_opendir(dir);
	struct dirent *entry;
	char oldest[DAY_NAME];
	int removed = 0;

	if (!list)
		return errno == ENOENT ? 0 : -errno;
	day_name(oldest, now_ms - days * DAY_MS);
	/* names of days sort as the days do */
	while ((entry = readdir(list)))
		if (is_day(entry->d_name) && strcmp(entry->d_name, oldest) < 0)
			removed += !unlinkat(dirfd(list), entry->d_name, 0);
	closedir(list);
	return removed;
}

/**
 * ksm_history_at() - a sample of some time ago, of this boot
 * @history:  samples
 * @now:      the present
 * @ago_ms:   how long ago
 * @slack_ms: how much newer or older it may be
 *
 * Return: the one that fits best, or NULL
 */
const struct ksm_sample *ksm_history_at(const struct ksm_history *history,
					const struct ksm_sample *now,
					int64_t ago_ms, int64_t slack_ms)
{
	const struct ksm_sample *best = NULL;
	int64_t best_off = slack_ms + 1;

	for (size_t i = 0; i < history->count; i++) {
		const struct ksm_sample *at = &history->list[i];
		int64_t off = llabs(now->boottime_ms - at->boottime_ms -
				    ago_ms);

		if (off >= best_off || at->boottime_ms >= now->boottime_ms ||
		    strcmp(at->host.boot_id, now->host.boot_id))
			continue;
		best = at;
		best_off = off;
	}
	return best;
}

static bool grew(const struct ksm_sample *from, const struct ksm_sample *to)
{
	struct ksm_rates rates;

	ksm_rates_between(from, to, &rates);
	return ksm_growth_per_scan(to, &rates) > KSM_GROWING_PER_SCAN;
}

/**
 * ksm_history_converged() - since when has nothing grown any more?
 * @history: samples
 * @now:     the present
 *
 * Return: time by the wall clock in ms; KSM_UNKNOWN if it still grows, or has
 *         not grown for as long as the samples of this boot go back
 */
int64_t ksm_history_converged(const struct ksm_history *history,
			      const struct ksm_sample *now)
{
	const struct ksm_sample *newer = now;

	for (size_t i = history->count; i-- > 0;) {
		const struct ksm_sample *at = &history->list[i];

		if (strcmp(at->host.boot_id, now->host.boot_id))
			break;
		if (grew(at, newer))
			return newer == now ? KSM_UNKNOWN : newer->time_ms;
		newer = at;
	}
	return KSM_UNKNOWN;
}
