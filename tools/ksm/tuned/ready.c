// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "ready.h"
#include "root.h"
#include "sysfs.h"

/**
 * status_of() - exit code for an error
 * @err: 0 or -errno
 *
 * Return: the exit code
 */
int status_of(int err)
{
	if (!err)
		return STATUS_DONE;
	return err == -EACCES || err == -EPERM ? STATUS_PERMISSION :
						 STATUS_FAILED;
}

/**
 * status_written() - the exit code after something was printed
 * @status: the exit code otherwise
 *
 * Return: the exit code
 */
int status_written(int status)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	log_say(LOG_ERR, "the output cannot be written%s%s",
		errno ? ": " : "", errno ? strerror(errno) : "");
	return status ? status : STATUS_FAILED;
}

/**
 * status_ready() - is there a KSM?
 * @write: which can be controlled from here
 *
 * Return: STATUS_DONE; or another exit code, and the reason was said
 */
int status_ready(bool write)
{
	char path[KSM_PATH_MAX];
	int err = ksm_root_path(path, sizeof(path), KSM_SYSFS "/run");

	if (!err && access(path, write ? W_OK : F_OK))
		err = -errno;
	switch (err) {
	case 0:
		break;
	case -ENOENT:
		log_say(LOG_ERR, "no " KSM_SYSFS ": this kernel has no KSM; boot one with CONFIG_KSM=y");
		return STATUS_NO_KSM;
	case -EACCES:
	case -EPERM:
		log_say(LOG_ERR, "not permitted to write to " KSM_SYSFS ": run this as root");
		break;
	case -EROFS:
		log_say(LOG_ERR, KSM_SYSFS " is read-only: run this on the host, not in a container");
		break;
	default:
		log_say(LOG_ERR, KSM_SYSFS "/run: %s", strerror(-err));
	}
	return status_of(err);
}
