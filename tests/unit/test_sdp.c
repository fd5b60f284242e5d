#include "signaling/sdp.h"

#include "tests/sdp_text.h"
#include "tests/tap.h"

#include <errno.h>

static struct sdp_text text;
static struct sdp *sdp;
static struct negotiation_error error;

static int read_text(void)
{
    sdp = sdp_free(sdp);
    error = (struct negotiation_error){.code = ""};
    return sdp_read(&sdp, text.data, text.len, &error);
}

/* One audio m-line, and behind it `line`. */
static int read_with(const char *line)
{
    sdp_text_begin(&text, "0");
    sdp_text_audio(&text, "0", "sendrecv");
    sdp_text_add(&text, "%s", line);
    return read_text();
}

/* The same in front of the m-line. */
static int read_with_session(const char *line)
{
    sdp_text_begin(&text, "0");
    sdp_text_add(&text, "%s", line);
    sdp_text_audio(&text, "0", "sendrecv");
    return read_text();
}

static void end(void)
{
    sdp = sdp_free(sdp);
}

static void real_offers_are_read_whole(void)
{
    static const struct {
        const char *name;
        uint32_t n_sections;
    } files[] = {
        {"aiortc-whep.sdp", 2},
        {"aiortc-whip.sdp", 2},
        {"chromium-whep.sdp", 2},
        {"chromium-whip.sdp", 2},
        {"firefox-whep.sdp", 2},
        {"firefox-whip.sdp", 2},
        {"gstreamer-whep.sdp", 2},
        {"gstreamer-whip.sdp", 2},
        {"chromium-simulcast-datachannel.sdp", 3},
    };

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        sdp_text_load(&text, files[i].name);
        CHECK_EQ(read_text(), 0);
        CHECK_EQ(sdp->n_sections, files[i].n_sections);
        CHECK_EQ(sdp->n_bundle, files[i].n_sections);
        CHECK_EQ(sdp->n_unknown, 0);
    }
    end();
}

static void lines_may_end_in_lf_and_empty_ones_are_skipped(void)
{
    static const char lf[] = "v=0\n\nm=audio 9 RTP/SAVPF 0\n\na=mid:x";

    CHECK_EQ(sdp_read(&sdp, lf, sizeof(lf) - 1, &error), 0);
    CHECK_EQ(sdp->n_sections, 1);
    CHECK_STR(sdp->sections[0].mid, "x");
    CHECK_EQ(sdp->sections[0].line, 3);
    end();
}

static void unknown_lines_and_attributes_are_skipped(void)
{
    CHECK_EQ(read_with("a=x-something:of the future"), 0);
    CHECK_EQ(sdp->n_unknown, 1);
    CHECK_EQ(read_with("y=a type of line that nobody knows"), 0);
    CHECK_EQ(sdp->n_unknown, 1);
    CHECK_EQ(read_with("a=ptime:20"), 0);
    CHECK_EQ(sdp->n_unknown, 0);
    end();
}

static void something_else_than_sdp_is_refused(void)
{
    static const char *const texts[] = {"",
                                        "\r\n\r\n",
                                        "GET / HTTP/1.1\r\n",
                                        "{\"sdp\":1}",
                                        "m=audio 9 RTP/SAVPF 0\r\n",
                                        "v=1\r\n",
                                        "v=0\r\nhello\r\n"};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CHECK_EQ(sdp_read(&sdp, texts[i], strlen(texts[i]), &error), -EBADMSG);
        CHECK_STR(error.code, "sdp_syntax");
    }
    CHECK_STR(error.message, "line 2: a line must look like x=...");
    CHECK_EQ(sdp_read(&sdp, "v=0\r\ns=\0\r\n", 11, &error), -EBADMSG);
    CHECK_STR(error.message, "line 2: a control character");
}

