// SPDX-License-Identifier: GPL-2.0-only
/*
 * ksm-density OPTION...: how many guests fit into this host?
 *
 * What the options are is said in density.h; --knob FILE=VALUE writes to a file
 * of KSM before the first guest, as often and in the order as given.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "density.h"

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
