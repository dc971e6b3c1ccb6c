// SPDX-License-Identifier: GPL-2.0
/*
 * The mappings of a process must not slow ksmd down for others.
 *
 * Where there are more page table entries than pages, the cost of an entry
 * counts: the tables are memory of the adversary, too.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest.h"
#include "lib/ksm.h"
#include "lib/adversary.h"

/* --- Sparse memory ------------------------------------------------------- */

/* a->pages pages, evenly spread over a mapping of this size */
static bool map_sparse(struct adversary_mem *a, size_t size)
{
	size_t i;

	a->map = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (a->map == MAP_FAILED)
		return false;
	ksft_print_msg("%zu pages in %zu MiB\n", a->pages, size >> 20);
	madvise(a->map, size, MADV_NOHUGEPAGE);
	a->stride = size / a->pages;
	for (i = 0; i < a->pages; i++)
		ksm_page_fill(adversary_page(a, i), ADVERSARY_SEED + i);
	if (madvise(a->map, size, MADV_MERGEABLE))
		ksm_die("MADV_MERGEABLE: %s", strerror(errno));
	return true;
}

/* The largest that there is room for: up to 64 TiB */
static void prepare_terabytes(struct adversary_mem *a)
{
	unsigned int shift = 46;

	while (!map_sparse(a, (size_t)1 << shift))
		if (--shift < 36)
			ksm_die("no room for a sparse mapping: %s",
				strerror(errno));
}

static void test_terabytes(void)
{
	static const struct adversary adv = {
		.pages = 1024, .prepare = prepare_terabytes,
		.verify = adversary_verify_unique,
		.entries = 512, .initial = 8, .pass = 8,
	};

	adversary_test(&adv);
}

#define SPARSE	(256UL << 10)

static void prepare_sparse(struct adversary_mem *a)
{
	if (!map_sparse(a, a->pages * SPARSE))
		ksm_die("mmap: %s", strerror(errno));
}

static void test_sparse(void)
{
	static const struct adversary adv = {
		.pages = 8192, .prepare = prepare_sparse,
		.verify = adversary_verify_unique,
		.entries = 64, .initial = 8, .pass = 8,
	};

	adversary_test(&adv);
}

/*
 * Every page is a mapping of its own.  The walk down to its page table and the
 * lock of that cost as much as a few dozen entries.
 */
static void prepare_vmas(struct adversary_mem *a)
{
	size_t i;
	int n;

	adversary_prepare_unique(a);
	for (i = 0; i < a->pages; i += 2)
		if (madvise(adversary_page(a, i), ps(), MADV_DONTFORK))
			ksm_die("VMA %zu: %s", i, strerror(errno));
	n = ksm_vma_count(0, a->map, a->pages * ps());
	ksft_print_msg("%d VMAs\n", n);
	if (n < (int)a->pages - 1)
		ksm_die("that is not one for each page");
}

static void test_vmas(void)
{
	static const struct adversary adv = {
		.pages = 50000, .prepare = prepare_vmas,
		.verify = adversary_verify_unique,
		.entries = 32, .initial = 8, .pass = 8,
	};

	adversary_test(&adv);
}

static const struct ksm_case cases[] = {
	{ "a sparse mapping of terabytes", test_terabytes },
	{ "a page in every 256 KiB", test_sparse },
	{ "50,000 VMAs", test_vmas },
};

int main(void)
{
	ksft_print_header();
	ksm_setup();
	adversary_calibrate();
	ksm_main(cases, ARRAY_SIZE(cases), KSM_SMART_SCAN_OFF);
}
