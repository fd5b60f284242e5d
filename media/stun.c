#include "media/stun.h"

#include "media/address.h"
#include "media/base/reader.h"
#include "media/path.h"

#include <errno.h>
#include <string.h>

#include <stun/stunagent.h>
#include <stun/usages/ice.h>

enum {
    BINDING_REQUEST = 0x0001,
    MAGIC_COOKIE_LEN = 4,
    ATTRIBUTE_USERNAME = 0x0006,
    ATTRIBUTE_INTEGRITY = 0x0008,
    ATTRIBUTE_FINGERPRINT = 0x8028,
    INTEGRITY_LEN = 20,
    FINGERPRINT_LEN = 4,
    PASSWORD_MAX = 256, /* RFC 8839 section 5.4 */
    REQUEST_MAX = 1500, /* bytes; libnice counts in int and we never meet longer checks */
};

/* Comprehension-required attributes we understand; others are answered 420. */
static const uint16_t known_attributes[] = {
    STUN_ATTRIBUTE_USERNAME,
    STUN_ATTRIBUTE_MESSAGE_INTEGRITY,
    STUN_ATTRIBUTE_PRIORITY,
    STUN_ATTRIBUTE_USE_CANDIDATE,
    0,
};

/* What a first look finds. */
struct outline {
    const uint8_t *username;
    size_t username_len;
    bool integrity;
};

/* Look at one attribute. libnice checks neither the length nor the place of MESSAGE-INTEGRITY and
 * FINGERPRINT before it reads them, so we do. */
static bool note_attribute(struct outline *o, uint16_t type, struct reader *value,
                           const struct reader *rest)
{
    switch (type) {
    case ATTRIBUTE_USERNAME:
        if (o->username || o->integrity)
            return false;
        o->username_len = value->len;
        o->username = reader_bytes(value, value->len);
        return true;
    case ATTRIBUTE_INTEGRITY:
        o->integrity = true;
        return value->len == INTEGRITY_LEN;
    case ATTRIBUTE_FINGERPRINT:
        return value->len == FINGERPRINT_LEN && reader_left(rest) == 0;
    default:
        return true;
    }
}

/* @return 0; -EBADMSG: not a binding request whose attributes fill it exactly */
static int read_outline(struct outline *o, const uint8_t *data, size_t len)
{
    struct reader r = reader_of(data, len);
    uint16_t type = reader_u16(&r);
    uint16_t body_len = reader_u16(&r);
    uint32_t cookie = reader_u32(&r);

    *o = (struct outline){0};
    reader_skip(&r, STUN_MESSAGE_TRANS_ID_LEN - MAGIC_COOKIE_LEN);
    if (!reader_ok(&r) || type != BINDING_REQUEST || cookie != STUN_MAGIC_COOKIE ||
        body_len != reader_left(&r) || body_len % 4 != 0 || len > REQUEST_MAX)
        return -EBADMSG;
    while (reader_left(&r) > 0) {
        uint16_t attribute = reader_u16(&r);
        uint16_t value_len = reader_u16(&r);
        struct reader value = reader_sub(&r, value_len);

        reader_skip(&r, (size_t)(-value_len & 3));
        if (!reader_ok(&r) || !note_attribute(o, attribute, &value, &r))
            return -EBADMSG;
    }
    return 0;
}

int stun_peek_ufrag(const uint8_t *data, size_t len, char *ufrag)
{
    const uint8_t *colon;
    size_t ufrag_len;
    struct outline o;
    int err;

    err = read_outline(&o, data, len);
    if (err < 0)
        return err;
    if (!o.username)
        return -ENOENT;
    colon = memchr(o.username, ':', o.username_len);
    ufrag_len = colon ? (size_t)(colon - o.username) : o.username_len;
    if (ufrag_len == 0 || ufrag_len > STUN_UFRAG_MAX || memchr(o.username, 0, ufrag_len))
        return -EBADMSG;
    memcpy(ufrag, o.username, ufrag_len);
    ufrag[ufrag_len] = '\0';
    return 0;
}

/* As libnice wants it: in memory it might write. */
struct lookup {
    const char *username;
    uint8_t password[PASSWORD_MAX];
    size_t password_len;
};

