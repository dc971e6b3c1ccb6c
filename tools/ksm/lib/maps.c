// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "maps.h"
#include "names.h"
#include "root.h"

#define MAP(name, line)	KSM_FIELD(struct ksm_map, name, line, 1024)

static const struct ksm_field map_fields[] = {
	MAP(rss_bytes, "Rss"),
	MAP(pss_bytes, "Pss"),
	MAP(anonymous_bytes, "Anonymous"),
	MAP(ksm_bytes, "KSM"),
	MAP(huge_bytes, "AnonHugePages"),
	MAP(swap_bytes, "Swap"),
	MAP(locked_bytes, "Locked"),
};

static bool is_header(const char *line)
{
	size_t len = strspn(line, "0123456789abcdef");

	return len && line[len] == '-';
}

static bool parse_header(const char *line, struct ksm_map *map)
{
	int at = 0;

	memset(map, 0, sizeof(*map));
	ksm_fields_unknown(map_fields, ARRAY_SIZE(map_fields), map);
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %*s %" SCNu64
		   " %n", &map->start, &map->end, map->perms, &map->offset,
		   &map->inode, &at) < 5)
		return false;
	snprintf(map->name, sizeof(map->name), "%s", at ? line + at : "");
	map->name[strcspn(map->name, "\n")] = '\0';
	ksm_name_clean(map->name);
	return true;
}

static void parse_line(char *line, struct ksm_map *map)
{
	char *name, *value;

	if (!strncmp(line, "VmFlags: ", 9)) {
		line[strcspn(line, "\n")] = '\0';
		snprintf(map->vmflags, sizeof(map->vmflags), "%s", line + 9);
		return;
	}
	if (!ksm_line_value(line, &name, &value))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(map_fields); i++)
		if (!strcmp(map_fields[i].name, name))
			*fig_at(map, &map_fields[i]) =
				fig_mul(ksm_parse_figure(value),
					map_fields[i].unit);
}

static struct ksm_map *next_map(struct ksm_maps *maps)
{
	size_t count = maps->count;

	/* grow at 0, 64, 128, 256 ... */
	if (!count || (count >= 64 && !(count & (count - 1)))) {
		struct ksm_map *list =
			realloc(maps->list, (count ? 2 * count : 64) *
					    sizeof(*list));

		if (!list)
			return NULL;
		maps->list = list;
	}
	return &maps->list[maps->count++];
}

static int parse_file(FILE *file, struct ksm_maps *maps)
{
	struct ksm_map *map = NULL;
	char *line = NULL;
	size_t size = 0;
	int err = 0;

	errno = 0;
	while (!err && getline(&line, &size, file) > 0) {
		if (is_header(line)) {
			map = next_map(maps);
			if (!map)
				err = -ENOMEM;
			else if (!parse_header(line, map))
				err = -EINVAL;
		} else if (map) {
			parse_line(line, map);
		}
	}
	if (!err && ferror(file))
		err = errno ? -errno : -EIO;
	free(line);
	return err;
}

/**
 * ksm_maps_read() - read the mappings of a process
 * @pid:  the process
 * @maps: result, for ksm_maps_free(), also after an error
 *
 * For a process with much memory the kernel needs some time for this.
 *
 * Return: 0, or -errno
 */
int ksm_maps_read(int pid, struct ksm_maps *maps)
{
	FILE *file;
	int err;

	memset(maps, 0, sizeof(*maps));
	file = ksm_root_open("/proc/%d/smaps", pid);
	if (!file)
		return -errno;
	err = parse_file(file, maps);
	fclose(file);
	return err;
}

/* Give back what ksm_maps_read() has made. */
void ksm_maps_free(struct ksm_maps *maps)
{
	free(maps->list);
	memset(maps, 0, sizeof(*maps));
}

/**
 * ksm_map_has() - does a mapping have this flag?
 * @map:    the mapping
 * @vmflag: two letters as in smaps, such as "mg"
 *
 * Return: true if it has
 */
bool ksm_map_has(const struct ksm_map *map, const char *vmflag)
{
	for (const char *at = map->vmflags; *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");

		if (len == strlen(vmflag) && !strncmp(at, vmflag, len))
			return true;
		at += len;
	}
	return false;
}
