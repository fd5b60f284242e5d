#include "sfu/admin.h"

#include "sfu/drain.h"
#include "sfu/server.h"
#include "sfu/session_mute.h"
#include "signaling/admin_request.h"
#include "tests/unit/session_fixture.h"

#include <errno.h>
#include <jansson.h>

static struct drain drain;
static struct server_status status;
static struct admin admin;
static struct message error;
static json_t *answer; /* of the last request; NULL: none */
static int reaped;

static void reap(void *owner, struct session *s, int64_t at_us)
{
    (void)owner;
    (void)at_us;
    CHECK_EQ(session_state(s), SESSION_LEAVING);
    reaped++;
}

/* Ada (microphone and camera) and Bob (one slot, nothing published) are in the room. */
static void begin_admin(void)
{
    begin();
    drain = (struct drain){0};
    host.drain = &drain;
    admin = (struct admin){.host = &host, .drain = &drain, .reap = reap};
    reaped = 0;
    (void)join(ada, "demo", "Ada", "av");
    (void)join(bob, "demo", "Bob \"B\"", "A");
    (void)expect(ada, MESSAGE_PARTICIPANT);
    drop_mails();
}

static void end_admin(void)
{
    json_decref(answer);
    answer = NULL;
    end();
}

static int ask(const struct admin_request *request)
{
    struct text out;
    int result;

    json_decref(answer);
    answer = NULL;
    text_init(&out, 64 * 1024);
    status = (struct server_status){.rooms = directory_rooms(host.directory),
                                    .participants = directory_participants(host.directory),
                                    .workers = 2,
                                    .on_worker = {2, 0},
                                    .draining = drain.on};
    result = admin_serve(&admin, request, &status, &out, &error, now_us);
    if (result == 200) {
        answer = json_loads(text_str(&out), 0, NULL);
        if (!answer)
            printf("# no JSON: %s\n", text_str(&out));
        CHECK(answer);
    }
    text_done(&out);
    return result;
}

static struct admin_request request_of(enum admin_action action, struct client *client)
{
    struct admin_request r = {.action = action, .room = "demo"};

    if (client)
        r.participant = session_participant(client->session);
    return r;
}

static void check_not_found(const struct admin_request *r, const char *code)
{
    CHECK_EQ(ask(r), 404);
    CHECK_STR(error.code, code);
    CHECK(error.text[0]);
}

static json_t *get(json_t *object, const char *name)
{
    json_t *value = json_object_get(object, name);

    if (!value)
        printf("# there is no %s\n", name);
    CHECK(value);
    return value;
}

static uint32_t track_of(size_t i)
{
    return track_id_parse(json_string_value(get(json_array_get(get(answer, "tracks"), i), "id")));
}

static void the_server_is_told(void)
{
    struct admin_request r = {.action = ADMIN_SERVER};

    begin_admin();
    CHECK_EQ(ask(&r), 200);
    CHECK_STR(json_string_value(get(answer, "state")), "ok");
    CHECK_EQ(json_array_size(get(answer, "workers")), 2);
    CHECK_EQ(json_integer_value(get(get(answer, "limits"), "max_rooms")), config.max_rooms);
    end_admin();
}

static void rooms_are_listed(void)
{
    struct admin_request r = {.action = ADMIN_ROOMS};
    json_t *room;

    begin_admin();
    CHECK_EQ(ask(&r), 200);
    room = json_array_get(get(answer, "rooms"), 0);
    CHECK_STR(json_string_value(get(room, "room")), "demo");
    CHECK_EQ(json_integer_value(get(room, "n_participants")), 2);
    CHECK_EQ(json_integer_value(get(room, "n_tracks")), 2);
    end_admin();
}

static void a_room_is_told_with_who_is_in_it(void)
{
    struct admin_request r = request_of(ADMIN_ROOM, NULL);
    struct mail_quality mail = {.mail = {.type = MAIL_QUALITY}};
    json_t *participants, *you;

    begin_admin();
    mail.quality = calloc(1, sizeof(*mail.quality));
    CHECK(mail.quality);
    mail.quality->score = 60;
    session_mail(bob->session, &mail.mail, now_us);
    CHECK_EQ(ask(&r), 200);
    participants = get(answer, "participants");
    CHECK_EQ(json_array_size(participants), 2);
    CHECK_STR(json_string_value(get(
                  json_array_get(get(json_array_get(participants, 0), "published"), 0), "source")),
              "microphone");
    CHECK(!json_object_get(json_array_get(participants, 0), "quality"));
    CHECK_STR(json_string_value(get(json_array_get(participants, 1), "name")), "Bob \"B\"");
    you = get(get(json_array_get(participants, 1), "quality"), "you");
    CHECK_EQ(json_integer_value(get(you, "score")), 60);
    r = request_of(ADMIN_PARTICIPANT, bob);
    CHECK_EQ(ask(&r), 200);
    CHECK_STR(json_string_value(get(answer, "client")), "websocket");
    end_admin();
}

