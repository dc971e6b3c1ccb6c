// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walk over the registered memory, and hand on what deserves a closer look.
 *
 * The page tables are read in slices of up to 64 entries.  Under one hold of
 * the page table lock, in this order:
 *
 *  1. read the entries;
 *  2. judge each page from what was read;
 *  3. where a dirty bit is to be cleared: mark the folio dirty, then clean the
 *     entry;
 *  4. flush the TLBs, before the lock is dropped: reclaim and MADV_FREE leave
 *     out their own flush where they see a clean entry, so that a store
 *     through a stale entry would be lost;
 *  5. only now read content: what is written from here on sets the bit again.
 *
 * What comes out is a list of jobs: address, page frame number and probe, but
 * no reference and no lock.  They are done after mmap_lock was dropped, by
 * match.c, which finds everything again.
 *
 * The chunks of state words and the page tables are walked side by side, both
 * in order of address; words without a page are dropped on the way.
 */
#include <linux/freezer.h>
#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/memremap.h>
#include <linux/mmu_notifier.h>
#include <linux/pagewalk.h>
#include <linux/prefetch.h>
#include <linux/sched/clock.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <asm/tlbflush.h>

#include "../internal.h"
#include "internal.h"

#define SLICE		64
#define SLICE_BYTES	(SLICE * PAGE_SIZE)
#define SLICE_CHUNKS	(SLICE / KSM_CHUNK_PAGES)

/* Probes are announced to the cache this many pages ahead. */
#define PREFETCH_AHEAD	6

/* Every so many passes a key is taken again, whatever the dirty bit says. */
#define RENEW_PASSES	16

enum job_kind {
	JOB_CANDIDATE,	/* unchanged, and may have a like */
	JOB_JOIN,	/* maps a KSM page that is not known there */
	JOB_DETACH,	/* an item that no longer maps its KSM page */
};

struct job {
	enum job_kind kind;
	unsigned long addr;
	unsigned long pfn;
	u64 probe;
	struct ksm_rmap_item *item;
};

/* A slice leaves at most two jobs per entry; ksm_scan_mutex. */
static struct job jobs[4 * SLICE];
static unsigned int nr_jobs;

/* Going through one mm */
struct walk {
	struct ksm_slot *slot;
	struct ksm_pace *pace;
	unsigned long worked;	/* pages read, searched or merged */
	bool patient;		/* smart_scan */
	bool trust;		/* dirty bits tell of every write */
};

/* Up to SLICE neighbouring entries */
struct slice {
	struct walk *w;
	struct vm_area_struct *vma;
	unsigned long base;		/* address of entry 0 */
	unsigned int first, end;	/* entries that are looked at */
	pte_t *ptep;			/* entry @first; NULL: a huge page */
	struct ksm_chunk *chunk[SLICE_CHUNKS];
	struct page *page[SLICE];
	u8 verdict[SLICE];
	u64 clean;			/* entries whose dirty bit goes */
	u64 probe;			/* entries whose page is read */
	u64 renew;			/* entries whose key is taken again */
	u64 work;			/* entries that use up the pace */
	unsigned int skipped;
};

static void add_job(enum job_kind kind, unsigned long addr, unsigned long pfn,
		    u64 probe)
{
	struct job *job = &jobs[nr_jobs++];

	job->kind = kind;
	job->addr = addr;
	job->pfn = pfn;
	job->probe = probe;
}

static void add_detach(struct ksm_rmap_item *item)
{
	struct job *job = &jobs[nr_jobs++];

	job->kind = JOB_DETACH;
	job->item = item;
}

static unsigned long entry_addr(const struct slice *s, unsigned int i)
{
	return s->base + i * PAGE_SIZE;
}

static u64 *entry_word(const struct slice *s, unsigned int i)
{
	struct ksm_chunk *chunk = s->chunk[i / KSM_CHUNK_PAGES];

	return chunk ? &chunk->word[i % KSM_CHUNK_PAGES] : NULL;
}

static void set_word(const struct slice *s, unsigned int i, u64 new)
{
	ksm_track_set(s->w->slot, entry_word(s, i), new);
}

/* An item in the unstable tree goes; @word is what it leaves behind. */
static void drop_unstable(const struct slice *s, unsigned int i, u64 word)
{
	struct ksm_rmap_item *item = ksm_word_item(*entry_word(s, i));

	ksm_unstable_erase(item);
	set_word(s, i, word);
	ksm_item_free(item);
}

