/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tracepoints; Documentation/events.rst says what their fields mean.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM reassure

#if !defined(_REASSURE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _REASSURE_TRACE_H

#include <linux/sched.h>
#include <linux/tracepoint.h>

#include "report.h"

TRACE_EVENT(rescue,
	    TP_PROTO(const struct report *report, int sig, int code,
		     unsigned long address, u64 duration_ns),
	    TP_ARGS(report, sig, code, address, duration_ns),
	    TP_STRUCT__entry(__array(char, name, REASSURE_NAME_MAX + 1)
			     __field(int, pid)
			     __field(int, sig)
			     __field(int, code)
			     __field(unsigned long, address)
			     __field(unsigned long, ip)
			     __field(unsigned long, sp)
			     __field(u64, pages)
			     __field(u64, duration_ns)
			     __field(bool, injected)),
	    TP_fast_assign(strscpy(__entry->name, report->name,
				   sizeof(__entry->name));
			   __entry->pid = task_tgid_nr(current);
			   __entry->sig = sig;
			   __entry->code = code;
			   __entry->address = address;
			   __entry->ip = report->ip;
			   __entry->sp = report->sp;
			   __entry->pages = report->pages;
			   __entry->duration_ns = duration_ns;
			   __entry->injected = report->injected;),
	    TP_printk("name=%s pid=%d sig=%d code=%d address=0x%lx ip=0x%lx sp=0x%lx pages=%llu duration_ns=%llu injected=%d",
		      __entry->name, __entry->pid, __entry->sig, __entry->code,
		      __entry->address, __entry->ip, __entry->sp,
		      __entry->pages, __entry->duration_ns, __entry->injected)
);

TRACE_EVENT(fault_not_rescued,
	    TP_PROTO(const struct report *report, int sig, int code,
		     unsigned long address, u64 duration_ns),
	    TP_ARGS(report, sig, code, address, duration_ns),
	    TP_STRUCT__entry(__array(char, name, REASSURE_NAME_MAX + 1)
			     __array(char, reason, 16)
			     __field(int, pid)
			     __field(int, sig)
			     __field(int, code)
			     __field(unsigned long, address)
			     __field(unsigned long, ip)
			     __field(unsigned long, sp)
			     __field(u64, duration_ns)
			     __field(bool, injected)),
	    TP_fast_assign(strscpy(__entry->name, report->name,
				   sizeof(__entry->name));
			   strscpy(__entry->reason, report_reason(report),
				   sizeof(__entry->reason));
			   __entry->pid = task_tgid_nr(current);
			   __entry->sig = sig;
			   __entry->code = code;
			   __entry->address = address;
			   __entry->ip = report->ip;
			   __entry->sp = report->sp;
			   __entry->duration_ns = duration_ns;
			   __entry->injected = report->injected;),
	    TP_printk("name=%s reason=%s pid=%d sig=%d code=%d address=0x%lx ip=0x%lx sp=0x%lx duration_ns=%llu injected=%d",
		      __entry->name, __entry->reason, __entry->pid,
		      __entry->sig, __entry->code, __entry->address,
		      __entry->ip, __entry->sp, __entry->duration_ns,
		      __entry->injected)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
