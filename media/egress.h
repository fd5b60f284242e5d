/**
 * @file egress.h  Everything one worker sends in a loop turn: queued per peer, laid out and sealed
 * in one pass, handed over as one batch of datagrams. Sans-I/O.
 *
 * Filling costs a header write and a reference to the clear packet; no copy of the payload, no
 * allocation, no cryptography. Only seal_batch() and the flush know about runs and system calls.
 *
 * What the kernel takes costs by the run, not by the datagram, so the flush may even out a peer's
 * packets with padding (run_plan.h), and packets may wait a little for others of their peer.
 *
 * Thread: the worker's own.
 */
#ifndef MEDIA_EGRESS_H
#define MEDIA_EGRESS_H

#include "media/address.h"
#include "media/base/attributes.h"
#include "media/base/clock.h"
#include "media/base/deadline_heap.h"
#include "media/base/list.h"
#include "media/udp_socket.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct packet;
struct seal_session;
struct send_history;
struct send_names;

enum {
    EGRESS_HEAD_MAX = 256,   /* RTP header and lead bytes [bytes]: a dependency descriptor with its
                              * structure (three spatial, three temporal layers) takes about 100 */
    EGRESS_QUEUE_MAX = 2048, /* packets one peer may have queued or held; more are dropped */
    EGRESS_HELD_MAX = 1024,  /* of which may be held beyond a turn; more leave at once */
    EGRESS_TURN_MAX = 65536, /* packets of all peers, held ones too; reaching it sends them */
    /* A peer with so much queued waits for no more: a longer run would save little. */
    EGRESS_WAIT_PACKETS = 16,
    EGRESS_WAIT_BYTES = 4096,
    EGRESS_PAD_MAX = 255,                 /* RFC 3550 section 5.1: its length is one byte */
    EGRESS_PACE_MAX = 1000 * 1000 * 1000, /* [bit/s] */
};

/** What leaves at once of a peer that is paced, in time of its rate. At two and a half times what
 * the path carries (congestion_controller_pacing()) it holds up sound by less than 20 ms, and is a
 * frame of a source that takes half of the path: its runs stay whole. */
#define EGRESS_BURST_US (8 * MS)
/** A packet is held so long, about; if more comes than leaves at the peer's rate, the rate yields.
 */
#define EGRESS_HOLD_US (300 * MS)

/** Which of a paced peer's packets leave first. Packets of one SSRC must be of one class, but for
 *  what is sent again. */
enum egress_class {
    EGRESS_REPAIR, /* sent again */
    EGRESS_MEDIA,
    EGRESS_HELD_CLASSES,
    EGRESS_URGENT = EGRESS_HELD_CLASSES, /* never held: sound, probes */
};

struct egress;

struct egress_queue {
    struct egress_entry *first, *last;
};

/** The leaky bucket of a peer (egress_pace.h). `congested` is for reading. */
struct egress_pace {
    uint64_t bps;    /* 0: it has none */
    int64_t free_us; /* when what has left will have had its time */
    uint32_t n_held, held_bytes;
    bool congested; /* more is held than leaves in EGRESS_HOLD_US at this rate */
    struct egress_queue held[EGRESS_HELD_CLASSES];
    struct deadline_node timer; /* in egress while packets are held */
};

/** One peer's place in the egress; embedded in its owner. What each packet needs comes first. */
struct egress_peer {
    struct list link; /* in egress while it has packets to send */
    struct egress_queue queue;
    uint32_t queued;        /* packets, held ones too */
    uint32_t queued_bytes;  /* of packets that the queue refers to */
    bool waits;             /* for more packets, or for the time to come */
    uint16_t tag_len;       /* bytes that sealing adds to a packet */
    uint8_t probe;          /* that what leaves now is part of, for the history; 0: none */
    uint16_t transport_seq; /* of the next packet that has a transport-wide number */
    int64_t since_us;       /* while it waits; NEVER_US: since this turn */
    /* Borrowed; NULL: RTP cannot be queued. Must not change while anything is queued. */
    struct seal_session *session;
    const struct seal_session *measured; /* the session whose overhead `tag_len` is */
    struct send_history *history;        /* borrowed; NULL: nobody asks what left when */
    struct send_names *names; /* borrowed; not NULL: packets without a number are noted, too */
    uint64_t packets, bytes, dropped; /* RTP sent, its bytes as datagrams, and given up */
    uint64_t wire_bytes;              /* RTP sent, with IP and UDP heads */
    uint64_t numbered_bytes;          /* of which with transport-wide numbers */
    struct egress_pace pace;
    /* The peer's path, kept current by the owner: its address, and ours. */
    struct sockaddr_storage to;
    struct local_address from;
};

struct egress_stats {
    uint64_t flushes, datagrams, bytes, dropped;
    uint64_t padded, padding_bytes; /* packets that were given padding, and how much */
};

/**
 * @param send  called with batches of datagrams, borrowed for the call
 * @return the egress, or NULL: no memory
 */
struct egress *egress_new(void (*send)(void *owner, const struct datagram *datagrams, size_t n),
                          void *owner);
/** Free; queued packets are dropped. NULL is fine. @return NULL */
struct egress *egress_free(struct egress *e);

/** Even out packets of a peer with up to `bytes` of padding each, at most EGRESS_PAD_MAX, to send
 *  them as one. 0, as at first: never. */
void egress_pad_runs(struct egress *e, uint16_t bytes);

/** Let packets wait up to `wait_us` for others of their peer. 0, as at first: they never do. */
void egress_coalesce(struct egress *e, int64_t wait_us);

/** Tell the time of what is sent from now on [us]. Each turn begins with it. */
void egress_set_time(struct egress *e, int64_t now_us);

/** Make `peer` empty; its owner then keeps `session`, `to` and `from` current. */
void egress_peer_init(struct egress_peer *peer);
/** Pace the peer's packets at `bps` [bit/s] from now on. 0, as at first: they leave at once. */
void egress_peer_set_pace(struct egress *e, struct egress_peer *peer, uint64_t bps);
/** Take the peer's queued packets out, unsent. */
void egress_peer_done(struct egress *e, struct egress_peer *peer);

/** What to write before the payload; filled by the caller in place. */
struct egress_head {
    uint16_t head_len; /* RTP header */
    uint16_t lead_len; /* payload bytes in front of the packet's own (RTX: original number) */
    bool may_pad;      /* at first not: must not, if the packet may be sealed again (seal.h) */
    /* Where in the header these go, which are known when the packet leaves; 0, as at first:
     * nowhere. What has a transport-wide number [2 bytes] is noted in the peer's history. */
    uint8_t transport_seq_at, send_time_at;
    uint8_t class; /* enum egress_class; at first EGRESS_MEDIA */
    uint8_t bytes[EGRESS_HEAD_MAX];
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

/** Seal and send everything queued, at the time that was last told; STUN, DTLS and SRTCP first.
 * Calls `send` with up to UDP_SEND_BATCH datagrams at a time, a peer's next to each other, and in
 * order but for what run_plan.h says. */
void egress_flush(struct egress *e);

/** The same for what must not wait: STUN, DTLS, SRTCP, and peers whose first packet has waited long
 *  enough or that have enough packets, each as far as its pace allows. Without egress_coalesce()
 *  and a pace that is everything. */
void egress_flush_due(struct egress *e, int64_t now_us);

/** @return when egress_flush_due() has more to send [us], or NEVER_US */
int64_t egress_deadline(const struct egress *e);

/** @return counters since egress_new(); valid as long as the egress */
const struct egress_stats *egress_stats(const struct egress *e);

#endif
