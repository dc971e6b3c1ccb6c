/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KSM_SHIM_SLAB_H
#define _KSM_SHIM_SLAB_H

#include <linux/types.h>

#define __GFP_ZERO	0x10
#define __GFP_NORETRY	0x20
#define __GFP_NOWARN	0x40

/* Each object is an allocation of its own: ASan sees what is done to it. */
struct kmem_cache;

struct kmem_cache *shim_cache(size_t size, unsigned int flags);
void *kmem_cache_zalloc(struct kmem_cache *cache, unsigned int gfp);
void kmem_cache_free(struct kmem_cache *cache, void *object);
void kmem_cache_free_bulk(struct kmem_cache *cache, size_t nr, void **objects);

#define KMEM_CACHE(name, flags)	shim_cache(sizeof(struct name), flags)

/* So many allocations succeed, and then none; negative: all. */
extern long shim_alloc_budget;
/* How many were refused */
extern unsigned long shim_alloc_failures;
/* Objects and areas that were not freed yet */
extern long shim_objects;

#endif /* _KSM_SHIM_SLAB_H */
