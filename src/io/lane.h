/* SPDX-License-Identifier: MIT */
/*
 * Lanes: requests of one direction of one file, in the order of the calls. The head is attempted
 * inline when it is posted, and again when an edge says that the descriptor became ready; those
 * behind it wait. One thread at a time works on a lane.
 */
#ifndef IOCP_IO_LANE_H
#define IOCP_IO_LANE_H

#include "io/file.h"
#include "io/request.h"

/*
 * Starts r on its lane (r->ops->attempt is called at once if it is its turn and the lane is not
 * known to be drained). request_begin was called. Returns STATUS_PENDING, or the final status,
 * after having completed (success, warning) or refused (error) the request. Of one that is completed
 * in here *result says how; it may be NULL.
 */
uint32_t lane_start(struct request *r, enum lane_direction dir, struct request_result *result);

/*
 * Called inside an attempt, returns through it: the request goes on in a lane of another file
 * (AcceptEx waiting for first data), or in the other lane of its own. The attempt then returns LANE_MOVED.
 */
#define LANE_MOVED 0xEFFF0001u
void lane_move(struct request *r, struct file *to, enum lane_direction dir);

/* An attempt returns this when it could go on, but has held the thread for long enough: the request stays at
 * the head of its lane, and is attempted again when the poller's other edges have had their turn. */
#define LANE_YIELD 0xEFFF0002u

/* Edge callbacks for pollers (token = fd and generation). The first returns an entry for the queue of the
 * poller, with a reference, if there is work that is not marked yet. */
struct queue_entry *lane_edge_queue(uint64_t token, uint32_t events);
void lane_edge_home(struct poller *p, uint64_t token, uint32_t events);

/* A READY entry's turn: does what can be done now on both lanes of its file. */
void lane_run_ready(struct queue_entry *e);

/* The poller of files that belong to port, or to none: then it is the home thread's. 0 or -errno. */
int lane_poller(struct port *port, struct poller **out);

/* Before LANE_URGENT is used the first time. STATUS_INSUFFICIENT_RESOURCES. */
uint32_t lane_open_urgent(struct file *f);

/* Makes sure that f is registered with the poller it belongs to. Called with no lock held. */
uint32_t lane_register(struct file *f);
/* Takes it out again (before close, before replacing the fd, when it moves to a port). */
void lane_unregister(struct file *f);
void lane_unregister_locked(struct file *f);

/*
 * A synchronous transfer wants to begin. With `keep` nobody else works on the lane until lane_leave, and what
 * is started meanwhile queues up; else it only goes behind what has begun to wait.
 */
enum lane_entry {
    LANE_FREE, /* it may */
    LANE_SOON, /* an attempt is under way that does not sleep, and nothing waits: try again */
    LANE_BUSY, /* others are before it */
};
enum lane_entry lane_enter(struct file *f, enum lane_direction dir, bool keep);
/* Who keeps it is going to sleep: that may take long. */
void lane_keep(struct file *f, enum lane_direction dir);
void lane_leave(struct file *f, enum lane_direction dir);
/* The same, but r, whose start has begun, does the rest of the transfer, before all others. Called instead of
 * lane_start. false: the file is being closed, and r is the caller's still; the lane has been left. */
bool lane_hand_over(struct request *r, enum lane_direction dir);

/* r, which waits in a lane of f and is not attempted, leaves it unanswered. f's lock is held. True: those
 * behind it may get on without an edge, see lane_run. */
bool lane_withdraw_locked(struct file *f, struct request *r);
void lane_run(struct file *f);

/*
 * f, which is registered, goes over to the poller `to`, under its lock: 0, or -errno and it stays as it is.
 * Once the lock is released, lane_moved, with the port that it belongs to now (NULL: none): who waits there
 * waits for the edges of the new registration.
 */
int lane_move_locked(struct file *f, struct poller *to);
void lane_moved(struct file *f, struct port *port);

/* Marks the lanes ready and runs them (an event source other than epoll: timers, retries). */
void lane_kick(struct file *f);

#endif
