#include "tests/netem.h"

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
    uint64_t tag;
    size_t len;
    uint8_t data[]; /* len bytes */
};

struct netem {
    struct netem_config config;
    uint64_t random;
    struct flying **flying; /* [first, count), in the order of arrival */
    size_t first, count, capacity;
    int64_t idle_us; /* when the rate has sent all it was given */
    int64_t last_due_us;
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

struct netem *netem_new(const struct netem_config *config)
{
    struct netem *n = calloc(1, sizeof(*n));

    if (!n)
        return NULL;
    /* Seeds 1, 2, 3 must not give links that begin alike. */
    n->random = (config->seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    netem_change(n, config);
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

void netem_change(struct netem *n, const struct netem_config *config)
{
    n->config = *config;
    if (n->config.queue_bytes == 0)
        n->config.queue_bytes = DEFAULT_QUEUE_BYTES;
    if (n->config.reorder_us == 0)
        n->config.reorder_us = default_reorder_us;
}

static bool is_lost(struct netem *n)
{
    double burst_len = n->config.burst_len >= 1 ? n->config.burst_len : 1;

    n->in_burst = n->in_burst ? !happens(n, 1 / burst_len) : happens(n, n->config.burst_start);
    return n->in_burst || happens(n, n->config.loss);
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

/* Put a copy under way, behind all that arrive before it or at the same time. */
static void fly(struct netem *n, uint64_t tag, const uint8_t *data, size_t len, int64_t due_us)
{
    struct flying *f = malloc(sizeof(*f) + len);
    size_t at;

    if (!f)
        abort();
    make_room(n);
    f->due_us = due_us;
    f->tag = tag;
    f->len = len;
    memcpy(f->data, data, len);
    for (at = n->count++; at > n->first && n->flying[at - 1]->due_us > due_us; at--)
        n->flying[at] = n->flying[at - 1];
    n->flying[at] = f;
}

/* @return when the link's rate has sent `len` bytes more, or -1: the queue is full */
static int64_t send_at_rate(struct netem *n, size_t len, int64_t now_us)
{
    uint64_t queued_bytes;

    if (n->config.rate_bps == 0)
        return now_us;
    if (n->idle_us < now_us)
        n->idle_us = now_us;
    queued_bytes = (uint64_t)(n->idle_us - now_us) * n->config.rate_bps / SECOND_BITS;
    if (queued_bytes + len > n->config.queue_bytes)
        return -1;
    n->idle_us += (int64_t)(len * SECOND_BITS / n->config.rate_bps);
    return n->idle_us;
}

void netem_push(struct netem *n, uint64_t tag, const uint8_t *data, size_t len, int64_t now_us)
{
    int64_t due_us;

    assert(len <= NETEM_DATAGRAM_MAX);
    n->stats.pushed++;
    if (is_lost(n)) {
        n->stats.lost++;
        return;
    }
    due_us = send_at_rate(n, len, now_us);
    if (due_us < 0) {
        n->stats.overflowed++;
        return;
    }
    due_us += n->config.delay_us;
    if (n->config.jitter_us > 0)
        due_us += (int64_t)(netem_random(&n->random) % (uint64_t)(n->config.jitter_us + 1));
    if (due_us < n->last_due_us)
        due_us = n->last_due_us; /* jitter keeps the order, as queues on the way do */
    if (happens(n, n->config.reorder)) {
        n->stats.reordered++;
        fly(n, tag, data, len, due_us + n->config.reorder_us);
    } else {
        n->last_due_us = due_us;
        fly(n, tag, data, len, due_us);
    }
    if (happens(n, n->config.duplicate)) {
        n->stats.duplicated++;
        fly(n, tag, data, len, due_us);
    }
}

bool netem_pop(struct netem *n, int64_t now_us, uint64_t *tag, uint8_t *data, size_t *len)
{
    struct flying *f;

    if (netem_deadline(n) > now_us || n->first == n->count)
        return false;
    f = n->flying[n->first++];
    memcpy(data, f->data, f->len);
    *len = f->len;
    if (tag)
        *tag = f->tag;
    free(f);
    n->stats.delivered++;
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
