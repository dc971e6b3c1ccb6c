// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rechecks: the maps by themselves, then with filter and state words against a
 * model of mms, trees and passes.  However these change, a page must not be
 * left without a lookup while another one has its key.
 */
#include "testing.h"

/* Without maps every key is due, and in two passes after they were made. */
static void recheck_without_maps(struct kunit *test)
{
	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_EQ(test, ksm_recheck_bytes(), 0);
	KUNIT_EXPECT_TRUE(test, ksm_recheck_wants_resize(0));
	ksm_recheck(7);
	ksm_recheck_pass_ended();
	ksm_recheck_pass_ended();
	KUNIT_EXPECT_TRUE(test, ksm_test_due(0));
	KUNIT_EXPECT_TRUE(test, ksm_test_due(0xffffffff));
	KUNIT_EXPECT_TRUE(test, ksm_recheck_resize(0));
	KUNIT_EXPECT_FALSE(test, ksm_recheck_wants_resize(0));
	KUNIT_EXPECT_TRUE(test, ksm_test_due(7));
	ksm_recheck_pass_ended();
	KUNIT_EXPECT_TRUE(test, ksm_test_due(7));
	ksm_recheck_pass_ended();
	KUNIT_EXPECT_FALSE(test, ksm_test_due(7));
	KUNIT_EXPECT_TRUE(test, ksm_recheck_due(ksm_recheck_view(true), 7));
	ksm_recheck_free();
	KUNIT_EXPECT_TRUE(test, ksm_test_due(7));
}

/* A call is heard in this pass and in the next one. */
static void recheck_lasts(struct kunit *test)
{
	static const u32 keys[] = { 0, 1, 0x80000000, 0xffffffff };
	unsigned int i, j;

	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_TRUE(test, ksm_recheck_resize(0));
	ksm_test_forget_calls();
	for (i = 0; i < ARRAY_SIZE(keys); i += 2) {
		ksm_recheck(keys[i]);
		for (j = 0; j < ARRAY_SIZE(keys); j++)
			KUNIT_EXPECT_EQ(test, ksm_test_due(keys[j]),
					keys[j] >> 16 == keys[i] >> 16);
		ksm_recheck_pass_ended();
		KUNIT_EXPECT_TRUE(test, ksm_test_due(keys[i]));
		ksm_recheck_pass_ended();
		KUNIT_EXPECT_FALSE(test, ksm_test_due(keys[i]));
	}
	ksm_recheck_free();
}

/* What is called in a pass outlives what was called in the one before. */
static void recheck_takes_turns(struct kunit *test)
{
	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_TRUE(test, ksm_recheck_resize(0));
	ksm_test_forget_calls();
	ksm_recheck(0x10000000);
	ksm_recheck_pass_ended();
	ksm_recheck(0x20000000);
	KUNIT_EXPECT_TRUE(test, ksm_test_due(0x10000000));
	KUNIT_EXPECT_TRUE(test, ksm_test_due(0x20000000));
	ksm_recheck_pass_ended();
	KUNIT_EXPECT_FALSE(test, ksm_test_due(0x10000000));
	KUNIT_EXPECT_TRUE(test, ksm_test_due(0x20000000));
	/* Called again, it stays for as long again. */
	ksm_recheck(0x20000000);
	ksm_recheck_pass_ended();
	KUNIT_EXPECT_TRUE(test, ksm_test_due(0x20000000));
	ksm_recheck_pass_ended();
	KUNIT_EXPECT_FALSE(test, ksm_test_due(0x20000000));
	ksm_recheck_free();
}

static void recheck_resize_carries(struct kunit *test)
{
	static const unsigned long pages[] = { 0, 1UL << 20, 1UL << 26, 1 };
	struct ksm_random random = { ksm_test_seed() };
	u32 key[64];
	unsigned int i, j, lost = 0, stray = 0;

	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_TRUE(test, ksm_recheck_resize(0));
	ksm_test_forget_calls();
	for (i = 0; i < ARRAY_SIZE(key); i++) {
		key[i] = ksm_random(&random);
		ksm_recheck(key[i]);
		if (i == ARRAY_SIZE(key) / 2)
			ksm_recheck_pass_ended();
	}
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		KUNIT_EXPECT_TRUE(test, ksm_recheck_wants_resize(pages[i]) ||
				  !i);
		KUNIT_EXPECT_TRUE(test, ksm_recheck_resize(pages[i]));
		KUNIT_EXPECT_FALSE(test, ksm_recheck_wants_resize(pages[i]));
		for (j = 0; j < ARRAY_SIZE(key); j++)
			lost += !ksm_test_due(key[j]);
		for (j = 0; j < 1000; j++)
			stray += ksm_test_due(ksm_random(&random));
	}
	KUNIT_EXPECT_EQ(test, lost, 0);
	KUNIT_EXPECT_LT(test, stray, 20);
	ksm_recheck_pass_ended();
	for (j = 0; j < ARRAY_SIZE(key); j++)
		lost += j > ARRAY_SIZE(key) / 2 && !ksm_test_due(key[j]);
	KUNIT_EXPECT_EQ(test, lost, 0);
	ksm_recheck_free();
}

