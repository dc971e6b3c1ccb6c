// SPDX-License-Identifier: GPL-2.0-only
/*
 * State words and their chunks: the counters and the filter have to be in step
 * with the words, whatever is written to them.
 */
#include "testing.h"

#define NR_CHUNKS	12
#define NR_PAGES	(NR_CHUNKS * KSM_CHUNK_PAGES)
#define NR_PROBES	64

/* What a state word may say, as far as counters and filter go */
enum kind {
	NOTHING,
	UNKEYED,	/* a volatile page: no key */
	MOVING,		/* changed when last seen */
	QUIET,
	UNSTABLE,	/* has an item in the unstable tree */
	STABLE,		/* has an item that belongs to a KSM page */
	NR_KINDS
};

static bool is_counted(enum kind kind)
{
	return kind == MOVING || kind == QUIET || kind == UNSTABLE;
}

static bool is_unshared(enum kind kind)
{
	return kind == QUIET || kind == UNSTABLE;
}

static bool has_item(enum kind kind)
{
	return kind == UNSTABLE || kind == STABLE;
}

struct track_model {
	struct ksm_slot slot;
	struct mm_struct *mm;
	struct ksm_counters before;
	enum kind kind[NR_PAGES];
	unsigned int probe[NR_PAGES];
	bool chunk[NR_CHUNKS];
	unsigned int detached;
};

static struct track_model *model_alloc(struct kunit *test)
{
	struct track_model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->mm = kunit_kzalloc(test, sizeof(*m->mm), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m->mm);
	m->slot.mm = m->mm;
	m->before = ksm_counters;
	return m;
}

/* Neighbouring chunks, holes, and the last one far away */
static unsigned long address(unsigned int i)
{
	static const unsigned long chunks[NR_CHUNKS] = {
		0, 1, 2, 3, 63, 64, 65, 66, 4095, 4096, 100000, 1UL << 20,
	};

	return (chunks[i / KSM_CHUNK_PAGES] << KSM_CHUNK_SHIFT) +
	       i % KSM_CHUNK_PAGES * PAGE_SIZE;
}

static u64 some_probe(unsigned int i)
{
	return (i + 1) * 0x9e3779b97f4a7c15ULL;
}

static struct ksm_rmap_item *make_item(struct kunit *test,
				       struct track_model *m, unsigned int i,
				       enum kind kind, u64 probe)
{
	struct ksm_rmap_item *item = ksm_item_alloc(&m->slot, address(i));

	KUNIT_EXPECT_NOT_NULL(test, item);
	if (!item)
		return NULL;
	KUNIT_EXPECT_PTR_EQ(test, item->slot, &m->slot);
	KUNIT_EXPECT_EQ(test, item->address, address(i));
	/* In a stable item other things are at this place. */
	item->key.probe = probe;
	if (kind == UNSTABLE) {
		item->address |= KSM_ITEM_DIGEST;
		ksm_unstable_insert(item);
	}
	return item;
}

static u64 make_word(struct kunit *test, struct track_model *m, unsigned int i,
		     enum kind kind, unsigned int probe)
{
	u32 key = ksm_short(some_probe(probe));
	struct ksm_rmap_item *item;

	switch (kind) {
	case UNKEYED:
		return ksm_state_new(i);
	case MOVING:
		return ksm_state_quiet(i, key) & ~KSM_WORD_QUIET;
	case QUIET:
		return ksm_state_quiet(i, key);
	case UNSTABLE:
	case STABLE:
		item = make_item(test, m, i, kind, some_probe(probe));
		return item ? ksm_word_of_item(item, kind == STABLE ?
					       KSM_TAG_STABLE :
					       KSM_TAG_UNSTABLE) : 0;
	default:
		return 0;
	}
}

/* Write a word as the engine does; the old item goes afterwards. */
static void change(struct kunit *test, struct track_model *m, unsigned int i,
		   enum kind kind, unsigned int probe)
{
	struct ksm_chunk *chunk;
	u64 *word, old, new;

