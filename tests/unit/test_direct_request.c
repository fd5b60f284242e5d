#include "sfu/direct_request.h"

#include "sfu/session_internal.h"
#include "sfu/session_media.h"
#include "tests/unit/session_fixture.h"

static struct client *const eve = &clients[2];
static struct client *const zoe = &clients[3];

static uint32_t id_of(const struct client *client)
{
    return session_participant(client->session);
}

/* Join without an offer; what those who are there hear of it is read. */
static void enter(struct client *client, const char *name)
{
    struct message m = {.type = MESSAGE_JOIN, .id = 1, .room = "demo"};
    const struct message *joined;

    (void)snprintf(m.name, sizeof(m.name), "%s", name);
    say(client, &m);
    joined = expect(client, MESSAGE_JOINED);
    CHECK(!joined->sdp);
    for (size_t i = 0; i < CLIENTS; i++) {
        if (&clients[i] != client && id_of(&clients[i]))
            expect(&clients[i], MESSAGE_PARTICIPANT);
    }
}

static void all_meet(void)
{
    begin();
    enter(ada, "Ada");
    enter(bob, "Bob");
    enter(eve, "Eve");
}

static void ask(struct client *client, enum message_type type, uint32_t call, const char *reason)
{
    struct message m = {.type = type, .id = 7, .call = {.id = call}};

    (void)snprintf(m.code, sizeof(m.code), "%s", reason);
    say(client, &m);
}

static void say_call(struct client *caller, uint32_t callee)
{
    struct message m = {.type = MESSAGE_CALL, .id = 5, .call = {.to = callee, .video = true}};

    say(caller, &m);
}

/* @return the call, which Bob has heard of */
static uint32_t ada_calls_bob(void)
{
    const struct message *m;
    uint32_t call;

    say_call(ada, id_of(bob));
    m = expect(ada, MESSAGE_OK);
    CHECK_EQ(m->id, 5);
    call = m->call.id;
    CHECK(call);
    m = expect(bob, MESSAGE_CALL);
    CHECK_EQ(m->call.id, call);
    CHECK_EQ(m->call.from, id_of(ada));
    CHECK_STR(m->name, "Ada");
    CHECK(m->call.video);
    CHECK(m->seq);
    return call;
}

static uint32_t ada_and_bob_talk(void)
{
    uint32_t call = ada_calls_bob();

    ask(bob, MESSAGE_ACCEPT, call, "");
    expect(bob, MESSAGE_OK);
    expect(bob, MESSAGE_ACCEPTED);
    expect(ada, MESSAGE_ACCEPTED);
    return call;
}

static void who_is_there_without_media_costs_no_worker(void)
{
    begin();
    enter(ada, "Ada");
    say_text(ada, "{\"t\":\"view\",\"id\":6,\"mid\":\"0\"}");
    expect_error(ada, 6, "no_offer");
    say_text(ada, "{\"t\":\"subscribe\",\"id\":6,\"track\":\"t-00000001\"}");
    expect_error(ada, 6, "no_offer");
    CHECK_EQ(directory_load(host.directory, 0), 0);
    say_text(ada, "{\"t\":\"leave\",\"id\":5}");
    expect(ada, MESSAGE_OK);
    CHECK_EQ(n_mails, 0);
    end();
}

static void say_offer(struct client *client, uint64_t n, const char *lines)
{
    struct message m = {.type = MESSAGE_OFFER, .id = 10, .n = n, .sdp = test_offer_make(lines, n)};

    say(client, &m);
    message_done(&m);
}

