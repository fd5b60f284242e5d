/**
 * @file core.h  What everything on one worker shares: pool, egress, demux, timers, counters.
 *
 * Owned by the forwarder, borrowed by rooms and all below. Thread: the worker's own.
 */
#ifndef SFU_CORE_H
#define SFU_CORE_H

#include "media/base/deadline_heap.h"
#include "media/base/list.h"
#include "sfu/forward.h"
#include "sfu/forwarder.h"

struct demux;
struct egress;

enum { CORE_MAX_WAITING = 64 }; /* packets that wait for their fan-out; more are not made to wait */

struct core {
    struct forwarder_config config;
    struct forwarder_handler handler;
    void *owner; /* the handler's */
    struct packet_pool *pool;
    struct egress *egress;
    struct demux *demux;
    struct deadline_heap deadlines;
    struct list touched;     /* participants whose deadline may have become earlier in this turn */
    struct list dirty_rooms; /* rooms whose slots are to be given out anew at the end of the turn */
    struct list waiting_tracks; /* those with packets in `waiting` */
    uint32_t n_waiting;
    struct forward waiting[CORE_MAX_WAITING]; /* see track_receive() */
    struct forwarder_stats stats;
    char cname[17]; /* of our RTCP (RFC 7022) */
};

/** Put a participant, by its link, among those that are looked at before the turn ends. */
static inline void core_touch(struct core *core, struct list *link)
{
    if (!list_linked(link))
        list_append(&core->touched, link);
}

/** Give `mail` to control, which owns it from here. */
static inline void core_post(const struct core *core, struct mail *mail)
{
    core->handler.post(core->owner, mail);
}

#endif
