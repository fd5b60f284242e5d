#include "media/turn_client.h"

#include "media/address.h"
#include "tests/tap.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stun/stunagent.h>

/* A relay made of libnice's other side. */
static StunAgent relay;
static StunMessage request;
static struct turn_client *client;
static uint8_t asked[TURN_MESSAGE_MAX], told[TURN_MESSAGE_MAX];
static size_t asked_len, told_len;
static struct turn_news news;
static bool known_user;

/* NOLINTNEXTLINE(readability-function-size): libnice's typedef */
static bool find_password(StunAgent *agent, StunMessage *message, uint8_t *username,
                          uint16_t username_len, uint8_t **password, size_t *password_len,
                          void *user_data)
{
    static uint8_t secret[] = "secret";

    (void)agent;
    (void)message;
    (void)user_data;
    known_user = username_len == 3 && memcmp(username, "ada", 3) == 0;
    *password = secret;
    *password_len = 6;
    return known_user;
}

static struct sockaddr_storage address(const char *text, uint16_t port)
{
    struct sockaddr_storage ret = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&ret;

    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    CHECK_EQ(inet_pton(AF_INET, text, &v4->sin_addr), 1);
    return ret;
}

static void set_up(const char *password)
{
    stun_agent_init(&relay, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_LONG_TERM_CREDENTIALS);
    CHECK_EQ(turn_client_new(&client, "ada", password), 0);
}

static StunValidationStatus ask(size_t len)
{
    CHECK(len > 0);
    asked_len = len;
    return stun_agent_validate(&relay, &request, asked, asked_len, find_password, NULL);
}

static void tell_error(int code, bool with_nonce)
{
    StunMessage reply;

    CHECK(stun_agent_init_error(&relay, &reply, told, sizeof(told), &request, (StunError)code));
    if (with_nonce) {
        CHECK_EQ(stun_message_append_string(&reply, STUN_ATTRIBUTE_REALM, "realm"), 0);
        CHECK_EQ(stun_message_append_string(&reply, STUN_ATTRIBUTE_NONCE, "nonce"), 0);
    }
    told_len = stun_agent_finish_message(&relay, &reply, NULL, 0);
    CHECK(told_len > 0);
}

static void tell_allocated(void)
{
    struct sockaddr_storage relayed = address("192.0.2.1", 50000);
    struct sockaddr_storage mapped = address("198.51.100.7", 7000);
    StunMessage reply;

    CHECK(stun_agent_init_response(&relay, &reply, told, sizeof(told), &request));
    CHECK_EQ(stun_message_append_xor_addr(&reply, STUN_ATTRIBUTE_XOR_RELAYED_ADDRESS, &relayed,
                                          sizeof(struct sockaddr_in)),
             0);
    CHECK_EQ(stun_message_append_xor_addr(&reply, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &mapped,
                                          sizeof(struct sockaddr_in)),
             0);
    told_len = stun_agent_finish_message(&relay, &reply, NULL, 0);
    CHECK(told_len > 0);
}

static enum turn_event receive(void)
{
    return turn_client_receive(client, told, told_len, &news);
}

static void get_challenged(void)
{
    (void)ask(turn_client_allocate(client, asked));
    CHECK(!stun_message_has_attribute(&request, STUN_ATTRIBUTE_USERNAME));
    tell_error(STUN_ERROR_UNAUTHORIZED, true);
    CHECK_EQ(receive(), TURN_CHALLENGED);
}

static void the_password_is_proven_once_realm_and_nonce_are_known(void)
{
    char text[ADDRESS_TEXT_MAX];

    set_up("secret");
    get_challenged();
    CHECK_EQ(ask(turn_client_allocate(client, asked)), STUN_VALIDATION_SUCCESS);
    CHECK(known_user);
    tell_allocated();
    CHECK_EQ(receive(), TURN_ALLOCATED);
    CHECK_STR(address_text(&news.relayed, text), "192.0.2.1:50000");
    CHECK_STR(address_text(&news.mapped, text), "198.51.100.7:7000");
    client = turn_client_free(client);
}

