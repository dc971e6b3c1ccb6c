// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "root.h"
#include "single.h"

static struct flock whole_file(void)
{
	return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
}

static int open_lock(const char *lock_file, int flags)
{
	char path[KSM_PATH_MAX];
	int fd, err = ksm_root_path(path, sizeof(path), "%s", lock_file);

	if (err)
		return err;
	fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

/**
 * single_begin() - be the one daemon, until the process ends
 * @lock_file: of this kind of daemon
 *
 * Return: 0; -EAGAIN if there is one, or another -errno
 */
int single_begin(const char *lock_file)
{
	struct flock lock = whole_file();
	int fd = open_lock(lock_file, O_RDWR | O_CREAT);

	if (fd < 0)
		return fd;
	if (fcntl(fd, F_SETLK, &lock)) {
		int err = errno == EACCES ? EAGAIN : errno;

		close(fd);
		return -err;
	}
	/* fd stays open: closing it would give up the lock */
	return 0;
}

/**
 * single_holder() - find the daemon
 * @lock_file: of this kind of daemon
 *
 * Return: its PID; 0 if there is none, or -errno
 */
pid_t single_holder(const char *lock_file)
{
	struct flock lock = whole_file();
	int err, fd = open_lock(lock_file, O_RDONLY);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	err = fcntl(fd, F_GETLK, &lock) ? -errno : 0;
	close(fd);
	if (err)
		return err;
	return lock.l_type == F_UNLCK ? 0 : lock.l_pid;
}

/**
 * single_write_pid() - name ksmtuned in the file where others look
 *
 * Return: 0, or -errno
 */
int single_write_pid(void)
{
	char path[KSM_PATH_MAX];
	int fd, err = ksm_root_path(path, sizeof(path), TUNED_PID);

	if (err)
		return err;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		  0644);
	if (fd < 0)
		return -errno;
	if (dprintf(fd, "%d\n", getpid()) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* Remove the file that names the daemon. */
void single_remove_pid(void)
{
	char path[KSM_PATH_MAX];

	if (!ksm_root_path(path, sizeof(path), TUNED_PID))
		unlink(path);
}
