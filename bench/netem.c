#include "bench/netem.h"

#include "media/base/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEFAULT_QUEUE_BYTES = 64 * 1024,
    SECOND_BITS = 8 * 1000 * 1000, /* bits per byte times microseconds per second */
};
static const int64_t default_reorder_us = 20 * MS;

/* A datagram under way. */
struct flying {
    int64_t due_us;
    int64_t sent_us; /* when the rate has sent it all */
    uint64_t number; /* in the order of putting in; a duplicate has that of its original */
    uint64_t tag;
    size_t len;
    bool held;      /* back, to be out of order */
    uint8_t data[]; /* len bytes */
};

struct netem {
    struct netem_config config;
    uint64_t random;
    struct flying **flying; /* [first, count), in the order of arrival */
    size_t first, count, capacity;
    int64_t now_us;  /* of the last push or pop */
    int64_t idle_us; /* when the rate has sent all it was given */
    int64_t last_due_us;
    int64_t blackout_from_us; /* periods count from here; NEVER_US: from the next datagram */
    uint64_t number;          /* of the last that was put in */
    bool in_burst;
    struct netem_stats stats;
};

uint64_t netem_random(uint64_t *state)
{
    uint64_t x = *state ? *state : UINT64_C(0x9e3779b97f4a7c15);

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * UINT64_C(0x2545f4914f6cdd1d);
}

/* @return true with probability `p` */
static bool happens(struct netem *n, double p)
{
    return p > 0 && (double)(netem_random(&n->random) >> 11) * 0x1p-53 < p;
}

static void set_config(struct netem *n, const struct netem_config *config)
{
    n->config = *config;
    if (n->config.queue_bytes == 0)
        n->config.queue_bytes = DEFAULT_QUEUE_BYTES;
    if (n->config.reorder_us == 0)
        n->config.reorder_us = default_reorder_us;
}

struct netem *netem_new(const struct netem_config *config)
{
    struct netem *n = calloc(1, sizeof(*n));

