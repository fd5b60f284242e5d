#include "media/udp_socket.h"

#include "media/address.h"
#include "media/udp_receiver.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 /* linux/udp.h; Linux 4.18 */
#endif

/* Room for the control messages that tell our address, and the size of a run's datagrams. */
struct out_control {
    _Alignas(struct cmsghdr)
        uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
};

struct udp_socket {
    int fd;
    bool ipv6; /* the socket speaks IPv6, with IPv4 mapped */
    bool runs; /* the kernel cuts runs into datagrams */
    bool many; /* bound to all of our addresses: which one matters */
    uint16_t port;
    struct udp_stats stats;

    struct udp_receiver *receiver;

    struct mmsghdr out[UDP_SEND_BATCH];
    struct iovec out_parts[UDP_SEND_BATCH];
    struct sockaddr_in6 out_to[UDP_SEND_BATCH]; /* mapped; not used on an IPv4 socket */
    struct out_control out_control[UDP_SEND_BATCH];
};

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static struct sockaddr_in6 map_ipv4(const struct sockaddr_storage *address)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    memcpy(&in, address, sizeof(in));
    in6.sin6_port = in.sin_port;
    memcpy(&in6.sin6_addr, mapped_prefix, sizeof(mapped_prefix));
    memcpy(in6.sin6_addr.s6_addr + sizeof(mapped_prefix), &in.sin_addr, sizeof(in.sin_addr));
    return in6;
}

/* The address to bind, as the family of the socket has it. */
static int parse_local(struct sockaddr_storage *ret, const char *text, uint16_t port, bool ipv6)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    bool is_ipv4 = text && inet_pton(AF_INET, text, &in.sin_addr) == 1;

    *ret = (struct sockaddr_storage){0};
    if (text && !is_ipv4 && inet_pton(AF_INET6, text, &in6.sin6_addr) != 1)
        return -EINVAL;
    memcpy(ret, &in, sizeof(in));
    if (ipv6 && is_ipv4)
        in6 = map_ipv4(ret);
    if (ipv6)
        memcpy(ret, &in6, sizeof(in6));
    return ipv6 || !text || is_ipv4 ? 0 : -EAFNOSUPPORT;
}

/* Make the socket with the options that must come before binding. */
static int open_family(struct udp_socket *s, int family)
{
    int off = 0;
    int bytes = UDP_BUFFER_BYTES;

    s->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
    if (s->fd < 0)
        return -errno;
    s->ipv6 = family == AF_INET6;
    if (s->ipv6 && setsockopt(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0)
        return -errno;
    /* The kernel gives less than asked for where net.core.rmem_max is small; our owner says so. */
    (void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    (void)setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    return 0;
}

static bool kernel_has_runs(int fd)
{
    int size = 0;
    socklen_t len = sizeof(size);

    return getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, &len) == 0;
}

static bool is_wildcard(const struct sockaddr_storage *bound)
{
    struct sockaddr_storage plain = *bound;
    uint8_t key[ADDRESS_KEY_MAX];
    uint8_t set = 0;

    address_unmap(&plain);
    (void)address_key(&plain, key);
    for (size_t i = 3; i < sizeof(key); i++) /* after family and port */
        set |= key[i];
    return set == 0;
}

/* Have the kernel tell which address a datagram came to. An IPv6 socket tells it of IPv4 as well,
 * as a mapped address. */
static int ask_local_address(const struct udp_socket *s)
{
    int on = 1;
    int err = s->ipv6 ? setsockopt(s->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on))
                      : setsockopt(s->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));

    return err < 0 ? -errno : 0;
}

static void close_fd(struct udp_socket *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
}

/* Open and bind in one family. */
static int open_and_bind(struct udp_socket *s, int family, const char *address, uint16_t port)
{
    struct sockaddr_storage local;
    socklen_t len = sizeof(local);
    struct sockaddr_in6 bound;
    int err;

    err = open_family(s, family);
    if (err < 0)
        return err;
    err = parse_local(&local, address, port, s->ipv6);
    if (err < 0)
        return err;
    if (bind(s->fd, (struct sockaddr *)&local, address_len(&local)) < 0 ||
        getsockname(s->fd, (struct sockaddr *)&local, &len) < 0)
        return -errno;
    s->runs = kernel_has_runs(s->fd);
    memcpy(&bound, &local, sizeof(bound)); /* the port is where sockaddr_in has it */
    s->port = ntohs(bound.sin6_port);
    s->many = is_wildcard(&local);
    return s->many ? ask_local_address(s) : 0;
}

