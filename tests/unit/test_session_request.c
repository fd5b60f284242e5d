#include "media/ice_lite.h"
#include "sfu/session_view.h"
#include "tests/unit/session_fixture.h"

static void requests_of_a_room_need_one(void)
{
    begin();
    say_text(ada, "{\"t\":\"mute\",\"id\":3,\"track\":\"t-00000001\",\"muted\":true}");
    expect_error(ada, 3, "not_joined");
    say_text(ada, "{\"t\":\"offer\",\"id\":4,\"n\":2,\"sdp\":\"v=0\"}");
    expect_error(ada, 4, "not_joined");
    end();
}

static void what_is_no_request_is_answered_with_an_error(void)
{
    begin();
    say_text(ada, "{\"t\":\"dance\",\"id\":5}");
    expect_error(ada, 5, "unknown_type");
    say_text(ada, "{\"t\":\"pong\",\"re\":5}");
    CHECK_STR(expect(ada, MESSAGE_ERROR)->code, "unknown_type");
    say_text(ada, "nonsense");
    CHECK_STR(expect(ada, MESSAGE_ERROR)->code, "bad_json");
    CHECK_EQ(ada->close_code, 0);
    end();
}

/* Who trickles needs no more: checks come from wherever the client is. */
static void candidates_of_clients_do_no_harm(void)
{
    begin();
    join(ada, "demo", "Ada", "a");
    say_text(ada,
             "{\"t\":\"candidate\",\"id\":7,\"candidate\":{\"candidate\":\"candidate:1 1 udp 1 "
             "0c2e4a2e.local 1 typ host\",\"sdpMid\":\"0\"}}");
    expect_error(ada, 7, "unknown_type");
    say_text(ada, "{\"t\":\"candidate\",\"id\":8,\"candidate\":null}");
    expect_error(ada, 8, "unknown_type");
    say_text(ada, "{\"t\":\"ping\",\"id\":9}");
    CHECK_EQ(expect(ada, MESSAGE_PONG)->id, 9);
    CHECK_EQ(ada->close_code, 0);
    CHECK_EQ(n_mails, 1);
    end();
}

static void ping_is_answered_at_any_time(void)
{
    begin();
    say_text(ada, "{\"t\":\"ping\",\"id\":4}");
    CHECK_EQ(expect(ada, MESSAGE_PONG)->id, 4);
    join(ada, "demo", "Ada", "a");
    say_text(ada, "{\"t\":\"ping\",\"id\":5}");
    CHECK_EQ(expect(ada, MESSAGE_PONG)->id, 5);
    end();
}

static void say_mute(struct client *client, uint32_t track, bool muted)
{
    struct message m = {.type = MESSAGE_MUTE, .id = 3, .track = {.id = track, .muted = muted}};

    say(client, &m);
}

static void mute_reaches_worker_and_others(void)
{
    const struct message *m;
    const struct mail_mute *mail;
    uint32_t track;

    begin();
    track = join(ada, "demo", "Ada", "a")->tracks[0].id;
    join(bob, "demo", "Bob", "A");
    expect(ada, MESSAGE_PARTICIPANT);
    say_mute(ada, track, true);
    CHECK_EQ(expect(ada, MESSAGE_OK)->id, 3);
    m = expect(bob, MESSAGE_TRACK);
    CHECK_EQ(m->change, CHANGE_UPDATE);
    CHECK_EQ(m->track.id, track);
    CHECK(m->track.muted);
    CHECK_EQ(n_mails, 3);
    CHECK_EQ(mails[2]->type, MAIL_MUTE);
    mail = CONTAINER_OF(mails[2], struct mail_mute, mail);
    CHECK_EQ(mail->track, track);
    CHECK(mail->muted);
    CHECK(!next(ada));
    end();
}

