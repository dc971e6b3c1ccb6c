// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a node tells about its page if no reference on it can be taken: with a
 * page in each of the states of reclaim, migration and memory failure that has
 * no other users.
 */
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/swap.h>

#include "testing.h"

struct node_model {
	struct ksm_stable_node *node;
	struct folio *folio;
};

/* A page that looks like a KSM page to its node */
static bool make_page(struct kunit *test, struct node_model *m)
{
	m->node = ksm_node_alloc();
	m->folio = folio_alloc(GFP_KERNEL, 0);
	KUNIT_EXPECT_NOT_NULL(test, m->node);
	KUNIT_EXPECT_NOT_NULL(test, m->folio);
	if (!m->node || !m->folio)
		return false;
	folio_lock(m->folio);
	__folio_set_swapbacked(m->folio);
	ksm_node_bind(m->node, m->folio,
		      ksm_scope_in(KSM_DOMAIN_GLOBAL, folio_pfn(m->folio)));
	return true;
}

static void free_folio(struct folio *folio)
{
	folio->mapping = NULL;
	folio_clear_dirty(folio);
	folio_clear_swapbacked(folio);
	folio_unlock(folio);
	folio_put(folio);
}

static void free_page_of(struct node_model *m)
{
	if (m->folio)
		free_folio(m->folio);
	if (m->node)
		ksm_node_free(m->node);
}

/* The answer; a reference that was taken is dropped. */
static enum ksm_result ask(struct node_model *m)
{
	struct folio *folio;
	enum ksm_result result = ksm_node_get_folio(m->node, &folio);

	if (result == KSM_RESULT_DONE)
		folio_put(folio);
	return result;
}

static enum ksm_result ask_frozen(struct kunit *test, struct node_model *m)
{
	enum ksm_result result;

	KUNIT_EXPECT_TRUE(test, folio_ref_freeze(m->folio, 1));
	result = ask(m);
	folio_ref_unfreeze(m->folio, 1);
	return result;
}

static void node_alive(struct kunit *test)
{
	struct node_model m = { };

	guard(mutex)(&ksm_scan_mutex);
	if (make_page(test, &m)) {
		KUNIT_EXPECT_EQ(test, ask(&m), KSM_RESULT_DONE);
		KUNIT_EXPECT_EQ(test, folio_ref_count(m.folio), 1);
		m.folio->mapping = (void *)PAGE_MAPPING_KSM;
		KUNIT_EXPECT_EQ(test, ask(&m), KSM_RESULT_GONE);
	}
	free_page_of(&m);
}

/*
 * Reclaim collects pages that it is going to free.  They look like a page that
 * has left the swap cache, entered it again and is taken out once more.
 */
static void node_about_to_be_freed(struct kunit *test)
{
	struct node_model m = { };

	guard(mutex)(&ksm_scan_mutex);
	if (make_page(test, &m))
		KUNIT_EXPECT_EQ(test, ask_frozen(test, &m), KSM_RESULT_RETRY);
	free_page_of(&m);
}

/*
 * Migrated or taken out of the swap cache: back soon, or in another frame
 */
static void node_frozen_in_swap_cache(struct kunit *test)
{
	struct node_model m = { };

	if (!IS_ENABLED(CONFIG_SWAP))
		kunit_skip(test, "there is no swap cache");
	guard(mutex)(&ksm_scan_mutex);
	if (make_page(test, &m)) {
		folio_set_swapcache(m.folio);
		KUNIT_EXPECT_EQ(test, ask(&m), KSM_RESULT_DONE);
		KUNIT_EXPECT_EQ(test, ask_frozen(test, &m), KSM_RESULT_RETRY);
		folio_clear_swapcache(m.folio);
	}
	free_page_of(&m);
}

#if defined(CONFIG_MEMORY_FAILURE) && defined(CONFIG_SWAP)
/* A poisoned page that is migrated is not gone either; one that is freed is. */
static void node_poisoned(struct kunit *test)
{
	struct node_model m = { };

	guard(mutex)(&ksm_scan_mutex);
	if (make_page(test, &m)) {
		SetPageHWPoison(folio_page(m.folio, 0));
		KUNIT_EXPECT_EQ(test, ask_frozen(test, &m), KSM_RESULT_GONE);
		folio_set_swapcache(m.folio);
		KUNIT_EXPECT_EQ(test, ask_frozen(test, &m), KSM_RESULT_RETRY);
		folio_clear_swapcache(m.folio);
		ClearPageHWPoison(folio_page(m.folio, 0));
	}
	free_page_of(&m);
}
#endif

#ifdef CONFIG_MIGRATION
static struct folio *migrate(struct node_model *m, struct folio *to)
{
	struct folio *from = m->folio;

	to->mapping = from->mapping;
	folio_migrate_ksm(to, from);
	m->folio = to;
	return from;
}

/* There and back into the same frame: the page is never lost on the way. */
static void node_migrated(struct kunit *test)
{
	struct node_model m = { };
	struct folio *folio, *other;

	other = folio_alloc(GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_NULL(test, other);
	folio_lock(other);
	__folio_set_swapbacked(other);
	guard(mutex)(&ksm_scan_mutex);
	if (make_page(test, &m)) {
		folio = migrate(&m, other);
		KUNIT_EXPECT_EQ(test, m.node->pfn, folio_pfn(other));
		KUNIT_EXPECT_EQ(test, m.node->moves, 1);
		KUNIT_EXPECT_EQ(test, ask(&m), KSM_RESULT_DONE);
		other = migrate(&m, folio);
		KUNIT_EXPECT_EQ(test, m.node->pfn, folio_pfn(folio));
		KUNIT_EXPECT_EQ(test, m.node->moves, 2);
		KUNIT_EXPECT_EQ(test, ask(&m), KSM_RESULT_DONE);
	}
	free_folio(other);
	free_page_of(&m);
}
#endif

static struct kunit_case node_cases[] = {
	KUNIT_CASE(node_alive),
	KUNIT_CASE(node_about_to_be_freed),
	KUNIT_CASE(node_frozen_in_swap_cache),
#if defined(CONFIG_MEMORY_FAILURE) && defined(CONFIG_SWAP)
	KUNIT_CASE(node_poisoned),
#endif
#ifdef CONFIG_MIGRATION
	KUNIT_CASE(node_migrated),
#endif
	{}
};

static struct kunit_suite node_suite = {
	.name = "ksm_node",
	.init = ksm_test_begin,
	.exit = ksm_test_end,
	.test_cases = node_cases,
};

kunit_test_suite(node_suite);
