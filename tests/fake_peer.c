#include "tests/fake_peer.h"

#include "media/base/clock.h"
#include "media/ice_lite.h"
#include "media/packet.h"
#include "media/rtcp.h"
#include "media/seal.h"
#include "media/srtp.h"
#include "media/transport_feedback.h"
#include "tests/stun_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OFFER_MAX = 64 * 1024,
    LAYER_STEP = 50, /* between the SSRCs of layers */
};

/* Chrome's pace once connected. */
static const int64_t CHECK_US = 2500 * MS;
static const int64_t CHECK_FIRST_US = 50 * MS;

/* ------------------------------------------------------------------ the client's media */

/* How its datagrams are marked on their way: from which port to which host. */
static uint64_t path_of(const struct fake_peer *p)
{
    return (uint64_t)p->host << 16 | p->port;
}

static void on_transport_send(void *owner, const uint8_t *data, size_t len)
{
    struct fake_peer *p = owner;

    netem_push(p->up, path_of(p), data, len, p->world->now_us);
}

static void on_source_send(void *owner, const uint8_t *head, size_t head_len,
                           const uint8_t *payload, size_t payload_len)
{
    struct fake_peer *p = owner;
    uint8_t out[NETEM_DATAGRAM_MAX];
    struct seal_packet packet = {
        .session = transport_seal_session(p->transport),
        .head = head,
        .head_len = (uint16_t)head_len,
        .payload = payload,
        .payload_len = (uint16_t)payload_len,
        .out = out,
    };

    /* RTX brings its number as the end of the head. */
    if (head_len % 4 != 0) {
        packet.head_len = (uint16_t)(head_len - 2);
        packet.lead_len = 2;
    }
    fake_must(packet.session && seal_batch(&packet, 1) == 1, "a client cannot seal");
    netem_push(p->up, path_of(p), out, packet.out_len, p->world->now_us);
}

/* Of a frame, by layer: 150, 300 and 600 kbit/s. */
static const uint8_t packets_of_layer[PLAN_MAX_LAYERS] = {1, 2, 4};

static struct fake_source *make_source(struct fake_peer *p, uint32_t at, uint32_t layer)
{
    const struct plan_section *section = &p->answer->sections[at];
    struct fake_source *s = calloc(1, sizeof(*s));
    bool video = section->kind == KIND_VIDEO;
    const struct plan_codec *codec = &section->codecs[0];

    fake_must(s && section->n_codecs > 0, "nothing to send with");
    for (size_t i = 0; i < section->n_codecs; i++) {
        if (section->codecs[i].codec == CODEC_RED)
            codec = &section->codecs[i];
    }
    s->codec = codec->codec;
    s->pt = codec->pt;
    s->rtx_pt = codec->rtx_pt;
    s->ssrc = p->sections[at].ssrc + layer * LAYER_STEP;
    s->rtx_ssrc = p->sections[at].rtx_ssrc ? p->sections[at].rtx_ssrc + layer * LAYER_STEP : 0;
    if (!p->strips_extensions)
        s->extensions = section->extensions;
    (void)snprintf(s->mid, sizeof(s->mid), "%s", section->mid);
    s->frame_us = video ? 33333 : 20 * MS;
    s->packets_per_frame = video ? 4 : 1;
    if (video && p->layers > 1) {
        s->packets_per_frame = packets_of_layer[layer % PLAN_MAX_LAYERS];
        s->scale = (uint8_t)layer;
    }
    s->transport_seq = &p->transport_seq;
    s->send = on_source_send;
    s->owner = p;
    fake_source_init(s, p->world->now_us + p->source_wait_us);
    s->unwanted = p->obeys && video && p->n_wants > 0 && !(p->want_of_section[at] >> layer & 1);
    return s;
}

static void make_sources(struct fake_peer *p, uint32_t at)
{
    p->sources[at] = make_source(p, at, 0);
    for (uint32_t i = 1; i < p->layers && p->answer->sections[at].kind == KIND_VIDEO; i++)
        p->upper[at][i - 1] = make_source(p, at, i);
}

static void free_sources(struct fake_peer *p, uint32_t at)
{
    free(p->sources[at]);
    p->sources[at] = NULL;
    for (uint32_t i = 0; i < ARRAY_LEN(p->upper[at]); i++) {
        free(p->upper[at][i]);
        p->upper[at][i] = NULL;
    }
}

