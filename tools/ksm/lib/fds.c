// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fds.h"
#include "lines.h"
#include "root.h"

#define FD(member, begin)	KSM_FIELD(struct ksm_fds, member, begin, 1)

/* What the link of such a file begins with */
static const struct ksm_field kinds[] = {
	FD(kvm, "anon_inode:kvm-vm"),
	FD(vfio, "/dev/vfio/"),
	FD(vfio, "/dev/iommu"),
	FD(vfio, "anon_inode:[vfio-device]"),
	FD(rdma, "/dev/infiniband/"),
	FD(io_uring, "anon_inode:[io_uring]"),
};

static int add_range(struct ksm_fds *fds, uint64_t start, uint64_t len)
{
	size_t size = (fds->nr_fixed + 1) * sizeof(*fds->fixed);
	struct ksm_range *fixed = realloc(fds->fixed, size);

	if (!fixed)
		return -ENOMEM;
	fds->fixed = fixed;
	fixed[fds->nr_fixed++] = (struct ksm_range){ start, start + len };
	return 0;
}

/*
 * "UserBufs: 2", then a line "    0: 0x7f0000000000/65536" for each.  These
 * are missing if the ring was busy.
 */
static int read_ring(int pid, const char *fd, struct ksm_fds *fds)
{
	FILE *file = ksm_root_open("/proc/%d/fdinfo/%s", pid, fd);
	char line[256];
	bool buffers = false;
	uint64_t start, len;
	int err = 0;

	if (!file)
		return 0;
	while (!err && fgets(line, sizeof(line), file)) {
		if (!isspace((unsigned char)line[0]) &&
		    !isdigit((unsigned char)line[0]))
			buffers = !strncmp(line, "UserBufs:", 9);
		else if (buffers && sscanf(line, " %*u: 0x%" SCNx64 "/%" SCNu64,
					   &start, &len) == 2 && len)
			err = add_range(fds, start, len);
	}
	fclose(file);
	return err;
}

static int look_at(int pid, const char *fd, struct ksm_fds *fds)
{
	char path[KSM_PATH_MAX], target[64];
	ssize_t len;

	if (ksm_root_path(path, sizeof(path), "/proc/%d/fd/%s", pid, fd))
		return 0;
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return 0;
	target[len] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strncmp(target, kinds[i].name, strlen(kinds[i].name)))
			++*fig_at(fds, &kinds[i]);
	if (!strcmp(target, "anon_inode:[io_uring]"))
		return read_ring(pid, fd, fds);
	return 0;
}

/**
 * ksm_fds_read() - find what a process holds open
 * @pid: the process
 * @fds: result, for ksm_fds_free(), also after an error
 *
 * Return: 0, or -errno: -EACCES if it is another user's
 */
int ksm_fds_read(int pid, struct ksm_fds *fds)
{
	char path[64];
	struct dirent *entry;
	int err = 0;
	DIR *dir;

	memset(fds, 0, sizeof(*fds));
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = ksm_root_opendir(path);
	if (!dir) {
		err = -errno;
		ksm_fields_unknown(kinds, ARRAY_SIZE(kinds), fds);
		return err;
	}
	while (!err && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			err = look_at(pid, entry->d_name, fds);
	closedir(dir);
	return err;
}

/* Give back what ksm_fds_read() has made. */
void ksm_fds_free(struct ksm_fds *fds)
{
	free(fds->fixed);
	memset(fds, 0, sizeof(*fds));
}

/**
 * ksm_fds_fixed_bytes() - how much of a range is pinned for io_uring
 * @fds:   of the process
 * @start: first address
 * @end:   first address behind it
 *
 * Return: bytes
 */
int64_t ksm_fds_fixed_bytes(const struct ksm_fds *fds, uint64_t start,
			    uint64_t end)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < fds->nr_fixed; i++) {
		const struct ksm_range *at = &fds->fixed[i];
		uint64_t from = at->start > start ? at->start : start;
		uint64_t to = at->end < end ? at->end : end;

		if (from < to)
			bytes += to - from;
	}
	return bytes;
}
