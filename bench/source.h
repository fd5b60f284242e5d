/**
 * @file source.h  One published stream: frames at a steady pace, in bursts of equal packets.
 * Plain value, no I/O, no clock. One thread.
 */
#ifndef BENCH_SOURCE_H
#define BENCH_SOURCE_H

#include "bench/content.h"
#include "media/base/attributes.h"
#include "media/base/codec.h"
#include "media/base/extension.h"
#include "media/rtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SOURCE_FRAME_MAX = 64, /* packets of one frame */
    SOURCE_MID_MAX = 16,   /* what a one-byte element takes */
    SOURCE_HEAD_MAX = 48,  /* with all extensions */
};

/** How a stream looks; all sources of a kind look the same. */
struct source_shape {
    enum media_kind kind;
    int64_t frame_us;
    uint32_t frame_packets; /* 1 to SOURCE_FRAME_MAX */
    size_t payload_len;     /* of every packet */
    uint32_t frame_ticks;   /* of the RTP clock */
};

/** @return the shape of video with this rate, which is that of the payloads; frames longer than
 *  SOURCE_FRAME_MAX packets are cut to that */
struct source_shape source_video(uint64_t bits_per_s, uint32_t frames_per_s);
/** @param len  bytes of one payload, each of 20 ms */
struct source_shape source_audio(size_t len);

/** One packet to seal. */
struct source_packet {
    size_t head_len, payload_len;
    uint8_t head[SOURCE_HEAD_MAX];
    uint8_t payload[CONTENT_MAX];
};

struct source {
    struct source_shape shape;
    uint32_t ssrc, id; /* id: what the content says of where it comes from */
    uint8_t pt;        /* 0: not to be sent */
    bool key_wanted;   /* the next frame is to be a key frame */
    bool known;        /* somebody reported on it: mid is needed no more */
    char mid[SOURCE_MID_MAX + 1];
    struct extension_map extensions; /* negotiated: mid, send time, number and level are written */
    uint16_t seq;
    uint32_t ts, index;
    uint16_t picture;
    int64_t due_us; /* when the next frame is to be sent */
    uint64_t packets, octets;
};

/** Begin with a frame at `due_us`, a key frame. @param id  unique */
void source_init(struct source *s, const struct source_shape *shape, uint32_t id, int64_t due_us);

/**
 * Make the next frame.
 *
 * @param out            room for SOURCE_FRAME_MAX
 * @param transport_seq  the next transport-wide number of the connection, which goes on
 * @param wall_us        when it is sent
 * @return packets made
 */
size_t source_next_frame(struct source *s, struct source_packet *out, uint16_t *transport_seq,
                         int64_t wall_us);

/** The frame that was due at due_us was sent at `now_us`: set when the next one is. @return by how
 *  much it was late [us] */
int64_t source_step(struct source *s, int64_t now_us);

#endif
