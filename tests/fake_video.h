/**
 * @file fake_video.h  A reference encoder: pictures in spatial and temporal layers, with payload
 * descriptors and dependency descriptors as they are on the wire, whose every packet says besides
 * what it truly is and refers to. For tests of what lies between it and fake_decoder.h. No I/O.
 */
#ifndef TESTS_FAKE_VIDEO_H
#define TESTS_FAKE_VIDEO_H

#include "media/base/attributes.h"
#include "media/base/codec.h"
#include "media/dependency_descriptor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FAKE_VIDEO_SPATIAL = 3,
    FAKE_VIDEO_TEMPORAL = 3,
    FAKE_VIDEO_REFERENCES = 4,
    FAKE_VIDEO_PAYLOAD = 400, /* bytes of a packet at most */
};

/** How spatial layers refer to each other. */
enum fake_video_mode {
    FAKE_VIDEO_FULL,  /* L3T3: each to the one below, in every picture */
    FAKE_VIDEO_KEY,   /* L3T3_KEY: in key pictures only */
    FAKE_VIDEO_ALONE, /* S3: never */
};

struct fake_video_config {
    enum codec codec;
    enum fake_video_mode mode;
    uint8_t n_spatial, n_temporal;
    bool descriptor; /* dependency descriptors */
    bool structure;  /* VP9: not flexible: references are told by a structure */
    uint8_t source;  /* which encoder it is, for fake_frame */
    uint64_t seed;
};

/** What a packet truly is. */
struct fake_frame {
    uint8_t source;
    uint32_t number; /* of the frame, in its source */
    uint8_t part, n_parts;
    uint8_t sid, tid;
    bool key;
    int64_t captured_us;
    uint8_t n_references;
    uint32_t references[FAKE_VIDEO_REFERENCES]; /* numbers of frames that must be decoded before */
};

struct fake_video_packet {
    bool marker;
    uint8_t payload[FAKE_VIDEO_PAYLOAD];
    size_t len;
    uint8_t descriptor[DD_MAX_LEN];
    size_t descriptor_len; /* 0: none */
};

struct fake_video {
    struct fake_video_config config;
    uint64_t random;
    uint32_t number;   /* of the next frame */
    uint32_t pictures; /* since the last key picture */
    uint16_t picture;  /* id of the next */
    uint16_t frame;    /* number of the next, for the dependency descriptor */
    uint8_t tl0, key_index;
    bool started;
    /* the last frame of each layer; 0: none since the key picture */
    uint32_t last[FAKE_VIDEO_SPATIAL][FAKE_VIDEO_TEMPORAL];
    uint16_t last_picture[FAKE_VIDEO_SPATIAL][FAKE_VIDEO_TEMPORAL];
    uint16_t last_frame[FAKE_VIDEO_SPATIAL][FAKE_VIDEO_TEMPORAL];
    bool chain_begun[FAKE_VIDEO_SPATIAL];
    uint16_t chain_last[FAKE_VIDEO_SPATIAL];
};

void fake_video_init(struct fake_video *v, const struct fake_video_config *config);

/** Encode one picture. @param send  called with each packet of it, in order; the packet is borrowed
 */
void fake_video_encode(struct fake_video *v, bool key, int64_t now_us,
                       void (*send)(void *owner, const struct fake_video_packet *packet),
                       void *owner);

/** Read what a packet truly is from behind its payload descriptor.
 *  @param skip  bytes of the payload descriptor @return 0; -EBADMSG */
MUST_USE int fake_frame_read(struct fake_frame *ret, const uint8_t *payload, size_t len,
                             size_t skip);

/** The pattern of temporal layers. @return tid of the picture so many after a key picture */
uint8_t fake_video_tid(const struct fake_video_config *config, uint32_t picture);

#endif
