#include "signaling/message.h"

#include "tests/tap.h"

#include <errno.h>

static struct message message, error;
static struct text text;

static int parse(const char *json)
{
    return message_parse(&message, json, strlen(json), &error);
}

/* Parse, write, and compare. */
static void check_round_trip(const char *json)
{
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
    CHECK_EQ(error.type, MESSAGE_ERROR);
    CHECK_STR(error.code, code);
    if (!strstr(error.text, words))
        printf("# \"%s\" does not say \"%s\"\n", error.text, words);
    CHECK(strstr(error.text, words));
}

static void requests_survive_a_round_trip(void)
{
    check_round_trip(
        "{\"t\":\"join\",\"id\":1,\"room\":\"demo\",\"name\":\"Ada\",\"offer\":\"v=0\\r\\n\","
        "\"tracks\":[{\"mid\":\"0\",\"kind\":\"audio\",\"source\":\"microphone\","
        "\"muted\":false},{\"mid\":\"1\",\"kind\":\"video\",\"source\":\"screen\","
        "\"muted\":true}]}");
    check_round_trip("{\"t\":\"offer\",\"id\":2,\"n\":2,\"sdp\":\"v=0\\r\\n\",\"tracks\":[]}");
    check_round_trip("{\"t\":\"mute\",\"id\":3,\"track\":\"t-00000007\",\"muted\":true}");
    check_round_trip("{\"t\":\"ping\",\"id\":9007199254740991}");
    check_round_trip("{\"t\":\"leave\"}");
}

static void replies_and_events_survive_a_round_trip(void)
{
    check_round_trip(
        "{\"t\":\"joined\",\"re\":1,\"seq\":1,\"room\":\"demo\",\"you\":\"p-0000002a\",\"answer\":\"v=0\","
        "\"tracks\":[{\"id\":\"t-00000007\",\"mid\":\"0\",\"kind\":\"audio\",\"source\":\"microphone\","
        "\"muted\":false,\"max_bps\":40000}],\"participants\":[{\"id\":\"p-00000001\",\"name\":\"Bob\",\"tracks\":["
        "{\"id\":\"t-00000003\",\"kind\":\"video\",\"source\":\"camera\",\"muted\":true}]}],"
        "\"ice_servers\":[{\"urls\":[\"turn:t.example\",\"stun:t.example\"],\"username\":\"u\","
        "\"credential\":\"c\"}],"
        "\"limits\":{\"audio_slots\":16,\"video_slots\":24,\"tracks\":8,\"audio_bps\":40000,"
        "\"camera_bps\":1500000,\"screen_bps\":4294967295,\"room_bps\":9000000}}");
    check_round_trip("{\"t\":\"answer\",\"re\":2,\"seq\":9,\"n\":2,\"sdp\":\"v=0\",\"tracks\":[]}");
    check_round_trip("{\"t\":\"limit\",\"seq\":5,\"track\":\"t-00000007\",\"max_bps\":4294967295}");
    check_round_trip("{\"t\":\"limit\",\"track\":\"t-00000007\",\"max_bps\":0}");
    check_round_trip("{\"t\":\"need\",\"seq\":5,\"audio\":6,\"video\":12}");
    check_round_trip(
        "{\"t\":\"slots\",\"seq\":4,\"epoch\":3,\"slots\":[{\"mid\":\"2\",\"track\":"
        "\"t-00000003\",\"participant\":\"p-00000001\"},{\"mid\":\"3\",\"track\":null}]}");
    check_round_trip("{\"t\":\"participant\",\"seq\":6,\"change\":\"join\",\"participant\":"
                     "{\"id\":\"p-00000005\",\"name\":\"Eve\",\"tracks\":[]}}");
    check_round_trip("{\"t\":\"participant\",\"seq\":7,\"change\":\"leave\",\"participant\":"
                     "{\"id\":\"p-00000005\"},\"code\":\"left\",\"message\":\"left the room\"}");
    check_round_trip(
        "{\"t\":\"track\",\"seq\":8,\"change\":\"update\",\"track\":{\"id\":\"t-00000008\","
        "\"participant\":\"p-00000001\",\"kind\":\"video\",\"source\":\"screen\","
        "\"muted\":true}}");
    check_round_trip(
        "{\"t\":\"track\",\"seq\":9,\"change\":\"leave\",\"track\":{\"id\":\"t-00000008\","
        "\"participant\":\"p-00000001\"}}");
    check_round_trip("{\"t\":\"go\",\"seq\":12,\"action\":\"leave\",\"code\":\"server_stopping\","
                     "\"message\":\"the server is stopping\"}");
    check_round_trip(
        "{\"t\":\"go\",\"seq\":13,\"action\":\"redirect\",\"url\":\"https://b.example/\","
        "\"code\":\"drained\"}");
    check_round_trip(
        "{\"t\":\"go\",\"seq\":14,\"action\":\"rejoin\",\"room\":\"other\",\"token\":\"a.b.c\","
        "\"after_ms\":1200,\"code\":\"moved\"}");
    check_round_trip(
        "{\"t\":\"track\",\"seq\":9,\"change\":\"update\",\"track\":{\"id\":\"t-00000008\","
        "\"participant\":\"p-00000001\",\"kind\":\"audio\",\"source\":\"microphone\","
        "\"muted\":true,\"muted_by\":\"admin\"}}");
    check_round_trip("{\"t\":\"ok\",\"re\":3}");
    check_round_trip("{\"t\":\"error\",\"re\":3,\"code\":\"busy\",\"message\":\"try again\","
                     "\"retry_after_ms\":1500}");
    check_round_trip("{\"t\":\"pong\",\"re\":4}");
}

