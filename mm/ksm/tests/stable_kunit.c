// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stable tree against a table of its nodes.  The nodes have no pages, which
 * the tree does not need.
 */
#include "testing.h"
#include "trees.h"

#define NR_NODES	192
#define NR_KEYS		40

struct stable_model {
	struct ksm_stable_node node[NR_NODES];
	int key[NR_NODES];	/* -1: not in the tree */
	unsigned int full[NR_NODES];
};

/* Equal probes and equal digests, but no two equal keys; not in order */
static struct ksm_key some_key(int i)
{
	static const u64 ends[] = { 0, 1, ~0ULL, 1ULL << 63 };

	return (struct ksm_key){
		.probe = i < 16 ? ends[i % 4] : i / 3 * 0x9e3779b97f4a7c15ULL,
		.digest = i < 16 ? ends[i / 4] : i % 3,
	};
}

static int compare_keys(const struct ksm_key *a, const struct ksm_key *b)
{
	if (a->probe != b->probe)
		return a->probe < b->probe ? -1 : 1;
	if (a->digest != b->digest)
		return a->digest < b->digest ? -1 : 1;
	return 0;
}

static struct stable_model *model_alloc(struct kunit *test)
{
	struct stable_model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	for (i = 0; i < NR_NODES; i++)
		m->key[i] = -1;
	return m;
}

static unsigned int nodes_of(const struct stable_model *m, int key)
{
	unsigned int nr = 0;
	int i;

	for (i = 0; i < NR_NODES; i++)
		nr += m->key[i] == key;
	return nr;
}

static void link_node(struct kunit *test, struct stable_model *m, int i,
		      int key)
{
	struct ksm_key wanted = some_key(key);
	struct ksm_chain *chain = ksm_stable_find(&wanted);

	KUNIT_EXPECT_EQ(test, !!chain, nodes_of(m, key) > 0);
	if (!chain)
		chain = ksm_chain_alloc(&wanted);
	KUNIT_EXPECT_NOT_NULL(test, chain);
	if (!chain)
		return;
	m->node[i].nr_items = 0;
	ksm_stable_link(&m->node[i], chain);
	KUNIT_EXPECT_PTR_EQ(test, m->node[i].chain, chain);
	m->key[i] = key;
	m->full[i] = false;
}

static void unlink_node(struct kunit *test, struct stable_model *m, int i)
{
	ksm_stable_unlink(&m->node[i]);
	KUNIT_EXPECT_NULL(test, m->node[i].chain);
	m->key[i] = -1;
}

static void fill_node(struct kunit *test, struct stable_model *m, int i)
{
	u32 key = ksm_short(some_key(m->key[i]).probe);

	ksm_test_forget_calls();
	m->full[i] = !m->full[i];
	m->node[i].nr_items = ksm_max_page_sharing - !m->full[i];
	ksm_stable_resort(&m->node[i]);
	/* Only additional room is news. */
	KUNIT_EXPECT_EQ(test, ksm_test_due(key), !m->full[i]);
}

static void expect_chain(struct kunit *test, const struct stable_model *m,
			 const struct ksm_chain *chain, int key, int step)
{
	const struct ksm_stable_node *node;
	unsigned int nr = 0;
	bool full = false;

	KUNIT_EXPECT_EQ_MSG(test, chain->nr_dups, nodes_of(m, key),
			    "step %d, key %d", step, key);
	list_for_each_entry(node, &chain->dups, dup) {
		size_t i = node - m->node;

		KUNIT_EXPECT_TRUE(test, i < NR_NODES);
		if (i >= NR_NODES)
			return;
		nr++;
		KUNIT_EXPECT_EQ_MSG(test, m->key[i], key, "step %d", step);
		KUNIT_EXPECT_PTR_EQ(test, node->chain, chain);
		/* Those with room come first. */
		KUNIT_EXPECT_TRUE_MSG(test, !full || m->full[i],
				      "step %d, key %d", step, key);
		full = m->full[i];
	}
	KUNIT_EXPECT_EQ_MSG(test, nr, chain->nr_dups, "step %d", step);
}

static void expect_lookups(struct kunit *test, const struct stable_model *m,
			   int step)
{
	unsigned int keys = 0, chains = 0, dups = 0;
	int k, other;

	for (k = 0; k < NR_KEYS; k++) {
		struct ksm_key key = some_key(k);
		struct ksm_chain *chain = ksm_stable_find(&key);
		unsigned int nr = nodes_of(m, k);
		bool has = false;

		KUNIT_EXPECT_EQ_MSG(test, !!chain, nr > 0, "step %d, key %d",
				    step, k);
		if (chain)
			expect_chain(test, m, chain, k, step);
		for (other = 0; other < NR_KEYS; other++)
			has |= some_key(other).probe == key.probe &&
			       nodes_of(m, other);
		KUNIT_EXPECT_EQ_MSG(test, ksm_stable_has(key.probe), has,
				    "step %d, key %d", step, k);
		key.digest += 1000;
		KUNIT_EXPECT_NULL(test, ksm_stable_find(&key));
		keys += nr > 0;
		chains += nr > 1;
		dups += nr > 1 ? nr : 0;
	}
	KUNIT_EXPECT_EQ_MSG(test, ksm_counters.chains, chains, "step %d", step);
	KUNIT_EXPECT_EQ_MSG(test, ksm_counters.dups, dups, "step %d", step);
}

