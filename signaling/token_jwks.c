#include "signaling/token_jwks.h"

#include "signaling/token_pem.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { MAX_NUMBER = 1024, P256_BYTES = 32 }; /* RSA of 8,192 bits */

int base64url_decode(const char *text, unsigned char *out, size_t size)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    size_t n = 0, len = strlen(text);

    if (len % 4 == 1)
        return -EINVAL;
    for (size_t i = 0; i < len; i++) {
        const char *found = strchr(alphabet, text[i]);

        if (!found)
            return -EINVAL;
        bits = bits << 6 | (uint32_t)(found - alphabet);
        if (i % 4 == 0)
            continue;
        if (n == size)
            return -EINVAL;
        out[n++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
    }
    return (int)n;
}

static const char *text_of(const json_t *jwk, const char *name)
{
    const char *text = json_string_value(json_object_get(jwk, name));

    return text ? text : "";
}

static int fail(char error[TOKEN_KEY_ERROR_MAX], const char *text)
{
    (void)snprintf(error, TOKEN_KEY_ERROR_MAX, "%s", text);
    return -EINVAL;
}

static int add_secret(struct token_keys *k, const json_t *jwk, char error[TOKEN_KEY_ERROR_MAX])
{
    unsigned char secret[MAX_NUMBER];
    int len = base64url_decode(text_of(jwk, "k"), secret, sizeof(secret));

    if (len < 0)
        return fail(error, "k is not base64url");
    return token_keys_add_secret(k, text_of(jwk, "kid"), (const char *)secret, (size_t)len, error);
}

static int add_rsa(struct token_keys *k, const json_t *jwk, char error[TOKEN_KEY_ERROR_MAX])
{
    unsigned char n[MAX_NUMBER], e[MAX_NUMBER];
    int n_len = base64url_decode(text_of(jwk, "n"), n, sizeof(n));
    int e_len = base64url_decode(text_of(jwk, "e"), e, sizeof(e));
    struct token_pem pem;
    int err;

    if (n_len <= 0 || e_len <= 0)
        return fail(error, "n or e is not base64url");
    err = token_pem_of_rsa(&pem, n, (size_t)n_len, e, (size_t)e_len, error);
    return err < 0 ? err : token_keys_add_pem(k, text_of(jwk, "kid"), &pem, error);
}

static int add_ec(struct token_keys *k, const json_t *jwk, char error[TOKEN_KEY_ERROR_MAX])
{
    unsigned char x[P256_BYTES], y[P256_BYTES];
    struct token_pem pem;
    int err;

    if (base64url_decode(text_of(jwk, "x"), x, sizeof(x)) != P256_BYTES ||
        base64url_decode(text_of(jwk, "y"), y, sizeof(y)) != P256_BYTES)
        return fail(error, "x or y is not base64url of 32 bytes");
    err = token_pem_of_p256(&pem, x, y, error);
    return err < 0 ? err : token_keys_add_pem(k, text_of(jwk, "kid"), &pem, error);
}

/** A kind of key that we can use. */
struct jwk_kind {
    const char *kty, *crv;
    enum token_alg alg;
    int (*add)(struct token_keys *k, const json_t *jwk, char error[TOKEN_KEY_ERROR_MAX]);
};

static const struct jwk_kind kinds[] = {
    {"oct", "", TOKEN_HS256, add_secret},
    {"RSA", "", TOKEN_RS256, add_rsa},
    {"EC", "P-256", TOKEN_ES256, add_ec},
};

/* @return NULL: for something else */
static const struct jwk_kind *kind_of(const json_t *jwk)
{
    const char *alg = text_of(jwk, "alg"), *use = text_of(jwk, "use");

    if (use[0] && strcmp(use, "sig") != 0)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(text_of(jwk, "kty"), kinds[i].kty) == 0 &&
            strcmp(text_of(jwk, "crv"), kinds[i].crv) == 0 &&
            (!alg[0] || strcmp(alg, token_alg_name(kinds[i].alg)) == 0))
            return &kinds[i];
    }
    return NULL;
}

static int add_jwk(struct token_keys *k, const json_t *jwk, size_t index,
                   char error[TOKEN_KEY_ERROR_MAX])
{
    const struct jwk_kind *kind = kind_of(jwk);
    char why[TOKEN_KEY_ERROR_MAX] = "";
    int err = kind ? kind->add(k, jwk, why) : 0;

    if (err < 0)
        (void)snprintf(error, TOKEN_KEY_ERROR_MAX, "key %zu of the JWKS: %.100s", index + 1, why);
    return err;
}

static int add_all(struct token_keys *k, const json_t *root, char error[TOKEN_KEY_ERROR_MAX])
{
    const json_t *list = json_object_get(root, "keys");
    uint32_t before = k->n;
    int err = 0;

    if (!list)
        err = add_jwk(k, root, 0, error);
    else if (!json_is_array(list))
        err = fail(error, "\"keys\" of the JWKS is no list");
    for (size_t i = 0; i < json_array_size(list) && err == 0; i++)
        err = add_jwk(k, json_array_get(list, i), i, error);
    if (err == 0 && k->n == before)
        err = fail(error, "the JWKS has no key for HS256, RS256 or ES256");
    return err;
}

int token_jwks_read(struct token_keys *k, const char *text, size_t len,
                    char error[TOKEN_KEY_ERROR_MAX])
{
    json_error_t problem;
    json_t *root;
    int err;

    if (len > TOKEN_MAX_KEY_FILE)
        return fail(error, "the JWKS is too large");
    root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &problem);
    if (!root) {
        (void)snprintf(error, TOKEN_KEY_ERROR_MAX, "line %d of the JWKS: %.100s", problem.line,
                       problem.text);
        return -EINVAL;
    }
    err = add_all(k, root, error);
    json_decref(root);
    return err;
}
