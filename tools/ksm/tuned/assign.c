// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "assign.h"
#include "log.h"
#include "root.h"

#define BLANKS		" \t\r\n"
#define NAME_START	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
#define NAME_CHARS	NAME_START "0123456789"
/* What a shell would act on */
#define ACTIVE		"$`\\"
#define ACTIVE_PLAIN	ACTIVE ";&|<>()"

/* Settings take a few hundred bytes, comments some more. */
#define FILE_MAX_BYTES	65536
/* Each wrong line is a line of log; a file that is no settings has many. */
#define COMPLAINTS_MAX	20

static const char *put(struct assign *assign, size_t *len, const char *from,
		       size_t count)
{
	if (count >= sizeof(assign->value) - *len)
		return "the value is too long";
	memcpy(assign->value + *len, from, count);
	*len += count;
	assign->value[*len] = '\0';
	return NULL;
}

static const char *take_quoted(struct assign *assign, size_t *len, char **at)
{
	char quote = *(*at)++;
	char *end = strchr(*at, quote);

	if (!end)
		return "a quote is not closed";
	if (quote == '"' && strcspn(*at, ACTIVE) < (size_t)(end - *at))
		return "values are not expanded: $, ` and \\ are not allowed";
	if (put(assign, len, *at, end - *at))
		return "the value is too long";
	*at = end + 1;
	return NULL;
}

static const char *take_plain(struct assign *assign, size_t *len, char **at)
{
	size_t count = strcspn(*at, BLANKS ACTIVE_PLAIN "'\"");

	if (!count)
		return "values are not executed: write a plain value";
	if (put(assign, len, *at, count))
		return "the value is too long";
	*at += count;
	return NULL;
}

static const char *take_value(struct assign *assign, char *at)
{
	const char *error = NULL;
	size_t len = 0;

	while (*at && !strchr(BLANKS, *at) && !error)
		error = *at == '\'' || *at == '"' ?
			take_quoted(assign, &len, &at) :
			take_plain(assign, &len, &at);
	if (error)
		return error;
	at += strspn(at, BLANKS);
	return *at && *at != '#' ? "there is text after the value" : NULL;
}

static char *skip_export(char *line)
{
	size_t len = strlen("export");

	if (strncmp(line, "export", len) || !strchr(" \t", line[len]))
		return line;
	return line + len + strspn(line + len, BLANKS);
}

/**
 * assign_parse() - understand a line
 * @assign: result
 * @line:   the line; is cut into pieces
 * @len:    of @line
 */
void assign_parse(struct assign *assign, char *line, size_t len)
{
	size_t name;

	assign->name = NULL;
	assign->value[0] = '\0';
	assign->error = NULL;
	if (strlen(line) != len) {
		assign->error = "there is a zero byte in it";
		return;
	}
	line += strspn(line, BLANKS);
	if (!*line || *line == '#')
		return;
	line = skip_export(line);
	name = strchr(NAME_START, *line) ? strspn(line, NAME_CHARS) : 0;
	if (!name || line[name] != '=') {
		assign->error = "this is not KEY=value";
		return;
	}
	line[name] = '\0';
	assign->error = take_value(assign, line + name + 1);
	if (!assign->error)
		assign->name = line;
}

static int check_file(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return -EINVAL;
	/* LOGFILE names a file that root writes to. */
	if (st->st_mode & 0002)
		return -EPERM;
	return st->st_size > FILE_MAX_BYTES ? -EFBIG : 0;
}

/* Not blocking: it may be a FIFO. */
static int open_file(FILE **file, const char *path)
{
	char full[KSM_PATH_MAX];
	struct stat st;
	int fd, err = ksm_root_path(full, sizeof(full), "%s", path);

	if (err)
		return err;
	fd = open(full, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) ? -errno : check_file(&st);
	*file = err ? NULL : fdopen(fd, "r");
	if (!*file)
		close(fd);
	return err;
}

static void complain(const char *path, int err)
{
	switch (err) {
	case -EINVAL:
		log_say(LOG_ERR, "%s: not a regular file: ignored", path);
		break;
	case -EPERM:
		log_say(LOG_ERR, "%s: ignored, as any user may write to it: chmod o-w it",
			path);
		break;
	case -EFBIG:
		log_say(LOG_ERR, "%s: ignored, as it has more than %d bytes",
			path, FILE_MAX_BYTES);
		break;
	default:
		log_say(LOG_ERR, "%s: cannot be read: %s", path,
			strerror(-err));
	}
}

static void read_lines(FILE *file, const char *path, assign_take take, void *to)
{
	int number = 0, complaints = 0;
	char *line = NULL;
	struct assign assign;
	size_t size = 0;
	ssize_t len;

	while ((len = getline(&line, &size, file)) > 0) {
		number++;
		assign_parse(&assign, line, len);
		if (assign.name)
			assign.error = take(to, assign.name, assign.value);
		if (!assign.error)
			continue;
		if (++complaints > COMPLAINTS_MAX) {
			log_say(LOG_WARNING, "%s: more lines are wrong", path);
			break;
		}
		log_say(LOG_WARNING, "%s:%d: ignored: %s%s%s", path, number,
			assign.name ? assign.name : "",
			assign.name ? ": " : "", assign.error);
	}
	free(line);
}

/**
 * assign_read() - read a file of settings
 * @path: its absolute name
 * @take: gets each setting
 * @to:   its first parameter
 *
 * What is wrong is said, and the line left out.
 *
 * Return: 0, also if there is no such file; -errno if it was not read
 */
int assign_read(const char *path, assign_take take, void *to)
{
	FILE *file;
	int err = open_file(&file, path);

	if (err == -ENOENT)
		return 0;
	if (err) {
		complain(path, err);
		return err;
	}
	read_lines(file, path, take, to);
	fclose(file);
	return 0;
}
