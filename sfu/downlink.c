#include "sfu/downlink.h"

#include "media/congestion_feedback.h"
#include "media/egress.h"
#include "media/send_history.h"
#include "media/send_names.h"
#include "media/transport_feedback.h"

#include <errno.h>
#include <stdlib.h>

enum {
    STATUS_MAX =
        1024,       /* packets that one feedback packet tells of; further ones are not looked at */
    PROBES_MAX = 4, /* waiting to be sent; more are left out */
    MEDIA_SHARE = 95, /* percent of what the path carries: the rest is for heads and repairs */
    HEADROOM = 2,     /* times what is wanted is looked for */
    CHANGE_SHARE = 32,
    LOSS_FRACTION = 26,       /* of 256: a tenth */
    WIRE_HEADS = 16 + 8 + 20, /* tag, UDP, IPv4 of a probe's packet [bytes] */
};

static const int64_t BITS_SECOND = 8 * SECOND;
static const int64_t PROBE_TICK_US = 1 * MS;
/* A probe that has not found enough to send by then is over. */
static const int64_t PROBE_MAX_US = 200 * MS;

/** A probe that is being sent. */
struct probing {
    struct congestion_probe probe;
    bool active;
    int64_t start_us;
    uint64_t start_bytes, start_packets; /* of the peer */
    uint64_t bytes, packets;             /* ours */
};

struct downlink {
    struct downlink_config config;
    struct congestion_controller *controller;
    struct send_history *history;
    struct send_names *names; /* NULL: packets are told of by their transport-wide numbers */
    int64_t since_us;
    bool heard;           /* feedback of the kind agreed on has come */
    bool deaf;            /* it has not come in time */
    int64_t arrival_us;   /* newest that was told, in the peer's clock; NEVER_US: none */
    uint64_t start_bytes; /* of the peer, at `since_us` */
    uint64_t told_bytes;  /* of the peer, numbered ones that the controller knows of */
    uint64_t told_bps;    /* the owner */
    int64_t told_us;
    struct congestion_probe probes[PROBES_MAX];
    uint32_t n_probes;
    struct probing probing;
};

const char *downlink_feedback_name(enum downlink_feedback feedback)
{
    switch (feedback) {
    case DOWNLINK_REPORTS:
        return "reports";
    case DOWNLINK_REMB:
        return "remb";
    case DOWNLINK_CCFB:
        return "ccfb";
    case DOWNLINK_TRANSPORT_CC:
        return "transport-cc";
    }
    return "?";
}

/* Slots that are repaired without RTX write no numbers: see head_template.c. */
static bool has_numbers(const struct plan_section *section, const struct plan_codec *codec)
{
    return codec->transport_cc && section->extensions.id[EXTENSION_TRANSPORT_CC] &&
           (section->rtx_ssrc || !codec->nack);
}

enum downlink_feedback downlink_feedback_of(const struct media_plan *plan)
{
    enum downlink_feedback best = DOWNLINK_REPORTS;

    for (size_t i = 0; i < plan->n_sections; i++) {
        const struct plan_section *section = &plan->sections[i];

        if (section->use != SECTION_SLOT)
            continue;
        for (size_t k = 0; k < section->n_codecs; k++) {
            if (has_numbers(section, &section->codecs[k]))
                return DOWNLINK_TRANSPORT_CC;
            if (section->codecs[k].ccfb)
                best = DOWNLINK_CCFB;
            if (section->codecs[k].remb && best < DOWNLINK_REMB)
                best = DOWNLINK_REMB;
        }
    }
    return best;
}

int downlink_new(struct downlink **ret, const struct downlink_config *config, int64_t now_us)
{
    struct downlink *d = calloc(1, sizeof(*d));

    if (!d)
        return -ENOMEM;
    d->config = *config;
    d->since_us = now_us;
    d->start_bytes = config->peer->wire_bytes;
    d->arrival_us = NEVER_US;
    d->told_bytes = config->peer->numbered_bytes;
    d->told_us = now_us - DOWNLINK_TELL_US;
    d->history = malloc(sizeof(*d->history));
    if (!d->history || congestion_controller_new(&d->controller, NULL, now_us) < 0) {
        downlink_free(d);
        return -ENOMEM;
    }
    send_history_init(d->history);
    d->config.peer->history = d->history;
    downlink_set_feedback(d, config->feedback);
    *ret = d;
    return 0;
}

