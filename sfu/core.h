/**
 * @file core.h  What everything on one worker shares: pool, egress, demux, timers, counters.
 *
 * Owned by the forwarder, borrowed by rooms and all below. Thread: the worker's own.
 */
#ifndef SFU_CORE_H
#define SFU_CORE_H

#include "media/base/deadline_heap.h"
#include "media/base/list.h"
#include "sfu/actor.h"
#include "sfu/forward.h"
#include "sfu/forwarder.h"
#include "sfu/mail.h"

struct demux;
struct egress;
struct relay_out;

enum { CORE_MAX_WAITING = 64 }; /* packets that wait for their fan-out; more are not made to wait */

struct core {
    struct forwarder_config config;
    struct forwarder_handler handler;
    void *owner; /* the handler's */
    struct packet_pool *pool;
    struct egress *egress;
    struct demux *demux;
    struct relay_out *relay_out;
    struct deadline_heap deadlines;
    struct list touched;     /* actors whose deadline may have become earlier in this turn */
    struct list dirty_rooms; /* rooms whose slots are to be given out anew at the end of the turn */
    struct list waiting_tracks; /* those with packets in `waiting` */
    uint32_t n_waiting;
    struct forward waiting[CORE_MAX_WAITING]; /* see track_receive() */
    struct forwarder_stats stats;
    char cname[17]; /* of our RTCP (RFC 7022) */
};

/** Put an actor among those that are looked after before the turn ends. */
static inline void core_touch(struct core *core, struct actor *actor)
{
    if (!list_linked(&actor->touched_link))
        list_append(&core->touched, &actor->touched_link);
}

/** Take an actor out: it is looked after no more. */
static inline void core_forget(struct core *core, struct actor *actor)
{
    list_unlink(&actor->touched_link);
    deadline_heap_remove(&core->deadlines, &actor->timer);
}

/** Give `mail` to another worker, which owns it from here. */
static inline void core_send_to_worker(const struct core *core, uint32_t worker, struct mail *mail)
{
    core->handler.send_to_worker(core->owner, worker, mail);
}

/** Give `mail` to control, which owns it from here. */
static inline void core_post(const struct core *core, struct mail *mail)
{
    core->handler.post(core->owner, mail);
}

/** Tell control of a participant: a struct mail_participant, or MAIL_STATE with `reason` for
 * people. Without memory it is not told, and that is counted. */
void core_post_participant(struct core *core, enum mail_type type, uint32_t participant);
void core_post_state(struct core *core, uint32_t participant, enum peer_state state,
                     const char *reason);

#endif
