// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "notify.h"

/* A name that begins with @ is an abstract one: a zero byte in its place. */
static int address_of(struct sockaddr_un *address, const char *name)
{
	size_t len = strlen(name);

	if ((name[0] != '/' && name[0] != '@') ||
	    len >= sizeof(address->sun_path))
		return -EINVAL;
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, name, len + 1);
	if (name[0] == '@')
		address->sun_path[0] = '\0';
	return offsetof(struct sockaddr_un, sun_path) + len;
}

static int send_to(const char *name, const char *text)
{
	struct sockaddr_un address;
	int fd, err = 0, len = address_of(&address, name);

	if (len < 0)
		return len;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL,
		   (struct sockaddr *)&address, len) < 0)
		err = -errno;
	close(fd);
	return err;
}

/**
 * notify() - send a message as sd_notify(3) does
 * @fmt: lines of NAME=VALUE
 *
 * Return: 0, also if no socket is named; or -errno
 */
int notify(const char *fmt, ...)
{
	const char *name = getenv("NOTIFY_SOCKET");
	char text[512];
	va_list args;

	if (!name || !*name)
		return 0;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return send_to(name, text);
}
