/**
 * @file http_server.h  The one HTTP port: page, /client/, /ws, /whip/{room}, /whep/{room},
 * /healthz, /metrics and /v1/...
 *
 * Runs on the control thread's event_base. Knows HTTP and WebSocket, no room: everything with a
 * meaning goes to the handler. Limits on headers, bodies, time and connections per address are
 * kept here, each with a problem+json answer and a counter.
 *
 * The files of client/web are built into the program; `/` is index.html, `/client/x` is x.
 * http_server_new() makes the process ignore SIGPIPE.
 */
#ifndef SIGNALING_HTTP_SERVER_H
#define SIGNALING_HTTP_SERVER_H

#include "media/base/attributes.h"
#include "signaling/address_prefix.h"
#include "signaling/http_origin.h"
#include "signaling/http_request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct admin_request; /* signaling/admin_request.h */
struct event_base;
struct http_events;   /* a stream of events to one client */
struct http_exchange; /* one HTTP request that waits for its answer */
struct http_server;
struct message;     /* signaling/message.h */
struct text;        /* media/base/text.h */
struct tls_context; /* signaling/tls.h */
struct websocket;   /* signaling/websocket.h */

enum http_media { HTTP_WHIP, HTTP_WHEP };

/** What is asked of /whip/{room}/{resource} or /whep/...; texts are NUL-terminated. */
struct http_media_request {
    enum http_media media;
    enum http_method method; /* GET (HEAD, too), PATCH or DELETE of a session */
    const char *room, *resource;
    /* below a session of WHEP: "sse" (GET, POST), "sse" and a stream (GET, DELETE), or "layer"
     * (POST); "" else */
    const char *part, *stream;
    const char *if_match; /* as it came; NULL: it did not */
    const char *body;     /* PATCH: an SDP fragment; POST: JSON */
    size_t len;           /* [bytes] of it */
};

/** A Link of an answer (RFC 8288). Attributes that are NULL or "" are left out. */
struct http_link {
    const char *uri, *rel, *username, *credential, *events;
};

struct http_handler {
    /** A client wants /ws; `address` is its IP address as text, `token` the one it gave with
     *  "Authorization: Bearer" or ?access_token= ("": none), both borrowed. `ws` is open and may be
     *  sent to. @return 0 and *session; -errno refuses with 503 (-EBUSY, -EMFILE) */
    int (*on_websocket)(void *owner, struct websocket *ws, const char *address, const char *token,
                        void **session);
    /** One text frame [len bytes, NUL-terminated]; borrowed. */
    void (*on_message)(void *session, const char *text, size_t len);
    /** The connection is gone (also after websocket_close()), `code` as in websocket.h; `ws` is
     *  invalid afterwards. The session ends a connection with websocket_close(); websocket_free()
     * is the server's. */
    void (*on_close)(void *session, uint16_t code);
    /** POST /whip/{room} or /whep/{room} with an application/sdp body. Answer now or later with
     *  http_reply_created() or http_reply_problem(), exactly once; a client that has left
     *  meanwhile does no harm. `sdp` is borrowed and NUL-terminated, `room` a valid room name. */
    void (*on_media_post)(void *owner, struct http_exchange *x, enum http_media media,
                          const char *room, const char *sdp, size_t len);
    /** A request for a session, or for what is below it; `request` is borrowed. Answer with any
     *  http_reply_...() or http_events_begin(), now or later. */
    void (*on_media_request)(void *owner, struct http_exchange *x,
                             const struct http_media_request *request);
    /** OPTIONS /whip/{room} or /whep/{room} that is no preflight: add what there is to tell by
     *  http_exchange_link(). The answer is sent afterwards. */
    void (*on_media_options)(void *owner, struct http_exchange *x, enum http_media media,
                             const char *room);
    /** Write /metrics for Prometheus into `out`, which is empty. */
    void (*on_metrics)(void *owner, struct text *out);
    /** Serve a request below /v1 of somebody who may ask. Write JSON into `out`, which is empty;
     *  nothing: 204. @return 200, or a status from 400 on with code and text of `error` set */
    int (*on_admin)(void *owner, const struct admin_request *request, struct text *out,
                    struct message *error);
    /** @param room  what is asked is about this room only (any text); NULL: about the server
     *  @return true if this token, which is not admin_token, lets somebody use /v1 and /metrics */
    bool (*on_admin_token)(void *owner, const char *token, const char *room);
    /** Body of /healthz (JSON). @return false: 503 (draining, overloaded) */
    bool (*on_health)(void *owner, char *json, size_t capacity);
    /** The answer to websocket_ping() with that number; NULL: of no interest. */
    void (*on_pong)(void *session, uint64_t number);
};

