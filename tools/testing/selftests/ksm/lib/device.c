// SPDX-License-Identifier: GPL-2.0
/*
 * The device of lib/test_hmm.c, which has memory of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../../../../../lib/test_hmm_uapi.h"
#include "device.h"
#include "end.h"

#define DEVICE		"/dev/hmm_dmirror0"

static int device_major(void)
{
	char line[128], name[64];
	int major = 0, nr;
	FILE *f;

	f = fopen("/proc/devices", "re");
	while (f && !major && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%d %63s", &nr, name) == 2 &&
		    !strcmp(name, "HMM_DMIRROR"))
			major = nr;
	}
	if (f)
		fclose(f);
	return major;
}

const char *ksys_device_setup(void)
{
	int major = device_major();

	if (!major)
		return "kernel without CONFIG_TEST_HMM";
	if (access(DEVICE, F_OK) &&
	    mknod(DEVICE, S_IFCHR | 0600, makedev(major, 0)))
		return "cannot make the node of the device";
	return NULL;
}

int ksys_device_open(void)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		ksm_die("cannot open " DEVICE ": %s", strerror(errno));
	return fd;
}

static long device(int fd, unsigned long what, void *addr, size_t pages,
		   void *buf)
{
	struct hmm_dmirror_cmd cmd = {
		.addr = (unsigned long)addr,
		.ptr = (unsigned long)buf,
		.npages = pages,
	};
	int ret;

	do {
		ret = ioctl(fd, what, &cmd);
	} while (ret && errno == EINTR);
	return ret ? -errno : (long)cmd.cpages;
}

/* The same for a command that also returns the contents, which are not used */
static long device_dump(int fd, unsigned long what, void *addr, size_t pages)
{
	char *buf = malloc(pages * sysconf(_SC_PAGESIZE));
	long ret;

	if (!buf)
		ksm_die("out of memory");
	ret = device(fd, what, addr, pages, buf);
	free(buf);
	return ret;
}

long ksys_to_device(int fd, void *addr, size_t pages)
{
	return device_dump(fd, HMM_DMIRROR_MIGRATE_TO_DEV, addr, pages);
}

long ksys_from_device(int fd, void *addr, size_t pages)
{
	return device(fd, HMM_DMIRROR_MIGRATE_TO_SYS, addr, pages, NULL);
}

int ksys_device_exclusive(int fd, void *addr, size_t pages)
{
	long ret = device_dump(fd, HMM_DMIRROR_EXCLUSIVE, addr, pages);

	return ret < 0 ? ret : 0;
}

size_t ksys_on_device(int fd, void *addr, size_t pages)
{
	const unsigned char where = HMM_DMIRROR_PROT_DEV_PRIVATE_LOCAL;
	unsigned char *prot = calloc(pages, 1);
	size_t i, n = 0;

	if (!prot)
		ksm_die("out of memory");
	if (device(fd, HMM_DMIRROR_SNAPSHOT, addr, pages, prot) < 0)
		ksm_die("no snapshot: %s", strerror(errno));
	for (i = 0; i < pages; i++)
		n += (prot[i] & ~HMM_DMIRROR_PROT_WRITE & where) == where;
	free(prot);
	return n;
}

int ksys_device_read(int fd, void *addr, size_t pages, void *to)
{
	long ret = device(fd, HMM_DMIRROR_READ, addr, pages, to);

	return ret < 0 ? ret : 0;
}
