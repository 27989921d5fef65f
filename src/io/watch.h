/* SPDX-License-Identifier: MIT */
/*
 * Directory watches: ReadDirectoryChangesW and change notifications on a file object that is a
 * directory. The first call makes the watch, with its filter and its depth, and decides how much is kept
 * between two calls; from then on all that happens is noticed, until the handle is closed.
 */
#ifndef IOCP_IO_WATCH_H
#define IOCP_IO_WATCH_H

#include "io/file.h"
#include "io/request.h"

#include <stdbool.h>
#include <stdint.h>

struct watch;
struct watch_how;

/*
 * Makes the watch of a directory unless it has one: of what a later call asks for only the buffer's size
 * counts. STATUS_INVALID_PARAMETER: its records are of the other kind, detailed or not.
 * STATUS_TOO_MANY_OPENED_FILES: no more inotify descriptors (fs.inotify.max_user_instances);
 * STATUS_INSUFFICIENT_RESOURCES: no more watches (max_user_watches). The tree below is gone through inside
 * the call.
 */
uint32_t watch_begin(struct file *f, const struct watch_how *how);

/*
 * Starts r, whose buffer is set and begun: answered with the changes since the last call, at once or
 * when there are any. STATUS_NOTIFY_ENUM_DIR: too many for a buffer. STATUS_DELETE_PENDING: the directory
 * itself was deleted. STATUS_INSUFFICIENT_RESOURCES: a new directory in it could not be watched.
 */
uint32_t watch_start(struct request *r);

/* The same in a blocking call. */
uint32_t watch_wait(struct file *f, void *data, uint32_t size, uint32_t *bytes);

/*
 * A change notification: the file itself is signalled by a change. Done before it is published.
 * watch_rearm makes it nonsignalled, unless there was another change since it was signalled.
 */
uint32_t watch_notify(struct file *f, uint32_t filter, bool subtree);
uint32_t watch_rearm(struct file *f); /* STATUS_INVALID_HANDLE: no change notification */
bool watch_is_notification(const struct file *f);

/* For disk.c: the ends of a directory's life, and what its poller needs. */
void watch_edge(struct file *f, uint32_t events);
int watch_poll_fd(const struct file *f);
void watch_cleanup(struct file *f);
void watch_destroy(struct watch *w);

#endif
