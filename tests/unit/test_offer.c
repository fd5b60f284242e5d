#include "signaling/negotiation.h"

#include "signaling/sdp.h"
#include "tests/sdp_text.h"
#include "tests/tap.h"

#include <errno.h>

static struct text offer, answer;
static struct negotiation *server;
static struct media_plan *client_plan;
static const struct media_plan *server_plan;
static struct negotiation_error error;

static const struct offer_section four[] = {
    {.use = SECTION_PUBLISH,
     .kind = KIND_AUDIO,
     .mid = "mic",
     .ssrc = 1001,
     .codecs = {CODEC_OPUS},
     .stereo = true},
    {.use = SECTION_PUBLISH, .kind = KIND_VIDEO, .mid = "cam", .ssrc = 2001, .rtx_ssrc = 2002},
    {.use = SECTION_SLOT, .kind = KIND_AUDIO, .mid = "ear"},
    {.use = SECTION_SLOT, .kind = KIND_VIDEO, .mid = "eye"},
};

static struct negotiation_local client_local(void)
{
    struct negotiation_local local = sdp_text_local();

    local.ice_lite = false;
    (void)snprintf(local.ufrag, sizeof(local.ufrag), "theirs");
    (void)snprintf(local.cname, sizeof(local.cname), "client");
    local.candidates[1] = local.candidates[0];
    local.candidates[1].tcp = true;
    local.candidates[1].port = 9;
    local.candidates[2] = local.candidates[0];
    (void)snprintf(local.candidates[2].address, sizeof(local.candidates[2].address), "2001:db8::1");
    (void)snprintf(local.candidates[2].type, sizeof(local.candidates[2].type), "srflx");
    local.n_candidates = 3;
    return local;
}

static void end(void)
{
    server = negotiation_free(server);
    client_plan = media_plan_unref(client_plan);
    text_done(&offer);
    text_done(&answer);
}

static void begin(void)
{
    end();
    text_init(&offer, SDP_MAX_BYTES);
    text_init(&answer, SDP_MAX_BYTES);
    CHECK_EQ(negotiation_new(&server, &negotiation_default_policy), 0);
}

static void write_offer(const struct offer_section *sections, uint32_t n, uint64_t version)
{
    struct negotiation_local local = client_local();

    text_done(&offer);
    CHECK_EQ(offer_write(&offer, &local, sections, n, 77, version), 0);
}

/* Offer, answer, read the answer. */
static void round_trip(const struct offer_section *sections, uint32_t n, uint64_t version)
{
    struct negotiation_local local = sdp_text_local();

    write_offer(sections, n, version);
    CHECK_EQ(negotiation_answer(server, &local, text_str(&offer), offer.len, &answer, &error), 0);
    server_plan = negotiation_plan(server);
    client_plan = media_plan_unref(client_plan);
    CHECK_EQ(answer_read(&client_plan, text_str(&answer), answer.len, sections, n, &error), 0);
}

static bool offers(int section, const char *line)
{
    return sdp_text_has(text_str(&offer), section, line);
}

static void the_offer_has_the_numbers_that_browsers_use(void)
{
    struct sdp *sdp = NULL;

    begin();
    write_offer(four, 4, 5);
    CHECK(offers(-1, "o=- 77 5 IN IP4 127.0.0.1"));
    CHECK(offers(-1, "a=group:BUNDLE mic cam ear eye"));
    CHECK(!offers(-1, "a=ice-lite"));
    CHECK(offers(0, "m=audio 9 UDP/TLS/RTP/SAVPF 111"));
    CHECK(offers(0, "a=fmtp:111 minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1"));
    CHECK(offers(0, "a=sendonly"));
    CHECK(offers(0, "a=setup:actpass"));
    CHECK(offers(0, "a=ssrc:1001 cname:client"));
    CHECK(offers(0, "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level"));
    CHECK(offers(0, "a=candidate:1 1 tcp 2130706431 192.0.2.1 9 typ host tcptype active"));
    CHECK(offers(0, "a=candidate:1 1 udp 2130706431 2001:db8::1 7882 typ srflx raddr :: rport 0"));
    CHECK(offers(1, "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 102 103 45 46 49 50"));
    CHECK(offers(1, "a=ssrc-group:FID 2001 2002"));
    CHECK(offers(1, "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"));
    CHECK(offers(2, "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 0 8"));
    CHECK(offers(2, "a=recvonly"));
    CHECK(!offers(2, "a=rtcp-fb:63 transport-cc"));
    CHECK_EQ(sdp_read(&sdp, text_str(&offer), offer.len, &error), 0);
    CHECK_EQ(sdp->n_unknown, 0);
    sdp_free(sdp);
    end();
}

