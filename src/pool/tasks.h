/* SPDX-License-Identifier: MIT */
/*
 * The kinds of tasks. Each *_new gives the task with the program's reference; it ends with task_close or
 * task_retire. Times are deadlines (base/clock.h).
 */
#ifndef IOCP_POOL_TASKS_H
#define IOCP_POOL_TASKS_H

#include "pool/task.h"

#include "minwindef.h"
#include "winnt.h"
#include "minwinbase.h"

struct file;

/* ---- work: a callback per task_submit ---- */

uint32_t work_new(const struct task_env *env, PTP_WORK_CALLBACK fn, void *context, struct task **out);
/* One callback, without an object that the program knows. */
uint32_t simple_submit(const struct task_env *env, PTP_SIMPLE_CALLBACK fn, void *context);
uint32_t item_submit(const struct task_env *env, LPTHREAD_START_ROUTINE fn, void *context);

/* ---- timers ---- */

uint32_t pool_timer_new(const struct task_env *env, PTP_TIMER_CALLBACK fn, void *context, struct task **out);
uint32_t queue_timer_new(const struct task_env *env, WAITORTIMERCALLBACK fn, void *context,
                        struct task **out);
bool task_is_queue_timer(const struct task *t);

/* Replaces what was set; true: that had still been to fire. period_ms 0: once. */
bool pool_timer_set(struct task *t, uint64_t due_ns, uint32_t period_ms);
bool pool_timer_stop(struct task *t);
bool pool_timer_is_set(struct task *t);
/* Sets it unless it has fired, once and for all. */
void pool_timer_change(struct task *t, uint64_t due_ns, uint32_t period_ms);

/* ---- waits ---- */

uint32_t pool_wait_new(const struct task_env *env, PTP_WAIT_CALLBACK fn, void *context, struct task **out);

/* The same, replaced as timers are. `obj` can be waited for and is no mutex; NULL: nothing. */
bool pool_wait_set(struct task *t, struct object *obj, uint64_t deadline_ns);

/* Waits again after every callback, unless `once`; `ms` from then on, UINT32_MAX for ever. */
uint32_t registered_wait_new(const struct task_env *env, struct object *obj, WAITORTIMERCALLBACK fn,
                             void *context, uint32_t ms, bool once, struct task **out);
void registered_wait_begin(struct task *t);
bool task_is_registered_wait(const struct task *t);

/* ---- I/O ---- */

typedef VOID(WINAPI *io_fn)(PTP_CALLBACK_INSTANCE run, PVOID context, PVOID ov, ULONG error, ULONG_PTR bytes,
                            PTP_IO io);

/* Associates the file with the pool's port. Callbacks are announced: task_expect, task_expect_less. */
uint32_t pool_io_new(const struct task_env *env, struct file *file, io_fn fn, void *context,
                     struct task **out);

/* Every completion of the file calls fn, announced or not, for as long as the file lives. */
uint32_t bind_completions(struct file *file, LPOVERLAPPED_COMPLETION_ROUTINE fn);

#endif