static int make_receiver(struct udp_socket *s)
{
    int err;

    s->receiver = udp_receiver_new(s->fd, s->many, &s->stats);
    if (!s->receiver)
        return -ENOMEM;
    err = udp_receiver_take_runs(s->receiver, true);
    return err == -ENOMEM ? err : 0; /* an older kernel: datagram by datagram, then */
}

int udp_socket_new(struct udp_socket **ret, const char *address, uint16_t port)
{
    struct udp_socket *s = calloc(1, sizeof(*s));
    int err;

    if (!s)
        return -ENOMEM;
    err = open_and_bind(s, AF_INET6, address, port);
    if (err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL) {
        /* No IPv6 in this kernel, or switched off by sysctl: then "::" cannot be bound. */
        close_fd(s);
        err = open_and_bind(s, AF_INET, address, port);
    }
    if (err == 0)
        err = make_receiver(s);
    if (err < 0) {
        udp_socket_free(s);
        return err;
    }
    *ret = s;
    return 0;
}

struct udp_socket *udp_socket_free(struct udp_socket *s)
{
    if (!s)
        return NULL;
    s->receiver = udp_receiver_free(s->receiver);
    close_fd(s);
    free(s);
    return NULL;
}

int udp_socket_fd(const struct udp_socket *s)
{
    return s->fd;
}

uint16_t udp_socket_port(const struct udp_socket *s)
{
    return s->port;
}

int udp_socket_buffer_bytes(const struct udp_socket *s)
{
    int bytes = 0;
    socklen_t len = sizeof(bytes);

    (void)getsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &bytes, &len);
    return bytes / 2; /* the kernel doubles what it gives, for its own bookkeeping */
}

const struct udp_stats *udp_socket_stats(const struct udp_socket *s)
{
    return &s->stats;
}

int udp_socket_take_runs(struct udp_socket *s, bool on)
{
    return udp_receiver_take_runs(s->receiver, on);
}

int udp_socket_receive(struct udp_socket *s, struct packet_pool *pool, struct packet **out,
                       int64_t now_us)
{
    return udp_receiver_read(s->receiver, pool, out, now_us);
}

bool udp_socket_has_more(const struct udp_socket *s)
{
    return udp_receiver_has_more(s->receiver);
}

/* @return how many of the `n` datagrams the kernel can take as one */
static size_t measure_run(const struct udp_socket *s, const struct datagram *datagrams, size_t n)
{
    size_t bytes = datagrams[0].len;
    size_t run = 1;

    if (!s->runs || datagrams[0].len == 0)
        return 1;
    while (run < n && run < UDP_RUN_MAX && datagrams[run].to == datagrams[0].to &&
           datagrams[run].from == datagrams[0].from && datagrams[run - 1].len == datagrams[0].len &&
           datagrams[run].len > 0 && datagrams[run].len <= datagrams[0].len &&
           bytes + datagrams[run].len <= UDP_RUN_BYTES_MAX)
        bytes += datagrams[run++].len;
    return run;
}

/* Append a control message; `header` has `control` for its control messages. The last is not
 * rounded up: what exceeds 36 bytes the kernel allocates, for each call. */
static void add_control(struct msghdr *header, struct out_control *control, int level, int type,
                        const void *value, size_t len)
{
    struct cmsghdr message = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};
    size_t start = CMSG_ALIGN(header->msg_controllen);
    uint8_t *at = control->bytes + start;

    memcpy(at, &message, sizeof(message));
    memcpy(at + CMSG_LEN(0), value, len);
    header->msg_control = control;
    header->msg_controllen = start + CMSG_LEN(len);
}

