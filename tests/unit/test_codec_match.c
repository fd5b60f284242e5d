#include "signaling/codec_match.h"

#include "signaling/plan.h"
#include "tests/sdp_text.h"
#include "tests/tap.h"

static struct sdp_text text;
static struct media_plan *plan; /* keeps the strings of `section` */
static struct plan_section section;

static const enum codec audio[POLICY_CODECS] = {CODEC_OPUS, CODEC_RED, CODEC_PCMU, CODEC_PCMA};
static const enum codec video[POLICY_CODECS] = {CODEC_VP8, CODEC_VP9, CODEC_H264, CODEC_AV1,
                                                CODEC_H265};

enum how { PUBLISH, SLOT };

/* Answer `text`, one m-line, whose transport-cc extension has an id. */
static void match_with(enum how how, const enum codec wanted[POLICY_CODECS])
{
    struct sdp *sdp = NULL;
    struct negotiation_error error;

    CHECK_EQ(sdp_read(&sdp, text.data, text.len, &error), 0);
    media_plan_unref(plan);
    plan = plan_new(0);
    CHECK(plan != NULL);
    section = (struct plan_section){.use = how == PUBLISH ? SECTION_PUBLISH : SECTION_SLOT};
    section.kind = strcmp(sdp->sections[0].media, "video") == 0 ? KIND_VIDEO : KIND_AUDIO;
    section.extensions.id[EXTENSION_TRANSPORT_CC] = 3;
    if (how == PUBLISH)
        codec_match_publish(plan, &section, &sdp->sections[0], wanted);
    else
        codec_match_slot(plan, &section, &sdp->sections[0], wanted);
    sdp_free(sdp);
}

static void match(enum how how)
{
    match_with(how, strstr(text.data, "m=video") ? video : audio);
}

static void begin(const char *media, const char *formats)
{
    sdp_text_begin(&text, "");
    sdp_text_add(&text, "m=%s 9 UDP/TLS/RTP/SAVPF %s", media, formats);
}

/* One video format with these parameters; "" for none. */
static void add(int pt, const char *name, const char *fmtp)
{
    sdp_text_add(&text, "a=rtpmap:%d %s/90000", pt, name);
    if (fmtp[0] != '\0')
        sdp_text_add(&text, "a=fmtp:%d %s", pt, fmtp);
}

/* The payload types answered are these, in this order, "96 98". */
static void check_pts(const char *expected)
{
    char pts[256] = "";
    size_t len = 0;

    for (uint8_t i = 0; i < section.n_codecs; i++)
        len += (size_t)snprintf(pts + len, sizeof(pts) - len, "%s%u", i ? " " : "",
                                section.codecs[i].pt);
    CHECK_STR(pts, expected);
}

static void names_are_compared_without_case(void)
{
    begin("audio", "111");
    sdp_text_add(&text, "a=rtpmap:111 OPUS/48000/2");
    match(PUBLISH);
    CHECK_EQ(section.codecs[0].codec, CODEC_OPUS);
}

static void a_publisher_sends_the_first_codec_of_the_policy_that_it_has(void)
{
    static const enum codec av1_first[POLICY_CODECS] = {CODEC_AV1, CODEC_VP8};
    static const enum codec h265_only[POLICY_CODECS] = {CODEC_H265};

    begin("video", "96 97 45 46");
    add(96, "VP8", "");
    add(97, "rtx", "apt=96");
    add(45, "AV1", "");
    add(46, "rtx", "apt=45");
    match(PUBLISH);
    check_pts("96");
    CHECK_EQ(section.codecs[0].rtx_pt, 97);
    match_with(PUBLISH, av1_first);
    check_pts("45");
    CHECK_EQ(section.codecs[0].rtx_pt, 46);
    match_with(PUBLISH, h265_only);
    check_pts("");
}

