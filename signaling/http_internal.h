/**
 * @file http_internal.h  What the files of the HTTP server share. Nobody else includes it.
 *
 * A connection reads one request at a time, makes an exchange of it, and reads the next one when
 * the exchange is answered and the answer sent. An exchange outlives its connection when the
 * client leaves before the answer. A connection that is upgraded lives as long as its WebSocket.
 */
#ifndef SIGNALING_HTTP_INTERNAL_H
#define SIGNALING_HTTP_INTERNAL_H

#include "media/base/attributes.h"
#include "media/base/list.h"
#include "media/base/text.h"
#include "signaling/http_body.h"
#include "signaling/http_clients.h"
#include "signaling/http_request.h"
#include "signaling/http_server.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bufferevent;
struct evbuffer;
struct event;
struct event_base;
struct evconnlistener;
struct sockaddr;
struct tls_context;

enum {
    HTTP_ANSWER_S = 30,               /* for the handler to answer */
    HTTP_LINGER_S = 2,                /* for the client to take the last answer and close */
    HTTP_MIN_RATE = 16 * 1024,        /* [bytes/s] a client must take an answer at */
    HTTP_MAX_ANSWER_HEAD = 32 * 1024, /* [bytes]; all ICE servers with credentials fit */
    HTTP_RETRY_AFTER_S = 5,
    HTTP_EVENTS_PING_S = 15, /* a comment is sent, so that proxies keep the connection */
};

struct http_server {
    struct event_base *base;
    struct http_config config;
    char *web_root;    /* owned; NULL: built in */
    char *admin_token; /* owned; NULL: none */
    struct http_handler handler;
    void *owner;
    struct evconnlistener *listener;
    struct event *accept_again; /* after no descriptor was left */
    struct tls_context *tls;    /* borrowed; NULL: none */
    struct http_clients clients;
    struct list connections; /* of struct http_connection */
    struct list exchanges;   /* of struct http_exchange, without answer */
    struct http_stats stats;
    uint16_t port;
};

/* Cycles through the four after ARRIVING; CLOSING, UPGRADED and STREAMING are final. */
enum http_connection_state {
    HTTP_ARRIVING, /* a proxy's header or the first byte is to come: see http_arrival.c */
    HTTP_READING_HEAD,
    HTTP_READING_BODY,
    HTTP_ANSWERING, /* there is an exchange */
    HTTP_SENDING,   /* the answer is in the output buffer */
    HTTP_CLOSING,   /* the last answer is sent: waits for the client to close */
    HTTP_UPGRADED,  /* there is a WebSocket */
    HTTP_STREAMING, /* the answer goes on: see http_events.c */
};

struct http_connection {
    struct list link; /* in server->connections */
    struct http_server *server;
    struct http_client *client;
    char address[INET6_ADDRSTRLEN];
    bool of_proxy; /* which is trusted: each request may be of another client */
    enum http_connection_state state;
    struct http_arrival *arrival; /* while ARRIVING, which owns the socket then */
    struct bufferevent *bev;      /* the WebSocket's once upgraded */
    struct event *timer;
    char *head;                   /* owned; what `request` points into */
    struct http_request *request; /* owned; NULL: none has been read */
    struct http_body body;
    bool secure;        /* it speaks TLS */
    bool shaken;        /* and the handshake is over */
    bool persistent;    /* another request may follow this one */
    bool client_closed; /* its half of the connection, while the answer is being sent */
    struct http_exchange *exchange;
    struct websocket *ws;
    uint16_t close_code; /* of `ws` */
    void *session;
    struct http_events *events; /* while STREAMING; NULL: it is ending */
};

struct http_exchange {
    struct list link;                   /* in server->exchanges */
    struct http_connection *connection; /* NULL: the client has left */
    bool head;                          /* the body is not sent */
    char address[INET6_ADDRSTRLEN];     /* of the client */
    struct text fields;                 /* of the answer */
};

