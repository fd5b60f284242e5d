/**
 * @file jitter_buffer.h  Turns audio packets that come when they like into an even flow, with as
 * little delay as the network allows. Knows RTP numbers and no codec.
 *
 * Every packet says how late it is compared with the fastest of the last seconds; the 95th
 * percentile of that is the delay we aim at. The delay we have is a difference of clocks (now, and
 * the timestamp played next), so it needs no filter, and drift of the sender's clock shows up in it
 * like everything else: it is corrected by leaving out or adding one frame, in silence if possible.
 *
 * A plain value (about 200 KiB): embed it, init it, forget it. Not thread-safe.
 */
#ifndef CLIENT_JITTER_BUFFER_H
#define CLIENT_JITTER_BUFFER_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JITTER_PACKETS = 128,      /* held at most: 2.5 s of 20 ms packets; a power of two */
    JITTER_PAYLOAD_MAX = 1500, /* bytes of a packet */
    JITTER_BUCKETS = 50,       /* of the histogram of delays, 10 ms each */
    JITTER_RATE = 48000,       /* [Hz] of timestamps and samples */
    JITTER_MAX_SAMPLES = 5760, /* of a packet: 120 ms */
};

/** What goes in. */
struct jitter_packet {
    uint16_t seq;
    uint32_t ts;
    uint32_t source;     /* who speaks: CSRC, 0 if unknown; only handed through */
    uint16_t samples;    /* 1..JITTER_MAX_SAMPLES */
    bool has_fec;        /* it carries a copy of the packet before it */
    const uint8_t *data; /* borrowed */
    size_t len;          /* 1..JITTER_PAYLOAD_MAX [bytes] */
};

enum jitter_action {
    JITTER_SILENCE, /* nothing has come yet, or the stream pauses: play `samples` of silence */
    JITTER_DECODE,  /* decode the packet and play it */
    JITTER_DISCARD, /* decode the packet and drop the sound: we are too far behind; take again */
    JITTER_FEC, /* play the copy of the packet before, which `data` carries; `data` comes again */
    JITTER_CONCEAL, /* make up `samples` */
};
const char *jitter_action_name(enum jitter_action action);

/** What comes out. */
struct jitter_play {
    enum jitter_action action;
    uint16_t samples;
    uint32_t source;     /* of the packet, or of the last one */
    const uint8_t *data; /* DECODE, DISCARD, FEC: valid until the next call; else NULL */
    size_t len;
};

struct jitter_stats {
    uint64_t packets, duplicates, late; /* put: kept, seen before, past their time */
    uint64_t decoded, fec, concealed; /* taken; concealed: in place of packets that did not come */
    uint64_t discarded, inserted;     /* frames left out and added to correct the delay */
    uint64_t underruns, restarts;     /* ran empty; source began anew (jump of numbers) */
};

struct jitter_slot {
    int64_t seq; /* unwrapped; -1: never used */
    int64_t ts;  /* unwrapped */
    int64_t arrival_us;
    uint32_t source;
    uint16_t samples, len;
    bool has_fec, used; /* used: taken, kept to know duplicates */
    uint8_t data[JITTER_PAYLOAD_MAX];
};

struct jitter_buffer {
    int64_t min_us, max_us; /* limits of the delay */
    bool started, playing;
    int64_t newest_seq, newest_ts; /* unwrapped */
    int64_t play_seq, play_ts;     /* what is played next */
    int64_t done_seq;              /* below it is late, playing or not */
    uint32_t source;               /* of the last packet taken */
    uint16_t samples;              /* of the last packet taken */
    int64_t base_us[2];            /* least (arrival - timestamp), this and the window before */
    int64_t base_since_us;
    uint32_t n_measured;
    float histogram[JITTER_BUCKETS]; /* share of packets by delay over the base; sums to 1 */
    uint32_t hidden_samples;         /* made up since we ran empty, not yet in play_ts */
    uint32_t frames_since_correction;
    uint32_t silent_samples; /* made up in a pause of the sender (DTX) */
    struct jitter_stats stats;
    struct jitter_slot slots[JITTER_PACKETS];
};

/** @param min_us, max_us  limits of the delay aimed at [us]; 0: 40 ms, 500 ms */
void jitter_buffer_init(struct jitter_buffer *b, int64_t min_us, int64_t max_us);

/** Put a packet in; its bytes are copied.
 *  @return 0; -EEXIST: seen before; -ETIME: its time has passed; -EMSGSIZE: `len` or `samples` is
 *          out of range */
MUST_USE int jitter_buffer_put(struct jitter_buffer *b, const struct jitter_packet *packet,
                               int64_t now_us);

/** Take what to play now. Call at an even pace, as often as its samples last.
 *  @param quiet  what was played last can hardly be heard: a good place to correct the delay */
void jitter_buffer_take(struct jitter_buffer *b, bool quiet, int64_t now_us,
                        struct jitter_play *ret);

/** @return delay aimed at [us] */
int64_t jitter_buffer_target_us(const struct jitter_buffer *b);

/** Right after jitter_buffer_take(): @return how much later than the fastest packet could have been
 *  played what was taken is [us]; 0 while not playing */
int64_t jitter_buffer_delay_us(const struct jitter_buffer *b, int64_t now_us);

/** @return counts since the beginning */
const struct jitter_stats *jitter_buffer_stats(const struct jitter_buffer *b);

#endif