static void a_slot_takes_all_in_order_of_the_policy(void)
{
    begin("video", "100 102 98 96 45");
    add(100, "H265", "profile-id=1;level-id=93;x=1");
    add(102, "H264", "packetization-mode=1;profile-level-id=42e01f");
    add(98, "VP9", "profile-id=0");
    add(96, "VP8", "max-fs=12288;max-fr=60");
    add(45, "AV1X", "");
    match(SLOT);
    check_pts("96 98 102 100");
    CHECK_STR(section.codecs[0].fmtp, "");
    CHECK_STR(section.codecs[3].fmtp, "level-id=93;profile-id=1");
}

static void constrained_baseline_with_fragments_is_the_best_h264(void)
{
    begin("video", "1 2 3 4 5 6 7 8 9 10");
    add(1, "H264", "packetization-mode=0;profile-level-id=42e01f");
    add(2, "H264", "packetization-mode=1;profile-level-id=640c1f");
    add(3, "H264", "packetization-mode=1;profile-level-id=4d001f");
    add(4, "H264", "packetization-mode=1;profile-level-id=42001f");
    add(5, "H264", "level-asymmetry-allowed=1; packetization-mode=1; profile-level-id=42E01F");
    add(6, "H264", "packetization-mode=1;profile-level-id=42c02a");
    add(7, "H264", "packetization-mode=2;profile-level-id=42e01f");
    add(8, "H264", "packetization-mode=1;profile-level-id=xyzabc");
    add(9, "H264", "packetization-mode=1;profile-level-id=f4001f");
    add(10, "H264", "");
    match(PUBLISH);
    check_pts("5");
    CHECK_STR(section.codecs[0].fmtp,
              "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42E01F");
    match(SLOT);
    check_pts("5 6 4 3 2 1 10");
}

static void other_profiles_are_taken_only_if_there_is_nothing_else(void)
{
    begin("video", "98 102");
    add(98, "VP9", "profile-id=2");
    add(102, "H264", "packetization-mode=1;profile-level-id=42e01f");
    match(PUBLISH);
    check_pts("102");
    match(SLOT);
    check_pts("102");
    begin("video", "47 98 102");
    add(47, "AV1", "profile=1");
    add(98, "VP9", "profile-id=2");
    add(102, "H264", "packetization-mode=1;profile-level-id=f4001f");
    match(PUBLISH);
    check_pts("98");
    CHECK_STR(section.codecs[0].fmtp, "profile-id=2");
    match(SLOT);
    check_pts("98 102 47");
}

static void red_goes_with_the_opus_it_is_around(void)
{
    begin("audio", "63 111 64 0");
    sdp_text_add(&text, "a=rtpmap:63 red/48000/2");
    sdp_text_add(&text, "a=fmtp:63 111/111/111");
    sdp_text_add(&text, "a=rtpmap:111 opus/48000/2");
    match(PUBLISH);
    check_pts("111 63");
    CHECK_STR(section.codecs[1].fmtp, "111/111");
    match(SLOT);
    check_pts("111 63 0");
    sdp_text_replace(&text, "111/111/111", "112/112");
    match(PUBLISH);
    check_pts("111");
    sdp_text_replace(&text, "opus", "opsu");
    match(PUBLISH);
    check_pts("0");
}

static void pcm_needs_no_rtpmap(void)
{
    begin("audio", "8 0");
    match(SLOT);
    check_pts("0 8");
    CHECK_EQ(section.codecs[1].codec, CODEC_PCMA);
    sdp_text_add(&text, "a=rtpmap:0 PCMU/8000/2");
    match(SLOT);
    check_pts("8");
}

