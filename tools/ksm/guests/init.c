// SPDX-License-Identifier: GPL-2.0-only
/* The parts of a guest's init that do not depend on what it is for. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_alg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "init.h"

#define DIGEST_SIZE	32

/**
 * init_console() - devices, and a console that does not echo
 */
void init_console(void)
{
	struct termios console;

	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	if (!tcgetattr(STDIN_FILENO, &console)) {
		console.c_lflag &= ~ECHO;
		tcsetattr(STDIN_FILENO, TCSANOW, &console);
	}
	setvbuf(stdout, NULL, _IOFBF, 1024);
}

void init_answer(const char *line, int (*execute)(const char *command))
{
	unsigned int number;
	char command[16];

	if (sscanf(line, "%15s %u", command, &number) != 2)
		return;
	printf("<%d:%u>\n", execute(command), number * 7919);
	fflush(stdout);
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

int init_hash(const char *const paths[], int nr)
{
	struct sockaddr_alg address = {
		.salg_family = AF_ALG,
		.salg_type = "hash",
		.salg_name = "sha256",
	};
	int alg = socket(AF_ALG, SOCK_SEQPACKET, 0);
	int err = 0;

	if (alg < 0 || bind(alg, (void *)&address, sizeof(address))) {
		printf("no sha256 in this kernel: %s\n", strerror(errno));
		return 1;
	}
	for (int i = 0; i < nr && !err; i++)
		err = hash_file(alg, paths[i]);
	close(alg);
	return err;
}

/**
 * init_off() - end the guest: without ACPI a reset is what ends QEMU
 */
void init_off(void)
{
	tcdrain(STDOUT_FILENO);
	reboot(RB_AUTOBOOT);
}
