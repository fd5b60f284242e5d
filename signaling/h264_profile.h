/** @file h264_profile.h  What an H.264 format is, by its parameters (RFC 6184 section 8.1). */
#ifndef SIGNALING_H264_PROFILE_H
#define SIGNALING_H264_PROFILE_H

#include "media/base/attributes.h"

#include <stdbool.h>
#include <stdint.h>

/** In such an order that each decodes those before it, by and large. */
enum h264_profile {
    H264_CONSTRAINED_BASELINE,
    H264_BASELINE, /* has tools (FMO, ASO) that those after it lack */
    H264_MAIN,
    H264_CONSTRAINED_HIGH,
    H264_HIGH,
    H264_OTHER,
};

struct h264_format {
    uint32_t profile_level_id;
    enum h264_profile profile;
    uint32_t packetization_mode;
};

/**
 * Read the parameters of an a=fmtp line. A format that names no profile is constrained baseline,
 * which is what browsers mean by it (the RFC says baseline).
 *
 * @return false: the profile is no six hexadecimal digits
 */
MUST_USE bool h264_format_read(const char *fmtp, struct h264_format *ret);

#endif
