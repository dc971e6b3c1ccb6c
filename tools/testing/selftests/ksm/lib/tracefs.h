/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The trace events of KSM
 */
#ifndef KSM_LIB_TRACEFS_H
#define KSM_LIB_TRACEFS_H

#include <stdbool.h>
#include <sys/types.h>

/* Find (or mount) tracefs; 0, or -errno if this kernel has none. */
int ksm_trace_setup(void);

/* Text of events/ksm/EVENT/format; length or -errno. */
ssize_t ksm_trace_format(const char *event, char *buf, size_t size);

/* Empty the buffer and switch on one event of the group, or all if NULL. */
int ksm_trace_start(const char *event);

/* Switch all events of the group off.  What was seen stays readable. */
void ksm_trace_stop(void);

/*
 * Lines of this event in the buffer whose text after "event: " contains
 * every given substring (NULL: not wanted).  -errno if it cannot be read,
 * -EOVERFLOW if events were lost.
 */
long ksm_trace_count(const char *event, const char *has, const char *has2);

/* Call fn for each captured line of the group, in order, until it says no. */
long ksm_trace_each(bool (*fn)(const char *event, const char *text, void *arg),
		    void *arg);

/*
 * Count what a task takes from slab caches, from now until it is asked for;
 * 0, or -errno without hist triggers.  The second returns how many times it
 * did, and says in "# ..." lines where.
 */
int ksm_trace_allocs(pid_t pid);
long ksm_trace_allocs_stop(void);

#endif /* KSM_LIB_TRACEFS_H */
