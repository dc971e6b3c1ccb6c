// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rechecks: which unchanged pages have to look for a duplicate again?
 *
 * An unchanged page that had no duplicate can have got one only if something
 * has happened to its own key: another page got the key, an item that has it
 * went into the unstable tree or left it, a full KSM page has room again.  Then
 * the key is called, and all pages that have it look once more.  All others are
 * skipped, however much there is going on elsewhere.
 *
 * For a range of keys there is one bit, chosen by the upper bits of the short
 * key: the state word has these, and they are the same whatever the size of the
 * filter is.  Keys of a range are called together, which costs lookups, never
 * merges.
 *
 * A call has to be heard by each page that has the key, at its next visit.  The
 * page is visited later in this pass, or else in the next one.  So there are two
 * maps: one of what was called since this pass began, and one that has this and
 * what was called in the pass before.  The second is what pages are tested by.
 * When a pass is complete the first takes the place of the second.  A pass that
 * is given up and starts over is none: both stay.
 *
 * That a page is visited in each pass does not always hold: see
 * ksm_recheck_believed().  To hear a call is to spend it, for the next visit may
 * be too late to hear it again.  So a page that was called and cannot look now
 * remembers that in its state word.
 *
 * Without memory for the maps every key is due: slower, not wrong.
 */
#include <linux/bits.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "internal.h"

/* A bit for this many pages; as few set it that most pages need not look. */
#define KSM_RECHECK_PAGES	4

/* Of 8 KiB, to be tested without cache misses, up to 1 MiB */
#define KSM_RECHECK_MIN_ORDER	16U
#define KSM_RECHECK_MAX_ORDER	23U

/* With a shift that leaves 6 bits of the key, one word is a map. */
#define KSM_RECHECK_WORD_SHIFT	(64 - 6)

static const u64 ksm_recheck_all = ~0ULL;
static const u64 ksm_recheck_none;

/**
 * struct ksm_recheck_map - one bit for each range of keys
 * @bits: the bits
 * @nr:   how many are set
 */
struct ksm_recheck_map {
	u64 *bits;
	unsigned long nr;
};

/* Called in this pass, and in this or the last; ksm_scan_mutex. */
static struct ksm_recheck_map ksm_recheck_now, ksm_recheck_any;

/* Of both maps, one behind the other, or NULL; ksm_scan_mutex. */
static u64 *ksm_recheck_memory;

/* log2 of the number of bits of each; ksm_scan_mutex. */
static unsigned int ksm_recheck_order;

static size_t ksm_recheck_map_bytes(unsigned int order)
{
	return (1UL << order) / BITS_PER_BYTE;
}

static void ksm_recheck_set(struct ksm_recheck_map *map, unsigned long at)
{
	u64 *word = &map->bits[at / 64], bit = BIT_ULL(at % 64);

	map->nr += !(*word & bit);
	*word |= bit;
}

/**
 * ksm_recheck_view - what is due now
 * @all: every key is
 *
 * What is called later may not be seen through it; it is due in the next pass,
 * too.
 *
 * Context: ksm_scan_mutex held, until it was last used.
 * Return: the view.
 */
struct ksm_rechecks ksm_recheck_view(bool all)
{
	lockdep_assert_held(&ksm_scan_mutex);
	if (all || !ksm_recheck_memory)
		return (struct ksm_rechecks) {
			&ksm_recheck_all, KSM_RECHECK_WORD_SHIFT,
		};
	/* One word is in a cache where a map may not be. */
	if (!ksm_recheck_any.nr)
		return (struct ksm_rechecks) {
			&ksm_recheck_none, KSM_RECHECK_WORD_SHIFT,
		};
	return (struct ksm_rechecks) {
		ksm_recheck_any.bits, 64 - ksm_recheck_order,
	};
}

/**
 * ksm_recheck - call a key
 * @short_key: the key; unchanged pages that have it look for a duplicate at
 *	       their next visit
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_recheck(u32 short_key)
{
	unsigned long at;

	lockdep_assert_held(&ksm_scan_mutex);
	if (!ksm_recheck_memory)
		return;
	at = short_key >> (32 - ksm_recheck_order);
	ksm_recheck_set(&ksm_recheck_now, at);
	ksm_recheck_set(&ksm_recheck_any, at);
}

/**
 * ksm_recheck_pass_ended - forget what all pages have heard
 *
 * Context: ksm_scan_mutex held, when a pass is complete.
 */
void ksm_recheck_pass_ended(void)
{
	lockdep_assert_held(&ksm_scan_mutex);
	swap(ksm_recheck_any, ksm_recheck_now);
	if (ksm_recheck_now.nr)
		memset(ksm_recheck_now.bits, 0,
		       ksm_recheck_map_bytes(ksm_recheck_order));
	ksm_recheck_now.nr = 0;
}