static void only_own_tracks_can_be_muted(void)
{
    uint32_t track;

    begin();
    track = join(ada, "demo", "Ada", "a")->tracks[0].id;
    join(bob, "demo", "Bob", "a");
    say_mute(bob, track, true);
    expect_error(bob, 3, "unknown_track");
    CHECK_EQ(n_mails, 2);
    end();
}

static void say_offer(struct client *client, uint64_t n, const char *lines,
                      const struct message_track_offer *description)
{
    struct message m = {
        .type = MESSAGE_OFFER, .id = 10 + n, .n = n, .sdp = test_offer_make(lines, n)};

    if (description) {
        m.n_track_offers = 1;
        m.track_offers[0] = *description;
    }
    say(client, &m);
    message_done(&m);
}

static void reoffer_adds_and_removes_tracks(void)
{
    struct message_track_offer screen = {"2", KIND_VIDEO, "screen", false};
    const struct message *m;
    uint32_t audio, video;

    begin();
    m = join(ada, "demo", "Ada", "av");
    audio = m->tracks[0].id;
    video = m->tracks[1].id;
    join(bob, "demo", "Bob", "A");
    expect(ada, MESSAGE_PARTICIPANT);

    say_offer(ada, 2, "a-v", &screen);
    m = expect(ada, MESSAGE_ANSWER);
    CHECK_EQ(m->id, 12);
    CHECK_EQ(m->n, 2);
    CHECK_EQ(m->seq, 3);
    CHECK_EQ(m->n_tracks, 2);
    CHECK_EQ(m->tracks[0].id, audio);
    CHECK_STR(m->tracks[1].source, "screen");
    CHECK_EQ(mail_join_at(2, MAIL_UPDATE)->n_tracks, 2);
    CHECK_EQ(mail_join_at(2, MAIL_UPDATE)->plan->n_sections, 3);
    CHECK_STR(mail_join_at(2, MAIL_UPDATE)->ufrag, mail_join_at(0, MAIL_JOIN)->ufrag);
    m = expect(bob, MESSAGE_TRACK);
    CHECK_EQ(m->change, CHANGE_LEAVE);
    CHECK_EQ(m->track.id, video);
    m = expect(bob, MESSAGE_TRACK);
    CHECK_EQ(m->change, CHANGE_JOIN);
    CHECK_STR(m->track.source, "screen");
    CHECK(!next(bob));
    end();
}

static void an_ice_restart_gets_new_credentials_of_ours(void)
{
    struct message m = {.type = MESSAGE_OFFER, .id = 12, .n = 2, .sdp = test_offer_make("a", 2)};
    const struct mail_join *before;
    const struct mail_join *after;
    char *ufrag = strstr(m.sdp, "a=ice-ufrag:user");
    const struct message *answer;

    begin();
    join(ada, "demo", "Ada", "a");
    CHECK(ufrag);
    memcpy(ufrag, "a=ice-ufrag:anew", strlen("a=ice-ufrag:anew"));
    say(ada, &m);
    message_done(&m);
    answer = expect(ada, MESSAGE_ANSWER);
    before = mail_join_at(0, MAIL_JOIN);
    after = mail_join_at(1, MAIL_UPDATE);
    CHECK(strcmp(before->ufrag, after->ufrag) != 0 && strcmp(before->pwd, after->pwd) != 0);
    CHECK(strstr(answer->sdp, after->ufrag) && strstr(answer->sdp, after->pwd));
    CHECK(!strstr(answer->sdp, before->ufrag));
    CHECK_EQ(ice_ufrag_tag(before->ufrag), 0);
    CHECK_EQ(ice_ufrag_tag(after->ufrag), 0); /* of the worker */
    say_offer(ada, 3, "a", NULL);             /* and back: a restart like any other */
    CHECK(strcmp(mail_join_at(2, MAIL_UPDATE)->ufrag, after->ufrag) != 0);
    CHECK(strcmp(mail_join_at(2, MAIL_UPDATE)->ufrag, before->ufrag) != 0);
    end();
}

