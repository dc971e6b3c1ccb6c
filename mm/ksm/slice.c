// SPDX-License-Identifier: GPL-2.0-only
/*
 * Visit up to 64 neighbouring entries of a page table.
 *
 * Under one hold of the page table lock, in this order:
 *
 *  1. read the entries, and skip those that need nothing (sort.c, triage.h);
 *  2. have judge.c decide what to do about the others;
 *  3. test which of the pages whose entries are dirty have the same content as
 *     at the last visit: they seem to be quiet, and only they are worth a fault
 *     of their writers;
 *  4. mark their folios dirty, then clean their entries;
 *  5. flush the TLBs before the lock is dropped: reclaim and MADV_FREE leave
 *     out their own flush where they see a clean entry, so that a store
 *     through a stale entry would be lost;
 *  6. only now read content to rely on: what is written from here on sets the
 *     bit again.
 *
 * What comes out is a list of jobs: address, page frame number and probe, but
 * no reference and no lock.
 */
#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/memremap.h>
#include <linux/mm.h>
#include <asm/tlbflush.h>

#include "../internal.h"
#include "entry.h"
#include "internal.h"
#include "judge.h"
#include "slice.h"

/* Probes are announced to the cache this many pages ahead. */
#define KSM_SLICE_PREFETCH	6

/* Every so many passes a key is taken again, whatever the dirty bit says. */
#define KSM_RENEW_PASSES	64

static unsigned long ksm_slice_chunk_addr(const struct ksm_slice *s,
					  unsigned int g)
{
	return ksm_slice_addr(s, g * KSM_CHUNK_PAGES);
}

/* Can a page be merged at all? */
static bool ksm_slice_eligible(struct page *page)
{
	return page && PageAnon(page) && !PageHWPoison(page) &&
	       !is_zone_device_page(page);
}

/*
 * Is the page also mapped by forks?  Then its dirty bits have to stay where
 * they are: a folio that is marked dirty instead cannot be made lazyfree by
 * MADV_FREE, which does not know what the other mms want.
 *
 * Nor need they go.  Nothing can write to such a page in place, and before it
 * had other mappings there was a fork: without one since the last visit it is
 * what it was, as long as the entry is read-only.
 */
static bool ksm_slice_mapped_by_forks(struct page *page)
{
	struct folio *folio = page_folio(page);

	return atomic_read(&page->_mapcount) > 0 ||
	       (folio_test_large(folio) && folio_entire_mapcount(folio) > 0);
}

static void ksm_slice_judge_entry(struct ksm_slice *s, unsigned int i,
				  pte_t pte)
{
	bool dirty = pte_dirty(pte), joint = ksm_slice_in_block(s, pte);
	struct page *page = s->page[i];

	if (!ksm_slice_eligible(page)) {
		ksm_judge_lost(s, i);
		return;
	}
	if (dirty && !PageKsm(page) && ksm_slice_mapped_by_forks(page)) {
		joint = true;
		dirty = pte_write(pte) || s->v->forked;
	}
	ksm_judge_page(s, i, dirty, joint);
}

/* Stop planning where the batch ends. */
static bool ksm_slice_full(struct ksm_slice *s, unsigned int i)
{
	if (!s->work || hweight64(s->work) < s->v->pace->left)
		return false;
	s->end = i + 1;
	return true;
}

static void ksm_slice_finish_skipped(struct ksm_slice *s)
{
	u64 below = GENMASK_ULL(s->end - 1, 0), todo, *word;

	s->skipped += hweight64((s->skip | s->defer) & below);
	/* No counter depends on the wait. */
	for (todo = s->defer & below; todo; todo &= todo - 1) {
		word = ksm_slice_word(s, __ffs64(todo));
		*word = ksm_state_deferred(*word);
	}
}

static void ksm_slice_judge_table(struct ksm_slice *s)
{
	pte_t pte[KSM_SLICE];
	unsigned int i;
	u64 todo;

	ksm_sort(s, pte);
	for (todo = s->judge; todo; todo &= todo - 1) {
		i = __ffs64(todo);
		ksm_slice_judge_entry(s, i, pte[i]);
		if (ksm_slice_full(s, i))
			break;
	}
	ksm_slice_finish_skipped(s);
}

