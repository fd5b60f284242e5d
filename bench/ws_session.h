/**
 * @file ws_session.h  An endpoint's signaling by WebSocket: what targets of that kind have in
 * common. One thread.
 */
#ifndef BENCH_WS_SESSION_H
#define BENCH_WS_SESSION_H

#include "media/base/attributes.h"

#include <stdint.h>

struct endpoint;
struct target;
struct websocket;
struct websocket_handler;

/** First member of a target's session, which is allocated with calloc(3). */
struct ws_session {
    struct endpoint *endpoint;
    struct websocket *websocket; /* NULL once it is closed */
};

/** Make `s` the endpoint's signaling, which ws_session_release() frees, and connect it. `handler`
 *  has ws_session_on_close; owner of its calls is `s`.
 *  @return 0; -EINVAL: not such a URL; -ENOMEM */
MUST_USE int ws_session_open(struct ws_session *s, struct target *t, struct endpoint *e,
                             const char *url, const struct websocket_handler *handler);

/** As struct websocket_handler has it: the endpoint fails, unless it has left. */
void ws_session_on_close(void *owner, uint16_t code, const char *reason);

/** As struct target_calls has them. */
void ws_session_leave(struct target *t, struct endpoint *e);
void ws_session_release(struct target *t, struct endpoint *e);

#endif
