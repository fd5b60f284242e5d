#include "signaling/h264_profile.h"

#include "tests/tap.h"

static enum h264_profile profile_of(const char *fmtp)
{
    struct h264_format format;

    CHECK(h264_format_read(fmtp, &format));
    return format.profile;
}

static void profiles_are_told_by_their_constraint_bits(void)
{
    CHECK_EQ(profile_of("profile-level-id=42e01f"), H264_CONSTRAINED_BASELINE);
    CHECK_EQ(profile_of("profile-level-id=42C00D"), H264_CONSTRAINED_BASELINE);
    CHECK_EQ(profile_of("profile-level-id=4d801f"), H264_CONSTRAINED_BASELINE);
    CHECK_EQ(profile_of("profile-level-id=42001f"), H264_BASELINE);
    CHECK_EQ(profile_of("profile-level-id=4d001f"), H264_MAIN);
    CHECK_EQ(profile_of("profile-level-id=640c1f"), H264_CONSTRAINED_HIGH);
    CHECK_EQ(profile_of("profile-level-id=64001f"), H264_HIGH);
    CHECK_EQ(profile_of("profile-level-id=f4001f"), H264_OTHER);
}

static void a_format_without_a_profile_is_what_browsers_mean(void)
{
    CHECK_EQ(profile_of(""), H264_CONSTRAINED_BASELINE);
    CHECK_EQ(profile_of("packetization-mode=1"), H264_CONSTRAINED_BASELINE);
}

static void parameters_stand_in_any_order(void)
{
    struct h264_format format;

    CHECK(h264_format_read("profile-level-id=640028; packetization-mode=1", &format));
    CHECK_EQ(format.profile_level_id, 0x640028);
    CHECK_EQ(format.packetization_mode, 1);
    CHECK(h264_format_read("level-asymmetry-allowed=1;profile-level-id=640028", &format));
    CHECK_EQ(format.packetization_mode, 0);
}

static void what_is_no_profile_is_refused(void)
{
    struct h264_format format;

    CHECK(!h264_format_read("profile-level-id=42e01", &format));
    CHECK(!h264_format_read("profile-level-id=42e01ff", &format));
    CHECK(!h264_format_read("profile-level-id=42e01g", &format));
    CHECK(!h264_format_read("profile-level-id=", &format));
}

TAP_CASES(CASE(profiles_are_told_by_their_constraint_bits),
          CASE(a_format_without_a_profile_is_what_browsers_mean),
          CASE(parameters_stand_in_any_order), CASE(what_is_no_profile_is_refused))