struct downlink *downlink_free(struct downlink *d)
{
    if (!d)
        return NULL;
    d->config.peer->history = NULL;
    d->config.peer->names = NULL;
    d->config.peer->probe = SEND_HISTORY_NO_PROBE;
    egress_peer_set_pace(d->config.egress, d->config.peer, 0);
    d->controller = congestion_controller_free(d->controller);
    free(d->history);
    free(d->names);
    free(d);
    return NULL;
}

void downlink_set_feedback(struct downlink *d, enum downlink_feedback feedback)
{
    if (feedback == DOWNLINK_CCFB && !d->names) {
        d->names = malloc(sizeof(*d->names));
        if (!d->names)
            return;
        send_names_init(d->names);
    }
    d->config.feedback = feedback;
    d->config.peer->names = feedback == DOWNLINK_CCFB ? d->names : NULL;
}

/* ------------------------------------------------------------------ feedback */

/* Say what `status` means in our terms. @return 0; -ENOENT, -EALREADY: it is no news */
static int find_result(struct downlink *d, const struct feedback_status *status,
                       struct congestion_result *ret)
{
    struct sent_packet sent;
    int err = send_history_answer(d->history, status->seq, status->received, &sent);

    if (err < 0)
        return err;
    *ret = (struct congestion_result){
        .seq = status->seq,
        .received = status->received,
        .probe = sent.probe,
        .len = sent.len,
        .sent_us = sent.sent_us,
    };
    if (!status->received)
        return 0;
    if (d->arrival_us == NEVER_US)
        d->arrival_us = status->arrival_us;
    ret->arrival_us = d->config.feedback == DOWNLINK_CCFB
                          ? congestion_feedback_unwrap_us(d->arrival_us, status->arrival_us)
                          : feedback_unwrap_us(d->arrival_us, status->arrival_us);
    if (ret->arrival_us > d->arrival_us)
        d->arrival_us = ret->arrival_us;
    return 0;
}

static int compare_sent(const void *a, const void *b)
{
    const struct congestion_result *x = a;
    const struct congestion_result *y = b;

    return (int16_t)(x->seq - y->seq);
}

int downlink_on_congestion_feedback(struct downlink *d, const struct rtcp_packet *packet,
                                    int64_t now_us)
{
    struct congestion_status statuses[STATUS_MAX];
    struct congestion_result results[STATUS_MAX];
    size_t n_results = 0;
    int n = congestion_feedback_read(packet, statuses, STATUS_MAX);

    if (n < 0 || d->config.feedback != DOWNLINK_CCFB)
        return n < 0 ? n : 0;
    for (int i = 0; i < n; i++) {
        int number = send_names_find(d->names, statuses[i].ssrc, statuses[i].seq);
        struct feedback_status status = {
            .seq = (uint16_t)number,
            .received = statuses[i].received,
            .arrival_us = statuses[i].arrival_us,
        };

        if (number < 0 || (status.received && status.arrival_us < 0))
            continue;
        n_results += find_result(d, &status, &results[n_results]) == 0;
    }
    if (n_results == 0)
        return 0;
    d->heard = true;
    /* It came stream by stream. */
    qsort(results, n_results, sizeof(results[0]), compare_sent);
    congestion_controller_on_feedback(d->controller, results, n_results, now_us);
    return 0;
}

