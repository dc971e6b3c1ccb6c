// SPDX-License-Identifier: GPL-2.0
/*
 * Files of /proc and /sys as text.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "files.h"

/* open, write and close only: this also runs in a signal handler. */
int ksys_write(const char *path, const char *text)
{
	ssize_t ret;
	int fd, err = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text));
	if (ret < 0)
		err = -errno;
	else if ((size_t)ret != strlen(text))
		err = -EIO;
	close(fd);
	return err;
}

ssize_t ksys_read(const char *path, char *buf, size_t size)
{
	ssize_t ret, len = 0;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		ret = read(fd, buf + len, size - 1 - len);
		if (ret < 0)
			len = -errno;
		else
			len += ret;
	} while (ret > 0 && (size_t)len < size - 1);
	close(fd);
	buf[len < 0 ? 0 : len] = '\0';
	return len;
}

long ksys_read_long(const char *path)
{
	char buf[64], *end;
	ssize_t len;
	long value;

	len = ksys_read(path, buf, sizeof(buf));
	if (len < 0)
		return len;
	value = strtol(buf, &end, 0);
	return end == buf ? -EINVAL : value;
}

int ksys_debugfs(void)
{
	char line[256];
	bool there = false;
	FILE *f;

	f = fopen("/proc/mounts", "re");
	while (f && fgets(line, sizeof(line), f))
		there |= !!strstr(line, " /sys/kernel/debug ");
	if (f)
		fclose(f);
	if (there)
		return 0;
	if (mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL))
		return -errno;
	return 0;
}
