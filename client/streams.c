#include "client/streams.h"

#include "client/audio_sender.h"
#include "client/byte_rate.h"
#include "client/incoming.h"
#include "client/media_link.h"
#include "client/reports.h"
#include "client/video_sender.h"
#include "media/base/clock.h"
#include "media/base/random.h"
#include "media/packet.h"
#include "media/transport_feedback.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t FIRST_REPORT_US = 200 * MS; /* soon, so that both sides learn the round trip */
static const int64_t REPORT_US = 1 * SECOND;

struct streams {
    struct streams_config config;
    struct media_link *link;
    const struct streams_handler *handler;
    void *owner;
    struct audio_sender *audio; /* NULL until agreed */
    bool video;                 /* config.video is started */
    struct list incoming;       /* struct incoming.link */
    uint32_t own_ssrc;          /* who we are in RTCP */
    bool feedback;              /* transport-wide feedback is due */
    struct feedback_recorder arrivals;
    int64_t report_us; /* when reports are due */
    struct byte_rate sent;
};

static struct incoming *incoming_of(struct list *link)
{
    return CONTAINER_OF(link, struct incoming, link);
}

int streams_new(struct streams **ret, const struct streams_config *config, struct media_link *link,
                const struct streams_handler *handler, void *owner)
{
    struct streams *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->config = *config;
    s->link = link;
    s->handler = handler;
    s->owner = owner;
    s->own_ssrc = random_u32();
    s->report_us = NEVER_US;
    list_init(&s->incoming);
    feedback_recorder_init(&s->arrivals);
    *ret = s;
    return 0;
}

struct streams *streams_free(struct streams *s)
{
    if (!s)
        return NULL;
    s->audio = audio_sender_free(s->audio);
    LIST_FOREACH_SAFE(it, &s->incoming)
        incoming_free(incoming_of(it));
    free(s);
    return NULL;
}

static void on_frame(void *owner, const struct video_frame *frame)
{
    struct streams *s = owner;

    s->handler->on_video(s->owner, frame);
}

static struct incoming *find_mid(struct streams *s, const char *mid)
{
    LIST_FOREACH(it, &s->incoming) {
        if (strcmp(incoming_of(it)->mid, mid) == 0)
            return incoming_of(it);
    }
    return NULL;
}

static struct incoming *find_ssrc(struct streams *s, uint32_t ssrc)
{
    LIST_FOREACH(it, &s->incoming) {
        struct incoming *in = incoming_of(it);

        if (in->ssrc == ssrc || (in->rtx_ssrc == ssrc && ssrc != 0))
            return in;
    }
    return NULL;
}

static const struct plan_codec *find_codec(const struct plan_section *section, enum codec codec)
{
    for (size_t i = 0; i < section->n_codecs; i++) {
        if (section->codecs[i].codec == codec)
            return &section->codecs[i];
    }
    return NULL;
}

static struct rtp_sender_config sender_config(const struct plan_section *section,
                                              const struct plan_codec *codec)
{
    struct rtp_sender_config config = {
        .ssrc = section->layers[0].ssrc,
        .rtx_ssrc = section->layers[0].rtx_ssrc,
        .pt = codec->pt,
        .rtx_pt = section->layers[0].rtx_ssrc ? codec->rtx_pt : 0,
        .clock_rate = codec_info(codec->codec)->clock_rate,
        .store = section->kind == KIND_AUDIO ? PACKET_STORE_AUDIO : PACKET_STORE_VIDEO,
        .extensions = section->extensions,
    };

    (void)snprintf(config.mid, sizeof(config.mid), "%s", section->mid);
    return config;
}

/* With no more than the server takes, though Opus needs 6 kbit/s. */
static int apply_audio(struct streams *s, const struct plan_section *section,
                       const struct rtp_sender_config *config)
{
    struct opus_encoder_config encoder = s->config.encoder;

    if (section->max_bps > 0 && section->max_bps < (uint32_t)encoder.bitrate_bps)
        encoder.bitrate_bps = section->max_bps > OPUS_MIN_BPS ? (int32_t)section->max_bps
                                                              : OPUS_MIN_BPS;
    return audio_sender_new(&s->audio, s->config.audio, &encoder, config);
}

static int apply_publish(struct streams *s, const struct plan_section *section, int64_t now_us)
{
    bool is_audio = section->kind == KIND_AUDIO;
    const struct plan_codec *codec = find_codec(section, is_audio ? CODEC_OPUS : CODEC_VP8);
    struct rtp_sender_config config;
    int err;

    if (is_audio ? s->audio != NULL : s->video)
        return 0;
    if (!codec)
        return -ENOTSUP;
    config = sender_config(section, codec);
    if (is_audio)
        return apply_audio(s, section, &config);
    err = video_sender_start(s->config.video, &config, now_us);
    s->video = err == 0;
    return err;
}

