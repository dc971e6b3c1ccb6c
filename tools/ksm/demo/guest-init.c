// SPDX-License-Identifier: GPL-2.0-only
/*
 * /init of a guest of the demonstration.
 *
 * The image has a file that every guest has.  This makes one that nobody else
 * has, says so, and then does what it is told on its console: "COMMAND NUMBER",
 * answered by what the command prints and "<STATUS:NUMBER * 7919>".
 *
 *   hash      print the SHA-256 of both files, as sha256sum does
 *   scribble  write zeros to the beginning of the common file
 *   restore   undo that
 *   off       end
 *
 * Why no shell, and why the kernel computes the digests: where QEMU emulates
 * the CPU that runs the host, an interrupt that KVM injects into a guest is,
 * rarely, delivered a second time before the first has executed an instruction.
 * A guest in kernel mode runs its handler twice and never notices.  One in user
 * mode dies: the second interrupt finds a kernel that has not switched to its
 * own GS yet.  So a guest of the demonstration spends its time in the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_alg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define COMMON		"/data/common"
#define RANDOM		"/data/random"
#define RANDOM_SIZE	(2 * 1024 * 1024)
#define SCRIBBLE_SIZE	(256 * 1024)
#define DIGEST_SIZE	32

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

static int hash_file(int alg, const char *path)
{
	unsigned char digest[DIGEST_SIZE];
	struct stat stat;
	int file, op, err = 1;

	file = open(path, O_RDONLY);
	op = accept(alg, NULL, NULL);
	if (file < 0 || op < 0 || fstat(file, &stat))
		goto out;
	/* In one piece: where a sendfile() ends, the message ends. */
	if (sendfile(op, file, NULL, stat.st_size) != stat.st_size ||
	    read(op, digest, sizeof(digest)) != sizeof(digest))
		goto out;

	for (size_t i = 0; i < sizeof(digest); i++)
		printf("%02x", digest[i]);
	printf("  %s\n", path);
	err = 0;
out:
	if (err)
		printf("%s: %s\n", path, strerror(errno));
	close(op);
	close(file);
	return err;
}

static int hash(void)
{
	struct sockaddr_alg address = {
		.salg_family = AF_ALG,
		.salg_type = "hash",
		.salg_name = "sha256",
	};
	int alg = socket(AF_ALG, SOCK_SEQPACKET, 0);
	int err;

	if (alg < 0 || bind(alg, (void *)&address, sizeof(address))) {
		printf("no sha256 in this kernel: %s\n", strerror(errno));
		return 1;
	}
	err = hash_file(alg, COMMON) || hash_file(alg, RANDOM);
	close(alg);
	return err;
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
	if (!strcmp(command, "off")) {
		tcdrain(STDOUT_FILENO);
		reboot(RB_AUTOBOOT);
	}
	printf("unknown command \"%s\"\n", command);
	return 2;
}

int main(void)
{
	char line[80], command[16];
	struct termios console;
	unsigned int number;

	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	if (!tcgetattr(STDIN_FILENO, &console)) {
		console.c_lflag &= ~ECHO;
		tcsetattr(STDIN_FILENO, TCSANOW, &console);
	}
	setvbuf(stdout, NULL, _IOFBF, 1024);

	if (make_random())
		printf("cannot make %s: %s\n", RANDOM, strerror(errno));
	else
		printf("guest ready\n");
	fflush(stdout);

	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%15s %u", command, &number) != 2)
			continue;
		printf("<%d:%u>\n", execute(command), number * 7919);
		fflush(stdout);
	}
	/* The console is gone: so is the reason to run. */
	reboot(RB_AUTOBOOT);
	return 1;
}
