/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stand-in for the XArray: a sorted table.
 */
#ifndef _KSM_SHIM_XARRAY_H
#define _KSM_SHIM_XARRAY_H

#include <errno.h>
#include <linux/types.h>

#define XA_CHUNK_SIZE	64

struct shim_entry {
	unsigned long index;
	void *value;
};

struct xarray {
	struct shim_entry *entry;
	size_t nr;
};

void xa_init(struct xarray *xa);
void xa_destroy(struct xarray *xa);
bool xa_empty(const struct xarray *xa);
void *xa_load(struct xarray *xa, unsigned long index);
void *xa_store(struct xarray *xa, unsigned long index, void *value,
	       unsigned int gfp);
void *xa_erase(struct xarray *xa, unsigned long index);
/* What xa_store() says when there is no memory; no pointer has this value. */
#define SHIM_XA_NOMEM	((void *)-2L)

static inline int xa_err(const void *entry)
{
	return entry == SHIM_XA_NOMEM ? -ENOMEM : 0;
}

#define XA_PRESENT	0
void *xa_find(struct xarray *xa, unsigned long *index, unsigned long max,
	      unsigned int filter);

/* Neighbouring entries */
struct xa_state {
	struct xarray *xa;
	unsigned long index;
};

#define XA_STATE(name, array, at) \
	struct xa_state name = { .xa = (array), .index = (at) }

static inline void *xas_load(struct xa_state *xas)
{
	return xa_load(xas->xa, xas->index);
}

static inline void *xas_next(struct xa_state *xas)
{
	xas->index++;
	return xas_load(xas);
}

/* Where a walk over the entries is; they may be erased on the way. */
struct shim_walk {
	struct xarray *xa;
	unsigned long *index;	/* of the entry, for the caller */
	unsigned long next;
	unsigned long last;
	bool over;
};

void *shim_xa_next(struct shim_walk *walk);

#define xa_for_each_range(xarray, at, entry, from, to)			\
	for (struct shim_walk walk = {					\
			.xa = (xarray), .index = &(at), .next = (from),	\
			.last = (to),					\
	     }; (entry = shim_xa_next(&walk));)
#define xa_for_each(xa, index, entry) \
	xa_for_each_range(xa, index, entry, 0UL, ~0UL)

#endif /* _KSM_SHIM_XARRAY_H */
