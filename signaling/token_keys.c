#include "signaling/token_keys.h"

#include "signaling/token_jwks.h"
#include "signaling/token_pem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *token_alg_name(enum token_alg alg)
{
    static const char *const names[] = {
        [TOKEN_HS256] = "HS256", [TOKEN_RS256] = "RS256", [TOKEN_ES256] = "ES256"};

    return names[alg];
}

static void free_key(struct token_key *key)
{
    token_pem_wipe(key->check, key->check_len);
    token_pem_wipe(key->sign, key->sign ? strlen(key->sign) : 0);
    *key = (struct token_key){0};
}

void token_keys_clear(struct token_keys *k)
{
    for (uint32_t i = 0; i < k->n; i++)
        free_key(&k->keys[i]);
    k->n = 0;
}

bool token_keys_sign(const struct token_keys *k)
{
    for (uint32_t i = 0; i < k->n; i++) {
        if (k->keys[i].alg == TOKEN_HS256 || k->keys[i].sign)
            return true;
    }
    return false;
}

/* @return the place for one more key, whose id is set; NULL: *err and error say why */
static struct token_key *begin_key(struct token_keys *k, const char *kid, int *err,
                                   char error[TOKEN_KEY_ERROR_MAX])
{
    struct token_key *key = &k->keys[k->n];

    if (k->n == TOKEN_MAX_KEYS) {
        (void)snprintf(error, TOKEN_KEY_ERROR_MAX, "there are more than %d keys", TOKEN_MAX_KEYS);
        *err = -E2BIG;
        return NULL;
    }
    if (strlen(kid) > TOKEN_KID_MAX) {
        (void)snprintf(error, TOKEN_KEY_ERROR_MAX, "the id of a key is longer than %d characters",
                       TOKEN_KID_MAX);
        *err = -EINVAL;
        return NULL;
    }
    *key = (struct token_key){0};
    (void)snprintf(key->kid, sizeof(key->kid), "%s", kid);
    return key;
}

int token_keys_add_secret(struct token_keys *k, const char *kid, const char *secret, size_t len,
                          char error[TOKEN_KEY_ERROR_MAX])
{
    int err = 0;
    struct token_key *key = begin_key(k, kid, &err, error);

    if (!key)
        return err;
    if (len < TOKEN_MIN_SECRET) {
        (void)snprintf(error, TOKEN_KEY_ERROR_MAX,
                       "the secret has %zu characters, less than %d: make one with openssl rand "
                       "-hex 32",
                       len, TOKEN_MIN_SECRET);
        return -EINVAL;
    }
    key->check = malloc(len + 1);
    if (!key->check) {
        (void)snprintf(error, TOKEN_KEY_ERROR_MAX, "out of memory");
        return -ENOMEM;
    }
    memcpy(key->check, secret, len);
    key->check[len] = '\0';
    key->check_len = len;
    key->alg = TOKEN_HS256;
    k->n++;
    return 0;
}

int token_keys_add_pem(struct token_keys *k, const char *kid, struct token_pem *pem,
                       char error[TOKEN_KEY_ERROR_MAX])
{
    int err = 0;
    struct token_key *key = begin_key(k, kid, &err, error);

    if (!key) {
        token_pem_done(pem);
        return err;
    }
    key->alg = pem->alg;
    key->check = pem->public_key;
    key->check_len = strlen(pem->public_key);
    key->sign = pem->private_key;
    k->n++;
    return 0;
}

static size_t without_line_end(const char *text, size_t len)
{
    if (len > 0 && text[len - 1] == '\n')
        len--;
    if (len > 0 && text[len - 1] == '\r')
        len--;
    return len;
}

static int add_jwks(struct token_keys *k, const char *kid, const char *text, size_t len,
                    char error[TOKEN_KEY_ERROR_MAX])
{
    if (!kid[0])
        return token_jwks_read(k, text, len, error);
    (void)snprintf(error, TOKEN_KEY_ERROR_MAX, "a JWKS has ids of its own: leave out \"%.64s:\"",
                   kid);
    return -EINVAL;
}

int token_keys_add_file(struct token_keys *k, const char *kid, const char *text, size_t len,
                        char error[TOKEN_KEY_ERROR_MAX])
{
    struct token_pem pem;
    int err;

    if (text[strspn(text, " \t\r\n")] == '{')
        return add_jwks(k, kid, text, len, error);
    if (!strstr(text, "-----BEGIN"))
        return token_keys_add_secret(k, kid, text, without_line_end(text, len), error);
    err = token_pem_read(&pem, text, len, error);
    return err < 0 ? err : token_keys_add_pem(k, kid, &pem, error);
}
