#include "sfu/doctor_wire.h"

#include "media/address.h"
#include "signaling/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    CONNECT_MS = 5000,
    HEAD_LEN = 4, /* of a STUN message: what tells its length */
};

struct doctor_wire {
    int fd; /* of UDP; -1: a stream */
    struct event_base *base;
    struct tls_context *tls;
    struct bufferevent *stream;
    bool connected;
    int ended; /* errno of the end; 0: it goes on */
    char error[TLS_ERROR_SIZE];
};

static int read_address(struct sockaddr_storage *ret, const char *text, uint16_t port)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

    *ret = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        return 0;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
        return -EINVAL;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    return 0;
}

static int open_datagram(struct doctor_wire *w, const struct sockaddr_storage *address)
{
    w->fd = socket(address->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (w->fd < 0)
        return -errno;
    return connect(w->fd, (const struct sockaddr *)address, address_len(address)) < 0 ? -errno : 0;
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct doctor_wire *w = arg;
    int error = errno;

    if (what & BEV_EVENT_CONNECTED) {
        w->connected = true;
    } else {
        w->ended = error != 0 && error != EAGAIN && error != EINPROGRESS ? error : ECONNRESET;
        if (w->tls)
            (void)tls_error(bev, w->error);
    }
    (void)event_base_loopbreak(w->base);
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct doctor_wire *w = arg;

    (void)bev;
    (void)event_base_loopbreak(w->base);
}

/* Let the stream do what it has to, until something happened or time is up. */
static void turn(struct doctor_wire *w, int timeout_ms)
{
    struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};

    (void)event_base_loopexit(w->base, &limit);
    (void)event_base_dispatch(w->base);
}

static int open_stream(struct doctor_wire *w, const struct ice_url *url,
                       const struct sockaddr_storage *address, const struct doctor_trust *trust)
{
    bool tls = url->kind == ICE_URL_TURN_TLS;

    w->base = event_base_new();
    if (!w->base)
        return -ENOMEM;
    if (tls && tls_client_new(&w->tls, trust->ca_file, trust->insecure, w->error) < 0)
        return -EINVAL;
    w->stream = tls ? tls_connect(w->tls, w->base, url->host)
                    : bufferevent_socket_new(w->base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (!w->stream)
        return -ENOMEM;
    bufferevent_setcb(w->stream, on_read, NULL, on_event, w);
    (void)bufferevent_enable(w->stream, EV_READ | EV_WRITE);
    if (bufferevent_socket_connect(w->stream, (const struct sockaddr *)address,
                                   (int)address_len(address)) < 0)
        return errno ? -errno : -EIO;
    turn(w, CONNECT_MS);
    if (w->connected)
        return 0;
    return w->ended ? -w->ended : -ETIMEDOUT;
}

int doctor_wire_open(struct doctor_wire **ret, const struct ice_url *url, const char *address,
                     const struct doctor_trust *trust, char error[DOCTOR_WIRE_ERROR_MAX + 1])
{
    struct doctor_wire *w = calloc(1, sizeof(*w));
    struct sockaddr_storage server;
    int err;

    (void)snprintf(error, DOCTOR_WIRE_ERROR_MAX + 1, "out of memory");
    if (!w)
        return -ENOMEM;
    w->fd = -1;
    err = read_address(&server, address, url->port);
    if (err == 0 && (url->kind == ICE_URL_STUN || url->kind == ICE_URL_TURN_UDP))
        err = open_datagram(w, &server);
    else if (err == 0)
        err = open_stream(w, url, &server, trust);
    if (err == 0) {
        *ret = w;
        return 0;
    }
    (void)snprintf(error, DOCTOR_WIRE_ERROR_MAX + 1, "%s",
                   w->error[0] ? w->error : strerrordesc_np(-err));
    doctor_wire_free(w);
    return err;
}

struct doctor_wire *doctor_wire_free(struct doctor_wire *w)
{
    if (!w)
        return NULL;
    if (w->fd >= 0)
        (void)close(w->fd);
    if (w->stream)
        bufferevent_free(w->stream);
    tls_free(w->tls);
    if (w->base)
        event_base_free(w->base);
    free(w);
    return NULL;
}

bool doctor_wire_is_lossy(const struct doctor_wire *w)
{
    return w->fd >= 0;
}

int doctor_wire_local(const struct doctor_wire *w, struct sockaddr_storage *ret)
{
    socklen_t len = sizeof(*ret);
    int fd = w->fd >= 0 ? w->fd : bufferevent_getfd(w->stream);

    *ret = (struct sockaddr_storage){0};
    return getsockname(fd, (struct sockaddr *)ret, &len) < 0 ? -errno : 0;
}

int doctor_wire_send(struct doctor_wire *w, const uint8_t *data, size_t len)
{
    if (w->fd >= 0)
        return send(w->fd, data, len, 0) < 0 ? -errno : 0;
    if (w->ended)
        return -w->ended;
    return bufferevent_write(w->stream, data, len) < 0 ? -ENOMEM : 0;
}

static int receive_datagram(struct doctor_wire *w, uint8_t out[TURN_MESSAGE_MAX], int timeout_ms)
{
    struct pollfd readable = {.fd = w->fd, .events = POLLIN};
    ssize_t len;

    if (poll(&readable, 1, timeout_ms) <= 0)
        return -ETIMEDOUT;
    len = recv(w->fd, out, TURN_MESSAGE_MAX, 0);
    return len < 0 ? -errno : (int)len;
}

/* @return length of the message at the head of what has come; 0: not whole yet; -EBADMSG */
static int take_message(struct doctor_wire *w, uint8_t out[TURN_MESSAGE_MAX])
{
    struct evbuffer *input = bufferevent_get_input(w->stream);
    uint8_t head[HEAD_LEN];
    size_t len;

    if (evbuffer_copyout(input, head, HEAD_LEN) < HEAD_LEN)
        return 0;
    len = turn_message_len(head);
    if (len == 0)
        return -EBADMSG;
    if (evbuffer_get_length(input) < len)
        return 0;
    return evbuffer_remove(input, out, len);
}

int doctor_wire_receive(struct doctor_wire *w, uint8_t out[TURN_MESSAGE_MAX], int timeout_ms)
{
    int taken;

    if (w->fd >= 0)
        return receive_datagram(w, out, timeout_ms);
    taken = take_message(w, out);
    if (taken == 0 && !w->ended) {
        turn(w, timeout_ms);
        taken = take_message(w, out);
    }
    if (taken != 0)
        return taken;
    return w->ended ? -ECONNRESET : -ETIMEDOUT;
}
