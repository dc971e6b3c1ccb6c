// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "top_child.h"

/* More than this is not read. */
#define TEXT_MAX	(1 << 20)

/* In the child: errors go where the rest goes. */
static void run(char *const argv[], int out, int columns)
{
	int nothing = open("/dev/null", O_RDONLY);
	char width[16];

	snprintf(width, sizeof(width), "%d", columns);
	setenv("COLUMNS", width, 1);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(out, 2) < 0)
		_exit(127);
	execv("/proc/self/exe", argv);
	dprintf(2, "cannot start %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/**
 * top_child_start() - have the same program run another command
 * @child:   result, for top_child_stop(); nothing runs there yet
 * @argv:    its arguments
 * @columns: how wide the text should be
 *
 * Return: 0, or -errno
 */
int top_child_start(struct top_child *child, char *const argv[], int columns)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	/* the parent may have it ignored: there would be no status then */
	signal(SIGCHLD, SIG_DFL);
	pid = fork();
	if (!pid)
		run(argv, fds[1], columns);
	close(fds[1]);
	if (pid < 0) {
		int err = -errno;

		close(fds[0]);
		return err;
	}
	*child = (struct top_child){ .pid = pid, .fd = fds[0] };
	return 0;
}

/**
 * top_child_read() - read what can be read without waiting
 * @child: a command that runs; its @fd is readable
 *
 * Return: whether there will be more; if not, @child->status is set
 */
bool top_child_read(struct top_child *child)
{
	char part[4096];
	ssize_t len = read(child->fd, part, sizeof(part));
	char *text;

	if (len < 0 && errno == EINTR)
		return true;
	if (len > 0 && child->len < TEXT_MAX) {
		text = realloc(child->text, child->len + len + 1);
		if (text) {
			memcpy(text + child->len, part, len);
			child->len += len;
			text[child->len] = '\0';
			child->text = text;
			return true;
		}
	}
	/* enough is said */
	if (len)
		kill(child->pid, SIGTERM);
	close(child->fd);
	waitpid(child->pid, &child->status, 0);
	child->pid = 0;
	return false;
}

/* End the command if it still runs, and forget what it has said. */
void top_child_stop(struct top_child *child)
{
	if (child->pid) {
		kill(child->pid, SIGTERM);
		close(child->fd);
		waitpid(child->pid, &child->status, 0);
	}
	free(child->text);
	memset(child, 0, sizeof(*child));
}
