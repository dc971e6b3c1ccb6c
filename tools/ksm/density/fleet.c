// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guests of a run.  Nothing here waits for one of them but fleet_answer():
 * the others have to come in time, and the samples, too.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "density.h"

/* All guests hash on one CPU at the same time. */
#define ANSWER_S	180

static struct guest guests[MAX_GUESTS];
static int nr_guests;
static int nr_lost;

static void lose(struct guest *guest, const char *why)
{
	/* the reason may hold what a guest has printed */
	char text[sizeof(guest->why)];
	size_t len = 0;

	for (; *why && len < sizeof(text) - 1; why++) {
		if (*why >= ' ' && *why <= '~' && *why != '"' && *why != '\\')
			text[len++] = *why;
	}
	text[len] = '\0';
	emit("lost", "\"guest\":%d,\"why\":\"%s\"", guest->nr, text);
	nr_lost++;
	if (guest->console)
		fprintf(stderr, "guest %d: %s\n%s\n", guest->nr, text,
			guest->console);
	guest_kill(guest);
}

/**
 * fleet_start_guest() - start one more guest
 * @wait_s: how long it had to wait for this, for the event when it is up
 */
void fleet_start_guest(double wait_s)
{
	struct guest *guest = &guests[nr_guests];
	struct guest_setup setup = options.setup;
	char append[192];

	/*
	 * Without ACPI a guest cannot power off: it resets, and QEMU exits.
	 * nohz=off: see guest_pin().
	 */
	snprintf(append, sizeof(append),
		 "console=ttyS0 quiet panic=-1 reboot=t nohz=off set_kib=%d period_ms=%d seed=%d",
		 options.set_kib, options.period_ms,
		 options.seed * 1000 + nr_guests);
	setup.append = append;

	guest->nr = ++nr_guests;
	/* what it will have to compute with: no guest can know it before */
	if (getrandom(&guest->seq, sizeof(guest->seq), 0) < 0)
		fail("no random numbers");
	emit("start_guest", "\"guest\":%d,\"wait_s\":%.1f", guest->nr, wait_s);
	if (!guest_start(guest, &setup))
		lose(guest, guest->why);
}

static void look_at_booting(struct guest *guest)
{
	double boot_s = now_s() - guest->started;
	char *at;

	switch (guest_look(guest, "guest ready", &at)) {
	case LOOK_FOUND:
		guest->state = GUEST_UP;
		emit("guest", "\"guest\":%d,\"boot_s\":%.2f", guest->nr, boot_s);
		break;
	case LOOK_NOTHING:
		if (boot_s > options.ready_s)
			lose(guest, "not ready in time");
		break;
	default:
		lose(guest, guest->why);
	}
}

/**
 * fleet_look() - look at the guests, without waiting for any
 * @all: at those that are up, too: are they still?
 */
void fleet_look(bool all)
{
	for (int i = 0; i < nr_guests; i++) {
		if (guests[i].state == GUEST_BOOTING)
			look_at_booting(&guests[i]);
		else if (guests[i].state == GUEST_UP && all &&
			 !guest_well(&guests[i]))
			lose(&guests[i], guests[i].why);
	}
}

/* Does a guest's answer say that its files and its working set are intact? */
static bool right_answer(const struct guest *guest, const char *reply)
{
	char digest[NR_FILES][DIGEST_LEN + 1] = {};
	unsigned long wrong;
	unsigned long long passes;

	if (sscanf(reply, " %64[0-9a-f] %*s %64[0-9a-f] %*s set %llu %lu",
		   digest[0], digest[1], &passes, &wrong) != 4) {
		emit("wrong", "\"guest\":%d,\"why\":\"no answer to understand\"",
		     guest->nr);
		return false;
	}
	for (int i = 0; i < NR_FILES; i++) {
		if (!strcmp(digest[i], options.digest[i]))
			continue;
		emit("wrong", "\"guest\":%d,\"why\":\"the hash of file %d\"",
		     guest->nr, i + 1);
		return false;
	}
	if (wrong || (options.set_kib && passes < 2)) {
		emit("wrong",
		     "\"guest\":%d,\"why\":\"working set: %llu passes, %lu words wrong\"",
		     guest->nr, passes, wrong);
		return false;
	}
	return true;
}

/* How many guests have not answered yet; the rest is counted in *right. */
static int collect_answers(bool waiting[], int *right)
{
	int left = 0;
	char *reply;

	for (int i = 0; i < nr_guests; i++) {
		struct guest *guest = &guests[i];

		if (!waiting[i])
			continue;
		switch (guest_look_reply(guest, &reply)) {
		case LOOK_NOTHING:
			left++;
			continue;
		case LOOK_FOUND:
			*right += right_answer(guest, reply);
			free(reply);
			break;
		default:
			lose(guest, guest->why);
		}
		waiting[i] = false;
	}
	return left;
}

/**
 * fleet_answer() - have all guests answer, at the same time
 * @when: for the event
 *
 * Return: true if all did, and rightly
 */
bool fleet_answer(const char *when)
{
	double start = now_s(), end = start + ANSWER_S;
	bool waiting[MAX_GUESTS] = {};
	int right = 0;

	for (int i = 0; i < nr_guests; i++) {
		if (guests[i].state != GUEST_UP)
			continue;
		if (guest_send(&guests[i], "hash"))
			waiting[i] = true;
		else
			lose(&guests[i], guests[i].why);
	}
	while (collect_answers(waiting, &right) && now_s() < end)
		usleep(100 * 1000);
	for (int i = 0; i < nr_guests; i++) {
		if (waiting[i])
			lose(&guests[i], "does not answer");
	}
	emit("answers", "\"when\":\"%s\",\"right\":%d,\"of\":%d,\"seconds\":%.1f",
	     when, right, nr_guests, now_s() - start);
	return right == nr_guests;
}

/**
 * fleet_kill() - end all guests
 */
void fleet_kill(void)
{
	for (int i = 0; i < nr_guests; i++) {
		if (guests[i].state != GUEST_OFF)
			guest_kill(&guests[i]);
	}
}

int fleet_size(void)
{
	return nr_guests;
}

int fleet_booting(void)
{
	int nr = 0;

	for (int i = 0; i < nr_guests; i++)
		nr += guests[i].state == GUEST_BOOTING;
	return nr;
}

int fleet_lost(void)
{
	return nr_lost;
}

/**
 * fleet_pid() - the QEMU of a guest
 * @i: number of the guest, from 0
 *
 * Return: its process
 */
pid_t fleet_pid(int i)
{
	return guests[i].pid;
}
