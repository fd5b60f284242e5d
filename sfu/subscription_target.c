#include "sfu/subscription_target.h"

#include "media/dd_history.h"
#include "media/seq.h"
#include "sfu/core.h"
#include "sfu/subscription.h"
#include "sfu/track.h"

#include <errno.h>
#include <stdlib.h>

/* A key frame waits for the picture before it to be complete, but not longer. */
static const int64_t SWITCH_WAIT_US = 100 * MS;
/* A key picture that was asked for comes by then. */
static const int64_t ASK_AGAIN_US = 1 * SECOND;

enum { BEHIND_MAX_MS = 100 }; /* of a key frame, behind the last picture that was sent */

void subscriber_note_change(struct subscriber *s)
{
    if (s->layers_changed || !s->actor)
        return;
    s->layers_changed = true;
    core_touch(s->core, s->actor);
}

/* ------------------------------------------------------------------ which encoding */

void subscription_connect(struct subscription *s)
{
    if (!s->track)
        return;
    list_unlink(&s->link);
    list_append(&s->track->live, &s->link);
    subscription_restart(s);
}

static void forget_layer(struct subscription *s)
{
    if (s->layer)
        s->before = s->layer;
    s->layer = NULL;
    s->hurries = false;
    s->attention = 0;
    s->mid_picture = false;
    track_note_wishes(s->track);
}

void subscription_restart(struct subscription *s)
{
    forget_layer(s);
    s->target = s->wanted.paused ? NULL : track_aim(s->track, s->wanted.layer);
    s->fresh = !s->wanted.paused;
    if (s->fresh)
        track_note_fresh(s->track);
}

void subscription_forget(struct subscription *s, const struct track_layer *layer)
{
    if (s->layer == layer)
        subscription_restart(s);
    if (s->before == layer)
        s->before = NULL;
    if (s->layers && s->layers->past == layer)
        s->layers->past = NULL;
}

void subscription_aim(struct subscription *s)
{
    struct track_layer *target;

    target = s->wanted.paused ? NULL : track_aim(s->track, s->wanted.layer);
    if (target == s->target)
        return;
    s->target = target;
    s->attention &= (uint8_t)~ATTEND_SWITCH;
    track_note_wishes(s->track);
    if (target && target != s->layer)
        track_want_key_frame(s->track, target);
}

/* ------------------------------------------------------------------ which layers of it */

/* @return what subscriptions of more than a plain stream have; NULL: no memory */
static struct subscription_layers *layers_of(struct subscription *s)
{
    if (s->layers)
        return s->layers;
    s->layers = malloc(sizeof(*s->layers));
    if (!s->layers) {
        s->subscriber->core->stats.drop_memory++;
        return NULL;
    }
    s->layers->renumbers = s->layers->has_selector = false;
    s->layers->past = NULL;
    picture_rewriter_init(&s->layers->pictures);
    return s->layers;
}

/* What there is no more than is no limit; but the highest decode target may be without the lower
 * spatial layers. */
static struct layer_limit limit_of(const struct subscription *s)
{
    const struct track_layer *layer = s->layer;
    struct layer_limit limit = {s->wanted.sid, s->wanted.tid};

    if (limit.sid + 1 >= layer->n_spatial && layer->n_spatial > 0 &&
        (layer->n_spatial == 1 || !layer->dd))
        limit.sid = LAYER_UNLIMITED;
    if (limit.tid + 1 >= layer->n_temporal && layer->n_temporal > 0)
        limit.tid = LAYER_UNLIMITED;
    if (s->hurries && layer->n_temporal > 1)
        limit.tid = 0;
    return limit;
}

/* Have the selector do what is wanted; there is none as long as everything is. */
static void apply_limit(struct subscription *s)
{
    struct layer_limit limit = limit_of(s);

    if (!(s->attention & ATTEND_SELECT)) {
        if (limit.sid == LAYER_UNLIMITED && limit.tid == LAYER_UNLIMITED)
            return;
        if (!layers_of(s))
            return;
        layer_selector_init(&s->layers->selector, s->rewriter.last_out_ts - s->rewriter.ts_offset);
        s->layers->has_selector = true;
        s->layers->asked_us = NEVER_US;
        s->layers->open_us = NEVER_US;
        s->attention |= ATTEND_SELECT;
    }
    layer_selector_set_limit(&s->layers->selector, limit);
}

