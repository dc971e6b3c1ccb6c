// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "root.h"

static char root[256];

static void make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			fail_msg("mkdir %s: %s", path, strerror(errno));
		*slash = '/';
	}
}

static FILE *create(const char *path)
{
	static char full[KSM_PATH_MAX];
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	make_parents(full);
	file = fopen(full, "w");
	if (!file)
		fail_msg("%s: %s", full, strerror(errno));
	return file;
}

/* The path of "-- PATH --", or NULL */
static char *header(char *line)
{
	size_t len = strlen(line);

	if (len < 8 || strncmp(line, "-- ", 3) ||
	    strcmp(line + len - 4, " --\n"))
		return NULL;
	line[len - 4] = '\0';
	return line + 3;
}

static void put_line(const char *line, FILE *file)
{
	for (; *line; line++) {
		if (line[0] == '\\' && line[1] == '0') {
			fputc('\0', file);
			line++;
		} else {
			fputc(*line, file);
		}
	}
}

static void unpack(FILE *host)
{
	FILE *file = NULL;
	char line[1024], *path;

	while (fgets(line, sizeof(line), host)) {
		path = header(line);
		if (path) {
			if (file)
				fclose(file);
			file = create(path);
		} else if (file) {
			put_line(line, file);
		}
	}
	if (file)
		fclose(file);
}

/**
 * fixture_open() - make the tree of a host, and have the library read it
 * @host: its name: fixtures/NAME.txt; NULL for an empty tree
 *
 * Return: the directory
 */
const char *fixture_open(const char *host)
{
	const char *dir = getenv("KSM_FIXTURES");
	char path[KSM_PATH_MAX];
	FILE *file;

	strcpy(root, "/tmp/ksm-fixture.XXXXXX");
	if (!mkdtemp(root))
		fail_msg("mkdtemp: %s", strerror(errno));
	ksm_root_set(root);
	if (!host)
		return root;
	snprintf(path, sizeof(path), "%s/%s.txt", dir ? dir : "fixtures", host);
	file = fopen(path, "r");
	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	unpack(file);
	fclose(file);
	return root;
}

/* Write a file of the tree, and make it if it is not there. */
void fixture_write(const char *path, const char *text)
{
	FILE *file = create(path);

	put_line(text, file);
	fclose(file);
}

/* Read a file of the tree. */
void fixture_read(const char *path, char *text, size_t size)
{
	ssize_t len = ksm_root_read(text, size, "/%s", path);

	if (len < 0)
		fail_msg("%s: %s", path, strerror(-len));
}

/* Where a file of the tree is; valid until the next call. */
const char *fixture_path(const char *path)
{
	static char full[KSM_PATH_MAX];

	snprintf(full, sizeof(full), "%s/%s", root, path);
	return full;
}

static int remove_one(const char *path, const struct stat *stat, int type,
		      struct FTW *ftw)
{
	(void)stat;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* Remove a file or directory of the tree. */
void fixture_remove(const char *path)
{
	if (nftw(fixture_path(path), remove_one, 16, FTW_DEPTH | FTW_PHYS))
		fail_msg("cannot remove %s", path);
}

/* Remove the whole tree. */
void fixture_close(void)
{
	if (root[0])
		nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	root[0] = '\0';
	ksm_root_set("");
}

/* The same, also when a test has failed. */
int fixture_teardown(void **state)
{
	(void)state;
	fixture_close();
	return 0;
}
