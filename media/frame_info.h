/**
 * @file frame_info.h  What one packet of video says of the frame it belongs to.
 *
 * From the dependency descriptor where there is one (any codec, also end-to-end encrypted frames:
 * then nothing of the frame itself is looked at); else from the payload descriptors of VP8 (RFC
 * 7741) and VP9 (RFC 9628); else (H.264 RFC 6184, H.265 RFC 7798, AV1) key frames and frame ends
 * only. A frame is one spatial layer of a picture.
 *
 * Plain values; no allocation; not tied to a thread.
 */
#ifndef MEDIA_FRAME_INFO_H
#define MEDIA_FRAME_INFO_H

#include "media/base/codec.h"
#include "media/dd_history.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FRAME_MAX_SPATIAL = 4,    /* layers: sid 0..3; higher ones count as the highest */
    FRAME_MAX_TEMPORAL = 4,   /* layers: tid 0..3; higher ones count as the highest */
    FRAME_MAX_CHAINS = 8,     /* what is told of further ones is passed over */
    FRAME_DESCRIPTOR_MAX = 6, /* what is renumbered lies in so many bytes of the payload */
};

struct frame_info {
    /* Dependency descriptor (media/dependency_descriptor.h); valid if has_dd. */
    uint64_t dtis;           /* 2 bits per decode target, first lowest: enum dd_indication */
    uint32_t active_targets; /* bit per decode target; UINT32_MAX: not told in this packet */
    uint16_t frame_number;   /* the publisher's */
    uint8_t n_targets, n_chains;
    uint8_t structure;                     /* which one it refers to: dd_history_find() */
    uint8_t chain_diffs[FRAME_MAX_CHAINS]; /* 0: the chain begins here */

    uint8_t sid, tid;
    uint8_t n_spatial;      /* layers that the stream says it has; 0: not told in this packet */
    uint16_t width, height; /* [px] of the highest layer, where this packet tells; 0: does not */

    /* What a subscriber sees renumbered, VP8 and VP9. `_at`: offset from the start of the payload.
     * There whether or not there is a dependency descriptor. */
    uint8_t picture_bits; /* 0 (absent), 7 or 15 */
    uint8_t picture_at;   /* big endian; of 15 bits, the highest bit of the first byte is 1 */
    uint16_t picture;
    uint8_t tl0, tl0_at;             /* TL0PICIDX, if has_tl0 */
    uint8_t key_index, key_index_at; /* VP8 KEYIDX, the low 5 bits of its byte, if has_key_index */
    uint8_t descriptor_len;          /* of the payload descriptor [bytes]; 255: that or more */
    bool has_tl0, has_key_index;

    bool begins, ends;   /* first, last packet of the frame (H.264, H.265, AV1 without descriptor:
                            begins only of key frames; ends: last of the picture) */
    bool begins_picture; /* first packet of the first spatial layer of the picture */
    bool starts_key;     /* decoding can begin with this packet: sid 0, first of a key frame */
    bool key;            /* of a key picture, all its spatial layers. VP9 and descriptors: every
                            packet of it, and of an upper spatial layer that needs no picture before
                            this one; else its first packet only */
    bool up_switch;      /* tid may be raised to this frame's with it: it, and what follows in its
                            temporal layer, needs nothing of this layer from before (VP8 Y, DD; VP9
                            does not tell but for key pictures, and has up_follows) */
    bool up_follows;     /* tid may be raised to any higher one after this frame: what follows in
                            layers above this tid needs nothing of them from before (VP9 U, DD) */
    bool discardable;    /* no other frame needs it (VP8 N, H.264 nal_ref_idc, DD) */
    bool inter_layer;    /* VP9 D: needs the spatial layer below, of the same picture */
    bool not_for_upper;  /* VP9 Z: no higher spatial layer of this picture needs it */
    bool ksvc_hint;      /* VP9: upper layer of a picture that is no key, with D clear */
    bool has_dd;
    bool undecided;         /* there is a descriptor, but its structure is not known (yet, or any
                               more): what is told is from the payload */
    bool carries_structure; /* the descriptor brings a template dependency structure */
};

/** A packet to read. All is borrowed. */
struct frame_packet {
    enum codec codec;
    bool marker;               /* of the RTP header */
    struct dd_place at;        /* in its stream */
    const uint8_t *payload;    /* of the RTP packet, without padding */
    size_t len;                /* [bytes] */
    const uint8_t *descriptor; /* value of the dependency descriptor extension; NULL: none */
    size_t descriptor_len;     /* [bytes] */
};

/**
 * Read what a packet says. Malformed descriptors are as if there were none; a malformed payload
 * says nothing but where the frame ends; sound says nothing.
 *
 * @param dd  structures seen in this stream, updated when the packet brings one; NULL: none yet
 */
void frame_info_read(struct frame_info *ret, const struct frame_packet *packet,
                     struct dd_history *dd);

#endif
