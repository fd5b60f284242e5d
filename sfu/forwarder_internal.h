/**
 * @file forwarder_internal.h  What forwarder.c and forwarder_mail.c share; nobody else includes it.
 */
#ifndef SFU_FORWARDER_INTERNAL_H
#define SFU_FORWARDER_INTERNAL_H

#include "media/base/map.h"
#include "sfu/core.h"
#include "sfu/forwarder.h"
#include "sfu/mapping.h"

#include <stdbool.h>
#include <stdint.h>

struct participant;
struct relay_in;
struct room;

/* So many packets may come before what they made is sent, from peers (one system call can bring
 * thousands) and from other workers: more would be more than a subscriber's queue takes. */
enum { FORWARDER_TURN_PACKETS = 512 };

struct forwarder {
    struct core core;
    struct map rooms, participants; /* by id */
    struct map relays;              /* publishers on other workers, by the participant's id */
    struct mapping mapping;         /* what STUN servers see of us */
    uint32_t n_taken;               /* packets since the last flush */
    int64_t now_us;                 /* of the turn */
    int64_t relieved_us;            /* when the pool was last found low */
    const struct packet *last; /* of the batch: the one before, if it was `sender`'s; or NULL */
    struct participant *sender;
};

/** Each turn begins with it. */
void forwarder_begin_turn(struct forwarder *f, int64_t now_us);

/** @return the participant, or the stand-in for one of another worker; NULL: none */
struct participant *forwarder_participant(const struct forwarder *f, uint32_t id);
struct relay_in *forwarder_relay(const struct forwarder *f, uint32_t participant);

/** Free the room if nobody is in it. */
void forwarder_free_if_empty(struct forwarder *f, struct room *room);

/** Take out and free, and its room if it was the last one there. */
void forwarder_remove_participant(struct forwarder *f, struct participant *p);
void forwarder_remove_relay(struct forwarder *f, struct relay_in *r);
void forwarder_remove_all(struct forwarder *f);

/** @return true if there are few packets left to receive into */
bool forwarder_pool_is_low(const struct forwarder *f);

#endif
