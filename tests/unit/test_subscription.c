#include "sfu/subscription.h"

#include "media/base/clock.h"
#include "media/packet.h"
#include "media/payload.h"
#include "media/rtx.h"
#include "media/seal.h"
#include "media/srtp.h"
#include "media/udp_socket.h"
#include "sfu/core.h"
#include "sfu/track.h"
#include "tests/fake_media.h"
#include "tests/tap.h"

#include <errno.h>

enum { MAX_OUT = 64, SSRC = 0x1111, SLOT_SSRC = 0x2222, SLOT_RTX = 0x3333, CSRC = 77 };

/** A track and a subscriber, and what came out, decrypted. */
struct scene {
    struct core core;
    struct actor publisher, owner; /* that nobody looks after */
    struct plan_section published, slot;
    struct track *track;
    struct egress_peer peer;
    struct subscriber subscriber;
    struct subscription *subscription;
    struct seal_session *seal;
    struct srtp_session *open;
    size_t n_out;
    struct rtp_header out[MAX_OUT];
    uint8_t bytes[MAX_OUT][PACKET_CAPACITY];
    bool drop_next;                                          /* the next datagram is lost */
    uint8_t dropped[PACKET_CAPACITY], last[PACKET_CAPACITY]; /* as sealed */
    size_t dropped_len, last_len;
};

static void on_send(void *owner, const struct datagram *datagrams, size_t n)
{
    struct scene *s = owner;

    for (size_t i = 0; i < n; i++) {
        size_t len = datagrams[i].len;

        memcpy(s->last, datagrams[i].data, len);
        s->last_len = len;
        if (s->drop_next) {
            s->drop_next = false;
            memcpy(s->dropped, datagrams[i].data, len);
            s->dropped_len = len;
            continue;
        }
        CHECK(s->n_out < MAX_OUT);
        memcpy(s->bytes[s->n_out], datagrams[i].data, len);
        CHECK_EQ(srtp_session_unprotect_rtp(s->open, s->bytes[s->n_out], &len), 0);
        CHECK_EQ(rtp_parse(&s->out[s->n_out], s->bytes[s->n_out], len), 0);
        s->n_out++;
    }
}

static void make_keys(struct scene *s)
{
    struct srtp_keys keys = {.profile = SRTP_AEAD_AES_128_GCM, .key_len = 16, .salt_len = 12};
    static bool done;

    CHECK(done || srtp_global_init() == 0);
    done = true;
    memset(keys.local, 1, sizeof(keys.local));
    memset(keys.remote, 1, sizeof(keys.remote));
    CHECK_EQ(seal_session_new(&s->seal, &keys), 0);
    CHECK_EQ(srtp_session_new(&s->open, &keys), 0);
}

static struct plan_section video_section(uint8_t pt, uint8_t rtx_pt)
{
    return (struct plan_section){
        .kind = KIND_VIDEO,
        .mid = "m",
        .n_codecs = 1,
        .codecs = {{.codec = CODEC_VP8, .pt = pt, .rtx_pt = rtx_pt, .nack = true, .pli = true}},
        .n_layers = 1,
    };
}

static struct plan_section audio_section(uint8_t opus_pt, uint8_t red_pt)
{
    return (struct plan_section){
        .kind = KIND_AUDIO,
        .mid = "m",
        .n_codecs = red_pt ? 2 : 1,
        .codecs = {{.codec = CODEC_OPUS, .pt = opus_pt}, {.codec = CODEC_RED, .pt = red_pt}},
        .n_layers = 1,
    };
}

static struct scene *scene_new(struct plan_section published, struct plan_section slot)
{
    static const struct extension_map none = {{0}};
    struct scene *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    make_keys(s);
    s->published = published;
    s->slot = slot;
    s->slot.ssrc = SLOT_SSRC;
    s->slot.rtx_ssrc = slot.codecs[0].rtx_pt ? SLOT_RTX : 0;
    list_init(&s->core.touched);
    list_init(&s->core.waiting_tracks);
    s->core.pool = packet_pool_new(2048);
    s->core.egress = egress_new(on_send, s);
    CHECK(s->core.pool && s->core.egress);
    egress_peer_init(&s->peer);
    s->peer.session = s->seal;
    s->peer.to.ss_family = AF_INET;
    s->subscriber = (struct subscriber){
        .core = &s->core, .peer = &s->peer, .actor = &s->owner, .rtt_us = -1};
    s->subscriber.connected = true;
    s->track = track_new(&s->core, &s->publisher, 5, CSRC, &s->published, &none);
    s->subscription = subscription_new(&s->subscriber, &s->slot);
    CHECK(s->track && s->subscription);
    subscription_bind(s->subscription, s->track);
    return s;
}

