/**
 * @file participant.h  One peer on this worker: its path, the tracks it publishes and the slots it
 * has. Made from MAIL_JOIN, changed by MAIL_UPDATE.
 *
 * Owned by the forwarder, listed in its room. Nothing here frees a participant but its owner: one
 * whose connection has ended waits for it. Thread: the worker's own.
 */
#ifndef SFU_PARTICIPANT_H
#define SFU_PARTICIPANT_H

#include "media/base/attributes.h"
#include "media/base/list.h"
#include "media/redundancy.h"
#include "sfu/actor.h"
#include "sfu/connection.h"
#include "sfu/mail.h"
#include "sfu/routing.h"
#include "sfu/slot_allocator.h"
#include "sfu/subscription.h"
#include "sfu/track_set.h"

#include <stdbool.h>
#include <stdint.h>

struct core;
struct downlink;
struct feedback_recorder;
struct packet;
struct participant_layers;
struct room;

struct participant {
    struct list room_link; /* in the room's participants */
    struct actor actor;
    struct core *core;
    struct room *room;
    uint32_t id;
    struct media_plan *plan;
    struct connection connection;
    struct routing routing;
    struct subscriber subscriber;
    struct downlink *downlink; /* NULL until media was sent */
    uint32_t probe_slot;       /* where the next probe goes out: section */
    uint16_t probe_back;       /* what it sends again: packets before the newest */
    struct track_set tracks;
    struct participant_layers *layers;   /* NULL: there was nothing to decide yet */
    struct track **track_of_section;     /* by section of the plan; NULL: publishes nothing */
    struct subscription **subscriptions; /* by section of the plan; NULL: no slot */
    /* slots */
    bool deaf;                 /* they stay empty, whatever it asks for */
    uint32_t epoch;            /* of the last MAIL_SLOTS */
    uint32_t need[SLOT_KINDS]; /* slots wanted in all */
    bool needs_slots;          /* there are tracks without a slot */
    bool crowded[SLOT_KINDS];  /* and of this kind some will stay so: slots follow the speakers */
    bool untold;               /* slots have changed since MAIL_SLOTS */
    bool wishes_changed;       /* since slots were given out; see room_touch_one() */
    bool need_outstanding;     /* MAIL_NEED was sent since the plan last changed */
    bool need_sent;
    int64_t need_us; /* when it was sent last */
    /* RTCP */
    uint32_t ssrc;                      /* ours, as sender of RTCP about its tracks */
    bool reduced_size;                  /* it takes RTCP that is no full compound (RFC 5506) */
    uint8_t transport_cc_id;            /* extension of its packets; 0: no such feedback */
    bool wants_remb;                    /* it takes no other word on bandwidth */
    uint32_t media_ssrc;                /* of a stream of its, for feedback about the transport */
    struct feedback_recorder *feedback; /* NULL until a packet has such a number */
    uint64_t rate_bytes;                /* payload that had come at `rate_us` */
    int64_t rate_us;                    /* 0: not looked at yet */
    int64_t report_us;                  /* when reports are next sent */
    struct redundancy redundancy;       /* of the sound it gets */
    uint64_t red_bytes;                 /* of that, sent until `red_us` */
    int64_t red_us;
    int64_t quality_us; /* when control is next told how it goes; 0: not begun */
};

/**
 * Make the participant that `mail` describes, put it in `room`, and take mail->plan.
 *
 * @return 0; -EINVAL: credentials or fingerprint; -EEXIST: its ufrag is in use; -ENOMEM
 */
MUST_USE int participant_new(struct participant **ret, struct core *core, struct room *room,
                             struct mail_join *mail, int64_t now_us);
/** Leave the room, say nothing, free. NULL is fine. @return NULL */
struct participant *participant_free(struct participant *p);

/** Take over the plan and tracks of a re-offer; what goes on undisturbed. Takes mail->plan.
 *  @return 0; -errno: the participant cannot go on */
MUST_USE int participant_update(struct participant *p, struct mail_join *mail, int64_t now_us);

/** Do what is due. @return when to call again [us], or NEVER_US */
MUST_USE int64_t participant_advance(struct participant *p, int64_t now_us);

/** @return the subscription with this outgoing SSRC (not RTX), or NULL */
struct subscription *participant_find_slot(const struct participant *p, uint32_t ssrc);

/** @return the layer with this incoming SSRC (not RTX), or NULL; *track is whose it is */
struct track_layer *participant_find_layer(const struct participant *p, uint32_t ssrc,
                                           struct track **track);

/** The round trip to this peer was measured. */
void participant_set_rtt(struct participant *p, int64_t rtt_us);

#endif
