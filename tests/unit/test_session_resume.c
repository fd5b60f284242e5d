#include "sfu/event_log.h"
#include "tests/unit/session_fixture.h"

/* Bob's: what he was told when he joined. */
static struct message_session known;

static bool ada_muted;

static void join_both(void)
{
    ada_muted = false;
    join(ada, "demo", "Ada", "aA");
    known = join(bob, "demo", "Bob", "aA")->session;
    expect(ada, MESSAGE_PARTICIPANT);
}

/* @return the session, which is nobody's for now */
static struct session *lose(struct client *client)
{
    struct session *s = client->session;

    CHECK(session_detach(s, false, now_us));
    client->session = NULL;
    return s;
}

static void say_resume(struct client *client, const struct message_session *session, uint64_t seq)
{
    struct message m = {.type = MESSAGE_RESUME, .id = 9, .session = *session, .seq = seq};

    say(client, &m);
}

static const struct message *resume(struct client *client, uint64_t seq)
{
    const struct message *m;

    say_resume(client, &known, seq);
    m = expect(client, MESSAGE_RESUMED);
    CHECK_EQ(m->id, 9);
    return m;
}

static struct client *const back = &clients[2]; /* Bob's next WebSocket */

static void say_mute(struct client *client, uint32_t track, bool muted)
{
    struct message m = {.type = MESSAGE_MUTE, .id = 3, .track = {.id = track, .muted = muted}};

    say(client, &m);
    expect(client, MESSAGE_OK);
}

/* Ada's track; everybody else is told. */
static void make_events(size_t n)
{
    uint32_t track = CONTAINER_OF(mails[0], struct mail_join, mail)->tracks[0].id;

    for (size_t i = 0; i < n; i++) {
        ada_muted = !ada_muted;
        say_mute(ada, track, ada_muted);
        while (n_mails > 2)
            mail_free(mails[--n_mails]);
    }
}

static void joined_says_how_to_come_back(void)
{
    const struct message *m;

    begin();
    m = join(ada, "demo", "Ada", "a");
    CHECK_EQ(session_id_parse(m->session.id), m->you);
    CHECK_EQ(strlen(m->session.token), 24);
    CHECK_EQ(m->session.resume_s, 30);
    end();
    config.resume_timeout_s = 0;
    make();
    CHECK_STR(join(ada, "demo", "Ada", "a")->session.id, "");
    end();
}

static void nobody_sees_that_one_was_away(void)
{
    const struct message *m;
    struct session *s;

    begin();
    join_both();
    s = lose(bob);
    CHECK(!session_advance(s, now_us + 29 * SECOND));
    m = resume(back, 1);
    CHECK_EQ(m->you, session_participant(s));
    CHECK_EQ(m->seq, 1);
    CHECK(m->replayed);
    CHECK(back->session == s);
    CHECK(!next(back));
    CHECK(!next(ada));
    CHECK_EQ(n_mails, 2);
    CHECK(!session_advance(s, now_us + 60 * SECOND));
    say_text(back, "{\"t\":\"ping\",\"id\":4}");
    expect(back, MESSAGE_PONG);
    end();
}

static void what_was_missed_is_told_with_its_numbers(void)
{
    begin();
    join_both();
    make_events(2); /* seq 2 and 3, which Bob got, but only the first of them was read */
    CHECK_EQ(expect(bob, MESSAGE_TRACK)->seq, 2);
    CHECK_EQ(expect(bob, MESSAGE_TRACK)->seq, 3);
    (void)lose(bob);
    make_events(1);
    CHECK_EQ(resume(back, 2)->seq, 4);
    CHECK_EQ(expect(back, MESSAGE_TRACK)->seq, 3);
    CHECK_EQ(expect(back, MESSAGE_TRACK)->seq, 4);
    CHECK(!next(back));
    make_events(1);
    CHECK_EQ(expect(back, MESSAGE_TRACK)->seq, 5);
    end();
}

/* What Ada hears is kept, too, and there is not room for so much. */
static void forget_what_ada_heard(void)
{
    while (ada->n_heard > 0)
        message_done(&ada->heard[--ada->n_heard]);
    ada->n_read = 0;
}