/* The last pass, or this one before it started over */
static void recheck_belief(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, ksm_recheck_believed(41, 42));
	KUNIT_EXPECT_TRUE(test, ksm_recheck_believed(42, 42));
	KUNIT_EXPECT_FALSE(test, ksm_recheck_believed(40, 42));
	KUNIT_EXPECT_FALSE(test, ksm_recheck_believed(0, 42));
}

/* --- The model ----------------------------------------------------------- */

#define NR_MMS		4
#define MM_PAGES	12
#define NR_KEYS		24
#define NR_NODES	8

/**
 * struct model_page - what KSM knows of a page of an mm
 * @word:     0 or its inline word
 * @key:      number of its key
 * @identity: pages of one identity are one page that is shared by fork
 * @queued:   it is in the unstable tree
 */
struct model_page {
	u64 word;
	int key;
	int identity;
	bool queued;
};

struct model_mm {
	struct model_page page[MM_PAGES];
	unsigned long walked;
	bool recheck;
	bool missed;
};

/* A KSM page, if @key is one, which other pages can join while it has @room */
struct model_node {
	int key;
	bool room;
};

/* All mms and trees */
struct model {
	struct kunit *test;
	struct ksm_random random;
	struct model_mm mm[NR_MMS];
	struct model_node node[NR_NODES];
	u32 key[NR_KEYS];
	unsigned long pass_nr;
	int identities;
	bool quiet;	/* nothing is written, skipped or refused any more */
};

static bool chance(struct model *m, unsigned int percent)
{
	return !m->quiet && ksm_random_chance(&m->random, percent);
}

static u32 key_of(const struct model *m, const struct model_page *page)
{
	return m->key[page->key];
}

/* Does adding @other raise a counter of @key?  On an empty filter */
static bool share_counter(u32 key, u32 other)
{
	bool shared;

	ksm_filter_add(key);
	ksm_filter_add(other);
	ksm_filter_remove(key);
	ksm_filter_remove(key);
	/* If so, that counter of the other key is back to none. */
	ksm_filter_add(other);
	shared = !ksm_filter_may_match(other);
	ksm_filter_remove(other);
	ksm_filter_remove(other);
	return shared;
}

/* Have two other keys raised both counters of @key before? */
static bool hide(u32 key, const u32 other[2])
{
	ksm_filter_resize(1);
	ksm_filter_add(other[0]);
	ksm_filter_add(other[1]);
	ksm_filter_add(key);
	return ksm_filter_may_match(key);
}

/* Three keys, of which two together raise both counters of the third */
static void draw_keys(struct model *m, u32 *key)
{
	unsigned int found = 0, tries;
	u32 others[2] = { };

	*key = ksm_random(&m->random);
	ksm_filter_resize(1);
	for (tries = 0; tries < 2000000; tries++) {
		u32 other = ksm_random(&m->random);

		if (!share_counter(*key, other))
			continue;
		others[found] = other;
		found = 1;
		if (others[1] && hide(*key, others))
			break;
		ksm_filter_resize(1);
	}
	key[1] = others[0];
	key[2] = others[1];
}

static struct model *model_make(struct kunit *test, u64 seed)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->test = test;
	m->random.state = seed;
	m->pass_nr = 100;
	for (i = 0; i < NR_NODES; i++)
		m->node[i].key = -1;
	return m;
}

static void model_draw_keys(struct model *m)
{
	unsigned int i;

	for (i = 0; i < 6; i += 3)
		draw_keys(m, &m->key[i]);
	for (; i < NR_KEYS; i++)
		m->key[i] = ksm_random(&m->random);
	ksm_filter_resize(1);
}

static unsigned int count_of(const struct model *m, int key)
{
	unsigned int i, nr = 0;

	for (i = 0; i < NR_MMS * MM_PAGES; i++) {
		const struct model_page *page =
			&m->mm[i / MM_PAGES].page[i % MM_PAGES];

		nr += page->word && page->key == key;
	}
	for (i = 0; i < NR_NODES; i++)
		nr += m->node[i].key == key;
	return nr;
}

/* If others have the key they are called at once, not when this one asks. */
static void key_add(struct model *m, int key)
{
	ksm_filter_add(m->key[key]);
	KUNIT_EXPECT_TRUE(m->test, count_of(m, key) < 2 ||
			  ksm_test_due(m->key[key]));
}