/* The client's answer is new: make what it adds, end what it ended. */
static void apply_answer(struct fake_peer *p)
{
    for (uint32_t i = 0; i < p->answer->n_sections; i++) {
        const struct plan_section *section = &p->answer->sections[i];

        if (p->sinks[i])
            p->sinks[i]->section = section;
        if (section->use == SECTION_SLOT && !p->sinks[i]) {
            p->sinks[i] = calloc(1, sizeof(*p->sinks[i]));
            fake_must(p->sinks[i] != NULL, "no memory");
            fake_sink_init(p->sinks[i], section);
        }
        if (section->use == SECTION_PUBLISH && !p->sources[i] &&
            transport_state(p->transport) == TRANSPORT_CONNECTED)
            make_sources(p, i);
        if (section->use != SECTION_PUBLISH)
            free_sources(p, i);
    }
}

static void on_transport_state(void *owner, enum transport_state state)
{
    struct fake_peer *p = owner;

    if (state == TRANSPORT_CONNECTED)
        apply_answer(p);
}

static void note_arrival(struct fake_peer *p, const struct plan_section *section,
                         const struct packet *packet, int64_t now_us)
{
    uint8_t id = section->extensions.id[EXTENSION_TRANSPORT_CC];
    const struct rtp_extension *e = id ? rtp_find_extension(&packet->rtp, id) : NULL;

    if (!e || p->no_feedback)
        return;
    if (!p->arrivals) {
        p->arrivals = malloc(sizeof(*p->arrivals));
        fake_must(p->arrivals != NULL, "no memory");
        feedback_recorder_init(p->arrivals);
    }
    feedback_recorder_on_packet(
        p->arrivals, (uint16_t)(packet->data[e->offset] << 8 | packet->data[e->offset + 1]),
        now_us);
}

static void on_rtp(void *owner, struct packet *packet, int64_t now_us)
{
    struct fake_peer *p = owner;

    for (uint32_t i = 0; i < p->n_sections; i++) {
        struct fake_sink *s = p->sinks[i];

        if (s && (s->section->ssrc == packet->rtp.ssrc ||
                  (s->section->rtx_ssrc && s->section->rtx_ssrc == packet->rtp.ssrc))) {
            note_arrival(p, s->section, packet, now_us);
            if (packet->rtp.payload_len > 0)
                fake_sink_receive(s, packet, now_us);
            else
                p->padding++;
            return;
        }
    }
    fake_must(false, "RTP with an SSRC that no answer told");
}

static struct fake_source *find_source(const struct fake_peer *p, uint32_t ssrc)
{
    for (uint32_t i = 0; i < p->n_sections; i++) {
        if (p->sources[i] && p->sources[i]->ssrc == ssrc)
            return p->sources[i];
        for (uint32_t k = 0; k < ARRAY_LEN(p->upper[i]); k++) {
            if (p->upper[i][k] && p->upper[i][k]->ssrc == ssrc)
                return p->upper[i][k];
        }
    }
    return NULL;
}

static void on_rtcp_feedback(struct fake_peer *p, const struct rtcp_packet *packet)
{
    struct rtcp_feedback fb;
    uint16_t seqs[RTCP_MAX_NACKS];
    uint64_t bps;
    struct fake_source *s;
    int n = 0;

    if (packet->type == RTCP_RTPFB && packet->count == RTPFB_TRANSPORT_CC) {
        p->feedback++;
    } else if (packet->type == RTCP_RTPFB) {
        n = rtcp_read_nack(packet, &fb, seqs, RTCP_MAX_NACKS);
        s = n > 0 ? find_source(p, fb.media) : NULL;
        for (int i = 0; i < n && s; i++)
            fake_source_resend(s, seqs[i]);
    } else if (packet->count == PSFB_PLI) {
        s = rtcp_read_pli(packet, &fb) == 0 ? find_source(p, fb.media) : NULL;
        fake_must(s != NULL, "PLI for no source");
        s->key_requests++;
        s->key_wanted = !s->ignores_requests;
    } else if (rtcp_read_remb(packet, &fb, &bps) == 0) {
        p->remb++;
        p->remb_bps = bps;
    }
}

static void on_sender_report(struct fake_peer *p, const struct rtcp_packet *packet)
{
    struct rtcp_sender_info info;

    fake_must(rtcp_read_sr(packet, &info, NULL) >= 0, "malformed SR");
    for (uint32_t i = 0; i < p->n_sections; i++) {
        if (!p->sinks[i] || p->sinks[i]->section->ssrc != info.ssrc)
            continue;
        p->sinks[i]->has_report = true;
        p->sinks[i]->report_ntp = info.ntp;
        p->sinks[i]->report_ts = info.rtp_ts;
        return;
    }
    fake_must(false, "SR of an SSRC that no answer told");
}

