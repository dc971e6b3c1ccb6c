// SPDX-License-Identifier: GPL-2.0-only
/*
 * Find the like of a candidate, and bring the two together.
 *
 * First in the stable tree, where its like is a KSM page; then in the unstable
 * tree, where it is another candidate, that becomes a KSM page; else the
 * candidate itself goes into the unstable tree.
 *
 * Called without any lock but ksm_scan_mutex.  While a page is here its state
 * word has no pointer, and its item is in no tree.
 */
#include <linux/highmem.h>

#include "internal.h"

/* A page could not be merged because somebody held it. */
bool ksm_match_was_busy;

static unsigned long address_of(const struct ksm_rmap_item *item)
{
	return item->address & PAGE_MASK;
}

/* Take @item out of the unstable tree; its page was quiet there. */
static void take_out(struct ksm_rmap_item *item)
{
	u64 *word = ksm_track_word(item->slot, address_of(item));

	ksm_unstable_erase(item);
	ksm_track_set(item->slot, word, ksm_item_word(item));
}

/* Take it out for good: its relatives stand by to take its place. */
static void leave_unstable(struct ksm_rmap_item *item)
{
	take_out(item);
	ksm_filter_epoch++;
}

/* Enter what it means for the page of @item that nothing came of it. */
static void note_failure(struct ksm_rmap_item *item, enum ksm_result why)
{
	u64 *word = ksm_track_word(item->slot, address_of(item));
	u64 new;

	if (why == KSM_BUSY)
		ksm_match_was_busy = true;
	if (!word || !ksm_word_inline(*word))
		return;
	new = ksm_state_failed(*word);
	/* The chunk stays: its slot need not be the one we are at. */
	if (why == KSM_GONE)
		new = 0;
	else if (why == KSM_BUSY || why == KSM_RETRY)
		new = ksm_state_busy(*word);
	ksm_track_set(item->slot, word, new);
}

static void give_up(struct ksm_rmap_item *item, enum ksm_result why)
{
	note_failure(item, why);
	ksm_item_free(item);
}

/*
 * The page is in the tree already, for the other side of a fork.  Once that
 * has left, the filter's epoch will call this one up again.
 */
static void stand_by(struct ksm_rmap_item *item)
{
	u64 *word = ksm_track_word(item->slot, address_of(item));

	ksm_track_set(item->slot, word, ksm_state_unmatched(*word));
	ksm_item_free(item);
}

/* Wait in the unstable tree. */
static void wait_in_tree(struct ksm_rmap_item *item)
{
	u64 *word = ksm_track_word(item->slot, address_of(item));

	ksm_unstable_insert(item);
	ksm_track_set(item->slot, word,
		      ksm_word_of_item(item, KSM_TAG_UNSTABLE));
}

/* Attached to a KSM page */
static void settle(struct ksm_rmap_item *item)
{
	u64 *word = ksm_track_word(item->slot, address_of(item));

	ksm_track_set(item->slot, word, ksm_word_of_item(item, KSM_TAG_STABLE));
}

/* The page of a node, if it may be read. */
static enum ksm_result get_readable(struct ksm_stable_node *node,
				    struct folio **foliop)
{
	enum ksm_result got = ksm_node_get_folio(node, foliop);

	if (got == KSM_DONE && !ksm_folio_readable(*foliop)) {
		folio_put(*foliop);
		return KSM_RETRY;
	}
	return got;
}

/* The chain of a key, without the dups whose pages were freed meanwhile. */
static struct ksm_chain *find_chain(const struct ksm_key *key)
{
	struct ksm_chain *chain = ksm_stable_find(key);
	unsigned int prune_ms = READ_ONCE(ksm_prune_ms);

	if (!chain || chain->nr_dups < 2 ||
	    time_before(jiffies, chain->pruned + msecs_to_jiffies(prune_ms)))
		return chain;
	ksm_chain_prune(chain);
	return ksm_stable_find(key);
}

