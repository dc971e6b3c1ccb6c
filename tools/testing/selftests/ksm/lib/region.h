/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages with a model of their contents, and all operations that change them
 */
#ifndef KSM_LIB_REGION_H
#define KSM_LIB_REGION_H

#include <linux/types.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define BASES		8	/* contents that many pages have */
#define PATCHES		24	/* bytes in which one differs from its base */
#define REGION		160	/* pages of a thread */

enum op {
	OP_FILL,	/* all bytes, by the CPU */
	OP_BYTE,
	OP_WORD,
	OP_COPY,	/* of another page of the region */
	OP_READ,	/* read(): the kernel writes */
	OP_VMWRITE,	/* process_vm_writev() */
	OP_MEM,		/* /proc/self/mem */
	OP_DONTNEED,
	OP_MMAP,	/* a new page in its place */
	OP_SWAP,	/* two pages change places by mremap() */
	OP_MPROTECT,
	OP_MADVISE,	/* unmergeable and mergeable again */
	OP_MLOCK,
	OP_FORK,
	OP_PRCTL,
	NR_OPS,
};

#define BIT_OP(op)	(1U << (op))
#define OPS_WRITE	(BIT_OP(OP_FILL) | BIT_OP(OP_BYTE) | BIT_OP(OP_WORD) | \
			 BIT_OP(OP_COPY))
#define OPS_KERNEL	(BIT_OP(OP_READ) | BIT_OP(OP_VMWRITE) | BIT_OP(OP_MEM))
#define OPS_MAP		(BIT_OP(OP_DONTNEED) | BIT_OP(OP_MMAP) | \
			 BIT_OP(OP_SWAP) | BIT_OP(OP_MPROTECT) | \
			 BIT_OP(OP_MLOCK))

struct model {
	unsigned char base;
	unsigned char patches;
	struct {
		unsigned short at;
		unsigned char value;
	} patch[PATCHES];
};

struct region {
	pthread_t thread;
	struct model model[REGION];
	unsigned char *page[REGION];
	unsigned char *want;	/* room for one page */
	unsigned char *hole;	/* an address where nothing is mapped */
	__u64 rnd;
	__u64 steps;
	unsigned int ops;
	int pipe[2];
	int mem;		/* /proc/self/mem */
	int pending;		/* children not waited for */
	bool forked;		/* this is a fork of the worker */
	bool failed;
};

/* Make what regions are filled with; before anything forks. */
void region_setup(void);

/* Map one, fill it, make it mergeable. */
void region_init(struct region *r, unsigned int ops, __u64 rnd);

/* Pick a page, check it, change it in one of the allowed ways, check it. */
void region_step(struct region *r);

/* Check all of it; says in "# ..." lines, with the occasion, what is wrong. */
bool region_right(struct region *r, const char *when);

/* What page i has to be; valid until the next call. */
const unsigned char *region_want(struct region *r, size_t i);

/* Wait for all children but so many. */
bool region_reap(struct region *r, int keep);

#endif /* KSM_LIB_REGION_H */
