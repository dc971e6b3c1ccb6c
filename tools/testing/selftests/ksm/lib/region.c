// SPDX-License-Identifier: GPL-2.0
/*
 * A model of pages, the operations on them, the check of one against the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../kselftest.h"
#include "ksm.h"
#include "random.h"
#include "region.h"

/* BASES pages, shared by all processes, and never mergeable themselves */
static unsigned char *bases;

static unsigned char *base_page(size_t i)
{
	return bases + i * ps();
}

void region_setup(void)
{
	size_t i;

	bases = mmap(NULL, BASES * ps(), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (bases == MAP_FAILED)
		ksm_die("mmap: %s", strerror(errno));
	/* 0 is all zero; 2 and 3, 4 and 5 differ in one byte. */
	for (i = 1; i < BASES; i++)
		ksm_page_fill(base_page(i), 9000 + i);
	memcpy(base_page(3), base_page(2), ps());
	base_page(3)[ps() - 1] ^= 1;
	memcpy(base_page(5), base_page(4), ps());
	base_page(5)[ps() / 2] ^= 0x80;
}

const unsigned char *region_want(struct region *r, size_t i)
{
	const struct model *m = &r->model[i];
	size_t k;

	memcpy(r->want, base_page(m->base), ps());
	for (k = 0; k < m->patches; k++)
		r->want[m->patch[k].at] = m->patch[k].value;
	return r->want;
}

static bool page_right(struct region *r, size_t i, const char *when)
{
	const unsigned char *w = region_want(r, i);
	size_t at;

	if (!memcmp(r->page[i], w, ps()))
		return true;
	for (at = 0; at + 1 < ps() && r->page[i][at] == w[at]; at++)
		;
	printf("# WRONG CONTENTS %s: pid %d page %zu offset %#zx: want %#x, have %#x\n",
	       when, getpid(), i, at, w[at], r->page[i][at]);
	printf("# base %d, %d patches, step %llu\n", r->model[i].base,
	       r->model[i].patches, r->steps);
	r->failed = true;
	return false;
}

bool region_right(struct region *r, const char *when)
{
	bool ok = true;
	size_t i;

	for (i = 0; i < REGION && ok; i++)
		ok = page_right(r, i, when);
	return ok;
}

static void set_base(struct region *r, size_t i, unsigned char base)
{
	r->model[i].base = base;
	r->model[i].patches = 0;
}

static bool patch_page(struct region *r, size_t i, size_t len)
{
	struct model *m = &r->model[i];
	size_t at = ksm_random(&r->rnd) % (ps() / len) * len, k;
	__u64 value = ksm_random(&r->rnd);

	if (m->patches + len > PATCHES)
		return false;
	for (k = 0; k < len; k++) {
		m->patch[m->patches].at = at + k;
		m->patch[m->patches].value = value >> (8 * k);
		m->patches++;
	}
	if (len == 8)
		KSM_WRITE(*(__u64 *)(r->page[i] + at), value);
	else
		KSM_WRITE(r->page[i][at], (unsigned char)value);
	return true;
}

/* --- Operations ---------------------------------------------------------- */

static bool fail(struct region *r, const char *what)
{
	printf("# pid %d: %s: %s\n", getpid(), what, strerror(errno));
	r->failed = true;
	return false;
}

static void op_fill(struct region *r, size_t i)
{
	set_base(r, i, ksm_random(&r->rnd) % BASES);
	memcpy(r->page[i], base_page(r->model[i].base), ps());
}

static void op_copy(struct region *r, size_t i)
{
	size_t from = ksm_random(&r->rnd) % REGION;

	memmove(r->page[i], r->page[from], ps());
	r->model[i] = r->model[from];
}

static bool op_read(struct region *r, size_t i)
{
	size_t have = 0;
	ssize_t ret;

	set_base(r, i, ksm_random(&r->rnd) % BASES);
	if (write(r->pipe[1], base_page(r->model[i].base), ps()) !=
	    (ssize_t)ps())
		return fail(r, "write to a pipe");
	while (have < ps()) {
		ret = read(r->pipe[0], r->page[i] + have, ps() - have);
		if (ret <= 0)
			return fail(r, "read from a pipe");
		have += ret;
	}
	return true;
}

static bool op_vmwrite(struct region *r, size_t i)
{
	struct iovec from = { 0 }, to = { r->page[i], ps() };

	set_base(r, i, ksm_random(&r->rnd) % BASES);
	from.iov_base = base_page(r->model[i].base);
	from.iov_len = ps();
	if (process_vm_writev(getpid(), &from, 1, &to, 1, 0) ==
	    (ssize_t)ps())
		return true;
	/* Not every kernel has it; by hand then. */
	if (errno == EFAULT || errno == EPERM)
		return fail(r, "process_vm_writev");
	memcpy(r->page[i], from.iov_base, ps());
	return true;
}

static bool op_mem(struct region *r, size_t i)
{
	set_base(r, i, ksm_random(&r->rnd) % BASES);
	if (pwrite(r->mem, base_page(r->model[i].base), ps(),
		   (off_t)(unsigned long)r->page[i]) != (ssize_t)ps())
		return fail(r, "write to /proc/self/mem");
	return true;
}

static bool op_dontneed(struct region *r, size_t i)
{
	if (madvise(r->page[i], ps(), MADV_DONTNEED))
		return fail(r, "MADV_DONTNEED");
	set_base(r, i, 0);
	return true;
}

static bool op_mmap(struct region *r, size_t i)
{
	if (mmap(r->page[i], ps(), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
	    r->page[i])
		return fail(r, "mmap");
	set_base(r, i, 0);
	if (madvise(r->page[i], ps(), MADV_MERGEABLE))
		return fail(r, "MADV_MERGEABLE");
	return true;
}

static bool op_swap(struct region *r, size_t i)
{
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED;
	size_t k = ksm_random(&r->rnd) % REGION;
	struct model m;

	if (i == k)
		return true;
	if (mremap(r->page[i], ps(), ps(), flags, r->hole) == MAP_FAILED ||
	    mremap(r->page[k], ps(), ps(), flags, r->page[i]) == MAP_FAILED ||
	    mremap(r->hole, ps(), ps(), flags, r->page[k]) == MAP_FAILED)
		return fail(r, "mremap");
	m = r->model[i];
	r->model[i] = r->model[k];
	r->model[k] = m;
	return true;
}

static bool op_mprotect(struct region *r, size_t i)
{
	static const int prots[] = { PROT_READ, PROT_NONE };
	int prot = prots[ksm_random(&r->rnd) % 2];

	if (mprotect(r->page[i], ps(), prot))
		return fail(r, "mprotect");
	if (prot == PROT_READ && !page_right(r, i, "when read-only"))
		return false;
	if (mprotect(r->page[i], ps(), PROT_READ | PROT_WRITE))
		return fail(r, "mprotect");
	return true;
}

static bool op_madvise(struct region *r, size_t i)
{
	size_t n = 1 + ksm_random(&r->rnd) % 16;

	for (; n && i < REGION; n--, i++) {
		if (madvise(r->page[i], ps(), MADV_UNMERGEABLE))
			return fail(r, "MADV_UNMERGEABLE");
		if (!page_right(r, i, "when unmerged"))
			return false;
		if (madvise(r->page[i], ps(), MADV_MERGEABLE))
			return fail(r, "MADV_MERGEABLE");
	}
	return true;
}

static bool op_mlock(struct region *r, size_t i)
{
	if (mlock(r->page[i], ps()))
		return true;	/* the limit */
	if (!page_right(r, i, "when locked"))
		return false;
	munlock(r->page[i], ps());
	return true;
}

static bool op_prctl(struct region *r)
{
	if (prctl(PR_SET_MEMORY_MERGE, ksm_random(&r->rnd) % 2, 0, 0, 0))
		return fail(r, "prctl");
	return true;
}

/* The child has the pages as they are now, and goes on changing them. */
static void forked_life(struct region *r)
{
	int left = 30;

	r->forked = true;
	r->ops &= ~BIT_OP(OP_FORK);
	/* mem is the parent's memory, the pipe is the parent's pipe. */
	r->ops &= ~BIT_OP(OP_MEM);
	if (pipe(r->pipe))
		_exit(1);
	if (!region_right(r, "in a new child"))
		_exit(1);
	while (left-- && !r->failed)
		region_step(r);
	if (!r->failed)
		region_right(r, "at the end of a child");
	_exit(r->failed);
}

bool region_reap(struct region *r, int keep)
{
	int status;

	while (r->pending > keep) {
		if (wait(&status) < 0)
			return fail(r, "wait");
		r->pending--;
		if (status) {
			printf("# child of %d: status %#x\n", getpid(),
			       status);
			r->failed = true;
			return false;
		}
	}
	return true;
}

static bool op_fork(struct region *r)
{
	pid_t pid = fork();

	if (pid < 0)
		return fail(r, "fork");
	if (!pid)
		forked_life(r);
	r->pending++;
	return region_reap(r, 2);
}

static void operate(struct region *r, enum op what, size_t i)
{
	switch (what) {
	case OP_FILL:
		op_fill(r, i);
		break;
	case OP_BYTE:
		if (!patch_page(r, i, 1))
			op_fill(r, i);
		break;
	case OP_WORD:
		if (!patch_page(r, i, 8))
			op_fill(r, i);
		break;
	case OP_COPY:
		op_copy(r, i);
		break;
	case OP_READ:
		op_read(r, i);
		break;
	case OP_VMWRITE:
		op_vmwrite(r, i);
		break;
	case OP_MEM:
		op_mem(r, i);
		break;
	case OP_DONTNEED:
		op_dontneed(r, i);
		break;
	case OP_MMAP:
		op_mmap(r, i);
		break;
	case OP_SWAP:
		op_swap(r, i);
		break;
	case OP_MPROTECT:
		op_mprotect(r, i);
		break;
	case OP_MADVISE:
		op_madvise(r, i);
		break;
	case OP_MLOCK:
		op_mlock(r, i);
		break;
	case OP_FORK:
		op_fork(r);
		break;
	case OP_PRCTL:
		op_prctl(r);
		break;
	case NR_OPS:
		break;
	}
}

/* Pick a page, check it, change it in one of the allowed ways, check it. */
void region_step(struct region *r)
{
	size_t i = ksm_random(&r->rnd) % REGION, other;
	enum op what;

	do {
		what = ksm_random(&r->rnd) % NR_OPS;
	} while (!(r->ops & BIT_OP(what)));
	/* These two are expensive: seldom. */
	if ((what == OP_FORK || what == OP_PRCTL) && ksm_random(&r->rnd) % 16)
		what = OP_FILL;
	r->steps++;
	if (!page_right(r, i, "before a change"))
		return;
	operate(r, what, i);
	if (r->failed || !page_right(r, i, "after a change"))
		return;
	other = ksm_random(&r->rnd) % REGION;
	page_right(r, other, "of another page");
}

/* --- A region ------------------------------------------------------------ */

void region_init(struct region *r, unsigned int ops, __u64 rnd)
{
	char *map = ksm_map(REGION);
	size_t i;

	memset(r, 0, sizeof(*r));
	r->ops = ops;
	r->rnd = rnd | 1;
	r->want = malloc(ps());
	r->hole = ksm_map(1);
	if (!r->want || pipe(r->pipe) || munmap(r->hole, ps()))
		ksm_die("no resources: %s", strerror(errno));
	r->mem = open("/proc/self/mem", O_RDWR);
	if (r->mem < 0)
		r->ops &= ~BIT_OP(OP_MEM);
	for (i = 0; i < REGION; i++) {
		r->page[i] = (unsigned char *)map + i * ps();
		op_fill(r, i);
	}
	ksm_mergeable(map, REGION);
}