static void expect_order(struct kunit *test, const struct stable_model *m,
			 int step)
{
	struct ksm_chain *chain = ksm_stable_next(NULL), *next;
	unsigned int nr = 0, seen = 0, expected = 0;
	int k;

	for (k = 0; k < NR_KEYS; k++)
		expected += nodes_of(m, k) > 0;
	if (chain) {
		struct rb_node *root = tree_root(&chain->rb);

		KUNIT_EXPECT_TRUE_MSG(test, rb_is_black(root), "step %d", step);
		KUNIT_EXPECT_GE_MSG(test, tree_height(root, &nr), 0, "step %d",
				    step);
	}
	KUNIT_EXPECT_EQ_MSG(test, nr, expected, "step %d", step);
	for (; chain; chain = next) {
		seen++;
		next = ksm_stable_next(chain);
		if (next)
			KUNIT_EXPECT_LE_MSG(test, compare_keys(&chain->key,
							       &next->key), -1,
					    "step %d", step);
	}
	KUNIT_EXPECT_EQ_MSG(test, seen, expected, "step %d", step);
}

static void stable_keys_differ(struct kunit *test)
{
	int a, b;

	for (a = 0; a < NR_KEYS; a++)
		for (b = 0; b < a; b++) {
			struct ksm_key x = some_key(a), y = some_key(b);

			KUNIT_EXPECT_NE_MSG(test, compare_keys(&x, &y), 0,
					    "%d and %d", a, b);
		}
}

static void stable_one_chain(struct kunit *test)
{
	struct stable_model *m = model_alloc(test);
	unsigned long bytes = ksm_counters.bytes;
	struct ksm_key key = some_key(3), near = key;

	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_NULL(test, ksm_stable_find(&key));
	KUNIT_EXPECT_FALSE(test, ksm_stable_has(key.probe));
	link_node(test, m, 0, 3);
	KUNIT_EXPECT_EQ(test, ksm_counters.bytes - bytes,
			sizeof(struct ksm_chain));
	KUNIT_EXPECT_TRUE(test, ksm_stable_has(key.probe));
	near.digest ^= 1;
	KUNIT_EXPECT_NULL(test, ksm_stable_find(&near));
	KUNIT_EXPECT_FALSE(test, ksm_stable_has(key.probe ^ 2));

	/* A single page is no chain to the outside. */
	KUNIT_EXPECT_EQ(test, ksm_counters.chains, 0);
	KUNIT_EXPECT_EQ(test, ksm_counters.dups, 0);
	link_node(test, m, 1, 3);
	KUNIT_EXPECT_EQ(test, ksm_counters.chains, 1);
	KUNIT_EXPECT_EQ(test, ksm_counters.dups, 2);
	link_node(test, m, 2, 3);
	KUNIT_EXPECT_EQ(test, ksm_counters.chains, 1);
	KUNIT_EXPECT_EQ(test, ksm_counters.dups, 3);
	unlink_node(test, m, 1);
	unlink_node(test, m, 0);
	KUNIT_EXPECT_EQ(test, ksm_counters.chains, 0);
	KUNIT_EXPECT_EQ(test, ksm_counters.dups, 0);
	KUNIT_EXPECT_PTR_EQ(test, ksm_stable_find(&key), m->node[2].chain);
	KUNIT_EXPECT_EQ(test, ksm_counters.bytes - bytes,
			sizeof(struct ksm_chain));

	/* The last one takes the chain with it. */
	unlink_node(test, m, 2);
	KUNIT_EXPECT_NULL(test, ksm_stable_find(&key));
	KUNIT_EXPECT_FALSE(test, ksm_stable_has(key.probe));
	KUNIT_EXPECT_NULL(test, ksm_stable_next(NULL));
	KUNIT_EXPECT_EQ(test, ksm_counters.bytes, bytes);
}

/* A chain that was allocated and not needed */
static void stable_unused_chain(struct kunit *test)
{
	unsigned long bytes = ksm_counters.bytes;
	struct ksm_key key = some_key(1);
	struct ksm_chain *chain;

	guard(mutex)(&ksm_scan_mutex);
	chain = ksm_chain_alloc(&key);
	KUNIT_EXPECT_NOT_NULL(test, chain);
	if (!chain)
		return;
	KUNIT_EXPECT_EQ(test, chain->nr_dups, 0);
	KUNIT_EXPECT_EQ(test, chain->key.probe, key.probe);
	KUNIT_EXPECT_EQ(test, chain->key.digest, key.digest);
	KUNIT_EXPECT_NULL(test, ksm_stable_find(&key));
	ksm_chain_free(chain);
	KUNIT_EXPECT_EQ(test, ksm_counters.bytes, bytes);
}

