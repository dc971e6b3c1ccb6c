// SPDX-License-Identifier: GPL-2.0-only
/*
 * One KVM guest: start its QEMU, talk to it over its console, see it go.
 *
 * The console is a socket pair on QEMU's standard input and output.  The
 * guest's init does what it is told there (init.c), and ends each answer with a
 * mark that it has to compute, so that an echo of what we sent is never taken
 * for an answer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guests.h"

#define CONSOLE_MAX	(256 * 1024)

/*
 * QEMU's emulation of SVM (seen with 7.2) delivers an interrupt that KVM
 * injects a second time if, before the guest exits to KVM, the emulator has to
 * look at something else: another CPU of the host gets a timer interrupt; or,
 * where its clock counts instructions, a timer expires.  That cannot be avoided
 * from in here, but made rare and mostly harmless:
 *  - all guests run on one CPU, so that another one is idle most of the time;
 *  - a guest ends an interrupt with a register write that exits to KVM, which
 *    ends the dangerous time, and not with a bit in shared memory;
 *  - a guest that wakes up has no lock to take before that write: its tick
 *    never stops (nohz=off).  Else it updates the time of day before, and waits
 *    for ever for the end of that when it is interrupted again;
 *  - a guest spends its time in kernel mode, see init.h.
 */
static void guest_pin(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpus - 1, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* If memory runs out it is a guest that goes, even if its starter is exempt. */
static void guest_may_be_killed(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	if (fd < 0 || write(fd, "0", 1) != 1)
		dprintf(STDERR_FILENO, "oom_score_adj: %s\n", strerror(errno));
	close(fd);
}

static void guest_exec(const struct guest *guest,
		       const struct guest_setup *setup, int console)
{
	char memory[16], path[64];
	int errors;

	snprintf(memory, sizeof(memory), "%d", setup->mib);
	snprintf(path, sizeof(path), "/run/guest%d.err", guest->nr);

	errors = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(console, STDIN_FILENO);
	dup2(console, STDOUT_FILENO);
	if (errors >= 0)
		dup2(errors, STDERR_FILENO);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	guest_pin();
	guest_may_be_killed();

	execlp(setup->qemu, setup->qemu, "-M", "microvm,acpi=off",
	       "-accel", "kvm", "-cpu", GUEST_CPU, "-m", memory,
	       "-nodefaults", "-no-user-config", "-no-reboot",
	       "-display", "none", "-serial", "stdio",
	       "-kernel", setup->kernel, "-initrd", setup->initrd,
	       "-append", setup->append, (char *)NULL);
	dprintf(STDERR_FILENO, "%s: %s\n", setup->qemu, strerror(errno));
	_exit(127);
}

/**
 * guest_start() - start the QEMU of a guest
 * @guest: the guest; its number is set
 * @setup: what it is to be
 *
 * Returns at once; its init will say "guest ready".
 *
 * Return: false with guest->why if there is no memory or process for it
 */
bool guest_start(struct guest *guest, const struct guest_setup *setup)
{
	int pair[2];

	guest->fd = -1;
	guest->len = 0;
	guest->mark = 0;
	guest->console = calloc(1, CONSOLE_MAX);
	if (!guest->console ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
		snprintf(guest->why, sizeof(guest->why), "no console: %s",
			 strerror(errno));
		return false;
	}
	fcntl(pair[0], F_SETFL, O_NONBLOCK);

	guest->started = now_s();
	guest->pid = fork();
	if (guest->pid < 0) {
		snprintf(guest->why, sizeof(guest->why), "fork: %s",
			 strerror(errno));
		close(pair[0]);
		close(pair[1]);
		return false;
	}
	if (!guest->pid)
		guest_exec(guest, setup, pair[1]);

	close(pair[1]);
	guest->fd = pair[0];
	guest->state = GUEST_BOOTING;
	return true;
}

/**
 * guest_drain() - read what the console has to say, without waiting
 * @guest: the guest
 *
 * Return: false with guest->why if it says more than there is place for
 */
bool guest_drain(struct guest *guest)
{
	while (guest->len < CONSOLE_MAX - 1) {
		ssize_t got = read(guest->fd, guest->console + guest->len,
				   CONSOLE_MAX - 1 - guest->len);

		if (got <= 0)
			return true;
		/* keep it a string whatever the guest sends */
		for (ssize_t i = 0; i < got; i++) {
			if (!guest->console[guest->len + i])
				guest->console[guest->len + i] = '?';
		}
		guest->len += got;
		guest->console[guest->len] = '\0';
	}
	snprintf(guest->why, sizeof(guest->why),
		 "talks too much: over %d KiB on its console",
		 CONSOLE_MAX / 1024);
	return false;
}

/* True if the QEMU has ended; its wait status is then in *status. */
static bool guest_ended(struct guest *guest, int *status)
{
	if (waitpid(guest->pid, status, WNOHANG) != guest->pid)
		return false;
	guest->state = GUEST_OFF;
	guest_drain(guest);
	return true;
}

/**
 * guest_trouble() - look for signs of trouble in what a guest's kernel printed
 * @guest: the guest
 *
 * Return: true, with the first sign in guest->why, if there are any
 */
bool guest_trouble(struct guest *guest)
{
	static const char *const bad[] = {
		"BUG:", "WARNING:", "Oops", "Call Trace", "Kernel panic",
		"general protection", "segfault", "rcu: INFO", "Bad page",
		"soft lockup", "blocked for more than", "Out of memory",
		"invalid opcode", "I/O error",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (!strstr(guest->console, bad[i]))
			continue;
		snprintf(guest->why, sizeof(guest->why), "\"%s\" on its console",
			 bad[i]);
		return true;
	}
	return false;
}

static bool guest_gone(struct guest *guest)
{
	int status;

	if (!guest_ended(guest, &status))
		return false;
	snprintf(guest->why, sizeof(guest->why),
		 "its QEMU ended, wait status 0x%x", status);
	return true;
}

/**
 * guest_well() - is a guest still there, and does not complain?
 * @guest: the guest
 *
 * Return: false with guest->why if not
 */
bool guest_well(struct guest *guest)
{
	return guest_drain(guest) && !guest_trouble(guest) &&
	       !guest_gone(guest);
}

/**
 * guest_look() - look for a text on a guest's console, without waiting
 * @guest: the guest
 * @text:  what is expected after the last command
 * @at:    where it is, if it was found
 *
 * Return: what was found
 */
enum guest_look guest_look(struct guest *guest, const char *text, char **at)
{
	if (!guest_drain(guest) || guest_trouble(guest))
		return LOOK_TROUBLE;
	*at = strstr(guest->console + guest->mark, text);
	if (*at)
		return LOOK_FOUND;
	return guest_gone(guest) ? LOOK_ENDED : LOOK_NOTHING;
}

/**
 * guest_expect() - wait for a text on a guest's console
 * @guest:     the guest
 * @text:      what is expected after the last command
 * @timeout_s: how long to wait
 *
 * Return: where it is, or NULL with guest->why
 */
char *guest_expect(struct guest *guest, const char *text, int timeout_s)
{
	double end = now_s() + timeout_s;
	struct pollfd fd = { .fd = guest->fd, .events = POLLIN };
	char *at;

	for (;;) {
		switch (guest_look(guest, text, &at)) {
		case LOOK_FOUND:
			return at;
		case LOOK_TROUBLE:
			/* let it say more than the first line */
			usleep(1000 * 1000);
			guest_drain(guest);
			return NULL;
		case LOOK_ENDED:
			return NULL;
		case LOOK_NOTHING:
			break;
		}
		if (now_s() >= end) {
			snprintf(guest->why, sizeof(guest->why),
				 "silent for %d s", timeout_s);
			return NULL;
		}
		poll(&fd, 1, 200);
	}
}

/**
 * guest_send() - tell a guest what to do
 * @guest:   the guest
 * @command: one that its init knows
 *
 * Return: false with guest->why if the console does not take it
 */
bool guest_send(struct guest *guest, const char *command)
{
	char line[64];
	int len;

	if (!guest_drain(guest))
		return false;
	guest->mark = guest->len;
	guest->seq++;
	len = snprintf(line, sizeof(line), "%s %u\n", command, guest->seq);
	if (len >= (int)sizeof(line) || write(guest->fd, line, len) != len) {
		snprintf(guest->why, sizeof(guest->why),
			 "does not take a command on its console");
		return false;
	}
	return true;
}

static void end_mark(const struct guest *guest, char *mark, size_t size)
{
	snprintf(mark, size, ":%u>", guest->seq * 7919);
}

/*
 * What the command printed, between guest->mark and its end mark "<STATUS:...",
 * of which @end is the colon.
 */
static char *take_reply(struct guest *guest, char *end)
{
	char *begin = guest->console + guest->mark, *reply;

	while (end > begin && *end != '<')
		end--;
	if (strncmp(end, "<0:", 3)) {
		snprintf(guest->why, sizeof(guest->why),
			 "could not do what it was told");
		return NULL;
	}
	reply = strndup(begin, end - begin);
	if (!reply)
		fail("out of memory");
	return reply;
}

/**
 * guest_look_reply() - look for the answer to the last guest_send()
 * @guest: the guest
 * @reply: what the command printed, to be freed by the caller, if it is there
 *
 * Return: LOOK_TROUBLE, with guest->why, too if the command failed
 */
enum guest_look guest_look_reply(struct guest *guest, char **reply)
{
	enum guest_look look;
	char mark[32], *end;

	end_mark(guest, mark, sizeof(mark));
	look = guest_look(guest, mark, &end);
	if (look != LOOK_FOUND)
		return look;
	*reply = take_reply(guest, end);
	return *reply ? LOOK_FOUND : LOOK_TROUBLE;
}

/**
 * guest_reply() - wait for the answer to the last guest_send()
 * @guest:     the guest
 * @timeout_s: how long to wait
 *
 * Return: what the command printed, to be freed by the caller, or NULL with
 * guest->why if there is none or the command ended with another status than 0
 */
char *guest_reply(struct guest *guest, int timeout_s)
{
	char mark[32], *end;

	end_mark(guest, mark, sizeof(mark));
	end = guest_expect(guest, mark, timeout_s);
	return end ? take_reply(guest, end) : NULL;
}

/**
 * guest_wait_off() - wait until the QEMU of a guest that was told to end ends
 * @guest:     the guest
 * @timeout_s: how long to wait
 *
 * Return: false with guest->why if it does not, or not well
 */
bool guest_wait_off(struct guest *guest, int timeout_s)
{
	double end = now_s() + timeout_s;
	int status;

	while (!guest_ended(guest, &status)) {
		if (now_s() >= end) {
			snprintf(guest->why, sizeof(guest->why),
				 "did not power off within %d s", timeout_s);
			return false;
		}
		guest_drain(guest);
		usleep(50 * 1000);
	}
	close(guest->fd);
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return true;
	snprintf(guest->why, sizeof(guest->why),
		 "did not end well: wait status 0x%x", status);
	return false;
}

/**
 * guest_kill() - end a guest's QEMU, whatever state it is in, and forget it
 * @guest: the guest
 */
void guest_kill(struct guest *guest)
{
	if (guest->state != GUEST_OFF) {
		kill(guest->pid, SIGKILL);
		waitpid(guest->pid, NULL, 0);
	}
	guest->state = GUEST_OFF;
	close(guest->fd);
	free(guest->console);
	guest->console = NULL;
}