	chunk = ksm_track_chunk(&m->slot, address(i), true);
	KUNIT_EXPECT_NOT_NULL(test, chunk);
	if (!chunk)
		return;
	m->chunk[i / KSM_CHUNK_PAGES] = true;
	word = ksm_track_word(&m->slot, address(i));
	KUNIT_EXPECT_PTR_EQ(test, word, &chunk->word[i % KSM_CHUNK_PAGES]);
	old = *word;
	new = make_word(test, m, i, kind, probe);
	if (m->kind[i] == UNSTABLE)
		ksm_unstable_erase(ksm_word_item(old));
	ksm_track_set(&m->slot, word, new);
	if (has_item(m->kind[i]))
		ksm_item_free(ksm_word_item(old));
	KUNIT_EXPECT_EQ(test, *word, new);
	m->kind[i] = kind;
	m->probe[i] = probe;
}

/* What is left of a chunk after it was trimmed */
static void expect_trimmed(struct track_model *m, unsigned int c)
{
	unsigned int i, used = 0;

	for (i = 0; i < KSM_CHUNK_PAGES; i++)
		used += m->kind[c * KSM_CHUNK_PAGES + i] != NOTHING;
	if (!used)
		m->chunk[c] = false;
}

static void trim(struct track_model *m, unsigned int c)
{
	ksm_track_trim(&m->slot, address(c * KSM_CHUNK_PAGES));
	expect_trimmed(m, c);
}

static struct track_model *detaching;

static bool detach(struct ksm_rmap_item *item)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++)
		if (address(i) == item->address && detaching->kind[i] == STABLE)
			detaching->detached++;
	return true;
}

static void drop_range(struct kunit *test, struct track_model *m,
		       unsigned long start, unsigned long end)
{
	unsigned int i, c, stable = 0;

	m->detached = 0;
	detaching = m;
	ksm_track_drop_range(&m->slot, start, end, detach);
	for (i = 0; i < NR_PAGES; i++) {
		if (address(i) < start || address(i) >= end)
			continue;
		stable += m->kind[i] == STABLE;
		m->kind[i] = NOTHING;
	}
	KUNIT_EXPECT_EQ(test, m->detached, stable);
	if (start >= end)
		return;
	/* Chunks that the range touches do not stay for nothing. */
	for (c = 0; c < NR_CHUNKS; c++)
		if (address(c * KSM_CHUNK_PAGES) + (1UL << KSM_CHUNK_SHIFT) >
		    start && address(c * KSM_CHUNK_PAGES) < end)
			expect_trimmed(m, c);
}

/* Tables that chunks are in */
static unsigned long used_tables(const struct track_model *m)
{
	unsigned long tables = 0, table, last = ~0UL;
	unsigned int c;

	for (c = 0; c < NR_CHUNKS; c++) {
		table = address(c * KSM_CHUNK_PAGES) / KSM_TABLE_BYTES;
		if (m->chunk[c] && table != last) {
			tables++;
			last = table;
		}
	}
	return tables;
}

static void expect_counters(struct kunit *test, struct track_model *m, int step)
{
	unsigned long tracked = 0, unshared = 0, items = 0, chunks = 0;
	unsigned long bytes = m->slot.bytes;
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++) {
		tracked += m->kind[i] != NOTHING;
		unshared += is_unshared(m->kind[i]);
		items += has_item(m->kind[i]);
	}
	for (i = 0; i < NR_CHUNKS; i++) {
		chunks += m->chunk[i];
		KUNIT_EXPECT_EQ_MSG(test, m->chunk[i],
				    !!ksm_track_word(&m->slot, address(i *
						     KSM_CHUNK_PAGES)),
				    "step %d, chunk %u", step, i);
	}
	KUNIT_EXPECT_EQ_MSG(test, ksm_counters.tracked - m->before.tracked,
			    tracked, "step %d", step);
	KUNIT_EXPECT_EQ_MSG(test, ksm_counters.unshared - m->before.unshared,
			    unshared, "step %d", step);
	KUNIT_EXPECT_EQ_MSG(test, m->mm->ksm_rmap_items, tracked, "step %d",
			    step);
	KUNIT_EXPECT_EQ_MSG(test, ksm_counters.bytes - m->before.bytes, bytes,
			    "step %d", step);
	KUNIT_EXPECT_EQ_MSG(test, bytes,
			    chunks * 8 * KSM_CHUNK_PAGES +
			    items * sizeof(struct ksm_rmap_item) +
			    used_tables(m) * sizeof(struct ksm_table),
			    "step %d", step);
}

