// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page that may be merged: find it again, hold it, read it.
 *
 * What ksmd has seen of a page is an address, a page frame number and a probe.
 * ksm_candidate_pin() turns that into a page with a reference, which serves for
 * all that is done with it.  The reference keeps the page from being freed, not
 * from being written or unmapped: so the entry is looked at again each time that
 * mmap_lock was taken, and what counts is seen by ksm_pte_take().
 */
#include <linux/memremap.h>
#include <linux/pagewalk.h>
#include <linux/rmap.h>
#include <linux/swap.h>

#include "../internal.h"
#include "internal.h"
#include "merge.h"

/**
 * ksm_vma_mergeable - may pages here be merged?
 * @vma: VMA of the pages
 *
 * Only a COW mapping can be broken again.  In a shadow stack each clean entry
 * means a fault at every write.
 *
 * Context: mmap_lock held.
 * Return: true if they may.
 */
bool ksm_vma_mergeable(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & VM_MERGEABLE) && vma->anon_vma &&
	       is_cow_mapping(vma->vm_flags) &&
	       !(vma->vm_flags & VM_SHADOW_STACK);
}

/**
 * ksm_vma_takes_zero_page - may pages of zeroes here become the zero page?
 * @vma: VMA of the pages
 *
 * Not in a mapping of a file.  Code that unmaps the file's pages there and
 * leaves alone what is private takes an entry of the zero page for one of the
 * file: the next access would read the file in place of the zeroes.
 *
 * Context: mmap_lock held.
 * Return: true if they may.
 */
bool ksm_vma_takes_zero_page(const struct vm_area_struct *vma)
{
	return !vma->vm_file && !mm_forbids_zeropage(vma->vm_mm);
}

/**
 * ksm_candidate_vma - find the VMA where a candidate can be merged
 * @c: the candidate
 *
 * Context: mmap_lock held.
 * Return: the VMA, or NULL if there is none any more.
 */
struct vm_area_struct *ksm_candidate_vma(const struct ksm_candidate *c)
{
	struct vm_area_struct *vma;

	mmap_assert_locked(c->slot->mm);
	if (ksm_slot_exiting(c->slot))
		return NULL;
	vma = vma_lookup(c->slot->mm, c->addr);
	return vma && ksm_vma_mergeable(vma) ? vma : NULL;
}

/*
 * Was the page written where it was looked up?  The entry alone may know: ksmd
 * cleans entries only where it relies on their dirty bits.
 */
static bool ksm_candidate_dirty(const struct folio_walk *fw)
{
	switch (fw->level) {
	case FW_LEVEL_PTE:
		return pte_dirty(fw->pte);
	case FW_LEVEL_PMD:
		return pmd_dirty(fw->pmd);
	default:
		return false;
	}
}

/*
 * A lazyfree folio that was written after MADV_FREE is wanted again, which its
 * dirty bit tells: see ksm_merge_revive_lazyfree().
 */
static void ksm_candidate_note_write(struct folio *folio,
				     const struct folio_walk *fw)
{
	if (!folio_test_swapbacked(folio) && ksm_candidate_dirty(fw))
		folio_mark_dirty(folio);
}

static bool ksm_candidate_matches(const struct ksm_candidate *c,
				  const struct folio_walk *fw)
{
	struct folio *folio = page_folio(fw->page);

	return page_to_pfn(fw->page) == c->pfn && folio_test_anon(folio) &&
	       !folio_is_zone_device(folio) && !PageHWPoison(fw->page);
}

/**
 * ksm_candidate_pin_in - find a candidate's page, and take a reference on it
 * @c:	 the candidate; keeps the reference that it may have already
 * @vma: of ksm_candidate_vma()
 *
 * Context: mmap_lock held; takes the page table lock.
 * Return: false if the page is no longer there, or must not be read.
 */
bool ksm_candidate_pin_in(struct ksm_candidate *c, struct vm_area_struct *vma)
{
	struct folio_walk fw;
	struct folio *folio;
	bool found;

	mmap_assert_locked(vma->vm_mm);
	folio = folio_walk_start(&fw, vma, c->addr, 0);
	if (!folio)
		return false;
	found = ksm_candidate_matches(c, &fw);
	if (found) {
		ksm_candidate_note_write(folio, &fw);
		ksm_flush_page(vma, fw.page, c->addr);
	}
	if (found && !c->page) {
		folio_get(folio);
		c->page = fw.page;
	}
	folio_walk_end(&fw, vma);
	return found;
}

