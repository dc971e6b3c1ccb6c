/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the subcommands of ksm have in common.
 */
#ifndef KSM_CMD_H
#define KSM_CMD_H

/* Exit codes; part of the interface, see ksm(1) */
enum {
	KSM_EXIT_DONE = 0,
	KSM_EXIT_FAILED = 1,
	KSM_EXIT_USAGE = 2,
	KSM_EXIT_NO_KSM = 3,
	KSM_EXIT_PERMISSION = 4,
	KSM_EXIT_UNREADABLE = 5,
	KSM_EXIT_UNSAFE = 6,
};

/**
 * struct ksm_command - a subcommand
 * @name: how it is called
 * @run:  does it; argv[0] is @name, returns the exit code
 * @what: what it does, in a few words
 */
struct ksm_command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
};

struct option;

/**
 * struct ksm_options - the options of a subcommand that takes nothing else
 * @letters: as getopt() wants them
 * @names:   the long ones, for getopt_long()
 * @help:    what -h calls
 * @set:     takes one, with optarg; not 0 if it is wrong, and that was said
 */
struct ksm_options {
	const char *letters;
	const struct option *names;
	void (*help)(void);
	int (*set)(int option);
};

int ksm_options(int argc, char **argv, const struct ksm_options *o);

int ksm_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int ksm_fail(int code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int ksm_usage(const char *command, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int ksm_exit_of(int err);
void ksm_print_name(const char *name, int width);
int ksm_fail_sysfs(int err);

#endif
