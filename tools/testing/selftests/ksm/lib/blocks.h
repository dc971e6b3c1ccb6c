/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory blocks, which can be put offline
 */
#ifndef KSM_LIB_BLOCKS_H
#define KSM_LIB_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of one block, or 0 if memory cannot be put offline. */
unsigned long ksys_block_size(void);

/* Block that holds this page frame. */
long ksys_block_of(unsigned long pfn);

/* Online and in ZONE_MOVABLE? */
bool ksys_block_movable(long block);
bool ksys_block_online(long block);

/*
 * Map pages (not touched yet) for which the kernel will take frames of
 * ZONE_MOVABLE first, if there are any blocks of it; else NULL.
 */
char *ksys_map_movable(size_t pages);

/* Write "online_movable" or "offline"; 0 or -errno. */
int ksys_block_set(long block, bool online);

#endif /* KSM_LIB_BLOCKS_H */
