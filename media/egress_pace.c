#include "media/egress_pace.h"

#include "media/base/clock.h"
#include "media/egress_entry.h"

static const int64_t BITS_SECOND = 8 * SECOND;
/* Held packets of all peers are looked at so often: a thousand peers are not a thousand wake-ups.
 */
static const int64_t TICK_US = 1 * MS;

enum { HEAD_GUESS = 100 }; /* header, tag, UDP and IP of a packet, about [bytes] */

static void append(struct egress_queue *queue, struct egress_entry *entry)
{
    entry->next = NULL;
    if (queue->last)
        queue->last->next = entry;
    else
        queue->first = entry;
    queue->last = entry;
}

static struct egress_entry *take(struct egress_queue *queue)
{
    struct egress_entry *entry = queue->first;

    if (!entry)
        return NULL;
    queue->first = entry->next;
    if (!queue->first)
        queue->last = NULL;
    return entry;
}

static void append_queue(struct egress_queue *queue, struct egress_queue *tail)
{
    if (!tail->first)
        return;
    if (queue->last)
        queue->last->next = tail->first;
    else
        queue->first = tail->first;
    queue->last = tail->last;
    *tail = (struct egress_queue){0};
}

static uint32_t wire_len(const struct egress_entry *entry)
{
    return (uint32_t)entry->head.lead_len + entry->payload_len + HEAD_GUESS;
}

/* [bit/s] at which what is held leaves in time */
static uint64_t rate_of(const struct egress_pace *pace)
{
    uint64_t least = (uint64_t)pace->held_bytes * (uint64_t)BITS_SECOND / EGRESS_HOLD_US;

    return pace->bps > least ? pace->bps : least;
}

/* [bytes] that may leave in a time, and the time that they take [us] */
static uint64_t bytes_in(uint64_t bps, int64_t us)
{
    return us > 0 ? bps * (uint64_t)us / (uint64_t)BITS_SECOND : 0;
}

static int64_t time_of(uint64_t bps, uint64_t bytes)
{
    return (int64_t)(bytes * (uint64_t)BITS_SECOND / bps);
}

/* Move what came in this turn to where it waits, but for what is urgent. */
static void hold_back(struct egress_peer *peer)
{
    struct egress_pace *pace = &peer->pace;
    struct egress_queue urgent = {0};
    struct egress_entry *entry;

    while ((entry = take(&peer->queue))) {
        enum egress_class class = (enum egress_class)entry->head.class;

        if (class == EGRESS_URGENT) {
            append(&urgent, entry);
            continue;
        }
        append(&pace->held[class], entry);
        pace->n_held++;
        pace->held_bytes += wire_len(entry);
    }
    peer->queue = urgent;
}

/* Let go of held packets for `budget` bytes, or somewhat more. */
static void let_go(struct egress_peer *peer, uint64_t budget)
{
    struct egress_pace *pace = &peer->pace;

    for (int class = 0; class < EGRESS_HELD_CLASSES; class ++) {
        while ((budget > 0 || pace->n_held > EGRESS_HELD_MAX) && pace->held[class].first) {
            struct egress_entry *entry = take(&pace->held[class]);
            uint32_t len = wire_len(entry);

            budget = budget > len ? budget - len : 0;
            pace->n_held--;
            pace->held_bytes -= len;
            append(&peer->queue, entry);
        }
    }
}

void egress_pace_release(struct egress_peer *peer)
{
    for (int class = 0; class < EGRESS_HELD_CLASSES; class ++)
        append_queue(&peer->queue, &peer->pace.held[class]);
    peer->pace.n_held = peer->pace.held_bytes = 0;
}

/* Time that was not used is lost, but for what a late timer took. */
static void forget_idle_time(struct egress_pace *pace, int64_t now_us)
{
    int64_t since_us = pace->n_held > 0 ? now_us - EGRESS_BURST_US : now_us;

    if (pace->free_us < since_us)
        pace->free_us = since_us;
}

void egress_pace_choose(struct egress_peer *peer, bool all, int64_t now_us)
{
    struct egress_pace *pace = &peer->pace;
    bool holds = pace->n_held > 0;
    uint64_t budget;

    if (all || pace->bps == 0) {
        hold_back(peer); /* for their order */
        egress_pace_release(peer);
        return;
    }
    forget_idle_time(pace, now_us);
    budget = bytes_in(pace->bps, now_us + EGRESS_BURST_US - pace->free_us);
    if (!holds && peer->queued_bytes + peer->queued * HEAD_GUESS <= budget)
        return; /* the usual case: nobody looks at a packet */
    hold_back(peer);
    /* Once something is held, it leaves in runs: when those before have had their time. */
    if (!holds || pace->free_us <= now_us || pace->n_held > EGRESS_HELD_MAX)
        let_go(peer, bytes_in(rate_of(pace), now_us + EGRESS_BURST_US - pace->free_us));
}

static void note_congestion(struct egress_pace *pace)
{
    int64_t held_us = time_of(pace->bps, pace->held_bytes);

    if (held_us > EGRESS_HOLD_US)
        pace->congested = true;
    else if (held_us < EGRESS_HOLD_US / 2)
        pace->congested = false;
}

int64_t egress_pace_sent(struct egress_peer *peer, uint32_t bytes, int64_t now_us)
{
    struct egress_pace *pace = &peer->pace;
    int64_t next_us;

    if (pace->bps == 0)
        return NEVER_US;
    pace->free_us += time_of(rate_of(pace), bytes);
    note_congestion(pace);
    if (pace->n_held == 0)
        return NEVER_US;
    next_us = pace->free_us > now_us ? pace->free_us : now_us + 1;
    return (next_us + TICK_US - 1) / TICK_US * TICK_US;
}

void egress_pace_set(struct egress_pace *pace, uint64_t bps, int64_t now_us)
{
    if (bps > EGRESS_PACE_MAX)
        bps = EGRESS_PACE_MAX;
    /* What is under way keeps its size, not its time. */
    if (pace->bps > 0 && bps > 0 && pace->free_us > now_us)
        pace->free_us = now_us + time_of(bps, bytes_in(pace->bps, pace->free_us - now_us));
    pace->bps = bps;
}
