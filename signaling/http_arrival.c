/* From an accepted socket to HTTP: a load balancer's header, if it is one; then, where we speak
 * TLS, the first byte tells whether the client does. Both within the time of a request. */
#include "signaling/http_internal.h"
#include "signaling/proxy_header.h"
#include "signaling/tls.h"

#include <assert.h>
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TLS_HANDSHAKE = 0x16 }; /* first byte of a ClientHello's record; no method begins so */

struct http_arrival {
    struct http_connection *connection;
    struct event *readable;
    int fd;                          /* -1: handed on */
    uint8_t *bytes;                  /* owned; of a PROXY header; NULL: none is due */
    size_t len;                      /* of what has come of it */
    struct sockaddr_storage address; /* of the balancer */
};

struct http_arrival *http_arrival_free(struct http_arrival *a)
{
    if (!a)
        return NULL;
    if (a->readable)
        event_free(a->readable);
    if (a->fd >= 0)
        (void)close(a->fd);
    free(a->bytes);
    free(a);
    return NULL;
}

/* The answer may get lost, as the request is not read: it is a courtesy, and costs no memory. */
static void say(int fd, const char *answer)
{
    (void)send(fd, answer, strlen(answer), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* `wait_ms` is when the client may come again, if it came too early; else 0. */
static void turn_away(struct http_server *s, int fd, uint32_t wait_ms)
{
    char answer[256];

    s->stats.refused++;
    s->stats.too_fast += wait_ms > 0;
    if (s->tls)
        return; /* the client could not read it */
    (void)snprintf(answer, sizeof(answer),
                   "HTTP/1.1 %s\r\n"
                   "Retry-After: %u\r\n"
                   "Connection: close\r\n"
                   "Content-Length: 0\r\n"
                   "Access-Control-Allow-Origin: *\r\n\r\n",
                   wait_ms > 0 ? "429 Too Many Requests" : "503 Service Unavailable",
                   wait_ms > 0 ? (unsigned)(wait_ms + 999) / 1000 : (unsigned)HTTP_RETRY_AFTER_S);
    say(fd, answer);
}

/* Ends the connection on failure. */
static void begin_http(struct http_connection *c, bool secure)
{
    struct http_server *s = c->server;
    int fd = c->arrival->fd;
    struct bufferevent *bev = secure ? tls_accept(s->tls, s->base, fd)
                                     : bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);

    if (!bev) {
        turn_away(s, fd, 0);
        http_connection_free(c);
        return;
    }
    c->secure = secure;
    c->arrival->fd = -1;
    c->arrival = http_arrival_free(c->arrival);
    http_connection_begin(c, bev);
}

/* Count the connection as one of its client. @return false: it is refused, and gone */
static bool enter(struct http_connection *c, const struct sockaddr *address)
{
    uint32_t wait_ms = 0;

    if (http_connection_enter(c, address, &wait_ms) == 0)
        return true;
    turn_away(c->server, c->arrival->fd, wait_ms);
    http_connection_free(c);
    return false;
}

static void refuse_header(struct http_connection *c)
{
    c->server->stats.bad_requests++;
    say(c->arrival->fd, "HTTP/1.1 400 Bad Request\r\n"
                        "Connection: close\r\n"
                        "Content-Type: text/plain\r\n"
                        "Content-Length: 57\r\n\r\n"
                        "from this address a PROXY header must come before HTTP.\r\n");
    http_connection_free(c);
}

/* Take what belongs to the header from the socket, and no more. @return true: it is there, and the
 * connection counted; false: wait, or the connection is gone */
static bool read_header(struct http_connection *c)
{
    struct http_arrival *a = c->arrival;
    struct proxy_header header = {0};
    ssize_t n = recv(a->fd, a->bytes + a->len, PROXY_HEADER_MAX - a->len, MSG_PEEK);
    const struct sockaddr *address;
    ptrdiff_t used;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        http_connection_free(c); /* balancers look so whether we are there */
        return false;
    }
    used = proxy_header_parse(&header, a->bytes, a->len + (size_t)n);
    if (used < 0 || (used == 0 && a->len + (size_t)n == PROXY_HEADER_MAX)) {
        refuse_header(c);
        return false;
    }
    if (used > 0)
        n = used - (ptrdiff_t)a->len;
    (void)!recv(a->fd, a->bytes + a->len, (size_t)n, 0);
    a->len += (size_t)n;
    if (used == 0)
        return false;
    free(a->bytes);
    a->bytes = NULL;
    address = (const struct sockaddr *)(header.known ? &header.client : &a->address);
    return enter(c, address);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct http_arrival *a = arg;
    struct http_connection *c = a->connection;
    uint8_t first;
    ssize_t n;

    (void)what;
    if (a->bytes && !read_header(c))
        return;
    if (!c->server->tls) {
        begin_http(c, false);
        return;
    }
    n = recv(fd, &first, 1, MSG_PEEK);
    if (n == 1)
        begin_http(c, first == TLS_HANDSHAKE);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        http_connection_free(c);
}

/* Wait for the first bytes. @return 0; -ENOMEM */
static int wait_for_bytes(struct http_arrival *a, bool header)
{
    if (header) {
        a->bytes = malloc(PROXY_HEADER_MAX);
        if (!a->bytes)
            return -ENOMEM;
    }
    a->readable = event_new(a->connection->server->base, a->fd, EV_READ | EV_PERSIST, on_readable,
                            a);
    return a->readable && event_add(a->readable, NULL) == 0 ? 0 : -ENOMEM;
}

/* @return NULL: no memory, and the socket is still the caller's */
static struct http_connection *make_connection(struct http_server *s, int fd)
{
    struct http_connection *c = http_connection_new(s);
    struct http_arrival *a = c ? calloc(1, sizeof(*a)) : NULL;

    if (!a) {
        if (c)
            http_connection_free(c);
        return NULL;
    }
    a->connection = c;
    a->fd = fd;
    c->arrival = a;
    return c;
}

void http_arrival_accept(struct http_server *s, int fd, const struct sockaddr *address)
{
    bool header = address_prefixes_have(&s->config.proxy_protocol, address);
    struct http_connection *c = make_connection(s, fd);

    if (!c) {
        turn_away(s, fd, 0);
        (void)close(fd);
        return;
    }
    if (!header && !enter(c, address))
        return;
    if (!header && !s->tls) {
        begin_http(c, false);
        return;
    }
    memcpy(&c->arrival->address, address,
           address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                          : sizeof(struct sockaddr_in));
    if (wait_for_bytes(c->arrival, header) < 0) {
        turn_away(s, fd, 0);
        http_connection_free(c);
    }
}
