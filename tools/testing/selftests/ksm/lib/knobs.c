// SPDX-License-Identifier: GPL-2.0
/*
 * The knobs of KSM, and a known state of them all.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "end.h"
#include "files.h"
#include "knobs.h"

static void knob_path(char *path, size_t size, const char *knob)
{
	size_t len = strlen(KSM_SYSFS);

	memcpy(path, KSM_SYSFS, len);
	path[len] = '\0';
	strncat(path, knob, size - len - 1);
}

bool ksm_has(const char *knob)
{
	char path[128];

	knob_path(path, sizeof(path), knob);
	return !access(path, F_OK);
}

ssize_t ksm_read_text(const char *knob, char *buf, size_t size)
{
	char path[128];

	knob_path(path, sizeof(path), knob);
	return ksys_read(path, buf, size);
}

int ksm_write_text(const char *knob, const char *text)
{
	char path[128];

	knob_path(path, sizeof(path), knob);
	return ksys_write(path, text);
}

long long ksm_get(const char *knob)
{
	char buf[64], *end;
	long long value;
	ssize_t len;

	len = ksm_read_text(knob, buf, sizeof(buf));
	if (len <= 0)
		ksm_die("cannot read %s: %s", knob, strerror(-len));
	value = strtoll(buf, &end, 10);
	if (end == buf || *end != '\n')
		ksm_die("%s is not a number: \"%s\"", knob, buf);
	return value;
}

void ksm_set(const char *knob, unsigned long long value)
{
	char buf[32];
	int err;

	snprintf(buf, sizeof(buf), "%llu\n", value);
	err = ksm_write_text(knob, buf);
	if (err)
		ksm_die("cannot write %llu to %s: %s", value, knob,
			strerror(-err));
}

void ksm_fresh(enum ksm_smart_scan smart_scan)
{
	int err = ksm_unmerge_all();

	if (err)
		ksm_die("run=2 failed: %s", strerror(-err));
	ksm_stop();
	if (ksm_has("merge_across_nodes"))
		ksm_set("merge_across_nodes", 1);
	ksm_set("max_page_sharing", 256);
	ksm_set("use_zero_pages", 0);
	ksm_set("smart_scan", smart_scan);
	ksm_set("stable_node_chains_prune_millisecs", 2000);
	if (ksm_write_text("advisor_mode", "none"))
		ksm_die("cannot set advisor_mode to none");
	ksm_set("advisor_max_cpu", 70);
	ksm_set("advisor_min_pages_to_scan", 500);
	ksm_set("advisor_max_pages_to_scan", 30000);
	ksm_set("advisor_target_scan_time", 200);
	ksm_set("pages_to_scan", 5000);
	ksm_set("sleep_millisecs", 0);
}

void ksm_run(void)
{
	ksm_set("run", 1);
}

void ksm_stop(void)
{
	ksm_set("run", 0);
}

int ksm_unmerge_all(void)
{
	ksm_stop();
	return ksm_write_text("run", "2\n");
}
