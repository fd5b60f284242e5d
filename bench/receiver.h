/**
 * @file receiver.h  Batches of datagrams in from many connected sockets, as cheaply as it goes: no
 * more is copied than is looked at. Real I/O. One thread.
 */
#ifndef BENCH_RECEIVER_H
#define BENCH_RECEIVER_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECEIVER_BATCH = 64 };

enum receive_mode {
    RECEIVE_ALL,     /* whole datagrams */
    RECEIVE_HEADERS, /* the first bytes, which hold all of STUN, DTLS alerts and RTCP */
    RECEIVE_TIMED,   /* whole datagrams, and when they arrived */
};

/** What one read brought: a datagram, or (UDP_GRO) several of one sender. */
struct received {
    const uint8_t *data; /* valid until the next read */
    size_t len;          /* bytes that are there */
    size_t wire_len;     /* bytes that were sent */
    size_t segment_len;  /* of each datagram but the last, which may be shorter */
    int64_t wall_us;     /* when the kernel got it; 0: not known */
};

struct receiver;

/** @param gro  sockets may have UDP_GRO: room for what comes in runs; RECEIVE_HEADERS is not kept
 * to.
 *  @return NULL: no memory */
struct receiver *receiver_new(bool gro);
/** NULL is fine. @return NULL */
struct receiver *receiver_free(struct receiver *r);

/** Make `fd` deliver what `mode` asks for. @return 0; -errno */
MUST_USE int receiver_prepare(const struct receiver *r, int fd, enum receive_mode mode);

/** Read once. @return how many there are, RECEIVER_BATCH: ask again; 0: none; -errno */
MUST_USE int receiver_read(struct receiver *r, int fd, enum receive_mode mode);

/** @return the n-th of the last read */
struct received receiver_get(struct receiver *r, int n);

#endif
