#include "signaling/http_internal.h"
#include "signaling/tls.h"
#include "signaling/websocket.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Input that is kept while an earlier request is being answered, beyond a whole head. */
enum { MAX_WAITING = 16 * 1024 };

static bool is_legal_move(enum http_connection_state from, enum http_connection_state to)
{
    switch (from) {
    case HTTP_ARRIVING:
        return to == HTTP_READING_HEAD;
    case HTTP_READING_HEAD:
        return to == HTTP_READING_BODY || to == HTTP_ANSWERING || to == HTTP_CLOSING;
    case HTTP_READING_BODY:
        return to == HTTP_ANSWERING || to == HTTP_CLOSING;
    case HTTP_ANSWERING:
        return to == HTTP_SENDING || to == HTTP_UPGRADED || to == HTTP_STREAMING ||
               to == HTTP_ANSWERING || to == HTTP_CLOSING;
    case HTTP_SENDING:
        return to == HTTP_READING_HEAD || to == HTTP_CLOSING;
    case HTTP_CLOSING:
    case HTTP_UPGRADED:
    case HTTP_STREAMING:
        return false;
    }
    return false;
}

static void set_state(struct http_connection *c, enum http_connection_state state)
{
    bool legal = is_legal_move(c->state, state);

    assert(legal);
    (void)legal; /* release builds */
    c->state = state;
}

static void set_timer(struct http_connection *c, uint64_t seconds)
{
    struct timeval limit = {.tv_sec = (time_t)seconds};

    (void)event_add(c->timer, &limit);
}

static void drop_request(struct http_connection *c)
{
    free(c->head);
    c->head = NULL;
    http_body_done(&c->body);
    free(c->request);
    c->request = NULL;
}

void http_connection_free(struct http_connection *c)
{
    struct http_server *s = c->server;

    if (c->ws) {
        s->stats.open_websockets--;
        s->handler.on_close(c->session, c->close_code);
        c->ws = websocket_free(c->ws);
    }
    if (c->events)
        http_events_closed(c->events);
    if (c->exchange)
        c->exchange->connection = NULL;
    list_unlink(&c->link);
    if (c->client) {
        http_clients_leave(&s->clients, c->client);
        s->stats.connections--;
    }
    c->arrival = http_arrival_free(c->arrival);
    if (c->bev)
        bufferevent_free(c->bev);
    if (c->timer)
        event_free(c->timer);
    drop_request(c);
    free(c);
}

/* Make the exchange of the request that was read. On failure the connection ends from the loop. */
static struct http_exchange *begin_exchange(struct http_connection *c)
{
    struct http_exchange *x = http_exchange_new(c);

    if (!x) {
        set_state(c, HTTP_CLOSING);
        set_timer(c, 0);
        return NULL;
    }
    c->exchange = x;
    set_state(c, HTTP_ANSWERING);
    set_timer(c, HTTP_ANSWER_S);
    return x;
}

/* What follows in the input means nothing: this is the last answer. */
static void refuse(struct http_connection *c, const struct http_problem *problem)
{
    struct http_exchange *x;

    c->server->stats.bad_requests++;
    c->persistent = false;
    x = begin_exchange(c);
    if (x)
        http_reply_problem(x, problem->status, problem->code, problem->detail);
}

static void dispatch(struct http_connection *c)
{
    struct http_exchange *x = begin_exchange(c);

    c->server->stats.requests++;
    if (x && c->server->tls && !c->secure)
        http_redirect_serve(x);
    else if (x)
        http_route(x);
}

static void read_body(struct http_connection *c)
{
    static const struct http_problem too_large = {413, "too_large", "the body is too long"};
    static const struct http_problem bad_chunk = {400, "bad_request", "bad chunked coding"};
    int done = http_body_read(&c->body, bufferevent_get_input(c->bev));

    if (done > 0)
        dispatch(c);
    else if (done < 0)
        refuse(c, done == -E2BIG ? &too_large : &bad_chunk);
}

/* @return bytes of the head with its empty line; 0: it is not yet whole */
static size_t find_head(struct evbuffer *input)
{
    struct evbuffer_ptr crlf = evbuffer_search(input, "\n\r\n", 3, NULL);
    struct evbuffer_ptr lf = evbuffer_search(input, "\n\n", 2, NULL);
    size_t crlf_end = crlf.pos < 0 ? 0 : (size_t)crlf.pos + 3;
    size_t lf_end = lf.pos < 0 ? 0 : (size_t)lf.pos + 2;

    if (crlf_end == 0 || (lf_end > 0 && lf_end < crlf_end))
        return lf_end;
    return crlf_end;
}