static void messages_about_a_session_survive_a_round_trip(void)
{
    check_round_trip(
        "{\"t\":\"resume\",\"id\":1,\"seq\":17,\"session\":\"s-0000002a\",\"token\":\"Xk3f\"}");
    check_round_trip(
        "{\"t\":\"resumed\",\"re\":1,\"seq\":23,\"you\":\"p-0000002a\",\"replayed\":true,"
        "\"ice_servers\":[]}");
    check_round_trip(
        "{\"t\":\"resumed\",\"re\":1,\"seq\":23,\"you\":\"p-0000002a\",\"replayed\":false,"
        "\"ice_servers\":[{\"urls\":[\"stun:s.example\"]}],\"tracks\":[{\"id\":\"t-00000007\","
        "\"mid\":\"0\",\"kind\":\"audio\",\"source\":\"microphone\",\"muted\":false}],"
        "\"participants\":[{\"id\":\"p-00000001\",\"name\":\"Bob\",\"tracks\":[]}]}");
    check_refused("{\"t\":\"resume\",\"id\":1,\"token\":\"x\"}", "bad_field", "session");
    check_refused("{\"t\":\"resume\",\"id\":1,\"session\":\"s-1\"}", "bad_field", "token");
    CHECK_EQ(
        parse(
            "{\"t\":\"joined\",\"seq\":1,\"room\":\"demo\",\"you\":\"p-0000002a\",\"answer\":\"v=0\","
            "\"session\":{\"id\":\"s-0000002a\",\"token\":\"Xk3f\",\"resume_s\":30}}"),
        0);
    CHECK_STR(message.session.id, "s-0000002a");
    CHECK_STR(message.session.token, "Xk3f");
    CHECK_EQ(message.session.resume_s, 30);
    message_done(&message);
}

static void unknown_types_are_kept_by_name_and_id(void)
{
    CHECK_EQ(parse("{\"t\":\"dance\",\"id\":5,\"room\":7}"), 0);
    CHECK_EQ(message.type, MESSAGE_UNKNOWN);
    CHECK_STR(message.type_name, "dance");
    CHECK_EQ(message.id, 5);
    CHECK_EQ(
        parse("{\"t\":\"\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"
              "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\"}"),
        0);
    CHECK_EQ(strlen(message.type_name), 30);
}