static void on_rtcp(void *owner, const uint8_t *data, size_t len, int64_t now_us)
{
    struct fake_peer *p = owner;
    struct reader compound = reader_of(data, len);
    struct rtcp_packet packet;
    uint32_t sender;
    int n;

    (void)now_us;
    while ((n = rtcp_next(&compound, &packet)) > 0) {
        if (packet.type == RTCP_SR)
            on_sender_report(p, &packet);
        else if (packet.type == RTCP_RR)
            p->reports += (uint64_t)rtcp_read_rr(&packet, &sender, NULL);
        else if (packet.type == RTCP_RTPFB || packet.type == RTCP_PSFB)
            on_rtcp_feedback(p, &packet);
    }
    fake_must(n == 0, "malformed RTCP");
}

static const struct transport_handler transport_handler = {
    .send = on_transport_send,
    .on_state = on_transport_state,
    .on_rtp = on_rtp,
    .on_rtcp = on_rtcp,
};

/* ------------------------------------------------------------------ time */

static void send_check(struct fake_peer *p)
{
    char username[2 * PLAN_UFRAG_MAX + 2];
    uint8_t data[STUN_REQUEST_MAX];
    struct stun_request request = {
        .username = username, .password = p->answer->pwd, .use_candidate = p->nominates};

    p->n_checks++;
    memcpy(request.id, &p->n_checks, sizeof(p->n_checks));
    (void)snprintf(username, sizeof(username), "%s:%s", p->answer->ufrag, p->local.ufrag);
    netem_push(p->up, path_of(p), data, stun_request_write(data, &request), p->world->now_us);
    p->check_us = p->world->now_us + (p->connected ? CHECK_US : CHECK_FIRST_US);
}

static void send_nacks(struct fake_peer *p, struct fake_sink *s, uint32_t section)
{
    uint8_t bytes[1200];
    struct writer w = writer_of(bytes, sizeof(bytes));
    struct rtcp_feedback fb = {.sender = 1, .media = s->section->ssrc};
    uint16_t seqs[128];
    uint16_t lost;
    size_t n;

    if (s->no_nack || nack_generator_deadline(&s->nack) > p->world->now_us)
        return;
    n = nack_generator_poll(&s->nack, p->world->now_us, seqs, ARRAY_LEN(seqs));
    if (nack_generator_take_lost(&s->nack, &lost) && p->sends_pli)
        fake_peer_send_pli(p, section);
    if (n == 0)
        return;
    rtcp_write_nack(&w, &fb, seqs, n);
    (void)!transport_send_rtcp(p->transport, bytes, w.len);
}

static void send_feedback(struct fake_peer *p)
{
    while (p->arrivals && feedback_recorder_deadline(p->arrivals) <= p->world->now_us) {
        uint8_t bytes[1200];
        struct writer w = writer_of(bytes, sizeof(bytes));

        (void)feedback_recorder_write(p->arrivals, &w, 1, 1, p->world->now_us);
        (void)!transport_send_rtcp(p->transport, bytes, w.len);
    }
}

/* Sender reports on the client's clock: wall time is simulated time plus its port. */
static void send_reports(struct fake_peer *p)
{
    uint8_t bytes[1200];
    struct writer w = writer_of(bytes, sizeof(bytes));

    for (uint32_t i = 0; i < p->n_sections; i++) {
        struct fake_source *s = p->sources[i];
        struct rtcp_sender_info info;
        uint32_t rate;

        if (!s || s->packets == 0)
            continue;
        rate = codec_info(s->codec)->clock_rate;
        info = (struct rtcp_sender_info){
            .ssrc = s->ssrc,
            .ntp = ntp_from_wall_us(p->world->now_us + p->port * SECOND),
            .rtp_ts = s->ts - (uint32_t)((s->next_us - p->world->now_us) * rate / SECOND),
            .packets = (uint32_t)s->packets,
        };
        rtcp_write_sr(&w, &info, NULL, 0);
        rtcp_write_sdes_cname(&w, s->ssrc, "fake");
    }
    if (w.len > 0)
        (void)!transport_send_rtcp(p->transport, bytes, w.len);
}

