/**
 * @file extension.h  RTP header extensions we know (RFC 8285), and which id a peer gave each.
 */
#ifndef MEDIA_BASE_EXTENSION_H
#define MEDIA_BASE_EXTENSION_H

#include <stddef.h>
#include <stdint.h>

enum extension {
    EXTENSION_MID,          /* RFC 9143 */
    EXTENSION_RID,          /* RFC 8852 */
    EXTENSION_REPAIRED_RID, /* RFC 8852 */
    EXTENSION_TRANSPORT_CC, /* draft-holmer-rmcat-transport-wide-cc-extensions-01 */
    EXTENSION_ABS_SEND_TIME,
    EXTENSION_AUDIO_LEVEL, /* RFC 6464 */
    EXTENSION_DEPENDENCY_DESCRIPTOR,
    EXTENSION_VIDEO_ORIENTATION, /* 3GPP TS 26.114: passed through */
    EXTENSION_PLAYOUT_DELAY,     /* passed through */
    EXTENSION_COLOR_SPACE,       /* passed through */
    EXTENSION_COUNT
};

/** Ids 1..255 by extension, as negotiated for one m-line; 0: not in use. */
struct extension_map {
    uint8_t id[EXTENSION_COUNT];
};

/** @return the URI of `extension`; static storage */
const char *extension_uri(enum extension extension);

/** @return the extension with this URI [len characters], or EXTENSION_COUNT */
enum extension extension_by_uri(const char *uri, size_t len);

#endif
