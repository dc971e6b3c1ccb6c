// SPDX-License-Identifier: GPL-2.0-only
/*
 * The unstable tree: candidates without a duplicate so far.
 *
 * Ordered by probe, then by digest.  A page that is the only one in the tree
 * with its probe needs no digest.  Before a second one with that probe is
 * inserted both get one, so that either there is a single item with a probe, or
 * all items with it have digests.
 *
 * The key of an item is what its page once contained: the page is not
 * protected and may have changed since.  That is why the tree is still called
 * unstable, although it lives on from pass to pass: its order never breaks,
 * as the keys are in the items and not in the pages, but what it says of a
 * page has to be checked.
 */
#include "internal.h"

static struct rb_root ksm_unstable_tree = RB_ROOT;

static struct ksm_rmap_item *ksm_unstable_item(struct rb_node *rb)
{
	return rb_entry(rb, struct ksm_rmap_item, rb);
}

/**
 * ksm_unstable_first - find the first item with a probe
 * @probe: scoped probe
 *
 * Context: ksm_scan_mutex held.
 * Return: the item or NULL.  If it has no digest it is the only one.
 */
struct ksm_rmap_item *ksm_unstable_first(u64 probe)
{
	struct rb_node *rb = ksm_unstable_tree.rb_node;
	struct ksm_rmap_item *found = NULL;

	lockdep_assert_held(&ksm_scan_mutex);
	while (rb) {
		struct ksm_rmap_item *item = ksm_unstable_item(rb);

		if (item->key.probe >= probe) {
			if (item->key.probe == probe)
				found = item;
			rb = rb->rb_left;
		} else {
			rb = rb->rb_right;
		}
	}
	return found;
}

/**
 * ksm_unstable_find - find an item with the same key
 * @key: probe and digest
 *
 * Context: ksm_scan_mutex held; no item with this probe lacks its digest.
 * Return: the item or NULL.
 */
struct ksm_rmap_item *ksm_unstable_find(const struct ksm_key *key)
{
	struct rb_node *rb = ksm_unstable_tree.rb_node;

	lockdep_assert_held(&ksm_scan_mutex);
	while (rb) {
		struct ksm_rmap_item *item = ksm_unstable_item(rb);

		if (key->probe < item->key.probe)
			rb = rb->rb_left;
		else if (key->probe > item->key.probe)
			rb = rb->rb_right;
		else if (key->digest < item->key.digest)
			rb = rb->rb_left;
		else if (key->digest > item->key.digest)
			rb = rb->rb_right;
		else
			return item;
	}
	return NULL;
}

/**
 * ksm_unstable_insert - put an item into the tree
 * @item: the item, with its key, and KSM_ITEM_DIGEST if the digest is set
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_unstable_insert(struct ksm_rmap_item *item)
{
	struct rb_node **link = &ksm_unstable_tree.rb_node, *parent = NULL;

	lockdep_assert_held(&ksm_scan_mutex);
	while (*link) {
		struct ksm_rmap_item *here = ksm_unstable_item(*link);

		parent = *link;
		if (item->key.probe < here->key.probe ||
		    (item->key.probe == here->key.probe &&
		     item->key.digest < here->key.digest))
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&item->rb, parent, link);
	rb_insert_color(&item->rb, &ksm_unstable_tree);
}

/**
 * ksm_unstable_erase - take an item out of the tree
 * @item: the item
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_unstable_erase(struct ksm_rmap_item *item)
{
	lockdep_assert_held(&ksm_scan_mutex);
	rb_erase(&item->rb, &ksm_unstable_tree);
}
