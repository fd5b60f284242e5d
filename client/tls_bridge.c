#include "client/tls_bridge.h"

#include "media/base/list.h"
#include "signaling/ice_url.h"
#include "signaling/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

static const struct timeval patience = {.tv_sec = TLS_BRIDGE_PATIENCE_S};

struct tls_bridge {
    struct event_base *base;
    struct tls_context *tls;
    struct evconnlistener *listener;
    struct list pipes;
    uint32_t n_pipes;
    uint16_t port;
    char host[ICE_URL_HOST_MAX + 1];
    struct sockaddr_storage address;
    int address_len;
    char error[TLS_BRIDGE_ERROR_MAX + 1];
};

/* One connection: what comes in on an end goes out on the other one. */
struct pipe {
    struct list link;
    struct tls_bridge *bridge;
    struct bufferevent *near, *far; /* to libnice; to the relay */
    struct event *timer;            /* until it is connected, and while it drains */
    bool connected;                 /* to the relay, by TLS */
    bool draining;                  /* an end is closed: the other one takes what is left */
};

static void pipe_free(struct pipe *p)
{
    list_unlink(&p->link);
    p->bridge->n_pipes--;
    if (p->near)
        bufferevent_free(p->near);
    if (p->far)
        bufferevent_free(p->far);
    if (p->timer)
        event_free(p->timer);
    free(p);
}

static struct bufferevent *other_end(const struct pipe *p, const struct bufferevent *end)
{
    return end == p->near ? p->far : p->near;
}

/* A relay that is slower than we are must be felt at the other end: what waits here is late. */
static void on_read(struct bufferevent *from, void *arg)
{
    struct pipe *p = arg;
    struct bufferevent *to = other_end(p, from);
    struct evbuffer *output = bufferevent_get_output(to);

    if (evbuffer_add_buffer(output, bufferevent_get_input(from)) < 0)
        return;
    if (evbuffer_get_length(output) >= TLS_BRIDGE_MAX_QUEUE)
        (void)bufferevent_disable(from, EV_READ);
}

/* Everything is out. */
static void on_written(struct bufferevent *to, void *arg)
{
    struct pipe *p = arg;

    if (p->draining)
        pipe_free(p);
    else
        (void)bufferevent_enable(other_end(p, to), EV_READ);
}

static void tell_failure(struct tls_bridge *b, const char *reason)
{
    (void)snprintf(b->error, sizeof(b->error), "no TLS connection to %s: %s", b->host, reason);
}

/* An end is closed, or broken: give the other one what has come, then close it. */
static void drain(struct pipe *p, struct bufferevent *closed)
{
    struct bufferevent *left = other_end(p, closed);

    if (p->draining || !p->connected || evbuffer_get_length(bufferevent_get_output(left)) == 0) {
        pipe_free(p);
        return;
    }
    p->draining = true;
    (void)event_add(p->timer, &patience);
    (void)bufferevent_disable(left, EV_READ);
    (void)bufferevent_disable(closed, EV_READ | EV_WRITE);
}

static void on_near_event(struct bufferevent *near, short what, void *arg)
{
    (void)what;
    drain(arg, near);
}

