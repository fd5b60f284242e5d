/**
 * @file http_fixture.h  An HTTP server on loopback, a handler that notes what it sees, and raw
 * clients. One server at a time; everything runs in the caller's thread. A header, because a check
 * ends a case of the file it stands in.
 */
#ifndef TESTS_HTTP_FIXTURE_H
#define TESTS_HTTP_FIXTURE_H

#include "media/base/text.h"
#include "signaling/admin_request.h"
#include "signaling/http_server.h"
#include "signaling/websocket.h"
#include "tests/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WEB_MAX_ANSWER = 512 * 1024, WEB_PATIENCE_MS = 5000 };

/* What the handler saw, and what it shall do. */
struct web_seen {
    int posts, requests, messages, opened, closed;
    enum http_media media;
    enum http_method method;
    char part[80], if_match[80];
    char room[80], resource[80], name[16], sdp[80], message[80], address[64], token[80];
    struct http_exchange *waiting; /* POST that is not answered yet */
    struct websocket *ws;
    struct admin_request admin; /* the last one */
    bool answer_later, unhealthy, busy;
};

#define GET(path)                "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define POST(path, fields, body) "POST " path " HTTP/1.1\r\nHost: x\r\n" fields "\r\n" body
#define SDP                      "Content-Type: application/sdp\r\n"
#define WEB_UPGRADE                                                                 \
    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\nConnection: keep-alive, " \
    "Upgrade\r\nSec-WebSocket-Version: 13\r\n"
#define WEB_KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static struct event_base *web_base;
static struct http_server *web_server;
static struct http_config web_config; /* change it between web_prepare() and web_start() */
static struct web_seen web_seen;
static char web_answer[WEB_MAX_ANSWER + 1]; /* what web_read_answer() got */
static size_t web_answer_len;

static inline int web_on_websocket(void *owner, struct websocket *ws, const char *address,
                                   const char *token, void **session)
{
    struct web_seen *s = owner;

    (void)snprintf(s->token, sizeof(s->token), "%s", token);

    if (s->busy)
        return -EBUSY;
    s->opened++;
    s->ws = ws;
    (void)snprintf(s->address, sizeof(s->address), "%s", address);
    CHECK_EQ(websocket_send(ws, "welcome", 7), 0);
    *session = s;
    return 0;
}

static inline void web_on_message(void *session, const char *text, size_t len)
{
    struct web_seen *s = session;

    s->messages++;
    (void)snprintf(s->message, sizeof(s->message), "%.*s", (int)len, text);
    if (strcmp(text, "bye") == 0)
        websocket_close(s->ws, 1000, "bye");
}

static inline void web_on_close(void *session, uint16_t code)
{
    (void)code;
    struct web_seen *s = session;

    s->closed++;
    s->ws = NULL;
}

static inline void web_on_media_post(void *owner, struct http_exchange *x, enum http_media media,
                                     const char *room, const char *sdp, size_t len)
{
    struct web_seen *s = owner;

    CHECK_EQ(sdp[len], '\0');
    s->posts++;
    s->media = media;
    (void)snprintf(s->room, sizeof(s->room), "%s", room);
    (void)snprintf(s->sdp, sizeof(s->sdp), "%s", sdp);
    http_exchange_parameter(x, "name", s->name, sizeof(s->name));
    if (s->answer_later)
        s->waiting = x;
    else
        http_reply_created(x, "/whip/demo/r1\r\nX-Evil: 1", "xyzzy", "v=0 answer");
}

