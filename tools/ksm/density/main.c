// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksm-density OPTION...: how many guests fit into this host?
 *
 * What the options are is said in density.h; --knob FILE=VALUE writes to a file
 * of KSM before the first guest, as often and in the order as given.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "density.h"

#define EVENTS		"/dev/ttyS1"

struct options options = {
	.setup = {
		.qemu = "qemu-system-x86_64",
		.kernel = "/guest/vmlinux",
		.initrd = "/guest/initramfs.cpio",
		.mib = 64,
	},
	.gap_s = 6,
	.admit_kib = 96 * 1024,
	.patience_s = 120,
	.limit = MAX_GUESTS,
	.settle_s = 60,
	.hold_s = 300,
	.ready_s = 120,
	.set_kib = 4096,
	.period_ms = 250,
	.digest = { "", "" },
};

static FILE *events;
static double start;

void emit(const char *event, const char *fmt, ...)
{
	va_list args;

	fprintf(events, "{\"event\":\"%s\",\"t\":%.2f,", event,
		now_s() - start);
	va_start(args, fmt);
	vfprintf(events, fmt, args);
	va_end(args);
	fputs("}\n", events);
	fflush(events);
}

void fail(const char *fmt, ...)
{
	va_list args;

	fputs("ksm-density: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* A serial line that changes nothing of what it is given. */
static void open_events(void)
{
	int fd = open(EVENTS, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	struct termios raw;

	events = fd < 0 ? NULL : fdopen(fd, "w");
	if (!events)
		fail("%s: %s", EVENTS, strerror(errno));
	if (!tcgetattr(fd, &raw)) {
		cfmakeraw(&raw);
		tcsetattr(fd, TCSANOW, &raw);
	}
	start = now_s();
}

static void set_knob(char *text)
{
	char *value = strchr(text, '=');

	if (!value)
		fail("--knob %s: no \"=\"", text);
	*value++ = '\0';
	ksm_write(text, "%s", value);
}

static double number(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (!*text || *end || !(value >= 0 && value < 1e6))
		fail("%s is no number", text);
	return value;
}

static enum protocol protocol(const char *name)
{
	if (!strcmp(name, "arrivals"))
		return ARRIVALS;
	if (!strcmp(name, "admission"))
		return ADMISSION;
	fail("there is no protocol %s", name);
}

static void parse(int argc, char **argv)
{
	static const struct option known[] = {
		{ "protocol",	required_argument, NULL, 'p' },
		{ "gap",	required_argument, NULL, 'g' },
		{ "admit-mib",	required_argument, NULL, 'a' },
		{ "patience",	required_argument, NULL, 'w' },
		{ "limit",	required_argument, NULL, 'l' },
		{ "offset",	required_argument, NULL, 'o' },
		{ "settle",	required_argument, NULL, 's' },
		{ "hold",	required_argument, NULL, 'h' },
		{ "set-kib",	required_argument, NULL, 'k' },
		{ "period-ms",	required_argument, NULL, 'P' },
		{ "seed",	required_argument, NULL, 'S' },
		{ "digest",	required_argument, NULL, 'd' },
		{ "knob",	required_argument, NULL, 'K' },
		{ }
	};
	int option, digests = 0;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'p':
			options.protocol = protocol(optarg);
			break;
		case 'g':
			options.gap_s = number(optarg);
			break;
		case 'a':
			options.admit_kib = number(optarg) * 1024;
			break;
		case 'w':
			options.patience_s = number(optarg);
			break;
		case 'l':
			options.limit = number(optarg);
			break;
		case 'o':
			options.offset_s = number(optarg);
			break;
		case 's':
			options.settle_s = number(optarg);
			break;
		case 'h':
			options.hold_s = number(optarg);
			break;
		case 'k':
			options.set_kib = number(optarg);
			break;
		case 'P':
			options.period_ms = number(optarg);
			break;
		case 'S':
			options.seed = number(optarg);
			break;
		case 'd':
			if (digests == NR_FILES)
				fail("too many digests");
			options.digest[digests++] = optarg;
			break;
		case 'K':
			set_knob(optarg);
			break;
		default:
			exit(2);
		}
	}
	if (options.limit < 1 || options.limit > MAX_GUESTS)
		fail("1 to %d guests", MAX_GUESTS);
}

/* If memory runs out it is a guest that goes, and this tells of it. */
static void never_kill_me(void)
{
	FILE *file = fopen("/proc/self/oom_score_adj", "w");

	if (!file || fprintf(file, "-1000\n") < 0 || fclose(file))
		fail("oom_score_adj: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	open_events();
	atexit(fleet_kill);
	if (access("/dev/kvm", R_OK | W_OK))
		fail("no /dev/kvm: the host needs CONFIG_KVM_AMD=y and QEMU's -cpu EPYC,+svm");
	parse(argc, argv);
	never_kill_me();
	return run();
}
