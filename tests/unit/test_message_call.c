#include "signaling/message.h"

#include "tests/tap.h"

#include <errno.h>

static struct message message, error;

static int parse(const char *json)
{
    return message_parse(&message, json, strlen(json), &error);
}

static void check_round_trip(const char *json)
{
    struct text text;

    CHECK_EQ(parse(json), 0);
    text_init(&text, MESSAGE_MAX_BYTES);
    CHECK_EQ(message_write(&text, &message), 0);
    CHECK_STR(text_str(&text), json);
    text_done(&text);
    message_done(&message);
}

static void check_refused(const char *json, const char *code, const char *words)
{
    CHECK_EQ(parse(json), -EBADMSG);
    CHECK_STR(error.code, code);
    if (!strstr(error.text, words))
        printf("# \"%s\" does not say \"%s\"\n", error.text, words);
    CHECK(strstr(error.text, words));
}

static void messages_of_calls_survive_a_round_trip(void)
{
    static const char *const texts[] = {
        "{\"t\":\"call\",\"id\":7,\"to\":\"p-00000005\",\"media\":\"video\"}",
        "{\"t\":\"call\",\"seq\":9,\"call\":\"c-0000001f\",\"from\":\"p-0000002a\",\"name\":\"Ada\","
        "\"media\":\"audio\"}",
        "{\"t\":\"ok\",\"re\":7,\"call\":\"c-0000001f\"}",
        "{\"t\":\"ringing\",\"id\":3,\"call\":\"c-0000001f\"}",
        "{\"t\":\"ringing\",\"seq\":10,\"call\":\"c-0000001f\"}",
        "{\"t\":\"accept\",\"id\":4,\"call\":\"c-ffffffff\"}",
        "{\"t\":\"reject\",\"id\":4,\"call\":\"c-0000001f\",\"reason\":\"busy\","
        "\"message\":\"in a meeting\"}",
        "{\"t\":\"cancel\",\"id\":8,\"call\":\"c-0000001f\"}",
        "{\"t\":\"end\",\"id\":9,\"call\":\"c-0000001f\",\"reason\":\"failed\"}",
        "{\"t\":\"end\",\"id\":9,\"call\":\"c-0000001f\"}",
        "{\"t\":\"accepted\",\"seq\":11,\"call\":\"c-0000001f\",\"role\":\"caller\","
        "\"peer\":\"p-00000005\",\"media\":\"video\"}",
        "{\"t\":\"ended\",\"seq\":15,\"call\":\"c-0000001f\",\"code\":\"timeout\","
        "\"message\":\"nobody answered\"}",
        "{\"t\":\"room\",\"seq\":12,\"mode\":\"sfu\"}",
        "{\"t\":\"room\",\"seq\":12,\"mode\":\"direct\",\"role\":\"callee\"}",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        check_round_trip(texts[i]);
}

static void join_needs_no_offer(void)
{
    check_round_trip(
        "{\"t\":\"join\",\"id\":1,\"room\":\"tea\",\"mode\":\"direct\",\"tracks\":[]}");
    CHECK_EQ(parse("{\"t\":\"join\",\"id\":1,\"room\":\"tea\"}"), 0);
    CHECK(!message.sdp);
    CHECK_EQ(message.call.mode, ROOM_SFU);
    message_done(&message);
    check_round_trip("{\"t\":\"joined\",\"re\":1,\"seq\":1,\"room\":\"tea\",\"you\":\"p-0000002a\","
                     "\"mode\":\"direct\",\"role\":\"caller\",\"tracks\":[],\"participants\":[],"
                     "\"ice_servers\":[],"
                     "\"limits\":{\"audio_slots\":0,\"video_slots\":0,\"tracks\":0}}");
}

static void a_snapshot_says_what_the_room_is(void)
{
    check_round_trip("{\"t\":\"resumed\",\"re\":1,\"seq\":23,\"you\":\"p-0000002a\","
                     "\"replayed\":false,\"ice_servers\":[],\"mode\":\"direct\","
                     "\"role\":\"callee\",\"tracks\":[],\"participants\":[]}");
}

static void data_is_relayed_as_it_is(void)
{
    check_round_trip("{\"t\":\"relay\",\"id\":1,\"to\":\"p-00000005\",\"data\":{\"type\":\"offer\","
                     "\"sdp\":\"v=0\\r\\n\",\"x\":[1,2.5,null,true,{\"\\u0001\":\"\xC3\xA4\"}]}}");
    check_round_trip("{\"t\":\"relay\",\"seq\":4,\"from\":\"p-00000005\",\"data\":{}}");
}

static void relayed_data_are_bounded(void)
{
    static const char head[] = "{\"t\":\"relay\",\"id\":6,\"to\":\"p-00000005\",\"data\":{\"x\":\"";
    size_t most = MESSAGE_RELAY_MAX - strlen("{\"x\":\"\"}");

    for (size_t more = 0; more < 2; more++) {
        struct text text;

        text_init(&text, MESSAGE_MAX_BYTES);
        text_append(&text, head);
        for (size_t i = 0; i < most + more; i++)
            text_append(&text, "a");
        text_append(&text, "\"}}");
        CHECK_EQ(parse(text_str(&text)), more ? -EBADMSG : 0);
        if (more)
            CHECK_STR(error.code, "relay_too_large");
        else
            CHECK_EQ(message.call.data_len, MESSAGE_RELAY_MAX);
        CHECK_EQ(more ? error.id : message.id, 6);
        if (!more)
            message_done(&message);
        text_done(&text);
    }
}

static void what_cannot_be_right_is_refused(void)
{
    static const struct {
        const char *json, *words;
    } rows[] = {
        {"{\"t\":\"call\",\"id\":1}", "to is no id"},
        {"{\"t\":\"call\",\"id\":1,\"to\":\"Ada\"}", "to is no id"},
        {"{\"t\":\"call\",\"id\":1,\"to\":\"p-00000005\",\"media\":\"smell\"}", "media"},
        {"{\"t\":\"call\",\"from\":\"p-00000005\"}", "call is no id"},
        {"{\"t\":\"accept\",\"id\":1}", "call is no id"},
        {"{\"t\":\"accept\",\"id\":1,\"call\":\"c-00000000\"}", "call is no id"},
        {"{\"t\":\"accept\",\"id\":1,\"call\":\"p-00000001\"}", "call is no id"},
        {"{\"t\":\"reject\",\"id\":1,\"call\":\"c-00000001\",\"reason\":\"no way\"}", "reason"},
        {"{\"t\":\"relay\",\"id\":1,\"to\":\"p-00000005\"}", "data is no object"},
        {"{\"t\":\"relay\",\"id\":1,\"to\":\"p-00000005\",\"data\":\"v=0\"}", "data is no object"},
        {"{\"t\":\"relay\",\"id\":1,\"data\":{}}", "to is no id"},
        {"{\"t\":\"join\",\"id\":1,\"room\":\"r\",\"mode\":\"p2p\"}", "mode"},
        {"{\"t\":\"accepted\",\"call\":\"c-00000001\",\"peer\":\"p-00000001\"}", "role is missing"},
        {"{\"t\":\"accepted\",\"call\":\"c-00000001\",\"peer\":\"p-00000001\",\"role\":\"x\"}",
         "role"},
        {"{\"t\":\"ended\",\"call\":\"c-00000001\"}", "code is missing"},
        {"{\"t\":\"room\"}", "mode is missing"},
        {"{\"t\":\"ok\",\"re\":1,\"call\":7}", "call"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_refused(rows[i].json, "bad_field", rows[i].words);
}

TAP_CASES(CASE(messages_of_calls_survive_a_round_trip), CASE(join_needs_no_offer),
          CASE(a_snapshot_says_what_the_room_is), CASE(data_is_relayed_as_it_is),
          CASE(relayed_data_are_bounded), CASE(what_cannot_be_right_is_refused))
