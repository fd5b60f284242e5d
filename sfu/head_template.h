/**
 * @file head_template.h  RTP headers of one slot: everything that is the same in each of them is
 * written once. Pure.
 *
 * CSRC: the publisher. Extensions: mid, transport-wide number, send time, each where negotiated
 * (the latter two are zero until the egress fills them in), and what the publisher's packet brings
 * that the subscriber takes, under the subscriber's ids. A slot writes one-byte or two-byte
 * elements (RFC 8285), never both.
 */
#ifndef SFU_HEAD_TEMPLATE_H
#define SFU_HEAD_TEMPLATE_H

#include "media/egress.h"
#include "media/rtp.h"
#include "sfu/forward.h"
#include "signaling/negotiation.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    HEAD_TEMPLATE_LEAD_MAX = 20, /* left for what goes before the payload: RTX, RED [bytes] */
    HEAD_TEMPLATE_MAX = EGRESS_HEAD_MAX - HEAD_TEMPLATE_LEAD_MAX,
    HEAD_TEMPLATE_SHORT = 40, /* bytes of a header with a mid that is not unusually long */
    HEAD_TEMPLATE_FIXED_MAX = RTP_HEADER_LEN + 8 + 2 + PLAN_MID_MAX + 4 + 5 + 3,
};

struct head_template {
    bool extended;                             /* there are extensions */
    bool two_byte;                             /* in the two-byte form */
    bool repeatable;                           /* nothing in it tells of the moment of sending */
    uint8_t fixed_len, padded_len;             /* of `bytes`, without and with padding */
    uint8_t transport_cc_at, abs_send_time_at; /* where their values go; 0: none */
    struct extension_map ids;
    uint8_t bytes[HEAD_TEMPLATE_FIXED_MAX]; /* header, CSRC, extensions that are in every packet */
};

/**
 * @param section  the slot's
 * @param csrc     number of the publisher
 */
void head_template_init(struct head_template *t, const struct plan_section *section, uint32_t csrc);

/** What differs. */
struct head_fields {
    bool marker;
    uint8_t pt;
    uint16_t seq;
    uint32_t ts, ssrc;
    bool padding;        /* the payload ends with some, which is in its lead */
    uint16_t frame_step; /* what to add to the frame's number in the dependency descriptor */
};

/**
 * Write a header. A passed-through extension that would not fit is left out.
 *
 * @param out  room for HEAD_TEMPLATE_MAX
 * @return its length [bytes]
 */
uint16_t head_template_write(const struct head_template *t, const struct head_fields *fields,
                             const struct forward *f, uint8_t *out);

#endif
