// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of /sys/kernel/mm/ksm: what they accept, what they answer and what
 * they show, through the functions that sysfs calls.
 */
#include <linux/kernfs.h>
#include <linux/kobject.h>
#include <linux/sysfs.h>

#include "../advisor.h"
#include "testing.h"

/* sysfs gives whole pages, too. */
static char shown[PAGE_SIZE] __aligned(PAGE_SIZE);

static const char * const knobs[] = {
	"run", "pages_to_scan", "sleep_millisecs", "max_page_sharing",
#ifdef CONFIG_NUMA
	"merge_across_nodes",
#endif
	"use_zero_pages", "smart_scan", "stable_node_chains_prune_millisecs",
	"advisor_mode", "advisor_max_cpu", "advisor_min_pages_to_scan",
	"advisor_max_pages_to_scan", "advisor_target_scan_time",
};

static const char * const counters[] = {
	"pages_shared", "pages_sharing", "pages_unshared", "pages_volatile",
	"pages_scanned", "pages_skipped", "ksm_zero_pages", "full_scans",
	"stable_node_chains", "stable_node_dups", "general_profit",
	"scan_pages", "last_scan_millisecs", "thp_split", "thp_kept",
};

static struct kernfs_node *find_file(const char *name)
{
	struct kernfs_node *dir = sysfs_get_dirent(mm_kobj->sd, "ksm");
	struct kernfs_node *file;

	if (!dir)
		return NULL;
	file = sysfs_get_dirent(dir, name);
	sysfs_put(dir);
	return file;
}

static struct kobj_attribute *find_attr(struct kunit *test, const char *name)
{
	struct kernfs_node *file = find_file(name);
	struct attribute *attr;

	KUNIT_EXPECT_NOT_NULL_MSG(test, file, "there is no %s", name);
	if (!file)
		return NULL;
	attr = file->priv;
	sysfs_put(file);
	return container_of(attr, struct kobj_attribute, attr);
}

static ssize_t write_knob(struct kunit *test, const char *name,
			  const char *text)
{
	struct kobj_attribute *attr = find_attr(test, name);

	if (!attr || !attr->store)
		return -ENOENT;
	return attr->store(mm_kobj, attr, text, strlen(text));
}

static const char *read_file(struct kunit *test, const char *name)
{
	struct kobj_attribute *attr = find_attr(test, name);
	ssize_t len;

	shown[0] = '\0';
	if (!attr || !attr->show)
		return shown;
	len = attr->show(mm_kobj, attr, shown);
	KUNIT_EXPECT_EQ_MSG(test, len, strlen(shown), "%s", name);
	return shown;
}

static void expect_shown(struct kunit *test, const char *name,
			 const char *text)
{
	const char *is = read_file(test, name);

	KUNIT_EXPECT_TRUE_MSG(test, !strcmp(is, text),
			      "%s shows '%s' instead of '%s'", name, is, text);
}

static void expect_write(struct kunit *test, const char *name,
			 const char *text, ssize_t result)
{
	ssize_t got = write_knob(test, name, text);

	KUNIT_EXPECT_EQ_MSG(test, got, result, "'%s' written to %s", text,
			    name);
}

static void expect_accepted(struct kunit *test, const char *name,
			    const char *text, const char *then)
{
	expect_write(test, name, text, strlen(text));
	expect_shown(test, name, then);
}

/* An error leaves everything as it was. */
static void expect_refused(struct kunit *test, const char *name,
			   const char *text, int err)
{
	char before[64];

	strscpy(before, read_file(test, name));
	expect_write(test, name, text, err);
	expect_shown(test, name, before);
}

/* Texts that are no numbers */
static const char * const garbage[] = {
	"", "\n", " 1", "1 ", "1\n\n", "1 2", "0x1", "1.5", "-1", "1k", "x",
	"--1", "1\t",
};

static void expect_garbage_refused(struct kunit *test, const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(garbage); i++)
		expect_refused(test, name, garbage[i], -EINVAL);
}

static void expect_uint(struct kunit *test, const char *name,
			const char *standard)
{
	expect_shown(test, name, standard);
	expect_accepted(test, name, "0", "0\n");
	expect_accepted(test, name, "17\n", "17\n");
	expect_accepted(test, name, "+18", "18\n");
	expect_accepted(test, name, "0019", "19\n");
	expect_accepted(test, name, "4294967295", "4294967295\n");
	expect_refused(test, name, "4294967296", -EINVAL);
	expect_refused(test, name, "18446744073709551616", -EINVAL);
	expect_garbage_refused(test, name);
	expect_accepted(test, name, standard, standard);
}

