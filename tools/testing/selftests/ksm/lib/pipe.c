// SPDX-License-Identifier: GPL-2.0
/*
 * A pipe that has references on pages.
 */
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ksm.h"
#include "pipe.h"

void ksys_pipe_open(int fd[2], size_t pages)
{
	int bytes = pages * ksm_page_size();

	CHECK(!pipe(fd));
	CHECK(fcntl(fd[1], F_GETPIPE_SZ) >= bytes ||
	      fcntl(fd[1], F_SETPIPE_SZ, bytes) >= bytes);
}

void ksys_pipe_add(int fd[2], const char *map, size_t pages)
{
	struct iovec iov = { (char *)map, pages * ksm_page_size() };

	CHECK_EQ(vmsplice(fd[1], &iov, 1, 0), iov.iov_len);
}

void ksys_pipe_hold(int fd[2], const char *map, size_t pages)
{
	ksys_pipe_open(fd, pages);
	ksys_pipe_add(fd, map, pages);
}

bool ksys_pipe_ok(int fd[2], size_t pages, uint64_t seed)
{
	size_t want = pages * ksm_page_size(), have = 0;
	char *buf = ksm_map(pages);
	ssize_t ret;
	bool ok;

	while (have < want) {
		ret = read(fd[0], buf + have, want - have);
		CHECK(ret > 0);
		have += ret;
	}
	ok = ksm_contents_ok(buf, pages, seed, 1);
	ksm_unmap(buf, pages);
	return ok;
}

void ksys_pipe_close(int fd[2])
{
	close(fd[0]);
	close(fd[1]);
}
