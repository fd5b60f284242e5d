#include "sfu/session.h"

#include "sfu/session_media.h"
#include "tests/unit/session_fixture.h"

#include <errno.h>

static void first_one_gets_the_whole_picture(void)
{
    const struct message *joined;

    begin();
    joined = join(ada, "demo", "Ada", "avAAV");
    CHECK_EQ(joined->id, 1);
    CHECK_EQ(joined->seq, 1);
    CHECK_STR(joined->room, "demo");
    CHECK_EQ(joined->you, session_participant(ada->session));
    CHECK_EQ(joined->n_participants, 0);
    CHECK(strncmp(joined->sdp, "v=0", 3) == 0);
    CHECK_EQ(joined->n_tracks, 2);
    CHECK_STR(joined->tracks[0].source, "microphone");
    CHECK_STR(joined->tracks[0].mid, "0");
    CHECK_STR(joined->tracks[1].source, "camera");
    CHECK_EQ(joined->limits.audio_slots, 16);
    CHECK_EQ(joined->limits.video_slots, 24);
    CHECK_EQ(joined->limits.tracks, 8);
    CHECK_EQ(session_state(ada->session), SESSION_JOINED);
    end();
}

static void worker_learns_plan_tracks_and_credentials(void)
{
    const struct message *joined;
    const struct mail_join *mail;

    begin();
    joined = join(ada, "demo", "Ada", "aV");
    CHECK_EQ(n_mails, 1);
    mail = mail_join_at(0, MAIL_JOIN);
    CHECK_EQ(mail->participant, joined->you);
    CHECK(mail->room);
    CHECK(strlen(mail->ufrag) >= 4 && strlen(mail->pwd) >= 22);
    CHECK(strstr(joined->sdp, mail->ufrag) && strstr(joined->sdp, mail->pwd));
    CHECK_EQ(mail->plan->n_sections, 2);
    CHECK_STR(mail->plan->ufrag, "user");
    CHECK_EQ(mail->n_tracks, 1);
    CHECK_EQ(mail->tracks[0].id, joined->tracks[0].id);
    CHECK_STR(mail->tracks[0].mid, "0");
    CHECK_EQ(mail->tracks[0].kind, KIND_AUDIO);
    end();
}

static void newcomer_sees_the_others_and_they_hear_of_it(void)
{
    const struct message *m;
    uint32_t ada_id, bob_id;

    begin();
    ada_id = join(ada, "demo", "Ada", "a")->you;
    m = join(bob, "demo", "Bob", "av");
    bob_id = m->you;
    CHECK_EQ(m->n_participants, 1);
    CHECK_EQ(m->participants[0].id, ada_id);
    CHECK_STR(m->participants[0].name, "Ada");
    CHECK_EQ(m->participants[0].n_tracks, 1);
    m = expect(ada, MESSAGE_PARTICIPANT);
    CHECK_EQ(m->seq, 2);
    CHECK_EQ(m->change, CHANGE_JOIN);
    CHECK_EQ(m->participants[0].id, bob_id);
    CHECK_EQ(m->participants[0].n_tracks, 2);
    CHECK(!next(bob));
    end();
}

static void descriptions_name_source_and_mute(void)
{
    struct message request;
    const struct message *joined;

    begin();
    request = join_of("demo", "Ada", "av");
    request.n_track_offers = 1;
    request.track_offers[0] = (struct message_track_offer){"1", KIND_VIDEO, "screen", true};
    say(ada, &request);
    message_done(&request);
    joined = expect(ada, MESSAGE_JOINED);
    CHECK_STR(joined->tracks[1].source, "screen");
    CHECK(joined->tracks[1].muted);
    CHECK(mail_join_at(0, MAIL_JOIN)->tracks[1].muted);
    end();
}

static void bad_description_refuses_the_join_and_leaves_nothing(void)
{
    struct message request;

    begin();
    request = join_of("demo", "Ada", "aV");
    request.n_track_offers = 1;
    request.track_offers[0] = (struct message_track_offer){"1", KIND_VIDEO, "screen", false};
    say(ada, &request);
    message_done(&request);
    expect_error(ada, 1, "bad_track");
    CHECK_EQ(n_mails, 0);
    CHECK_EQ(directory_rooms(host.directory), 0);
    CHECK_EQ(session_state(ada->session), SESSION_CONNECTED);
    join(ada, "demo", "Ada", "aV");
    end();
}

