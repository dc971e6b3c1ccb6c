/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM guests in a host that is booted to show or to measure KSM: what the
 * programs that start them share.
 *
 *   guest.c    one guest: its QEMU, its console, its end
 *   numbers.c  numbers from /sys and /proc
 *
 * What runs in the guests shares init.h.
 */
#ifndef KSM_GUESTS_H
#define KSM_GUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#ifndef __printf
#define __printf(a, b)		__attribute__((format(printf, a, b)))
#endif
#ifndef __noreturn
#define __noreturn		__attribute__((__noreturn__))
#endif

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define KSM_DIR			"/sys/kernel/mm/ksm/"
/* Why not simply "host": see guest_pin(). */
#define GUEST_CPU		"host,-kvm-pv-eoi"
#define DIGEST_LEN		64	/* hex digits of a SHA-256 */

/*
 * Something that has to hold does not: says so and ends the program.  Each
 * program has its own way to say it.
 */
void __printf(1, 2) __noreturn fail(const char *fmt, ...);

/* guest.c */
enum guest_state { GUEST_OFF, GUEST_BOOTING, GUEST_UP };

/**
 * struct guest_setup - what all guests have in common
 * @qemu:	the program
 * @kernel:	bzImage, or vmlinux to enter by PVH
 * @initrd:	image with one of the init programs that share init.h
 * @append:	the guest's command line
 * @mib:	the guest's memory
 */
struct guest_setup {
	const char *qemu;
	const char *kernel;
	const char *initrd;
	const char *append;
	int mib;
};

/**
 * struct guest - one KVM guest and the QEMU that runs it
 * @nr:		number that the user sees, from 1
 * @pid:	the QEMU process
 * @fd:		our end of its serial console
 * @state:	how far it is; the caller that waits for it sets GUEST_UP
 * @started:	when QEMU was started, now_s()
 * @why:	what went wrong, after a call that failed
 * @seq:	number of the last command sent, part of the reply's end mark
 * @console:	all that the console ever said, NUL-terminated
 * @len:	bytes of that
 * @mark:	where the answer to the last command begins
 */
struct guest {
	int nr;
	pid_t pid;
	int fd;
	enum guest_state state;
	double started;
	char why[128];
	unsigned int seq;
	char *console;
	size_t len;
	size_t mark;
};

/* What a look at a guest's console found. */
enum guest_look {
	LOOK_NOTHING,		/* not yet */
	LOOK_FOUND,
	LOOK_TROUBLE,		/* its kernel complains, guest->why */
	LOOK_ENDED,		/* its QEMU has ended, guest->why */
};

bool guest_start(struct guest *guest, const struct guest_setup *setup);
bool guest_drain(struct guest *guest);
bool guest_trouble(struct guest *guest);
bool guest_well(struct guest *guest);
enum guest_look guest_look(struct guest *guest, const char *text, char **at);
char *guest_expect(struct guest *guest, const char *text, int timeout_s);
bool guest_send(struct guest *guest, const char *command);
enum guest_look guest_look_reply(struct guest *guest, char **reply);
char *guest_reply(struct guest *guest, int timeout_s);
bool guest_wait_off(struct guest *guest, int timeout_s);
void guest_kill(struct guest *guest);

/* numbers.c */
double now_s(void);
long file_long(const char *fmt, ...) __printf(1, 2);
long file_field(const char *path, const char *name);
void ksm_write(const char *knob, const char *fmt, ...) __printf(2, 3);
double ksmd_cpu_s(void);

#endif