/* Called by libnice for the password of a user name; false refuses. */
/* NOLINTNEXTLINE(readability-function-size): its typedef */
static bool find_password(StunAgent *agent, StunMessage *message, uint8_t *username,
                          uint16_t username_len, uint8_t **password, size_t *password_len,
                          void *user_data)
{
    struct lookup *lookup = user_data;

    (void)agent;
    (void)message;
    if (!username || username_len != strlen(lookup->username) ||
        memcmp(username, lookup->username, username_len) != 0)
        return false;
    *password = lookup->password;
    *password_len = lookup->password_len;
    return true;
}

/* Not stun_usage_ice_conncheck_create_reply(): it copies USERNAME back, so that a reply could be
 * longer than 256 bytes, and it would make us controlling, which a lite agent never is. */
static size_t write_success(StunAgent *agent, const StunMessage *request,
                            const struct sockaddr_storage *from, uint8_t *reply)
{
    struct sockaddr_storage mapped;
    StunMessage message;

    (void)path_peer(from, &mapped);
    if (!stun_agent_init_response(agent, &message, reply, STUN_REPLY_MAX, request))
        return 0;
    if (stun_message_append_xor_addr(&message, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &mapped,
                                     address_len(&mapped)) != STUN_MESSAGE_RETURN_SUCCESS)
        return 0;
    return stun_agent_finish_message(agent, &message, NULL, 0);
}

static size_t write_error(StunAgent *agent, const StunMessage *request, StunError code,
                          uint8_t *reply)
{
    StunMessage message;

    if (!stun_agent_init_error(agent, &message, reply, STUN_REPLY_MAX, request, code))
        return 0;
    return stun_agent_finish_message(agent, &message, NULL, 0);
}

static void answer(StunAgent *agent, const StunMessage *request, bool understood,
                   const struct sockaddr_storage *from, uint8_t *reply, struct stun_check *ret)
{
    StunMessage message;

    *ret = (struct stun_check){.nominates = stun_usage_ice_conncheck_use_candidate(request)};
    if (!understood) {
        ret->reply_len = stun_agent_build_unknown_attributes_error(agent, &message, reply,
                                                                   STUN_REPLY_MAX, request);
    } else if (stun_message_has_attribute(request, STUN_ATTRIBUTE_ICE_CONTROLLED)) {
        ret->reply_len = write_error(agent, request, STUN_ERROR_ROLE_CONFLICT, reply);
    } else {
        ret->reply_len = write_success(agent, request, from, reply);
        ret->accepted = true;
    }
}

int stun_check_answer(const struct stun_expected *expected, const uint8_t *data, size_t len,
                      const struct sockaddr_storage *from, uint8_t *reply, struct stun_check *ret)
{
    struct lookup lookup = {.username = expected->username};
    StunValidationStatus status;
    StunMessage request;
    struct outline o;
    StunAgent agent; /* 13 KB that only remember requests we sent: none, so one per call will do */
    int err;

    err = read_outline(&o, data, len);
    if (err < 0)
        return err;
    lookup.password_len = strnlen(expected->password, sizeof(lookup.password));
    memcpy(lookup.password, expected->password, lookup.password_len);
    if (!o.username || !o.integrity)
        return -EPERM;
    stun_agent_init(&agent, known_attributes, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
    status = stun_agent_validate(&agent, &request, data, len, find_password, &lookup);
    switch (status) {
    case STUN_VALIDATION_SUCCESS:
    case STUN_VALIDATION_UNKNOWN_REQUEST_ATTRIBUTE: /* found after integrity was checked */
        answer(&agent, &request, status == STUN_VALIDATION_SUCCESS, from, reply, ret);
        if (ret->reply_len > len) /* who knows a password may still lie about where it is */
            ret->reply_len = 0;
        return 0;
    case STUN_VALIDATION_UNAUTHORIZED:
    case STUN_VALIDATION_UNAUTHORIZED_BAD_REQUEST:
        return -EPERM;
    case STUN_VALIDATION_NOT_STUN:
    case STUN_VALIDATION_INCOMPLETE_STUN:
    case STUN_VALIDATION_BAD_REQUEST:
    case STUN_VALIDATION_UNMATCHED_RESPONSE:
    case STUN_VALIDATION_UNKNOWN_ATTRIBUTE:
    case STUN_VALIDATION_FORBIDDEN:
        break;
    }
    return -EBADMSG;
}
