#include "sfu/webhook_queue.h"

#include "media/base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/** The events of one room. */
struct webhook_lane {
    struct list link;       /* in queue->lanes */
    struct list deliveries; /* the first is the next, or under way */
    int64_t due_us;         /* not before */
    char *room;
};

static struct webhook_lane *lane_of(struct list *link)
{
    return CONTAINER_OF(link, struct webhook_lane, link);
}

static struct webhook_delivery *first_of(const struct webhook_lane *lane)
{
    return CONTAINER_OF(lane->deliveries.next, struct webhook_delivery, link);
}

void webhook_queue_init(struct webhook_queue *q, uint32_t seed)
{
    *q = (struct webhook_queue){.random = seed | 1};
    map_init(&q->lanes_by_room);
    list_init(&q->lanes);
    list_init(&q->by_age);
}

static void free_lane(struct webhook_queue *q, struct webhook_lane *lane)
{
    (void)map_remove_str(&q->lanes_by_room, lane->room);
    list_unlink(&lane->link);
    free(lane->room);
    free(lane);
}

/* Free `d` alone. */
static void discard(struct webhook_delivery *d)
{
    list_unlink(&d->link);
    list_unlink(&d->by_age);
    free(d->body);
    free(d);
}

static void free_delivery(struct webhook_queue *q, struct webhook_delivery *d)
{
    struct webhook_lane *lane = d->lane;

    discard(d);
    q->n--;
    if (list_empty(&lane->deliveries))
        free_lane(q, lane);
}

void webhook_queue_done(struct webhook_queue *q)
{
    LIST_FOREACH_SAFE(link, &q->by_age) {
        discard(CONTAINER_OF(link, struct webhook_delivery, by_age));
    }
    LIST_FOREACH_SAFE(link, &q->lanes) {
        free_lane(q, lane_of(link));
    }
    map_done(&q->lanes_by_room);
}

static void drop_oldest(struct webhook_queue *q)
{
    LIST_FOREACH(link, &q->by_age) {
        struct webhook_delivery *d = CONTAINER_OF(link, struct webhook_delivery, by_age);

        if (d->under_way)
            continue;
        q->counters.dropped++;
        free_delivery(q, d);
        return;
    }
}

/* @return the lane of the room; NULL: no memory */
static struct webhook_lane *open_lane(struct webhook_queue *q, const char *room)
{
    struct webhook_lane *lane = map_get_str(&q->lanes_by_room, room);

    if (lane)
        return lane;
    lane = calloc(1, sizeof(*lane));
    if (!lane)
        return NULL;
    list_init(&lane->deliveries);
    lane->room = strdup(room);
    if (!lane->room || map_put_str(&q->lanes_by_room, room, lane) < 0) {
        free(lane->room);
        free(lane);
        return NULL;
    }
    list_append(&q->lanes, &lane->link);
    return lane;
}

int webhook_queue_put(struct webhook_queue *q, const char *room, const char *body, size_t len)
{
    struct webhook_delivery *d = calloc(1, sizeof(*d));
    char *copy = malloc(len + 1);

    if (q->n >= WEBHOOK_MAX_QUEUED)
        drop_oldest(q);
    if (d && copy)
        d->lane = open_lane(q, room);
    if (!d || !copy || !d->lane) {
        free(d);
        free(copy);
        q->counters.dropped++;
        return -ENOMEM;
    }
    memcpy(copy, body, len);
    copy[len] = '\0';
    d->queue = q;
    d->body = copy;
    d->len = len;
    list_append(&d->lane->deliveries, &d->link);
    list_append(&q->by_age, &d->by_age);
    q->n++;
    return 0;
}

static bool is_ready(const struct webhook_lane *lane, int64_t now_us)
{
    return !first_of(lane)->under_way && lane->due_us <= now_us;
}

struct webhook_delivery *webhook_queue_take(struct webhook_queue *q, int64_t now_us)
{
    if (q->n_under_way >= WEBHOOK_MAX_UNDER_WAY)
        return NULL;
    LIST_FOREACH(link, &q->lanes) {
        struct webhook_lane *lane = lane_of(link);

        if (!is_ready(lane, now_us))
            continue;
        list_unlink(&lane->link);
        list_append(&q->lanes, &lane->link);
        q->n_under_way++;
        first_of(lane)->under_way = true;
        first_of(lane)->tries++;
        return first_of(lane);
    }
    return NULL;
}

/* Half of the pause to all of it: receivers that come back are not asked by everybody at once. */
static int64_t pause_us(struct webhook_queue *q, uint32_t tries)
{
    int64_t ms = WEBHOOK_LONGEST_PAUSE_MS;

    if (tries < 16 && (int64_t)WEBHOOK_FIRST_PAUSE_MS << (tries - 1) < ms)
        ms = (int64_t)WEBHOOK_FIRST_PAUSE_MS << (tries - 1);
    q->random ^= q->random << 13; /* xorshift32, Marsaglia 2003 */
    q->random ^= q->random >> 17;
    q->random ^= q->random << 5;
    return (ms - q->random % (ms / 2)) * MS;
}

void webhook_queue_finish(struct webhook_queue *q, struct webhook_delivery *d, bool delivered,
                          int64_t now_us)
{
    d->under_way = false;
    q->n_under_way--;
    if (delivered) {
        q->counters.delivered++;
        d->lane->due_us = 0;
        free_delivery(q, d);
        return;
    }
    q->counters.failed_tries++;
    if (d->tries < WEBHOOK_MAX_TRIES) {
        d->lane->due_us = now_us + pause_us(q, d->tries);
        return;
    }
    q->counters.dropped++;
    free_delivery(q, d);
}

bool webhook_queue_is_idle(const struct webhook_queue *q, int64_t now_us)
{
    LIST_FOREACH(link, &q->lanes) {
        const struct webhook_lane *lane = lane_of(link);

        if (first_of(lane)->under_way || lane->due_us <= now_us)
            return false;
    }
    return true;
}
