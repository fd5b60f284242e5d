/**
 * @file websocket.h  One WebSocket (RFC 6455), either side, on a libevent bufferevent, framed by
 * wslay (owner of that dependency). Text frames only; pings are answered and sent; a peer that does
 * not read is closed at a bounded queue. Thread: that of its event_base.
 */
#ifndef SIGNALING_WEBSOCKET_H
#define SIGNALING_WEBSOCKET_H

#include "media/base/attributes.h"

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct bufferevent;
struct websocket;

enum {
    WEBSOCKET_MAX_MESSAGE = 512 * 1024,      /* received; longer: close 1009 */
    WEBSOCKET_MAX_QUEUE = 4 * 1024 * 1024,   /* unsent bytes; more: the peer is dropped */
    WEBSOCKET_PING_S = 20,                   /* idle: ping; no answer in another 20 s: closed */
};

struct websocket_handler {
    /** Client side: the upgrade succeeded. NULL on the server side. */
    void (*on_open)(void *owner);
    /** A whole text message [len bytes, NUL-terminated]; borrowed. */
    void (*on_message)(void *owner, const char *text, size_t len);
    /** Gone, for whatever reason; called once, last. `reason` is for people ("connection refused"). */
    void (*on_close)(void *owner, uint16_t code, const char *reason);
};

/** Server side: take over `bev` after the upgrade. The websocket is freed with websocket_free(). */
MUST_USE int websocket_accept(struct websocket **ret, struct event_base *base,
                              struct bufferevent *bev, const struct websocket_handler *handler,
                              void *owner);

/** Client side: connect to ws://host:port/path (wss later). Reports by the handler.
 *  @return 0; -EINVAL: not such a URL; -ENOMEM */
MUST_USE int websocket_connect(struct websocket **ret, struct event_base *base, const char *url,
                               const struct websocket_handler *handler, void *owner);

/** Queue one text message. @return 0; -ENOTCONN; -ENOBUFS: the queue is full, and the peer dropped */
MUST_USE int websocket_send(struct websocket *ws, const char *text, size_t len);

/** Send a close frame, then close (at the latest after 2 s); on_close follows. */
void websocket_close(struct websocket *ws, uint16_t code, const char *reason);

/** Close at once without on_close and free. NULL is fine. @return NULL */
struct websocket *websocket_free(struct websocket *ws);

/** Sec-WebSocket-Accept for a key (RFC 6455 section 4.2.2). `out` has room for 29. */
void websocket_accept_key(const char *key, char out[29]);

#endif
