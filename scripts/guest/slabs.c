// SPDX-License-Identifier: GPL-2.0-only
/*
 * What KSM has taken from the slab allocator, and not given back.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "slabs.h"

#define SLAB_DIR	"/sys/kernel/slab/"
#define MAX_LINE	512

static int read_slabs(struct slab *slab)
{
	FILE *f = fopen("/proc/slabinfo", "re");
	char line[MAX_LINE];
	int nr = 0;

	while (f && nr < MAX_SLABS && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %ld", slab[nr].name,
			   &slab[nr].objects) == 2 &&
		    !strncmp(slab[nr].name, "ksm_", 4))
			nr++;
	}
	if (f)
		fclose(f);
	return nr;
}

static void shrink(const char *path)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, "1", 1) != 1)
		fprintf(stderr, "run-plan: cannot write to %s: %m\n", path);
	if (fd >= 0)
		close(fd);
}

/* Free ones in the lists of CPUs, or of a sanitizer, count as in use. */
static int shrink_slabs(struct slab *slab)
{
	int nr = read_slabs(slab);
	char path[128];

	for (int i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), SLAB_DIR "%.63s/shrink",
			 slab[i].name);
		shrink(path);
	}
	return read_slabs(slab);
}

static long count_objects(const struct slab *slab, int nr)
{
	long sum = 0;

	for (int i = 0; i < nr; i++)
		sum += slab[i].objects;
	return sum;
}

/**
 * slabs_in_use - which caches of KSM have objects that are in use
 * @slab: filled in, MAX_SLABS at most
 * @seconds: how long to wait for there to be none
 *
 * Return: how many caches there are; 0 if they cannot be told from others, as
 * caches of equal objects are made one unless the kernel has slab_nomerge.
 */
int slabs_in_use(struct slab *slab, unsigned int seconds)
{
	time_t end = time(NULL) + seconds;
	struct stat st;
	int nr;

	if (lstat(SLAB_DIR "ksm_rmap_item", &st) || S_ISLNK(st.st_mode))
		return 0;
	do {
		nr = shrink_slabs(slab);
		if (!count_objects(slab, nr))
			break;
		usleep(100000);
	} while (time(NULL) <= end);
	return nr;
}
