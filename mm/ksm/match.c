// SPDX-License-Identifier: GPL-2.0-only
/*
 * Find a duplicate of a candidate, and merge the two.
 *
 * First in the stable tree, where the duplicate is a KSM page; then in the
 * unstable tree, where it is another candidate, which becomes a KSM page; else
 * the candidate itself goes into the unstable tree.
 *
 * Called without any lock but ksm_scan_mutex.  All along the state word of the
 * candidate is an inline word, and its item is in no tree.
 */
#include <trace/events/ksm.h>

#include "internal.h"
#include "match.h"

/**
 * struct ksm_match - a candidate on its way
 * @pass:    the pass
 * @c:	     the candidate
 * @item:    its item
 * @stable:  KSM pages have its probe
 * @queued:  the first item in the unstable tree that has its probe
 * @partner: a candidate of the unstable tree, pinned if a digest was needed
 */
struct ksm_match {
	struct ksm_pass *pass;
	struct ksm_candidate *c;
	struct ksm_rmap_item *item;
	bool stable;
	struct ksm_rmap_item *queued;
	struct ksm_candidate partner;
};

static u64 *ksm_match_word(const struct ksm_rmap_item *item)
{
	return ksm_track_word(item->slot, ksm_item_addr(item));
}

/* Take @item out of the unstable tree; its page was quiet there. */
static void ksm_match_dequeue(struct ksm_rmap_item *item)
{
	ksm_unstable_erase(item);
	ksm_track_set(item->slot, ksm_match_word(item), ksm_item_word(item));
}

/*
 * Take it out for good: mappings of the same page by forks, which are parked,
 * may go in instead.
 */
static void ksm_match_leave_tree(struct ksm_rmap_item *item)
{
	ksm_match_dequeue(item);
	ksm_recheck(ksm_short(item->key.probe));
}

/* Put it in, to be found by a duplicate. */
static void ksm_match_enqueue(struct ksm_rmap_item *item)
{
	u64 *word = ksm_match_word(item);

	ksm_item_set_word(item, ksm_state_queued(*word));
	ksm_unstable_insert(item);
	ksm_track_set(item->slot, word,
		      ksm_word_of_item(item, KSM_TAG_UNSTABLE));
}

/* The item is attached to a stable node. */
static void ksm_match_attached(struct ksm_rmap_item *item)
{
	ksm_track_set(item->slot, ksm_match_word(item),
		      ksm_word_of_item(item, KSM_TAG_STABLE));
}

/* Enter what a failure means for the page of @item. */
static void ksm_match_note_failure(struct ksm_match *m,
				   struct ksm_rmap_item *item,
				   enum ksm_result why)
{
	u64 *word = ksm_match_word(item);
	u64 new;

	if (why == KSM_RESULT_HELD)
		m->pass->held = true;
	if (!word || !ksm_word_inline(*word))
		return;
	switch (why) {
	case KSM_RESULT_GONE:
		/*
		 * The chunk stays: the slot may be another than the pass is at.
		 */
		new = 0;
		break;
	case KSM_RESULT_HELD:
	case KSM_RESULT_RETRY:
		new = ksm_state_held(*word);
		break;
	default:
		new = ksm_state_failed(*word);
	}
	ksm_track_set(item->slot, word, new);
}

static void ksm_match_give_up(struct ksm_match *m, struct ksm_rmap_item *item,
			      enum ksm_result why)
{
	ksm_match_note_failure(m, item, why);
	ksm_item_free(item);
}

/*
 * The page is in the tree already, for the other side of a fork: leave it
 * without an item.  It is called when that one leaves the tree.
 */
static void ksm_match_park(struct ksm_rmap_item *item)
{
	u64 *word = ksm_match_word(item);

	ksm_track_set(item->slot, word, ksm_state_unique(*word));
	ksm_item_free(item);
}

/* @partner became a KSM page in vain: make it an ordinary page again. */
static void ksm_match_demote(struct ksm_match *m, struct ksm_rmap_item *partner)
{
	ksm_unmerge_page(partner->slot, ksm_item_addr(partner));
	ksm_match_note_failure(m, partner, KSM_RESULT_RETRY);
	if (ksm_node_detach(partner))
		ksm_item_free(partner);
}

