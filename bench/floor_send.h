/**
 * @file floor_send.h  Ways to hand sealed datagrams to the kernel, to compare what each costs.
 *
 * Messages are added, each a run of datagrams of one size to one target, and sent together. Thread:
 * one.
 */
#ifndef BENCH_FLOOR_SEND_H
#define BENCH_FLOOR_SEND_H

#include "media/base/attributes.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { FLOOR_MESSAGES_MAX = 2048 }; /* sent together */

/** How messages go to the kernel. */
enum floor_way {
    FLOOR_SENDMMSG,        /* one unconnected socket: what the server does */
    FLOOR_CONNECTED,       /* a connected socket per target, sendmsg for each message */
    FLOOR_ZEROCOPY,        /* sendmmsg with MSG_ZEROCOPY, and waiting for the buffers */
    FLOOR_URING,           /* io_uring on one unconnected socket */
    FLOOR_URING_CONNECTED, /* io_uring on a connected socket per target */
    FLOOR_URING_ZEROCOPY,  /* io_uring's sendmsg_zc on one unconnected socket */
};
enum { FLOOR_WAYS = FLOOR_URING_ZEROCOPY + 1 };

struct floor_send_options {
    enum floor_way way;
    bool mapped;        /* an IPv6 socket and mapped IPv4 addresses */
    bool pktinfo;       /* each message says which address of ours it leaves from */
    bool dont_fragment; /* IP_PMTUDISC_DO, not the kernel's default */
    in_addr_t from;     /* for pktinfo */
};

/** One message as the kernel takes it. */
struct floor_message {
    int fd;
    struct msghdr header;
    struct sockaddr_in6 mapped;
    _Alignas(struct cmsghdr)
        uint8_t control[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
};

struct floor_uring;

struct floor_sender {
    struct floor_send_options options;
    int fd;             /* the unconnected socket; -1: none */
    int *connected;     /* one per target; NULL: none */
    size_t n_connected; /* of them opened */
    const struct sockaddr_in *targets;
    struct floor_uring *uring;
    uint64_t calls, failed;       /* system calls; datagrams that were not taken */
    uint32_t zerocopy_unfinished; /* calls whose buffers the kernel has */
    size_t n;                     /* messages added */
    struct floor_message messages[FLOOR_MESSAGES_MAX];
    struct mmsghdr batch[FLOOR_MESSAGES_MAX];
};

/**
 * @param targets  `n` addresses to send to; borrowed
 * @return 0; -ENOTSUP: built without io_uring; -errno of opening sockets or the ring
 */
MUST_USE int floor_sender_init(struct floor_sender *s, const struct floor_send_options *options,
                               const struct sockaddr_in *targets, size_t n);
/** Works on a half-made one. */
void floor_sender_done(struct floor_sender *s);

/** Add a run of `n` datagrams of one length for a target. @param parts  borrowed until sent */
void floor_sender_add(struct floor_sender *s, size_t target, struct iovec *parts, size_t n);

/** Send what was added; when it returns the buffers may be written again. */
void floor_sender_flush(struct floor_sender *s);

/* io_uring, in a file of its own as it is a library that need not be there */

/** @return 0; -ENOTSUP: built without; -errno */
MUST_USE int floor_uring_new(struct floor_uring **ret, bool zerocopy);
/** NULL is fine. @return NULL */
struct floor_uring *floor_uring_free(struct floor_uring *u);
/** Send the messages of `s` and wait until all are done. */
void floor_uring_send(struct floor_uring *u, struct floor_sender *s);

#endif
