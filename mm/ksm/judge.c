// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decide what to do about one entry of a page table: from the entry and the
 * state word, later from the probe if that was asked for.
 *
 * slice.c tells what it has seen.  What is to be done is entered into the
 * slice's plan, or becomes a job for when no lock is held.  Contents are not
 * read here, nor are page tables changed.
 */
#include "internal.h"
#include "judge.h"

static void ksm_judge_set(const struct ksm_slice *s, unsigned int i, u64 new)
{
	ksm_track_set(s->v->slot, ksm_slice_word(s, i), new);
}

static void ksm_judge_add_job(struct ksm_slice *s, const struct ksm_job *job)
{
	s->v->job[s->v->nr_jobs++] = *job;
}

/* The item in the unstable tree goes; @word is what it leaves behind. */
static void ksm_judge_free_item(const struct ksm_slice *s, unsigned int i,
				u64 word)
{
	struct ksm_rmap_item *item = ksm_word_item(*ksm_slice_word(s, i));

	ksm_unstable_erase(item);
	ksm_judge_set(s, i, word);
	ksm_item_free(item);
}

/* The same, where mappings of its page by forks may be parked */
static void ksm_judge_leave_tree(const struct ksm_slice *s, unsigned int i,
				 u64 word)
{
	u64 key = ksm_slice_known(s, i);

	ksm_judge_free_item(s, i, word);
	ksm_recheck(ksm_word_short(key));
}

/**
 * ksm_judge_lost - there is no page that could be merged
 * @s: the slice
 * @i: the entry
 *
 * Context: ksm_scan_mutex and page table lock held.
 */
void ksm_judge_lost(struct ksm_slice *s, unsigned int i)
{
	u64 *word = ksm_slice_word(s, i);
	u64 old = word ? *word : 0;

	lockdep_assert_held(&ksm_scan_mutex);
	if (!old)
		return;
	if (ksm_word_unstable(old)) {
		ksm_judge_leave_tree(s, i, 0);
		return;
	}
	ksm_judge_set(s, i, 0);
	if (ksm_word_stable(old))
		ksm_judge_add_job(s, &(struct ksm_job) {
			.kind = KSM_JOB_DETACH,
			.item = ksm_word_item(old),
		});
}

static void ksm_judge_plan_probe(struct ksm_slice *s, unsigned int i,
				 enum ksm_verdict verdict)
{
	s->verdict[i] = verdict;
	s->probe |= BIT_ULL(i);
}

static void ksm_judge_plan_test(struct ksm_slice *s, unsigned int i,
				enum ksm_verdict verdict, bool dirty)
{
	s->verdict[i] = verdict;
	s->test |= BIT_ULL(i);
	if (dirty)
		s->dirty |= BIT_ULL(i);
}

/* Is this the zero page's key, and may it be mapped? */
static bool ksm_judge_zero_key(const struct ksm_slice *s, u32 short_key,
			       unsigned long pfn)
{
	struct ksm_scope scope;

	if (!READ_ONCE(ksm_use_zero_pages) || !ksm_vma_takes_zero_page(s->vma))
		return false;
	scope = ksm_scope_of(s->v->slot, pfn);
	return short_key == ksm_short(ksm_scope_zero_probe(scope));
}

static bool ksm_judge_has_duplicate(const struct ksm_slice *s, u32 short_key,
				    unsigned long pfn)
{
	return ksm_filter_may_match(short_key) ||
	       ksm_judge_zero_key(s, short_key, pfn);
}

/**
 * ksm_judge_asked - ask the filter about an unchanged page
 * @s:	 the slice
 * @i:	 the entry, of which ksm_triage_asks() is true
 * @pfn: page frame number in the entry
 *
 * The answer is in the state word and the filter.  Struct page is not touched,
 * unless NUMA nodes keep their pages of zeroes apart.
 *
 * Context: ksm_scan_mutex and page table lock held.
 * Return: true if no other page has its key, so that nothing is left to do.
 */
