#include "client/peer_call.h"

#include "tests/tap.h"

#include <errno.h>

enum { US_ID = 1, PEER = 2, CALL = 0x1f, MAX_ASKED = 16 };

static struct peer_call *call;
static struct message asked[MAX_ASKED];
static size_t n_asked, n_read;
static char ended[32];
static bool on_server_called;
static uint32_t plan_peer;

static int keep_request(void *owner, struct message *m)
{
    (void)owner;
    CHECK(n_asked < MAX_ASKED);
    m->id = 100 + n_asked;
    asked[n_asked] = *m;
    if (m->call.data)
        asked[n_asked].call.data = strdup(m->call.data);
    n_asked++;
    return 0;
}

static void on_plan(void *owner, const struct media_plan *plan, uint32_t peer)
{
    (void)owner;
    CHECK(plan->n_sections > 0);
    plan_peer = peer;
}

static void on_server(void *owner)
{
    (void)owner;
    on_server_called = true;
}

static void on_ended(void *owner, const char *code, const char *text)
{
    (void)owner;
    (void)text;
    (void)snprintf(ended, sizeof(ended), "%s", code);
}

static const struct peer_call_handler handler = {
    .request = keep_request, .on_plan = on_plan, .on_server = on_server, .on_ended = on_ended};

static struct negotiation_local local = {.ufrag = "abcd",
                                         .pwd = "0123456789abcdef01234567",
                                         .fingerprint = {.hash = "sha-256", .len = 32},
                                         .cname = "cname"};

static void begin(const char *callee, bool answer)
{
    struct peer_call_config config = {
        .callee = callee,
        .answer = answer,
        .media = {.publish_audio = true, .receive_audio = true},
    };

    n_asked = n_read = 0;
    ended[0] = '\0';
    on_server_called = false;
    plan_peer = 0;
    CHECK_EQ(peer_call_new(&call, &config, &handler, NULL), 0);
    peer_call_set_local(call, &local);
}

static void end(void)
{
    call = peer_call_free(call);
    for (size_t i = 0; i < n_asked; i++)
        message_done(&asked[i]);
}

static void hear(struct message m)
{
    peer_call_on_message(call, &m, 0);
}

static void hear_joined(enum room_mode mode, enum call_role role, const char *other)
{
    struct message_participant participant = {.id = PEER};
    struct message m = {.type = MESSAGE_JOINED, .you = US_ID};

    m.call.mode = (uint8_t)mode;
    m.call.role = (uint8_t)role;
    if (other) {
        (void)snprintf(participant.name, sizeof(participant.name), "%s", other);
        m.n_participants = 1;
        m.participants = &participant;
    }
    hear(m);
}

static void hear_participant(enum message_change change, const char *name)
{
    struct message_participant participant = {.id = PEER};
    struct message m = {.type = MESSAGE_PARTICIPANT,
                        .change = change,
                        .n_participants = 1,
                        .participants = &participant};

    (void)snprintf(participant.name, sizeof(participant.name), "%s", name);
    hear(m);
}

static const struct message *expect(enum message_type type)
{
    CHECK(n_read < n_asked);
    CHECK_STR(message_type_name(asked[n_read].type), message_type_name(type));
    return &asked[n_read++];
}

static void whom_we_call_is_waited_for(void)
{
    const struct message *m;

    begin("Bob", false);
    hear_joined(ROOM_SFU, ROLE_NONE, "Eve");
    CHECK_EQ(n_asked, 0);
    hear_participant(CHANGE_JOIN, "Bob");
    m = expect(MESSAGE_CALL);
    CHECK_EQ(m->call.to, PEER);
    hear((struct message){.type = MESSAGE_OK, .id = m->id, .call = {.id = CALL}});
    hear((struct message){.type = MESSAGE_ACCEPTED,
                          .call = {.id = CALL, .peer = PEER, .role = ROLE_CALLER}});
    m = expect(MESSAGE_RELAY);
    CHECK_EQ(m->call.to, PEER);
    CHECK(strstr(m->call.data, "\"type\":\"offer\""));
    hear((struct message){.type = MESSAGE_ENDED, .call = {.id = CALL}, .code = "left"});
    CHECK_STR(ended, "left");
    end();
}

