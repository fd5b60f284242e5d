/**
 * @file signaling_peer.h  A raw signaling client for tests against a server in this process: a
 * WebSocket that keeps what it hears, and blocking HTTP requests. Media is never connected.
 */
#ifndef TESTS_SIGNALING_PEER_H
#define TESTS_SIGNALING_PEER_H

#include "signaling/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct websocket;

enum {
    PEER_MAX_HEARD = 64,
    PEER_WAIT_MS = 5000, /* how long anything may take */
    HTTP_REPLY_MAX = 64 * 1024,
};

struct signaling_peer {
    struct event_base *base; /* borrowed */
    struct websocket *ws;
    bool open, closed;
    uint16_t close_code;
    struct message *heard[PEER_MAX_HEARD]; /* owned */
    size_t n_heard, n_read;
};

/** Begin to connect to the server on `port` of this host. */
void signaling_peer_open(struct signaling_peer *p, struct event_base *base, uint16_t port);

/** Close without good-bye, as a killed client does, and forget everything. Harmless twice. */
void signaling_peer_kill(struct signaling_peer *p);

/** Send `m`, or text as it is. */
void signaling_peer_say(struct signaling_peer *p, const struct message *m);
void signaling_peer_say_text(struct signaling_peer *p, const char *json);

/** Send a join with an offer of `lines`, see tests/test_offer.h. */
void signaling_peer_join(struct signaling_peer *p, const char *room, const char *name,
                         const char *lines);

/** Run the loop until something new is heard. @return it, or NULL if nothing came in time */
const struct message *signaling_peer_next(struct signaling_peer *p);

/** The same, passing over other types. */
const struct message *signaling_peer_await(struct signaling_peer *p, enum message_type type);

/** Run the loop until the connection is closed. @return false: not in time */
bool signaling_peer_await_close(struct signaling_peer *p);

struct http_reply {
    int status;                /* 0: no answer */
    char text[HTTP_REPLY_MAX]; /* head and body */
    const char *body;
};

/** One HTTP request to 127.0.0.1, blocking. `body` NULL: none. */
void http_ask(struct http_reply *ret, uint16_t port, const char *method, const char *path,
              const char *body);

#endif
