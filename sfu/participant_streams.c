#include "sfu/participant_streams.h"

#include "sfu/core.h"
#include "sfu/mail.h"
#include "sfu/participant.h"
#include "sfu/participant_layers.h"
#include "sfu/subscription.h"
#include "sfu/track.h"

#include <stdio.h>
#include <stdlib.h>

/* ------------------------------------------------------------------ on the way down */

void participant_streams_lower(struct subscription *s, const struct allocation_slot *slot,
                               int64_t now_us)
{
    if (slot->state != SLOT_ACTIVE || !s->layer)
        return;
    if (s->share.lowered_us > 0 || slot->step.layer >= subscription_current(s).layer)
        return;
    s->share.lowered_us = now_us;
    s->measure.freezes_avoided++;
}

/* Is something higher than what it was given still being sent? */
static bool is_above(const struct subscription *s)
{
    return s->track && s->layer && s->share.state == SLOT_ACTIVE &&
           subscription_current(s).layer > s->share.step.layer;
}

static int64_t patience_of(const struct subscription *s)
{
    int64_t wait_us = s->target ? 3 * s->target->key_frame.rtt_us : 0;

    if (wait_us < PARTICIPANT_STREAMS_WAIT_MIN_US)
        return PARTICIPANT_STREAMS_WAIT_MIN_US;
    return clock_earlier(wait_us, PARTICIPANT_STREAMS_WAIT_MAX_US);
}

/* @return when to look at it again [us] */
static int64_t watch(struct subscription *s, int64_t now_us)
{
    int64_t due_us = s->share.lowered_us + patience_of(s);

    if (!is_above(s)) {
        s->share.lowered_us = 0;
        if (s->track)
            subscription_hurry(s, false);
        return NEVER_US;
    }
    if (now_us < due_us)
        return due_us;
    subscription_hurry(s, true);
    s->share.lowered_us = now_us;
    return now_us + patience_of(s);
}

int64_t participant_streams_watch(struct participant *p, int64_t now_us)
{
    int64_t next_us = NEVER_US;

    for (size_t i = 0; i < p->plan->n_sections; i++) {
        struct subscription *s = p->subscriptions[i];

        if (s && s->share.lowered_us)
            next_us = clock_earlier(next_us, watch(s, now_us));
    }
    return next_us;
}

/* ------------------------------------------------------------------ what control knows */

/* @return when what control knows is to be corrected [us]; NEVER_US: it is right */
static int64_t due_of(const struct subscription *s)
{
    if (!s || !s->track || s->share.track != s->track->id || s->share.state == s->share.told)
        return NEVER_US;
    if (s->share.state == SLOT_NOT_SENT)
        return s->share.since_us + PARTICIPANT_STREAMS_SILENT_US;
    return 0;
}

static uint8_t reason_of(enum slot_state state)
{
    static const uint8_t reasons[] = {
        [SLOT_NEW] = STREAM_ACTIVE,          [SLOT_ACTIVE] = STREAM_ACTIVE,
        [SLOT_BANDWIDTH] = STREAM_BANDWIDTH, [SLOT_HIDDEN] = STREAM_VIEW,
        [SLOT_MUTED] = STREAM_MUTED,         [SLOT_NOT_SENT] = STREAM_NOT_SENT,
    };

    return reasons[state];
}

static struct mail_stream *make_mail(const struct participant *p, uint32_t n)
{
    struct mail_stream *mail = calloc(1, sizeof(*mail));

    if (mail)
        mail->streams = calloc(n, sizeof(*mail->streams));
    if (!mail || !mail->streams) {
        p->core->stats.drop_memory++;
        free(mail);
        return NULL;
    }
    mail->mail.type = MAIL_STREAM;
    mail->participant = p->id;
    return mail;
}

static void add(struct mail_stream *mail, struct subscription *s)
{
    struct message_stream *stream = &mail->streams[mail->n_streams++];

    s->share.told = s->share.state;
    (void)snprintf(stream->mid, sizeof(stream->mid), "%s", s->section->mid);
    stream->track = s->share.track;
    stream->reason = reason_of(s->share.state);
}

static void post(struct participant *p, uint32_t n, int64_t now_us)
{
    struct mail_stream *mail = make_mail(p, n);

    if (!mail)
        return;
    for (size_t i = 0; i < p->plan->n_sections; i++) {
        if (due_of(p->subscriptions[i]) <= now_us)
            add(mail, p->subscriptions[i]);
    }
    p->layers->told_us = now_us;
    core_post(p->core, &mail->mail);
}

int64_t participant_streams_tell(struct participant *p, int64_t now_us)
{
    int64_t may_us = p->layers->told_us + PARTICIPANT_STREAMS_TELL_US;
    int64_t next_us = NEVER_US;
    uint32_t n = 0;

    for (size_t i = 0; i < p->plan->n_sections; i++) {
        int64_t due_us = due_of(p->subscriptions[i]);

        n += due_us <= now_us;
        next_us = clock_earlier(next_us, due_us > now_us ? due_us : NEVER_US);
    }
    if (n > 0 && now_us < may_us)
        return may_us;
    if (n > 0)
        post(p, n, now_us);
    return next_us;
}
