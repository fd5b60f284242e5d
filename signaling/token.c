#include "signaling/token.h"

#include "media/base/text.h"
#include "signaling/token_claims.h"
#include "signaling/token_pem.h"

#include <errno.h>
#include <jwt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CLAIMS = MESSAGE_TOKEN_MAX };

static const jwt_alg_t algs[] = {
    [TOKEN_HS256] = JWT_ALG_HS256, [TOKEN_RS256] = JWT_ALG_RS256, [TOKEN_ES256] = JWT_ALG_ES256};

static int fail(char why[TOKEN_WHY_MAX], int err, const char *text)
{
    (void)snprintf(why, TOKEN_WHY_MAX, "%s", text);
    return err;
}

/* libjwt checks with whatever algorithm the token names, so that a public key could be made to
 * serve as secret. The key decides: a token that names another algorithm is none of its. */
static bool may_check(const struct token_key *key, jwt_t *claimed)
{
    const char *kid = jwt_get_header(claimed, "kid");
    const char *alg = jwt_get_header(claimed, "alg"); /* libjwt's own is "none" without a key */

    if (!alg || strcmp(alg, token_alg_name(key->alg)) != 0)
        return false;
    return !kid || !key->kid[0] || strcmp(kid, key->kid) == 0;
}

static jwt_t *check(const struct token_key *key, const char *token)
{
    jwt_t *jwt = NULL;

    if (jwt_decode(&jwt, token, (const unsigned char *)key->check, (int)key->check_len) != 0)
        return NULL;
    if (jwt_get_alg(jwt) == algs[key->alg])
        return jwt;
    jwt_free(jwt);
    return NULL;
}

/* RFC 7515 section 4.1.11: what it says must be understood, and we understand none of it. */
static bool has_critical_headers(jwt_t *jwt)
{
    char *headers = jwt_get_headers_json(jwt, NULL); /* compact, quotes inside are escaped */
    bool has = !headers || strstr(headers, "\"crit\":");

    free(headers);
    return has;
}

/* @return the token, its signature checked; NULL: `why` is set */
static jwt_t *find_signer(const struct token_keys *keys, const char *token, char why[TOKEN_WHY_MAX])
{
    jwt_t *claimed = NULL, *jwt = NULL;
    uint32_t n_tried = 0;

    if (jwt_decode(&claimed, token, NULL, 0) != 0) {
        (void)fail(why, 0, "it is no JSON Web Token");
        return NULL;
    }
    for (uint32_t i = 0; i < keys->n && !jwt; i++) {
        if (!may_check(&keys->keys[i], claimed))
            continue;
        jwt = check(&keys->keys[i], token);
        n_tried++;
    }
    if (!jwt)
        (void)fail(why, 0, n_tried ? "its signature is wrong" : "there is no key for it");
    jwt_free(claimed);
    token_pem_forget_errors();
    return jwt;
}

static int judge_time(const struct token_claims *claims, int64_t now_s, char why[TOKEN_WHY_MAX])
{
    int64_t expires_s = claims->grants.expires_s;

    if (expires_s && now_s >= expires_s + TOKEN_LEEWAY_S)
        return fail(why, -EKEYEXPIRED, "it has expired");
    if (now_s + TOKEN_LEEWAY_S < claims->not_before_s)
        return fail(why, -EAGAIN, "it is not valid yet");
    return 0;
}

static int read_claims(jwt_t *jwt, int64_t now_s, struct grants *ret, char why[TOKEN_WHY_MAX])
{
    char *json = jwt_get_grants_json(jwt, NULL);
    struct token_claims claims;
    int err;

    if (!json)
        return fail(why, -ENOMEM, "out of memory");
    err = token_claims_read(&claims, json, why, TOKEN_WHY_MAX);
    free(json);
    if (err == 0)
        err = judge_time(&claims, now_s, why);
    if (err == 0)
        *ret = claims.grants;
    return err;
}

int token_verify(const struct token_keys *keys, const char *token, int64_t now_s,
                 struct grants *ret, char why[TOKEN_WHY_MAX])
{
    jwt_t *jwt;
    int err;

    if (strlen(token) > MESSAGE_TOKEN_MAX)
        return fail(why, -EBADMSG, "it is too long");
    jwt = find_signer(keys, token, why);
    if (!jwt)
        return -EBADMSG;
    err = has_critical_headers(jwt) ? fail(why, -EBADMSG, "it has critical headers")
                                    : read_claims(jwt, now_s, ret, why);
    jwt_free(jwt);
    return err;
}

/* Making */

static const struct token_key *find_signing_key(const struct token_keys *keys)
{
    for (uint32_t i = 0; i < keys->n; i++) {
        if (keys->keys[i].alg == TOKEN_HS256 || keys->keys[i].sign)
            return &keys->keys[i];
    }
    return NULL;
}

static int set_key(jwt_t *jwt, const struct token_key *key)
{
    const char *secret = key->sign ? key->sign : key->check;
    size_t len = key->sign ? strlen(key->sign) : key->check_len;

    if (key->kid[0] && jwt_add_header(jwt, "kid", key->kid) != 0)
        return -ENOMEM;
    return jwt_set_alg(jwt, algs[key->alg], (const unsigned char *)secret, (int)len) == 0 ? 0
                                                                                          : -ENOMEM;
}

static int encode(jwt_t *jwt, const struct token_key *key, const struct grants *g, int64_t now_s,
                  char **ret)
{
    struct text claims;
    char *token = NULL;
    int err = set_key(jwt, key);

    text_init(&claims, MAX_CLAIMS);
    token_claims_write(&claims, g, now_s);
    if (err == 0 && (!text_ok(&claims) || jwt_add_grants_json(jwt, text_str(&claims)) != 0))
        err = -ENOMEM;
    text_done(&claims);
    if (err == 0)
        token = jwt_encode_str(jwt);
    if (err < 0 || !token)
        return -ENOMEM;
    if (strlen(token) > MESSAGE_TOKEN_MAX) {
        free(token);
        return -EMSGSIZE;
    }
    *ret = token;
    return 0;
}

int token_sign(const struct token_keys *keys, const struct grants *g, int64_t now_s, char **ret)
{
    const struct token_key *key = find_signing_key(keys);
    jwt_t *jwt = NULL;
    int err;

    if (!key)
        return -ENOKEY;
    if (jwt_new(&jwt) != 0)
        return -ENOMEM;
    err = encode(jwt, key, g, now_s, ret);
    jwt_free(jwt);
    token_pem_forget_errors();
    return err;
}
