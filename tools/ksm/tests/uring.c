// SPDX-License-Identifier: GPL-2.0-only
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "uring.h"

/* A new ring; -1 with errno if there can be none. */
int uring_open(void)
{
	struct io_uring_params params = { 0 };

	return syscall(SYS_io_uring_setup, 4, &params);
}

/* Register a buffer with it, which pins the buffer; 0, or -1 with errno. */
int uring_fix(int fd, void *addr, size_t bytes)
{
	struct iovec buffer = { addr, bytes };

	return syscall(SYS_io_uring_register, fd, IORING_REGISTER_BUFFERS,
		       &buffer, 1);
}
