// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is known of each page of a registered mm.
 *
 * A page without a duplicate costs its state word, 8 bytes in a chunk of 16
 * words, and its share of the filter.  Only a page that is in one of the trees
 * has an rmap_item; its word names it.
 *
 * There are no calls from munmap() and mremap().  walk.c compares the chunks
 * with the page tables, both in order of address, and drops here what no longer
 * has a page.
 */
#include <linux/mmdebug.h>
#include <linux/prefetch.h>
#include <linux/slab.h>

#include "internal.h"

static struct kmem_cache *ksm_chunk_cache;

static unsigned int ksm_chunk_index(unsigned long addr)
{
	return (addr >> KSM_CHUNK_SHIFT) % KSM_TABLE_CHUNKS;
}

static unsigned int ksm_chunk_word_index(unsigned long addr)
{
	return (addr >> PAGE_SHIFT) % KSM_CHUNK_PAGES;
}

static struct ksm_chunk *ksm_chunk_make(struct ksm_slot *slot,
					unsigned long addr)
{
	struct ksm_table *table = ksm_table_make(slot, addr);
	struct ksm_chunk *chunk;

	if (!table)
		return NULL;
	chunk = kmem_cache_zalloc(ksm_chunk_cache, KSM_GFP_TRACK);
	if (chunk) {
		table->chunk[ksm_chunk_index(addr)] = chunk;
		ksm_account(slot, sizeof(*chunk));
	} else {
		ksm_table_trim(slot, table);
	}
	return chunk;
}

/**
 * ksm_track_chunk - find the chunk of an address
 * @slot:   slot of the mm
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

	lockdep_assert_held(&ksm_scan_mutex);
	if (table)
		chunk = table->chunk[ksm_chunk_index(addr)];
	return chunk || !create ? chunk : ksm_chunk_make(slot, addr);
}

/**
 * ksm_track_chunks - find the chunks of neighbouring pages
 * @slot:  slot of the mm
 * @addr:  any address in the first one
 * @chunk: filled in, with NULL where nothing is known
 * @nr:	   number of chunks; all in the same table
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_track_chunks(struct ksm_slot *slot, unsigned long addr,
		      struct ksm_chunk **chunk, unsigned int nr)
{
	struct ksm_table *table = ksm_table_find(slot, addr);
	unsigned int i, first = ksm_chunk_index(addr);

	lockdep_assert_held(&ksm_scan_mutex);
	VM_WARN_ON_ONCE(first + nr > KSM_TABLE_CHUNKS);
	for (i = 0; i < nr; i++)
		chunk[i] = table ? table->chunk[first + i] : NULL;
}

/**
 * ksm_track_word - find the state word of a page
 * @slot: slot of the mm
 * @addr: its address
 *
 * Context: ksm_scan_mutex held.
 * Return: the word, or NULL if nothing is known of the page.
 */
u64 *ksm_track_word(struct ksm_slot *slot, unsigned long addr)
{
	struct ksm_chunk *chunk = ksm_track_chunk(slot, addr, false);

	lockdep_assert_held(&ksm_scan_mutex);
	return chunk ? &chunk->word[ksm_chunk_word_index(addr)] : NULL;
}

/**
 * ksm_track_trim - free the chunk of an address if nothing is in it
 * @slot: slot of the mm
 * @addr: any address in it
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_track_trim(struct ksm_slot *slot, unsigned long addr)
{
	struct ksm_table *table = ksm_table_find(slot, addr);
	struct ksm_chunk *chunk;

	lockdep_assert_held(&ksm_scan_mutex);
	if (!table)
		return;
	chunk = table->chunk[ksm_chunk_index(addr)];
	if (!chunk || !ksm_chunk_empty(chunk))
		return;
	table->chunk[ksm_chunk_index(addr)] = NULL;
	kmem_cache_free(ksm_chunk_cache, chunk);
	ksm_account(slot, -(long)sizeof(*chunk));
	ksm_table_trim(slot, table);
}

/* Does the filter count this word, and under which key? */
static bool ksm_track_counted_key(u64 word, u32 *short_key)
{
	if (ksm_word_stable(word))
		return false;
	if (ksm_word_unstable(word)) {
		*short_key = ksm_short(ksm_word_item(word)->key.probe);
		return true;
	}
	*short_key = ksm_word_short(word);
	return word & KSM_WORD_KEYED;
}