static void bad_sdp_refuses_the_join(void)
{
    begin();
    say_text(ada,
             "{\"t\":\"join\",\"id\":7,\"room\":\"demo\",\"offer\":\"nonsense\",\"tracks\":[]}");
    expect_error(ada, 7, "sdp_syntax");
    CHECK_EQ(n_mails, 0);
    CHECK_EQ(directory_participants(host.directory), 0);
    end();
}

static void large_sdp_is_refused_unread(void)
{
    begin();
    config.max_sdp_bytes = 100;
    say_join(ada, "demo", "Ada", "a");
    expect_error(ada, 1, "sdp_too_large");
    end();
}

static void second_join_is_refused(void)
{
    begin();
    join(ada, "demo", "Ada", "a");
    say_join(ada, "other", "Ada", "a");
    expect_error(ada, 1, "already_joined");
    CHECK_STR(session_room(ada->session), "demo");
    end();
}

static void each_limit_has_its_code(void)
{
    begin();
    end();
    config.max_participants_per_room = 1;
    make();
    join(ada, "demo", "Ada", "a");
    say_join(bob, "demo", "Bob", "a");
    expect_error(bob, 1, "room_full");
    end();

    config_init(&config);
    config.max_rooms = 1;
    make();
    join(ada, "demo", "Ada", "a");
    say_join(bob, "other", "Bob", "a");
    expect_error(bob, 1, "too_many_rooms");
    end();

    config_init(&config);
    config.max_participants = 1;
    make();
    join(ada, "demo", "Ada", "a");
    say_join(bob, "demo", "Bob", "a");
    expect_error(bob, 1, "too_many_participants");
    end();
}

static void stopping_server_takes_nobody(void)
{
    begin();
    host.stopping = true;
    say_join(ada, "demo", "Ada", "a");
    expect_error(ada, 1, "server_stopping");
    end();
}

static void leave_is_told_confirmed_and_closes(void)
{
    const struct message *m;
    uint32_t id;

    begin();
    join(ada, "demo", "Ada", "a");
    id = join(bob, "demo", "Bob", "a")->you;
    expect(ada, MESSAGE_PARTICIPANT);
    say_text(bob, "{\"t\":\"leave\",\"id\":5}");
    CHECK_EQ(expect(bob, MESSAGE_OK)->id, 5);
    CHECK_EQ(bob->close_code, 1000);
    CHECK_EQ(session_state(bob->session), SESSION_LEAVING);
    m = expect(ada, MESSAGE_PARTICIPANT);
    CHECK_EQ(m->change, CHANGE_LEAVE);
    CHECK_EQ(m->participants[0].id, id);
    CHECK_STR(m->code, "left");
    CHECK_EQ(n_mails, 3);
    CHECK_EQ(mails[2]->type, MAIL_LEAVE);
    CHECK_EQ(CONTAINER_OF(mails[2], struct mail_participant, mail)->participant, id);
    say_text(bob, "{\"t\":\"ping\",\"id\":6}");
    CHECK(!next(bob));
    end();
}

static void lost_websocket_is_a_leave(void)
{
    begin();
    join(ada, "demo", "Ada", "a");
    join(bob, "demo", "Bob", "a");
    expect(ada, MESSAGE_PARTICIPANT);
    bob->session = session_free(bob->session, now_us);
    CHECK_STR(expect(ada, MESSAGE_PARTICIPANT)->code, "disconnected");
    CHECK_EQ(n_mails, 3);
    CHECK_EQ(mails[2]->type, MAIL_LEAVE);
    CHECK_EQ(directory_participants(host.directory), 1);
    end();
}