static void scene_free(struct scene *s)
{
    subscription_free(s->subscription);
    track_free(s->track);
    egress_free(s->core.egress);
    CHECK_EQ(packet_pool_used(s->core.pool), 0);
    packet_pool_free(s->core.pool);
    seal_session_free(s->seal);
    srtp_session_free(s->open);
    free(s->subscriber.responder);
    free(s);
}

/* One packet of a layer arrives, and waits. */
static void give(struct scene *s, uint8_t layer, uint16_t seq, enum codec codec, bool key,
                 int64_t now_us)
{
    struct packet *p = packet_new(s->core.pool);
    struct fake_content content = {.source = SSRC + layer, .index = seq, .first = true, .key = key};
    const struct plan_codec *c = &s->published.codecs[codec == CODEC_RED];
    struct rtp_write h = {
        .pt = c->pt, .seq = seq, .ts = seq * 3000U, .ssrc = content.source, .marker = true};
    int head_len;

    CHECK(p != NULL);
    head_len = rtp_write_header(p->data, sizeof(p->data), &h);
    CHECK(head_len > 0);
    p->len = (uint16_t)((size_t)head_len + fake_payload_write(codec, &content, p->data + head_len));
    CHECK_EQ(rtp_parse(&p->rtp, p->data, p->len), 0);
    p->arrival_us = now_us;
    track_receive(s->track, layer, false, p, now_us);
    packet_unref(p);
}

/* One packet of a layer arrives; what it led to is in s->out. */
static void receive_layer(struct scene *s, uint8_t layer, uint16_t seq, enum codec codec, bool key,
                          int64_t now_us)
{
    give(s, layer, seq, codec, key, now_us);
    track_fan_out_all(&s->core);
    egress_flush(s->core.egress);
}

static void receive(struct scene *s, uint16_t seq, enum codec codec, bool key, int64_t now_us)
{
    receive_layer(s, 0, seq, codec, key, now_us);
}

/* Check the payload of s->out[at], whose number in the source was `seq`. */
static void check_payload(const struct scene *s, size_t at, enum codec codec, size_t skip,
                          uint16_t seq)
{
    struct fake_content content;
    const struct rtp_header *h = &s->out[at];

    CHECK_EQ(fake_payload_read(codec, s->bytes[at] + h->header_len + skip, h->payload_len - skip,
                               &content),
             0);
    CHECK_EQ(content.index, seq);
}

static void video_waits_for_a_key_frame_and_asks_for_it(void)
{
    struct scene *s = scene_new(video_section(96, 97), video_section(120, 121));

    receive(s, 10, CODEC_VP8, false, 1 * SECOND);
    receive(s, 11, CODEC_VP8, false, 1 * SECOND);
    CHECK_EQ(s->n_out, 0);
    CHECK_EQ(s->core.stats.drop_waiting, 2);
    CHECK(s->track->layers[0]->key_frame.wanted);
    CHECK(list_linked(&s->publisher.touched_link)); /* it is looked after in this turn */
    receive(s, 12, CODEC_VP8, true, 1 * SECOND);
    receive(s, 13, CODEC_VP8, false, 1 * SECOND);
    CHECK_EQ(s->n_out, 2);
    check_payload(s, 0, CODEC_VP8, 0, 12);
    CHECK(!s->track->layers[0]->key_frame.wanted);
    list_unlink(&s->publisher.touched_link);
    scene_free(s);
}

