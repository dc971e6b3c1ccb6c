// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flags of a VMA, with the definition that an earlier 6.12 has of one: it
 * is of type unsigned int there, and so is its complement.
 */
#include <linux/mm.h>

#undef VM_MERGEABLE
#define VM_MERGEABLE	0x80000000

#include "testing.h"

static void flags_unmergeable(struct kunit *test)
{
	unsigned int bit;

	for (bit = 0; bit < BITS_PER_LONG; bit++) {
		vm_flags_t one = 1UL << bit, flag = 1UL << 31;

		KUNIT_EXPECT_EQ_MSG(test, ksm_flags_unmergeable(one | flag),
				    one & ~flag, "bit %u", bit);
	}
}

static struct kunit_case flags_cases[] = {
	KUNIT_CASE(flags_unmergeable),
	{}
};

static struct kunit_suite flags_suite = {
	.name = "ksm_flags",
	.test_cases = flags_cases,
};

kunit_test_suite(flags_suite);