/**
 * ksm_track_set - change what is known of a page
 * @slot: slot of the mm
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
	bool was_counted = ksm_track_counted_key(old, &old_key);
	bool is_counted = ksm_track_counted_key(new, &new_key);

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
static struct ksm_chunk *ksm_track_next_chunk(struct ksm_slot *slot,
					      unsigned long addr,
					      unsigned long *at)
{
	struct ksm_table *table = ksm_table_next(slot, addr);
	unsigned int i;

	for (; table; table = ksm_table_after(table)) {
		i = addr > table->addr ? ksm_chunk_index(addr) : 0;
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
 * ksm_track_next - find the next page of which something is known
 * @slot: slot of the mm
 * @addr: search from here on
 *
 * A chunk may have been left without a word in use, if the last page was found
 * to be gone when it was to be merged.  It is found as well, so that it can be
 * dropped.
 *
 * Context: ksm_scan_mutex held.
 * Return: its address, or ULONG_MAX if there is none.
 */
unsigned long ksm_track_next(struct ksm_slot *slot, unsigned long addr)
{
	struct ksm_chunk *chunk;
	unsigned long at;

	lockdep_assert_held(&ksm_scan_mutex);
	while ((chunk = ksm_track_next_chunk(slot, addr, &at))) {
		unsigned int i = addr > at ? ksm_chunk_word_index(addr) : 0;

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
 * Items that are about to be detached were last touched long ago.  To wait for
 * them one by one takes longer than all the rest; so announce them, level by
 * level.
 */
static void ksm_track_prefetch_stable(const struct ksm_chunk *chunk)
{
	struct ksm_rmap_item *item[KSM_CHUNK_PAGES];
	unsigned int i, nr = 0;

	for (i = 0; i < KSM_CHUNK_PAGES; i++) {
		if (!ksm_word_stable(chunk->word[i]))
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
static void ksm_track_drop_words(struct ksm_slot *slot, struct ksm_chunk *chunk,
				 unsigned int first, unsigned int last,
				 bool (*detach)(struct ksm_rmap_item *item))
{
	struct ksm_rmap_item *items[KSM_CHUNK_PAGES];
	unsigned int i, nr = 0;

	ksm_track_prefetch_stable(chunk);
	for (i = first; i <= last; i++) {
		u64 word = chunk->word[i];

		if (!word)
			continue;
		ksm_track_set(slot, &chunk->word[i], 0);
		if (ksm_word_inline(word))
			continue;
		if (ksm_word_unstable(word))
			ksm_unstable_erase(ksm_word_item(word));
		else if (!detach(ksm_word_item(word)))
			continue;
		items[nr++] = ksm_word_item(word);
	}
	ksm_item_free_bulk(slot, items, nr);
}

/**
 * ksm_track_drop_range - forget what lies between two addresses
 * @slot:   slot of the mm
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

	lockdep_assert_held(&ksm_scan_mutex);
	while (start < end &&
	       (chunk = ksm_track_next_chunk(slot, start, &at)) && at < end) {
		unsigned long last = min(at + KSM_CHUNK_BYTES - 1, end - 1);

		start = max(start, at);
		ksm_track_drop_words(slot, chunk, ksm_chunk_word_index(start),
				     ksm_chunk_word_index(last), detach);
		ksm_track_trim(slot, at);
		cond_resched();
		if (last == end - 1)
			break;
		start = last + 1;
	}
}

/**
 * ksm_track_recount - count keys of an mm in a rebuilt filter
 * @slot: slot of the mm
 * @addr: where to go on; moved on
 * @nr:	  number of state words to look at, about
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

	lockdep_assert_held(&ksm_scan_mutex);
	for (seen = 0; seen < nr; seen += KSM_CHUNK_PAGES) {
		chunk = ksm_track_next_chunk(slot, *addr, &at);
		if (!chunk)
			return true;
		for (i = 0; i < KSM_CHUNK_PAGES; i++)
			if (chunk->word[i] &&
			    ksm_track_counted_key(chunk->word[i], &key))
				ksm_filter_recount(key);
		*addr = at + KSM_CHUNK_BYTES;
		if (!*addr)	/* where addresses end */
			return true;
	}
	return false;
}

/**
 * ksm_track_node_gone - the stable node of an item is gone
 * @item: attached to nothing any more
 *
 * The page may live on, or its page frame be used for another page at the same
 * address: the next visit must not skip it.
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_track_node_gone(struct ksm_rmap_item *item)
{
	u64 *word = ksm_track_word(item->slot, item->address);

	lockdep_assert_held(&ksm_scan_mutex);
	/* While a page is being merged its word does not name the item. */
	if (word && ksm_word_stable(*word) && ksm_word_item(*word) == item)
		ksm_track_set(item->slot, word,
			      ksm_word_of_item(item, KSM_TAG_STABLE_LOST));
}

int __init ksm_track_init(void)
{
	ksm_chunk_cache = KMEM_CACHE(ksm_chunk, 0);
	return ksm_chunk_cache ? 0 : -ENOMEM;
}
