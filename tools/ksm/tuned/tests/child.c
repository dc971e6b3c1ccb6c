// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "fixture.h"
#include "root.h"

/* Longer than anything takes on a loaded machine */
#define PATIENCE_MS	30000
#define ARGS_MAX	8

static pid_t running[8];

static void remember(pid_t from, pid_t to)
{
	for (size_t i = 0; i < ARRAY_SIZE(running); i++) {
		if (running[i] == from) {
			running[i] = to;
			return;
		}
	}
}

static void exec_child(int fd, const char *program, char **argv)
{
	const char *dir = getenv("KSM_BIN");
	char path[KSM_PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : ".", program);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	execv(path, argv);
	dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
	_exit(127);
}

/**
 * child_start() - run a program with --root
 * @child:   result
 * @program: its name, in KSM_BIN
 * @...:     other arguments, and NULL
 */
void child_start(struct child *child, const char *program, ...)
{
	char *argv[ARGS_MAX] = { (char *)program, "--root",
				 (char *)ksm_root() };
	int fds[2], count = 3;
	va_list args;

	va_start(args, program);
	while (count < ARGS_MAX - 1 && (argv[count] = va_arg(args, char *)))
		count++;
	va_end(args);
	assert_int_equal(pipe(fds), 0);
	child->len = 0;
	child->text[0] = '\0';
	child->fd = fds[0];
	child->pid = fork();
	assert_int_not_equal(child->pid, -1);
	if (!child->pid)
		exec_child(fds[1], program, argv);
	remember(0, child->pid);
	close(fds[1]);
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether there was more to read before the time was over */
static bool read_more(struct child *child, long until)
{
	struct pollfd file = { .fd = child->fd, .events = POLLIN };
	long left = until - now_ms();
	ssize_t len;

	if (left <= 0 || poll(&file, 1, left) <= 0)
		return false;
	len = read(child->fd, child->text + child->len,
		   sizeof(child->text) - 1 - child->len);
	if (len <= 0)
		return false;
	child->len += len;
	child->text[child->len] = '\0';
	return true;
}

static void consume(struct child *child, size_t len)
{
	memmove(child->text, child->text + len, child->len - len + 1);
	child->len -= len;
}

/* Wait until it has said this; what it said up to there is consumed. */
void child_expect(struct child *child, const char *what)
{
	long until = now_ms() + PATIENCE_MS;
	char *at;

	while (!(at = strstr(child->text, what)))
		if (!read_more(child, until))
			fail_msg("expected \"%s\", got \"%s\"", what,
				 child->text);
	consume(child, at + strlen(what) - child->text);
}

/* It does not say this for some time. */
void child_expect_none(struct child *child, const char *what, int ms)
{
	long until = now_ms() + ms;

	while (read_more(child, until))
		;
	if (strstr(child->text, what))
		fail_msg("\"%s\" in \"%s\"", what, child->text);
}

/* Wait until it ends; the exit code, or the negated signal */
int child_end(struct child *child)
{
	long until = now_ms() + PATIENCE_MS;
	int status;

	while (read_more(child, until))
		;
	if (now_ms() >= until)
		fail_msg("it does not end: \"%s\"", child->text);
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	remember(child->pid, 0);
	close(child->fd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void child_kill(struct child *child, int signal)
{
	assert_int_equal(kill(child->pid, signal), 0);
}

/* After a test that failed */
void child_stop_all(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(running); i++) {
		if (running[i] <= 0)
			continue;
		kill(running[i], SIGKILL);
		waitpid(running[i], NULL, 0);
		running[i] = 0;
	}
}
