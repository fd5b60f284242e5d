#include "signaling/sdp_fragment.h"

#include "tests/tap.h"

#include <errno.h>

#define PWD    "bP+XJMM09aR8AiX1jdukzR6Y"
#define WORDS  "a=ice-ufrag:EsAw\r\na=ice-pwd:" PWD "\r\n"
#define M_LINE "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n"

static struct sdp_fragment fragment;
static struct negotiation_error error;

static int fragment_of(const char *text)
{
    error = (struct negotiation_error){0};
    return sdp_fragment_read(&fragment, text, strlen(text), &error);
}

static void candidates_are_read_with_their_credentials(void)
{
    CHECK_EQ(fragment_of("a=group:BUNDLE 0 1\r\n" M_LINE WORDS
                         "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host "
                         "generation 0 ufrag EsAw network-id 1\r\n"
                         "a=candidate:473322822 1 tcp 1518280447 192.0.2.1 9 typ host tcptype "
                         "active generation 0 ufrag EsAw network-id 1\r\n"
                         "a=end-of-candidates\r\n"),
             0);
    CHECK_STR(fragment.ufrag, "EsAw");
    CHECK_STR(fragment.pwd, PWD);
    CHECK_STR(fragment.mid, "0");
    CHECK_EQ(fragment.n_candidates, 2);
    CHECK_STR(fragment.candidates[0].address, "192.0.2.1");
    CHECK_EQ(fragment.candidates[0].port, 61764);
    CHECK(fragment.candidates[1].tcp);
}

static void credentials_may_stand_before_all_m_lines(void)
{
    CHECK_EQ(fragment_of(WORDS), 0);
    CHECK_STR(fragment.ufrag, "EsAw");
    CHECK_STR(fragment.mid, "");
    CHECK_EQ(fragment_of(WORDS M_LINE "a=end-of-candidates\r\n"), 0);
    CHECK_STR(fragment.pwd, PWD);
    CHECK_STR(fragment.mid, "0");
}

static void credentials_may_be_left_out(void)
{
    CHECK_EQ(fragment_of(M_LINE "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\n"), 0);
    CHECK_STR(fragment.ufrag, "");
    CHECK_EQ(fragment.n_candidates, 1);
}

static void candidates_that_are_of_no_use_are_passed_over(void)
{
    CHECK_EQ(fragment_of(M_LINE WORDS "a=candidate:1 1 sctp 1 192.0.2.1 1 typ host\r\n"
                                      "a=candidate:1 1 udp 1 3d3f2b2e.local 1 typ host\r\n"
                                      "a=candidate:1 2 udp 1 192.0.2.1 1 typ host\r\n"),
             0);
    CHECK_EQ(fragment.n_candidates, 0);
}

static void the_first_m_line_that_tells_counts(void)
{
    CHECK_EQ(fragment_of("m=audio 9 UDP/TLS/RTP/SAVPF 111\na=mid:0\n"
                         "m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:1\n" WORDS),
             0);
    CHECK_STR(fragment.mid, "1");
    CHECK_STR(fragment.ufrag, "EsAw");
}

static void what_is_malformed_is_refused(void)
{
    static const char *const texts[] = {
        "",
        "hello",
        "a=end-of-candidates\r\n",
        M_LINE "a=ice-ufrag:EsAw\r\n",
        M_LINE "a=ice-pwd:" PWD "\r\n",
        M_LINE WORDS "a=candidate:1 1 udp\r\n",
        M_LINE WORDS "a=candidate:1 1 udp x 192.0.2.1 1 typ host\r\n",
        "m=audio\r\n" WORDS,
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\x01\r\n" WORDS,
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CHECK_EQ(fragment_of(texts[i]), -EBADMSG);
        CHECK(error.code[0] && error.message[0]);
    }
}

static void a_fragment_has_an_end(void)
{
    static char text[SDP_MAX_BYTES];

    memset(text, '\n', sizeof(text));
    memcpy(text, WORDS, strlen(WORDS));
    CHECK_EQ(sdp_fragment_read(&fragment, text, sizeof(text) - 16, &error), 0);
    CHECK_EQ(sdp_fragment_read(&fragment, text, sizeof(text), &error), -E2BIG);
}

static void what_is_written_can_be_read(void)
{
    struct plan_section sections[] = {
        {.use = SECTION_REJECTED, .mid = "0"},
        {.use = SECTION_SLOT,
         .kind = KIND_VIDEO,
         .mid = "1",
         .codecs = {{.pt = 96}},
         .n_codecs = 1},
        {.use = SECTION_SLOT,
         .kind = KIND_AUDIO,
         .mid = "2",
         .codecs = {{.pt = 111}},
         .n_codecs = 1},
    };
    struct media_plan plan = {.n_sections = 3, .sections = sections};
    struct negotiation_local local = {
        .ufrag = "0abc",
        .pwd = PWD,
        .ice_lite = true,
        .n_candidates = 1,
        .candidates = {{.foundation = "1",
                        .component = 1,
                        .priority = 7,
                        .address = "192.0.2.1",
                        .port = 7882,
                        .type = "host"}},
    };
    struct text text;

    text_init(&text, 4096);
    sdp_fragment_write(&text, &local, &plan);
    CHECK_STR(text_str(&text), "a=ice-lite\r\n"
                               "a=group:BUNDLE 1 2\r\n"
                               "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
                               "a=mid:1\r\n"
                               "a=ice-ufrag:0abc\r\n"
                               "a=ice-pwd:" PWD "\r\n"
                               "a=candidate:1 1 udp 7 192.0.2.1 7882 typ host\r\n"
                               "a=end-of-candidates\r\n");
    CHECK_EQ(fragment_of(text_str(&text)), 0);
    CHECK_STR(fragment.ufrag, "0abc");
    CHECK_EQ(fragment.n_candidates, 1);
    text_done(&text);
}

TAP_CASES(CASE(candidates_are_read_with_their_credentials),
          CASE(credentials_may_stand_before_all_m_lines), CASE(credentials_may_be_left_out),
          CASE(candidates_that_are_of_no_use_are_passed_over),
          CASE(the_first_m_line_that_tells_counts), CASE(what_is_malformed_is_refused),
          CASE(a_fragment_has_an_end), CASE(what_is_written_can_be_read))