static void who_has_missed_too_much_gets_the_whole_state(void)
{
    const struct message *m;

    begin();
    config.max_messages_per_s = config.max_changes_per_s = 1000;
    join_both();
    (void)lose(bob);
    for (size_t i = 0; i < EVENT_LOG_MAX_EVENTS + 1; i += 16) {
        make_events(16);
        forget_what_ada_heard();
    }
    m = resume(back, 1);
    CHECK(!m->replayed);
    CHECK_EQ(m->seq, 1 + EVENT_LOG_MAX_EVENTS + 16);
    CHECK_EQ(m->n_participants, 1);
    CHECK_STR(m->participants[0].name, "Ada");
    CHECK_EQ(m->participants[0].n_tracks, 1);
    CHECK_EQ(m->n_tracks, 1);
    CHECK_STR(m->tracks[0].mid, "0");
    CHECK(!next(back));
    CHECK_EQ(n_mails, 3);
    CHECK_EQ(mails[2]->type, MAIL_REFRESH);
    CHECK_EQ(CONTAINER_OF(mails[2], struct mail_participant, mail)->participant, m->you);
    make_events(1);
    CHECK_EQ(expect(back, MESSAGE_TRACK)->seq, m->seq + 1);
    end();
}

static void a_number_from_the_future_gets_the_whole_state(void)
{
    begin();
    join_both();
    (void)lose(bob);
    CHECK(!resume(back, 2)->replayed);
    end();
}

static void a_new_websocket_takes_the_place_of_one_that_is_open(void)
{
    const struct message *m;

    begin();
    join_both();
    CHECK(resume(back, 1)->replayed);
    CHECK(!bob->session);
    m = expect(bob, MESSAGE_GO);
    CHECK_STR(m->action, "leave");
    CHECK_STR(m->code, "resumed_elsewhere");
    CHECK_EQ(m->seq, 0);
    CHECK_EQ(bob->close_code, 1000);
    make_events(1);
    CHECK_EQ(expect(back, MESSAGE_TRACK)->seq, 2);
    CHECK(!next(bob));
    CHECK_EQ(directory_participants(host.directory), 2);
    end();
}

static void who_does_not_come_back_in_time_has_left(void)
{
    struct session *s;

    begin();
    join_both();
    s = lose(bob);
    CHECK(!session_advance(s, now_us + 30 * SECOND - 1));
    CHECK(!next(ada));
    CHECK(session_advance(s, now_us + 30 * SECOND));
    CHECK_STR(expect(ada, MESSAGE_PARTICIPANT)->code, "disconnected");
    CHECK_EQ(mails[n_mails - 1]->type, MAIL_LEAVE);
    session_free(s, now_us);
    say_resume(back, &known, 1);
    expect_error(back, 9, "unknown_session");
    end();
}

static void closing_the_websocket_is_leaving(void)
{
    begin();
    join_both();
    CHECK(!session_detach(bob->session, true, now_us));
    CHECK_STR(expect(ada, MESSAGE_PARTICIPANT)->code, "left");
    end();
}

static void without_resume_losing_it_is_leaving(void)
{
    begin();
    config.resume_timeout_s = 0;
    join_both();
    CHECK(!session_detach(bob->session, false, now_us));
    bob->session = session_free(bob->session, now_us);
    CHECK_STR(expect(ada, MESSAGE_PARTICIPANT)->code, "disconnected");
    end();
}

static void end_of_the_media_ends_the_wait(void)
{
    struct mail_state mail = {.mail = {.type = MAIL_STATE}, .state = PEER_CONSENT_LOST};
    struct session *s;

    begin();
    join_both();
    s = lose(bob);
    session_mail(s, &mail.mail, now_us);
    CHECK_STR(expect(ada, MESSAGE_PARTICIPANT)->code, "connection_lost");
    CHECK(session_advance(s, now_us));
    session_free(s, now_us);
    end();
}

