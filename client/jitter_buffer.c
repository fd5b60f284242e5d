#include "client/jitter_buffer.h"

#include "media/base/clock.h"
#include "media/seq.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static const int64_t DEFAULT_MIN_US = 40 * MS; /* two frames: FEC needs the one after the loss */
static const int64_t DEFAULT_MAX_US = 500 * MS;
static const int64_t BUCKET_US = 10 * MS;
static const int64_t BASE_WINDOW_US = 2 * SECOND; /* as NetEq's relative delay */
static const int64_t JUMP_US = 3 * SECOND;        /* off the base: other timestamps, not delay */
static const int64_t FEC_ROOM_US = 20 * MS;
/* Off the target that is not worth a frame: too little delay costs packets, too much only time. */
static const int64_t TOO_LONG_US = 20 * MS;
static const int64_t TOO_SHORT_US = 12 * MS;
static const int64_t MUCH_TOO_LONG_US = 120 * MS; /* over the target: correct in speech as well */
static const float QUANTILE = 0.95F;
static const float FORGET = 0.983F; /* half of the histogram is younger than 0.8 s of packets */

enum {
    FRAME = 960,               /* samples assumed until a packet says otherwise */
    MAX_HIDDEN_SAMPLES = 4800, /* 100 ms made up after running empty; then it is a pause */
    MAX_SILENT_SAMPLES = 4800, /* 100 ms of comfort noise in a pause; then plain silence */
    CORRECTION_FRAMES = 5,     /* at least between two corrections */
    FIRST_BUCKET = 3,          /* delay assumed before anything is known: 40 ms, as heavy as */
    FIRST_WEIGHT = 10,         /* so many packets */
    FEC_STEP = 120,            /* Opus can fill gaps of multiples of 2.5 ms */
};

const char *jitter_action_name(enum jitter_action action)
{
    switch (action) {
    case JITTER_SILENCE:
        return "silence";
    case JITTER_DECODE:
        return "decode";
    case JITTER_DISCARD:
        return "discard";
    case JITTER_FEC:
        return "fec";
    case JITTER_CONCEAL:
        return "conceal";
    }
    return "?";
}

static int64_t us_of(int64_t samples)
{
    return samples * SECOND / JITTER_RATE;
}

static struct jitter_slot *slot_of(struct jitter_buffer *b, int64_t seq)
{
    return &b->slots[seq % JITTER_PACKETS];
}

static bool is_held(struct jitter_buffer *b, int64_t seq)
{
    const struct jitter_slot *slot = slot_of(b, seq);

    return slot->seq == seq && !slot->used;
}

static void clear_slots(struct jitter_buffer *b)
{
    for (size_t i = 0; i < JITTER_PACKETS; i++)
        b->slots[i].seq = -1;
}

void jitter_buffer_init(struct jitter_buffer *b, int64_t min_us, int64_t max_us)
{
    memset(b, 0, sizeof(*b));
    b->min_us = min_us > 0 ? min_us : DEFAULT_MIN_US;
    b->max_us = max_us > 0 ? max_us : DEFAULT_MAX_US;
    assert(b->min_us <= b->max_us);
    b->samples = FRAME;
    b->histogram[FIRST_BUCKET] = 1;
    b->n_measured = FIRST_WEIGHT;
    clear_slots(b);
}

static int64_t base_of(const struct jitter_buffer *b)
{
    return b->base_us[0] < b->base_us[1] ? b->base_us[0] : b->base_us[1];
}

static void start_base(struct jitter_buffer *b, int64_t transit_us, int64_t now_us)
{
    b->base_us[0] = transit_us;
    b->base_us[1] = INT64_MAX;
    b->base_since_us = now_us;
}

/* The source's numbers start anew with this packet. */
static void restart(struct jitter_buffer *b, const struct jitter_packet *packet, int64_t now_us)
{
    b->stats.restarts += b->started;
    b->started = true;
    b->playing = false;
    b->newest_seq = SEQ_FIRST_CYCLE + packet->seq;
    b->newest_ts = packet->ts;
    b->done_seq = b->newest_seq - JITTER_PACKETS + 1;
    b->hidden_samples = 0;
    start_base(b, now_us - us_of(b->newest_ts), now_us);
    clear_slots(b);
}

static void follow_base(struct jitter_buffer *b, int64_t transit_us, int64_t now_us)
{
    if (now_us - b->base_since_us >= BASE_WINDOW_US) {
        b->base_us[1] = b->base_us[0];
        b->base_us[0] = INT64_MAX;
        b->base_since_us = now_us;
    }
    if (transit_us < b->base_us[0])
        b->base_us[0] = transit_us;
}

static void measure(struct jitter_buffer *b, int64_t transit_us)
{
    int64_t bucket = (transit_us - base_of(b)) / BUCKET_US;
    float forget = (float)b->n_measured / (float)(b->n_measured + 1);

    if (bucket >= JITTER_BUCKETS)
        bucket = JITTER_BUCKETS - 1;
    if (forget < FORGET)
        b->n_measured++;
    else
        forget = FORGET;
    for (size_t i = 0; i < JITTER_BUCKETS; i++)
        b->histogram[i] *= forget;
    b->histogram[bucket] += 1 - forget;
}

