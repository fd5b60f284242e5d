#include "sfu/format_match.h"

#include "tests/tap.h"

#include <errno.h>

static struct plan_codec codec_of(enum codec codec, uint8_t pt, const char *fmtp)
{
    return (struct plan_codec){.codec = codec, .pt = pt, .fmtp = fmtp};
}

/* What Chrome offers to receive, in its order. */
static struct plan_section chrome(void)
{
    return (struct plan_section){
        .n_codecs = 7,
        .codecs =
            {
                codec_of(CODEC_VP8, 96, ""),
                codec_of(CODEC_H264, 102,
                         "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f"),
                codec_of(CODEC_H264, 104,
                         "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f"),
                codec_of(CODEC_H264, 106,
                         "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
                codec_of(CODEC_H264, 112,
                         "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f"),
                codec_of(CODEC_VP9, 98, "profile-id=0"),
                codec_of(CODEC_VP9, 100, "profile-id=2"),
            },
    };
}

static int pt_for(const struct plan_section *section, enum codec codec, const char *fmtp)
{
    struct plan_codec published = codec_of(codec, 1, fmtp);
    int found = format_match(section, &published);

    return found < 0 ? found : section->codecs[found].pt;
}

static void codecs_without_parameters_match_by_name(void)
{
    struct plan_section s = chrome();

    CHECK_EQ(pt_for(&s, CODEC_VP8, ""), 96);
    CHECK_EQ(pt_for(&s, CODEC_VP8, "max-fr=30"), 96);
    CHECK_EQ(pt_for(&s, CODEC_AV1, ""), -ENOENT);
}

static void vp9_matches_by_profile(void)
{
    struct plan_section s = chrome();

    CHECK_EQ(pt_for(&s, CODEC_VP9, ""), 98);
    CHECK_EQ(pt_for(&s, CODEC_VP9, "profile-id=2"), 100);
    CHECK_EQ(pt_for(&s, CODEC_VP9, "profile-id=1"), -ENOENT);
}

static void h264_matches_the_same_profile_first(void)
{
    struct plan_section s = chrome();

    CHECK_EQ(pt_for(&s, CODEC_H264, "packetization-mode=1;profile-level-id=42e034"), 106);
    CHECK_EQ(pt_for(&s, CODEC_H264, "profile-level-id=42C00D; packetization-mode=1"), 106);
    CHECK_EQ(pt_for(&s, CODEC_H264, "profile-level-id=640028;packetization-mode=1"), 112);
    CHECK_EQ(pt_for(&s, CODEC_H264, "profile-level-id=42001f;packetization-mode=0"), 104);
}

static void h264_matches_a_profile_that_includes_it(void)
{
    struct plan_section s = chrome();

    /* main is decoded by high */
    CHECK_EQ(pt_for(&s, CODEC_H264, "packetization-mode=1;profile-level-id=4d001f"), 112);
    s.n_codecs = 2;
    /* constrained baseline by baseline */
    CHECK_EQ(pt_for(&s, CODEC_H264, "packetization-mode=1;profile-level-id=42e01f"), 102);
    CHECK_EQ(pt_for(&s, CODEC_H264, "packetization-mode=1;profile-level-id=64001f"), -ENOENT);
}

static void h264_in_mode_1_needs_mode_1(void)
{
    struct plan_section s = chrome();

    s.codecs[0] = s.codecs[2];
    s.n_codecs = 1;
    CHECK_EQ(pt_for(&s, CODEC_H264, "packetization-mode=1;profile-level-id=42001f"), -ENOENT);
    CHECK_EQ(pt_for(&s, CODEC_H264, "profile-level-id=42001f"), 104);
}

TAP_CASES(CASE(codecs_without_parameters_match_by_name), CASE(vp9_matches_by_profile),
          CASE(h264_matches_the_same_profile_first), CASE(h264_matches_a_profile_that_includes_it),
          CASE(h264_in_mode_1_needs_mode_1))
