/**
 * @file dd_source.h  A scalable stream's frames, one after the other, as the dependency descriptor
 * tells of them: the usual scalability modes (https://www.w3.org/TR/webrtc-svc/).
 */
#ifndef TESTS_DD_SOURCE_H
#define TESTS_DD_SOURCE_H

#include "media/dependency_descriptor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DD_SOURCE_SPATIAL = 3, DD_SOURCE_TEMPORAL = 3 }; /* layers, at most */

/** What an upper spatial layer refers to, beside its own. */
enum dd_source_kind {
    DD_SOURCE_FULL,      /* L: the lower one, in each picture */
    DD_SOURCE_KEY,       /* L, _KEY: the lower one, in key pictures */
    DD_SOURCE_SIMULCAST, /* S: nothing */
};

struct dd_source {
    enum dd_source_kind kind;
    uint8_t n_spatial, n_temporal;
    struct dd_structure structure; /* target 0 is the highest, as in the specification */
    /* the next frame */
    int64_t number; /* its low 16 bits are sent */
    uint8_t sid;
    uint8_t position; /* of the picture, from one in the lowest temporal layer to the next */
    bool key;
    /* numbers of the newest frames since the last key frame; -1: none */
    int64_t last[DD_SOURCE_SPATIAL][DD_SOURCE_TEMPORAL];
    int64_t chains[DD_SOURCE_SPATIAL];
};

/**
 * @param mode    L1T1 to L3T3, L2T1_KEY to L3T3_KEY, S2T1 to S3T3
 * @param offset  id of the first template
 * @param number  of the first frame, 0 or more
 */
void dd_source_init(struct dd_source *s, const char *mode, uint8_t offset, int64_t number);

/** @return the next frame, which is of a new picture whenever its sid is 0. The first, and the next
 *  picture if `key` is set, is a key picture, and brings the structure. */
struct dd_frame dd_source_next(struct dd_source *s, bool key);

#endif