bool ksm_judge_asked(struct ksm_slice *s, unsigned int i, unsigned long pfn)
{
	u64 word = *ksm_slice_word(s, i);

	lockdep_assert_held(&ksm_scan_mutex);
	if (ksm_judge_has_duplicate(s, ksm_word_short(word), pfn))
		return false;
	if (word & KSM_WORD_LOOKUP)
		ksm_judge_set(s, i, ksm_state_unique(word));
	return true;
}

/* A page without item that is unchanged, by its entry alone */
static void ksm_judge_unchanged(struct ksm_slice *s, unsigned int i, u64 word)
{
	unsigned long pfn = page_to_pfn(s->page[i]);
	bool due = ksm_state_lookup_due(&word, ksm_recheck_due(s->rechecks,
							       word));

	if (due && ksm_judge_has_duplicate(s, ksm_word_short(word), pfn)) {
		s->work |= BIT_ULL(i);
		ksm_judge_plan_probe(s, i, KSM_VERDICT_VERIFY);
	} else {
		s->skipped++;
		if (due)
			word = ksm_state_unique(word);
	}
	ksm_judge_set(s, i, word);
}

/* Carry out the verdict about a page without item, whose word is @word now. */
static void ksm_judge_inline(struct ksm_slice *s, unsigned int i, u64 word,
			     enum ksm_verdict verdict,
			     const struct ksm_observation *seen)
{
	switch (verdict) {
	case KSM_VERDICT_UNCHANGED:
		ksm_judge_unchanged(s, i, word);
		return;
	case KSM_VERDICT_DEFER:
		s->skipped++;
		ksm_judge_set(s, i, word);
		return;
	case KSM_VERDICT_NEW:
		s->v->pass->new_pages++;
		fallthrough;
	case KSM_VERDICT_CHANGED:
		s->work |= BIT_ULL(i);
		break;
	case KSM_VERDICT_PROVE:
	case KSM_VERDICT_PEEK:
		ksm_judge_plan_test(s, i, verdict, seen->dirty && seen->trust);
		ksm_judge_set(s, i, word);
		return;
	case KSM_VERDICT_MOVED:
		break;
	case KSM_VERDICT_VERIFY:
		/* If it turns out to be unchanged, it was no work. */
		if (!seen->smart)
			s->work |= BIT_ULL(i);
		break;
	}
	ksm_judge_set(s, i, word);
	ksm_judge_plan_probe(s, i, verdict);
}

/* May the stable tree have got room for the page since it was last visited? */
static bool ksm_judge_may_join(const struct ksm_slice *s,
			       const struct ksm_rmap_item *item)
{
	return ksm_recheck_due(s->rechecks, ksm_item_word(item)) &&
	       ksm_stable_has(item->key.probe);
}

/* Carry out the verdict about a page that stays in the unstable tree. */
static void ksm_judge_queued(struct ksm_slice *s, unsigned int i, u64 word,
			     enum ksm_verdict verdict,
			     const struct ksm_observation *seen)
{
	struct ksm_rmap_item *item = ksm_word_item(*ksm_slice_word(s, i));

	ksm_item_set_word(item, word);
	switch (verdict) {
	case KSM_VERDICT_UNCHANGED:
		if (ksm_judge_may_join(s, item))
			ksm_judge_plan_probe(s, i, KSM_VERDICT_VERIFY);
		else
			s->skipped++;
		break;
	case KSM_VERDICT_PROVE:
		ksm_judge_plan_test(s, i, verdict, seen->dirty && seen->trust);
		break;
	default:
		if (!seen->smart)
			s->work |= BIT_ULL(i);
		ksm_judge_plan_probe(s, i, verdict);
	}
}

/* May a page stay in the unstable tree after this verdict? */
static bool ksm_judge_stays_queued(enum ksm_verdict verdict)
{
	return verdict == KSM_VERDICT_UNCHANGED ||
	       verdict == KSM_VERDICT_VERIFY || verdict == KSM_VERDICT_PROVE;
}