/* Two pages or more with a key: the filter may not deny it. */
static void expect_filter(struct kunit *test, const struct track_model *m,
			  int step)
{
	unsigned int count[NR_PROBES] = { };
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++)
		if (is_counted(m->kind[i]))
			count[m->probe[i]]++;
	for (i = 0; i < NR_PROBES; i++) {
		u32 key = ksm_short(some_probe(i));

		KUNIT_EXPECT_TRUE_MSG(test, count[i] < 2 ||
				      ksm_filter_may_match(key),
				      "step %d, probe %u", step, i);
	}
}

static void finish(struct kunit *test, struct track_model *m)
{
	drop_range(test, m, 0, ~0UL);
	expect_counters(test, m, -1);
	KUNIT_EXPECT_TRUE(test, RB_EMPTY_ROOT(&m->slot.tables));
	KUNIT_EXPECT_NULL(test, m->slot.recent);
	KUNIT_EXPECT_EQ(test, m->slot.bytes, 0);
	ksm_filter_free();
}

static void track_chunks(struct kunit *test)
{
	struct track_model *m = model_alloc(test);
	struct ksm_chunk *chunk, *next;
	unsigned long size = 1UL << KSM_CHUNK_SHIFT;
	unsigned int i;

	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_NULL(test, ksm_track_chunk(&m->slot, 0, false));
	KUNIT_EXPECT_NULL(test, ksm_track_word(&m->slot, 0));
	chunk = ksm_track_chunk(&m->slot, size + PAGE_SIZE, true);
	next = ksm_track_chunk(&m->slot, 2 * size, true);
	KUNIT_EXPECT_NOT_NULL(test, chunk);
	KUNIT_EXPECT_NOT_NULL(test, next);
	KUNIT_EXPECT_TRUE(test, chunk != next);
	KUNIT_EXPECT_NULL(test, ksm_track_word(&m->slot, 0));
	for (i = 0; i < KSM_CHUNK_PAGES; i++) {
		u64 *word = ksm_track_word(&m->slot, size + i * PAGE_SIZE);

		KUNIT_EXPECT_PTR_EQ(test, word, &chunk->word[i]);
		KUNIT_EXPECT_EQ(test, *word, 0);
	}
	KUNIT_EXPECT_PTR_EQ(test, ksm_track_word(&m->slot, 2 * size),
			    &next->word[0]);
	KUNIT_EXPECT_EQ(test, m->slot.bytes,
			2 * sizeof(struct ksm_chunk) +
			sizeof(struct ksm_table));

	/* One that is in use is not trimmed. */
	ksm_track_set(&m->slot, &next->word[15], ksm_state_new(1));
	ksm_track_trim(&m->slot, 2 * size);
	KUNIT_EXPECT_PTR_EQ(test, ksm_track_chunk(&m->slot, 2 * size, false),
			    next);
	ksm_track_set(&m->slot, &next->word[15], 0);
	ksm_track_trim(&m->slot, 2 * size);
	ksm_track_trim(&m->slot, size);
	ksm_track_trim(&m->slot, 0);
	KUNIT_EXPECT_NULL(test, ksm_track_word(&m->slot, 2 * size));
	finish(test, m);
}

