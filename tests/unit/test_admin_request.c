#include "signaling/admin_request.h"

#include "tests/tap.h"

static struct admin_request request;
static struct message error;

static int parse(enum admin_action action, const char *body)
{
    request = (struct admin_request){.action = action};
    return admin_request_parse(&request, body, strlen(body), &error);
}

static void check_refused(enum admin_action action, const char *body, const char *code,
                          const char *word)
{
    CHECK(parse(action, body) < 0);
    CHECK_STR(error.code, code);
    if (!strstr(error.text, word))
        printf("# no \"%s\" in \"%s\"\n", word, error.text);
    CHECK(strstr(error.text, word));
}

static void limits_of_a_room_are_those_given(void)
{
    CHECK_EQ(parse(ADMIN_LIMIT_ROOM, "{\"max_participants\":7,\"colour\":\"red\"}"), 0);
    CHECK(request.max_participants.given);
    CHECK_EQ(request.max_participants.value, 7);
    CHECK(!request.max_room_kbps.given);
    CHECK_EQ(parse(ADMIN_LIMIT_ROOM, "{\"max_room_kbps\":0}"), 0);
    CHECK(request.max_room_kbps.given);
    check_refused(ADMIN_LIMIT_ROOM, "{\"max_participants\":100001}", "bad_field",
                  "max_participants");
    check_refused(ADMIN_LIMIT_ROOM, "{\"max_room_kbps\":-1}", "bad_field", "max_room_kbps");
}

static void muting_is_of_both_kinds_unless_one_is_named(void)
{
    CHECK_EQ(parse(ADMIN_MUTE_PARTICIPANT, "{\"muted\":true}"), 0);
    CHECK_EQ(request.kinds, ADMIN_AUDIO | ADMIN_VIDEO);
    CHECK(request.muted && !request.hold.given);
    CHECK_EQ(parse(ADMIN_MUTE_PARTICIPANT, "{\"kind\":\"audio\",\"hold\":false}"), 0);
    CHECK_EQ(request.kinds, ADMIN_AUDIO);
    CHECK(request.hold.given && !request.hold.value && !request.muted);
    check_refused(ADMIN_MUTE_PARTICIPANT, "{}", "bad_field", "muted");
    check_refused(ADMIN_MUTE_PARTICIPANT, "{\"muted\":true,\"kind\":\"smell\"}", "bad_field",
                  "kind");
}

static void nobody_is_unmuted_from_afar(void)
{
    check_refused(ADMIN_MUTE_PARTICIPANT, "{\"muted\":false}", "bad_field", "unmute themselves");
    check_refused(ADMIN_MUTE_TRACK, "{\"muted\":false}", "bad_field", "unmute themselves");
    check_refused(ADMIN_MUTE_TRACK, "{}", "bad_field", "muted");
    CHECK_EQ(parse(ADMIN_MUTE_TRACK, "{\"muted\":true}"), 0);
}

static void a_move_names_a_room(void)
{
    CHECK_EQ(parse(ADMIN_MOVE, "{\"room\":\"b\",\"token\":\"x.y.z\"}"), 0);
    CHECK_STR(request.to_room, "b");
    CHECK_STR(request.token, "x.y.z");
    check_refused(ADMIN_MOVE, "{}", "bad_field", "room");
    check_refused(ADMIN_MOVE, "{\"room\":\"..\"}", "bad_field", "room");
    check_refused(ADMIN_MOVE, "{\"room\":\"a b\"}", "bad_field", "room");
}

static void a_drain_may_name_another_server(void)
{
    CHECK_EQ(parse(ADMIN_DRAIN, ""), 0);
    CHECK(!request.deadline_s.given && !request.stop && !request.redirect_url[0]);
    CHECK_EQ(parse(ADMIN_DRAIN,
                   "{\"deadline_s\":60,\"stop\":true,\"redirect_url\":\"https://b.example/x\"}"),
             0);
    CHECK_EQ(request.deadline_s.value, 60);
    CHECK(request.stop);
    CHECK_STR(request.redirect_url, "https://b.example/x");
    check_refused(ADMIN_DRAIN, "{\"redirect_url\":\"javascript:alert(1)\"}", "bad_field", "http");
    check_refused(ADMIN_DRAIN, "{\"deadline_s\":9999999}", "bad_field", "deadline_s");
}

static void a_token_is_made_of_claims(void)
{
    CHECK_EQ(parse(ADMIN_MAKE_TOKEN, "{\"sub\":\"ada\",\"expires_in_s\":60,"
                                     "\"sluice\":{\"room\":\"demo\",\"publish\":false}}"),
             0);
    CHECK_STR(request.grants.identity, "ada");
    CHECK_STR(request.grants.room, "demo");
    CHECK(request.grants.join && !request.grants.publish && !request.grants.admin);
    CHECK_EQ(request.expires_in_s.value, 60);
    check_refused(ADMIN_MAKE_TOKEN, "{}", "bad_field", "sluice");
    check_refused(ADMIN_MAKE_TOKEN, "{\"sluice\":{\"rooom\":\"demo\"}}", "bad_field", "rooom");
}

static void what_is_no_object_is_refused(void)
{
    char deep[80] = "";

    for (int i = 0; i < 20; i++)
        (void)snprintf(deep + strlen(deep), sizeof(deep) - strlen(deep), "[");
    check_refused(ADMIN_DRAIN, "[]", "bad_json", "object");
    check_refused(ADMIN_DRAIN, "{\"stop\":true,\"stop\":true}", "bad_json", "");
    check_refused(ADMIN_DRAIN, deep, "too_deep", "levels");
    CHECK(admin_request_parse(&request, deep, ADMIN_BODY_MAX + 1, &error) < 0);
    CHECK_STR(error.code, "too_large");
}

TAP_CASES(CASE(limits_of_a_room_are_those_given), CASE(muting_is_of_both_kinds_unless_one_is_named),
          CASE(nobody_is_unmuted_from_afar), CASE(a_move_names_a_room),
          CASE(a_drain_may_name_another_server), CASE(a_token_is_made_of_claims),
          CASE(what_is_no_object_is_refused))
