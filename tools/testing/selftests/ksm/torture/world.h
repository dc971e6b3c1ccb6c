/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all processes of the torture program share
 *
 * A slot is a process with its pages.  A page is looked at and changed under
 * its lock, by threads of the process as well as by a process that writes from
 * outside.  Nothing waits for the lock of a page, so that nothing waits for the
 * dead.
 */
#ifndef KSM_TORTURE_WORLD_H
#define KSM_TORTURE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../kselftest.h"
#include "../lib/memory.h"
#include "content.h"
#include "kinds.h"

#define TORTURE_SLOTS	8
#define TORTURE_ROOTS	3	/* started by the supervisor; others are forks */
#define TORTURE_THREADS	3

/* Flags of a page */
#define PAGE_MAPPED	1U
#define PAGE_LAZY	2U	/* old content, or zeroes from some time on */
#define PAGE_TAINTED	4U	/* copied by a fork while it was changed */

/* So many operations are remembered for what is said of a wrong page. */
#define PAGE_HISTORY	8

/**
 * struct torture_page - what is known of a page
 * @lock: 1 while it is looked at or changed
 * @flags: PAGE_*
 * @content: what it has to contain
 * @history: kinds of the last operations that had it locked, the last one first
 */
struct torture_page {
	uint32_t lock;
	uint32_t flags;
	struct torture_content content;
	unsigned char history[PAGE_HISTORY];
};

/**
 * struct torture_slot - a process
 * @taken: pid of the process that takes it, mostly for a new one; 0: free
 * @open: others may write to its pages
 * @visitors: so many do
 * @killed: by the supervisor
 * @holes: 1 while there may be holes in the arena
 * @pid: 0 while it is being made
 * @name: what its operations and contents follow from
 * @depth: of forks
 * @looked: the last look at all pages that it has finished
 * @arena: address of its first page
 * @page: its pages
 */
struct torture_slot {
	pid_t taken;
	uint32_t open;
	uint32_t visitors;
	uint32_t killed;
	uint32_t holes;
	pid_t pid;
	uint64_t name;
	unsigned int depth;
	unsigned int looked;
	char *arena;
	struct torture_page page[TORTURE_PAGES];
};

enum torture_phase { PHASE_STORM, PHASE_REST, PHASE_END };

/**
 * struct torture_world - what all share
 * @seed: all follows from it
 * @fd: of this memory, for programs that are executed
 * @phase: of the round
 * @looks: how many times all pages had to be looked at during the rest
 * @failed: how many things went wrong
 * @found_ms: when the first one did
 * @verified: pages that were compared
 * @tried: operations begun, by kind
 * @done: and those that did what they were to do
 * @disk: device with TORTURE_BLOCKS known blocks, or ""
 * @nodes: NUMA nodes with memory
 * @nr_nodes: how many
 * @lacks: why a kind cannot be had here, or ""
 * @slot: the processes
 */
struct torture_world {
	uint64_t seed;
	int fd;
	uint32_t phase;
	unsigned int looks;
	unsigned int failed;
	uint64_t found_ms;
	uint64_t verified;
	uint64_t tried[NR_KINDS];
	uint64_t done[NR_KINDS];
	char disk[64];
	int nodes[2];
	int nr_nodes;
	char lacks[NR_KINDS][64];
	struct torture_slot slot[TORTURE_SLOTS];
};

extern struct torture_world *world;

/* Make it, or take the one that fd has. */
void torture_world_create(uint64_t seed);
void torture_world_attach(int fd);

static inline bool torture_storm(void)
{
	return __atomic_load_n(&world->phase, __ATOMIC_ACQUIRE) == PHASE_STORM &&
	       !__atomic_load_n(&world->failed, __ATOMIC_RELAXED);
}

/* Something is wrong: say so in a "# ..." line and end the storm. */
void torture_fail(const char *fmt, ...) __printf(1, 2);

/* The next two return NULL or false if there is none, or it is closed. */
struct torture_slot *torture_slot_take(void);
void torture_slot_put(struct torture_slot *s);

/* Give up the slots of processes that this one was about to make. */
void torture_slot_drop_unmade(pid_t maker);

bool torture_slot_visit(struct torture_slot *s);
void torture_slot_leave(struct torture_slot *s);

/* No visitor is there after it. */
void torture_slot_close(struct torture_slot *s);

bool torture_page_trylock(struct torture_slot *s, size_t i);
void torture_page_unlock(struct torture_slot *s, size_t i);

/* Lock up to n pages from here on: how many could be. */
size_t torture_range_trylock(struct torture_slot *s, size_t from, size_t n);
void torture_range_unlock(struct torture_slot *s, size_t from, size_t n);

/*
 * For a hole in the arena, until it is covered, and for mappings to which the
 * kernel gives an address: the address must not be that of a hole.
 */
void torture_holes_lock(struct torture_slot *s);
void torture_holes_unlock(struct torture_slot *s);

/* Remember what is about to be done with a page. */
void torture_page_note(struct torture_page *p, enum torture_kind kind);

/*
 * Compare the bytes, here or read from a process, of a page that is locked.
 * Where something else is fails, with @when as the occasion.
 */
bool torture_page_check(struct torture_slot *s, size_t i, const void *bytes,
			const char *when);

static inline char *torture_address(const struct torture_slot *s, size_t i)
{
	return s->arena + i * ps();
}

#endif /* KSM_TORTURE_WORLD_H */
