/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mappings of one process, from its smaps.
 */
#ifndef KSM_LIB_MAPS_H
#define KSM_LIB_MAPS_H

#include <stddef.h>
#include <sys/types.h>

#include "figure.h"

#define KSM_VMFLAGS_MAX	128

/**
 * struct ksm_map - one mapping
 * @start:	 first address
 * @end:	 first address behind it
 * @perms:	 as "rw-p"
 * @offset:	 in the file
 * @inode:	 of the file, 0 if there is none
 * @name:	 file, "[heap]", "[anon:...]" and so on, or ""
 * @rss_bytes:	 resident memory
 * @pss_bytes:	 the same, shared pages by their part
 * @anonymous_bytes: what is not of a file
 * @ksm_bytes:	 mapped to pages of KSM; zero pages are not in
 * @huge_bytes:	 in transparent huge pages
 * @swap_bytes:	 swapped out
 * @locked_bytes: locked
 * @vmflags:	 two letters each, with a space behind each
 */
struct ksm_map {
	uint64_t start;
	uint64_t end;
	char perms[8];
	uint64_t offset;
	uint64_t inode;
	char name[256];
	ksm_figure rss_bytes;
	ksm_figure pss_bytes;
	ksm_figure anonymous_bytes;
	ksm_figure ksm_bytes;
	ksm_figure huge_bytes;
	ksm_figure swap_bytes;
	ksm_figure locked_bytes;
	char vmflags[KSM_VMFLAGS_MAX];
};

struct ksm_maps {
	struct ksm_map *list;
	size_t count;
};

int ksm_maps_read(int pid, struct ksm_maps *maps);
void ksm_maps_free(struct ksm_maps *maps);
bool ksm_map_has(const struct ksm_map *map, const char *vmflag);

#endif