/* The page table has no page for entry @i that could be merged. */
static void lose(const struct slice *s, unsigned int i)
{
	u64 *word = entry_word(s, i);
	u64 old = word ? *word : 0;

	if (!old)
		return;
	if (ksm_word_tag(old) == KSM_TAG_UNSTABLE) {
		drop_unstable(s, i, 0);
		return;
	}
	set_word(s, i, 0);
	if (ksm_word_tag(old) == KSM_TAG_STABLE)
		add_detach(ksm_word_item(old));
}

static void plan_probe(struct slice *s, unsigned int i,
		       enum ksm_verdict verdict)
{
	s->verdict[i] = verdict;
	s->probe |= BIT_ULL(i);
}

/* Is this the zero page's key, and may it be mapped? */
static bool zero_key(const struct slice *s, u32 short_key, unsigned long pfn)
{
	return READ_ONCE(ksm_use_zero_pages) &&
	       short_key == ksm_short(ksm_probe_of_zeroes() ^
				      ksm_scope(s->w->slot->mm,
						ksm_page_nid(pfn)));
}

static bool has_like(const struct slice *s, u32 short_key, unsigned long pfn)
{
	return ksm_filter_shared(short_key) || zero_key(s, short_key, pfn);
}

/* Has the filter learnt something since this mm was last walked over? */
static bool filter_moved(const struct walk *w)
{
	return !w->patient || w->slot->seen_epoch != ksm_filter_epoch;
}

static bool room_moved(const struct walk *w)
{
	return !w->patient || w->slot->seen_room != ksm_stable_room_epoch;
}

/* An unchanged page, by its entry alone. */
static void judge_unchanged(struct slice *s, unsigned int i, u64 word)
{
	unsigned long pfn = page_to_pfn(s->page[i]);
	bool looks = ksm_state_looks(&word, filter_moved(s->w));

	if (looks && has_like(s, ksm_word_short(word), pfn)) {
		s->work |= BIT_ULL(i);
		plan_probe(s, i, KSM_VERIFY);
	} else {
		s->skipped++;
		if (looks)
			word = ksm_state_unmatched(word);
	}
	set_word(s, i, word);
}

/* A page without an item */
static void judge_inline(struct slice *s, unsigned int i, u64 word,
			 const struct ksm_look *look)
{
	enum ksm_verdict verdict;

	word = ksm_state_judge(word, look, &verdict);
	if (look->dirty && look->trust && verdict != KSM_PASS_OVER)
		s->clean |= BIT_ULL(i);
	switch (verdict) {
	case KSM_UNCHANGED:
		judge_unchanged(s, i, word);
		return;
	case KSM_PASS_OVER:
	case KSM_VOLATILE:
		s->skipped++;
		set_word(s, i, word);
		return;
	case KSM_NEW:
		ksm_cursor.new_pages++;
		fallthrough;
	case KSM_CHANGED:
	case KSM_SETTLED:
		s->work |= BIT_ULL(i);
		break;
	case KSM_VERIFY:
		/* If it turns out to be unchanged, it was no work. */
		if (!look->patient)
			s->work |= BIT_ULL(i);
		break;
	}
	set_word(s, i, word);
	plan_probe(s, i, verdict);
}

/* Has there been room for it in the stable tree since it was last seen? */
static bool may_join(const struct slice *s, const struct ksm_rmap_item *item)
{
	return room_moved(s->w) && ksm_stable_has(item->key.probe);
}

/* A page that waits in the unstable tree for its like */
static void judge_unstable(struct slice *s, unsigned int i,
			   const struct ksm_look *look)
{
	struct ksm_rmap_item *item = ksm_word_item(*entry_word(s, i));
	unsigned long pfn = page_to_pfn(s->page[i]);
	u64 word;

	if (item->pfn == pfn && !look->trust) {
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
		word = item->pfn == pfn ?
			ksm_state_quiet(pfn, ksm_short(item->key.probe)) : 0;
		drop_unstable(s, i, word);
		judge_inline(s, i, word, look);
	}
}

