#include "media/nack_responder.h"

#include "media/base/clock.h"

#include <errno.h>

enum { PER_BYTE = 100 }; /* budget is in hundredths of bytes */

static const int64_t RTT_MIN_US = 20 * MS;
static const int64_t LONG_AGO_US = -60 * SECOND;

void nack_responder_init(struct nack_responder *r, uint32_t burst_bytes)
{
    *r = (struct nack_responder){
        .rtt_us = RTT_MIN_US,
        .budget = (uint64_t)burst_bytes * PER_BYTE,
        .budget_max = (uint64_t)burst_bytes * PER_BYTE,
        .burst_bytes = burst_bytes,
    };
    for (size_t i = 0; i < NACK_RESPONDER_SLOTS; i++)
        r->slots[i].sent_us = LONG_AGO_US;
}

void nack_responder_set_rtt(struct nack_responder *r, int64_t rtt_us)
{
    r->rtt_us = rtt_us < RTT_MIN_US ? RTT_MIN_US : rtt_us;
}

void nack_responder_set_estimate(struct nack_responder *r, uint64_t bps)
{
    uint64_t bytes = bps / 8 * NACK_RESPONDER_BURST_US / SECOND;

    if (bytes < NACK_RESPONDER_BURST_MIN)
        bytes = NACK_RESPONDER_BURST_MIN;
    if (bps == 0 || bytes > r->burst_bytes)
        bytes = r->burst_bytes;
    r->budget_max = bytes * PER_BYTE;
    if (r->budget > r->budget_max)
        r->budget = r->budget_max;
}

void nack_responder_on_sent(struct nack_responder *r, size_t len)
{
    r->budget += len * NACK_RESPONDER_PERCENT;
    if (r->budget > r->budget_max)
        r->budget = r->budget_max;
}

/* Neighbours of one stream never share a slot: requests come in runs. */
static struct nack_responder_slot *slot_of(struct nack_responder *r, uint32_t ssrc, uint16_t seq)
{
    return &r->slots[(ssrc * UINT32_C(0x9e3779b1) + seq) % NACK_RESPONDER_SLOTS];
}

int nack_responder_allow(struct nack_responder *r, uint32_t ssrc, uint16_t seq, size_t len,
                         int64_t now_us)
{
    struct nack_responder_slot *slot = slot_of(r, ssrc, seq);
    uint64_t cost = (uint64_t)len * PER_BYTE;

    if (slot->ssrc == ssrc && slot->seq == seq && now_us - slot->sent_us < r->rtt_us) {
        r->too_soon++;
        return -EALREADY;
    }
    if (cost > r->budget) {
        r->over_budget++;
        return -ENOBUFS;
    }
    r->budget -= cost;
    r->packets++;
    r->bytes += len;
    *slot = (struct nack_responder_slot){.sent_us = now_us, .ssrc = ssrc, .seq = seq};
    return 0;
}