/* Steps 4 and 5 */
static void ksm_slice_clean(struct ksm_slice *s)
{
	unsigned int from = __ffs64(s->clean), to = fls64(s->clean), i;

	arch_enter_lazy_mmu_mode();
	for (i = from; i < to; i++) {
		if (!(s->clean & BIT_ULL(i)))
			continue;
		folio_mark_dirty(page_folio(s->page[i]));
		clear_young_dirty_ptes(s->vma, ksm_slice_addr(s, i),
				       s->ptep + i - s->first, 1,
				       CYDP_CLEAR_DIRTY);
	}
	arch_leave_lazy_mmu_mode();
	flush_tlb_range(s->vma, ksm_slice_addr(s, from), ksm_slice_addr(s, to));
}

static u64 ksm_slice_take_probe(const struct ksm_slice *s, unsigned int i)
{
	struct page *page = s->page[i];
	void *content;
	u64 probe;

	ksm_flush_page(s->vma, page, ksm_slice_addr(s, i));
	content = kmap_local_page(page);
	probe = ksm_probe(content);
	kunmap_local(content);
	return probe ^ ksm_scope_mix(ksm_scope_of(s->v->slot,
						  page_to_pfn(page)));
}

static void ksm_slice_enter_pending(struct ksm_slice *s)
{
	unsigned int n;

	for (n = 0; n < s->nr_pending; n++)
		ksm_judge_probe(s, s->pending[n].entry, s->pending[n].probe);
	s->nr_pending = 0;
}

/*
 * Step 6 for one page.  Meanwhile the filter's cache lines for the pages before
 * are fetched.
 */
static void ksm_slice_probe_entry(struct ksm_slice *s, unsigned int i)
{
	u64 probe = ksm_slice_take_probe(s, i);

	ksm_filter_prefetch(ksm_short(probe));
	s->pending[s->nr_pending].entry = i;
	s->pending[s->nr_pending].probe = probe;
	if (++s->nr_pending == KSM_PENDING)
		ksm_slice_enter_pending(s);
}

/* Does a volatile page seem to be quiet now? */
static bool ksm_slice_peek(struct ksm_slice *s, unsigned int i)
{
	u64 *word = ksm_slice_word(s, i);
	void *content;
	u32 peek;
	bool same;

	ksm_flush_page(s->vma, s->page[i], ksm_slice_addr(s, i));
	content = kmap_local_page(s->page[i]);
	peek = ksm_peek(content);
	kunmap_local(content);
	ksm_track_set(s->v->slot, word, ksm_state_peeked(*word, peek, &same));
	return same;
}

/* Does a page that was written still have the probe of the last visit? */
static bool ksm_slice_prove(struct ksm_slice *s, unsigned int i)
{
	u64 probe = ksm_slice_take_probe(s, i);

	if (ksm_word_has_key(ksm_slice_known(s, i), ksm_short(probe)))
		return true;
	ksm_judge_probe(s, i, probe);
	return false;
}

/* Step 3 for one page; the probe to rely on is taken in step 6. */
static void ksm_slice_test_entry(struct ksm_slice *s, unsigned int i)
{
	bool same = s->verdict[i] == KSM_VERDICT_PEEK ? ksm_slice_peek(s, i) :
							ksm_slice_prove(s, i);

	if (!same)
		return;
	s->probe |= BIT_ULL(i);
	s->clean |= s->dirty & BIT_ULL(i);
}

static void ksm_slice_prefetch_content(const struct ksm_slice *s,
				       unsigned int i)
{
	/* Highmem would have to be mapped, which costs more than it saves. */
	if (PageHighMem(s->page[i]))
		return;
	if (s->verdict[i] == KSM_VERDICT_PEEK)
		ksm_peek_prefetch(page_address(s->page[i]));
	else
		ksm_probe_prefetch(page_address(s->page[i]));
}

