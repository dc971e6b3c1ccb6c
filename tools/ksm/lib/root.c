// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "root.h"

static char prefix[KSM_PATH_MAX / 2];

/**
 * ksm_root_set() - put a directory before all paths
 * @dir: the directory; "" for the running system
 *
 * Return: 0, or -ENAMETOOLONG
 */
int ksm_root_set(const char *dir)
{
	if (strlen(dir) >= sizeof(prefix))
		return -ENAMETOOLONG;
	strcpy(prefix, dir);
	return 0;
}

/* The directory that was set, "" if none was. */
const char *ksm_root(void)
{
	return prefix;
}

static int path_of(char *path, size_t size, const char *fmt, va_list args)
{
	int start = snprintf(path, size, "%s", prefix);
	int len = vsnprintf(path + start, size - start, fmt, args);

	return len < 0 || (size_t)len >= size - start ? -ENAMETOOLONG : 0;
}

/**
 * ksm_root_path() - where a file is, with the prefix
 * @path: result
 * @size: of @path, KSM_PATH_MAX
 * @fmt:  the file's absolute name, as for printf()
 *
 * Return: 0, or -ENAMETOOLONG
 */
int ksm_root_path(char *path, size_t size, const char *fmt, ...)
{
	va_list args;
	int err;

	va_start(args, fmt);
	err = path_of(path, size, fmt, args);
	va_end(args);
	return err;
}

static FILE *open_file(const char *fmt, va_list args)
{
	char path[KSM_PATH_MAX];
	int err = path_of(path, sizeof(path), fmt, args);

	if (err) {
		errno = -err;
		return NULL;
	}
	return fopen(path, "re");
}

/**
 * ksm_root_open() - open a file to read it
 * @fmt: its absolute name, as for printf()
 *
 * Return: the file, or NULL with errno set
 */
FILE *ksm_root_open(const char *fmt, ...)
{
	va_list args;
	FILE *file;

	va_start(args, fmt);
	file = open_file(fmt, args);
	va_end(args);
	return file;
}

/**
 * ksm_root_opendir() - open a directory
 * @path: its absolute name
 *
 * Return: the directory, or NULL with errno set
 */
DIR *ksm_root_opendir(const char *path)
{
	char full[KSM_PATH_MAX];
	int err = ksm_root_path(full, sizeof(full), "%s", path);

	if (err) {
		errno = -err;
		return NULL;
	}
	return opendir(full);
}

/* Files of /proc and /sys report some errors on reading only. */
static ssize_t read_all(FILE *file, char *text, size_t size)
{
	size_t len;
	int err;

	if (!file)
		return -errno;
	errno = 0;
	len = fread(text, 1, size - 1, file);
	err = ferror(file) ? errno : 0;
	fclose(file);
	text[len] = '\0';
	return err ? -err : (ssize_t)len;
}

/**
 * ksm_root_read() - read a small file
 * @text: result, a string; one newline at its end is removed
 * @size: of @text; what does not fit is left out
 * @fmt:  the file's absolute name, as for printf()
 *
 * Return: length of the string, or -errno
 */
ssize_t ksm_root_read(char *text, size_t size, const char *fmt, ...)
{
	va_list args;
	ssize_t len;

	va_start(args, fmt);
	len = read_all(open_file(fmt, args), text, size);
	va_end(args);
	if (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	return len;
}

/**
 * ksm_parse_figure() - a decimal number
 * @text: the number, and nothing else but white space after it
 *
 * Return: the number; KSM_UNKNOWN if @text is something else, or too large
 */
ksm_figure ksm_parse_figure(const char *text)
{
	long long value;
	char *end;

	if (!isdigit((unsigned char)text[text[0] == '-']))
		return KSM_UNKNOWN;
	errno = 0;
	value = strtoll(text, &end, 10);
	while (isspace((unsigned char)*end))
		end++;
	return errno || *end ? KSM_UNKNOWN : value;
}

/**
 * ksm_root_figure() - the number that a file holds
 * @fmt: the file's absolute name, as for printf()
 *
 * Return: the number, or KSM_UNKNOWN
 */
ksm_figure ksm_root_figure(const char *fmt, ...)
{
	char text[64];
	va_list args;
	ssize_t len;

	va_start(args, fmt);
	len = read_all(open_file(fmt, args), text, sizeof(text));
	va_end(args);
	return len < 0 ? KSM_UNKNOWN : ksm_parse_figure(text);
}

/**
 * ksm_root_write() - write to a file that is there
 * @path: its absolute name
 * @text: what to write, in one piece
 *
 * The file is not created, and cut only if it is a regular one (fixtures).
 *
 * Return: 0, or -errno
 */
int ksm_root_write(const char *path, const char *text)
{
	char full[KSM_PATH_MAX];
	int err = ksm_root_path(full, sizeof(full), "%s", path);
	ssize_t len;
	int fd;

	if (err)
		return err;
	fd = open(full, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = write(fd, text, strlen(text));
	if (len < 0)
		err = -errno;
	else if ((size_t)len < strlen(text))
		err = -EIO;
	close(fd);
	return err;
}