static void packets_of_a_batch_go_out_together_and_in_order(void)
{
    struct scene *s = scene_new(video_section(96, 97), video_section(120, 121));

    for (uint16_t seq = 0; seq < 5; seq++)
        give(s, 0, seq, CODEC_VP8, seq == 1, 1 * SECOND);
    egress_flush(s->core.egress);
    CHECK_EQ(s->n_out, 0);
    track_fan_out_all(&s->core);
    egress_flush(s->core.egress);
    CHECK_EQ(s->n_out, 4);
    for (uint16_t i = 0; i < 4; i++)
        check_payload(s, i, CODEC_VP8, 0, (uint16_t)(i + 1));
    for (int seq = 5; seq < 5 + CORE_MAX_WAITING + 1; seq++)
        give(s, 0, (uint16_t)seq, CODEC_VP8, false, 1 * SECOND);
    CHECK_EQ(s->core.n_waiting, 1);
    CHECK_EQ(s->core.stats.rtp_out, 4 + CORE_MAX_WAITING);
    list_unlink(&s->publisher.touched_link);
    egress_peer_done(s->core.egress, &s->peer);
    scene_free(s); /* with one that waits: it goes, too */
}

static void what_waits_is_of_the_stream_that_was(void)
{
    struct scene *s = scene_new(video_section(96, 97), video_section(120, 121));

    receive(s, 1, CODEC_VP8, true, 1 * SECOND);
    give(s, 0, 2, CODEC_VP8, false, 1 * SECOND);
    give(s, 0, 30000, CODEC_VP8, false, 1 * SECOND); /* far: another stream */
    give(s, 0, 30001, CODEC_VP8, true, 1 * SECOND);
    track_fan_out_all(&s->core);
    egress_flush(s->core.egress);
    CHECK_EQ(s->n_out, 3);
    check_payload(s, 1, CODEC_VP8, 0, 2);
    check_payload(s, 2, CODEC_VP8, 0, 30001);
    CHECK_EQ(s->out[2].seq, (uint16_t)(s->out[1].seq + 1));
    list_unlink(&s->publisher.touched_link);
    scene_free(s);
}

static void headers_are_the_slots(void)
{
    struct scene *s = scene_new(video_section(96, 97), video_section(120, 121));

    receive(s, 65535, CODEC_VP8, true, 1 * SECOND);
    receive(s, 0, CODEC_VP8, false, 1 * SECOND);
    CHECK_EQ(s->n_out, 2);
    for (size_t i = 0; i < 2; i++) {
        CHECK_EQ(s->out[i].ssrc, SLOT_SSRC);
        CHECK_EQ(s->out[i].pt, 120);
        CHECK(s->out[i].marker);
        CHECK_EQ(s->out[i].n_csrcs, 1);
        CHECK_EQ(s->bytes[i][15], CSRC);
    }
    CHECK_EQ((uint16_t)(s->out[1].seq - s->out[0].seq), 1);
    CHECK_EQ(s->out[1].ts - s->out[0].ts, 3000U - 65536U * 3000U);
    list_unlink(&s->publisher.touched_link);
    scene_free(s);
}

static void a_key_frame_that_arrives_late_brings_what_followed_it(void)
{
    struct scene *s = scene_new(video_section(96, 97), video_section(96, 97));

    receive(s, 10, CODEC_VP8, false, 1 * SECOND);
    receive(s, 12, CODEC_VP8, false, 1 * SECOND);
    receive(s, 14, CODEC_VP8, false, 1 * SECOND);
    CHECK_EQ(s->n_out, 0);
    receive(s, 11, CODEC_VP8, true, 1 * SECOND); /* sent again */
    CHECK_EQ(s->n_out, 3);
    check_payload(s, 0, CODEC_VP8, 0, 11);
    check_payload(s, 1, CODEC_VP8, 0, 12);
    check_payload(s, 2, CODEC_VP8, 0, 14);
    CHECK_EQ((uint16_t)(s->out[2].seq - s->out[0].seq), 3);
    receive(s, 13, CODEC_VP8, false, 1 * SECOND);
    CHECK_EQ((uint16_t)(s->out[3].seq - s->out[0].seq), 2);
    list_unlink(&s->publisher.touched_link);
    scene_free(s);
}

