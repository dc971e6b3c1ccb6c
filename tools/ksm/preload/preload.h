/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libksm_preload: programs that know nothing of KSM offer it their big blocks.
 *
 * What is interposed, and why:
 *
 *   malloc calloc realloc        the blocks themselves.  new, strdup(),
 *                                reallocarray() and stdio come through these.
 *   memalign posix_memalign      the same, for who wants them aligned
 *   aligned_alloc valloc pvalloc
 *   mmap mmap64                  allocators of languages and of programs
 *   mremap                       only for blocks that become big by it: what
 *                                is registered stays so when it is moved
 *   prctl                        only to notice that a program is about to
 *                                forbid itself system calls (confine.c)
 *
 * free(), munmap() and malloc_usable_size() are not.  Every block is one of
 * the real allocator, at the address that it gave out, so it can be freed by
 * whoever has it, by whatever way; and a registration ends with the mapping.
 * brk() and sbrk() are not either: they grow a heap, they make no blocks.
 *
 * There is no lock and no list here, so there is nothing that fork(), a signal
 * or a thread could find half done.
 *
 * Calls go down this list only:
 *
 *   heap.c map.c confine.c       what programs call
 *   start.c                      when it may begin, and when it has to end
 *   merge.c                      the one place that calls madvise()
 *   room.c                       whether the process can have more mappings
 *   maps.c                       /proc/self/maps
 *   next.c                       the functions that would be called without us
 *   settings.c say.c extent.c    environment, messages, arithmetic
 */
#ifndef KSM_PRELOAD_H
#define KSM_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The unit tests link these files under other names than libc's. */
#ifndef KSMP_ENTRY
#define KSMP_ENTRY(name) name
#endif

#define KSMP_NAME "libksm_preload"

/* What is declared here is ours only; what programs call is not. */
#pragma GCC visibility push(hidden)

/* extent.c: which pages */

/**
 * struct ksmp_extent - pages; none if both are equal
 * @start: first address
 * @end:   first address behind them
 */
struct ksmp_extent {
	uintptr_t start;
	uintptr_t end;
};

struct ksmp_extent ksmp_inside(uintptr_t block, size_t size, size_t page);
struct ksmp_extent ksmp_of_glibc(uintptr_t block, size_t size, size_t usable,
				 size_t page);

/* say.c: messages to standard error */

void ksmp_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* settings.c: the environment */

enum ksmp_level {
	KSMP_QUIET,	/* no message at all */
	KSMP_ERRORS,	/* settings that cannot be used */
	KSMP_SUMMARY,	/* also why nothing is registered, and a sum at exit */
};

/**
 * struct ksmp_settings - what the KSMP_ variables say
 * @threshold: bytes; longer blocks are registered
 * @level:     how much to tell
 */
struct ksmp_settings {
	size_t threshold;
	enum ksmp_level level;
};

bool ksmp_parse(const char *text, size_t max, size_t *number);
struct ksmp_settings ksmp_settings_read(void);

/* next.c: the functions behind ours */

/*
 * What would be called without us
 *
 * @align:  memalign(), if it is malloc()'s partner; else NULL.  If it is not
 *          NULL, the three that follow are set.
 * @free:   its free()
 * @usable: its malloc_usable_size()
 * @glibc:  the allocator is glibc's
 *
 * Any of the others may be called at any time, from the first one on: those
 * that are not known yet look for themselves.
 */
struct ksmp_next {
	void *(*malloc)(size_t size);
	void *(*calloc)(size_t count, size_t size);
	void *(*realloc)(void *block, size_t size);
	void *(*memalign)(size_t align, size_t size);
	int (*posix_memalign)(void **block, size_t align, size_t size);
	void *(*aligned_alloc)(size_t align, size_t size);
	void *(*valloc)(size_t size);
	void *(*pvalloc)(size_t size);
	void *(*mmap)(void *addr, size_t len, int prot, int flags, int fd,
		      off_t offset);
	void *(*mmap64)(void *addr, size_t len, int prot, int flags, int fd,
			off64_t offset);
	void *(*mremap)(void *addr, size_t old_len, size_t len, int flags, ...);
	int (*prctl)(int option, ...);

	void *(*align)(size_t align, size_t size);
	void (*free)(void *block);
	size_t (*usable)(void *block);
	bool glibc;
};

extern struct ksmp_next ksmp_next;

/* Other threads may be looking for the same functions and find the same. */
#define KSMP_NEXT(name) __atomic_load_n(&ksmp_next.name, __ATOMIC_RELAXED)

bool ksmp_next_find(void);

static inline bool ksmp_next_aligns(void)
{
	return __atomic_load_n(&ksmp_next.align, __ATOMIC_ACQUIRE);
}

/* maps.c: what the process has mapped */

unsigned long ksmp_maps_count(void);
bool ksmp_maps_private_anonymous(const void *addr);

/* room.c: whether one more registration does no harm */

bool ksmp_room(void);

/* merge.c: registration */

/**
 * struct ksmp_sum - what was registered since the program started
 * @blocks: how often
 * @bytes:  in all; what was freed and registered again counts again
 */
struct ksmp_sum {
	unsigned long blocks;
	unsigned long long bytes;
};

enum ksmp_merge {
	KSMP_MERGE_DONE,
	KSMP_MERGE_NOT_NOW,	/* this one could not be registered */
	KSMP_MERGE_NEVER,	/* nor will any other be */
};

enum ksmp_merge ksmp_merge(struct ksmp_extent extent);
struct ksmp_sum ksmp_merge_sum(void);

/* start.c: from when to when */

/*
 * Blocks of more bytes than this are big.  0 before start, when nobody knows
 * yet, so that every block asks; SIZE_MAX when nothing is to be done.
 */
extern size_t ksmp_over;

static inline bool ksmp_is_big(size_t size)
{
	size_t over = __atomic_load_n(&ksmp_over, __ATOMIC_RELAXED);

	return __builtin_expect(size > over, 0);
}

bool ksmp_start(void);
void ksmp_stop(void);
void ksmp_register(struct ksmp_extent extent);
size_t ksmp_page(void);

/* To be asked after ksmp_is_big(), which says yes before start. */
static inline bool ksmp_serves(size_t size)
{
	return ksmp_start() && ksmp_is_big(size);
}

#pragma GCC visibility pop

#endif /* KSM_PRELOAD_H */
