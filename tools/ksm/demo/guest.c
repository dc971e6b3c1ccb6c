// SPDX-License-Identifier: GPL-2.0-only
/*
 * One KVM guest: start its QEMU, talk to it over its console, see it go.
 *
 * The console is a socket pair on QEMU's standard input and output.  The
 * guest's init does what it is told there (guest-init.c), and ends each answer
 * with a mark that it has to compute, so that an echo of what we sent is never
 * taken for an answer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo.h"

#define CONSOLE_MAX	(256 * 1024)

struct guest guests[MAX_GUESTS];

static void guest_tail(const struct guest *guest)
{
	size_t at = guest->len > 1200 ? guest->len - 1200 : 0;
	char path[64], line[256];
	FILE *errors;

	say(YELLOW, "end of the console of guest %d:", guest->nr);
	say(DIM, "%s", guest->console + at);

	snprintf(path, sizeof(path), "/run/guest%d.err", guest->nr);
	errors = fopen(path, "r");
	while (errors && fgets(line, sizeof(line), errors)) {
		line[strcspn(line, "\n")] = '\0';
		say(YELLOW, "QEMU: %s", line);
	}
	if (errors)
		fclose(errors);
}

/* Fail, with the end of what the guest's console and its QEMU said. */
static void __printf(2, 3) __noreturn guest_fail(const struct guest *guest,
						 const char *fmt, ...)
{
	char what[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	guest_tail(guest);
	fail("guest %d %s", guest->nr, what);
}

/*
 * QEMU's emulation of SVM (seen with 7.2) delivers an interrupt that KVM
 * injects a second time if, at that moment, another CPU of the host gets a
 * timer interrupt.  That cannot be avoided from in here, but made rare and
 * mostly harmless:
 *  - all guests run on one CPU, so that the other one is idle most of the time;
 *  - a guest ends an interrupt with a register write that exits to KVM, which
 *    ends the dangerous time, and not with a bit in shared memory;
 *  - a guest that wakes up has no lock to take before that write: its tick
 *    never stops;
 *  - a guest spends its time in kernel mode, see guest-init.c.
 */
static void guest_pin(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpus - 1, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void guest_exec(const struct guest *guest, int console)
{
	/*
	 * Without ACPI a guest cannot power off: it resets, and QEMU exits.
	 * nohz=off: see guest_pin().
	 */
	static const char append[] =
		"console=ttyS0 quiet panic=-1 reboot=t nohz=off";
	char memory[16], path[64];
	int errors;

	snprintf(memory, sizeof(memory), "%d", config.guest_mib);
	snprintf(path, sizeof(path), "/run/guest%d.err", guest->nr);

	errors = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(console, STDIN_FILENO);
	dup2(console, STDOUT_FILENO);
	if (errors >= 0)
		dup2(errors, STDERR_FILENO);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	guest_pin();

	execlp(config.qemu, config.qemu, "-M", "microvm,acpi=off",
	       "-accel", "kvm", "-cpu", GUEST_CPU, "-m", memory,
	       "-nodefaults", "-no-user-config", "-no-reboot",
	       "-display", "none", "-serial", "stdio",
	       "-kernel", config.kernel, "-initrd", config.initrd,
	       "-append", append, (char *)NULL);
	dprintf(STDERR_FILENO, "%s: %s\n", config.qemu, strerror(errno));
	_exit(127);
}

/**
 * guest_start() - start the QEMU of a guest
 * @guest: the guest; its number is set
 *
 * Returns at once; guest_wait_ready() waits for the guest.
 */
void guest_start(struct guest *guest)
{
	int pair[2];

	guest->console = calloc(1, CONSOLE_MAX);
	if (!guest->console ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		fail("guest %d: no console: %s", guest->nr, strerror(errno));
	fcntl(pair[0], F_SETFL, O_NONBLOCK);

	guest->started = now_s();
	guest->pid = fork();
	if (guest->pid < 0)
		fail("guest %d: fork: %s", guest->nr, strerror(errno));
	if (!guest->pid)
		guest_exec(guest, pair[1]);

	close(pair[1]);
	guest->fd = pair[0];
	guest->state = GUEST_BOOTING;
}

/**
 * guest_drain() - read what the console has to say, without waiting
 * @guest: the guest
 */
void guest_drain(struct guest *guest)
{
	while (guest->len < CONSOLE_MAX - 1) {
		ssize_t got = read(guest->fd, guest->console + guest->len,
				   CONSOLE_MAX - 1 - guest->len);

		if (got <= 0)
			return;
		/* keep it a string whatever the guest sends */
		for (ssize_t i = 0; i < got; i++) {
			if (!guest->console[guest->len + i])
				guest->console[guest->len + i] = '?';
		}
		guest->len += got;
		guest->console[guest->len] = '\0';
	}
	guest_fail(guest, "talks too much: over %d KiB on its console",
		   CONSOLE_MAX / 1024);
}

/* True if the QEMU has ended; its status is then in *status. */
static bool guest_ended(struct guest *guest, int *status)
{
	if (waitpid(guest->pid, status, WNOHANG) != guest->pid)
		return false;
	guest->state = GUEST_OFF;
	guest_drain(guest);
	return true;
}

/* The first sign of trouble in what the guest's kernel printed, or NULL. */
static const char *guest_trouble(const struct guest *guest)
{
	static const char *const bad[] = {
		"BUG:", "WARNING:", "Oops", "Call Trace", "Kernel panic",
		"general protection", "segfault", "rcu: INFO", "Bad page",
		"soft lockup", "blocked for more than", "Out of memory",
		"invalid opcode", "I/O error",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (strstr(guest->console, bad[i]))
			return bad[i];
	}
	return NULL;
}

/*
 * Wait until @text is on the console after guest->mark.  Returns where, or NULL
 * and what is wrong in guest->why.
 */
static char *guest_expect(struct guest *guest, const char *text, int timeout_s)
{
	double end = now_s() + timeout_s;
	struct pollfd fd = { .fd = guest->fd, .events = POLLIN };
	const char *trouble;
	int status;
	char *at;

	for (;;) {
		guest_drain(guest);
		trouble = guest_trouble(guest);
		at = strstr(guest->console + guest->mark, text);
		if (trouble) {
			/* let it say more than the first line */
			usleep(1000 * 1000);
			guest_drain(guest);
			snprintf(guest->why, sizeof(guest->why),
				 "\"%s\" on its console", trouble);
			return NULL;
		}
		if (at)
			return at;
		if (guest_ended(guest, &status)) {
			snprintf(guest->why, sizeof(guest->why),
				 "its QEMU ended, wait status 0x%x", status);
			return NULL;
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
 * guest_wait_ready() - wait until a guest has booted and made its files
 * @guest: the guest
 *
 * A guest that is lost before KSM runs is lost to the emulator, see
 * guest_pin(): it gets one more chance.
 */
void guest_wait_ready(struct guest *guest)
{
	while (!guest_expect(guest, "guest ready", config.boot_timeout_s)) {
		if (guest->restarts)
			guest_fail(guest, "does not boot: %s", guest->why);
		say(YELLOW, "  guest %d was lost while booting (%s): once more",
		    guest->nr, guest->why);
		guest->restarts++;
		if (guest->state != GUEST_OFF) {
			kill(guest->pid, SIGKILL);
			waitpid(guest->pid, NULL, 0);
		}
		close(guest->fd);
		free(guest->console);
		guest->len = 0;
		guest_start(guest);
	}
	guest->boot_s = now_s() - guest->started;
	guest->state = GUEST_UP;
}

/**
 * guest_send() - tell a guest what to do
 * @guest:   the guest
 * @command: one of those in guest-init.c
 */
void guest_send(struct guest *guest, const char *command)
{
	char line[64];
	int len;

	guest_drain(guest);
	guest->mark = guest->len;
	guest->seq++;
	len = snprintf(line, sizeof(line), "%s %u\n", command,
		       guest->seq);
	if (len >= (int)sizeof(line) || write(guest->fd, line, len) != len)
		guest_fail(guest, "does not take a command on its console");
}

/**
 * guest_reply() - wait for the answer to the last guest_send()
 * @guest: the guest
 *
 * Return: what the command printed, to be freed by the caller.  A command that
 * ended with another status than 0 is a failure.
 */
char *guest_reply(struct guest *guest)
{
	char mark[32], *end, *reply;

	snprintf(mark, sizeof(mark), ":%u>", guest->seq * 7919);
	end = guest_expect(guest, mark, config.reply_timeout_s);
	if (!end)
		guest_fail(guest, "does not answer: %s", guest->why);
	while (end > guest->console + guest->mark && *end != '<')
		end--;
	if (strncmp(end, "<0:", 3))
		guest_fail(guest, "could not do what it was told, see above");
	reply = strndup(guest->console + guest->mark,
			end - (guest->console + guest->mark));
	if (!reply)
		fail("out of memory");
	return reply;
}

/**
 * guest_check() - look for signs of trouble in what a guest's kernel printed
 * @guest: the guest
 */
void guest_check(struct guest *guest)
{
	const char *trouble;

	guest_drain(guest);
	trouble = guest_trouble(guest);
	if (trouble)
		guest_fail(guest, "is in trouble: \"%s\" on its console",
			   trouble);
}

/**
 * guest_wait_off() - wait until the QEMU of a guest that was told to end ends
 * @guest: the guest
 */
void guest_wait_off(struct guest *guest)
{
	double end = now_s() + config.reply_timeout_s;
	int status;

	while (!guest_ended(guest, &status)) {
		if (now_s() >= end)
			guest_fail(guest, "did not power off within %d s",
				   config.reply_timeout_s);
		guest_drain(guest);
		usleep(50 * 1000);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		guest_fail(guest, "did not end well: wait status 0x%x", status);
	close(guest->fd);
}

/**
 * guests_kill() - end whatever still runs, if the demonstration has failed
 */
void guests_kill(void)
{
	for (int i = 0; i < config.nr_guests; i++) {
		if (guests[i].state != GUEST_OFF)
			kill(guests[i].pid, SIGKILL);
	}
}

/**
 * guests_up() - how many guests are up
 *
 * Return: their number
 */
int guests_up(void)
{
	int up = 0;

	for (int i = 0; i < config.nr_guests; i++)
		up += guests[i].state == GUEST_UP;
	return up;
}
