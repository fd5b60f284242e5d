#include "sfu/session_caps.h"

#include "sfu/session_media.h"
#include "tests/unit/session_fixture.h"

static struct client *const eve = &clients[2];

static void begin_with(uint32_t camera_kbps, uint32_t room_kbps)
{
    config_init(&config);
    log_set_level(LOG_ERROR);
    config.max_camera_kbps = camera_kbps;
    config.max_room_kbps = room_kbps;
    make();
}

/* The next that `client` hears is a new limit. */
static void expect_limit(struct client *client, uint32_t track, uint32_t max_bps)
{
    const struct message *m = expect(client, MESSAGE_LIMIT);

    CHECK_EQ(m->track.id, track);
    CHECK_EQ(m->track.max_bps, max_bps);
}

/* The newest mail. */
static void expect_cap_mail(struct client *client, uint32_t track, uint32_t max_bps)
{
    const struct mail_cap *mail = CONTAINER_OF(mails[n_mails - 1], struct mail_cap, mail);

    CHECK_EQ(mail->mail.type, MAIL_CAP);
    CHECK_EQ(mail->participant, session_participant(client->session));
    CHECK_EQ(mail->track, track);
    CHECK_EQ(mail->max_bps, max_bps);
}

static void without_limits_nothing_is_said(void)
{
    const struct message *joined;

    begin_with(0, 0);
    joined = join(ada, "demo", "Ada", "avV");
    CHECK(!strstr(joined->sdp, "b="));
    CHECK_EQ(joined->tracks[1].max_bps, 0);
    CHECK_EQ(joined->limits.room_bps, 0);
    CHECK_EQ(mail_join_at(0, MAIL_JOIN)->tracks[1].max_bps, 0);
    join(bob, "demo", "Bob", "v");
    expect(ada, MESSAGE_PARTICIPANT);
    CHECK(!next(ada));
    CHECK_EQ(n_mails, 2);
    end();
}

static void the_limit_of_a_source_is_told_everywhere(void)
{
    const struct message *joined;

    begin_with(1500, 0);
    config.max_audio_kbps = 40;
    joined = join(ada, "demo", "Ada", "avAV");
    CHECK(strstr(joined->sdp, "b=TIAS:40000\r\n"));
    CHECK(strstr(joined->sdp, "b=TIAS:1500000\r\n"));
    CHECK_EQ(joined->tracks[0].max_bps, 40000);
    CHECK_EQ(joined->tracks[1].max_bps, 1500000);
    CHECK_EQ(joined->limits.audio_bps, 40000);
    CHECK_EQ(joined->limits.camera_bps, 1500000);
    CHECK_EQ(mail_join_at(0, MAIL_JOIN)->tracks[0].max_bps, 40000);
    CHECK_EQ(mail_join_at(0, MAIL_JOIN)->tracks[1].max_bps, 1500000);
    CHECK_EQ(mail_join_at(0, MAIL_JOIN)->plan->sections[1].max_bps, 1500000);
    CHECK_EQ(mail_join_at(0, MAIL_JOIN)->plan->sections[3].max_bps, 0);
    end();
}

static void the_others_are_not_told_of_it(void)
{
    begin_with(1500, 0);
    join(ada, "demo", "Ada", "v");
    CHECK_EQ(join(bob, "demo", "Bob", "V")->participants[0].tracks[0].max_bps, 0);
    join(eve, "demo", "Eve", "v");
    expect(bob, MESSAGE_PARTICIPANT);
    CHECK_EQ(bob->heard[bob->n_read - 1].participants[0].tracks[0].max_bps, 0);
    end();
}

static void say_offer(struct client *client, const char *lines, const char *screen_mid)
{
    struct message m = {.type = MESSAGE_OFFER, .id = 2, .n = 2, .sdp = test_offer_make(lines, 2)};

    if (screen_mid) {
        m.n_track_offers = 1;
        m.track_offers[0] = (struct message_track_offer){.kind = KIND_VIDEO, .source = "screen"};
        (void)snprintf(m.track_offers[0].mid, sizeof(m.track_offers[0].mid), "%s", screen_mid);
    }
    say(client, &m);
    message_done(&m);
}

static void a_screen_has_its_own_limit(void)
{
    const struct message *answer;

    begin_with(1500, 0);
    config.max_screen_kbps = 2500;
    join(ada, "demo", "Ada", "v");
    say_offer(ada, "vv", "1");
    answer = expect(ada, MESSAGE_ANSWER);
    CHECK_EQ(answer->tracks[0].max_bps, 1500000);
    CHECK_EQ(answer->tracks[1].max_bps, 2500000);
    CHECK(strstr(answer->sdp, "b=TIAS:2500000\r\n"));
    CHECK_EQ(mail_join_at(1, MAIL_UPDATE)->tracks[1].max_bps, 2500000);
    say_offer(ada, "vv", NULL); /* it is still one */
    CHECK_EQ(expect(ada, MESSAGE_ANSWER)->tracks[1].max_bps, 2500000);
    end();
}