static void a_wrong_password_is_refused_and_not_asked_for_again(void)
{
    set_up("wrong");
    get_challenged();
    CHECK(ask(turn_client_allocate(client, asked)) != STUN_VALIDATION_SUCCESS);
    tell_error(STUN_ERROR_UNAUTHORIZED, true);
    CHECK_EQ(receive(), TURN_REFUSED);
    CHECK_EQ(news.code, 401);
    CHECK(news.reason[0]);
    client = turn_client_free(client);
}

static void a_stale_nonce_is_replaced(void)
{
    set_up("secret");
    get_challenged();
    (void)ask(turn_client_allocate(client, asked));
    tell_error(STUN_ERROR_STALE_NONCE, true);
    CHECK_EQ(receive(), TURN_CHALLENGED);
    client = turn_client_free(client);
}

static void an_answer_that_is_not_authentic_is_ignored(void)
{
    set_up("secret");
    get_challenged();
    CHECK_EQ(ask(turn_client_allocate(client, asked)), STUN_VALIDATION_SUCCESS);
    tell_allocated();
    told[told_len - 1] ^= 1;
    CHECK_EQ(receive(), TURN_IGNORED);
    client = turn_client_free(client);
}

static void data_of_a_peer_arrives(void)
{
    struct sockaddr_storage peer = address("203.0.113.5", 7882);
    char text[ADDRESS_TEXT_MAX];

    set_up("secret");
    told_len = turn_client_send(client, &peer, (const uint8_t *)"hello", 5, told);
    CHECK(told_len > 0);
    told[1] = 0x17; /* what a relay makes of it: data, not send (RFC 8656 section 18.1) */
    CHECK_EQ(receive(), TURN_DATA);
    CHECK_STR(address_text(&news.peer, text), "203.0.113.5:7882");
    CHECK_EQ(news.len, 5);
    CHECK_EQ(memcmp(news.data, "hello", 5), 0);
    client = turn_client_free(client);
}

static void permission_and_release_need_an_allocation(void)
{
    struct sockaddr_storage peer = address("203.0.113.5", 7882);

    set_up("secret");
    CHECK_EQ(turn_client_permit(client, &peer, asked), 0);
    CHECK_EQ(turn_client_release(client, asked), 0);
    get_challenged();
    CHECK_EQ(ask(turn_client_permit(client, &peer, asked)), STUN_VALIDATION_SUCCESS);
    CHECK_EQ(stun_message_get_method(&request), STUN_CREATEPERMISSION);
    CHECK_EQ(ask(turn_client_release(client, asked)), STUN_VALIDATION_SUCCESS);
    CHECK_EQ(stun_message_get_method(&request), STUN_REFRESH);
    client = turn_client_free(client);
}

static void noise_is_ignored(void)
{
    set_up("secret");
    for (size_t len = 0; len < 64; len++) {
        memset(told, 0x21, sizeof(told));
        told_len = len;
        CHECK_EQ(receive(), TURN_IGNORED);
        told[0] = 0x01;
        told[1] = 0x03;
        told[2] = 0;
        told[3] = (uint8_t)(len < 20 ? 0 : len - 20);
        CHECK_EQ(receive(), TURN_IGNORED);
    }
    client = turn_client_free(client);
}

static void a_stream_tells_where_messages_end(void)
{
    CHECK_EQ(turn_message_len((const uint8_t[]){0x01, 0x03, 0x00, 0x08}), 28);
    CHECK_EQ(turn_message_len((const uint8_t[]){0x40, 0x00, 0x00, 0x08}), 0); /* ChannelData */
    CHECK_EQ(turn_message_len((const uint8_t[]){0x01, 0x03, 0xff, 0xff}), 0);
}

TAP_CASES(CASE(the_password_is_proven_once_realm_and_nonce_are_known),
          CASE(a_wrong_password_is_refused_and_not_asked_for_again),
          CASE(a_stale_nonce_is_replaced), CASE(an_answer_that_is_not_authentic_is_ignored),
          CASE(data_of_a_peer_arrives), CASE(permission_and_release_need_an_allocation),
          CASE(noise_is_ignored), CASE(a_stream_tells_where_messages_end))