/** A file of the page. */
struct http_file {
    const char *path; /* below client/web; NULL ends the list */
    const char *etag; /* quoted */
    const unsigned char *data;
    size_t len; /* [bytes] */
};

/** The page as it was when the program was built. */
extern const struct http_file http_built_in_files[];

/* http_arrival.c */

/** Take over an accepted socket; closes it when over a limit. */
void http_arrival_accept(struct http_server *s, int fd, const struct sockaddr *address);

/** Close the socket, if it is still there. NULL is fine. @return NULL */
struct http_arrival *http_arrival_free(struct http_arrival *a);

/* http_connection.c */

/** Make a connection that is ARRIVING. @return NULL: no memory */
struct http_connection *http_connection_new(struct http_server *s);

/** It has come from `address`: count it. @return 0; -EBUSY: over a limit, or no memory */
MUST_USE int http_connection_enter(struct http_connection *c, const struct sockaddr *address,
                                   uint32_t *wait_ms);

/** HTTP begins on `bev`, or on its TLS. */
void http_connection_begin(struct http_connection *c, struct bufferevent *bev);

/** Tell the session, if any, and free. */
void http_connection_free(struct http_connection *c);

/** The exchange is answered: the answer is in the output buffer. */
void http_connection_answered(struct http_connection *c);

/** From now on the connection is a WebSocket's. */
void http_connection_upgraded(struct http_connection *c, struct websocket *ws);

/** The answer's head is in the output buffer, and events follow. */
void http_connection_streams(struct http_connection *c, struct http_events *e);

/** Close it from the loop, `seconds` from now. */
void http_connection_end_soon(struct http_connection *c, uint64_t seconds);

/** Serve HTTP on `bev` (again, after an upgrade that was refused). */
void http_connection_watch(struct http_connection *c, struct bufferevent *bev);

/* http_exchange.c */

/** Make the exchange of the request that `c` has read. @return NULL: no memory */
struct http_exchange *http_exchange_new(struct http_connection *c);

/** End it without an answer. */
void http_exchange_free(struct http_exchange *x);

/** @return false: a page asks whose origin may not. Of an exchange with its client */
bool http_exchange_is_from_allowed_page(const struct http_exchange *x);

/** Append a header field to the answer. */
void http_exchange_field(struct http_exchange *x, const char *name, const char *value);

/** Send the answer; ends the exchange. `body` is freed; NULL: none. */
void http_exchange_send(struct http_exchange *x, int status, struct evbuffer *body);

/** Send the head of an answer that ends with the connection; ends the exchange, and its owner calls
 *  http_connection_streams() then. Of an exchange with its client. */
void http_exchange_stream(struct http_exchange *x, const char *type);

/** Answer 405: `allow` are the methods that would do. Ends the exchange. */
void http_reply_not_allowed(struct http_exchange *x, const char *allow);

/* http_route.c */

/** Serve the request that `x` is the exchange of. */
void http_route(struct http_exchange *x);

/* http_events.c */

/** Tell the client that we are there. @return false: it has not read what came before */
bool http_events_keep(struct http_events *e);

/** The connection is gone: tell the owner, and free. */
void http_events_closed(struct http_events *e);

/* http_redirect.c */

/** Answer a request in plain HTTP on a port that speaks TLS. */
void http_redirect_serve(struct http_exchange *x);

/* http_static.c, http_media.c, http_upgrade.c, http_admin.c: the routes */

/** Serve /metrics; what is below /v1. */
void http_metrics_serve(struct http_exchange *x);
void http_v1_serve(struct http_exchange *x);

/** Serve the page. */
void http_static_serve(struct http_exchange *x);

/** Serve /whip/{room} or /whep/{room}, and /{resource} below. */
void http_media_serve(struct http_exchange *x, enum http_media media);

/** Serve /ws. */
void http_upgrade_serve(struct http_exchange *x);

#endif
