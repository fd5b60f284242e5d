#include "sfu/bitrate_caps.h"

#include "sfu/config.h"
#include "tests/tap.h"

static void settings_are_in_kilobits(void)
{
    struct message_limits limits = {.tracks = 8};
    struct config config;

    config_init(&config);
    bitrate_caps_limits(&config, 0, &limits);
    CHECK(!limits.audio_bps && !limits.camera_bps && !limits.screen_bps && !limits.room_bps);
    config.max_audio_kbps = 40;
    config.max_camera_kbps = 1500;
    config.max_screen_kbps = CONFIG_MAX_KBPS;
    config.max_room_kbps = 9000;
    bitrate_caps_limits(&config, 0, &limits);
    CHECK_EQ(limits.audio_bps, 40000);
    CHECK_EQ(limits.camera_bps, 1500000);
    CHECK_EQ(limits.screen_bps, 4000000000);
    CHECK_EQ(limits.room_bps, 9000000);
    CHECK_EQ(limits.tracks, 8);
}

static void shares_of_a_room_stay_below_it_and_change_rarely(void)
{
    enum { MOST = 2000 };
    static const uint32_t room_bps = 2000 * 1000 * 1000;
    uint32_t before_bps = UINT32_MAX;
    int changes = 0;

    for (uint32_t n = 1; n <= MOST; n++) {
        uint32_t share_bps = bitrate_room_share(room_bps, n);

        CHECK(share_bps <= before_bps);
        CHECK((uint64_t)share_bps * n <= room_bps);
        CHECK((uint64_t)share_bps * n > (uint64_t)room_bps / 4 * 3);
        CHECK(n > 8 || share_bps == room_bps / n);
        changes += share_bps != before_bps;
        before_bps = share_bps;
    }
    CHECK_EQ(changes, 8 + 4 * 8); /* four to each doubling, and 2000 is in the eighth of 8 */
}

static void a_share_has_a_least(void)
{
    CHECK_EQ(bitrate_room_share(1000000, 15), BITRATE_SHARE_MIN_BPS);
    CHECK_EQ(bitrate_room_share(1, 1), BITRATE_SHARE_MIN_BPS);
    CHECK_EQ(bitrate_room_share(0, 1), 0);
    CHECK_EQ(bitrate_room_share(0, 1000), 0);
}

static uint32_t cap(enum media_kind kind, const char *source, uint32_t room_bps)
{
    struct message_limits limits = {
        .audio_bps = 40000, .camera_bps = 1500000, .screen_bps = 2500000, .room_bps = room_bps};
    struct message_track track = {.kind = kind};

    (void)snprintf(track.source, sizeof(track.source), "%s", source);
    return bitrate_cap(&track, &limits, 4);
}

static void the_source_tells_the_limit(void)
{
    CHECK_EQ(cap(KIND_AUDIO, "microphone", 0), 40000);
    CHECK_EQ(cap(KIND_AUDIO, "screen", 0), 40000);
    CHECK_EQ(cap(KIND_VIDEO, "camera", 0), 1500000);
    CHECK_EQ(cap(KIND_VIDEO, "drone", 0), 1500000);
    CHECK_EQ(cap(KIND_VIDEO, "screen", 0), 2500000);
}

static void the_lower_of_both_limits_counts(void)
{
    struct message_limits limits = {.room_bps = 4000000};
    struct message_track track = {.kind = KIND_VIDEO};

    CHECK_EQ(cap(KIND_AUDIO, "microphone", 100000), 40000);
    CHECK_EQ(cap(KIND_VIDEO, "camera", 4000000), 1000000);
    CHECK_EQ(cap(KIND_VIDEO, "camera", 8000000), 1500000);
    CHECK_EQ(cap(KIND_VIDEO, "screen", 8000000), 2000000);
    CHECK_EQ(bitrate_cap(&track, &limits, 4), 1000000);
    CHECK_EQ(bitrate_cap(&track, &(struct message_limits){0}, 4), 0);
}

static void who_is_muted_is_told_what_it_would_get(void)
{
    struct message_limits limits = {.room_bps = 4000000};
    struct message_track track = {.kind = KIND_VIDEO, .muted = true};

    CHECK_EQ(bitrate_cap(&track, &limits, 0), 4000000);
    CHECK_EQ(bitrate_cap(&track, &limits, 3), 1000000);
}

TAP_CASES(CASE(settings_are_in_kilobits), CASE(shares_of_a_room_stay_below_it_and_change_rarely),
          CASE(a_share_has_a_least), CASE(the_source_tells_the_limit),
          CASE(the_lower_of_both_limits_counts), CASE(who_is_muted_is_told_what_it_would_get))