static inline void web_on_media_request(void *owner, struct http_exchange *x,
                                        const struct http_media_request *request)
{
    struct web_seen *s = owner;

    s->method = request->method;
    s->media = request->media;
    (void)snprintf(s->room, sizeof(s->room), "%s", request->room);
    (void)snprintf(s->resource, sizeof(s->resource), "%s", request->resource);
    (void)snprintf(s->part, sizeof(s->part), "%s/%s", request->part, request->stream);
    (void)snprintf(s->if_match, sizeof(s->if_match), "%s",
                   request->if_match ? request->if_match : "(none)");
    (void)snprintf(s->sdp, sizeof(s->sdp), "%s", request->body);
    s->requests++;
    if (strcmp(request->resource, "r1") != 0)
        http_reply_problem(x, 404, "not_found", "no \"such\" thing");
    else if (request->method == HTTP_PATCH)
        http_reply_restarted(x, "new", "a=ice-ufrag:x");
    else
        http_reply_empty(x, request->method == HTTP_DELETE ? 200 : 204);
}

static inline void web_on_media_options(void *owner, struct http_exchange *x, enum http_media media,
                                        const char *room)
{
    static const struct http_link stun = {.uri = "stun:stun.example", .rel = "ice-server"};
    static const struct http_link turn = {.uri = "turn:turn.example?transport=udp",
                                          .rel = "ice-server",
                                          .username = "1:a\"b",
                                          .credential = "c\\d"};

    (void)owner;
    (void)media;
    CHECK(room[0]);
    http_exchange_link(x, &stun);
    http_exchange_link(x, &turn);
}

static inline bool web_on_health(void *owner, char *json, size_t capacity)
{
    struct web_seen *s = owner;

    (void)snprintf(json, capacity, "{\"rooms\":3}");
    return !s->unhealthy;
}

static inline void web_on_metrics(void *owner, struct text *out)
{
    (void)owner;
    text_append(out, "metrics of all");
}

static inline int web_on_admin(void *owner, const struct admin_request *request, struct text *out,
                               struct message *error)
{
    struct web_seen *s = owner;

    s->admin = *request;
    if (strcmp(request->room, "other") != 0) {
        if (request->action < ADMIN_CLOSE_ROOM)
            text_printf(out, "{\"action\":%d}", (int)request->action);
        return 200;
    }
    (void)snprintf(error->code, sizeof(error->code), "unknown_room");
    return 404;
}

static inline bool web_on_admin_token(void *owner, const char *token, const char *room)
{
    (void)owner;
    if (strcmp(token, "of demo") == 0)
        return room && strcmp(room, "demo") == 0;
    return strcmp(token, "granted") == 0;
}

static const struct http_handler web_handler = {
    .on_websocket = web_on_websocket,
    .on_message = web_on_message,
    .on_close = web_on_close,
    .on_media_post = web_on_media_post,
    .on_media_request = web_on_media_request,
    .on_media_options = web_on_media_options,
    .on_metrics = web_on_metrics,
    .on_admin = web_on_admin,
    .on_admin_token = web_on_admin_token,
    .on_health = web_on_health,
};

/** Make the loop and a configuration; web_start() makes the server; web_set_up() does both. */
static inline void web_prepare(void)
{
    web_base = event_base_new();
    CHECK(web_base);
    web_seen = (struct web_seen){0};
    web_config = http_default_config;
    web_config.address = "127.0.0.1";
    web_config.port = 0;
    web_config.origins.any = true;
}

static inline void web_start(void)
{
    CHECK_EQ(http_server_new(&web_server, web_base, &web_config, &web_handler, &web_seen), 0);
}

static inline void web_set_up(void)
{
    web_prepare();
    web_start();
}

static inline void web_tear_down(void)
{
    web_server = http_server_free(web_server);
    event_base_free(web_base);
}

/** @return the server's counters */
static inline const struct http_stats *web_stats(void)
{
    return http_server_stats(web_server);
}

/* A client is a socket */

/** @return a connected socket, not blocking */
static inline int web_open_client(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons(http_server_port(web_server))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CHECK(fd >= 0);
    CHECK_EQ(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    (void)evutil_make_socket_nonblocking(fd);
    return fd;
}

/** One turn of the loop, of 10 ms at most. */
static inline void web_turn(void)
{
    struct timeval limit = {.tv_usec = 10 * 1000};

    (void)event_base_loopexit(web_base, &limit);
    (void)event_base_loop(web_base, EVLOOP_ONCE);
}

/** Send all of it, unless the server closes. */
static inline void web_send_bytes(int fd, const char *bytes, size_t len)
{
    for (int i = 0; len > 0 && i < 1000; i++) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        } else if (n < 0 && errno != EAGAIN) {
            return; /* the server has closed, as some cases want it to */
        }
        web_turn();
    }
}

