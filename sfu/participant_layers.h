/**
 * @file participant_layers.h  How much a participant gets of what is in its slots, from what its
 * path carries, what it shows and what there is: gathers that for the allocator
 * (sfu/bandwidth_allocator.h), sets the subscriptions' targets, and tells control which slots are
 * paused and why (MAIL_STREAM). Thread: the worker's own.
 */
#ifndef SFU_PARTICIPANT_LAYERS_H
#define SFU_PARTICIPANT_LAYERS_H

#include "media/base/attributes.h"
#include "media/base/clock.h"
#include "sfu/bandwidth_allocator.h"
#include "sfu/participant_views.h"

#include <stdbool.h>
#include <stdint.h>

struct mail;
struct participant;
struct track;

/** An estimate that changes is acted upon so often; at once where less is there than is sent. */
#define PARTICIPANT_LAYERS_INTERVAL_US (100 * MS)
/** Rates change without a word: they are looked at so often. */
#define PARTICIPANT_LAYERS_LOOK_US (1 * SECOND)
/** What the estimate began with is no reason to pause anything, unless it sinks, for so long. */
#define PARTICIPANT_LAYERS_GUESS_US (4 * SECOND)

/** Made for the first video in a slot, and the first word on a view. */
struct participant_layers {
    struct bandwidth_allocator allocator;
    struct participant_views views;
    bool judged;        /* the estimate is more than a guess */
    bool content;       /* nothing would be given more, whatever the path carries */
    int64_t guessed_us; /* when it was first asked for; 0: not yet */
    uint64_t spent_bps; /* as of the last run */
    int64_t run_us;     /* when that was */
    int64_t again_us;   /* when the next is due */
    int64_t told_us;    /* when control was last told */
    /* sound, which is measured as it is sent */
    uint64_t audio_bytes;
    uint32_t audio_bps;
    int64_t audio_us;
};

/** Free it. NULL is fine. @return NULL */
struct participant_layers *participant_layers_free(struct participant_layers *l);

/** The estimate of the path changed; participant_layers_advance() follows in this turn. */
void participant_allocate(struct participant *p, int64_t now_us);

/** Do what is due: decide anew if something changed (subscriber_note_change()), tell control.
 *  @return when to call again [us], or NEVER_US */
MUST_USE int64_t participant_layers_advance(struct participant *p, int64_t now_us);

/** What a subscriber wishes of a track. */
struct slot_wish {
    bool unsubscribed;           /* it shall not come into any slot */
    enum slot_priority priority; /* PRIORITY_NORMAL: the server judges */
};

/** @return what `p` said of the track */
struct slot_wish participant_layers_wish(const struct participant *p, const struct track *t);

/** MAIL_VIEW, MAIL_SUBSCRIBE; what names no slot or track is passed over. */
void participant_layers_on_mail(struct participant *p, const struct mail *mail);

#endif