static void broken_lines_are_named_by_number(void)
{
    static const char *const lines[] = {
        "m=audio",
        "m=audio x RTP/SAVPF 0",
        "m=audio 65536 RTP/SAVPF 0",
        "m=audio 9",
        "m=audio 9 RTP/SAVPF",
        "m=audio 9 RTP/SAVPF 128",
        "m=audio 9 RTP/SAVPF x",
        "m=a:b 9 RTP/SAVPF 0",
        "a=mid:",
        "a=mid:with space",
        "a=mid:123456789012345678901234567890123",
        "a=rtpmap:111",
        "a=rtpmap:111 opus",
        "a=rtpmap:x opus/48000",
        "a=rtpmap:111 opus/48k",
        "a=fmtp:",
        "a=rtcp-fb:111",
        "a=rtcp-fb:200 nack",
        "a=extmap:1",
        "a=extmap:x urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=extmap:1/upwards urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=rid:q",
        "a=rid:q upwards",
        "a=rid:12345678901234567 send",
        "a=rid:a;b send",
        "a=simulcast:send",
        "a=simulcast:upwards q",
        "a=ssrc:x cname:y",
        "a=ssrc:4294967296 cname:y",
        "a=ssrc-group:",
        "a=ssrc-group:FID 1 x",
        "a=setup:maybe",
        "a=candidate:1 1 udp 1 192.0.2.1 1 typ",
        "a=candidate:1 1 udp 1 192.0.2.1 1 kind host",
        "a=candidate:1 1 udp 1 192.0.2.1 65536 typ host",
        "a=candidate:1 x udp 1 192.0.2.1 1 typ host",
        "a=fingerprint:sha-256",
        "a=fingerprint:sha-256 0",
        "a=fingerprint:sha-256 00:1",
        "a=fingerprint:sha-256 00-11",
    };

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        char where[32];

        CHECK_EQ(read_with(lines[i]), -EBADMSG);
        (void)snprintf(where, sizeof(where), "line %zu: ", sdp_text_count(text.data, ""));
        CHECK_STR(error.code, "sdp_syntax");
        CHECK(strncmp(error.message, where, strlen(where)) == 0);
    }
}

static void codecs_feedback_and_parameters_are_read(void)
{
    const struct sdp_format *format;

    sdp_text_begin(&text, "");
    sdp_text_media(&text, "video 9/2 UDP/TLS/RTP/SAVPF 96 96 97", "0", "sendonly");
    sdp_text_add(&text, "a=rtcp-fb:* nack pli");
    sdp_text_add(&text, "a=rtpmap:96 Vp8/90000");
    sdp_text_add(&text, "a=rtcp-fb:96 nack");
    sdp_text_add(&text, "a=rtcp-fb:96 ccm fir");
    sdp_text_add(&text, "a=rtcp-fb:96 ccm tmmbr");
    sdp_text_add(&text, "a=rtcp-fb:96 goog-remb");
    sdp_text_add(&text, "a=fmtp:97 apt=96;x=y z");
    sdp_text_add(&text, "a=rtpmap:98 H264/90000");
    CHECK_EQ(read_text(), 0);
    CHECK_EQ(sdp->sections[0].n_formats, 2);
    format = sdp_section_format(&sdp->sections[0], 96);
    CHECK(format);
    CHECK_STR(format->name, "Vp8");
    CHECK_EQ(format->clock_rate, 90000);
    CHECK_EQ(format->feedback, SDP_NACK | SDP_NACK_PLI | SDP_CCM_FIR | SDP_GOOG_REMB);
    format = sdp_section_format(&sdp->sections[0], 97);
    CHECK(format);
    CHECK_STR(format->name, "");
    CHECK_STR(format->fmtp, "apt=96;x=y z");
    CHECK_EQ(format->feedback, SDP_NACK_PLI);
    CHECK(!sdp_section_format(&sdp->sections[0], 98));
    end();
}

static void what_stands_before_the_first_m_line_is_the_default(void)
{
    sdp_text_begin(&text, "a b");
    sdp_text_add(&text, "a=inactive");
    sdp_text_add(&text, "a=ice-lite");
    sdp_text_add(&text, "a=ice-ufrag:sess");
    sdp_text_add(&text, "a=extmap:7 urn:ietf:params:rtp-hdrext:sdes:mid");
    sdp_text_add(&text, "a=extmap-allow-mixed");
    sdp_text_add(&text, "a=setup:passive");
    sdp_text_add(&text, "m=audio 9 RTP/SAVPF 0");
    sdp_text_add(&text, "m=audio 9 RTP/SAVPF 0");
    sdp_text_add(&text, "a=sendonly");
    sdp_text_add(&text, "a=ice-ufrag:mine");
    CHECK_EQ(read_text(), 0);
    CHECK(sdp->session.ice_lite);
    CHECK_EQ(sdp->sections[0].direction, SDP_INACTIVE);
    CHECK_EQ(sdp->sections[1].direction, SDP_SENDONLY);
    CHECK_STR(sdp->sections[0].ufrag, "sess");
    CHECK_STR(sdp->sections[1].ufrag, "mine");
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(sdp->sections[i].n_extensions, 1);
        CHECK_EQ(sdp->sections[i].extensions[0].id, 7);
        CHECK_EQ(sdp->sections[i].setup, SDP_SETUP_PASSIVE);
        CHECK(sdp->sections[i].extmap_allow_mixed);
    }
    end();
}