static void unknown_fields_are_ignored(void)
{
    CHECK_EQ(
        parse(
            "{\"t\":\"mute\",\"x\":{\"y\":[1,2]},\"id\":1,\"track\":\"t-000000ff\",\"muted\":false}"),
        0);
    CHECK_EQ(message.track.id, 255);
}

static void defaults_fill_in_what_is_absent_or_null(void)
{
    CHECK_EQ(parse("{\"t\":\"join\",\"room\":\"r\",\"name\":null,\"offer\":\"v\",\"tracks\":["
                   "{\"mid\":\"0\",\"kind\":\"audio\"},{\"mid\":\"1\",\"kind\":\"video\"}]}"),
             0);
    CHECK_EQ(message.id, 0);
    CHECK_STR(message.name, "");
    CHECK_EQ(message.n, 1);
    CHECK_EQ(message.n_track_offers, 2);
    CHECK_STR(message.track_offers[0].source, "microphone");
    CHECK_STR(message.track_offers[1].source, "camera");
    CHECK(!message.track_offers[1].muted);
    message_done(&message);
}

static void an_error_names_the_field_and_the_request(void)
{
    check_refused("{\"id\":7}", "bad_field", "t is missing");
    CHECK_EQ(error.id, 7);
    check_refused("{\"t\":\"join\",\"id\":8,\"offer\":\"v\"}", "bad_field", "room is missing");
    CHECK_EQ(error.id, 8);
    check_refused("{\"t\":\"join\",\"room\":\"a b\",\"offer\":\"v\"}", "bad_field", "room");
    check_refused("{\"t\":\"join\",\"room\":\"..\",\"offer\":\"v\"}", "bad_field", "room");
    check_refused("{\"t\":\"join\",\"room\":\"r\",\"offer\":3}", "bad_field", "offer");
    check_refused("{\"t\":\"join\",\"room\":\"r\",\"offer\":\"v\",\"tracks\":{}}", "bad_field",
                  "tracks");
    check_refused("{\"t\":\"join\",\"room\":\"r\",\"offer\":\"v\",\"tracks\":[{\"mid\":\"0\","
                  "\"kind\":\"audio\"},{\"mid\":\"1\",\"kind\":\"smell\"}]}",
                  "bad_field", "tracks[1].kind");
    check_refused(
        "{\"t\":\"join\",\"room\":\"r\",\"offer\":\"v\",\"tracks\":[{\"kind\":\"audio\"}]}",
        "bad_field", "tracks[0].mid is missing");
    check_refused("{\"t\":\"join\",\"room\":\"r\",\"offer\":\"v\",\"tracks\":[7]}", "bad_field",
                  "tracks[0]");
    check_refused("{\"t\":\"mute\",\"track\":\"p-00000001\",\"muted\":true}", "bad_field", "track");
    check_refused("{\"t\":\"mute\",\"track\":\"t-00000001\",\"muted\":1}", "bad_field", "muted");
    check_refused("{\"t\":\"mute\",\"track\":\"t-00000001\"}", "bad_field", "muted is missing");
    check_refused("{\"t\":\"participant\",\"change\":\"leave\"}", "bad_field", "participant");
}

static void numbers_out_of_range_are_refused(void)
{
    check_refused("{\"t\":\"ping\",\"id\":-1}", "bad_field", "id");
    check_refused("{\"t\":\"ping\",\"id\":9007199254740992}", "bad_field", "id");
    check_refused("{\"t\":\"ping\",\"id\":1.5}", "bad_field", "id");
    check_refused("{\"t\":\"ping\",\"id\":\"1\"}", "bad_field", "id");
    check_refused("{\"t\":\"offer\",\"n\":0,\"sdp\":\"v\"}", "bad_field", "n ");
    check_refused("{\"t\":\"need\",\"audio\":4294967296,\"video\":1}", "bad_field", "audio");
}