/* Neighbours are found at once, wherever holes are and tables end */
static void track_neighbours(struct kunit *test)
{
	static const unsigned long used[] = {
		1, 2, 30, 31, 32, 62, 63, 64, 127, 130, 4097
	};
	struct track_model *m = model_alloc(test);
	struct ksm_chunk *chunk[4], *one;
	unsigned long first, addr;
	unsigned int i;

	guard(mutex)(&ksm_scan_mutex);
	ksm_track_chunks(&m->slot, 0, chunk, ARRAY_SIZE(chunk));
	for (i = 0; i < ARRAY_SIZE(chunk); i++)
		KUNIT_EXPECT_NULL(test, chunk[i]);
	for (i = 0; i < ARRAY_SIZE(used); i++) {
		addr = used[i] << KSM_CHUNK_SHIFT;
		KUNIT_EXPECT_NOT_NULL(test,
				      ksm_track_chunk(&m->slot, addr, true));
	}
	for (first = 0; first < 4100; first += ARRAY_SIZE(chunk)) {
		addr = first << KSM_CHUNK_SHIFT;
		ksm_track_chunks(&m->slot, addr + PAGE_SIZE, chunk,
				 ARRAY_SIZE(chunk));
		for (i = 0; i < ARRAY_SIZE(chunk); i++) {
			one = ksm_track_chunk(&m->slot, addr, false);
			KUNIT_EXPECT_PTR_EQ_MSG(test, chunk[i], one,
						"%lu and %u", first, i);
			addr += 1UL << KSM_CHUNK_SHIFT;
		}
	}
	for (i = 0; i < ARRAY_SIZE(used); i++)
		ksm_track_trim(&m->slot, used[i] << KSM_CHUNK_SHIFT);
	finish(test, m);
}

/*
 * A word may become 0 where its chunk cannot be freed: the next visit has to
 * free it.
 */
static void track_empty_chunk(struct kunit *test)
{
	struct track_model *m = model_alloc(test);
	unsigned long far = 1UL << 20 << KSM_CHUNK_SHIFT;
	struct ksm_chunk *chunk;
	unsigned long at;

	guard(mutex)(&ksm_scan_mutex);
	for (at = 0; at <= far; at += far) {
		chunk = ksm_track_chunk(&m->slot, at, true);
		KUNIT_EXPECT_NOT_NULL(test, chunk);
		ksm_track_set(&m->slot, &chunk->word[9], ksm_state_new(1));
		KUNIT_EXPECT_EQ(test, ksm_track_next(&m->slot, at),
				at + 9 * PAGE_SIZE);
		ksm_track_set(&m->slot, &chunk->word[9], 0);
	}
	KUNIT_EXPECT_EQ(test, ksm_track_next(&m->slot, 0), 0);
	KUNIT_EXPECT_EQ(test, ksm_track_next(&m->slot, 3 * PAGE_SIZE),
			3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, ksm_track_next(&m->slot, KSM_CHUNK_BYTES), far);
	ksm_track_drop_range(&m->slot, 3 * PAGE_SIZE, 4 * PAGE_SIZE, detach);
	KUNIT_EXPECT_EQ(test, ksm_track_next(&m->slot, 0), far);
	ksm_track_drop_range(&m->slot, 0, ULONG_MAX, detach);
	KUNIT_EXPECT_EQ(test, ksm_track_next(&m->slot, 0), ULONG_MAX);
	finish(test, m);
}

/* Mappings that are far apart do not pay for what lies between them. */
static void track_sparse(struct kunit *test)
{
	static const u64 at[] = {
		0x400000, 0x1234000, 0x70000000, 0x7f1234560000, 0x7ffffffde000,
	};
	struct track_model *m = model_alloc(test);
	unsigned int i;

	guard(mutex)(&ksm_scan_mutex);
	for (i = 0; i < ARRAY_SIZE(at); i++)
		KUNIT_EXPECT_NOT_NULL(test, ksm_track_chunk(&m->slot, at[i],
							    true));
	KUNIT_EXPECT_LE(test, m->slot.bytes, ARRAY_SIZE(at) *
			(sizeof(struct ksm_table) + sizeof(struct ksm_chunk)));
	KUNIT_EXPECT_LT(test, m->slot.bytes, 2500);
	ksm_track_drop_range(&m->slot, 0, ULONG_MAX, detach);
	finish(test, m);
}

