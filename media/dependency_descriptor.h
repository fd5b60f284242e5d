/**
 * @file dependency_descriptor.h  The dependency descriptor of the AV1 RTP specification, appendix
 * A: what a frame is, and which decode targets need it, told in a header extension for any codec.
 *
 * What repeats is told once, as templates, in the first packet of a key frame; the structure they
 * form is kept. Plain values; no allocation; not tied to a thread.
 */
#ifndef MEDIA_DEPENDENCY_DESCRIPTOR_H
#define MEDIA_DEPENDENCY_DESCRIPTOR_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DD_MAX_TEMPLATES = 64,
    DD_MAX_TARGETS = 32,
    DD_MAX_CHAINS = 32,
    DD_MAX_SPATIAL = 4,  /* layers; a structure with more is malformed */
    DD_MAX_TEMPORAL = 8, /* layers; a structure with more is malformed */
    DD_MAX_FDIFFS = 16,  /* of one frame; a descriptor with more is malformed */
    DD_HEAD_LEN = 3,     /* what every descriptor begins with, and most are [bytes] */
    DD_MAX_LEN = 255,    /* of an extension's value [bytes] */
    DD_NO_TARGET = 255,
};

/** What a frame is to a decode target; in `dtis`, 2 bits each, of target 0 lowest. */
enum dd_indication {
    DD_NOT_PRESENT, /* no part of it */
    DD_DISCARDABLE, /* part of it, and no other frame of it needs this one */
    DD_SWITCH,      /* with this frame decoded, all that follows of the target can be decoded */
    DD_REQUIRED,
};

/** @return what `dtis` say of `target`, 0..31 */
static inline enum dd_indication dd_indication(uint64_t dtis, uint8_t target)
{
    return (enum dd_indication)(dtis >> (2 * target) & 3);
}

/** What a decode target comprises, and the chain that protects it: DD_MAX_CHAINS: none does. */
struct dd_target {
    uint8_t sid, tid, chain;
};

/** The template dependency structure. No padding: two are compared as bytes. */
struct dd_structure {
    uint64_t dtis[DD_MAX_TEMPLATES];   /* of each template */
    uint16_t fdiffs[DD_MAX_TEMPLATES]; /* bit i: the frame i + 1 before is referred to */
    uint16_t width[DD_MAX_SPATIAL];    /* [px] of each spatial layer; 0: not told. 65536 as 65535 */
    uint16_t height[DD_MAX_SPATIAL];
    uint8_t layers[DD_MAX_TEMPLATES]; /* spatial layer times 16, plus temporal layer */
    uint8_t chain_diffs[DD_MAX_TEMPLATES][DD_MAX_CHAINS / 2]; /* 4 bits each, the first lowest */
    struct dd_target targets[DD_MAX_TARGETS];
    uint8_t target_of[DD_MAX_SPATIAL][DD_MAX_TEMPORAL]; /* first with these; DD_NO_TARGET: none */
    uint8_t offset; /* id of the first template, 0..63; ids wrap */
    uint8_t n_templates, n_targets, n_chains;
    uint8_t n_spatial, n_temporal;
    uint8_t zero[2];
};

/** What one packet's descriptor says. */
struct dd_frame {
    bool begins, ends; /* first, last packet of the frame */
    bool has_structure;
    bool has_active;
    uint8_t template_id;     /* 0..63 */
    uint16_t number;         /* of the frame */
    uint32_t active_targets; /* bit per decode target; UINT32_MAX: not told */
    /* from the template, or told */
    uint8_t sid, tid;
    uint8_t n_fdiffs;
    uint64_t dtis;
    uint16_t fdiffs[DD_MAX_FDIFFS];     /* so many frames before: 1..4096 */
    uint8_t chain_diffs[DD_MAX_CHAINS]; /* so many frames before is the chain's last; 0: begins */
};

/**
 * Read a descriptor.
 *
 * @param s       the structure it refers to; replaced if the descriptor brings one
 * @param ret     written only on success
 * @param data    the extension's value [len bytes]
 * @return 0; -EBADMSG: malformed, then `s` is as before; -ENOENT: its template is not of `s`
 */
MUST_USE int dd_read(struct dd_frame *ret, struct dd_structure *s, const uint8_t *data, size_t len);

/** @return true if the descriptor brings a structure, well-formed or not */
static inline bool dd_has_structure(const uint8_t *data, size_t len)
{
    return len > DD_HEAD_LEN && data[DD_HEAD_LEN] & 0x80;
}

/**
 * Copy a descriptor with another frame number.
 *
 * @return its length [bytes], `len`; -EMSGSIZE: longer than `capacity`; -EBADMSG: malformed
 */
MUST_USE int dd_write_number(uint8_t *out, size_t capacity, const uint8_t *data, size_t len,
                             uint16_t number);

#endif
