// SPDX-License-Identifier: GPL-2.0-only
/*
 * The workers and their memory.
 *
 * The controller reserves each area before it forks, so that it is at the same
 * address in all of them; the pages are each worker's own.  What a page has to
 * contain follows from its role, so every worker can tell at the end whether
 * its memory is what it wrote.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"

enum op { FILL, REGISTER, REWRITE, TOUCH, REPLACE, VERIFY };

struct request {
	enum op op;
	unsigned int area;
	unsigned long below;
	unsigned long from, to;
};

struct worker {
	pid_t pid;
	int to, from;
};

/* Seen by all */
struct shared {
	volatile bool stop;
	struct {
		volatile uint64_t pages;
	} rewritten[MAX_WORKERS];
};

struct area areas[MAX_AREAS];
unsigned int nr_workers = MAX_WORKERS;

static unsigned int nr_areas;
static struct worker workers[MAX_WORKERS];
static struct shared *shared;

/* A worker's own: how often it has rewritten the area */
static uint64_t generations[MAX_AREAS];

/* The word of a page that area_write_behind() changes */
#define BEHIND_WORD	13

static void *map(size_t size, int flags)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);

	if (p == MAP_FAILED)
		die("no address space for %zu bytes", size);
	return p;
}

/*
 * area_add - declare an area before the workers are started
 * @mib: size in all workers together
 *
 * What is in it is for the caller to say.
 */
struct area *area_add(unsigned long mib)
{
	struct area *area = &areas[nr_areas++];

	area->pages = mib * MIB / PAGE / nr_workers;
	area->rewritten = area->pages;
	area->stride = PAGE;
	area->fill = content_random;
	return area;
}

static char *page_of(const struct area *area, unsigned long page)
{
	return area->base + page * area->stride;
}

static unsigned long role_of(const struct area *area, unsigned int worker,
			     unsigned long page)
{
	return area->roles[worker * area->pages + page];
}

static void deal_roles(struct area *area, unsigned int worker)
{
	uint32_t *roles = area->roles + worker * area->pages;
	uint64_t random = content_hash(worker + 1);
	unsigned long i, other;
	uint32_t role;

	for (i = 0; i < area->pages; i++) {
		random = content_hash(random);
		other = random % (i + 1);
		role = roles[other];
		roles[other] = i;
		if (other != i)
			roles[i] = role;
	}
}

/* What the page has to contain; @buf may be overwritten. */
static void expected(const struct area *area, unsigned int worker,
		     unsigned long page, uint64_t *buf)
{
	unsigned long role = role_of(area, worker, page);
	uint64_t generation = role >= area->rewritten ?
			      generations[area - areas] : 0;
	uint64_t behind = area->behind[worker * area->pages + page];

	generation += area->replaced[worker * area->pages + page];
	area->fill(buf, area->content(area, worker, role, generation));
	if (behind)
		buf[BEHIND_WORD] = behind;
}

/* --- in the worker --- */

static uint64_t do_fill(struct area *area, unsigned int worker)
{
	unsigned long i;

	/* all at once is much faster; where there are gaps, one by one */
	if (area->stride == PAGE &&
	    madvise(area->base, area->pages * PAGE, MADV_POPULATE_WRITE))
		return errno;
	for (i = 0; i < area->pages; i++)
		expected(area, worker, i, (uint64_t *)page_of(area, i));
	return 0;
}

static uint64_t do_register(struct area *area)
{
	if (madvise(area->base, area->pages * area->stride, MADV_MERGEABLE))
		return errno;
	return 0;
}

/* Always whole rounds, so that the generation says what is where */
static uint64_t do_rewrite(struct area *area, unsigned int worker)
{
	uint64_t *generation = &generations[area - areas];
	unsigned long i;

	while (!shared->stop) {
		++*generation;
		for (i = 0; i < area->pages; i++) {
			if (role_of(area, worker, i) < area->rewritten)
				continue;
			expected(area, worker, i, (uint64_t *)page_of(area, i));
			shared->rewritten[worker].pages++;
		}
	}
	return 0;
}

/* Write what is there already.  Return: nanoseconds. */
static uint64_t do_touch(struct area *area, unsigned int worker,
			 unsigned long below)
{
	uint64_t start = now_ns();
	volatile uint64_t *word;
	unsigned long i;

	for (i = 0; i < area->pages; i++) {
		if (role_of(area, worker, i) >= below)
			continue;
		word = (uint64_t *)page_of(area, i);
		*word = *word;
	}
	return now_ns() - start;
}

