#include "signaling/negotiation.h"

#include "tests/answering.h"

#include <errno.h>

static struct answering a;

/* What every answer of ours says of the transport. */
static void a_sendrecv_m_line_is_its_clients_track(void)
{
    answering_begin(&a, NULL);
    sdp_text_begin(&a.offer, "0");
    sdp_text_audio(&a.offer, "0", "sendrecv");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK(answering_says(&a, 0, "a=recvonly"));
    CHECK_EQ(a.plan->sections[0].use, SECTION_PUBLISH);
    answering_end(&a);
}

static void audio_and_video_slots_of_one_number_are_one_stream(void)
{
    answering_begin(&a, NULL);
    sdp_text_begin(&a.offer, "a b c d");
    sdp_text_audio(&a.offer, "a", "recvonly");
    sdp_text_audio(&a.offer, "b", "recvonly");
    sdp_text_video(&a.offer, "c", "recvonly");
    sdp_text_video(&a.offer, "d", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK(answering_says(&a, 0, "a=msid:slot-0 slot-a0"));
    CHECK(answering_says(&a, 1, "a=msid:slot-1 slot-a1"));
    CHECK(answering_says(&a, 2, "a=msid:slot-0 slot-v0"));
    CHECK(answering_says(&a, 3, "a=msid:slot-1 slot-v1"));
    CHECK(a.plan->sections[2].ssrc != a.plan->sections[3].ssrc);
    CHECK(a.plan->sections[2].rtx_ssrc != a.plan->sections[3].rtx_ssrc);
    answering_end(&a);
}

/* A publisher's track, two slots: what most re-offers below begin with. */
static void offer_three(const char *publish, const char *audio_slot, const char *video_slot)
{
    sdp_text_begin(&a.offer, "0 1 2");
    sdp_text_audio(&a.offer, "0", publish);
    sdp_text_audio(&a.offer, "1", audio_slot);
    sdp_text_video(&a.offer, "2", video_slot);
}

static void a_reoffer_keeps_slots_and_counts_versions(void)
{
    uint32_t ssrc;
    uint32_t rtx_ssrc;
    char session[64];
    char line[96];

    answering_begin(&a, NULL);
    offer_three("sendonly", "recvonly", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    ssrc = a.plan->sections[2].ssrc;
    rtx_ssrc = a.plan->sections[2].rtx_ssrc;
    (void)snprintf(session, sizeof(session), "%.*s", (int)strcspn(a.answer.data + 9, " "),
                   a.answer.data + 9);
    (void)snprintf(line, sizeof(line), "o=- %s 0 IN IP4 127.0.0.1", session);
    CHECK(answering_says(&a, -1, line));
    sdp_text_replace(&a.offer, "BUNDLE 0 1 2", "BUNDLE 0 1 2 new");
    sdp_text_video(&a.offer, "new", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    (void)snprintf(line, sizeof(line), "o=- %s 1 IN IP4 127.0.0.1", session);
    CHECK(answering_says(&a, -1, line));
    CHECK_EQ(a.plan->n_sections, 4);
    CHECK_EQ(a.plan->sections[2].ssrc, ssrc);
    CHECK_EQ(a.plan->sections[2].rtx_ssrc, rtx_ssrc);
    CHECK_EQ(a.plan->sections[3].slot, 1);
    answering_end(&a);
}

static void a_stopped_track_can_go_on(void)
{
    answering_begin(&a, NULL);
    offer_three("sendonly", "recvonly", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    offer_three("inactive", "recvonly", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK_STR(section_use_name(a.plan->sections[0].use), "stopped");
    CHECK(answering_says(&a, 0, "a=inactive"));
    CHECK(answering_says(&a, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 0"));
    CHECK(answering_says(&a, -1, "a=group:BUNDLE 0 1 2"));
    offer_three("sendonly", "recvonly", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK_EQ(a.plan->sections[0].use, SECTION_PUBLISH);
    CHECK(answering_says(&a, 0, "a=recvonly"));
    answering_end(&a);
}

static void an_inactive_slot_keeps_its_number_and_ssrc(void)
{
    uint32_t ssrc;
    uint32_t rtx_ssrc;

    answering_begin(&a, NULL);
    offer_three("sendonly", "recvonly", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    ssrc = a.plan->sections[2].ssrc;
    rtx_ssrc = a.plan->sections[2].rtx_ssrc;
    offer_three("sendonly", "recvonly", "inactive");
    sdp_text_replace(&a.offer, "BUNDLE 0 1 2", "BUNDLE 0 1 2 3");
    sdp_text_video(&a.offer, "3", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK_EQ(a.plan->sections[2].use, SECTION_STOPPED);
    CHECK_EQ(a.plan->sections[3].slot, 1);
    offer_three("sendonly", "recvonly", "recvonly");
    sdp_text_replace(&a.offer, "BUNDLE 0 1 2", "BUNDLE 0 1 2 3");
    sdp_text_video(&a.offer, "3", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK_EQ(a.plan->sections[2].use, SECTION_SLOT);
    CHECK_EQ(a.plan->sections[2].slot, 0);
    CHECK_EQ(a.plan->sections[2].ssrc, ssrc);
    CHECK_EQ(a.plan->sections[2].rtx_ssrc, rtx_ssrc);
    answering_end(&a);
}

static void a_stopped_m_line_leaves_the_bundle_and_is_recycled(void)
{
    uint32_t ssrc;

    answering_begin(&a, NULL);
    offer_three("sendonly", "recvonly", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    ssrc = a.plan->sections[1].ssrc;
    sdp_text_begin(&a.offer, "0 2");
    sdp_text_audio(&a.offer, "0", "sendonly");
    sdp_text_media(&a.offer, "audio 0 UDP/TLS/RTP/SAVPF 111", "1", "inactive");
    sdp_text_video(&a.offer, "2", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK_EQ(a.plan->sections[1].use, SECTION_STOPPED);
    CHECK(answering_says(&a, -1, "a=group:BUNDLE 0 2"));
    CHECK(answering_says(&a, 1, "m=audio 0 UDP/TLS/RTP/SAVPF 111"));

    sdp_text_begin(&a.offer, "0 again 2");
    sdp_text_audio(&a.offer, "0", "sendonly");
    sdp_text_video(&a.offer, "again", "recvonly");
    sdp_text_video(&a.offer, "2", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK(answering_says(&a, -1, "a=group:BUNDLE 0 again 2"));
    CHECK_EQ(a.plan->sections[1].use, SECTION_SLOT);
    CHECK_EQ(a.plan->sections[1].kind, KIND_VIDEO);
    CHECK_EQ(a.plan->sections[1].slot, 1);
    CHECK(a.plan->sections[1].ssrc != ssrc);
    answering_end(&a);
}

static void cap_at_40000(void *owner, struct media_plan *plan)
{
    (void)owner;
    plan->sections[0].max_bps = 40000;
}

/* @return true if the answer to an offer with `offered` says `answered` */
static bool limits_opus(const char *offered, const char *answered)
{
    struct negotiation_local local = sdp_text_local();
    char line[128];
    bool says;

    local.cap = cap_at_40000;
    answering_begin(&a, NULL);
    sdp_text_begin(&a.offer, "0");
    sdp_text_audio(&a.offer, "0", "sendonly");
    sdp_text_replace(&a.offer, "minptime=10;useinbandfec=1", offered);
    CHECK_EQ(negotiation_answer(a.server, &local, a.offer.data, a.offer.len, &a.answer, &a.error),
             0);
    (void)snprintf(line, sizeof(line), "a=fmtp:111 minptime=10;useinbandfec=1;%s", answered);
    says = answering_says(&a, 0, line);
    answering_end(&a);
    return says;
}

static void opus_is_limited_to_the_less_of_offer_and_limit(void)
{
    CHECK(limits_opus("usedtx=1", "usedtx=1;maxaveragebitrate=40000"));
    CHECK(limits_opus("maxaveragebitrate=128000", "maxaveragebitrate=40000"));
    CHECK(limits_opus("maxaveragebitrate=20000;usedtx=1", "usedtx=1;maxaveragebitrate=20000"));
}

static void all_m_lines_may_be_stopped(void)
{
    answering_begin(&a, NULL);
    sdp_text_begin(&a.offer, "0");
    sdp_text_audio(&a.offer, "0", "sendonly");
    CHECK_EQ(answering_answer(&a), 0);
    sdp_text_begin(&a.offer, "");
    sdp_text_add(&a.offer, "m=audio 0 UDP/TLS/RTP/SAVPF 0");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK_EQ(a.plan->sections[0].use, SECTION_STOPPED);
    CHECK_EQ(answering_count(&a, "a=group"), 0);
    CHECK_STR(a.plan->ufrag, "peer");
    answering_end(&a);
}

static void m_lines_that_vanish_or_change_are_refused_and_nothing_changes(void)
{
    answering_begin(&a, NULL);
    offer_three("sendonly", "recvonly", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    sdp_text_begin(&a.offer, "0 1");
    sdp_text_audio(&a.offer, "0", "sendonly");
    sdp_text_audio(&a.offer, "1", "recvonly");
    CHECK_EQ(answering_answer(&a), -EPROTO);
    CHECK_STR(a.error.code, "section_removed");
    offer_three("sendonly", "recvonly", "recvonly");
    sdp_text_replace(&a.offer, "a=mid:1", "a=mid:x");
    CHECK_EQ(answering_answer(&a), -EPROTO);
    CHECK_STR(a.error.code, "section_changed");
    CHECK_STR(a.error.message, "line 22: the m-line was audio with a=mid:1, still in use");
    offer_three("sendonly", "recvonly", "recvonly");
    sdp_text_replace(&a.offer, "m=video", "m=audio");
    CHECK_EQ(answering_answer(&a), -EPROTO);
    offer_three("sendonly", "recvonly", "recvonly");
    sdp_text_replace(&a.offer, "m=video", "m=text");
    CHECK_EQ(answering_answer(&a), -EPROTO);
    CHECK_EQ(a.plan->sections[2].use, SECTION_SLOT);
    answering_end(&a);
}

static void a_refused_offer_leaves_the_state_as_it_was(void)
{
    uint32_t ssrc;

    answering_begin(&a, NULL);
    offer_three("sendonly", "recvonly", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    ssrc = a.plan->sections[1].ssrc;
    a.offer.data[0] = 'x';
    CHECK_EQ(answering_answer(&a), -EBADMSG);
    CHECK_EQ(a.plan->sections[1].ssrc, ssrc);
    offer_three("sendonly", "recvonly", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK_EQ(a.plan->sections[1].ssrc, ssrc);
    CHECK(strstr(a.answer.data, " 1 IN IP4 "));
    answering_end(&a);
}

static void an_ice_restart_brings_new_credentials(void)
{
    answering_begin(&a, NULL);
    offer_three("sendonly", "recvonly", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    for (int i = 0; i < 3; i++) {
        sdp_text_replace(&a.offer, "a=ice-ufrag:peer", "a=ice-ufrag:anew");
        sdp_text_replace(&a.offer, "a=ice-pwd:peer", "a=ice-pwd:anew");
    }
    CHECK_EQ(answering_answer(&a), 0);
    CHECK_STR(a.plan->ufrag, "anew");
    CHECK_STR(a.plan->pwd, "anewpeerpeerpeerpeerpeer");
    CHECK(answering_says(&a, 0, "a=ice-ufrag:ours")); /* who has no next ones keeps his */
    CHECK(negotiation_restarted_ice(a.server));
    CHECK_EQ(answering_answer(&a), 0);
    CHECK(!negotiation_restarted_ice(a.server));
    answering_end(&a);
}

static void an_ice_restart_is_answered_with_the_next_credentials(void)
{
    struct negotiation_local local = sdp_text_local();

    (void)snprintf(local.next_ufrag, sizeof(local.next_ufrag), "next");
    (void)snprintf(local.next_pwd, sizeof(local.next_pwd), "nextnextnextnextnextnext");
    answering_begin(&a, NULL);
    offer_three("sendonly", "recvonly", "recvonly");
    for (int i = 0; i < 2; i++) { /* the first offer and one like it restart nothing */
        CHECK_EQ(
            negotiation_answer(a.server, &local, a.offer.data, a.offer.len, &a.answer, &a.error),
            0);
        CHECK(answering_says(&a, 0, "a=ice-ufrag:ours"));
        CHECK(!negotiation_restarted_ice(a.server));
    }
    for (int i = 0; i < 3; i++)
        sdp_text_replace(&a.offer, "a=ice-pwd:peer", "a=ice-pwd:anew");
    CHECK_EQ(negotiation_answer(a.server, &local, a.offer.data, a.offer.len, &a.answer, &a.error),
             0);
    CHECK(negotiation_restarted_ice(a.server));
    CHECK(answering_says(&a, 0, "a=ice-ufrag:next"));
    CHECK(answering_says(&a, 0, "a=ice-pwd:nextnextnextnextnextnext"));
    CHECK_EQ(answering_count(&a, "a=ice-ufrag:ours"), 0);
    answering_end(&a);
}

static void ice_is_restarted_without_an_offer_too(void)
{
    answering_begin(&a, NULL);
    offer_three("sendonly", "recvonly", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK_EQ(negotiation_restart_ice(a.server, "anew", "anewanewanewanewanewanew"), 0);
    CHECK_STR(negotiation_plan(a.server)->ufrag, "anew");
    CHECK_STR(negotiation_plan(a.server)->pwd, "anewanewanewanewanewanew");
    CHECK_EQ(negotiation_plan(a.server)->n_sections, 3);
    answering_end(&a);
}

/* Browsers hide their addresses behind names, and tell more of them later. */
static void candidates_that_cannot_be_used_are_no_error(void)
{
    answering_begin(&a, NULL);
    offer_three("sendonly", "recvonly", "recvonly");
    sdp_text_add(&a.offer, "a=candidate:2 1 udp 1 0c2e4a2e-55f4-4a53-9e3f-4f5a.local 9 typ host");
    sdp_text_add(&a.offer, "a=candidate:3 1 tcp 1 0c2e4a2e-55f4-4a53-9e3f-4f5a.local 9 typ host "
                           "tcptype active");
    sdp_text_add(&a.offer, "a=end-of-candidates");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK_EQ(a.plan->n_candidates, 0);
    CHECK_EQ(answering_count(&a, "a=end-of-candidates"), 3);
    answering_end(&a);
}

static void a_rejected_first_m_line_leaves_the_second_to_speak(void)
{
    answering_begin(&a, NULL);
    sdp_text_begin(&a.offer, "0 1");
    sdp_text_media(&a.offer, "audio 9 UDP/TLS/RTP/SAVPF 9", "0", "sendonly");
    sdp_text_add(&a.offer, "a=rtpmap:9 G722/8000");
    sdp_text_video(&a.offer, "1", "sendonly");
    sdp_text_replace(&a.offer, "a=ice-ufrag:peer", "a=ice-ufrag:none");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK(answering_says(&a, -1, "a=group:BUNDLE 1"));
    CHECK(answering_says(&a, 0, "m=audio 0 UDP/TLS/RTP/SAVPF 9"));
    CHECK(answering_says(&a, 0, "a=mid:0"));
    CHECK_EQ(a.plan->sections[0].use, SECTION_REJECTED);
    CHECK_STR(a.plan->ufrag, "peer");
    answering_end(&a);
}

static void the_group_tells_which_m_line_speaks(void)
{
    answering_begin(&a, NULL);
    sdp_text_begin(&a.offer, "1 0");
    sdp_text_audio(&a.offer, "0", "sendonly");
    sdp_text_video(&a.offer, "1", "sendonly");
    sdp_text_replace(&a.offer, "a=ice-ufrag:peer", "a=ice-ufrag:none");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK_STR(a.plan->ufrag, "peer");
    CHECK(answering_says(&a, -1, "a=group:BUNDLE 1 0"));
    answering_end(&a);
}

static void an_m_line_outside_the_bundle_is_rejected(void)
{
    answering_begin(&a, NULL);
    sdp_text_begin(&a.offer, "0");
    sdp_text_audio(&a.offer, "0", "sendonly");
    sdp_text_video(&a.offer, "1", "sendonly");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK_EQ(a.plan->sections[1].use, SECTION_REJECTED);
    CHECK(answering_says(&a, 1, "m=video 0 UDP/TLS/RTP/SAVPF 96"));
    answering_end(&a);
}

static void without_bundle_there_is_one_m_line_with_media(void)
{
    answering_begin(&a, NULL);
    sdp_text_begin(&a.offer, "");
    sdp_text_audio(&a.offer, "0", "sendonly");
    sdp_text_add(&a.offer, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK_EQ(answering_count(&a, "a=group"), 0);
    CHECK_EQ(a.plan->sections[0].use, SECTION_PUBLISH);
    sdp_text_video(&a.offer, "1", "sendonly");
    CHECK_EQ(answering_answer(&a), -EBADMSG);
    CHECK_STR(a.error.code, "no_bundle");
    CHECK_STR(a.error.message, "line 22: a second m-line, and no a=group:BUNDLE");
    answering_end(&a);
}

/* An offer of one audio m-line without this line. */
static void check_needed(const char *line, const char *code)
{
    answering_begin(&a, NULL);
    sdp_text_begin(&a.offer, "0");
    sdp_text_audio(&a.offer, "0", "sendonly");
    sdp_text_replace(&a.offer, line, "a=x-gone:");
    CHECK_EQ(answering_answer(&a), -EBADMSG);
    CHECK_STR(a.error.code, code);
    CHECK(strncmp(a.error.message, "line 6: ", 8) == 0);
    CHECK(!a.plan);
    answering_end(&a);
}

static void what_webrtc_needs_must_be_there(void)
{
    check_needed("a=mid:0", "no_mid");
    check_needed("a=ice-ufrag:", "no_ice");
    check_needed("a=ice-pwd:", "no_ice");
    check_needed("a=fingerprint:", "no_fingerprint");
    check_needed("a=rtcp-mux", "no_rtcp_mux");
    answering_begin(&a, NULL);
    sdp_text_begin(&a.offer, "");
    CHECK_EQ(answering_answer(&a), -EBADMSG);
    CHECK_STR(a.error.code, "no_media");
    answering_end(&a);
}

static void sha_1_alone_is_refused(void)
{
    answering_begin(&a, NULL);
    sdp_text_begin(&a.offer, "0");
    sdp_text_audio(&a.offer, "0", "sendonly");
    sdp_text_replace(&a.offer, "a=fingerprint:sha-256", "a=fingerprint:sha-1");
    CHECK_EQ(answering_answer(&a), -EBADMSG);
    CHECK_STR(a.error.code, "no_fingerprint");
    CHECK(strstr(a.error.message, "sha-256, sha-384 or sha-512"));
    answering_end(&a);
}

static void two_m_lines_cannot_have_one_mid(void)
{
    answering_begin(&a, NULL);
    sdp_text_begin(&a.offer, "0");
    sdp_text_audio(&a.offer, "0", "sendonly");
    sdp_text_video(&a.offer, "0", "sendonly");
    CHECK_EQ(answering_answer(&a), -EBADMSG);
    CHECK_STR(a.error.code, "same_mid");
    answering_end(&a);
}

static bool dtls_client_after(const char *setup)
{
    sdp_text_begin(&a.offer, "0");
    sdp_text_audio(&a.offer, "0", "sendonly");
    sdp_text_replace(&a.offer, "a=setup:actpass", setup);
    CHECK_EQ(answering_answer(&a), 0);
    CHECK(answering_says(&a, 0, a.plan->dtls_client ? "a=setup:active" : "a=setup:passive"));
    return a.plan->dtls_client;
}

static void the_client_sends_the_client_hello_if_it_can(void)
{
    answering_begin(&a, NULL);
    CHECK(!dtls_client_after("a=setup:actpass"));
    answering_begin(&a, NULL);
    CHECK(!dtls_client_after("a=setup:active"));
    answering_begin(&a, NULL);
    CHECK(!dtls_client_after("a=x-no-setup:"));
    answering_begin(&a, NULL);
    CHECK(dtls_client_after("a=setup:passive"));
    CHECK(dtls_client_after("a=setup:actpass"));
    sdp_text_replace(&a.offer, "a=setup:actpass", "a=setup:holdconn");
    CHECK_EQ(answering_answer(&a), -EBADMSG);
    CHECK_STR(a.error.code, "bad_setup");
    answering_end(&a);
}

static void a_new_fingerprint_begins_with_new_roles(void)
{
    answering_begin(&a, NULL);
    CHECK(dtls_client_after("a=setup:passive"));
    sdp_text_begin(&a.offer, "0");
    sdp_text_audio(&a.offer, "0", "sendonly");
    sdp_text_replace(&a.offer, "sha-256 00:", "sha-256 ff:");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK(!a.plan->dtls_client);
    answering_end(&a);
}

static void unknown_media_and_protocols_are_rejected(void)
{
    answering_begin(&a, NULL);
    sdp_text_begin(&a.offer, "0 1 2");
    sdp_text_audio(&a.offer, "0", "sendonly");
    sdp_text_media(&a.offer, "text 9 UDP/TLS/RTP/SAVPF 98", "1", "sendonly");
    sdp_text_audio(&a.offer, "2", "sendonly");
    sdp_text_replace(&a.offer, "m=audio 9 UDP/TLS/RTP/SAVPF", "m=audio 9 RTP/AVP");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK(answering_says(&a, 0, "m=audio 0 RTP/AVP 111"));
    CHECK(answering_says(&a, 1, "m=text 0 UDP/TLS/RTP/SAVPF 98"));
    CHECK(answering_says(&a, 2, "m=audio 9 UDP/TLS/RTP/SAVPF 111 63"));
    CHECK(answering_says(&a, -1, "a=group:BUNDLE 2"));
    answering_end(&a);
}

static void an_id_means_one_extension_in_the_whole_bundle(void)
{
    answering_begin(&a, NULL);
    sdp_text_begin(&a.offer, "0 1");
    sdp_text_audio(&a.offer, "0", "sendonly");
    sdp_text_video(&a.offer, "1", "sendonly");
    sdp_text_add(&a.offer, "a=extmap:5 urn:3gpp:video-orientation");
    sdp_text_replace(&a.offer, "a=extmap:4", "a=extmap:5");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK_EQ(a.plan->sections[0].extensions.id[EXTENSION_MID], 5);
    CHECK_EQ(a.plan->sections[1].extensions.id[EXTENSION_MID], 4);
    CHECK_EQ(a.plan->sections[1].extensions.id[EXTENSION_VIDEO_ORIENTATION], 0);
    answering_end(&a);
}

static void simulcast_needs_the_rid_extension(void)
{
    answering_begin(&a, NULL);
    sdp_text_begin(&a.offer, "0");
    sdp_text_video(&a.offer, "0", "sendonly");
    sdp_text_add(&a.offer, "a=rid:q send");
    sdp_text_add(&a.offer, "a=rid:h send");
    sdp_text_add(&a.offer, "a=simulcast:send q;h");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK(answering_says(&a, 0, "a=simulcast:recv q;h"));
    CHECK_EQ(a.plan->sections[0].n_layers, 2);
    sdp_text_replace(&a.offer, "a=extmap:10", "a=x-gone:10");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK_EQ(answering_count(&a, "a=simulcast"), 0);
    CHECK_EQ(answering_count(&a, "a=rid"), 0);
    CHECK_EQ(a.plan->sections[0].n_layers, 1);
    answering_end(&a);
}

static void of_simulcast_the_first_three_usable_layers_are_taken(void)
{
    answering_begin(&a, NULL);
    sdp_text_begin(&a.offer, "0");
    sdp_text_video(&a.offer, "0", "sendonly");
    for (int i = 1; i <= 6; i++)
        sdp_text_add(&a.offer, "a=rid:r%d send", i);
    sdp_text_add(&a.offer, "a=rid:odd send pt=98,99");
    sdp_text_add(&a.offer, "a=rid:even send pt=98,96");
    sdp_text_add(&a.offer, "a=rid:back recv");
    sdp_text_add(&a.offer, "a=simulcast:send nobody;back;odd,~r1,r2;r1;~even;r3,r4;r5");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK(answering_says(&a, 0, "a=simulcast:recv r1;even;r3"));
    CHECK_EQ(answering_count(&a, "a=rid:"), 3);
    CHECK_EQ(a.plan->sections[0].n_layers, PLAN_MAX_LAYERS);
    answering_end(&a);
}

static void simulcast_of_before_rids_is_told_by_ssrc(void)
{
    answering_begin(&a, NULL);
    sdp_text_begin(&a.offer, "0");
    sdp_text_video(&a.offer, "0", "sendonly");
    sdp_text_add(&a.offer, "a=ssrc-group:SIM 1 2 3 4");
    for (int i = 1; i <= 4; i++)
        sdp_text_add(&a.offer, "a=ssrc-group:FID %d %d", i, 10 + i);
    CHECK_EQ(answering_answer(&a), 0);
    CHECK_EQ(a.plan->sections[0].n_layers, 3);
    CHECK_EQ(a.plan->sections[0].layers[1].ssrc, 2);
    CHECK_EQ(a.plan->sections[0].layers[1].rtx_ssrc, 12);
    CHECK_STR(a.plan->sections[0].layers[1].rid, "");
    CHECK_EQ(answering_count(&a, "a=simulcast"), 0); /* which would need rids */
    CHECK_EQ(answering_count(&a, "a=rid"), 0);
    answering_end(&a);
}

static void slots_above_the_limit_are_rejected_and_live_ones_stay(void)
{
    struct negotiation_policy policy = negotiation_default_policy;

    policy.max_publish = 1;
    policy.max_audio_slots = 1;
    policy.max_video_slots = 1;
    answering_begin(&a, &policy);
    sdp_text_begin(&a.offer, "0 1 2 3");
    sdp_text_video(&a.offer, "0", "inactive");
    sdp_text_audio(&a.offer, "1", "recvonly");
    sdp_text_video(&a.offer, "2", "recvonly");
    sdp_text_audio(&a.offer, "3", "sendonly");
    CHECK_EQ(answering_answer(&a), 0);
    sdp_text_replace(&a.offer, "BUNDLE 0 1 2 3", "BUNDLE 0 1 2 3 4 5");
    sdp_text_replace(&a.offer, "a=inactive", "a=recvonly");
    sdp_text_audio(&a.offer, "4", "recvonly");
    sdp_text_audio(&a.offer, "5", "sendonly");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK_EQ(a.plan->sections[0].use, SECTION_REJECTED);
    CHECK_EQ(a.plan->sections[0].n_codecs, 0);
    CHECK_EQ(a.plan->sections[1].use, SECTION_SLOT);
    CHECK_EQ(a.plan->sections[2].use, SECTION_SLOT);
    CHECK_EQ(a.plan->sections[3].use, SECTION_PUBLISH);
    CHECK_EQ(a.plan->sections[4].use, SECTION_REJECTED);
    CHECK_EQ(a.plan->sections[5].use, SECTION_REJECTED);
    CHECK(answering_says(&a, -1, "a=group:BUNDLE 1 2 3"));
    answering_end(&a);
}

static void m_lines_above_the_policy_are_rejected(void)
{
    struct negotiation_policy policy = negotiation_default_policy;

    policy.max_sections = 2;
    answering_begin(&a, &policy);
    offer_three("sendonly", "recvonly", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK_EQ(a.plan->sections[1].use, SECTION_SLOT);
    CHECK_EQ(a.plan->sections[2].use, SECTION_REJECTED);
    answering_end(&a);
}

static void the_largest_offer_is_answered_and_one_m_line_more_is_not(void)
{
    struct negotiation_policy policy = negotiation_default_policy;
    char bundle[PLAN_MAX_SECTIONS * 5 + 1];
    size_t len = 0;
    char mid[16];

    policy.max_video_slots = PLAN_MAX_SECTIONS;
    answering_begin(&a, &policy);
    for (int i = 0; i < PLAN_MAX_SECTIONS; i++)
        len += (size_t)snprintf(bundle + len, sizeof(bundle) - len, "%sm%03d", i ? " " : "", i);
    sdp_text_begin(&a.offer, bundle);
    for (int i = 0; i < PLAN_MAX_SECTIONS; i++) {
        (void)snprintf(mid, sizeof(mid), "m%03d", i);
        sdp_text_video(&a.offer, mid, "recvonly");
    }
    CHECK_EQ(answering_answer(&a), 0);
    CHECK_EQ(a.plan->sections[PLAN_MAX_SECTIONS - 1].slot, PLAN_MAX_SECTIONS - 1);
    CHECK(answering_says(&a, PLAN_MAX_SECTIONS - 1, "a=mid:m127"));
    sdp_text_video(&a.offer, "more", "recvonly");
    CHECK_EQ(answering_answer(&a), -E2BIG);
    CHECK_STR(a.error.code, "too_many_sections");
    answering_end(&a);
}

static void an_answer_that_has_no_place_is_an_error(void)
{
    answering_begin(&a, NULL);
    text_init(&a.answer, 600);
    offer_three("sendonly", "recvonly", "recvonly");
    CHECK_EQ(answering_answer(&a), -E2BIG);
    CHECK_STR(a.error.code, "answer_too_large");
    CHECK(!a.plan);
    answering_end(&a);
}

static void a_copied_plan_is_a_value_of_its_own(void)
{
    struct media_plan *copy;

    answering_begin(&a, NULL);
    offer_three("sendonly", "recvonly", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK_EQ(media_plan_copy(&copy, a.plan), 0);
    CHECK(copy->sections != a.plan->sections);
    CHECK_EQ(copy->n_sections, 3);
    CHECK_EQ(copy->sections[0].ssrc, a.plan->sections[0].ssrc);
    CHECK_EQ(copy->n_candidates, a.plan->n_candidates);
    CHECK(copy->sections[0].codecs[0].fmtp != a.plan->sections[0].codecs[0].fmtp);
    answering_end(&a);
    CHECK_STR(copy->sections[2].mid, "2");
    CHECK_STR(copy->sections[0].codecs[0].fmtp, "minptime=10;useinbandfec=1");
    copy = media_plan_unref(copy);
    CHECK(!copy);
    CHECK(!media_plan_unref(NULL));
}

static void a_shared_plan_outlives_the_next_answer_and_the_negotiation(void)
{
    struct media_plan *shared;

    answering_begin(&a, NULL);
    offer_three("sendonly", "recvonly", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    shared = negotiation_share_plan(a.server);
    CHECK(shared == a.plan);
    offer_three("inactive", "recvonly", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK(shared != a.plan);
    answering_end(&a);
    CHECK_EQ(shared->sections[0].use, SECTION_PUBLISH);
    CHECK_STR(shared->sections[0].codecs[0].fmtp, "minptime=10;useinbandfec=1");
    CHECK(!media_plan_unref(shared));
}

static void what_slots_say_alike_is_kept_once(void)
{
    answering_begin(&a, NULL);
    offer_three("recvonly", "recvonly", "recvonly");
    CHECK_EQ(answering_answer(&a), 0);
    CHECK(a.plan->sections[0].codecs[0].fmtp == a.plan->sections[1].codecs[0].fmtp);
    answering_end(&a);
}

TAP_CASES(
    CASE(a_sendrecv_m_line_is_its_clients_track),
    CASE(audio_and_video_slots_of_one_number_are_one_stream),
    CASE(a_reoffer_keeps_slots_and_counts_versions), CASE(a_stopped_track_can_go_on),
    CASE(an_inactive_slot_keeps_its_number_and_ssrc),
    CASE(a_stopped_m_line_leaves_the_bundle_and_is_recycled), CASE(all_m_lines_may_be_stopped),
    CASE(opus_is_limited_to_the_less_of_offer_and_limit),
    CASE(m_lines_that_vanish_or_change_are_refused_and_nothing_changes),
    CASE(a_refused_offer_leaves_the_state_as_it_was), CASE(an_ice_restart_brings_new_credentials),
    CASE(an_ice_restart_is_answered_with_the_next_credentials),
    CASE(ice_is_restarted_without_an_offer_too), CASE(candidates_that_cannot_be_used_are_no_error),
    CASE(a_rejected_first_m_line_leaves_the_second_to_speak),
    CASE(the_group_tells_which_m_line_speaks), CASE(an_m_line_outside_the_bundle_is_rejected),
    CASE(without_bundle_there_is_one_m_line_with_media), CASE(what_webrtc_needs_must_be_there),
    CASE(sha_1_alone_is_refused), CASE(two_m_lines_cannot_have_one_mid),
    CASE(the_client_sends_the_client_hello_if_it_can),
    CASE(a_new_fingerprint_begins_with_new_roles), CASE(unknown_media_and_protocols_are_rejected),
    CASE(an_id_means_one_extension_in_the_whole_bundle), CASE(simulcast_needs_the_rid_extension),
    CASE(of_simulcast_the_first_three_usable_layers_are_taken),
    CASE(simulcast_of_before_rids_is_told_by_ssrc),
    CASE(slots_above_the_limit_are_rejected_and_live_ones_stay),
    CASE(m_lines_above_the_policy_are_rejected),
    CASE(the_largest_offer_is_answered_and_one_m_line_more_is_not),
    CASE(an_answer_that_has_no_place_is_an_error), CASE(a_copied_plan_is_a_value_of_its_own),
    CASE(a_shared_plan_outlives_the_next_answer_and_the_negotiation),
    CASE(what_slots_say_alike_is_kept_once))
