#include "media/nack_generator.h"

#include "media/base/clock.h"
#include "media/seq.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>

static const int64_t RTT_MIN_US = 20 * MS;
static const int64_t RTT_MAX_US = 500 * MS;
static const int64_t RTT_START_US = 100 * MS;

void nack_generator_init(struct nack_generator *g, int64_t reorder_us)
{
    assert(reorder_us >= 0);
    *g = (struct nack_generator){
        .newest = -1,
        .rtt_us = RTT_START_US,
        .reorder_us = reorder_us,
        .deadline_us = NEVER_US,
    };
    for (size_t i = 0; i < NACK_WINDOW; i++)
        g->slots[i].next_us = NEVER_US;
}

static struct nack_slot *slot_of(struct nack_generator *g, int64_t seq)
{
    return &g->slots[seq % NACK_WINDOW];
}

/* Stop asking for the number in `slot`; `tries` tells later whether it arrived (0) or not. */
static void settle(struct nack_generator *g, struct nack_slot *slot, uint8_t tries)
{
    slot->tries = tries;
    if (slot->next_us == NEVER_US)
        return;
    slot->next_us = NEVER_US;
    g->missing--;
    if (g->missing == 0)
        g->deadline_us = NEVER_US;
}

static bool arrived(const struct nack_slot *slot)
{
    return slot->next_us == NEVER_US && slot->tries == 0;
}

/* Numbers in (newest, seq) are missing until they arrive; their slots' old numbers are given up. */
static void expect_up_to(struct nack_generator *g, int64_t seq, int64_t now_us)
{
    for (int64_t missing = g->newest + 1; missing < seq; missing++) {
        settle(g, slot_of(g, missing), 0);
        *slot_of(g, missing) = (struct nack_slot){.next_us = now_us + g->reorder_us};
        g->missing++;
    }
    settle(g, slot_of(g, seq), 0);
    g->newest = seq;
    if (g->missing > 0 && now_us + g->reorder_us < g->deadline_us)
        g->deadline_us = now_us + g->reorder_us;
}

/* Too much is lost to ask for: forget what was missing and go on from `seq`. */
static void restart_at(struct nack_generator *g, int64_t seq)
{
    for (size_t i = 0; i < NACK_WINDOW; i++)
        settle(g, &g->slots[i], 0);
    g->first = g->newest = seq;
    g->gaps_too_large++;
}

int nack_generator_on_packet(struct nack_generator *g, uint16_t seq16, int64_t now_us)
{
    int64_t seq;

    if (g->newest < 0) {
        g->first = g->newest = SEQ_FIRST_CYCLE + seq16;
        return 1;
    }
    seq = seq_unwrap(g->newest, seq16);
    if (seq - g->newest > NACK_WINDOW) {
        restart_at(g, seq);
        return -ERANGE;
    }
    if (seq > g->newest) {
        expect_up_to(g, seq, now_us);
        return 1;
    }
    if (seq <= g->newest - NACK_WINDOW)
        return 0;
    if (seq < g->first) /* late, from before we began to count */
        return 1;
    if (arrived(slot_of(g, seq)))
        return 0;
    settle(g, slot_of(g, seq), 0);
    return 1;
}

void nack_generator_set_rtt(struct nack_generator *g, int64_t rtt_us)
{
    if (rtt_us < RTT_MIN_US)
        rtt_us = RTT_MIN_US;
    if (rtt_us > RTT_MAX_US)
        rtt_us = RTT_MAX_US;
    g->rtt_us = rtt_us;
}

static void count_try(struct nack_generator *g, struct nack_slot *slot, int64_t now_us)
{
    slot->tries++;
    slot->next_us = now_us + g->rtt_us;
    if (slot->tries == NACK_MAX_TRIES) {
        settle(g, slot, NACK_MAX_TRIES);
        g->given_up++;
    }
}

size_t nack_generator_poll(struct nack_generator *g, int64_t now_us, uint16_t *out, size_t max)
{
    int64_t next_us = NEVER_US;
    size_t n = 0;

    if (now_us < g->deadline_us)
        return 0;
    for (int64_t seq = g->newest - NACK_WINDOW + 1; seq < g->newest; seq++) {
        struct nack_slot *slot = slot_of(g, seq);

        if (slot->next_us <= now_us && n < max) {
            out[n++] = (uint16_t)seq;
            count_try(g, slot, now_us);
        }
        if (slot->next_us < next_us)
            next_us = slot->next_us;
    }
    g->deadline_us = next_us;
    return n;
}

int64_t nack_generator_deadline(const struct nack_generator *g)
{
    return g->deadline_us;
}
