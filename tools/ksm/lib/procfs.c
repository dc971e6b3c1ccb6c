// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "procfs.h"
#include "root.h"

#define PF_KTHREAD	0x00200000	/* in the flags of /proc/PID/stat */

/**
 * ksm_proc_open() - begin to go through all processes
 * @list: state
 *
 * Return: 0, or -errno; only after 0 ksm_proc_close() has to be called
 */
int ksm_proc_open(struct ksm_proc_list *list)
{
	list->dir = ksm_root_opendir("/proc");
	return list->dir ? 0 : -errno;
}

/**
 * ksm_proc_next() - go on to the next process
 * @list: state
 *
 * Return: its PID, 0 after the last one
 */
int ksm_proc_next(struct ksm_proc_list *list)
{
	struct dirent *entry;

	while ((entry = readdir(list->dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			return atoi(entry->d_name);
	return 0;
}

/* End going through all processes. */
void ksm_proc_close(struct ksm_proc_list *list)
{
	closedir(list->dir);
}

/**
 * ksm_proc_stat() - what /proc/PID/stat says
 * @pid:  the process
 * @stat: result
 *
 * Return: 0, or -errno: it may have ended
 */
int ksm_proc_stat(int pid, struct ksm_proc_stat *stat)
{
	char text[1024], *name, *end;
	unsigned long flags;
	int64_t user, system, start;
	ssize_t len = ksm_root_read(text, sizeof(text), "/proc/%d/stat", pid);

	if (len < 0)
		return len;
	/* the name may have spaces and parentheses itself */
	name = strchr(text, '(');
	end = strrchr(text, ')');
	if (!name || !end || end <= name)
		return -EINVAL;
	*end = '\0';
	if (sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %lu %*u %*u %*u %*u %"
		   SCNd64 " %" SCNd64 " %*d %*d %*d %*d %*d %*d %" SCNd64,
		   &flags, &user, &system, &start) != 4)
		return -EINVAL;
	snprintf(stat->comm, sizeof(stat->comm), "%s", name + 1);
	ksm_name_clean(stat->comm);
	stat->kthread = flags & PF_KTHREAD;
	stat->cpu_ticks = fig_add(user, system);
	stat->start_ticks = start;
	return 0;
}

/**
 * ksm_proc_rss_pages() - resident memory of a process
 * @pid: the process
 *
 * Return: pages, or KSM_UNKNOWN
 */
ksm_figure ksm_proc_rss_pages(int pid)
{
	char text[128], *rss;

	if (ksm_root_read(text, sizeof(text), "/proc/%d/statm", pid) < 0)
		return KSM_UNKNOWN;
	rss = strchr(text, ' ');
	if (!rss)
		return KSM_UNKNOWN;
	rss++;
	rss[strcspn(rss, " ")] = '\0';
	return ksm_parse_figure(rss);
}

static bool ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len > end_len && !strcmp(name + len - end_len, end);
}

/* What processes run in; a slice only holds other units together. */
static bool is_leaf(const char *name)
{
	return ends_with(name, ".service") || ends_with(name, ".scope");
}

static bool is_unit(const char *name)
{
	return is_leaf(name) || ends_with(name, ".slice");
}

/**
 * ksm_unit_unescape() - a unit's name as people write it
 * @name: the name; systemd writes "-" within a part of it as "\x2d"
 */
void ksm_unit_unescape(char *name)
{
	unsigned int byte;
	char *to = name;

	while (*name) {
		/* not isprint(): that depends on the locale */
		if (!strncmp(name, "\\x", 2) &&
		    isxdigit((unsigned char)name[2]) &&
		    isxdigit((unsigned char)name[3]) &&
		    sscanf(name + 2, "%2x", &byte) == 1 && byte >= ' ' &&
		    byte < 0x7f) {
			*to++ = byte;
			name += 4;
		} else {
			*to++ = *name++;
		}
	}
	*to = '\0';
}

/* Container engines name by a hash; its first 12 digits are what they show. */
static void shorten_hash(char *name)
{
	size_t len = strlen(name), digits = strlen("0123456789ab");
	char *hash = name + len - 64;

	if (len >= 64 && strspn(hash, "0123456789abcdef") == 64)
		hash[digits] = '\0';
}

/* What runs in a unit, by its name: "systemd-nspawn@shop.service" is shop. */
static void inside_of(char *name)
{
	static const char *const before[] = { "systemd-nspawn@", "machine-" };

	*strrchr(name, '.') = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
		size_t len = strlen(before[i]);

		if (!strncmp(name, before[i], len) && name[len])
			memmove(name, name + len, strlen(name + len) + 1);
	}
	ksm_unit_unescape(name);
	shorten_hash(name);
}

