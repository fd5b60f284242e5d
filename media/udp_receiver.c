#include "media/udp_receiver.h"

#include "media/address.h"
#include "media/packet.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#ifndef UDP_GRO
#define UDP_GRO 104 /* linux/udp.h; Linux 5.0 */
#endif

enum {
    MESSAGE_MAX = 65536, /* a run is one IP packet */
    WASTE_BYTES = 64,    /* where datagrams go for which there is no packet */
};

/* Room for the control messages that tell our address, and the size of a run's datagrams. */
struct control {
    _Alignas(struct cmsghdr)
        uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))];
};

/* What control messages said. */
struct told {
    struct local_address to;
    size_t segment; /* bytes of each datagram of a run, but the last; 0: it is none */
};

/* What is left of a message that was a run. */
struct run {
    const uint8_t *at;
    size_t left; /* [bytes]; 0: nothing */
    size_t segment;
    struct sockaddr_storage from;
    struct local_address to;
};

struct udp_receiver {
    int fd;
    bool local;
    struct udp_stats *stats;
    /* Of the last call: how many messages, and how many of them were looked at. */
    size_t n_messages, next;
    struct run run;                    /* of the message before `next` */
    size_t n_ready;                    /* messages with a packet */
    struct packet *packets[UDP_BATCH]; /* taken from the pool, by message; NULL: given away */
    struct mmsghdr messages[UDP_BATCH];
    struct iovec parts[UDP_BATCH][2];
    struct control control[UDP_BATCH];
    uint8_t waste[WASTE_BYTES];
    /* Where messages go on after their packet's end, MESSAGE_MAX for each: 4 MiB of address space,
     * of which the kernel gives what runs ever reached. The first PACKET_CAPACITY of each are for
     * what its packet received beyond the first datagram. NULL: runs are not taken. */
    uint8_t *overflow;
};

struct udp_receiver *udp_receiver_new(int fd, bool local, struct udp_stats *stats)
{
    struct udp_receiver *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->fd = fd;
    r->local = local;
    r->stats = stats;
    return r;
}

static void drop_ready(struct udp_receiver *r)
{
    for (size_t i = 0; i < r->n_ready; i++)
        r->packets[i] = packet_unref(r->packets[i]);
    r->n_ready = 0;
}

struct udp_receiver *udp_receiver_free(struct udp_receiver *r)
{
    if (!r)
        return NULL;
    drop_ready(r);
    free(r->overflow);
    free(r);
    return NULL;
}

int udp_receiver_take_runs(struct udp_receiver *r, bool on)
{
    int value = on;

    assert(!udp_receiver_has_more(r));
    if (setsockopt(r->fd, IPPROTO_UDP, UDP_GRO, &value, sizeof(value)) < 0)
        return -errno;
    drop_ready(r); /* they are ready in the other way */
    if (on && !r->overflow)
        r->overflow = malloc((size_t)UDP_BATCH * MESSAGE_MAX);
    if (!on || !r->overflow) {
        free(r->overflow);
        r->overflow = NULL;
        value = 0;
        (void)setsockopt(r->fd, IPPROTO_UDP, UDP_GRO, &value, sizeof(value));
    }
    return on && !r->overflow ? -ENOMEM : 0;
}

static uint8_t *overflow_of(const struct udp_receiver *r, size_t at)
{
    return r->overflow + at * MESSAGE_MAX;
}

/* ------------------------------------------------------------------ asking the kernel */

/* Let message `at` be received into its packet, or into the waste without one. */
static void prepare(struct udp_receiver *r, size_t at)
{
    struct packet *packet = r->packets[at];
    struct msghdr *header = &r->messages[at].msg_hdr;
    struct iovec *parts = r->parts[at];

    *header = (struct msghdr){.msg_iov = parts, .msg_iovlen = 1};
    parts[0] = packet ? (struct iovec){packet->data, PACKET_CAPACITY}
                      : (struct iovec){r->waste, sizeof(r->waste)};
    if (packet) {
        header->msg_name = &packet->from;
        header->msg_namelen = sizeof(packet->from);
    }
    if (packet && r->overflow) {
        parts[1] = (struct iovec){overflow_of(r, at) + PACKET_CAPACITY,
                                  MESSAGE_MAX - PACKET_CAPACITY};
        header->msg_iovlen = 2;
    }
    if (r->local || r->overflow) {
        header->msg_control = &r->control[at];
        header->msg_controllen = sizeof(r->control[at]);
    }
}

