#include "media/run_plan.h"

#include "media/udp_socket.h"

#include <assert.h>
#include <stdbool.h>

static_assert((int)RUN_PLAN_MAX <= (int)UDP_RUN_MAX, "all of a plan may be one run");

enum { NONE = UINT8_MAX };

/* A run in the making. All but its last packet, the tail, must come to one length, which none is
 * below already by more than its padding. */
struct run {
    uint16_t size;                    /* of the longest: what it is padded to */
    uint16_t size_max;                /* what all before the tail can be padded to */
    uint8_t first, before_tail, tail; /* before_tail NONE: the tail is the only packet */
    uint8_t count;
};

struct draft {
    struct run_packet *packets;
    size_t n_runs;
    struct run runs[RUN_PLAN_MAX];
    uint8_t next[RUN_PLAN_MAX];   /* in its run; NONE: the tail */
    uint8_t run_of[RUN_PLAN_MAX]; /* of each packet so far */
};

static uint16_t lesser(uint16_t a, uint16_t b)
{
    return a < b ? a : b;
}

static uint16_t greater(uint16_t a, uint16_t b)
{
    return a > b ? a : b;
}

/* What a packet can be padded to. */
static uint16_t reach(const struct run_packet *packet)
{
    unsigned reach = (unsigned)packet->len + packet->pad_max;

    return reach < UINT16_MAX ? (uint16_t)reach : UINT16_MAX;
}

/* Can `run` have another packet that makes it this long, with all before its tail up to
 * `size_max`? */
static bool holds(const struct run *run, uint16_t size, uint16_t size_max)
{
    return size <= size_max && run->count < UDP_RUN_MAX &&
           (run->count + 1U) * size <= UDP_RUN_BYTES_MAX;
}

/* Put packet `at` after the tail. @return false: it does not go */
static bool append(struct draft *d, struct run *run, uint8_t at)
{
    uint16_t size = greater(run->size, d->packets[at].len);
    uint16_t size_max = lesser(run->size_max, reach(&d->packets[run->tail]));

    if (!holds(run, size, size_max))
        return false;
    run->size = size;
    run->size_max = size_max;
    run->before_tail = run->tail;
    d->next[run->tail] = at;
    run->tail = at;
    run->count++;
    return true;
}

/* Put packet `at` before the tail, which is of another SSRC. @return false: it does not go */
static bool insert(struct draft *d, struct run *run, uint8_t at)
{
    uint16_t size = greater(run->size, d->packets[at].len);
    uint16_t size_max = lesser(run->size_max, reach(&d->packets[at]));

    if (d->packets[run->tail].ssrc == d->packets[at].ssrc || !holds(run, size, size_max))
        return false;
    run->size = size;
    run->size_max = size_max;
    d->next[at] = run->tail;
    if (run->before_tail == NONE)
        run->first = at;
    else
        d->next[run->before_tail] = at;
    run->before_tail = at;
    run->count++;
    return true;
}

static void begin_run(struct draft *d, uint8_t at)
{
    d->runs[d->n_runs++] = (struct run){
        .size = d->packets[at].len,
        .size_max = UINT16_MAX,
        .first = at,
        .before_tail = NONE,
        .tail = at,
        .count = 1,
    };
}

/* Any part of a run is one: so the longest from the start, then the longest of the rest, are the
 * fewest. */
static void draft_in_order(struct draft *d, uint8_t n)
{
    begin_run(d, 0);
    for (uint8_t at = 1; at < n; at++) {
        d->next[at] = NONE;
        if (!append(d, &d->runs[d->n_runs - 1], at))
            begin_run(d, at);
    }
}

/* @return the first run where packet `at` is not before an earlier one of its SSRC */
static size_t earliest_run(const struct draft *d, uint8_t at)
{
    for (uint8_t i = at; i > 0; i--) {
        if (d->packets[i - 1].ssrc == d->packets[at].ssrc)
            return d->run_of[i - 1];
    }
    return 0;
}

/* Put each packet where it goes first. */
static void draft_by_fit(struct draft *d, uint8_t n)
{
    for (uint8_t at = 0; at < n; at++) {
        size_t run = earliest_run(d, at);

        d->next[at] = NONE;
        while (run < d->n_runs && !append(d, &d->runs[run], at) && !insert(d, &d->runs[run], at))
            run++;
        if (run == d->n_runs)
            begin_run(d, at);
        d->run_of[at] = (uint8_t)run;
    }
}

static bool is_one_ssrc(const struct run_packet *packets, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (packets[i].ssrc != packets[0].ssrc)
            return false;
    }
    return true;
}

static void finish(const struct draft *d, struct run_plan *ret)
{
    size_t n = 0;

    ret->n_runs = d->n_runs;
    for (size_t i = 0; i < d->n_runs; i++) {
        const struct run *run = &d->runs[i];

        for (uint8_t at = run->first; at != NONE; at = d->next[at]) {
            struct run_packet *packet = &d->packets[at];

            packet->pad = at == run->tail ? 0 : (uint16_t)(run->size - packet->len);
            ret->order[n++] = at;
        }
    }
}

void run_plan_make(struct run_plan *ret, struct run_packet *packets, size_t n)
{
    struct draft in_order;
    struct draft by_fit;

    assert(n <= RUN_PLAN_MAX);
    in_order.packets = by_fit.packets = packets;
    in_order.n_runs = by_fit.n_runs = 0;
    ret->n_runs = 0;
    if (n == 0)
        return;
    in_order.next[0] = NONE;
    draft_in_order(&in_order, (uint8_t)n);
    if (in_order.n_runs > 1 && !is_one_ssrc(packets, n))
        draft_by_fit(&by_fit, (uint8_t)n);
    finish(by_fit.n_runs > 0 && by_fit.n_runs < in_order.n_runs ? &by_fit : &in_order, ret);
}
