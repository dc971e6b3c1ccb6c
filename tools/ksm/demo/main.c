// SPDX-License-Identifier: GPL-2.0-only
/*
 * KSM doing its main job, on real input: KVM guests that share memory.
 *
 *   1. start the guests; each makes a file that all have and one that only it
 *      has, and hashes both
 *   2. echo 1 > run, and watch the counters until they stand still
 *   3. a summary, and what has to be true of it
 *   4. every guest hashes its files again; one writes to the common file, and
 *      nobody else may notice
 *   5. echo 2 > run: nothing is merged any more, the guests still have their
 *      files
 *   6. the guests power off
 *
 * The first thing that does not hold ends the program with status 1.
 */
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "demo.h"

/* Counters that move less than this between two full scans stand still. */
#define STILL_PAGES	32
#define STILL_SCANS	2
#define STILL_SECONDS	3

struct config config = {
	.nr_guests = 6,
	.guest_mib = 64,
	.common_mib = 4,
	.boot_timeout_s = 90,
	.reply_timeout_s = 90,
	.settle_timeout_s = 240,
	.pages_to_scan = 1000,
	.sleep_millisecs = 20,
	.common_digest = "",
	.qemu = "qemu-system-x86_64",
	.kernel = "/guest/bzImage",
	.initrd = "/guest/initramfs.cpio",
	.terminal = "/dev/ttyS1",
};

static void boot_guests(struct result *result)
{
	double start = now_s();

	headline("Starting %d Linux guests, %d MiB each, under KVM",
		 config.nr_guests, config.guest_mib);
	say(DIM, "  %s -M microvm,acpi=off -accel kvm -cpu " GUEST_CPU " -m %d ...",
	    config.qemu, config.guest_mib);

	for (int i = 0; i < config.nr_guests; i++) {
		members[i].guest.nr = i + 1;
		member_start(&members[i]);
		member_wait_ready(&members[i]);
		say(PLAIN, "  guest %d is up after %4.1f s, pid %d",
		    members[i].guest.nr, members[i].boot_s, members[i].guest.pid);
	}
	result->boot_s = now_s() - start;
}

/* Parses the two lines of "hash". */
static struct digests parse_digests(int nr, const char *reply)
{
	struct digests digests;

	if (sscanf(reply,
		   " %64[0-9a-f]  /data/common %64[0-9a-f]  /data/random",
		   digests.common, digests.random) != 2 ||
	    strlen(digests.common) != DIGEST_LEN ||
	    strlen(digests.random) != DIGEST_LEN)
		fail("guest %d does not say what its files hash to, but \"%s\"",
		     nr, reply);
	return digests;
}

/* Has all guests hash their files at the same time. */
static void hash_files(struct digests digests[])
{
	for (int i = 0; i < config.nr_guests; i++)
		member_send(&members[i], "hash");
	for (int i = 0; i < config.nr_guests; i++) {
		char *reply = member_reply(&members[i]);

		digests[i] = parse_digests(members[i].guest.nr, reply);
		free(reply);
		member_check(&members[i]);
	}
}

static void hash_first(void)
{
	struct digests digests[MAX_GUESTS];

	hash_files(digests);
	for (int i = 0; i < config.nr_guests; i++) {
		members[i].before = digests[i];
		if (strcmp(digests[i].common, config.common_digest))
			fail("guest %d: the common file is not the one in its image",
			     members[i].guest.nr);
		for (int j = 0; j < i; j++) {
			if (!strcmp(digests[i].random, digests[j].random))
				fail("guests %d and %d have the same random file",
				     members[j].guest.nr, members[i].guest.nr);
		}
	}
	say(PLAIN, "  all have hashed their files: %d MiB in common, 2 MiB of their own",
	    config.common_mib);
}

/**
 * hash_again() - the files have to be what they were
 * @when:   for the message
 * @except: guest whose common file has to differ, or NULL
 */
static void hash_again(const char *when, const struct member *except)
{
	struct digests digests[MAX_GUESTS];

	hash_files(digests);
	for (int i = 0; i < config.nr_guests; i++) {
		const struct member *member = &members[i];
		bool same = !strcmp(digests[i].common, member->before.common);

		if (!same && member != except)
			fail("guest %d: its common file was changed %s",
			     member->guest.nr, when);
		if (same && member == except)
			fail("guest %d wrote to its common file, yet it is unchanged",
			     member->guest.nr);
		if (strcmp(digests[i].random, member->before.random))
			fail("guest %d: its own file was changed %s",
			     member->guest.nr, when);
	}
}

static bool counters_moved(const struct ksm_counters *a,
			   const struct ksm_counters *b)
{
	static const enum ksm_counter watched[] = {
		KSM_SHARED, KSM_SHARING, KSM_ZERO_PAGES
	};

	for (size_t i = 0; i < ARRAY_SIZE(watched); i++) {
		if (labs(a->value[watched[i]] - b->value[watched[i]]) >
		    STILL_PAGES)
			return true;
	}
	return false;
}