static void node_rekey(struct model *m, struct model_node *node, int key)
{
	if (node->key >= 0)
		ksm_filter_remove(m->key[node->key]);
	node->key = key;
	node->room = true;
	if (key >= 0)
		key_add(m, key);
}

static struct model_node *node_with_room(struct model *m, int key)
{
	unsigned int i;

	for (i = 0; i < NR_NODES; i++)
		if (m->node[i].key == key && m->node[i].room)
			return &m->node[i];
	return NULL;
}

static void page_drop(struct model *m, struct model_page *page)
{
	if (page->word)
		ksm_filter_remove(key_of(m, page));
	memset(page, 0, sizeof(*page));
}

/* As ksm_judge_leave_tree(); a sweep does not call. */
static void page_leave_tree(struct model *m, struct model_page *page)
{
	if (page->queued)
		ksm_recheck(key_of(m, page));
	page->queued = false;
}

static void page_rewrite(struct model *m, struct model_page *page)
{
	page_leave_tree(m, page);
	page_drop(m, page);
	page->key = ksm_random_below(&m->random, NR_KEYS);
	page->identity = ++m->identities;
	page->word = ksm_state_quiet(1, key_of(m, page));
	key_add(m, page->key);
}

/* A fork: the same page at the same place of another mm */
static void page_share(struct model *m, unsigned int at,
		       struct model_page *page)
{
	struct model_page *to =
		&m->mm[ksm_random_below(&m->random, NR_MMS)].page[at];

	if (to == page || to->word)
		return;
	*to = *page;
	to->queued = false;
	to->word = ksm_state_quiet(1, key_of(m, to));
	key_add(m, to->key);
}

static struct model_page *queued_page(struct model *m, int key)
{
	unsigned int i, j;

	for (i = 0; i < NR_MMS; i++)
		for (j = 0; j < MM_PAGES; j++)
			if (m->mm[i].page[j].queued &&
			    m->mm[i].page[j].key == key)
				return &m->mm[i].page[j];
	return NULL;
}

/* Two pages become a KSM page. */
static void merge(struct model *m, struct model_page *a, struct model_page *b)
{
	int key = a->key;
	unsigned int i;

	page_leave_tree(m, a);
	page_drop(m, a);
	page_leave_tree(m, b);
	page_drop(m, b);
	for (i = 0; i < NR_NODES; i++) {
		if (m->node[i].key >= 0)
			continue;
		node_rekey(m, &m->node[i], key);
		break;
	}
}

/* As ksm_match_candidate() */
static void match(struct model *m, struct model_page *page)
{
	struct model_page *partner = queued_page(m, page->key);

	if (chance(m, 10))	/* no memory for the item */
		return;
	if (node_with_room(m, page->key)) {
		page_drop(m, page);
	} else if (!partner) {
		page->queued = true;
		page->word = ksm_state_queued(page->word);
		ksm_recheck(key_of(m, page));
	} else if (partner->identity == page->identity) {
		page->word = ksm_state_unique(page->word);
	} else if (chance(m, 20)) {
		page->word = ksm_state_held(page->word);
	} else {
		merge(m, page, partner);
	}
}

/* As ksm_judge_look() */
static void look(struct model *m, struct model_page *page)
{
	if (!ksm_filter_may_match(key_of(m, page))) {
		page->word = ksm_state_unique(page->word);
		return;
	}
	page->word |= KSM_WORD_LOOKUP;
	match(m, page);
}

/* An unchanged page of the tree: without a duplicate it needs no item. */
static void visit_queued(struct model *m, struct model_page *page, bool due)
{
	if (due && node_with_room(m, page->key)) {
		page_drop(m, page);
	} else if (chance(m, 20) && !ksm_filter_may_match(key_of(m, page))) {
		page->queued = false;
		page->word = ksm_state_unique(page->word);
	}
}

static void visit_page(struct model *m, struct model_mm *mm, unsigned int at)
{
	struct model_page *page = &mm->page[at];
	bool due;

	if (page->word && chance(m, 2)) {
		mm->missed = true;
		return;
	}
	if (chance(m, page->word ? 4 : 30))
		page_rewrite(m, page);
	if (!page->word)
		return;
	if (chance(m, 2)) {
		if (chance(m, 50))
			page_leave_tree(m, page);
		page_drop(m, page);
		return;
	}
	if (chance(m, 3))
		page_share(m, at, page);
	due = ksm_recheck_due(ksm_recheck_view(mm->recheck), page->word);
	if (page->queued)
		visit_queued(m, page, due);
	else if (ksm_state_lookup_due(&page->word, due))
		look(m, page);
}