void subscription_hurry(struct subscription *s, bool hurries)
{
    if (!s->layer || (hurries && (!s->target || s->target == s->layer)))
        return; /* there is no switch */
    if (hurries)
        track_want_key_frame(s->track, s->target);
    if (s->hurries == hurries)
        return;
    s->hurries = hurries;
    apply_limit(s);
}

void subscription_note_layers(struct subscription *s, const struct track_layer *layer)
{
    if (s->layer == layer)
        apply_limit(s);
}

/* Ask for the key picture that brings spatial layers; again if one came in vain. */
static void ask_for_layers(struct subscription *s, int64_t now_us)
{
    struct subscription_layers *more = s->layers;

    if (!layer_selector_needs_key(&more->selector, s->layer->n_spatial)) {
        more->asked_us = NEVER_US;
    } else if (more->asked_us == NEVER_US || now_us - more->asked_us >= ASK_AGAIN_US) {
        track_want_key_frame(s->track, s->layer);
        more->asked_us = now_us;
    }
}

struct selector_packet subscription_selector_packet(const struct forward *f, bool newest)
{
    return (struct selector_packet){
        .frame = &f->frame,
        .structure = f->frame.has_dd && f->layer->dd
                         ? dd_history_find(f->layer->dd, f->frame.structure)
                         : NULL,
        .ts = f->packet->rtp.ts,
        .seq = f->packet->rtp.seq,
        .newest = newest,
    };
}

/* Once all goes out, and nothing late can come of what was left out, nobody has to choose. */
static void close_selector(struct subscription *s, int64_t now_us)
{
    struct subscription_layers *more = s->layers;

    if (!layer_selector_is_open(&more->selector))
        more->open_us = NEVER_US;
    else if (more->open_us == NEVER_US)
        more->open_us = now_us;
    else if (now_us - more->open_us >= SUBSCRIPTION_PAST_US)
        s->attention &= (uint8_t)~ATTEND_SELECT;
}

/* Of a frame that is the newest. Only VP8's numbers close up. */
static void leave_out(struct subscription *s, const struct forward *f)
{
    struct subscription_layers *more = s->layers;
    struct picture_numbers numbers;

    if (!more->renumbers)
        picture_rewriter_init(&more->pictures);
    if (f->frame.picture_bits && s->track->section->codecs[f->format].codec == CODEC_VP8) {
        more->renumbers = true;
        picture_rewriter_leave_out(&more->pictures, &f->frame);
    }
    numbers = picture_rewriter_newest(&more->pictures, &f->frame);
    picture_numbers_raise(&s->numbers, &numbers);
}

static enum admission choose(struct subscription *s, const struct forward *f, bool newest)
{
    struct subscription_layers *more = s->layers;
    struct selector_packet packet = subscription_selector_packet(f, newest);
    struct selector_verdict verdict = layer_selector_decide(&more->selector, &packet);

    if (newest)
        ask_for_layers(s, f->now_us);
    close_selector(s, f->now_us);
    if (verdict.forward)
        return verdict.ends_picture ? ADMIT_AS_END : ADMIT;
    if (newest)
        leave_out(s, f);
    return ADMIT_NOT;
}

/* ------------------------------------------------------------------ targets */

static bool is_live(const struct subscription *s)
{
    return s->track && s->subscriber->connected;
}

/* Nothing shall be sent from the end of this picture on. */
static void pause_at_picture_end(struct subscription *s)
{
    s->target = NULL;
    s->fresh = false;
    s->attention &= (uint8_t)~ATTEND_SWITCH;
    if (s->layer && s->mid_picture)
        s->attention |= ATTEND_STOP;
    else
        forget_layer(s);
}

static bool is_same(const struct layer_target *a, const struct layer_target *b)
{
    return a->paused == b->paused && a->layer == b->layer && a->sid == b->sid && a->tid == b->tid;
}

void subscription_set_target(struct subscription *s, const struct layer_target *target)
{
    bool was_paused = s->wanted.paused;

    if (!s->automatic && is_same(&s->wanted, target))
        return;
    s->automatic = false;
    s->wanted = *target;
    if (!is_live(s))
        return;
    track_note_wishes(s->track);
    if (target->paused) {
        pause_at_picture_end(s);
        return;
    }
    if (was_paused)
        subscription_restart(s);
    subscription_aim(s);
    if (s->layer)
        apply_limit(s);
}