/* Give pages back, and have new ones with new contents at their addresses. */
static uint64_t do_replace(struct area *area, unsigned int worker,
			   const struct request *request)
{
	unsigned long i;

	for (i = request->from; i < request->to; i++) {
		if (role_of(area, worker, i) < request->below)
			continue;
		if (madvise(page_of(area, i), PAGE, MADV_DONTNEED))
			return errno;
		area->replaced[worker * area->pages + i]++;
		expected(area, worker, i, (uint64_t *)page_of(area, i));
	}
	return 0;
}

/* Return: number of pages that contain something else. */
static uint64_t do_verify(struct area *area, unsigned int worker)
{
	static uint64_t buf[PAGE_WORDS];
	uint64_t wrong = 0;
	unsigned long i;

	for (i = 0; i < area->pages; i++) {
		expected(area, worker, i, buf);
		if (memcmp(buf, page_of(area, i), PAGE))
			wrong++;
	}
	return wrong;
}

static uint64_t obey(const struct request *request, unsigned int worker)
{
	struct area *area = &areas[request->area];

	switch (request->op) {
	case FILL:
		return do_fill(area, worker);
	case REGISTER:
		return do_register(area);
	case REWRITE:
		return do_rewrite(area, worker);
	case TOUCH:
		return do_touch(area, worker, request->below);
	case REPLACE:
		return do_replace(area, worker, request);
	case VERIFY:
		return do_verify(area, worker);
	}
	return -1;
}

static void be_worker(unsigned int worker, int in, int out, bool notifier)
{
	struct request request;
	uint64_t answer;

	if (notifier && open("/dev/test_mmu_notifier", O_RDWR) < 0)
		exit(1);
	while (read(in, &request, sizeof(request)) == sizeof(request)) {
		answer = obey(&request, worker);
		if (write(out, &answer, sizeof(answer)) != sizeof(answer))
			break;
	}
	exit(0);
}

/* --- in the controller --- */

static void start_worker(unsigned int nr, bool notifier)
{
	struct worker *worker = &workers[nr];
	int to[2], from[2];

	if (pipe(to) || pipe(from))
		die("pipe: %s", strerror(errno));
	fflush(NULL);
	worker->pid = fork();
	if (worker->pid < 0)
		die("fork: %s", strerror(errno));
	if (!worker->pid) {
		close(to[1]);
		be_worker(nr, to[0], from[1], notifier);
	}
	close(to[0]);
	close(from[1]);
	worker->to = to[1];
	worker->from = from[0];
}

static void prepare_area(struct area *area)
{
	unsigned long nr = area->pages * nr_workers;
	unsigned int i;

	area->base = map(area->pages * area->stride, MAP_PRIVATE);
	/* neighbours must not become one mapping */
	map(PAGE, MAP_SHARED);
	area->roles = map(nr * sizeof(*area->roles), MAP_SHARED);
	area->behind = map(nr * sizeof(*area->behind), MAP_SHARED);
	area->replaced = map(nr * sizeof(*area->replaced), MAP_SHARED);
	for (i = 0; i < nr_workers; i++)
		deal_roles(area, i);
}

/*
 * workers_start - start the workers, after all areas were declared
 * @notifier: each shall have an mmu notifier
 */
void workers_start(bool notifier)
{
	unsigned int i;

	shared = map(sizeof(*shared), MAP_SHARED);
	for (i = 0; i < nr_areas; i++)
		prepare_area(&areas[i]);
	for (i = 0; i < nr_workers; i++)
		start_worker(i, notifier);
}

static void send_request(unsigned int worker, const struct request *request)
{
	if (write(workers[worker].to, request, sizeof(*request)) !=
	    sizeof(*request))
		die("worker %u is gone", worker);
}

static void send(unsigned int worker, enum op op, const struct area *area,
		 unsigned long below)
{
	struct request request = { op, area - areas, below };

	send_request(worker, &request);
}

static uint64_t receive(unsigned int worker)
{
	uint64_t answer;

	if (read(workers[worker].from, &answer, sizeof(answer)) !=
	    sizeof(answer))
		die("worker %u died", worker);
	return answer;
}

