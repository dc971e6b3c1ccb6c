// SPDX-License-Identifier: GPL-2.0-only
/*
 * The unstable tree against a table of its items.
 */
#include "testing.h"
#include "trees.h"

#define NR_ITEMS	256
#define NR_PROBES	24
#define NR_DIGESTS	12

struct unstable_model {
	struct ksm_rmap_item item[NR_ITEMS];
	bool in[NR_ITEMS];
	unsigned int nr;
};

/* Few of each, with the ends of the range among them */
static u64 some_probe(unsigned int i)
{
	switch (i) {
	case 0:	return 0;
	case 1:	return ~0ULL;
	case 2:	return 1ULL << 63;
	case 3:	return (1ULL << 63) - 1;
	default: return i * 0x9e3779b97f4a7c15ULL;
	}
}

static u64 some_digest(unsigned int i)
{
	return some_probe((i + 1) % NR_DIGESTS);
}

static bool has_digest(const struct ksm_rmap_item *item)
{
	return item->address & KSM_ITEM_DIGEST;
}

static void give_digest(struct ksm_rmap_item *item, u64 digest)
{
	item->key.digest = digest;
	item->address |= KSM_ITEM_DIGEST;
}

static unsigned int count_probe(const struct unstable_model *m, u64 probe)
{
	unsigned int i, nr = 0;

	for (i = 0; i < NR_ITEMS; i++)
		nr += m->in[i] && m->item[i].key.probe == probe;
	return nr;
}

static unsigned int count_key(const struct unstable_model *m,
			      const struct ksm_key *key)
{
	unsigned int i, nr = 0;

	for (i = 0; i < NR_ITEMS; i++)
		nr += m->in[i] && has_digest(&m->item[i]) &&
		      m->item[i].key.probe == key->probe &&
		      m->item[i].key.digest == key->digest;
	return nr;
}

static bool is_in(const struct unstable_model *m,
		  const struct ksm_rmap_item *item)
{
	size_t i = item - m->item;

	return i < NR_ITEMS && m->in[i];
}

static int compare_items(struct rb_node *left, struct rb_node *right)
{
	const struct ksm_rmap_item *a = rb_entry(left, struct ksm_rmap_item,
						 rb);
	const struct ksm_rmap_item *b = rb_entry(right, struct ksm_rmap_item,
						 rb);

	if (a->key.probe != b->key.probe)
		return a->key.probe < b->key.probe ? -1 : 1;
	if (a->key.digest != b->key.digest)
		return a->key.digest < b->key.digest ? -1 : 1;
	return 0;
}

static void expect_tree(struct kunit *test, const struct unstable_model *m,
			int step)
{
	struct rb_node *root, *rb, *next;
	unsigned int nr = 0, i;

	for (i = 0; i < NR_ITEMS && !m->in[i]; i++)
		;
	if (i == NR_ITEMS) {
		KUNIT_EXPECT_EQ(test, m->nr, 0);
		return;
	}
	root = tree_root((struct rb_node *)&m->item[i].rb);
	KUNIT_EXPECT_TRUE_MSG(test, rb_is_black(root), "step %d", step);
	KUNIT_EXPECT_GE_MSG(test, tree_height(root, &nr), 0, "step %d", step);
	KUNIT_EXPECT_EQ_MSG(test, nr, m->nr, "step %d", step);
	for (rb = root; rb->rb_left; rb = rb->rb_left)
		;
	for (; (next = rb_next(rb)); rb = next)
		KUNIT_EXPECT_LE_MSG(test, compare_items(rb, next), 0,
				    "step %d", step);
}

static void expect_lookups(struct kunit *test, const struct unstable_model *m,
			   int step)
{
	unsigned int p, d;

	for (p = 0; p < NR_PROBES; p++) {
		u64 probe = some_probe(p);
		unsigned int nr = count_probe(m, probe);
		struct ksm_rmap_item *item;

		item = ksm_unstable_first(probe);
		KUNIT_EXPECT_EQ_MSG(test, !!item, nr > 0, "step %d, probe %u",
				    step, p);
		if (item) {
			KUNIT_EXPECT_TRUE(test, is_in(m, item));
			KUNIT_EXPECT_EQ(test, item->key.probe, probe);
		}
		if (item && !has_digest(item)) {
			KUNIT_EXPECT_EQ(test, nr, 1);
			continue;
		}
		for (d = 0; d < NR_DIGESTS; d++) {
			struct ksm_key key = { probe, some_digest(d) };

			item = ksm_unstable_find(&key);
			KUNIT_EXPECT_EQ_MSG(test, !!item,
					    count_key(m, &key) > 0,
					    "step %d, key %u %u", step, p, d);
			if (!item)
				continue;
			KUNIT_EXPECT_TRUE(test, is_in(m, item));
			KUNIT_EXPECT_TRUE(test, has_digest(item));
			KUNIT_EXPECT_EQ(test, item->key.probe, key.probe);
			KUNIT_EXPECT_EQ(test, item->key.digest, key.digest);
		}
	}
}

/* As ksmd does: the second of a probe makes both have digests. */
static void insert(struct kunit *test, struct unstable_model *m,
		   struct ksm_random *random, unsigned int i)
{
	u64 probe = some_probe(ksm_random_below(random, NR_PROBES));
	struct ksm_rmap_item *item = &m->item[i];
	struct ksm_rmap_item *other = ksm_unstable_first(probe);

