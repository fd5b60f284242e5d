/* Any bytes as a token, as its claims, and as a file of keys. */
#include "signaling/token.h"
#include "signaling/token_claims.h"
#include "tests/token_data.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t NOW_S = 1700000000;

static void add_keys(struct token_keys *keys)
{
    char error[TOKEN_KEY_ERROR_MAX];

    if (keys->n > 0)
        return;
    if (token_keys_add_file(keys, "", jwks_text, strlen(jwks_text), error) < 0)
        abort();
}

static void check_token(const char *text)
{
    static struct token_keys keys;
    char why[TOKEN_WHY_MAX] = "";
    struct grants grants;
    int err;

    add_keys(&keys);
    err = token_verify(&keys, text, NOW_S, &grants, why);
    assert(err == 0 || why[0]);
    (void)err;
}

/* What is read is written, and reads the same. */
static void check_claims(const char *text)
{
    struct token_claims claims, again;
    char why[TOKEN_WHY_MAX] = "";
    struct text json;

    if (token_claims_read(&claims, text, why, sizeof(why)) < 0) {
        assert(why[0]);
        return;
    }
    text_init(&json, MESSAGE_TOKEN_MAX);
    token_claims_write(&json, &claims.grants, NOW_S);
    assert(text_ok(&json));
    if (token_claims_read(&again, text_str(&json), why, sizeof(why)) < 0)
        abort();
    assert(strcmp(claims.grants.identity, again.grants.identity) == 0);
    assert(claims.grants.publish == again.grants.publish);
    assert(claims.grants.n_sources == again.grants.n_sources);
    assert(claims.grants.expires_s == again.grants.expires_s);
    text_done(&json);
}

static void check_keys(const char *text, size_t len)
{
    struct token_keys keys = {0};
    char error[TOKEN_KEY_ERROR_MAX] = "";
    int err = token_keys_add_file(&keys, "", text, len, error);

    assert(err == 0 ? keys.n > 0 : error[0] != '\0');
    (void)err;
    token_keys_clear(&keys);
}

/* The first byte says which. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = size > 0 ? malloc(size) : NULL;

    if (!text)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    if (data[0] % 3 == 0)
        check_token(text);
    else if (data[0] % 3 == 1)
        check_claims(text);
    else
        check_keys(text, strlen(text));
    free(text);
    return 0;
}