/* s390 lets user space have all but the last page. */
static void track_top(struct kunit *test)
{
	unsigned long top = -KSM_CHUNK_BYTES, addr = 0, end = -PAGE_SIZE;
	struct track_model *m = model_alloc(test);
	struct ksm_chunk *chunk;

	guard(mutex)(&ksm_scan_mutex);
	chunk = ksm_track_chunk(&m->slot, top, true);
	KUNIT_EXPECT_NOT_NULL(test, chunk);
	if (!chunk)
		return;
	KUNIT_EXPECT_EQ(test, ksm_track_next(&m->slot, 0), top);
	ksm_track_set(&m->slot, &chunk->word[14], ksm_state_new(1));
	KUNIT_EXPECT_EQ(test, ksm_track_next(&m->slot, 0),
			top + 14 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, ksm_track_next(&m->slot, end), ULONG_MAX);
	KUNIT_EXPECT_TRUE(test, ksm_track_recount(&m->slot, &addr, 1 << 20));
	ksm_track_drop_range(&m->slot, end, ULONG_MAX, detach);
	KUNIT_EXPECT_EQ(test, ksm_track_next(&m->slot, 0),
			top + 14 * PAGE_SIZE);
	ksm_track_drop_range(&m->slot, 0, end, detach);
	KUNIT_EXPECT_EQ(test, ksm_track_next(&m->slot, 0), ULONG_MAX);
	finish(test, m);
}

/* An item where a state word cannot name it would be another one there. */
static void track_wide_address(struct kunit *test)
{
	u64 limit = (FIELD_MAX(KSM_TAGGED_ITEM) + 1) * KSM_ITEM_ALIGN;

	KUNIT_EXPECT_GE(test, limit, 1ULL << 52);
	KUNIT_EXPECT_TRUE(test, ksm_word_can_name(0));
	KUNIT_EXPECT_TRUE(test, ksm_word_can_name(limit - KSM_ITEM_ALIGN));
	KUNIT_EXPECT_FALSE(test, ksm_word_can_name(limit));
	KUNIT_EXPECT_FALSE(test, ksm_word_can_name(1ULL << 55));
}

/* What a word names is what was allocated, down to the tag of the pointer. */
static void track_item_of_word(struct kunit *test)
{
	struct track_model *m = model_alloc(test);
	struct ksm_rmap_item *item[8];
	unsigned int i;
	u64 word;

	guard(mutex)(&ksm_scan_mutex);
	for (i = 0; i < ARRAY_SIZE(item); i++) {
		item[i] = ksm_item_alloc(&m->slot, i * PAGE_SIZE);
		KUNIT_EXPECT_NOT_NULL(test, item[i]);
		if (!item[i])
			break;
		word = ksm_word_of_item(item[i], KSM_TAG_STABLE);
		KUNIT_EXPECT_PTR_EQ(test, ksm_word_item(word), item[i]);
	}
	while (i-- > 0)
		ksm_item_free(item[i]);
	finish(test, m);
}

/* The next page that something is known of, from each address on */
static void track_next(struct kunit *test)
{
	struct track_model *m = model_alloc(test);
	unsigned long next = ULONG_MAX;
	unsigned int i;

	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_EQ(test, ksm_track_next(&m->slot, 0), ULONG_MAX);
	for (i = 0; i < NR_PAGES; i += 5)
		change(test, m, i, QUIET, 0);
	for (i = NR_PAGES; i-- > 0;) {
		KUNIT_EXPECT_EQ_MSG(test, ksm_track_next(&m->slot, address(i) +
							 PAGE_SIZE), next,
				    "after page %u", i);
		if (i % 5 == 0)
			next = address(i);
		KUNIT_EXPECT_EQ_MSG(test, ksm_track_next(&m->slot, address(i)),
				    next, "page %u", i);
	}
	finish(test, m);
}