static void judge_ksm_page(struct slice *s, unsigned int i)
{
	unsigned long pfn = page_to_pfn(s->page[i]);
	u64 word = *entry_word(s, i);

	if (ksm_word_tag(word) == KSM_TAG_STABLE) {
		struct ksm_rmap_item *item = ksm_word_item(word);

		if (item->pfn == pfn && item->node &&
		    READ_ONCE(item->node->pfn) == pfn) {
			s->skipped++;
			return;
		}
	}
	s->work |= BIT_ULL(i);
	add_job(JOB_JOIN, entry_addr(s, i), pfn, 0);
}

/* Entry @i maps s->page[i]. */
static void judge_page(struct slice *s, unsigned int i, bool dirty, bool trust)
{
	struct page *page = s->page[i];
	struct ksm_look look = {
		.pfn = page_to_pfn(page),
		.dirty = dirty,
		.trust = trust,
		.patient = s->w->patient,
		.renew = s->renew & BIT_ULL(i),
	};
	u64 word;

	if (PageKsm(page)) {
		/* Left by a fork: the folio is dirty, its entries need not be */
		if (dirty)
			s->clean |= BIT_ULL(i);
		judge_ksm_page(s, i);
		return;
	}
	word = *entry_word(s, i);
	if (ksm_word_tag(word) == KSM_TAG_UNSTABLE) {
		judge_unstable(s, i, &look);
		return;
	}
	if (ksm_word_tag(word) == KSM_TAG_STABLE) {
		/* Written to: its mapping of the KSM page is gone. */
		lose(s, i);
		word = 0;
	}
	judge_inline(s, i, word, &look);
}

/* Can a page be merged at all? */
static bool eligible(struct page *page)
{
	return page && PageAnon(page) && !PageHWPoison(page) &&
	       !is_zone_device_page(page);
}

/*
 * The common case, which must not touch the page: nothing has changed, and
 * nothing new is known.
 */
static bool steady(const struct slice *s, unsigned int i, pte_t pte, u64 word)
{
	struct ksm_rmap_item *item;

	if (pte_dirty(pte) || (s->renew & BIT_ULL(i)))
		return false;
	switch (ksm_word_tag(word)) {
	case KSM_TAG_STABLE:
		item = ksm_word_item(word);
		return item->pfn == pte_pfn(pte) && !pte_write(pte) &&
		       READ_ONCE(item->node);
	case KSM_TAG_UNSTABLE:
		item = ksm_word_item(word);
		return s->w->trust && item->pfn == pte_pfn(pte) &&
		       !room_moved(s->w);
	default:
		return s->w->trust && (word & KSM_WORD_QUIET) &&
		       !(word & KSM_WORD_LOOK) && !ksm_word_wait(word) &&
		       ksm_word_pfn(word) == (u16)pte_pfn(pte) &&
		       !filter_moved(s->w);
	}
}

/* Shadow stacks fault on every write to a clean page: let them be. */
static bool mergeable(struct vm_area_struct *vma)
{
	return (vma->vm_flags & VM_MERGEABLE) && vma->anon_vma &&
	       is_cow_mapping(vma->vm_flags) &&
	       !(vma->vm_flags & VM_SHADOW_STACK);
}

static bool may_have_page(pte_t pte)
{
	return pte_present(pte) && !pte_special(pte);
}

static bool is_moving(pte_t pte)
{
	return !pte_present(pte) && !pte_none(pte) &&
	       is_migration_entry(pte_to_swp_entry(pte));
}

/* In a block of entries with one dirty bit, that bit only proves "clean". */
static bool shares_dirty_bit(const struct slice *s, unsigned int i, pte_t pte)
{
	return pte_batch_hint(s->ptep + i - s->first, pte) > 1;
}

static void judge_entry(struct slice *s, unsigned int i, pte_t pte)
{
	u64 *word = entry_word(s, i);

	if (!may_have_page(pte)) {
		/* On its way to another place, it is neither here nor gone. */
		if (!is_moving(pte))
			lose(s, i);
		return;
	}
	if (!word)
		return;
	if (steady(s, i, pte, *word)) {
		s->skipped++;
		return;
	}
	s->page[i] = vm_normal_page(s->vma, entry_addr(s, i), pte);
	if (!eligible(s->page[i]))
		lose(s, i);
	else if (shares_dirty_bit(s, i, pte))
		judge_page(s, i, false, s->w->trust && !pte_dirty(pte));
	else
		judge_page(s, i, pte_dirty(pte), s->w->trust);
}

/* Stop planning where the batch ends. */
static bool slice_full(struct slice *s, unsigned int i)
{
	if (s->w->worked + hweight64(s->work) < s->w->pace->left)
		return false;
	s->end = i + 1;
	return true;
}