static void media_begin_with_the_first_offer(void)
{
    const struct message *m;

    begin();
    enter(ada, "Ada");
    enter(bob, "Bob");
    say_text(ada, "{\"t\":\"offer\",\"id\":10,\"n\":1,\"sdp\":\"nonsense\"}");
    expect_error(ada, 10, "sdp_syntax");
    CHECK_EQ(n_mails, 0);
    CHECK_EQ(directory_load(host.directory, 0), 0);
    say_offer(ada, 1, "aA");
    m = expect(ada, MESSAGE_ANSWER);
    CHECK(m->sdp);
    CHECK_EQ(m->n_tracks, 1);
    CHECK_EQ(n_mails, 1);
    CHECK_EQ(mail_join_at(0, MAIL_JOIN)->participant, id_of(ada));
    m = expect(bob, MESSAGE_TRACK);
    CHECK_EQ(m->change, CHANGE_JOIN);
    say_offer(ada, 2, "aAA");
    expect(ada, MESSAGE_ANSWER);
    CHECK_EQ(mails[1]->type, MAIL_UPDATE);
    session_leave(ada->session, "left", "", now_us);
    CHECK_EQ(mails[2]->type, MAIL_LEAVE);
    end();
}

static void a_call_rings_and_is_accepted(void)
{
    const struct message *m;
    uint32_t call;

    all_meet();
    call = ada_calls_bob();
    CHECK(!next(ada));
    ask(bob, MESSAGE_RINGING, call, "");
    CHECK_EQ(expect(bob, MESSAGE_OK)->id, 7);
    CHECK_EQ(expect(ada, MESSAGE_RINGING)->call.id, call);
    ask(bob, MESSAGE_ACCEPT, call, "");
    CHECK_EQ(expect(bob, MESSAGE_OK)->id, 7);
    m = expect(bob, MESSAGE_ACCEPTED);
    CHECK_EQ(m->call.role, ROLE_CALLEE);
    CHECK_EQ(m->call.peer, id_of(ada));
    m = expect(ada, MESSAGE_ACCEPTED);
    CHECK_EQ(m->call.role, ROLE_CALLER);
    CHECK_EQ(m->call.peer, id_of(bob));
    CHECK_EQ(m->call.id, call);
    CHECK(m->call.video);
    CHECK(!next(eve));
    end();
}

