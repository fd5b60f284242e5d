#include "sfu/layer_selector.h"

#include "media/dependency_descriptor.h"

#include <string.h>

/* What is known of a frame: how many spatial layers of its picture are forwarded; or, where decode
 * targets tell, whether it is, and as the highest of its picture. */
enum { LEFT_OUT = 0, FORWARDED = 1, HIGHEST = 2, UNKNOWN = 255 };

enum {
    FIRST_CYCLE = 1 << 17,
    OPEN_PICTURES = 8, /* so many were forwarded whole, before it is believed that all are */
};

static const struct layer_limit unlimited = {LAYER_UNLIMITED, LAYER_UNLIMITED};

/* What is forwarded has been so for ever. */
static void forget_changes(struct layer_selector *s)
{
    for (size_t i = 0; i < LAYER_SELECTOR_CHANGES; i++)
        s->changes[i] = (struct selector_change){
            .from = INT64_MIN, .limit = s->current, .target = DECODE_TARGET_ALL};
}

static void note_change(struct layer_selector *s, const struct selector_change *change)
{
    memmove(&s->changes[1], &s->changes[0], (LAYER_SELECTOR_CHANGES - 1) * sizeof(s->changes[0]));
    s->changes[0] = *change;
}

/* @return what was forwarded when a frame was due that none of has come yet */
static const struct selector_change *change_at(const struct layer_selector *s, int64_t number,
                                               uint32_t ts)
{
    size_t i = 0;

    while (i + 1 < LAYER_SELECTOR_CHANGES && number < s->changes[i].from &&
           (s->changes[i].from == INT64_MIN || ts != s->changes[i].ts))
        i++;
    return &s->changes[i];
}

void layer_selector_init(struct layer_selector *s, uint32_t ts)
{
    *s = (struct layer_selector){
        .limit = unlimited,
        .current = unlimited,
        .ts = ts,
        .begun = true,
    };
    forget_changes(s);
    decode_targets_init(&s->targets);
    memset(s->fates, UNKNOWN, sizeof(s->fates));
}

/* The highest that a frame is told to be of may be any higher one. */
void layer_selector_set_limit(struct layer_selector *s, struct layer_limit limit)
{
    s->limit.sid = limit.sid < FRAME_MAX_SPATIAL - 1 ? limit.sid : LAYER_UNLIMITED;
    s->limit.tid = limit.tid < FRAME_MAX_TEMPORAL - 1 ? limit.tid : LAYER_UNLIMITED;
}

