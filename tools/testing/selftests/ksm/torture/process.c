// SPDX-License-Identifier: GPL-2.0
/*
 * A process of the torture program: its threads, its forks, its end.
 *
 * All processes are children of the supervisor, forks as well, so that it sees
 * how each of them ends.  Nothing here uses malloc() or stdio: a fork happens
 * at any moment of the other threads.
 */
#include <errno.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ops.h"
#include "process.h"

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE	67
#endif

#define MAX_DEPTH	4
#define STACK_SIZE	(512 << 10)

const struct torture_op_info torture_ops[NR_KINDS] = {
	[KIND_FILL]		= { .locked = torture_fill },
	[KIND_PATCH]		= { .locked = torture_patch },
	[KIND_COPY]		= { .locked = torture_copy },
	[KIND_READ]		= { .locked = torture_read },
	[KIND_MEM]		= { .locked = torture_mem },
	[KIND_DIRECT]		= { .locked = torture_direct },
	[KIND_URING]		= { .locked = torture_uring },
	[KIND_VERIFY]		= { .locked = torture_verify },
	[KIND_MERGEABLE]	= { .unlocked = torture_mergeable },
	[KIND_UNMERGEABLE]	= { .unlocked = torture_unmergeable },
	[KIND_DONTNEED]		= { .locked = torture_dontneed },
	[KIND_FREE]		= { .locked = torture_free },
	[KIND_PAGEOUT]		= { .unlocked = torture_pageout },
	[KIND_COLD]		= { .unlocked = torture_cold },
	[KIND_HUGEPAGE]		= { .unlocked = torture_hugepage },
	[KIND_COLLAPSE]		= { .unlocked = torture_collapse },
	[KIND_MMAP]		= { .locked = torture_mmap },
	[KIND_MUNMAP]		= { .locked = torture_munmap },
	[KIND_MREMAP_MOVE]	= { .locked = torture_mremap_move },
	[KIND_MREMAP_GROW]	= { .locked = torture_mremap_grow },
	[KIND_MPROTECT]		= { .locked = torture_mprotect },
	[KIND_MLOCK]		= { .locked = torture_mlock },
	[KIND_MBIND]		= { .locked = torture_mbind },
	[KIND_UFFD_COPY]	= { .locked = torture_uffd_copy },
	[KIND_UFFD_PROTECT]	= { .locked = torture_uffd_protect },
	[KIND_UFFD_MOVE]	= { .locked = torture_uffd_move },
	[KIND_PRCTL]		= { .unlocked = torture_prctl },
	[KIND_FORK]		= { .unlocked = torture_fork },
	[KIND_VFORK]		= { .locked = torture_vfork },
	[KIND_CLONE_VM]		= { .locked = torture_clone_vm },
	[KIND_EXEC]		= { .unlocked = torture_exec },
	[KIND_EXIT]		= { .unlocked = torture_exit },
};

/*
 * A fork must not find the C library in the middle of making or ending a
 * thread.  So all begin when the last one was made, and end when none forks.
 */
struct gates {
	bool begin;
	unsigned int busy;
};

struct thread {
	pthread_t thread;
	struct torture_slot *slot;
	unsigned int nr;
	struct gates *gates;
};

/* --- Pages --------------------------------------------------------------- */

static void check_range(struct torture_slot *s, size_t from, size_t n,
			const char *when)
{
	size_t i;

	for (i = from; i < from + n; i++)
		if (s->page[i].flags & PAGE_MAPPED)
			torture_page_check(s, i, torture_address(s, i), when);
}

/* All pages that are not locked */
static void check_all(struct torture_slot *s, const char *when)
{
	size_t i;

	for (i = 0; i < TORTURE_PAGES; i++) {
		if (!torture_page_trylock(s, i))
			continue;
		check_range(s, i, 1, when);
		torture_page_unlock(s, i);
	}
}