/* The KSM page of @node has one mapping; the candidate joins. */
static enum ksm_result ksm_match_complete_pair(struct ksm_match *m,
					       struct ksm_stable_node *node)
{
	/* The item uses its key for other things once it is attached. */
	struct ksm_key expected = m->item->key;
	enum ksm_result result;
	struct folio *folio;

	/* If the page of the node is gone, that of the candidate is not. */
	if (ksm_chain_get_readable(node, &folio) != KSM_RESULT_DONE)
		return KSM_RESULT_RETRY;
	result = ksm_chain_enlist(node, folio, &expected);
	if (result == KSM_RESULT_DONE)
		result = ksm_merge_into(m->c, m->item, node, folio);
	else
		trace_ksm_merge(m->c->slot->mm, m->c->addr, m->c->pfn,
				folio_pfn(folio), result);
	folio_put(folio);
	return result;
}

/* Make the partner a KSM page of @node, and merge the candidate with it. */
static void ksm_match_promote(struct ksm_match *m,
			      struct ksm_rmap_item *partner,
			      struct ksm_stable_node *node)
{
	enum ksm_result result;

	ksm_match_leave_tree(partner);
	result = ksm_merge_promote(&m->partner, partner, node, m->c->page);
	ksm_candidate_unpin(&m->partner);
	if (result != KSM_RESULT_DONE) {
		ksm_node_free(node);
		/* The candidate is not to blame. */
		ksm_match_give_up(m, partner, result);
		ksm_match_enqueue(m->item);
		return;
	}
	result = ksm_match_complete_pair(m, node);
	if (result == KSM_RESULT_DONE) {
		ksm_match_attached(partner);
		ksm_match_attached(m->item);
		return;
	}
	ksm_match_demote(m, partner);
	ksm_match_give_up(m, m->item, result);
}

static void ksm_match_set_partner(struct ksm_match *m,
				  const struct ksm_rmap_item *item)
{
	if (m->partner.slot == item->slot &&
	    m->partner.addr == ksm_item_addr(item))
		return;
	ksm_candidate_unpin(&m->partner);
	m->partner = (struct ksm_candidate) {
		.slot = item->slot,
		.addr = ksm_item_addr(item),
		.pfn = item->pfn,
	};
}

/* Two candidates have the same key. */
static void ksm_match_pair(struct ksm_match *m, struct ksm_rmap_item *partner)
{
	struct ksm_stable_node *node;
	enum ksm_result why;

	/* Or else the partner would be disturbed in vain. */
	if (!ksm_candidate_pin(m->c, &m->partner))
		why = KSM_RESULT_GONE;
	else if (ksm_candidate_held(m->c))
		why = KSM_RESULT_HELD;
	else
		why = KSM_RESULT_DONE;
	if (why != KSM_RESULT_DONE) {
		ksm_match_give_up(m, m->item, why);
		return;
	}
	node = ksm_node_alloc();
	if (!node) {
		ksm_match_give_up(m, m->item, KSM_RESULT_NOMEM);
		return;
	}
	ksm_match_set_partner(m, partner);
	ksm_match_promote(m, partner, node);
}

/* The only item in the tree with its probe gets a digest, or goes. */
static void ksm_match_digest_queued(struct ksm_match *m)
{
	struct ksm_rmap_item *queued = m->queued;

	if (!queued || ksm_item_has_digest(queued))
		return;
	ksm_match_set_partner(m, queued);
	/* There is no other item with this probe, so the order holds. */
	if (ksm_candidate_digest(&m->partner, m->c,
				 &queued->key.digest)) {
		queued->address |= KSM_ITEM_DIGEST;
	} else {
		ksm_match_leave_tree(queued);
		ksm_match_give_up(m, queued, KSM_RESULT_GONE);
		m->queued = NULL;
	}
}

/*
 * Other pages have the probe of the candidate: from now on pages with this
 * probe are told apart by digest.  False: the candidate is gone.
 */
static bool ksm_match_digest(struct ksm_match *m)
{
	if (!ksm_candidate_digest(m->c, NULL, &m->item->key.digest))
		return false;
	m->item->address |= KSM_ITEM_DIGEST;
	ksm_match_digest_queued(m);
	return true;
}