static void what_is_not_there_is_not_found(void)
{
    struct admin_request r = {.action = ADMIN_ROOM, .room = "other"};

    begin_admin();
    check_not_found(&r, "unknown_room");
    r = request_of(ADMIN_KICK, NULL);
    check_not_found(&r, "unknown_participant");
    r = request_of(ADMIN_MUTE_TRACK, NULL);
    r.track = 1;
    check_not_found(&r, "unknown_track");
    (void)join(&clients[2], "other", "Eve", "a");
    r = request_of(ADMIN_KICK, &clients[2]); /* is in another room */
    check_not_found(&r, "unknown_participant");
    CHECK_EQ(reaped, 0);
    end_admin();
}

static void who_is_kicked_is_told_why_and_the_others_too(void)
{
    struct admin_request r;
    const struct message *m;

    begin_admin();
    r = request_of(ADMIN_KICK, bob);
    (void)snprintf(r.reason, sizeof(r.reason), "too loud");
    CHECK_EQ(ask(&r), 200);
    m = expect(bob, MESSAGE_GO);
    CHECK_STR(m->action, "leave");
    CHECK_STR(m->code, "kicked");
    CHECK_STR(m->text, "too loud");
    CHECK_EQ(bob->close_code, 1000);
    m = expect(ada, MESSAGE_PARTICIPANT);
    CHECK_STR(m->code, "kicked");
    CHECK_EQ(n_mails, 1);
    CHECK_EQ(mails[0]->type, MAIL_LEAVE);
    CHECK_EQ(reaped, 1);
    end_admin();
}

static void a_muted_track_is_told_to_all_and_may_be_unmuted_by_its_publisher(void)
{
    struct admin_request r = request_of(ADMIN_TRACKS, NULL);
    struct message unmute = {.type = MESSAGE_MUTE, .id = 7};
    const struct message *m;

    begin_admin();
    CHECK_EQ(ask(&r), 200);
    r = request_of(ADMIN_MUTE_TRACK, NULL);
    r.track = unmute.track.id = track_of(0);
    r.muted = true;
    CHECK_EQ(ask(&r), 200);
    CHECK_STR(json_string_value(get(answer, "muted_by")), "admin");
    CHECK_EQ(mails[0]->type, MAIL_MUTE);
    m = expect(ada, MESSAGE_TRACK);
    CHECK(m->track.muted && m->track.muted_by_admin);
    m = expect(bob, MESSAGE_TRACK);
    CHECK(m->track.muted && m->track.muted_by_admin);

    unmute.track.muted = true; /* it obeys, and says so: nothing new */
    say(ada, &unmute);
    (void)expect(ada, MESSAGE_OK);
    CHECK(!next(bob));
    unmute.track.muted = false;
    say(ada, &unmute);
    (void)expect(ada, MESSAGE_OK);
    m = expect(bob, MESSAGE_TRACK);
    CHECK(!m->track.muted && !m->track.muted_by_admin);
    end_admin();
}

static void who_is_held_stays_muted_until_released(void)
{
    struct admin_request r;
    struct message unmute = {.type = MESSAGE_MUTE, .id = 7};
    const struct message *m;

    begin_admin();
    r = request_of(ADMIN_MUTE_PARTICIPANT, ada);
    r.muted = true;
    r.hold = (struct admin_number){true, 1};
    r.kinds = ADMIN_AUDIO;
    CHECK_EQ(ask(&r), 200);
    CHECK_STR(json_string_value(json_array_get(get(answer, "held"), 0)), "audio");
    m = expect(ada, MESSAGE_TRACK);
    CHECK_EQ(m->track.kind, KIND_AUDIO);
    unmute.track.id = m->track.id;
    CHECK(!next(ada)); /* the camera is not muted */
    (void)expect(bob, MESSAGE_TRACK);

    say(ada, &unmute);
    expect_error(ada, 7, "held");
    CHECK(!next(bob));
    r.muted = false;
    r.hold.value = 0;
    CHECK_EQ(ask(&r), 200);
    CHECK_EQ(json_array_size(get(answer, "held")), 0);
    CHECK(!next(bob)); /* still muted: that is Ada's to change */
    say(ada, &unmute);
    (void)expect(ada, MESSAGE_OK);
    (void)expect(bob, MESSAGE_TRACK);
    end_admin();
}

static void who_is_held_comes_muted_with_new_tracks(void)
{
    struct message offer = {.type = MESSAGE_OFFER, .id = 2, .n = 2};
    const struct message *m;

    begin_admin();
    session_hold(bob->session, KIND_AUDIO, true);
    offer.sdp = test_offer_make("Aa", 2);
    say(bob, &offer);
    message_done(&offer);
    m = expect(bob, MESSAGE_ANSWER);
    CHECK_EQ(m->n_tracks, 1);
    CHECK(m->tracks[0].muted && m->tracks[0].muted_by_admin);
    CHECK(mail_join_at(0, MAIL_UPDATE)->tracks[0].muted);
    end_admin();
}

