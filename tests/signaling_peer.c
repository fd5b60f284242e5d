#include "tests/signaling_peer.h"

#include "media/base/clock.h"
#include "signaling/websocket.h"
#include "tests/test_offer.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void on_open(void *owner)
{
    struct signaling_peer *p = owner;

    p->open = true;
}

static void on_message(void *owner, const char *text, size_t len)
{
    struct signaling_peer *p = owner;
    struct message *m = calloc(1, sizeof(*m));
    struct message error;

    if (!m || p->n_heard == PEER_MAX_HEARD)
        abort();
    if (message_parse(m, text, len, &error) < 0) {
        printf("# cannot read: %s: %s\n", error.text, text);
        abort();
    }
    p->heard[p->n_heard++] = m;
}

static void on_close(void *owner, uint16_t code, const char *reason)
{
    struct signaling_peer *p = owner;

    (void)reason;
    p->closed = true;
    p->close_code = code;
}

static const struct websocket_handler handler = {
    .on_open = on_open, .on_message = on_message, .on_close = on_close};

void signaling_peer_open(struct signaling_peer *p, struct event_base *base, uint16_t port)
{
    char url[64];

    *p = (struct signaling_peer){.base = base};
    (void)snprintf(url, sizeof(url), "ws://127.0.0.1:%u/ws", (unsigned)port);
    if (websocket_connect(&p->ws, base, url, &handler, p) < 0)
        abort();
}

void signaling_peer_kill(struct signaling_peer *p)
{
    p->ws = websocket_free(p->ws);
    p->open = false;
    p->closed = true;
    for (size_t i = 0; i < p->n_heard; i++) {
        message_done(p->heard[i]);
        free(p->heard[i]);
    }
    p->n_heard = p->n_read = 0;
}

/* Run the loop for a little; @return false once `end_us` has come. */
static bool run(struct signaling_peer *p, int64_t end_us)
{
    struct timeval slice = {.tv_usec = 10000};

    (void)event_base_loopexit(p->base, &slice);
    (void)event_base_loop(p->base, EVLOOP_ONCE);
    return clock_now_us() < end_us;
}

static void await_open(struct signaling_peer *p)
{
    int64_t end_us = clock_now_us() + PEER_WAIT_MS * MS;

    while (!p->open && !p->closed && run(p, end_us))
        ;
}

void signaling_peer_say_text(struct signaling_peer *p, const char *json)
{
    await_open(p);
    if (websocket_send(p->ws, json, strlen(json)) < 0)
        printf("# not connected: %s\n", json);
}

void signaling_peer_say(struct signaling_peer *p, const struct message *m)
{
    struct text json;

    text_init(&json, MESSAGE_MAX_BYTES);
    if (message_write(&json, m) < 0)
        abort();
    signaling_peer_say_text(p, text_str(&json));
    text_done(&json);
}

void signaling_peer_join(struct signaling_peer *p, const char *room, const char *name,
                         const char *lines)
{
    struct message m = {.type = MESSAGE_JOIN, .id = 1, .sdp = test_offer_make(lines, 1)};

    (void)snprintf(m.room, sizeof(m.room), "%s", room);
    (void)snprintf(m.name, sizeof(m.name), "%s", name);
    signaling_peer_say(p, &m);
    message_done(&m);
}

const struct message *signaling_peer_next(struct signaling_peer *p)
{
    int64_t end_us = clock_now_us() + PEER_WAIT_MS * MS;

    while (p->n_read == p->n_heard && !p->closed && run(p, end_us))
        ;
    return p->n_read < p->n_heard ? p->heard[p->n_read++] : NULL;
}

const struct message *signaling_peer_await(struct signaling_peer *p, enum message_type type)
{
    const struct message *m;

    do {
        m = signaling_peer_next(p);
    } while (m && m->type != type);
    return m;
}

bool signaling_peer_await_close(struct signaling_peer *p)
{
    int64_t end_us = clock_now_us() + PEER_WAIT_MS * MS;

    while (!p->closed && run(p, end_us))
        ;
    return p->closed;
}

/* HTTP */

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct timeval limit = {.tv_sec = PEER_WAIT_MS / 1000};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0)
        abort();
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (connect(fd, (const struct sockaddr *)(const void *)&address, sizeof(address)) < 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static size_t read_all(int fd, char *out, size_t size)
{
    size_t len = 0;

    while (len < size) {
        ssize_t n = read(fd, out + len, size - len);

        if (n <= 0)
            break;
        len += (size_t)n;
    }
    return len;
}

void http_ask(struct http_reply *ret, uint16_t port, const char *method, const char *path,
              const char *body)
{
    int fd = connect_to(port);
    struct text request;
    ssize_t written;
    size_t len;

    ret->status = 0;
    ret->body = "";
    ret->text[0] = '\0';
    if (fd < 0)
        return;
    text_init(&request, 1024 * 1024);
    text_printf(&request, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", method,
                path);
    if (body)
        text_printf(&request, "Content-Type: application/sdp\r\nContent-Length: %zu\r\n",
                    strlen(body));
    text_append(&request, "\r\n");
    text_append(&request, body ? body : "");
    written = write(fd, text_str(&request), request.len);
    text_done(&request);
    len = written < 0 ? 0 : read_all(fd, ret->text, sizeof(ret->text) - 1);
    (void)close(fd);
    ret->text[len] = '\0';
    if (strncmp(ret->text, "HTTP/1.1 ", 9) == 0)
        ret->status = (int)strtol(ret->text + 9, NULL, 10);
    if (strstr(ret->text, "\r\n\r\n"))
        ret->body = strstr(ret->text, "\r\n\r\n") + 4;
}
