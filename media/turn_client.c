#include "media/turn_client.h"

#include "media/address.h"
#include "media/base/reader.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stun/stunagent.h>
#include <stun/usages/bind.h>
#include <stun/usages/turn.h>

enum {
    SECRET_MAX = 255,
    HEAD_LEN = 20,
    HEAD_REST_LEN = 16, /* cookie and transaction */
    ATTRIBUTE_INTEGRITY = 0x0008,
    ATTRIBUTE_FINGERPRINT = 0x8028,
    INTEGRITY_LEN = 20,
    FINGERPRINT_LEN = 4,
    UNAUTHORIZED = 401,
    STALE_NONCE = 438,
};

struct turn_client {
    StunAgent agent;
    uint8_t user[SECRET_MAX + 1], password[SECRET_MAX + 1]; /* libnice wants them writable */
    size_t user_len, password_len;
    bool challenged;
    StunMessage challenge; /* points into the next */
    uint8_t challenge_bytes[TURN_MESSAGE_MAX];
};

int turn_client_new(struct turn_client **ret, const char *user, const char *password)
{
    struct turn_client *c;

    if (strlen(user) > SECRET_MAX || strlen(password) > SECRET_MAX)
        return -E2BIG;
    c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->user_len = strlen(user);
    c->password_len = strlen(password);
    memcpy(c->user, user, c->user_len);
    memcpy(c->password, password, c->password_len);
    /* No FINGERPRINT: servers need not send one, and libnice would insist. */
    stun_agent_init(&c->agent, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_LONG_TERM_CREDENTIALS | STUN_AGENT_USAGE_NO_INDICATION_AUTH);
    *ret = c;
    return 0;
}

struct turn_client *turn_client_free(struct turn_client *c)
{
    free(c);
    return NULL;
}

size_t turn_client_allocate(struct turn_client *c, uint8_t out[TURN_MESSAGE_MAX])
{
    StunMessage message;

    return stun_usage_turn_create(
        &c->agent, &message, out, TURN_MESSAGE_MAX, c->challenged ? &c->challenge : NULL,
        STUN_USAGE_TURN_REQUEST_PORT_NORMAL, -1, -1, c->challenged ? c->user : NULL,
        c->challenged ? c->user_len : 0, c->challenged ? c->password : NULL,
        c->challenged ? c->password_len : 0, STUN_USAGE_TURN_COMPATIBILITY_RFC5766);
}

/* Append realm or nonce as they were told. */
static bool append_told(struct turn_client *c, StunMessage *message, StunAttribute type)
{
    uint16_t len = 0;
    const void *value = stun_message_find(&c->challenge, type, &len);

    return value &&
           stun_message_append_bytes(message, type, value, len) == STUN_MESSAGE_RETURN_SUCCESS;
}

/* libnice declares stun_usage_turn_create_permission(), but does not export it. */
size_t turn_client_permit(struct turn_client *c, const struct sockaddr_storage *peer,
                          uint8_t out[TURN_MESSAGE_MAX])
{
    StunMessage message;

    if (!c->challenged ||
        !stun_agent_init_request(&c->agent, &message, out, TURN_MESSAGE_MAX,
                                 STUN_CREATEPERMISSION) ||
        stun_message_append_xor_addr(&message, STUN_ATTRIBUTE_XOR_PEER_ADDRESS, peer,
                                     address_len(peer)) != STUN_MESSAGE_RETURN_SUCCESS ||
        stun_message_append_bytes(&message, STUN_ATTRIBUTE_USERNAME, c->user, c->user_len) !=
            STUN_MESSAGE_RETURN_SUCCESS ||
        !append_told(c, &message, STUN_ATTRIBUTE_REALM) ||
        !append_told(c, &message, STUN_ATTRIBUTE_NONCE))
        return 0;
    return stun_agent_finish_message(&c->agent, &message, c->password, c->password_len);
}

size_t turn_client_release(struct turn_client *c, uint8_t out[TURN_MESSAGE_MAX])
{
    StunMessage message;

    if (!c->challenged)
        return 0;
    return stun_usage_turn_create_refresh(&c->agent, &message, out, TURN_MESSAGE_MAX, &c->challenge,
                                          0, c->user, c->user_len, c->password, c->password_len,
                                          STUN_USAGE_TURN_COMPATIBILITY_RFC5766);
}

size_t turn_client_send(struct turn_client *c, const struct sockaddr_storage *peer,
                        const uint8_t *data, size_t len, uint8_t out[TURN_MESSAGE_MAX])
{
    StunMessage message;

    if (!stun_agent_init_indication(&c->agent, &message, out, TURN_MESSAGE_MAX, STUN_IND_SEND) ||
        stun_message_append_xor_addr(&message, STUN_ATTRIBUTE_XOR_PEER_ADDRESS, peer,
                                     address_len(peer)) != STUN_MESSAGE_RETURN_SUCCESS ||
        stun_message_append_bytes(&message, STUN_ATTRIBUTE_DATA, data, len) !=
            STUN_MESSAGE_RETURN_SUCCESS)
        return 0;
    return stun_agent_finish_message(&c->agent, &message, NULL, 0);
}

size_t turn_client_bind(struct turn_client *c, uint8_t out[TURN_MESSAGE_MAX])
{
    StunMessage message;

    return stun_usage_bind_create(&c->agent, &message, out, TURN_MESSAGE_MAX);
}

/* libnice checks neither the length of MESSAGE-INTEGRITY and FINGERPRINT before it reads them, nor
 * that the attributes fill the message. */