static void ufrag_and_password_have_4_and_22_to_256_characters(void)
{
    char line[300];

    CHECK_EQ(read_with("a=ice-ufrag:abc"), -EBADMSG);
    CHECK_STR(error.message, "line 22: a=ice-ufrag has 3 characters, 4 to 256 are allowed");
    CHECK_EQ(read_with("a=ice-ufrag:ab/+"), 0);
    CHECK_EQ(read_with("a=ice-ufrag:ab:cd"), -EBADMSG);
    CHECK_EQ(read_with("a=ice-ufrag:ab cd"), -EBADMSG);
    CHECK_EQ(read_with("a=ice-pwd:123456789012345678901"), -EBADMSG);
    CHECK_EQ(read_with("a=ice-pwd:1234567890123456789012"), 0);
    (void)snprintf(line, sizeof(line), "a=ice-ufrag:%0256d", 7);
    CHECK_EQ(read_with(line), 0);
    CHECK_EQ(strlen(sdp->sections[0].ufrag), 256);
    (void)snprintf(line, sizeof(line), "a=ice-ufrag:%0257d", 7);
    CHECK_EQ(read_with(line), -EBADMSG);
    end();
}

/* "a=fingerprint:{hash} " and n bytes. */
static const char *fingerprint(const char *hash, size_t n, uint8_t byte)
{
    static char line[300];
    int len = snprintf(line, sizeof(line), "a=fingerprint:%s ", hash);

    for (size_t i = 0; i < n; i++)
        len += snprintf(line + len, sizeof(line) - (size_t)len, "%s%02x", i ? ":" : "", byte);
    return line;
}

static void the_strongest_fingerprint_counts(void)
{
    sdp_text_begin(&text, "");
    sdp_text_add(&text, "m=audio 9 RTP/SAVPF 0");
    sdp_text_add(&text, "%s", fingerprint("sha-1", 20, 1));
    sdp_text_add(&text, "%s", fingerprint("SHA-384", 48, 2));
    sdp_text_add(&text, "%s", fingerprint("sha-256", 32, 3));
    CHECK_EQ(read_text(), 0);
    CHECK_STR(sdp->sections[0].fingerprint.hash, "sha-384");
    CHECK_EQ(sdp->sections[0].fingerprint.len, 48);
    CHECK_EQ(sdp->sections[0].fingerprint.bytes[47], 2);
    sdp_text_add(&text, "%s", fingerprint("sha-512", 64, 4));
    CHECK_EQ(read_text(), 0);
    CHECK_STR(sdp->sections[0].fingerprint.hash, "sha-512");
    CHECK_EQ(sdp->sections[0].fingerprint.bytes[63], 4);
    end();
}

static void a_fingerprint_of_an_m_line_replaces_that_of_all(void)
{
    sdp_text_begin(&text, "");
    sdp_text_add(&text, "%s", fingerprint("sha-512", 64, 1));
    sdp_text_add(&text, "m=audio 9 RTP/SAVPF 0");
    sdp_text_add(&text, "%s", fingerprint("sha-256", 32, 2));
    sdp_text_add(&text, "m=audio 9 RTP/SAVPF 0");
    CHECK_EQ(read_text(), 0);
    CHECK_STR(sdp->sections[0].fingerprint.hash, "sha-256");
    CHECK_STR(sdp->sections[1].fingerprint.hash, "sha-512");
    end();
}

static void a_fingerprint_has_the_length_of_its_hash(void)
{
    CHECK_EQ(read_with(fingerprint("sha-256", 31, 1)), -EBADMSG);
    CHECK_STR(error.message, "line 22: a=fingerprint has 31 bytes, sha-256 needs 32");
    CHECK_EQ(read_with(fingerprint("sha-256", 33, 1)), -EBADMSG);
    CHECK_EQ(read_with(fingerprint("sha-384", 32, 1)), -EBADMSG);
    CHECK_EQ(read_with(fingerprint("sha-512", 65, 1)), -EBADMSG);
}

