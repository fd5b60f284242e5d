#include "media/tcp_socket.h"

#include "media/address.h"
#include "media/udp_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    SEND_BATCH = UDP_SEND_BATCH, /* two parts each: IOV_MAX */
    BACKLOG = 512,
};

static int parse(struct sockaddr_storage *ret, const char *text, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    *ret = (struct sockaddr_storage){0};
    if (text && inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        memcpy(ret, &in, sizeof(in));
        return 0;
    }
    if (text && inet_pton(AF_INET6, text, &in6.sin6_addr) != 1)
        return -EINVAL;
    memcpy(ret, &in6, sizeof(in6));
    return 0;
}

static int listen_at(int *ret, const struct sockaddr_storage *local)
{
    int on = 1;
    int off = 0;
    int err = 0;
    int fd = socket(local->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

    if (fd < 0)
        return -errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)); /* what is in TIME_WAIT */
    if ((local->ss_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0) ||
        bind(fd, (const struct sockaddr *)local, address_len(local)) < 0 || listen(fd, BACKLOG) < 0)
        err = -errno;
    if (err < 0)
        (void)close(fd);
    else
        *ret = fd;
    return err;
}

int tcp_socket_listen(int *ret, const char *address, uint16_t port)
{
    struct sockaddr_storage local;
    int err = parse(&local, address, port);

    if (err < 0)
        return err;
    err = listen_at(ret, &local);
    if (!address && (err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL)) { /* no IPv6 here */
        err = parse(&local, "0.0.0.0", port);
        err = err < 0 ? err : listen_at(ret, &local);
    }
    return err;
}

uint16_t tcp_socket_port(int fd)
{
    struct sockaddr_storage bound = {0};
    socklen_t len = sizeof(bound);
    struct sockaddr_in in;

    if (getsockname(fd, (struct sockaddr *)&bound, &len) < 0)
        return 0;
    memcpy(&in, &bound, sizeof(in)); /* sockaddr_in6 has the port in the same place */
    return ntohs(in.sin_port);
}

void tcp_socket_init(struct tcp_socket *s, int fd)
{
    int on = 1;
    int unsent = TCP_UNSENT_BYTES;

    *s = (struct tcp_socket){.fd = fd};
    tcp_deframer_init(&s->in);
    tcp_queue_init(&s->out);
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
}

void tcp_socket_done(struct tcp_socket *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
    tcp_queue_done(&s->out);
}

int tcp_socket_read(struct tcp_socket *s, uint8_t *scratch, size_t capacity)
{
    ssize_t n = recv(s->fd, scratch, capacity, MSG_DONTWAIT);

    if (n > 0)
        return (int)n;
    if (n == 0)
        return -EPIPE;
    return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

/* Nothing can be sent in a stream with a hole. */
static void give_up(struct tcp_socket *s)
{
    s->broken = true;
    tcp_queue_done(&s->out);
}

static void push(struct tcp_socket *s, const struct datagram *d)
{
    if (!s->broken && tcp_queue_push(&s->out, d->data, d->len) == 0) {
        s->sent++;
        s->sent_bytes += d->len;
    } else {
        s->dropped++;
    }
}

/* For messages to send, which the kernel does not write. */
static void *writable(const void *bytes)
{
    void *same;

    memcpy(&same, &bytes, sizeof(same));
    return same;
}

/* @return bytes that the kernel took; 0 where it takes none, or is broken now */
static size_t send_parts(struct tcp_socket *s, struct iovec *parts, size_t n)
{
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = n};
    ssize_t sent = sendmsg(s->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (sent < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
        give_up(s);
    return sent < 0 ? 0 : (size_t)sent;
}

/* Nothing waits: hand the first of them to the kernel. @return how many are done with */
static size_t send_directly(struct tcp_socket *s, const struct datagram *datagrams, size_t n)
{
    struct iovec parts[2 * SEND_BATCH];
    uint8_t heads[SEND_BATCH][TCP_FRAME_HEAD];
    size_t batch = n < SEND_BATCH ? n : SEND_BATCH;
    size_t done = 0;
    size_t sent;

    for (size_t i = 0; i < batch; i++) {
        tcp_frame_head(heads[i], datagrams[i].len);
        parts[2 * i] = (struct iovec){heads[i], sizeof(heads[i])};
        parts[2 * i + 1] = (struct iovec){writable(datagrams[i].data), datagrams[i].len};
    }
    sent = send_parts(s, parts, 2 * batch);
    while (done < batch && sent >= TCP_FRAME_HEAD + datagrams[done].len) {
        sent -= TCP_FRAME_HEAD + datagrams[done].len;
        s->sent++;
        s->sent_bytes += datagrams[done++].len;
    }
    if (sent == 0)
        return done;
    if (tcp_queue_push_rest(&s->out, datagrams[done].data, datagrams[done].len, sent) < 0)
        give_up(s);
    s->sent++;
    s->sent_bytes += datagrams[done].len;
    return done + 1;
}

void tcp_socket_send(struct tcp_socket *s, const struct datagram *datagrams, size_t n)
{
    size_t at = 0;

    while (at < n && !s->broken && !tcp_socket_waits(s)) {
        size_t done = send_directly(s, &datagrams[at], n - at);

        if (done == 0) /* the kernel is full */
            break;
        at += done;
    }
    for (; at < n; at++)
        push(s, &datagrams[at]);
}

void tcp_socket_flush(struct tcp_socket *s)
{
    size_t len;
    const uint8_t *bytes = tcp_queue_peek(&s->out, &len);
    struct iovec part = {writable(bytes), len};
    size_t sent;

    if (len == 0)
        return;
    sent = send_parts(s, &part, 1);
    if (!s->broken)
        tcp_queue_take(&s->out, sent);
}

bool tcp_socket_waits(const struct tcp_socket *s)
{
    size_t len;

    (void)tcp_queue_peek(&s->out, &len);
    return len > 0;
}
