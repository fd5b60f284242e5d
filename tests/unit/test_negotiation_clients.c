/* Whole offers of real clients, answered. */
#include "signaling/negotiation.h"

#include "tests/answering.h"

static struct answering a;

static void answer_file(const char *name)
{
    answering_begin(&a, NULL);
    sdp_text_load(&a.offer, name);
    CHECK_EQ(answering_answer(&a), 0);
}

static void check_transport(int section)
{
    CHECK(answering_says(&a, section, "a=ice-ufrag:ours"));
    CHECK(answering_says(&a, section, "a=ice-pwd:oursoursoursoursoursours"));
    CHECK(answering_says(&a, section,
                         "a=fingerprint:sha-256 A0:A1:A2:A3:A4:A5:A6:A7:A8:A9:AA:AB:AC:AD:AE:AF:"
                         "B0:B1:B2:B3:B4:B5:B6:B7:B8:B9:BA:BB:BC:BD:BE:BF"));
    CHECK(answering_says(&a, section, "a=setup:passive"));
    CHECK(answering_says(&a, section, "a=candidate:1 1 udp 2130706431 192.0.2.1 7882 typ host"));
    CHECK(answering_says(&a, section, "a=end-of-candidates"));
    CHECK(answering_says(&a, section, "a=rtcp-mux"));
}