static void an_id_does_as_well_as_a_name(void)
{
    begin("p-00000002", false);
    hear_joined(ROOM_SFU, ROLE_NONE, "Bob");
    CHECK_EQ(expect(MESSAGE_CALL)->call.to, PEER);
    end();
}

static void every_end_is_told(void)
{
    static const char *const codes[] = {"rejected", "busy", "timeout", "cancelled"};

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct message m = {.type = MESSAGE_ENDED, .call = {.id = CALL}};

        begin("Bob", false);
        hear_joined(ROOM_SFU, ROLE_NONE, "Bob");
        hear((struct message){
            .type = MESSAGE_OK, .id = expect(MESSAGE_CALL)->id, .call = {.id = CALL}});
        (void)snprintf(m.code, sizeof(m.code), "%s", codes[i]);
        hear(m);
        CHECK_STR(ended, codes[i]);
        end();
    }
    begin("Bob", false);
    hear_joined(ROOM_SFU, ROLE_NONE, "Bob");
    hear((struct message){.type = MESSAGE_ERROR,
                          .id = expect(MESSAGE_CALL)->id,
                          .code = "participant_busy",
                          .text = "has a call"});
    CHECK_STR(ended, "participant_busy");
    end();
}

static void who_answers_accepts(void)
{
    begin(NULL, true);
    hear_joined(ROOM_SFU, ROLE_NONE, NULL);
    hear((struct message){.type = MESSAGE_CALL, .call = {.id = CALL, .from = PEER}});
    CHECK_EQ(expect(MESSAGE_RINGING)->call.id, CALL);
    CHECK_EQ(expect(MESSAGE_ACCEPT)->call.id, CALL);
    hear((struct message){.type = MESSAGE_ACCEPTED,
                          .call = {.id = CALL, .peer = PEER, .role = ROLE_CALLEE}});
    CHECK_EQ(n_asked, n_read); /* the other one offers */
    end();
    begin("Bob", false);
    hear((struct message){.type = MESSAGE_CALL, .call = {.id = CALL, .from = PEER}});
    CHECK_EQ(expect(MESSAGE_REJECT)->call.id, CALL);
    end();
}

static void the_first_of_a_room_for_two_offers(void)
{
    begin(NULL, false);
    hear_joined(ROOM_DIRECT, ROLE_CALLER, NULL);
    CHECK_EQ(n_asked, 0);
    hear_participant(CHANGE_JOIN, "Bob");
    CHECK(strstr(expect(MESSAGE_RELAY)->call.data, "\"type\":\"offer\""));
    hear_participant(CHANGE_LEAVE, "Bob");
    CHECK_STR(ended, "left");
    end();
}

static void the_second_answers(void)
{
    char *offer;

    begin(NULL, false);
    hear_joined(ROOM_DIRECT, ROLE_CALLER, "Bob");
    offer = strdup(expect(MESSAGE_RELAY)->call.data);
    end();
    begin(NULL, false);
    hear_joined(ROOM_DIRECT, ROLE_CALLEE, "Bob");
    CHECK_EQ(n_asked, 0);
    hear((struct message){.type = MESSAGE_RELAY,
                          .call = {.from = 99, .data = offer, .data_len = strlen(offer)}});
    CHECK_EQ(n_asked, 0); /* of a stranger */
    hear((struct message){.type = MESSAGE_RELAY,
                          .call = {.from = PEER, .data = offer, .data_len = strlen(offer)}});
    CHECK(strstr(expect(MESSAGE_RELAY)->call.data, "\"type\":\"answer\""));
    CHECK_EQ(plan_peer, PEER);
    free(offer);
    end();
}

static void a_third_sends_us_to_the_server(void)
{
    begin(NULL, false);
    hear_joined(ROOM_DIRECT, ROLE_CALLER, "Bob");
    hear((struct message){.type = MESSAGE_ROOM, .call = {.mode = ROOM_SFU}});
    CHECK(on_server_called);
    hear_participant(CHANGE_LEAVE, "Bob");
    CHECK_STR(ended, "");
    end();
}

TAP_CASES(CASE(whom_we_call_is_waited_for), CASE(an_id_does_as_well_as_a_name),
          CASE(every_end_is_told), CASE(who_answers_accepts),
          CASE(the_first_of_a_room_for_two_offers), CASE(the_second_answers),
          CASE(a_third_sends_us_to_the_server))