static void deliver_down(struct fake_peer *p)
{
    uint8_t data[NETEM_DATAGRAM_MAX];
    size_t len;

    while (netem_pop(p->down, p->world->now_us, NULL, data, &len)) {
        struct packet *packet = packet_new(p->world->pool);

        fake_must(packet != NULL, "clients leak packets");
        memcpy(packet->data, data, len);
        packet->len = (uint16_t)len;
        packet->arrival_us = p->world->now_us;
        if (datagram_kind(data, len) != DATAGRAM_STUN)
            (void)!transport_receive(p->transport, packet, p->world->now_us);
        else if (!p->connected)
            transport_start(p->transport, p->world->now_us);
        packet_unref(packet);
    }
}

static void change_links(struct fake_peer *p)
{
    struct netem *const links[NETEM_DIRECTIONS] = {[NETEM_UP] = p->up, [NETEM_DOWN] = p->down};

    if (p->script)
        (void)netem_script_advance(p->script, p->world->now_us, links);
}

void fake_peer_link(struct fake_peer *p, const char *text)
{
    char error[NETEM_SCRIPT_ERROR_MAX];

    if (!p->script) {
        p->script = malloc(sizeof(*p->script));
        fake_must(p->script != NULL, "no memory");
        netem_script_init(p->script);
        p->script->config[NETEM_UP] = *netem_config(p->up);
        p->script->config[NETEM_DOWN] = *netem_config(p->down);
    }
    fake_must(netem_script_add(p->script, text, strlen(text), p->world->now_us, error) == 0, text);
    change_links(p);
}

void fake_peer_advance(struct fake_peer *p)
{
    int64_t now_us = p->world->now_us;

    change_links(p);
    if (!p->answer)
        return;
    deliver_down(p);
    if (p->checks && p->check_us <= now_us)
        send_check(p);
    (void)!transport_advance(p->transport, now_us);
    if (transport_state(p->transport) != TRANSPORT_CONNECTED)
        return;
    for (uint32_t i = 0; i < p->n_sections; i++) {
        if (p->sources[i])
            fake_source_advance(p->sources[i], now_us);
        for (uint32_t k = 0; k < ARRAY_LEN(p->upper[i]); k++) {
            if (p->upper[i][k])
                fake_source_advance(p->upper[i][k], now_us);
        }
        if (p->sinks[i])
            send_nacks(p, p->sinks[i], i);
    }
    send_feedback(p);
    if (now_us % SECOND == 0 && !p->no_reports)
        send_reports(p);
}

/* ------------------------------------------------------------------ setting up */

struct fake_peer *fake_peer_free(struct fake_peer *p)
{
    p->transport = transport_free(p->transport);
    p->identity = dtls_identity_free(p->identity);
    p->negotiation = negotiation_free(p->negotiation);
    p->quality = message_quality_free(p->quality);
    p->answer = media_plan_unref(p->answer);
    free(p->arrivals);
    free(p->script);
    p->up = netem_free(p->up);
    p->down = netem_free(p->down);
    for (uint32_t i = 0; i < p->n_sections; i++) {
        free_sources(p, i);
        free(p->sinks[i]);
    }
    free(p);
    return NULL;
}

static void describe(struct negotiation_local *ret, const struct dtls_identity *identity,
                     bool ice_lite)
{
    const struct dtls_fingerprint *fingerprint = dtls_identity_fingerprint(identity);
    struct ice_credentials credentials;

    ice_credentials_make(&credentials);
    *ret = (struct negotiation_local){.ice_lite = ice_lite, .cname = "fake"};
    memcpy(ret->ufrag, credentials.ufrag, sizeof(credentials.ufrag));
    memcpy(ret->pwd, credentials.pwd, sizeof(credentials.pwd));
    (void)snprintf(ret->fingerprint.hash, sizeof(ret->fingerprint.hash), "sha-256");
    ret->fingerprint.len = fingerprint->len;
    memcpy(ret->fingerprint.bytes, fingerprint->bytes, fingerprint->len);
    ret->n_candidates = 1;
    ret->candidates[0] = (struct plan_candidate){
        .address = "10.0.0.1",
        .port = 7882,
        .component = 1,
        .type = "host",
        .priority = 1,
        .foundation = "1",
    };
}

struct offer_section *fake_peer_add(struct fake_peer *p, enum section_use use, enum media_kind kind)
{
    struct offer_section *s = &p->sections[p->n_sections];

