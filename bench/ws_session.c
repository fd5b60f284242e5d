#include "bench/ws_session.h"

#include "bench/endpoint.h"
#include "bench/target.h"
#include "signaling/websocket.h"

#include <stdlib.h>

enum { NORMAL_CLOSURE = 1000 };

int ws_session_open(struct ws_session *s, struct target *t, struct endpoint *e, const char *url,
                    const struct websocket_handler *handler)
{
    s->endpoint = e;
    e->signaling = s;
    return websocket_connect(&s->websocket, t->base, url, handler, s);
}

void ws_session_on_close(void *owner, uint16_t code, const char *reason)
{
    struct ws_session *s = owner;

    (void)code;
    endpoint_fail(s->endpoint, "the WebSocket was closed: %s", reason);
    s->websocket = websocket_free(s->websocket);
}

void ws_session_leave(struct target *t, struct endpoint *e)
{
    struct ws_session *s = e->signaling;

    (void)t;
    if (s && s->websocket)
        websocket_close(s->websocket, NORMAL_CLOSURE, "");
}

void ws_session_release(struct target *t, struct endpoint *e)
{
    struct ws_session *s = e->signaling;

    (void)t;
    if (s)
        websocket_free(s->websocket);
    free(s);
    e->signaling = NULL;
}
