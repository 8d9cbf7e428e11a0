// SPDX-License-Identifier: GPL-2.0
/*
 * What is told of a fault: to tracepoints, and as an event to who listens.
 *
 * All is done in task work, on the way back to user mode, where one may sleep.
 * What the fault looked like is noted before anything is rolled back.  Neither
 * holds the thread up for long: user memory is read only where it is present,
 * no file system is asked, and what there is no memory for is left out.
 */
#include <linux/cgroup.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/uprobes.h>
#include <net/netlink.h>

#include <asm/user.h>

#include "arch/x86/registers.h"
#include "events.h"
#include "kernel_symbols.h"
#include "report.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* Others stand still meanwhile, and to reclaim memory may ask a file system. */
#define EVENT_GFP	((GFP_KERNEL & ~__GFP_DIRECT_RECLAIM) | __GFP_NOWARN)

/* Four pages, with what belongs to the socket buffer itself. */
#define EVENT_BYTES	SKB_WITH_OVERHEAD(4 * PAGE_SIZE)

/* What report_end() adds to an event. */
#define OUTCOME_BYTES	256

/* Longer ones are left out. */
#define CGROUP_BYTES	1024

/**
 * struct event_mapping - an executable mapping of a file
 * @start: its first address
 * @end: the first address behind it
 * @offset: of @start in the file
 * @file: the file, with a reference
 * @build_id: of the file
 * @build_id_size: in bytes; 0 when it is not known
 */
struct event_mapping {
	unsigned long start;
	unsigned long end;
	u64 offset;
	struct file *file;
	u8 build_id[BUILD_ID_SIZE_MAX];
	u32 build_id_size;
};

/**
 * struct event_mappings - those to which a fault's registers and stack point
 * @mappings: in the order in which they are found
 * @count: how many
 * @text: for paths
 */
struct event_mappings {
	struct event_mapping mappings[REASSURE_EVENT_MAPPINGS_MAX];
	unsigned int count;
	char text[PATH_MAX];
};

static bool has_address(const kernel_siginfo_t *info)
{
	return info && info->si_signo != SIGABRT;
}

static unsigned long fault_address(const kernel_siginfo_t *info)
{
	if (!has_address(info))
		return 0;
	return (unsigned long)(info->si_signo == SIGSYS ? info->si_call_addr :
							  info->si_addr);
}

static int put_identity(struct sk_buff *event, const kernel_siginfo_t *info)
{
	char command[TASK_COMM_LEN];

	get_task_comm(command, current);
	if (nla_put_u64_64bit(event, REASSURE_EVENT_TIME, ktime_get_real_ns(),
			      REASSURE_EVENT_PAD) ||
	    nla_put_u64_64bit(event, REASSURE_EVENT_MONOTONIC, ktime_get_ns(),
			      REASSURE_EVENT_PAD) ||
	    nla_put_u32(event, REASSURE_EVENT_PID, task_tgid_nr(current)) ||
	    nla_put_u32(event, REASSURE_EVENT_TID, task_pid_nr(current)) ||
	    nla_put_string(event, REASSURE_EVENT_COMMAND, command))
		return -EMSGSIZE;
	if (!info)
		return 0;
	if (nla_put_u32(event, REASSURE_EVENT_SIGNAL, info->si_signo) ||
	    nla_put_s32(event, REASSURE_EVENT_CODE, info->si_code))
		return -EMSGSIZE;
	return has_address(info) ?
	       nla_put_u64_64bit(event, REASSURE_EVENT_ADDRESS,
				 fault_address(info), REASSURE_EVENT_PAD) : 0;
}

static int put_cgroup(struct sk_buff *event, char *text)
{
	struct cgroup *cgroup;
	int length;
	u64 id;

	/* Current keeps it. */
	rcu_read_lock();
	cgroup = task_dfl_cgroup(current);
	id = cgroup_id(cgroup);
	length = cgroup_path(cgroup, text, CGROUP_BYTES);
	rcu_read_unlock();
	if (length > 0 && length < CGROUP_BYTES &&
	    nla_put_string(event, REASSURE_EVENT_CGROUP, text))
		return -EMSGSIZE;
	return nla_put_u64_64bit(event, REASSURE_EVENT_CGROUP_ID, id,
				 REASSURE_EVENT_PAD);
}