static int apply_slot(struct streams *s, const struct plan_section *section)
{
    struct incoming *in;
    int err;

    if (find_mid(s, section->mid))
        return 0;
    err = incoming_new(&in, section, s->config.channels, on_frame, s);
    if (err < 0)
        return err;
    list_append(&s->incoming, &in->link);
    return 0;
}

int streams_apply(struct streams *s, const struct media_plan *plan, int64_t now_us)
{
    for (uint32_t i = 0; i < plan->n_sections; i++) {
        const struct plan_section *section = &plan->sections[i];
        int err = 0;

        if (section->use == SECTION_PUBLISH)
            err = apply_publish(s, section, now_us);
        else if (section->use == SECTION_SLOT)
            err = apply_slot(s, section);
        if (err < 0)
            return err;
    }
    return 0;
}

void streams_bind(struct streams *s, const char *mid, uint32_t track, uint32_t participant,
                  int64_t now_us)
{
    struct incoming *in = find_mid(s, mid);

    if (in)
        incoming_bind(in, track, participant, now_us);
}

void streams_want_video(struct streams *s, bool wanted, int64_t now_us)
{
    if (s->config.video)
        video_sender_set_wanted(s->config.video, wanted, now_us);
}

bool streams_video_paused(const struct streams *s)
{
    return s->config.video && !video_sender_wanted(s->config.video);
}

static void note_arrival(struct streams *s, const struct incoming *in, const struct packet *packet,
                         int64_t now_us)
{
    const struct rtp_extension *element = rtp_find_extension(
        &packet->rtp, in->extensions.id[EXTENSION_TRANSPORT_CC]);

    if (!element || element->len != 2)
        return;
    feedback_recorder_on_packet(
        &s->arrivals,
        (uint16_t)(packet->data[element->offset] << 8 | packet->data[element->offset + 1]), now_us);
}

void streams_on_rtp(struct streams *s, struct packet *packet, int64_t now_us)
{
    struct incoming *in = find_ssrc(s, packet->rtp.ssrc);

    if (!in)
        return;
    note_arrival(s, in, packet, now_us);
    (void)(incoming_on_packet(in, packet, now_us) == 0); /* what is wrong shows in the statistics */
}

/* @return our stream with this SSRC, or NULL */
static struct rtp_sender *find_sender(struct streams *s, uint32_t ssrc)
{
    struct rtp_sender *audio = s->audio ? audio_sender_rtp(s->audio) : NULL;
    struct rtp_sender *video = s->video ? video_sender_rtp(s->config.video) : NULL;

    if (audio && audio->config.ssrc == ssrc)
        return audio;
    return video && video->config.ssrc == ssrc ? video : NULL;
}

static void on_sender_info(void *owner, const struct rtcp_sender_info *info, int64_t now_us)
{
    struct incoming *in = find_ssrc(owner, info->ssrc);

    if (in)
        stream_receiver_on_sr(&in->stats, info, now_us);
}

static void on_report(void *owner, const struct rtcp_report *report, int64_t now_us)
{
    struct rtp_sender *sender = find_sender(owner, report->ssrc);

    if (sender)
        rtp_sender_on_report(sender, report, now_us);
}

static void on_nack(void *owner, uint32_t ssrc, const uint16_t *seqs, size_t n, int64_t now_us)
{
    struct streams *s = owner;
    struct rtp_sender *sender = find_sender(s, ssrc);

    if (sender)
        rtp_sender_on_nack(sender, media_link_path(s->link), seqs, n, now_us);
}

static void on_key_frame_wish(void *owner, uint32_t ssrc, int64_t now_us)
{
    struct streams *s = owner;
    struct rtp_sender *video = s->video ? video_sender_rtp(s->config.video) : NULL;

    if (video && video->config.ssrc == ssrc)
        video_sender_skip_to_key_frame(s->config.video, now_us);
}

static const struct reports_handler reports_handler = {
    .on_sender_info = on_sender_info,
    .on_report = on_report,
    .on_nack = on_nack,
    .on_key_frame_wish = on_key_frame_wish,
};

void streams_on_rtcp(struct streams *s, const uint8_t *data, size_t len, int64_t now_us)
{
    reports_read(data, len, now_us, &reports_handler, s);
}

static void play(struct streams *s, struct incoming *in, int64_t now_us)
{
    int16_t samples[AUDIO_FRAME * AUDIO_MAX_CHANNELS];
    uint32_t source = 0;

    if (audio_receiver_take(in->audio, samples, &source, now_us))
        s->handler->on_sound(s->owner, source, samples);
}

