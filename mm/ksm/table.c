// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables of an mm, which tell where its chunks are.
 *
 * A table has the chunks of KSM_TABLE_PAGES neighbouring pages; the tables of
 * an mm are in a tree by address.  Mappings lie far apart, heap, libraries and
 * stack: an array that is indexed by address would need a node on each of its
 * levels for each of them, several kilobytes that are almost empty.  And an
 * array does not tell when it allocates or frees, while the memory of tables is
 * accounted to the byte.
 *
 * A walk over an mm asks for the same table again and again, then for the next
 * one: the table found last is remembered.
 *
 * A table without chunks is freed at once, but only through the slot where the
 * pass is, or one whose mm has exited.  A slot with a table is not freed by
 * exit, so the slots of other pages can be relied on while pages are merged.
 */
#include <linux/slab.h>
#include <linux/string.h>

#include "internal.h"

static struct kmem_cache *ksm_table_cache;

static struct ksm_table *ksm_table_of_rb(struct rb_node *rb)
{
	return rb_entry_safe(rb, struct ksm_table, rb);
}

static unsigned long ksm_table_base(unsigned long addr)
{
	return addr & ~(KSM_TABLE_BYTES - 1);
}

/**
 * ksm_table_find - find the table of an address
 * @slot: slot of the mm
 * @addr: any address in it
 *
 * Context: ksm_scan_mutex held.
 * Return: the table or NULL.
 */
struct ksm_table *ksm_table_find(struct ksm_slot *slot, unsigned long addr)
{
	struct rb_node *rb = slot->tables.rb_node;
	unsigned long base = ksm_table_base(addr);

	lockdep_assert_held(&ksm_scan_mutex);
	if (slot->recent && slot->recent->addr == base)
		return slot->recent;
	while (rb) {
		struct ksm_table *table = ksm_table_of_rb(rb);

		if (table->addr == base) {
			slot->recent = table;
			return table;
		}
		rb = base < table->addr ? rb->rb_left : rb->rb_right;
	}
	return NULL;
}

static void ksm_table_insert(struct ksm_slot *slot, struct ksm_table *table)
{
	struct rb_node **link = &slot->tables.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (table->addr < ksm_table_of_rb(parent)->addr)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&table->rb, parent, link);
	rb_insert_color(&table->rb, &slot->tables);
}

/**
 * ksm_table_make - find the table of an address, or make it
 * @slot: slot of the mm
 * @addr: any address in it
 *
 * A new table has no chunks: the caller adds one, or calls ksm_table_trim().
 *
 * Context: ksm_scan_mutex held; may sleep.
 * Return: the table, or NULL without memory.
 */
struct ksm_table *ksm_table_make(struct ksm_slot *slot, unsigned long addr)
{
	struct ksm_table *table = ksm_table_find(slot, addr);

	lockdep_assert_held(&ksm_scan_mutex);
	if (table)
		return table;
	table = kmem_cache_zalloc(ksm_table_cache, KSM_GFP_TRACK);
	if (!table)
		return NULL;
	table->addr = ksm_table_base(addr);
	ksm_table_insert(slot, table);
	ksm_account(slot, sizeof(*table));
	slot->recent = table;
	return table;
}

/**
 * ksm_table_trim - free a table that has no chunks
 * @slot:  whose
 * @table: the table; stays if it has any
 *
 * Context: ksm_scan_mutex held.
 */
void ksm_table_trim(struct ksm_slot *slot, struct ksm_table *table)
{
	lockdep_assert_held(&ksm_scan_mutex);
	if (memchr_inv(table->chunk, 0, sizeof(table->chunk)))
		return;
	if (slot->recent == table)
		slot->recent = NULL;
	rb_erase(&table->rb, &slot->tables);
	ksm_account(slot, -(long)sizeof(*table));
	kmem_cache_free(ksm_table_cache, table);
}

/**
 * ksm_table_next - find the first table that does not end before an address
 * @slot: slot of the mm
 * @addr: the address
 *
 * Context: ksm_scan_mutex held.
 * Return: the table or NULL.
 */
struct ksm_table *ksm_table_next(struct ksm_slot *slot, unsigned long addr)
{
	struct rb_node *rb = slot->tables.rb_node;
	struct ksm_table *found = ksm_table_find(slot, addr);
	unsigned long base = ksm_table_base(addr);

	lockdep_assert_held(&ksm_scan_mutex);
	if (found)
		return found;
	while (rb) {
		struct ksm_table *table = ksm_table_of_rb(rb);

		if (table->addr > base) {
			found = table;
			rb = rb->rb_left;
		} else {
			rb = rb->rb_right;
		}
	}
	return found;
}

/**
 * ksm_table_after - find the table behind another one
 * @table: the other one
 *
 * Context: ksm_scan_mutex held.
 * Return: the table or NULL.
 */
struct ksm_table *ksm_table_after(struct ksm_table *table)
{
	lockdep_assert_held(&ksm_scan_mutex);
	return ksm_table_of_rb(rb_next(&table->rb));
}

int __init ksm_table_init(void)
{
	ksm_table_cache = KMEM_CACHE(ksm_table, 0);
	return ksm_table_cache ? 0 : -ENOMEM;
}
