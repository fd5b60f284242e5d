#include "client/options.h"

#include "tests/tap.h"

#include <errno.h>

enum { MAX_ARGS = 16 };

static char error[OPTIONS_ERROR_MAX + 1];

/* Parse words that blanks separate. */
static int parse(struct options *ret, const char *line)
{
    static char words[512];
    char *argv[MAX_ARGS] = {words};
    int argc = 0;

    (void)snprintf(words, sizeof(words), "sluice-client %s", line);
    error[0] = '\0';
    for (char *c = words; *c && argc < MAX_ARGS;) {
        argv[argc++] = c;
        c += strcspn(c, " ");
        while (*c == ' ')
            *c++ = '\0';
    }
    return options_parse(ret, argc, argv, error);
}

static void a_room_is_all_it_takes(void)
{
    struct options o;

    CHECK_EQ(parse(&o, "--room demo"), 0);
    CHECK_STR(o.room, "demo");
    CHECK_STR(o.server, "ws://127.0.0.1:8080/ws");
    CHECK_EQ(o.audio_slots, 8);
    CHECK_EQ(o.video_slots, 0);
    CHECK_EQ(o.bitrate_bps, 32000);
    CHECK_EQ(o.loss_percent, 10);
    CHECK(!o.send && !o.stats);
}

static void a_value_follows_its_option_or_an_equals_sign(void)
{
    struct options o;

    CHECK_EQ(parse(&o, "--room=demo --send tone:440 --for=2.5 --name=Ada"), 0);
    CHECK_STR(o.room, "demo");
    CHECK_STR(o.send, "tone:440");
    CHECK_STR(o.name, "Ada");
    CHECK(o.for_s > 2.49 && o.for_s < 2.51);
}

static void direct_calls_have_a_side(void)
{
    struct options o;

    CHECK_EQ(parse(&o, "--room a --call Ada"), 0);
    CHECK_STR(o.callee, "Ada");
    CHECK_EQ(parse(&o, "--room a --answer"), 0);
    CHECK(o.answer);
    CHECK_EQ(parse(&o, "--room a --mode direct"), 0);
    CHECK(o.direct_room);
    CHECK_EQ(parse(&o, "--room a --mode sfu"), 0);
    CHECK(!o.direct_room);
    CHECK_EQ(parse(&o, "--room a --mode p2p"), -EINVAL);
    CHECK_EQ(parse(&o, "--room a --mode direct --answer"), -EINVAL);
}

static void a_server_is_completed(void)
{
    struct options o;

    CHECK_EQ(parse(&o, "--room a --server example.org:80"), 0);
    CHECK_STR(o.server, "ws://example.org:80/ws");
    CHECK_EQ(parse(&o, "--room a --server http://example.org/"), 0);
    CHECK_STR(o.server, "ws://example.org/ws");
    CHECK_EQ(parse(&o, "--room a --server ws://example.org/other"), 0);
    CHECK_STR(o.server, "ws://example.org/other");
    CHECK_EQ(parse(&o, "--room a --server wss://example.org"), 0);
    CHECK_STR(o.server, "wss://example.org/ws");
    CHECK_EQ(parse(&o, "--room a --server https://example.org:8443/ --ca ca.pem"), 0);
    CHECK_STR(o.server, "wss://example.org:8443/ws");
    CHECK_STR(o.ca, "ca.pem");
    CHECK(!o.insecure);
    CHECK_EQ(parse(&o, "--room a --server ftp://example.org"), -EINVAL);
    CHECK_EQ(parse(&o, "--room a --server ws://"), -EINVAL);
}

static void slots_are_audio_and_video(void)
{
    struct options o;

    CHECK_EQ(parse(&o, "--room a --slots 3"), 0);
    CHECK_EQ(o.audio_slots, 3);
    CHECK_EQ(o.video_slots, 0);
    CHECK_EQ(parse(&o, "--room a --slots 0,60"), 0);
    CHECK_EQ(o.audio_slots, 0);
    CHECK_EQ(o.video_slots, 60);
    CHECK_EQ(parse(&o, "--room a --slots 61"), -EINVAL);
    CHECK_EQ(parse(&o, "--room a --slots 1,"), -EINVAL);
    CHECK_EQ(parse(&o, "--room a --slots ,1"), -EINVAL);
    CHECK_EQ(parse(&o, "--room a --slots 123456789"), -EINVAL);
}

static void receiving_video_opens_slots_for_it(void)
{
    struct options o;

    CHECK_EQ(parse(&o, "--room a --receive-video"), 0);
    CHECK_EQ(o.video_slots, 4);
    CHECK_EQ(parse(&o, "--room a --record-video d --slots 1,9"), 0);
    CHECK(o.receive_video);
    CHECK_EQ(o.video_slots, 9);
    CHECK_EQ(parse(&o, "--room a --record-video d --slots 1,0"), -EINVAL);
}

static void stereo_costs_twice_as_much(void)
{
    struct options o;

    CHECK_EQ(parse(&o, "--room a --stereo"), 0);
    CHECK_EQ(o.bitrate_bps, 64000);
    CHECK_EQ(parse(&o, "--room a --stereo --bitrate 24000"), 0);
    CHECK_EQ(o.bitrate_bps, 24000);
}

