#include "sfu/bitrate_caps.h"

#include "sfu/config.h"

#include <string.h>

enum { BPS_PER_KBPS = 1000, SHARE_BITS = 3 /* of a number of shares: the rest is rounded up */ };

void bitrate_caps_limits(const struct config *config, uint32_t room_kbps,
                         struct message_limits *ret)
{
    ret->audio_bps = config->max_audio_kbps * BPS_PER_KBPS;
    ret->camera_bps = config->max_camera_kbps * BPS_PER_KBPS;
    ret->screen_bps = config->max_screen_kbps * BPS_PER_KBPS;
    ret->room_bps = (room_kbps ? room_kbps : config->max_room_kbps) * BPS_PER_KBPS;
}

/* @return the next number from `n` on of which all but the first SHARE_BITS bits are 0 */
static uint32_t round_up(uint32_t n)
{
    uint32_t step = 1;

    while (n > step << SHARE_BITS)
        step <<= 1;
    return (n + step - 1) / step * step;
}

uint32_t bitrate_room_share(uint32_t room_bps, uint32_t n)
{
    uint32_t share_bps;

    if (room_bps == 0)
        return 0;
    share_bps = room_bps / round_up(n);
    return share_bps < BITRATE_SHARE_MIN_BPS ? BITRATE_SHARE_MIN_BPS : share_bps;
}

/* 0 is no limit. */
static uint32_t lower_of(uint32_t a_bps, uint32_t b_bps)
{
    if (a_bps == 0 || b_bps == 0)
        return a_bps + b_bps;
    return a_bps < b_bps ? a_bps : b_bps;
}

uint32_t bitrate_cap(const struct message_track *track, const struct message_limits *limits,
                     uint32_t videos)
{
    bool screen = strcmp(track->source, "screen") == 0;

    if (track->kind == KIND_AUDIO)
        return limits->audio_bps;
    return lower_of(screen ? limits->screen_bps : limits->camera_bps,
                    bitrate_room_share(limits->room_bps, videos + track->muted));
}