    fake_must(p->n_sections < FAKE_MAX_SECTIONS, "too many sections");
    *s = (struct offer_section){.use = use, .kind = kind};
    (void)snprintf(s->mid, sizeof(s->mid), "%u", p->n_sections);
    if (use == SECTION_PUBLISH) {
        s->ssrc = p->port * 1000U + p->n_sections * 2;
        s->rtx_ssrc = kind == KIND_VIDEO ? s->ssrc + 1 : 0;
    }
    p->n_sections++;
    return s;
}

struct fake_peer *fake_peer_new(struct fake_world *w, uint32_t publish_audio,
                                uint32_t publish_video, uint32_t audio_slots, uint32_t video_slots)
{
    struct fake_peer *p = calloc(1, sizeof(*p));
    struct netem_config link = w->link;

    fake_must(p && w->n_peers < FAKE_MAX_PEERS, "too many peers");
    p->world = w;
    p->id = w->next_id++;
    p->port = (uint16_t)(10000 + 100 * w->n_peers);
    p->host = 1;
    p->path = PATH_KINDS;
    p->checks = p->nominates = true;
    p->source_wait_us = 200 * MS;
    link.seed = w->link.seed * 100 + 2UL * w->n_peers + 1;
    p->up = netem_new(&link);
    link.seed++;
    p->down = netem_new(&link);
    fake_must(p->up && p->down && dtls_identity_new(&p->identity) == 0, "no memory");
    describe(&p->local, p->identity, false);
    describe(&p->server, w->identity, true);
    for (uint32_t i = 0; i < publish_audio; i++)
        (void)fake_peer_add(p, SECTION_PUBLISH, KIND_AUDIO);
    for (uint32_t i = 0; i < publish_video; i++)
        (void)fake_peer_add(p, SECTION_PUBLISH, KIND_VIDEO);
    for (uint32_t i = 0; i < audio_slots; i++)
        (void)fake_peer_add(p, SECTION_SLOT, KIND_AUDIO);
    for (uint32_t i = 0; i < video_slots; i++)
        (void)fake_peer_add(p, SECTION_SLOT, KIND_VIDEO);
    w->peers[w->n_peers++] = p;
    return p;
}

static void make_transport(struct fake_peer *p)
{
    struct transport_config config = {
        .identity = p->identity,
        .fingerprint = *dtls_identity_fingerprint(p->world->identity),
        .dtls_client = p->answer->dtls_client,
    };

    fake_must(transport_new(&p->transport, &config, &transport_handler, p) == 0, "no transport");
}

static void strip_extensions(struct media_plan *plan)
{
    for (uint32_t i = 0; i < plan->n_sections; i++)
        plan->sections[i].extensions = (struct extension_map){{0}};
}

/* What an offer with a=simulcast would lead to; the SSRCs are told, for once. */
static void add_layers(const struct fake_peer *p, struct plan_section *section)
{
    section->n_layers = (uint8_t)p->layers;
    for (uint32_t i = 1; i < p->layers; i++) {
        section->layers[i].ssrc = section->layers[0].ssrc + i * LAYER_STEP;
        section->layers[i].rtx_ssrc = section->layers[0].rtx_ssrc + i * LAYER_STEP;
    }
}

struct mail *fake_peer_mail(struct fake_peer *p, enum mail_type type)
{
    struct mail_join *mail = calloc(1, sizeof(*mail));

    fake_must(mail != NULL, "no memory");
    mail->mail.type = (int)type;
    mail->participant = p->id;
    mail->room = p->room;
    mail->worker = p->worker;
    memcpy(mail->ufrag, p->server.ufrag, sizeof(mail->ufrag));
    memcpy(mail->pwd, p->server.pwd, sizeof(mail->pwd));
    fake_must(media_plan_copy(&mail->plan, negotiation_plan(p->negotiation)) == 0, "no memory");
    if (p->strips_extensions)
        strip_extensions(mail->plan);
    for (uint32_t i = 0; i < mail->plan->n_sections; i++) {
        struct plan_section *section = &mail->plan->sections[i];

        if (section->use != SECTION_PUBLISH)
            continue;
        for (size_t k = 0; k < section->n_codecs; k++)
            section->codecs[k].remb = p->wants_remb;
        if (p->layers > 1 && section->kind == KIND_VIDEO)
            add_layers(p, section);
        if (p->tracks[i].id == 0) {
            p->tracks[i].id = p->world->next_id++;
            p->want_of_section[i] = (uint8_t)((1U << section->n_layers) - 1);
        }
        p->tracks[i].kind = section->kind;
        memcpy(p->tracks[i].mid, section->mid, sizeof(section->mid));
        mail->tracks[mail->n_tracks++] = p->tracks[i];
    }
    return &mail->mail;
}