static void what_is_no_json_is_refused(void)
{
    check_refused("", "bad_json", "line 1");
    check_refused("{", "bad_json", "line 1");
    check_refused("[]", "bad_json", "object");
    check_refused("{\"t\":\"ping\"} x", "bad_json", "");
    check_refused("{\"t\":\"\xFF\"}", "bad_json", "");
    check_refused("{\"t\":\"\xED\xA0\x80\"}", "bad_json", "");
    check_refused("{\"t\":\"ping\\u0000\"}", "bad_json", "");
    check_refused("{\"t\":\"ping\",\"t\":\"leave\"}", "bad_json", "duplicate");
    CHECK_EQ(message_parse(&message, "{\"t\":\"ping\"\0}", 13, &error), -EBADMSG);
    CHECK_STR(error.code, "bad_json");
}

static void depth_is_limited_before_anything_recurses(void)
{
    char json[2 * MESSAGE_MAX_DEPTH + 32];
    int n = snprintf(json, sizeof(json), "{\"t\":\"x\",\"a\":");

    memset(json + n, '[', MESSAGE_MAX_DEPTH - 1);
    memset(json + n + MESSAGE_MAX_DEPTH - 1, ']', MESSAGE_MAX_DEPTH - 1);
    (void)snprintf(json + n + 2 * (MESSAGE_MAX_DEPTH - 1), 2, "}");
    CHECK_EQ(parse(json), 0);

    memset(json + n, '[', MESSAGE_MAX_DEPTH);
    check_refused(json, "too_deep", "levels");
    CHECK_EQ(parse("{\"t\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[[[[[[[[[\"}"), 0);
}

static void size_is_limited(void)
{
    char *json = malloc(MESSAGE_MAX_BYTES + 2);

    CHECK(json);
    memset(json, ' ', MESSAGE_MAX_BYTES + 1);
    memcpy(json, "{\"t\":\"ping\"}", 12);
    CHECK_EQ(message_parse(&message, json, MESSAGE_MAX_BYTES, &error), 0);
    CHECK_EQ(message_parse(&message, json, MESSAGE_MAX_BYTES + 1, &error), -EBADMSG);
    CHECK_STR(error.code, "too_large");
    free(json);
}

static int parse_tracks(const char *before, const char *entry, int n, const char *after)
{
    int err;

    text_init(&text, MESSAGE_MAX_BYTES);
    text_append(&text, before);
    for (int i = 0; i < n; i++)
        text_printf(&text, "%s%s", i > 0 ? "," : "", entry);
    text_append(&text, after);
    err = message_parse(&message, text_str(&text), text.len, &error);
    text_done(&text);
    return err;
}

static void lists_have_a_maximum(void)
{
    static const char join[] = "{\"t\":\"join\",\"room\":\"r\",\"offer\":\"v\",\"tracks\":[";
    static const char track[] = "{\"mid\":\"0\",\"kind\":\"audio\"}";
    static const char slots[] = "{\"t\":\"slots\",\"epoch\":1,\"slots\":[";
    static const char joined[] =
        "{\"t\":\"joined\",\"room\":\"r\",\"you\":\"p-00000001\",\"answer\":"
        "\"v\",\"participants\":[";
    static const char participant[] = "{\"id\":\"p-00000002\"}";

    CHECK_EQ(parse_tracks(join, track, MESSAGE_MAX_TRACKS, "]}"), 0);
    CHECK_EQ(message.n_track_offers, MESSAGE_MAX_TRACKS);
    message_done(&message);
    CHECK_EQ(parse_tracks(join, track, MESSAGE_MAX_TRACKS + 1, "]}"), -EBADMSG);
    CHECK_STR(error.code, "too_many_tracks");
    CHECK_EQ(parse_tracks(slots, "{\"mid\":\"0\"}", MESSAGE_MAX_SLOTS, "]}"), 0);
    CHECK_EQ(message.n_slots, MESSAGE_MAX_SLOTS);
    message_done(&message);
    CHECK_EQ(parse_tracks(slots, "{\"mid\":\"0\"}", MESSAGE_MAX_SLOTS + 1, "]}"), -EBADMSG);
    CHECK_EQ(parse_tracks(joined, participant, MESSAGE_MAX_PARTICIPANTS, "]}"), 0);
    CHECK_EQ(message.n_participants, MESSAGE_MAX_PARTICIPANTS);
    message_done(&message);
    CHECK_EQ(parse_tracks(joined, participant, MESSAGE_MAX_PARTICIPANTS + 1, "]}"), -EBADMSG);
}