static void expect_ulong(struct kunit *test, const char *name,
			 const char *standard)
{
	expect_shown(test, name, standard);
	expect_accepted(test, name, "1", "1\n");
	expect_accepted(test, name, "4294967295\n", "4294967295\n");
#ifdef CONFIG_64BIT
	expect_accepted(test, name, "4294967296", "4294967296\n");
	expect_accepted(test, name, "18446744073709551615",
			"18446744073709551615\n");
#endif
	expect_refused(test, name, "18446744073709551616", -EINVAL);
	expect_garbage_refused(test, name);
	expect_accepted(test, name, standard, standard);
}

static void expect_bool(struct kunit *test, const char *name,
			const char *standard)
{
	static const char * const yes[] = {
		"1", "y", "Y", "t", "true", "on", "ON\n", "yes\n", "10", "1\n",
	};
	static const char * const no[] = {
		"0", "n", "N", "f", "false", "off", "Of", "no\n", "01", "0\n",
	};
	static const char * const neither[] = {
		"", "\n", "2", "-1", "o", "x", " 1",
	};
	unsigned int i;

	expect_shown(test, name, standard);
	for (i = 0; i < ARRAY_SIZE(yes); i++) {
		expect_accepted(test, name, yes[i], "1\n");
		expect_accepted(test, name, no[i], "0\n");
	}
	for (i = 0; i < ARRAY_SIZE(neither); i++)
		expect_refused(test, name, neither[i], -EINVAL);
	expect_accepted(test, name, standard, standard);
}

static void expect_mode(struct kunit *test, const char *name, umode_t mode)
{
	struct kernfs_node *file = find_file(name);
	struct kobj_attribute *attr = find_attr(test, name);

	if (!file || !attr)
		return;
	KUNIT_EXPECT_EQ_MSG(test, file->mode & 0777, mode, "%s", name);
	KUNIT_EXPECT_NOT_NULL_MSG(test, attr->show, "%s", name);
	KUNIT_EXPECT_EQ_MSG(test, !!attr->store, !!(mode & 0200), "%s", name);
	sysfs_put(file);
}

/* All the files there are, each with its mode */
static void knobs_files(struct kunit *test)
{
	struct kernfs_node *dir = sysfs_get_dirent(mm_kobj->sd, "ksm");
	unsigned int i, nr = 0;
	struct rb_node *rb;

	for (i = 0; i < ARRAY_SIZE(knobs); i++)
		expect_mode(test, knobs[i], 0644);
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		expect_mode(test, counters[i], 0444);
	KUNIT_EXPECT_NOT_NULL(test, dir);
	if (!dir)
		return;
	/* No attribute is added or removed at this time. */
	for (rb = rb_first(&dir->dir.children); rb; rb = rb_next(rb))
		nr++;
	sysfs_put(dir);
	KUNIT_EXPECT_EQ(test, nr, ARRAY_SIZE(knobs) + ARRAY_SIZE(counters));
}

static void knobs_run(struct kunit *test)
{
	expect_shown(test, "run", "0\n");
	expect_accepted(test, "run", "1\n", "1\n");
	expect_refused(test, "run", "3", -EINVAL);
	expect_refused(test, "run", "4", -EINVAL);
	expect_refused(test, "run", "4294967297", -EINVAL);
	expect_refused(test, "run", "18446744073709551616", -EINVAL);
	expect_garbage_refused(test, "run");
	expect_accepted(test, "run", "1", "1\n");
	expect_accepted(test, "run", "2", "2\n");
	expect_accepted(test, "run", "2", "2\n");
	expect_accepted(test, "run", "0", "0\n");
}

/* While memory goes offline another bit is shown. */
static void knobs_run_offline(struct kunit *test)
{
	mutex_lock(&ksm_scan_mutex);
	WRITE_ONCE(ksm_run, KSM_RUN_STOP | KSM_RUN_OFFLINE);
	expect_shown(test, "run", "4\n");
	WRITE_ONCE(ksm_run, KSM_RUN_UNMERGE | KSM_RUN_OFFLINE);
	expect_shown(test, "run", "6\n");
	WRITE_ONCE(ksm_run, KSM_RUN_STOP);
	mutex_unlock(&ksm_scan_mutex);
}

/* run=2 resets the count of passes; run=0 does not. */
static void knobs_run_resets_full_scans(struct kunit *test)
{
	unsigned long before = ksm_counters.full_scans;

	WRITE_ONCE(ksm_counters.full_scans, 7);
	expect_accepted(test, "run", "1", "1\n");
	expect_accepted(test, "run", "0", "0\n");
	expect_shown(test, "full_scans", "7\n");
	expect_accepted(test, "run", "2", "2\n");
	expect_shown(test, "full_scans", "0\n");
	expect_accepted(test, "run", "0", "0\n");
	WRITE_ONCE(ksm_counters.full_scans, before);
}

static void knobs_uint(struct kunit *test)
{
	expect_uint(test, "pages_to_scan", "100\n");
	expect_uint(test, "sleep_millisecs", "20\n");
	expect_uint(test, "stable_node_chains_prune_millisecs", "2000\n");
}