/* Other pages have each of two keys: does the filter see page 3, too? */
static void expect_company(struct kunit *test, const struct track_model *m,
			   enum kind from)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		bool company = is_counted(m->kind[3]) && m->probe[3] == i;
		bool shared = ksm_filter_may_match(ksm_short(some_probe(i)));

		KUNIT_EXPECT_EQ_MSG(test, shared, company,
				    "%d to %d, probe %u, key %u", from,
				    m->kind[3], m->probe[3], i);
	}
}

/* From each kind of word to each other one, with the same key and another */
static void track_transitions(struct kunit *test)
{
	struct track_model *m = model_alloc(test);
	enum kind from, to;
	unsigned int probe;

	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_TRUE(test, ksm_filter_resize(1));
	ksm_filter_add(ksm_short(some_probe(0)));
	ksm_filter_add(ksm_short(some_probe(1)));
	for (from = NOTHING; from < NR_KINDS; from++) {
		for (to = NOTHING; to < NR_KINDS; to++) {
			for (probe = 0; probe < 2; probe++) {
				change(test, m, 3, from, 0);
				expect_counters(test, m, from);
				change(test, m, 3, to, probe);
				expect_counters(test, m, to);
				expect_company(test, m, from);
			}
		}
	}
	finish(test, m);
}

static void track_drop_range(struct kunit *test)
{
	struct track_model *m = model_alloc(test);
	unsigned int i;

	guard(mutex)(&ksm_scan_mutex);
	for (i = 0; i < NR_PAGES; i++)
		change(test, m, i, 1 + i % (NR_KINDS - 1), i % NR_PROBES);
	expect_counters(test, m, 0);
	/* Nothing, a single page, the ends of chunks, between chunks */
	drop_range(test, m, 5 * PAGE_SIZE, 5 * PAGE_SIZE);
	drop_range(test, m, 6 * PAGE_SIZE, 5 * PAGE_SIZE);
	expect_counters(test, m, 1);
	drop_range(test, m, 5 * PAGE_SIZE, 6 * PAGE_SIZE);
	expect_counters(test, m, 2);
	drop_range(test, m, 15 * PAGE_SIZE, 17 * PAGE_SIZE);
	expect_counters(test, m, 3);
	drop_range(test, m, 16 * PAGE_SIZE, 32 * PAGE_SIZE);
	expect_counters(test, m, 4);
	KUNIT_EXPECT_FALSE(test, m->chunk[1]);
	drop_range(test, m, address(4 * KSM_CHUNK_PAGES - 1) + PAGE_SIZE,
		   address(4 * KSM_CHUNK_PAGES));
	expect_counters(test, m, 5);
	KUNIT_EXPECT_TRUE(test, m->chunk[3]);
	KUNIT_EXPECT_TRUE(test, m->chunk[4]);
	finish(test, m);
}

/* In pieces of so many words */
static void recount(struct track_model *m, unsigned int piece)
{
	unsigned long addr = 0;

	while (!ksm_track_recount(&m->slot, &addr, piece))
		;
}

/* A rebuilt filter counts all words and items. */
static void track_recount(struct kunit *test)
{
	struct track_model *m = model_alloc(test);
	u32 shared = ksm_short(some_probe(0));
	u32 alone = ksm_short(some_probe(1));
	u32 none = ksm_short(some_probe(2));

	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_TRUE(test, ksm_filter_resize(1));
	change(test, m, 0, QUIET, 0);
	change(test, m, 40, UNSTABLE, 0);
	change(test, m, 1, MOVING, 1);
	/* These three do not count. */
	change(test, m, 2, UNKEYED, 1);
	change(test, m, 3, STABLE, 2);
	change(test, m, 4, STABLE, 2);
	KUNIT_EXPECT_TRUE(test, ksm_filter_resize(1));
	KUNIT_EXPECT_FALSE(test, ksm_filter_may_match(shared));
	recount(m, KSM_CHUNK_PAGES);
	KUNIT_EXPECT_TRUE(test, ksm_filter_may_match(shared));
	KUNIT_EXPECT_FALSE(test, ksm_filter_may_match(alone));
	KUNIT_EXPECT_FALSE(test, ksm_filter_may_match(none));
	/* The same keys are removed now. */
	change(test, m, 40, STABLE, 0);
	KUNIT_EXPECT_FALSE(test, ksm_filter_may_match(shared));
	finish(test, m);
}