/* Padding aside: every member. */
static void check_same_section(const struct plan_section *a, const struct plan_section *b)
{
    CHECK_EQ(a->use, b->use);
    CHECK_EQ(a->kind, b->kind);
    CHECK_STR(a->mid, b->mid);
    CHECK_EQ(a->rtcp_rsize, b->rtcp_rsize);
    CHECK_MEM(a->extensions.id, b->extensions.id, sizeof(a->extensions.id));
    CHECK_EQ(a->slot, b->slot);
    CHECK_EQ(a->ssrc, b->ssrc);
    CHECK_EQ(a->rtx_ssrc, b->rtx_ssrc);
    CHECK_EQ(a->n_layers, b->n_layers);
    for (uint8_t i = 0; i < a->n_layers; i++) {
        CHECK_EQ(a->layers[i].ssrc, b->layers[i].ssrc);
        CHECK_EQ(a->layers[i].rtx_ssrc, b->layers[i].rtx_ssrc);
        CHECK_STR(a->layers[i].rid, b->layers[i].rid);
    }
    CHECK_EQ(a->n_codecs, b->n_codecs);
    for (uint8_t i = 0; i < a->n_codecs; i++) {
        const struct plan_codec *x = &a->codecs[i];
        const struct plan_codec *y = &b->codecs[i];

        CHECK(x->codec == y->codec && x->pt == y->pt && x->rtx_pt == y->rtx_pt);
        CHECK(x->nack == y->nack && x->pli == y->pli && x->fir == y->fir);
        CHECK(x->transport_cc == y->transport_cc && x->remb == y->remb);
        CHECK_STR(x->fmtp, y->fmtp);
    }
}

static void both_sides_come_to_the_same_plan(void)
{
    begin();
    round_trip(four, 4, 1);
    CHECK_EQ(client_plan->n_sections, 4);
    for (uint32_t i = 0; i < 4; i++)
        check_same_section(&client_plan->sections[i], &server_plan->sections[i]);
    CHECK_EQ(server_plan->sections[0].n_codecs, 1);
    CHECK_EQ(server_plan->sections[1].layers[0].rtx_ssrc, 2002);
    CHECK_EQ(server_plan->sections[2].n_codecs, 4);
    CHECK_EQ(server_plan->sections[3].n_codecs, 5);
    CHECK(client_plan->sections[3].rtx_ssrc != 0);
    CHECK_STR(server_plan->ufrag, "theirs");
    CHECK_STR(client_plan->ufrag, "ours");
    CHECK_EQ(server_plan->n_candidates, 3);
    CHECK(client_plan->ice_lite && !server_plan->ice_lite);
    CHECK(client_plan->dtls_client && !server_plan->dtls_client);
    CHECK_EQ(client_plan->fingerprint.bytes[31], 0xbf);
    end();
}

/* Sound at most so fast, pictures at most that. */
static void cap(void *owner, struct media_plan *plan)
{
    const uint32_t *max_bps = owner;

    for (uint32_t i = 0; i < plan->n_sections; i++)
        plan->sections[i].max_bps = max_bps[plan->sections[i].kind];
}

static void a_publisher_is_told_how_much_it_may_send(void)
{
    uint32_t max_bps[] = {[KIND_AUDIO] = 40000, [KIND_VIDEO] = 0};
    struct negotiation_local local = sdp_text_local();

    local.cap = cap;
    local.cap_owner = max_bps;
    begin();
    write_offer(four, 4, 1);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_EQ(negotiation_answer(server, &local, text_str(&offer), offer.len, &answer, &error),
                 0);
        client_plan = media_plan_unref(client_plan);
        CHECK_EQ(answer_read(&client_plan, text_str(&answer), answer.len, four, 4, &error), 0);
        CHECK_EQ(sdp_text_count(text_str(&answer), "b="), max_bps[KIND_VIDEO] ? 4 : 2);
        CHECK_EQ(client_plan->sections[0].max_bps, 40000);
        CHECK_EQ(client_plan->sections[1].max_bps, max_bps[KIND_VIDEO]);
        CHECK_EQ(client_plan->sections[2].max_bps, 0);
        CHECK_EQ(client_plan->sections[3].max_bps, 0);
        max_bps[KIND_VIDEO] = i == 0 ? 1500000 : UINT32_MAX;
    }
    /* 40 kbit/s and 50 heads of 40 bytes a second; and one such head on 1200 bytes. */
    CHECK(sdp_text_has(text_str(&answer), 0, "b=AS:56"));
    CHECK(sdp_text_has(text_str(&answer), 0, "b=TIAS:40000"));
    CHECK(sdp_text_has(text_str(&answer), 0,
                       "a=fmtp:111 minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1;"
                       "maxaveragebitrate=40000"));
    CHECK(sdp_text_has(text_str(&answer), 1, "b=AS:4438133"));
    CHECK(sdp_text_has(text_str(&answer), 1, "b=TIAS:4294967295"));
    end();
}

static void more_m_lines_make_a_reoffer(void)
{
    struct offer_section five[5];
    uint32_t ssrc;

    begin();
    round_trip(four, 4, 1);
    ssrc = client_plan->sections[3].ssrc;
    memcpy(five, four, sizeof(four));
    five[0].use = SECTION_STOPPED;
    five[4] = (struct offer_section){.use = SECTION_SLOT, .kind = KIND_VIDEO, .mid = "eye2"};
    round_trip(five, 5, 2);
    CHECK_EQ(client_plan->sections[0].use, SECTION_STOPPED);
    CHECK_EQ(client_plan->sections[3].ssrc, ssrc);
    CHECK_EQ(client_plan->sections[4].slot, 1);
    for (uint32_t i = 0; i < 5; i++)
        check_same_section(&client_plan->sections[i], &server_plan->sections[i]);
    end();
}

