/**
 * @file webhook_queue.h  Events on their way to one receiver: in order for each room, tried again
 * with growing pauses, and never more than a bounded number. Sans-I/O.
 *
 * Rooms do not wait for each other: one event of each may be under way, so an event that its
 * receiver does not take holds up its own room alone. When the queue is full the oldest event is
 * dropped. Thread: control.
 */
#ifndef SFU_WEBHOOK_QUEUE_H
#define SFU_WEBHOOK_QUEUE_H

#include "media/base/attributes.h"
#include "media/base/list.h"
#include "media/base/map.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WEBHOOK_MAX_QUEUED = 4096,
    WEBHOOK_MAX_UNDER_WAY = 8,
    WEBHOOK_MAX_TRIES = 15, /* in about 40 minutes */
    WEBHOOK_FIRST_PAUSE_MS = 1000,
    WEBHOOK_LONGEST_PAUSE_MS = 300000,
};

struct webhook_lane;
struct webhook_queue;

/** An event for one receiver; the queue's. */
struct webhook_delivery {
    struct list link, by_age;
    struct webhook_queue *queue;
    struct webhook_lane *lane;
    char *body; /* JSON */
    size_t len; /* [bytes] */
    uint32_t tries;
    bool under_way;
};

struct webhook_counters {
    uint64_t delivered;
    uint64_t failed_tries;
    uint64_t dropped; /* queue full, tried too often, or the server ended */
};

/** Embedded by value; members are private but for the counters. */
struct webhook_queue {
    struct map lanes_by_room;
    struct list lanes;  /* the one that waits longest for its turn comes first */
    struct list by_age; /* of deliveries, the oldest first */
    uint32_t n, n_under_way, random;
    struct webhook_counters counters;
};

/** @param seed  of the jitter of pauses */
void webhook_queue_init(struct webhook_queue *q, uint32_t seed);

/** Drop everything; nothing may be under way any more. */
void webhook_queue_done(struct webhook_queue *q);

/**
 * Append an event.
 *
 * @param room  its events are delivered in this order; "" is a room like others
 * @param body  [len bytes], copied
 * @return 0; -ENOMEM: dropped, and counted
 */
MUST_USE int webhook_queue_put(struct webhook_queue *q, const char *room, const char *body,
                               size_t len);

/** Take what is to be sent now. It stays the queue's; say webhook_queue_finish() once, later.
 *  @return NULL: nothing */
struct webhook_delivery *webhook_queue_take(struct webhook_queue *q, int64_t now_us);

/** What was taken was delivered, or not. `d` is invalid afterwards. */
void webhook_queue_finish(struct webhook_queue *q, struct webhook_delivery *d, bool delivered,
                          int64_t now_us);

/** @return true if nothing is under way and nothing is to be sent now */
bool webhook_queue_is_idle(const struct webhook_queue *q, int64_t now_us);

#endif
