#include "sfu/participant_downlink.h"

#include "sfu/core.h"
#include "sfu/downlink.h"
#include "sfu/participant.h"
#include "sfu/participant_layers.h"

enum {
    PROBE_BACK = 32, /* packets among which a probe chooses what to send again */
    PROBE_TRIES = 2,
};

/* Something that was sent lately, else padding, on one slot after the other: what is lost of the
 * former is repaired by the way. */
static size_t send_on(struct participant *p, struct subscription *s, int64_t now_us)
{
    int len;

    for (int i = 0; i < PROBE_TRIES && s->layer && s->section->kind == KIND_VIDEO; i++) {
        /* What is queued has not been sent yet. */
        uint16_t back = (uint16_t)(p->connection.egress.queued + p->probe_back);

        len = subscription_send_probe(s, back, now_us);
        p->probe_back = (uint16_t)((p->probe_back + 1) % PROBE_BACK);
        if (len > 0)
            return (size_t)len;
    }
    len = subscription_send_padding(s);
    return len > 0 ? (size_t)len : 0;
}

static size_t send_probe(void *owner, int64_t now_us)
{
    struct participant *p = owner;
    size_t len = 0;

    for (size_t i = 0; i < p->plan->n_sections && len == 0; i++) {
        struct subscription *s = p->subscriptions[p->probe_slot % p->plan->n_sections];

        if (s && subscription_can_probe(s))
            len = send_on(p, s, now_us);
        if (len == 0)
            p->probe_slot++;
    }
    p->core->stats.probe_out += len > 0;
    p->core->stats.probe_bytes_out += len;
    return len;
}

static void make_downlink(struct participant *p, int64_t now_us)
{
    struct downlink_config config = {
        .egress = p->core->egress,
        .peer = &p->connection.egress,
        .feedback = downlink_feedback_of(p->plan),
        .send_probe = send_probe,
        .owner = p,
    };

    if (downlink_new(&p->downlink, &config, now_us) < 0) {
        p->core->stats.drop_memory++;
        return;
    }
    if (p->subscriber.rtt_us >= 0)
        downlink_set_rtt(p->downlink, p->subscriber.rtt_us);
}

/* What is sent again must not fill the path either. */
static void note_estimate(struct subscriber *s, uint64_t bps)
{
    s->estimate_bps = bps;
    if (s->responder)
        nack_responder_set_estimate(s->responder, bps);
}

int64_t participant_advance_downlink(struct participant *p, int64_t now_us)
{
    int64_t next_us;

    if (!p->downlink && p->subscriber.sends)
        make_downlink(p, now_us);
    if (!p->downlink)
        return NEVER_US;
    next_us = downlink_advance(p->downlink, now_us);
    if (downlink_take_change(p->downlink, now_us)) {
        p->core->stats.estimates++;
        participant_allocate(p, now_us);
        note_estimate(&p->subscriber, downlink_estimate(p->downlink));
    }
    return next_us;
}