int downlink_on_transport_feedback(struct downlink *d, const struct rtcp_packet *packet,
                                   int64_t now_us)
{
    struct feedback_status statuses[STATUS_MAX];
    struct congestion_result results[STATUS_MAX];
    struct rtcp_feedback fb;
    uint8_t count;
    size_t n_results = 0;
    int n = feedback_read(packet, &fb, &count, statuses, STATUS_MAX);

    if (n < 0)
        return n;
    for (int i = 0; i < n; i++)
        n_results += find_result(d, &statuses[i], &results[n_results]) == 0;
    if (n_results == 0)
        return 0;
    d->heard = true;
    congestion_controller_on_feedback(d->controller, results, n_results, now_us);
    return 0;
}

void downlink_on_remb(struct downlink *d, uint64_t bps, int64_t now_us)
{
    if (d->config.feedback == DOWNLINK_REPORTS)
        return;
    d->heard = true;
    congestion_controller_on_remb(d->controller, bps, now_us);
}

/* Who tells of nothing but losses is limited from the first bad report on, to what is sent then. */
static int start_at_sent_rate(struct downlink *d, int64_t now_us)
{
    uint64_t bits = 8 * (d->config.peer->wire_bytes - d->start_bytes);
    uint64_t bps = bits * SECOND / (uint64_t)(now_us > d->since_us ? now_us - d->since_us : 1);
    struct congestion_config config = {.start_bps = bps < CONGESTION_MAX_BPS ? (uint32_t)bps
                                                                             : CONGESTION_MAX_BPS};
    struct congestion_controller *controller;
    int err = congestion_controller_new(&controller, &config, now_us);

    if (err < 0)
        return err;
    congestion_controller_free(d->controller);
    d->controller = controller;
    return 0;
}

void downlink_on_loss(struct downlink *d, uint8_t fraction, int64_t now_us)
{
    if (d->config.feedback != DOWNLINK_REPORTS)
        return;
    if (!d->heard && (fraction < LOSS_FRACTION || start_at_sent_rate(d, now_us) < 0))
        return;
    d->heard = true;
    congestion_controller_on_loss_report(d->controller, fraction, now_us);
}

void downlink_set_rtt(struct downlink *d, int64_t rtt_us)
{
    congestion_controller_set_rtt(d->controller, rtt_us);
}

/* ------------------------------------------------------------------ probes */

/* Bytes of the probe that should have left by now; one packet at the very first. */
static uint64_t bytes_due(const struct probing *p, int64_t now_us)
{
    return 1 + p->probe.bps * (uint64_t)(now_us - p->start_us) / (uint64_t)BITS_SECOND;
}

static uint64_t probe_bytes(const struct probing *p)
{
    uint64_t bytes = p->probe.bps * (uint64_t)p->probe.duration_us / (uint64_t)BITS_SECOND;

    return bytes > p->probe.min_bytes ? bytes : p->probe.min_bytes;
}

/* What has left since it began, media too, or is about to. */
static uint64_t bytes_sent(const struct downlink *d)
{
    uint64_t left = d->config.peer->wire_bytes - d->probing.start_bytes;

    return left > d->probing.bytes ? left : d->probing.bytes;
}

static uint64_t packets_sent(const struct downlink *d)
{
    uint64_t left = d->config.peer->packets - d->probing.start_packets;

    return left > d->probing.packets ? left : d->probing.packets;
}

static void start_probe(struct downlink *d, int64_t now_us)
{
    d->probing = (struct probing){
        .probe = d->probes[0],
        .active = true,
        .start_us = now_us,
        .start_bytes = d->config.peer->wire_bytes,
        .start_packets = d->config.peer->packets,
    };
    d->config.peer->probe = d->probing.probe.id;
    d->n_probes--;
    for (uint32_t i = 0; i < d->n_probes; i++)
        d->probes[i] = d->probes[i + 1];
}

static void end_probe(struct downlink *d)
{
    d->probing.active = false;
    d->config.peer->probe = SEND_HISTORY_NO_PROBE;
}

static bool is_over(const struct downlink *d, int64_t now_us)
{
    const struct probing *p = &d->probing;

    return now_us > p->start_us + PROBE_MAX_US ||
           (bytes_sent(d) >= probe_bytes(p) && packets_sent(d) >= p->probe.min_packets);
}