static void end_of_the_media_ends_the_session_with_its_reason(void)
{
    static const struct {
        enum peer_state state;
        const char *code;
    } ends[] = {
        {PEER_FAILED, "failed"}, {PEER_CONSENT_LOST, "connection_lost"}, {PEER_CLOSED, "left"}};

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        const struct message *m;

        begin();
        join(ada, "demo", "Ada", "a");
        join(bob, "demo", "Bob", "a");
        expect(ada, MESSAGE_PARTICIPANT);
        report(bob, PEER_CONNECTED);
        CHECK(!next(bob));
        report(bob, ends[i].state);
        m = expect(bob, MESSAGE_GO);
        CHECK_STR(m->action, "leave");
        CHECK_STR(m->code, ends[i].code);
        CHECK_EQ(bob->close_code, 1000);
        CHECK_STR(expect(ada, MESSAGE_PARTICIPANT)->code, ends[i].code);
        CHECK_EQ(mails[n_mails - 1]->type, MAIL_LEAVE);
        end();
    }
}

static void slots_and_need_are_passed_on_numbered(void)
{
    struct message_slot slots[] = {{.mid = "2", .track = 7, .participant = 9}, {.mid = "3"}};
    struct mail_slots mail = {
        .mail = {.type = MAIL_SLOTS}, .epoch = 4, .n_slots = 2, .slots = slots};
    struct mail_need need = {.mail = {.type = MAIL_NEED}, .audio = 3, .video = 5};
    const struct message *m;

    begin();
    join(ada, "demo", "Ada", "aAA");
    session_mail(ada->session, &mail.mail, now_us);
    m = expect(ada, MESSAGE_SLOTS);
    CHECK_EQ(m->seq, 2);
    CHECK_EQ(m->epoch, 4);
    CHECK_EQ(m->n_slots, 2);
    CHECK_EQ(m->slots[0].track, 7);
    CHECK_EQ(m->slots[1].track, 0);
    session_mail(ada->session, &need.mail, now_us);
    m = expect(ada, MESSAGE_NEED);
    CHECK_EQ(m->seq, 3);
    CHECK_EQ(m->need_audio, 3);
    CHECK_EQ(m->need_video, 5);
    end();
}

static void stop_of_the_server_is_told_and_needs_no_mail(void)
{
    const struct message *m;

    begin();
    join(ada, "demo", "Ada", "a");
    host.stopping = true;
    session_dismiss(ada->session, "server_stopping", "the server is stopping", now_us);
    m = expect(ada, MESSAGE_GO);
    CHECK_STR(m->code, "server_stopping");
    CHECK_EQ(ada->close_code, 1001);
    CHECK_EQ(n_mails, 1); /* MAIL_STOP says good-bye to all */
    end();
}

/* WHIP and WHEP */

static const char *whip_name = "";

static int post(struct client *client, enum session_kind kind, const char *lines,
                struct message *error)
{
    char *sdp = test_offer_make(lines, 1);
    struct session_offer offer = {.sdp = sdp, .len = strlen(sdp)};
    struct text answer;
    int err;

    session_free(client->session, now_us);
    CHECK_EQ(session_new(&client->session, &host, kind, NULL, NULL, now_us), 0);
    session_set_name(client->session, whip_name);
    text_init(&answer, SDP_MAX_BYTES);
    *error = (struct message){0};
    err = session_post(client->session, "demo", &offer, &answer, error, now_us);
    CHECK_EQ(answer.len > 0, err == 0);
    text_done(&answer);
    free(sdp);
    return err;
}

static void whip_publishes_and_is_seen(void)
{
    struct message error;
    const struct message *m;

    begin();
    join(bob, "demo", "Bob", "AV");
    CHECK_EQ(post(ada, SESSION_WHIP, "av", &error), 0);
    m = expect(bob, MESSAGE_PARTICIPANT);
    CHECK(strncmp(m->participants[0].name, "whip-", 5) == 0);
    CHECK_EQ(m->participants[0].n_tracks, 2);
    CHECK_STR(m->participants[0].tracks[0].source, "microphone");
    CHECK_STR(m->participants[0].tracks[1].source, "camera");
    CHECK_EQ(strlen(session_resource(ada->session)), 24);
    report(ada, PEER_CONSENT_LOST);
    CHECK_EQ(session_state(ada->session), SESSION_LEAVING);
    CHECK_STR(expect(bob, MESSAGE_PARTICIPANT)->code, "connection_lost");
    end();
}

