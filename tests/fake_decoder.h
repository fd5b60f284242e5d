/**
 * @file fake_decoder.h  A reference receiver of what fake_video.h encoded: finds by the descriptors
 * what a frame refers to, as libwebrtc's does, and compares with what it truly refers to. Looks at
 * a whole stream in the order of its numbers, when what was lost was sent again.
 */
#ifndef TESTS_FAKE_DECODER_H
#define TESTS_FAKE_DECODER_H

#include "media/frame_info.h"
#include "tests/fake_video.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAKE_DECODER_SOURCES = 8, FAKE_DECODER_FRAMES = 1 << 16 };

/** One packet that came. */
struct fake_decoder_packet {
    bool there, marker;
    uint32_t ts;
    size_t len; /* 0: padding */
    uint8_t payload[FAKE_VIDEO_PAYLOAD];
    size_t descriptor_len;
    uint8_t descriptor[DD_MAX_LEN];
};

struct fake_decoder {
    enum codec codec;
    bool descriptor;      /* frames are told apart by dependency descriptors */
    bool structure;       /* VP9: not flexible */
    int64_t tolerance_us; /* of timestamps, against when a picture was captured */
    uint8_t publisher_of[FAKE_DECODER_SOURCES]; /* sources of one publisher have one clock */
    /* what went wrong first, and where; NULL: nothing */
    const char *problem;
    size_t problem_at;
    uint64_t pictures;
    uint64_t cut; /* times that something was missing for good, up to a key picture */
    /* private */
    struct dd_structure dd;
    bool started, in_picture, filled, lost, jumped;
    size_t lost_at;
    struct fake_frame frame;    /* that is being put together */
    struct fake_frame previous; /* the one before */
    struct frame_info info, previous_info;
    uint8_t parts;
    uint32_t ts;
    int64_t base_us;
    uint32_t base_ts;
    uint16_t diffs[FAKE_VIDEO_REFERENCES];
    uint8_t n_diffs;
    bool has_vp8_layer[FAKE_VIDEO_TEMPORAL];
    uint32_t vp8_layers[FAKE_VIDEO_TEMPORAL]; /* number of the last frame of each */
    uint16_t group_start;
    uint32_t number_of[FAKE_DECODER_FRAMES][FAKE_VIDEO_SPATIAL]; /* by the id that was received */
    bool decoded[FAKE_DECODER_SOURCES][FAKE_DECODER_FRAMES];
};

/** Take the next packet; after a problem nothing more is looked at. */
void fake_decoder_take(struct fake_decoder *d, const struct fake_decoder_packet *packet, size_t at);

#endif
