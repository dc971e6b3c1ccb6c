// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "replace.h"

/**
 * ksm_print_to() - print, and see that it arrives
 * @file:  where to
 * @print: prints
 * @arg:   for @print
 *
 * Return: 0, or -errno: a disk that is full shows up at the end
 */
int ksm_print_to(FILE *file, ksm_print print, const void *arg)
{
	int err;

	errno = 0;
	err = print(file, arg);
	if (!err && (fflush(file) || ferror(file)))
		err = errno ? -errno : -EIO;
	return err;
}

static int print_and_close(int fd, ksm_print print, const void *arg)
{
	FILE *file = fdopen(fd, "w");
	int err;

	if (!file) {
		err = -errno;
		close(fd);
		return err;
	}
	err = ksm_print_to(file, print, arg);
	if (fclose(file) && !err)
		err = -errno;
	return err;
}

/* A device or a FIFO is written to: another file in its place would be none. */
static int write_to(const char *name, ksm_print print, const void *arg)
{
	int fd = open(name, O_WRONLY | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? -errno : print_and_close(fd, print, arg);
}

/* Readers of directories take NAME.XXXXXX for something else. */
static int exchange(const char *name, mode_t mode, ksm_print print,
		    const void *arg)
{
	char path[PATH_MAX + 8];
	int fd, err;

	snprintf(path, sizeof(path), "%s.XXXXXX", name);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fchmod(fd, mode)) {
		err = -errno;
		close(fd);
	} else {
		err = print_and_close(fd, print, arg);
	}
	if (!err && rename(path, name))
		err = -errno;
	if (err)
		unlink(path);
	return err;
}

/**
 * ksm_replace_file() - write a file
 * @name:  its name; a link stays one, and a device is written to
 * @mode:  of the new file
 * @print: prints
 * @arg:   for @print
 *
 * Return: 0, or -errno; then the old file is as it was, unless it is a device
 */
int ksm_replace_file(const char *name, mode_t mode, ksm_print print,
		     const void *arg)
{
	char path[PATH_MAX];
	struct stat there;

	if (snprintf(path, sizeof(path), "%s", name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (!stat(name, &there)) {
		if (!S_ISREG(there.st_mode))
			return write_to(name, print, arg);
		if (!realpath(name, path))
			return -errno;
	}
	return exchange(path, mode, print, arg);
}