static void ksm_slice_for_each(struct ksm_slice *s, u64 todo,
			       void (*read)(struct ksm_slice *s,
					    unsigned int i))
{
	unsigned int n = 0;
	u64 ahead = todo;

	for (; todo; todo &= todo - 1) {
		for (; ahead && n < KSM_SLICE_PREFETCH; ahead &= ahead - 1, n++)
			ksm_slice_prefetch_content(s, __ffs64(ahead));
		n--;
		read(s, __ffs64(todo));
	}
}

/* Steps 3 to 6 */
static void ksm_slice_read_pages(struct ksm_slice *s)
{
	ksm_slice_for_each(s, s->test, ksm_slice_test_entry);
	if (s->clean)
		ksm_slice_clean(s);
	ksm_slice_for_each(s, s->probe, ksm_slice_probe_entry);
	ksm_slice_enter_pending(s);
}

static void ksm_slice_finish(struct ksm_slice *s)
{
	u64 read = s->test | s->probe;
	unsigned int g;

	if (read)
		ksm_count(&ksm_counters.scanned, hweight64(read));
	ksm_count(s->v->smart ? &ksm_counters.skipped : &ksm_counters.scanned,
		  s->skipped);
	ksm_count(&ksm_counters.scan_pages, s->skipped + hweight64(read));
	s->v->pass->work += hweight64(s->work);
	ksm_pace_work(s->v->pace, hweight64(s->work),
		      s->skipped + hweight64(read & ~s->work));
	for (g = 0; g < KSM_SLICE_CHUNKS; g++)
		if (s->chunk[g] && ksm_chunk_empty(s->chunk[g]))
			ksm_track_trim(s->v->slot, ksm_slice_chunk_addr(s, g));
}

/*
 * The pages of files are not merged: in each pass chunks would be made for them
 * in vain.  Without the page table lock, so this is a hint.
 */
static bool ksm_slice_may_have_anon(struct ksm_slice *s, unsigned long addr,
				    pte_t pte)
{
	return ksm_entry_may_have_page(pte) &&
	       ksm_slice_eligible(vm_normal_page(s->vma, addr, pte));
}

/* Which entries have a page that may be merged? */
static u64 ksm_slice_present(struct ksm_slice *s, pmd_t *pmd)
{
	pte_t *ptep = pte_offset_map(pmd, ksm_slice_addr(s, s->first));
	u64 present = 0;
	unsigned int i;

	if (!ptep)
		return 0;
	for (i = s->first; i < s->end; i++)
		if (ksm_slice_may_have_anon(s, ksm_slice_addr(s, i),
					    ptep_get_lockless(ptep + i -
							      s->first)))
			present |= BIT_ULL(i);
	pte_unmap(ptep);
	return present;
}

/* The same for a huge page, which is anonymous as a whole or not at all */
static u64 ksm_slice_present_huge(struct ksm_slice *s, pmd_t *pmd)
{
	pmd_t entry = pmdp_get_lockless(pmd);
	struct page *head = NULL;

	if (pmd_present(entry) && pmd_trans_huge(entry))
		head = vm_normal_page_pmd(s->vma, s->base & HPAGE_PMD_MASK,
					  entry);
	return head && PageAnon(head) ? ~0ULL : 0;
}

static u64 ksm_slice_chunk_mask(unsigned int g)
{
	return GENMASK_ULL(KSM_CHUNK_PAGES - 1, 0) << (g * KSM_CHUNK_PAGES);
}

/* Make the chunks that are missing where there are pages. */
static void ksm_slice_make_chunks(struct ksm_slice *s, pmd_t *pmd)
{
	unsigned long addr;
	u64 missing = 0;
	unsigned int g;

	for (g = 0; g < KSM_SLICE_CHUNKS; g++)
		if (!s->chunk[g])
			missing |= ksm_slice_chunk_mask(g);
	if (!missing)
		return;
	missing &= s->huge ? ksm_slice_present_huge(s, pmd) :
			     ksm_slice_present(s, pmd);
	for (g = 0; g < KSM_SLICE_CHUNKS; g++) {
		if (!(missing & ksm_slice_chunk_mask(g)))
			continue;
		addr = ksm_slice_chunk_addr(s, g);
		s->chunk[g] = ksm_track_chunk(s->v->slot, addr, true);
	}
}

