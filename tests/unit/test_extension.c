#include "media/base/extension.h"

#include "tests/tap.h"

static enum extension by_uri(const char *uri)
{
    return extension_by_uri(uri, strlen(uri));
}

static void every_extension_is_found_by_its_uri(void)
{
    for (enum extension extension = 0; extension < EXTENSION_COUNT; extension++)
        CHECK_EQ(by_uri(extension_uri(extension)), extension);
}

static void browsers_name_them_so(void)
{
    CHECK_EQ(by_uri("urn:ietf:params:rtp-hdrext:sdes:mid"), EXTENSION_MID);
    CHECK_EQ(by_uri("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"), EXTENSION_RID);
    CHECK_EQ(by_uri("urn:ietf:params:rtp-hdrext:ssrc-audio-level"), EXTENSION_AUDIO_LEVEL);
    CHECK_EQ(by_uri("http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"),
             EXTENSION_ABS_SEND_TIME);
    CHECK_EQ(by_uri("http://www.ietf.org/id/"
                    "draft-holmer-rmcat-transport-wide-cc-extensions-01"),
             EXTENSION_TRANSPORT_CC);
}

static void unknown_uri_is_none(void)
{
    CHECK_EQ(by_uri("urn:ietf:params:rtp-hdrext:toffset"), EXTENSION_COUNT);
    CHECK_EQ(by_uri("urn:ietf:params:rtp-hdrext:sdes:mi"), EXTENSION_COUNT);
    CHECK_EQ(by_uri("urn:ietf:params:rtp-hdrext:sdes:mid "), EXTENSION_COUNT);
    CHECK_EQ(by_uri(""), EXTENSION_COUNT);
}

static void uri_need_not_end_where_the_line_does(void)
{
    static const char line[] = "urn:3gpp:video-orientation some attributes";

    CHECK_EQ(extension_by_uri(line, strlen("urn:3gpp:video-orientation")),
             EXTENSION_VIDEO_ORIENTATION);
}

TAP_CASES(CASE(every_extension_is_found_by_its_uri), CASE(browsers_name_them_so),
          CASE(unknown_uri_is_none), CASE(uri_need_not_end_where_the_line_does))