static void whip_may_name_itself(void)
{
    struct message error;

    begin();
    join(bob, "demo", "Bob", "AV");
    whip_name = "Ada";
    CHECK_EQ(post(ada, SESSION_WHIP, "av", &error), 0);
    whip_name = "";
    CHECK_STR(expect(bob, MESSAGE_PARTICIPANT)->participants[0].name, "Ada");
    end();
}

static void whep_plays_unseen(void)
{
    struct message error;

    begin();
    join(bob, "demo", "Bob", "av");
    CHECK_EQ(post(ada, SESSION_WHEP, "AV", &error), 0);
    CHECK(!next(bob));
    CHECK_EQ(mail_join_at(1, MAIL_JOIN)->n_tracks, 0);
    CHECK_EQ(directory_participants(host.directory), 2);
    session_leave(ada->session, "left", "", now_us);
    CHECK(!next(bob));
    end();
}

static void posts_of_the_wrong_direction_are_refused(void)
{
    struct message error;

    begin();
    CHECK_EQ(post(ada, SESSION_WHIP, "AV", &error), -EINVAL);
    CHECK_STR(error.code, "nothing_to_publish");
    CHECK_EQ(post(ada, SESSION_WHEP, "--", &error), -EINVAL);
    CHECK_STR(error.code, "nothing_to_play");
    CHECK_EQ(post(ada, SESSION_WHEP, "Av", &error), -EINVAL);
    CHECK_STR(error.code, "bad_direction");
    CHECK_EQ(n_mails, 0);
    CHECK_EQ(directory_rooms(host.directory), 0);
    end();
}

static uint32_t agents_left;

static int take_agent(void *owner, uint32_t worker, struct mail_agent *ret)
{
    (void)owner;
    CHECK_EQ(worker, 0);
    if (agents_left == 0)
        return -EAGAIN;
    agents_left--;
    *ret = (struct mail_agent){
        .credentials = {.ufrag = "agent123", .pwd = "agentpasswordagentpassw0"}, .n_candidates = 1};
    ret->candidates[0] = (struct plan_candidate){.address = "203.0.113.9",
                                                 .port = 4321,
                                                 .component = 1,
                                                 .type = "relay",
                                                 .priority = 7,
                                                 .foundation = "9"};
    return 0;
}

static void with_full_ice_a_peer_is_answered_by_an_agent(void)
{
    const struct message *m;

    begin();
    agents_left = 1;
    host.take_agent = take_agent;
    m = join(ada, "demo", "Ada", "aA");
    CHECK(!strstr(m->sdp, "a=ice-lite") && strstr(m->sdp, "a=ice-ufrag:agent123\r\n"));
    CHECK(strstr(m->sdp, " 203.0.113.9 4321 typ relay") && !strstr(m->sdp, "192.0.2.1"));
    CHECK_STR(mail_join_at(0, MAIL_JOIN)->ufrag, "agent123");
    say_join(bob, "demo", "Bob", "aA");
    m = expect(bob, MESSAGE_ERROR);
    CHECK_STR(m->code, "busy");
    CHECK(m->retry_after_ms > 0);
    agents_left = 1;
    (void)join(bob, "demo", "Bob", "aA"); /* it may try again */
    end();
}

TAP_CASES(CASE(with_full_ice_a_peer_is_answered_by_an_agent),
          CASE(first_one_gets_the_whole_picture), CASE(worker_learns_plan_tracks_and_credentials),
          CASE(newcomer_sees_the_others_and_they_hear_of_it),
          CASE(descriptions_name_source_and_mute),
          CASE(bad_description_refuses_the_join_and_leaves_nothing), CASE(bad_sdp_refuses_the_join),
          CASE(large_sdp_is_refused_unread), CASE(second_join_is_refused),
          CASE(each_limit_has_its_code), CASE(stopping_server_takes_nobody),
          CASE(leave_is_told_confirmed_and_closes), CASE(lost_websocket_is_a_leave),
          CASE(end_of_the_media_ends_the_session_with_its_reason),
          CASE(slots_and_need_are_passed_on_numbered),
          CASE(stop_of_the_server_is_told_and_needs_no_mail), CASE(whip_publishes_and_is_seen),
          CASE(whip_may_name_itself), CASE(whep_plays_unseen),
          CASE(posts_of_the_wrong_direction_are_refused))