static int parse_head(struct http_connection *c, size_t len, struct http_problem *problem)
{
    static const struct http_problem no_memory = {503, "busy", "out of memory"};
    static const struct http_problem has_nul = {400, "bad_request", "a NUL in the header"};

    c->head = malloc(len + 1);
    c->request = calloc(1, sizeof(*c->request));
    if (!c->head || !c->request) {
        *problem = no_memory;
        return -ENOMEM;
    }
    (void)evbuffer_remove(bufferevent_get_input(c->bev), c->head, len);
    c->head[len] = '\0';
    if (strlen(c->head) != len) {
        *problem = has_nul;
        return -EBADMSG;
    }
    return http_request_parse(c->request, c->head, problem);
}

/* Empty lines before a request are tolerated: RFC 9112 section 2.2 */
static void skip_empty_lines(struct evbuffer *input)
{
    char c;

    while (evbuffer_copyout(input, &c, 1) == 1 && (c == '\r' || c == '\n'))
        (void)evbuffer_drain(input, 1);
}

static void read_head(struct http_connection *c)
{
    static const struct http_problem too_long = {431, "header_too_large", "the header is too long"};
    static const struct http_problem too_large = {413, "too_large", "the body is too long"};
    struct evbuffer *input = bufferevent_get_input(c->bev);
    const struct http_config *config = &c->server->config;
    struct http_problem problem;

    skip_empty_lines(input);

    size_t len = find_head(input);

    if (len > config->max_header_bytes ||
        (len == 0 && evbuffer_get_length(input) > config->max_header_bytes)) {
        refuse(c, &too_long);
        return;
    }
    if (len == 0)
        return;
    if (parse_head(c, len, &problem) < 0) {
        drop_request(c);
        refuse(c, &problem);
        return;
    }
    c->persistent = c->request->persistent;
    if (c->request->content_length > config->max_body_bytes) {
        refuse(c, &too_large);
        return;
    }
    if (c->request->wants_continue)
        (void)evbuffer_add_printf(bufferevent_get_output(c->bev), "HTTP/1.1 100 Continue\r\n\r\n");
    http_body_init(&c->body, c->request, config->max_body_bytes);
    set_state(c, HTTP_READING_BODY);
}

static void read_request(struct http_connection *c)
{
    if (c->state == HTTP_READING_HEAD)
        read_head(c);
    if (c->state == HTTP_READING_BODY)
        read_body(c);
}

static void on_readable(struct bufferevent *bev, void *arg)
{
    struct http_connection *c = arg;
    struct evbuffer *input = bufferevent_get_input(bev);

    if (c->state == HTTP_CLOSING ||
        c->state == HTTP_STREAMING) /* unread bytes would make the kernel reset the connection */
        (void)evbuffer_drain(input, evbuffer_get_length(input));
    else
        read_request(c);
}

void http_connection_answered(struct http_connection *c)
{
    size_t len = evbuffer_get_length(bufferevent_get_output(c->bev));

    set_state(c, HTTP_SENDING);
    set_timer(c, (uint64_t)c->server->config.timeout_s + len / HTTP_MIN_RATE);
}

void http_connection_upgraded(struct http_connection *c, struct websocket *ws)
{
    set_state(c, HTTP_UPGRADED);
    (void)event_del(c->timer);
    c->bev = NULL;
    c->ws = ws;
    drop_request(c);
    c->server->stats.open_websockets++;
}

void http_connection_streams(struct http_connection *c, struct http_events *e)
{
    set_state(c, HTTP_STREAMING);
    c->events = e;
    set_timer(c, HTTP_EVENTS_PING_S);
}

void http_connection_end_soon(struct http_connection *c, uint64_t seconds)
{
    set_timer(c, seconds);
}

static void begin_request(struct http_connection *c)
{
    drop_request(c);
    set_state(c, HTTP_READING_HEAD);
    set_timer(c, (uint64_t)c->server->config.timeout_s);
    read_request(c);
}