    if (!n)
        return NULL;
    /* Seeds 1, 2, 3 must not give links that begin alike. */
    n->random = (config->seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    n->now_us = n->idle_us = n->last_due_us = INT64_MIN;
    n->blackout_from_us = NEVER_US;
    set_config(n, config);
    return n;
}

struct netem *netem_free(struct netem *n)
{
    if (!n)
        return NULL;
    while (n->count > n->first)
        free(n->flying[--n->count]);
    free(n->flying);
    free(n);
    return NULL;
}

const struct netem_config *netem_config(const struct netem *n)
{
    return &n->config;
}

/* --- what waits for the rate goes on at another one */

static int by_number(const void *a, const void *b)
{
    uint64_t x = (*(struct flying *const *)a)->number;
    uint64_t y = (*(struct flying *const *)b)->number;

    return (x > y) - (x < y);
}

static int by_arrival(const void *a, const void *b)
{
    int64_t x = (*(struct flying *const *)a)->due_us;
    int64_t y = (*(struct flying *const *)b)->due_us;

    return x != y ? (x > y) - (x < y) : by_number(a, b);
}

/* @return microseconds that `bits` take at the rate there is now */
static int64_t time_of(const struct netem *n, uint64_t bits)
{
    return n->config.rate_bps ? (int64_t)(bits * 1000000 / n->config.rate_bps) : 0;
}

/* @return bits of `f` that were not sent by now at the rate there was */
static uint64_t bits_left(const struct netem *n, const struct flying *f, uint64_t old_bps)
{
    uint64_t all = 8 * (f->len + n->config.overhead);
    uint64_t left = (uint64_t)(f->sent_us - n->now_us) * old_bps / 1000000;

    return left < all ? left : all;
}

static void change_rate(struct netem *n, uint64_t old_bps)
{
    struct flying **all = n->flying + n->first;
    size_t count = n->count - n->first;
    const struct flying *before = NULL;
    int64_t due_us = INT64_MIN; /* of what arrives in order, so far */
    int64_t sent_us = n->now_us;

    if (count > 0)
        qsort(all, count, sizeof(struct flying *), by_number);
    for (size_t i = 0; i < count; before = all[i++]) {
        struct flying *f = all[i];

        if (f->sent_us > n->now_us) {
            if (!before || before->number != f->number)
                sent_us += time_of(n, bits_left(n, f, old_bps));
            f->due_us += sent_us - f->sent_us;
            f->sent_us = sent_us;
        }
        if (!f->held && f->due_us < due_us)
            f->due_us = due_us;
        if (!f->held)
            due_us = f->due_us;
    }
    if (count > 0)
        qsort(all, count, sizeof(struct flying *), by_arrival);
    if (n->idle_us > n->now_us)
        n->idle_us = sent_us;
    n->last_due_us = due_us;
}

void netem_change(struct netem *n, const struct netem_config *config)
{
    struct netem_config old = n->config;

    set_config(n, config);
    if (old.blackout_us != config->blackout_us ||
        old.blackout_period_us != config->blackout_period_us)
        n->blackout_from_us = NEVER_US;
    if (old.rate_bps != config->rate_bps)
        change_rate(n, old.rate_bps);
}

/* --- a datagram goes in */

static bool is_lost(struct netem *n)
{
    double burst_len = n->config.burst_len >= 1 ? n->config.burst_len : 1;

    n->in_burst = n->in_burst ? !happens(n, 1 / burst_len) : happens(n, n->config.burst_start);
    return n->in_burst || happens(n, n->config.loss);
}

static bool is_black(struct netem *n, int64_t now_us)
{
    if (n->config.blackout)
        return true;
    if (n->config.blackout_us <= 0 || n->config.blackout_period_us <= 0)
        return false;
    if (n->blackout_from_us == NEVER_US)
        n->blackout_from_us = now_us;
    return (now_us - n->blackout_from_us) % n->config.blackout_period_us >=
           n->config.blackout_period_us - n->config.blackout_us;
}

/* Make room for one more at the end. */
static void make_room(struct netem *n)
{
    if (n->count < n->capacity)
        return;
    if (n->first > n->capacity / 2) {
        n->count -= n->first;
        memmove(n->flying, n->flying + n->first, n->count * sizeof(struct flying *));
        n->first = 0;
        return;
    }
    n->capacity = n->capacity ? 2 * n->capacity : 64;
    n->flying = realloc(n->flying, n->capacity * sizeof(struct flying *));
    if (!n->flying)
        abort(); /* a test without memory has nothing to say */
}

/* Put a copy of `like` under way, behind all that arrive before it or at the same time. */
static void fly(struct netem *n, const struct flying *like, const uint8_t *data)
{
    struct flying *f = malloc(sizeof(*f) + like->len);
    size_t at;

    if (!f)
        abort();
    make_room(n);
    *f = *like;
    memcpy(f->data, data, like->len);
    for (at = n->count++; at > n->first && n->flying[at - 1]->due_us > f->due_us; at--)
        n->flying[at] = n->flying[at - 1];
    n->flying[at] = f;
}

/* @return when the link's rate has sent `len` bytes more, or -1: the queue is full */
static int64_t send_at_rate(struct netem *n, size_t len, int64_t now_us)
{
    const struct netem_config *c = &n->config;
    int64_t took_us = time_of(n, 8 * len);
    int64_t waits_us;

    if (c->rate_bps == 0)
        return now_us;
    if (n->idle_us < now_us)
        n->idle_us = now_us;
    waits_us = n->idle_us - now_us;
    if (c->queue_us > 0 ? waits_us + took_us > c->queue_us && waits_us > 0
                        : (uint64_t)waits_us * c->rate_bps / SECOND_BITS + len > c->queue_bytes)
        return -1;
    n->idle_us += took_us;
    if (waits_us + took_us > n->stats.queue_max_us)
        n->stats.queue_max_us = waits_us + took_us;
    return n->idle_us;
}

void netem_push(struct netem *n, uint64_t tag, const uint8_t *data, size_t len, int64_t now_us)
{
    struct flying f = {.tag = tag, .len = len, .number = ++n->number};
    int64_t due_us;

    assert(len <= NETEM_DATAGRAM_MAX);
    n->now_us = now_us;
    n->stats.pushed++;
    n->stats.pushed_bytes += len;
    if (is_black(n, now_us)) {
        n->stats.blacked_out++;
        return;
    }
    if (is_lost(n)) {
        n->stats.lost++;
        return;
    }
    f.sent_us = send_at_rate(n, len + n->config.overhead, now_us);
    if (f.sent_us < 0) {
        n->stats.overflowed++;
        return;
    }
    due_us = f.sent_us + n->config.delay_us;
    if (n->config.jitter_us > 0)
        due_us += (int64_t)(netem_random(&n->random) % (uint64_t)(n->config.jitter_us + 1));
    if (due_us < n->last_due_us)
        due_us = n->last_due_us; /* jitter keeps the order, as queues on the way do */
    f.held = happens(n, n->config.reorder);
    f.due_us = f.held ? due_us + n->config.reorder_us : due_us;
    if (f.held)
        n->stats.reordered++;
    else
        n->last_due_us = due_us;
    fly(n, &f, data);
    if (happens(n, n->config.duplicate)) {
        n->stats.duplicated++;
        f.due_us = due_us;
        fly(n, &f, data);
    }
}

bool netem_pop(struct netem *n, int64_t now_us, uint64_t *tag, uint8_t *data, size_t *len)
{
    struct flying *f;

    if (now_us != NEVER_US)
        n->now_us = now_us;
    if (netem_deadline(n) > now_us || n->first == n->count)
        return false;
    f = n->flying[n->first++];
    memcpy(data, f->data, f->len);
    *len = f->len;
    if (tag)
        *tag = f->tag;
    n->stats.delivered++;
    n->stats.delivered_bytes += f->len;
    free(f);
    return true;
}

int64_t netem_deadline(const struct netem *n)
{
    return n->first < n->count ? n->flying[n->first]->due_us : NEVER_US;
}

const struct netem_stats *netem_stats(const struct netem *n)
{
    return &n->stats;
}
