/**
 * @file forwarder.h  Everything of one worker but its thread, loop and socket: rooms, participants,
 * tracks and subscriptions, and the packet pool. Sans-I/O: datagrams, mail and time come in;
 * datagrams and mail go out through the handler. Tests run it in simulated time.
 *
 * A turn: forwarder_receive() and forwarder_mail() any number of times, forwarder_advance() once
 * if its deadline has come, then forwarder_flush() once. What is queued is also sent in between,
 * when it is much.
 *
 * Mail: MAIL_JOIN makes a participant, MAIL_UPDATE replaces its plan. Each MAIL_LEAVE is answered
 * with one MAIL_GONE, also for a participant that is not (or no longer) there. After MAIL_STATE
 * with PEER_FAILED, PEER_CLOSED or PEER_CONSENT_LOST nothing of the participant is left here;
 * control still sends MAIL_LEAVE. A join that cannot be served is answered PEER_FAILED.
 * While mail of other kinds names nobody we know, it is dropped: it crossed with a MAIL_STATE.
 *
 * A room may be on several workers. MAIL_PUBLISHER tells of a participant that publishes on another
 * one, until MAIL_UNPUBLISH or MAIL_CLOSE_ROOM; its tracks are asked of that worker as subscribers
 * here want them, and come in batches (sfu/relay_in.h). A room is here as long as a participant or
 * such a publisher of it.
 *
 * Thread: one.
 */
#ifndef SFU_FORWARDER_H
#define SFU_FORWARDER_H

#include "media/base/attributes.h"
#include "media/base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct congestion_stats;
struct datagram;
struct dtls_identity;
struct forwarder;
struct mail;
struct packet;
struct packet_pool;
struct sockaddr_storage;

/** How much one worker takes on. */
struct forwarder_limits {
    uint32_t max_participants;
    uint32_t max_packets;       /* in the pool: received, stored for retransmission, queued */
    uint16_t pad_runs;          /* padding of one packet, to send several as one [bytes] */
    int64_t coalesce_us;        /* wait of a packet for others of the same subscriber */
    bool no_red;                /* no sound is sent twice */
    uint32_t max_audio_streams; /* that one subscriber gets at a time; 0: as many as it has slots */
};
extern const struct forwarder_limits forwarder_default_limits;

/** A participant whose first connectivity check has not come by then has failed. */
#define FORWARDER_CONNECT_US (30 * SECOND)

struct forwarder_config {
    const struct dtls_identity *identity; /* borrowed: must outlive the forwarder */
    uint32_t index;                       /* of this worker, less than RELAY_MAX_WORKERS */
    uint16_t port;                        /* ours, for messages to people */
    struct forwarder_limits limits;
};

struct forwarder_handler {
    /** Send these now; borrowed for the call. */
    void (*send)(void *owner, const struct datagram *datagrams, size_t n);
    /** A mail for control, which owns it from here. */
    void (*post)(void *owner, struct mail *mail);
    /** A mail for another worker's forwarder_mail(), which owns it from here. Only workers that a
     *  mail of control has named are sent any. */
    void (*send_to_worker)(void *owner, uint32_t worker, struct mail *mail);
};