static void only_who_has_the_secret_comes_back(void)
{
    struct message_session wrong;
    struct session *s;

    begin();
    join_both();
    s = lose(bob);
    wrong = known;
    wrong.token[23] = wrong.token[23] == 'x' ? 'y' : 'x';
    say_resume(back, &wrong, 1);
    expect_error(back, 9, "unknown_session");
    wrong = known;
    wrong.token[23] = '\0';
    say_resume(back, &wrong, 1);
    expect_error(back, 9, "unknown_session");
    CHECK_EQ(back->close_code, 0);
    (void)snprintf(wrong.id, sizeof(wrong.id), "nonsense");
    say_resume(back, &wrong, 1);
    CHECK_STR(expect(back, MESSAGE_ERROR)->code, "unknown_session");
    CHECK_STR(expect(back, MESSAGE_GO)->code, "rate_limited");
    CHECK_EQ(back->close_code, 1008);
    session_free(s, now_us);
    end();
}

static void who_is_in_a_room_cannot_resume(void)
{
    begin();
    join_both();
    say_resume(ada, &known, 1);
    expect_error(ada, 9, "already_joined");
    end();
}

static void what_has_arrived_is_forgotten(void)
{
    begin();
    join_both();
    CHECK(!session_advance(bob->session, now_us));
    CHECK_EQ(bob->pinged, 0); /* there is nothing to ask for */
    make_events(2);
    now_us += 10 * SECOND;
    CHECK(!session_advance(bob->session, now_us));
    CHECK_EQ(bob->pinged, 3);
    make_events(1);
    session_confirm(bob->session, 3);
    (void)lose(bob);
    CHECK(resume(back, 3)->replayed);
    CHECK_EQ(expect(back, MESSAGE_TRACK)->seq, 4);
    CHECK(resume(&clients[3], 2)->replayed == false); /* it had that, or so it said */
    end();
}

static void of_speakers_the_last_word_is_told_again(void)
{
    struct mail_quality quality = {.mail = {.type = MAIL_QUALITY}};
    struct message event = {.type = MESSAGE_SPEAKERS};
    struct message_speaker speaker = {.participant = 7};
    const struct message *m;
    struct session *s;

    begin();
    join_both();
    s = lose(bob);
    quality.quality = calloc(1, sizeof(*quality.quality));
    session_mail(s, &quality.mail, now_us);
    event.speakers = &speaker;
    for (event.n_speakers = 0; event.n_speakers < 2; event.n_speakers++)
        session_deliver(directory_find(host.directory, session_participant(s)), &event);
    CHECK_EQ(resume(back, 1)->seq, 4);
    m = expect(back, MESSAGE_SPEAKERS);
    CHECK_EQ(m->seq, 4);
    CHECK_EQ(m->n_speakers, 1);
    CHECK(!next(back));
    end();
}

static void an_offer_may_be_repeated(void)
{
    struct message offer;
    uint32_t track;

    begin();
    join_both();
    offer = (struct message){
        .type = MESSAGE_OFFER, .id = 12, .n = 2, .sdp = test_offer_make("aAv", 2)};
    say(bob, &offer);
    track = expect(bob, MESSAGE_ANSWER)->tracks[1].id;
    expect(ada, MESSAGE_TRACK);
    (void)lose(bob);
    CHECK(resume(back, 1)->replayed);
    CHECK(!next(back)); /* an answer is not told again */
    say(back, &offer);
    CHECK_EQ(expect(back, MESSAGE_ANSWER)->tracks[1].id, track);
    CHECK(!next(ada));
    message_done(&offer);
    end();
}

TAP_CASES(CASE(joined_says_how_to_come_back), CASE(nobody_sees_that_one_was_away),
          CASE(what_was_missed_is_told_with_its_numbers),
          CASE(who_has_missed_too_much_gets_the_whole_state),
          CASE(a_number_from_the_future_gets_the_whole_state),
          CASE(a_new_websocket_takes_the_place_of_one_that_is_open),
          CASE(who_does_not_come_back_in_time_has_left), CASE(closing_the_websocket_is_leaving),
          CASE(without_resume_losing_it_is_leaving), CASE(end_of_the_media_ends_the_wait),
          CASE(only_who_has_the_secret_comes_back), CASE(who_is_in_a_room_cannot_resume),
          CASE(what_has_arrived_is_forgotten), CASE(of_speakers_the_last_word_is_told_again),
          CASE(an_offer_may_be_repeated))
