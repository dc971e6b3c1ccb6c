/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rmap_items, and the state words that name them.
 */
#ifndef _MM_KSM_ITEM_H
#define _MM_KSM_ITEM_H

#include <linux/bitfield.h>
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
 * @probe:  keyed hash of a few cache lines, mixed with the scope: pages that
 *	    may not share never meet, see domain.c
 * @digest: keyed hash of the whole page
 */
struct ksm_key {
	u64 probe;
	u64 digest;
};

#define KSM_ITEM_ALIGN		64

/*
 * In the low bits of ksm_rmap_item.address, while the page is in the unstable
 * tree: bits 14 to 4 of its state word.  Bit 15 would be KSM_WORD_PEEKED, which
 * a page with a key does not have.
 */
#define KSM_ITEM_STATE		GENMASK(10, 0)
#define KSM_ITEM_STATE_SHIFT	4
#define KSM_ITEM_DIGEST		BIT(11)	/* key.digest is valid */

static_assert(!((KSM_ITEM_STATE | KSM_ITEM_DIGEST) & PAGE_MASK));
static_assert(((u64)KSM_ITEM_STATE << KSM_ITEM_STATE_SHIFT) ==
	      (KSM_WORD_QUIET | KSM_WORD_LOOKUP | KSM_WORD_STREAK |
	       KSM_WORD_LEVEL | KSM_WORD_WAIT | KSM_WORD_JOINT));

/**
 * struct ksm_rmap_item - a page of one mm that is in one of the trees
 * @slot:	slot of the mm; NULL for an orphan, see orphan.c, and changed
 *		under the folio lock then
 * @address:	where the page is, with KSM_ITEM_* in the low bits
 * @pfn:	the page that ksmd saw there; only ever compared
 * @orphans:	place in the list of orphans
 * @rb:		place in the unstable tree
 * @key:	key in the unstable tree
 * @link:	place in the list of the stable node; folio lock
 * @node:	the stable node, NULL once that is gone; folio lock
 * @anon_vma:	where the mapping and its forks are found; holds a reference
 * @index:	linear_page_index() when the item was attached
 *
 * A page in the unstable tree uses the first half of the second union, a
 * mapping of a KSM page the second.  The tag of the state word that points here
 * tells which.  No word points to an orphan, which is always the latter.
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

/**
 * DOC: The state word of a page that has an rmap_item
 *
 * ::
 *
 *	63     48 47                         2 1..0
 *	+---------+---------------------------+---+
 *	| low pfn | physical address / 64     |tag|
 *	+---------+---------------------------+---+
 *
 * The address is physical, as that is short enough on all machines to leave
 * room for the page frame number: a visit to a merged page need not touch the
 * item.
 */
#define KSM_TAGGED_PFN		GENMASK_ULL(63, 48)
#define KSM_TAGGED_ITEM		GENMASK_ULL(47, 2)

/*
 * riscv64 and sparc64 have more physical address bits than that: an item that
 * lies beyond cannot be used.
 */
static inline bool ksm_word_can_name(u64 at)
{
	return FIELD_FIT(KSM_TAGGED_ITEM, at / KSM_ITEM_ALIGN);
}

static inline u64 ksm_word_of_item(const struct ksm_rmap_item *item,
				   enum ksm_tag tag)
{
	return FIELD_PREP(KSM_TAGGED_PFN, (u16)item->pfn) |
	       FIELD_PREP(KSM_TAGGED_ITEM,
			  (u64)__pa(item) / KSM_ITEM_ALIGN) |
	       FIELD_PREP(KSM_WORD_TAG, tag);
}

static inline struct ksm_rmap_item *ksm_word_item(u64 word)
{
	return __va(FIELD_GET(KSM_TAGGED_ITEM, word) * KSM_ITEM_ALIGN);
}

/* Low bits of the item's pfn; not to be relied on with KSM_TAG_STABLE_LOST */
static inline u16 ksm_word_item_pfn(u64 word)
{
	return FIELD_GET(KSM_TAGGED_PFN, word);
}

static inline unsigned long ksm_item_addr(const struct ksm_rmap_item *item)
{
	return item->address & PAGE_MASK;
}

static inline bool ksm_item_has_digest(const struct ksm_rmap_item *item)
{
	return item->address & KSM_ITEM_DIGEST;
}

/* The inline word of a page in the unstable tree, or that just left it */
static inline u64 ksm_item_word(const struct ksm_rmap_item *item)
{
	u64 state = item->address & KSM_ITEM_STATE;

	return KSM_WORD_KNOWN | KSM_WORD_KEYED |
	       state << KSM_ITEM_STATE_SHIFT |
	       FIELD_PREP(KSM_WORD_PFN, (u16)item->pfn) |
	       FIELD_PREP(KSM_WORD_SHORT, ksm_short(item->key.probe));
}

/* The reverse; page frame number and key are set apart from that. */
static inline void ksm_item_set_word(struct ksm_rmap_item *item, u64 word)
{
	item->address &= ~KSM_ITEM_STATE;
	item->address |= (word >> KSM_ITEM_STATE_SHIFT) & KSM_ITEM_STATE;
}

struct ksm_rmap_item *ksm_item_alloc(struct ksm_slot *slot, unsigned long addr);
void ksm_item_free(struct ksm_rmap_item *item);
void ksm_item_free_bulk(struct ksm_slot *slot, struct ksm_rmap_item **items,
			unsigned int nr);
void ksm_item_disown(struct ksm_rmap_item *item);
int __init ksm_item_init(void);

#endif /* _MM_KSM_ITEM_H */