static void tell_workers(struct fake_peer *p, bool first)
{
    if (first) {
        fake_control_join(p);
    } else {
        fake_world_send(p->world, p->worker, fake_peer_mail(p, MAIL_UPDATE));
        fake_control_update(p);
    }
}

void fake_peer_offer(struct fake_peer *p, uint32_t room)
{
    struct negotiation_error error = {0};
    struct text offer;
    struct text answer;
    bool first = !p->negotiation;

    text_init(&offer, OFFER_MAX);
    text_init(&answer, OFFER_MAX);
    fake_must(!first || negotiation_new(&p->negotiation, &negotiation_default_policy) == 0,
              "no negotiation");
    fake_must(offer_write(&offer, &p->local, p->sections, p->n_sections, p->id, ++p->version) == 0,
              "no offer");
    if (negotiation_answer(p->negotiation, &p->server, text_str(&offer), offer.len, &answer,
                           &error) < 0)
        fake_must(false, error.message);
    p->answer = media_plan_unref(p->answer);
    if (answer_read(&p->answer, text_str(&answer), answer.len, p->sections, p->n_sections, &error) <
        0)
        fake_must(false, error.message);
    /* A restart of ICE is between the two sets of credentials alone. */
    memcpy(p->answer->ufrag, p->server.ufrag, sizeof(p->answer->ufrag));
    memcpy(p->answer->pwd, p->server.pwd, sizeof(p->answer->pwd));
    if (p->strips_extensions)
        strip_extensions(p->answer);
    if (first)
        make_transport(p);
    apply_answer(p);
    p->check_us = p->world->now_us;
    p->room = room;
    tell_workers(p, first);
    text_done(&offer);
    text_done(&answer);
}

void fake_peer_leave(struct fake_peer *p)
{
    fake_control_leave(p);
}

void fake_peer_mute(struct fake_peer *p, uint32_t section, bool muted)
{
    fake_control_mute(p, section, muted);
}

static void renew(struct negotiation_local *local)
{
    struct ice_credentials credentials;

    ice_credentials_make(&credentials);
    memcpy(local->ufrag, credentials.ufrag, sizeof(credentials.ufrag));
    memcpy(local->pwd, credentials.pwd, sizeof(credentials.pwd));
}

void fake_peer_restart_ice(struct fake_peer *p)
{
    renew(&p->local);
    renew(&p->server);
}

void fake_peer_send_pli(struct fake_peer *p, uint32_t section)
{
    uint8_t bytes[64];
    struct writer w = writer_of(bytes, sizeof(bytes));
    struct rtcp_feedback fb = {.sender = 1, .media = p->answer->sections[section].ssrc};

    rtcp_write_pli(&w, &fb);
    fake_must(transport_send_rtcp(p->transport, bytes, w.len) == 0, "cannot send RTCP");
}

static uint32_t nth_section(const struct fake_peer *p, enum section_use use, enum media_kind kind,
                            uint32_t n)
{
    for (uint32_t i = 0; i < p->n_sections; i++) {
        if (p->sections[i].use == use && p->sections[i].kind == kind && n-- == 0)
            return i;
    }
    fake_must(false, "no such section");
    return 0;
}

struct fake_sink *fake_peer_sink(const struct fake_peer *p, enum media_kind kind, uint32_t n)
{
    return p->sinks[nth_section(p, SECTION_SLOT, kind, n)];
}

static struct fake_source *layer_of(const struct fake_peer *p, uint32_t section, uint32_t layer)
{
    return layer == 0 ? p->sources[section] : p->upper[section][layer - 1];
}

struct fake_source *fake_peer_layer(const struct fake_peer *p, uint32_t n, uint32_t layer)
{
    return layer_of(p, nth_section(p, SECTION_PUBLISH, KIND_VIDEO, n), layer);
}

void fake_peer_obey(struct fake_peer *p, uint32_t section)
{
    for (uint32_t i = 0; i < PLAN_MAX_LAYERS; i++) {
        struct fake_source *s = layer_of(p, section, i);
        bool wanted = p->want_of_section[section] >> i & 1;

        if (!s || s->unwanted == !wanted)
            continue;
        s->unwanted = !wanted;
        s->key_wanted = true;
    }
}

struct fake_source *fake_peer_source(const struct fake_peer *p, enum media_kind kind, uint32_t n)
{
    return p->sources[nth_section(p, SECTION_PUBLISH, kind, n)];
}
