// SPDX-License-Identifier: GPL-2.0
/*
 * Swap on zram.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "files.h"
#include "memory.h"
#include "swap.h"

static pid_t swap_pid;
static char swap_dev[32];
static bool swap_is_on;

/* The node of a block device; made by hand where nothing makes them. */
static int device_node(const char *name, char *path, size_t size)
{
	char sys[128], buf[32];
	unsigned int major, minor;

	snprintf(path, size, "/dev/%s", name);
	if (!access(path, F_OK))
		return 0;
	snprintf(sys, sizeof(sys), "/sys/block/%s/dev", name);
	if (ksys_read(sys, buf, sizeof(buf)) < 0 ||
	    sscanf(buf, "%u:%u", &major, &minor) != 2)
		return -ENODEV;
	if (mknod(path, S_IFBLK | 0600, makedev(major, minor)))
		return -errno;
	return 0;
}

static void zram_free(const char *dev)
{
	char path[96];
	const char *digits = dev + strcspn(dev, "0123456789");

	snprintf(path, sizeof(path), "/sys/block/zram%s/reset", digits);
	ksys_write(path, "1");
	/* Fails for the devices that were there from the start. */
	ksys_write("/sys/class/zram-control/hot_remove", digits);
}

const char *ksys_zram_setup(size_t bytes, char *dev, size_t size)
{
	char path[96], text[32], name[32];
	long id;

	/* Reading makes a new device and says its number. */
	id = ksys_read_long("/sys/class/zram-control/hot_add");
	if (id < 0)
		return "kernel without CONFIG_ZRAM";
	snprintf(name, sizeof(name), "zram%ld", id);
	snprintf(path, sizeof(path), "/sys/block/%s/disksize", name);
	snprintf(text, sizeof(text), "%zu", bytes);
	if (ksys_write(path, text))
		return "zram does not take a size";
	if (device_node(name, dev, size))
		return "no device node for zram";
	return NULL;
}

/* The header that mkswap(8) writes, version 1. */
static int format_swap(const char *dev, size_t bytes)
{
	size_t ps = ksm_page_size();
	uint32_t *info;
	char *header;
	int fd, err = 0;

	header = calloc(1, ps);
	if (!header)
		return -ENOMEM;
	info = (uint32_t *)(header + 1024);
	info[0] = 1;
	info[1] = bytes / ps - 1;
	memcpy(header + ps - 10, "SWAPSPACE2", 10);
	fd = open(dev, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, header, ps) != (ssize_t)ps || fsync(fd))
		err = errno ? -errno : -EIO;
	if (fd >= 0)
		close(fd);
	free(header);
	return err;
}

int ksys_swapon(void)
{
	if (swapon(swap_dev, SWAP_FLAG_PREFER | SWAP_FLAG_PRIO_MASK))
		return -errno;
	swap_is_on = true;
	return 0;
}

int ksys_swapoff(void)
{
	if (swapoff(swap_dev))
		return -errno;
	swap_is_on = false;
	return 0;
}

static void swap_end(void)
{
	if (getpid() != swap_pid || !swap_dev[0])
		return;
	/* A case may have switched it off: its copy of the flag is not ours. */
	swapoff(swap_dev);
	zram_free(swap_dev);
}

const char *ksys_swap_setup(size_t bytes)
{
	const char *why;

	if (access("/proc/swaps", F_OK))
		return "kernel without CONFIG_SWAP";
	why = ksys_zram_setup(bytes, swap_dev, sizeof(swap_dev));
	if (why)
		return why;
	swap_pid = getpid();
	atexit(swap_end);
	if (format_swap(swap_dev, bytes))
		return "cannot write to zram";
	if (ksys_swapon())
		return "cannot swap to zram";
	return NULL;
}