static void knobs_bool(struct kunit *test)
{
	expect_bool(test, "use_zero_pages", "0\n");
	expect_bool(test, "smart_scan", "1\n");
}

static void knobs_max_page_sharing(struct kunit *test)
{
	static const char name[] = "max_page_sharing";

	expect_shown(test, name, "256\n");
	expect_accepted(test, name, "2", "2\n");
	expect_accepted(test, name, "98304\n", "98304\n");
	expect_accepted(test, name, "2147483647", "2147483647\n");
	expect_refused(test, name, "1", -EINVAL);
	expect_refused(test, name, "0", -EINVAL);
	expect_refused(test, name, "-1", -EINVAL);
	expect_refused(test, name, "-2147483648", -EINVAL);
	expect_refused(test, name, "2147483648", -ERANGE);
	expect_refused(test, name, "-2147483649", -ERANGE);
	expect_refused(test, name, "18446744073709551616", -ERANGE);
	expect_garbage_refused(test, name);
	expect_accepted(test, name, "256", "256\n");

	/* While there are KSM pages only what it is already */
	WRITE_ONCE(ksm_counters.shared, 1);
	expect_refused(test, name, "257", -EBUSY);
	expect_refused(test, name, "1", -EINVAL);
	expect_accepted(test, name, "256", "256\n");
	WRITE_ONCE(ksm_counters.shared, 0);
}

#ifdef CONFIG_NUMA
static void knobs_merge_across_nodes(struct kunit *test)
{
	static const char name[] = "merge_across_nodes";

	expect_shown(test, name, "1\n");
	expect_accepted(test, name, "0", "0\n");
	expect_accepted(test, name, "0\n", "0\n");
	expect_accepted(test, name, "1\n", "1\n");
	expect_refused(test, name, "2", -EINVAL);
	expect_refused(test, name, "4294967296", -EINVAL);
	expect_refused(test, name, "18446744073709551616", -ERANGE);
	expect_garbage_refused(test, name);
	WRITE_ONCE(ksm_counters.shared, 1);
	expect_refused(test, name, "0", -EBUSY);
	expect_refused(test, name, "2", -EINVAL);
	expect_accepted(test, name, "1", "1\n");
	WRITE_ONCE(ksm_counters.shared, 0);
}
#endif

static void knobs_advisor_mode(struct kunit *test)
{
	static const char * const unknown[] = {
		"", "\n", "on", "1", "scan_time", "scan-time ", " none",
		"None", "none\n\n", "scan-tim", "none scan-time", "[none]",
	};
	static const char off[] = "[none] scan-time\n";
	static const char on[] = "none [scan-time]\n";
	unsigned int i;

	expect_shown(test, "advisor_mode", off);
	for (i = 0; i < ARRAY_SIZE(unknown); i++)
		expect_refused(test, "advisor_mode", unknown[i], -EINVAL);

	/* Only a change sets pages_to_scan. */
	expect_accepted(test, "pages_to_scan", "1234", "1234\n");
	expect_accepted(test, "advisor_mode", "none\n", off);
	expect_shown(test, "pages_to_scan", "1234\n");
	expect_accepted(test, "advisor_mode", "scan-time", on);
	expect_shown(test, "pages_to_scan", "500\n");
	expect_accepted(test, "advisor_min_pages_to_scan", "600", "600\n");
	expect_accepted(test, "advisor_mode", "scan-time\n", on);
	expect_shown(test, "pages_to_scan", "500\n");

	/* The advisor sets it now. */
	expect_refused(test, "pages_to_scan", "100", -EINVAL);
	expect_refused(test, "pages_to_scan", "500", -EINVAL);
	for (i = 0; i < ARRAY_SIZE(unknown); i++)
		expect_refused(test, "advisor_mode", unknown[i], -EINVAL);
	expect_accepted(test, "advisor_mode", "none", off);
	expect_shown(test, "pages_to_scan", "100\n");
	expect_accepted(test, "advisor_mode", "scan-time", on);
	expect_shown(test, "pages_to_scan", "600\n");
	expect_accepted(test, "advisor_mode", "none", off);
	/* 0 as a start value would stay 0. */
	expect_accepted(test, "advisor_min_pages_to_scan", "0", "0\n");
	expect_accepted(test, "advisor_mode", "scan-time", on);
	expect_shown(test, "pages_to_scan", "1\n");
	expect_accepted(test, "advisor_mode", "none", off);
#ifdef CONFIG_64BIT
	expect_accepted(test, "advisor_min_pages_to_scan", "4294967296",
			"4294967296\n");
	expect_accepted(test, "advisor_mode", "scan-time", on);
	expect_shown(test, "pages_to_scan", "4294967295\n");
	expect_accepted(test, "advisor_mode", "none", off);
#endif
	expect_accepted(test, "advisor_min_pages_to_scan", "500", "500\n");
	expect_accepted(test, "pages_to_scan", "100", "100\n");
}

