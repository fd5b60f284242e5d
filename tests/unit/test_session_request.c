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

static void flood_of_messages_ends_the_session(void)
{
    begin();
    config.max_messages_per_s = 3;
    for (int second = 0; second < 3; second++, now_us += SECOND) {
        for (int i = 0; i < 3; i++) {
            say_text(ada, "{\"t\":\"ping\",\"id\":1}");
            expect(ada, MESSAGE_PONG);
        }
    }
    for (int i = 0; i < 4; i++)
        say_text(ada, "{\"t\":\"ping\",\"id\":1}");
    ada->n_read += 3;
    CHECK_STR(expect(ada, MESSAGE_GO)->code, "rate_limited");
    CHECK_EQ(ada->close_code, 1008);
    end();
}

TAP_CASES(CASE(requests_of_a_room_need_one), CASE(what_is_no_request_is_answered_with_an_error),
          CASE(ping_is_answered_at_any_time), CASE(mute_reaches_worker_and_others),
          CASE(only_own_tracks_can_be_muted), CASE(reoffer_adds_and_removes_tracks),
          CASE(refused_reoffer_changes_nothing), CASE(flood_of_messages_ends_the_session))