/* Merge with a KSM page of the chain, any that has room and the same bytes. */
static enum ksm_result join_chain(struct ksm_rmap_item *item,
				  struct ksm_chain *chain)
{
	struct ksm_stable_node *node, *next;
	enum ksm_result result = KSM_DIFFERENT;
	unsigned long tried = 0;

	list_for_each_entry_safe(node, next, &chain->dups, dup) {
		bool last = chain->nr_dups == 1;
		enum ksm_result got;
		struct folio *folio;

		if (!ksm_node_has_room(node))
			break;
		if (tried & BIT(node->content))
			continue;
		got = get_readable(node, &folio);
		if (got == KSM_DONE) {
			got = ksm_merge_into(item, node, folio);
			folio_put(folio);
			if (got == KSM_DIFFERENT)
				tried |= BIT(node->content);
			else
				return got;
		} else if (got == KSM_RETRY) {
			result = KSM_RETRY;
		} else {
			ksm_node_forget(node);
			if (last)	/* and the chain went with it */
				break;
		}
	}
	return result;
}

/* content_of() cannot tell now. */
#define CONTENT_UNKNOWN		(KSM_MAX_CONTENTS + 1)

/*
 * Which content of the chain does @page have?  An unused number if none, or
 * KSM_MAX_CONTENTS if there is none left.
 */
static unsigned int content_of(struct ksm_chain *chain, struct page *page)
{
	struct ksm_stable_node *node;
	unsigned long tried = 0, used = 0;

	list_for_each_entry(node, &chain->dups, dup) {
		enum ksm_result got;
		struct folio *folio;
		bool same;

		used |= BIT(node->content);
		if (tried & BIT(node->content))
			continue;
		got = get_readable(node, &folio);
		if (got == KSM_GONE)
			continue;
		if (got == KSM_RETRY)
			return CONTENT_UNKNOWN;
		same = ksm_page_same(folio_page(folio, 0), page);
		folio_put(folio);
		if (same)
			return node->content;
		tried |= BIT(node->content);
	}
	return min_t(unsigned int, ffz(used), KSM_MAX_CONTENTS);
}

/*
 * The key of a KSM page, from what it contains now that nobody can change it.
 * The key that led here is older: both pages may have been written since, and
 * have become equal in another way.
 */
static void read_key(struct ksm_stable_node *node, struct ksm_slot *slot,
		     struct page *page, struct ksm_key *key)
{
	void *content = kmap_local_page(page);

	key->probe = ksm_probe(content) ^ ksm_scope(slot->mm, node->nid);
	key->digest = ksm_digest(content);
	kunmap_local(content);
}

/* Has the chain a KSM page of this content that could be joined? */
static bool has_room_for(struct ksm_chain *chain, unsigned int content)
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
 * Put the node of a new KSM page into the tree.  Under another key than
 * @expected there may be a KSM page with its content and room for more.
 */
static enum ksm_result enlist(struct ksm_stable_node *node,
			      struct ksm_slot *slot, struct folio *folio,
			      const struct ksm_key *expected)
{
	struct page *page = folio_page(folio, 0);
	struct ksm_chain *chain;
	struct ksm_key key;

	read_key(node, slot, page, &key);
	chain = ksm_stable_find(&key);
	if (chain && memcmp(&key, expected, sizeof(key)))
		return KSM_RETRY;
	if (!chain)
		chain = ksm_chain_alloc(&key);
	if (!chain)
		return KSM_NOMEM;
	node->content = content_of(chain, page);
	if (node->content == KSM_MAX_CONTENTS) {
		ksm_count(&ksm_counters.collisions, 1);
		return KSM_DIFFERENT;
	}
	/* Or it was written to for a moment when it could have been joined. */
	if (node->content == CONTENT_UNKNOWN ||
	    has_room_for(chain, node->content))
		return KSM_RETRY;
	ksm_stable_link(node, chain);
	return KSM_DONE;
}

