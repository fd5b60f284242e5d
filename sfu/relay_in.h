/**
 * @file relay_in.h  A publisher of a room that lives on another worker, as this one has it: its
 * tracks are replicas, in the room like any other track, subscribed, stored and sent again here.
 * Made from MAIL_PUBLISHER, changed by another one.
 *
 * A replica without a live subscription is asked for by nobody, and costs nothing. Owned by the
 * forwarder, listed in its room. Thread: the worker's own.
 */
#ifndef SFU_RELAY_IN_H
#define SFU_RELAY_IN_H

#include "media/base/attributes.h"
#include "media/base/list.h"
#include "sfu/actor.h"
#include "sfu/mail.h"
#include "sfu/track_set.h"

#include <stdint.h>

struct core;
struct relay_record;
struct room;

struct relay_in {
    struct list room_link; /* in the room's relays */
    struct actor actor;
    struct core *core;
    struct room *room;
    uint32_t worker; /* where the publisher lives */
    struct media_plan *plan;
    struct track_set tracks;
    int64_t look_us; /* when the tracks are next looked after */
};

/** Make the publisher that `mail` describes, put it in `room`, and take mail->plan.
 *  @return 0; -ENOMEM */
MUST_USE int relay_in_new(struct relay_in **ret, struct core *core, struct room *room,
                          struct mail_join *mail);
/** Leave the room and free; the other worker is told nothing. NULL is fine. @return NULL */
struct relay_in *relay_in_free(struct relay_in *r);

/** Take over the plan and tracks of a re-offer. Takes mail->plan. @return 0; -ENOMEM: some of the
 *  tracks are missing */
MUST_USE int relay_in_update(struct relay_in *r, struct mail_join *mail);

/** Tell the other worker that its tracks are no longer wanted here. */
void relay_in_withdraw(struct relay_in *r);

/** Take in what the other worker sent of a track. */
void relay_in_receive(struct relay_in *r, const struct relay_record *record, int64_t now_us);

/** Ask for what is wanted, and do what is due. @return when to call again [us], or NEVER_US */
MUST_USE int64_t relay_in_advance(struct relay_in *r, int64_t now_us);

#endif
