/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page that is in one of the trees, and the state word that names its object.
 */
#ifndef _MM_KSM_ITEM_H
#define _MM_KSM_ITEM_H

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/rbtree.h>

#include "state.h"

struct anon_vma;
struct ksm_slot;
struct ksm_stable_node;

/**
 * struct ksm_key - what the trees are ordered by
 * @probe:  keyed hash of a few cache lines, mixed with the scope (see
 *	    ksm_scope()), so that pages that may not share never meet
 * @digest: keyed hash of the whole page
 */
struct ksm_key {
	u64 probe;
	u64 digest;
};

#define KSM_ITEM_ALIGN		64

/* In the low bits of ksm_rmap_item.address */
#define KSM_ITEM_DIGEST		BIT(0)	/* key.digest is valid */
#define KSM_ITEM_SHARED		BIT(1)	/* as KSM_WORD_SHARED */
#define KSM_ITEM_RUN_SHIFT	2	/* ksm_word_run() */
#define KSM_ITEM_RUN		GENMASK(4, 2)

/**
 * struct ksm_rmap_item - a page of one mm that is in one of the trees
 * @slot:	whose; NULL if it is nobody's any more, see orphan.c: under the
 *		folio lock then
 * @address:	where, with KSM_ITEM_* in the low bits
 * @pfn:	the page that the walk saw there; only ever compared; in the
 *		state word, too
 * @orphans:	place in the list of those without a slot
 * @rb:		place in the unstable tree
 * @key:	key in the unstable tree
 * @link:	place in the list of the stable node; folio lock
 * @node:	the stable node, NULL when that went; folio lock
 * @anon_vma:	where the mapping and its forks are found; holds a reference
 * @index:	linear_page_index() when it was attached
 *
 * A page in the unstable tree uses the first half of the second union, a
 * mapping of a KSM page the second.  Which, is said by the state word that
 * points here.  An orphan has no such word, and is always the latter.
 */
struct ksm_rmap_item {
	struct ksm_slot *slot;
	union {
		struct {
			unsigned long address;
			unsigned long pfn;
		};
		struct list_head orphans;
	};
	union {
		struct {
			struct rb_node rb;
			struct ksm_key key;
		};
		struct {
			struct hlist_node link;
			struct ksm_stable_node *node;
			struct anon_vma *anon_vma;
			pgoff_t index;
		};
	};
} __aligned(KSM_ITEM_ALIGN);

/*
 * The state word of a page that has an item
 *
 *	63     48 47                         2 1..0
 *	+---------+---------------------------+---+
 *	| low pfn | physical address / 64     |tag|
 *	+---------+---------------------------+---+
 *
 * Physical, as that is short enough everywhere to leave room for the page frame
 * number: so a visit to a merged page need not touch the item.
 */
#define KSM_ITEM_ADDRESS	GENMASK_ULL(47, 2)

/*
 * There are machines with more physical address bits than that, riscv64 and
 * sparc64: what lies beyond cannot be used for an item.
 */
static inline bool ksm_word_can_name(u64 at)
{
	return !(at / (KSM_ITEM_ALIGN / 4) & ~KSM_ITEM_ADDRESS);
}

static inline u64 ksm_word_of_item(const struct ksm_rmap_item *item, u64 tag)
{
	u64 at = (u64)__pa(item) / (KSM_ITEM_ALIGN / 4);

	return (u64)item->pfn << 48 | (at & KSM_ITEM_ADDRESS) | tag;
}

static inline struct ksm_rmap_item *ksm_word_item(u64 word)
{
	u64 at = (word & KSM_ITEM_ADDRESS) * (KSM_ITEM_ALIGN / 4);

	return __va(at);
}

/* Low bits of the item's pfn, unless the node is gone */
static inline u16 ksm_word_item_pfn(u64 word)
{
	return word >> 48;
}

static inline u64 ksm_word_doubt_pfn(u64 word)
{
	return word ^ GENMASK_ULL(63, 48);
}

/* What is known of a page that leaves the unstable tree unchanged */
static inline u64 ksm_item_word(const struct ksm_rmap_item *item)
{
	u64 word = ksm_state_quiet(item->pfn, ksm_short(item->key.probe));
	u64 run = (item->address & KSM_ITEM_RUN) >> KSM_ITEM_RUN_SHIFT;

	word |= run << KSM_WORD_RUN_SHIFT;
	return item->address & KSM_ITEM_SHARED ? word | KSM_WORD_SHARED : word;
}

/* What of a page's word goes with it into the unstable tree */
static inline void ksm_item_take_word(struct ksm_rmap_item *item, u64 word)
{
	item->address |= (unsigned long)ksm_word_run(word) <<
			 KSM_ITEM_RUN_SHIFT;
	if (word & KSM_WORD_SHARED)
		item->address |= KSM_ITEM_SHARED;
}

#endif /* _MM_KSM_ITEM_H */
