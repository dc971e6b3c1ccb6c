/* SPDX-License-Identifier: GPL-2.0-only */
/* What KSM has taken from the slab allocator, and not given back */
#ifndef GUEST_SLABS_H
#define GUEST_SLABS_H

#define MAX_SLABS	16

/* A slab cache of KSM, and how many objects of it are in use */
struct slab {
	char name[64];
	long objects;
};

int slabs_in_use(struct slab *slab, unsigned int seconds);

#endif /* GUEST_SLABS_H */
