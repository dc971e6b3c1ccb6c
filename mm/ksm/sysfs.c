// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/mm/ksm: parse, check, and hand on.  Each file is described in
 * Documentation/ABI/testing/sysfs-kernel-mm-ksm.
 */
#include <linux/kobject.h>
#include <linux/kstrtox.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "internal.h"

#define KSM_RW(name) \
	static struct kobj_attribute name##_attr = __ATTR_RW(name)
#define KSM_RO(name) \
	static struct kobj_attribute name##_attr = __ATTR_RO(name)

/* A counter that is shown as it is */
#define KSM_COUNTER(name, field)					\
	static ssize_t name##_show(struct kobject *kobj,		\
				   struct kobj_attribute *attr,		\
				   char *buf)				\
	{								\
		return sysfs_emit(buf, "%lu\n",				\
				  READ_ONCE(ksm_counters.field));	\
	}								\
	KSM_RO(name)

/* A knob that is shown as it is */
#define KSM_SHOW(name, fmt, variable)					\
	static ssize_t name##_show(struct kobject *kobj,		\
				   struct kobj_attribute *attr,		\
				   char *buf)				\
	{								\
		return sysfs_emit(buf, fmt "\n", READ_ONCE(variable));	\
	}

/* What it accepts is said by @parse; an error changes nothing. */
#define KSM_STORE(name, variable, type, parse)				\
	static ssize_t name##_store(struct kobject *kobj,		\
				    struct kobj_attribute *attr,	\
				    const char *buf, size_t count)	\
	{								\
		type value;						\
		int err = parse(buf, &value);				\
									\
		if (err)						\
			return err;					\
		WRITE_ONCE(variable, value);				\
		return count;						\
	}

/* Whatever is wrong with it is -EINVAL. */
static int parse_uint(const char *buf, unsigned int *value)
{
	return kstrtouint(buf, 10, value) ? -EINVAL : 0;
}

static int parse_bool(const char *buf, bool *value)
{
	return kstrtobool(buf, value) ? -EINVAL : 0;
}

static int parse_ulong(const char *buf, unsigned long *value)
{
	return kstrtoul(buf, 10, value) ? -EINVAL : 0;
}

/* Larger values lose their upper half. */
static int parse_wide_uint(const char *buf, unsigned int *value)
{
	unsigned long wide;
	int err = parse_ulong(buf, &wide);

	if (!err)
		*value = wide;
	return err;
}

static int parse_seconds(const char *buf, unsigned long *value)
{
	int err = parse_ulong(buf, value);

	return !err && !*value ? -EINVAL : err;
}

KSM_SHOW(run, "%lu", ksm_run)

static ssize_t run_store(struct kobject *kobj, struct kobj_attribute *attr,
			 const char *buf, size_t count)
{
	unsigned int value;
	int err = parse_uint(buf, &value);

	if (!err && value > KSM_RUN_UNMERGE)
		err = -EINVAL;
	if (!err)
		err = ksm_set_run(value);
	return err ?: count;
}

KSM_RW(run);

KSM_SHOW(pages_to_scan, "%u", ksm_pages_to_scan)

static ssize_t pages_to_scan_store(struct kobject *kobj,
				   struct kobj_attribute *attr,
				   const char *buf, size_t count)
{
	unsigned int value;

	/* The advisor's business while there is one. */
	if (READ_ONCE(ksm_advisor_mode) != KSM_ADVISOR_NONE ||
	    parse_uint(buf, &value))
		return -EINVAL;
	WRITE_ONCE(ksm_pages_to_scan, value);
	ksmd_pace_changed();
	return count;
}

KSM_RW(pages_to_scan);

KSM_SHOW(sleep_millisecs, "%u", ksm_sleep_ms)

static ssize_t sleep_millisecs_store(struct kobject *kobj,
				     struct kobj_attribute *attr,
				     const char *buf, size_t count)
{
	unsigned int value;
	int err = parse_uint(buf, &value);

	if (err)
		return err;
	WRITE_ONCE(ksm_sleep_ms, value);
	ksmd_pace_changed();
	return count;
}

KSM_RW(sleep_millisecs);

KSM_SHOW(max_page_sharing, "%u", ksm_max_page_sharing)

static ssize_t max_page_sharing_store(struct kobject *kobj,
				      struct kobj_attribute *attr,
				      const char *buf, size_t count)
{
	int value;
	int err = kstrtoint(buf, 10, &value);

	/* A page with a single mapping shares nothing. */
	if (!err && value < 2)
		err = -EINVAL;
	if (!err)
		err = ksm_set_max_page_sharing(value);
	return err ?: count;
}

KSM_RW(max_page_sharing);

#ifdef CONFIG_NUMA
KSM_SHOW(merge_across_nodes, "%u", ksm_merge_across_nodes)

static ssize_t merge_across_nodes_store(struct kobject *kobj,
					struct kobj_attribute *attr,
					const char *buf, size_t count)
{
	unsigned long value;
	int err = kstrtoul(buf, 10, &value);

	if (!err && value > 1)
		err = -EINVAL;
	if (!err)
		err = ksm_set_merge_across_nodes(value);
	return err ?: count;
}

KSM_RW(merge_across_nodes);
#endif

