#include "client/bulletin.h"

#include <string.h>

void bulletin_done(struct bulletin *b)
{
    message_quality_free(b->quality);
    *b = (struct bulletin){0};
}

static struct message_stream *find_paused(struct bulletin *b, const char *mid)
{
    for (uint32_t i = 0; i < b->n_paused; i++) {
        if (strcmp(b->paused[i].mid, mid) == 0)
            return &b->paused[i];
    }
    return NULL;
}

static void forget_paused(struct bulletin *b, const char *mid)
{
    struct message_stream *known = find_paused(b, mid);

    if (known)
        *known = b->paused[--b->n_paused];
}

static void put_stream(struct bulletin *b, const struct message_stream *stream)
{
    forget_paused(b, stream->mid);
    if (stream->reason != STREAM_ACTIVE && b->n_paused < MESSAGE_MAX_STREAMS)
        b->paused[b->n_paused++] = *stream;
}

void bulletin_update(struct bulletin *b, struct message *m)
{
    if (m->type == MESSAGE_SPEAKERS) {
        b->n_speakers = m->n_speakers;
        if (m->n_speakers > 0)
            memcpy(b->speakers, m->speakers, m->n_speakers * sizeof(b->speakers[0]));
    }
    /* A slot that is bound anew is active. */
    for (uint32_t i = 0; m->type == MESSAGE_SLOTS && i < m->n_slots; i++)
        forget_paused(b, m->slots[i].mid);
    for (uint32_t i = 0; m->type == MESSAGE_STREAM && i < m->n_streams; i++)
        put_stream(b, &m->streams[i]);
    if (m->type == MESSAGE_QUALITY) {
        message_quality_free(b->quality);
        b->quality = m->quality;
        m->quality = NULL;
    }
}

enum stream_reason bulletin_paused(const struct bulletin *b, const char *mid)
{
    for (uint32_t i = 0; i < b->n_paused; i++) {
        if (strcmp(b->paused[i].mid, mid) == 0)
            return (enum stream_reason)b->paused[i].reason;
    }
    return STREAM_ACTIVE;
}

const struct quality_subscription *bulletin_subscription(const struct bulletin *b, const char *mid)
{
    for (uint32_t i = 0; b->quality && i < b->quality->n_subscriptions; i++) {
        if (strcmp(b->quality->subscriptions[i].mid, mid) == 0)
            return &b->quality->subscriptions[i];
    }
    return NULL;
}