static void every_end_has_its_code(void)
{
    static const struct {
        bool talking, by_caller;
        enum message_type type;
        const char *reason, *code;
    } rows[] = {
        {false, false, MESSAGE_REJECT, "", "rejected"},
        {false, false, MESSAGE_REJECT, "busy", "busy"},
        {false, false, MESSAGE_REJECT, "whatever", "rejected"},
        {false, true, MESSAGE_CANCEL, "", "cancelled"},
        {false, true, MESSAGE_END, "", "cancelled"},
        {false, false, MESSAGE_END, "failed", "rejected"},
        {true, true, MESSAGE_END, "", "ended"},
        {true, false, MESSAGE_END, "", "ended"},
        {true, false, MESSAGE_END, "failed", "failed"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct client *who = rows[i].by_caller ? ada : bob;
        struct client *other = rows[i].by_caller ? bob : ada;
        uint32_t call;

        all_meet();
        call = rows[i].talking ? ada_and_bob_talk() : ada_calls_bob();
        ask(who, rows[i].type, call, rows[i].reason);
        CHECK_EQ(expect(who, MESSAGE_OK)->id, 7);
        CHECK_STR(expect(who, MESSAGE_ENDED)->code, rows[i].code);
        CHECK_STR(expect(other, MESSAGE_ENDED)->code, rows[i].code);
        CHECK_EQ(other->heard[other->n_read - 1].call.id, call);
        CHECK(!next(eve));
        (void)ada_calls_bob(); /* both are free again */
        end();
    }
}

static void what_is_not_ones_own_is_refused(void)
{
    uint32_t call;

    all_meet();
    call = ada_calls_bob();
    ask(ada, MESSAGE_ACCEPT, call, "");
    expect_error(ada, 7, "not_callee");
    ask(ada, MESSAGE_REJECT, call, "");
    expect_error(ada, 7, "not_callee");
    ask(bob, MESSAGE_CANCEL, call, "");
    expect_error(bob, 7, "not_caller");
    ask(eve, MESSAGE_ACCEPT, call, "");
    expect_error(eve, 7, "unknown_call");
    ask(bob, MESSAGE_ACCEPT, call + 1, "");
    expect_error(bob, 7, "unknown_call");
    ask(bob, MESSAGE_ACCEPT, call, "");
    bob->n_read += 2;
    ask(bob, MESSAGE_ACCEPT, call, "");
    expect_error(bob, 7, "not_ringing");
    end();
}

static void who_has_a_call_cannot_have_another(void)
{
    all_meet();
    (void)ada_calls_bob();
    say_call(eve, id_of(bob));
    expect_error(eve, 5, "participant_busy");
    say_call(eve, id_of(ada));
    expect_error(eve, 5, "participant_busy");
    say_call(ada, id_of(eve));
    expect_error(ada, 5, "in_call");
    CHECK(!next(bob));
    end();
}

static void two_who_call_each_other_talk(void)
{
    uint32_t call;

    all_meet();
    call = ada_calls_bob();
    say_call(bob, id_of(ada));
    CHECK_EQ(expect(bob, MESSAGE_OK)->call.id, call);
    CHECK_EQ(expect(bob, MESSAGE_ACCEPTED)->call.role, ROLE_CALLEE);
    CHECK_EQ(expect(ada, MESSAGE_ACCEPTED)->call.role, ROLE_CALLER);
    end();
}

static void only_who_is_in_the_room_and_seen_can_be_called(void)
{
    struct session *whip = NULL;
    struct message error = {0};
    struct message offer = join_of("demo", "", "a");
    struct session_offer sdp = {.sdp = offer.sdp, .len = strlen(offer.sdp)};
    struct text answer;

    all_meet();
    (void)join(zoe, "elsewhere", "Zoe", "a");
    say_call(ada, id_of(zoe));
    expect_error(ada, 5, "unknown_participant");
    say_call(ada, id_of(ada));
    expect_error(ada, 5, "unknown_participant");
    say_call(ada, 0x12345);
    expect_error(ada, 5, "unknown_participant");
    say_text(ada, "{\"t\":\"call\",\"id\":5,\"call\":\"c-00000001\",\"from\":\"p-00000001\"}");
    expect_error(ada, 5, "unknown_participant");
    text_init(&answer, SDP_MAX_BYTES);
    CHECK_EQ(session_new(&whip, &host, SESSION_WHIP, NULL, NULL, now_us), 0);
    CHECK_EQ(session_post(whip, "demo", &sdp, &answer, &error, now_us), 0);
    text_done(&answer);
    expect(ada, MESSAGE_PARTICIPANT);
    say_call(ada, session_participant(whip));
    expect_error(ada, 5, "unknown_participant");
    whip = session_free(whip, now_us);
    message_done(&offer);
    end();
}

/* Sources by token. */
static void a_call_needs_what_it_would_publish(void)
{
    static const struct {
        bool publish, video, allowed;
        const char *source; /* "": all */
    } rows[] = {
        {true, true, true, ""},
        {true, false, true, "microphone"},
        {true, true, false, "microphone"},
        {true, false, false, "camera"},
        {false, false, false, ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct message m = {.type = MESSAGE_CALL, .id = 5, .call = {.video = rows[i].video}};
        struct grants *grants;

        all_meet();
        grants = &ada->session->grants;
        grants->publish = rows[i].publish;
        grants->n_sources = rows[i].source[0] != '\0';
        (void)snprintf(grants->sources[0], sizeof(grants->sources[0]), "%s", rows[i].source);
        m.call.to = id_of(bob);
        say(ada, &m);
        if (rows[i].allowed)
            expect(ada, MESSAGE_OK);
        else
            expect_error(ada, 5, "not_allowed");
        end();
    }
}

static void what_rings_too_long_ends(void)
{
    all_meet();
    (void)ada_calls_bob();
    now_us += 45 * SECOND - 1;
    direct_request_expire(&host, now_us);
    CHECK(!next(ada));
    now_us++;
    direct_request_expire(&host, now_us);
    CHECK_STR(expect(ada, MESSAGE_ENDED)->code, "timeout");
    CHECK_STR(expect(bob, MESSAGE_ENDED)->code, "timeout");
    end();
}

static void who_leaves_ends_the_call(void)
{
    all_meet();
    (void)ada_and_bob_talk();
    session_leave(bob->session, "connection_lost", "", now_us);
    CHECK_STR(expect(ada, MESSAGE_ENDED)->code, "left");
    expect(ada, MESSAGE_PARTICIPANT);
    CHECK_EQ(direct_calls_count(host.calls), 0);
    end();
}

static void say_relay(struct client *client, uint32_t to, const char *data)
{
    struct message m = {.type = MESSAGE_RELAY, .id = 12, .call = {.to = to, .data = strdup(data)}};

    say(client, &m);
    free(m.call.data);
}

static void the_two_of_a_call_relay_to_each_other(void)
{
    const struct message *m;
    uint32_t call;

    all_meet();
    call = ada_calls_bob();
    say_relay(ada, id_of(bob), "{}");
    expect_error(ada, 12, "not_in_call"); /* it rings */
    ask(bob, MESSAGE_ACCEPT, call, "");
    bob->n_read += 2;
    expect(ada, MESSAGE_ACCEPTED);
    say_relay(ada, id_of(bob), "{\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\"}");
    CHECK_EQ(expect(ada, MESSAGE_OK)->id, 12);
    m = expect(bob, MESSAGE_RELAY);
    CHECK_EQ(m->call.from, id_of(ada));
    CHECK_STR(m->call.data, "{\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\"}");
    say_relay(bob, id_of(ada), "{}");
    expect(bob, MESSAGE_OK);
    expect(ada, MESSAGE_RELAY);
    say_relay(ada, id_of(eve), "{}");
    expect_error(ada, 12, "not_in_call");
    say_relay(eve, id_of(ada), "{}");
    expect_error(eve, 12, "not_in_call");
    ask(ada, MESSAGE_END, call, "");
    ada->n_read += 2;
    say_relay(ada, id_of(bob), "{}");
    expect_error(ada, 12, "not_in_call");
    end();
}

static void what_is_relayed_has_a_rate(void)
{
    static char data[MESSAGE_RELAY_MAX + 1];
    const struct message *m;

    memset(data, 'x', MESSAGE_RELAY_MAX);
    memcpy(data, "{\"x\":\"", 6);
    memcpy(data + MESSAGE_RELAY_MAX - 2, "\"}", 2);
    all_meet();
    (void)ada_and_bob_talk();
    for (int i = 0; i < DIRECT_RELAY_BURST / MESSAGE_RELAY_MAX; i++) {
        say_relay(ada, id_of(bob), data);
        expect(ada, MESSAGE_OK);
        expect(bob, MESSAGE_RELAY);
    }
    say_relay(ada, id_of(bob), data);
    m = expect(ada, MESSAGE_ERROR);
    CHECK_STR(m->code, "rate_limited");
    CHECK(m->retry_after_ms >= 1000 && m->retry_after_ms <= 1001);
    CHECK(!next(bob));
    now_us += SECOND;
    say_relay(ada, id_of(bob), data);
    expect(ada, MESSAGE_OK);
    end();
}

TAP_CASES(CASE(who_is_there_without_media_costs_no_worker), CASE(media_begin_with_the_first_offer),
          CASE(a_call_rings_and_is_accepted), CASE(every_end_has_its_code),
          CASE(what_is_not_ones_own_is_refused), CASE(who_has_a_call_cannot_have_another),
          CASE(two_who_call_each_other_talk), CASE(only_who_is_in_the_room_and_seen_can_be_called),
          CASE(a_call_needs_what_it_would_publish), CASE(what_rings_too_long_ends),
          CASE(who_leaves_ends_the_call), CASE(the_two_of_a_call_relay_to_each_other),
          CASE(what_is_relayed_has_a_rate))
