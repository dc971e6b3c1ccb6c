// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is known of each page of a registered mm.
 *
 * A page nobody resembles costs its state word, 8 bytes in a chunk of 16
 * words, and its share of the filter.  Only a page that is in one of the trees
 * has an rmap_item; its word points there.
 *
 * Nobody tells us about munmap() or mremap().  walk.c finds out by comparing
 * the chunks with the page tables, both in order of address, and drops here
 * what no longer has a page.
 */
#include <linux/kasan.h>
#include <linux/mmdebug.h>
#include <linux/prefetch.h>
#include <linux/slab.h>

#include "internal.h"

static struct kmem_cache *chunk_cache;
static struct kmem_cache *item_cache;

static unsigned int chunk_index(unsigned long addr)
{
	return (addr >> KSM_CHUNK_SHIFT) % KSM_TABLE_CHUNKS;
}

static unsigned int word_index(unsigned long addr)
{
	return (addr >> PAGE_SHIFT) % KSM_CHUNK_PAGES;
}

static struct ksm_chunk *make_chunk(struct ksm_slot *slot, unsigned long addr)
{
	struct ksm_table *table = ksm_table_make(slot, addr);
	struct ksm_chunk *chunk;

	if (!table)
		return NULL;
	chunk = kmem_cache_zalloc(chunk_cache, KSM_GFP_TRACK);
	if (chunk) {
		table->chunk[chunk_index(addr)] = chunk;
		ksm_account(slot, sizeof(*chunk));
	} else {
		ksm_table_trim(slot, table);
	}
	return chunk;
}

/**
 * ksm_track_chunk - the chunk of an address
 * @slot:   whose
 * @addr:   any address in it
 * @create: allocate it if there is none
 *
 * Context: ksm_scan_mutex held; may sleep if @create.
 * Return: the chunk or NULL.
 */
struct ksm_chunk *ksm_track_chunk(struct ksm_slot *slot, unsigned long addr,
				  bool create)
{
	struct ksm_table *table = ksm_table_find(slot, addr);
	struct ksm_chunk *chunk = NULL;

	if (table)
		chunk = table->chunk[chunk_index(addr)];
	return chunk || !create ? chunk : make_chunk(slot, addr);
}

/**
 * ksm_track_chunks - the chunks of neighbouring pages
 * @slot:  whose
 * @addr:  any address in the first one
 * @chunk: filled in, with NULL where nothing is known
 * @nr:	   how many; all within KSM_TABLE_BYTES of the same table
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_track_chunks(struct ksm_slot *slot, unsigned long addr,
		      struct ksm_chunk **chunk, unsigned int nr)
{
	struct ksm_table *table = ksm_table_find(slot, addr);
	unsigned int i, first = chunk_index(addr);

	VM_WARN_ON_ONCE(first + nr > KSM_TABLE_CHUNKS);
	for (i = 0; i < nr; i++)
		chunk[i] = table ? table->chunk[first + i] : NULL;
}

/**
 * ksm_track_word - the state word of a page
 * @slot: whose
 * @addr: its address
 *
 * Context: ksm_scan_mutex held.
 * Return: the word, or NULL if nothing is known of the page.
 */
u64 *ksm_track_word(struct ksm_slot *slot, unsigned long addr)
{
	struct ksm_chunk *chunk = ksm_track_chunk(slot, addr, false);

	return chunk ? &chunk->word[word_index(addr)] : NULL;
}

/**
 * ksm_track_trim - free the chunk of an address if nothing is in it
 * @slot: whose
 * @addr: any address in it
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_track_trim(struct ksm_slot *slot, unsigned long addr)
{
	struct ksm_table *table = ksm_table_find(slot, addr);
	struct ksm_chunk *chunk;

	if (!table)
		return;
	chunk = table->chunk[chunk_index(addr)];
	if (!chunk || !ksm_chunk_empty(chunk))
		return;
	table->chunk[chunk_index(addr)] = NULL;
	kmem_cache_free(chunk_cache, chunk);
	ksm_account(slot, -(long)sizeof(*chunk));
	ksm_table_trim(slot, table);
}

/* Does the filter count this word, and under which key? */
static bool counted_key(u64 word, u32 *short_key)
{
	if (ksm_word_tag(word) == KSM_TAG_STABLE)
		return false;
	if (ksm_word_tag(word))
		*short_key = ksm_short(ksm_word_item(word)->key.probe);
	else
		*short_key = ksm_word_short(word);
	return ksm_word_tag(word) || (word & KSM_WORD_KEYED);
}

/**
 * ksm_track_set - change what is known of a page
 * @slot: whose
 * @word: its state word
 * @new:  the new state; if it names an item, that is filled in already, and
 *	  so is still the one that the old state names
 *
 * Keeps the counters and the filter in step.
 *
 * Context: ksm_scan_mutex held; perhaps a page table lock.
 */
