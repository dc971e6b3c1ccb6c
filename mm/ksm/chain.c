// SPDX-License-Identifier: GPL-2.0-only
/*
 * The KSM pages of one key: find one that a candidate can be merged with, and
 * find the place of a new one.
 *
 * A chain has several KSM pages if their mappings are limited by
 * max_page_sharing, or if different contents have the same probe and digest.
 * The contents are numbered, so that a candidate is compared with each of them
 * once, and not with each KSM page.
 */
#include <linux/highmem.h>
#include <linux/jiffies.h>

#include "internal.h"
#include "match.h"

/* The content cannot be determined now. */
#define KSM_CONTENT_UNKNOWN	(KSM_MAX_CONTENTS + 1)

/**
 * ksm_chain_get_readable - take a reference on the page of a node, to read it
 * @node:   the node
 * @foliop: set to the folio if the result is KSM_RESULT_DONE
 *
 * Context: ksm_scan_mutex held.
 * Return: KSM_RESULT_DONE, KSM_RESULT_GONE or KSM_RESULT_RETRY.
 */
enum ksm_result ksm_chain_get_readable(struct ksm_stable_node *node,
				       struct folio **foliop)
{
	enum ksm_result result = ksm_node_get_folio(node, foliop);

	lockdep_assert_held(&ksm_scan_mutex);
	if (result == KSM_RESULT_DONE && !ksm_folio_readable(*foliop)) {
		folio_put(*foliop);
		return KSM_RESULT_RETRY;
	}
	return result;
}

/**
 * ksm_chain_find - find the chain of a key
 * @key: probe and digest
 *
 * Context: ksm_scan_mutex held; may sleep.
 * Return: the chain, without nodes whose pages were freed if it was time to
 * look for those; or NULL.
 */
struct ksm_chain *ksm_chain_find(const struct ksm_key *key)
{
	struct ksm_chain *chain = ksm_stable_find(key);
	unsigned int prune_ms = READ_ONCE(ksm_prune_ms);

	lockdep_assert_held(&ksm_scan_mutex);
	if (!chain || chain->nr_dups < 2 ||
	    time_before(jiffies, chain->pruned + msecs_to_jiffies(prune_ms)))
		return chain;
	ksm_node_prune(chain);
	return ksm_stable_find(key);
}

/* Merge with the page of one node.  KSM_RESULT_GONE: the node has no page. */
static enum ksm_result ksm_chain_try_node(struct ksm_stable_node *node,
					  struct ksm_candidate *c,
					  struct ksm_rmap_item *item,
					  bool *tried)
{
	enum ksm_result result;
	struct folio *folio;

	result = ksm_chain_get_readable(node, &folio);
	*tried = result == KSM_RESULT_DONE;
	if (!*tried)
		return result;
	result = ksm_merge_into(c, item, node, folio);
	folio_put(folio);
	return result;
}

/**
 * ksm_chain_join - merge a candidate with a KSM page of a chain
 * @chain: the chain; may be freed
 * @c:	   the candidate
 * @item:  its item, in no tree, attached to nothing
 *
 * Any KSM page will do that has the same content and room for a mapping.
 *
 * Context: ksm_scan_mutex held; may sleep.
 * Return: that of ksm_merge_into(); KSM_RESULT_DIFFERENT if there is no such
 * page, or KSM_RESULT_RETRY if that cannot be said now.
 */
enum ksm_result ksm_chain_join(struct ksm_chain *chain, struct ksm_candidate *c,
			       struct ksm_rmap_item *item)
{
	enum ksm_result result = KSM_RESULT_DIFFERENT, one;
	struct ksm_stable_node *node, *next;
	unsigned long different = 0;
	bool last, tried;

	lockdep_assert_held(&ksm_scan_mutex);
	list_for_each_entry_safe(node, next, &chain->dups, dup) {
		last = chain->nr_dups == 1;
		if (!ksm_node_has_room(node))
			break;
		if (different & BIT(node->content))
			continue;
		one = ksm_chain_try_node(node, c, item, &tried);
		if (tried && one != KSM_RESULT_DIFFERENT)
			return one;
		if (tried) {
			different |= BIT(node->content);
		} else if (one == KSM_RESULT_RETRY) {
			result = KSM_RESULT_RETRY;
		} else {
			ksm_node_forget(node);
			if (last)	/* and the chain with it */
				break;
		}
	}
	return result;
}

/*
 * Which content of the chain does @page have?  An unused number if it has none
 * of them, or KSM_MAX_CONTENTS if all numbers are used.
 */
static unsigned int ksm_chain_content(struct ksm_chain *chain,
				      struct page *page)
{
	unsigned long different = 0, used = 0;
	struct ksm_stable_node *node;