static void candidates_are_reduced_to_what_we_use(void)
{
    const struct plan_candidate *candidate;

    sdp_text_begin(&text, "");
    sdp_text_add(&text, "m=audio 9 RTP/SAVPF 0");
    sdp_text_add(&text, "a=candidate:a/b+ 1 UDP 2122187007 192.0.2.1 40517 typ host generation 0");
    sdp_text_add(&text, "a=candidate:1 2 UDP 2122187006 192.0.2.1 40518 typ host");
    sdp_text_add(&text, "a=candidate:2 1 udp 1 0c2e4a2e-55f4-4a53-9e3f-4f5a.local 1 typ host");
    sdp_text_add(&text, "a=candidate:3 1 udp 1 fe80::1%%eth0 1 typ host");
    sdp_text_add(&text, "a=candidate:4 1 dtls 1 192.0.2.1 1 typ host");
    sdp_text_add(&text, "a=candidate:5 1 udp 1 192.0.2.1 1 typ psychic");
    sdp_text_add(&text, "a=candidate:6 1 tcp 9 2001:db8::1 9 typ srflx raddr 192.0.2.1 rport 9 "
                        "tcptype passive");
    sdp_text_add(&text, "a=candidate:7 1 TCP 9 2001:db8::1 9 typ host tcptype active");
    CHECK_EQ(read_text(), 0);
    CHECK_EQ(sdp->sections[0].n_candidates, 3);
    candidate = &sdp->sections[0].candidates[0];
    CHECK_STR(candidate->foundation, "a/b+");
    CHECK_STR(candidate->address, "192.0.2.1");
    CHECK_STR(candidate->type, "host");
    CHECK_EQ(candidate->port, 40517);
    CHECK_EQ(candidate->priority, 2122187007);
    CHECK(!candidate->tcp);
    CHECK(candidate[1].tcp && candidate[1].tcp_passive);
    CHECK_STR(candidate[1].type, "srflx");
    CHECK(candidate[2].tcp && !candidate[2].tcp_passive);
    end();
}

static void more_candidates_than_we_keep_are_dropped(void)
{
    sdp_text_begin(&text, "");
    sdp_text_add(&text, "m=audio 9 RTP/SAVPF 0");
    for (int i = 0; i < PLAN_MAX_CANDIDATES + 5; i++)
        sdp_text_add(&text, "a=candidate:%d 1 udp 1 192.0.2.1 %d typ host", i, i + 1);
    CHECK_EQ(read_text(), 0);
    CHECK_EQ(sdp->sections[0].n_candidates, PLAN_MAX_CANDIDATES);
    CHECK_EQ(sdp->sections[0].candidates[PLAN_MAX_CANDIDATES - 1].port, PLAN_MAX_CANDIDATES);
    end();
}

static void extensions_keep_id_and_direction(void)
{
    const struct sdp_section *section;

    sdp_text_begin(&text, "");
    sdp_text_add(&text, "m=audio 9 RTP/SAVPF 0");
    sdp_text_add(&text, "a=extmap:2/sendonly urn:ietf:params:rtp-hdrext:ssrc-audio-level vad=on");
    sdp_text_add(&text, "a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:mid");
    sdp_text_add(&text, "a=extmap:0 urn:ietf:params:rtp-hdrext:sdes:mid");
    sdp_text_add(&text, "a=extmap:15 urn:ietf:params:rtp-hdrext:sdes:mid");
    sdp_text_add(&text, "a=extmap:4096 urn:ietf:params:rtp-hdrext:sdes:mid");
    sdp_text_add(&text, "a=extmap:3 urn:of:nobody");
    sdp_text_add(&text, "a=extmap:255 urn:ietf:params:rtp-hdrext:sdes:mid");
    sdp_text_add(&text, "a=extmap:254 urn:ietf:params:rtp-hdrext:sdes:mid");
    CHECK_EQ(read_text(), 0);
    section = &sdp->sections[0];
    CHECK_EQ(section->n_extensions, 2);
    CHECK_EQ(section->extensions[0].extension, EXTENSION_AUDIO_LEVEL);
    CHECK_EQ(section->extensions[0].direction, SDP_SENDONLY);
    CHECK(section->extensions[0].directed);
    CHECK_EQ(section->extensions[1].extension, EXTENSION_MID);
    CHECK_EQ(section->extensions[1].id, 255);
    CHECK(!section->extensions[1].directed);
    end();
}

