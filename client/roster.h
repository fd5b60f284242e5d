/**
 * @file roster.h  Who is in the room and with which tracks, as the server tells it.
 * Not thread-safe.
 */
#ifndef CLIENT_ROSTER_H
#define CLIENT_ROSTER_H

#include "media/base/attributes.h"
#include "signaling/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct roster_participant {
    uint32_t id;
    char name[MESSAGE_NAME_MAX + 1];
};

struct roster_track {
    uint32_t id, participant;
    enum media_kind kind;
    bool muted;
};

/** Embedded by value; zero-initialised it is empty. */
struct roster {
    struct roster_participant *participants;
    size_t n_participants, participant_capacity;
    struct roster_track *tracks;
    size_t n_tracks, track_capacity;
};

void roster_done(struct roster *r);

/** Take over a joined, participant or track message; others are ignored. @return 0; -ENOMEM */
MUST_USE int roster_update(struct roster *r, const struct message *m);

/** @return name of a participant, also of one who left; "" if unknown. Valid until the next update
 */
const char *roster_name(const struct roster *r, uint32_t participant);

/** @return the track, or NULL: it is gone. Valid until the next update */
const struct roster_track *roster_track(const struct roster *r, uint32_t track);

#endif
