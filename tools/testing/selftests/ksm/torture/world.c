// SPDX-License-Identifier: GPL-2.0
/*
 * What all processes of the torture program share.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/clock.h"
#include "../lib/end.h"
#include "../lib/pages.h"
#include "world.h"

struct torture_world *world;

static void world_map(int fd)
{
	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);
	if (world == MAP_FAILED)
		ksm_die("mmap: %s", strerror(errno));
}

/* Programs that are executed inherit the descriptor. */
void torture_world_create(uint64_t seed)
{
	int fd = memfd_create("ksm_torture", 0);

	if (fd < 0 || ftruncate(fd, sizeof(*world)))
		ksm_die("memfd: %s", strerror(errno));
	world_map(fd);
	world->seed = seed;
	world->fd = fd;
	torture_content_setup(seed);
}

void torture_world_attach(int fd)
{
	world_map(fd);
	torture_content_setup(world->seed);
}

void torture_fail(const char *fmt, ...)
{
	char line[768] = "# ";
	va_list ap;
	size_t len;

	if (__atomic_fetch_add(&world->failed, 1, __ATOMIC_SEQ_CST) > 20)
		return;
	if (!world->found_ms)
		world->found_ms = ksm_now_ms();
	va_start(ap, fmt);
	vsnprintf(line + 2, sizeof(line) - 2, fmt, ap);
	va_end(ap);
	/* One write: the lines of several processes must not mix. */
	len = strlen(line);
	if (write(STDOUT_FILENO, line, len) != (ssize_t)len)
		_exit(1);
}

/* --- Slots --------------------------------------------------------------- */

struct torture_slot *torture_slot_take(void)
{
	struct torture_slot *s;
	pid_t none;

	for (s = world->slot; s < world->slot + TORTURE_SLOTS; s++) {
		none = 0;
		if (__atomic_compare_exchange_n(&s->taken, &none, getpid(),
						false, __ATOMIC_SEQ_CST,
						__ATOMIC_SEQ_CST))
			return s;
	}
	return NULL;
}

void torture_slot_put(struct torture_slot *s)
{
	s->open = 0;
	s->killed = 0;
	s->pid = 0;
	s->looked = 0;
	s->holes = 0;
	__atomic_store_n(&s->taken, 0, __ATOMIC_SEQ_CST);
}

void torture_slot_drop_unmade(pid_t maker)
{
	struct torture_slot *s;

	for (s = world->slot; s < world->slot + TORTURE_SLOTS; s++)
		if (!s->pid && s->taken == maker)
			torture_slot_put(s);
}

void torture_slot_leave(struct torture_slot *s)
{
	__atomic_sub_fetch(&s->visitors, 1, __ATOMIC_SEQ_CST);
}

bool torture_slot_visit(struct torture_slot *s)
{
	__atomic_add_fetch(&s->visitors, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&s->open, __ATOMIC_SEQ_CST))
		return true;
	torture_slot_leave(s);
	return false;
}

void torture_slot_close(struct torture_slot *s)
{
	__atomic_store_n(&s->open, 0, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&s->visitors, __ATOMIC_SEQ_CST))
		usleep(200);
}

/* --- Pages --------------------------------------------------------------- */

bool torture_page_trylock(struct torture_slot *s, size_t i)
{
	return !__atomic_exchange_n(&s->page[i].lock, 1, __ATOMIC_ACQUIRE);
}

void torture_page_unlock(struct torture_slot *s, size_t i)
{
	__atomic_store_n(&s->page[i].lock, 0, __ATOMIC_RELEASE);
}

size_t torture_range_trylock(struct torture_slot *s, size_t from, size_t n)
{
	size_t i;

	for (i = 0; i < n && torture_page_trylock(s, from + i); i++)
		;
	return i;
}

void torture_range_unlock(struct torture_slot *s, size_t from, size_t n)
{
	while (n--)
		torture_page_unlock(s, from + n);
}

void torture_holes_lock(struct torture_slot *s)
{
	while (__atomic_exchange_n(&s->holes, 1, __ATOMIC_ACQUIRE))
		usleep(100);
}

void torture_holes_unlock(struct torture_slot *s)
{
	__atomic_store_n(&s->holes, 0, __ATOMIC_RELEASE);
}

void torture_page_note(struct torture_page *p, enum torture_kind kind)
{
	memmove(p->history + 1, p->history, PAGE_HISTORY - 1);
	p->history[0] = kind;
}

static const char *history_text(const struct torture_page *p)
{
	static __thread char text[PAGE_HISTORY * 24];
	size_t i, used = 0;

	for (i = 0; i < PAGE_HISTORY; i++)
		used += snprintf(text + used, sizeof(text) - used, "%s%s",
				 i ? ", " : "",
				 torture_kinds[p->history[i]].name);
	return text;
}

static void say_wrong(struct torture_slot *s, size_t i, const void *bytes,
		      const unsigned char *want, const char *when)
{
	const struct torture_page *p = &s->page[i];
	const unsigned char *have = bytes;
	size_t at, wrong = 0, first = 0;

	for (at = 0; at < ps(); at++) {
		if (have[at] == want[at])
			continue;
		if (!wrong++)
			first = at;
	}
	torture_fail("WRONG CONTENT %s: process %#llx (pid %d, fork %u) page %zu, %zu bytes, first at %#zx: want %#x, have %#x; generation %u from %u, base %#llx, flags %#x, entry %#llx; after %s\n",
		     when, (unsigned long long)s->name, s->pid, s->depth, i, wrong,
		     first,
		     want[first], have[first], p->content.gen,
		     p->content.from, (unsigned long long)p->content.base,
		     p->flags,
		     (unsigned long long)ksm_pagemap(s->pid,
						     torture_address(s, i)),
		     history_text(p));
}

bool torture_page_check(struct torture_slot *s, size_t i, const void *bytes,
			const char *when)
{
	static __thread unsigned char want[64 << 10];
	struct torture_page *p = &s->page[i];

	__atomic_add_fetch(&world->verified, 1, __ATOMIC_RELAXED);
	torture_content_write(&p->content, want);
	if (!memcmp(bytes, want, ps()))
		return true;
	/* Freed in the meantime: zeroes, until it is written. */
	if ((p->flags & PAGE_LAZY) && ksm_page_is_zero(bytes)) {
		torture_content_zero(&p->content);
		p->flags &= ~PAGE_LAZY;
		return true;
	}
	say_wrong(s, i, bytes, want, when);
	return false;
}
