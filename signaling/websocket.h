/**
 * @file websocket.h  One WebSocket (RFC 6455), either side, on a libevent bufferevent, framed by
 * wslay (owner of that dependency). Text frames only; pings are answered and sent; a peer that does
 * not read is closed at a bounded queue. Thread: that of its event_base.
 *
 * Nothing is sent and no handler called from inside websocket_send() and websocket_close(): both
 * happen from the loop. A handler may call any function here, websocket_free() included. The
 * process must ignore SIGPIPE.
 */
#ifndef SIGNALING_WEBSOCKET_H
#define SIGNALING_WEBSOCKET_H

#include "media/base/attributes.h"

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct bufferevent;
struct tls_context; /* signaling/tls.h */
struct websocket;

enum {
    WEBSOCKET_MAX_MESSAGE = 512 * 1024,    /* received; longer: close 1009 */
    WEBSOCKET_MAX_QUEUE = 4 * 1024 * 1024, /* unsent bytes; more: the peer is dropped */
    WEBSOCKET_PING_S = 15,                 /* idle: ping */
    WEBSOCKET_PONG_S = 10,                 /* still idle so long after the ping: closed */
    WEBSOCKET_CLOSE_S = 2,                 /* for the peer to answer a close frame */
};

struct websocket_handler {
    /** Client side: the upgrade succeeded. NULL on the server side. */
    void (*on_open)(void *owner);
    /** A whole text message [len bytes, NUL-terminated]; borrowed. */
    void (*on_message)(void *owner, const char *text, size_t len);
    /** Gone, for whatever reason; called once, last. `code` is that of the peer's close frame
     * (1005: it had none), or 1006: the connection was lost without one, or is our own reason for
     * closing. `reason` is for people ("connection refused"). */
    void (*on_close)(void *owner, uint16_t code, const char *reason);
    /** Client side: the sub-protocol to ask for, static storage; NULL: none. That the server takes
     *  it is not checked. */
    const char *protocol;
    /** Client side, wss: whom to trust, borrowed; NULL: whom the system trusts. */
    struct tls_context *tls;
    /** The answer to websocket_ping() with that number; NULL: of no interest. */
    void (*on_pong)(void *owner, uint64_t number);
};

/**
 * Server side: take over `bev` after the upgrade. What the caller writes to `bev` before it returns
 * to the loop (the 101 answer) goes out before any frame.
 *
 * @param bev      owned by the websocket on success, the caller's on failure
 * @param handler  copied
 * @return 0; -ENOMEM
 */
MUST_USE int websocket_accept(struct websocket **ret, struct event_base *base,
                              struct bufferevent *bev, const struct websocket_handler *handler,
                              void *owner);

/** Server side: undo websocket_accept() before returning to the loop. Frees `ws`, without on_close.
 *  @return the bufferevent, the caller's again, without callbacks */
MUST_USE struct bufferevent *websocket_detach(struct websocket *ws);

/** Client side: connect to ws:// or wss://host:port/path. Reports by the handler (copied). A host
 *  name is looked up with getaddrinfo(), which may block the loop; a literal address does not.
 *  @return 0; -EINVAL: not such a URL; -ENOMEM */
MUST_USE int websocket_connect(struct websocket **ret, struct event_base *base, const char *url,
                               const struct websocket_handler *handler, void *owner);

/** Queue one text message [len bytes of UTF-8], copied.
 *  @return 0; -ENOTCONN: not open; -ENOBUFS: the queue is full, and the peer dropped */
MUST_USE int websocket_send(struct websocket *ws, const char *text, size_t len);

/** Send what is queued and a close frame, then close (at the latest after 2 s); on_close follows.
 *  `reason` is cut to the 123 bytes a frame takes, NULL: none. */
void websocket_close(struct websocket *ws, uint16_t code, const char *reason);

/** Ping the peer with a number of ours, above 0. As all comes in order, its answer proves that it
 * has what was sent before. Nothing happens if it is not open. */
void websocket_ping(struct websocket *ws, uint64_t number);

/** Count the messages sent in *sent, which must outlive `ws`; NULL: do not. */
void websocket_set_counter(struct websocket *ws, uint64_t *sent);

/** Ping after `idle_ms` without a byte from the peer, instead of WEBSOCKET_PING_S; drop it after
 *  as long again, instead of WEBSOCKET_PONG_S. Call it once open. */
void websocket_set_idle(struct websocket *ws, uint32_t idle_ms);

/** Close at once without on_close and free. NULL is fine. @return NULL */
struct websocket *websocket_free(struct websocket *ws);

/** Write Sec-WebSocket-Accept for a key (RFC 6455 section 4.2.2). `out` has room for 29. */
void websocket_accept_key(const char *key, char out[29]);

#endif