/* The filter gets another size: all keys are counted again. */
static void recount(struct model *m)
{
	unsigned int i, j;

	/* Keys that were chosen to meet do so in the smallest one only. */
	ksm_filter_resize(chance(m, 20) ? 100000 : 1);
	for (i = 0; i < NR_MMS; i++)
		for (j = 0; j < MM_PAGES; j++)
			if (m->mm[i].page[j].word)
				ksm_filter_recount(key_of(m,
							  &m->mm[i].page[j]));
	for (i = 0; i < NR_NODES; i++)
		if (m->node[i].key >= 0)
			ksm_filter_recount(m->key[m->node[i].key]);
}

static void change_node(struct model *m)
{
	struct model_node *node =
		&m->node[ksm_random_below(&m->random, NR_NODES)];

	if (node->key < 0)
		return;
	if (chance(m, 30)) {
		node_rekey(m, node, -1);
		return;
	}
	node->room = !node->room;
	if (node->room)		/* as ksm_stable_resort() */
		ksm_recheck(m->key[node->key]);
}

/* Between two pages that are visited */
static void disturb(struct model *m)
{
	if (chance(m, 10))
		change_node(m);
	if (chance(m, 1))
		recount(m);
	if (chance(m, 1))
		ksm_recheck_resize(1U << ksm_random_below(&m->random, 21));
	/* Until the next recount(); ksm_recount_drop() frees both. */
	if (chance(m, 1) && chance(m, 20))
		ksm_filter_free();
	if (chance(m, 1) && chance(m, 20))
		ksm_recheck_free();
}

static void walk_mm(struct model *m, struct model_mm *mm)
{
	unsigned int i;

	mm->recheck = !ksm_recheck_believed(mm->walked, m->pass_nr);
	mm->missed = false;
	for (i = 0; i < MM_PAGES; i++) {
		disturb(m);
		visit_page(m, mm, i);
	}
	if (!mm->missed)
		mm->walked = m->pass_nr;
}

static void pass(struct model *m)
{
	unsigned int i;

	for (i = 0; i < NR_MMS; i++) {
		if (chance(m, 3))
			return;		/* starts over */
		if (!chance(m, 3))	/* registered behind the pass */
			walk_mm(m, &m->mm[i]);
	}
	m->pass_nr++;
	ksm_recheck_pass_ended();
}

/* Is there another page with the key of @page, which could be merged with it? */
static bool has_company(struct model *m, const struct model_page *page)
{
	const struct model_page *other;
	unsigned int i;

	if (node_with_room(m, page->key))
		return true;
	for (i = 0; i < NR_MMS * MM_PAGES; i++) {
		other = &m->mm[i / MM_PAGES].page[i % MM_PAGES];
		if (other->word && other->key == page->key &&
		    other->identity != page->identity)
			return true;
	}
	return false;
}

/* After all that was called was heard, no page may have been left alone. */
static void expect_none_left(struct model *m, int round)
{
	unsigned int i, left = 0;

	for (i = 0; i < NR_MMS * MM_PAGES; i++) {
		struct model_page *page =
			&m->mm[i / MM_PAGES].page[i % MM_PAGES];

		left += page->word && has_company(m, page);
	}
	KUNIT_EXPECT_EQ_MSG(m->test, left, 0, "round %d", round);
}

static void model_round(struct model *m, int round)
{
	unsigned int i;

	m->quiet = false;
	for (i = ksm_random_below(&m->random, 40) + 1; i; i--)
		pass(m);
	m->quiet = true;
	/* A page that was refused waits for up to 7 visits. */
	for (i = 0; i < 12; i++)
		pass(m);
	expect_none_left(m, round);
}

static void recheck_model(struct kunit *test)
{
	struct model *m = model_make(test, ksm_test_seed());
	int round;

	guard(mutex)(&ksm_scan_mutex);
	model_draw_keys(m);
	KUNIT_EXPECT_TRUE(test, ksm_recheck_resize(0));
	for (round = 0; round < KSM_TEST_ROUNDS(100); round++) {
		model_round(m, round);
		if (ksm_test_failed(test))
			break;
	}
	ksm_filter_free();
	ksm_recheck_free();
}

static struct kunit_case recheck_cases[] = {
	KUNIT_CASE(recheck_without_maps),
	KUNIT_CASE(recheck_lasts),
	KUNIT_CASE(recheck_takes_turns),
	KUNIT_CASE(recheck_resize_carries),
	KUNIT_CASE(recheck_belief),
	KUNIT_CASE(recheck_model),
	{}
};

static struct kunit_suite recheck_suite = {
	.name = "ksm_recheck",
	.init = ksm_test_begin,
	.exit = ksm_test_end,
	.test_cases = recheck_cases,
};

kunit_test_suite(recheck_suite);