static const char * const advisor_modes[] = {
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
	int mode = sysfs_match_string(advisor_modes, buf);

	if (mode < 0)
		return -EINVAL;
	mutex_lock(&ksm_scan_mutex);
	ksm_advisor_set_mode(mode);
	mutex_unlock(&ksm_scan_mutex);
	ksmd_pace_changed();
	return count;
}

KSM_RW(advisor_mode);

KSM_SHOW(use_zero_pages, "%u", ksm_use_zero_pages)

static ssize_t use_zero_pages_store(struct kobject *kobj,
				    struct kobj_attribute *attr,
				    const char *buf, size_t count)
{
	bool value;
	int err = parse_bool(buf, &value);

	if (err)
		return err;
	ksm_set_use_zero_pages(value);
	return count;
}

KSM_RW(use_zero_pages);

KSM_SHOW(smart_scan, "%u", ksm_smart_scan)
KSM_STORE(smart_scan, ksm_smart_scan, bool, parse_bool)
KSM_RW(smart_scan);

KSM_SHOW(stable_node_chains_prune_millisecs, "%u", ksm_prune_ms)
KSM_STORE(stable_node_chains_prune_millisecs, ksm_prune_ms, unsigned int, parse_uint)
KSM_RW(stable_node_chains_prune_millisecs);

KSM_SHOW(advisor_max_cpu, "%u", ksm_advisor_max_cpu)
KSM_STORE(advisor_max_cpu, ksm_advisor_max_cpu, unsigned int, parse_wide_uint)
KSM_RW(advisor_max_cpu);

KSM_SHOW(advisor_min_pages_to_scan, "%lu", ksm_advisor_min_pages)
KSM_STORE(advisor_min_pages_to_scan, ksm_advisor_min_pages, unsigned long, parse_ulong)
KSM_RW(advisor_min_pages_to_scan);

KSM_SHOW(advisor_max_pages_to_scan, "%lu", ksm_advisor_max_pages)
KSM_STORE(advisor_max_pages_to_scan, ksm_advisor_max_pages, unsigned long, parse_ulong)
KSM_RW(advisor_max_pages_to_scan);

KSM_SHOW(advisor_target_scan_time, "%lu", ksm_advisor_target_s)
KSM_STORE(advisor_target_scan_time, ksm_advisor_target_s, unsigned long, parse_seconds)
KSM_RW(advisor_target_scan_time);

KSM_COUNTER(pages_shared, shared);
KSM_COUNTER(pages_sharing, sharing);
KSM_COUNTER(pages_unshared, unshared);
KSM_COUNTER(pages_scanned, scanned);
KSM_COUNTER(pages_skipped, skipped);
KSM_COUNTER(full_scans, full_scans);
KSM_COUNTER(stable_node_chains, chains);
KSM_COUNTER(stable_node_dups, dups);
KSM_COUNTER(scan_pages, scan_pages);
KSM_COUNTER(last_scan_millisecs, scan_ms);
KSM_COUNTER(thp_split, thp_split);
KSM_COUNTER(thp_kept, thp_kept);

static ssize_t pages_volatile_show(struct kobject *kobj,
				   struct kobj_attribute *attr, char *buf)
{
	long rest = READ_ONCE(ksm_counters.tracked) -
		    READ_ONCE(ksm_counters.shared) -
		    READ_ONCE(ksm_counters.sharing) -
		    READ_ONCE(ksm_counters.unshared);

	/* Between two of these reads ksmd may have moved a page. */
	return sysfs_emit(buf, "%ld\n", max(rest, 0L));
}

KSM_RO(pages_volatile);

static ssize_t ksm_zero_pages_show(struct kobject *kobj,
				   struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%ld\n", atomic_long_read(&ksm_zero_pages));
}

KSM_RO(ksm_zero_pages);

static ssize_t general_profit_show(struct kobject *kobj,
				   struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%ld\n", ksm_general_profit());
}

KSM_RO(general_profit);

static struct attribute *ksm_attrs[] = {
	&run_attr.attr,
	&pages_to_scan_attr.attr,
	&sleep_millisecs_attr.attr,
	&max_page_sharing_attr.attr,
#ifdef CONFIG_NUMA
	&merge_across_nodes_attr.attr,
#endif
	&use_zero_pages_attr.attr,
	&smart_scan_attr.attr,
	&stable_node_chains_prune_millisecs_attr.attr,
	&advisor_mode_attr.attr,
	&advisor_max_cpu_attr.attr,
	&advisor_min_pages_to_scan_attr.attr,
	&advisor_max_pages_to_scan_attr.attr,
	&advisor_target_scan_time_attr.attr,
	&pages_shared_attr.attr,
	&pages_sharing_attr.attr,
	&pages_unshared_attr.attr,
	&pages_volatile_attr.attr,
	&pages_scanned_attr.attr,
	&pages_skipped_attr.attr,
	&ksm_zero_pages_attr.attr,
	&full_scans_attr.attr,
	&stable_node_chains_attr.attr,
	&stable_node_dups_attr.attr,
	&general_profit_attr.attr,
	&scan_pages_attr.attr,
	&last_scan_millisecs_attr.attr,
	&thp_split_attr.attr,
	&thp_kept_attr.attr,
	NULL
};

static const struct attribute_group ksm_attr_group = {
	.attrs	= ksm_attrs,
	.name	= "ksm",
};

static int __init ksm_sysfs_init(void)
{
	return sysfs_create_group(mm_kobj, &ksm_attr_group);
}
subsys_initcall(ksm_sysfs_init);
