// SPDX-License-Identifier: GPL-2.0-only
/*
 * What to think of one entry of a page table: from the entry and the state
 * word, later from the probe if that was asked for.
 *
 * slice.c says what it saw; what is to be done about it is entered into the
 * slice's plan, or becomes a job when no lock is held.  Page contents are not
 * read here, nor page tables changed.
 */
#include "internal.h"
#include "judge.h"

static void add_job(struct ksm_slice *s, const struct ksm_job *job)
{
	s->v->job[s->v->nr_jobs++] = *job;
}

/* An item in the unstable tree goes; @word is what it leaves behind. */
static void free_unstable(const struct ksm_slice *s, unsigned int i, u64 word)
{
	struct ksm_rmap_item *item = ksm_word_item(*ksm_slice_word(s, i));

	ksm_unstable_erase(item);
	ksm_slice_set(s, i, word);
	ksm_item_free(item);
}

/* The same, where relatives of its page may stand by to take its place */
static void drop_unstable(const struct ksm_slice *s, unsigned int i, u64 word)
{
	free_unstable(s, i, word);
	ksm_filter_epoch++;
}

/**
 * ksm_judge_lost - the page table has no page here that could be merged
 * @s: the slice
 * @i: the entry
 *
 * Context: ksm_scan_mutex and page table lock held.
 */
void ksm_judge_lost(struct ksm_slice *s, unsigned int i)
{
	u64 *word = ksm_slice_word(s, i);
	u64 old = word ? *word : 0;

	if (!old)
		return;
	if (ksm_word_tag(old) == KSM_TAG_UNSTABLE) {
		drop_unstable(s, i, 0);
		return;
	}
	ksm_slice_set(s, i, 0);
	if (ksm_word_tag(old) == KSM_TAG_STABLE)
		add_job(s, &(struct ksm_job) {
			.kind = KSM_JOB_DETACH,
			.item = ksm_word_item(old),
		});
}

static void plan_probe(struct ksm_slice *s, unsigned int i,
		       enum ksm_verdict verdict)
{
	s->verdict[i] = verdict;
	s->probe |= BIT_ULL(i);
}

static void plan_test(struct ksm_slice *s, unsigned int i,
		      enum ksm_verdict verdict, bool dirty)
{
	s->verdict[i] = verdict;
	s->test |= BIT_ULL(i);
	if (dirty)
		s->dirty |= BIT_ULL(i);
}

/* Is this the zero page's key, and may it be mapped? */
static bool zero_key(const struct ksm_slice *s, u32 short_key,
		     unsigned long pfn)
{
	return READ_ONCE(ksm_use_zero_pages) &&
	       ksm_vma_takes_zero_page(s->vma) &&
	       short_key == ksm_short(ksm_probe_of_zero_page(s->v->slot->mm,
							     pfn));
}

static bool has_like(const struct ksm_slice *s, u32 short_key,
		     unsigned long pfn)
{
	return ksm_filter_shared(short_key) || zero_key(s, short_key, pfn);
}

/* An unchanged page, by its entry alone. */
static void judge_unchanged(struct ksm_slice *s, unsigned int i, u64 word)
{
	unsigned long pfn = page_to_pfn(s->page[i]);
	bool looks = ksm_state_looks(&word, ksm_filter_moved(s->v));

	if (looks && has_like(s, ksm_word_short(word), pfn)) {
		s->work |= BIT_ULL(i);
		plan_probe(s, i, KSM_VERIFY);
	} else {
		s->skipped++;
		if (looks)
			word = ksm_state_unmatched(word);
	}
	ksm_slice_set(s, i, word);
}

/* A page without an item */
static void judge_inline(struct ksm_slice *s, unsigned int i, u64 word,
			 const struct ksm_look *look)
{
	enum ksm_verdict verdict;

	word = ksm_state_judge(word, look, &verdict);
	switch (verdict) {
	case KSM_UNCHANGED:
		judge_unchanged(s, i, word);
		return;
	case KSM_PASS_OVER:
		s->skipped++;
		ksm_slice_set(s, i, word);
		return;
	case KSM_NEW:
		ksm_cursor.new_pages++;
		fallthrough;
	case KSM_CHANGED:
		s->work |= BIT_ULL(i);
		break;
	case KSM_PROVE:
	case KSM_PEEK:
		plan_test(s, i, verdict, look->dirty && look->trust);
		ksm_slice_set(s, i, word);
		return;
	case KSM_VERIFY:
		/* If it turns out to be unchanged, it was no work. */
		if (!look->patient)
			s->work |= BIT_ULL(i);
		break;
	}
	ksm_slice_set(s, i, word);
	plan_probe(s, i, verdict);
}

/* Has there been room for it in the stable tree since it was last seen? */
static bool may_join(const struct ksm_slice *s,
		     const struct ksm_rmap_item *item)
{
	return ksm_room_moved(s->v) && ksm_stable_has(item->key.probe);
}

/* A page that waits in the unstable tree for its like */
static void judge_unstable(struct ksm_slice *s, unsigned int i,
			   const struct ksm_look *look)
{
	struct ksm_rmap_item *item = ksm_word_item(*ksm_slice_word(s, i));
	unsigned long pfn = page_to_pfn(s->page[i]);
	bool was_shared = item->address & KSM_ITEM_SHARED;
	u64 word;

	item->address &= ~KSM_ITEM_SHARED;
	if (look->shared)
		item->address |= KSM_ITEM_SHARED;
	if (!look->dirty)
		item->address &= ~KSM_ITEM_RUN;
	if (item->pfn == pfn && look->trust && look->dirty && was_shared) {
		/* An entry of its own, with the dirty bit of all others. */
		s->clean |= BIT_ULL(i);
		plan_probe(s, i, KSM_VERIFY);
	} else if (item->pfn == pfn && !look->trust) {
		/* Only its probe can tell. */
		if (!look->patient)
			s->work |= BIT_ULL(i);
		plan_probe(s, i, KSM_VERIFY);
	} else if (item->pfn == pfn && !look->dirty) {
		if (look->renew || may_join(s, item))
			plan_probe(s, i, KSM_VERIFY);
		else
			s->skipped++;
	} else {
		word = item->pfn == pfn ? ksm_item_word(item) : 0;
		drop_unstable(s, i, word);
		judge_inline(s, i, word, look);
	}
}