static void knobs_advisor_numbers(struct kunit *test)
{
	expect_ulong(test, "advisor_min_pages_to_scan", "500\n");
	expect_accepted(test, "advisor_min_pages_to_scan", "0", "0\n");
	expect_accepted(test, "advisor_min_pages_to_scan", "500", "500\n");
	expect_ulong(test, "advisor_max_pages_to_scan", "30000\n");
	expect_accepted(test, "advisor_max_pages_to_scan", "0", "0\n");
	expect_accepted(test, "advisor_max_pages_to_scan", "30000", "30000\n");
	expect_ulong(test, "advisor_target_scan_time", "200\n");
	/* A pass of 0 s is not possible. */
	expect_refused(test, "advisor_target_scan_time", "0", -EINVAL);

	/* Of a wide number the lower half counts. */
	expect_shown(test, "advisor_max_cpu", "70\n");
	expect_accepted(test, "advisor_max_cpu", "0", "0\n");
	expect_accepted(test, "advisor_max_cpu", "200\n", "200\n");
	expect_accepted(test, "advisor_max_cpu", "4294967295", "4294967295\n");
#ifdef CONFIG_64BIT
	expect_accepted(test, "advisor_max_cpu", "4294967296", "0\n");
	expect_accepted(test, "advisor_max_cpu", "4294967306", "10\n");
#endif
	expect_refused(test, "advisor_max_cpu", "18446744073709551616",
		       -EINVAL);
	expect_garbage_refused(test, "advisor_max_cpu");
	expect_accepted(test, "advisor_max_cpu", "70", "70\n");
}

/* Every counter shows its own value, and is read-only. */
static void knobs_counters(struct kunit *test)
{
	struct ksm_counters before;

	mutex_lock(&ksm_scan_mutex);
	before = ksm_counters;
	ksm_counters.shared = 11;
	ksm_counters.sharing = 22;
	ksm_counters.unshared = 33;
	ksm_counters.tracked = 100;
	ksm_counters.scanned = 44;
	ksm_counters.skipped = 55;
	ksm_counters.chains = 66;
	ksm_counters.dups = 77;
	ksm_counters.full_scans = ULONG_MAX;
	ksm_counters.bytes = 22 * PAGE_SIZE + 5;
	expect_shown(test, "pages_shared", "11\n");
	expect_shown(test, "pages_sharing", "22\n");
	expect_shown(test, "pages_unshared", "33\n");
	expect_shown(test, "pages_volatile", "34\n");
	expect_shown(test, "pages_scanned", "44\n");
	expect_shown(test, "pages_skipped", "55\n");
	expect_shown(test, "stable_node_chains", "66\n");
	expect_shown(test, "stable_node_dups", "77\n");
#ifdef CONFIG_64BIT
	expect_shown(test, "full_scans", "18446744073709551615\n");
#endif
	/* What is saved less what it costs, and that may be more. */
	expect_shown(test, "general_profit", "-5\n");
	ksm_counters.bytes = 22 * PAGE_SIZE - 7;
	expect_shown(test, "general_profit", "7\n");
	atomic_long_inc(&ksm_zero_pages);
	ksm_counters.bytes = 23 * PAGE_SIZE - 9;
	expect_shown(test, "general_profit", "9\n");
	expect_shown(test, "ksm_zero_pages", "1\n");
	atomic_long_dec(&ksm_zero_pages);
	expect_shown(test, "ksm_zero_pages", "0\n");
	/* Never negative, even where the four are read at different times. */
	ksm_counters.tracked = 60;
	expect_shown(test, "pages_volatile", "0\n");
	ksm_counters = before;
	mutex_unlock(&ksm_scan_mutex);
}

static struct kunit_case knobs_cases[] = {
	KUNIT_CASE(knobs_files),
	KUNIT_CASE(knobs_run),
	KUNIT_CASE(knobs_run_offline),
	KUNIT_CASE(knobs_run_resets_full_scans),
	KUNIT_CASE(knobs_uint),
	KUNIT_CASE(knobs_bool),
	KUNIT_CASE(knobs_max_page_sharing),
#ifdef CONFIG_NUMA
	KUNIT_CASE(knobs_merge_across_nodes),
#endif
	KUNIT_CASE(knobs_advisor_mode),
	KUNIT_CASE(knobs_advisor_numbers),
	KUNIT_CASE(knobs_counters),
	{}
};

static struct kunit_suite knobs_suite = {
	.name = "ksm_knobs",
	.init = ksm_test_begin,
	.exit = ksm_test_end,
	.test_cases = knobs_cases,
};

kunit_test_suite(knobs_suite);