static int put_registers(struct sk_buff *event)
{
	struct user_regs_struct registers;

	registers_tell(&registers, task_pt_regs(current));
	return nla_put(event, REASSURE_EVENT_REGISTERS, sizeof(registers),
		       &registers);
}

/*
 * Copies what is present of the stack from @start on, up to the first hole
 * behind it; a stack that has overflowed begins with one.
 *
 * Return: how many bytes; they were at *@start.
 */
static size_t copy_stack(void *to, unsigned long *start)
{
	unsigned long address = *start;
	unsigned long end = address + REASSURE_EVENT_STACK_MAX;
	size_t size, copied = 0;

	for (; address < end; address += size) {
		size = min(end, PAGE_ALIGN(address + 1)) - address;
		if (!copy_from_user_nofault(to + copied,
					    (void __user *)address, size)) {
			copied += size;
			continue;
		}
		if (copied)
			break;
		*start = address + size;
	}
	return copied;
}

/*
 * Return probes have the kernel's trampoline, the beginning of a page, in place of
 * return addresses; the newest comes first, and where several are at one place
 * the oldest knows.
 */
static void undo_return_probes(void *stack, unsigned long start, size_t size)
{
	const struct return_instance *ri;
	unsigned long word;

	if (!current->utask)
		return;
	for (ri = current->utask->return_instances; ri; ri = ri->next) {
		if (ri->stack < start ||
		    ri->stack - start > size - sizeof(word))
			continue;
		memcpy(&word, stack + (ri->stack - start), sizeof(word));
		/* It may have been left by longjmp() and not be there any more. */
		if (PAGE_ALIGNED(word))
			memcpy(stack + (ri->stack - start), &ri->orig_ret_vaddr,
			       sizeof(word));
	}
}

/*
 * Return: the attribute with what could be read of the stack, or NULL.
 */
static const struct nlattr *put_stack(struct sk_buff *event)
{
	unsigned long start = task_pt_regs(current)->sp & ~7UL;
	unsigned int begin = event->len;
	struct nlattr *attr, *address;
	size_t size;
	u64 told;

	if (start > TASK_SIZE_MAX - 2 * REASSURE_EVENT_STACK_MAX)
		return NULL;
	address = nla_reserve_64bit(event, REASSURE_EVENT_STACK_ADDRESS,
				    sizeof(u64), REASSURE_EVENT_PAD);
	if (!address)
		return NULL;
	attr = nla_reserve(event, REASSURE_EVENT_STACK,
			   REASSURE_EVENT_STACK_MAX);
	size = attr ? copy_stack(nla_data(attr), &start) : 0;
	if (!size) {
		skb_trim(event, begin);
		return NULL;
	}
	undo_return_probes(nla_data(attr), start, size);
	told = start;
	memcpy(nla_data(address), &told, sizeof(told));
	attr->nla_len = nla_attr_size(size);
	skb_trim(event, (unsigned char *)attr - event->data + nla_total_size(size));
	return attr;
}

static bool is_found(const struct event_mappings *found, unsigned long start)
{
	unsigned int i;

	for (i = 0; i < found->count; i++)
		if (found->mappings[i].start == start)
			return true;
	return false;
}

/* With the mmap lock. */
static void find_mapping(struct event_mappings *found, struct vm_area_struct *vma)
{
	struct event_mapping *mapping;

	if (!vma->vm_file || !(vma->vm_flags & VM_EXEC) ||
	    is_found(found, vma->vm_start))
		return;
	mapping = &found->mappings[found->count++];
	mapping->start = vma->vm_start;
	mapping->end = vma->vm_end;
	mapping->offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	mapping->file = get_file(vma->vm_file);
	mapping->build_id_size = 0;
	kernel_build_id(vma, mapping->build_id, &mapping->build_id_size);
}