	list_for_each_entry(node, &chain->dups, dup) {
		enum ksm_result result;
		struct folio *folio;
		bool same;

		used |= BIT(node->content);
		if (different & BIT(node->content))
			continue;
		result = ksm_chain_get_readable(node, &folio);
		if (result == KSM_RESULT_GONE)
			continue;
		if (result == KSM_RESULT_RETRY)
			return KSM_CONTENT_UNKNOWN;
		same = ksm_page_same(folio_page(folio, 0), page);
		folio_put(folio);
		if (same)
			return node->content;
		different |= BIT(node->content);
	}
	return min_t(unsigned int, ffz(used), KSM_MAX_CONTENTS);
}

/* Does the chain have a KSM page of this content that can be joined? */
static bool ksm_chain_has_room(struct ksm_chain *chain, unsigned int content)
{
	struct ksm_stable_node *node;

	list_for_each_entry(node, &chain->dups, dup) {
		if (!ksm_node_has_room(node))
			break;
		if (node->content == content)
			return true;
	}
	return false;
}

/*
 * The key of a KSM page, from the content that cannot change any more.  The key
 * that led to it is older: both pages may have been written since, and have
 * become equal in another way.
 */
static void ksm_chain_read_key(struct ksm_stable_node *node, struct page *page,
			       struct ksm_key *key)
{
	void *content = kmap_local_page(page);

	key->probe = ksm_probe(content) ^ ksm_scope_mix(node->scope);
	key->digest = ksm_digest(content);
	kunmap_local(content);
}

/* Number the content of a new KSM page. */
static enum ksm_result ksm_chain_admit(struct ksm_chain *chain,
				       struct ksm_stable_node *node,
				       struct page *page)
{
	node->content = ksm_chain_content(chain, page);
	if (node->content == KSM_MAX_CONTENTS) {
		ksm_count(&ksm_counters.collisions, 1);
		return KSM_RESULT_FULL;
	}
	/* It has been written for a moment while it could have been joined. */
	if (node->content == KSM_CONTENT_UNKNOWN ||
	    ksm_chain_has_room(chain, node->content))
		return KSM_RESULT_RETRY;
	return KSM_RESULT_DONE;
}

/**
 * ksm_chain_enlist - put the node of a new KSM page into the stable tree
 * @node:     the node
 * @folio:    its page, with a reference
 * @expected: the key of the candidates that led to it
 *
 * Context: ksm_scan_mutex held; may sleep.
 * Return: KSM_RESULT_DONE; KSM_RESULT_RETRY if the page has another key by now,
 * which has a chain that it might have joined; KSM_RESULT_FULL or
 * KSM_RESULT_NOMEM.
 */
enum ksm_result ksm_chain_enlist(struct ksm_stable_node *node,
				 struct folio *folio,
				 const struct ksm_key *expected)
{
	struct page *page = folio_page(folio, 0);
	struct ksm_chain *chain;
	enum ksm_result result;
	struct ksm_key key;

	lockdep_assert_held(&ksm_scan_mutex);
	ksm_chain_read_key(node, page, &key);
	chain = ksm_stable_find(&key);
	if (chain && memcmp(&key, expected, sizeof(key)))
		return KSM_RESULT_RETRY;
	if (!chain)
		chain = ksm_chain_alloc(&key);
	if (!chain)
		return KSM_RESULT_NOMEM;
	result = ksm_chain_admit(chain, node, page);
	if (result == KSM_RESULT_DONE)
		ksm_stable_link(node, chain);
	return result;
}

/* Move a node to the chain of its new key. */
static void ksm_chain_move(struct ksm_stable_node *node, struct ksm_chain *to,
			   struct ksm_scope scope)
{
	unsigned int content;
	struct folio *folio;

	if (ksm_chain_get_readable(node, &folio) != KSM_RESULT_DONE)
		return;
	content = ksm_chain_content(to, folio_page(folio, 0));
	folio_put(folio);
	if (content >= KSM_MAX_CONTENTS)
		return;
	ksm_stable_unlink(node);
	node->content = content;
	node->scope = scope;
	ksm_stable_link(node, to);
	ksm_stable_resort(node);
}

/**
 * ksm_chain_rehome - a KSM page may have migrated to another NUMA node
 * @node: its node; gets the key of its new scope
 *
 * Context: ksm_scan_mutex held; may sleep.
 */
void ksm_chain_rehome(struct ksm_stable_node *node)
{
	struct ksm_scope scope;
	struct ksm_chain *to;
	struct ksm_key key;

	lockdep_assert_held(&ksm_scan_mutex);
	scope = ksm_scope_in(node->scope.domain, READ_ONCE(node->pfn));
	if (!node->chain || ksm_scope_same(scope, node->scope))
		return;
	key = node->chain->key;
	key.probe ^= ksm_scope_mix(node->scope) ^ ksm_scope_mix(scope);
	to = ksm_stable_find(&key) ?: ksm_chain_alloc(&key);
	if (!to)
		return;
	ksm_chain_move(node, to, scope);
	if (!to->nr_dups)
		ksm_chain_free(to);
}