/* Find a KSM page.  KSM_RESULT_DIFFERENT: there is none. */
static enum ksm_result ksm_match_stable(struct ksm_match *m)
{
	struct ksm_chain *chain;

	if (!m->stable && !m->queued)
		return KSM_RESULT_DIFFERENT;
	if (!ksm_match_digest(m))
		return KSM_RESULT_GONE;
	if (!m->stable)
		return KSM_RESULT_DIFFERENT;
	/* It may be the same page, or one in the same large folio. */
	ksm_candidate_unpin(&m->partner);
	chain = ksm_chain_find(&m->item->key);
	return chain ? ksm_chain_join(chain, m->c, m->item) :
		       KSM_RESULT_DIFFERENT;
}

/* Find another candidate, or become one that can be found. */
static void ksm_match_unstable(struct ksm_match *m)
{
	struct ksm_rmap_item *partner = NULL;

	if (m->queued)
		partner = ksm_unstable_find(&m->item->key);
	if (!partner)
		ksm_match_enqueue(m->item);
	else if (partner->pfn == m->item->pfn)
		ksm_match_park(m->item);
	else
		ksm_match_pair(m, partner);
}

/*
 * Map the zero page if the candidate is all zeroes.  KSM_RESULT_DIFFERENT: it
 * is not, or that is not wanted.
 */
static enum ksm_result ksm_match_zero(struct ksm_match *m)
{
	struct ksm_slot *slot = m->c->slot;
	enum ksm_result result;

	if (!READ_ONCE(ksm_use_zero_pages) || m->c->probe !=
	    ksm_scope_zero_probe(ksm_scope_of(slot, m->c->pfn)))
		return KSM_RESULT_DIFFERENT;
	result = ksm_merge_zero(m->c, m->item);
	if (result == KSM_RESULT_DONE) {
		/* Its entry maps no page of its own now: nothing to track. */
		ksm_track_set(slot, ksm_match_word(m->item), 0);
		ksm_track_trim(slot, m->c->addr);
		ksm_item_free(m->item);
	}
	return result;
}

/* Is the only item with its probe that of the same page, by a fork? */
static bool ksm_match_queued_already(const struct ksm_match *m)
{
	return !m->stable && m->queued && !ksm_item_has_digest(m->queued) &&
	       m->queued->pfn == m->item->pfn;
}

/* Merge the candidate, or bring it into the unstable tree. */
static void ksm_match_run(struct ksm_match *m)
{
	enum ksm_result result = ksm_match_zero(m);

	if (result == KSM_RESULT_DONE)
		return;
	if (result == KSM_RESULT_DIFFERENT) {
		m->stable = ksm_stable_has(m->c->probe);
		m->queued = ksm_unstable_first(m->c->probe);
		if (ksm_match_queued_already(m)) {
			ksm_match_park(m->item);
			return;
		}
		result = ksm_match_stable(m);
	}
	if (result == KSM_RESULT_DONE)
		ksm_match_attached(m->item);
	else if (result == KSM_RESULT_DIFFERENT)
		ksm_match_unstable(m);
	else
		ksm_match_give_up(m, m->item, result);
}

/* Take or make the item of a page, whose state word is inline after that. */
static struct ksm_rmap_item *ksm_match_take_item(struct ksm_candidate *c,
						 u64 *word)
{
	struct ksm_rmap_item *item;

	if (ksm_word_unstable(*word)) {
		item = ksm_word_item(*word);
		ksm_match_dequeue(item);
		item->address &= ~KSM_ITEM_DIGEST;
	} else {
		item = ksm_item_alloc(c->slot, c->addr);
	}
	if (item)
		item->pfn = c->pfn;
	return item;
}

/* What the unstable tree has of a page; all zeroes if nothing */
struct ksm_match_trace {
	u64 pfn;
	struct ksm_key key;
};

static struct ksm_match_trace ksm_match_look_up(const struct ksm_candidate *c)
{
	u64 *word = ksm_track_word(c->slot, c->addr);
	struct ksm_match_trace trace = { };

