#include "sfu/access.h"
#include "sfu/session_media.h"
#include "signaling/token.h"
#include "tests/token_data.h"
#include "tests/unit/session_fixture.h"

#include <errno.h>

static const int64_t NOW_S = 1700000000;

static struct token_keys keys;

static void begin_with_key(void)
{
    char entry[128], why[TOKEN_KEY_ERROR_MAX];
    struct config_error error;

    begin();
    (void)snprintf(entry, sizeof(entry), "app:%s", secret_text);
    CHECK_EQ(config_set(&config, "keys", entry, &error), 0);
    CHECK_EQ(access_new(&host.access, &config, &error), 0);
    CHECK_EQ(token_keys_add_secret(&keys, "", secret_text, strlen(secret_text), why), 0);
    host.wall_offset_us = NOW_S * SECOND - now_us;
}

static void end_with_key(void)
{
    token_keys_clear(&keys);
    end();
    host.access = access_free(host.access);
}

/* What people in a call may do. */
static struct grants usual(const char *identity)
{
    struct grants g = {.join = true, .publish = true, .subscribe = true, .data = true};

    (void)snprintf(g.identity, sizeof(g.identity), "%s", identity);
    (void)snprintf(g.room, sizeof(g.room), "demo");
    return g;
}

static void say_join_with(struct client *client, const struct grants *g, const char *room,
                          const char *lines)
{
    struct message m = join_of(room, "by itself", lines);

    CHECK_EQ(token_sign(&keys, g, NOW_S, &m.token), 0);
    say(client, &m);
    message_done(&m);
}

static const struct message *join_with(struct client *client, const struct grants *g,
                                       const char *lines)
{
    say_join_with(client, g, "demo", lines);
    return expect(client, MESSAGE_JOINED);
}

static void without_a_token_nobody_joins(void)
{
    struct grants g = usual("ada");

    begin_with_key();
    say_join(ada, "demo", "Ada", "a");
    expect_error(ada, 1, "token_missing");
    say_join_with(ada, &g, "other", "a");
    expect_error(ada, 1, "token_room");
    CHECK_EQ(n_mails, 0);
    CHECK_EQ(directory_participants(host.directory), 0);
    CHECK_EQ(join_with(ada, &g, "a")->n_tracks, 1); /* it may try again */
    end_with_key();
}

static void name_of_the_token_goes_over_that_of_join(void)
{
    struct grants named = usual("ada"), nameless = usual("bob");
    const struct message *m;

    (void)snprintf(named.name, sizeof(named.name), "Ada");
    begin_with_key();
    (void)join_with(ada, &named, "a");
    (void)join_with(bob, &nameless, "a");
    m = expect(ada, MESSAGE_PARTICIPANT);
    CHECK_STR(m->participants[0].name, "by itself");
    CHECK_EQ(bob->heard[0].n_participants, 1);
    CHECK_STR(bob->heard[0].participants[0].name, "Ada");
    CHECK_STR(session_grants(ada->session)->identity, "ada");
    end_with_key();
}

static void token_of_the_connection_counts_where_join_has_none(void)
{
    struct grants g = usual("ada");
    char *token = NULL;

    begin_with_key();
    CHECK_EQ(token_sign(&keys, &g, NOW_S, &token), 0);
    session_set_token(ada->session, token);
    CHECK_EQ(join(ada, "demo", "Ada", "a")->n_tracks, 1);
    session_set_token(bob->session, "nonsense");
    (void)join_with(bob, &g, "a");
    free(token);
    end_with_key();
}

static const char *answered_port(const struct message *joined, const char *media)
{
    static char line[32];
    const char *at = strstr(joined->sdp, media);

    CHECK(at);
    (void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "U"), at);
    return line;
}

static void sources_that_are_not_granted_are_rejected(void)
{
    struct grants g = usual("ada");
    const struct message *joined;

    g.n_sources = 1;
    (void)snprintf(g.sources[0], sizeof(g.sources[0]), "microphone");
    begin_with_key();
    joined = join_with(ada, &g, "avAV");
    CHECK_EQ(joined->n_tracks, 1);
    CHECK_STR(joined->tracks[0].source, "microphone");
    CHECK_STR(answered_port(joined, "m=video"), "m=video 0 ");
    CHECK_EQ(mail_join_at(0, MAIL_JOIN)->plan->sections[1].use, SECTION_REJECTED);
    CHECK_EQ(mail_join_at(0, MAIL_JOIN)->n_tracks, 1);
    end_with_key();
}

static void picture_is_no_microphone(void)
{
    struct grants g = usual("ada");
    struct message m = join_of("demo", "Ada", "v");

    g.n_sources = 1;
    (void)snprintf(g.sources[0], sizeof(g.sources[0]), "microphone");
    m.n_track_offers = 1;
    m.track_offers[0] = (struct message_track_offer){
        .mid = "0", .kind = KIND_VIDEO, .source = "microphone"};
    begin_with_key();
    CHECK_EQ(token_sign(&keys, &g, NOW_S, &m.token), 0);
    say(ada, &m);
    message_done(&m);
    CHECK_EQ(expect(ada, MESSAGE_JOINED)->n_tracks, 0);
    end_with_key();
}