/*
 * Finds the mappings with the code that led to the fault: return addresses are
 * in words of the stack.
 */
static void find_mappings(struct event_mappings *found,
			  const struct nlattr *stack)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma, *last;
	unsigned long word;
	unsigned int at;

	mmap_read_lock(mm);
	last = vma_lookup(mm, task_pt_regs(current)->ip);
	if (last)
		find_mapping(found, last);
	for (at = 0; stack && at < nla_len(stack) &&
	     found->count < REASSURE_EVENT_MAPPINGS_MAX; at += sizeof(word)) {
		memcpy(&word, nla_data(stack) + at, sizeof(word));
		if (word < PAGE_SIZE || word >= TASK_SIZE_MAX ||
		    (last && word >= last->vm_start && word < last->vm_end))
			continue;
		vma = vma_lookup(mm, word);
		if (!vma)
			continue;
		last = vma;
		find_mapping(found, vma);
	}
	mmap_read_unlock(mm);
}

/* Without what there is no room for. */
static int put_mapping(struct sk_buff *event, const struct event_mapping *mapping,
		       char *text)
{
	struct nlattr *nest = nla_nest_start(event, 1);
	char *path;

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u64_64bit(event, REASSURE_MAPPING_START, mapping->start,
			      REASSURE_MAPPING_PAD) ||
	    nla_put_u64_64bit(event, REASSURE_MAPPING_END, mapping->end,
			      REASSURE_MAPPING_PAD) ||
	    nla_put_u64_64bit(event, REASSURE_MAPPING_OFFSET, mapping->offset,
			      REASSURE_MAPPING_PAD) ||
	    (mapping->build_id_size &&
	     nla_put(event, REASSURE_MAPPING_BUILD_ID, mapping->build_id_size,
		     mapping->build_id))) {
		nla_nest_cancel(event, nest);
		return -EMSGSIZE;
	}
	path = d_path(compat_user_path(mapping->file), text, PATH_MAX);
	if (!IS_ERR(path) &&
	    skb_tailroom(event) >= nla_total_size(strlen(path) + 1) + OUTCOME_BYTES)
		nla_put_string(event, REASSURE_MAPPING_PATH, path);
	nla_nest_end(event, nest);
	return 0;
}

static void put_mappings(struct sk_buff *event, struct event_mappings *found)
{
	struct nlattr *nest = nla_nest_start(event, REASSURE_EVENT_MAPPINGS);
	bool full = !nest;
	unsigned int i;

	for (i = 0; i < found->count; i++) {
		full = full || skb_tailroom(event) < 2 * OUTCOME_BYTES ||
		       put_mapping(event, &found->mappings[i], found->text);
		fput(found->mappings[i].file);
	}
	if (nest)
		nla_nest_end(event, nest);
}

/* Takes down what is known of the fault; false when there is no memory. */
static bool put_fault(struct sk_buff *event, const kernel_siginfo_t *info)
{
	struct event_mappings *found = kmalloc(sizeof(*found), EVENT_GFP);
	bool good;

	if (!found)
		return false;
	good = !put_identity(event, info) && !put_cgroup(event, found->text) &&
	       !put_registers(event);
	if (good) {
		found->count = 0;
		find_mappings(found, put_stack(event));
		put_mappings(event, found);
	}
	kfree(found);
	return good;
}

/**
 * report_begin() - current has a fault in its queue, or a deadline was over
 * @report: to be ended by report_end() or report_cancel()
 * @info: the signal, which stays as long as @report; NULL for a deadline
 */
void report_begin(struct report *report, const kernel_siginfo_t *info)
{
	report->info = info;
	report->injected = false;
	report->noted = false;
	report->outcome = REASSURE_OUTCOME_OUTSIDE;
	report->name[0] = 0;
	report->pages = 0;
	report->event = NULL;
}

