// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guests of the demonstration: the first thing that goes wrong with one of
 * them ends it all, with what its console and its QEMU said.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"

struct member members[MAX_GUESTS];

static void tail(const struct guest *guest)
{
	size_t at = guest->len > 1200 ? guest->len - 1200 : 0;
	char path[64], line[256];
	FILE *errors;

	say(YELLOW, "end of the console of guest %d:", guest->nr);
	say(DIM, "%s", guest->console ? guest->console + at : "");

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
static void __printf(2, 3) __noreturn member_fail(const struct member *member,
						  const char *fmt, ...)
{
	char what[192];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	tail(&member->guest);
	fail("guest %d %s", member->guest.nr, what);
}

/**
 * member_start() - start a guest
 * @member: the guest; its number is set
 *
 * Returns at once; member_wait_ready() waits for the guest.
 */
void member_start(struct member *member)
{
	const struct guest_setup setup = {
		.qemu = config.qemu,
		.kernel = config.kernel,
		.initrd = config.initrd,
		.mib = config.guest_mib,
		/*
		 * Without ACPI a guest cannot power off: it resets, and QEMU
		 * exits.  nohz=off: see guest_pin().
		 */
		.append = "console=ttyS0 quiet panic=-1 reboot=t nohz=off",
	};

	if (!guest_start(&member->guest, &setup))
		fail("guest %d: %s", member->guest.nr, member->guest.why);
}

/**
 * member_wait_ready() - wait until a guest has booted and made its files
 * @member: the guest
 *
 * A guest that is lost before KSM runs is lost to the emulator, see
 * guest_pin(): it gets one more chance.
 */
void member_wait_ready(struct member *member)
{
	struct guest *guest = &member->guest;

	while (!guest_expect(guest, "guest ready", config.boot_timeout_s)) {
		if (member->restarts)
			member_fail(member, "does not boot: %s", guest->why);
		say(YELLOW, "  guest %d was lost while booting (%s): once more",
		    guest->nr, guest->why);
		member->restarts++;
		guest_kill(guest);
		member_start(member);
	}
	member->boot_s = now_s() - guest->started;
	guest->state = GUEST_UP;
}

/**
 * member_send() - tell a guest what to do
 * @member:  the guest
 * @command: one of those in guest-init.c
 */
void member_send(struct member *member, const char *command)
{
	if (!guest_send(&member->guest, command))
		member_fail(member, "%s", member->guest.why);
}

/**
 * member_reply() - wait for the answer to the last member_send()
 * @member: the guest
 *
 * Return: what the command printed, to be freed by the caller.  A command that
 * ended with another status than 0 is a failure.
 */
char *member_reply(struct member *member)
{
	char *reply = guest_reply(&member->guest, config.reply_timeout_s);

	if (!reply)
		member_fail(member, "does not answer: %s", member->guest.why);
	return reply;
}

/**
 * member_check() - look for signs of trouble in what a guest's kernel printed
 * @member: the guest
 */
void member_check(struct member *member)
{
	struct guest *guest = &member->guest;

	if (!guest_drain(guest) || guest_trouble(guest))
		member_fail(member, "is in trouble: %s", guest->why);
}

/**
 * member_wait_off() - wait until a guest that was told to end ends
 * @member: the guest
 */
void member_wait_off(struct member *member)
{
	if (!guest_wait_off(&member->guest, config.reply_timeout_s))
		member_fail(member, "%s", member->guest.why);
}

/**
 * members_kill() - end whatever still runs, if the demonstration has failed
 */
void members_kill(void)
{
	for (int i = 0; i < config.nr_guests; i++) {
		if (members[i].guest.state != GUEST_OFF)
			guest_kill(&members[i].guest);
	}
}

/**
 * members_up() - how many guests are up
 *
 * Return: their number
 */
int members_up(void)
{
	int up = 0;

	for (int i = 0; i < config.nr_guests; i++)
		up += members[i].guest.state == GUEST_UP;
	return up;
}