static void reoffer_makes_no_other_source_of_a_track(void)
{
    struct grants g = usual("ada");
    struct message m = {.type = MESSAGE_OFFER, .id = 12, .n = 2, .sdp = test_offer_make("v", 2)};

    g.n_sources = 1;
    (void)snprintf(g.sources[0], sizeof(g.sources[0]), "camera");
    m.n_track_offers = 1;
    m.track_offers[0] = (struct message_track_offer){
        .mid = "0", .kind = KIND_VIDEO, .source = "screen"};
    begin_with_key();
    CHECK_EQ(join_with(ada, &g, "v")->n_tracks, 1);
    say(ada, &m);
    message_done(&m);
    CHECK_EQ(expect(ada, MESSAGE_ANSWER)->n_tracks, 0);
    end_with_key();
}

static void who_may_not_publish_joins_all_the_same(void)
{
    struct grants g = usual("ada");

    g.publish = false;
    begin_with_key();
    CHECK_EQ(join_with(ada, &g, "avAV")->n_tracks, 0);
    CHECK(!mail_join_at(0, MAIL_JOIN)->deaf);
    end_with_key();
}

static void who_may_not_subscribe_is_deaf(void)
{
    struct grants g = usual("ada");

    g.subscribe = false;
    begin_with_key();
    CHECK_EQ(join_with(ada, &g, "avAV")->n_tracks, 2);
    CHECK(mail_join_at(0, MAIL_JOIN)->deaf);
    end_with_key();
}

static void hidden_one_sees_and_is_not_seen(void)
{
    struct grants g = usual("ada"), ghost = usual("eve");
    const struct message *joined;

    ghost.hidden = true;
    begin_with_key();
    (void)join_with(ada, &g, "a");
    joined = join_with(bob, &ghost, "aA");
    CHECK_EQ(joined->n_participants, 1);
    CHECK_EQ(joined->n_tracks, 0);
    CHECK(!next(ada));
    (void)join_with(&clients[2], &g, "a");
    CHECK_EQ(clients[2].heard[0].n_participants, 1);
    CHECK_EQ(expect(bob, MESSAGE_PARTICIPANT)->change, CHANGE_JOIN);
    session_leave(bob->session, "left", "left", now_us);
    CHECK_EQ(expect(ada, MESSAGE_PARTICIPANT)->change, CHANGE_JOIN); /* of the third */
    CHECK(!next(ada));
    end_with_key();
}

static void new_token_comes_before_the_old_one_expires(void)
{
    struct grants g = usual("ada"), again;
    const struct message *m;
    char why[TOKEN_WHY_MAX];

    g.expires_s = NOW_S + 600;
    begin_with_key();
    (void)join_with(ada, &g, "a");
    session_renew_token(ada->session, now_us);
    session_renew_token(bob->session, now_us); /* in no room */
    CHECK(!next(ada));
    now_us += 500 * SECOND;
    session_renew_token(ada->session, now_us);
    m = expect(ada, MESSAGE_TOKEN);
    CHECK_EQ(m->seq, 2);
    CHECK_EQ(m->expires_in_s, 600);
    CHECK_EQ(token_verify(&keys, m->token, NOW_S + 500, &again, why), 0);
    CHECK_EQ(again.expires_s, NOW_S + 1100);
    CHECK_STR(again.identity, "ada");
    session_renew_token(ada->session, now_us);
    CHECK(!next(ada) && !next(bob));
    end_with_key();
}

static void post_needs_a_token_for_what_it_does(void)
{
    struct grants g = usual("ada");
    struct session_offer offer = {0};
    struct session *s = NULL;
    struct message error = {0};
    char *sdp = test_offer_make("v", 1), *token = NULL;
    struct text answer;

    g.n_sources = 1;
    (void)snprintf(g.sources[0], sizeof(g.sources[0]), "microphone");
    begin_with_key();
    text_init(&answer, SDP_MAX_BYTES);
    offer = (struct session_offer){.sdp = sdp, .len = strlen(sdp)};
    CHECK_EQ(session_new(&s, &host, SESSION_WHIP, NULL, NULL, now_us), 0);
    CHECK_EQ(session_post(s, "demo", &offer, &answer, &error, now_us), -EINVAL);
    CHECK_STR(error.code, "token_missing");
    CHECK_EQ(token_sign(&keys, &g, NOW_S, &token), 0);
    session_set_token(s, token);
    CHECK_EQ(session_post(s, "demo", &offer, &answer, &error, now_us), -EINVAL);
    CHECK_STR(error.code, "not_allowed");
    free(token);
    g.n_sources = 0;
    CHECK_EQ(token_sign(&keys, &g, NOW_S, &token), 0);
    session_set_token(s, token);
    CHECK_EQ(session_post(s, "demo", &offer, &answer, &error, now_us), 0);
    session_free(s, now_us);
    text_done(&answer);
    free(token);
    free(sdp);
    end_with_key();
}

TAP_CASES(CASE(without_a_token_nobody_joins), CASE(name_of_the_token_goes_over_that_of_join),
          CASE(token_of_the_connection_counts_where_join_has_none),
          CASE(sources_that_are_not_granted_are_rejected), CASE(picture_is_no_microphone),
          CASE(reoffer_makes_no_other_source_of_a_track),
          CASE(who_may_not_publish_joins_all_the_same), CASE(who_may_not_subscribe_is_deaf),
          CASE(hidden_one_sees_and_is_not_seen), CASE(new_token_comes_before_the_old_one_expires),
          CASE(post_needs_a_token_for_what_it_does))
