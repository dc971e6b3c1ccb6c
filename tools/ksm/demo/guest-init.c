// SPDX-License-Identifier: GPL-2.0-only
/*
 * /init of a guest of the demonstration.
 *
 * The image has a file that every guest has.  This makes one that nobody else
 * has, says so, and then does what it is told on its console, see init.h:
 *
 *   hash      print the SHA-256 of both files, as sha256sum does
 *   scribble  write zeros to the beginning of the common file
 *   restore   undo that
 *   off       end
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../guests/init.h"

#define COMMON		"/data/common"
#define RANDOM		"/data/random"
#define RANDOM_SIZE	(2 * 1024 * 1024)
#define SCRIBBLE_SIZE	(256 * 1024)

static char buffer[SCRIBBLE_SIZE];
static char saved[SCRIBBLE_SIZE];

static int make_random(void)
{
	int in = open("/dev/urandom", O_RDONLY);
	int out = open(RANDOM, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int err = in < 0 || out < 0;

	for (int done = 0; !err && done < RANDOM_SIZE; done += sizeof(buffer))
		err = read(in, buffer, sizeof(buffer)) != sizeof(buffer) ||
		      write(out, buffer, sizeof(buffer)) != sizeof(buffer);
	close(in);
	close(out);
	return err;
}

static int hash(void)
{
	static const char *const files[] = { COMMON, RANDOM };

	return init_hash(files, 2);
}

/* Exchange the beginning of the common file. */
static int replace(const char *with, char *old)
{
	int file = open(COMMON, O_RDWR);
	int err = file < 0;

	if (!err && old)
		err = pread(file, old, SCRIBBLE_SIZE, 0) != SCRIBBLE_SIZE;
	if (!err)
		err = pwrite(file, with, SCRIBBLE_SIZE, 0) != SCRIBBLE_SIZE;
	close(file);
	return err;
}

static int execute(const char *command)
{
	if (!strcmp(command, "hash"))
		return hash();
	if (!strcmp(command, "scribble")) {
		memset(buffer, 0, sizeof(buffer));
		return replace(buffer, saved);
	}
	if (!strcmp(command, "restore"))
		return replace(saved, NULL);
	if (!strcmp(command, "off"))
		init_off();
	printf("unknown command \"%s\"\n", command);
	return 2;
}

int main(void)
{
	char line[80];

	init_console();
	if (make_random())
		printf("cannot make %s: %s\n", RANDOM, strerror(errno));
	else
		printf("guest ready\n");
	fflush(stdout);

	while (fgets(line, sizeof(line), stdin))
		init_answer(line, execute);
	/* The console is gone: so is the reason to run. */
	init_off();
	return 1;
}
