// SPDX-License-Identifier: GPL-2.0
/*
 * Children, and talking to them.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "end.h"

void ksm_child_start(struct ksm_child *c,
		     int (*fn)(struct ksm_child *c, void *arg), void *arg)
{
	int down[2], up[2];

	fflush(stdout);
	if (pipe2(down, O_CLOEXEC) || pipe2(up, O_CLOEXEC))
		ksm_die("pipe: %s", strerror(errno));
	c->pid = fork();
	if (c->pid < 0)
		ksm_die("fork: %s", strerror(errno));
	if (!c->pid) {
		signal(SIGALRM, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		/* No child outlives a parent that was killed. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(down[1]);
		close(up[0]);
		c->rfd = down[0];
		c->wfd = up[1];
		exit(fn(c, arg));
	}
	close(down[0]);
	close(up[1]);
	c->rfd = up[0];
	c->wfd = down[1];
}

static bool send_bytes(struct ksm_child *c, const void *buf, size_t len)
{
	return write(c->wfd, buf, len) == (ssize_t)len;
}

void ksm_say(struct ksm_child *c, char what)
{
	if (!send_bytes(c, &what, 1) && !c->pid)
		_exit(1);
}

void ksm_say_long(struct ksm_child *c, long what)
{
	if (!send_bytes(c, &what, sizeof(what)) && !c->pid)
		_exit(1);
}

/* 1 done, 0 the other side is gone, -1 timeout */
static int receive(struct ksm_child *c, void *buf, size_t len)
{
	struct pollfd pfd = { .fd = c->rfd, .events = POLLIN };
	__u64 end = ksm_now_ms() + KSM_DEADLINE_MS;
	size_t have = 0;
	ssize_t ret;

	while (have < len) {
		__u64 now = ksm_now_ms();

		if (now >= end)
			return -1;
		ret = poll(&pfd, 1, end - now);
		if (ret < 0 && errno != EINTR)
			return 0;
		if (ret <= 0)
			continue;
		ret = read(c->rfd, (char *)buf + have, len - have);
		if (ret == 0 || (ret < 0 && errno != EINTR))
			return 0;
		if (ret > 0)
			have += ret;
	}
	return 1;
}

int ksm_hear(struct ksm_child *c)
{
	unsigned char what;

	switch (receive(c, &what, 1)) {
	case 1:
		return what;
	case 0:
		return -1;
	default:
		return -2;
	}
}

long ksm_hear_long(struct ksm_child *c)
{
	long what;

	if (receive(c, &what, sizeof(what)) != 1)
		ksm_die("%s has nothing to say", c->pid ? "child" : "parent");
	return what;
}

bool ksm_ask(struct ksm_child *c, char what)
{
	int answer;

	ksm_say(c, what);
	answer = ksm_hear(c);
	if (answer != 'y')
		printf("# '%c' answered with %d\n", what, answer);
	return answer == 'y';
}

int ksm_child_wait(struct ksm_child *c)
{
	int status;

	close(c->rfd);
	close(c->wfd);
	while (waitpid(c->pid, &status, 0) < 0) {
		if (errno != EINTR)
			ksm_die("waitpid: %s", strerror(errno));
	}
	if (WIFSIGNALED(status))
		return 128 + WTERMSIG(status);
	return WEXITSTATUS(status);
}

int ksm_child_end(struct ksm_child *c)
{
	ksm_say(c, 'q');
	return ksm_child_wait(c);
}

int ksm_child_kill(struct ksm_child *c)
{
	kill(c->pid, SIGKILL);
	return ksm_child_wait(c);
}

static int call_function(struct ksm_child *c, void *arg)
{
	int (**fn)(void) = arg;

	return (*fn)();
}

int ksm_in_child(int (*fn)(void))
{
	struct ksm_child c;

	ksm_child_start(&c, call_function, &fn);
	return ksm_child_wait(&c);
}