/* @partner became a KSM page for nothing: make it an ordinary one again. */
static void demote(struct ksm_rmap_item *partner)
{
	ksm_unmerge_page(partner->slot, address_of(partner));
	note_failure(partner, KSM_RETRY);
	if (ksm_node_detach(partner))
		ksm_item_free(partner);
}

/* @partner is the first mapping of the KSM page of @node; @item joins. */
static enum ksm_result complete_pair(struct ksm_rmap_item *item,
				     struct ksm_rmap_item *partner,
				     struct ksm_stable_node *node)
{
	struct ksm_key expected = item->key;
	enum ksm_result result;
	struct folio *folio;

	/* If the page of the node is gone, that of @item is not. */
	if (get_readable(node, &folio) != KSM_DONE)
		return KSM_RETRY;
	result = enlist(node, partner->slot, folio, &expected);
	if (result == KSM_DONE)
		result = ksm_merge_into(item, node, folio);
	folio_put(folio);
	return result;
}

/* Two candidates with the same key. */
static void merge_pair(struct ksm_rmap_item *item,
		       struct ksm_rmap_item *partner)
{
	struct ksm_stable_node *node;
	enum ksm_result result;
	struct page *page;

	node = ksm_node_alloc();
	if (!node) {
		give_up(item, KSM_NOMEM);
		return;
	}
	page = ksm_page_pin(item->slot, address_of(item), item->pfn);
	if (!page || ksm_page_held(page)) {
		/* Do not disturb the partner for nothing. */
		ksm_node_free(node);
		give_up(item, page ? KSM_BUSY : KSM_GONE);
		if (page)
			put_page(page);
		return;
	}
	leave_unstable(partner);
	result = ksm_merge_promote(partner, node, page);
	put_page(page);
	if (result != KSM_DONE) {
		ksm_node_free(node);
		/* It was not the fault of @item, whose key is fresh. */
		give_up(partner, result);
		wait_in_tree(item);
		return;
	}
	result = complete_pair(item, partner, node);
	if (result == KSM_DONE) {
		settle(partner);
		settle(item);
		return;
	}
	demote(partner);
	give_up(item, result);
}

/* Who has the probe of a candidate */
struct likes {
	bool stable;			/* KSM pages */
	struct ksm_rmap_item *waiting;	/* the first in the unstable tree */
};

static struct likes find_likes(u64 probe)
{
	return (struct likes) {
		.stable = ksm_stable_has(probe),
		.waiting = ksm_unstable_first(probe),
	};
}

static bool has_digest(const struct ksm_rmap_item *item)
{
	return item->address & KSM_ITEM_DIGEST;
}

/*
 * A second page with the probe of @item arrives: from now on pages with this
 * probe are told apart by digest, @other included that waits in the tree.
 */
static enum ksm_result need_digest(struct ksm_rmap_item *item,
				   struct ksm_rmap_item *other)
{
	enum ksm_result result;

	result = ksm_page_digest(item->slot, address_of(item), item->pfn,
				 &item->key.digest);
	if (result != KSM_DONE)
		return result;
	item->address |= KSM_ITEM_DIGEST;

	if (!other || has_digest(other))
		return KSM_DONE;
	/* It is the only one with this probe, so the order holds. */
	if (ksm_page_digest(other->slot, address_of(other), other->pfn,
			    &other->key.digest) == KSM_DONE) {
		other->address |= KSM_ITEM_DIGEST;
	} else {
		leave_unstable(other);
		give_up(other, KSM_GONE);
	}
	return KSM_DONE;
}

/* Take or make the item of a page; its word is left without a pointer. */
static struct ksm_rmap_item *take_item(struct ksm_slot *slot,
				       unsigned long addr, u64 *word)
{
	struct ksm_rmap_item *item;

	if (ksm_word_tag(*word) == KSM_TAG_UNSTABLE) {
		item = ksm_word_item(*word);
		take_out(item);
		item->address &= ~KSM_ITEM_DIGEST;
		return item;
	}
	item = ksm_item_alloc(slot, addr);
	if (item && ksm_word_inline(*word))
		ksm_item_take_word(item, *word);
	return item;
}

