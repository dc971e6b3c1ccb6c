// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that allocate, change, move and free blocks of all sizes at the same
 * time, hand them to each other and fork meanwhile.  Every block has contents
 * by which it is known, and they are looked at before each step.
 *
 *   storm THREADS STEPS [FORKS]
 */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"

#define SLOTS 64

enum kind {
	EMPTY,
	HEAP,
	MAPPED,
};

/* A place where a thread leaves a block for whoever comes next. */
static struct slot {
	pthread_mutex_t lock;
	enum kind kind;
	void *block;
	size_t len;
	unsigned int seed;
} slots[SLOTS];

static int steps;

/* Mostly small, as in real programs; at times more than a mapping. */
static size_t some_size(unsigned int *rand)
{
	static const size_t limits[] = { 200, 5000, 40000, 70000, 200000,
		1500000 };
	size_t limit = limits[rand_r(rand) % 6];

	return 1 + rand_r(rand) % limit;
}

static void *new_aligned(size_t len, unsigned int *rand)
{
	size_t align = 16UL << rand_r(rand) % 10;
	void *block = NULL;

	CHECK(!posix_memalign(&block, align, len));
	CHECK((uintptr_t)block % align == 0);
	return block;
}

static void *new_zero(size_t len)
{
	void *block = calloc(1, len);

	CHECK(block && is_zero(block, len));
	return block;
}

static void make(struct slot *slot, unsigned int *rand)
{
	slot->len = some_size(rand);
	slot->seed = rand_r(rand);
	slot->kind = HEAP;
	switch (rand_r(rand) % 5) {
	case 0:
		slot->block = new_zero(slot->len);
		break;
	case 1:
		slot->block = new_aligned(slot->len, rand);
		break;
	case 2:
		slot->kind = MAPPED;
		slot->block = mmap(NULL, slot->len, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(slot->block != MAP_FAILED);
		break;
	default:
		slot->block = malloc(slot->len);
	}
	CHECK(slot->block);
	fill(slot->block, slot->len, slot->seed);
}

static void resize(struct slot *slot, unsigned int *rand)
{
	size_t len = some_size(rand);
	size_t kept = len < slot->len ? len : slot->len;

#ifdef __SANITIZE_THREAD__
	/* It does not know of mremap(), and takes others' memory for ours. */
	if (slot->kind == MAPPED)
		return;
#endif
	if (slot->kind == MAPPED) {
		slot->block = mremap(slot->block, slot->len, len,
				     MREMAP_MAYMOVE);
		CHECK(slot->block != MAP_FAILED);
	} else {
		slot->block = realloc(slot->block, len);
		CHECK(slot->block && malloc_usable_size(slot->block) >= len);
	}
	CHECK(is_filled(slot->block, kept, slot->seed));
	slot->len = len;
	fill(slot->block, len, slot->seed);
}

static void drop(struct slot *slot)
{
	if (slot->kind == MAPPED)
		CHECK(!munmap(slot->block, slot->len));
	else
		free(slot->block);
	slot->kind = EMPTY;
}

static void step(struct slot *slot, unsigned int *rand)
{
	if (slot->kind == EMPTY) {
		make(slot, rand);
		return;
	}
	CHECK(is_filled(slot->block, slot->len, slot->seed));
	if (rand_r(rand) % 2)
		resize(slot, rand);
	else
		drop(slot);
}

static void *work(void *arg)
{
	unsigned int rand = (uintptr_t)arg;
	struct slot *slot;
	int i;

	for (i = 0; i < steps; i++) {
		slot = &slots[rand_r(&rand) % SLOTS];
		pthread_mutex_lock(&slot->lock);
		step(slot, &rand);
		pthread_mutex_unlock(&slot->lock);
	}
	return NULL;
}

/* One thread only is left of them; it has its own blocks to play with. */
static void child(unsigned int seed)
{
	struct slot slot = { .kind = EMPTY };
	int i;

	for (i = 0; i < 200; i++)
		step(&slot, &seed);
	_exit(0);
}

static void fork_some(int forks)
{
	int status, i;
	pid_t pid;

	for (i = 0; i < forks; i++) {
		pid = fork();
		CHECK(pid >= 0);
		if (!pid)
			child(i + 1);
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	}
}

int main(int argc, char **argv)
{
	int threads = argc > 2 ? atoi(argv[1]) : 4, i;
	pthread_t *id = calloc(threads, sizeof(*id));

	steps = argc > 2 ? atoi(argv[2]) : 2000;
	for (i = 0; i < SLOTS; i++)
		pthread_mutex_init(&slots[i].lock, NULL);
	for (i = 0; i < threads; i++)
		CHECK(!pthread_create(&id[i], NULL, work,
				      (void *)(uintptr_t)(i + 1)));
	fork_some(argc > 3 ? atoi(argv[3]) : 0);
	for (i = 0; i < threads; i++)
		pthread_join(id[i], NULL);
	for (i = 0; i < SLOTS; i++)
		if (slots[i].kind != EMPTY)
			drop(&slots[i]);
	free(id);
	return 0;
}