/*
 * The counters stand still when nothing has been merged for STILL_SCANS full
 * scans and STILL_SECONDS.  A running guest always touches some pages, hence
 * the small tolerance, taken from where the counters stood when they came to
 * rest, so that a slow drift is no rest.
 */
static void merge(struct result *result)
{
	double start, last_row, rest, cpu, now;
	struct ksm_counters counters, at_rest;
	long total_kib = result->before.qemu_anon_kib;

	headline("Merging");
	say(DIM, "  echo %lu > pages_to_scan; echo %lu > sleep_millisecs; echo 1 > run",
	    config.pages_to_scan, config.sleep_millisecs);
	ksm_write("pages_to_scan", "%lu", config.pages_to_scan);
	ksm_write("sleep_millisecs", "%lu", config.sleep_millisecs);
	table_head();

	result->ksmd_s = -ksmd_cpu_s();
	cpu = -result->ksmd_s;
	ksm_read(&at_rest);
	start = now_s();
	last_row = start;
	rest = start;
	ksm_write("run", "1");

	for (;;) {
		double used;

		usleep((last_row + 1 > now_s() ? last_row + 1 - now_s() : 0) *
		       1e6);
		ksm_read(&counters);
		used = ksmd_cpu_s();
		now = now_s();
		table_row(now - start, &counters,
			  100 * (used - cpu) / (now - last_row), total_kib);
		last_row = now;
		cpu = used;
		for (int i = 0; i < config.nr_guests; i++)
			member_check(&members[i]);

		if (counters_moved(&counters, &at_rest) ||
		    !counters.value[KSM_SHARING]) {
			at_rest = counters;
			rest = now;
		} else if (counters.value[KSM_FULL_SCANS] >=
			   at_rest.value[KSM_FULL_SCANS] + STILL_SCANS &&
			   now >= rest + STILL_SECONDS) {
			break;
		}
		if (now > start + config.settle_timeout_s)
			fail("the counters still move after %d s",
			     config.settle_timeout_s);
	}
	result->merge_s = rest - start;
	result->ksmd_s += cpu;
}

static void expect_event(const struct result *result, enum ksm_event event,
			 long least)
{
	if (result->events[event] < least)
		fail("the tracepoint %s was hit %ld times, not at least %ld times",
		     event_names[event], result->events[event], least);
}

/*
 * Between batches every counter is exact: with run at 0 what the kernel says
 * as a whole and what it says of each QEMU have to agree.
 */
static void take_stock(struct result *result)
{
	const long *value = result->counters.value;
	long merging = 0, zero = 0;

	ksm_write("run", "0");
	ksm_read(&result->counters);
	host_memory_read(&result->merged);
	events_read(result->events);
	result->smaps_ksm_kib = 0;
	for (int i = 0; i < config.nr_guests; i++) {
		struct qemu_memory *qemu = &result->qemu[i];

		qemu_memory_read(&members[i].guest, qemu);
		result->smaps_ksm_kib += qemu_smaps_ksm_kib(&members[i].guest);
		merging += qemu->merging_pages;
		zero += qemu->zero_pages;
	}
	ksm_write("run", "1");
	summary(result);

	for (int i = 0; i < config.nr_guests; i++) {
		const struct qemu_memory *qemu = &result->qemu[i];

		if (qemu->merging_pages <= 0 || qemu->profit <= 0 ||
		    qemu->ksm_kib <= 0)
			fail("guest %d shares nothing", members[i].guest.nr);
		/* pages written since are gone from smaps at once */
		if (qemu->ksm_kib > qemu->merging_pages * PAGE_KIB)
			fail("guest %d: %ld KiB in smaps, %ld pages in ksm_stat",
			     members[i].guest.nr, qemu->ksm_kib, qemu->merging_pages);
	}
	if (merging != value[KSM_SHARED] + value[KSM_SHARING])
		fail("%ld ksm_merging_pages in all QEMUs, but %ld shared + sharing",
		     merging, value[KSM_SHARED] + value[KSM_SHARING]);
	if (zero != value[KSM_ZERO_PAGES])
		fail("%ld ksm_zero_pages in all QEMUs, but %ld in sysfs",
		     zero, value[KSM_ZERO_PAGES]);
	if (value[KSM_PROFIT] <= 0)
		fail("general_profit is %ld: merging cost more than it saved",
		     value[KSM_PROFIT]);
	if (result->merged.qemu_pss_kib >= result->before.qemu_pss_kib)
		fail("the QEMUs take no less memory than before");
	/* The common file alone, in all guests but one, has to be saved. */
	if (PAGES_TO_MIB(value[KSM_SHARING]) <
	    config.common_mib * (config.nr_guests - 1))
		fail("%.1f MiB saved is less than the file all guests have in common",
		     PAGES_TO_MIB(value[KSM_SHARING]));
	expect_event(result, EVENT_ENTER, config.nr_guests);
	expect_event(result, EVENT_START_SCAN, STILL_SCANS);
	expect_event(result, EVENT_STOP_SCAN, STILL_SCANS);
	expect_event(result, EVENT_MERGE_WITH_KSM_PAGE, 1);
}

