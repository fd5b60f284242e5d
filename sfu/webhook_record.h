/**
 * @file webhook_record.h  What receivers of webhooks have been told to be there: rooms,
 * participants, tracks, and since when. Owned by webhooks.c, used by nobody else. Thread: control.
 */
#ifndef SFU_WEBHOOK_RECORD_H
#define SFU_WEBHOOK_RECORD_H

#include "media/base/attributes.h"
#include "media/base/map.h"
#include "signaling/message.h"

#include <stdint.h>

struct webhook_room {
    char name[MESSAGE_ROOM_MAX + 1];
    uint64_t number; /* of rooms, from 1 */
    uint64_t seq;    /* of its events */
    uint32_t n_participants;
    int64_t since_us;
};

struct webhook_track {
    struct message_track track;
    int64_t since_us;
};

struct webhook_participant {
    uint32_t id, n_tracks;
    struct webhook_room *room;
    int64_t since_us;
    struct webhook_track tracks[MESSAGE_MAX_TRACKS];
};

/** Embedded by value. */
struct webhook_records {
    struct map rooms;        /* struct webhook_room by name */
    struct map participants; /* struct webhook_participant by id */
    uint64_t n_rooms;        /* so far */
};

void webhook_records_init(struct webhook_records *r);

/** Forget all. */
void webhook_records_done(struct webhook_records *r);

/**
 * Note a participant, and if it is the first in it, its room.
 *
 * @return it, with room->n_participants == 1 for a new room; NULL: no memory
 */
struct webhook_participant *webhook_records_add(struct webhook_records *r, const char *room_name,
                                                uint32_t id, int64_t now_us);

/** @return the participant, or NULL */
struct webhook_participant *webhook_records_find(const struct webhook_records *r, uint32_t id);

/** Forget a participant; its room stays, to be forgotten when it has none. */
void webhook_records_remove(struct webhook_records *r, struct webhook_participant *p);
void webhook_records_remove_room(struct webhook_records *r, struct webhook_room *room);

#endif
