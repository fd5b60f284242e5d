#include "sfu/session_spread.h"

#include "tests/unit/session_fixture.h"

static struct client *const eve = &clients[2];

static void begin_spread(uint32_t workers, uint32_t room_spread)
{
    n_workers = workers;
    config_init(&config);
    config.room_spread = room_spread;
    log_set_level(LOG_ERROR);
    make();
}

/* The i-th mail is of this type, for this worker and of this client's participant. */
static struct mail *check_mail(size_t i, enum mail_type type, uint32_t worker)
{
    CHECK(i < n_mails);
    CHECK_EQ(mails[i]->type, type);
    CHECK_EQ(mail_workers[i], worker);
    return mails[i];
}

static void check_publisher(size_t i, uint32_t worker, const struct client *publisher, uint32_t at,
                            uint32_t n_tracks)
{
    const struct mail_join *mail = (const struct mail_join *)check_mail(i, MAIL_PUBLISHER, worker);

    CHECK_EQ(mail->participant, session_participant(publisher->session));
    CHECK_EQ(mail->worker, at);
    CHECK_EQ(mail->n_tracks, n_tracks);
    CHECK(mail->plan != NULL);
}

static uint32_t participant_of(const struct mail *mail)
{
    return ((const struct mail_participant *)mail)->participant;
}

static void who_joins_and_who_is_there_are_told_of_each_other(void)
{
    begin_spread(3, 1);
    (void)join(ada, "demo", "Ada", "avAV");
    CHECK_EQ(n_mails, 1);
    (void)check_mail(0, MAIL_JOIN, 0);
    (void)join(bob, "demo", "Bob", "aAV");
    CHECK_EQ(n_mails, 4);
    check_publisher(1, 1, ada, 0, 2);  /* she was first */
    (void)check_mail(2, MAIL_JOIN, 1); /* before anybody can ask for its tracks */
    check_publisher(3, 0, bob, 1, 1);
    CHECK_EQ(((const struct mail_join *)mails[2])->room,
             ((const struct mail_join *)mails[1])->room);
    (void)join(eve, "demo", "Eve", "AV"); /* publishes nothing */
    CHECK_EQ(n_mails, 7);
    check_publisher(4, 2, ada, 0, 2);
    check_publisher(5, 2, bob, 1, 1);
    (void)check_mail(6, MAIL_JOIN, 2);
    end();
}

static void who_is_not_the_first_there_needs_not_be_told(void)
{
    begin_spread(2, 2);
    (void)join(ada, "demo", "Ada", "aA");
    (void)join(bob, "demo", "Bob", "aA");
    CHECK_EQ(n_mails, 2); /* both on one */
    (void)join(eve, "demo", "Eve", "aA");
    CHECK_EQ(n_mails, 6);
    check_publisher(2, 1, ada, 0, 1);
    check_publisher(3, 1, bob, 0, 1);
    (void)check_mail(4, MAIL_JOIN, 1);
    check_publisher(5, 0, eve, 1, 1);
    (void)join(&clients[3], "demo", "Dan", "aA");
    CHECK_EQ(n_mails, 8);
    (void)check_mail(6, MAIL_JOIN, 1);
    check_publisher(7, 0, &clients[3], 1, 1);
    end();
}

static void other_rooms_are_told_nothing(void)
{
    begin_spread(3, 1);
    (void)join(ada, "demo", "Ada", "avAV");
    (void)join(bob, "other", "Bob", "avAV");
    CHECK_EQ(n_mails, 2);
    CHECK_EQ(mail_workers[0] + mail_workers[1], 1);
    end();
}

