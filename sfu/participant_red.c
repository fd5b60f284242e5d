#include "sfu/participant_red.h"

#include "media/payload.h"
#include "sfu/core.h"
#include "sfu/downlink.h"
#include "sfu/participant.h"

/* Redundancy takes at most half of what the path carries; a tenth where pictures are sent: on a
 * slow path, which loses because it is full, more of it would lose more and leave nothing for them.
 */
enum { SOUND_SHARE = 2, PICTURE_SHARE = 10 };

static double loss_of(const struct participant *p)
{
    struct congestion_stats stats;

    downlink_stats(p->downlink, &stats);
    if (p->downlink && stats.state != CONGESTION_WAITING && stats.state != CONGESTION_REPORTED)
        return stats.loss;
    return p->subscriber.fraction_lost / 256.0;
}

/* @return payload bytes of sound sent so far, and those that are sent for the second time */
static uint64_t count_bytes(const struct participant *p)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < p->plan->n_sections; i++) {
        const struct subscription *s = p->subscriptions[i];

        if (s && s->section->kind == KIND_AUDIO)
            bytes += s->sender.bytes;
    }
    return bytes;
}

static bool sends_pictures(const struct participant *p)
{
    for (size_t i = 0; i < p->plan->n_sections; i++) {
        const struct subscription *s = p->subscriptions[i];

        if (s && s->section->kind == KIND_VIDEO && s->layer)
            return true;
    }
    return false;
}

/* @return how often the sound that goes out now has room besides itself */
static uint8_t find_room(struct participant *p, int64_t now_us)
{
    uint64_t estimate_bps = downlink_estimate(p->downlink);
    uint64_t bytes = count_bytes(p);
    uint64_t sent = bytes > p->red_bytes ? bytes - p->red_bytes : 0; /* a slot may have gone */
    int64_t elapsed_us = now_us - p->red_us;
    uint64_t sound_bps = 0;
    uint64_t room;

    if (elapsed_us > 0)
        sound_bps = sent * 8 * (uint64_t)SECOND / (uint64_t)elapsed_us /
                    (1U + p->subscriber.red_blocks);
    p->red_bytes = bytes;
    p->red_us = now_us;
    if (downlink_is_congested(p->downlink))
        return 0;
    if (estimate_bps == 0 || sound_bps == 0)
        return RED_MAX_BLOCKS;
    room = estimate_bps / (sends_pictures(p) ? PICTURE_SHARE : SOUND_SHARE) / sound_bps;
    return room < RED_MAX_BLOCKS ? (uint8_t)room : RED_MAX_BLOCKS;
}

void participant_advance_red(struct participant *p, int64_t now_us)
{
    uint8_t blocks;

    if (p->core->config.limits.no_red)
        return;
    blocks = redundancy_update(&p->redundancy, loss_of(p), find_room(p, now_us), now_us);
    if (blocks == p->subscriber.red_blocks)
        return;
    p->subscriber.red_blocks = blocks;
    for (size_t i = 0; i < p->plan->n_sections; i++) {
        struct subscription *s = p->subscriptions[i];

        if (s && s->section->kind == KIND_AUDIO)
            subscription_refresh(s);
    }
}