void ksm_track_set(struct ksm_slot *slot, u64 *word, u64 new)
{
	u32 old_key = 0, new_key = 0;
	u64 old = *word;
	bool was_counted = counted_key(old, &old_key);
	bool is_counted = counted_key(new, &new_key);

	lockdep_assert_held(&ksm_scan_mutex);
	*word = new;
	if (was_counted != is_counted || old_key != new_key) {
		if (was_counted)
			ksm_filter_remove(old_key);
		if (is_counted)
			ksm_filter_add(new_key);
	}
	if (ksm_word_unshared(old) != ksm_word_unshared(new))
		ksm_count(&ksm_counters.unshared,
			  ksm_word_unshared(new) ? 1 : -1);
	if (!old != !new) {
		ksm_count(&ksm_counters.tracked, new ? 1 : -1);
		ksm_count(&slot->mm->ksm_rmap_items, new ? 1 : -1);
	}
}

/*
 * The first chunk that does not end before @addr, with its own address in @at.
 */
static struct ksm_chunk *next_chunk(struct ksm_slot *slot, unsigned long addr,
				    unsigned long *at)
{
	struct ksm_table *table = ksm_table_next(slot, addr);
	unsigned int i;

	for (; table; table = ksm_table_after(table)) {
		i = addr > table->addr ? chunk_index(addr) : 0;
		for (; i < KSM_TABLE_CHUNKS; i++) {
			if (!table->chunk[i])
				continue;
			*at = table->addr + i * KSM_CHUNK_BYTES;
			return table->chunk[i];
		}
	}
	return NULL;
}

/**
 * ksm_track_next - the next page of which something is known
 * @slot: whose
 * @addr: search from here on
 *
 * A chunk may be left without a word that says anything, because the page was
 * found to be gone when it was to be merged.  It counts as well, so that
 * whoever drops what is known finds it.
 *
 * Context: ksm_scan_mutex held.
 * Return: its address, or ULONG_MAX if there is none.
 */
unsigned long ksm_track_next(struct ksm_slot *slot, unsigned long addr)
{
	struct ksm_chunk *chunk;
	unsigned long at;

	while ((chunk = next_chunk(slot, addr, &at))) {
		unsigned int i = addr > at ? word_index(addr) : 0;

		if (ksm_chunk_empty(chunk))
			return max(addr, at);
		for (; i < KSM_CHUNK_PAGES; i++)
			if (chunk->word[i])
				return at + i * PAGE_SIZE;
		addr = at + KSM_CHUNK_BYTES;
		if (!addr)	/* where addresses end */
			break;
	}
	return ULONG_MAX;
}

/*
 * All that is about to be detached was last touched long ago.  To wait for it
 * item by item takes longer than all else; so announce it, level by level.
 */
static void prefetch_stable(const struct ksm_chunk *chunk)
{
	struct ksm_rmap_item *item[KSM_CHUNK_PAGES];
	unsigned int i, nr = 0;

	for (i = 0; i < KSM_CHUNK_PAGES; i++) {
		if (ksm_word_tag(chunk->word[i]) != KSM_TAG_STABLE)
			continue;
		item[nr] = ksm_word_item(chunk->word[i]);
		prefetchw(item[nr++]);
	}
	for (i = 0; i < nr; i++)
		prefetchw(item[i]->node);
	for (i = 0; i < nr; i++) {
		if (!item[i]->node)
			continue;
		prefetchw(item[i]->node->chain);
		prefetchw(pfn_to_page(READ_ONCE(item[i]->node->pfn)));
	}
}

/* Forget some words of a chunk. */
static void drop_words(struct ksm_slot *slot, struct ksm_chunk *chunk,
		       unsigned int first, unsigned int last,
		       bool (*detach)(struct ksm_rmap_item *item))
{
	void *items[KSM_CHUNK_PAGES];
	unsigned int i, nr = 0;

	prefetch_stable(chunk);
	for (i = first; i <= last; i++) {
		u64 word = chunk->word[i];

		if (!word)
			continue;
		ksm_track_set(slot, &chunk->word[i], 0);
		if (!ksm_word_tag(word))
			continue;
		if (ksm_word_tag(word) == KSM_TAG_UNSTABLE)
			ksm_unstable_erase(ksm_word_item(word));
		else if (!detach(ksm_word_item(word)))
			continue;
		items[nr++] = ksm_word_item(word);
	}
	ksm_account(slot, -(long)(nr * sizeof(struct ksm_rmap_item)));
	kmem_cache_free_bulk(item_cache, nr, items);
}

