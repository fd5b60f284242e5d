#include "client/peer_session.h"

#include "media/base/clock.h"
#include "media/base/random.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_SECTIONS = 4, /* each kind, each way */
    MAX_CANDIDATES_BYTES = 16 * 1024,
};

struct peer_session {
    struct peer_session_config config;
    struct negotiation_local local;
    const struct peer_session_handler *handler;
    void *owner;
    uint64_t session_id;
    struct offer_section sections[MAX_SECTIONS]; /* of a caller */
    uint32_t n_sections;
    struct negotiation *negotiation; /* of a callee */
    char *remote;                    /* the other one's description; NULL: not there yet */
    uint64_t remote_n;
    struct text candidates; /* its further candidates, as lines */
    int64_t wait_us;        /* until when more are waited for; NEVER_US: they are not */
    bool described;         /* `local` is there */
    bool ready;             /* `remote` and its candidates are */
    bool done;
};

static void fail(struct peer_session *p, const char *why)
{
    p->done = true;
    p->wait_us = NEVER_US;
    p->handler->on_failed(p->owner, why);
}

/* The caller's side */

static void add_section(struct peer_session *p, enum section_use use, enum media_kind kind)
{
    struct offer_section *section = &p->sections[p->n_sections];

    *section = (struct offer_section){
        .use = use,
        .kind = kind,
        .codecs = {kind == KIND_AUDIO ? CODEC_OPUS : CODEC_VP8, CODEC_NONE},
        .stereo = p->config.stereo,
    };
    (void)snprintf(section->mid, sizeof(section->mid), "%" PRIu32, p->n_sections);
    if (use == SECTION_PUBLISH) {
        section->ssrc = random_u32();
        section->rtx_ssrc = kind == KIND_VIDEO ? random_u32() : 0;
    }
    p->n_sections++;
}

static void add_track(struct message_peer *m, const char *mid, enum media_kind kind)
{
    struct message_track_offer *track = &m->tracks[m->n_tracks++];

    track->kind = kind;
    (void)snprintf(track->mid, sizeof(track->mid), "%s", mid);
    (void)snprintf(track->source, sizeof(track->source), "%s",
                   kind == KIND_AUDIO ? "microphone" : "camera");
}

static void send_offer(struct peer_session *p)
{
    struct message_peer m = {.type = PEER_OFFER, .n = 1};
    struct text offer;

    if (p->config.publish_audio)
        add_section(p, SECTION_PUBLISH, KIND_AUDIO);
    if (p->config.publish_video)
        add_section(p, SECTION_PUBLISH, KIND_VIDEO);
    if (p->config.receive_audio)
        add_section(p, SECTION_SLOT, KIND_AUDIO);
    if (p->config.receive_video)
        add_section(p, SECTION_SLOT, KIND_VIDEO);
    text_init(&offer, MESSAGE_RELAY_MAX);
    if (offer_write(&offer, &p->local, p->sections, p->n_sections, p->session_id, 1) == 0)
        m.sdp = text_take(&offer);
    text_done(&offer);
    if (!m.sdp) {
        fail(p, "the offer is too long");
        return;
    }
    for (uint32_t i = 0; i < p->n_sections; i++) {
        if (p->sections[i].use == SECTION_PUBLISH)
            add_track(&m, p->sections[i].mid, p->sections[i].kind);
    }
    p->handler->send(p->owner, &m);
    message_peer_done(&m);
}

static void read_answer(struct peer_session *p, const char *sdp)
{
    struct negotiation_error error = {0};
    struct media_plan *plan = NULL;

    if (answer_read(&plan, sdp, strlen(sdp), p->sections, p->n_sections, &error) < 0) {
        fail(p, error.message);
        return;
    }
    p->handler->on_plan(p->owner, plan);
    media_plan_unref(plan);
}

/* The callee's side */

static int make_negotiation(struct peer_session *p)
{
    struct negotiation_policy policy = {
        .audio = {CODEC_OPUS},
        .video = {CODEC_VP8},
        .max_sections = PLAN_MAX_SECTIONS,
        .max_publish = (uint32_t)p->config.receive_audio + p->config.receive_video,
        .max_audio_slots = p->config.publish_audio,
        .max_video_slots = p->config.publish_video,
    };

    return negotiation_new(&p->negotiation, &policy);
}

/* What the caller publishes comes in a slot of ours, and the other way round. */
static void turn_around(struct plan_section *section, uint32_t slots[2])
{
    if (section->use == SECTION_PUBLISH) {
        section->use = SECTION_SLOT;
        section->slot = slots[section->kind]++;
        section->ssrc = section->layers[0].ssrc;
        section->rtx_ssrc = section->layers[0].rtx_ssrc;
        section->n_layers = 0;
    } else if (section->use == SECTION_SLOT) {
        section->use = SECTION_PUBLISH;
        section->n_layers = 1;
        section->layers[0] = (struct plan_layer){.ssrc = section->ssrc,
                                                 .rtx_ssrc = section->rtx_ssrc};
    }
}