static void on_written(struct bufferevent *bev, void *arg)
{
    struct http_connection *c = arg;

    if (c->state != HTTP_SENDING)
        return;
    if (c->client_closed) {
        http_connection_free(c);
    } else if (c->persistent) {
        begin_request(c);
    } else {
        struct evbuffer *input = bufferevent_get_input(bev);

        if (c->secure)
            tls_finish(bev);
        (void)shutdown(bufferevent_getfd(bev), SHUT_WR);
        (void)evbuffer_drain(input, evbuffer_get_length(input));
        set_state(c, HTTP_CLOSING);
        set_timer(c, HTTP_LINGER_S);
    }
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct http_connection *c = arg;

    (void)bev;
    if (what & BEV_EVENT_CONNECTED) {
        c->shaken = true;
        return; /* the TLS handshake is over: the request is to come */
    }
    if (c->secure && !c->shaken)
        c->server->stats.tls_errors++;
    if (c->state == HTTP_SENDING && (what & BEV_EVENT_EOF) && (what & BEV_EVENT_READING))
        c->client_closed = true; /* its half only: it may still read the answer */
    else
        http_connection_free(c);
}

/* The handler is late: the client gets an answer now, the handler's goes nowhere. */
static void abandon_exchange(struct http_connection *c)
{
    struct http_exchange *x = c->exchange;

    x->connection = NULL;
    c->exchange = NULL;
    c->persistent = false;
    x = begin_exchange(c);
    if (x)
        http_reply_problem(x, 504, "timeout", "the server did not answer in time");
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    static const struct http_problem late = {408, "timeout",
                                             "the request was not complete in time"};
    struct http_connection *c = arg;

    (void)fd;
    (void)what;
    switch (c->state) {
    case HTTP_ARRIVING:
        http_connection_free(c);
        break;
    case HTTP_READING_HEAD:
        if (c->secure && !c->shaken)
            c->server->stats.tls_errors++;
        if (evbuffer_get_length(bufferevent_get_input(c->bev)) > 0)
            refuse(c, &late);
        else
            http_connection_free(c); /* idle */
        break;
    case HTTP_READING_BODY:
        refuse(c, &late);
        break;
    case HTTP_ANSWERING:
        abandon_exchange(c);
        break;
    case HTTP_SENDING:
    case HTTP_CLOSING:
        http_connection_free(c);
        break;
    case HTTP_STREAMING:
        if (c->events && http_events_keep(c->events))
            set_timer(c, HTTP_EVENTS_PING_S);
        else
            http_connection_free(c);
        break;
    case HTTP_UPGRADED:
        break;
    }
}

void http_connection_watch(struct http_connection *c, struct bufferevent *bev)
{
    c->bev = bev;
    bufferevent_setwatermark(bev, EV_READ, 0, c->server->config.max_header_bytes + MAX_WAITING);
    bufferevent_setcb(bev, on_readable, on_written, on_event, c);
    (void)bufferevent_enable(bev, EV_READ | EV_WRITE);
}

static void write_address(char out[INET6_ADDRSTRLEN], const struct sockaddr *address)
{
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;

    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        (void)inet_ntop(AF_INET, &v4.sin_addr, out, INET6_ADDRSTRLEN);
    } else if (address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof(v6));
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr))
            (void)inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], out, INET6_ADDRSTRLEN);
        else
            (void)inet_ntop(AF_INET6, &v6.sin6_addr, out, INET6_ADDRSTRLEN);
    }
}

struct http_connection *http_connection_new(struct http_server *s)
{
    struct http_connection *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->server = s;
    list_append(&s->connections, &c->link);
    c->timer = evtimer_new(s->base, on_timer, c);
    if (!c->timer) {
        http_connection_free(c);
        return NULL;
    }
    set_timer(c, (uint64_t)s->config.timeout_s);
    return c;
}

int http_connection_enter(struct http_connection *c, const struct sockaddr *address,
                          uint32_t *wait_ms)
{
    struct http_server *s = c->server;
    struct timeval now = {0};

    (void)event_base_gettimeofday_cached(s->base, &now);
    c->client = http_clients_enter(&s->clients, address,
                                   (int64_t)now.tv_sec * 1000000 + now.tv_usec, wait_ms);
    if (!c->client)
        return -EBUSY;
    s->stats.connections++;
    write_address(c->address, address);
    c->of_proxy = address_prefixes_have(&s->config.trusted_proxies, address);
    return 0;
}

void http_connection_begin(struct http_connection *c, struct bufferevent *bev)
{
    static const int one = 1;

    /* an answer or a frame is written whole: nothing is gained by waiting for more */
    (void)setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    set_state(c, HTTP_READING_HEAD);
    http_connection_watch(c, bev);
}
