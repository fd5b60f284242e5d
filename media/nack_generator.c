#include "media/nack_generator.h"

#include "media/base/clock.h"
#include "media/seq.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>

static const int64_t RTT_MIN_US = 20 * MS;
static const int64_t RTT_MAX_US = 500 * MS;
static const int64_t RTT_START_US = 100 * MS;

enum {
    RTT_GAIN = 4,     /* a fourth of what an answer tells */
    GRACE_MARGIN = 4, /* a fourth above what was measured */
    GRACE_DECAY = 32, /* by which part of what is above the least it shrinks with each gap */
};

void nack_generator_init(struct nack_generator *g, int64_t reorder_us)
{
    assert(reorder_us >= 0);
    *g = (struct nack_generator){
        .newest = -1,
        .rtt_us = RTT_START_US,
        .grace_us = reorder_us,
        .grace_min_us = reorder_us / 2,
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

static void give_up(struct nack_generator *g, struct nack_slot *slot, int64_t seq)
{
    settle(g, slot, NACK_MAX_TRIES);
    g->given_up++;
    if (!g->lost || seq > g->lost_seq)
        g->lost_seq = seq;
    g->lost = true;
}

static uint32_t ms_of(int64_t us)
{
    return (uint32_t)(us / MS);
}

/* @return since when the packet is missing, about [us] */
static int64_t age_of(const struct nack_slot *slot, int64_t now_us)
{
    return (int64_t)(ms_of(now_us) - slot->since_ms) * MS;
}

/* The packet was not lost, but overtaken: the next one like it shall not be asked for. */
static void note_reordering(struct nack_generator *g, int64_t late_us)
{
    int64_t grace_us = late_us + late_us / GRACE_MARGIN;

    if (grace_us > NACK_GRACE_MAX_US)
        grace_us = NACK_GRACE_MAX_US;
    if (grace_us > g->grace_us)
        g->grace_us = grace_us;
}

static int64_t clamp_rtt(int64_t rtt_us)
{
    if (rtt_us < RTT_MIN_US)
        return RTT_MIN_US;
    return rtt_us > RTT_MAX_US ? RTT_MAX_US : rtt_us;
}

/* What was asked for has come. If it was asked for once it is known which request was answered. */
static void note_answer(struct nack_generator *g, const struct nack_slot *slot, int64_t now_us)
{
    int64_t took_us;

    if (g->rtt_told || slot->next_us == NEVER_US || slot->tries != 1 || slot->asked_ms == 0)
        return;
    took_us = now_us - (slot->next_us - slot->asked_ms * MS);
    g->rtt_us = clamp_rtt(g->rtt_us + (took_us - g->rtt_us) / RTT_GAIN);
}

static bool arrived(const struct nack_slot *slot)
{
    return slot->next_us == NEVER_US && slot->tries == 0;
}

/* Numbers in (newest, seq) are missing until they arrive; their slots' old numbers are given up. */
static void expect_up_to(struct nack_generator *g, int64_t seq, int64_t now_us)
{
    struct nack_slot missing = {.next_us = now_us + g->grace_us, .since_ms = ms_of(now_us)};
    int64_t gap = g->newest + 1;

    for (int64_t next = gap; next <= seq; next++) {
        struct nack_slot *slot = slot_of(g, next);

        if (slot->next_us != NEVER_US)
            give_up(g, slot, next - NACK_WINDOW);
        settle(g, slot, 0);
        if (next == seq)
            break;
        *slot = missing;
        g->missing++;
    }
    g->newest = seq;
    if (gap == seq)
        return;
    if (missing.next_us < g->deadline_us)
        g->deadline_us = missing.next_us;
    g->grace_us -= (g->grace_us - g->grace_min_us) / GRACE_DECAY;
}

/* Too much is lost to ask for: forget what was missing and go on from `seq`. */
static void restart_at(struct nack_generator *g, int64_t seq)
{
    for (size_t i = 0; i < NACK_WINDOW; i++)
        settle(g, &g->slots[i], 0);
    g->first = g->newest = seq;
    g->gaps_too_large++;
}

/* @param repaired  it came because it was asked for */
static int take(struct nack_generator *g, uint16_t seq16, bool repaired, int64_t now_us)
{
    struct nack_slot *slot;
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
    slot = slot_of(g, seq);
    if (arrived(slot))
        return 0;
    /* Who does not answer by RTX may have answered. */
    if (repaired)
        note_answer(g, slot, now_us);
    else if (slot->next_us != NEVER_US && (slot->tries == 0 || g->repairs))
        note_reordering(g, age_of(slot, now_us));
    settle(g, slot, 0);
    return 1;
}

int nack_generator_on_packet(struct nack_generator *g, uint16_t seq, int64_t now_us)
{
    return take(g, seq, false, now_us);
}

int nack_generator_on_repair(struct nack_generator *g, uint16_t seq, int64_t now_us)
{
    g->repairs = true;
    return take(g, seq, true, now_us);
}

void nack_generator_set_rtt(struct nack_generator *g, int64_t rtt_us)
{
    g->rtt_us = clamp_rtt(rtt_us);
    g->rtt_told = true;
}

/* @return true if the packet, whose time has come, is to be asked for now */
static bool try_again(struct nack_generator *g, struct nack_slot *slot, int64_t seq, int64_t now_us)
{
    int64_t left_us = NACK_PATIENCE_US - age_of(slot, now_us);

    if (slot->tries == NACK_MAX_TRIES || left_us <= 0) {
        give_up(g, slot, seq);
        return false;
    }
    if (left_us < g->rtt_us) { /* the answer would come too late; one may be under way */
        slot->next_us = now_us + left_us;
        slot->asked_ms = 0;
        return false;
    }
    slot->tries++;
    slot->next_us = now_us + g->rtt_us;
    slot->asked_ms = (uint16_t)(g->rtt_us / MS);
    return true;
}

size_t nack_generator_poll(struct nack_generator *g, int64_t now_us, uint16_t *out, size_t max)
{
    int64_t next_us = NEVER_US;
    size_t n = 0;

    if (now_us < g->deadline_us)
        return 0;
    for (int64_t seq = g->newest - NACK_WINDOW + 1; seq < g->newest; seq++) {
        struct nack_slot *slot = slot_of(g, seq);

        if (slot->next_us <= now_us && n < max && try_again(g, slot, seq, now_us))
            out[n++] = (uint16_t)seq;
        if (slot->next_us < next_us)
            next_us = slot->next_us;
    }
    g->deadline_us = next_us;
    return n;
}

bool nack_generator_take_lost(struct nack_generator *g, uint16_t *newest)
{
    if (!g->lost)
        return false;
    g->lost = false;
    *newest = (uint16_t)g->lost_seq;
    return true;
}

int64_t nack_generator_deadline(const struct nack_generator *g)
{
    return g->deadline_us;
}