static void json_is_statistics(void)
{
    struct options o;

    CHECK_EQ(parse(&o, "--room a --json"), 0);
    CHECK(o.stats && o.json);
}

static void a_turn_server_comes_with_its_password(void)
{
    struct options o;

    CHECK_EQ(parse(&o, "--room a --turn turn:h?transport=tcp --turn-user u --turn-pass p "
                       "--relay-only"),
             0);
    CHECK(o.has_turn && o.turn.kind == ICE_URL_TURN_TCP && o.relay_only);
    CHECK_STR(o.turn_password, "p");
    CHECK_EQ(parse(&o, "--room a --turn turn:h --turn-user u"), -EINVAL);
    CHECK_EQ(parse(&o, "--room a --turn-user u --turn-pass p"), -EINVAL);
    CHECK_EQ(parse(&o, "--room a --relay-only"), 0); /* by the server's */
    CHECK_EQ(parse(&o, "--room a --turn turns:h --turn-user u --turn-pass p"), 0);
    CHECK_EQ(o.turn.kind, ICE_URL_TURN_TLS);
    CHECK_EQ(parse(&o, "--room a --turn turns:h?transport=udp --turn-user u --turn-pass p"),
             -EINVAL);
    CHECK(strstr(error, "DTLS"));
}

static void help_needs_nothing_else(void)
{
    struct options o;
    struct text text;

    CHECK_EQ(parse(&o, "--help"), 0);
    CHECK(o.help);
    CHECK_EQ(parse(&o, "-h"), 0);
    CHECK(o.help);
    CHECK_EQ(parse(&o, "--version"), 0);
    CHECK(o.version);
    text_init(&text, 65536);
    options_help(&text);
    CHECK(text_ok(&text));
    CHECK(strstr(text_str(&text), "--record-each DIR"));
    text_done(&text);
}

static void what_is_wrong_is_named(void)
{
    static const char *const lines[][2] = {
        {"", "--room"},
        {"--room a --nonsense", "--nonsense"},
        {"--room a b", "unknown option: b"},
        {"--room a --send", "--send needs a value"},
        {"--room a --loop=1", "--loop takes no value"},
        {"--room a/b", "--room"},
        {"--room a --bitrate 5999", "--bitrate"},
        {"--room a --bitrate 32k", "--bitrate"},
        {"--room a --loss-perc 101", "--loss-perc"},
        {"--room a --for 0", "--for"},
        {"--room a --for nan", "--for"},
        {"--room a --stun h:x", "--stun"},
        {"--room a --loop", "--loop"},
        {"--room a --slots 0 --record x", "--record"},
        {"--room a --log-level loud", "--log-level"},
        {"--room a --view 320x180", "--receive-video"},
        {"--room a --receive-video --view 320", "--view"},
        {"--room a --receive-video --view 0x180", "--view"},
        {"--room a --receive-video --view 16385x180", "--view"},
        {"--room a --receive-video --view 320x180@0", "--view"},
        {"--room a --receive-video --view 320x180@241", "--view"},
        {"--room a --receive-video --view 320x180@15@15", "--view"},
        {"--room a --receive-video --view x180", "--view"},
        {"--room a --receive-video --view 320x", "--view"},
        {"--room a --receive-video --view 320x180@", "--view"},
    };
    struct options o;

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        CHECK_EQ(parse(&o, lines[i][0]), -EINVAL);
        CHECK(strstr(error, lines[i][1]) != NULL);
    }
}

static void a_view_is_a_size_and_maybe_a_rate(void)
{
    struct options o;

    CHECK_EQ(parse(&o, "--room a --receive-video"), 0);
    CHECK(!o.has_view);
    CHECK_EQ(parse(&o, "--room a --receive-video --view 320x180"), 0);
    CHECK(o.has_view && !o.view.paused);
    CHECK_EQ(o.view.width, 320);
    CHECK_EQ(o.view.height, 180);
    CHECK_EQ(o.view.fps, 0);
    CHECK_EQ(parse(&o, "--room a --slots 1,1 --view 16384x1@240"), 0);
    CHECK_EQ(o.view.width, MESSAGE_VIEW_SIDE_MAX);
    CHECK_EQ(o.view.fps, 240);
    CHECK_EQ(parse(&o, "--room a --receive-video --view none"), 0);
    CHECK(o.view.paused);
}

TAP_CASES(CASE(a_view_is_a_size_and_maybe_a_rate), CASE(a_room_is_all_it_takes),
          CASE(a_value_follows_its_option_or_an_equals_sign), CASE(direct_calls_have_a_side),
          CASE(a_server_is_completed), CASE(slots_are_audio_and_video),
          CASE(receiving_video_opens_slots_for_it), CASE(stereo_costs_twice_as_much),
          CASE(json_is_statistics), CASE(a_turn_server_comes_with_its_password),
          CASE(help_needs_nothing_else), CASE(what_is_wrong_is_named))