static uint8_t smaller(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

/* ------------------------------------------------------------------ what is known of frames */

static bool has_number(const struct frame_info *frame)
{
    return frame->has_dd || frame->picture_bits;
}

/* Number of the frame, or without a dependency descriptor, of the picture. */
static int64_t number_of(const struct layer_selector *s, const struct frame_info *frame)
{
    uint16_t number = frame->has_dd ? frame->frame_number : frame->picture;
    int64_t cycle = INT64_C(1) << (frame->has_dd ? 16 : frame->picture_bits);
    int64_t ahead;

    if (!s->started)
        return FIRST_CYCLE + number;
    ahead = (number - s->newest) & (cycle - 1);
    return s->newest + (ahead < cycle / 2 ? ahead : ahead - cycle);
}

static uint8_t *fate_at(struct layer_selector *s, int64_t number)
{
    return &s->fates[number & (LAYER_SELECTOR_WINDOW - 1)];
}

static uint8_t known_fate(const struct layer_selector *s, int64_t number)
{
    if (number > s->newest || s->newest - number >= LAYER_SELECTOR_WINDOW)
        return UNKNOWN;
    return s->fates[number & (LAYER_SELECTOR_WINDOW - 1)];
}

/* `number` becomes the newest; nothing is known of those between. */
static void advance(struct layer_selector *s, int64_t number)
{
    if (!s->started || number - s->newest >= LAYER_SELECTOR_WINDOW)
        memset(s->fates, UNKNOWN, sizeof(s->fates));
    else
        for (int64_t n = s->newest + 1; n <= number; n++)
            *fate_at(s, n) = UNKNOWN;
    s->newest = number;
    s->started = true;
}

/* The stream tells by other numbers from here on. */
static void forget(struct layer_selector *s, bool by_targets)
{
    s->by_targets = by_targets;
    s->started = false;
    s->raises = false;
    s->n_open = 0;
    forget_changes(s);
    decode_targets_init(&s->targets);
}

/* ------------------------------------------------------------------ by layers: VP8, VP9 */

/* A picture begins that is newer than all before: see what can be changed with it. */
static void begin_picture(struct layer_selector *s, const struct selector_packet *packet,
                          int64_t number)
{
    const struct frame_info *frame = packet->frame;
    struct layer_limit to = s->current;
    int64_t from = number;

    bool key = frame->key && frame->sid == 0; /* of an upper layer it tells of that alone */

    if (s->limit.sid < to.sid || key)
        to.sid = s->limit.sid;
    if (s->limit.tid < to.tid || key) {
        to.tid = s->limit.tid;
    } else if (s->raises && s->started) {
        to.tid = s->limit.tid;
        from = s->newest + 1; /* what is missing between needs nothing from before, too */
    } else if (frame->up_switch && frame->tid == to.tid + 1 && frame->tid <= s->limit.tid) {
        to.tid = frame->tid;
    }
    if (to.sid != s->current.sid || to.tid != s->current.tid)
        note_change(s, &(struct selector_change){.from = from, .ts = packet->ts, .limit = to});
    s->current = to;
    s->raises = frame->up_follows && frame->tid <= s->current.tid;
}

static uint8_t fate_under(struct layer_limit limit, const struct frame_info *frame)
{
    return frame->tid > limit.tid ? LEFT_OUT
                                  : (uint8_t)(smaller(limit.sid, FRAME_MAX_SPATIAL - 1) + 1);
}

static uint8_t decide_by_layers(struct layer_selector *s, const struct selector_packet *packet)
{
    const struct frame_info *frame = packet->frame;
    int64_t number;

    if (!has_number(frame)) {
        if (packet->newest && !s->begun && (!s->started || packet->ts != s->ts)) {
            begin_picture(s, packet, s->newest + 1);
            advance(s, s->newest + 1);
        }
        return fate_under(s->current, frame);
    }
    number = number_of(s, frame);
    if (!s->started || number > s->newest) {
        if (!s->begun)
            begin_picture(s, packet, number);
        advance(s, number);
    } else if (s->newest - number >= LAYER_SELECTOR_WINDOW) {
        return LEFT_OUT;
    }
    if (*fate_at(s, number) == UNKNOWN)
        *fate_at(s, number) = fate_under(change_at(s, number, packet->ts)->limit, frame);
    return *fate_at(s, number);
}

static struct selector_verdict verdict_by_layers(uint8_t fate, const struct frame_info *frame)
{
    return (struct selector_verdict){
        .forward = frame->sid < fate,
        .ends_picture = frame->ends && frame->sid + 1 == fate,
    };
}

/* ------------------------------------------------------------------ by decode targets */

static enum frame_fate fate_before(const void *owner, uint16_t before)
{
    const struct layer_selector *s = owner;
    uint8_t fate = known_fate(s, s->newest - before);

    if (fate == UNKNOWN)
        return FATE_UNKNOWN;
    return fate == LEFT_OUT ? FATE_LEFT_OUT : FATE_FORWARDED;
}

/* What becomes of a frame if `target` is forwarded, whose spatial layer is `sid`. */
static uint8_t fate_in(uint8_t target, uint8_t sid, const struct frame_info *frame)
{
    if (!decode_targets_include(frame, target))
        return LEFT_OUT;
    return frame->sid == sid ? HIGHEST : FORWARDED;
}

static void begin_frame(struct layer_selector *s, const struct selector_packet *packet,
                        int64_t number)
{
    const struct frame_info *frame = packet->frame;
    uint8_t fate;

    /* Chromium numbers the frames of all encodings of a simulcast together. */
    if (s->started && s->has_gap && number > s->newest + 1)
        decode_targets_note_loss(&s->targets, packet->structure);
    if (!s->begun &&
        (!s->started || packet->ts != s->ts || s->targets.wanted == DECODE_TARGET_ALL)) {
        bool changes = decode_targets_begin_picture(&s->targets, frame, packet->structure,
                                                    s->limit);
        struct selector_change change = {.from = number,
                                         .ts = packet->ts,
                                         .limit = s->targets.layers,
                                         .target = s->targets.current};

        if (changes)
            note_change(s, &change);
        s->n_open = s->targets.is_open && s->n_open < OPEN_PICTURES ? s->n_open + 1 : s->n_open;
    }
    s->has_gap = false;
    advance(s, number);
    fate = fate_in(s->targets.current, s->targets.layers.sid, frame);
    *fate_at(s, number) = fate;
    if (fate == LEFT_OUT)
        s->n_open = 0;
    decode_targets_note(&s->targets, frame, packet->structure, fate != LEFT_OUT, fate_before, s);
}

static uint8_t decide_by_targets(struct layer_selector *s, const struct selector_packet *packet)
{
    int64_t number = number_of(s, packet->frame);

    if ((!s->started || number > s->newest) && packet->structure)
        begin_frame(s, packet, number);
    else if (s->newest - number >= LAYER_SELECTOR_WINDOW)
        return LEFT_OUT;
    if (*fate_at(s, number) == UNKNOWN) {
        const struct selector_change *at = change_at(s, number, packet->ts);

        *fate_at(s, number) = fate_in(at->target, at->limit.sid, packet->frame);
    }
    return *fate_at(s, number);
}

static struct selector_verdict verdict_by_targets(uint8_t fate, const struct frame_info *frame)
{
    return (struct selector_verdict){
        .forward = fate != LEFT_OUT,
        .ends_picture = frame->ends && fate == HIGHEST,
    };
}

/* ------------------------------------------------------------------ both */

struct selector_verdict layer_selector_decide(struct layer_selector *s,
                                              const struct selector_packet *packet)
{
    struct selector_verdict verdict;

    if (packet->frame->undecided) /* too much is better than half a frame */
        return (struct selector_verdict){.forward = true, .unknown = true};
    s->begun = s->begun && (!packet->newest || packet->ts == s->ts);
    if (s->begun && !packet->newest)
        return (struct selector_verdict){.forward = true, .unknown = true};
    if (packet->frame->has_dd != s->by_targets)
        forget(s, packet->frame->has_dd);
    if (packet->newest) {
        s->has_gap = s->has_gap || packet->seq != (uint16_t)(s->seq + 1);
        s->seq = packet->seq;
    }
    if (s->by_targets)
        verdict = verdict_by_targets(decide_by_targets(s, packet), packet->frame);
    else
        verdict = verdict_by_layers(decide_by_layers(s, packet), packet->frame);
    if (packet->newest)
        s->ts = packet->ts;
    return verdict;
}

struct selector_verdict layer_selector_recall(const struct layer_selector *s,
                                              const struct selector_packet *packet)
{
    const struct frame_info *frame = packet->frame;
    uint8_t fate = UNKNOWN;

    if (s->started && frame->has_dd == s->by_targets && has_number(frame))
        fate = known_fate(s, number_of(s, frame));
    if (fate == UNKNOWN)
        return (struct selector_verdict){.forward = true, .unknown = true};
    return s->by_targets ? verdict_by_targets(fate, frame) : verdict_by_layers(fate, frame);
}

struct layer_limit layer_selector_current(const struct layer_selector *s)
{
    return s->by_targets ? s->targets.layers : s->current;
}

bool layer_selector_needs_key(const struct layer_selector *s, uint8_t n_spatial)
{
    if (s->by_targets)
        return s->targets.needs_key;
    return s->limit.sid > s->current.sid && s->current.sid + 1 < n_spatial;
}

bool layer_selector_is_open(const struct layer_selector *s)
{
    if (s->by_targets)
        return s->n_open == OPEN_PICTURES;
    return s->current.sid >= FRAME_MAX_SPATIAL - 1 && s->current.tid >= FRAME_MAX_TEMPORAL - 1;
}
