/**
 * @file bitrate_caps.h  In how many bits per second a published track may be sent: by what it
 * shows, and by how many share what is for the room. Pure functions.
 */
#ifndef SFU_BITRATE_CAPS_H
#define SFU_BITRATE_CAPS_H

#include "signaling/message.h"

#include <stdint.h>

struct config;

enum {
    BITRATE_SHARE_MIN_BPS = 64000, /* of a room: less shows nothing */
};

/** Fill in the rates of `ret` [bit/s], which are 0 where there is no limit.
 *  @param room_kbps  set for this room; 0: the same as for all */
void bitrate_caps_limits(const struct config *config, uint32_t room_kbps,
                         struct message_limits *ret);

/**
 * Divide what is for all video of a room.
 *
 * Beyond 8 the shares go in steps (of 10, of 12, ..., of 16, of 20, ...), so that not everybody
 * has to be told of everybody who comes: together they stay below `room_bps`, and above 3/4 of it.
 *
 * @param n  how many share it, at least 1
 * @return the share of one [bit/s], at least BITRATE_SHARE_MIN_BPS; 0: room_bps is
 */
uint32_t bitrate_room_share(uint32_t room_bps, uint32_t n);

/**
 * @param track   kind, source and muted count
 * @param limits  as bitrate_caps_limits() gives them
 * @param videos  tracks with video in the room that are not muted, `track` included if it is one
 * @return what `track` may be sent with at most [bit/s]; 0: no limit
 */
uint32_t bitrate_cap(const struct message_track *track, const struct message_limits *limits,
                     uint32_t videos);

#endif