static void judge_table(struct slice *s)
{
	pte_t pte[SLICE];
	unsigned int i;

	for (i = s->first; i < s->end; i++) {
		u64 *word = entry_word(s, i);

		pte[i] = ptep_get(s->ptep + i - s->first);
		if (word && ksm_word_tag(*word))
			prefetch(ksm_word_item(*word));
	}
	for (i = s->first; i < s->end; i++) {
		judge_entry(s, i, pte[i]);
		if (slice_full(s, i))
			break;
	}
}

/* Steps 3 and 4 */
static void clean_entries(struct slice *s)
{
	unsigned int from = __ffs64(s->clean), to = fls64(s->clean), i;

	arch_enter_lazy_mmu_mode();
	for (i = from; i < to; i++) {
		if (!(s->clean & BIT_ULL(i)))
			continue;
		folio_mark_dirty(page_folio(s->page[i]));
		clear_young_dirty_ptes(s->vma, entry_addr(s, i),
				       s->ptep + i - s->first, 1,
				       CYDP_CLEAR_DIRTY);
	}
	arch_leave_lazy_mmu_mode();
	flush_tlb_range(s->vma, entry_addr(s, from), entry_addr(s, to));
}

static void hand_on(struct slice *s, unsigned int i, u64 probe)
{
	s->work |= BIT_ULL(i);
	add_job(JOB_CANDIDATE, entry_addr(s, i), page_to_pfn(s->page[i]),
		probe);
}

/* With smart_scan=0 a key is taken anew as a whole. */
static bool stale_digest(const struct slice *s,
			 const struct ksm_rmap_item *item)
{
	return !s->w->patient && (item->address & KSM_ITEM_DIGEST);
}

static void probed_unstable(struct slice *s, unsigned int i, u64 probe)
{
	struct ksm_rmap_item *item = ksm_word_item(*entry_word(s, i));
	u64 word;
	bool changed;

	word = ksm_state_quiet(item->pfn, ksm_short(item->key.probe));
	if (item->key.probe == probe) {
		/* Who has lost his like needs no item any more. */
		if (!has_like(s, ksm_short(probe), item->pfn))
			drop_unstable(s, i, ksm_state_unmatched(word));
		else if ((s->renew & BIT_ULL(i)) || may_join(s, item) ||
			 stale_digest(s, item))
			hand_on(s, i, probe);
		return;
	}
	s->work |= BIT_ULL(i);
	drop_unstable(s, i, word);
	word = ksm_state_probed(word, KSM_VERIFY, ksm_short(probe), &changed);
	set_word(s, i, word);
}

static void probed_inline(struct slice *s, unsigned int i, u64 probe)
{
	u32 short_key = ksm_short(probe);
	bool changed, looks;
	u64 word;

	word = ksm_state_probed(*entry_word(s, i), s->verdict[i], short_key,
				&changed);
	/* Enter the key first, so that the filter counts this page itself. */
	set_word(s, i, word);
	if (changed) {
		s->work |= BIT_ULL(i);
		return;
	}
	looks = ksm_state_looks(&word, filter_moved(s->w)) || !s->w->patient ||
		(s->renew & BIT_ULL(i));
	if (looks && has_like(s, short_key, page_to_pfn(s->page[i])))
		hand_on(s, i, probe);
	else if (looks)
		word = ksm_state_unmatched(word);
	set_word(s, i, word);
}

static void probe_entry(struct slice *s, unsigned int i)
{
	struct page *page = s->page[i];
	void *content = kmap_local_page(page);
	u64 probe = ksm_probe(content);

	kunmap_local(content);
	probe ^= ksm_scope(s->w->slot->mm, ksm_page_nid(page_to_pfn(page)));
	if (ksm_word_tag(*entry_word(s, i)) == KSM_TAG_UNSTABLE)
		probed_unstable(s, i, probe);
	else
		probed_inline(s, i, probe);
}

static void prefetch_entry(struct slice *s, unsigned int i)
{
	/* Highmem would have to be mapped, which costs more than it saves. */
	if (!PageHighMem(s->page[i]))
		ksm_probe_prefetch(page_address(s->page[i]));
}