static void judge_ksm_page(struct ksm_slice *s, unsigned int i)
{
	unsigned long pfn = page_to_pfn(s->page[i]);
	u64 word = *ksm_slice_word(s, i);

	if (ksm_word_tag(word) == KSM_TAG_STABLE) {
		struct ksm_rmap_item *item = ksm_word_item(word);

		if (item->pfn == pfn && item->node &&
		    READ_ONCE(item->node->pfn) == pfn) {
			s->skipped++;
			return;
		}
	}
	s->work |= BIT_ULL(i);
	add_job(s, &(struct ksm_job) {
		.kind = KSM_JOB_JOIN,
		.addr = ksm_slice_addr(s, i),
		.pfn = pfn,
	});
}

/**
 * ksm_judge_page - what is to be done about a page
 * @s:      the slice; the plan is entered there
 * @i:      the entry, which maps s->page[i]
 * @dirty:  its dirty bit
 * @shared: which is one for several pages
 *
 * Context: ksm_scan_mutex and page table lock held.
 */
void ksm_judge_page(struct ksm_slice *s, unsigned int i, bool dirty,
		    bool shared)
{
	struct page *page = s->page[i];
	struct ksm_look look = {
		.pfn = page_to_pfn(page),
		/* Such a bit proves "clean", and nothing else. */
		.dirty = dirty && !shared,
		.trust = s->v->trust && !(dirty && shared),
		.shared = shared,
		.patient = s->v->patient,
		.renew = s->renew,
	};
	u64 word;

	if (PageKsm(page)) {
		/* Left by a fork: the folio is dirty, its entries need not be */
		if (look.dirty)
			s->clean |= BIT_ULL(i);
		judge_ksm_page(s, i);
		return;
	}
	word = *ksm_slice_word(s, i);
	if (ksm_word_tag(word) == KSM_TAG_UNSTABLE) {
		judge_unstable(s, i, &look);
		return;
	}
	if (ksm_word_tag(word) == KSM_TAG_STABLE) {
		/* Written to: its mapping of the KSM page is gone. */
		ksm_judge_lost(s, i);
		word = 0;
	}
	judge_inline(s, i, word, &look);
}

static void hand_on(struct ksm_slice *s, unsigned int i, u64 probe)
{
	s->work |= BIT_ULL(i);
	add_job(s, &(struct ksm_job) {
		.kind = KSM_JOB_CANDIDATE,
		.addr = ksm_slice_addr(s, i),
		.pfn = page_to_pfn(s->page[i]),
		.probe = probe,
	});
}

/* With smart_scan=0 a key is taken anew as a whole. */
static bool stale_digest(const struct ksm_slice *s,
			 const struct ksm_rmap_item *item)
{
	return !s->v->patient && (item->address & KSM_ITEM_DIGEST);
}

static void probed_unstable(struct ksm_slice *s, unsigned int i, u64 probe)
{
	struct ksm_rmap_item *item = ksm_word_item(*ksm_slice_word(s, i));
	u64 word;
	bool changed;

	word = ksm_item_word(item);
	if (item->key.probe == probe) {
		/* Who has lost his like needs no item, and has no relatives. */
		if (!has_like(s, ksm_short(probe), item->pfn))
			free_unstable(s, i, ksm_state_unmatched(word));
		else if (s->renew || may_join(s, item) ||
			 stale_digest(s, item))
			hand_on(s, i, probe);
		return;
	}
	s->work |= BIT_ULL(i);
	drop_unstable(s, i, word);
	word = ksm_state_probed(word, KSM_VERIFY, ksm_short(probe), &changed);
	ksm_slice_set(s, i, word);
}

static void probed_inline(struct ksm_slice *s, unsigned int i, u64 probe)
{
	u32 short_key = ksm_short(probe);
	bool changed, looks;
	u64 word;

	word = ksm_state_probed(*ksm_slice_word(s, i), s->verdict[i], short_key,
				&changed);
	/* Enter the key first, so that the filter counts this page itself. */
	ksm_slice_set(s, i, word);
	if (changed) {
		/* A volatile page is looked at for a moment, as others are. */
		if (ksm_word_run(word) < KSM_RUN_VOLATILE)
			s->work |= BIT_ULL(i);
		return;
	}
	looks = ksm_state_looks(&word, ksm_filter_moved(s->v)) ||
		!s->v->patient || s->renew;
	if (looks && has_like(s, short_key, page_to_pfn(s->page[i])))
		hand_on(s, i, probe);
	else if (looks)
		word = ksm_state_unmatched(word);
	ksm_slice_set(s, i, word);
}

/**
 * ksm_judge_probe - what follows from the probe of a page
 * @s:     the slice; gets a job if the page is a candidate
 * @i:     the entry
 * @probe: of its page, scoped
 *
 * Context: ksm_scan_mutex and page table lock held.
 */
void ksm_judge_probe(struct ksm_slice *s, unsigned int i, u64 probe)
{
	if (ksm_word_tag(*ksm_slice_word(s, i)) == KSM_TAG_UNSTABLE)
		probed_unstable(s, i, probe);
	else
		probed_inline(s, i, probe);
}
