// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "root.h"

#define LINE_MAX_BYTES	1024

static const char *name = "ksmtuned";
static bool to_journal;
static bool with_debug;
static char path[KSM_PATH_MAX];
static int last_error;

/* systemd names the stream it made; it may have been redirected since. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       !fstat(STDERR_FILENO, &st) && st.st_dev == dev &&
	       st.st_ino == ino;
}

/**
 * log_open() - begin
 * @program: name before each line for people; the journal knows it
 */
void log_open(const char *program)
{
	name = program;
	to_journal = is_journal();
}

/**
 * log_config() - what else to say, and where
 * @file:  append to this file, too; "": to none
 * @debug: also what is of LOG_DEBUG
 */
void log_config(const char *file, bool debug)
{
	with_debug = debug;
	last_error = 0;
	path[0] = '\0';
	if (file[0])
		ksm_root_path(path, sizeof(path), "%s", file);
}

/* Text from files must not look like lines of ours. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			*text = '?';
}

static void to_stderr(int priority, const char *text)
{
	if (to_journal)
		fprintf(stderr, "<%d>%s\n", priority, text);
	else
		fprintf(stderr, "%s: %s\n", name, text);
}

static int append(const char *text)
{
	char line[LINE_MAX_BYTES + 64], when[40];
	time_t now = time(NULL);
	struct tm tm;
	int fd, len, done, err = 0;

	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW |
			O_NONBLOCK | O_CLOEXEC, 0640);
	if (fd < 0)
		return errno;
	localtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S%z", &tm);
	len = snprintf(line, sizeof(line), "%s %s\n", when, text);
	done = write(fd, line, len);
	if (done != len)
		err = done < 0 ? errno : ENOSPC;
	close(fd);
	return err;
}

/* Opened again for each line: files are rotated.  A fault is told once. */
static void to_file(const char *text)
{
	char complaint[LINE_MAX_BYTES];
	int err = append(text);

	if (err && err != last_error) {
		snprintf(complaint, sizeof(complaint),
			 "cannot write to LOGFILE %.500s: %s", path,
			 strerror(err));
		make_printable(complaint);
		to_stderr(LOG_WARNING, complaint);
	}
	last_error = err;
}

/**
 * log_say() - say something
 * @priority: LOG_ERR to LOG_DEBUG
 * @fmt:      one line, without the newline
 */
void log_say(int priority, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	va_list args;

	if (priority == LOG_DEBUG && !with_debug)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	make_printable(text);
	if (path[0])
		to_file(text);
	to_stderr(priority, text);
}
