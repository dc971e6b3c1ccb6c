// SPDX-License-Identifier: GPL-2.0-only
/*
 * Samples of the test's own memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "content.h"
#include "fixture.h"
#include "pagehash.h"
#include "spread.h"

#define PAGES	512

static size_t page_bytes;

static void *memory(void)
{
	void *addr = mmap(NULL, PAGES * page_bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(addr, MAP_FAILED);
	return addr;
}

static void forget(void *addr)
{
	munmap(addr, PAGES * page_bytes);
}

static void randomize(void *addr)
{
	size_t at = 0;

	while (at < PAGES * page_bytes) {
		ssize_t len = getrandom((char *)addr + at,
					PAGES * page_bytes - at, 0);

		assert_true(len > 0);
		at += len;
	}
}

/* Sample one, and compare it with itself and perhaps another */
static struct ksm_content sample(void *addr, void *other)
{
	struct ksm_sampler *sampler;
	struct ksm_content content;
	uint64_t start = (uintptr_t)addr, end = start + PAGES * page_bytes;

	assert_int_equal(ksm_sampler_new(&sampler, getpid()), 0);
	assert_int_equal(ksm_sampler_take(sampler, 5, start, end), 0);
	ksm_sampler_ready(sampler);
	assert_int_equal(ksm_sampler_compare(sampler, getpid(), start, end,
					     PAGES), 0);
	start = (uintptr_t)other;
	if (other)
		ksm_sampler_compare(sampler, getpid(), start,
				    start + PAGES * page_bytes, PAGES);
	assert_int_equal(ksm_sampler_compared(sampler),
			 other ? 2 * PAGES : PAGES);
	ksm_sampler_again(sampler);
	ksm_sampler_result(sampler, 4, &content);
	assert_int_equal(content.pages, 0);
	ksm_sampler_result(sampler, 5, &content);
	ksm_sampler_free(sampler);
	assert_in_range(content.pages, KSM_SAMPLE_PAGES / 2,
			2 * KSM_SAMPLE_PAGES);
	return content;
}

static void unique(void **state)
{
	void *addr = memory();
	struct ksm_content content;

	(void)state;
	randomize(addr);
	content = sample(addr, NULL);
	assert_int_equal(content.changed, 0);
	assert_int_equal(content.unique, content.pages);
	assert_int_equal(content.shifted, 0);
	forget(addr);
}

static void equal_to_another(void **state)
{
	void *addr = memory(), *other = memory();
	struct ksm_content content;

	(void)state;
	randomize(addr);
	memcpy(other, addr, PAGES * page_bytes);
	content = sample(addr, other);
	assert_int_equal(content.unique, 0);
	/* the last byte counts as well */
	for (size_t at = 1; at <= PAGES; at++)
		((char *)other)[at * page_bytes - 1]++;
	content = sample(addr, other);
	assert_int_equal(content.unique, content.pages);
	forget(addr);
	forget(other);
}

static void equal_within(void **state)
{
	char *addr = memory();
	struct ksm_content content;

	(void)state;
	randomize(addr);
	memcpy(addr + PAGES / 2 * page_bytes, addr, PAGES / 2 * page_bytes);
	content = sample(addr, NULL);
	assert_int_equal(content.unique, 0);
	memset(addr, 0, PAGES * page_bytes);
	content = sample(addr, NULL);
	assert_int_equal(content.unique, 0);
	forget(addr);
}

static void shifted_by(long bytes, bool found)
{
	char *addr = memory(), *other = memory();
	struct ksm_content content;

	randomize(addr);
	if (bytes > 0)
		memcpy(other + bytes, addr, PAGES * page_bytes - bytes);
	else
		memcpy(other, addr - bytes, PAGES * page_bytes + bytes);
	content = sample(addr, other);
	/* the page at the end has no like */
	assert_true(content.unique >= content.pages - 1);
	if (found)
		assert_true(content.shifted >= content.pages - 1);
	else
		assert_int_equal(content.shifted, 0);
	forget(addr);
	forget(other);
}

static void shifted(void **state)
{
	(void)state;
	shifted_by(16, true);
	shifted_by(-16, true);
	shifted_by(8, true);
	shifted_by(512, true);
	/* malloc() does not do that, and it is not searched for */
	shifted_by(3, false);
}