/**
 * struct place - where a path of a control group leads
 * @around: containers on the way, each with a slash behind it
 * @unit:   the innermost unit so far, or ""
 */
struct place {
	char around[KSM_UNIT_MAX];
	char unit[KSM_UNIT_MAX];
};

static void go_into(struct place *place, const char *name)
{
	size_t len = strlen(place->around);

	snprintf(place->around + len, sizeof(place->around) - len, "%s/", name);
}

/*
 * A unit in a service or scope is one of another systemd: that of a container,
 * or of a user.  It may have the name of one outside.
 */
static void take_unit(struct place *place, const char *name)
{
	if (is_leaf(place->unit)) {
		inside_of(place->unit);
		go_into(place, place->unit);
	}
	snprintf(place->unit, sizeof(place->unit), "%s", name);
}

/* LXC has no unit for a container: lxc.payload.NAME, lxc/NAME on Proxmox VE */
static const char *lxc_name(const char *before, const char *name)
{
	static const char payload[] = "lxc.payload.";

	if (!strncmp(name, payload, strlen(payload)))
		return name + strlen(payload);
	return strcmp(before, "lxc") ? "" : name;
}

static void follow(struct place *place, char *path)
{
	const char *before = "";
	char *part;

	place->around[0] = '\0';
	place->unit[0] = '\0';
	while ((part = strsep(&path, "/"))) {
		const char *lxc = lxc_name(before, part);

		if (is_unit(part))
			take_unit(place, part);
		else if (*lxc)
			go_into(place, lxc);
		before = part;
	}
}

/* The path of a line of cgroup where systemd has its units, or NULL */
static char *path_of(char *line)
{
	static const char named[] = ":name=systemd:";
	char *at;

	line[strcspn(line, "\n")] = '\0';
	if (!strncmp(line, "0::", 3))
		return line + 3;
	at = strstr(line, named);
	return at ? at + strlen(named) : NULL;
}

static void name_place(const struct place *place, char *unit, size_t size)
{
	snprintf(unit, size, "%s%s", place->around, place->unit);
	ksm_name_clean(unit);
}

/**
 * ksm_proc_unit() - the unit of systemd that a process belongs to
 * @pid:  the process
 * @unit: result, "CONTAINER/UNIT" in a container, of which UNIT may be missing;
 *        "" if it belongs to none
 * @size: of @unit, KSM_UNIT_MAX
 */
void ksm_proc_unit(int pid, char *unit, size_t size)
{
	FILE *file = ksm_root_open("/proc/%d/cgroup", pid);
	struct place place;
	char *line = NULL;
	size_t room = 0;

	unit[0] = '\0';
	while (file && getline(&line, &room, file) > 0) {
		char *path = path_of(line);

		if (!path)
			continue;
		follow(&place, path);
		if (place.unit[0] || place.around[0])
			name_place(&place, unit, size);
	}
	free(line);
	if (file)
		fclose(file);
}

/**
 * ksm_unit_name() - the unit alone
 * @name: as ksm_proc_unit() has it
 *
 * Return: where in @name it begins; before it is the container with a slash,
 *         if there is one
 */
const char *ksm_unit_name(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}
