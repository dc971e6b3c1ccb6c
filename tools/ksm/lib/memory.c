// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "memory.h"
#include "root.h"

/* Bits of an entry of pagemap */
#define PAGEMAP_PRESENT	(1ULL << 63)
#define PAGEMAP_FILE	(1ULL << 61)	/* of a file, or shared memory */

static int open_file(int pid, const char *name)
{
	char path[KSM_PATH_MAX];
	int err = ksm_root_path(path, sizeof(path), "/proc/%d/%s", pid, name);
	int fd;

	if (err)
		return err;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/**
 * ksm_memory_open() - prepare to read pages of a process
 * @memory: result
 * @pid:    the process
 *
 * Return: 0, or -errno; only after 0 ksm_memory_close() has to be called
 */
int ksm_memory_open(struct ksm_memory *memory, int pid)
{
	memory->page_bytes = sysconf(_SC_PAGESIZE);
	memory->mem = open_file(pid, "mem");
	if (memory->mem < 0)
		return memory->mem;
	memory->pagemap = open_file(pid, "pagemap");
	if (memory->pagemap < 0) {
		close(memory->mem);
		return memory->pagemap;
	}
	return 0;
}

void ksm_memory_close(struct ksm_memory *memory)
{
	close(memory->mem);
	close(memory->pagemap);
}

/**
 * ksm_memory_present() - which pages are there, in memory and private?
 * @memory: of the process
 * @start:  address of the first page
 * @pages:  how many, up to KSM_CHUNK_PAGES
 *
 * To read others would bring them in from swap, or make tables for them.
 *
 * Return: a bit for each page, the lowest for the first
 */
uint64_t ksm_memory_present(const struct ksm_memory *memory, uint64_t start,
			    size_t pages)
{
	uint64_t entries[KSM_CHUNK_PAGES], present = 0;
	off_t at = start / memory->page_bytes * sizeof(entries[0]);
	ssize_t len = pread(memory->pagemap, entries,
			    pages * sizeof(entries[0]), at);

	for (ssize_t i = 0; i < len / (ssize_t)sizeof(entries[0]); i++)
		if ((entries[i] & (PAGEMAP_PRESENT | PAGEMAP_FILE)) ==
		    PAGEMAP_PRESENT)
			present |= 1ULL << i;
	return present;
}

/**
 * ksm_memory_read() - read a page
 * @memory: of the process
 * @addr:   of the page
 * @page:   where to put it
 *
 * Return: whether that was possible
 */
bool ksm_memory_read(const struct ksm_memory *memory, uint64_t addr,
		     void *page)
{
	return pread(memory->mem, page, memory->page_bytes, addr) ==
	       (ssize_t)memory->page_bytes;
}
