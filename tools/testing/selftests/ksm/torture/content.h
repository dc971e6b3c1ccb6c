/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a page of the torture program has to contain
 *
 * The content is a base and the partial writes made to it since.  Both follow
 * from numbers, so that every byte can be compared at any time, and no copy of
 * it has to be kept.
 */
#ifndef KSM_TORTURE_CONTENT_H
#define KSM_TORTURE_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many partial writes; then the page is filled again. */
#define TORTURE_PATCHES		12

/**
 * struct torture_content - what a page has to contain
 * @base: the content it was filled with; 0: zeroes
 * @key: what the partial writes follow from
 * @from: generation when it was filled
 * @gen: generation now: each partial write is one
 */
struct torture_content {
	uint64_t base;
	uint64_t key;
	uint32_t from;
	uint32_t gen;
};

/* One partial write */
struct torture_patch {
	uint16_t at;
	uint16_t len;
	unsigned char byte[64];
};

/* A number that follows from two others, and looks random. */
uint64_t torture_mix(uint64_t a, uint64_t b);

/* Contents follow from this seed; called once by each program. */
void torture_content_setup(uint64_t seed);

/* The content of page @page of owner @name, filled in its next generation */
void torture_content_next(struct torture_content *c, uint64_t name,
			  size_t page);

/* Zeroes: memory that was mapped or emptied */
void torture_content_zero(struct torture_content *c);

/* What a block of the disk has; 0 to TORTURE_BLOCKS - 1 */
#define TORTURE_BLOCKS		64
void torture_content_block(struct torture_content *c, size_t block);

/* Is there room for a partial write? */
bool torture_content_has_room(const struct torture_content *c);

/* The partial write that leads to the next generation */
struct torture_patch torture_content_patch(const struct torture_content *c);

void torture_content_write(const struct torture_content *c, void *page);

#endif /* KSM_TORTURE_CONTENT_H */