/*
 * Map the zero page if that is what the page contains.  KSM_DIFFERENT: no, or
 * that is not wanted.
 */
static enum ksm_result merge_zero(struct ksm_rmap_item *item)
{
	struct ksm_slot *slot = item->slot;
	unsigned long addr = address_of(item);
	enum ksm_result result;

	if (!READ_ONCE(ksm_use_zero_pages) || item->key.probe !=
	    ksm_probe_of_zero_page(slot->mm, item->pfn))
		return KSM_DIFFERENT;
	result = ksm_merge_zero(item);
	if (result == KSM_DONE) {
		/* Its entry belongs to no page now: nothing to track. */
		ksm_track_set(slot, ksm_track_word(slot, addr), 0);
		ksm_track_trim(slot, addr);
		ksm_item_free(item);
	}
	return result;
}

/* Find a KSM page for a candidate.  KSM_DIFFERENT: there is none. */
static enum ksm_result match_stable(struct ksm_rmap_item *item,
				    const struct likes *likes)
{
	enum ksm_result result;
	struct ksm_chain *chain;

	if (likes->stable || likes->waiting) {
		result = need_digest(item, likes->waiting);
		if (result != KSM_DONE)
			return result;
	}
	if (!likes->stable)
		return KSM_DIFFERENT;
	chain = find_chain(&item->key);
	return chain ? join_chain(item, chain) : KSM_DIFFERENT;
}

/* Find another candidate, or become one that can be found. */
static void match_unstable(struct ksm_rmap_item *item,
			   const struct likes *likes)
{
	struct ksm_rmap_item *partner = NULL;

	/* Who waited then may be gone by now, without a digest. */
	if (likes->waiting)
		partner = ksm_unstable_find(&item->key);
	if (!partner)
		wait_in_tree(item);
	else if (partner->pfn == item->pfn)
		stand_by(item);
	else
		merge_pair(item, partner);
}

/* Is the only one in the tree with this probe the same page, by a fork? */
static bool waits_already(const struct ksm_rmap_item *item,
			  const struct likes *likes)
{
	const struct ksm_rmap_item *other = likes->waiting;

	return !likes->stable && other && !has_digest(other) &&
	       other->pfn == item->pfn;
}

/* Bring @item where it belongs: to a KSM page, or into the unstable tree. */
static void match(struct ksm_rmap_item *item)
{
	enum ksm_result result = merge_zero(item);
	struct likes likes = { };

	if (result == KSM_DONE)
		return;
	if (result == KSM_DIFFERENT) {
		likes = find_likes(item->key.probe);
		if (waits_already(item, &likes)) {
			stand_by(item);
			return;
		}
		result = match_stable(item, &likes);
	}
	if (result == KSM_DONE)
		settle(item);
	else if (result == KSM_DIFFERENT)
		match_unstable(item, &likes);
	else
		give_up(item, result);
}

/* Which page waits in the unstable tree for @addr?  All zeroes if none. */
struct waiting {
	u64 pfn;
	struct ksm_key key;
};

static struct waiting waiting_at(struct ksm_slot *slot, unsigned long addr)
{
	u64 *word = ksm_track_word(slot, addr);
	struct waiting waiting = { };

	if (word && ksm_word_tag(*word) == KSM_TAG_UNSTABLE) {
		waiting.pfn = ksm_word_item(*word)->pfn;
		waiting.key = ksm_word_item(*word)->key;
	}
	return waiting;
}

/**
 * ksm_match_candidate - try to merge an unchanged page
 * @slot:  whose
 * @addr:  where it was seen
 * @pfn:   which it was
 * @probe: its probe, scoped
 *
 * Context: ksm_scan_mutex held; may sleep.
 */