static void nack_is_answered_by_rtx(void)
{
    struct scene *s = scene_new(video_section(96, 97), video_section(120, 121));
    const struct rtp_header *again;

    for (uint16_t i = 0; i < 10; i++)
        receive(s, (uint16_t)(100 + i), CODEC_VP8, i == 0, 1 * SECOND);
    CHECK_EQ(subscription_resend(s->subscription, s->out[4].seq, 2 * SECOND), 0);
    egress_flush(s->core.egress);
    CHECK_EQ(s->n_out, 11);
    again = &s->out[10];
    CHECK_EQ(again->ssrc, SLOT_RTX);
    CHECK_EQ(again->pt, 121);
    CHECK_EQ(again->ts, s->out[4].ts);
    CHECK_EQ(s->bytes[10][again->header_len] << 8 | s->bytes[10][again->header_len + 1],
             s->out[4].seq);
    check_payload(s, 10, CODEC_VP8, RTX_LEAD_LEN, 104);
    CHECK_EQ(subscription_resend(s->subscription, s->out[4].seq, 2 * SECOND), -EALREADY);
    CHECK_EQ(subscription_resend(s->subscription, (uint16_t)(s->out[9].seq + 1), 2 * SECOND),
             -ENOENT);
    track_expire(s->track, 1 * SECOND, 60 * SECOND);
    CHECK_EQ(subscription_resend(s->subscription, s->out[5].seq, 2 * SECOND), -ESTALE);
    CHECK_EQ(s->core.stats.rtx_out, 1);
    CHECK_EQ(s->core.stats.nack_limited + s->core.stats.nack_unknown + s->core.stats.nack_gone, 3);
    list_unlink(&s->publisher.touched_link);
    scene_free(s);
}

static void red_goes_with_the_subscribers_numbers(void)
{
    struct scene *s = scene_new(audio_section(111, 63), audio_section(96, 100));
    const uint8_t *payload;

    receive(s, 1, CODEC_RED, false, 1 * SECOND);
    CHECK_EQ(s->n_out, 1);
    CHECK_EQ(s->out[0].pt, 100);
    payload = s->bytes[0] + s->out[0].header_len;
    CHECK_EQ(payload[0], 0x80 | 96);
    CHECK_EQ(payload[4], 96);
    CHECK_EQ(payload[5], 0xee);
    receive(s, 2, CODEC_OPUS, false, 1 * SECOND);
    CHECK_EQ(s->out[1].pt, 96);
    check_payload(s, 1, CODEC_OPUS, 0, 2);
    scene_free(s);
}

static void plain_opus_goes_with_what_was_before_it(void)
{
    struct scene *s = scene_new(audio_section(96, 0), audio_section(111, 63));
    const uint8_t *red;

    receive(s, 1, CODEC_OPUS, false, 1 * SECOND);
    CHECK_EQ(s->out[0].pt, 111);
    s->subscriber.red_blocks = 2;
    subscription_refresh(s->subscription);
    receive(s, 2, CODEC_OPUS, false, 1 * SECOND);
    receive(s, 3, CODEC_OPUS, false, 1 * SECOND);
    receive(s, 5, CODEC_OPUS, false, 1 * SECOND); /* what was before it is not here */
    CHECK_EQ(s->n_out, 4);
    for (size_t i = 1; i < 4; i++)
        CHECK_EQ(s->out[i].pt, 63);
    red = s->bytes[2] + s->out[2].header_len;
    CHECK_EQ(red[0], 0x80 | 111);
    CHECK_EQ(red[1] << 6 | red[2] >> 2, 6000); /* two packets ago */
    CHECK_EQ(red[4], 0x80 | 111);
    CHECK_EQ(red[8], 111);
    CHECK_EQ(payload_red_primary(red, s->out[2].payload_len),
             9 + ((red[2] & 3) << 8 | red[3]) + ((red[6] & 3) << 8 | red[7]));
    check_payload(s, 2, CODEC_OPUS, (size_t)payload_red_primary(red, s->out[2].payload_len), 3);
    check_payload(s, 3, CODEC_OPUS, 1, 5);
    CHECK_EQ(packet_pool_used(s->core.pool), 4); /* the store's */
    scene_free(s);
}