/** Counters since the start. Everything that is dropped is in exactly one of the drop_* members. */
struct forwarder_stats {
    uint64_t participants, tracks, subscriptions; /* now */
    uint64_t joined, connected, failed, left;     /* participants so far */
    uint64_t receive_datagrams, receive_bytes;
    uint64_t rtp_in, rtcp_in, rtp_out, rtx_out, send_datagrams, send_bytes;
    /* Packets padded to be sent as one with others, and by how many bytes. */
    uint64_t padded_out, padding_bytes_out;
    uint64_t padding_in;                   /* packets without payload: feedback only */
    uint64_t recovered_in;                 /* by RTX from publishers */
    uint64_t nacks_out;                    /* sequence numbers asked of publishers */
    uint64_t lost_in;                      /* times that a key frame had to make up for that */
    uint64_t key_frames_out;               /* PLI or FIR sent to publishers */
    uint64_t nacks_in;                     /* sequence numbers subscribers asked for */
    uint64_t key_frames_in;                /* PLI and FIR from subscribers */
    uint64_t key_frames_answered;          /* of which: one is on its way to it already */
    uint64_t key_frames_limited;           /* of which: too many of one subscriber */
    uint64_t feedback_out, feedback_in;    /* feedback packets that tell of each packet */
    uint64_t probe_out, probe_bytes_out;   /* packets sent to find out what a path carries */
    uint64_t estimates;                    /* how often that was looked at */
    uint64_t relay_out, relay_out_batches; /* packets and batches to other workers */
    uint64_t relay_in, relay_in_batches;   /* and from them */
    uint64_t tcp_paths;                    /* TCP connections now (these the worker counts, too) */
    uint64_t tcp_accepted, tcp_refused; /* of which: over a limit, or what they said was no check */
    uint64_t tcp_expired;               /* nobody's, or silent, and closed for that */
    uint64_t drop_tcp;                  /* datagrams that had no place on a TCP connection */
    uint64_t drop_send;         /* datagrams that the kernel did not take (the worker counts) */
    uint64_t drop_pool;         /* datagrams: no packet was left */
    uint64_t drop_unknown;      /* datagrams of addresses and ufrags nobody has */
    uint64_t drop_kind;         /* datagrams that are none of STUN, DTLS, RTP, RTCP */
    uint64_t drop_ice;          /* STUN: malformed, wrong integrity, address of another peer */
    uint64_t drop_transport;    /* failed authentication, replayed, malformed, before the keys */
    uint64_t drop_unrouted;     /* RTP of no track (probes on unknown SSRCs included) */
    uint64_t drop_payload_type; /* RTP with a payload type its m-line does not have */
    uint64_t drop_muted;
    uint64_t silence_left_out; /* packets of audio that say no more than those before */
    uint64_t drop_duplicate;   /* RTP we had */
    uint64_t drop_rtx;         /* RTX that could not be unwrapped */
    uint64_t drop_relay;       /* to another worker, which is too far behind */
    uint64_t drop_unasked;     /* from another worker, of a track nobody wants any more */
    uint64_t drop_codec;       /* per subscription: it has no payload type for the codec */
    uint64_t drop_waiting;     /* per subscription: before its key frame */
    uint64_t drop_old;         /* per subscription: before the start of its stream */
    uint64_t drop_queue;       /* per subscription: its egress queue is full */
    uint64_t nack_unknown, nack_gone, nack_limited; /* not served: number unknown, packet gone,
                                                     * asked too often or too much */
    uint64_t drop_rtcp;                             /* malformed RTCP packets */
    uint64_t drop_view;                             /* views of no slot, or of too many */
    uint64_t drop_memory;                           /* something was left out for lack of memory */
};

/**
 * @param handler  copied
 * @return 0; -ENOMEM; -ENOTSUP: no cryptography (srtp_global_init())
 */
MUST_USE int forwarder_new(struct forwarder **ret, const struct forwarder_config *config,
                           const struct forwarder_handler *handler, void *owner);

/** Free with all participants, sending and posting nothing. NULL is fine. @return NULL */
struct forwarder *forwarder_free(struct forwarder *f);

/** @return the pool that packets for forwarder_receive() come from */
struct packet_pool *forwarder_pool(struct forwarder *f);

/**
 * Take in datagrams, oldest first.
 *
 * @param packets  with data, len, from, to and arrival_us set; the references are the forwarder's
 */
void forwarder_receive(struct forwarder *f, struct packet **packets, size_t n, int64_t now_us);

/**
 * A path to a participant was found by other means than checks that come here (media/path.h: an
 * agent of our own): what comes from it is the participant's, and all is sent there from now on.
 * Again with another one: the path moves. Its owner watches consent; what comes is a sign of life,
 * and so is each such call.
 *
 * @return 0; -ENOENT: there is no such participant; -EADDRINUSE: the path is another one's; -ENOMEM
 */
MUST_USE int forwarder_open_path(struct forwarder *f, uint32_t participant,
                                 const struct sockaddr_storage *path, int64_t now_us);

/** @return true if `path` is one that a participant has proven to be its own */
bool forwarder_has_path(struct forwarder *f, const struct sockaddr_storage *path);

/** Take one mail, and free it. */
void forwarder_mail(struct forwarder *f, struct mail *mail, int64_t now_us);

/** Do what is due. @return when to call again [us], or NEVER_US */
int64_t forwarder_advance(struct forwarder *f, int64_t now_us);

/** @return when forwarder_advance() or forwarder_flush() has work [us], or NEVER_US; changes with
 *          receive, mail and flush */
int64_t forwarder_deadline(const struct forwarder *f);

/** Send everything queued in this turn, but for what may wait for more (limits.coalesce_us). */
void forwarder_flush(struct forwarder *f);

/** Fill `ret` with what is known of the path to a participant. @return 0; -ENOENT: there is none */
MUST_USE int forwarder_path_stats(const struct forwarder *f, uint32_t participant,
                                  struct congestion_stats *ret);

/** Copy the counters. */
void forwarder_stats(const struct forwarder *f, struct forwarder_stats *ret);

#endif