/* Before a lock is taken, as this allocates. */
static void ksm_slice_load_chunks(struct ksm_slice *s, pmd_t *pmd)
{
	unsigned long nr = s->base / KSM_SLICE_BYTES;

	ksm_track_chunks(s->v->slot, s->base, s->chunk, KSM_SLICE_CHUNKS);
	ksm_slice_make_chunks(s, pmd);
	/* Keys are renewed slice by slice, each in another one of the passes */
	if ((nr + s->v->pass->nr) % KSM_RENEW_PASSES == 0)
		s->renew = true;
}

static void ksm_slice_visit_table(struct ksm_slice *s, pmd_t *pmd)
{
	spinlock_t *ptl;

	s->ptep = pte_offset_map_lock(s->vma->vm_mm, pmd,
				      ksm_slice_addr(s, s->first), &ptl);
	if (!s->ptep) {
		s->v->pass->missed = true;
		return;
	}
	ksm_slice_judge_table(s);
	if (s->test | s->clean | s->probe)
		ksm_slice_read_pages(s);
	pte_unmap_unlock(s->ptep, ptl);
}

/*
 * Pages that are mapped by a huge entry.  There is one dirty bit for all: if it
 * is set, each page's probe has to tell.  It is not cleared.
 */
static void ksm_slice_visit_huge(struct ksm_slice *s, pmd_t *pmd)
{
	unsigned long addr = ksm_slice_addr(s, s->first);
	struct page *head = NULL;
	spinlock_t *ptl;
	unsigned int i;
	bool dirty;

	ptl = pmd_trans_huge_lock(pmd, s->vma);
	if (!ptl) {
		s->v->pass->missed = true;
		return;
	}
	if (pmd_present(*pmd))
		head = vm_normal_page_pmd(s->vma, addr & HPAGE_PMD_MASK, *pmd);
	dirty = pmd_dirty(*pmd);
	for (i = s->first; i < s->end; i++, addr += PAGE_SIZE) {
		s->page[i] = !head ? NULL :
			nth_page(head, (addr & ~HPAGE_PMD_MASK) >> PAGE_SHIFT);
		if (!ksm_slice_eligible(s->page[i]))
			ksm_judge_lost(s, i);
		else if (ksm_slice_word(s, i))
			ksm_judge_page(s, i, dirty, true);
		if (ksm_slice_full(s, i))
			break;
	}
	if (s->test | s->probe)
		ksm_slice_read_pages(s);
	spin_unlock(ptl);
}

/**
 * ksm_visit_slice - visit neighbouring pages
 * @v:	  the visit to their mm; gets the jobs that come out of it
 * @vma:  VMA of the pages
 * @pmd:  of their page table, or of their huge page
 * @addr: address of the first page
 * @end:  address after the last; within the same aligned KSM_SLICE_BYTES
 *
 * Context: ksm_scan_mutex held, and the mmap_lock; may sleep.
 * Return: the address to go on with; before @end if the batch is over.
 */
unsigned long ksm_visit_slice(struct ksm_visit *v, struct vm_area_struct *vma,
			      pmd_t *pmd, unsigned long addr,
			      unsigned long end)
{
	struct ksm_slice s = { .v = v, .vma = vma };

	lockdep_assert_held(&ksm_scan_mutex);
	mmap_assert_locked(vma->vm_mm);
	s.rechecks = ksm_recheck_view(v->recheck);
	s.base = ALIGN_DOWN(addr, KSM_SLICE_BYTES);
	s.first = (addr - s.base) >> PAGE_SHIFT;
	s.end = (end - s.base) >> PAGE_SHIFT;
	s.huge = pmd_trans_huge(pmdp_get_lockless(pmd));
	ksm_slice_load_chunks(&s, pmd);
	if (s.huge)
		ksm_slice_visit_huge(&s, pmd);
	else
		ksm_slice_visit_table(&s, pmd);
	ksm_slice_finish(&s);
	return ksm_slice_addr(&s, s.end);
}
