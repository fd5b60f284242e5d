#include "bench/ice_client.h"

#include "media/address.h"
#include "media/base/clock.h"

#include <stdio.h>
#include <string.h>

#include <stun/stunagent.h>
#include <stun/usages/ice.h>

enum {
    BINDING_SUCCESS_0 = 0x01, /* first byte of the type, and the second one */
    BINDING_SUCCESS_1 = 0x01,
    ID_AT = 8, /* after type, length and cookie */
    ID_LEN = 12,
    HEADER_LEN = 20,
    PRIORITY = 0x6e0001ff, /* peer reflexive, RFC 8445 section 7.1.1 */
    USERNAME_MAX = 2 * ICE_UFRAG_MAX + 2,
};

static const int64_t REPEAT_US = 50 * MS;
static const int64_t ALIVE_US = 4 * SECOND; /* RFC 7675: within 5 s */
static const uint64_t tie_breaker = UINT64_MAX;

static const uint16_t known_attributes[] = {
    STUN_ATTRIBUTE_USERNAME,           STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
    STUN_ATTRIBUTE_PRIORITY,           STUN_ATTRIBUTE_USE_CANDIDATE,
    STUN_ATTRIBUTE_ICE_CONTROLLED,     STUN_ATTRIBUTE_ICE_CONTROLLING,
    STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, 0,
};

static void init_agent(StunAgent *agent)
{
    stun_agent_init(agent, known_attributes, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
}

void ice_client_init(struct ice_client *c)
{
    *c = (struct ice_client){.due_us = NEVER_US};
    ice_credentials_make(&c->local);
}

void ice_client_start(struct ice_client *c, const struct ice_credentials *remote, bool controlling,
                      int64_t now_us)
{
    c->remote = *remote;
    c->controlling = controlling;
    c->due_us = now_us;
}

static void write_check(struct ice_client *c)
{
    StunAgent agent;
    StunMessage message;
    char username[USERNAME_MAX];
    int len = snprintf(username, sizeof(username), "%s:%s", c->remote.ufrag, c->local.ufrag);

    init_agent(&agent);
    c->check_len = stun_usage_ice_conncheck_create(
        &agent, &message, c->check, sizeof(c->check), (const uint8_t *)username, (size_t)len,
        (const uint8_t *)c->remote.pwd, strlen(c->remote.pwd), c->controlling, c->controlling,
        PRIORITY, tie_breaker, NULL, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
}

size_t ice_client_advance(struct ice_client *c, int64_t now_us, const uint8_t **ret)
{
    if (now_us < c->due_us)
        return 0;
    if (!c->waiting)
        write_check(c);
    c->waiting = true;
    c->tries++;
    c->due_us = now_us + (c->connected ? ALIVE_US : REPEAT_US);
    *ret = c->check;
    return c->check_len;
}

/* NOLINTNEXTLINE(readability-function-size): its typedef */
static bool find_password(StunAgent *agent, StunMessage *message, uint8_t *username,
                          uint16_t username_len, uint8_t **password, size_t *password_len,
                          void *user_data)
{
    struct ice_client *c = user_data;
    size_t len = strlen(c->local.ufrag);

    (void)agent;
    (void)message;
    if (!username || username_len <= len || memcmp(username, c->local.ufrag, len) != 0 ||
        username[len] != ':')
        return false;
    *password = (uint8_t *)c->local.pwd;
    *password_len = strlen(c->local.pwd);
    return true;
}

static size_t answer(struct ice_client *c, const uint8_t *data, size_t len,
                     const struct sockaddr_storage *from, uint8_t *reply)
{
    StunAgent agent;
    StunMessage request;
    StunMessage message;
    bool controlling = c->controlling;
    size_t reply_len = ICE_CLIENT_MAX;

    init_agent(&agent);
    if (stun_agent_validate(&agent, &request, data, len, find_password, c) !=
        STUN_VALIDATION_SUCCESS)
        return 0;
    (void)stun_usage_ice_conncheck_create_reply(&agent, &request, &message, reply, &reply_len, from,
                                                address_len(from), &controlling, tie_breaker,
                                                STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    return reply_len;
}

size_t ice_client_receive(struct ice_client *c, const uint8_t *data, size_t len,
                          const struct sockaddr_storage *from, int64_t now_us, uint8_t *reply)
{
    if (len < HEADER_LEN)
        return 0;
    if (data[0] == 0 && data[1] == 1)
        return answer(c, data, len, from, reply);
    if (data[0] != BINDING_SUCCESS_0 || data[1] != BINDING_SUCCESS_1 || !c->waiting ||
        memcmp(data + ID_AT, c->check + ID_AT, ID_LEN) != 0)
        return 0;
    c->waiting = false;
    c->connected = true;
    c->due_us = now_us + ALIVE_US;
    return 0;
}