/* Step 5 */
static void probe_entries(struct slice *s)
{
	u64 ahead = s->probe, todo = s->probe;
	unsigned int n = 0;

	for (; todo; todo &= todo - 1) {
		for (; ahead && n < PREFETCH_AHEAD; ahead &= ahead - 1, n++)
			prefetch_entry(s, __ffs64(ahead));
		n--;
		probe_entry(s, __ffs64(todo));
	}
	ksm_count(&ksm_counters.scanned, hweight64(s->probe));
}

static void finish_slice(struct slice *s)
{
	unsigned int g;

	ksm_count(s->w->patient ? &ksm_counters.skipped :
				  &ksm_counters.scanned, s->skipped);
	s->w->worked += hweight64(s->work);
	for (g = 0; g < SLICE_CHUNKS; g++)
		if (s->chunk[g])
			ksm_track_trim(s->w->slot, s->base +
				       g * KSM_CHUNK_PAGES * PAGE_SIZE);
}

/* Keys are renewed chunk by chunk, each in another one of RENEW_PASSES. */
static void load_chunks(struct slice *s, u64 wanted)
{
	const u64 chunk_mask = GENMASK_ULL(KSM_CHUNK_PAGES - 1, 0);
	unsigned int g;

	for (g = 0; g < SLICE_CHUNKS; g++) {
		unsigned long addr = s->base + g * KSM_CHUNK_PAGES * PAGE_SIZE;
		u64 mask = chunk_mask << (g * KSM_CHUNK_PAGES);

		s->chunk[g] = ksm_track_chunk(s->w->slot, addr, wanted & mask);
		if (((addr >> KSM_CHUNK_SHIFT) + ksm_cursor.pass) %
		    RENEW_PASSES == 0)
			s->renew |= mask;
	}
}

/* Which entries have a page?  Without the lock: a hint for load_chunks(). */
static u64 present_entries(struct slice *s, pmd_t *pmd)
{
	pte_t *ptep = pte_offset_map(pmd, entry_addr(s, s->first));
	u64 present = 0;
	unsigned int i;

	if (!ptep)
		return 0;
	for (i = s->first; i < s->end; i++)
		if (may_have_page(ptep_get_lockless(ptep + i - s->first)))
			present |= BIT_ULL(i);
	pte_unmap(ptep);
	return present;
}

static void visit_table(struct slice *s, pmd_t *pmd)
{
	spinlock_t *ptl;

	load_chunks(s, present_entries(s, pmd));
	s->ptep = pte_offset_map_lock(s->vma->vm_mm, pmd,
				      entry_addr(s, s->first), &ptl);
	if (!s->ptep)
		return;
	judge_table(s);
	if (s->clean)
		clean_entries(s);
	if (s->probe)
		probe_entries(s);
	pte_unmap_unlock(s->ptep, ptl);
}

/*
 * A page that is mapped by a huge entry.  There is one dirty bit for all: if
 * it is set, each page's probe has to tell.  It is not cleared.
 */
static void visit_huge(struct slice *s, pmd_t *pmd)
{
	unsigned long addr = entry_addr(s, s->first);
	struct page *head = NULL;
	spinlock_t *ptl;
	unsigned int i;
	bool trust;

	load_chunks(s, is_huge_zero_pmd(pmdp_get_lockless(pmd)) ? 0 : ~0ULL);
	ptl = pmd_trans_huge_lock(pmd, s->vma);
	if (!ptl)
		return;
	if (pmd_present(*pmd))
		head = vm_normal_page_pmd(s->vma, addr & HPAGE_PMD_MASK, *pmd);
	trust = s->w->trust && head && !pmd_dirty(*pmd);
	for (i = s->first; i < s->end; i++, addr += PAGE_SIZE) {
		s->page[i] = !head ? NULL :
			nth_page(head, (addr & ~HPAGE_PMD_MASK) >> PAGE_SHIFT);
		if (!eligible(s->page[i]))
			lose(s, i);
		else if (entry_word(s, i))
			judge_page(s, i, false, trust);
		if (slice_full(s, i))
			break;
	}
	if (s->probe)
		probe_entries(s);
	spin_unlock(ptl);
}

static unsigned long visit_slice(struct walk *w, struct vm_area_struct *vma,
				 pmd_t *pmd, unsigned long addr,
				 unsigned long end)
{
	struct slice s = { .w = w, .vma = vma };

	s.base = ALIGN_DOWN(addr, SLICE_BYTES);
	s.first = (addr - s.base) >> PAGE_SHIFT;
	s.end = (end - s.base) >> PAGE_SHIFT;
	if (pmd_trans_huge(pmdp_get_lockless(pmd)))
		visit_huge(&s, pmd);
	else
		visit_table(&s, pmd);
	finish_slice(&s);
	return entry_addr(&s, s.end);
}