static uint8_t highest_of(uint8_t limit, uint8_t n)
{
    return n > 0 && limit >= n ? (uint8_t)(n - 1) : limit;
}

struct layer_target subscription_current(const struct subscription *s)
{
    struct layer_target current = {.paused = !s->layer, .sid = UINT8_MAX, .tid = UINT8_MAX};

    if (!s->layer)
        return current;
    current.layer = track_layer_index(s->track, s->layer);
    if (s->attention & ATTEND_SELECT) {
        struct layer_limit limit = layer_selector_current(&s->layers->selector);

        current.sid = limit.sid;
        current.tid = limit.tid;
    }
    current.sid = highest_of(current.sid, s->layer->n_spatial);
    current.tid = highest_of(current.tid, s->layer->n_temporal);
    return current;
}

/* ------------------------------------------------------------------ switching */

/* Keep what tells where numbers came from, for those who ask for packets again. */
static void keep_past(struct subscription *s, struct track_layer *from, int64_t now_us)
{
    struct subscription_layers *more = s->layers;

    more->past = from;
    more->past_until_us = now_us + SUBSCRIPTION_PAST_US;
    more->past_rewriter = s->rewriter;
    if (more->renumbers)
        more->past_pictures = more->pictures;
    else
        picture_rewriter_init(&more->past_pictures);
    more->past_has_selector = more->has_selector;
    if (more->has_selector)
        more->past_selector = more->selector;
}

/* Are the clocks of `to` and of what was sent last known to each other? */
static bool find_clock_step(const struct subscription *s, const struct track_layer *to,
                            uint32_t *ts_step)
{
    const struct track_layer *from = s->layer ? s->layer : s->before;

    *ts_step = 0;
    if (!from || !s->rewriter.started || s->rewriter.switching)
        return false;
    return from == to || stream_receiver_clock_step(&from->receiver, &to->receiver, ts_step) == 0;
}

bool subscription_is_past(const struct subscription *s, const struct track_layer *layer,
                          uint32_t ts)
{
    bool same = layer == (s->layer ? s->layer : s->before);
    uint32_t ts_step;
    int32_t behind;

    if (!find_clock_step(s, layer, &ts_step))
        return false;
    behind = seq_rewriter_behind(&s->rewriter, ts_step, ts);
    if (same)
        return behind >= 0; /* it was sent */
    return behind > (int32_t)(layer->receiver.clock_rate * BEHIND_MAX_MS / 1000);
}

/* All numbers go on evenly with the packets of `f->layer`. */
static void switch_source(struct subscription *s, const struct forward *f)
{
    uint32_t ts_step;
    bool known = find_clock_step(s, f->layer, &ts_step);

    if (!s->rewriter.started)
        return;
    if (s->track->kind == KIND_VIDEO && layers_of(s)) {
        if (!s->rewriter.switching)
            keep_past(s, s->layer ? s->layer : s->before, f->now_us);
        picture_rewriter_switch(&s->layers->pictures, &s->numbers, &f->frame);
        s->layers->renumbers = true;
    }
    if (known)
        seq_rewriter_switch_aligned(&s->rewriter, ts_step);
    else
        seq_rewriter_switch(&s->rewriter);
}

/* May the stream begin with `layer`? With less than is aimed for, too: better than nothing. */
static bool may_begin(const struct subscription *s, const struct track_layer *layer)
{
    return s->target &&
           track_layer_index(s->track, layer) <= track_layer_index(s->track, s->target);
}

/* Estimation begins with the first packet, before it leaves. */
static void note_sending(struct subscriber *subscriber)
{
    if (subscriber->sends)
        return;
    subscriber->sends = true;
    core_touch(subscriber->core, subscriber->actor);
}

/* Is the rest of a picture still to come? */
static bool is_picture_open(const struct subscription *s, int64_t now_us)
{
    return s->layer && s->mid_picture && now_us - s->rewriter.last_out_us < SWITCH_WAIT_US &&
           now_us - s->target->key_frame_us < SWITCH_WAIT_US;
}