/* In one line of the source as little as possible: ' stands for ". */
static void check_quoted(const char *json)
{
    char quoted[1024];
    size_t n = 0;

    for (; json[n] && n < sizeof(quoted) - 1; n++) {
        quoted[n] = '"';
        if (json[n] != '\'')
            quoted[n] = json[n];
    }
    quoted[n] = '\0';
    check_round_trip(quoted);
}

static void messages_about_media_survive_a_round_trip(void)
{
    check_quoted("{'t':'view','id':6,'mid':'4','width':640,'height':360,'fps':30}");
    check_quoted("{'t':'view','id':7,'track':'t-00000008','priority':'pinned','paused':true}");
    check_quoted("{'t':'view','views':[{'mid':'4','paused':true},{'mid':'5','height':180}]}");
    check_quoted("{'t':'view','views':[]}");
    check_quoted("{'t':'subscribe','id':10,'track':'t-00000008'}");
    check_quoted("{'t':'unsubscribe','id':9,'track':'t-00000008'}");
    check_quoted("{'t':'speakers','seq':14,'speakers':[{'participant':'p-00000001','level':23,"
                 "'dominant':true},{'participant':'p-00000005','level':127}]}");
    check_quoted("{'t':'speakers','seq':15,'speakers':[]}");
    check_quoted("{'t':'stream','seq':15,'streams':[{'mid':'4','track':'t-00000008','state':"
                 "'paused','reason':'bandwidth'},{'mid':'5','track':'t-0000000b','state':"
                 "'active'},{'mid':'6','track':'t-0000000c','state':'paused','reason':"
                 "'not_sent'}]}");
    check_quoted("{'t':'want','seq':16,'track':'t-00000007','layers':[{'rid':'q','active':true},"
                 "{'rid':'f','active':false}],'max_fps':15}");
    check_quoted("{'t':'want','track':'t-00000007','layers':[{'rid':null,'active':false}]}");
    check_quoted("{'t':'quality','seq':17,'you':{'score':87,'estimate_bps':2500000,'rtt_ms':42,"
                 "'up_loss_permille':1,'down_loss_permille':3},'participants':[{'id':"
                 "'p-00000001','score':95}],'tracks':[{'track':'t-00000007','rate_bps':640000,"
                 "'loss_permille':2,'jitter_ms':4,'rtt_ms':42,'layers':[{'rid':'q','rate_bps':"
                 "140000,'width':320,'height':180,'fps':30,'active':true},{'rid':null,"
                 "'active':false}]}],'subscriptions':[{'mid':'4','track':'t-00000008',"
                 "'rate_bps':480000,'loss_permille':5,'layer':1,'target':2,'spatial':1,"
                 "'temporal':2,'key_frames':3,'freezes_avoided':1},{'mid':'5','track':"
                 "'t-00000009'}]}");
}

static void a_list_of_one_view_is_a_view(void)
{
    CHECK_EQ(parse("{\"t\":\"view\",\"views\":[{\"mid\":\"4\",\"width\":16384}]}"), 0);
    CHECK_EQ(message.n_views, 1);
    CHECK_STR(message.views[0].mid, "4");
    CHECK_EQ(message.views[0].width, MESSAGE_VIEW_SIDE_MAX);
    CHECK_EQ(message.views[0].priority, VIEW_NORMAL);
    message_done(&message);
}

