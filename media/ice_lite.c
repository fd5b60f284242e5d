#include "media/ice_lite.h"

#include "media/base/clock.h"
#include "media/base/random.h"
#include "media/stun.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 7675 section 5.1 gives consent 30 s from the last valid check. */
static const int64_t consent_us = 30 * SECOND;

enum { TRANSACTION_AT = 8, TRANSACTION_LEN = 12 }; /* RFC 8489 section 5 */

static const char ice_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
_Static_assert(sizeof(ice_chars) == ICE_MAX_TAG + 1, "one for each tag");

/* A check that came: who sends it again from elsewhere is not its sender. */
struct remembered {
    uint8_t transaction[TRANSACTION_LEN];
    uint8_t key[ADDRESS_KEY_MAX];
};

struct ice_lite {
    struct ice_credentials local;
    char username[STUN_USERNAME_MAX + 1];          /* "local:remote", what the peer must say */
    uint8_t paths[ICE_MAX_PATHS][ADDRESS_KEY_MAX]; /* proven, oldest first, as address_key() */
    size_t n_paths;
    struct sockaddr_storage selected;
    bool have_selected;
    int64_t consent_deadline_us;
    struct remembered remembered[ICE_MAX_REMEMBERED]; /* a ring */
    uint32_t n_remembered;                            /* so far */
};

static bool is_ice_char(char c)
{
    return c != '\0' && strchr(ice_chars, c) != NULL;
}

static bool valid_string(const char *s, size_t capacity, size_t min_len)
{
    size_t len = strnlen(s, capacity);

    if (len < min_len || len == capacity)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!is_ice_char(s[i]))
            return false;
    }
    return true;
}

void ice_credentials_make(struct ice_credentials *ret)
{
    *ret = (struct ice_credentials){0};
    random_name(ret->ufrag, ICE_LOCAL_UFRAG);
    random_name(ret->pwd, ICE_LOCAL_PWD);
}

void ice_credentials_make_tagged(struct ice_credentials *ret, uint32_t tag)
{
    assert(tag < ICE_MAX_TAG);
    ice_credentials_make(ret);
    ret->ufrag[0] = ice_chars[tag];
}

int ice_ufrag_tag(const char *ufrag)
{
    return is_ice_char(ufrag[0]) ? (int)(strchr(ice_chars, ufrag[0]) - ice_chars) : -EBADMSG;
}

bool ice_credentials_valid(const struct ice_credentials *c)
{
    return valid_string(c->ufrag, sizeof(c->ufrag), ICE_UFRAG_MIN) &&
           valid_string(c->pwd, sizeof(c->pwd), ICE_PWD_MIN);
}

int ice_lite_new(struct ice_lite **ret, const struct ice_credentials *local,
                 const struct ice_credentials *remote, int64_t now_us)
{
    struct ice_lite *ice;

    if (!ice_credentials_valid(local) || !ice_credentials_valid(remote))
        return -EINVAL;
    ice = calloc(1, sizeof(*ice));
    if (!ice)
        return -ENOMEM;
    ice->local = *local;
    (void)snprintf(ice->username, sizeof(ice->username), "%s:%s", local->ufrag, remote->ufrag);
    ice->consent_deadline_us = now_us + consent_us;
    *ret = ice;
    return 0;
}

struct ice_lite *ice_lite_free(struct ice_lite *ice)
{
    free(ice);
    return NULL;
}

/* @return index of the proven path `key`, or n_paths */
static size_t find_path(const struct ice_lite *ice, const uint8_t key[ADDRESS_KEY_MAX])
{
    size_t at = 0;

    while (at < ice->n_paths && memcmp(ice->paths[at], key, ADDRESS_KEY_MAX) != 0)
        at++;
    return at;
}

/* Put `from` at the end of the proven paths, where the newest are. */
static void add_path(struct ice_lite *ice, const struct sockaddr_storage *from)
{
    uint8_t key[ADDRESS_KEY_MAX];
    size_t at;

    (void)address_key(from, key);
    at = find_path(ice, key);
    if (at == ICE_MAX_PATHS)
        at = 0;
    if (at < ice->n_paths) {
        ice->n_paths--;
        memmove(ice->paths[at], ice->paths[at + 1], (ice->n_paths - at) * ADDRESS_KEY_MAX);
    }
    memcpy(ice->paths[ice->n_paths++], key, ADDRESS_KEY_MAX);
}

/* @return true if `from` became the selected path */
static bool select_path(struct ice_lite *ice, const struct sockaddr_storage *from, bool nominates)
{
    bool wanted = nominates || !ice->have_selected;

    if (!wanted || (ice->have_selected && address_equal(&ice->selected, from)))
        return false;
    ice->selected = *from;
    ice->have_selected = true;
    return true;
}

/* Remember an authenticated check. @return false: it came from another address before. Not all of
 * them can be remembered, but who repeats an old one wins no more than until the peer's next. */
static bool remember(struct ice_lite *ice, const uint8_t *data, const struct sockaddr_storage *from)
{
    struct remembered check;

    memcpy(check.transaction, data + TRANSACTION_AT, sizeof(check.transaction));
    (void)address_key(from, check.key);
    for (size_t i = 0; i < ICE_MAX_REMEMBERED && i < ice->n_remembered; i++) {
        const struct remembered *before = &ice->remembered[i];

        if (memcmp(before->transaction, check.transaction, sizeof(check.transaction)) == 0)
            return memcmp(before->key, check.key, sizeof(check.key)) == 0;
    }
    ice->remembered[ice->n_remembered++ % ICE_MAX_REMEMBERED] = check;
    return true;
}

/* NOLINTNEXTLINE(readability-function-size): one check is all of these */
int ice_lite_receive(struct ice_lite *ice, const uint8_t *data, size_t len,
                     const struct sockaddr_storage *from, int64_t now_us, uint8_t *reply,
                     struct ice_result *ret)
{
    struct stun_expected expected = {.username = ice->username, .password = ice->local.pwd};
    struct stun_check check;
    int err;

    *ret = (struct ice_result){0};
    err = stun_check_answer(&expected, data, len, from, reply, &check);
    if (err < 0)
        return err;
    if (!remember(ice, data, from))
        return -EALREADY;
    ret->authenticated = true;
    ret->reply_len = check.reply_len;
    ice_lite_keep(ice, now_us);
    add_path(ice, from);
    ret->nominates = check.accepted && check.nominates;
    ret->path_changed = select_path(ice, from, ret->nominates);
    return 0;
}

const struct sockaddr_storage *ice_lite_path(const struct ice_lite *ice)
{
    return ice->have_selected ? &ice->selected : NULL;
}

bool ice_lite_proven(const struct ice_lite *ice, const struct sockaddr_storage *from)
{
    uint8_t key[ADDRESS_KEY_MAX];

    (void)address_key(from, key);
    return find_path(ice, key) < ice->n_paths;
}

void ice_lite_keep(struct ice_lite *ice, int64_t now_us)
{
    ice->consent_deadline_us = now_us + consent_us;
}

int64_t ice_lite_consent_deadline(const struct ice_lite *ice)
{
    return ice->consent_deadline_us;
}