static void chromium_publishing_simulcast_is_answered(void)
{
    answer_file("chromium-whip.sdp");
    CHECK(answering_says(&a, -1, "a=group:BUNDLE 0 1"));
    CHECK(answering_says(&a, -1, "a=ice-lite"));
    CHECK(answering_says(&a, -1, "a=extmap-allow-mixed"));
    check_transport(0);
    check_transport(1);
    CHECK(answering_says(&a, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 111 63"));
    CHECK(answering_says(&a, 0, "a=mid:0"));
    CHECK(answering_says(&a, 0, "a=recvonly"));
    CHECK(answering_says(&a, 0, "a=rtcp-rsize"));
    CHECK(answering_says(&a, 0, "a=rtpmap:111 opus/48000/2"));
    CHECK(answering_says(&a, 0, "a=fmtp:111 minptime=10;useinbandfec=1"));
    CHECK(answering_says(&a, 0, "a=rtcp-fb:111 transport-cc"));
    CHECK(answering_says(&a, 0, "a=rtpmap:63 red/48000/2"));
    CHECK(answering_says(&a, 0, "a=fmtp:63 111/111"));
    CHECK(answering_says(&a, 0, "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level"));
    CHECK(answering_says(&a, 1, "m=video 9 UDP/TLS/RTP/SAVPF 96 97"));
    CHECK(answering_says(&a, 1, "a=rtpmap:97 rtx/90000"));
    CHECK(answering_says(&a, 1, "a=fmtp:97 apt=96"));
    CHECK(answering_says(&a, 1, "a=rtcp-fb:96 nack pli"));
    CHECK(answering_says(&a, 1, "a=rtcp-fb:96 ccm fir"));
    CHECK(answering_says(&a, 1, "a=rtcp-fb:96 transport-cc"));
    CHECK(!answering_says(&a, 1, "a=rtcp-fb:96 goog-remb"));
    CHECK(answering_says(&a, 1, "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"));
    CHECK(answering_says(&a, 1, "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid"));
    CHECK(answering_says(&a, 1, "a=rid:q recv"));
    CHECK(answering_says(&a, 1, "a=simulcast:recv q;h;f"));
    CHECK_EQ(answering_count(&a, "a=ssrc"), 0);
    CHECK_EQ(answering_count(&a, "a=rtpmap:"), 4);
    CHECK_STR(a.plan->ufrag, "lxaH");
    CHECK_STR(a.plan->pwd, "BKLzrpajkiw5CWO+f9VgO08K");
    CHECK_EQ(a.plan->n_candidates, 4);
    CHECK(!a.plan->dtls_client && !a.plan->ice_lite);
    CHECK_EQ(a.plan->fingerprint.bytes[0], 0x67);
    CHECK_EQ(a.plan->sections[0].use, SECTION_PUBLISH);
    CHECK_EQ(a.plan->sections[0].layers[0].ssrc, 463906379);
    CHECK_EQ(a.plan->sections[1].kind, KIND_VIDEO);
    CHECK_EQ(a.plan->sections[1].n_layers, 3);
    CHECK_STR(a.plan->sections[1].layers[2].rid, "f");
    CHECK_EQ(a.plan->sections[1].layers[2].ssrc, 0);
    CHECK_EQ(a.plan->sections[1].codecs[0].rtx_pt, 97);
    answering_end(&a);
}

static void chromium_playing_gets_every_codec_and_an_ssrc(void)
{
    char line[128];

    answer_file("chromium-whep.sdp");
    CHECK(answering_says(&a, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 0 8"));
    CHECK(answering_says(
        &a, 1,
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 99 108 109 102 103 116 117 114 115 104 107"
        " 39 40 45 46"));
    CHECK(answering_says(&a, 0, "a=sendonly"));
    CHECK(answering_says(&a, 0, "a=msid:slot-0 slot-a0"));
    CHECK(answering_says(&a, 1, "a=msid:slot-0 slot-v0"));
    CHECK_EQ(a.plan->sections[0].use, SECTION_SLOT);
    CHECK_EQ(a.plan->sections[0].rtx_ssrc, 0);
    CHECK(a.plan->sections[0].ssrc != 0 && a.plan->sections[1].ssrc != 0);
    (void)snprintf(line, sizeof(line), "a=ssrc-group:FID %" PRIu32 " %" PRIu32,
                   a.plan->sections[1].ssrc, a.plan->sections[1].rtx_ssrc);
    CHECK(answering_says(&a, 1, line));
    (void)snprintf(line, sizeof(line), "a=ssrc:%" PRIu32 " cname:sluice", a.plan->sections[0].ssrc);
    CHECK(answering_says(&a, 0, line));
    (void)snprintf(line, sizeof(line), "a=ssrc:%" PRIu32 " msid:slot-0 slot-v0",
                   a.plan->sections[1].rtx_ssrc);
    CHECK(answering_says(&a, 1, line));
    CHECK(answering_says(&a, 1, "a=fmtp:45 level-idx=5;profile=0;tier=0"));
    CHECK(!answering_says(&a, 1, "a=rtpmap:47 AV1/90000"));
    CHECK(!answering_says(&a, 1, "a=rtpmap:100 VP9/90000"));
    CHECK(!answering_says(&a, 1, "a=rtpmap:41 H264/90000"));
    answering_end(&a);
}

static void a_data_channel_is_rejected_without_harm(void)
{
    answer_file("chromium-simulcast-datachannel.sdp");
    CHECK(answering_says(&a, -1, "a=group:BUNDLE 0 1"));
    CHECK(answering_says(&a, 2, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel"));
    CHECK(answering_says(&a, 2, "a=mid:2"));
    CHECK_EQ(a.plan->sections[2].use, SECTION_REJECTED);
    CHECK_EQ(a.plan->sections[1].use, SECTION_PUBLISH);
    CHECK_EQ(answering_answer(&a), 0);
    answering_end(&a);
}

static void firefox_says_things_for_all_and_one_direction_only(void)
{
    answer_file("firefox-whip.sdp");
    CHECK(answering_says(&a, -1, "a=group:BUNDLE 0 1"));
    CHECK(!answering_says(&a, -1, "a=extmap-allow-mixed"));
    CHECK(answering_says(&a, 0, "a=extmap-allow-mixed"));
    CHECK(answering_says(&a, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 109"));
    CHECK(answering_says(&a, 0, "a=fmtp:109 minptime=10;useinbandfec=1;stereo=1"));
    CHECK(!answering_says(&a, 0, "a=rtcp-rsize"));
    CHECK(answering_says(&a, 1, "m=video 9 UDP/TLS/RTP/SAVPF 120 124"));
    CHECK(
        answering_says(&a, 1, "a=extmap:9/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"));
    CHECK(answering_says(&a, 1, "a=simulcast:recv q;h;f"));
    CHECK_EQ(answering_count(&a, "a=extmap:6"), 0);
    CHECK_EQ(a.plan->fingerprint.bytes[0], 0x5e);
    CHECK_STR(a.plan->ufrag, "6544d60c");
    CHECK_EQ(a.plan->n_candidates, 3);
    CHECK_EQ(a.plan->sections[1].n_layers, 3);
    CHECK_EQ(a.plan->sections[1].extensions.id[EXTENSION_PLAYOUT_DELAY], 0);

    answer_file("firefox-whep.sdp");
    CHECK(answering_says(&a, 1, "m=video 9 UDP/TLS/RTP/SAVPF 120 124 121 125 99 100"));
    CHECK(answering_says(&a, 1, "a=sendonly"));
    CHECK(answering_says(&a, 1,
                         "a=extmap:6/sendonly "
                         "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"));
    CHECK_EQ(a.plan->sections[1].extensions.id[EXTENSION_PLAYOUT_DELAY], 6);
    answering_end(&a);
}

static void aiortc_is_reached_where_its_first_m_line_is(void)
{
    answer_file("aiortc-whip.sdp");
    CHECK_STR(a.plan->ufrag, "aykc");
    CHECK_STR(a.plan->pwd, "GCHwYviewsSs7E0R12LqNC");
    CHECK_EQ(a.plan->n_candidates, 1);
    CHECK_EQ(a.plan->candidates[0].port, 44419);
    CHECK(answering_says(&a, 1, "m=video 9 UDP/TLS/RTP/SAVPF 97 98"));
    CHECK(answering_says(&a, 1, "a=rtcp-fb:97 goog-remb"));
    CHECK_EQ(a.plan->sections[1].layers[0].ssrc, 3279202355);
    CHECK_EQ(a.plan->sections[1].layers[0].rtx_ssrc, 2670496613);
    CHECK_EQ(a.plan->sections[0].extensions.id[EXTENSION_AUDIO_LEVEL], 2);
    /* It gives id 2 two meanings, and then reads every packet by the last one answered. */
    CHECK_EQ(a.plan->sections[1].extensions.id[EXTENSION_ABS_SEND_TIME], 0);
    CHECK_EQ(answering_count(&a, "a=extmap:2 "), 1);
    answer_file("aiortc-whep.sdp");
    CHECK(answering_says(&a, 1, "m=video 9 UDP/TLS/RTP/SAVPF 97 98 101 102 99 100"));
    CHECK(answering_says(&a, 0, "m=audio 9 UDP/TLS/RTP/SAVPF 96 0 8"));
    answering_end(&a);
}

static void gstreamer_has_no_extensions_and_words_as_mids(void)
{
    answer_file("gstreamer-whip.sdp");
    CHECK(answering_says(&a, -1, "a=group:BUNDLE video0 audio1"));
    CHECK(answering_says(&a, 0, "m=video 9 UDP/TLS/RTP/SAVPF 96 97"));
    CHECK(answering_says(&a, 1, "m=audio 9 UDP/TLS/RTP/SAVPF 111 98"));
    CHECK(answering_says(&a, 1, "a=rtpmap:111 opus/48000/2"));
    CHECK(answering_says(&a, 1, "a=fmtp:111 minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1"));
    CHECK_EQ(answering_count(&a, "a=extmap"), 0);
    CHECK(!a.plan->sections[0].codecs[0].transport_cc);
    CHECK_EQ(a.plan->sections[0].layers[0].ssrc, 3521840586);
    CHECK_EQ(a.plan->sections[0].layers[0].rtx_ssrc, 815267812);
    CHECK_EQ(a.plan->n_candidates, 9);
    answer_file("gstreamer-whep.sdp");
    CHECK(answering_says(&a, 1, "m=video 9 UDP/TLS/RTP/SAVPF 96 99 98 102"));
    CHECK(answering_says(&a, 1, "a=fmtp:102 packetization-mode=1;profile-level-id=42e01f"));
    CHECK(a.plan->sections[0].rtx_ssrc != 0);
    answering_end(&a);
}

TAP_CASES(CASE(chromium_publishing_simulcast_is_answered),
          CASE(chromium_playing_gets_every_codec_and_an_ssrc),
          CASE(a_data_channel_is_rejected_without_harm),
          CASE(firefox_says_things_for_all_and_one_direction_only),
          CASE(aiortc_is_reached_where_its_first_m_line_is),
          CASE(gstreamer_has_no_extensions_and_words_as_mids))