static void stereo_can_be_negotiated(void)
{
    static const struct {
        const char *offered, *answered;
    } rows[] = {
        {"x=1", "minptime=10;useinbandfec=1"},
        {"stereo=1", "minptime=10;useinbandfec=1;stereo=1"},
        {"stereo=0;sprop-stereo=1", "minptime=10;useinbandfec=1;stereo=0;sprop-stereo=1"},
        {"sprop-stereo=1", "minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1"},
        {"maxaveragebitrate=128000;usedtx=1",
         "minptime=10;useinbandfec=1;usedtx=1;maxaveragebitrate=128000"},
        {"usedtx=a b;maxaveragebitrate=1234567890123;cbr=", "minptime=10;useinbandfec=1"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin("audio", "111");
        sdp_text_add(&text, "a=rtpmap:111 opus/48000/2");
        sdp_text_add(&text, "a=fmtp:111 %s", rows[i].offered);
        match(PUBLISH);
        CHECK_STR(section.codecs[0].fmtp, rows[i].answered);
    }
}

/* RFC 8888: we read it, where there is nothing better, and write none. */
static void feedback_by_name_is_the_second_choice(void)
{
    begin("video", "96");
    add(96, "VP8", "");
    sdp_text_add(&text, "a=rtcp-fb:* goog-remb");
    sdp_text_add(&text, "a=rtcp-fb:* ack ccfb");
    match(SLOT);
    CHECK(section.codecs[0].ccfb && !section.codecs[0].remb);
    match(PUBLISH);
    CHECK(!section.codecs[0].ccfb && section.codecs[0].remb);
}

static void feedback_is_what_both_can(void)
{
    begin("video", "96 98");
    add(96, "VP8", "");
    add(98, "VP9", "");
    sdp_text_add(&text, "a=rtcp-fb:* goog-remb");
    sdp_text_add(&text, "a=rtcp-fb:* nack");
    sdp_text_add(&text, "a=rtcp-fb:96 transport-cc");
    sdp_text_add(&text, "a=rtcp-fb:96 ack ccfb");
    sdp_text_add(&text, "a=rtcp-fb:96 ccm fir");
    sdp_text_add(&text, "a=rtcp-fb:98 nack pli");
    sdp_text_add(&text, "a=rtcp-fb:98 nack sli");
    match(SLOT);
    check_pts("96 98");
    CHECK(section.codecs[0].transport_cc && !section.codecs[0].remb);
    CHECK(!section.codecs[0].ccfb);
    CHECK(section.codecs[0].nack && section.codecs[0].fir && !section.codecs[0].pli);
    CHECK(!section.codecs[1].transport_cc && section.codecs[1].remb);
    CHECK(section.codecs[1].nack && !section.codecs[1].fir && section.codecs[1].pli);
}

static void payload_types_that_look_like_rtcp_are_not_used(void)
{
    begin("video", "64 95 96 72");
    add(64, "VP8", "");
    add(95, "VP8", "");
    add(96, "VP8", "");
    add(72, "rtx", "apt=96");
    match(SLOT);
    check_pts("96");
    CHECK_EQ(section.codecs[0].rtx_pt, 0);
}

static void no_more_codecs_are_kept_than_there_is_place(void)
{
    begin("video", "96 97 98 99 100 101 102 103 104 105 106 107 108 109 110 111 112 113");
    for (int pt = 96; pt <= 113; pt++)
        add(pt, "VP8", "");
    match(SLOT);
    CHECK_EQ(section.n_codecs, PLAN_MAX_CODECS);
    CHECK_EQ(section.codecs[PLAN_MAX_CODECS - 1].pt, 111);
}

TAP_CASES(CASE(names_are_compared_without_case),
          CASE(a_publisher_sends_the_first_codec_of_the_policy_that_it_has),
          CASE(a_slot_takes_all_in_order_of_the_policy),
          CASE(constrained_baseline_with_fragments_is_the_best_h264),
          CASE(other_profiles_are_taken_only_if_there_is_nothing_else),
          CASE(red_goes_with_the_opus_it_is_around), CASE(pcm_needs_no_rtpmap),
          CASE(stereo_can_be_negotiated), CASE(feedback_is_what_both_can),
          CASE(feedback_by_name_is_the_second_choice),
          CASE(payload_types_that_look_like_rtcp_are_not_used),
          CASE(no_more_codecs_are_kept_than_there_is_place))
