// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stable tree: KSM pages by key.
 *
 * An entry is a chain, all KSM pages (dups) that have one key.  There is more
 * than one if max_page_sharing limits their mappings, or if two contents have
 * the same probe and digest.  Dups with room for a mapping come first, so that
 * a search does not pass thousands of full ones.
 *
 * The content of a KSM page cannot change, so keys are immutable.  node.c
 * tells whether a page still exists.
 */
#include "internal.h"

static struct rb_root ksm_stable_tree = RB_ROOT;
static struct kmem_cache *ksm_chain_cache;

static struct ksm_chain *ksm_chain_of_rb(struct rb_node *rb)
{
	return rb_entry(rb, struct ksm_chain, rb);
}

static int ksm_key_compare(const struct ksm_key *a, const struct ksm_key *b)
{
	if (a->probe != b->probe)
		return a->probe < b->probe ? -1 : 1;
	if (a->digest != b->digest)
		return a->digest < b->digest ? -1 : 1;
	return 0;
}

/**
 * ksm_stable_has - is there a KSM page with a probe?
 * @probe: scoped probe
 *
 * Context: ksm_scan_mutex held.
 * Return: true if there is.
 */
bool ksm_stable_has(u64 probe)
{
	struct rb_node *rb = ksm_stable_tree.rb_node;

	lockdep_assert_held(&ksm_scan_mutex);
	while (rb) {
		struct ksm_chain *chain = ksm_chain_of_rb(rb);

		if (probe == chain->key.probe)
			return true;
		rb = probe < chain->key.probe ? rb->rb_left : rb->rb_right;
	}
	return false;
}

/**
 * ksm_stable_find - find a chain
 * @key: probe and digest
 *
 * Context: ksm_scan_mutex held.
 * Return: the chain or NULL; all of its pages may have been freed.
 */
struct ksm_chain *ksm_stable_find(const struct ksm_key *key)
{
	struct rb_node *rb = ksm_stable_tree.rb_node;

	lockdep_assert_held(&ksm_scan_mutex);
	while (rb) {
		struct ksm_chain *chain = ksm_chain_of_rb(rb);
		int diff = ksm_key_compare(key, &chain->key);

		if (!diff)
			return chain;
		rb = diff < 0 ? rb->rb_left : rb->rb_right;
	}
	return NULL;
}

/**
 * ksm_chain_alloc - make a chain that is not in the tree yet
 * @key: its key
 *
 * Return: the chain or NULL.
 */
struct ksm_chain *ksm_chain_alloc(const struct ksm_key *key)
{
	struct ksm_chain *chain;

	chain = kmem_cache_zalloc(ksm_chain_cache, GFP_KERNEL | __GFP_HIGH);
	if (!chain)
		return NULL;
	ksm_count(&ksm_counters.bytes, sizeof(*chain));
	chain->key = *key;
	chain->pruned = jiffies;
	INIT_LIST_HEAD(&chain->dups);
	return chain;
}

/**
 * ksm_chain_free - free a chain
 * @chain: without dups, in no tree
 */
void ksm_chain_free(struct ksm_chain *chain)
{
	ksm_count(&ksm_counters.bytes, -(long)sizeof(*chain));
	kmem_cache_free(ksm_chain_cache, chain);
}

static void ksm_stable_insert_chain(struct ksm_chain *chain)
{
	struct rb_node **link = &ksm_stable_tree.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (ksm_key_compare(&chain->key,
				    &ksm_chain_of_rb(parent)->key) < 0)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&chain->rb, parent, link);
	rb_insert_color(&chain->rb, &ksm_stable_tree);
}

/* User space is shown a chain only if it has two dups or more. */
static void ksm_chain_count_dups(struct ksm_chain *chain, int by)
{
	unsigned int before = chain->nr_dups;
	unsigned int after = before + by;

	chain->nr_dups = after;
	if (before > 1) {
		ksm_count(&ksm_counters.chains, -1);
		ksm_count(&ksm_counters.dups, -(long)before);
	}
	if (after > 1) {
		ksm_count(&ksm_counters.chains, 1);
		ksm_count(&ksm_counters.dups, after);
	}
}

/**
 * ksm_stable_link - put a node into the tree
 * @node:  the node, with its content number set if the chain has dups
 * @chain: of ksm_stable_find() or ksm_chain_alloc()
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_stable_link(struct ksm_stable_node *node, struct ksm_chain *chain)
{
	lockdep_assert_held(&ksm_scan_mutex);
	if (!chain->nr_dups)
		ksm_stable_insert_chain(chain);
	node->chain = chain;
	list_add(&node->dup, &chain->dups);
	ksm_chain_count_dups(chain, 1);
	ksm_filter_add(ksm_short(chain->key.probe));
}

/**
 * ksm_stable_unlink - take a node out of the tree
 * @node: the node; the chain is freed if it was the last one
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_stable_unlink(struct ksm_stable_node *node)
{
	struct ksm_chain *chain = node->chain;

	lockdep_assert_held(&ksm_scan_mutex);
	ksm_filter_remove(ksm_short(chain->key.probe));
	node->chain = NULL;
	list_del(&node->dup);
	ksm_chain_count_dups(chain, -1);
	if (!chain->nr_dups) {
		rb_erase(&chain->rb, &ksm_stable_tree);
		ksm_chain_free(chain);
	}
}

/**
 * ksm_stable_resort - a node has become full, or has room again
 * @node: the node
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_stable_resort(struct ksm_stable_node *node)
{
	lockdep_assert_held(&ksm_scan_mutex);
	if (!node->chain)
		return;
	if (ksm_node_has_room(node)) {
		list_move(&node->dup, &node->chain->dups);
		ksm_recheck(ksm_short(node->chain->key.probe));
	} else {
		list_move_tail(&node->dup, &node->chain->dups);
	}
}

/**
 * ksm_stable_next - go to the next chain in the order of keys
 * @chain: the one before, NULL to begin
 *
 * Context: ksm_scan_mutex held.
 * Return: the chain or NULL.
 */
struct ksm_chain *ksm_stable_next(struct ksm_chain *chain)
{
	struct rb_node *rb = chain ? rb_next(&chain->rb) :
				     rb_first(&ksm_stable_tree);

	lockdep_assert_held(&ksm_scan_mutex);
	return rb ? ksm_chain_of_rb(rb) : NULL;
}

/**
 * ksm_stable_after - find the chain behind a key
 * @key: need not be that of a chain any more
 *
 * Context: ksm_scan_mutex held.
 * Return: the first chain with a greater key, or NULL.
 */
struct ksm_chain *ksm_stable_after(const struct ksm_key *key)
{
	struct rb_node *rb = ksm_stable_tree.rb_node;
	struct ksm_chain *found = NULL;

	lockdep_assert_held(&ksm_scan_mutex);
	while (rb) {
		struct ksm_chain *chain = ksm_chain_of_rb(rb);

		if (ksm_key_compare(key, &chain->key) < 0) {
			found = chain;
			rb = rb->rb_left;
		} else {
			rb = rb->rb_right;
		}
	}
	return found;
}

int __init ksm_stable_init(void)
{
	ksm_chain_cache = KMEM_CACHE(ksm_chain, 0);
	return ksm_chain_cache ? 0 : -ENOMEM;
}
