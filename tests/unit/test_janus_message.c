#include "bench/janus_message.h"
#include "tests/tap.h"

#include <errno.h>

static struct janus_message m;

static int parse(const char *text)
{
    return janus_message_parse(&m, text, strlen(text));
}

static void ids_of_sessions_and_handles_are_read(void)
{
    CHECK_EQ(
        parse("{\"janus\":\"success\",\"transaction\":\"t\",\"data\":{\"id\":4523737362787898}}"),
        0);
    CHECK_EQ(m.kind, JANUS_SUCCESS);
    CHECK(m.id == UINT64_C(4523737362787898));
    janus_message_done(&m);
}

static void joining_gives_the_feed(void)
{
    CHECK_EQ(parse("{\"janus\":\"event\",\"sender\":2,\"plugindata\":{\"plugin\":"
                   "\"janus.plugin.videoroom\",\"data\":{\"videoroom\":\"joined\",\"room\":47,"
                   "\"id\":3001,\"private_id\":77,\"publishers\":[]}}}"),
             0);
    CHECK_EQ(m.kind, JANUS_JOINED);
    CHECK_EQ(m.id, 3001);
    janus_message_done(&m);
}

static void offers_and_answers_come_with_their_sdp(void)
{
    CHECK_EQ(parse("{\"janus\":\"event\",\"plugindata\":{\"data\":{\"videoroom\":\"attached\"}},"
                   "\"jsep\":{\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\"}}"),
             0);
    CHECK_EQ(m.kind, JANUS_ATTACHED);
    CHECK_STR(m.sdp, "v=0\r\n");
    janus_message_done(&m);
    CHECK_EQ(parse("{\"janus\":\"event\",\"plugindata\":{\"data\":{\"videoroom\":\"event\","
                   "\"configured\":\"ok\"}},\"jsep\":{\"type\":\"answer\",\"sdp\":\"v=0\"}}"),
             0);
    CHECK_EQ(m.kind, JANUS_EVENT);
    CHECK_STR(m.sdp, "v=0");
    janus_message_done(&m);
}

static void errors_of_janus_and_of_the_plugin_are_told(void)
{
    CHECK_EQ(parse("{\"janus\":\"error\",\"error\":{\"code\":458,\"reason\":\"No such session\"}}"),
             0);
    CHECK_EQ(m.kind, JANUS_ERROR);
    CHECK_EQ(m.error_code, 458);
    CHECK_STR(m.error, "No such session");
    CHECK_EQ(parse("{\"janus\":\"success\",\"plugindata\":{\"data\":{\"videoroom\":\"event\","
                   "\"error_code\":427,\"error\":\"Room 1 already exists\"}}}"),
             0);
    CHECK_EQ(m.kind, JANUS_ERROR);
    CHECK_EQ(m.error_code, JANUS_ROOM_EXISTS);
    CHECK_EQ(parse("{\"janus\":\"hangup\",\"reason\":\"DTLS alert\"}"), 0);
    CHECK_EQ(m.kind, JANUS_HANGUP);
    CHECK_STR(m.error, "DTLS alert");
}

static void what_is_of_no_interest_is_other(void)
{
    static const char *const texts[] = {
        "{\"janus\":\"ack\"}",
        "{\"janus\":\"webrtcup\",\"sender\":1}",
        "{\"janus\":\"media\",\"type\":\"audio\",\"receiving\":true}",
        "{\"janus\":\"\"}",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        CHECK_EQ(parse(texts[i]), 0);
        CHECK_EQ(m.kind, JANUS_OTHER);
    }
}

static void what_is_no_message_is_refused(void)
{
    CHECK_EQ(parse(""), -EBADMSG);
    CHECK_EQ(parse("[]"), -EBADMSG);
    CHECK_EQ(parse("{\"janus\":5}"), -EBADMSG);
    CHECK_EQ(parse("{\"janus\":\"success\""), -EBADMSG);
}

static void fields_of_wrong_types_do_no_harm(void)
{
    CHECK_EQ(parse("{\"janus\":\"success\",\"data\":[],\"plugindata\":7,\"jsep\":{\"sdp\":1}}"), 0);
    CHECK_EQ(m.kind, JANUS_SUCCESS);
    CHECK_EQ(m.id, 0);
    CHECK(m.sdp == NULL);
    CHECK_EQ(parse("{\"janus\":\"success\",\"data\":{\"id\":-4}}"), 0);
    CHECK_EQ(m.id, 0);
}

static void check_text(char *text, const char *expected)
{
    CHECK_STR(text, expected);
    free(text);
}

static void requests_are_as_janus_wants_them(void)
{
    static const uint64_t feeds[] = {3001, 3002};
    struct janus_address nobody = {0};
    struct janus_address handle = {.session = 10, .handle = 20};

    check_text(janus_request(&nobody, "create"),
               "{\"janus\":\"create\",\"transaction\":\"create\"}");
    check_text(janus_request(&(struct janus_address){.session = 10}, "attach"),
               "{\"janus\":\"attach\",\"transaction\":\"attach\",\"session_id\":10,"
               "\"plugin\":\"janus.plugin.videoroom\"}");
    check_text(janus_request_join(&handle, 47),
               "{\"janus\":\"message\",\"transaction\":\"message\",\"session_id\":10,"
               "\"handle_id\":20,\"body\":{\"request\":\"join\",\"ptype\":\"publisher\","
               "\"room\":47}}");
    check_text(janus_request_subscribe(&handle, 47, feeds, 2),
               "{\"janus\":\"message\",\"transaction\":\"message\",\"session_id\":10,"
               "\"handle_id\":20,\"body\":{\"request\":\"join\",\"ptype\":\"subscriber\","
               "\"room\":47,\"streams\":[{\"feed\":3001},{\"feed\":3002}]}}");
    check_text(janus_request_sdp(&handle, "start", "v=0\r\n"),
               "{\"janus\":\"message\",\"transaction\":\"message\",\"session_id\":10,"
               "\"handle_id\":20,\"body\":{\"request\":\"start\"},"
               "\"jsep\":{\"type\":\"answer\",\"sdp\":\"v=0\\r\\n\"}}");
}

TAP_CASES(CASE(ids_of_sessions_and_handles_are_read), CASE(joining_gives_the_feed),
          CASE(offers_and_answers_come_with_their_sdp),
          CASE(errors_of_janus_and_of_the_plugin_are_told), CASE(what_is_of_no_interest_is_other),
          CASE(what_is_no_message_is_refused), CASE(fields_of_wrong_types_do_no_harm),
          CASE(requests_are_as_janus_wants_them))
