/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading pages of another process, and only such as are there.
 */
#ifndef KSM_LIB_MEMORY_H
#define KSM_LIB_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KSM_CHUNK_PAGES	64

/**
 * struct ksm_memory - memory of a process
 * @mem:	open file, /proc/PID/mem
 * @pagemap:	open file, /proc/PID/pagemap
 * @page_bytes: size of a page
 */
struct ksm_memory {
	int mem;
	int pagemap;
	size_t page_bytes;
};

int ksm_memory_open(struct ksm_memory *memory, int pid);
void ksm_memory_close(struct ksm_memory *memory);
uint64_t ksm_memory_present(const struct ksm_memory *memory, uint64_t start,
			    size_t pages);
bool ksm_memory_read(const struct ksm_memory *memory, uint64_t addr,
		     void *page);

#endif