static void added_red_is_sent_again_by_rtx_alone(void)
{
    struct scene *s = scene_new(audio_section(96, 0), audio_section(111, 63));
    uint16_t seq;

    s->slot.codecs[1].nack = true;
    s->subscriber.red_blocks = 1;
    subscription_refresh(s->subscription);
    for (uint16_t i = 1; i < 4; i++)
        receive(s, i, CODEC_OPUS, false, 1 * SECOND);
    seq = s->out[1].seq;
    CHECK_EQ(subscription_resend(s->subscription, seq, 1 * SECOND), -ENOENT);
    s->slot.codecs[1].rtx_pt = 64;
    s->slot.rtx_ssrc = SLOT_RTX;
    subscription_refresh(s->subscription);
    CHECK_EQ(subscription_resend(s->subscription, seq, 2 * SECOND), 0);
    egress_flush(s->core.egress);
    CHECK_EQ(s->n_out, 4);
    CHECK_EQ(s->out[3].ssrc, SLOT_RTX);
    CHECK_EQ(s->out[3].pt, 64);
    CHECK_EQ(s->out[3].payload_len, s->out[1].payload_len + RTX_LEAD_LEN);
    CHECK_MEM(s->bytes[3] + s->out[3].header_len + RTX_LEAD_LEN, s->bytes[1] + s->out[1].header_len,
              s->out[1].payload_len);
    scene_free(s);
}

static void red_is_stripped_for_who_has_none(void)
{
    struct scene *s = scene_new(audio_section(111, 63), audio_section(109, 0));

    receive(s, 1, CODEC_RED, false, 1 * SECOND);
    receive(s, 2, CODEC_RED, false, 1 * SECOND);
    CHECK_EQ(s->n_out, 2);
    CHECK_EQ(s->out[1].pt, 109);
    check_payload(s, 1, CODEC_OPUS, 0, 2);
    scene_free(s);
}

static void rebinding_continues_the_numbers(void)
{
    static const struct extension_map none = {{0}};
    struct scene *s = scene_new(audio_section(111, 0), audio_section(111, 0));
    struct track *other = track_new(&s->core, &s->publisher, 6, CSRC + 1, &s->published, &none);
    struct track *first = s->track;

    CHECK(other != NULL);
    receive(s, 10, CODEC_OPUS, false, 1 * SECOND);
    subscription_unbind(s->subscription);
    receive(s, 11, CODEC_OPUS, false, 1 * SECOND);
    CHECK_EQ(s->n_out, 1);
    subscription_bind(s->subscription, other);
    s->track = other;
    receive(s, 5000, CODEC_OPUS, false, 2 * SECOND);
    CHECK_EQ(s->n_out, 2);
    CHECK_EQ((uint16_t)(s->out[1].seq - s->out[0].seq), 1);
    CHECK_EQ(s->out[1].ts - s->out[0].ts, 48000);
    CHECK_EQ(s->bytes[1][15], CSRC + 1);
    CHECK_EQ(subscription_resend(s->subscription, s->out[0].seq, 2 * SECOND), -ENOENT);
    track_free(other);
    s->track = first;
    scene_free(s);
}

/* Which layer the newest packet that went out is of. */
static uint32_t newest_layer(const struct scene *s)
{
    const struct rtp_header *h = &s->out[s->n_out - 1];
    struct fake_content content;

    CHECK_EQ(fake_payload_read(CODEC_VP8, s->bytes[s->n_out - 1] + h->header_len, h->payload_len,
                               &content),
             0);
    return content.source - SSRC;
}

static void layers_are_switched_at_key_frames_only(void)
{
    struct scene *s = scene_new(video_section(96, 97), video_section(96, 97));

    receive_layer(s, 0, 100, CODEC_VP8, true, 1 * SECOND);
    receive_layer(s, 0, 101, CODEC_VP8, false, 1 * SECOND);
    CHECK_EQ(newest_layer(s), 0);
    receive_layer(s, 2, 7000, CODEC_VP8, false, 1 * SECOND); /* a higher layer begins */
    CHECK_EQ(s->n_out, 2);
    CHECK(s->track->layers[2]->key_frame.wanted);
    receive_layer(s, 0, 102, CODEC_VP8, false, 1 * SECOND);
    CHECK_EQ(newest_layer(s), 0);
    receive_layer(s, 2, 7001, CODEC_VP8, true, 1 * SECOND);
    CHECK_EQ(newest_layer(s), 2);
    receive_layer(s, 0, 103, CODEC_VP8, true, 1 * SECOND);
    receive_layer(s, 2, 7002, CODEC_VP8, false, 1 * SECOND);
    CHECK_EQ(s->n_out, 5);
    for (size_t i = 1; i < 5; i++)
        CHECK_EQ((uint16_t)(s->out[i].seq - s->out[0].seq), i);
    list_unlink(&s->publisher.touched_link);
    scene_free(s);
}

