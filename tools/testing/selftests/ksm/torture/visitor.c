// SPDX-License-Identifier: GPL-2.0
/*
 * A process that reads and writes the pages of others.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/mempolicy.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/files.h"
#include "../lib/pages.h"
#include "ops.h"
#include "outside.h"

static struct iovec remote_page(const struct torture_op *op)
{
	return (struct iovec){ op_address(op, 0), ps() };
}

/* No process is killed or replaced while it has a visitor. */
static bool read_page(const struct torture_op *op, void *to)
{
	struct iovec local = { to, ps() }, remote = remote_page(op);

	return process_vm_readv(op->slot->pid, &local, 1, &remote, 1, 0) ==
	       (ssize_t)ps();
}

static void check_page(const struct torture_op *op, const char *when)
{
	static unsigned char page[64 << 10];

	if (!read_page(op, page))
		torture_fail("process_vm_readv %s: %s\n", when,
			     strerror(errno));
	else
		torture_page_check(op->slot, op->page, page, when);
}

static bool vm_read(struct torture_op *op)
{
	check_page(op, "when read from outside");
	return true;
}

static bool vm_write(struct torture_op *op)
{
	struct iovec local = { torture_buffer(), ps() };
	struct iovec remote = remote_page(op);
	struct torture_page *p = op_page(op, 0);

	torture_content_next(&p->content, op->child, op->page);
	torture_content_write(&p->content, torture_buffer());
	if (process_vm_writev(op->slot->pid, &local, 1, &remote, 1, 0) !=
	    (ssize_t)ps())
		torture_fail("process_vm_writev: %s\n", strerror(errno));
	p->flags &= ~PAGE_LAZY;
	check_page(op, "when written from outside");
	return true;
}

/* --- ptrace() ------------------------------------------------------------ */

static bool stop_process(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL))
		return false;
	if (!ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) &&
	    waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status))
		return true;
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return false;
}

/* In whole words, as that is all that ptrace() can do. */
static bool poke(pid_t pid, char *at, const unsigned char *bytes, size_t len)
{
	unsigned long from = (unsigned long)at, to = from + len, addr, i;

	for (addr = from & ~7UL; addr < to; addr += 8) {
		union {
			long word;
			unsigned char byte[8];
		} w;

		errno = 0;
		w.word = ptrace(PTRACE_PEEKDATA, pid, addr, NULL);
		if (errno)
			return false;
		for (i = 0; i < 8; i++)
			if (addr + i >= from && addr + i < to)
				w.byte[i] = bytes[addr + i - from];
		if (ptrace(PTRACE_POKEDATA, pid, addr, w.word))
			return false;
	}
	return true;
}

static bool do_ptrace(struct torture_op *op)
{
	struct torture_page *p = op_page(op, 0);
	struct torture_patch patch;

	if ((p->flags & PAGE_LAZY) || !torture_content_has_room(&p->content) ||
	    !stop_process(op->slot->pid))
		return false;
	patch = torture_content_patch(&p->content);
	if (!poke(op->slot->pid, op_address(op, 0) + patch.at, patch.byte,
		  patch.len))
		torture_fail("ptrace: %s\n", strerror(errno));
	p->content.gen++;
	ptrace(PTRACE_DETACH, op->slot->pid, NULL, NULL);
	check_page(op, "when written by ptrace");
	return true;
}

/* --- Without a change of the content ------------------------------------- */

static bool process_advise(struct torture_op *op)
{
	struct iovec range = { op_address(op, 0), op_bytes(op) };
	int fd = syscall(SYS_pidfd_open, op->slot->pid, 0);
	long ret;

	if (fd < 0)
		return false;
	ret = syscall(SYS_process_madvise, fd, &range, 1,
		      op->aux & 1 ? MADV_COLD : MADV_PAGEOUT, 0);
	close(fd);
	return ret > 0;
}

static int open_proc(pid_t pid, const char *file, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return open(path, flags | O_CLOEXEC);
}

