#include "sfu/tcp_greeter.h"

#include "media/address.h"
#include "media/base/list.h"
#include "media/ice_lite.h"
#include "media/stun.h"
#include "media/tcp_frame.h"
#include "media/tcp_socket.h"
#include "signaling/http_clients.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often it is looked at who takes too long. */
static const int64_t LOOK_US = 1 * SECOND;

/* A connection of which we do not know whose it is. */
struct guest {
    struct list link;
    struct tcp_greeter *greeter;
    struct http_client *client;
    struct event *readable;
    struct sockaddr_storage peer;
    int64_t since_us; /* 0: not looked at yet */
    int fd;
    int wanted; /* bytes that must be there before we are woken: SO_RCVLOWAT */
};

struct tcp_greeter {
    void (*greeted)(void *owner, uint32_t worker, int fd, const struct sockaddr_storage *peer);
    void *owner;
    struct event_base *base;
    struct evconnlistener *listener;
    struct list guests; /* oldest first */
    struct http_clients clients;
    uint32_t n_workers;
    int64_t look_us; /* when to look at them next */
    bool full;       /* the process has no descriptors left */
    struct tcp_greeter_stats stats;
};

/* Forget a guest. @return its descriptor */
static int release(struct guest *guest)
{
    int fd = guest->fd;

    if (guest->readable)
        event_free(guest->readable);
    if (guest->client)
        http_clients_leave(&guest->greeter->clients, guest->client);
    list_unlink(&guest->link);
    free(guest);
    return fd;
}

static void refuse(struct guest *guest)
{
    guest->greeter->stats.refused++;
    (void)close(release(guest));
}

static bool want(struct guest *guest, int bytes)
{
    guest->wanted = bytes;
    return setsockopt(guest->fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof(bytes)) == 0;
}

/* @return the worker that the first message, which is all there, is for; -EBADMSG: none of ours */
static int find_worker(const struct tcp_greeter *g, const uint8_t *frame, size_t len)
{
    char ufrag[STUN_UFRAG_MAX + 1];
    int worker;

    if (stun_peek_ufrag(frame, len, ufrag) < 0)
        return -EBADMSG;
    worker = ice_ufrag_tag(ufrag);
    return worker >= 0 && (uint32_t)worker < g->n_workers ? worker : -EBADMSG;
}

/* Look at what has come. @return the worker; -EAGAIN: not all is there yet; -EBADMSG */
static int look(struct guest *guest)
{
    uint8_t bytes[TCP_FRAME_HEAD + TCP_FRAME_MAX];
    ssize_t n = recv(guest->fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
    size_t len;

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? -EAGAIN : -EBADMSG;
    if (n < guest->wanted) /* woken for less than we want: there will be no more */
        return -EBADMSG;
    len = (size_t)bytes[0] << 8 | bytes[1];
    if (len == 0 || len > TCP_FRAME_MAX)
        return -EBADMSG;
    if ((size_t)n < TCP_FRAME_HEAD + len)
        return want(guest, (int)(TCP_FRAME_HEAD + len)) ? -EAGAIN : -EBADMSG;
    return find_worker(guest->greeter, bytes + TCP_FRAME_HEAD, len);
}

static void on_readable(evutil_socket_t fd, short what, void *owner)
{
    struct guest *guest = owner;
    struct tcp_greeter *g = guest->greeter;
    struct sockaddr_storage peer = guest->peer;
    int worker = look(guest);

    (void)fd;
    (void)what;
    if (worker == -EAGAIN)
        return;
    if (worker < 0 || !want(guest, 1))
        refuse(guest);
    else
        g->greeted(g->owner, (uint32_t)worker, release(guest), &peer);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                      int len, void *owner)
{
    struct tcp_greeter *g = owner;
    struct guest *guest = calloc(1, sizeof(*guest));
    uint32_t no_wait; /* openings in time are not limited */

    (void)listener;
    g->stats.accepted++;
    if (!guest) {
        (void)close(fd);
        g->stats.refused++;
        return;
    }
    guest->greeter = g;
    guest->fd = fd;
    list_append(&g->guests, &guest->link);
    memcpy(&guest->peer, address, (size_t)len < sizeof(guest->peer) ? (size_t)len : 0);
    address_unmap(&guest->peer);
    guest->client = http_clients_enter(&g->clients, address, 0, &no_wait);
    if (guest->client)
        guest->readable = event_new(g->base, fd, EV_READ | EV_PERSIST, on_readable, guest);
    if (!guest->readable || !want(guest, TCP_FRAME_HEAD) || event_add(guest->readable, NULL) < 0)
        refuse(guest);
    else if (g->look_us == NEVER_US)
        g->look_us = 0;
}

/* No descriptors left: waiting to be told of the same connection again would be a busy loop. */
static void on_accept_error(struct evconnlistener *listener, void *owner)
{
    struct tcp_greeter *g = owner;

    (void)evconnlistener_disable(listener);
    g->full = true;
    g->look_us = g->look_us == NEVER_US ? 0 : g->look_us;
}

int tcp_greeter_new(struct tcp_greeter **ret, struct event_base *base,
                    const struct tcp_greeter_config *config,
                    void (*greeted)(void *owner, uint32_t worker, int fd,
                                    const struct sockaddr_storage *peer),
                    void *owner)
{
    struct tcp_greeter *g = calloc(1, sizeof(*g));
    int fd = -1;
    int err;

    if (!g)
        return -ENOMEM;
    g->greeted = greeted;
    g->owner = owner;
    g->base = base;
    g->n_workers = config->n_workers;
    g->look_us = NEVER_US;
    list_init(&g->guests);
    http_clients_init(&g->clients);
    g->clients.max = config->max;
    g->clients.max_per_address = config->max_per_address;
    g->clients.limit_loopback = true;
    err = tcp_socket_listen(&fd, config->address, config->port);
    if (err == 0) {
        g->listener = evconnlistener_new(base, on_accept, g,
                                         LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
        err = g->listener ? 0 : -ENOMEM;
    }
    if (err < 0) {
        if (fd >= 0)
            (void)close(fd);
        tcp_greeter_free(g);
        return err;
    }
    evconnlistener_set_error_cb(g->listener, on_accept_error);
    *ret = g;
    return 0;
}

struct tcp_greeter *tcp_greeter_free(struct tcp_greeter *g)
{
    if (!g)
        return NULL;
    LIST_FOREACH_SAFE(link, &g->guests) {
        (void)close(release(CONTAINER_OF(link, struct guest, link)));
    }
    if (g->listener)
        evconnlistener_free(g->listener);
    http_clients_done(&g->clients);
    free(g);
    return NULL;
}

uint16_t tcp_greeter_port(const struct tcp_greeter *g)
{
    return tcp_socket_port(evconnlistener_get_fd(g->listener));
}

void tcp_greeter_advance(struct tcp_greeter *g, int64_t now_us)
{
    if (now_us < g->look_us)
        return;
    LIST_FOREACH_SAFE(link, &g->guests) {
        struct guest *guest = CONTAINER_OF(link, struct guest, link);

        if (guest->since_us == 0)
            guest->since_us = now_us;
        else if (now_us - guest->since_us >= TCP_GREET_US)
            refuse(guest);
    }
    if (g->full && evconnlistener_enable(g->listener) == 0)
        g->full = false;
    g->look_us = list_empty(&g->guests) && !g->full ? NEVER_US : now_us + LOOK_US;
}

int64_t tcp_greeter_deadline(const struct tcp_greeter *g)
{
    return g->look_us;
}

const struct tcp_greeter_stats *tcp_greeter_stats(const struct tcp_greeter *g)
{
    return &g->stats;
}