static bool out_of_jobs(void)
{
	return nr_jobs + 2 * SLICE > ARRAY_SIZE(jobs);
}

static bool pace_over(const struct walk *w)
{
	return w->pace->over || w->worked >= w->pace->left;
}

/* The time since the last table counts if nothing came of it. */
static void note_time(struct walk *w, unsigned long worked_before)
{
	struct ksm_pace *pace = w->pace;
	u64 now = local_clock();

	if (w->worked == worked_before)
		pace->quiet_ns += now - pace->stamp;
	pace->stamp = now;
	if (pace->quiet_ns > KSM_QUIET_NS)
		pace->over = true;
	if (now - pace->freeze_stamp > KSM_QUIET_NS) {
		pace->freeze_stamp = now;
		pace->over |= freezing(current);
	}
}

static void sweep_to(struct walk *w, unsigned long addr)
{
	ksm_track_drop_range(w->slot, ksm_cursor.swept, addr, ksm_node_detach);
	ksm_cursor.swept = max(ksm_cursor.swept, addr);
}

static int visit_pmd(pmd_t *pmd, unsigned long addr, unsigned long end,
		     struct mm_walk *walk)
{
	struct walk *w = walk->private;
	unsigned long worked_before = w->worked;

	sweep_to(w, addr);
	while (addr < end) {
		unsigned long next = min(end, ALIGN(addr + 1, SLICE_BYTES));

		addr = visit_slice(w, walk->vma, pmd, addr, next);
		ksm_cursor.addr = addr;
		ksm_cursor.swept = addr;
		if (out_of_jobs() || pace_over(w))
			return 1;
	}
	cond_resched();
	note_time(w, worked_before);
	return pace_over(w);
}

static const struct mm_walk_ops visit_ops = {
	.pmd_entry	= visit_pmd,
	.walk_lock	= PGWALK_RDLOCK,
};

static void begin_slot(void)
{
	ksm_cursor.addr = 0;
	ksm_cursor.swept = 0;
	ksm_cursor.mergeable = false;
	ksm_cursor.epoch = ksm_filter_epoch;
	ksm_cursor.room = ksm_stable_room_epoch;
}

static void end_slot(struct ksm_slot *slot)
{
	slot->seen_epoch = ksm_cursor.epoch;
	slot->seen_room = ksm_cursor.room;
}

/* Walk on from the cursor.  True: this mm is done. */
static bool walk_mm(struct walk *w)
{
	struct mm_struct *mm = w->slot->mm;
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, mm, ksm_cursor.addr);

	for_each_vma(vmi, vma) {
		cond_resched();
		/* It may be filled later, and nobody would register it again */
		if (vma->vm_flags & VM_MERGEABLE)
			ksm_cursor.mergeable = true;
		if (!mergeable(vma))
			continue;
		if (walk_page_range_vma(vma,
					max(vma->vm_start, ksm_cursor.addr),
					vma->vm_end, &visit_ops, w) > 0)
			return false;
		ksm_cursor.addr = vma->vm_end;
	}
	return true;
}

/* Drop all that is known of the cursor's mm. */
static void forget_slot(struct ksm_slot *slot)
{
	ksm_track_drop_range(slot, 0, ULONG_MAX, ksm_node_detach);
}

/* The mm of the cursor's slot is exiting: let go of it. */
static void retire(struct ksm_slot *slot)
{
	forget_slot(slot);
	ksm_registry_remove(slot);
	ksm_registry_free(slot);
}

enum outcome {
	WALK_MORE,	/* there is more to see in this mm */
	WALK_DONE,	/* this mm is done */
	WALK_RETIRED,	/* and so is its slot */
};

/* Walk over the cursor's mm, from where the last walk stopped. */
static enum outcome walk_slot(struct ksm_slot *slot, struct ksm_pace *pace)
{
	struct mm_struct *mm = slot->mm;
	enum outcome outcome;
	struct walk w = {
		.slot = slot,
		.pace = pace,
		.patient = READ_ONCE(ksm_smart_scan),
	};

