// SPDX-License-Identifier: GPL-2.0-only
/*
 * The switch for deliberate faults: /sys/kernel/debug/ksm/fault.
 */
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/string.h>

#include "internal.h"

static const char * const ksm_fault_names[] = {
	[KSM_FAULT_NONE]	= "none",
	[KSM_FAULT_COMPARE]	= "compare",
	[KSM_FAULT_PROTECT]	= "protect",
	[KSM_FAULT_FLUSH]	= "flush",
	[KSM_FAULT_REFERENCE]	= "reference",
	[KSM_FAULT_FORKS]	= "forks",
	[KSM_FAULT_COUNT]	= "count",
};

static_assert(ARRAY_SIZE(ksm_fault_names) == KSM_NR_FAULTS);

static enum ksm_fault ksm_current_fault;

/**
 * ksm_busted - is this fault switched on?
 * @fault: which
 *
 * Context: Any.
 * Return: true if the caller is to misbehave.
 */
bool ksm_busted(enum ksm_fault fault)
{
	return READ_ONCE(ksm_current_fault) == fault;
}

static ssize_t ksm_fault_read(struct file *file, char __user *buf, size_t len,
			      loff_t *ppos)
{
	const char *name = ksm_fault_names[READ_ONCE(ksm_current_fault)];
	char text[16];
	int n = scnprintf(text, sizeof(text), "%s\n", name);

	return simple_read_from_buffer(buf, len, ppos, text, n);
}

static ssize_t ksm_fault_write(struct file *file, const char __user *buf,
			       size_t len, loff_t *ppos)
{
	char text[16] = "";
	int fault;

	if (simple_write_to_buffer(text, sizeof(text) - 1, ppos, buf, len) < 0)
		return -EFAULT;
	fault = match_string(ksm_fault_names, KSM_NR_FAULTS, strim(text));
	if (fault < 0)
		return fault;
	WRITE_ONCE(ksm_current_fault, fault);
	return len;
}

static const struct file_operations ksm_fault_fops = {
	.read	= ksm_fault_read,
	.write	= ksm_fault_write,
};

static int __init ksm_fault_param(char *text)
{
	int fault = match_string(ksm_fault_names, KSM_NR_FAULTS, text);

	if (fault >= 0)
		ksm_current_fault = fault;
	return 1;
}
__setup("ksm_fault=", ksm_fault_param);

static int __init ksm_busted_init(void)
{
	struct dentry *dir = debugfs_create_dir("ksm", NULL);

	debugfs_create_file("fault", 0600, dir, NULL, &ksm_fault_fops);
	return 0;
}
late_initcall(ksm_busted_init);