bool subscription_begin(struct subscription *s, const struct forward *f)
{
    if (UNLIKELY(s->attention & ATTEND_SWITCH) && f->layer == s->target &&
        !is_picture_open(s, f->now_us)) {
        subscription_finish_switch(s, f->now_us); /* `f` is among what is replayed */
        return false;
    }
    if (!f->frame.starts_key || f->packet->rtp.payload_len == 0 ||
        (f->layer != s->target && (s->layer || !may_begin(s, f->layer)))) {
        s->subscriber->core->stats.drop_waiting += !s->layer && s->target;
        return false;
    }
    if (f->layer == s->target && is_picture_open(s, f->now_us)) {
        s->attention |= ATTEND_SWITCH;
        return false;
    }
    if (subscription_is_past(s, f->layer, f->packet->rtp.ts)) {
        track_want_key_frame(s->track, f->layer);
        return false;
    }
    switch_source(s, f);
    seq_rewriter_begin(&s->rewriter, f->packet->rtp.seq, f->packet->rtp.ts, f->clock_rate,
                       f->now_us);
    s->layer = f->layer;
    s->hurries = false;
    s->measure.key_frames++;
    s->before = NULL;
    s->attention = 0;
    s->mid_picture = false;
    if (s->layers)
        s->layers->has_selector = false;
    apply_limit(s);
    track_note_wishes(s->track);
    note_sending(s->subscriber);
    return true;
}

void subscription_finish_switch(struct subscription *s, int64_t now_us)
{
    struct track_layer *target = s->target;

    s->attention &= (uint8_t)~ATTEND_SWITCH;
    s->mid_picture = false;
    if (target->has_key_frame && now_us - target->key_frame_us < TRACK_LAYER_KEEP_US)
        track_replay(s->track, target, (uint16_t)target->key_frame_seq, s, now_us);
    if (s->layer != target)
        track_want_key_frame(s->track, target);
}

/* @return true if the packet is of a later picture than the last that was sent */
static bool is_next_picture(const struct subscription *s, const struct forward *f)
{
    return !s->mid_picture ||
           seq_rewriter_map_ts(&s->rewriter, f->packet->rtp.ts) != s->rewriter.last_out_ts;
}

enum admission subscription_admit(struct subscription *s, const struct forward *f, bool newest)
{
    if (s->attention & (ATTEND_STOP | ATTEND_SWITCH) && newest && is_next_picture(s, f)) {
        if (s->attention & ATTEND_STOP)
            forget_layer(s);
        else
            subscription_finish_switch(s, f->now_us);
        if (s->layer != f->layer)
            return ADMIT_NONE;
    }
    return s->attention & ATTEND_SELECT ? choose(s, f, newest) : ADMIT;
}

/* ------------------------------------------------------------------ what was sent */

/* How packets go out now, or went out last. @return false: none did since the last switch */
static bool current_source(struct subscription *s, struct sent_source *ret)
{
    struct subscription_layers *more = s->layers;

    *ret = (struct sent_source){
        .layer = s->layer ? s->layer : s->before,
        .rewriter = &s->rewriter,
        .pictures = more && more->renumbers ? &more->pictures : NULL,
        .selector = more && more->has_selector ? &more->selector : NULL,
    };
    return ret->layer && s->rewriter.started && !s->rewriter.switching;
}

/* @return true, and *ret is how packets went out before the last switch, if that was lately */
static bool past_source(const struct subscription *s, int64_t now_us, struct sent_source *ret)
{
    struct subscription_layers *more = s->layers;

    if (!more || !more->past || now_us >= more->past_until_us)
        return false;
    *ret = (struct sent_source){
        .layer = more->past,
        .rewriter = &more->past_rewriter,
        .pictures = &more->past_pictures,
        .selector = more->past_has_selector ? &more->past_selector : NULL,
    };
    return true;
}

int subscription_find_sent(struct subscription *s, uint16_t seq, int64_t now_us,
                           struct sent_source *ret)
{
    int source = -ENOENT;

    if (current_source(s, ret))
        source = seq_rewriter_source_of(ret->rewriter, seq);
    if (source < 0 && past_source(s, now_us, ret))
        source = seq_rewriter_source_of(ret->rewriter, seq);
    return source;
}

static bool is_before_end(const struct sent_source *source, const struct forward *f)
{
    int64_t highest = source->rewriter->source_highest;

    return source->layer == f->layer && seq_unwrap(highest, f->packet->rtp.seq) < highest;
}

bool subscription_find_past(struct subscription *s, const struct forward *f,
                            struct sent_source *ret)
{
    if (f->newest)
        return false;
    if (!s->layer && current_source(s, ret) && is_before_end(ret, f))
        return true;
    return past_source(s, f->now_us, ret) && is_before_end(ret, f);
}