static void a_layer_that_stops_gives_way_to_the_next_lower(void)
{
    struct scene *s = scene_new(video_section(96, 97), video_section(96, 97));

    receive_layer(s, 0, 100, CODEC_VP8, true, 1 * SECOND);
    receive_layer(s, 1, 500, CODEC_VP8, true, 1 * SECOND);
    CHECK_EQ(newest_layer(s), 1);
    for (uint16_t i = 1; i <= 20; i++)
        receive_layer(s, 0, (uint16_t)(100 + i), CODEC_VP8, false, SECOND + i * 100 * MS);
    CHECK_EQ(newest_layer(s), 1);
    track_choose_layer(s->track, 3 * SECOND);
    CHECK(s->track->layers[0]->key_frame.wanted);
    receive_layer(s, 0, 121, CODEC_VP8, true, 3 * SECOND);
    CHECK_EQ(newest_layer(s), 0);
    list_unlink(&s->publisher.touched_link);
    scene_free(s);
}

static void a_target_is_gone_over_to_at_its_key_frame(void)
{
    struct scene *s = scene_new(video_section(96, 97), video_section(96, 97));
    struct layer_target target = {.layer = 0, .sid = 255, .tid = 255};

    s->published.n_layers = 3;
    receive_layer(s, 0, 100, CODEC_VP8, true, 1 * SECOND);
    receive_layer(s, 1, 500, CODEC_VP8, true, 1 * SECOND);
    CHECK(s->subscription->automatic);
    CHECK_EQ(subscription_current(s->subscription).layer, 1);
    subscription_set_target(s->subscription, &target);
    CHECK(!s->subscription->automatic);
    CHECK_EQ(subscription_current(s->subscription).layer, 1);
    CHECK(s->track->layers[0]->key_frame.wanted);
    CHECK(track_update_wishes(s->track));
    CHECK_EQ(s->track->wanted_layers, 3);
    receive_layer(s, 1, 501, CODEC_VP8, true, 1 * SECOND);
    CHECK_EQ(newest_layer(s), 1);
    receive_layer(s, 0, 101, CODEC_VP8, true, 1 * SECOND);
    CHECK_EQ(newest_layer(s), 0);
    CHECK_EQ(subscription_current(s->subscription).layer, 0);
    CHECK(track_update_wishes(s->track));
    CHECK_EQ(s->track->wanted_layers, 1);
    list_unlink(&s->publisher.touched_link);
    scene_free(s);
}

static void a_target_that_does_not_flow_gives_way(void)
{
    struct scene *s = scene_new(video_section(96, 97), video_section(96, 97));
    struct layer_target target = {.layer = 1, .sid = 255, .tid = 255};

    s->published.n_layers = 3;
    subscription_set_target(s->subscription, &target);
    receive_layer(s, 0, 100, CODEC_VP8, true, 1 * SECOND);
    CHECK_EQ(newest_layer(s), 0);
    (void)track_update_wishes(s->track);
    CHECK_EQ(s->track->wanted_layers, 3); /* it would be taken if it came */
    receive_layer(s, 2, 100, CODEC_VP8, true, 1 * SECOND);
    CHECK_EQ(s->n_out, 1);
    receive_layer(s, 1, 700, CODEC_VP8, true, 1 * SECOND);
    CHECK_EQ(newest_layer(s), 1);
    receive_layer(s, 2, 101, CODEC_VP8, false, 3 * SECOND);
    track_choose_layer(s->track, 3 * SECOND);
    CHECK(s->track->layers[2]->key_frame.wanted); /* all that is left */
    receive_layer(s, 2, 102, CODEC_VP8, true, 3 * SECOND);
    CHECK_EQ(newest_layer(s), 2);
    list_unlink(&s->publisher.touched_link);
    scene_free(s);
}