static void set_nodelay(struct bufferevent *bev)
{
    int on = 1;

    /* Without it sound waits for the acknowledgement of what was before: 40 ms and more. */
    (void)setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* Why `p` was never connected. @param error  errno at that moment: of the socket, or of old */
static void tell_why(struct pipe *p, int error)
{
    char reason[TLS_ERROR_SIZE];

    if (error != 0 && error != EAGAIN && error != EINPROGRESS)
        tell_failure(p->bridge, strerrordesc_np(error));
    else if (tls_error(p->far, reason)[0])
        tell_failure(p->bridge, reason);
    else
        tell_failure(p->bridge, "it closed the connection");
}

static void on_far_event(struct bufferevent *far, short what, void *arg)
{
    int error = errno;
    struct pipe *p = arg;

    if (what & BEV_EVENT_CONNECTED) {
        p->connected = true;
        (void)event_del(p->timer);
        set_nodelay(far);
        (void)bufferevent_enable(p->near, EV_READ | EV_WRITE);
        return;
    }
    if (!p->connected)
        tell_why(p, error);
    drain(p, far);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct pipe *p = arg;

    (void)fd;
    (void)what;
    if (!p->connected)
        tell_failure(p->bridge, "it does not answer");
    pipe_free(p);
}

static int connect_far(struct pipe *p)
{
    struct tls_bridge *b = p->bridge;

    p->timer = evtimer_new(b->base, on_timer, p);
    p->far = tls_connect(b->tls, b->base, b->host);
    if (!p->far || !p->timer || event_add(p->timer, &patience) < 0)
        return -ENOMEM;
    bufferevent_setcb(p->far, on_read, on_written, on_far_event, p);
    (void)bufferevent_enable(p->far, EV_READ | EV_WRITE);
    return bufferevent_socket_connect(p->far, (struct sockaddr *)&b->address, b->address_len) < 0
               ? -EIO
               : 0;
}

/* Called by libevent. */
/* NOLINTNEXTLINE(readability-function-size): its typedef */
static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                      int len, void *arg)
{
    struct tls_bridge *b = arg;
    struct pipe *p;

    (void)listener;
    (void)address;
    (void)len;
    p = b->n_pipes < TLS_BRIDGE_MAX_PIPES ? calloc(1, sizeof(*p)) : NULL;
    if (!p) {
        (void)evutil_closesocket(fd);
        return;
    }
    p->bridge = b;
    list_append(&b->pipes, &p->link);
    b->n_pipes++;
    p->near = bufferevent_socket_new(b->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!p->near) {
        (void)evutil_closesocket(fd);
        pipe_free(p);
        return;
    }
    set_nodelay(p->near);
    bufferevent_setcb(p->near, on_read, on_written, on_near_event, p);
    if (connect_far(p) < 0) {
        tell_failure(b, "out of memory or descriptors");
        pipe_free(p);
    }
}

static int start_listening(struct tls_bridge *b)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    b->listener = evconnlistener_new_bind(b->base, on_accept, b,
                                          LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, -1,
                                          (struct sockaddr *)&address, sizeof(address));
    if (!b->listener)
        return errno ? -errno : -ENOMEM;
    if (getsockname(evconnlistener_get_fd(b->listener), (struct sockaddr *)&address, &len) < 0)
        return -errno;
    b->port = ntohs(address.sin_port);
    return 0;
}

static int read_address(struct tls_bridge *b, const struct tls_bridge_target *target)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&b->address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&b->address;

    if (inet_pton(AF_INET, target->address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(target->port);
        b->address_len = sizeof(*v4);
        return 0;
    }
    if (inet_pton(AF_INET6, target->address, &v6->sin6_addr) != 1)
        return -EINVAL;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(target->port);
    b->address_len = sizeof(*v6);
    return 0;
}

int tls_bridge_new(struct tls_bridge **ret, struct event_base *base, struct tls_context *tls,
                   const struct tls_bridge_target *target)
{
    struct tls_bridge *b = calloc(1, sizeof(*b));
    int err;

    if (!b)
        return -ENOMEM;
    b->base = base;
    b->tls = tls;
    list_init(&b->pipes);
    (void)snprintf(b->host, sizeof(b->host), "%s", target->host);
    err = read_address(b, target);
    if (err == 0)
        err = start_listening(b);
    if (err < 0) {
        tls_bridge_free(b);
        return err;
    }
    *ret = b;
    return 0;
}

struct tls_bridge *tls_bridge_free(struct tls_bridge *b)
{
    if (!b)
        return NULL;
    if (b->listener)
        evconnlistener_free(b->listener);
    LIST_FOREACH_SAFE(it, &b->pipes) {
        pipe_free(CONTAINER_OF(it, struct pipe, link));
    }
    free(b);
    return NULL;
}

uint16_t tls_bridge_port(const struct tls_bridge *b)
{
    return b->port;
}

const char *tls_bridge_error(const struct tls_bridge *b)
{
    return b->error;
}

uint32_t tls_bridge_pipes(const struct tls_bridge *b)
{
    return b->n_pipes;
}