static inline void web_send(int fd, const char *text)
{
    web_send_bytes(fd, text, strlen(text));
}

/* Content-Length of `answer`, 0 if there is none. */
/** @return Content-Length of the answer */
static inline size_t web_body_len(void)
{
    const char *field = strstr(web_answer, "\r\nContent-Length: ");

    return field ? strtoul(field + 18, NULL, 10) : 0;
}

static inline bool web_answer_is_whole(bool head_only)
{
    const char *end = strstr(web_answer, "\r\n\r\n");

    return end &&
           web_answer_len >= (size_t)(end - web_answer) + 4 + (head_only ? 0 : web_body_len());
}

/* Read one answer into `answer`. @return false if the server closed instead */
/** Read one answer; of a HEAD or an upgrade its head only. @return false: the server closed */
static inline bool web_read_answer(int fd, bool head_only)
{
    web_answer_len = 0;
    web_answer[0] = '\0';
    for (int waited = 0; waited < WEB_PATIENCE_MS && !web_answer_is_whole(head_only);
         waited += 10) {
        ssize_t n = recv(fd, web_answer + web_answer_len, WEB_MAX_ANSWER - web_answer_len, 0);

        if (n == 0 || (n < 0 && errno != EAGAIN))
            return false;
        if (n > 0) {
            web_answer_len += (size_t)n;
            web_answer[web_answer_len] = '\0';
        } else {
            web_turn();
        }
    }
    return web_answer_is_whole(head_only);
}

/** @return true if the server closes the connection, within a second, and sends nothing more */
static inline bool web_is_closed(int fd)
{
    char c;

    for (int waited = 0; waited < WEB_PATIENCE_MS / 5; waited += 10) {
        ssize_t n = recv(fd, &c, 1, 0);

        if (n >= 0)
            return n == 0;
        if (errno != EAGAIN)
            return true;
        web_turn();
    }
    return false;
}

/** A new client sends `request`, and is answered with this status. */
static inline void web_check_status(const char *request, int status)
{
    char expected[16];
    int fd = web_open_client();

    web_send(fd, request);
    CHECK(web_read_answer(fd, strncmp(request, "HEAD", 4) == 0));
    (void)snprintf(expected, sizeof(expected), "HTTP/1.1 %d ", status);
    if (strncmp(web_answer, expected, strlen(expected)) != 0)
        printf("# %.40s... was answered %.30s\n", request, web_answer);
    CHECK(strncmp(web_answer, expected, strlen(expected)) == 0);
    (void)close(fd);
    web_turn();
}

/** The last answer has these words. */
static inline void web_check_has(const char *words)
{
    if (!strstr(web_answer, words))
        printf("# no \"%s\" in:\n%s\n", words, web_answer);
    CHECK(strstr(web_answer, words));
}

/** The same, with problem+json that has this code. */
static inline void web_check_problem(const char *request, int status, const char *code)
{
    char member[64];

    web_check_status(request, status);
    (void)snprintf(member, sizeof(member), "\"code\":\"%s\"}", code);
    web_check_has(member);
    web_check_has("Content-Type: application/problem+json\r\n");
    web_check_has("Access-Control-Allow-Origin: *\r\n");
}

/** @return a client that was upgraded; the 101 is in web_answer */
static inline int web_open_websocket(void)
{
    int fd = web_open_client();

    web_send(fd, WEB_UPGRADE WEB_KEY "\r\n");
    CHECK(web_read_answer(fd, true));
    web_check_has("HTTP/1.1 101 Switching Protocols\r\n");
    web_check_has("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
    return fd;
}

#endif