static void layers_and_ssrcs_are_read(void)
{
    const struct sdp_section *section;

    sdp_text_begin(&text, "");
    sdp_text_add(&text, "m=video 9 RTP/SAVPF 96");
    sdp_text_add(&text, "a=simulcast:recv x send q,q2;~h");
    sdp_text_add(&text, "a=rid:q send pt=96,97;max-width=320");
    sdp_text_add(&text, "a=rid:h recv");
    sdp_text_add(&text, "a=ssrc:1 cname:a");
    sdp_text_add(&text, "a=ssrc:1 msid:a b");
    sdp_text_add(&text, "a=ssrc:4294967295 cname:a");
    sdp_text_add(&text, "a=ssrc:0 cname:a");
    sdp_text_add(&text, "a=ssrc-group:FID 1 4294967295");
    sdp_text_add(&text, "a=ssrc-group:FEC-FR 1 2");
    CHECK_EQ(read_text(), 0);
    section = &sdp->sections[0];
    CHECK_STR(section->simulcast_send, "q,q2;~h");
    CHECK_EQ(section->n_rids, 2);
    CHECK_STR(section->rids[0].pts, "96,97");
    CHECK(section->rids[0].send && !section->rids[1].send);
    CHECK_EQ(section->n_ssrcs, 2);
    CHECK_EQ(section->ssrcs[1], UINT32_MAX);
    CHECK_EQ(section->n_groups, 1);
    CHECK_EQ(section->groups[0].n_ssrcs, 2);
    end();
}

static void the_bandwidth_of_an_m_line_is_read(void)
{
    sdp_text_begin(&text, "");
    sdp_text_add(&text, "b=TIAS:1");
    sdp_text_add(&text, "m=video 9 RTP/SAVPF 96");
    sdp_text_add(&text, "b=AS:600");
    sdp_text_add(&text, "b=TIAS:500000");
    sdp_text_add(&text, "m=video 9 RTP/SAVPF 96");
    sdp_text_add(&text, "b=TIAS:4294967296");
    sdp_text_add(&text, "b=TIAS:-1");
    sdp_text_add(&text, "b=TIAS:");
    sdp_text_add(&text, "b=CT");
    CHECK_EQ(read_text(), 0);
    CHECK_EQ(sdp->n_unknown, 0);
    CHECK_EQ(sdp->sections[0].max_bps, 500000);
    CHECK_EQ(sdp->sections[1].max_bps, 0);
    end();
}

static void only_the_first_bundle_group_counts(void)
{
    CHECK_EQ(read_with_session("a=group:BUNDLE 1 2"), 0);
    CHECK_EQ(sdp->n_bundle, 1);
    CHECK_EQ(read_with_session("a=group:LS 1 2"), 0);
    sdp_text_begin(&text, "a a b a");
    CHECK_EQ(read_text(), 0);
    CHECK_EQ(sdp->n_bundle, 2);
    CHECK_STR(sdp->bundle[1], "b");
    end();
}

