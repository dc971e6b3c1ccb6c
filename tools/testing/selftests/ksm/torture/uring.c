// SPDX-License-Identifier: GPL-2.0
/*
 * A page that io_uring has pinned for long, and that a device writes to.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ops.h"

struct ring {
	int fd;
	char *rings;		/* submissions and completions */
	size_t rings_size;
	struct io_uring_sqe *sqe;
	size_t sqe_size;
	struct io_uring_params p;
};

static void *ring_map(struct ring *r, size_t size, off_t offset)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		    offset);
}

static void ring_close(struct ring *r)
{
	if (r->rings != MAP_FAILED)
		munmap(r->rings, r->rings_size);
	if (r->sqe != MAP_FAILED)
		munmap(r->sqe, r->sqe_size);
	close(r->fd);
}

/* Kernels since 5.4 have both rings in one mapping. */
static bool ring_open(struct ring *r, struct torture_slot *s)
{
	size_t cq;

	memset(r, 0, sizeof(*r));
	r->fd = syscall(SYS_io_uring_setup, 1, &r->p);
	if (r->fd < 0)
		return false;
	fcntl(r->fd, F_SETFD, FD_CLOEXEC);
	cq = r->p.cq_off.cqes + r->p.cq_entries * sizeof(struct io_uring_cqe);
	r->rings_size = r->p.sq_off.array + 4 * r->p.sq_entries;
	if (cq > r->rings_size)
		r->rings_size = cq;
	r->sqe_size = r->p.sq_entries * sizeof(*r->sqe);
	torture_holes_lock(s);
	r->rings = ring_map(r, r->rings_size, IORING_OFF_SQ_RING);
	r->sqe = ring_map(r, r->sqe_size, IORING_OFF_SQES);
	torture_holes_unlock(s);
	if (r->rings != MAP_FAILED && r->sqe != MAP_FAILED)
		return true;
	ring_close(r);
	return false;
}

static unsigned int *ring_word(struct ring *r, uint32_t offset)
{
	return (unsigned int *)(r->rings + offset);
}

/* Read a block into the registered page: how many bytes, or -errno. */
static int ring_read(struct ring *r, int disk, char *to, size_t block)
{
	unsigned int *tail = ring_word(r, r->p.sq_off.tail);
	struct io_uring_cqe *cqe;

	memset(r->sqe, 0, sizeof(*r->sqe));
	r->sqe->opcode = IORING_OP_READ_FIXED;
	r->sqe->fd = disk;
	r->sqe->addr = (unsigned long)to;
	r->sqe->len = ps();
	r->sqe->off = block * ps();
	*ring_word(r, r->p.sq_off.array) = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	while (syscall(SYS_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS,
		       NULL, 0) < 0)
		if (errno != EINTR)
			return -errno;
	cqe = (struct io_uring_cqe *)(r->rings + r->p.cq_off.cqes);
	return cqe->res;
}

bool torture_uring(struct torture_op *op)
{
	struct iovec iov = { op_address(op, 0), ps() };
	size_t block = op->aux % TORTURE_BLOCKS;
	struct torture_page *p = op_page(op, 0);
	bool done = false;
	struct ring r;
	int disk, n;

	if (!torture_mapped(op, 0) || !ring_open(&r, op->slot))
		return false;
	disk = open(world->disk, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (!syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_BUFFERS,
		     &iov, 1)) {
		if (op->aux >> 32 & 1)
			usleep(op->aux >> 33 & 2047);
		n = ring_read(&r, disk, op_address(op, 0), block);
		torture_content_block(&p->content, block);
		p->flags &= ~PAGE_LAZY;
		done = n == (int)ps();
		if (!done)
			torture_fail("io_uring reads %d\n", n);
	}
	close(disk);
	ring_close(&r);
	return done;
}
