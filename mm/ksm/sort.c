// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first look at a slice: about which of its entries is there anything to
 * do?
 *
 * Mostly about none, and what is done for each entry here is most of what a
 * pass takes.  So there is no branch on what differs from page to page, and
 * struct page is not touched until a page is to be judged.
 */
#include <linux/mm.h>
#include <linux/prefetch.h>

#include "entry.h"
#include "internal.h"
#include "judge.h"
#include "slice.h"

static struct ksm_triage ksm_sort_triage(const struct ksm_slice *s)
{
	const struct ksm_visit *v = s->v;
	struct ksm_observation seen = {
		.trust = v->trust, .smart = v->smart, .renew = s->renew,
	};

	return ksm_triage_init(&seen, s->rechecks);
}

/*
 * Is there nothing to do about a page that has no item or is merged?  Not a
 * branch on what differs from page to page, see ksm_triage_inline().
 */
static bool ksm_sort_skips(const struct ksm_slice *s,
			   const struct ksm_triage *t, pte_t pte, u64 word)
{
	bool dirty = pte_dirty(pte), writable = pte_write(pte);
	u16 pfn = pte_pfn(pte);
	bool merged, alone;

	merged = ksm_triage_stable(t, word, pfn, dirty, writable);
	alone = ksm_triage_inline(t, word, pfn, dirty,
				  ksm_slice_in_block(s, pte));
	return ksm_entry_may_have_page(pte) & (merged | alone);
}

/* Read the entries.  Return: those about which there is nothing to do. */
static u64 ksm_sort_read(const struct ksm_slice *s, const struct ksm_triage *t,
			 pte_t *pte)
{
	unsigned int i;
	u64 skip = 0;

	for (i = s->first; i < s->end; i++) {
		const u64 *word = ksm_slice_word(s, i);

		pte[i] = ptep_get(s->ptep + i - s->first);
		if (word)
			skip |= (u64)ksm_sort_skips(s, t, pte[i], *word) << i;
	}
	return skip;
}

/* The same for a page in the unstable tree; there are few of those. */
static bool ksm_sort_skips_queued(const struct ksm_slice *s,
				  const struct ksm_triage *t, pte_t pte,
				  u64 word)
{
	const struct ksm_rmap_item *item;

	if (!t->skip_clean || !ksm_word_unstable(word))
		return false;
	item = ksm_word_item(word);
	return item->pfn == pte_pfn(pte) &&
	       ksm_triage_unstable(t, ksm_item_word(item), pte_pfn(pte),
				   pte_dirty(pte), ksm_slice_in_block(s, pte));
}

enum ksm_turn {
	KSM_TURN_IGNORE,	/* leave all as it is */
	KSM_TURN_LOST,		/* there is no page */
	KSM_TURN_SKIP,		/* there is nothing to do */
	KSM_TURN_DEFER,		/* one visit less to wait */
	KSM_TURN_JUDGE,
};

static enum ksm_turn ksm_sort_turn(const struct ksm_slice *s,
				   const struct ksm_triage *t, pte_t pte,
				   const u64 *word)
{
	if (ksm_entry_is_migrating(pte))
		return KSM_TURN_IGNORE;
	/* So is what a device has, but that is no KSM page any more. */
	if (ksm_entry_is_lent(pte) && word && !ksm_word_stable(*word))
		return KSM_TURN_IGNORE;
	if (!ksm_entry_may_have_page(pte))
		return KSM_TURN_LOST;
	if (!word)
		return KSM_TURN_IGNORE;
	if (ksm_sort_skips_queued(s, t, pte, *word))
		return KSM_TURN_SKIP;
	return ksm_triage_defers(t, *word, pte_pfn(pte)) ? KSM_TURN_DEFER :
							   KSM_TURN_JUDGE;
}

/* Is the filter all that is to be asked about the page? */
static bool ksm_sort_asks(const struct ksm_slice *s,
			  const struct ksm_triage *t, pte_t pte, u64 word)
{
	return ksm_entry_may_have_page(pte) &&
	       ksm_triage_asks(t, word, pte_pfn(pte), pte_dirty(pte),
			       ksm_slice_in_block(s, pte));
}

/*
 * Announce the items and the filter's cache lines that the turns of these
 * entries need.  Return: those about which the filter is to be asked.
 */
static u64 ksm_sort_announce(const struct ksm_slice *s,
			     const struct ksm_triage *t, const pte_t *pte,
			     u64 todo)
{
	const u64 *word;
	unsigned int i;
	u64 ask = 0;

	for (; todo; todo &= todo - 1) {
		i = __ffs64(todo);
		word = ksm_slice_word(s, i);
		if (!word)
			continue;
		if (ksm_word_unstable(*word)) {
			prefetch(ksm_word_item(*word));
		} else if (ksm_sort_asks(s, t, pte[i], *word)) {
			ksm_filter_prefetch(ksm_word_short(*word));
			ask |= BIT_ULL(i);
		}
	}
	return ask;
}

/* Ask the filter.  Return: the pages that no other page is like. */
static u64 ksm_sort_ask(struct ksm_slice *s, const pte_t *pte, u64 ask)
{
	unsigned int i;
	u64 alone = 0;

	for (; ask; ask &= ask - 1) {
		i = __ffs64(ask);
		if (ksm_judge_asked(s, i, pte_pfn(pte[i])))
			alone |= BIT_ULL(i);
	}
	return alone;
}

/* The page may have been called, and has not heard it. */
static void ksm_sort_missed(const struct ksm_slice *s, unsigned int i)
{
	const u64 *word = ksm_slice_word(s, i);

	if (word && *word)
		s->v->pass->missed = true;
}

static void ksm_sort_take_turn(struct ksm_slice *s, unsigned int i, pte_t pte,
			       enum ksm_turn turn)
{
	switch (turn) {
	case KSM_TURN_LOST:
		ksm_judge_lost(s, i);
		break;
	case KSM_TURN_SKIP:
		s->skip |= BIT_ULL(i);
		break;
	case KSM_TURN_DEFER:
		s->defer |= BIT_ULL(i);
		break;
	case KSM_TURN_JUDGE:
		s->judge |= BIT_ULL(i);
		s->page[i] = vm_normal_page(s->vma, ksm_slice_addr(s, i), pte);
		prefetch(s->page[i]);
		break;
	case KSM_TURN_IGNORE:
		ksm_sort_missed(s, i);
		break;
	}
}

/**
 * ksm_sort - find the entries of a table that need something done
 * @s:	 the slice; gets what is to be skipped, deferred or judged, with pages
 * @pte: filled in with the entries from @s->first to @s->end - 1
 *
 * Pages of which only the filter had to be asked are skipped after that.
 *
 * Context: ksm_scan_mutex and page table lock held.
 */
void ksm_sort(struct ksm_slice *s, pte_t *pte)
{
	u64 all = GENMASK_ULL(s->end - 1, s->first), todo;
	struct ksm_triage t = ksm_sort_triage(s);
	enum ksm_turn turn;
	unsigned int i;

	lockdep_assert_held(&ksm_scan_mutex);
	todo = all & ~ksm_sort_read(s, &t, pte);
	todo &= ~ksm_sort_ask(s, pte, ksm_sort_announce(s, &t, pte, todo));
	s->skip = all & ~todo;
	for (; todo; todo &= todo - 1) {
		i = __ffs64(todo);
		turn = ksm_sort_turn(s, &t, pte[i], ksm_slice_word(s, i));
		ksm_sort_take_turn(s, i, pte[i], turn);
	}
}