static bool is_sound(const uint8_t *data, size_t len)
{
    struct reader r = reader_of(data, len);
    uint16_t type = reader_u16(&r);
    uint16_t body_len = reader_u16(&r);

    reader_skip(&r, HEAD_REST_LEN);
    if (!reader_ok(&r) || type >> 14 != 0 || body_len != reader_left(&r) || body_len % 4 != 0)
        return false;
    while (reader_left(&r) > 0) {
        uint16_t attribute = reader_u16(&r);
        uint16_t value_len = reader_u16(&r);

        reader_skip(&r, (size_t)value_len + (-value_len & 3));
        if (!reader_ok(&r) || (attribute == ATTRIBUTE_INTEGRITY && value_len != INTEGRITY_LEN) ||
            (attribute == ATTRIBUTE_FINGERPRINT && value_len != FINGERPRINT_LEN))
            return false;
    }
    return true;
}

/* Keep realm and nonce. @return false: there are none */
static bool keep_challenge(struct turn_client *c, const uint8_t *data, size_t len,
                           const StunMessage *message)
{
    if (!stun_message_has_attribute(message, STUN_ATTRIBUTE_REALM) ||
        !stun_message_has_attribute(message, STUN_ATTRIBUTE_NONCE))
        return false;
    memcpy(c->challenge_bytes, data, len);
    c->challenge = *message;
    c->challenge.buffer = c->challenge_bytes;
    c->challenge.buffer_len = len;
    c->challenge.key = NULL;
    c->challenge.key_len = 0;
    c->challenged = true;
    return true;
}

/* The text behind an error code, as far as it is plain. */
static void read_reason(const StunMessage *message, struct turn_news *news)
{
    uint16_t len = 0;
    const char *text = stun_message_find(message, STUN_ATTRIBUTE_ERROR_CODE, &len);

    memset(news->reason, 0, sizeof(news->reason));
    if (!text || len <= 4)
        return;
    len = (uint16_t)(len - 4 > TURN_REASON_MAX ? TURN_REASON_MAX : len - 4);
    for (uint16_t i = 0; i < len; i++) {
        char letter = text[4 + i];

        if (!letter)
            return; /* coturn pads with them */
        news->reason[i] = letter;
        if (letter < ' ' || letter > '~')
            news->reason[i] = '?';
    }
}

static enum turn_event read_error(struct turn_client *c, const uint8_t *data, size_t len,
                                  const StunMessage *message, struct turn_news *news)
{
    bool asked_before = c->challenged;

    if (stun_message_find_error(message, &news->code) != STUN_MESSAGE_RETURN_SUCCESS)
        return TURN_IGNORED;
    read_reason(message, news);
    if (stun_message_get_method(message) == STUN_ALLOCATE &&
        ((news->code == UNAUTHORIZED && !asked_before) || news->code == STALE_NONCE) &&
        keep_challenge(c, data, len, message))
        return TURN_CHALLENGED;
    return TURN_REFUSED;
}

static void find_address(const StunMessage *message, StunAttribute type,
                         struct sockaddr_storage *ret)
{
    socklen_t len = sizeof(*ret);

    *ret = (struct sockaddr_storage){0};
    if (stun_message_find_xor_addr(message, type, ret, &len) != STUN_MESSAGE_RETURN_SUCCESS)
        *ret = (struct sockaddr_storage){0};
}

static enum turn_event read_response(const StunMessage *message, struct turn_news *news)
{
    StunMethod method = stun_message_get_method(message);

    find_address(message, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &news->mapped);
    if (method == STUN_CREATEPERMISSION)
        return TURN_PERMITTED;
    if (method == STUN_REFRESH)
        return TURN_RELEASED;
    if (method == STUN_BINDING)
        return news->mapped.ss_family ? TURN_BOUND : TURN_IGNORED;
    if (method != STUN_ALLOCATE)
        return TURN_IGNORED;
    find_address(message, STUN_ATTRIBUTE_XOR_RELAYED_ADDRESS, &news->relayed);
    return news->relayed.ss_family ? TURN_ALLOCATED : TURN_IGNORED;
}

static enum turn_event read_indication(const StunMessage *message, struct turn_news *news)
{
    uint16_t len = 0;

    if (stun_message_get_method(message) != STUN_IND_DATA)
        return TURN_IGNORED;
    find_address(message, STUN_ATTRIBUTE_XOR_PEER_ADDRESS, &news->peer);
    news->data = stun_message_find(message, STUN_ATTRIBUTE_DATA, &len);
    news->len = len;
    return news->data && news->peer.ss_family ? TURN_DATA : TURN_IGNORED;
}

enum turn_event turn_client_receive(struct turn_client *c, const uint8_t *data, size_t len,
                                    struct turn_news *ret)
{
    StunMessage message;
    StunValidationStatus status;

    if (len < HEAD_LEN || len > TURN_MESSAGE_MAX || !is_sound(data, len))
        return TURN_IGNORED;
    *ret = (struct turn_news){0};
    status = stun_agent_validate(&c->agent, &message, data, len, NULL, NULL);
    if (status != STUN_VALIDATION_SUCCESS && status != STUN_VALIDATION_UNKNOWN_ATTRIBUTE)
        return TURN_IGNORED;
    switch (stun_message_get_class(&message)) {
    case STUN_RESPONSE:
        return read_response(&message, ret);
    case STUN_ERROR:
        return read_error(c, data, len, &message, ret);
    case STUN_INDICATION:
        return read_indication(&message, ret);
    case STUN_REQUEST:
        break;
    }
    return TURN_IGNORED;
}

size_t turn_message_len(const uint8_t head[4])
{
    struct reader r = reader_of(head, 4);
    uint16_t type = reader_u16(&r);
    size_t len = (size_t)HEAD_LEN + reader_u16(&r);

    return type >> 14 == 0 && len <= TURN_MESSAGE_MAX ? len : 0;
}
