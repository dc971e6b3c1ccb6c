// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "fixture.h"
#include "reason.h"

/* What smaps says, and what has to follow from it; sizes in pages */
struct given {
	const char *name;
	const char *perms;
	const char *flags;
	ksm_figure anonymous;
	ksm_figure ksm;
	ksm_figure huge;
	ksm_figure swap;
	enum ksm_answer answer;
	enum ksm_why reason;
};

#define RW	"rd wr mr mw me ac "

static const struct given kinds[] = {
	{ "", "rw-p", RW "mg ", 9, 1, 0, 0, KSM_CAN, KSM_WHY_MERGED },
	{ "", "rw-p", RW, 9, 0, 0, 0, KSM_NO, KSM_WHY_NOT_OPTED_IN },
	{ "[heap]", "rw-p", RW, 9, 0, 0, 0, KSM_NO, KSM_WHY_NOT_OPTED_IN },
	{ "/bin/x", "rw-p", RW, 9, 0, 0, 0, KSM_NO, KSM_WHY_NOT_OPTED_IN },
	{ "/bin/x", "r-xp", "rd ex mr mw me ", 0, 0, 0, 0, KSM_NO,
	  KSM_WHY_FILE_CLEAN },
	{ "/bin/x", "r-xp", "rd ex mr mw me mg ", 0, 0, 0, 0, KSM_NO,
	  KSM_WHY_FILE_CLEAN },
	{ "", "rw-p", RW "mg ", 0, 0, 0, 0, KSM_NO, KSM_WHY_UNTOUCHED },
	{ "", "rw-p", RW, 0, 0, 0, 0, KSM_NO, KSM_WHY_UNTOUCHED },
	{ "", "rw-p", RW "mg ", 0, 0, 0, 7, KSM_NO, KSM_WHY_SWAPPED },
	{ "", "rw-p", RW "mg ", 9, 0, 0, 7, KSM_CAN, KSM_WHY_UNKNOWN },
	{ "/memfd:ram (deleted)", "rw-s", RW "sh ms ", 0, 0, 0, 0, KSM_NEVER,
	  KSM_WHY_SHARED_MEMFD },
	{ "/SYSV00000000 (deleted)", "rw-s", RW "sh ms ", 0, 0, 0, 0,
	  KSM_NEVER, KSM_WHY_SHARED_SHM },
	{ "/dev/shm/guest", "rw-s", RW "sh ms ", 0, 0, 0, 0, KSM_NEVER,
	  KSM_WHY_SHARED_SHM },
	{ "/dev/zero (deleted)", "rw-s", RW "sh ms ", 0, 0, 0, 0, KSM_NEVER,
	  KSM_WHY_SHARED_SHM },
	{ "[anon_shmem:pool]", "rw-s", RW "sh ms ", 0, 0, 0, 0, KSM_NEVER,
	  KSM_WHY_SHARED_SHM },
	{ "/srv/data", "rw-s", RW "sh ms ", 0, 0, 0, 0, KSM_NEVER,
	  KSM_WHY_SHARED_FILE },
	/* opened for reading: may share only */
	{ "/srv/data", "r--s", "rd mr me ms ", 0, 0, 0, 0, KSM_NEVER,
	  KSM_WHY_SHARED_FILE },
	/* without VmFlags */
	{ "/srv/data", "r--s", "", 0, 0, 0, 0, KSM_NEVER, KSM_WHY_SHARED_FILE },
	{ "/anon_hugepage (deleted)", "rw-p", RW "de ht ", 0, 0, 0, 0,
	  KSM_NEVER, KSM_WHY_HUGETLB },
	{ "/dev/hugepages/ram", "rw-s", RW "sh ms de ht ", 0, 0, 0, 0,
	  KSM_NEVER, KSM_WHY_HUGETLB },
	{ "/dev/mem", "rw-s", RW "sh ms pf io de dd ", 0, 0, 0, 0, KSM_NEVER,
	  KSM_WHY_DEVICE },
	{ "[vvar]", "r--p", "rd mr pf ", 0, 0, 0, 0, KSM_NEVER,
	  KSM_WHY_DEVICE },
	{ "x", "r--p", "rd mr io ", 0, 0, 0, 0, KSM_NEVER, KSM_WHY_DEVICE },
	{ "x", "r--p", "rd mr mm ", 0, 0, 0, 0, KSM_NEVER, KSM_WHY_DEVICE },
	{ "[vdso]", "r-xp", "rd ex mr mw me de ", 0, 0, 0, 0, KSM_NEVER,
	  KSM_WHY_DEVICE },
	{ "[vsyscall]", "--xp", "ex ", 0, 0, 0, 0, KSM_NEVER, KSM_WHY_DEVICE },
	{ "", "rw-p", RW "dp ", 9, 0, 0, 0, KSM_NEVER, KSM_WHY_DROPPABLE },
	{ "", "rw-p", RW "ss ", 9, 0, 0, 0, KSM_NEVER, KSM_WHY_PROTECTED },
	{ "", "rw-p", RW "mt mg ", 9, 0, 0, 0, KSM_NEVER, KSM_WHY_PROTECTED },
	/* what is locked, or marked in other ways, can merge */
	{ "", "rw-p", RW "lo mg ", 9, 0, 0, 0, KSM_CAN, KSM_WHY_UNKNOWN },
	{ "", "rw-p", RW "um uw sd mg ", 9, 0, 0, 0, KSM_CAN,
	  KSM_WHY_UNKNOWN },
	{ "[stack]", "rw-p", RW "gd mg ", 9, 0, 0, 0, KSM_CAN,
	  KSM_WHY_UNKNOWN },
	/* most of it in huge pages, or some */
	{ "", "rw-p", RW "mg ", 9, 0, 5, 0, KSM_CAN, KSM_WHY_HUGE_KEPT },
	{ "", "rw-p", RW "mg ", 9, 0, 4, 0, KSM_CAN, KSM_WHY_UNKNOWN },
};

