// SPDX-License-Identifier: GPL-2.0
/*
 * Writes to pages: by the CPU, by the kernel, by a device, from another process
 * that has the memory as well.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ops.h"

void *torture_buffer(void)
{
	static __thread unsigned char page[64 << 10];

	return page;
}

bool torture_mapped(const struct torture_op *op, size_t i)
{
	return op_page(op, i)->flags & PAGE_MAPPED;
}

size_t torture_mapped_run(const struct torture_op *op)
{
	size_t i;

	for (i = 0; i < op->n && torture_mapped(op, i); i++)
		;
	return i;
}

void torture_now_zero(struct torture_page *p)
{
	torture_content_zero(&p->content);
	p->flags = PAGE_MAPPED;
}

void torture_now_hole(struct torture_page *p)
{
	p->flags = 0;
}

/* The next content of a page, written to the buffer */
static void *next_content(struct torture_op *op, size_t i)
{
	void *buf = torture_buffer();

	torture_content_next(&op_page(op, i)->content, op->slot->name,
			     op->page + i);
	torture_content_write(&op_page(op, i)->content, buf);
	return buf;
}

bool torture_fill(struct torture_op *op)
{
	size_t i, n = torture_mapped_run(op);

	for (i = 0; i < n; i++) {
		memcpy(op_address(op, i), next_content(op, i), ps());
		op_page(op, i)->flags &= ~PAGE_LAZY;
	}
	return n;
}

bool torture_patched(struct torture_op *op)
{
	struct torture_page *p = op_page(op, 0);
	struct torture_content old = p->content;
	bool lazy = p->flags & PAGE_LAZY;

	p->content.gen++;
	if (!lazy)
		return true;
	/* A page that is written is freed no more; was it before? */
	p->flags &= ~PAGE_LAZY;
	torture_content_write(&p->content, torture_buffer());
	if (!memcmp(op_address(op, 0), torture_buffer(), ps()))
		return true;
	p->content.base = 0;
	p->content.from = old.gen;
	return true;
}

static bool can_patch(const struct torture_op *op)
{
	return torture_mapped(op, 0) &&
	       torture_content_has_room(&op_page(op, 0)->content);
}

bool torture_patch(struct torture_op *op)
{
	struct torture_patch p;

	if (!can_patch(op))
		return torture_fill(op);
	p = torture_content_patch(&op_page(op, 0)->content);
	memcpy(op_address(op, 0) + p.at, p.byte, p.len);
	return torture_patched(op);
}

/* From a page of the same process, which is read without being changed */
bool torture_copy(struct torture_op *op)
{
	size_t from = op->aux % TORTURE_PAGES;
	struct torture_slot *s = op->slot;
	struct torture_content *c = &op_page(op, 0)->content;
	bool done = false;

	if (!torture_mapped(op, 0) || !torture_page_trylock(s, from))
		return false;
	if (s->page[from].flags == PAGE_MAPPED) {
		memcpy(op_address(op, 0), torture_address(s, from), ps());
		*c = s->page[from].content;
		op_page(op, 0)->flags = PAGE_MAPPED;
		done = true;
	}
	torture_page_unlock(s, from);
	return done;
}

/* read() from a pipe: the kernel copies to the page. */
bool torture_read(struct torture_op *op)
{
	size_t have = 0;
	int fd[2];

	if (!torture_mapped(op, 0) || pipe2(fd, O_CLOEXEC))
		return false;
	if (write(fd[1], next_content(op, 0), ps()) == (ssize_t)ps())
		while (have < ps()) {
			ssize_t n = read(fd[0], op_address(op, 0) + have,
					 ps() - have);

			if (n <= 0)
				break;
			have += n;
		}
	close(fd[0]);
	close(fd[1]);
	op_page(op, 0)->flags &= ~PAGE_LAZY;
	if (have == ps())
		return true;
	torture_fail("read of a pipe: %zu bytes: %s\n", have, strerror(errno));
	return false;
}

/* /proc/self/mem writes by get_user_pages(). */
bool torture_mem(struct torture_op *op)
{
	int fd;

	if (!torture_mapped(op, 0))
		return false;
	fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (pwrite(fd, next_content(op, 0), ps(),
		   (off_t)(unsigned long)op_address(op, 0)) != (ssize_t)ps())
		torture_fail("write to /proc/self/mem: %s\n", strerror(errno));
	op_page(op, 0)->flags &= ~PAGE_LAZY;
	close(fd);
	return true;
}

/* The device writes to the page while it is pinned. */
bool torture_direct(struct torture_op *op)
{
	size_t block = op->aux % TORTURE_BLOCKS;
	int fd;

	if (!torture_mapped(op, 0))
		return false;
	fd = open(world->disk, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		return false;
	torture_content_block(&op_page(op, 0)->content, block);
	if (pread(fd, op_address(op, 0), ps(), block * ps()) != (ssize_t)ps())
		torture_fail("direct read: %s\n", strerror(errno));
	op_page(op, 0)->flags &= ~PAGE_LAZY;
	close(fd);
	return true;
}

bool torture_verify(struct torture_op *op)
{
	size_t i;

	/* What is locked is looked at before and after; here once more. */
	for (i = 0; i < op->n; i++)
		if (torture_mapped(op, i))
			torture_page_check(op->slot, op->page + i,
					   op_address(op, i), "when read");
	return torture_mapped_run(op);
}

/* --- Processes that share the memory ------------------------------------- */

/*
 * The child writes and ends.  It uses nothing that a thread killed at this
 * moment would have to put right.
 */
bool torture_vfork(struct torture_op *op)
{
	struct torture_patch p;
	pid_t pid;

	if (!can_patch(op))
		return false;
	p = torture_content_patch(&op_page(op, 0)->content);
	pid = vfork();
	if (pid < 0)
		return false;
	if (!pid) {
		memcpy(op_address(op, 0) + p.at, p.byte, p.len);
		_exit(0);
	}
	return torture_patched(op);
}

struct vm_child {
	char *to;
	struct torture_patch patch;
};

static int vm_child(void *arg)
{
	struct vm_child *c = arg;

	memcpy(c->to, c->patch.byte, c->patch.len);
	return 0;
}

bool torture_clone_vm(struct torture_op *op)
{
	static __thread char stack[16 << 10] __attribute__((aligned(16)));
	struct vm_child c;
	pid_t pid;

	if (!can_patch(op))
		return false;
	c.patch = torture_content_patch(&op_page(op, 0)->content);
	c.to = op_address(op, 0) + c.patch.at;
	pid = clone(vm_child, stack + sizeof(stack), CLONE_VM | SIGCHLD, &c);
	if (pid < 0)
		return false;
	/* SIGCHLD is ignored: this returns when the child is gone. */
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	return torture_patched(op);
}
