/**
 * @file actor.h  What a worker looks after: something with work at certain times, and at the end
 * of each turn that touched it. Embedded in a participant in a publisher of another worker,
 * and in what looks after a room's speakers.
 */
#ifndef SFU_ACTOR_H
#define SFU_ACTOR_H

#include "media/base/deadline_heap.h"
#include "media/base/list.h"

/** What an actor is embedded in. */
enum actor_kind {
    ACTOR_PARTICIPANT, /* struct participant */
    ACTOR_RELAY_IN,    /* struct relay_in */
    ACTOR_ROOM,        /* struct room_speakers */
};

struct actor {
    enum actor_kind kind;
    struct list touched_link;   /* in core->touched */
    struct deadline_node timer; /* in core->deadlines */
};

#endif