void ksm_match_candidate(struct ksm_slot *slot, unsigned long addr,
			 unsigned long pfn, u64 probe)
{
	struct waiting before = waiting_at(slot, addr), after;
	u64 *word = ksm_track_word(slot, addr);
	struct ksm_rmap_item *item;

	/* Matching an earlier page may have taught us better about this one. */
	if (!word || !*word || ksm_word_tag(*word) == KSM_TAG_STABLE)
		return;
	item = take_item(slot, addr, word);
	if (!item)
		return;
	item->pfn = pfn;
	item->key.probe = probe;
	item->key.digest = 0;
	match(item);
	/*
	 * Its like may be standing by, or be hidden by a stuck counter.  But
	 * that it still waits there is no news, or pages shared by a fork
	 * would call each other up in every pass.
	 */
	after = waiting_at(slot, addr);
	if (memcmp(&before, &after, sizeof(before)))
		ksm_filter_epoch++;
}

/* Put a node whose page moved to another NUMA node under its new key. */
static void rehome(struct ksm_stable_node *node, const struct mm_struct *mm)
{
	int nid = ksm_page_nid(node->pfn);
	struct ksm_chain *chain;
	unsigned int content;
	struct ksm_key key;
	struct folio *folio;

	if (node->nid == nid || !node->chain)
		return;
	key = node->chain->key;
	key.probe ^= ksm_scope(mm, node->nid) ^ ksm_scope(mm, nid);
	chain = ksm_stable_find(&key) ?: ksm_chain_alloc(&key);
	if (!chain)
		return;
	if (get_readable(node, &folio) != KSM_DONE)
		goto free_chain;
	content = content_of(chain, folio_page(folio, 0));
	folio_put(folio);
	if (content >= KSM_MAX_CONTENTS)
		goto free_chain;
	ksm_stable_unlink(node);
	node->content = content;
	node->nid = nid;
	ksm_stable_link(node, chain);
	ksm_stable_resort(node);
	return;

free_chain:
	if (!chain->nr_dups)
		ksm_chain_free(chain);
}

/**
 * ksm_match_join - a page table entry maps a KSM page that was not known there
 * @slot: whose
 * @addr: where it was seen
 * @pfn:  which it was
 *
 * It came by fork or by swapping in, or the KSM page was migrated.
 *
 * Context: ksm_scan_mutex held; may sleep.
 */
void ksm_match_join(struct ksm_slot *slot, unsigned long addr,
		    unsigned long pfn)
{
	struct ksm_chunk *chunk = ksm_track_chunk(slot, addr, true);
	u64 *word = ksm_track_word(slot, addr);
	struct ksm_rmap_item *item;
	struct ksm_stable_node *node;
	enum ksm_result result;

	if (!chunk) {
		ksm_orphans_missed();
		return;
	}
	if (ksm_word_tag(*word) == KSM_TAG_STABLE) {
		item = ksm_word_item(*word);
		if (item->node && READ_ONCE(item->node->pfn) == pfn) {
			item->pfn = pfn;
			settle(item);
			rehome(item->node, slot->mm);
			return;
		}
		ksm_track_set(slot, word, 0);
		if (!ksm_node_detach(item))
			item = ksm_item_alloc(slot, addr);
	} else {
		item = take_item(slot, addr, word);
		ksm_track_set(slot, word, 0);
	}
	if (!item) {
		ksm_orphans_missed();
		ksm_track_trim(slot, addr);
		return;
	}
	item->address = addr;
	item->pfn = pfn;
	result = ksm_merge_join(item, &node);
	if (result == KSM_DONE) {
		settle(item);
		rehome(node, slot->mm);
		return;
	}
	ksm_item_free(item);
	ksm_track_trim(slot, addr);
	/* It can be merged anew once it is an ordinary page. */
	if (result == KSM_DIFFERENT)
		ksm_unmerge_page(slot, addr);
}