static void an_m_line_with_port_0_lives_only_as_bundle_only(void)
{
    sdp_text_begin(&text, "");
    sdp_text_add(&text, "m=video 0 RTP/SAVPF 96");
    sdp_text_add(&text, "m=video 0 RTP/SAVPF 96");
    sdp_text_add(&text, "a=bundle-only");
    sdp_text_add(&text, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel");
    CHECK_EQ(read_text(), 0);
    CHECK(!sdp_section_live(&sdp->sections[0]));
    CHECK(sdp_section_live(&sdp->sections[1]));
    CHECK_STR(sdp->sections[2].format, "webrtc-datachannel");
    CHECK_EQ(sdp->sections[2].n_formats, 0);
    end();
}

static void a_description_has_at_most_so_many_bytes(void)
{
    sdp_text_begin(&text, "");
    while (text.len < SDP_MAX_BYTES - 8)
        sdp_text_add(&text, "a=x:");
    CHECK_EQ(read_text(), 0);
    while (text.len <= SDP_MAX_BYTES)
        sdp_text_add(&text, "a=x:");
    CHECK_EQ(read_text(), -E2BIG);
    CHECK_STR(error.code, "sdp_too_large");
}

static void a_line_has_at_most_so_many_bytes(void)
{
    char line[SDP_LINE_MAX + 2] = "";

    memset(line, 'x', SDP_LINE_MAX + 1);
    memcpy(line, "a=x:", 4);
    CHECK_EQ(read_with(line), -E2BIG);
    CHECK_STR(error.code, "sdp_limit");
    CHECK_STR(error.message, "line 22: 8193 bytes, 8192 are allowed");
    line[SDP_LINE_MAX] = '\0';
    CHECK_EQ(read_with(line), 0);
    end();
}

static void a_description_has_at_most_so_many_m_lines(void)
{
    sdp_text_begin(&text, "");
    for (int i = 0; i < PLAN_MAX_SECTIONS; i++)
        sdp_text_add(&text, "m=audio 0 RTP/SAVPF 0");
    CHECK_EQ(read_text(), 0);
    CHECK_EQ(sdp->n_sections, PLAN_MAX_SECTIONS);
    sdp_text_add(&text, "m=audio 0 RTP/SAVPF 0");
    CHECK_EQ(read_text(), -E2BIG);
    CHECK_STR(error.code, "too_many_sections");
    CHECK_STR(error.message, "129 m-lines, 128 are allowed");
}

/* `max` lines of `format`, which takes the line's number, fit; one more does not. */
static void check_limit(const char *prefix, const char *suffix, int max)
{
    sdp_text_begin(&text, "");
    sdp_text_add(&text, "m=video 9 RTP/SAVPF 96");
    for (int i = 1; i <= max; i++)
        sdp_text_add(&text, "%s%d%s", prefix, i, suffix);
    CHECK_EQ(read_text(), 0);
    sdp_text_add(&text, "%s%d%s", prefix, max + 1, suffix);
    CHECK_EQ(read_text(), -E2BIG);
    CHECK_STR(error.code, "sdp_limit");
    CHECK(strstr(error.message, "more than"));
}

static void lists_of_an_m_line_have_a_maximum(void)
{
    check_limit("a=rid:r", " send", SDP_MAX_RIDS);
    check_limit("a=ssrc:", " cname:x", SDP_MAX_SSRCS);
    check_limit("a=ssrc-group:FID ", " 9", SDP_MAX_SSRC_GROUPS);
    CHECK_EQ(read_with("a=ssrc-group:SIM 1 2 3 4 5 6 7 8"), 0);
    CHECK_EQ(read_with("a=ssrc-group:SIM 1 2 3 4 5 6 7 8 9"), -E2BIG);
    end();
}

static void a_bundle_group_has_a_maximum(void)
{
    char line[PLAN_MAX_SECTIONS * 5 + 32] = "a=group:BUNDLE";
    size_t len = strlen(line);

    for (int i = 0; i <= PLAN_MAX_SECTIONS; i++)
        len += (size_t)snprintf(line + len, sizeof(line) - len, " %d", i);
    sdp_text_begin(&text, "");
    sdp_text_add(&text, "%s", line);
    CHECK_EQ(read_text(), -E2BIG);
    CHECK_STR(error.message, "line 5: more than 128 mids in a=group");
}

static void payload_types_are_all_kept(void)
{
    char line[1024] = "m=video 9 RTP/SAVPF";
    size_t len = strlen(line);

    for (int i = 0; i < SDP_MAX_FORMATS; i++)
        len += (size_t)snprintf(line + len, sizeof(line) - len, " %d", i);
    sdp_text_begin(&text, "");
    sdp_text_add(&text, "%s 5 6 7", line);
    CHECK_EQ(read_text(), 0);
    CHECK_EQ(sdp->sections[0].n_formats, SDP_MAX_FORMATS);
    end();
}

TAP_CASES(CASE(real_offers_are_read_whole), CASE(lines_may_end_in_lf_and_empty_ones_are_skipped),
          CASE(unknown_lines_and_attributes_are_skipped), CASE(something_else_than_sdp_is_refused),
          CASE(broken_lines_are_named_by_number), CASE(codecs_feedback_and_parameters_are_read),
          CASE(what_stands_before_the_first_m_line_is_the_default),
          CASE(ufrag_and_password_have_4_and_22_to_256_characters),
          CASE(the_strongest_fingerprint_counts),
          CASE(a_fingerprint_of_an_m_line_replaces_that_of_all),
          CASE(a_fingerprint_has_the_length_of_its_hash),
          CASE(candidates_are_reduced_to_what_we_use),
          CASE(more_candidates_than_we_keep_are_dropped), CASE(extensions_keep_id_and_direction),
          CASE(layers_and_ssrcs_are_read), CASE(the_bandwidth_of_an_m_line_is_read),
          CASE(only_the_first_bundle_group_counts),
          CASE(an_m_line_with_port_0_lives_only_as_bundle_only),
          CASE(a_description_has_at_most_so_many_bytes), CASE(a_line_has_at_most_so_many_bytes),
          CASE(a_description_has_at_most_so_many_m_lines), CASE(lists_of_an_m_line_have_a_maximum),
          CASE(a_bundle_group_has_a_maximum), CASE(payload_types_are_all_kept))
