#include "sfu/relay_out.h"

#include "media/packet.h"
#include "sfu/core.h"
#include "sfu/relay_batch.h"

#include <stdlib.h>
#include <string.h>

/** To one worker. */
struct lane {
    struct relay_pipe *pipe;   /* NULL until something is sent there */
    struct relay_batch *batch; /* being filled; NULL: none */
    uint32_t turn_bytes;       /* posted in this turn */
    uint32_t last_bytes;       /* in the last turn that had some */
};

struct relay_out {
    struct core *core;
    uint64_t busy; /* lanes that were used in this turn */
    struct lane lanes[RELAY_MAX_WORKERS];
};

struct relay_out *relay_out_new(struct core *core)
{
    struct relay_out *o = calloc(1, sizeof(*o));

    if (o)
        o->core = core;
    return o;
}

struct relay_out *relay_out_free(struct relay_out *o)
{
    if (!o)
        return NULL;
    for (size_t i = 0; i < RELAY_MAX_WORKERS; i++) {
        if (o->lanes[i].batch)
            relay_batch_give_back(o->lanes[i].batch);
        relay_pipe_free(o->lanes[i].pipe);
    }
    free(o);
    return NULL;
}

static void post(struct relay_out *o, uint32_t worker)
{
    struct lane *lane = &o->lanes[worker];

    lane->turn_bytes += lane->batch->len;
    o->core->stats.relay_out_batches++;
    core_send_to_worker(o->core, worker, &lane->batch->mail);
    lane->batch = NULL;
}

/* @return a record with room for `len` bytes; NULL: counted as dropped */
static struct relay_record *add(struct relay_out *o, uint32_t worker, uint16_t len)
{
    struct lane *lane = &o->lanes[worker];
    struct relay_record *r;

    if (!lane->pipe)
        lane->pipe = relay_pipe_new();
    if (lane->batch) {
        r = relay_batch_add(lane->batch, len);
        if (r)
            return r;
        post(o, worker);
    }
    if (lane->pipe)
        lane->batch = relay_pipe_take(lane->pipe,
                                      lane->turn_bytes ? RELAY_BATCH_MAX : lane->last_bytes);
    if (!lane->batch) {
        o->core->stats.drop_relay++;
        return NULL;
    }
    o->busy |= UINT64_C(1) << worker;
    return relay_batch_add(lane->batch, len);
}

/* Take the lowest worker out of a set that is not empty. */
static uint32_t take_worker(uint64_t *workers)
{
    uint32_t worker = (uint32_t)__builtin_ctzll(*workers);

    *workers &= *workers - 1;
    return worker;
}

void relay_out_packet(struct relay_out *o, const struct relay_source *source,
                      const struct packet *packet, bool recovered)
{
    uint64_t workers = source->workers;

    while (workers) {
        struct relay_record *r = add(o, take_worker(&workers), packet->len);

        if (!r)
            continue;
        r->participant = source->participant;
        r->track = source->track;
        r->kind = RELAY_PACKET;
        r->layer = source->layer;
        r->recovered = recovered;
        r->arrival_us = packet->arrival_us;
        r->rtp = packet->rtp;
        memcpy(relay_record_bytes(r), packet->data, packet->len);
        o->core->stats.relay_out++;
    }
}

/* Send a record without bytes; who and what about is filled in here. */
static void send_word(struct relay_out *o, const struct relay_source *source,
                      const struct relay_record *word)
{
    uint64_t workers = source->workers;

    while (workers) {
        struct relay_record *r = add(o, take_worker(&workers), 0);

        if (!r)
            continue;
        *r = *word;
        r->participant = source->participant;
        r->track = source->track;
        r->layer = source->layer;
    }
}

void relay_out_report(struct relay_out *o, const struct relay_source *source,
                      const struct rtcp_sender_info *report, int64_t arrival_us)
{
    struct relay_record word = {.kind = RELAY_REPORT, .arrival_us = arrival_us};

    word.report = *report;
    send_word(o, source, &word);
}

void relay_out_levels(struct relay_out *o, const struct relay_source *source,
                      const struct speaker_report *levels)
{
    struct relay_record word = {.kind = RELAY_LEVELS};

    word.levels = *levels;
    send_word(o, source, &word);
}

void relay_out_bye(struct relay_out *o, const struct relay_source *source)
{
    struct relay_record word = {.kind = RELAY_BYE};

    send_word(o, source, &word);
}

void relay_out_flush(struct relay_out *o)
{
    while (o->busy) {
        uint32_t worker = take_worker(&o->busy);
        struct lane *lane = &o->lanes[worker];

        if (lane->batch)
            post(o, worker);
        lane->last_bytes = lane->turn_bytes;
        lane->turn_bytes = 0;
    }
}