/* Let all do it.  Return: the sum of their answers. */
static uint64_t all_do(enum op op, const struct area *area)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < nr_workers; i++)
		send(i, op, area, 0);
	for (i = 0; i < nr_workers; i++)
		sum += receive(i);
	return sum;
}

void area_fill(struct area *area)
{
	if (all_do(FILL, area))
		die("cannot fill the memory");
}

void area_register(struct area *area)
{
	if (all_do(REGISTER, area))
		die("cannot register the memory");
}

/* Until area_rewrite_stop() the workers write and do nothing else. */
void area_rewrite_start(struct area *area)
{
	unsigned int i;

	shared->stop = false;
	for (i = 0; i < nr_workers; i++)
		send(i, REWRITE, area, 0);
}

void area_rewrite_stop(void)
{
	unsigned int i;

	shared->stop = true;
	for (i = 0; i < nr_workers; i++)
		receive(i);
}

uint64_t area_rewritten_by(unsigned int worker)
{
	return shared->rewritten[worker].pages;
}

uint64_t area_rewritten_pages(void)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < nr_workers; i++)
		sum += area_rewritten_by(i);
	return sum;
}

/*
 * area_touch - write to pages without changing them, one worker after another
 * @below: to those with a role below this
 *
 * Return: nanoseconds that it took.
 */
uint64_t area_touch(struct area *area, unsigned long below)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < nr_workers; i++) {
		send(i, TOUCH, area, below);
		sum += receive(i);
	}
	return sum;
}

/* One call writes to up to this many pages. */
#define MAX_IOV	512

static void write_words(unsigned int worker, const struct iovec *remote,
			const uint64_t *words, unsigned int nr)
{
	struct iovec local = { (void *)words, nr * sizeof(*words) };

	if (process_vm_writev(workers[worker].pid, &local, 1, remote, nr, 0) !=
	    (ssize_t)local.iov_len)
		die("process_vm_writev: %s", strerror(errno));
}

/*
 * area_write_behind - change a word in pages as a secondary MMU would: without
 *	a trace in the page tables
 * @from, @to: number of the first page, in each worker, and behind the last
 * @role: only pages with this role or a higher one
 */
void area_write_behind(struct area *area, unsigned long from, unsigned long to,
		       unsigned long role)
{
	static uint64_t words[MAX_IOV], serial;
	struct iovec remote[MAX_IOV];
	unsigned int worker, nr = 0;
	unsigned long page;

	for (worker = 0; worker < nr_workers; worker++) {
		for (page = from; page < to; page++) {
			if (role_of(area, worker, page) < role)
				continue;
			words[nr] = content_hash(++serial);
			area->behind[worker * area->pages + page] = words[nr];
			remote[nr].iov_base = page_of(area, page) +
					BEHIND_WORD * sizeof(uint64_t);
			remote[nr].iov_len = sizeof(uint64_t);
			if (++nr == MAX_IOV) {
				write_words(worker, remote, words, nr);
				nr = 0;
			}
		}
		if (nr)
			write_words(worker, remote, words, nr);
		nr = 0;
	}
}

/*
 * area_replace - have new pages with new contents in place of some
 * @from, @to: number of the first page, in each worker, and behind the last
 * @role: only pages with this role or a higher one
 */
void area_replace(struct area *area, unsigned long from, unsigned long to,
		  unsigned long role)
{
	struct request request = { REPLACE, area - areas, role, from, to };
	unsigned int i;

	for (i = 0; i < nr_workers; i++)
		send_request(i, &request);
	for (i = 0; i < nr_workers; i++)
		if (receive(i))
			die("worker %u cannot replace its pages", i);
}

unsigned long pages_total(void)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < nr_areas; i++)
		sum += areas[i].pages * nr_workers;
	return sum;
}

/* Pages that have a like */
unsigned long copies_total(void)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < nr_areas; i++)
		sum += areas[i].copies * nr_workers;
	return sum;
}

/* Every byte of all areas has to be what was written. */
void verify_all(void)
{
	uint64_t wrong = 0;
	unsigned int i;

	for (i = 0; i < nr_areas; i++)
		wrong += all_do(VERIFY, &areas[i]);
	if (wrong)
		die("%llu pages have wrong contents",
		    (unsigned long long)wrong);
	out_number("verified", pages_total());
}