static void a_bad_word_about_media_is_refused(void)
{
    check_refused("{\"t\":\"view\"}", "bad_field", "mid is missing");
    check_refused("{\"t\":\"view\",\"mid\":\"1\",\"track\":\"t-00000001\"}", "bad_field",
                  "beside track");
    check_refused("{\"t\":\"view\",\"mid\":\"1\",\"width\":16385}", "bad_field", "width");
    check_refused("{\"t\":\"view\",\"mid\":\"1\",\"fps\":241}", "bad_field", "fps");
    check_refused("{\"t\":\"view\",\"mid\":\"1\",\"priority\":\"highest\"}", "bad_field",
                  "priority is none of");
    check_refused("{\"t\":\"view\",\"views\":[{\"mid\":\"1\"},{\"mid\":\"2\",\"paused\":1}]}",
                  "bad_field", "views[1].paused");
    check_refused("{\"t\":\"subscribe\",\"track\":\"p-00000001\"}", "bad_field", "track is no id");
    check_refused("{\"t\":\"speakers\",\"speakers\":[{\"participant\":\"p-00000001\","
                  "\"level\":128}]}",
                  "bad_field", "level");
    check_refused("{\"t\":\"stream\",\"streams\":[{\"mid\":\"1\",\"track\":\"t-00000001\","
                  "\"state\":\"paused\",\"reason\":\"tired\"}]}",
                  "bad_field", "reason");
    check_refused("{\"t\":\"quality\"}", "bad_field", "you");
    check_refused("{\"t\":\"quality\",\"you\":{\"score\":101}}", "bad_field", "you.score");
}

static void lists_about_media_have_a_maximum(void)
{
    static const char views[] = "{\"t\":\"view\",\"views\":[";
    static const char speakers[] = "{\"t\":\"speakers\",\"speakers\":[";
    static const char speaker[] = "{\"participant\":\"p-00000002\"}";
    static const char want[] = "{\"t\":\"want\",\"track\":\"t-00000001\",\"layers\":[";

    CHECK_EQ(parse_tracks(views, "{\"mid\":\"0\"}", MESSAGE_MAX_VIEWS, "]}"), 0);
    CHECK_EQ(message.n_views, MESSAGE_MAX_VIEWS);
    message_done(&message);
    CHECK_EQ(parse_tracks(views, "{\"mid\":\"0\"}", MESSAGE_MAX_VIEWS + 1, "]}"), -EBADMSG);
    CHECK_EQ(parse_tracks(speakers, speaker, MESSAGE_MAX_SPEAKERS, "]}"), 0);
    message_done(&message);
    CHECK_EQ(parse_tracks(speakers, speaker, MESSAGE_MAX_SPEAKERS + 1, "]}"), -EBADMSG);
    CHECK_EQ(parse_tracks(want, "{}", MESSAGE_MAX_LAYERS, "]}"), 0);
    CHECK_EQ(parse_tracks(want, "{}", MESSAGE_MAX_LAYERS + 1, "]}"), -EBADMSG);
}

static void a_long_name_is_cut_at_a_whole_character(void)
{
    text_init(&text, MESSAGE_MAX_BYTES);
    text_append(&text, "{\"t\":\"join\",\"room\":\"r\",\"offer\":\"v\",\"name\":\"\\u0007");
    for (int i = 0; i < MESSAGE_NAME_MAX; i++)
        text_append(&text, "\xE2\x82\xAC"); /* euro sign */
    text_append(&text, "\"}");
    CHECK_EQ(message_parse(&message, text_str(&text), text.len, &error), 0);
    CHECK_EQ(strlen(message.name), 1 + 3 * 21);
    CHECK_EQ(message.name[0], ' '); /* and a name has no control characters */
    message_done(&message);
    text_done(&text);
}