struct http_config {
    const char *address;  /* "127.0.0.1", "::", ...; copied */
    uint16_t port;        /* 0: any */
    const char *web_root; /* folder of the page; NULL: the page built into the program */
    /* who sends it may use /metrics and /v1; NULL or "": who is on this machine may */
    const char *admin_token;
    uint32_t max_connections, max_connections_per_address;
    uint32_t max_openings_per_s; /* of connections, by one address; 0: no limit */
    uint32_t max_header_bytes, max_body_bytes;
    int timeout_s; /* a request must be complete within it */
    /* max_connections_per_address holds for this host itself, too: not behind a reverse proxy */
    bool limit_loopback;
    /* who says for whom a connection is, by a PROXY header, which it must begin with then */
    struct address_prefixes proxy_protocol;
    struct address_prefixes trusted_proxies; /* whose X-Forwarded-For is believed */
    struct http_origins origins; /* pages of others that may use /ws, WHIP, WHEP and /v1 */
};

/** Port 8080 of all addresses, the built-in page, 10 s; the limits are in http_server.c. */
extern const struct http_config http_default_config;

struct http_stats {
    uint64_t requests;     /* that were understood, upgrades included */
    uint64_t refused;      /* connections over a limit, upgrades the handler did not want */
    uint64_t too_fast;     /* of these: an address opened too many connections in a second */
    uint64_t bad_requests; /* malformed, too large, or not complete in time */
    uint64_t websockets;   /* opened */
    uint64_t messages_in, messages_out;
    uint64_t ws_errors;       /* WebSockets closed for breaking the protocol or a limit */
    uint64_t tls_errors;      /* handshakes that failed or took too long */
    uint64_t accept_errors;   /* no descriptor or memory for a connection that waits */
    uint32_t connections;     /* now, WebSockets included */
    uint32_t open_websockets; /* now */
};

/**
 * Listen and serve.
 *
 * @param config   copied
 * @param handler  copied
 * @return 0; -EADDRINUSE, -EACCES, -EINVAL (address), -EMFILE, -ENOMEM
 */
MUST_USE int http_server_new(struct http_server **ret, struct event_base *base,
                             const struct http_config *config, const struct http_handler *handler,
                             void *owner);

/**
 * Take over admin_token, the limits on connections and bodies, the timeout, proxies and origins;
 * the rest stays. Who is connected stays connected.
 *
 * @return 0; -ENOMEM: some may hold already
 */
MUST_USE int http_server_reconfigure(struct http_server *s, const struct http_config *config);

/** Close every connection (sessions get on_close) and free. NULL is fine. Exchanges that wait for
 *  their answer stay valid until they get it. Not from inside a handler. @return NULL */
struct http_server *http_server_free(struct http_server *s);

/** Refuse new connections from now on; those that are open stay. */
void http_server_stop_accepting(struct http_server *s);

/** Speak TLS from now on; who speaks plain HTTP is sent to https://. `tls` is borrowed and must
 *  outlive the server. */
void http_server_use_tls(struct http_server *s, struct tls_context *tls);

/** @return the port that it listens on */
uint16_t http_server_port(const struct http_server *s);

/** @return the counters, always up to date; valid as long as the server */
const struct http_stats *http_server_stats(const struct http_server *s);

/** Inside on_media_post: read the query as http_request_parameter() does, "" if it is not there. */
void http_exchange_parameter(const struct http_exchange *x, const char *name, char *out,
                             size_t size);

/** Inside on_media_post: read the token of the request as http_request_token() does. */
void http_exchange_token(const struct http_exchange *x, char *out, size_t size);

/** @return where the client is, as text; "": it has left. Valid until the answer */
const char *http_exchange_address(const struct http_exchange *x);

/** Have the refusal that follows tell when to try again (Retry-After, in whole seconds). */
void http_exchange_retry_after(struct http_exchange *x, uint32_t wait_ms);

/** Add a Link to the answer, which is to come. With a user name it says credential-type, too. */
void http_exchange_link(struct http_exchange *x, const struct http_link *link);

/** Answer 201 with Location (a path such as "/whip/demo/3fd2"), ETag (without quotes) and the SDP
 *  answer; `etag` and `sdp` NULL: without. Ends the exchange. */
void http_reply_created(struct http_exchange *x, const char *location, const char *etag,
                        const char *sdp);

/** Answer 200 to a PATCH that has restarted ICE, with ETag and an SDP fragment. Ends the exchange.
 */
void http_reply_restarted(struct http_exchange *x, const char *etag, const char *fragment);

/**
 * Answer 200 with a stream of server-sent events, which stays open. Ends the exchange.
 *
 * @param on_close  the client has left, or does not read; the stream is invalid then. Called once,
 * not from inside a call of its owner's, and not after http_events_end()
 * @return the owner's, until on_close or http_events_end(); NULL: the client has left, no memory
 */
MUST_USE struct http_events *http_events_begin(struct http_exchange *x,
                                               void (*on_close)(void *owner), void *owner);

/** Send an event. @param data  one line */
void http_events_send(struct http_events *e, const char *name, const char *data);

/** Close the stream once everything is sent, without on_close. */
void http_events_end(struct http_events *e);

/** Answer without a body. Ends the exchange. */
void http_reply_empty(struct http_exchange *x, int status);

/** Answer application/problem+json {type, title, status, detail, code}; `code` is a stable word of
 *  docs/PROTOCOL.md, `detail` for people. With 503 it says Retry-After. Ends the exchange. */
void http_reply_problem(struct http_exchange *x, int status, const char *code, const char *detail);

#endif