/* Fresh memory in place of what was copied while it was changed */
static void replace_tainted(struct torture_slot *s)
{
	struct torture_op op = { .slot = s, .n = 1, .aux = 7 };

	for (op.page = 0; op.page < TORTURE_PAGES; op.page++)
		if (s->page[op.page].flags & PAGE_TAINTED)
			torture_mmap(&op);
}

/* Between guards, so that it never joins a neighbour */
static void make_arena(struct torture_slot *s)
{
	size_t size = TORTURE_PAGES * ps();
	char *map = mmap(NULL, 3 * size, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t i;

	s->holes = 0;
	if (map == MAP_FAILED) {
		torture_fail("mmap: %s\n", strerror(errno));
		_exit(1);
	}
	s->arena = (char *)(((unsigned long)map / size + 1) * size);
	for (i = 0; i < TORTURE_PAGES; i++) {
		s->page[i].lock = 0;
		s->page[i].flags = PAGE_TAINTED;
	}
	replace_tainted(s);
}

/* --- Threads ------------------------------------------------------------- */

static void do_step(struct torture_slot *s, const struct torture_step *step,
		    uint64_t child)
{
	const struct torture_op_info *info = &torture_ops[step->kind];
	struct torture_op op = {
		.slot = s, .page = step->page, .n = step->count,
		.aux = step->aux, .child = child,
	};
	size_t i, n;
	bool done;

	if (world->lacks[step->kind][0])
		return;
	__atomic_add_fetch(&world->tried[step->kind], 1, __ATOMIC_RELAXED);
	if (info->locked) {
		n = torture_range_trylock(s, step->page, step->count);
		if (!n)
			return;
		op.n = n;
		check_range(s, step->page, n, "before a change");
		for (i = 0; i < n; i++)
			torture_page_note(op_page(&op, i), step->kind);
		done = info->locked(&op);
		check_range(s, step->page, n, "after a change");
		torture_range_unlock(s, step->page, n);
	} else {
		done = info->unlocked(&op);
	}
	if (done)
		__atomic_add_fetch(&world->done[step->kind], 1,
				   __ATOMIC_RELAXED);
}

/* Bursts with pauses, as pages must be quiet to be merged */
static void *thread_main(void *arg)
{
	const struct thread *t = arg;
	struct torture_slot *s = t->slot;
	uint64_t nr, name = s->name;
	struct torture_step step;

	while (!__atomic_load_n(&t->gates->begin, __ATOMIC_ACQUIRE))
		usleep(100);
	for (nr = 0; torture_storm(); nr++) {
		step = torture_step(DOER_WORKER, name, t->nr, nr);
		do_step(s, &step, torture_mix(torture_mix(name, t->nr + 1), nr));
		if (nr % 32 == 31)
			usleep(step.aux % 8000);
		if (nr % 256 == 255)
			check_all(s, "of all");
	}
	__atomic_sub_fetch(&t->gates->busy, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(&t->gates->busy, __ATOMIC_ACQUIRE))
		usleep(100);
	return NULL;
}

static void run_threads(struct torture_slot *s)
{
	struct thread thread[TORTURE_THREADS];
	pthread_attr_t attr;
	struct gates gates = { .busy = TORTURE_THREADS };
	unsigned int i;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	for (i = 0; i < TORTURE_THREADS; i++) {
		thread[i].slot = s;
		thread[i].nr = i;
		thread[i].gates = &gates;
		if (pthread_create(&thread[i].thread, &attr, thread_main,
				   &thread[i])) {
			torture_fail("no thread\n");
			_exit(1);
		}
	}
	__atomic_store_n(&gates.begin, true, __ATOMIC_RELEASE);
	for (i = 0; i < TORTURE_THREADS; i++)
		pthread_join(thread[i].thread, NULL);
}

/* The pages stay as they are; look at them as often as is asked for. */
static void rest(struct torture_slot *s)
{
	unsigned int looks;

	munlockall();
	while (__atomic_load_n(&world->phase, __ATOMIC_SEQ_CST) != PHASE_END) {
		looks = __atomic_load_n(&world->looks, __ATOMIC_SEQ_CST);
		if (looks != s->looked) {
			check_range(s, 0, TORTURE_PAGES, "at rest");
			__atomic_store_n(&s->looked, looks, __ATOMIC_SEQ_CST);
		}
		usleep(2000);
	}
}

static void crashed(int sig)
{
	torture_fail("process %d gets signal %d\n", getpid(), sig);
	_exit(1);
}

static void process_setup(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGSEGV, crashed);
	signal(SIGBUS, crashed);
	signal(SIGILL, crashed);
	signal(SIGALRM, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
}

static void process_main(struct torture_slot *s)
{
	process_setup();
	__atomic_store_n(&s->pid, getpid(), __ATOMIC_SEQ_CST);
	replace_tainted(s);
	check_range(s, 0, TORTURE_PAGES, "in a new process");
	__atomic_store_n(&s->open, 1, __ATOMIC_SEQ_CST);
	run_threads(s);
	rest(s);
	check_range(s, 0, TORTURE_PAGES, "at the end");
	_exit(0);
}

void torture_process(struct torture_slot *s)
{
	make_arena(s);
	process_main(s);
	_exit(1);
}

/* --- Operations on processes --------------------------------------------- */

bool torture_prctl(struct torture_op *op)
{
	return !prctl(PR_SET_MEMORY_MERGE, op->aux & 1, 0, 0, 0);
}

/* What is known of the pages goes to the child, unless they are being changed. */
static void share_pages(struct torture_slot *s, struct torture_slot *child,
			bool *locked)
{
	size_t i;

	for (i = 0; i < TORTURE_PAGES; i++) {
		locked[i] = torture_page_trylock(s, i);
		child->page[i] = s->page[i];
		child->page[i].lock = 0;
		if (!locked[i])
			child->page[i].flags = PAGE_TAINTED;
	}
}

static void unshare_pages(struct torture_slot *s, const bool *locked)
{
	size_t i;

	for (i = 0; i < TORTURE_PAGES; i++)
		if (locked[i])
			torture_page_unlock(s, i);
}

bool torture_fork(struct torture_op *op)
{
	struct torture_slot *s = op->slot, *child;
	bool locked[TORTURE_PAGES];
	long pid;

	child = s->depth < MAX_DEPTH ? torture_slot_take() : NULL;
	if (!child)
		return false;
	child->name = op->child;
	child->depth = s->depth + 1;
	child->arena = s->arena;
	share_pages(s, child, locked);
	pid = syscall(SYS_clone, CLONE_PARENT | CLONE_PARENT_SETTID | SIGCHLD,
		      NULL, &child->pid, NULL, NULL);
	if (!pid)
		process_main(child);
	unshare_pages(s, locked);
	if (pid < 0) {
		torture_slot_put(child);
		return false;
	}
	return true;
}

/* The same program again, in the same slot; the other threads end. */
bool torture_exec(struct torture_op *op)
{
	char fd[16], slot[16];
	int nr = op->slot - world->slot;
	char *argv[] = { "ksm_torture", "--process", fd, slot, NULL };
	char *envp[] = { NULL };

	torture_slot_close(op->slot);
	snprintf(fd, sizeof(fd), "%d", world->fd);
	snprintf(slot, sizeof(slot), "%d", nr);
	op->slot->name = op->child;
	/* It will not come back to count itself. */
	__atomic_add_fetch(&world->done[KIND_EXEC], 1, __ATOMIC_RELAXED);
	execve("/proc/self/exe", argv, envp);
	torture_fail("exec: %s\n", strerror(errno));
	_exit(1);
}

int torture_executed(int fd, int slot)
{
	torture_world_attach(fd);
	/* Forks that other threads were about to make */
	torture_slot_drop_unmade(getpid());
	torture_process(&world->slot[slot]);
	return 1;
}

/* In the middle of what the other threads do */
bool torture_exit(struct torture_op *op)
{
	torture_slot_close(op->slot);
	__atomic_add_fetch(&world->done[KIND_EXIT], 1, __ATOMIC_RELAXED);
	_exit(0);
}
