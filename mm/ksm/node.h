/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KSM pages: their nodes, the mappings of them, and the two trees.
 */
#ifndef _MM_KSM_NODE_H
#define _MM_KSM_NODE_H

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/rbtree.h>

#include "domain.h"
#include "item.h"
#include "tunables.h"

struct anon_vma;

/**
 * struct ksm_chain - the KSM pages of one key
 * @rb:		place in the stable tree
 * @key:	immutable
 * @dups:	the nodes, those with room for a mapping first
 * @nr_dups:	number of nodes
 * @pruned:	when ksm_node_prune() last looked, in jiffies
 */
struct ksm_chain {
	struct rb_node rb;
	struct ksm_key key;
	struct list_head dups;
	unsigned int nr_dups;
	unsigned long pruned;
};

/* More different contents than this under one key stay unmerged. */
#define KSM_MAX_CONTENTS	4

/**
 * struct ksm_stable_node - one KSM page
 * @chain:	its chain; NULL while it is in no tree
 * @dup:	place in ksm_chain.dups
 * @items:	the mappings and orphans, see orphan.c; folio lock
 * @check:	place in the list of nodes without a known mapping, see node.c
 * @pfn:	page frame number; changed under the folio lock, read without
 * @nr_items:	number of mappings among @items
 * @moves:	number of times the page was migrated; folio lock, read without
 * @scope:	scope that the key was made for
 * @content:	which of the chain's contents: nodes of one chain differ in this
 *		if two contents happen to have the same probe and digest
 */
struct ksm_stable_node {
	struct ksm_chain *chain;
	struct list_head dup;
	struct hlist_head items;
	struct list_head check;
	unsigned long pfn;
	unsigned int nr_items;
	unsigned int moves;
	struct ksm_scope scope;
	u8 content;
};

/**
 * enum ksm_result - what became of an attempt
 * @KSM_RESULT_DONE:      it succeeded
 * @KSM_RESULT_DIFFERENT: the contents differ, or there is no duplicate
 * @KSM_RESULT_GONE:      the page is no longer there
 * @KSM_RESULT_HELD:      the page is locked, lazyfree or has extra references
 * @KSM_RESULT_RETRY:     something has changed: at a later visit
 * @KSM_RESULT_FULL:      the key has KSM_MAX_CONTENTS contents already
 * @KSM_RESULT_NOMEM:     no memory for an object of ours or for a copy
 */
enum ksm_result {
	KSM_RESULT_DONE,
	KSM_RESULT_DIFFERENT,
	KSM_RESULT_GONE,
	KSM_RESULT_HELD,
	KSM_RESULT_RETRY,
	KSM_RESULT_FULL,
	KSM_RESULT_NOMEM,
};

/* May one more page be merged into that of the node? */
static inline bool ksm_node_has_room(const struct ksm_stable_node *node)
{
	return node->nr_items < READ_ONCE(ksm_max_page_sharing);
}

static inline struct ksm_stable_node *ksm_folio_node(const struct folio *folio)
{
	return (void *)((unsigned long)READ_ONCE(folio->mapping) &
			~PAGE_MAPPING_FLAGS);
}

static inline void *ksm_node_mapping(const struct ksm_stable_node *node)
{
	return (void *)((unsigned long)node | PAGE_MAPPING_KSM);
}

/* unstable.c */
struct ksm_rmap_item *ksm_unstable_first(u64 probe);
struct ksm_rmap_item *ksm_unstable_find(const struct ksm_key *key);
void ksm_unstable_insert(struct ksm_rmap_item *item);
void ksm_unstable_erase(struct ksm_rmap_item *item);

/* stable.c */
bool ksm_stable_has(u64 probe);
struct ksm_chain *ksm_stable_find(const struct ksm_key *key);
void ksm_stable_link(struct ksm_stable_node *node, struct ksm_chain *chain);
void ksm_stable_unlink(struct ksm_stable_node *node);
void ksm_stable_resort(struct ksm_stable_node *node);
struct ksm_chain *ksm_stable_next(struct ksm_chain *chain);
struct ksm_chain *ksm_stable_after(const struct ksm_key *key);
struct ksm_chain *ksm_chain_alloc(const struct ksm_key *key);
void ksm_chain_free(struct ksm_chain *chain);
int __init ksm_stable_init(void);

/* orphan.c */
void ksm_orphan_forked(struct ksm_slot *slot);
bool ksm_orphan_needed(const struct ksm_rmap_item *item, struct folio *folio);
void ksm_orphan_add(struct ksm_rmap_item *item);
void ksm_orphan_free(struct ksm_rmap_item *item);
void ksm_orphan_missed(void);
void ksm_orphan_begin_pass(void);
struct ksm_rmap_item *ksm_orphan_expired(void);

/* node.c */
struct ksm_stable_node *ksm_node_alloc(void);
void ksm_node_free(struct ksm_stable_node *node);
enum ksm_result ksm_node_get_folio(struct ksm_stable_node *node,
				   struct folio **foliop);
void ksm_node_bind(struct ksm_stable_node *node, struct folio *folio,
		   struct ksm_scope scope);
void ksm_node_attach(struct ksm_stable_node *node, struct folio *folio,
		     struct ksm_rmap_item *item, struct anon_vma *anon_vma,
		     pgoff_t index);
bool ksm_node_detach(struct ksm_rmap_item *item);
void ksm_node_drop_orphans(unsigned long nr);
void ksm_node_forget(struct ksm_stable_node *node);
bool ksm_node_check(bool keep_cached, unsigned long nr);
void ksm_node_forget_range(unsigned long start, unsigned long end);
bool ksm_node_none_left(void);
bool ksm_node_unchecked(void);
void ksm_node_prune(struct ksm_chain *chain);
int __init ksm_node_init(void);

#endif /* _MM_KSM_NODE_H */
