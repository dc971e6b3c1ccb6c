// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "psi.h"
#include "root.h"

#define PSI_FILE	"/proc/pressure/memory"
/* The kernel asks for CAP_SYS_RESOURCE if it is not a multiple of this. */
#define WINDOW_US	2000000

/**
 * psi_open() - ask to be woken
 * @stall_ms: if some program waited for so long, in any 2 s
 *
 * Return: a file to poll for POLLPRI, or -errno
 */
int psi_open(int stall_ms)
{
	char path[KSM_PATH_MAX], trigger[64];
	int fd, err = ksm_root_path(path, sizeof(path), PSI_FILE);

	if (err)
		return err;
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(trigger, sizeof(trigger), "some %d %d", stall_ms * 1000,
		 WINDOW_US);
	/* with the 0 at its end */
	if (write(fd, trigger, strlen(trigger) + 1) >= 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}
