/**
 * @file subscription.h  One slot of a subscriber, and while a track is bound to it, that
 * subscriber's view of the track: which layer, under which numbers, with which header.
 *
 * The slot's SSRC, numbers and timestamps go on evenly whatever is bound. Owned by the subscribing
 * participant, linked in the track. Thread: the worker's own.
 */
#ifndef SFU_SUBSCRIPTION_H
#define SFU_SUBSCRIPTION_H

#include "media/base/attributes.h"
#include "media/base/list.h"
#include "media/key_frame_request.h"
#include "media/nack_responder.h"
#include "media/picture_rewriter.h"
#include "media/seq_rewriter.h"
#include "media/stream_sender.h"
#include "sfu/forward.h"
#include "sfu/head_template.h"
#include "sfu/slot_share.h"
#include "signaling/negotiation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct actor;
struct core;
struct egress_peer;
struct subscription_layers;
struct track;
struct track_layer;

/** What all subscriptions of one participant share. */
struct subscriber {
    struct core *core;
    struct egress_peer *peer;
    struct actor *actor; /* whose it is, to be looked after; NULL: nobody */
    bool connected;
    bool sends;          /* media went out */
    bool layers_changed; /* what its slots get is to be decided anew (sfu/participant_layers.h) */
    struct nack_responder *responder; /* made for the first NACK */
    int64_t rtt_us;                   /* as last measured; -1: not yet */
    uint64_t estimate_bps;            /* of its path; 0: not known */
    uint8_t red_blocks;               /* earlier payloads that go with those of plain sound */
    uint8_t fraction_lost;            /* of 256, of sound whose source had no gaps, as last told */
};

/** What of a track a subscription shall carry, or does. */
struct layer_target {
    bool paused;      /* nothing at all */
    uint8_t layer;    /* simulcast encoding: index in the track's layers; 255: the highest */
    uint8_t sid, tid; /* highest spatial and temporal layer of it; 255: no limit */
};

/** Why a packet of the layer that is forwarded needs a second look. */
enum subscription_attention {
    ATTEND_STOP = 1,   /* paused: only until the picture that was begun is complete */
    ATTEND_SWITCH = 2, /* a key frame of the target waits for that */
    ATTEND_SELECT = 4, /* not all spatial and temporal layers go out */
};

/** How packets of one of the publisher's formats go out. */
enum payload_form {
    PAYLOAD_REFUSED, /* the slot takes nothing like it */
    PAYLOAD_AS_IS,
    PAYLOAD_RED_PRIMARY, /* RED to who does not take it: its newest block alone */
    PAYLOAD_RED_HEADERS, /* RED whose blocks have another number here */
    PAYLOAD_RED_ADD,     /* as RED, with payloads before it */
};

struct payload_mapping {
    uint8_t form;       /* enum payload_form */
    uint8_t pt, rtx_pt; /* rtx_pt 0: sent again as it was */
    uint8_t block_pt;   /* of RED's blocks */
};

/** What was sent lately, for people. */
struct subscription_measure {
    int64_t since_us; /* when it was measured; 0: not yet */
    uint64_t bytes;   /* payload sent until then */
    uint32_t rate_bps;
    uint32_t key_frames;      /* with which an encoding of the track began */
    uint32_t freezes_avoided; /* times a smaller one took over as the path had no room */
};

/* What every packet needs comes first: a thousand of these do not stay in the cache from one frame
 * to the next, and are fetched ahead, line by line. */
struct subscription {
    _Alignas(64) struct list link; /* in the track's live or idle */
    struct track_layer *layer;     /* what is forwarded; NULL: waiting for a key frame */
    struct subscriber *subscriber;
    struct egress_peer *peer;           /* the subscriber's */
    const struct plan_section *section; /* the slot's m-line; kept current by the participant */
    struct track *track;                /* NULL: the slot is free */
    struct track_layer *target; /* what shall be forwarded from its next key frame on; NULL: none */
    uint8_t attention;          /* a set of enum subscription_attention */
    uint8_t class;              /* enum egress_class of what is sent for the first time */
    bool mid_picture;           /* the newest packet that was sent does not end its picture */
    bool hurries;               /* frames of what goes on are left out, see subscription_hurry() */
    struct picture_numbers numbers;     /* of the newest packet that was sent */
    struct subscription_layers *layers; /* NULL until there is more than one plain stream */
    struct payload_mapping mappings[PLAN_MAX_CODECS]; /* by format of the publisher's m-line */
    struct head_template head;
    struct stream_sender sender;
    struct seq_rewriter rewriter; /* goes on whatever is bound */
    int64_t source_missing;       /* packets of the source, when the subscriber last reported */
    int64_t plain_after;    /* unwrapped number: later ones had the header that is written now */
    int64_t waits_since_us; /* for a key frame, once the track has looked at it */
    struct key_frame_allowance allowance;
    int64_t repaired_us; /* when the key frame came that was sent again last, for a PLI */
    int64_t bound_us;    /* when its track was bound */
    uint32_t told_track; /* what control was told last; 0: free */
    uint16_t rtx_seq;
    bool fresh;     /* waits, and the track has not looked at it yet */
    bool automatic; /* nobody has set a target since it was bound */
    struct subscription_measure measure;
    struct layer_target wanted; /* `target` is what of it flows */
    struct slot_share share;
    struct track_layer *before; /* whose clock the timestamps have, while there is no `layer` */
};