static void paused_it_stops_and_resumes_with_a_key_frame(void)
{
    struct scene *s = scene_new(video_section(96, 97), video_section(96, 97));
    struct layer_target target = {.paused = true, .layer = 0, .sid = 255, .tid = 255};

    receive(s, 100, CODEC_VP8, true, 1 * SECOND);
    s->subscription->mid_picture = true; /* its end was lost */
    s->subscription->rewriter.last_out_ts -= 10;
    subscription_set_target(s->subscription, &target);
    CHECK(!subscription_current(s->subscription).paused);
    receive(s, 101, CODEC_VP8, true, 1 * SECOND);
    CHECK(subscription_current(s->subscription).paused);
    receive(s, 102, CODEC_VP8, true, 1 * SECOND);
    CHECK_EQ(s->n_out, 1);
    CHECK_EQ(s->core.stats.drop_waiting, 0);
    (void)track_update_wishes(s->track);
    CHECK_EQ(s->track->wanted_layers, 0);
    target.paused = false;
    subscription_set_target(s->subscription, &target);
    CHECK(s->subscription->fresh);
    receive(s, 103, CODEC_VP8, false, 2 * SECOND);
    CHECK_EQ(s->n_out, 1);
    receive(s, 104, CODEC_VP8, true, 2 * SECOND);
    CHECK_EQ(s->n_out, 2);
    CHECK_EQ((uint16_t)(s->out[1].seq - s->out[0].seq), 1);
    list_unlink(&s->publisher.touched_link);
    scene_free(s);
}

static void without_rtx_a_packet_is_sent_again_as_it_was(void)
{
    struct scene *s = scene_new(video_section(96, 97), video_section(96, 0));

    for (uint16_t i = 0; i < 4; i++)
        receive(s, (uint16_t)(100 + i), CODEC_VP8, i == 0, 1 * SECOND);
    s->drop_next = true; /* the subscriber has not seen it: its replay window is not in the way */
    receive(s, 104, CODEC_VP8, false, 1 * SECOND);
    CHECK_EQ(s->n_out, 4);
    CHECK_EQ(subscription_resend(s->subscription, (uint16_t)(s->out[3].seq + 1), 2 * SECOND), 0);
    egress_flush(s->core.egress);
    CHECK_EQ(s->n_out, 5);
    CHECK_EQ(s->out[4].ssrc, SLOT_SSRC);
    CHECK_EQ((uint16_t)(s->out[4].seq - s->out[3].seq), 1);
    check_payload(s, 4, CODEC_VP8, 0, 104);
    CHECK_EQ(s->dropped_len, s->last_len);
    CHECK_MEM(s->dropped, s->last, s->last_len);
    list_unlink(&s->publisher.touched_link);
    scene_free(s);
}

static void what_went_out_under_another_plan_is_not_sent_again_plain(void)
{
    struct scene *s = scene_new(video_section(96, 97), video_section(96, 97));

    receive(s, 100, CODEC_VP8, true, 1 * SECOND);
    s->slot.rtx_ssrc = 0; /* the subscriber no longer takes RTX */
    subscription_refresh(s->subscription);
    receive(s, 101, CODEC_VP8, false, 1 * SECOND);
    CHECK_EQ(s->n_out, 2);
    CHECK_EQ(subscription_resend(s->subscription, s->out[0].seq, 2 * SECOND), -ENOENT);
    CHECK_EQ(subscription_resend(s->subscription, s->out[1].seq, 2 * SECOND), 0);
    list_unlink(&s->publisher.touched_link);
    scene_free(s);
}

