// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/mm/ksm: parse and check.  Each file is described in
 * Documentation/ABI/testing/sysfs-kernel-mm-ksm.
 *
 * A file that shows a variable is a line of ksm_files[]; a knob also says there
 * how it is parsed, and what sets it if that takes more than a store.
 */
#include <linux/kobject.h>
#include <linux/kstrtox.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "internal.h"

/**
 * struct ksm_file - a file that shows a variable
 * @attr:  its attribute; the first member
 * @value: the variable
 * @size:  of the variable, which is a bool, an unsigned int or an unsigned long
 * @parse: what is written, to a value; NULL: the file is read-only
 * @set:   sets the value; NULL: it is stored in the variable
 */
struct ksm_file {
	struct kobj_attribute attr;
	void *value;
	size_t size;
	int (*parse)(const char *buf, unsigned long *value);
	int (*set)(unsigned long value);
};

static unsigned long ksm_file_get(const struct ksm_file *file)
{
	switch (file->size) {
	case sizeof(bool):
		return READ_ONCE(*(bool *)file->value);
	case sizeof(unsigned int):
		return READ_ONCE(*(unsigned int *)file->value);
	default:
		return READ_ONCE(*(unsigned long *)file->value);
	}
}

static int ksm_file_put(const struct ksm_file *file, unsigned long value)
{
	if (file->set)
		return file->set(value);
	switch (file->size) {
	case sizeof(bool):
		WRITE_ONCE(*(bool *)file->value, value);
		break;
	case sizeof(unsigned int):
		WRITE_ONCE(*(unsigned int *)file->value, value);
		break;
	default:
		WRITE_ONCE(*(unsigned long *)file->value, value);
	}
	return 0;
}

static ssize_t ksm_file_show(struct kobject *kobj, struct kobj_attribute *attr,
			     char *buf)
{
	const struct ksm_file *file = container_of(attr, struct ksm_file, attr);

	return sysfs_emit(buf, "%lu\n", ksm_file_get(file));
}

/* An error changes nothing. */
static ssize_t ksm_file_store(struct kobject *kobj, struct kobj_attribute *attr,
			      const char *buf, size_t count)
{
	const struct ksm_file *file = container_of(attr, struct ksm_file, attr);
	unsigned long value;
	int err = file->parse(buf, &value);

	if (!err)
		err = ksm_file_put(file, value);
	return err ?: count;
}

static int ksm_parse_ulong(const char *buf, unsigned long *value)
{
	return kstrtoul(buf, 10, value) ? -EINVAL : 0;
}

static int ksm_parse_uint(const char *buf, unsigned long *value)
{
	unsigned int narrow;

	if (kstrtouint(buf, 10, &narrow))
		return -EINVAL;
	*value = narrow;
	return 0;
}

/* Larger values lose their upper half. */
static int ksm_parse_wide_uint(const char *buf, unsigned long *value)
{
	int err = ksm_parse_ulong(buf, value);

	if (!err)
		*value = (unsigned int)*value;
	return err;
}

static int ksm_parse_bool(const char *buf, unsigned long *value)
{
	bool on;

	if (kstrtobool(buf, &on))
		return -EINVAL;
	*value = on;
	return 0;
}

static int ksm_parse_seconds(const char *buf, unsigned long *value)
{
	int err = ksm_parse_ulong(buf, value);

	return !err && !*value ? -EINVAL : err;
}

static int ksm_parse_run(const char *buf, unsigned long *value)
{
	int err = ksm_parse_uint(buf, value);

	return !err && *value > KSM_RUN_UNMERGE ? -EINVAL : err;
}

/* A page with a single mapping shares nothing. */
static int ksm_parse_max_page_sharing(const char *buf, unsigned long *value)
{
	int narrow;
	int err = kstrtoint(buf, 10, &narrow);

	if (!err && narrow < 2)
		err = -EINVAL;
	if (!err)
		*value = narrow;
	return err;
}

#ifdef CONFIG_NUMA
/* Only these two are a switch here; kstrtobool() knows more words. */
static int ksm_parse_zero_or_one(const char *buf, unsigned long *value)
{
	int err = kstrtoul(buf, 10, value);

	return !err && *value > 1 ? -EINVAL : err;
}
#endif

static int ksm_set_pages_to_scan(unsigned long value)
{
	/* The advisor sets it. */
	if (READ_ONCE(ksm_advisor_mode) != KSM_ADVISOR_NONE)
		return -EINVAL;
	WRITE_ONCE(ksm_pages_to_scan, value);
	ksmd_pace_changed();
	return 0;
}

static int ksm_set_sleep_ms(unsigned long value)
{
	WRITE_ONCE(ksm_sleep_ms, value);
	ksmd_pace_changed();
	return 0;
}

#define KSM_KNOB(_name, _variable, _parse, _set) {			\
	.attr = __ATTR(_name, 0644, ksm_file_show, ksm_file_store),	\
	.value = &(_variable),						\
	.size = sizeof(_variable),					\
	.parse = ksm_parse_##_parse,					\
	.set = _set,							\
}

#define KSM_COUNTER(_name, _variable) {					\
	.attr = __ATTR(_name, 0444, ksm_file_show, NULL),		\
	.value = &(_variable),						\
	.size = sizeof(_variable),					\
}

