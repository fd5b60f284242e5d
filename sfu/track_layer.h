/**
 * @file track_layer.h  One incoming encoding of a track: what arrived, what is missing, and the
 * packets themselves, for retransmission. Made when its first packet arrives.
 *
 * Thread: the worker's own.
 */
#ifndef SFU_TRACK_LAYER_H
#define SFU_TRACK_LAYER_H

#include "media/base/attributes.h"
#include "media/base/codec.h"
#include "media/key_frame_request.h"
#include "media/packet_store.h"
#include "media/rate_meter.h"
#include "media/stream_receiver.h"
#include "sfu/track_measure.h"

#include <stdbool.h>
#include <stdint.h>

struct dd_history;
struct forward;
struct forwarder_stats;
struct frame_info;
struct nack_generator;
struct packet;

/** Packets are kept so long for subscribers that ask again. */
#define TRACK_LAYER_KEEP_US (3 * SECOND)
/** A stream whose SSRC changes is believed once the old one was silent for so long. */
#define TRACK_LAYER_TAKEOVER_US (500 * MS)
/** A layer without a packet for so long does not flow. */
#define TRACK_LAYER_SILENT_US (1 * SECOND)

struct track_layer {
    enum media_kind kind;
    struct stream_receiver receiver; /* receiver.ssrc is the layer's */
    struct packet_store store;
    struct nack_generator *nack; /* NULL: what is missing is not asked for */
    struct key_frame_request key_frame;
    int64_t newest_us;      /* when a packet last came */
    bool ended;             /* BYE, nothing since */
    uint8_t fir_seq;        /* of the next FIR (RFC 5104) */
    uint16_t width, height; /* [px] of the picture, as last told; 0: not yet */
    struct dd_history *dd;  /* structures of its dependency descriptors; NULL: none yet */
    uint8_t n_spatial;      /* layers seen or told of; 0: nothing came yet */
    uint8_t n_temporal;
    uint8_t fps;                 /* pictures per second, of all temporal layers; 0: not known yet */
    struct rate_meter *rates;    /* NULL: sound */
    struct layer_counts counted; /* when the track was measured last */
    /* the newest key frame */
    bool has_key_frame;
    int64_t key_frame_seq; /* unwrapped, of its first packet */
    int64_t key_frame_us;  /* when that came */
    uint32_t key_frame_ts; /* RTP timestamp */
};

/** What track_layer_receive() says of a packet. */
enum arrival {
    ARRIVAL_NEWEST,    /* nothing later has come yet */
    ARRIVAL_LATE,      /* fills a gap */
    ARRIVAL_DUPLICATE, /* was here already, or is too old to matter */
    ARRIVAL_RESTART,   /* the stream began anew with it: other SSRC, or numbers far from before */
    ARRIVAL_STRANGER,  /* of another SSRC, while the layer's own still flows */
};

/**
 * @param codec    what the m-line is mainly for
 * @param repairs  ask the publisher for packets that are missing
 * @return 0; -ENOMEM
 */
MUST_USE int track_layer_new(struct track_layer **ret, enum media_kind kind, enum codec codec,
                             bool repairs, uint32_t ssrc);
/** Drop all packets and free. NULL is fine. @return NULL */
struct track_layer *track_layer_free(struct track_layer *l);

/**
 * Take in a media packet: count it, note what is missing, and keep it.
 *
 * @param packet     parsed, unwrapped if it came as RTX; a reference is taken unless the layer has
 *                   it or `keep` is false
 * @param recovered  it came as RTX
 * @param keep       false: for the statistics only (muted)
 */
enum arrival track_layer_receive(struct track_layer *l, struct packet *packet, bool recovered,
                                 bool keep, int64_t now_us);

/** Say in `f` what its packet, which was received or is read again, tells of its frame. */
void track_layer_read_frame(struct track_layer *l, enum codec codec, struct forward *f);

/** With the packet just received a key frame can begin: it is its first, or that came earlier. */
void track_layer_note_key_frame(struct track_layer *l, const struct packet *packet);

/** The packet just received is of `frame`: count it, and note what it tells of the picture. Video
 *  only. @return true if the layer has other spatial or temporal layers than before */
bool track_layer_note_frame(struct track_layer *l, const struct frame_info *frame,
                            const struct packet *packet);

/** @return how much of all packets with at most this sid and tid comes, over the last second
 *          [bit/s]; 0: not known yet, or sound; a layer that stopped keeps what it had */
uint32_t track_layer_rate(const struct track_layer *l, uint8_t sid, uint8_t tid);

/** @return true if packets that were asked for did not come since the last call, and only a key
 *          frame, which has not come either, can make up for that */
MUST_USE bool track_layer_take_lost(struct track_layer *l);

/** @return true if packets came lately */
bool track_layer_flows(const struct track_layer *l, int64_t now_us);

/** Let go of packets older than `keep_us` (TRACK_LAYER_KEEP_US, or less where memory is short). */
void track_layer_expire(struct track_layer *l, int64_t keep_us, int64_t now_us);

#endif
