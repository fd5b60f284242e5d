#include "signaling/websocket_dial.h"

#include "media/base/text.h"
#include "signaling/tls.h"
#include "signaling/websocket.h"
#include "signaling/websocket_key.h"

#include <ctype.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { MAX_URL = 2048, MAX_HOST = 255 };

struct websocket_dial {
    struct event_base *base;
    const struct websocket_dial_handler *handler;
    void *owner;
    struct bufferevent *bev; /* NULL before the first address is tried */
    struct event *timer;     /* starts the look-up, then limits the whole */
    struct addrinfo *addresses, *next_address;
    char host[MAX_HOST + 1], port[8];
    char *target;         /* path and query; owned */
    const char *protocol; /* NULL: none */
    char key[WEBSOCKET_KEY_LEN + 1];
    bool secure;
    struct tls_context *tls, *own_tls; /* borrowed or own_tls; made when none was given */
    bool started;
};

static void try_next_address(struct websocket_dial *d, int error);

struct websocket_dial *websocket_dial_free(struct websocket_dial *d)
{
    if (!d)
        return NULL;
    if (d->timer)
        event_free(d->timer);
    if (d->bev)
        bufferevent_free(d->bev);
    if (d->addresses)
        freeaddrinfo(d->addresses);
    d->own_tls = tls_free(d->own_tls);
    free(d->target);
    free(d);
    return NULL;
}

static void stop(struct websocket_dial *d)
{
    (void)event_del(d->timer);
    if (d->bev) {
        bufferevent_setcb(d->bev, NULL, NULL, NULL, NULL);
        (void)bufferevent_disable(d->bev, EV_READ | EV_WRITE);
    }
}

static void fail(struct websocket_dial *d, const char *reason)
{
    stop(d);
    d->handler->on_failed(d->owner, reason);
}

/* "Connection refused" as part of a sentence. */
static void fail_errno(struct websocket_dial *d, int error)
{
    const char *text = strerrordesc_np(error);
    char reason[128];

    (void)snprintf(reason, sizeof(reason), "%s", text ? text : "cannot connect");
    reason[0] = (char)(tolower)((unsigned char)reason[0]);
    fail(d, reason);
}

/* "HTTP/1.1 101 ..." -> 101; 0: no such line. *phrase is what comes after "HTTP/1.1 ". */
static int parse_status(const char *line, const char **phrase)
{
    if (strncmp(line, "HTTP/1.1 ", 9) != 0)
        return 0;
    *phrase = line + 9;
    for (int i = 0; i < 3; i++) {
        if (!isdigit((unsigned char)(*phrase)[i]))
            return 0;
    }
    return ((*phrase)[0] - '0') * 100 + ((*phrase)[1] - '0') * 10 + ((*phrase)[2] - '0');
}

static bool status_is_101(struct websocket_dial *d, const char *line)
{
    const char *phrase = "";
    int status = parse_status(line, &phrase);
    char reason[160];

    if (status == 101)
        return true;
    if (status == 0)
        (void)snprintf(reason, sizeof(reason), "the server does not speak HTTP");
    else
        (void)snprintf(reason, sizeof(reason), "the server answered %.100s", phrase);
    for (char *c = reason; *c; c++) {
        if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
            *c = '?'; /* it goes to a terminal */
    }
    fail(d, reason);
    return false;
}

/* Read header lines up to the empty one. @return true if the key's answer was right */
static bool find_accept(struct websocket_dial *d, struct evbuffer *input)
{
    static const char name[] = "Sec-WebSocket-Accept:";
    char expected[29];
    bool right = false;
    char *line;

    websocket_accept_key(d->key, expected);
    while ((line = evbuffer_readln(input, NULL, EVBUFFER_EOL_CRLF)) != NULL) {
        bool last = line[0] == '\0';

        if (strncasecmp(line, name, sizeof(name) - 1) == 0) {
            const char *value = line + sizeof(name) - 1;

            value += strspn(value, " \t");
            right = strncmp(value, expected, 28) == 0 &&
                    strspn(value + 28, " \t") == strlen(value + 28);
        }
        free(line);
        if (last)
            break;
    }
    return right;
}

static void on_answer(struct bufferevent *bev, void *arg)
{
    struct websocket_dial *d = arg;
    struct evbuffer *input = bufferevent_get_input(bev);
    struct evbuffer_ptr end = evbuffer_search(input, "\r\n\r\n", 4, NULL);

    if (end.pos < 0) {
        if (evbuffer_get_length(input) > WEBSOCKET_DIAL_MAX_ANSWER)
            fail(d, "the server's answer is too long");
        return;
    }

    char *line = evbuffer_readln(input, NULL, EVBUFFER_EOL_CRLF);

    if (!line) {
        fail(d, "out of memory");
        return;
    }

    bool upgraded = status_is_101(d, line); /* otherwise `d` may be gone */

    free(line);
    if (!upgraded)
        return;
    if (!find_accept(d, input)) {
        fail(d, "the server is no WebSocket server (wrong Sec-WebSocket-Accept)");
        return;
    }
    stop(d);
    d->bev = NULL;
    d->handler->on_upgraded(d->owner, bev);
}

