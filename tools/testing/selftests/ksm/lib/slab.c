// SPDX-License-Identifier: GPL-2.0
/*
 * What the slab allocator has given away, and not got back.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../../kselftest.h"
#include "end.h"
#include "files.h"
#include "slab.h"

#define SLABINFO	"/proc/slabinfo"
#define SLAB_DIR	"/sys/kernel/slab"
#define ANY_KSM_CACHE	"ksm_rmap_item"

struct cache {
	char name[64];
	long objects;
	long size;		/* of one object, as its user sees it */
};

void ksys_slab_setup(void)
{
	struct stat st;

	if (access(SLABINFO, R_OK))
		ksm_skip_all("kernel without " SLABINFO);
	if (lstat(SLAB_DIR "/" ANY_KSM_CACHE, &st))
		ksm_skip_all("kernel without " SLAB_DIR);
	if (S_ISLNK(st.st_mode))
		ksm_skip_all("booted without slab_nomerge");
}

typedef void (*cache_fn)(const struct cache *cache, long *sum);

static void visit_caches(const char *prefix, cache_fn fn, long *sum)
{
	char line[256], path[128];
	struct cache cache;
	FILE *f;

	f = fopen(SLABINFO, "re");
	if (!f)
		ksm_die("cannot open " SLABINFO);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %ld", cache.name, &cache.objects) != 2 ||
		    strncmp(cache.name, prefix, strlen(prefix)))
			continue;
		snprintf(path, sizeof(path), SLAB_DIR "/%s/object_size",
			 cache.name);
		cache.size = ksys_read_long(path);
		if (cache.size > 0)
			fn(&cache, sum);
	}
	fclose(f);
}

/* Also what a sanitizer keeps back for a while */
static void put_back(const struct cache *cache, long *unused)
{
	char path[128];

	snprintf(path, sizeof(path), SLAB_DIR "/%s/shrink", cache->name);
	ksys_write(path, "1\n");
}

static void add_objects(const struct cache *cache, long *sum)
{
	*sum += cache->objects;
}

static void add_bytes(const struct cache *cache, long *sum)
{
	*sum += cache->objects * cache->size;
}

static void print(const struct cache *cache, long *unused)
{
	if (cache->objects)
		ksft_print_msg("%s: %ld objects of %ld bytes\n", cache->name,
			       cache->objects, cache->size);
}

long ksys_slab_objects(const char *prefix)
{
	long sum = 0;

	visit_caches(prefix, put_back, NULL);
	visit_caches(prefix, add_objects, &sum);
	return sum;
}

long ksys_slab_bytes(const char *prefix)
{
	long sum = 0;

	visit_caches(prefix, put_back, NULL);
	visit_caches(prefix, add_bytes, &sum);
	return sum;
}

void ksys_slab_print(const char *prefix)
{
	visit_caches(prefix, print, NULL);
}