/**
 * ksm_candidate_lock_mm - take the mmap_lock of a candidate's mm for reading
 * @c:	   the candidate
 * @other: another one or NULL
 *
 * If that has to wait, both candidates lose their references before: a task that
 * holds the lock may be waiting for them to go, to collapse or to migrate.
 *
 * Context: may sleep.
 */
void ksm_candidate_lock_mm(struct ksm_candidate *c, struct ksm_candidate *other)
{
	if (mmap_read_trylock(c->slot->mm))
		return;
	ksm_candidate_unpin(c);
	if (other)
		ksm_candidate_unpin(other);
	mmap_read_lock(c->slot->mm);
}

/**
 * ksm_candidate_pin - find a candidate's page, and take a reference on it
 * @c:	   the candidate; keeps the reference that it may have already
 * @other: as for ksm_candidate_lock_mm()
 *
 * Context: may sleep; takes mmap_lock for reading.
 * Return: false if the page is no longer there, or must not be read.
 */
bool ksm_candidate_pin(struct ksm_candidate *c, struct ksm_candidate *other)
{
	struct vm_area_struct *vma;
	bool pinned = false;

	ksm_candidate_lock_mm(c, other);
	vma = ksm_candidate_vma(c);
	if (vma)
		pinned = ksm_candidate_pin_in(c, vma);
	mmap_read_unlock(c->slot->mm);
	return pinned;
}

/**
 * ksm_candidate_unpin - give the reference back
 * @c: the candidate; nothing happens if it has none
 */
void ksm_candidate_unpin(struct ksm_candidate *c)
{
	if (c->page)
		put_page(c->page);
	c->page = NULL;
}

/**
 * ksm_candidate_digest - read the digest of a candidate's page
 * @c:	    the candidate; is pinned afterwards
 * @other:  as for ksm_candidate_lock_mm()
 * @digest: the result
 *
 * Context: may sleep; takes mmap_lock for reading.
 * Return: false if the page is no longer there, or must not be read.
 */
bool ksm_candidate_digest(struct ksm_candidate *c, struct ksm_candidate *other,
			  u64 *digest)
{
	void *content;

	if (!ksm_candidate_pin(c, other))
		return false;
	content = kmap_local_page(c->page);
	*digest = ksm_digest(content);
	kunmap_local(content);
	return true;
}

/**
 * ksm_folio_no_extra_refs - do only its mappings and the caller hold a folio?
 * @folio: the folio, with one reference of the caller
 *
 * The swap cache may hold it, too.  Any other reference may be used to write
 * to the page, now or later, without a page table entry.
 *
 * A fork or an exit changes both counts, one after the other.
 *
 * Return: true if there are no extra references.
 */
bool ksm_folio_no_extra_refs(struct folio *folio)
{
	int mapcount = folio_mapcount(folio);
	int refcount;

	smp_rmb();	/* mapcount, then refcount ... */
	refcount = folio_ref_count(folio);
	smp_rmb();	/* ... then mapcount again */
	return refcount == mapcount + 1 + folio_test_swapcache(folio) &&
	       mapcount == folio_mapcount(folio);
}

/**
 * ksm_candidate_held - would it be in vain to merge a candidate now?
 * @c: the candidate, pinned
 *
 * Return: true if its page has extra references; a hint, which may change at
 * any time.
 */
bool ksm_candidate_held(const struct ksm_candidate *c)
{
	struct folio *folio = page_folio(c->page);

	if (folio_test_large(folio))
		return folio_maybe_dma_pinned(folio);
	return !ksm_folio_no_extra_refs(folio);
}

/**
 * ksm_folio_readable - may the content of a KSM page be read?
 * @folio: its folio, with a reference
 *
 * No KSM page gets into the memory of a device, see
 * migrate_vma_collect_pmd(); but to read one there would take the machine down.
 *
 * Return: true if it may.
 */
bool ksm_folio_readable(struct folio *folio)
{
	return !PageHWPoison(folio_page(folio, 0)) &&
	       !WARN_ON_ONCE(folio_is_zone_device(folio));
}

/**
 * ksm_page_same - may one page take the place of the other?
 * @one:   a page that does not change
 * @other: another page
 *
 * An architecture may have more in a page than its bytes: pages_identical()
 * knows of the tags of arm64.
 *
 * Return: true if they are equal.
 */
bool ksm_page_same(struct page *one, struct page *other)
{
	const void *a, *b;
	bool same;

	if (ksm_busted(KSM_FAULT_COMPARE))
		return true;
	a = kmap_local_page(one);
	b = kmap_local_page(other);
	same = ksm_content_same(a, b);
	kunmap_local(b);
	kunmap_local(a);
	if (same && IS_ENABLED(CONFIG_ARM64_MTE))
		same = pages_identical(one, other);
	return same;
}
