/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kinds of operations, and the sequence of them that a seed gives
 */
#ifndef KSM_TORTURE_KINDS_H
#define KSM_TORTURE_KINDS_H

#include <stddef.h>
#include <stdint.h>

/* What does it; each has weights of its own */
enum torture_doer {
	DOER_WORKER,		/* a thread, with pages of its process */
	DOER_VISITOR,		/* a process, with pages of others */
	DOER_DISTURBER,		/* the system around them */
	DOER_SUPERVISOR,	/* when it is time for it */
};

enum torture_kind {
	/* Worker: writes */
	KIND_FILL, KIND_PATCH, KIND_COPY, KIND_READ, KIND_MEM, KIND_DIRECT,
	KIND_URING, KIND_VERIFY,
	/* advice */
	KIND_MERGEABLE, KIND_UNMERGEABLE, KIND_DONTNEED, KIND_FREE,
	KIND_PAGEOUT, KIND_COLD, KIND_HUGEPAGE, KIND_COLLAPSE,
	/* mappings */
	KIND_MMAP, KIND_MUNMAP, KIND_MREMAP_MOVE, KIND_MREMAP_GROW,
	KIND_MPROTECT, KIND_MLOCK, KIND_MBIND,
	/* userfaultfd */
	KIND_UFFD_COPY, KIND_UFFD_PROTECT, KIND_UFFD_MOVE,
	/* processes */
	KIND_PRCTL, KIND_FORK, KIND_VFORK, KIND_CLONE_VM, KIND_EXEC, KIND_EXIT,
	/* Visitor */
	KIND_VM_WRITE, KIND_VM_READ, KIND_PTRACE, KIND_PROCESS_MADVISE,
	KIND_PAGEMAP_SCAN, KIND_SOFT_DIRTY, KIND_MOVE_PAGES, KIND_MIGRATE_PAGES,
	/* Disturber */
	KIND_KNOB, KIND_UNMERGE_ALL, KIND_RECLAIM, KIND_SMALL_CGROUP,
	KIND_SWAPOFF, KIND_COMPACT, KIND_NUMA_BALANCING, KIND_MEMORY_BLOCK,
	KIND_SOFT_OFFLINE,
	/* Supervisor */
	KIND_KILL,
	NR_KINDS
};

struct torture_kind_info {
	const char *name;
	enum torture_doer doer;
	unsigned int weight;	/* share among those of the doer */
};

extern const struct torture_kind_info torture_kinds[NR_KINDS];

/* Pages of each process: a huge page of most machines */
#define TORTURE_PAGES	512

/**
 * struct torture_step - one operation
 * @kind: what is done
 * @page: the first page it is done with
 * @count: with how many
 * @aux: random bits for what else there is to choose
 */
struct torture_step {
	enum torture_kind kind;
	size_t page;
	size_t count;
	uint64_t aux;
};

/*
 * Operation @nr of thread @thread of the one with this name.  It depends on
 * nothing else: not on the kernel, not on time, not on what happened before.
 */
struct torture_step torture_step(enum torture_doer doer, uint64_t name,
				 unsigned int thread, uint64_t nr);

/* Sum of the weights of a doer */
unsigned int torture_weights(enum torture_doer doer);

#endif /* KSM_TORTURE_KINDS_H */
