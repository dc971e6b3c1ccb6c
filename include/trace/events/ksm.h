/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events of KSM.  Their names, fields and formats are read by programs and must
 * stay as they are; what is handed in is up to us.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ksm

#if !defined(_TRACE_KSM_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_KSM_H

#include <linux/tracepoint.h>

struct ksm_rmap_item;
struct mm_struct;
struct page;

/* The advisor chose a new pages_to_scan. */
TRACE_EVENT(ksm_advisor,
	TP_PROTO(s64 seconds, unsigned long pages, unsigned int percent),
	TP_ARGS(seconds, pages, percent),
	TP_STRUCT__entry(
		__field(s64, scan_time)
		__field(unsigned long, pages_to_scan)
		__field(unsigned int, cpu_percent)
	),
	TP_fast_assign(
		__entry->cpu_percent = percent;
		__entry->pages_to_scan = pages;
		__entry->scan_time = seconds;
	),
	TP_printk("ksm scan time %lld pages_to_scan %lu cpu percent %u",
		  __entry->scan_time, __entry->pages_to_scan,
		  __entry->cpu_percent)
);

/* An item was taken off its node, because the page of that was freed. */
TRACE_EVENT(ksm_remove_rmap_item,
	TP_PROTO(const struct ksm_rmap_item *item, const struct mm_struct *owner,
		 unsigned long frame),
	TP_ARGS(item, owner, frame),
	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(void *, rmap_item)
		__field(void *, mm)
	),
	TP_fast_assign(
		__entry->mm = (void *)owner;
		__entry->rmap_item = (void *)item;
		__entry->pfn = frame;
	),
	TP_printk("pfn %lu rmap_item %p mm %p",
		  __entry->pfn, __entry->rmap_item, __entry->mm)
);

/* A page is no KSM page any more. */
TRACE_EVENT(ksm_remove_ksm_page,
	TP_PROTO(unsigned long frame),
	TP_ARGS(frame),
	TP_STRUCT__entry(
		__field(unsigned long, pfn)
	),
	TP_fast_assign(
		__entry->pfn = frame;
	),
	TP_printk("pfn %lu", __entry->pfn)
);

/*
 * A page was merged with the KSM page @with, or could not be; without @with,
 * it was to become a KSM page itself.
 */
TRACE_EVENT(ksm_merge_with_ksm_page,
	TP_PROTO(const struct ksm_rmap_item *item, const struct mm_struct *owner,
		 unsigned long frame, const struct page *with, int error),
	TP_ARGS(item, owner, frame, with, error),
	TP_STRUCT__entry(
		__field(void *, ksm_page)
		__field(unsigned long, pfn)
		__field(void *, rmap_item)
		__field(void *, mm)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->err = error;
		__entry->mm = (void *)owner;
		__entry->rmap_item = (void *)item;
		__entry->pfn = frame;
		__entry->ksm_page = (void *)with;
	),
	TP_printk("%spfn %lu rmap_item %p mm %p error %d",
		  __entry->ksm_page ? "ksm " : "", __entry->pfn,
		  __entry->rmap_item, __entry->mm, __entry->err)
);

/* The same with the zero page, which is @frame */
TRACE_EVENT(ksm_merge_one_page,
	TP_PROTO(const struct ksm_rmap_item *item, const struct mm_struct *owner,
		 unsigned long frame, int error),
	TP_ARGS(item, owner, frame, error),
	TP_STRUCT__entry(
		__field(unsigned long, pfn)
		__field(void *, rmap_item)
		__field(void *, mm)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->err = error;
		__entry->mm = (void *)owner;
		__entry->rmap_item = (void *)item;
		__entry->pfn = frame;
	),
	TP_printk("ksm pfn %lu rmap_item %p mm %p error %d",
		  __entry->pfn, __entry->rmap_item, __entry->mm, __entry->err)
);

/* enum ksm_result of mm/ksm/node.h */
#define KSM_TRACE_RESULTS \
	{ 0, "done" }, { 1, "different" }, { 2, "gone" }, { 3, "held" }, \
	{ 4, "retry" }, { 5, "full" }, { 6, "nomem" }

/*
 * Any attempt to merge the page at @addr: with page frame @with, or, if that is
 * 0, by making it a KSM page.
 */
TRACE_EVENT(ksm_merge,
	TP_PROTO(const struct mm_struct *owner, unsigned long addr,
		 unsigned long frame, unsigned long with, int result),
	TP_ARGS(owner, addr, frame, with, result),
	TP_STRUCT__entry(
		__field(void *, mm)
		__field(unsigned long, addr)
		__field(unsigned long, pfn)
		__field(unsigned long, with)
		__field(int, result)
	),
	TP_fast_assign(
		__entry->mm = (void *)owner;
		__entry->addr = addr;
		__entry->pfn = frame;
		__entry->with = with;
		__entry->result = result;
	),
	TP_printk("mm %p addr %lx pfn %lu with %lu result %s",
		  __entry->mm, __entry->addr, __entry->pfn, __entry->with,
		  __print_symbolic(__entry->result, KSM_TRACE_RESULTS))
);

/* An mm is registered, or exits. */
DECLARE_EVENT_CLASS(ksm_registry,
	TP_PROTO(const struct mm_struct *registered),
	TP_ARGS(registered),
	TP_STRUCT__entry(
		__field(void *, mm)
	),
	TP_fast_assign(
		__entry->mm = (void *)registered;
	),
	TP_printk("mm %p", __entry->mm)
);

DEFINE_EVENT(ksm_registry, ksm_exit,
	TP_PROTO(const struct mm_struct *registered),
	TP_ARGS(registered));

DEFINE_EVENT(ksm_registry, ksm_enter,
	TP_PROTO(const struct mm_struct *registered),
	TP_ARGS(registered));

/* A pass over all that is registered: how many there were, pages tracked */
DECLARE_EVENT_CLASS(ksm_pass,
	TP_PROTO(int before, u32 tracked),
	TP_ARGS(before, tracked),
	TP_STRUCT__entry(
		__field(int, seq)
		__field(u32, rmap_entries)
	),
	TP_fast_assign(
		__entry->rmap_entries = tracked;
		__entry->seq = before;
	),
	TP_printk("seq %d rmap size %d", __entry->seq, __entry->rmap_entries)
);

DEFINE_EVENT(ksm_pass, ksm_stop_scan,
	TP_PROTO(int before, u32 tracked), TP_ARGS(before, tracked));

DEFINE_EVENT(ksm_pass, ksm_start_scan,
	TP_PROTO(int before, u32 tracked), TP_ARGS(before, tracked));

#endif /* _TRACE_KSM_H */

#include <trace/define_trace.h>