static struct ksm_file ksm_files[] = {
	KSM_KNOB(run, ksm_run, run, ksm_set_run),
	KSM_KNOB(pages_to_scan, ksm_pages_to_scan, uint, ksm_set_pages_to_scan),
	KSM_KNOB(sleep_millisecs, ksm_sleep_ms, uint, ksm_set_sleep_ms),
	KSM_KNOB(max_page_sharing, ksm_max_page_sharing, max_page_sharing,
		 ksm_set_max_page_sharing),
#ifdef CONFIG_NUMA
	KSM_KNOB(merge_across_nodes, ksm_merge_across_nodes, zero_or_one,
		 ksm_set_merge_across_nodes),
#endif
	KSM_KNOB(use_zero_pages, ksm_use_zero_pages, bool,
		 ksm_set_use_zero_pages),
	KSM_KNOB(smart_scan, ksm_smart_scan, bool, NULL),
	KSM_KNOB(stable_node_chains_prune_millisecs, ksm_prune_ms, uint, NULL),
	KSM_KNOB(advisor_max_cpu, ksm_advisor_max_cpu, wide_uint, NULL),
	KSM_KNOB(advisor_min_pages_to_scan, ksm_advisor_min_pages, ulong, NULL),
	KSM_KNOB(advisor_max_pages_to_scan, ksm_advisor_max_pages, ulong, NULL),
	KSM_KNOB(advisor_target_scan_time, ksm_advisor_target_s, seconds, NULL),
	KSM_COUNTER(pages_shared, ksm_counters.shared),
	KSM_COUNTER(pages_sharing, ksm_counters.sharing),
	KSM_COUNTER(pages_unshared, ksm_counters.unshared),
	KSM_COUNTER(pages_scanned, ksm_counters.scanned),
	KSM_COUNTER(pages_skipped, ksm_counters.skipped),
	KSM_COUNTER(full_scans, ksm_counters.full_scans),
	KSM_COUNTER(stable_node_chains, ksm_counters.chains),
	KSM_COUNTER(stable_node_dups, ksm_counters.dups),
	KSM_COUNTER(scan_pages, ksm_counters.scan_pages),
	KSM_COUNTER(last_scan_millisecs, ksm_counters.scan_ms),
	KSM_COUNTER(thp_split, ksm_counters.thp_split),
	KSM_COUNTER(thp_kept, ksm_counters.thp_kept),
};

static const char * const ksm_advisor_modes[] = {
	[KSM_ADVISOR_NONE]	= "none",
	[KSM_ADVISOR_SCAN_TIME]	= "scan-time",
};

static ssize_t advisor_mode_show(struct kobject *kobj,
				 struct kobj_attribute *attr, char *buf)
{
	if (READ_ONCE(ksm_advisor_mode) == KSM_ADVISOR_NONE)
		return sysfs_emit(buf, "[none] scan-time\n");
	return sysfs_emit(buf, "none [scan-time]\n");
}

static ssize_t advisor_mode_store(struct kobject *kobj,
				  struct kobj_attribute *attr,
				  const char *buf, size_t count)
{
	int mode = sysfs_match_string(ksm_advisor_modes, buf);

	if (mode < 0)
		return -EINVAL;
	mutex_lock(&ksm_scan_mutex);
	ksm_advisor_set_mode(mode);
	mutex_unlock(&ksm_scan_mutex);
	ksmd_pace_changed();
	return count;
}

static struct kobj_attribute advisor_mode_attr = __ATTR_RW(advisor_mode);

static ssize_t pages_volatile_show(struct kobject *kobj,
				   struct kobj_attribute *attr, char *buf)
{
	long rest = READ_ONCE(ksm_counters.tracked) -
		    READ_ONCE(ksm_counters.shared) -
		    READ_ONCE(ksm_counters.sharing) -
		    READ_ONCE(ksm_counters.unshared);

	/* A page may have changed between two of these reads. */
	return sysfs_emit(buf, "%ld\n", max(rest, 0L));
}

static struct kobj_attribute pages_volatile_attr = __ATTR_RO(pages_volatile);

static ssize_t ksm_zero_pages_show(struct kobject *kobj,
				   struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%ld\n", atomic_long_read(&ksm_zero_pages));
}

static struct kobj_attribute ksm_zero_pages_attr = __ATTR_RO(ksm_zero_pages);

static ssize_t general_profit_show(struct kobject *kobj,
				   struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%ld\n", ksm_general_profit());
}

static struct kobj_attribute general_profit_attr = __ATTR_RO(general_profit);

/* What ksm_sysfs_init() adds of ksm_files[], then these */
static struct attribute *ksm_attrs[ARRAY_SIZE(ksm_files) + 5] = {
	[ARRAY_SIZE(ksm_files)] = &advisor_mode_attr.attr,
	&pages_volatile_attr.attr,
	&ksm_zero_pages_attr.attr,
	&general_profit_attr.attr,
	NULL
};

static const struct attribute_group ksm_attr_group = {
	.attrs	= ksm_attrs,
	.name	= "ksm",
};

static int __init ksm_sysfs_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ksm_files); i++)
		ksm_attrs[i] = &ksm_files[i].attr.attr;
	return sysfs_create_group(mm_kobj, &ksm_attr_group);
}
subsys_initcall(ksm_sysfs_init);
