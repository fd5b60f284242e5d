/**
 * @file egress.h  Everything one worker sends in a loop turn: queued per peer, laid out and sealed
 * in one pass, handed over as one batch of datagrams. Sans-I/O.
 *
 * Filling costs a header write and a reference to the clear packet; no copy of the payload, no
 * allocation, no cryptography. Only seal_batch() and the flush know about runs and system calls.
 *
 * Thread: the worker's own.
 */
#ifndef MEDIA_EGRESS_H
#define MEDIA_EGRESS_H

#include "media/address.h"
#include "media/base/attributes.h"
#include "media/base/list.h"
#include "media/udp_socket.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct packet;
struct seal_session;

enum {
    EGRESS_HEAD_MAX = 256,   /* RTP header and lead bytes [bytes]: a dependency descriptor with its
                              * structure (three spatial, three temporal layers) takes about 100 */
    EGRESS_QUEUE_MAX = 2048, /* packets one peer may have queued in a turn; more are dropped */
    EGRESS_TURN_MAX = 65536, /* packets of all peers in a turn; reaching it flushes */
};

struct egress;

/** One peer's place in the egress; embedded in its owner. */
struct egress_peer {
    struct list link; /* in egress while it has packets */
    struct egress_entry *first, *last;
    uint32_t queued;
    /* Borrowed; NULL: RTP cannot be queued. Must not change while anything is queued. */
    struct seal_session *session;
    /* The peer's path, kept current by the owner: its address, and ours. */
    struct sockaddr_storage to;
    struct local_address from;
    uint64_t packets, bytes, dropped; /* RTP sent, its wire bytes, and given up */
};

struct egress_stats {
    uint64_t flushes, datagrams, bytes, dropped;
};

/**
 * @param send  called with batches of datagrams, borrowed for the call
 * @return the egress, or NULL: no memory
 */
struct egress *egress_new(void (*send)(void *owner, const struct datagram *datagrams, size_t n),
                          void *owner);
/** Free; queued packets are dropped. NULL is fine. @return NULL */
struct egress *egress_free(struct egress *e);

/** Make `peer` empty; its owner then keeps `session`, `to` and `from` current. */
void egress_peer_init(struct egress_peer *peer);
/** Take the peer's queued packets out, unsent. */
void egress_peer_done(struct egress *e, struct egress_peer *peer);

/** What to write before the payload; filled by the caller in place. */
struct egress_head {
    uint8_t bytes[EGRESS_HEAD_MAX];
    uint16_t head_len; /* RTP header */
    uint16_t lead_len; /* payload bytes in front of the packet's own (RTX: original number) */
};

/**
 * Queue one RTP packet: header and lead from the returned struct, which the caller must fill at
 * once, then `payload_len` bytes of `packet` from `payload_offset`.
 *
 * @param packet  a reference is taken until the flush; NULL with payload_len 0 for padding or
 *                probes whose payload is all lead
 * @return where to write the head, or NULL: the peer's queue is full or it has no keys (counted)
 */
struct egress_head *egress_push(struct egress *e, struct egress_peer *peer, struct packet *packet,
                                uint16_t payload_offset, uint16_t payload_len);

/** Queue one finished datagram (STUN, DTLS, SRTCP) [len bytes]; everything is copied.
 *
 *  @param from  the address of ours that it leaves from
 *  @return 0; -EMSGSIZE: longer than PACKET_CAPACITY */
MUST_USE int egress_push_datagram(struct egress *e, const struct sockaddr_storage *to,
                                  const struct local_address *from, const uint8_t *data,
                                  size_t len);

/** Seal and send everything queued; STUN, DTLS and SRTCP first. Calls `send` with up to
 *  UDP_SEND_BATCH datagrams at a time, a peer's in order and next to each other. */
void egress_flush(struct egress *e);

/** @return counters since egress_new(); valid as long as the egress */
const struct egress_stats *egress_stats(const struct egress *e);

#endif
