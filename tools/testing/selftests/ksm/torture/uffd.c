// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that come, are protected and move by userfaultfd.
 *
 * The descriptor is there for one operation only.  No fault is waited for: the
 * pages are locked, so nothing touches them in the meantime but ksmd, reclaim
 * and the advice of other threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ops.h"

/* A descriptor with this feature, or -1 */
static int uffd_open(uint64_t feature)
{
	struct uffdio_api api = { .api = UFFD_API, .features = feature };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	if (fd >= 0 && ioctl(fd, UFFDIO_API, &api)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

const char *torture_uffd_lacks(enum torture_kind kind)
{
	uint64_t feature = 0;
	int fd;

	if (kind == KIND_UFFD_PROTECT)
		feature = UFFD_FEATURE_PAGEFAULT_FLAG_WP;
	else if (kind == KIND_UFFD_MOVE)
		feature = UFFD_FEATURE_MOVE;
	fd = uffd_open(feature);
	if (fd < 0)
		return "userfaultfd does not have it here";
	close(fd);
	return NULL;
}

static bool uffd_register(int fd, char *to, size_t len, uint64_t mode)
{
	struct uffdio_register reg = {
		.range = { (unsigned long)to, len }, .mode = mode,
	};

	return !ioctl(fd, UFFDIO_REGISTER, &reg);
}

/* Closing the descriptor ends the registration as well. */
static int uffd_begin(struct torture_op *op, uint64_t feature, uint64_t mode)
{
	size_t n = torture_mapped_run(op);
	int fd;

	if (!n)
		return -1;
	fd = uffd_open(feature);
	if (fd >= 0 && !uffd_register(fd, op_address(op, 0), n * ps(), mode)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* A page that is there already stays as it is. */
static bool copy_one(struct torture_op *op, int fd, size_t i)
{
	struct torture_page *p = op_page(op, i);
	struct torture_content next = p->content;
	struct uffdio_copy copy = {
		.dst = (unsigned long)op_address(op, i), .len = ps(),
		.src = (unsigned long)torture_buffer(),
	};

	torture_content_next(&next, op->slot->name, op->page + i);
	torture_content_write(&next, torture_buffer());
	if (ioctl(fd, UFFDIO_COPY, &copy))
		return false;
	p->content = next;
	return true;
}

static bool zero_one(struct torture_op *op, int fd, size_t i)
{
	struct uffdio_zeropage zero = {
		.range = { (unsigned long)op_address(op, i), ps() },
	};

	return !ioctl(fd, UFFDIO_ZEROPAGE, &zero);
}

bool torture_uffd_copy(struct torture_op *op)
{
	size_t i, n = torture_mapped_run(op), done = 0;
	int fd;

	torture_dontneed(op);
	fd = uffd_begin(op, 0, UFFDIO_REGISTER_MODE_MISSING);
	if (fd < 0)
		return false;
	for (i = 0; i < n; i++)
		done += op->aux >> i & 1 ? copy_one(op, fd, i) :
					   zero_one(op, fd, i);
	close(fd);
	return done;
}

static bool protect(struct torture_op *op, int fd, size_t n, uint64_t mode)
{
	struct uffdio_writeprotect wp = {
		.range = { (unsigned long)op_address(op, 0), n * ps() },
		.mode = mode,
	};

	return !ioctl(fd, UFFDIO_WRITEPROTECT, &wp);
}

/* Write-protect, be read and merged, perhaps, and be writable again. */
bool torture_uffd_protect(struct torture_op *op)
{
	size_t i, n = torture_mapped_run(op);
	bool done;
	int fd;

	fd = uffd_begin(op, UFFD_FEATURE_PAGEFAULT_FLAG_WP,
			UFFDIO_REGISTER_MODE_WP);
	if (fd < 0)
		return false;
	done = protect(op, fd, n, UFFDIO_WRITEPROTECT_MODE_WP);
	if (op->aux & 1)
		usleep(op->aux >> 8 & 1023);
	for (i = 0; i < n; i++)
		torture_page_check(op->slot, op->page + i, op_address(op, i),
				   "when protected by userfaultfd");
	if (done && !(op->aux & 2))
		protect(op, fd, n, 0);
	close(fd);
	return done;
}

/* From another page; one that is shared, as KSM pages are, stays. */
bool torture_uffd_move(struct torture_op *op)
{
	size_t from = op->aux % TORTURE_PAGES;
	struct torture_slot *s = op->slot;
	struct torture_page *p = &s->page[from];
	struct uffdio_move move = {
		.dst = (unsigned long)op_address(op, 0), .len = ps(),
		.src = (unsigned long)torture_address(s, from),
	};
	bool done = false;
	int fd;

	op->n = 1;
	if (!torture_page_trylock(s, from))
		return false;
	if (p->flags == PAGE_MAPPED && torture_dontneed(op)) {
		fd = uffd_begin(op, UFFD_FEATURE_MOVE,
				UFFDIO_REGISTER_MODE_MISSING);
		done = fd >= 0 && !ioctl(fd, UFFDIO_MOVE, &move);
		if (fd >= 0)
			close(fd);
	}
	if (done) {
		torture_page_note(p, KIND_UFFD_MOVE);
		op_page(op, 0)->content = p->content;
		torture_now_zero(p);
	}
	torture_page_unlock(s, from);
	return done;
}
