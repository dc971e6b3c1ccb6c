// SPDX-License-Identifier: GPL-2.0
/*
 * The kinds of operations, and the sequence of them that a seed gives.
 */
#include "content.h"
#include "kinds.h"

#define HOT_PAGES	64	/* get half of all operations */
#define LONG_RANGE	32
#define SHORT_RANGE	4

const struct torture_kind_info torture_kinds[NR_KINDS] = {
	[KIND_FILL]		= { "fill", DOER_WORKER, 160 },
	[KIND_PATCH]		= { "partial write", DOER_WORKER, 240 },
	[KIND_COPY]		= { "copy", DOER_WORKER, 80 },
	[KIND_READ]		= { "read", DOER_WORKER, 40 },
	[KIND_MEM]		= { "proc mem", DOER_WORKER, 40 },
	[KIND_DIRECT]		= { "direct read", DOER_WORKER, 30 },
	[KIND_URING]		= { "io_uring fixed", DOER_WORKER, 10 },
	[KIND_VERIFY]		= { "verify", DOER_WORKER, 120 },
	[KIND_MERGEABLE]	= { "MADV_MERGEABLE", DOER_WORKER, 60 },
	[KIND_UNMERGEABLE]	= { "MADV_UNMERGEABLE", DOER_WORKER, 20 },
	[KIND_DONTNEED]		= { "MADV_DONTNEED", DOER_WORKER, 30 },
	[KIND_FREE]		= { "MADV_FREE", DOER_WORKER, 30 },
	[KIND_PAGEOUT]		= { "MADV_PAGEOUT", DOER_WORKER, 20 },
	[KIND_COLD]		= { "MADV_COLD", DOER_WORKER, 15 },
	[KIND_HUGEPAGE]		= { "MADV_HUGEPAGE", DOER_WORKER, 2 },
	[KIND_COLLAPSE]		= { "MADV_COLLAPSE", DOER_WORKER, 2 },
	[KIND_MMAP]		= { "mmap", DOER_WORKER, 50 },
	[KIND_MUNMAP]		= { "munmap", DOER_WORKER, 15 },
	[KIND_MREMAP_MOVE]	= { "mremap move", DOER_WORKER, 30 },
	[KIND_MREMAP_GROW]	= { "mremap grow", DOER_WORKER, 20 },
	[KIND_MPROTECT]		= { "mprotect", DOER_WORKER, 30 },
	[KIND_MLOCK]		= { "mlock", DOER_WORKER, 20 },
	[KIND_MBIND]		= { "mbind", DOER_WORKER, 10 },
	[KIND_UFFD_COPY]	= { "userfaultfd missing", DOER_WORKER, 15 },
	[KIND_UFFD_PROTECT]	= { "userfaultfd wp", DOER_WORKER, 15 },
	[KIND_UFFD_MOVE]	= { "userfaultfd move", DOER_WORKER, 15 },
	[KIND_PRCTL]		= { "prctl", DOER_WORKER, 4 },
	[KIND_FORK]		= { "fork", DOER_WORKER, 8 },
	[KIND_VFORK]		= { "vfork", DOER_WORKER, 8 },
	[KIND_CLONE_VM]		= { "clone vm", DOER_WORKER, 8 },
	[KIND_EXEC]		= { "exec", DOER_WORKER, 1 },
	[KIND_EXIT]		= { "exit", DOER_WORKER, 1 },
	[KIND_VM_WRITE]		= { "process_vm_writev", DOER_VISITOR, 40 },
	[KIND_VM_READ]		= { "process_vm_readv", DOER_VISITOR, 40 },
	[KIND_PTRACE]		= { "ptrace", DOER_VISITOR, 10 },
	[KIND_PROCESS_MADVISE]	= { "process_madvise", DOER_VISITOR, 10 },
	[KIND_PAGEMAP_SCAN]	= { "pagemap scan", DOER_VISITOR, 10 },
	[KIND_SOFT_DIRTY]	= { "soft-dirty clear", DOER_VISITOR, 4 },
	[KIND_MOVE_PAGES]	= { "move_pages", DOER_VISITOR, 20 },
	[KIND_MIGRATE_PAGES]	= { "migrate_pages", DOER_VISITOR, 4 },
	[KIND_KNOB]		= { "knob", DOER_DISTURBER, 40 },
	[KIND_UNMERGE_ALL]	= { "run=2", DOER_DISTURBER, 4 },
	[KIND_RECLAIM]		= { "memory.reclaim", DOER_DISTURBER, 10 },
	[KIND_SMALL_CGROUP]	= { "small cgroup", DOER_DISTURBER, 4 },
	[KIND_SWAPOFF]		= { "swapoff", DOER_DISTURBER, 3 },
	[KIND_COMPACT]		= { "compaction", DOER_DISTURBER, 6 },
	[KIND_NUMA_BALANCING]	= { "NUMA balancing", DOER_DISTURBER, 3 },
	[KIND_MEMORY_BLOCK]	= { "memory block", DOER_DISTURBER, 8 },
	[KIND_SOFT_OFFLINE]	= { "soft offline", DOER_DISTURBER, 3 },
	[KIND_KILL]		= { "SIGKILL", DOER_SUPERVISOR, 0 },
};

unsigned int torture_weights(enum torture_doer doer)
{
	unsigned int sum = 0;
	size_t i;

	for (i = 0; i < NR_KINDS; i++)
		if (torture_kinds[i].doer == doer)
			sum += torture_kinds[i].weight;
	return sum;
}

static enum torture_kind kind_at(enum torture_doer doer, unsigned int at)
{
	size_t i;

	for (i = 0; i < NR_KINDS; i++) {
		if (torture_kinds[i].doer != doer)
			continue;
		if (at < torture_kinds[i].weight)
			break;
		at -= torture_kinds[i].weight;
	}
	return i;
}

struct torture_step torture_step(enum torture_doer doer, uint64_t name,
				 unsigned int thread, uint64_t nr)
{
	uint64_t r = torture_mix(torture_mix(name, thread), nr), where;
	struct torture_step s = { .aux = torture_mix(r, 1) };

	where = torture_mix(r, 2);
	s.kind = kind_at(doer, r % torture_weights(doer));
	s.page = where % (where >> 32 & 1 ? HOT_PAGES : TORTURE_PAGES);
	s.count = 1 + (where >> 40) % (where >> 33 & 3 ? SHORT_RANGE :
							 LONG_RANGE);
	if (s.count > TORTURE_PAGES - s.page)
		s.count = TORTURE_PAGES - s.page;
	return s;
}
