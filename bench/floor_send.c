#include "bench/floor_send.h"

#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/errqueue.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 /* linux/udp.h; Linux 4.18 */
#endif

enum { BUFFER_BYTES = 4 * 1024 * 1024 };

static bool uses_connected(enum floor_way way)
{
    return way == FLOOR_CONNECTED || way == FLOOR_URING_CONNECTED;
}

static bool uses_uring(enum floor_way way)
{
    return way >= FLOOR_URING;
}

static struct sockaddr_in6 map(const struct sockaddr_in *in)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = in->sin_port};

    in6.sin6_addr.s6_addr[10] = in6.sin6_addr.s6_addr[11] = 0xff;
    memcpy(in6.sin6_addr.s6_addr + 12, &in->sin_addr, sizeof(in->sin_addr));
    return in6;
}

/* @return the descriptor; -errno */
static int open_socket(const struct floor_send_options *options)
{
    int size = BUFFER_BYTES;
    int discover = IP_PMTUDISC_DO;
    int on = 1;
    int off = 0;
    int fd = socket(options->mapped ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    if (options->mapped)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (options->dont_fragment)
        (void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &discover, sizeof(discover));
    if (options->way == FLOOR_ZEROCOPY &&
        setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)) < 0) {
        (void)close(fd);
        return -ENOTSUP;
    }
    return fd;
}

static int connect_to(int fd, const struct floor_send_options *options,
                      const struct sockaddr_in *target)
{
    struct sockaddr_in6 in6 = map(target);
    int err = options->mapped ? connect(fd, (const struct sockaddr *)&in6, sizeof(in6))
                              : connect(fd, (const struct sockaddr *)target, sizeof(*target));

    return err < 0 ? -errno : 0;
}

static int open_connected(struct floor_sender *s, size_t n)
{
    s->connected = calloc(n, sizeof(*s->connected));
    if (!s->connected)
        return -ENOMEM;
    for (; s->n_connected < n; s->n_connected++) {
        int fd = open_socket(&s->options);
        int err = fd < 0 ? fd : connect_to(fd, &s->options, &s->targets[s->n_connected]);

        if (err < 0) {
            if (fd >= 0)
                (void)close(fd);
            return err;
        }
        s->connected[s->n_connected] = fd;
    }
    return 0;
}

int floor_sender_init(struct floor_sender *s, const struct floor_send_options *options,
                      const struct sockaddr_in *targets, size_t n)
{
    int err = 0;

    s->options = *options;
    s->targets = targets;
    s->fd = -1;
    if (uses_connected(options->way)) {
        err = open_connected(s, n);
    } else {
        s->fd = open_socket(options);
        err = s->fd < 0 ? s->fd : 0;
    }
    if (err == 0 && uses_uring(options->way))
        err = floor_uring_new(&s->uring, options->way == FLOOR_URING_ZEROCOPY);
    return err;
}

void floor_sender_done(struct floor_sender *s)
{
    s->uring = floor_uring_free(s->uring);
    while (s->n_connected > 0)
        (void)close(s->connected[--s->n_connected]);
    free(s->connected);
    if (s->fd >= 0)
        (void)close(s->fd);
}

static void add_control(struct floor_message *m, int level, int type, const void *value, size_t len)
{
    struct cmsghdr head = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};
    uint8_t *at = m->control + m->header.msg_controllen;

    memcpy(at, &head, sizeof(head));
    memcpy(at + CMSG_LEN(0), value, len);
    m->header.msg_control = m->control;
    m->header.msg_controllen += CMSG_SPACE(len);
}

/* An IPv6 socket takes IPv4's message with mapped addresses. Its own is longer: with the run's size
 * or rounded up the kernel has no room for it on its stack, and allocates. */
