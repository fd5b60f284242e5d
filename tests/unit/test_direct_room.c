#include "tests/unit/session_fixture.h"

static struct client *const eve = &clients[2];

static uint32_t id_of(const struct client *client)
{
    return session_participant(client->session);
}

static const struct message *enter(struct client *client, enum room_mode mode)
{
    struct message m = {.type = MESSAGE_JOIN, .id = 1, .room = "tea", .call = {.mode = mode}};

    say(client, &m);
    return expect(client, MESSAGE_JOINED);
}

/* Ada and Bob in a direct room; what they heard is read. */
static void two_meet(void)
{
    const struct message *m;

    begin();
    m = enter(ada, ROOM_DIRECT);
    CHECK_EQ(m->call.mode, ROOM_DIRECT);
    CHECK_EQ(m->call.role, ROLE_CALLER);
    m = enter(bob, ROOM_DIRECT);
    CHECK_EQ(m->call.mode, ROOM_DIRECT);
    CHECK_EQ(m->call.role, ROLE_CALLEE);
    CHECK_EQ(m->n_participants, 1);
    expect(ada, MESSAGE_PARTICIPANT);
}

static void say_relay(struct client *client, uint32_t to)
{
    static char data[] = "{}";
    struct message m = {.type = MESSAGE_RELAY, .id = 12, .call = {.to = to, .data = data}};

    say(client, &m);
}

static void expect_sfu(struct client *client)
{
    CHECK_EQ(expect(client, MESSAGE_ROOM)->call.mode, ROOM_SFU);
}

static void the_first_is_the_caller_and_the_two_relay(void)
{
    two_meet();
    say_relay(ada, id_of(bob));
    expect(ada, MESSAGE_OK);
    CHECK_EQ(expect(bob, MESSAGE_RELAY)->call.from, id_of(ada));
    say_relay(bob, id_of(ada));
    expect(bob, MESSAGE_OK);
    expect(ada, MESSAGE_RELAY);
    CHECK_EQ(n_mails, 0);
    end();
}

static void who_is_left_becomes_the_caller(void)
{
    const struct message *m;

    two_meet();
    session_leave(ada->session, "left", "", now_us);
    m = expect(bob, MESSAGE_ROOM);
    CHECK_EQ(m->call.mode, ROOM_DIRECT);
    CHECK_EQ(m->call.role, ROLE_CALLER);
    expect(bob, MESSAGE_PARTICIPANT);
    CHECK_EQ(enter(eve, ROOM_SFU)->call.role, ROLE_CALLEE);
    expect(bob, MESSAGE_PARTICIPANT);
    session_leave(eve->session, "left", "", now_us);
    expect(bob, MESSAGE_PARTICIPANT);
    CHECK(!next(bob)); /* he is the caller already */
    end();
}

static void a_third_makes_it_an_ordinary_room_for_good(void)
{
    const struct message *m;

    two_meet();
    m = enter(eve, ROOM_DIRECT);
    CHECK_EQ(m->call.mode, ROOM_SFU);
    CHECK_EQ(m->call.role, ROLE_NONE);
    expect_sfu(ada);
    expect(ada, MESSAGE_PARTICIPANT);
    expect_sfu(bob);
    expect(bob, MESSAGE_PARTICIPANT);
    say_relay(ada, id_of(bob));
    expect_error(ada, 12, "not_in_call");
    session_leave(eve->session, "left", "", now_us);
    expect(ada, MESSAGE_PARTICIPANT);
    expect(bob, MESSAGE_PARTICIPANT);
    CHECK(!next(ada));
    CHECK(!next(bob));
    end();
}

static void an_offer_to_the_server_makes_it_an_ordinary_room(void)
{
    struct message m = {.type = MESSAGE_OFFER, .id = 10, .n = 1, .sdp = test_offer_make("aA", 1)};

    two_meet();
    say(bob, &m);
    message_done(&m);
    expect(ada, MESSAGE_TRACK);
    expect_sfu(ada);
    expect_sfu(bob);
    expect(bob, MESSAGE_ANSWER);
    CHECK_EQ(mails[0]->type, MAIL_JOIN);
    end();
}

static void who_joins_with_an_offer_makes_it_an_ordinary_room(void)
{
    begin();
    enter(ada, ROOM_DIRECT);
    CHECK_EQ(join(bob, "tea", "Bob", "a")->call.mode, ROOM_SFU);
    expect_sfu(ada);
    expect(ada, MESSAGE_PARTICIPANT);
    end();
}

static void a_refused_third_changes_nothing(void)
{
    struct message m = join_of("tea", "Eve", "a");

    two_meet();
    m.sdp[0] = 'x';
    say(eve, &m);
    message_done(&m);
    expect(eve, MESSAGE_ERROR);
    say_relay(ada, id_of(bob));
    expect(ada, MESSAGE_OK);
    end();
}

static void only_a_new_room_without_media_is_direct(void)
{
    struct message m = join_of("tea", "Ada", "a");

    begin();
    m.call.mode = ROOM_DIRECT;
    say(ada, &m);
    message_done(&m);
    CHECK_EQ(expect(ada, MESSAGE_JOINED)->call.mode, ROOM_SFU);
    CHECK_EQ(enter(bob, ROOM_DIRECT)->call.mode, ROOM_SFU);
    say_relay(bob, id_of(ada));
    expect_error(bob, 12, "not_in_call");
    end();
}

TAP_CASES(CASE(the_first_is_the_caller_and_the_two_relay), CASE(who_is_left_becomes_the_caller),
          CASE(a_third_makes_it_an_ordinary_room_for_good),
          CASE(an_offer_to_the_server_makes_it_an_ordinary_room),
          CASE(who_joins_with_an_offer_makes_it_an_ordinary_room),
          CASE(a_refused_third_changes_nothing), CASE(only_a_new_room_without_media_is_direct))