static void a_rejected_m_line_is_in_the_plan(void)
{
    struct negotiation_policy policy = negotiation_default_policy;

    begin();
    server = negotiation_free(server);
    policy.max_video_slots = 0;
    CHECK_EQ(negotiation_new(&server, &policy), 0);
    round_trip(four, 4, 1);
    CHECK_EQ(client_plan->sections[3].use, SECTION_REJECTED);
    CHECK_EQ(client_plan->sections[2].use, SECTION_SLOT);
    end();
}

/* The answer to `four` with `from` replaced. */
static int read_changed(const char *from, const char *to)
{
    static struct sdp_text changed;

    begin();
    round_trip(four, 4, 1);
    memcpy(changed.data, answer.data, answer.len + 1);
    changed.len = answer.len;
    sdp_text_replace(&changed, from, to);
    client_plan = media_plan_unref(client_plan);
    return answer_read(&client_plan, changed.data, changed.len, four, 4, &error);
}

static void an_answer_to_something_else_is_refused(void)
{
    static const struct {
        const char *from, *to;
    } rows[] = {
        {"m=video 9", "a=x:m=video 9"},     {"a=mid:cam", "a=mid:cat"},
        {"m=video 9", "m=audio 9"},         {"a=recvonly", "a=sendonly"},
        {"a=sendonly", "a=recvonly"},       {"a=extmap:4 ", "a=extmap:5 "},
        {"SAVPF 111\r\n", "SAVPF 110\r\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CHECK_EQ(read_changed(rows[i].from, rows[i].to), -EPROTO);
        CHECK_STR(error.code, "not_our_offer");
    }
    CHECK_EQ(read_changed("SAVPF 96 97", "SAVPF 98 97"), -EPROTO);
    CHECK_EQ(read_changed("a=recvonly", "a=inactive"), 0);
    CHECK_EQ(client_plan->sections[0].use, SECTION_STOPPED);
    end();
}

static void a_payload_type_that_was_not_offered_so_is_refused(void)
{
    static struct sdp_text changed;

    begin();
    round_trip(four, 4, 1);
    memcpy(changed.data, answer.data, answer.len + 1);
    changed.len = answer.len;
    sdp_text_replace(&changed, "SAVPF 111\r\n", "SAVPF 112\r\n");
    sdp_text_replace(&changed, "a=rtpmap:111", "a=rtpmap:112");
    client_plan = media_plan_unref(client_plan);
    CHECK_EQ(answer_read(&client_plan, changed.data, changed.len, four, 4, &error), -EPROTO);
    CHECK(strstr(error.message, "a payload type that was not offered so"));
    end();
}

static void an_answer_says_who_is_active(void)
{
    CHECK_EQ(read_changed("a=setup:passive", "a=setup:active"), 0);
    CHECK(!client_plan->dtls_client);
    CHECK_EQ(read_changed("a=setup:passive", "a=setup:actpass"), -EBADMSG);
    CHECK_STR(error.code, "bad_setup");
    CHECK_EQ(read_changed("a=ice-ufrag:", "a=x-ufrag:"), -EBADMSG);
    CHECK_STR(error.code, "no_ice");
    end();
}

static void an_answer_that_rejects_everything_is_refused(void)
{
    static const char nothing[] = "v=0\r\nm=audio 0 UDP/TLS/RTP/SAVPF 111\r\n";

    CHECK_EQ(answer_read(&client_plan, nothing, sizeof(nothing) - 1, four, 1, &error), -EPROTO);
    CHECK_STR(error.code, "all_rejected");
    CHECK_EQ(answer_read(&client_plan, "v=0\r\n", 5, four, 1, &error), -EPROTO);
    CHECK_EQ(answer_read(&client_plan, "", 0, four, 1, &error), -EBADMSG);
}

static void an_offer_that_has_no_place_is_an_error(void)
{
    static struct offer_section many[PLAN_MAX_SECTIONS + 1];
    struct negotiation_local local = client_local();

    begin();
    CHECK_EQ(offer_write(&offer, &local, many, PLAN_MAX_SECTIONS + 1, 1, 1), -EMSGSIZE);
    text_init(&offer, 1000);
    CHECK_EQ(offer_write(&offer, &local, four, 4, 1, 1), -EMSGSIZE);
    end();
}

TAP_CASES(CASE(the_offer_has_the_numbers_that_browsers_use), CASE(both_sides_come_to_the_same_plan),
          CASE(a_publisher_is_told_how_much_it_may_send), CASE(more_m_lines_make_a_reoffer),
          CASE(a_rejected_m_line_is_in_the_plan), CASE(an_answer_to_something_else_is_refused),
          CASE(a_payload_type_that_was_not_offered_so_is_refused),
          CASE(an_answer_says_who_is_active), CASE(an_answer_that_rejects_everything_is_refused),
          CASE(an_offer_that_has_no_place_is_an_error))
