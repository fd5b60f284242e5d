/**
 * @file load_loop.h  The loop of a run: many UDP sockets and exact timing by epoll, beside libevent
 * for signaling. One thread; one at a time takes SIGINT and SIGTERM.
 */
#ifndef BENCH_LOAD_LOOP_H
#define BENCH_LOAD_LOOP_H

#include "media/base/attributes.h"
#include "media/base/deadline_heap.h"

#include <stdbool.h>
#include <stdint.h>

struct endpoint;
struct event;
struct event_base;

/** Members are private. */
struct load_loop {
    struct event_base *base;
    struct event *sockets, *interrupt, *terminate;
    struct deadline_heap deadlines;
    int epoll_fd, timer_fd;
    int64_t timer_us, signaling_us;
    int64_t idle_us; /* looked for something to do, and found nothing */
    bool polling, interrupted;
};

/** @return 0; -ENOMEM; -errno. load_loop_done() in every case */
MUST_USE int load_loop_init(struct load_loop *l);
void load_loop_done(struct load_loop *l);

/** @return for signaling; the loop's own */
struct event_base *load_loop_base(const struct load_loop *l);

/** Serve the endpoint's socket and deadlines. @return 0; -ENOMEM; -errno of epoll_ctl(2) */
MUST_USE int load_loop_add(struct load_loop *l, struct endpoint *e);
void load_loop_remove(struct load_loop *l, struct endpoint *e);

/** Advance the endpoint as soon as possible. */
void load_loop_wake(struct load_loop *l, struct endpoint *e, int64_t now_us);

/** Wait for something to happen, at the longest until `until_us`, and serve it. */
void load_loop_turn(struct load_loop *l, int64_t until_us);

/**
 * Serve sockets first, and signaling every 10 ms. Waiting is on the sockets alone then: while it is
 * on signaling, too, their epoll instance is inside that of libevent, and waking two of them is
 * work that the kernel does on the server's account, packet by packet.
 */
void load_loop_media_first(struct load_loop *l, bool first);

/**
 * Do not sleep while media comes first: look again at once. A packet for who sleeps costs its
 * sender the waking, which over a network is another machine's work. Takes all of a core.
 */
void load_loop_poll(struct load_loop *l);

/** @return for how long polling found nothing so far [us] */
int64_t load_loop_idle_us(const struct load_loop *l);

/** @return true: somebody wants us to stop */
bool load_loop_interrupted(const struct load_loop *l);

#endif
