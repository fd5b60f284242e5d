/**
 * @file options.h  The command line of sluice-client. Thread: any, no shared state.
 */
#ifndef CLIENT_OPTIONS_H
#define CLIENT_OPTIONS_H

#include "media/base/attributes.h"
#include "media/base/text.h"
#include "signaling/ice_url.h"
#include "signaling/message_media.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OPTIONS_URL_MAX = 511,
    OPTIONS_ERROR_MAX = 255,
};

/** Strings are of argv, or constants; NULL: not given. */
struct options {
    bool help, version;
    char server[OPTIONS_URL_MAX + 1]; /* ws:// or wss://host:port/path */
    const char *ca;                   /* file with whom to trust */
    const char *room, *name, *token;
    const char *callee; /* name or id of whom to call */
    const char *send, *video;
    bool loop, stereo;
    int64_t bitrate_bps, loss_percent;
    const char *record, *record_each, *record_video;
    int64_t audio_slots, video_slots;
    double for_s; /* 0: until told to stop */
    const char *turn_user, *turn_password;
    bool answer, direct_room; /* accept who calls; the room is for two */
    bool stats, json, receive_video, has_view, has_stun, has_turn, relay_only, ice_tcp;
    bool insecure, no_reconnect;
    struct message_view view;
    struct ice_url stun, turn;
    const char *log_level;
};

/**
 * Read the command line.
 *
 * @param error  on failure says what is wrong; room for OPTIONS_ERROR_MAX + 1
 * @return 0 (also if help or version is set: nothing else counts then); -EINVAL
 */
MUST_USE int options_parse(struct options *ret, int argc, char *const *argv, char *error);

/** Append the text of --help. */
void options_help(struct text *out);

#endif