static void fill(struct ksm_map *map, const struct given *given)
{
	memset(map, 0, sizeof(*map));
	strcpy(map->name, given->name);
	strcpy(map->perms, given->perms);
	strcpy(map->vmflags, given->flags);
	map->inode = given->name[0] == '/' ? 4711 : 0;
	map->anonymous_bytes = given->anonymous * 4096;
	map->rss_bytes = map->anonymous_bytes;
	map->ksm_bytes = given->ksm * 4096;
	map->huge_bytes = given->huge * 4096;
	map->swap_bytes = given->swap * 4096;
}

static const struct ksm_facts nothing = { KSM_UNKNOWN, 0, KSM_UNKNOWN, false };

static void by_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct ksm_finding finding = { 0 };
		struct ksm_map map;

		fill(&map, &kinds[i]);
		finding.map = &map;
		ksm_why_find(&finding, &nothing);
		if (finding.reason != kinds[i].reason ||
		    finding.answer != kinds[i].answer)
			fail_msg("%zu \"%s\" %s: %s %s", i, map.name,
				 map.vmflags,
				 ksm_answer_name(finding.answer),
				 ksm_why_name(finding.reason));
		assert_int_equal(ksm_map_mergeable(&map),
				 finding.answer != KSM_NEVER);
	}
}

/* A registered mapping of nine pages, none merged */
static enum ksm_why reason_of(const struct ksm_facts *facts, int pinned,
			      const struct ksm_content *content)
{
	static const struct given given = {
		"", "rw-p", RW "mg ", 9, 0, 0, 0
	};
	struct ksm_finding finding = { 0 };
	struct ksm_map map;

	fill(&map, &given);
	finding.map = &map;
	finding.pinned_bytes = pinned * 4096;
	if (content)
		finding.content = *content;
	ksm_why_find(&finding, facts);
	assert_int_equal(finding.answer, KSM_CAN);
	return finding.reason;
}

static void by_facts(void **state)
{
	struct ksm_facts facts = nothing;

	(void)state;
	assert_int_equal(reason_of(&facts, 0, NULL), KSM_WHY_UNKNOWN);
	facts.unseen_bytes = 4 * 4096;
	assert_int_equal(reason_of(&facts, 0, NULL), KSM_WHY_UNKNOWN);
	facts.unseen_bytes = 5 * 4096;
	assert_int_equal(reason_of(&facts, 0, NULL), KSM_WHY_TOO_NEW);
	/* tracked pages may be gone: less than none is unseen */
	facts.unseen_bytes = -5 * 4096;
	assert_int_equal(reason_of(&facts, 0, NULL), KSM_WHY_UNKNOWN);
	facts.early = true;
	assert_int_equal(reason_of(&facts, 0, NULL), KSM_WHY_TOO_NEW);
	assert_int_equal(reason_of(&facts, 4, NULL), KSM_WHY_TOO_NEW);
	assert_int_equal(reason_of(&facts, 5, NULL), KSM_WHY_PINNED);
}