static void send_request(struct websocket_dial *d)
{
    bool v6 = strchr(d->host, ':') != NULL;

    (void)evbuffer_add_printf(bufferevent_get_output(d->bev),
                              "GET %s HTTP/1.1\r\n"
                              "Host: %s%s%s:%s\r\n"
                              "User-Agent: sluice\r\n"
                              "Upgrade: websocket\r\n"
                              "Connection: Upgrade\r\n"
                              "Sec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: %s\r\n%s%s%s\r\n",
                              d->target, v6 ? "[" : "", d->host, v6 ? "]" : "", d->port, d->key,
                              d->protocol ? "Sec-WebSocket-Protocol: " : "",
                              d->protocol ? d->protocol : "", d->protocol ? "\r\n" : "");
    (void)bufferevent_enable(d->bev, EV_READ | EV_WRITE);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct websocket_dial *d = arg;
    int error = EVUTIL_SOCKET_ERROR();
    char reason[TLS_ERROR_SIZE] = "";

    if (!(what & BEV_EVENT_CONNECTED) && d->secure)
        (void)tls_error(bev, reason);
    if (reason[0]) {
        fail(d, reason);
    } else if (what & BEV_EVENT_CONNECTED) {
        d->next_address = NULL; /* from here on the server itself is the reason */
        d->started = true;
        send_request(d);
    } else if (!d->started) {
        try_next_address(d, error ? error : ECONNREFUSED);
    } else if (what & BEV_EVENT_EOF) {
        fail(d, "the server closed the connection instead of answering");
    } else {
        fail_errno(d, error ? error : ECONNRESET);
    }
}

/* `localhost` is often ::1 first, where an IPv4 server does not listen. */
static void try_next_address(struct websocket_dial *d, int error)
{
    while (d->next_address) {
        struct addrinfo *address = d->next_address;

        d->next_address = address->ai_next;
        if (d->bev)
            bufferevent_free(d->bev);
        d->bev = d->secure ? tls_connect(d->tls, d->base, d->host)
                           : bufferevent_socket_new(d->base, -1, BEV_OPT_CLOSE_ON_FREE);
        if (!d->bev) {
            error = ENOMEM;
            break;
        }
        bufferevent_setcb(d->bev, on_answer, NULL, on_event, d);
        if (bufferevent_socket_connect(d->bev, address->ai_addr, (int)address->ai_addrlen) == 0)
            return;
        error = EVUTIL_SOCKET_ERROR();
    }
    fail_errno(d, error);
}

/* @return false: it has failed */
static bool prepare_tls(struct websocket_dial *d)
{
    char error[TLS_ERROR_SIZE];

    if (!d->secure || d->tls)
        return true;
    if (tls_client_new(&d->own_tls, NULL, false, error) < 0) {
        fail(d, error);
        return false;
    }
    d->tls = d->own_tls;
    return true;
}

static void look_up(struct websocket_dial *d)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    int err = getaddrinfo(d->host, d->port, &hints, &d->addresses);
    char reason[400];

    if (err == 0) {
        d->next_address = d->addresses;
        try_next_address(d, ECONNREFUSED);
        return;
    }
    (void)snprintf(reason, sizeof(reason), "cannot find %s: %s", d->host, gai_strerror(err));
    fail(d, reason);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    static const struct timeval limit = {.tv_sec = WEBSOCKET_DIAL_S};
    struct websocket_dial *d = arg;

    (void)fd;
    (void)what;
    if (d->addresses) {
        fail(d, "the server did not answer in time");
        return;
    }
    (void)event_add(d->timer, &limit);
    if (prepare_tls(d))
        look_up(d);
}

/* Fill host, port and target from a parsed URL. */
static int use_uri(struct websocket_dial *d, const struct evhttp_uri *uri)
{
    const char *scheme = evhttp_uri_get_scheme(uri);
    const char *host = evhttp_uri_get_host(uri);
    const char *path = evhttp_uri_get_path(uri);
    const char *query = evhttp_uri_get_query(uri);
    int port = evhttp_uri_get_port(uri);
    size_t len = host ? strlen(host) : 0;
    struct text target;

    d->secure = scheme && strcasecmp(scheme, "wss") == 0;
    if (!scheme || (strcasecmp(scheme, "ws") != 0 && !d->secure) || len == 0 ||
        evhttp_uri_get_userinfo(uri) || evhttp_uri_get_fragment(uri) || port == 0 ||
        port > UINT16_MAX)
        return -EINVAL;
    if (host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    if (len == 0 || len > MAX_HOST)
        return -EINVAL;
    memcpy(d->host, host, len);
    d->host[len] = '\0';
    (void)snprintf(d->port, sizeof(d->port), "%d", port < 0 ? (d->secure ? 443 : 80) : port);

    text_init(&target, MAX_URL);
    text_append(&target, path && path[0] ? path : "/");
    if (query)
        text_printf(&target, "?%s", query);
    d->target = text_take(&target);
    return d->target ? 0 : -ENOMEM;
}

static int parse_url(struct websocket_dial *d, const char *url)
{
    struct evhttp_uri *uri = strlen(url) <= MAX_URL ? evhttp_uri_parse(url) : NULL;

    if (!uri)
        return -EINVAL;

    int err = use_uri(d, uri);

    evhttp_uri_free(uri);
    return err;
}

void websocket_dial_ask(struct websocket_dial *d, const char *protocol)
{
    d->protocol = protocol;
}

void websocket_dial_trust(struct websocket_dial *d, struct tls_context *tls)
{
    d->tls = tls;
}

int websocket_dial_new(struct websocket_dial **ret, struct event_base *base, const char *url,
                       const struct websocket_dial_handler *handler, void *owner)
{
    static const struct timeval now = {0};
    struct websocket_dial *d = calloc(1, sizeof(*d));
    int err;

    if (!d)
        return -ENOMEM;
    d->base = base;
    d->handler = handler;
    d->owner = owner;
    websocket_key_new(d->key);
    err = parse_url(d, url);
    if (err < 0)
        goto fail;
    d->timer = evtimer_new(base, on_timer, d);
    err = d->timer && event_add(d->timer, &now) == 0 ? 0 : -ENOMEM;
    if (err < 0)
        goto fail;
    *ret = d;
    return 0;
fail:
    websocket_dial_free(d);
    return err;
}
