/**
 * @file target.h  The server under load, as far as signaling goes: one file per protocol.
 *
 * join() leads to endpoint_joining() and then endpoint_connect() or endpoint_fail(), from the loop.
 * Thread: that of the event_base.
 */
#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

#include "media/base/attributes.h"

#include <stdint.h>

struct endpoint;
struct event_base;

struct target;

struct target_calls {
    int (*join)(struct target *t, struct endpoint *e);
    void (*leave)(struct target *t, struct endpoint *e);
    void (*release)(struct target *t, struct endpoint *e);
    void (*tick)(struct target *t, struct endpoint *e);
};

/** First member of every target, which is one allocation. */
struct target {
    const struct target_calls *calls;
    struct event_base *base;
    const char *room; /* borrowed: what names of rooms begin with */
};

/** Our own protocol. @param url  ws://host:port[/path]. @return NULL: no memory */
struct target *target_sluice_new(struct event_base *base, const char *url, const char *room);

/** WHIP and WHEP. @param whip_url, whep_url  http://host:port/path; {room} in it is the room's
 * name, without it the name is appended; may be NULL if nobody publishes, or receives.
 *  @return NULL: no memory */
struct target *target_whip_new(struct event_base *base, const char *whip_url, const char *whep_url,
                               const char *room);

/** Janus' VideoRoom. @param url  ws://host:port. @return NULL: no memory */
struct target *target_janus_new(struct event_base *base, const char *url, const char *room);

/** NULL is fine; endpoints must have been released. @return NULL */
struct target *target_free(struct target *t);

/** Begin to join; e->signaling is the target's. @return 0; -ENOMEM; -EINVAL: the URL is none */
MUST_USE int target_join(struct target *t, struct endpoint *e);

/** Say goodbye; what is needed for that happens in the loop. */
void target_leave(struct target *t, struct endpoint *e);

/** Free e->signaling. */
void target_release(struct target *t, struct endpoint *e);

/** Keep the session alive: call every 10 s. */
void target_tick(struct target *t, struct endpoint *e);

#endif