static void use_plan(struct peer_session *p)
{
    uint32_t slots[2] = {0, 0}; /* by enum media_kind */
    struct media_plan *plan = NULL;

    if (media_plan_copy(&plan, negotiation_plan(p->negotiation)) < 0) {
        fail(p, "out of memory");
        return;
    }
    for (uint32_t i = 0; i < plan->n_sections; i++)
        turn_around(&plan->sections[i], slots);
    p->handler->on_plan(p->owner, plan);
    media_plan_unref(plan);
}

static void send_answer(struct peer_session *p, struct text *answer)
{
    const struct media_plan *plan = negotiation_plan(p->negotiation);
    struct message_peer m = {.type = PEER_ANSWER, .n = p->remote_n, .sdp = text_take(answer)};

    for (uint32_t i = 0; i < plan->n_sections && m.n_tracks < PEER_MAX_TRACKS; i++) {
        if (plan->sections[i].use == SECTION_SLOT)
            add_track(&m, plan->sections[i].mid, plan->sections[i].kind);
    }
    if (m.sdp)
        p->handler->send(p->owner, &m);
    message_peer_done(&m);
}

static void answer_offer(struct peer_session *p, const char *sdp)
{
    struct negotiation_error error = {0};
    struct text answer;

    text_init(&answer, MESSAGE_RELAY_MAX);
    if (make_negotiation(p) < 0) {
        fail(p, "out of memory");
    } else if (negotiation_answer(p->negotiation, &p->local, sdp, strlen(sdp), &answer, &error) <
               0) {
        fail(p, error.message);
    } else {
        send_answer(p, &answer);
        use_plan(p);
    }
    text_done(&answer);
}

/* Both */

/* Candidates are the first m-line's, which speaks for all (BUNDLE). @return NULL: no memory */
static char *with_candidates(const struct peer_session *p)
{
    const char *media = strstr(p->remote, "\r\nm=");
    const char *place = media ? strstr(media, "\r\na=") : NULL;
    struct text all;
    char *ret;

    text_init(&all, SDP_MAX_BYTES);
    if (!place)
        place = p->remote + strlen(p->remote);
    text_append_n(&all, p->remote, (size_t)(place - p->remote));
    text_append(&all, text_str(&p->candidates));
    text_append(&all, place);
    ret = text_take(&all);
    text_done(&all);
    return ret;
}

static void apply(struct peer_session *p)
{
    char *sdp;

    p->ready = true;
    p->wait_us = NEVER_US;
    if (!p->described || p->done)
        return;
    p->done = true;
    sdp = with_candidates(p);
    if (!sdp)
        fail(p, "the description is too long");
    else if (p->config.caller)
        read_answer(p, sdp);
    else
        answer_offer(p, sdp);
    free(sdp);
}

static void on_description(struct peer_session *p, const struct message_peer *m, int64_t now_us)
{
    if (p->remote || (m->type == PEER_OFFER) == p->config.caller)
        return;
    p->remote = strdup(m->sdp);
    p->remote_n = m->n;
    if (!p->remote)
        fail(p, "out of memory");
    else if (strstr(p->remote, "\r\na=end-of-candidates"))
        apply(p);
    else
        p->wait_us = now_us + PEER_SESSION_WAIT_MS * MS;
}

static void on_candidate(struct peer_session *p, const struct message_peer *m)
{
    if (!m->candidate[0]) {
        if (p->remote)
            apply(p);
        return;
    }
    if (p->candidates.len + strlen(m->candidate) < MAX_CANDIDATES_BYTES)
        text_printf(&p->candidates, "\r\na=%s", m->candidate);
}

int peer_session_new(struct peer_session **ret, const struct peer_session_config *config,
                     const struct peer_session_handler *handler, void *owner)
{
    struct peer_session *p = calloc(1, sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->config = *config;
    p->handler = handler;
    p->owner = owner;
    p->session_id = random_u64() >> 2; /* RFC 8829 section 5.2.1: a positive 64 bit number */
    p->wait_us = NEVER_US;
    text_init(&p->candidates, 2 * MAX_CANDIDATES_BYTES);
    *ret = p;
    return 0;
}

void peer_session_set_local(struct peer_session *p, const struct negotiation_local *local)
{
    if (p->described)
        return;
    p->local = *local;
    p->described = true;
    if (p->config.caller)
        send_offer(p);
    else if (p->ready)
        apply(p);
}

struct peer_session *peer_session_free(struct peer_session *p)
{
    if (!p)
        return NULL;
    negotiation_free(p->negotiation);
    text_done(&p->candidates);
    free(p->remote);
    free(p);
    return NULL;
}

void peer_session_receive(struct peer_session *p, const struct message_peer *m, int64_t now_us)
{
    if (p->done)
        return;
    if (m->type == PEER_OFFER || m->type == PEER_ANSWER)
        on_description(p, m, now_us);
    else if (m->type == PEER_CANDIDATE)
        on_candidate(p, m);
}

int64_t peer_session_advance(struct peer_session *p, int64_t now_us)
{
    if (now_us >= p->wait_us)
        apply(p);
    return p->wait_us;
}