static void who_is_moved_is_told_the_room(void)
{
    struct admin_request r;
    const struct message *m;

    begin_admin();
    r = request_of(ADMIN_MOVE, bob);
    (void)snprintf(r.to_room, sizeof(r.to_room), "side");
    (void)snprintf(r.token, sizeof(r.token), "a.b.c");
    CHECK_EQ(ask(&r), 200);
    m = expect(bob, MESSAGE_GO);
    CHECK_STR(m->action, "rejoin");
    CHECK_STR(m->room, "side");
    CHECK_STR(m->token, "a.b.c");
    CHECK_STR(m->code, "moved");
    CHECK_STR(expect(ada, MESSAGE_PARTICIPANT)->code, "moved");
    end_admin();
}

static void a_room_is_closed_without_telling_everybody_of_everybody(void)
{
    struct admin_request r = request_of(ADMIN_CLOSE_ROOM, NULL);

    begin_admin();
    CHECK_EQ(ask(&r), 200);
    CHECK_EQ(json_integer_value(get(answer, "sent_away")), 2);
    CHECK_STR(expect(ada, MESSAGE_GO)->code, "room_closed");
    CHECK_STR(expect(bob, MESSAGE_GO)->code, "room_closed");
    CHECK(!next(ada) && !next(bob));
    CHECK_EQ(directory_rooms(host.directory), 0);
    CHECK_EQ(reaped, 2);
    check_not_found(&r, "unknown_room");
    end_admin();
}

static void limits_of_a_room_hold_at_once(void)
{
    struct admin_request r = request_of(ADMIN_LIMIT_ROOM, NULL);
    const struct message *m;

    begin_admin();
    r.max_participants = (struct admin_number){true, 2};
    r.max_room_kbps = (struct admin_number){true, 500};
    CHECK_EQ(ask(&r), 200);
    CHECK_EQ(json_integer_value(get(answer, "max_participants")), 2);
    CHECK_EQ(json_integer_value(get(answer, "max_room_kbps")), 500);
    m = expect(ada, MESSAGE_LIMIT);
    CHECK_EQ(m->track.max_bps, 500000);
    CHECK_EQ(mails[0]->type, MAIL_CAP);
    say_join(&clients[2], "demo", "Eve", "a");
    expect_error(&clients[2], 1, "room_full");

    r.max_participants = (struct admin_number){0};
    r.max_room_kbps = (struct admin_number){true, 0};
    CHECK_EQ(ask(&r), 200);
    CHECK_EQ(json_integer_value(get(answer, "max_participants")), 2); /* stays as it was */
    CHECK_EQ(expect(ada, MESSAGE_LIMIT)->track.max_bps, 0);
    end_admin();
}

static void while_draining_nobody_new_is_let_in(void)
{
    struct admin_request r = {.action = ADMIN_DRAIN, .deadline_s = {true, 60}};
    const struct message *m;

    begin_admin();
    CHECK_EQ(ask(&r), 200);
    CHECK(json_is_true(get(answer, "draining")));
    CHECK_EQ(json_integer_value(get(answer, "left_s")), 60);
    say_join(&clients[2], "demo", "Eve", "a");
    m = expect(&clients[2], MESSAGE_ERROR);
    CHECK_STR(m->code, "server_draining");
    CHECK_EQ(m->retry_after_ms, DRAIN_RETRY_MS);
    CHECK(!next(ada)); /* goes on */

    r.action = ADMIN_UNDRAIN;
    CHECK_EQ(ask(&r), 200);
    CHECK(json_is_false(get(answer, "draining")));
    (void)join(&clients[2], "demo", "Eve", "a");
    end_admin();
}

static void a_drain_sends_people_elsewhere(void)
{
    struct admin_request r = {.action = ADMIN_DRAIN, .redirect_url = "https://b.example/"};
    const struct message *m;

    begin_admin();
    CHECK_EQ(ask(&r), 200);
    CHECK(!json_object_get(answer, "left_s"));
    say_join(&clients[2], "demo", "Eve", "a");
    m = expect(&clients[2], MESSAGE_GO);
    CHECK_STR(m->action, "redirect");
    CHECK_STR(m->url, "https://b.example/");
    CHECK(!next(ada));

    admin_send_all_away(&admin, now_us);
    m = expect(ada, MESSAGE_GO);
    CHECK_STR(m->action, "redirect");
    CHECK_STR(m->code, "drained");
    (void)expect(bob, MESSAGE_GO);
    CHECK_EQ(directory_participants(host.directory), 0);
    end_admin();
}

TAP_CASES(CASE(the_server_is_told), CASE(rooms_are_listed), CASE(a_room_is_told_with_who_is_in_it),
          CASE(what_is_not_there_is_not_found), CASE(who_is_kicked_is_told_why_and_the_others_too),
          CASE(a_muted_track_is_told_to_all_and_may_be_unmuted_by_its_publisher),
          CASE(who_is_held_stays_muted_until_released),
          CASE(who_is_held_comes_muted_with_new_tracks), CASE(who_is_moved_is_told_the_room),
          CASE(a_room_is_closed_without_telling_everybody_of_everybody),
          CASE(limits_of_a_room_hold_at_once), CASE(while_draining_nobody_new_is_let_in),
          CASE(a_drain_sends_people_elsewhere))