static void prove(void)
{
	struct member *writer = &members[config.nr_guests - 1];

	headline("Do the guests still work?");
	hash_again("by merging", NULL);
	say(PLAIN, "  all %d guests answered; their files are what they were",
	    config.nr_guests);

	member_send(writer, "scribble");
	free(member_reply(writer));
	hash_again("by another guest's write", writer);
	say(PLAIN, "  guest %d wrote to its common file: no other guest noticed",
	    writer->guest.nr);
	member_send(writer, "restore");
	free(member_reply(writer));
}

static void unmerge(struct result *result)
{
	struct ksm_counters counters;
	double start;

	headline("Unmerging");
	say(DIM, "  echo 2 > run");
	start = now_s();
	ksm_write("run", "2");
	result->unmerge_s = now_s() - start;

	ksm_read(&counters);
	for (int i = KSM_SHARED; i <= KSM_VOLATILE; i++) {
		if (counters.value[i])
			fail("%s is %ld after unmerging", ksm_counter_names[i],
			     counters.value[i]);
	}
	if (counters.value[KSM_ZERO_PAGES])
		fail("ksm_zero_pages is %ld after unmerging",
		     counters.value[KSM_ZERO_PAGES]);
	for (int i = 0; i < config.nr_guests; i++) {
		struct qemu_memory qemu;

		qemu_memory_read(&members[i].guest, &qemu);
		if (qemu.merging_pages || qemu.zero_pages || qemu.ksm_kib ||
		    qemu.rmap_items)
			fail("guest %d: still %ld pages (%ld KiB) merged, %ld zero, %ld tracked",
			     members[i].guest.nr, qemu.merging_pages, qemu.ksm_kib,
			     qemu.zero_pages, qemu.rmap_items);
	}
	host_memory_read(&result->after);
	say(PLAIN, "  all counters are back to zero after %.2f s; the QEMUs take %.1f MiB",
	    result->unmerge_s, result->after.qemu_pss_kib / 1024.0);
	hash_again("by unmerging", NULL);
	say(PLAIN, "  all %d guests answered; their files are what they were",
	    config.nr_guests);
}

static void power_off(struct result *result)
{
	headline("Powering off");
	for (int i = 0; i < config.nr_guests; i++)
		member_send(&members[i], "off");
	for (int i = 0; i < config.nr_guests; i++) {
		member_wait_off(&members[i]);
		member_check(&members[i]);
	}
	events_read(result->events);
	expect_event(result, EVENT_EXIT, config.nr_guests);
	say(PLAIN, "  all guests are off");
}

static int number(const char *text, int min, int max)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (!*text || *end || value < min || value > max) {
		fprintf(stderr, "ksm-demo: %s is not between %d and %d\n", text,
			min, max);
		exit(2);
	}
	return value;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "guests",		required_argument, NULL, 'g' },
		{ "qemu",		required_argument, NULL, 'q' },
		{ "pages-to-scan",	required_argument, NULL, 'p' },
		{ "sleep-millisecs",	required_argument, NULL, 's' },
		{ "terminal",		required_argument, NULL, 't' },
		{ "common-mib",		required_argument, NULL, 'm' },
		{ "common-sha256",	required_argument, NULL, 'd' },
		{ "colour",		no_argument,	   NULL, 'c' },
		{ "utf8",		no_argument,	   NULL, 'u' },
		{ }
	};
	static struct result result;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'g':
			config.nr_guests = number(optarg, 2, MAX_GUESTS);
			break;
		case 'q':
			config.qemu = optarg;
			break;
		case 'p':
			config.pages_to_scan = number(optarg, 1, 1000000);
			break;
		case 's':
			config.sleep_millisecs = number(optarg, 0, 60000);
			break;
		case 't':
			config.terminal = optarg;
			break;
		case 'm':
			config.common_mib = number(optarg, 1, 16);
			break;
		case 'd':
			config.common_digest = optarg;
			break;
		case 'c':
			config.colour = true;
			break;
		case 'u':
			config.utf8 = true;
			break;
		default:
			return 2;
		}
	}

	signal(SIGPIPE, SIG_IGN);
	say_open();
	atexit(members_kill);
	if (access("/sys/kernel/mm/ksm/run", W_OK))
		fail("no /sys/kernel/mm/ksm: was the kernel built with CONFIG_KSM=y?");
	if (access("/dev/kvm", R_OK | W_OK))
		fail("no /dev/kvm: the host needs CONFIG_KVM_AMD=y and QEMU's -cpu EPYC,+svm");
	events_start();
	boot_guests(&result);
	hash_first();
	host_memory_read(&result.before);
	merge(&result);
	take_stock(&result);
	prove();
	unmerge(&result);
	power_off(&result);
	print_json(&result, "pass");
	return 0;
}
