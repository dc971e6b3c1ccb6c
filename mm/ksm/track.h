/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * State words of the pages of an mm.
 */
#ifndef _MM_KSM_TRACK_H
#define _MM_KSM_TRACK_H

#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/string.h>

struct ksm_rmap_item;
struct ksm_slot;

#define KSM_CHUNK_PAGES		16
#define KSM_CHUNK_SHIFT		(PAGE_SHIFT + 4)
#define KSM_CHUNK_BYTES		BIT(KSM_CHUNK_SHIFT)

/**
 * struct ksm_chunk - the state words of KSM_CHUNK_PAGES neighbouring pages
 * @word: what is known of each page, see state.h
 */
struct ksm_chunk {
	u64 word[KSM_CHUNK_PAGES];
};

static inline bool ksm_chunk_empty(const struct ksm_chunk *chunk)
{
	return !memchr_inv(chunk, 0, sizeof(*chunk));
}

#define KSM_TABLE_CHUNKS	32
#define KSM_TABLE_PAGES		(KSM_TABLE_CHUNKS * KSM_CHUNK_PAGES)
#define KSM_TABLE_BYTES		((unsigned long)KSM_TABLE_PAGES << PAGE_SHIFT)

/**
 * struct ksm_table - the chunks of KSM_TABLE_PAGES neighbouring pages
 * @rb:	   place in ksm_slot.tables
 * @addr:  address of the first page; a multiple of KSM_TABLE_BYTES
 * @chunk: in the order of address; NULL where nothing is known
 */
struct ksm_table {
	struct rb_node rb;
	unsigned long addr;
	struct ksm_chunk *chunk[KSM_TABLE_CHUNKS];
};

/* table.c */
struct ksm_table *ksm_table_find(struct ksm_slot *slot, unsigned long addr);
struct ksm_table *ksm_table_make(struct ksm_slot *slot, unsigned long addr);
void ksm_table_trim(struct ksm_slot *slot, struct ksm_table *table);
struct ksm_table *ksm_table_next(struct ksm_slot *slot, unsigned long addr);
struct ksm_table *ksm_table_after(struct ksm_table *table);
int __init ksm_table_init(void);

/* track.c */
u64 *ksm_track_word(struct ksm_slot *slot, unsigned long addr);
struct ksm_chunk *ksm_track_chunk(struct ksm_slot *slot, unsigned long addr,
				  bool create);
void ksm_track_chunks(struct ksm_slot *slot, unsigned long addr,
		      struct ksm_chunk **chunk, unsigned int nr);
void ksm_track_trim(struct ksm_slot *slot, unsigned long addr);
void ksm_track_set(struct ksm_slot *slot, u64 *word, u64 new);
unsigned long ksm_track_next(struct ksm_slot *slot, unsigned long addr);
void ksm_track_drop_range(struct ksm_slot *slot, unsigned long start,
			  unsigned long end,
			  bool (*detach)(struct ksm_rmap_item *item));
void ksm_track_node_gone(struct ksm_rmap_item *item);
bool ksm_track_recount(struct ksm_slot *slot, unsigned long *addr,
		       unsigned int nr);
int __init ksm_track_init(void);

#endif /* _MM_KSM_TRACK_H */
