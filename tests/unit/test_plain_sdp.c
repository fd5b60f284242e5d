#include "bench/plain_sdp.h"
#include "tests/tap.h"

static void check_plain(const char *sdp, const char *plain)
{
    struct text out;

    text_init(&out, 4096);
    plain_sdp_append(&out, sdp);
    CHECK_STR(text_str(&out), plain);
    text_done(&out);
}

static void extensions_and_their_feedback_are_left_out(void)
{
    check_plain("v=0\r\n"
                "a=extmap-allow-mixed\r\n"
                "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
                "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
                "a=mid:0\r\n"
                "a=rtcp-fb:96 nack\r\n"
                "a=rtcp-fb:96 transport-cc\r\n"
                "a=rtcp-fb:96 nack pli\r\n",
                "v=0\r\n"
                "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
                "a=mid:0\r\n"
                "a=rtcp-fb:96 nack\r\n"
                "a=rtcp-fb:96 nack pli\r\n");
}

static void an_unfinished_last_line_is_kept(void)
{
    check_plain("a=extmap:1 x\na=mid:0", "a=mid:0");
    check_plain("a=mid:0\na=extmap:1 x", "a=mid:0\n");
    check_plain("", "");
}

TAP_CASES(CASE(extensions_and_their_feedback_are_left_out), CASE(an_unfinished_last_line_is_kept))