static int64_t distance(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

static bool is_jump(const struct jitter_buffer *b, int64_t seq, int64_t transit_us)
{
    int64_t off_us = transit_us - base_of(b);

    if (distance(seq, b->newest_seq) >= JITTER_PACKETS)
        return true;
    if (b->playing && seq >= b->play_seq + JITTER_PACKETS)
        return true;
    if (distance(off_us, 0) > JUMP_US)
        return true;
    /* A sender whose timestamps stand still while it is muted: later than we ever wait. */
    return !b->playing && off_us > b->max_us;
}

static void keep(struct jitter_buffer *b, const struct jitter_packet *packet, int64_t seq,
                 int64_t ts, int64_t now_us)
{
    struct jitter_slot *slot = slot_of(b, seq);

    slot->seq = seq;
    slot->ts = ts;
    slot->arrival_us = now_us;
    slot->source = packet->source;
    slot->samples = packet->samples;
    slot->len = (uint16_t)packet->len;
    slot->has_fec = packet->has_fec;
    slot->used = false;
    memcpy(slot->data, packet->data, packet->len);
    if (seq > b->newest_seq)
        b->newest_seq = seq;
    if (b->done_seq <= seq - JITTER_PACKETS)
        b->done_seq = seq - JITTER_PACKETS + 1; /* not playing yet: the oldest had to make room */
    if (ts > b->newest_ts)
        b->newest_ts = ts;
    b->stats.packets++;
}

int jitter_buffer_put(struct jitter_buffer *b, const struct jitter_packet *packet, int64_t now_us)
{
    int64_t seq;
    int64_t ts;
    int64_t transit_us;

    if (packet->len < 1 || packet->len > JITTER_PAYLOAD_MAX || packet->samples < 1 ||
        packet->samples > JITTER_MAX_SAMPLES)
        return -EMSGSIZE;
    if (!b->started)
        restart(b, packet, now_us);
    seq = seq_unwrap(b->newest_seq, packet->seq);
    ts = b->newest_ts + (int32_t)(packet->ts - (uint32_t)b->newest_ts);
    transit_us = now_us - us_of(ts);
    if (is_jump(b, seq, transit_us)) {
        restart(b, packet, now_us);
        seq = b->newest_seq;
        ts = b->newest_ts;
        transit_us = now_us - us_of(ts);
    }
    if (slot_of(b, seq)->seq == seq) {
        b->stats.duplicates++;
        return -EEXIST;
    }
    follow_base(b, transit_us, now_us);
    measure(b, transit_us);
    if (seq < b->done_seq) {
        b->stats.late++;
        return -ETIME;
    }
    keep(b, packet, seq, ts, now_us);
    return 0;
}

int64_t jitter_buffer_target_us(const struct jitter_buffer *b)
{
    float share = 0;
    int64_t bucket = 0;
    int64_t target_us;

    while (bucket < JITTER_BUCKETS - 1) {
        share += b->histogram[bucket];
        if (share >= QUANTILE)
            break;
        bucket++;
    }
    target_us = (bucket + 1) * BUCKET_US + FEC_ROOM_US;
    if (target_us < b->min_us)
        return b->min_us;
    return target_us < b->max_us ? target_us : b->max_us;
}

int64_t jitter_buffer_delay_us(const struct jitter_buffer *b, int64_t now_us)
{
    return b->playing ? now_us - us_of(b->play_ts - b->samples) - base_of(b) : 0;
}

const struct jitter_stats *jitter_buffer_stats(const struct jitter_buffer *b)
{
    return &b->stats;
}

/* @return the first packet held from `seq` on, or NULL */
static struct jitter_slot *first_held(struct jitter_buffer *b, int64_t seq)
{
    for (; seq <= b->newest_seq; seq++) {
        if (is_held(b, seq))
            return slot_of(b, seq);
    }
    return NULL;
}

/* Begin to play when the first packet has waited as long as the slowest ones need. */
static bool begin(struct jitter_buffer *b, int64_t now_us)
{
    const struct jitter_slot *first = b->started ? first_held(b, b->done_seq) : NULL;

    if (!first)
        return false;
    if (now_us - us_of(first->ts) - base_of(b) < jitter_buffer_target_us(b) &&
        now_us - first->arrival_us < b->max_us)
        return false;
    b->playing = true;
    b->play_seq = first->seq;
    b->play_ts = first->ts;
    b->done_seq = first->seq;
    b->hidden_samples = 0;
    b->silent_samples = 0;
    b->frames_since_correction = 0;
    return true;
}

static void advance(struct jitter_buffer *b, uint16_t samples)
{
    b->play_ts += samples;
}

static void pass_seq(struct jitter_buffer *b, int64_t seq)
{
    b->play_seq = seq + 1;
    b->done_seq = seq + 1;
}

static void play_made_up(struct jitter_buffer *b, enum jitter_action action, uint16_t samples,
                         struct jitter_play *ret)
{
    *ret = (struct jitter_play){.action = action, .samples = samples, .source = b->source};
}

static void play_packet(struct jitter_buffer *b, enum jitter_action action,
                        struct jitter_slot *slot, struct jitter_play *ret)
{
    *ret = (struct jitter_play){.action = action,
                                .samples = slot->samples,
                                .source = slot->source,
                                .data = slot->data,
                                .len = slot->len};
    slot->used = true;
    b->source = slot->source;
    b->samples = slot->samples;
    b->play_ts = slot->ts;
    advance(b, slot->samples);
    pass_seq(b, slot->seq);
    b->hidden_samples = 0;
    b->silent_samples = 0;
}

/* Nothing is there, nor anything later: late, lost, or the sender pauses. Time of the stream stands
 * still meanwhile, so that a packet that is only late is still played. */
static void play_empty(struct jitter_buffer *b, struct jitter_play *ret)
{
    b->stats.underruns += b->hidden_samples == 0;
    if (b->hidden_samples >= MAX_HIDDEN_SAMPLES) {
        b->playing = false;
        play_made_up(b, JITTER_SILENCE, b->samples, ret);
        return;
    }
    b->hidden_samples += b->samples;
    b->stats.concealed++;
    play_made_up(b, JITTER_CONCEAL, b->samples, ret);
}

/* The sender left time out on purpose (DTX): no packet is missing. */
static void play_pause(struct jitter_buffer *b, int64_t gap, struct jitter_play *ret)
{
    uint16_t samples = gap < b->samples ? (uint16_t)gap : b->samples;
    bool noise = b->silent_samples < MAX_SILENT_SAMPLES && samples % FEC_STEP == 0;

    b->silent_samples += noise ? samples : 0U;
    advance(b, samples);
    play_made_up(b, noise ? JITTER_CONCEAL : JITTER_SILENCE, samples, ret);
}

static void play_lost(struct jitter_buffer *b, struct jitter_slot *later, struct jitter_play *ret)
{
    int64_t gap = later->ts - b->play_ts;
    uint16_t samples = b->samples;

    if (later->seq == b->play_seq + 1 && later->has_fec && gap > 0 && gap <= JITTER_MAX_SAMPLES &&
        gap % FEC_STEP == 0) {
        samples = (uint16_t)gap;
        *ret = (struct jitter_play){.action = JITTER_FEC,
                                    .samples = samples,
                                    .source = later->source,
                                    .data = later->data,
                                    .len = later->len};
        b->stats.fec++;
    } else {
        play_made_up(b, JITTER_CONCEAL, samples, ret);
        b->stats.concealed++;
    }
    advance(b, samples);
    pass_seq(b, b->play_seq);
}

static bool may_correct(const struct jitter_buffer *b)
{
    return b->frames_since_correction >= CORRECTION_FRAMES;
}

static void play_next(struct jitter_buffer *b, struct jitter_slot *slot, bool quiet, int64_t now_us,
                      struct jitter_play *ret)
{
    int64_t delay_us = now_us - us_of(b->play_ts) - base_of(b);
    int64_t excess_us = delay_us - jitter_buffer_target_us(b);

    if (slot->ts > b->play_ts) {
        play_pause(b, slot->ts - b->play_ts, ret);
    } else if (may_correct(b) &&
               ((quiet && excess_us > TOO_LONG_US) || excess_us > MUCH_TOO_LONG_US)) {
        b->frames_since_correction = 0;
        b->stats.discarded++;
        play_packet(b, JITTER_DISCARD, slot, ret);
    } else if (may_correct(b) && quiet && excess_us < -TOO_SHORT_US) {
        b->frames_since_correction = 0;
        b->stats.inserted++;
        play_made_up(b, JITTER_CONCEAL, b->samples, ret);
    } else {
        b->stats.decoded++;
        play_packet(b, JITTER_DECODE, slot, ret);
    }
}

/* What was made up while we ran empty stands for packets that turn out to be lost, or for a pause;
 * if the next packet was only late, it made the delay longer. */
static void settle_hidden(struct jitter_buffer *b, const struct jitter_slot *next)
{
    int64_t gap = next->ts - b->play_ts;

    if (b->hidden_samples == 0 || gap <= 0)
        return;
    if (gap <= b->hidden_samples) {
        b->play_ts = next->ts;
        b->play_seq = next->seq;
    } else {
        int64_t seq = b->play_seq + b->hidden_samples / b->samples;

        b->play_ts += b->hidden_samples;
        b->play_seq = seq < next->seq ? seq : next->seq;
    }
    b->done_seq = b->play_seq;
    b->hidden_samples = 0;
}

void jitter_buffer_take(struct jitter_buffer *b, bool quiet, int64_t now_us,
                        struct jitter_play *ret)
{
    struct jitter_slot *slot;

    if (!b->playing && !begin(b, now_us)) {
        play_made_up(b, JITTER_SILENCE, b->samples, ret);
        return;
    }
    b->frames_since_correction++;
    slot = first_held(b, b->play_seq);
    if (!slot) {
        play_empty(b, ret);
        return;
    }
    settle_hidden(b, slot);
    if (slot->seq == b->play_seq)
        play_next(b, slot, quiet, now_us, ret);
    else
        play_lost(b, slot, ret);
}