/* What repeats itself is found at many offsets, and means nothing. */
static void repeating(void **state)
{
	uint64_t *addr = memory(), *other = memory();
	size_t words = PAGES * page_bytes / sizeof(*addr);
	struct ksm_content content;

	(void)state;
	for (size_t i = 0; i < words; i++) {
		addr[i] = i % 8;
		other[i] = (i + 2) % 8;
	}
	for (size_t i = 0; i < words; i += page_bytes / sizeof(*addr))
		addr[i] = 1000 + i;
	content = sample(addr, other);
	assert_int_equal(content.unique, content.pages);
	assert_int_equal(content.shifted, 0);
	forget(addr);
	forget(other);
}

/* A byte of every page, or of every other one */
static void changed_meanwhile(size_t step, unsigned int least,
			      unsigned int most)
{
	struct ksm_sampler *sampler;
	struct ksm_content content;
	char *addr = memory();
	uint64_t start = (uintptr_t)addr;

	randomize(addr);
	assert_int_equal(ksm_sampler_new(&sampler, getpid()), 0);
	ksm_sampler_take(sampler, 0, start, start + PAGES * page_bytes);
	ksm_sampler_ready(sampler);
	for (size_t at = 0; at < PAGES; at += step)
		addr[at * page_bytes + 77]++;
	ksm_sampler_again(sampler);
	ksm_sampler_result(sampler, 0, &content);
	ksm_sampler_free(sampler);
	assert_in_range(100 * content.changed / content.pages, least, most);
	/* the others are unique */
	assert_int_equal(content.unique, content.pages - content.changed);
	forget(addr);
}

static void changing(void **state)
{
	(void)state;
	changed_meanwhile(1, 100, 100);
	changed_meanwhile(2, 20, 80);
	changed_meanwhile(PAGES, 0, 2);
}

/* Pages that are gone have changed. */
static void unmapped_meanwhile(void **state)
{
	struct ksm_sampler *sampler;
	struct ksm_content content;
	void *addr = memory();
	uint64_t start = (uintptr_t)addr;

	(void)state;
	randomize(addr);
	assert_int_equal(ksm_sampler_new(&sampler, getpid()), 0);
	ksm_sampler_take(sampler, 0, start, start + PAGES * page_bytes);
	ksm_sampler_ready(sampler);
	forget(addr);
	ksm_sampler_compare(sampler, getpid(), start,
			    start + PAGES * page_bytes, PAGES);
	assert_int_equal(ksm_sampler_compared(sampler), 0);
	ksm_sampler_again(sampler);
	ksm_sampler_result(sampler, 0, &content);
	assert_int_equal(content.changed, content.pages);
	ksm_sampler_free(sampler);
}

/* Sampling must not make pages. */
static void untouched_memory_stays_so(void **state)
{
	struct ksm_sampler *sampler;
	struct ksm_content content;
	char *addr = memory();
	unsigned char here[PAGES];
	uint64_t start = (uintptr_t)addr;

	(void)state;
	addr[7 * page_bytes] = 1;
	assert_int_equal(ksm_sampler_new(&sampler, getpid()), 0);
	ksm_sampler_take(sampler, 0, start, start + PAGES * page_bytes);
	ksm_sampler_ready(sampler);
	ksm_sampler_compare(sampler, getpid(), start,
			    start + PAGES * page_bytes, PAGES);
	assert_int_equal(ksm_sampler_compared(sampler), 1);
	ksm_sampler_result(sampler, 0, &content);
	assert_int_equal(content.pages, 1);
	ksm_sampler_free(sampler);
	assert_int_equal(mincore(addr, PAGES * page_bytes, here), 0);
	for (int i = 0; i < PAGES; i++)
		assert_int_equal(here[i] & 1, i == 7);
	forget(addr);
}

static void too_many_mappings(void **state)
{
	struct ksm_sampler *sampler;
	void *addr = memory();
	uint64_t start = (uintptr_t)addr;
	int taken = 0;

	(void)state;
	randomize(addr);
	assert_int_equal(ksm_sampler_new(&sampler, getpid()), 0);
	while (taken < 10000 &&
	       !ksm_sampler_take(sampler, taken, start,
				 start + PAGES * page_bytes))
		taken++;
	assert_in_range(taken, KSM_SAMPLE_MAPS / 2, KSM_SAMPLE_MAPS);
	ksm_sampler_ready(sampler);
	ksm_sampler_free(sampler);
	forget(addr);
}