/* A page that is not merged */
static void ksm_judge_private(struct ksm_slice *s, unsigned int i,
			      const struct ksm_observation *seen)
{
	bool queued = ksm_word_unstable(*ksm_slice_word(s, i));
	u64 known = ksm_slice_known(s, i), word;
	enum ksm_verdict verdict;

	word = ksm_state_judge(known, seen, &verdict);
	if (queued && ksm_judge_stays_queued(verdict)) {
		ksm_judge_queued(s, i, word, verdict, seen);
		return;
	}
	if (queued)
		ksm_judge_leave_tree(s, i, known);
	ksm_judge_inline(s, i, word, verdict, seen);
}

/* Does the item of a mapping have this KSM page? */
static bool ksm_judge_is_attached(u64 word, unsigned long pfn)
{
	const struct ksm_rmap_item *item;

	if (!ksm_word_stable(word))
		return false;
	item = ksm_word_item(word);
	return item->pfn == pfn && item->node &&
	       READ_ONCE(item->node->pfn) == pfn;
}

static void ksm_judge_ksm_page(struct ksm_slice *s, unsigned int i)
{
	unsigned long pfn = page_to_pfn(s->page[i]);

	if (ksm_judge_is_attached(*ksm_slice_word(s, i), pfn)) {
		s->skipped++;
		return;
	}
	s->work |= BIT_ULL(i);
	ksm_judge_add_job(s, &(struct ksm_job) {
		.kind = KSM_JOB_MAPPING,
		.addr = ksm_slice_addr(s, i),
		.pfn = pfn,
	});
}

/**
 * ksm_judge_page - decide what to do about a page
 * @s:     the slice; the plan is entered there
 * @i:     the entry, which maps s->page[i]
 * @dirty: its dirty bit
 * @joint: which is that of several pages
 *
 * Context: ksm_scan_mutex and page table lock held.
 */
void ksm_judge_page(struct ksm_slice *s, unsigned int i, bool dirty,
		    bool joint)
{
	struct page *page = s->page[i];
	struct ksm_observation seen = {
		.pfn = page_to_pfn(page),
		/* Such a bit proves "clean", and nothing else. */
		.dirty = dirty && !joint,
		.trust = s->v->trust && !(dirty && joint),
		.smart = s->v->smart,
		.renew = s->renew,
		.joint = joint,
	};

	lockdep_assert_held(&ksm_scan_mutex);
	if (PageKsm(page)) {
		/*
		 * Left by a fork: the folio is dirty, its entries need not be
		 */
		if (seen.dirty)
			s->clean |= BIT_ULL(i);
		ksm_judge_ksm_page(s, i);
		return;
	}
	/* Written to: its mapping of the KSM page is gone. */
	if (ksm_word_stable(*ksm_slice_word(s, i)))
		ksm_judge_lost(s, i);
	ksm_judge_private(s, i, &seen);
}

static void ksm_judge_hand_on(struct ksm_slice *s, unsigned int i, u64 probe)
{
	s->work |= BIT_ULL(i);
	ksm_judge_add_job(s, &(struct ksm_job) {
		.kind = KSM_JOB_CANDIDATE,
		.addr = ksm_slice_addr(s, i),
		.pfn = page_to_pfn(s->page[i]),
		.probe = probe,
	});
}

/* With smart_scan=0 the whole key is taken again. */
static bool ksm_judge_renews_digest(const struct ksm_slice *s,
				    const struct ksm_rmap_item *item)
{
	return !s->v->smart && ksm_item_has_digest(item);
}