	if (word && ksm_word_unstable(*word)) {
		trace.pfn = ksm_word_item(*word)->pfn;
		trace.key = ksm_word_item(*word)->key;
	}
	return trace;
}

/**
 * ksm_match_candidate - try to merge a candidate
 * @pass: the pass; is told of extra references
 * @c:	  the candidate, not pinned
 *
 * Context: ksm_scan_mutex held; may sleep; takes mmap_lock for reading.
 */
void ksm_match_candidate(struct ksm_pass *pass, struct ksm_candidate *c)
{
	struct ksm_match_trace before = ksm_match_look_up(c), after;
	u64 *word = ksm_track_word(c->slot, c->addr);
	struct ksm_match m = { .pass = pass, .c = c };

	lockdep_assert_held(&ksm_scan_mutex);
	/*
	 * Matching an earlier page may have changed what is known of this one.
	 */
	if (!word || !*word || ksm_word_stable(*word))
		return;
	m.item = ksm_match_take_item(c, word);
	if (!m.item)
		return;
	m.item->key.probe = c->probe;
	m.item->key.digest = 0;
	ksm_match_run(&m);
	ksm_candidate_unpin(&m.partner);
	ksm_candidate_unpin(c);
	/*
	 * A duplicate may be parked.  But if the page is in the tree as before,
	 * that is no news, or pages shared by a fork would call each other in
	 * every pass.
	 */
	after = ksm_match_look_up(c);
	if (!memcmp(&before, &after, sizeof(before)))
		return;
	if (before.pfn)
		ksm_recheck(ksm_short(before.key.probe));
	if (after.pfn)
		ksm_recheck(ksm_short(after.key.probe));
}

/* The mapping is attached; its KSM page was migrated.  False: no longer so. */
static bool ksm_match_moved(struct ksm_candidate *c, u64 word)
{
	struct ksm_rmap_item *item = ksm_word_item(word);

	if (!item->node || READ_ONCE(item->node->pfn) != c->pfn)
		return false;
	item->pfn = c->pfn;
	ksm_match_attached(item);
	ksm_chain_rehome(item->node);
	return true;
}

/* An item for a mapping that is to be attached, perhaps the one that it has */
static struct ksm_rmap_item *ksm_match_mapping_item(struct ksm_candidate *c,
						    u64 *word)
{
	struct ksm_rmap_item *item;

	if (!ksm_word_stable(*word)) {
		item = ksm_match_take_item(c, word);
		ksm_track_set(c->slot, word, 0);
		return item;
	}
	item = ksm_word_item(*word);
	ksm_track_set(c->slot, word, 0);
	return ksm_node_detach(item) ? item : ksm_item_alloc(c->slot, c->addr);
}

/**
 * ksm_match_mapping - an entry maps a KSM page that is not known there
 * @c: the mapping, not pinned
 *
 * It is there by a fork or was read from swap, or the KSM page was migrated.
 *
 * Context: ksm_scan_mutex held; may sleep; takes mmap_lock for reading.
 */
void ksm_match_mapping(struct ksm_candidate *c)
{
	struct ksm_chunk *chunk = ksm_track_chunk(c->slot, c->addr, true);
	u64 *word = ksm_track_word(c->slot, c->addr);
	struct ksm_rmap_item *item = NULL;
	enum ksm_result result;

	lockdep_assert_held(&ksm_scan_mutex);
	if (chunk && ksm_word_stable(*word) && ksm_match_moved(c, *word))
		return;
	if (chunk)
		item = ksm_match_mapping_item(c, word);
	if (!item) {
		ksm_orphan_missed();
		ksm_track_trim(c->slot, c->addr);
		return;
	}
	item->address = c->addr;
	item->pfn = c->pfn;
	result = ksm_merge_attach(c, item);
	ksm_candidate_unpin(c);
	if (result == KSM_RESULT_DONE) {
		ksm_match_attached(item);
		ksm_chain_rehome(item->node);
		return;
	}
	ksm_item_free(item);
	ksm_track_trim(c->slot, c->addr);
	/* It can be merged again once it is an ordinary page. */
	if (result == KSM_RESULT_DIFFERENT)
		ksm_unmerge_page(c->slot, c->addr);
}