/**
 * ksm_track_drop_range - forget what lies between two addresses
 * @slot:   whose
 * @start:  first address
 * @end:    the address after the last
 * @detach: takes an item off its stable node; sleeps for the folio lock; false
 *	    if it is to stay there without a slot
 *
 * Context: ksm_scan_mutex held; no page table lock.
 */
void ksm_track_drop_range(struct ksm_slot *slot, unsigned long start,
			  unsigned long end,
			  bool (*detach)(struct ksm_rmap_item *item))
{
	struct ksm_chunk *chunk;
	unsigned long at;

	while (start < end && (chunk = next_chunk(slot, start, &at)) &&
	       at < end) {
		unsigned long last = at + KSM_CHUNK_BYTES - 1;

		drop_words(slot, chunk, start > at ? word_index(start) : 0,
			   last > end - 1 ? word_index(end - 1) :
					    KSM_CHUNK_PAGES - 1, detach);
		ksm_track_trim(slot, at);
		cond_resched();
		if (last >= end - 1)
			break;
		start = last + 1;
	}
}

/**
 * ksm_track_recount - count keys of an mm in a filter made anew
 * @slot: whose
 * @addr: where to go on; moved on
 * @nr:	  how many state words to look at, about
 *
 * Context: ksm_scan_mutex held.
 * Return: true if all keys of the mm are counted.
 */
bool ksm_track_recount(struct ksm_slot *slot, unsigned long *addr,
		       unsigned int nr)
{
	struct ksm_chunk *chunk;
	unsigned int i, seen;
	unsigned long at;
	u32 key;

	for (seen = 0; seen < nr; seen += KSM_CHUNK_PAGES) {
		chunk = next_chunk(slot, *addr, &at);
		if (!chunk)
			return true;
		for (i = 0; i < KSM_CHUNK_PAGES; i++)
			if (chunk->word[i] && counted_key(chunk->word[i], &key))
				ksm_filter_add(key);
		*addr = at + KSM_CHUNK_BYTES;
		if (!*addr)	/* where addresses end */
			return true;
	}
	return false;
}

/**
 * ksm_item_alloc - make an rmap_item
 * @slot: whose
 * @addr: page-aligned address
 *
 * Return: the item, or NULL without memory that a state word can name; the page
 * is skipped then.
 */
struct ksm_rmap_item *ksm_item_alloc(struct ksm_slot *slot, unsigned long addr)
{
	struct ksm_rmap_item *item;

	item = kmem_cache_zalloc(item_cache, KSM_GFP_TRACK);
	if (!item)
		return NULL;
	/*
	 * A state word has no room for the tag that KASAN puts into a pointer,
	 * and trees and lists compare pointers: have none from the beginning.
	 */
	item = kasan_reset_tag(item);
	if (!ksm_word_can_name(__pa(item))) {
		kmem_cache_free(item_cache, item);
		return NULL;
	}
	item->slot = slot;
	item->address = addr;
	ksm_account(slot, sizeof(*item));
	return item;
}

/**
 * ksm_item_free - the opposite
 * @item: is in no tree and on no list
 */
void ksm_item_free(struct ksm_rmap_item *item)
{
	if (item->slot)
		ksm_item_disown(item);
	ksm_count(&ksm_counters.bytes, -(long)sizeof(*item));
	kmem_cache_free(item_cache, item);
}

/**
 * ksm_item_disown - take an item from its slot
 * @item: named by no state word; stays allocated
 *
 * Context: ksm_scan_mutex held, and the folio lock if it is attached.
 */
void ksm_item_disown(struct ksm_rmap_item *item)
{
	ksm_account(item->slot, -(long)sizeof(*item));
	ksm_count(&ksm_counters.bytes, sizeof(*item));
	item->slot = NULL;
}

/**
 * ksm_item_doubt - the node of an item is gone
 * @item: attached to nothing any more
 *
 * Its page may live on, or the page frame be used for another page at the same
 * address: the next visit has to look.
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_item_doubt(struct ksm_rmap_item *item)
{
	u64 *word = ksm_track_word(item->slot, item->address);

	/* While a page is being merged its word does not name the item. */
	if (word && ksm_word_tag(*word) == KSM_TAG_STABLE &&
	    ksm_word_item(*word) == item)
		ksm_track_set(item->slot, word, ksm_word_doubt_pfn(*word));
}

int __init ksm_track_init(void)
{
	BUILD_BUG_ON(sizeof(struct ksm_rmap_item) > 64);
	chunk_cache = KMEM_CACHE(ksm_chunk, 0);
	item_cache = KMEM_CACHE(ksm_rmap_item, 0);
	return chunk_cache && item_cache ? 0 : -ENOMEM;
}
