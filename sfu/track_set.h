/**
 * @file track_set.h  The tracks of one publisher on this worker, whether it lives here or its
 * tracks are replicas. Embedded in their owner. Thread: the worker's own.
 */
#ifndef SFU_TRACK_SET_H
#define SFU_TRACK_SET_H

#include "media/base/attributes.h"
#include "sfu/mail.h"
#include "sfu/track.h"

#include <stdbool.h>
#include <stdint.h>

struct actor;
struct core;
struct room;

struct track_set {
    struct core *core;
    struct room *room;
    struct actor *publisher; /* whom the tracks belong to */
    uint32_t participant;    /* its number */
    uint32_t n;
    struct track *tracks[MESSAGE_MAX_TRACKS]; /* owned */
};

/** Make `s`, whose other members are set, empty its tracks and tell the room. */
void track_set_done(struct track_set *s);

/**
 * Make the tracks those that `mail` has: keep what goes on, end the rest, add what is new.
 *
 * @param mail        its plan must live as long as the tracks, or until the next update
 * @param extensions  ids of the plan's bundle
 * @param ret         the track of each section of the plan; NULL: nobody wants to know
 * @return 0; -ENOMEM: some are missing
 */
MUST_USE int track_set_update(struct track_set *s, const struct mail_join *mail,
                              const struct extension_map *extensions, struct track **ret);

/** @return the track with this number, or NULL */
struct track *track_set_find(const struct track_set *s, uint32_t id);

/** MAIL_MUTE; unknown tracks are passed over. */
void track_set_mute(struct track_set *s, uint32_t id, bool muted);

/** MAIL_CAP, likewise. */
void track_set_cap(struct track_set *s, uint32_t id, uint32_t max_bps);

/** Do what is to be done about once per second, besides reports. */
void track_set_look_after(struct track_set *s, int64_t now_us);

/** Let go of packets older than `keep_us`. */
void track_set_expire(struct track_set *s, int64_t keep_us, int64_t now_us);

#endif
