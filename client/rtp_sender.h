/**
 * @file rtp_sender.h  One outgoing RTP stream: numbers, header extensions, reports,
 * retransmissions. Not thread-safe.
 */
#ifndef CLIENT_RTP_SENDER_H
#define CLIENT_RTP_SENDER_H

#include "media/base/attributes.h"
#include "media/base/extension.h"
#include "media/nack_responder.h"
#include "media/packet_store.h"
#include "media/rtx.h"
#include "media/stream_sender.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct egress;
struct egress_peer;
struct packet;

enum { RTP_SENDER_MID_MAX = 32, RTP_SENDER_NO_LEVEL = -1 };

/** Where packets go; shared by all streams of a connection. */
struct rtp_path {
    struct egress *egress;    /* borrowed */
    struct egress_peer *peer; /* borrowed */
    uint16_t transport_seq;   /* of the next packet, for transport-wide feedback */
};

struct rtp_sender_config {
    uint32_t ssrc, rtx_ssrc;
    uint8_t pt, rtx_pt;  /* rtx_pt 0: lost packets are not sent again */
    uint32_t clock_rate; /* [Hz] */
    size_t store;        /* packets kept to be sent again, a power of two */
    char mid[RTP_SENDER_MID_MAX + 1];
    struct extension_map extensions;
};

struct rtp_sender {
    struct rtp_sender_config config;
    struct stream_sender stats;
    uint16_t seq;     /* of the next packet */
    uint32_t last_ts; /* of the last packet */
    int64_t last_us;  /* when it was sent */
    struct rtx_sender rtx;
    struct nack_responder responder;
    struct packet_store store;
};

/** Begin with a random sequence number. @return 0; -ENOMEM */
MUST_USE int rtp_sender_init(struct rtp_sender *s, const struct rtp_sender_config *config);
void rtp_sender_done(struct rtp_sender *s);

/** One packet to send. */
struct rtp_outgoing {
    struct packet *payload; /* its bytes are the payload; gets the stream's numbers */
    uint32_t ts;
    bool marker;
    int level; /* RFC 6464: loudness [-dBov, 0..127], or RTP_SENDER_NO_LEVEL */
};

/** Queue one packet; a reference to it is taken.
 *  @return 0; -ENOBUFS: the queue is full or there are no keys; the number is not used up */
MUST_USE int rtp_sender_send(struct rtp_sender *s, struct rtp_path *path,
                             const struct rtp_outgoing *out, int64_t now_us);

/** The peer misses these. What is still stored is sent again, within limits. */
void rtp_sender_on_nack(struct rtp_sender *s, struct rtp_path *path, const uint16_t *seqs, size_t n,
                        int64_t now_us);

/** Fill a sender report. @return 0; -EAGAIN: nothing was sent yet */
MUST_USE int rtp_sender_report(struct rtp_sender *s, int64_t now_us, int64_t wall_us,
                               struct rtcp_sender_info *ret);

/** Read a report block of the peer about this stream. */
void rtp_sender_on_report(struct rtp_sender *s, const struct rtcp_report *report, int64_t now_us);

#endif