static void strings_are_escaped_and_always_utf8(void)
{
    struct message m = {
        .type = MESSAGE_ERROR, .code = "x", .text = "\"\\\n\r\x01 \xC3\xA4 \xFF\xC3"};

    text_init(&text, MESSAGE_MAX_BYTES);
    CHECK_EQ(message_write(&text, &m), 0);
    CHECK_STR(text_str(&text),
              "{\"t\":\"error\",\"code\":\"x\",\"message\":\"\\\"\\\\\\n\\r\\u0001 \xC3\xA4 "
              "\xEF\xBF\xBD\xEF\xBF\xBD\"}");
    CHECK_EQ(parse(text_str(&text)), 0);
    text_done(&text);
}

static void a_full_text_is_an_error(void)
{
    struct message m = {.type = MESSAGE_PONG, .id = 1};

    text_init(&text, 18);
    CHECK_EQ(message_write(&text, &m), -EMSGSIZE);
    text_done(&text);
    text_init(&text, 19);
    CHECK_EQ(message_write(&text, &m), 0);
    text_done(&text);
}

static void ids_have_one_spelling(void)
{
    char id[MESSAGE_ID_MAX];

    CHECK_STR(participant_id_text(42, id), "p-0000002a");
    CHECK_EQ(participant_id_parse("p-0000002a"), 42);
    CHECK_STR(track_id_text(UINT32_MAX, id), "t-ffffffff");
    CHECK_EQ(track_id_parse("t-ffffffff"), UINT32_MAX);
    CHECK_EQ(track_id_parse("p-00000001"), 0);
    CHECK_EQ(track_id_parse("t-0000001"), 0);
    CHECK_EQ(track_id_parse("t-000000001"), 0);
    CHECK_EQ(track_id_parse("t-0000000A"), 0);
    CHECK_EQ(track_id_parse("t-00000000"), 0);
    CHECK_EQ(track_id_parse("t"), 0);
    CHECK_EQ(track_id_parse(""), 0);
}

static void room_names_are_safe_in_urls(void)
{
    char name[MESSAGE_ROOM_MAX + 2];

    CHECK(room_name_valid("demo-1_2.3~"));
    CHECK(!room_name_valid(""));
    CHECK(!room_name_valid("."));
    CHECK(!room_name_valid(".."));
    CHECK(room_name_valid("..."));
    CHECK(!room_name_valid("a/b"));
    CHECK(!room_name_valid("\xC3\xA4"));
    memset(name, 'x', sizeof(name));
    name[MESSAGE_ROOM_MAX + 1] = '\0';
    CHECK(!room_name_valid(name));
    name[MESSAGE_ROOM_MAX] = '\0';
    CHECK(room_name_valid(name));
}

TAP_CASES(CASE(requests_survive_a_round_trip), CASE(replies_and_events_survive_a_round_trip),
          CASE(messages_about_a_session_survive_a_round_trip),
          CASE(unknown_types_are_kept_by_name_and_id), CASE(unknown_fields_are_ignored),
          CASE(defaults_fill_in_what_is_absent_or_null),
          CASE(an_error_names_the_field_and_the_request), CASE(numbers_out_of_range_are_refused),
          CASE(what_is_no_json_is_refused), CASE(depth_is_limited_before_anything_recurses),
          CASE(size_is_limited), CASE(lists_have_a_maximum),
          CASE(messages_about_media_survive_a_round_trip), CASE(a_list_of_one_view_is_a_view),
          CASE(a_bad_word_about_media_is_refused), CASE(lists_about_media_have_a_maximum),
          CASE(a_long_name_is_cut_at_a_whole_character), CASE(strings_are_escaped_and_always_utf8),
          CASE(a_full_text_is_an_error), CASE(ids_have_one_spelling),
          CASE(room_names_are_safe_in_urls))
