// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first process of the booted kernel: makes itself at home, runs one case
 * and switches off.  The kernel's command line says what to do:
 *
 *	case=NAME	which, see table.c
 *	kernel=NAME	"stock" is the base's own
 *	results=FILE	gets one JSON object
 *	seed=NUMBER	for what a case leaves to chance
 *
 * Run as a program with the argument --list it prints the tables.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/sysinfo.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

unsigned int set_mib = 512;

static void mount_all(void)
{
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	/* may have been done by the kernel */
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
}

static const char *parameter(const char *name)
{
	return getenv(name) ?: "";
}

/* Between 0 and 1, the same for the same seed= */
double random_share(void)
{
	return content_hash(atol(parameter("seed")) + 1) / 0x1p64;
}

/*
 * The host gives a virtual machine each page of its memory when that is first
 * written to, and clears it then.  Have this behind us.
 */
static void touch_memory(void)
{
	struct sysinfo info;
	size_t size;
	void *map;

	sysinfo(&info);
	size = info.freeram / 10 * 9;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (map == MAP_FAILED)
		die("no memory to touch");
	munmap(map, size);
}

int main(int argc, char **argv)
{
	const struct bench_case *this;

	if (argc > 1 && !strcmp(argv[1], "--list")) {
		table_print();
		return 0;
	}
	if (getpid() != 1) {
		fprintf(stderr, "to be booted into, see scripts/bench\n");
		return 1;
	}
	mount_all();
	out_text("case", parameter("case"));
	out_text("kernel", parameter("kernel"));
	this = case_find(parameter("case"));
	if (!this)
		die("unknown case");
	if (this->qemu)
		set_mib = this->qemu;
	touch_memory();
	ksm_open();
	ksm_smart(this->stock_smart);
	this->run(this);
	ksm_set("run", 0);
	out_number("mapped", ksm_mapped());
	verify_all();
	out_write();
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
