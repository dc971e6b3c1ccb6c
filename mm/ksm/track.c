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
#include <linux/prefetch.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "internal.h"

/*
 * One batch of scanning, or one change that nobody may scan across.
 * See the lock order in internal.h.
 */
DEFINE_MUTEX(ksm_scan_mutex);

static struct kmem_cache *chunk_cache;
static struct kmem_cache *item_cache;

/* A failed allocation means that a page is skipped, so do not try hard. */
#define GFP_TRACK	(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN)

/* A node of the xarray: 64 slots and a header */
#define XA_NODE_BYTES	576UL

static unsigned long chunk_index(unsigned long addr)
{
	return addr >> KSM_CHUNK_SHIFT;
}

static unsigned int word_index(unsigned long addr)
{
	return (addr >> PAGE_SHIFT) % KSM_CHUNK_PAGES;
}

/*
 * Is this chunk alone in its node of the xarray?  The levels above the lowest
 * are left out of the account: they are a 64th of that, or there is little.
 */
static bool alone_in_node(struct ksm_slot *slot, unsigned long index)
{
	unsigned long at = index & ~(XA_CHUNK_SIZE - 1UL);

	return !xa_find(&slot->chunks, &at, index | (XA_CHUNK_SIZE - 1UL),
			XA_PRESENT);
}

static long chunk_bytes(struct ksm_slot *slot, unsigned long index)
{
	return sizeof(struct ksm_chunk) +
	       (alone_in_node(slot, index) ? XA_NODE_BYTES : 0);
}

/* Memory came or went. */
static void account(struct ksm_slot *slot, long bytes)
{
	WRITE_ONCE(slot->bytes, slot->bytes + bytes);
	ksm_count(&ksm_counters.bytes, bytes);
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
	struct ksm_chunk *chunk = xa_load(&slot->chunks, chunk_index(addr));
	long bytes;

	if (chunk || !create)
		return chunk;
	bytes = chunk_bytes(slot, chunk_index(addr));
	chunk = kmem_cache_zalloc(chunk_cache, GFP_TRACK);
	if (!chunk)
		return NULL;
	if (xa_err(xa_store(&slot->chunks, chunk_index(addr), chunk,
			    GFP_TRACK))) {
		kmem_cache_free(chunk_cache, chunk);
		return NULL;
	}
	account(slot, bytes);
	return chunk;
}

/**
 * ksm_track_chunks - the chunks of neighbouring pages
 * @slot:  whose
 * @addr:  any address in the first one
 * @chunk: filled in, with NULL where nothing is known
 * @nr:	   how many
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_track_chunks(struct ksm_slot *slot, unsigned long addr,
		      struct ksm_chunk **chunk, unsigned int nr)
{
	XA_STATE(xas, &slot->chunks, chunk_index(addr));
	unsigned int i;

	lockdep_assert_held(&ksm_scan_mutex);
	rcu_read_lock();
	chunk[0] = xas_load(&xas);
	for (i = 1; i < nr; i++)
		chunk[i] = xas_next(&xas);
	rcu_read_unlock();
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
	struct ksm_chunk *chunk = ksm_track_chunk(slot, addr, false);

	if (!chunk || !ksm_chunk_empty(chunk))
		return;
	xa_erase(&slot->chunks, chunk_index(addr));
	kmem_cache_free(chunk_cache, chunk);
	account(slot, -chunk_bytes(slot, chunk_index(addr)));
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

/**
 * ksm_track_next - the next page of which something is known
 * @slot: whose
 * @addr: search from here on
 *
 * Context: ksm_scan_mutex held.
 * Return: its address, or ULONG_MAX if there is none.
 */
unsigned long ksm_track_next(struct ksm_slot *slot, unsigned long addr)
{
	struct ksm_chunk *chunk;
	unsigned long index;

	xa_for_each_range(&slot->chunks, index, chunk, chunk_index(addr),
			  ULONG_MAX) {
		unsigned int i = 0;

		if (index == chunk_index(addr))
			i = word_index(addr);
		for (; i < KSM_CHUNK_PAGES; i++)
			if (chunk->word[i])
				return (index << KSM_CHUNK_SHIFT) +
				       i * PAGE_SIZE;
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
		       void (*detach)(struct ksm_rmap_item *item))
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
		else
			detach(ksm_word_item(word));
		items[nr++] = ksm_word_item(word);
	}
	account(slot, -(long)(nr * sizeof(struct ksm_rmap_item)));
	kmem_cache_free_bulk(item_cache, nr, items);
}

/**
 * ksm_track_drop_range - forget what lies between two addresses
 * @slot:   whose
 * @start:  first address
 * @end:    the address after the last
 * @detach: takes an item off its stable node; sleeps for the folio lock
 *
 * Context: ksm_scan_mutex held; no page table lock.
 */
void ksm_track_drop_range(struct ksm_slot *slot, unsigned long start,
			  unsigned long end,
			  void (*detach)(struct ksm_rmap_item *item))
{
	struct ksm_chunk *chunk;
	unsigned long index, last;

	if (start >= end)
		return;
	last = chunk_index(end - 1);
	xa_for_each_range(&slot->chunks, index, chunk, chunk_index(start),
			  last) {
		drop_words(slot, chunk,
			   index == chunk_index(start) ? word_index(start) : 0,
			   index == last ? word_index(end - 1) :
					   KSM_CHUNK_PAGES - 1,
			   detach);
		ksm_track_trim(slot, index << KSM_CHUNK_SHIFT);
		cond_resched();
	}
}

/**
 * ksm_track_recount - count all keys of an mm in a filter made anew
 * @slot: whose
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_track_recount(struct ksm_slot *slot)
{
	struct ksm_chunk *chunk;
	unsigned long index;
	unsigned int i;
	u32 key;

	xa_for_each(&slot->chunks, index, chunk) {
		for (i = 0; i < KSM_CHUNK_PAGES; i++)
			if (chunk->word[i] && counted_key(chunk->word[i], &key))
				ksm_filter_add(key);
		cond_resched();
	}
}

/**
 * ksm_item_alloc - make an rmap_item
 * @slot: whose
 * @addr: page-aligned address
 *
 * Return: the item or NULL; the page is skipped then.
 */
struct ksm_rmap_item *ksm_item_alloc(struct ksm_slot *slot, unsigned long addr)
{
	struct ksm_rmap_item *item = kmem_cache_zalloc(item_cache, GFP_TRACK);

	if (!item)
		return NULL;
	item->slot = slot;
	item->address = addr;
	account(slot, sizeof(*item));
	return item;
}

/**
 * ksm_item_free - the opposite
 * @item: is in no tree and on no list
 */
void ksm_item_free(struct ksm_rmap_item *item)
{
	account(item->slot, -(long)sizeof(*item));
	kmem_cache_free(item_cache, item);
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