static void add_pktinfo(const struct floor_sender *s, struct floor_message *m)
{
    struct in_pktinfo info = {.ipi_spec_dst.s_addr = s->options.from};

    add_control(m, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
}

void floor_sender_add(struct floor_sender *s, size_t target, struct iovec *parts, size_t n)
{
    struct floor_message *m = &s->messages[s->n++];
    uint16_t run_size = (uint16_t)parts[0].iov_len;

    m->fd = s->connected ? s->connected[target] : s->fd;
    m->header = (struct msghdr){.msg_iov = parts, .msg_iovlen = n};
    if (!s->connected && s->options.mapped) {
        m->mapped = map(&s->targets[target]);
        m->header.msg_name = &m->mapped;
        m->header.msg_namelen = sizeof(m->mapped);
    } else if (!s->connected) {
        memcpy(&m->mapped, &s->targets[target], sizeof(s->targets[target]));
        m->header.msg_name = &m->mapped;
        m->header.msg_namelen = sizeof(s->targets[target]);
    }
    if (s->options.pktinfo && !s->connected)
        add_pktinfo(s, m);
    if (n > 1)
        add_control(m, IPPROTO_UDP, UDP_SEGMENT, &run_size, sizeof(run_size));
}

/* Each on its own socket. */
static void send_each(struct floor_sender *s)
{
    for (size_t i = 0; i < s->n; i++) {
        struct floor_message *m = &s->messages[i];

        s->calls++;
        if (sendmsg(m->fd, &m->header, 0) < 0)
            s->failed += m->header.msg_iovlen;
    }
}

static void send_together(struct floor_sender *s, int flags)
{
    size_t sent = 0;

    for (size_t i = 0; i < s->n; i++)
        s->batch[i].msg_hdr = s->messages[i].header;
    while (sent < s->n) {
        int n = sendmmsg(s->fd, s->batch + sent, (unsigned)(s->n - sent), flags);

        s->calls++;
        if (n <= 0) { /* leave one out, so that this ends */
            s->failed += s->messages[sent].header.msg_iovlen;
            n = 1;
        } else if (flags & MSG_ZEROCOPY) {
            s->zerocopy_unfinished += (uint32_t)n;
        }
        sent += (size_t)n;
    }
}

/* @return how many messages a report of the error queue says are finished; 0: there is none */
static uint32_t read_finished(struct floor_sender *s)
{
    _Alignas(struct cmsghdr) uint8_t control[256];
    struct msghdr header = {.msg_control = control, .msg_controllen = sizeof(control)};
    struct sock_extended_err report;
    const struct cmsghdr *message;

    s->calls++;
    if (recvmsg(s->fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
        return 0;
    message = CMSG_FIRSTHDR(&header);
    if (!message)
        return 0;
    memcpy(&report, CMSG_DATA(message), sizeof(report));
    return report.ee_origin == SO_EE_ORIGIN_ZEROCOPY ? report.ee_data - report.ee_info + 1 : 0;
}

/* Wait until the kernel has let go of all buffers. */
static void wait_finished(struct floor_sender *s)
{
    struct pollfd errors = {.fd = s->fd};

    while (s->zerocopy_unfinished > 0) {
        uint32_t n = read_finished(s);

        if (n == 0 && poll(&errors, 1, 1000) <= 0)
            break;
        s->zerocopy_unfinished -= n < s->zerocopy_unfinished ? n : s->zerocopy_unfinished;
    }
}

void floor_sender_flush(struct floor_sender *s)
{
    switch (s->options.way) {
    case FLOOR_SENDMMSG:
        send_together(s, 0);
        break;
    case FLOOR_CONNECTED:
        send_each(s);
        break;
    case FLOOR_ZEROCOPY:
        send_together(s, MSG_ZEROCOPY);
        wait_finished(s);
        break;
    case FLOOR_URING:
    case FLOOR_URING_CONNECTED:
    case FLOOR_URING_ZEROCOPY:
        floor_uring_send(s->uring, s);
        break;
    }
    s->n = 0;
}