/* RED, plain Opus, which is shorter, and RED again; they may go as one. */
static void receive_unequal(struct scene *s)
{
    egress_pad_runs(s->core.egress, 255);
    for (uint16_t seq = 1; seq <= 3; seq++)
        give(s, 0, seq, seq == 2 ? CODEC_OPUS : CODEC_RED, false, 1 * SECOND);
    track_fan_out_all(&s->core);
    egress_flush(s->core.egress);
    CHECK_EQ(s->n_out, 3);
    CHECK(s->out[1].payload_len < s->out[0].payload_len);
    check_payload(s, 1, CODEC_OPUS, 0, 2);
}

static void packets_are_padded_and_not_reported_longer(void)
{
    struct plan_section slot = audio_section(96, 100);
    struct scene *s;

    slot.codecs[0].rtx_pt = 97;
    slot.codecs[1].rtx_pt = 101;
    s = scene_new(audio_section(111, 63), slot);
    receive_unequal(s);
    CHECK(s->out[1].padding_len > 0);
    CHECK_EQ(s->out[1].payload_len + s->out[1].padding_len,
             s->out[0].payload_len + s->out[0].padding_len);
    CHECK_EQ(s->subscription->sender.bytes,
             s->out[0].payload_len + s->out[1].payload_len + s->out[2].payload_len);
    for (size_t i = 0; i < 3; i++)
        CHECK_EQ(subscription_resend(s->subscription, s->out[i].seq, 2 * SECOND), 0);
    egress_flush(s->core.egress);
    CHECK_EQ(s->n_out, 6);
    CHECK_EQ(s->out[4].ssrc, SLOT_RTX);
    CHECK_EQ(s->out[4].padding_len, s->out[1].padding_len);
    check_payload(s, 4, CODEC_OPUS, RTX_LEAD_LEN, 2);
    scene_free(s);
}

static void what_may_be_sent_again_as_it_was_is_not_padded(void)
{
    struct scene *s = scene_new(audio_section(111, 63), audio_section(96, 100));

    receive_unequal(s);
    CHECK_EQ(s->out[1].padding_len, 0);
    scene_free(s);
}

static void what_is_never_sent_again_is_padded(void)
{
    struct plan_section slot = audio_section(96, 100);
    struct scene *s;

    slot.extensions.id[EXTENSION_TRANSPORT_CC] = 3; /* tells of the moment of sending */
    s = scene_new(audio_section(111, 63), slot);
    receive_unequal(s);
    CHECK(s->out[1].padding_len > 0);
    CHECK_EQ(subscription_resend(s->subscription, s->out[1].seq, 2 * SECOND), -ENOENT);
    scene_free(s);
}

static void a_full_queue_is_counted(void)
{
    struct scene *s = scene_new(audio_section(111, 0), audio_section(111, 0));

    s->peer.session = NULL; /* as good as full */
    receive(s, 1, CODEC_OPUS, false, 1 * SECOND);
    CHECK_EQ(s->core.stats.drop_queue, 1);
    CHECK_EQ(s->core.stats.rtp_out, 0);
    scene_free(s);
}

TAP_CASES(CASE(video_waits_for_a_key_frame_and_asks_for_it),
          CASE(packets_of_a_batch_go_out_together_and_in_order),
          CASE(what_waits_is_of_the_stream_that_was), CASE(headers_are_the_slots),
          CASE(a_key_frame_that_arrives_late_brings_what_followed_it),
          CASE(nack_is_answered_by_rtx), CASE(red_goes_with_the_subscribers_numbers),
          CASE(red_is_stripped_for_who_has_none), CASE(plain_opus_goes_with_what_was_before_it),
          CASE(added_red_is_sent_again_by_rtx_alone), CASE(rebinding_continues_the_numbers),
          CASE(layers_are_switched_at_key_frames_only),
          CASE(a_layer_that_stops_gives_way_to_the_next_lower),
          CASE(a_target_is_gone_over_to_at_its_key_frame),
          CASE(a_target_that_does_not_flow_gives_way),
          CASE(paused_it_stops_and_resumes_with_a_key_frame),
          CASE(without_rtx_a_packet_is_sent_again_as_it_was),
          CASE(what_went_out_under_another_plan_is_not_sent_again_plain),
          CASE(packets_are_padded_and_not_reported_longer),
          CASE(what_may_be_sent_again_as_it_was_is_not_padded),
          CASE(what_is_never_sent_again_is_padded), CASE(a_full_queue_is_counted))