/** What is in its slots, or what there is of it, is something else now. */
void subscriber_note_change(struct subscriber *s);

/** @return a free slot, or NULL: no memory. @param section  borrowed, see above */
struct subscription *subscription_new(struct subscriber *subscriber,
                                      const struct plan_section *section);
/** Unbind and free. NULL is fine. @return NULL */
struct subscription *subscription_free(struct subscription *s);

/** @return the subscription with this `link` */
struct subscription *subscription_of_link(struct list *link);

/** @return true if a slot with m-line `section` can carry what `track` sends */
bool subscription_accepts(const struct plan_section *section, const struct track *track);

/** Bind `track` to a free slot, and ask for a key frame. */
void subscription_bind(struct subscription *s, struct track *track);
/** Make the slot free; nothing happens if it is. */
void subscription_unbind(struct subscription *s);

/** The publisher's or the subscriber's m-line is another one: find payload types and ids anew. */
void subscription_refresh(struct subscription *s);

/** The subscriber is connected now: packets go to it, beginning with a key frame. */
void subscription_connect(struct subscription *s);

/** What comes next does not continue what came before: wait for a key frame again. */
void subscription_restart(struct subscription *s);

/**
 * Go over to `target` at the next point where a decoder can; a key frame is asked for once where
 * one is needed, and until it comes the old layer goes on. Paused: stops at the end of a frame;
 * resumed: begins with a key frame. A layer that does not flow is replaced by the next lower one
 * that does, as long as that lasts. Cheap if nothing changes. Until this is called for what is
 * bound, the subscription is `automatic`: it takes the highest layer that flows.
 */
void subscription_set_target(struct subscription *s, const struct layer_target *target);

/** The target is lower than what goes on, the path has no room for that, and the key frame to begin
 *  with does not come: leave all but the lowest temporal layer out until it does, and ask again.
 *  @param hurries  false: no more */
void subscription_hurry(struct subscription *s, bool hurries);

/** @return what is being sent now, not what is aimed for; paused: nothing is */
struct layer_target subscription_current(const struct subscription *s);

/** Other layers of the track flow now: choose among them anew. */
void subscription_aim(struct subscription *s);

/** `layer` has other spatial or temporal layers than before. */
void subscription_note_layers(struct subscription *s, const struct track_layer *layer);

/** `layer` begins anew, with other numbers and another clock. */
void subscription_forget(struct subscription *s, const struct track_layer *layer);

/**
 * Decide about one packet, and queue it.
 *
 * @return true if the stream began with this packet although later ones came before it (its key
 *         frame was lost and sent again): hand those in now, in order
 */
bool subscription_forward(struct subscription *s, const struct forward *f);

/** Have what subscription_forward() needs come into the cache. */
void subscription_prefetch(const struct subscription *s);

/** A packet of `layer` that nobody gets (unknown format): leave no gap. */
void subscription_skip(struct subscription *s, const struct track_layer *layer, uint16_t seq);

/**
 * Send again what the subscriber asks for.
 *
 * @param seq  the slot's number
 * @return 0; counted: -ENOENT: not a number we know; -ESTALE: the packet is gone; -EALREADY and
 *         -ENOBUFS: asked too soon, too much or of a full queue; -ENOMEM
 */
int subscription_resend(struct subscription *s, uint16_t seq, int64_t now_us);

/** @return true if a probe of the path can go out on this slot: it has RTX, and numbers */
bool subscription_can_probe(const struct subscription *s);

/**
 * Send once more, by RTX and as a probe of the path, what went out `back` packets before the
 * newest.
 *
 * @return bytes of it, about; -errno: it is gone, or the queue is full
 */
int subscription_send_probe(struct subscription *s, uint16_t back, int64_t now_us);

/** Likewise a packet of padding alone (RFC 4588 allows them), also while nothing is bound; of a
 * slot that can probe. @return bytes of it; -ENOBUFS: the queue is full */
int subscription_send_padding(struct subscription *s);

/**
 * PLI or FIR: the subscriber needs a key frame. If one is on its way to it, or asked for already,
 * that will do. The source is asked for no more than key_frame_allowance says; beyond that a
 * young key frame is sent again from the store, once each.
 */
void subscription_want_key_frame(struct subscription *s, int64_t now_us);

#endif
