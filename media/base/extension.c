#include "media/base/extension.h"

#include <assert.h>
#include <string.h>

static const char *const uris[EXTENSION_COUNT] = {
    [EXTENSION_MID] = "urn:ietf:params:rtp-hdrext:sdes:mid",
    [EXTENSION_RID] = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    [EXTENSION_REPAIRED_RID] = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    [EXTENSION_TRANSPORT_CC] =
        "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    [EXTENSION_ABS_SEND_TIME] = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    [EXTENSION_AUDIO_LEVEL] = "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    [EXTENSION_DEPENDENCY_DESCRIPTOR] =
        "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
    [EXTENSION_VIDEO_ORIENTATION] = "urn:3gpp:video-orientation",
    [EXTENSION_PLAYOUT_DELAY] = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
    [EXTENSION_COLOR_SPACE] = "http://www.webrtc.org/experiments/rtp-hdrext/color-space",
};

const char *extension_uri(enum extension extension)
{
    assert(extension < EXTENSION_COUNT);
    return uris[extension];
}

enum extension extension_by_uri(const char *uri, size_t len)
{
    for (enum extension extension = 0; extension < EXTENSION_COUNT; extension++) {
        if (strlen(uris[extension]) == len && memcmp(uris[extension], uri, len) == 0)
            return extension;
    }
    return EXTENSION_COUNT;
}