void streams_tick(struct streams *s, int64_t now_us)
{
    bool connected = media_link_state(s->link) == LINK_CONNECTED;

    LIST_FOREACH(it, &s->incoming) {
        if (incoming_of(it)->audio)
            play(s, incoming_of(it), now_us);
    }
    if (s->audio && connected &&
        audio_sender_tick(s->audio, media_link_path(s->link), media_link_pool(s->link), now_us) < 0)
        return; /* counted by the egress */
    media_link_flush(s->link);
}

static uint32_t own_ssrc(const struct streams *s)
{
    if (s->audio)
        return audio_sender_rtp(s->audio)->config.ssrc;
    return s->video ? video_sender_rtp(s->config.video)->config.ssrc : s->own_ssrc;
}

static void send_written(struct streams *s, const struct writer *w)
{
    if (writer_ok(w) && w->len > 0 && media_link_send_rtcp(s->link, w->data, w->len) < 0)
        return; /* not connected any more: told by the link */
}

static void send_reports(struct streams *s, int64_t now_us, int64_t wall_us)
{
    uint8_t bytes[REPORTS_MAX_BYTES];
    struct writer w = writer_of(bytes, sizeof(bytes));
    struct reports_subject subject = {
        .incoming = &s->incoming, .own_ssrc = own_ssrc(s), .cname = s->config.cname};

    if (s->audio)
        subject.senders[subject.n_senders++] = audio_sender_rtp(s->audio);
    if (s->video)
        subject.senders[subject.n_senders++] = video_sender_rtp(s->config.video);
    reports_write(&w, &subject, now_us, wall_us);
    send_written(s, &w);
}

/* Requests for lost packets and key frames of one video stream. @return its next deadline */
static int64_t send_requests(struct streams *s, struct incoming *in, int64_t now_us)
{
    uint8_t bytes[REPORTS_MAX_BYTES];
    struct writer w = writer_of(bytes, sizeof(bytes));
    struct rtcp_feedback fb = {.sender = own_ssrc(s), .media = in->ssrc};
    uint16_t seqs[REPORTS_MAX_NACKS];
    size_t n = video_receiver_poll_nacks(in->video, now_us, seqs, REPORTS_MAX_NACKS);

    if (n > 0)
        rtcp_write_nack(&w, &fb, seqs, n);
    if (video_receiver_poll_key_frame(in->video, now_us))
        rtcp_write_pli(&w, &fb);
    send_written(s, &w);
    return video_receiver_advance(in->video, now_us);
}

static void send_feedback(struct streams *s, int64_t now_us)
{
    uint8_t bytes[REPORTS_MAX_BYTES];
    struct writer w = writer_of(bytes, sizeof(bytes));

    if (feedback_recorder_write(&s->arrivals, &w, own_ssrc(s), 0, now_us) > 0)
        send_written(s, &w);
}

int64_t streams_advance(struct streams *s, int64_t now_us, int64_t wall_us)
{
    int64_t deadline_us = NEVER_US;

    if (media_link_state(s->link) != LINK_CONNECTED)
        return NEVER_US;
    if (s->report_us == NEVER_US)
        s->report_us = now_us + FIRST_REPORT_US;
    if (now_us >= s->report_us) {
        send_reports(s, now_us, wall_us);
        s->report_us = now_us + REPORT_US;
    }
    if (now_us >= feedback_recorder_deadline(&s->arrivals))
        send_feedback(s, now_us);
    LIST_FOREACH(it, &s->incoming) {
        if (incoming_of(it)->video)
            deadline_us = clock_earlier(deadline_us, send_requests(s, incoming_of(it), now_us));
    }
    if (s->video) {
        int64_t video_us = video_sender_advance(s->config.video, media_link_path(s->link),
                                                media_link_pool(s->link), now_us);

        deadline_us = clock_earlier(deadline_us, video_us);
    }
    media_link_flush(s->link);
    return clock_earlier(deadline_us,
                         clock_earlier(s->report_us, feedback_recorder_deadline(&s->arrivals)));
}

void streams_look(struct streams *s, int64_t now_us)
{
    const struct rtp_sender *audio = streams_audio_sender(s);
    const struct rtp_sender *video = streams_video_sender(s);

    byte_rate_look(&s->sent, (audio ? audio->stats.bytes : 0) + (video ? video->stats.bytes : 0),
                   now_us);
    LIST_FOREACH(it, &s->incoming)
        byte_rate_look(&incoming_of(it)->rate, incoming_of(it)->stats.bytes, now_us);
}

uint64_t streams_sent_bps(const struct streams *s)
{
    return s->sent.bps;
}

const struct list *streams_incoming(const struct streams *s)
{
    return &s->incoming;
}

const struct rtp_sender *streams_audio_sender(const struct streams *s)
{
    return s->audio ? audio_sender_rtp(s->audio) : NULL;
}

const struct rtp_sender *streams_video_sender(const struct streams *s)
{
    return s->video ? video_sender_rtp(s->config.video) : NULL;
}