static void random_change(struct kunit *test, struct track_model *m,
			  struct ksm_random *random)
{
	unsigned int i = ksm_random_below(random, NR_PAGES);
	unsigned int j = ksm_random_below(random, NR_PAGES);

	switch (ksm_random_below(random, 40)) {
	case 0:
		drop_range(test, m, address(i), address(j));
		break;
	case 1:
		drop_range(test, m, address(i), address(i) + 40 * PAGE_SIZE);
		break;
	case 2:
		KUNIT_EXPECT_TRUE(test, ksm_filter_resize(NR_PAGES));
		recount(m, 1 + ksm_random_below(random, NR_PAGES));
		break;
	case 3:
	case 4:
	case 5:
		trim(m, i / KSM_CHUNK_PAGES);
		break;
	default:
		change(test, m, i, ksm_random_below(random, NR_KINDS),
		       ksm_random_below(random, NR_PROBES));
	}
}

static void track_random(struct kunit *test)
{
	struct ksm_random random = { ksm_test_seed() };
	struct track_model *m = model_alloc(test);
	int step;

	guard(mutex)(&ksm_scan_mutex);
	KUNIT_EXPECT_TRUE(test, ksm_filter_resize(NR_PAGES));
	for (step = 0; step < KSM_TEST_ROUNDS(5000); step++) {
		random_change(test, m, &random);
		expect_counters(test, m, step);
		expect_filter(test, m, step);
		if (ksm_test_failed(test))
			break;
	}
	finish(test, m);
}

/* Memory for a page without a duplicate, not counting the filter */
static void track_is_small(struct kunit *test)
{
	struct track_model *m = model_alloc(test);
	unsigned long addr, size = 1UL << KSM_CHUNK_SHIFT;
	const unsigned int nr = 64;
	unsigned int i;

	guard(mutex)(&ksm_scan_mutex);
	/* Dense memory: eight bytes, and less than one for the tables */
	for (i = 0; i < nr; i++)
		ksm_track_chunk(&m->slot, i * size, true);
	KUNIT_EXPECT_LT(test, m->slot.bytes, nr * KSM_CHUNK_PAGES * 9);
	for (i = 0; i < nr; i++)
		ksm_track_trim(&m->slot, i * size);
	/* A single page in every fourth chunk */
	for (i = 0; i < nr; i++)
		ksm_track_chunk(&m->slot, 4 * i * size, true);
	KUNIT_EXPECT_LT(test, m->slot.bytes, nr * 200);
	for (addr = 0; addr < 4 * nr * size; addr += 4 * size)
		ksm_track_trim(&m->slot, addr);
	KUNIT_EXPECT_LE(test, sizeof(struct ksm_rmap_item), 64);
	finish(test, m);
}

static struct kunit_case track_cases[] = {
	KUNIT_CASE(track_chunks),
	KUNIT_CASE(track_neighbours),
	KUNIT_CASE(track_empty_chunk),
	KUNIT_CASE(track_sparse),
	KUNIT_CASE(track_top),
	KUNIT_CASE(track_wide_address),
	KUNIT_CASE(track_item_of_word),
	KUNIT_CASE(track_next),
	KUNIT_CASE(track_transitions),
	KUNIT_CASE(track_drop_range),
	KUNIT_CASE(track_recount),
	KUNIT_CASE(track_random),
	KUNIT_CASE(track_is_small),
	{}
};

static struct kunit_suite track_suite = {
	.name = "ksm_track",
	.init = ksm_test_begin,
	.exit = ksm_test_end,
	.test_cases = track_cases,
};

kunit_test_suite(track_suite);