	mmap_read_lock(mm);
	if (ksm_slot_exiting(slot)) {
		/* Its exit is waiting for the lock. */
		mmap_read_unlock(mm);
		retire(slot);
		return WALK_RETIRED;
	}
	w.trust = w.patient && !mm_has_notifiers(mm);
	outcome = walk_mm(&w) ? WALK_DONE : WALK_MORE;
	if (outcome == WALK_DONE) {
		sweep_to(&w, ULONG_MAX);
		end_slot(slot);
		if (!ksm_cursor.mergeable) {
			/* Under the lock: it may be registered again. */
			ksm_registry_remove(slot);
			outcome = WALK_RETIRED;
		}
	}
	mmap_read_unlock(mm);
	if (outcome == WALK_RETIRED)
		ksm_registry_free(slot);

	ksm_cursor.work += w.worked;
	pace->left -= min(pace->left, w.worked);
	return outcome;
}

static void do_jobs(struct ksm_slot *slot, struct ksm_pace *pace)
{
	unsigned int i;

	if (!nr_jobs)
		return;
	for (i = 0; i < nr_jobs; i++) {
		struct job *job = &jobs[i];

		switch (job->kind) {
		case JOB_CANDIDATE:
			ksm_match_candidate(slot, job->addr, job->pfn,
					    job->probe);
			break;
		case JOB_JOIN:
			ksm_match_join(slot, job->addr, job->pfn);
			break;
		case JOB_DETACH:
			ksm_node_detach(job->item);
			ksm_item_free(job->item);
			break;
		}
		cond_resched();
	}
	nr_jobs = 0;
	/* This time was not spent on unchanged pages. */
	pace->stamp = local_clock();
}

static struct ksm_slot *next_slot(struct ksm_slot *slot)
{
	slot = ksm_registry_next(slot);
	if (slot)
		begin_slot();
	return slot;
}

/**
 * ksm_walk - scan for one batch
 * @pace: when it ends
 *
 * Context: ksm_scan_mutex held; may sleep.
 * Return: true if the pass over all mms is complete.
 */
bool ksm_walk(struct ksm_pace *pace)
{
	struct ksm_slot *slot = ksm_cursor.slot ?: next_slot(NULL);

	lockdep_assert_held(&ksm_scan_mutex);
	pace->stamp = local_clock();
	while (slot) {
		switch (walk_slot(slot, pace)) {
		case WALK_MORE:
			do_jobs(slot, pace);
			break;
		case WALK_DONE:
			do_jobs(slot, pace);
			slot = next_slot(slot);
			break;
		case WALK_RETIRED:
			slot = next_slot(ksm_cursor.slot);
			break;
		}
		if (slot && (pace->over || !pace->left))
			return false;
		cond_resched();
	}
	return true;
}

/* mmap_lock held */
static int unmerge_mm(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	int err = 0;

	VMA_ITERATOR(vmi, mm, 0);
	for_each_vma(vmi, vma) {
		if (!(vma->vm_flags & VM_MERGEABLE) || !vma->anon_vma)
			continue;
		err = ksm_unmerge_range(vma, vma->vm_start, vma->vm_end, true);
		if (err)
			break;
	}
	return err;
}

/**
 * ksm_walk_unmerge_all - make all that is registered private, and forget it
 *
 * The next scan begins anew.
 *
 * Context: ksm_scan_mutex held; takes mmap_lock for reading.
 * Return: 0, -ENOMEM or -ERESTARTSYS.
 */
int ksm_walk_unmerge_all(void)
{
	struct ksm_slot *slot = ksm_registry_next(NULL);
	int err = 0;

	while (slot && !err) {
		mmap_read_lock(slot->mm);
		if (ksm_slot_exiting(slot)) {
			mmap_read_unlock(slot->mm);
			retire(slot);
			slot = ksm_cursor.slot;
		} else {
			err = unmerge_mm(slot->mm);
			mmap_read_unlock(slot->mm);
			if (!err)
				forget_slot(slot);
		}
		slot = ksm_registry_next(slot);
	}
	ksm_registry_rewind();
	return err;
}

/**
 * ksm_walk_forget_all - forget all pages
 *
 * The next scan begins anew.
 *
 * Context: ksm_scan_mutex held; there are no KSM pages.
 */
void ksm_walk_forget_all(void)
{
	struct ksm_slot *slot = NULL;

	while ((slot = ksm_registry_next(slot)))
		forget_slot(slot);
	ksm_registry_rewind();
}