	memset(item, 0, sizeof(*item));
	item->address = i * PAGE_SIZE;
	item->key.probe = probe;
	if (other && !has_digest(other))
		give_digest(other, some_digest(ksm_random_below(random,
								NR_DIGESTS)));
	if (other || ksm_random_chance(random, 30))
		give_digest(item, some_digest(ksm_random_below(random,
							       NR_DIGESTS)));
	ksm_unstable_insert(item);
	m->in[i] = true;
	m->nr++;
}

static void erase(struct unstable_model *m, unsigned int i)
{
	ksm_unstable_erase(&m->item[i]);
	m->in[i] = false;
	m->nr--;
}

static void unstable_empty(struct kunit *test)
{
	struct ksm_key key = { };
	unsigned int p;

	guard(mutex)(&ksm_scan_mutex);
	for (p = 0; p < NR_PROBES; p++) {
		key.probe = some_probe(p);
		KUNIT_EXPECT_NULL(test, ksm_unstable_first(key.probe));
		KUNIT_EXPECT_NULL(test, ksm_unstable_find(&key));
	}
}

/* The two stages of a probe class: one without a digest, then all with */
static void unstable_digest(struct kunit *test)
{
	struct ksm_key key = { .probe = 7, .digest = 100 };
	struct ksm_rmap_item *a, *b;

	a = kunit_kzalloc(test, 2 * sizeof(*a), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, a);
	b = a + 1;
	a->key.probe = 7;
	b->key = key;
	b->address = PAGE_SIZE | KSM_ITEM_DIGEST;

	guard(mutex)(&ksm_scan_mutex);
	ksm_unstable_insert(a);
	KUNIT_EXPECT_PTR_EQ(test, ksm_unstable_first(7), a);
	KUNIT_EXPECT_NULL(test, ksm_unstable_first(8));
	KUNIT_EXPECT_NULL(test, ksm_unstable_first(6));
	give_digest(a, 200);
	KUNIT_EXPECT_PTR_EQ(test, ksm_unstable_first(7), a);
	KUNIT_EXPECT_NULL(test, ksm_unstable_find(&key));
	ksm_unstable_insert(b);
	KUNIT_EXPECT_PTR_EQ(test, ksm_unstable_find(&key), b);
	/* By digest */
	KUNIT_EXPECT_PTR_EQ(test, ksm_unstable_first(7), b);
	key.digest = 200;
	KUNIT_EXPECT_PTR_EQ(test, ksm_unstable_find(&key), a);
	key.digest = 150;
	KUNIT_EXPECT_NULL(test, ksm_unstable_find(&key));
	key.digest = 200;
	ksm_unstable_erase(a);
	KUNIT_EXPECT_NULL(test, ksm_unstable_find(&key));
	KUNIT_EXPECT_PTR_EQ(test, ksm_unstable_first(7), b);
	ksm_unstable_erase(b);
	KUNIT_EXPECT_NULL(test, ksm_unstable_first(7));
}

static void unstable_random(struct kunit *test)
{
	struct ksm_random random = { ksm_test_seed() };
	struct unstable_model *m;
	unsigned int i, percent = 0;
	int step;

	m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m);
	guard(mutex)(&ksm_scan_mutex);
	for (step = 0; step < KSM_TEST_ROUNDS(3000); step++) {
		/* It grows and shrinks by turns. */
		if (step % 500 == 0)
			percent = 20 + ksm_random_below(&random, 70);
		i = ksm_random_below(&random, NR_ITEMS);
		if (m->in[i] != ksm_random_chance(&random, percent)) {
			if (m->in[i])
				erase(m, i);
			else
				insert(test, m, &random, i);
		}
		expect_tree(test, m, step);
		if (step % 50 == 0)
			expect_lookups(test, m, step);
		if (ksm_test_failed(test))
			break;
	}
	expect_lookups(test, m, step);
	for (i = 0; i < NR_ITEMS; i++)
		if (m->in[i])
			erase(m, i);
	expect_lookups(test, m, step);
	for (i = 0; i < NR_PROBES; i++)
		KUNIT_EXPECT_NULL(test, ksm_unstable_first(some_probe(i)));
}

/* Sorted input degrades unbalanced trees. */
static void unstable_sorted(struct kunit *test)
{
	struct unstable_model *m;
	unsigned int i;

	m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m);
	guard(mutex)(&ksm_scan_mutex);
	for (i = 0; i < NR_ITEMS; i++) {
		m->item[i].key.probe = i / 4;
		give_digest(&m->item[i], i % 4);
		ksm_unstable_insert(&m->item[i]);
		m->in[i] = true;
		m->nr++;
	}
	expect_tree(test, m, 0);
	for (i = 0; i < NR_ITEMS; i++)
		KUNIT_EXPECT_PTR_EQ(test, ksm_unstable_find(&m->item[i].key),
				    &m->item[i]);
	for (i = 0; i < NR_ITEMS; i++) {
		erase(m, i);
		if (i % 16 == 0)
			expect_tree(test, m, i);
	}
}

static struct kunit_case unstable_cases[] = {
	KUNIT_CASE(unstable_empty),
	KUNIT_CASE(unstable_digest),
	KUNIT_CASE(unstable_random),
	KUNIT_CASE(unstable_sorted),
	{}
};

static struct kunit_suite unstable_suite = {
	.name = "ksm_unstable",
	.init = ksm_test_begin,
	.exit = ksm_test_end,
	.test_cases = unstable_cases,
};

kunit_test_suite(unstable_suite);
