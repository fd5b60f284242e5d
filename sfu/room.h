/**
 * @file room.h  Who is together on this worker, and what they publish. Thread: the worker's own.
 */
#ifndef SFU_ROOM_H
#define SFU_ROOM_H

#include "media/base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct core;
struct participant;
struct room_speakers;
struct track;

struct room {
    struct list dirty_link; /* in core->dirty_rooms while slots are to be given out anew */
    struct core *core;
    uint32_t id;
    struct list participants;
    struct list tracks; /* in order of publishing */
    struct list relays; /* publishers on other workers */
    size_t n_participants;
    struct room_speakers *speakers; /* NULL: nobody has made a sound yet */
    bool crowded[2];                /* by kind: somebody has fewer slots than there are tracks */
    bool all_dirty;                 /* of every participant slots are to be given out anew */
};

/** @return true if nobody is in it and no publisher of it known */
bool room_empty(const struct room *room);

/** @return an empty room, or NULL: no memory */
struct room *room_new(struct core *core, uint32_t id);
/** Free an empty room. NULL is fine. @return NULL */
struct room *room_free(struct room *room);

/** Put `p` in, or take it out. */
void room_add(struct room *room, struct participant *p);
void room_remove(struct room *room, struct participant *p);

/** Append `track` to those of the room; track_free() takes it out. */
void room_add_track(struct room *room, struct track *track);

/** Tracks or slots have changed: slots are given out anew before the turn ends. */
void room_touch(struct room *room);

/** The same of one participant alone: what it wishes has changed. */
void room_touch_one(struct room *room, struct participant *p);

/** Give out slots, and tell control. */
void room_assign_slots(struct room *room, int64_t now_us);

#endif