/* IPv4's message is taken by an IPv6 socket too, and is the shorter one. */
static void add_local(struct msghdr *header, struct out_control *control,
                      const struct local_address *from)
{
    struct in6_pktinfo info6 = {.ipi6_ifindex = from->interface};
    struct in_pktinfo info = {0};

    if (from->len == sizeof(info.ipi_spec_dst)) {
        memcpy(&info.ipi_spec_dst, from->bytes, sizeof(info.ipi_spec_dst));
        add_control(header, control, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
        return;
    }
    memcpy(&info6.ipi6_addr, from->bytes, sizeof(info6.ipi6_addr));
    add_control(header, control, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof(info6));
}

/* For messages to send, which the kernel does not write. */
static void *writable(const void *bytes)
{
    void *same;

    memcpy(&same, &bytes, sizeof(same));
    return same;
}

/* Make out[at] the message of `run` datagrams whose parts begin at `part`. */
static void prepare_message(struct udp_socket *s, size_t at, size_t part,
                            const struct datagram *datagrams, size_t run)
{
    const struct sockaddr_storage *to = datagrams[0].to;
    const struct local_address *from = datagrams[0].from;
    uint16_t run_size = (uint16_t)datagrams[0].len;
    struct msghdr *header = &s->out[at].msg_hdr;

    *header = (struct msghdr){.msg_iov = &s->out_parts[part], .msg_iovlen = run};
    for (size_t i = 0; i < run; i++)
        s->out_parts[part + i] = (struct iovec){writable(datagrams[i].data), datagrams[i].len};
    if (s->ipv6 && to->ss_family == AF_INET) {
        s->out_to[at] = map_ipv4(to);
        header->msg_name = &s->out_to[at];
        header->msg_namelen = sizeof(s->out_to[at]);
    } else {
        header->msg_name = writable(to);
        header->msg_namelen = address_len(to);
    }
    if (from && from->len > 0)
        add_local(header, &s->out_control[at], from);
    if (run > 1) /* last, for send_one_by_one() */
        add_control(header, &s->out_control[at], IPPROTO_UDP, UDP_SEGMENT, &run_size,
                    sizeof(run_size));
}

/* @return bytes of the datagrams in `header` */
static size_t message_bytes(const struct msghdr *header)
{
    size_t bytes = 0;

    for (size_t i = 0; i < header->msg_iovlen; i++)
        bytes += header->msg_iov[i].iov_len;
    return bytes;
}

static void count_sent(struct udp_socket *s, const struct msghdr *header)
{
    s->stats.send_datagrams += header->msg_iovlen;
    s->stats.send_bytes += message_bytes(header);
    s->stats.send_runs += header->msg_iovlen > 1;
}

/* The kernel did not take a run: a path with a small MTU, or a device without checksums. */
static void send_one_by_one(struct udp_socket *s, const struct msghdr *run)
{
    for (size_t i = 0; i < run->msg_iovlen; i++) {
        struct msghdr header = {
            .msg_name = run->msg_name,
            .msg_namelen = run->msg_namelen,
            .msg_iov = &run->msg_iov[i],
            .msg_iovlen = 1,
            .msg_control = run->msg_control,
            .msg_controllen = run->msg_controllen - CMSG_LEN(sizeof(uint16_t)),
        };

        s->stats.send_calls++;
        if (sendmsg(s->fd, &header, MSG_DONTWAIT) >= 0)
            count_sent(s, &header);
        else
            s->stats.send_dropped++;
    }
}

/* Message `at` failed with `err`. @return how many messages are settled thereby */
static size_t give_up(struct udp_socket *s, size_t at, size_t n, int err)
{
    const struct msghdr *header = &s->out[at].msg_hdr;

    if (err == EINTR)
        return 0;
    if (err == EAGAIN || err == ENOBUFS) {
        for (size_t i = at; i < n; i++)
            s->stats.send_dropped += s->out[i].msg_hdr.msg_iovlen;
        return n - at;
    }
    if (header->msg_iovlen > 1 && (err == EINVAL || err == EIO || err == EMSGSIZE)) {
        s->runs = s->runs && err != EIO; /* EIO: no checksum offload, so never here */
        send_one_by_one(s, header);
        return 1;
    }
    s->stats.send_dropped += header->msg_iovlen;
    return 1;
}

static void send_messages(struct udp_socket *s, size_t n)
{
    size_t at = 0;

    while (at < n) {
        int sent = sendmmsg(s->fd, &s->out[at], (unsigned int)(n - at), MSG_DONTWAIT);

        s->stats.send_calls++;
        if (sent <= 0) {
            at += give_up(s, at, n, errno);
            continue;
        }
        for (size_t end = at + (size_t)sent; at < end; at++)
            count_sent(s, &s->out[at].msg_hdr);
    }
}

void udp_socket_send(struct udp_socket *s, const struct datagram *datagrams, size_t n)
{
    while (n > 0) {
        size_t batch = n < UDP_SEND_BATCH ? n : UDP_SEND_BATCH;
        size_t messages = 0;

        for (size_t part = 0; part < batch;) {
            size_t run = measure_run(s, &datagrams[part], batch - part);

            prepare_message(s, messages++, part, &datagrams[part], run);
            part += run;
        }
        send_messages(s, messages);
        datagrams += batch;
        n -= batch;
    }
}