/**
 * report_note() - take down what the fault looks like
 * @report: the report
 *
 * Before anything is changed, and without the mmap lock; more than once does
 * nothing.
 */
void report_note(struct report *report)
{
	const struct pt_regs *regs = task_pt_regs(current);

	if (report->noted)
		return;
	report->noted = true;
	report->ip = regs->ip;
	report->sp = regs->sp;
	if (events_wanted()) {
		report->event = alloc_skb(EVENT_BYTES, EVENT_GFP);
		if (report->event && !put_fault(report->event, report->info)) {
			kfree_skb(report->event);
			report->event = NULL;
		}
		if (!report->event)
			events_lose();
	}
	report->begun = ktime_get_ns();
}

/**
 * report_refusal() - a call of current was not rescued
 * @report: the report, noted
 * @name: the rescue point
 * @refusal: why not
 *
 * The calls around it may be tried.  The first reason is told, but an
 * escalation only means that they are.
 */
void report_refusal(struct report *report, const char *name,
		    enum reassure_refusal refusal)
{
	if (report->outcome == REASSURE_OUTCOME_REFUSED &&
	    report->refusal != REASSURE_REFUSED_ESCALATED)
		return;
	report->outcome = REASSURE_OUTCOME_REFUSED;
	report->refusal = refusal;
	strscpy(report->name, name, sizeof(report->name));
}

/* Current was taken back to the entry of the rescue point @name. */
void report_rescue(struct report *report, const char *name, unsigned long pages)
{
	report->outcome = REASSURE_OUTCOME_RESCUED;
	report->pages = pages;
	strscpy(report->name, name, sizeof(report->name));
}

static void trace(const struct report *report, u64 duration_ns)
{
	const kernel_siginfo_t *info = report->info;
	int sig = info ? info->si_signo : 0;
	int code = info ? info->si_code : 0;

	if (report->outcome == REASSURE_OUTCOME_RESCUED)
		trace_rescue(report, sig, code, fault_address(info),
			     duration_ns);
	else
		trace_fault_not_rescued(report, sig, code, fault_address(info),
					duration_ns);
}

static int put_outcome(struct sk_buff *event, const struct report *report,
		       u64 duration_ns)
{
	if (nla_put_u32(event, REASSURE_EVENT_OUTCOME, report->outcome) ||
	    nla_put_u64_64bit(event, REASSURE_EVENT_DURATION, duration_ns,
			      REASSURE_EVENT_PAD) ||
	    (report->name[0] &&
	     nla_put_string(event, REASSURE_EVENT_NAME, report->name)) ||
	    (report->injected && nla_put_flag(event, REASSURE_EVENT_INJECTED)))
		return -EMSGSIZE;
	if (report->outcome == REASSURE_OUTCOME_REFUSED)
		return nla_put_u32(event, REASSURE_EVENT_REFUSAL,
				   report->refusal);
	if (report->outcome == REASSURE_OUTCOME_RESCUED)
		return nla_put_u64_64bit(event, REASSURE_EVENT_PAGES,
					 report->pages, REASSURE_EVENT_PAD);
	return 0;
}

/**
 * report_end() - what became of the fault is known, so tell
 * @report: the report
 *
 * Without locks.  A deadline that came after its call is no matter.
 */
void report_end(struct report *report)
{
	struct sk_buff *event;
	u64 duration_ns;

	if (report->outcome == REASSURE_OUTCOME_OUTSIDE && !report->info) {
		report_cancel(report);
		return;
	}
	report_note(report);
	duration_ns = ktime_get_ns() - report->begun;
	trace(report, duration_ns);
	event = report->event;
	report->event = NULL;
	if (!event)
		return;
	if (put_outcome(event, report, duration_ns)) {
		kfree_skb(event);
		events_lose();
		return;
	}
	events_add(event);
}

/* It was no fault after all, or the process ends of something else. */
void report_cancel(struct report *report)
{
	consume_skb(report->event);
	report->event = NULL;
}