static struct ksm_stable_node *first_dup(const struct ksm_stable_node *node)
{
	return list_first_entry(&node->chain->dups, struct ksm_stable_node,
				dup);
}

static void stable_room_first(struct kunit *test)
{
	struct stable_model *m = model_alloc(test);
	int i;

	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_TRUE(test, ksm_recheck_resize(1));
	for (i = 0; i < 8; i++) {
		link_node(test, m, i, 5);
		KUNIT_EXPECT_PTR_EQ(test, first_dup(&m->node[0]), &m->node[i]);
		fill_node(test, m, i);
	}
	for (i = 0; i < 8; i++) {
		fill_node(test, m, i);
		KUNIT_EXPECT_PTR_EQ(test, first_dup(&m->node[0]), &m->node[i]);
		KUNIT_EXPECT_TRUE(test, ksm_node_has_room(&m->node[i]));
		fill_node(test, m, i);
		KUNIT_EXPECT_FALSE(test, ksm_node_has_room(&m->node[i]));
	}
	fill_node(test, m, 6);
	fill_node(test, m, 2);
	expect_chain(test, m, m->node[0].chain, 5, 0);
	for (i = 0; i < 8; i++)
		unlink_node(test, m, i);
	/* In no tree: there is nothing to sort. */
	ksm_stable_resort(&m->node[0]);
	KUNIT_EXPECT_NULL(test, ksm_stable_next(NULL));
	ksm_recheck_free();
}

/* The filter must know that a page has a KSM page as its duplicate. */
static void stable_is_counted(struct kunit *test)
{
	struct stable_model *m = model_alloc(test);
	u32 key = ksm_short(some_key(30).probe);

	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_TRUE(test, ksm_recheck_resize(1));
	ksm_test_forget_calls();
	KUNIT_EXPECT_TRUE(test, ksm_filter_resize(1));
	ksm_filter_add(key);
	KUNIT_EXPECT_FALSE(test, ksm_filter_may_match(key));
	KUNIT_EXPECT_FALSE(test, ksm_test_due(key));
	link_node(test, m, 0, 30);
	KUNIT_EXPECT_TRUE(test, ksm_filter_may_match(key));
	KUNIT_EXPECT_TRUE(test, ksm_test_due(key));
	unlink_node(test, m, 0);
	KUNIT_EXPECT_FALSE(test, ksm_filter_may_match(key));
	ksm_recheck_free();
	ksm_filter_free();
}

static void stable_random(struct kunit *test)
{
	struct ksm_random random = { ksm_test_seed() };
	struct stable_model *m = model_alloc(test);
	unsigned int percent = 0;
	int step, i, key;

	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_TRUE(test, ksm_recheck_resize(1));
	for (step = 0; step < KSM_TEST_ROUNDS(3000); step++) {
		if (step % 500 == 0)
			percent = 20 + ksm_random_below(&random, 70);
		i = ksm_random_below(&random, NR_NODES);
		/* Most nodes in a few long chains */
		key = ksm_random_below(&random, NR_KEYS);
		if (ksm_random_chance(&random, 40))
			key %= 4;
		if (m->key[i] >= 0 && ksm_random_chance(&random, 30))
			fill_node(test, m, i);
		else if (m->key[i] >= 0 && !ksm_random_chance(&random, percent))
			unlink_node(test, m, i);
		else if (m->key[i] < 0 && ksm_random_chance(&random, percent))
			link_node(test, m, i, key);
		if (step % 20 == 0) {
			expect_lookups(test, m, step);
			expect_order(test, m, step);
		}
		if (ksm_test_failed(test))
			break;
	}
	for (i = 0; i < NR_NODES; i++)
		if (m->key[i] >= 0)
			unlink_node(test, m, i);
	expect_lookups(test, m, step);
	expect_order(test, m, step);
	ksm_recheck_free();
}

static struct kunit_case stable_cases[] = {
	KUNIT_CASE(stable_keys_differ),
	KUNIT_CASE(stable_one_chain),
	KUNIT_CASE(stable_unused_chain),
	KUNIT_CASE(stable_room_first),
	KUNIT_CASE(stable_is_counted),
	KUNIT_CASE(stable_random),
	{}
};

static struct kunit_suite stable_suite = {
	.name = "ksm_stable",
	.init = ksm_test_begin,
	.exit = ksm_test_end,
	.test_cases = stable_cases,
};

kunit_test_suite(stable_suite);