static bool scan_pagemap(struct torture_op *op)
{
	struct page_region found[64];
	struct pm_scan_arg arg = {
		.size = sizeof(arg),
		.start = (unsigned long)op->slot->arena,
		.end = (unsigned long)torture_address(op->slot, TORTURE_PAGES),
		.vec = (unsigned long)found,
		.vec_len = sizeof(found) / sizeof(*found),
		.category_mask = PAGE_IS_PRESENT,
		.return_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED |
			       PAGE_IS_PFNZERO,
	};
	int fd = open_proc(op->slot->pid, "pagemap", O_RDONLY), ret;

	if (fd < 0)
		return false;
	ret = ioctl(fd, PAGEMAP_SCAN, &arg);
	close(fd);
	return ret >= 0;
}

static bool clear_soft_dirty(struct torture_op *op)
{
	int fd = open_proc(op->slot->pid, "clear_refs", O_WRONLY);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, "4", 1) == 1;
	close(fd);
	return done;
}

static bool move_pages(struct torture_op *op)
{
	int node = world->nodes[op->aux & 1], status;
	void *page = op_address(op, 0);

	return !syscall(SYS_move_pages, op->slot->pid, 1, &page, &node, &status,
			MPOL_MF_MOVE_ALL) && status == node;
}

static bool migrate_pages(struct torture_op *op)
{
	unsigned long from = 1UL << world->nodes[op->aux & 1];
	unsigned long to = 1UL << world->nodes[~op->aux & 1];

	return syscall(SYS_migrate_pages, op->slot->pid, 8 * sizeof(from) + 1,
		       &from, &to) >= 0;
}

/* --- The process --------------------------------------------------------- */

static const struct torture_op_info visits[NR_KINDS] = {
	[KIND_VM_READ]		= { .locked = vm_read },
	[KIND_VM_WRITE]		= { .locked = vm_write },
	[KIND_PTRACE]		= { .locked = do_ptrace },
	[KIND_PROCESS_MADVISE]	= { .unlocked = process_advise },
	[KIND_PAGEMAP_SCAN]	= { .unlocked = scan_pagemap },
	[KIND_SOFT_DIRTY]	= { .unlocked = clear_soft_dirty },
	[KIND_MOVE_PAGES]	= { .unlocked = move_pages },
	[KIND_MIGRATE_PAGES]	= { .unlocked = migrate_pages },
};

static bool has_soft_dirty(void)
{
	static char page[64 << 10] __attribute__((aligned(64 << 10)));

	page[0]++;
	return ksm_pagemap(0, page) & KSM_PM_SOFT_DIRTY;
}

const char *torture_visitor_lacks(enum torture_kind kind)
{
	if (kind == KIND_SOFT_DIRTY && !has_soft_dirty())
		return "kernel without CONFIG_MEM_SOFT_DIRTY";
	if ((kind == KIND_MOVE_PAGES || kind == KIND_MIGRATE_PAGES) &&
	    world->nr_nodes < 2)
		return "there is one NUMA node";
	return NULL;
}

static bool visit(struct torture_op *op, enum torture_kind kind)
{
	const struct torture_op_info *info = &visits[kind];
	bool done = false;

	if (info->unlocked)
		return info->unlocked(op);
	if (!torture_page_trylock(op->slot, op->page))
		return false;
	if (torture_mapped(op, 0)) {
		torture_page_note(op_page(op, 0), kind);
		done = info->locked(op);
	}
	torture_page_unlock(op->slot, op->page);
	return done;
}

void torture_visitor(uint64_t name)
{
	struct torture_step s;
	uint64_t nr;

	for (nr = 0; torture_storm(); nr++) {
		struct torture_op op = { .child = torture_mix(name, nr) };

		s = torture_step(DOER_VISITOR, name, 0, nr);
		op.slot = &world->slot[s.aux % TORTURE_SLOTS];
		op.aux = s.aux >> 8;
		op.page = s.page;
		op.n = s.count;
		if (world->lacks[s.kind][0] || !torture_slot_visit(op.slot))
			continue;
		__atomic_add_fetch(&world->tried[s.kind], 1, __ATOMIC_RELAXED);
		if (visit(&op, s.kind))
			__atomic_add_fetch(&world->done[s.kind], 1,
					   __ATOMIC_RELAXED);
		torture_slot_leave(op.slot);
		if (nr % 16 == 15)
			usleep(2000);
	}
}