/**
 * ksm_recheck_believed - has an mm heard all calls but those in the map?
 * @walked:  number of the last pass that visited all its pages
 * @pass_nr: number of this pass
 *
 * If not, all its unchanged pages have to look.  It was not visited in the last
 * pass if it was registered behind the pass, and not as a whole if an entry was
 * that of a migration or a page table could not be locked.  If it was visited in
 * this pass before that started over, the map is only fuller.
 *
 * Return: true if so.
 */
bool ksm_recheck_believed(unsigned long walked, unsigned long pass_nr)
{
	return pass_nr - walked <= 1;
}

static unsigned int ksm_recheck_wanted_order(unsigned long pages)
{
	unsigned long bits = max(pages / KSM_RECHECK_PAGES, 1UL);

	return clamp((unsigned int)ilog2(roundup_pow_of_two(bits)),
		     KSM_RECHECK_MIN_ORDER, KSM_RECHECK_MAX_ORDER);
}

/**
 * ksm_recheck_wants_resize - are there no maps, or too small or large ones?
 * @pages: pages tracked
 *
 * Return: true if ksm_recheck_resize() is due.
 */
bool ksm_recheck_wants_resize(unsigned long pages)
{
	unsigned int order = ksm_recheck_wanted_order(pages);

	return !ksm_recheck_memory || order > ksm_recheck_order ||
	       order + 2 < ksm_recheck_order;
}

/* Bring one bit into a map of another order. */
static void ksm_recheck_carry_bit(struct ksm_recheck_map *to,
				  unsigned int to_order, unsigned long at)
{
	unsigned long i, nr;

	if (to_order < ksm_recheck_order) {
		ksm_recheck_set(to, at >> (ksm_recheck_order - to_order));
		return;
	}
	nr = 1UL << (to_order - ksm_recheck_order);
	for (i = 0; i < nr; i++)
		ksm_recheck_set(to, at * nr + i);
}

static void ksm_recheck_carry(struct ksm_recheck_map *to, unsigned int to_order,
			      const struct ksm_recheck_map *from)
{
	unsigned long at, left = from->nr;

	for (at = 0; left; at++) {
		if (!(from->bits[at / 64] >> (at % 64) & 1))
			continue;
		ksm_recheck_carry_bit(to, to_order, at);
		left--;
	}
}

/*
 * What was called while there was no map is not known; pages that were visited
 * in this pass already have to hear it in the next one.
 */
static void ksm_recheck_fill(struct ksm_recheck_map *map, unsigned int order)
{
	memset(map->bits, 0xff, ksm_recheck_map_bytes(order));
	map->nr = 1UL << order;
}

static void ksm_recheck_inherit(struct ksm_recheck_map *to, unsigned int order,
				const struct ksm_recheck_map *from)
{
	if (ksm_recheck_memory)
		ksm_recheck_carry(to, order, from);
	else
		ksm_recheck_fill(to, order);
}

/**
 * ksm_recheck_resize - make maps of the right size
 * @pages: pages tracked
 *
 * What is called stays so.  If there were no maps everything is.
 *
 * Context: ksm_scan_mutex held; may sleep.
 * Return: false if there was no memory and all is as before.
 */
bool ksm_recheck_resize(unsigned long pages)
{
	unsigned int order = ksm_recheck_wanted_order(pages);
	size_t bytes = ksm_recheck_map_bytes(order);
	struct ksm_recheck_map now = { }, any = { };
	u64 *memory;

	lockdep_assert_held(&ksm_scan_mutex);
	memory = __vmalloc(2 * bytes, GFP_KERNEL | __GFP_ZERO | __GFP_NORETRY |
				      __GFP_NOWARN);
	if (!memory)
		return false;
	now.bits = memory;
	any.bits = memory + bytes / sizeof(*memory);
	ksm_recheck_inherit(&now, order, &ksm_recheck_now);
	ksm_recheck_inherit(&any, order, &ksm_recheck_any);
	vfree(ksm_recheck_memory);
	ksm_recheck_memory = memory;
	ksm_recheck_now = now;
	ksm_recheck_any = any;
	ksm_recheck_order = order;
	return true;
}

/**
 * ksm_recheck_free - give the memory back until it is needed again
 *
 * Until then every key is due.
 *
 * Context: ksm_scan_mutex held; may sleep.
 */
void ksm_recheck_free(void)
{
	lockdep_assert_held(&ksm_scan_mutex);
	vfree(ksm_recheck_memory);
	ksm_recheck_memory = NULL;
	memset(&ksm_recheck_now, 0, sizeof(ksm_recheck_now));
	memset(&ksm_recheck_any, 0, sizeof(ksm_recheck_any));
}

/**
 * ksm_recheck_bytes - tell the memory of the maps
 *
 * Return: bytes.
 */
unsigned long ksm_recheck_bytes(void)
{
	return ksm_recheck_memory ?
		       2 * ksm_recheck_map_bytes(ksm_recheck_order) : 0;
}
