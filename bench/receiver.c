#include "bench/receiver.h"

#include "media/base/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    DATAGRAM_LEN = 2048,
    HEADERS_LEN = 256,
    RUN_LEN = 65536,
    CONTROL_LEN = 128, /* two messages: time stamp and segment size */
};

struct receiver {
    bool gro;
    size_t buffer_len;
    uint8_t *buffers;
    struct mmsghdr messages[RECEIVER_BATCH];
    struct iovec iov[RECEIVER_BATCH];
    _Alignas(struct cmsghdr) uint8_t controls[RECEIVER_BATCH][CONTROL_LEN];
};

struct receiver *receiver_new(bool gro)
{
    struct receiver *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->gro = gro;
    r->buffer_len = gro ? RUN_LEN : DATAGRAM_LEN;
    r->buffers = malloc(r->buffer_len * RECEIVER_BATCH);
    if (!r->buffers)
        return receiver_free(r);
    for (size_t i = 0; i < RECEIVER_BATCH; i++) {
        r->iov[i].iov_base = r->buffers + i * r->buffer_len;
        r->messages[i].msg_hdr = (struct msghdr){.msg_iov = &r->iov[i], .msg_iovlen = 1};
    }
    return r;
}

struct receiver *receiver_free(struct receiver *r)
{
    if (!r)
        return NULL;
    free(r->buffers);
    free(r);
    return NULL;
}

int receiver_prepare(const struct receiver *r, int fd, enum receive_mode mode)
{
    int on = 1;

    if (r->gro && setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)) < 0)
        return -errno;
    if (mode == RECEIVE_TIMED && setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0)
        return -errno;
    return 0;
}

int receiver_read(struct receiver *r, int fd, enum receive_mode mode)
{
    bool control = r->gro || mode == RECEIVE_TIMED;
    size_t len = mode == RECEIVE_HEADERS && !r->gro ? HEADERS_LEN : r->buffer_len;
    int n;

    for (size_t i = 0; i < RECEIVER_BATCH; i++) {
        r->iov[i].iov_len = len;
        r->messages[i].msg_hdr.msg_control = control ? r->controls[i] : NULL;
        r->messages[i].msg_hdr.msg_controllen = control ? CONTROL_LEN : 0;
    }
    n = recvmmsg(fd, r->messages, RECEIVER_BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    return n;
}

static void read_control(struct msghdr *message, struct received *ret)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec at;

            memcpy(&at, CMSG_DATA(c), sizeof(at));
            ret->wall_us = (int64_t)at.tv_sec * SECOND + at.tv_nsec / 1000;
        } else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            int segment_len;

            memcpy(&segment_len, CMSG_DATA(c), sizeof(segment_len));
            ret->segment_len = (size_t)segment_len;
        }
    }
}

struct received receiver_get(struct receiver *r, int n)
{
    struct mmsghdr *message = &r->messages[n];
    size_t room = r->iov[n].iov_len;
    struct received ret = {
        .data = r->iov[n].iov_base,
        .len = message->msg_len < room ? message->msg_len : room,
        .wire_len = message->msg_len,
        .segment_len = message->msg_len,
    };

    if (message->msg_hdr.msg_controllen > 0)
        read_control(&message->msg_hdr, &ret);
    return ret;
}
