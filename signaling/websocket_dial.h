/**
 * @file websocket_dial.h  Client side of the opening handshake (RFC 6455 section 4.1): look up,
 * connect, ask for the upgrade, check the answer. Used by websocket.c only.
 */
#ifndef SIGNALING_WEBSOCKET_DIAL_H
#define SIGNALING_WEBSOCKET_DIAL_H

#include "media/base/attributes.h"

struct bufferevent;
struct event_base;
struct tls_context;
struct websocket_dial;

enum {
    WEBSOCKET_DIAL_S = 10,             /* for all of it */
    WEBSOCKET_DIAL_MAX_ANSWER = 16384, /* [bytes] of the server's header */
};

struct websocket_dial_handler {
    /** The upgrade is done: `bev` is the owner's now, and may hold the first frames already. */
    void (*on_upgraded)(void *owner, struct bufferevent *bev);
    /** It failed; `reason` is for people. */
    void (*on_failed)(void *owner, const char *reason);
};

/**
 * Start. Exactly one handler is called, from the loop; it may free the dial.
 *
 * @param handler  borrowed: must outlive the dial
 * @return 0; -EINVAL: `url` is not ws:// or wss://host[:port][/path][?query]; -ENOMEM
 */
MUST_USE int websocket_dial_new(struct websocket_dial **ret, struct event_base *base,
                                const char *url, const struct websocket_dial_handler *handler,
                                void *owner);

/** Ask for a sub-protocol, borrowed; NULL: none. Before returning to the loop. */
void websocket_dial_ask(struct websocket_dial *d, const char *protocol);

/** With wss: whom to trust, borrowed; NULL: whom the system trusts. Before returning to the loop.
 */
void websocket_dial_trust(struct websocket_dial *d, struct tls_context *tls);

/** Give up silently and free. NULL is fine. @return NULL */
struct websocket_dial *websocket_dial_free(struct websocket_dial *d);

#endif
