/**
 * @file fake_media.h  Streams whose every payload says what it is: a source that writes them and
 * sends them again when asked, and a sink that knows what is missing or wrong. For tests of what
 * lies between. No I/O: packets go through callbacks.
 */
#ifndef TESTS_FAKE_MEDIA_H
#define TESTS_FAKE_MEDIA_H

#include "media/base/attributes.h"
#include "media/base/codec.h"
#include "media/nack_generator.h"
#include "media/rtp.h"
#include "signaling/negotiation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct packet;

enum {
    FAKE_PAYLOAD_MAX = 1200,
    FAKE_HISTORY = 8192, /* packets a source can send again, and a sink looks back on */
    FAKE_RED_BLOCK = 30, /* bytes of the old block in RED */
    FAKE_COMFORT_LEN = 2,
    FAKE_QUIET = 70, /* level of a source at first: faint noise */
};

/** What a payload says of itself. */
struct fake_content {
    uint32_t source; /* SSRC it was sent with */
    uint32_t index;  /* 0.. in the source */
    bool first, key; /* of a frame, of a key frame */
    uint8_t scale;   /* 0..3: the picture is 320 by 180, twice as large... */
};

/** Write the payload with this content. RED: an old block, then Opus. @return its length */
size_t fake_payload_write(enum codec codec, const struct fake_content *content, uint8_t *out);

/** Read what a payload says, and check every byte of it. @return 0; -EBADMSG: it is not one of ours
 */
MUST_USE int fake_payload_read(enum codec codec, const uint8_t *payload, size_t len,
                               struct fake_content *ret);

/** A packet that a source sent. */
struct fake_sent {
    bool there, marker;
    uint16_t seq;
    uint32_t ts;
    struct fake_content content;
};

/** One stream that a client publishes. Configuration first, for fake_source_init(). */
struct fake_source {
    enum codec codec;
    uint8_t pt, rtx_pt;
    uint32_t ssrc, rtx_ssrc;
    struct extension_map extensions; /* those it writes; 0: not */
    char mid[PLAN_MID_MAX + 1], rid[PLAN_RID_MAX + 1];
    int64_t frame_us;
    uint32_t packets_per_frame;
    bool ignores_requests; /* for key frames */
    /* of audio; may change at any time */
    uint8_t level; /* that it tells: RFC 6464, with the V bit */
    bool no_level; /* tells none */
    bool comfort;  /* sends DTX: FAKE_COMFORT_LEN bytes that say nothing */
    uint8_t scale; /* of its picture, see struct fake_content */
    /** Hand one packet to the transport: header, then payload. */
    void (*send)(void *owner, const uint8_t *head, size_t head_len, const uint8_t *payload,
                 size_t payload_len);
    void *owner;
    /* state */
    bool paused;
    bool unwanted; /* the server said so */
    uint16_t seq, rtx_seq;
    uint16_t *transport_seq; /* shared by the client's sources */
    uint32_t ts, index, frames;
    bool key_wanted;
    int64_t next_us;
    uint64_t packets, resent, key_requests, nacks;
    struct fake_sent sent[FAKE_HISTORY];
};

/** Begin at `now_us`: the first frame of video is a key frame. */
void fake_source_init(struct fake_source *s, int64_t now_us);
/** Send what is due. */
void fake_source_advance(struct fake_source *s, int64_t now_us);
/** Send one frame now. */
void fake_source_send_frame(struct fake_source *s);
/** Send a packet of padding alone. */
void fake_source_send_padding(struct fake_source *s);
/** NACK for `seq`: send it again, by RTX if there is. */
void fake_source_resend(struct fake_source *s, uint16_t seq);

/** A packet that a sink got. */
struct fake_got {
    bool there;
    uint32_t ts, csrc;
    int64_t at_us;
    struct fake_content content;
};

/** One slot that a client receives. */
struct fake_sink {
    char mid[PLAN_MID_MAX + 1];
    const struct plan_section *section; /* of the answer: payload types, SSRCs */
    bool no_nack;                       /* never asks again */
    struct nack_generator nack;
    int64_t first, newest; /* unwrapped; -1: nothing came */
    uint64_t packets, recovered, duplicates;
    uint64_t red;     /* packets of RED that was added on the way */
    uint64_t rescued; /* what came by that alone */
    uint64_t comfort; /* of DTX; it is not among `got` */
    uint64_t wrong;   /* content, payload type or extension is not as it must be */
    uint8_t last_pt;
    uint8_t last_level; /* audio level; 255: none */
    bool has_report;    /* a sender report came */
    uint64_t report_ntp;
    uint32_t report_ts;
    struct fake_got got[FAKE_HISTORY]; /* by number after `first` */
};

void fake_sink_init(struct fake_sink *s, const struct plan_section *section);

/** Take a packet of the sink's SSRC or RTX SSRC, with one reference. */
void fake_sink_receive(struct fake_sink *s, struct packet *packet, int64_t now_us);

/** @return the packet number `i` after the first, or NULL: it did not come */
const struct fake_got *fake_sink_got(const struct fake_sink *s, int64_t i);

/** @return packets between the first and the newest one, with them */
int64_t fake_sink_len(const struct fake_sink *s);

/** @return numbers that did not come, and places where what came is not the next of its source */
uint64_t fake_sink_gaps(const struct fake_sink *s);

#endif