/* The probe of a page in the unstable tree is what it was. */
static void ksm_judge_still_queued(struct ksm_slice *s, unsigned int i,
				   u64 probe)
{
	struct ksm_rmap_item *item = ksm_word_item(*ksm_slice_word(s, i));

	/* Without a duplicate it needs no item, and no fork of it is parked. */
	if (!ksm_judge_has_duplicate(s, ksm_short(probe), item->pfn))
		ksm_judge_free_item(s, i,
				    ksm_state_unique(ksm_item_word(item)));
	else if (s->renew || ksm_judge_may_join(s, item) ||
		 ksm_judge_renews_digest(s, item))
		ksm_judge_hand_on(s, i, probe);
}

static void ksm_judge_probe_queued(struct ksm_slice *s, unsigned int i,
				   u64 probe)
{
	struct ksm_rmap_item *item = ksm_word_item(*ksm_slice_word(s, i));
	u64 known = ksm_item_word(item), word;
	bool changed;

	word = ksm_state_probed(known, s->verdict[i], ksm_short(probe),
				&changed);
	/* The rest of the probe is in the key only. */
	if (!changed && item->key.probe == probe) {
		ksm_item_set_word(item, word);
		ksm_judge_still_queued(s, i, probe);
		return;
	}
	s->work |= BIT_ULL(i);
	ksm_judge_leave_tree(s, i, known);
	ksm_judge_set(s, i, word);
}

/*
 * Look for a duplicate of a page without item.  Return: its word, which
 * remembers that it may have one, in case there is no memory for the item.
 */
static u64 ksm_judge_look(struct ksm_slice *s, unsigned int i, u64 probe,
			  u64 word)
{
	if (!ksm_judge_has_duplicate(s, ksm_short(probe),
				     page_to_pfn(s->page[i])))
		return ksm_state_unique(word);
	ksm_judge_hand_on(s, i, probe);
	return word | KSM_WORD_LOOKUP;
}

/*
 * A page has another frame than at the last visit.  It looks for a duplicate
 * when it is quiet, so a call has to be remembered until then.
 */
static void ksm_judge_moved(struct ksm_slice *s, unsigned int i, bool changed)
{
	u64 word = *ksm_slice_word(s, i);

	if (changed) {
		s->v->pass->new_pages++;
		s->work |= BIT_ULL(i);
	} else if (ksm_recheck_due(s->rechecks, word)) {
		ksm_judge_set(s, i, word | KSM_WORD_LOOKUP);
	}
}

static void ksm_judge_probe_inline(struct ksm_slice *s, unsigned int i,
				   u64 probe)
{
	u32 short_key = ksm_short(probe);
	bool changed, due;
	u64 word;

	word = ksm_state_probed(*ksm_slice_word(s, i), s->verdict[i], short_key,
				&changed);
	/* Enter the key first, so that the filter counts this page itself. */
	ksm_judge_set(s, i, word);
	if (s->verdict[i] == KSM_VERDICT_MOVED) {
		ksm_judge_moved(s, i, changed);
		return;
	}
	if (changed) {
		/* To peek at a volatile page takes no more than to skip it. */
		if (ksm_word_streak(word) < KSM_STREAK_VOLATILE)
			s->work |= BIT_ULL(i);
		return;
	}
	due = ksm_state_lookup_due(&word, ksm_recheck_due(s->rechecks, word)) ||
	      !s->v->smart || s->renew;
	if (due)
		word = ksm_judge_look(s, i, probe, word);
	ksm_judge_set(s, i, word);
}

/**
 * ksm_judge_probe - decide what follows from the probe of a page
 * @s:     the slice; gets a job if the page is a candidate
 * @i:     the entry
 * @probe: of its page, scoped
 *
 * Context: ksm_scan_mutex and page table lock held.
 */
void ksm_judge_probe(struct ksm_slice *s, unsigned int i, u64 probe)
{
	lockdep_assert_held(&ksm_scan_mutex);
	if (ksm_word_unstable(*ksm_slice_word(s, i)))
		ksm_judge_probe_queued(s, i, probe);
	else
		ksm_judge_probe_inline(s, i, probe);
}
