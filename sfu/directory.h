/**
 * @file directory.h  Who is where: rooms by name, their members and tracks, and the roster events
 * that members get about each other. The control thread's view; media is not here.
 *
 * A room is made when its first member enters, and freed when its last one leaves. Each member that
 * has media is given to a worker: to one that has the room already, while that has less than
 * `room_spread` of its members; of several that will do, to the one with the fewest members of all
 * rooms. Small
 * rooms so stay on one worker, where forwarding is cheapest, and large ones use them all. Numbers
 * of participants, tracks and rooms are not used again while what they named can still be on a
 * worker's mind (a 32-bit counter with a random start). Thread: control.
 */
#ifndef SFU_DIRECTORY_H
#define SFU_DIRECTORY_H

#include "media/base/attributes.h"
#include "media/base/list.h"
#include "signaling/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct directory;
struct directory_room;

/** A participant; embedded in what owns it (a session). Zero-initialised, then `name` and `hidden`
 *  set by the owner; the rest is the directory's to change and the owner's to read. */
struct directory_member {
    char name[MESSAGE_NAME_MAX + 1];
    bool hidden;    /* others are not told of it */
    bool announced; /* others know of it */
    bool placed;    /* it has a worker */
    uint32_t id;    /* 0: in no room */
    struct directory_room *room;
    struct list link; /* in the room */
    uint32_t worker;
    uint32_t n_tracks;
    struct message_track *tracks; /* the directory's */
};

struct directory_limits {
    uint32_t rooms, participants, participants_per_room;
    uint32_t room_spread; /* at least 1 */
};

/** What whoever runs the server wants of one room; it holds as long as the room does. 0: as for all
 *  rooms. */
struct directory_room_limits {
    uint32_t participants;
    uint32_t video_kbps; /* of all video published in it */
};

struct directory_handler {
    /** One roster event for `to`. May set event->seq; must keep nothing of it, and must not enter
     * or leave a room before it returns. */
    void (*deliver)(struct directory_member *to, struct message *event);
};

/**
 * @param workers  how many there are, at least 1
 * @param handler  copied
 * @return 0; -ENOMEM
 */
MUST_USE int directory_new(struct directory **ret, const struct directory_limits *limits,
                           uint32_t workers, const struct directory_handler *handler);

/** All members must have left. NULL is fine. @return NULL */
struct directory *directory_free(struct directory *d);

/**
 * Put `m`, which is in no room, into the room of that name and give it an id. Nobody is told yet.
 *
 * @return 0; -EINVAL: no such name can be; -EDQUOT: the room is full; -EUSERS: too many
 *         participants; -ENFILE: too many rooms; -ENOMEM
 */
MUST_USE int directory_enter(struct directory *d, struct directory_member *m,
                             const char *room_name);

/** Give `m`, which is in a room, to a worker; nothing happens if it has one. */
void directory_place(struct directory *d, struct directory_member *m);

/** Take it back from there; nothing happens if it has none. Leaving does it, too. */
void directory_unplace(struct directory *d, struct directory_member *m);

/** Tell the others that `m` is there, with its tracks. Once. */
void directory_announce(struct directory *d, struct directory_member *m);

/** Take `m` out and, if they knew of it, tell the others why. Nothing happens if it is in no room.
 */
void directory_leave(struct directory *d, struct directory_member *m, const char *code,
                     const char *text);

/**
 * Make `tracks` the tracks of `m`. One with the mid and kind of a track that is there already is
 * that track and keeps its id; others get new ids. Once announced, the others get an event for each
 * difference.
 *
 * @param n  at most MESSAGE_MAX_TRACKS
 * @return 0; -ENOMEM: nothing has changed
 */
MUST_USE int directory_set_tracks(struct directory *d, struct directory_member *m,
                                  const struct message_track *tracks, uint32_t n);

/** Mute or unmute; a change is told to the others. @param by_admin  it was not `m` who muted it
 *  @return 0; -ENOENT: no track of `m` */
MUST_USE int directory_mute(struct directory *d, struct directory_member *m, uint32_t track,
                            bool muted, bool by_admin);

/**
 * Write the announced others in the room of `m` into message->participants (allocated; the
 * message's) and n_participants.
 *
 * @return 0; -ENOMEM
 */
MUST_USE int directory_roster(const struct directory_member *m, struct message *message);

/** Change what holds from now on; nobody has to leave. */
void directory_set_limits(struct directory *d, const struct directory_limits *limits);

/** Change the limits of a room; nobody has to leave. @return 0; -ENOENT: there is no such room */
MUST_USE int directory_limit_room(struct directory *d, const char *name,
                                  const struct directory_room_limits *limits);

/** @return what was set for the room */
const struct directory_room_limits *directory_room_limits(const struct directory_room *room);

/** @return how many may be in the room at a time */
uint32_t directory_room_capacity(const struct directory *d, const struct directory_room *room);

/** Nobody in this room is told any more of the others: they all leave, and n people would be told
 *  of n. Nothing happens if there is no such room. */
void directory_hush(struct directory *d, const char *name);

/** @return the member with this id, or NULL */
struct directory_member *directory_find(const struct directory *d, uint32_t id);

/** @return rooms and participants there are now */
uint32_t directory_rooms(const struct directory *d);
uint32_t directory_participants(const struct directory *d);

/** @return the room named so, or NULL */
const struct directory_room *directory_find_room(const struct directory *d, const char *name);

/** Walk all rooms, in no order; begin with *cursor = 0. @return the next one, or NULL at the end */
const struct directory_room *directory_next_room(const struct directory *d, size_t *cursor);

/** @return members that were given to a worker, of all rooms */
uint32_t directory_load(const struct directory *d, uint32_t worker);

/** @return name and number (unique while it lives) of a room */
const char *directory_room_name(const struct directory_room *room);
uint32_t directory_room_number(const struct directory_room *room);

/** @return members of the room: those who are seen, whether they have media or not */
uint32_t directory_room_visible(const struct directory_room *room);

/** A room is direct from when its only member says so until it is taken back. @return true if so */
bool directory_room_is_direct(const struct directory_room *room);
void directory_room_set_direct(struct directory_room *room, bool direct);

/** @return members of the room on a worker */
uint32_t directory_room_members(const struct directory_room *room, uint32_t worker);

/** Walk the workers that have members of the room, `except` left out; begin with *cursor = 0.
 *  @return the next one, or -ENOENT at the end */
int directory_next_worker(const struct directory_room *room, uint32_t except, uint32_t *cursor);

/** Walk the members of the room in the order of entering. @param after  NULL: begin
 *  @return the next one, or NULL at the end */
struct directory_member *directory_next_member(const struct directory_room *room,
                                               const struct directory_member *after);

#endif