static void by_content(void **state)
{
	static const struct {
		struct ksm_content content;
		enum ksm_why reason;
	} cases[] = {
		{ { 0, 0, 0, 0 }, KSM_WHY_TOO_NEW },
		{ { 10, 6, 0, 0 }, KSM_WHY_VOLATILE },
		{ { 10, 5, 0, 0 }, KSM_WHY_TOO_NEW },
		{ { 10, 0, 6, 0 }, KSM_WHY_UNIQUE },
		{ { 10, 0, 5, 0 }, KSM_WHY_TOO_NEW },
		{ { 10, 0, 10, 6 }, KSM_WHY_UNALIGNED },
		{ { 10, 0, 10, 5 }, KSM_WHY_UNIQUE },
		{ { 10, 6, 4, 4 }, KSM_WHY_VOLATILE },
	};
	struct ksm_facts facts = nothing;

	(void)state;
	facts.early = true;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(reason_of(&facts, 0, &cases[i].content),
				 cases[i].reason);
		assert_int_equal(reason_of(&facts, 9, &cases[i].content),
				 KSM_WHY_PINNED);
	}
}

/* Where the kernel counts them, none kept means none kept. */
static void huge_pages_that_are_counted(void **state)
{
	static const struct given given = {
		"", "rw-p", RW "mg ", 9, 0, 9, 0
	};
	struct ksm_facts facts = nothing;
	struct ksm_finding finding = { 0 };
	struct ksm_map map;

	(void)state;
	fill(&map, &given);
	finding.map = &map;
	facts.thp_kept = 0;
	ksm_why_find(&finding, &facts);
	assert_int_equal(finding.reason, KSM_WHY_UNKNOWN);
	facts.thp_kept = 1;
	ksm_why_find(&finding, &facts);
	assert_int_equal(finding.reason, KSM_WHY_HUGE_KEPT);
}

/* Memory without pages, though KSM has mapped zero pages in the process */
static void zero_pages(void **state)
{
	struct given given = { "", "rw-p", RW "mg ", 0, 0, 0, 0 };
	struct ksm_facts facts = nothing;
	struct ksm_finding finding = { 0 };
	struct ksm_map map;

	(void)state;
	facts.zero_bytes = 4096;
	finding.map = &map;
	fill(&map, &given);
	ksm_why_find(&finding, &facts);
	assert_int_equal(finding.reason, KSM_WHY_ZERO_PAGES);
	assert_int_equal(finding.answer, KSM_CAN);
	given.flags = RW;
	fill(&map, &given);
	ksm_why_find(&finding, &facts);
	assert_int_equal(finding.reason, KSM_WHY_UNTOUCHED);
}

/* Figures that a kernel has not count as nothing there. */
static void unknown_figures(void **state)
{
	static const struct given given = { "", "rw-p", RW "mg ", 9 };
	struct ksm_finding finding = { 0 };
	struct ksm_map map;

	(void)state;
	fill(&map, &given);
	map.ksm_bytes = KSM_UNKNOWN;
	map.huge_bytes = KSM_UNKNOWN;
	map.swap_bytes = KSM_UNKNOWN;
	finding.map = &map;
	ksm_why_find(&finding, &nothing);
	assert_int_equal(finding.reason, KSM_WHY_UNKNOWN);
}

static void names(void **state)
{
	(void)state;
	for (enum ksm_why i = 0; i < KSM_NR_WHY; i++) {
		assert_non_null(ksm_why_name(i));
		assert_non_null(ksm_why_text(i));
		/* columns of the table */
		assert_true(strlen(ksm_why_name(i)) <= 12);
		assert_true(strlen(ksm_why_text(i)) <= 42);
		for (enum ksm_why j = 0; j < i; j++)
			assert_string_not_equal(ksm_why_name(i),
						ksm_why_name(j));
	}
	assert_true(ksm_why_inferred(KSM_WHY_PINNED));
	assert_false(ksm_why_inferred(KSM_WHY_UNKNOWN));
	assert_false(ksm_why_inferred(KSM_WHY_TOO_NEW));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_kind),
		cmocka_unit_test(by_facts),
		cmocka_unit_test(by_content),
		cmocka_unit_test(huge_pages_that_are_counted),
		cmocka_unit_test(zero_pages),
		cmocka_unit_test(unknown_figures),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