/* Send what of the probe is due. @return false: nothing can be sent */
static bool send_due(struct downlink *d, int64_t now_us)
{
    struct probing *p = &d->probing;

    while (!is_over(d, now_us) && bytes_sent(d) < bytes_due(p, now_us)) {
        size_t len = d->config.send_probe(d->config.owner, now_us);

        if (len == 0)
            return false;
        p->bytes += len + WIRE_HEADS;
        p->packets++;
    }
    return true;
}

static int64_t advance_probes(struct downlink *d, int64_t now_us)
{
    struct congestion_probe probe;

    while (congestion_controller_take_probe(d->controller, &probe, now_us)) {
        if (d->n_probes < PROBES_MAX && probe.bps > 0)
            d->probes[d->n_probes++] = probe;
    }
    /* What ended in this turn has left with the one before. */
    if (d->probing.active && is_over(d, now_us))
        end_probe(d);
    if (!d->probing.active && d->n_probes > 0)
        start_probe(d, now_us);
    if (!d->probing.active)
        return NEVER_US;
    if (!send_due(d, now_us))
        end_probe(d);
    return now_us + PROBE_TICK_US;
}

/* ------------------------------------------------------------------ time */

static bool is_limited(const struct downlink *d)
{
    return d->heard || (d->config.feedback >= DOWNLINK_CCFB && !d->deaf);
}

static void set_pace(struct downlink *d)
{
    uint64_t bps = congestion_controller_pacing(d->controller);

    if (!d->heard) /* a first burst is better than a guess */
        bps = 0;
    else if (d->probing.active && d->probing.probe.bps > bps)
        bps = d->probing.probe.bps;
    egress_peer_set_pace(d->config.egress, d->config.peer, bps);
}

static void tell_sent(struct downlink *d, int64_t now_us)
{
    uint64_t bytes = d->config.peer->numbered_bytes - d->told_bytes;

    if (bytes > 0)
        congestion_controller_on_sent(d->controller, (uint32_t)bytes, now_us);
    d->told_bytes += bytes;
}

int64_t downlink_advance(struct downlink *d, int64_t now_us)
{
    int64_t next_us;
    int64_t probe_us;

    tell_sent(d, now_us);
    d->deaf = !d->heard && now_us - d->since_us >= DOWNLINK_PATIENCE_US;
    next_us = congestion_controller_advance(d->controller, now_us);
    if (d->config.feedback < DOWNLINK_CCFB || d->deaf)
        probe_us = NEVER_US;
    else
        probe_us = advance_probes(d, now_us);
    set_pace(d);
    return next_us < probe_us ? next_us : probe_us;
}

static uint64_t media_share(const struct downlink *d)
{
    if (!is_limited(d))
        return 0;
    return congestion_controller_estimate(d->controller) * MEDIA_SHARE / 100;
}

bool downlink_is_congested(const struct downlink *d)
{
    return d && d->config.peer->pace.congested;
}

uint64_t downlink_estimate(const struct downlink *d)
{
    return d ? media_share(d) : 0;
}

bool downlink_take_change(struct downlink *d, int64_t now_us)
{
    uint64_t bps = media_share(d);
    uint64_t change = bps > d->told_bps ? bps - d->told_bps : d->told_bps - bps;

    if (now_us - d->told_us < DOWNLINK_TELL_US && change <= d->told_bps / CHANGE_SHARE)
        return false;
    d->told_bps = bps;
    d->told_us = now_us;
    return true;
}

/* Known headroom keeps frames in one run (EGRESS_BURST_US), and key frames short. */
void downlink_set_wanted(struct downlink *d, uint64_t bps, int64_t now_us)
{
    if (d)
        congestion_controller_set_wanted(d->controller, HEADROOM * bps * 100 / MEDIA_SHARE, now_us);
}

void downlink_stats(const struct downlink *d, struct congestion_stats *ret)
{
    if (d)
        congestion_controller_stats(d->controller, ret);
    else
        *ret = (struct congestion_stats){0};
}