static void nobodys_memory(void **state)
{
	struct ksm_sampler *sampler;

	(void)state;
	assert_int_equal(ksm_sampler_new(&sampler, 0x7ffffff0), -ENOENT);
}

static void hash_of_pieces(void **state)
{
	static struct ksm_pagehash one, two;
	uint64_t *page = memory(), *other = memory();
	uint64_t piece, hash;

	(void)state;
	randomize(page);
	assert_int_equal(ksm_pagehash_init(&one, page_bytes), 0);
	assert_int_equal(ksm_pagehash_init(&two, page_bytes), 0);
	hash = ksm_pagehash_page(&one, page);
	assert_true(hash == ksm_pagehash_page(&one, page));
	/* another key, another hash */
	assert_true(hash != ksm_pagehash_page(&two, page));
	ksm_pagehash_page(&one, page);
	piece = ksm_pagehash_piece(&one, 100);
	assert_true(piece != ksm_pagehash_piece(&one, 101));
	memcpy(other + 11, page + 100, KSM_PIECE_WORDS * 8);
	ksm_pagehash_page(&one, other);
	assert_true(piece == ksm_pagehash_piece(&one, 11));
	other[11 + KSM_PIECE_WORDS - 1] ^= 1ULL << 63;
	ksm_pagehash_page(&one, other);
	assert_true(piece != ksm_pagehash_piece(&one, 11));
	assert_int_equal(ksm_pagehash_init(&one, 16 * 65536), -EINVAL);
	forget(page);
	forget(other);
}

static void count_visit(uint64_t addr, void *arg)
{
	(void)addr;
	++*(size_t *)arg;
}

/* A terabyte with nothing in it takes no time. */
static void sparse(void **state)
{
	size_t bytes = 1ULL << 40, count = 0;
	struct ksm_memory memory;
	struct ksm_spread spread = {
		&memory, 0, 0, 1000000, KSM_CHUNK_PAGES, count_visit, &count,
	};
	void *addr = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
			  MAP_NORESERVE, -1, 0);

	(void)state;
	assert_ptr_not_equal(addr, MAP_FAILED);
	spread.start = (uintptr_t)addr;
	spread.end = spread.start + bytes;
	assert_int_equal(ksm_memory_open(&memory, getpid()), 0);
	ksm_spread_visit(&spread);
	assert_int_equal(count, 0);
	spread.end = spread.start;
	ksm_spread_visit(&spread);
	ksm_memory_close(&memory);
	munmap(addr, bytes);
}

struct quarters {
	uint64_t start;
	size_t count[4];
};

static void count_quarter(uint64_t addr, void *arg)
{
	struct quarters *quarters = arg;

	quarters->count[(addr - quarters->start) * 4 / (PAGES * page_bytes)]++;
}

static void spread_over_all(void **state)
{
	void *addr = memory();
	struct quarters quarters = { .start = (uintptr_t)addr };
	struct ksm_memory memory;
	struct ksm_spread spread = {
		&memory, quarters.start, quarters.start + PAGES * page_bytes,
		32, 4, count_quarter, &quarters,
	};

	(void)state;
	randomize(addr);
	assert_int_equal(ksm_memory_open(&memory, getpid()), 0);
	ksm_spread_visit(&spread);
	for (int i = 0; i < 4; i++)
		assert_int_equal(quarters.count[i], 8);
	ksm_memory_close(&memory);
	forget(addr);
}

static int setup(void **state)
{
	(void)state;
	page_bytes = sysconf(_SC_PAGESIZE);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unique),
		cmocka_unit_test(equal_to_another),
		cmocka_unit_test(equal_within),
		cmocka_unit_test(shifted),
		cmocka_unit_test(repeating),
		cmocka_unit_test(changing),
		cmocka_unit_test(unmapped_meanwhile),
		cmocka_unit_test(untouched_memory_stays_so),
		cmocka_unit_test(too_many_mappings),
		cmocka_unit_test(nobodys_memory),
		cmocka_unit_test(hash_of_pieces),
		cmocka_unit_test(sparse),
		cmocka_unit_test(spread_over_all),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