static void what_is_for_the_room_is_shared(void)
{
    uint32_t of_ada, of_bob;

    begin_with(0, 4000);
    of_ada = join(ada, "demo", "Ada", "av")->tracks[1].id;
    CHECK_EQ(ada->heard[0].limits.room_bps, 4000000);
    CHECK_EQ(ada->heard[0].tracks[0].max_bps, 0);
    CHECK_EQ(ada->heard[0].tracks[1].max_bps, 4000000);
    of_bob = join(bob, "demo", "Bob", "v")->tracks[0].id;
    CHECK_EQ(bob->heard[0].tracks[0].max_bps, 2000000);
    expect_cap_mail(ada, of_ada, 2000000);
    expect_limit(ada, of_ada, 2000000);
    expect(ada, MESSAGE_PARTICIPANT);
    join(eve, "demo", "Eve", "vv");
    CHECK_EQ(eve->heard[0].tracks[1].max_bps, 1000000);
    expect_limit(ada, of_ada, 1000000);
    expect_limit(bob, of_bob, 1000000);
    expect(ada, MESSAGE_PARTICIPANT);
    expect(bob, MESSAGE_PARTICIPANT);
    CHECK_EQ(n_mails, 3 + 3);
    say_text(eve, "{\"t\":\"leave\",\"id\":9}");
    expect_limit(ada, of_ada, 2000000);
    expect_limit(bob, of_bob, 2000000);
    expect(eve, MESSAGE_OK);
    end();
}

static void rooms_do_not_share(void)
{
    begin_with(0, 4000);
    join(ada, "one", "Ada", "v");
    CHECK_EQ(join(bob, "two", "Bob", "v")->tracks[0].max_bps, 4000000);
    CHECK(!next(ada));
    end();
}

static void who_is_muted_leaves_its_share_to_the_others(void)
{
    uint32_t of_ada, of_bob;
    struct message mute = {.type = MESSAGE_MUTE, .id = 3};

    begin_with(0, 4000);
    of_ada = join(ada, "demo", "Ada", "v")->tracks[0].id;
    of_bob = join(bob, "demo", "Bob", "v")->tracks[0].id;
    expect_limit(ada, of_ada, 2000000);
    expect(ada, MESSAGE_PARTICIPANT);
    mute.track = (struct message_track){.id = of_bob, .muted = true};
    say(bob, &mute);
    expect(bob, MESSAGE_OK); /* and nothing of a limit: it would get the same again */
    expect(ada, MESSAGE_TRACK);
    expect_limit(ada, of_ada, 4000000);
    mute.track.muted = false;
    say(bob, &mute);
    expect(bob, MESSAGE_OK);
    expect(ada, MESSAGE_TRACK);
    expect_limit(ada, of_ada, 2000000);
    CHECK(!next(bob));
    end();
}

static void a_track_that_ends_leaves_its_share(void)
{
    uint32_t of_ada;

    begin_with(0, 4000);
    of_ada = join(ada, "demo", "Ada", "v")->tracks[0].id;
    join(bob, "demo", "Bob", "v");
    expect_limit(ada, of_ada, 2000000);
    expect(ada, MESSAGE_PARTICIPANT);
    say_offer(bob, "-", NULL);
    expect(ada, MESSAGE_TRACK);
    expect_limit(ada, of_ada, 4000000);
    end();
}

static void a_whip_client_shares_and_only_its_worker_hears_of_it(void)
{
    char *sdp = test_offer_make("v", 1);
    struct session_offer offer = {.sdp = sdp, .len = strlen(sdp)};
    struct message error;
    struct text answer;
    struct session *whip;

    begin_with(0, 4000);
    text_init(&answer, SDP_MAX_BYTES);
    CHECK_EQ(session_new(&whip, &host, SESSION_WHIP, NULL, NULL, now_us), 0);
    CHECK_EQ(session_post(whip, "demo", &offer, &answer, &error, now_us), 0);
    CHECK(strstr(text_str(&answer), "b=TIAS:4000000\r\n"));
    join(ada, "demo", "Ada", "v");
    CHECK_EQ(mails[n_mails - 1]->type, MAIL_CAP);
    CHECK_EQ(CONTAINER_OF(mails[n_mails - 1], struct mail_cap, mail)->max_bps, 2000000);
    session_free(whip, now_us);
    free(sdp);
    text_done(&answer);
    end();
}

static void a_server_that_stops_says_no_more_of_it(void)
{
    begin_with(0, 4000);
    join(ada, "demo", "Ada", "v");
    join(bob, "demo", "Bob", "v");
    expect(ada, MESSAGE_LIMIT);
    expect(ada, MESSAGE_PARTICIPANT);
    host.stopping = true;
    session_dismiss(bob->session, "server_stopping", "the server is stopping", now_us);
    expect(ada, MESSAGE_PARTICIPANT);
    CHECK(!next(ada));
    end();
}

TAP_CASES(CASE(without_limits_nothing_is_said), CASE(the_limit_of_a_source_is_told_everywhere),
          CASE(the_others_are_not_told_of_it), CASE(a_screen_has_its_own_limit),
          CASE(what_is_for_the_room_is_shared), CASE(rooms_do_not_share),
          CASE(who_is_muted_leaves_its_share_to_the_others),
          CASE(a_track_that_ends_leaves_its_share),
          CASE(a_whip_client_shares_and_only_its_worker_hears_of_it),
          CASE(a_server_that_stops_says_no_more_of_it))