/* Give message `at`, which is one of those that are ready or the first that is not, a packet: its
 * own, a new one, or that of the last one. @return false: there is none */
static bool make_ready(struct udp_receiver *r, struct packet_pool *pool, size_t at)
{
    if (!r->packets[at])
        r->packets[at] = packet_new(pool);
    while (!r->packets[at] && r->n_ready > at + 1) {
        r->n_ready--;
        r->packets[at] = r->packets[r->n_ready];
        r->packets[r->n_ready] = NULL;
    }
    if (!r->packets[at])
        return false;
    prepare(r, at);
    return true;
}

/* Only messages that were used are prepared anew. */
static void make_all_ready(struct udp_receiver *r, struct packet_pool *pool)
{
    for (size_t i = 0; i < r->n_messages && i < r->n_ready; i++) {
        if (!make_ready(r, pool, i))
            r->n_ready = i;
    }
    r->n_messages = r->next = 0;
    while (r->n_ready < UDP_BATCH && make_ready(r, pool, r->n_ready))
        r->n_ready++;
}

/* @return messages read; 0: nothing there; -errno */
static int read_messages(struct udp_receiver *r, struct packet_pool *pool)
{
    size_t n = UDP_BATCH;
    int received;

    make_all_ready(r, pool);
    if (r->n_ready > 0)
        n = r->n_ready;
    for (size_t i = 0; i < n && r->n_ready == 0; i++)
        prepare(r, i);
    /* MSG_TRUNC: tell the length also of what was cut. */
    received = recvmmsg(r->fd, r->messages, (unsigned int)n, MSG_DONTWAIT | MSG_TRUNC, NULL);
    r->stats->receive_calls++;
    if (received < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    r->n_messages = (size_t)received;
    return received;
}

/* ------------------------------------------------------------------ what it said */

static void set_local(struct local_address *ret, const void *bytes, size_t len)
{
    ret->len = (uint8_t)len;
    memcpy(ret->bytes, bytes, len);
}

static struct local_address local_of_ipv6(const struct in6_pktinfo *info)
{
    struct local_address local = {0};

    if (IN6_IS_ADDR_V4MAPPED(&info->ipi6_addr)) {
        set_local(&local, info->ipi6_addr.s6_addr + 12, 4);
        return local;
    }
    set_local(&local, &info->ipi6_addr, 16);
    if (IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
        local.interface = (uint32_t)info->ipi6_ifindex;
    return local;
}

static void read_control_message(struct told *ret, const struct cmsghdr *message)
{
    const uint8_t *value = CMSG_DATA(message);
    struct in6_pktinfo info6;
    struct in_pktinfo info;
    int segment;

    if (message->cmsg_level == IPPROTO_IPV6 && message->cmsg_type == IPV6_PKTINFO) {
        memcpy(&info6, value, sizeof(info6));
        ret->to = local_of_ipv6(&info6);
    } else if (message->cmsg_level == IPPROTO_IP && message->cmsg_type == IP_PKTINFO) {
        memcpy(&info, value, sizeof(info));
        set_local(&ret->to, &info.ipi_spec_dst, 4);
    } else if (message->cmsg_level == IPPROTO_UDP && message->cmsg_type == UDP_GRO) {
        memcpy(&segment, value, sizeof(segment));
        ret->segment = segment > 0 ? (size_t)segment : 0;
    }
}

static struct told read_control(struct msghdr *header)
{
    struct told told = {.segment = 0};

    for (struct cmsghdr *m = CMSG_FIRSTHDR(header); m; m = CMSG_NXTHDR(header, m))
        read_control_message(&told, m);
    return told;
}

/* ------------------------------------------------------------------ packets */

/* The first datagram, in place, of message `at`. @return 1, or 0: it is too long, and its packet
 * stays ready */
static int take_first(struct udp_receiver *r, size_t at, size_t len, const struct told *told,
                      struct packet **out)
{
    struct packet *packet = r->packets[at];

    if (len > PACKET_CAPACITY) {
        r->stats->receive_cut++;
        return 0;
    }
    packet->len = (uint16_t)len;
    packet->to = told->to;
    address_unmap(&packet->from);
    r->stats->receive_bytes += len;
    r->packets[at] = NULL;
    *out = packet;
    return 1;
}

/* Message `at` is a run of `len` bytes. What its packet has of the second datagram and on is put in
 * front of the rest of them. */
static void begin_run(struct udp_receiver *r, size_t at, size_t len, const struct told *told)
{
    const struct packet *packet = r->packets[at];
    uint8_t *bytes = overflow_of(r, at);
    size_t segment = told->segment;

    if (segment < PACKET_CAPACITY)
        memcpy(bytes + segment, packet->data + segment, PACKET_CAPACITY - segment);
    r->run = (struct run){
        .at = bytes + segment,
        .left = (len < MESSAGE_MAX ? len : MESSAGE_MAX) - segment,
        .segment = segment,
        .from = packet->from,
        .to = told->to,
    };
    address_unmap(&r->run.from);
    r->stats->receive_runs++;
    r->stats->receive_datagrams += (len - 1) / segment;
}

/* The next datagram of the run. @return 1, or 0: it was dropped */
static int take_next(struct udp_receiver *r, struct packet_pool *pool, struct packet **out)
{
    struct run *run = &r->run;
    size_t len = run->left < run->segment ? run->left : run->segment;
    const uint8_t *bytes = run->at;
    struct packet *packet;

    run->at += len;
    run->left -= len;
    if (len > PACKET_CAPACITY) {
        r->stats->receive_cut++;
        return 0;
    }
    packet = packet_new(pool);
    if (!packet) {
        r->stats->receive_no_packet++;
        return 0;
    }
    memcpy(packet->data, bytes, len);
    memcpy(&packet->from, &run->from, address_len(&run->from));
    packet->len = (uint16_t)len;
    packet->to = run->to;
    r->stats->receive_bytes += len;
    *out = packet;
    return 1;
}

/* Look at the next message. @return packets put into `out`: 1, or 0: dropped */
static int take_message(struct udp_receiver *r, struct packet **out)
{
    size_t at = r->next++;
    size_t len = r->messages[at].msg_len;
    struct told told = read_control(&r->messages[at].msg_hdr);
    bool is_run = told.segment > 0 && told.segment < len;

    r->stats->receive_datagrams++;
    if (r->n_ready == 0) {
        r->stats->receive_no_packet += is_run ? (len + told.segment - 1) / told.segment : 1;
        r->stats->receive_datagrams += is_run ? (len - 1) / told.segment : 0;
        return 0;
    }
    if (is_run)
        begin_run(r, at, len, &told);
    return take_first(r, at, is_run ? told.segment : len, &told, out);
}

bool udp_receiver_has_more(const struct udp_receiver *r)
{
    return r->run.left > 0 || r->next < r->n_messages;
}

int udp_receiver_read(struct udp_receiver *r, struct packet_pool *pool, struct packet **out,
                      int64_t now_us)
{
    int taken = 0;

    if (!udp_receiver_has_more(r)) {
        int err = read_messages(r, pool);

        if (err <= 0)
            return err;
    }
    while (taken < UDP_BATCH && udp_receiver_has_more(r)) {
        if (r->run.left > 0)
            taken += take_next(r, pool, &out[taken]);
        else
            taken += take_message(r, &out[taken]);
    }
    for (int i = 0; i < taken; i++)
        out[i]->arrival_us = now_us;
    return taken;
}
