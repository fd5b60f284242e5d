#include "signaling/message_peer.h"

#include "tests/tap.h"

#include <errno.h>

static struct message_peer message;

static int parse(const char *json)
{
    return message_peer_parse(&message, json, strlen(json));
}

static void offers_and_answers_are_read(void)
{
    CHECK_EQ(parse("{\"type\":\"offer\",\"n\":3,\"sdp\":\"v=0\\r\\n\",\"tracks\":[]}"), 0);
    CHECK_EQ(message.type, PEER_OFFER);
    CHECK_EQ(message.n, 3);
    CHECK_STR(message.sdp, "v=0\r\n");
    message_peer_done(&message);
    CHECK_EQ(parse("{\"type\":\"answer\",\"sdp\":\"v=0\"}"), 0); /* of a browser's own toJSON() */
    CHECK_EQ(message.type, PEER_ANSWER);
    CHECK_EQ(message.n, 0);
    message_peer_done(&message);
}

static void candidates_are_read_until_there_are_no_more(void)
{
    CHECK_EQ(parse("{\"type\":\"candidate\",\"candidate\":{\"candidate\":\"candidate:1 1 udp 2 "
                   "192.0.2.1 4 typ host\",\"sdpMid\":\"0\"}}"),
             0);
    CHECK_STR(message.candidate, "candidate:1 1 udp 2 192.0.2.1 4 typ host");
    CHECK_EQ(parse("{\"type\":\"candidate\",\"candidate\":{\"candidate\":\"\"}}"), 0);
    CHECK_STR(message.candidate, "");
    CHECK_EQ(parse("{\"type\":\"candidate\",\"candidate\":null}"), 0);
    CHECK_EQ(message.type, PEER_CANDIDATE);
    CHECK_STR(message.candidate, "");
}

static void what_is_of_no_use_is_no_error(void)
{
    CHECK_EQ(parse("{\"type\":\"mute\",\"source\":\"camera\",\"muted\":true}"), 0);
    CHECK_EQ(message.type, PEER_OTHER);
    CHECK_EQ(parse("{\"x\":1}"), 0);
    CHECK_EQ(message.type, PEER_OTHER);
}

static void what_is_not_what_it_says_is_refused(void)
{
    static const char *const texts[] = {
        "",
        "[]",
        "7",
        "{\"type\":\"offer\"}",
        "{\"type\":\"offer\",\"sdp\":7}",
        "{\"type\":\"offer\",\"sdp\":\"v\",\"n\":-1}",
        "{\"type\":\"candidate\",\"candidate\":7}",
        "{\"type\":\"candidate\",\"candidate\":{\"candidate\":\"a\\r\\nb\"}}",
    };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        CHECK_EQ(parse(texts[i]), -EBADMSG);
}

static void what_is_written_says_which_line_carries_what(void)
{
    struct message_peer m = {.type = PEER_OFFER, .n = 1, .sdp = strdup("v=0"), .n_tracks = 1};
    struct text text;

    m.tracks[0] = (struct message_track_offer){"0", KIND_AUDIO, "microphone", false};
    text_init(&text, 1000);
    CHECK_EQ(message_peer_write(&text, &m), 0);
    CHECK_STR(text_str(&text),
              "{\"type\":\"offer\",\"n\":1,\"sdp\":\"v=0\",\"tracks\":[{\"mid\":\"0\","
              "\"kind\":\"audio\",\"source\":\"microphone\",\"muted\":false}]}");
    text_done(&text);
    message_peer_done(&m);
}

TAP_CASES(CASE(offers_and_answers_are_read), CASE(candidates_are_read_until_there_are_no_more),
          CASE(what_is_of_no_use_is_no_error), CASE(what_is_not_what_it_says_is_refused),
          CASE(what_is_written_says_which_line_carries_what))
