// SPDX-License-Identifier: GPL-2.0-only
/*
 * hold: have memory for KSM, until told to stop
 *
 *	hold [-n] EQUAL UNIQUE [CHANGING]
 *
 * EQUAL	pages that come in groups of eight of the same content; another
 *		process of this program has the same
 * UNIQUE	pages that no other process has
 * CHANGING	pages whose content is another one a hundred times a second
 * -n		do not register them: the caller has, by prctl()
 *
 * Says "ready PID" when all is written.  After SIGTERM every page has to have
 * the content it was given: then it exits with 0, else with 1.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define GROUP	8
#define WORDS	512			/* of a page of 4 KiB */

struct area {
	uint64_t *words;
	size_t pages;
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

/* Whatever the seed is, no word of two pages is the same, and none is zero. */
static uint64_t word(uint64_t seed, size_t i)
{
	return ((seed + 1) << 16 | (i + 1)) * 0x9e3779b97f4a7c15ULL;
}

static void fill(struct area *area, size_t page, uint64_t seed)
{
	for (size_t i = 0; i < WORDS; i++)
		area->words[page * WORDS + i] = word(seed, i);
}

static bool has(const struct area *area, size_t page, uint64_t seed)
{
	for (size_t i = 0; i < WORDS; i++)
		if (area->words[page * WORDS + i] != word(seed, i))
			return false;
	return true;
}

static struct area new_area(size_t pages, bool advise)
{
	struct area area = { .pages = pages };
	size_t size = pages * WORDS * sizeof(uint64_t);

	if (!pages)
		return area;
	area.words = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area.words == MAP_FAILED) {
		perror("hold: mmap");
		exit(2);
	}
	if (advise && madvise(area.words, size, MADV_MERGEABLE)) {
		perror("hold: madvise");
		exit(2);
	}
	return area;
}

static uint64_t own_seed(size_t page)
{
	return (uint64_t)getpid() << 24 | page;
}

/* Pages whose content is no longer what it was */
static size_t damaged(const struct area *equal, const struct area *unique)
{
	size_t bad = 0;

	for (size_t i = 0; i < equal->pages; i++)
		bad += !has(equal, i, i / GROUP);
	for (size_t i = 0; i < unique->pages; i++)
		bad += !has(unique, i, own_seed(i));
	return bad;
}

/* Until the signal; it interrupts the sleep, or comes before the next look */
static void wait_and_change(struct area *changing)
{
	const struct timespec hundredth = { .tv_nsec = 10000000 };
	uint64_t round = 1ULL << 40;

	while (!stopped) {
		for (size_t i = 0; i < changing->pages; i++)
			fill(changing, i, round + i);
		round += changing->pages;
		nanosleep(&hundredth, NULL);
	}
}

static size_t number(const char *text)
{
	char *end;
	size_t value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end || value > SIZE_MAX / 8192) {
		fprintf(stderr, "hold: %s is not a number of pages\n", text);
		exit(2);
	}
	return value;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct area equal, unique, changing;
	bool advise = true;
	size_t bad;

	if (argc > 1 && !strcmp(argv[1], "-n")) {
		advise = false;
		argv++;
		argc--;
	}
	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: hold [-n] EQUAL UNIQUE [CHANGING]\n");
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	equal = new_area(number(argv[1]), advise);
	unique = new_area(number(argv[2]), advise);
	changing = new_area(argc > 3 ? number(argv[3]) : 0, advise);
	for (size_t i = 0; i < equal.pages; i++)
		fill(&equal, i, i / GROUP);
	for (size_t i = 0; i < unique.pages; i++)
		fill(&unique, i, own_seed(i));
	printf("ready %d\n", getpid());
	fflush(stdout);
	wait_and_change(&changing);

	bad = damaged(&equal, &unique);
	if (bad)
		fprintf(stderr, "hold: %zu pages have another content\n", bad);
	return bad != 0;
}