static void a_reoffer_is_told(void)
{
    struct message offer = {.type = MESSAGE_OFFER, .id = 7, .n = 1};

    begin_spread(3, 1);
    (void)join(ada, "demo", "Ada", "avAV");
    (void)join(bob, "demo", "Bob", "AV");
    drop_mails();
    offer.sdp = test_offer_make("avAVv", 2);
    say(ada, &offer);
    CHECK_EQ(n_mails, 2);
    (void)check_mail(0, MAIL_UPDATE, 0);
    check_publisher(1, 1, ada, 0, 3);
    drop_mails();
    message_done(&offer);
    offer = (struct message){.type = MESSAGE_OFFER, .n = 1, .sdp = test_offer_make("AVAV", 2)};
    say(bob, &offer);
    CHECK_EQ(n_mails, 1); /* it publishes nothing, as before */
    message_done(&offer);
    end();
}

static void a_mute_is_told_to_all(void)
{
    struct message mute = {.type = MESSAGE_MUTE, .id = 7, .track = {.muted = true}};
    bool told[3] = {false};

    begin_spread(3, 1);
    mute.track.id = join(ada, "demo", "Ada", "aA")->tracks[0].id;
    (void)join(bob, "demo", "Bob", "aA");
    (void)join(eve, "demo", "Eve", "aA");
    drop_mails();
    say(ada, &mute);
    CHECK_EQ(n_mails, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct mail_mute *mail = (const struct mail_mute *)mails[i];

        CHECK_EQ(mail->mail.type, MAIL_MUTE);
        CHECK_EQ(mail->track, mute.track.id);
        CHECK(mail->muted);
        told[mail_workers[i]] = true;
    }
    CHECK(told[0] && told[1] && told[2]);
    end();
}

static void who_leaves_is_taken_back_and_its_room_closed(void)
{
    uint32_t ada_id, room;

    begin_spread(3, 1);
    (void)join(ada, "demo", "Ada", "avAV");
    (void)join(bob, "demo", "Bob", "avAV");
    (void)join(eve, "demo", "Eve", "AV");
    ada_id = session_participant(ada->session);
    room = mail_join_at(0, MAIL_JOIN)->room;
    drop_mails();
    session_leave(ada->session, "left", "left the room", now_us);
    CHECK_EQ(n_mails, 4);
    CHECK_EQ(participant_of(check_mail(0, MAIL_LEAVE, 0)), ada_id);
    CHECK_EQ(participant_of(check_mail(1, MAIL_UNPUBLISH, 1)), ada_id);
    CHECK_EQ(participant_of(check_mail(2, MAIL_UNPUBLISH, 2)), ada_id);
    CHECK_EQ(((const struct mail_room *)check_mail(3, MAIL_CLOSE_ROOM, 0))->room, room);
    drop_mails();
    session_leave(eve->session, "left", "left the room", now_us);
    CHECK_EQ(n_mails, 2); /* it published nothing */
    (void)check_mail(0, MAIL_LEAVE, 2);
    (void)check_mail(1, MAIL_CLOSE_ROOM, 2);
    drop_mails();
    session_leave(bob->session, "left", "left the room", now_us);
    CHECK_EQ(n_mails, 1); /* the room is on its worker alone */
    end();
}

static void whose_media_ends_is_taken_back_too(void)
{
    begin_spread(3, 1);
    (void)join(ada, "demo", "Ada", "avAV");
    (void)join(bob, "demo", "Bob", "avAV");
    drop_mails();
    report(ada, PEER_FAILED);
    CHECK_EQ(n_mails, 3);
    (void)check_mail(0, MAIL_LEAVE, 0);
    (void)check_mail(1, MAIL_UNPUBLISH, 1);
    (void)check_mail(2, MAIL_CLOSE_ROOM, 0);
    end();
}

TAP_CASES(CASE(who_joins_and_who_is_there_are_told_of_each_other),
          CASE(who_is_not_the_first_there_needs_not_be_told), CASE(other_rooms_are_told_nothing),
          CASE(a_reoffer_is_told), CASE(a_mute_is_told_to_all),
          CASE(who_leaves_is_taken_back_and_its_room_closed),
          CASE(whose_media_ends_is_taken_back_too))