static void refused_reoffer_changes_nothing(void)
{
    struct message_track_offer wrong = {"1", KIND_VIDEO, "screen", false};

    begin();
    join(ada, "demo", "Ada", "a");
    say_offer(ada, 2, "aV", &wrong);
    expect_error(ada, 12, "bad_track");
    CHECK_EQ(n_mails, 1);
    say_offer(ada, 3, "av", NULL); /* m-line 1 is free to be anything: the last offer never was */
    CHECK_EQ(expect(ada, MESSAGE_ANSWER)->n_tracks, 2);
    end();
}

/* Ada publishes sound, Bob has slots; @return Ada's track. What both heard so far is read. */
static uint32_t ada_and_bob_meet(void)
{
    uint32_t track;

    begin();
    track = join(ada, "demo", "Ada", "a")->tracks[0].id;
    join(bob, "demo", "Bob", "A");
    expect(ada, MESSAGE_PARTICIPANT);
    return track;
}

static void a_view_reaches_the_worker_if_slot_and_track_are_known(void)
{
    uint32_t track = ada_and_bob_meet();
    struct message_view views[2] = {{.mid = "0", .width = 640, .priority = VIEW_SCREEN}};
    struct message view = {.type = MESSAGE_VIEW, .id = 6, .n_views = 2, .views = views};
    const struct mail_view *mail;
    size_t before = n_mails;

    views[1] = (struct message_view){.track = track, .paused = true};
    say(bob, &view);
    CHECK_EQ(expect(bob, MESSAGE_OK)->id, 6);
    CHECK_EQ(n_mails, before + 1);
    CHECK_EQ(mails[before]->type, MAIL_VIEW);
    mail = CONTAINER_OF(mails[before], struct mail_view, mail);
    CHECK_EQ(mail->participant, session_participant(bob->session));
    CHECK_EQ(mail->n_views, 2);
    CHECK_EQ(mail->views[0].priority, VIEW_SCREEN);
    CHECK_EQ(mail->views[1].track, track);
    views[1].track = 0x99;
    say(bob, &view);
    expect(bob, MESSAGE_OK);
    mail = CONTAINER_OF(mails[before + 1], struct mail_view, mail);
    CHECK_EQ(mail->n_views, 1);
    CHECK_STR(mail->views[0].mid, "0");
    views[0].mid[0] = '7';
    view.n_views = 1;
    say(bob, &view);
    expect_error(bob, 6, "unknown_slot");
    view.views = &views[1];
    say(bob, &view);
    expect_error(bob, 6, "unknown_track");
    CHECK_EQ(n_mails, before + 2);
    end();
}

static void nobody_subscribes_to_himself(void)
{
    uint32_t track = ada_and_bob_meet();
    struct message m = {.type = MESSAGE_UNSUBSCRIBE, .id = 9, .track = {.id = track}};
    const struct mail_subscribe *mail;

    say(bob, &m);
    CHECK_EQ(expect(bob, MESSAGE_OK)->id, 9);
    CHECK_EQ(mails[n_mails - 1]->type, MAIL_SUBSCRIBE);
    mail = CONTAINER_OF(mails[n_mails - 1], struct mail_subscribe, mail);
    CHECK_EQ(mail->track, track);
    CHECK(!mail->subscribed);
    m.type = MESSAGE_SUBSCRIBE;
    say(bob, &m);
    expect(bob, MESSAGE_OK);
    mail = CONTAINER_OF(mails[n_mails - 1], struct mail_subscribe, mail);
    CHECK(mail->subscribed);
    say(ada, &m);
    expect_error(ada, 9, "unknown_track");
    end();
}

static void who_speaks_is_told_to_the_room(void)
{
    struct mail_speakers mail = {.mail = {.type = MAIL_SPEAKERS}, .n_speakers = 1};
    const struct message *m;

    (void)ada_and_bob_meet();
    mail.participant = session_participant(bob->session);
    mail.room = mail_join_at(0, MAIL_JOIN)->room;
    mail.speakers[0] = (struct message_speaker){
        .participant = session_participant(ada->session), .level = 20, .dominant = true};
    session_tell_speakers(host.directory, &mail);
    m = expect(ada, MESSAGE_SPEAKERS);
    CHECK_EQ(m->n_speakers, 1);
    CHECK_EQ(m->speakers[0].level, 20);
    CHECK_EQ(expect(bob, MESSAGE_SPEAKERS)->speakers[0].participant, mail.speakers[0].participant);
    mail.room++;
    session_tell_speakers(host.directory, &mail); /* crossed with Bob's going elsewhere */
    CHECK(!next(ada));
    end();
}

static void news_of_streams_reach_whom_they_are_for(void)
{
    uint32_t track = ada_and_bob_meet();
    struct message_stream stream = {.mid = "0", .track = track, .reason = STREAM_MUTED};
    struct mail_stream streams = {
        .mail = {.type = MAIL_STREAM}, .n_streams = 1, .streams = &stream};
    struct mail_want want = {.mail = {.type = MAIL_WANT}, .want = {.track = track}};
    struct mail_quality mail = {.mail = {.type = MAIL_QUALITY}};

    mail.quality = calloc(1, sizeof(*mail.quality));
    CHECK(mail.quality);
    mail.quality->score = 80;
    session_mail(bob->session, &streams.mail, now_us);
    CHECK_EQ(expect(bob, MESSAGE_STREAM)->streams[0].reason, STREAM_MUTED);
    session_mail(bob->session, &want.mail, now_us); /* a track that is not his */
    CHECK(!next(bob));
    session_mail(ada->session, &want.mail, now_us);
    CHECK_EQ(expect(ada, MESSAGE_WANT)->want.track, track);
    session_mail(bob->session, &mail.mail, now_us);
    CHECK_EQ(expect(bob, MESSAGE_QUALITY)->quality->score, 80);
    CHECK_EQ(session_quality(bob->session)->score, 80);
    CHECK(!next(ada));
    end();
}

static void who_joins_gets_relays_and_passwords_that_expire(void)
{
    struct config_error error;
    const struct message *m;
    char expected[64];

    begin();
    CHECK_EQ(config_set(&config, "ice_servers", "stun:a,turn:a?transport=tcp", &error), 0);
    CHECK_EQ(config_set(&config, "turn_secret", "north", &error), 0);
    host.wall_offset_us = 1700000000 * SECOND;
    now_us = 5 * SECOND;
    m = join(ada, "demo", "Ada", "a");
    CHECK_EQ(m->n_ice_servers, 2);
    CHECK_STR(m->ice_servers[1].urls[0], "turn:a?transport=tcp");
    (void)snprintf(expected, sizeof(expected), "1700086405:p-%08x", m->you);
    CHECK_STR(m->ice_servers[1].username, expected);
    CHECK_EQ(strlen(m->ice_servers[1].credential), 28);
    end();
}

TAP_CASES(CASE(who_joins_gets_relays_and_passwords_that_expire),
          CASE(a_view_reaches_the_worker_if_slot_and_track_are_known),
          CASE(nobody_subscribes_to_himself), CASE(who_speaks_is_told_to_the_room),
          CASE(news_of_streams_reach_whom_they_are_for), CASE(requests_of_a_room_need_one),
          CASE(what_is_no_request_is_answered_with_an_error),
          CASE(candidates_of_clients_do_no_harm), CASE(ping_is_answered_at_any_time),
          CASE(mute_reaches_worker_and_others), CASE(only_own_tracks_can_be_muted),
          CASE(reoffer_adds_and_removes_tracks), CASE(an_ice_restart_gets_new_credentials_of_ours),
          CASE(refused_reoffer_changes_nothing), )
