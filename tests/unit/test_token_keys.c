#include "signaling/token_keys.h"

#include "signaling/token_jwks.h"
#include "tests/tap.h"
#include "tests/token_data.h"

#include <errno.h>

static struct token_keys keys;
static char why[TOKEN_KEY_ERROR_MAX];

static int add(const char *kid, const char *text)
{
    return token_keys_add_file(&keys, kid, text, strlen(text), why);
}

static void check_refused(const char *kid, const char *text, const char *reason)
{
    CHECK_EQ(add(kid, text), -EINVAL);
    CHECK(strstr(why, reason));
    token_keys_clear(&keys);
}

static void kind_of_a_key_decides_its_algorithm(void)
{
    CHECK_EQ(add("a", secret_text), 0);
    CHECK_EQ(add("b", rsa_private), 0);
    CHECK_EQ(add("c", rsa_public), 0);
    CHECK_EQ(add("d", ec_private), 0);
    CHECK_EQ(add("", ec_public), 0);
    CHECK_EQ(keys.n, 5);
    CHECK_EQ(keys.keys[0].alg, TOKEN_HS256);
    CHECK_EQ(keys.keys[1].alg, TOKEN_RS256);
    CHECK_EQ(keys.keys[2].alg, TOKEN_RS256);
    CHECK_EQ(keys.keys[3].alg, TOKEN_ES256);
    CHECK_EQ(keys.keys[4].alg, TOKEN_ES256);
    CHECK_STR(keys.keys[1].check, rsa_public);
    CHECK(keys.keys[1].sign && !keys.keys[2].sign && keys.keys[3].sign && !keys.keys[4].sign);
    CHECK_STR(keys.keys[3].kid, "d");
    token_keys_clear(&keys);
    CHECK_EQ(keys.n, 0);
}

static void only_secrets_and_private_keys_sign(void)
{
    CHECK(!token_keys_sign(&keys));
    CHECK_EQ(add("", rsa_public), 0);
    CHECK(!token_keys_sign(&keys));
    CHECK_EQ(add("", ec_private), 0);
    CHECK(token_keys_sign(&keys));
    token_keys_clear(&keys);
    CHECK_EQ(add("", secret_text), 0);
    CHECK(token_keys_sign(&keys));
    token_keys_clear(&keys);
}

static void secret_of_a_file_ends_before_its_line_end(void)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "%s\r\n", secret_text);
    CHECK_EQ(add("", text), 0);
    CHECK_EQ(keys.keys[0].check_len, strlen(secret_text));
    CHECK_STR(keys.keys[0].check, secret_text);
    token_keys_clear(&keys);
}

static void jwks_gives_the_keys_that_we_can_use(void)
{
    CHECK_EQ(add("", jwks_text), 0);
    CHECK_EQ(keys.n, 3);
    CHECK_STR(keys.keys[0].kid, "r1");
    CHECK_STR(keys.keys[0].check, rsa_public);
    CHECK_STR(keys.keys[1].kid, "e1");
    CHECK_STR(keys.keys[1].check, ec_public);
    CHECK_STR(keys.keys[2].check, secret_text);
    token_keys_clear(&keys);
}

static void one_jwk_is_a_set_of_one(void)
{
    CHECK_EQ(add("", "{\"kty\":\"oct\",\"k\":\"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY\"}"), 0);
    CHECK_EQ(keys.n, 1);
    CHECK_STR(keys.keys[0].check, secret_text);
    token_keys_clear(&keys);
}

static void weak_keys_are_refused(void)
{
    check_refused("", "0123456789abcdef0123456789abcde", "31 characters");
    check_refused("", rsa_1024, "less than 2048 bits");
    check_refused("", p384_public, "P-256");
    check_refused("", "{\"kty\":\"oct\",\"k\":\"c2hvcnQ\"}", "5 characters");
}

static void what_is_no_key_is_refused_in_words(void)
{
    char kid[TOKEN_KID_MAX + 2];

    memset(kid, 'k', sizeof(kid) - 1);
    kid[sizeof(kid) - 1] = '\0';
    check_refused(kid, secret_text, "longer than 64");
    check_refused("", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "no private");
    check_refused("", "{", "line 1");
    check_refused("", "{\"keys\":{}}", "no list");
    check_refused("", "{\"keys\":[]}", "no key for");
    check_refused("", "{\"keys\":[7]}", "no key for");
    check_refused("a", jwks_text, "of its own");
    check_refused("", "{\"kty\":\"RSA\",\"n\":\"AQAB\"}", "n or e");
    check_refused("", "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", "less than 2048");
    check_refused("", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQAB\"}]}", "key 1");
    check_refused("",
                  "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"
                  "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\",\"y\":"
                  "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"}",
                  "not on P-256");
    check_refused("", "{\"kty\":\"RSA\",\"alg\":\"RS512\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
                  "no key for");
}

static void there_are_only_so_many_keys(void)
{
    for (int i = 0; i < TOKEN_MAX_KEYS; i++)
        CHECK_EQ(add("", secret_text), 0);
    CHECK_EQ(add("", secret_text), -E2BIG);
    CHECK_EQ(add("", rsa_public), -E2BIG);
    CHECK_EQ(keys.n, TOKEN_MAX_KEYS);
    token_keys_clear(&keys);
}

static void base64url_is_strict(void)
{
    unsigned char out[4];

    CHECK_EQ(base64url_decode("", out, sizeof(out)), 0);
    CHECK_EQ(base64url_decode("_-8", out, sizeof(out)), 2);
    CHECK(out[0] == 0xFF && out[1] == 0xEF);
    CHECK_EQ(base64url_decode("AQIDBA", out, sizeof(out)), 4);
    CHECK(memcmp(out, "\1\2\3\4", 4) == 0);
    CHECK_EQ(base64url_decode("AQIDBAU", out, sizeof(out)), -EINVAL);
    CHECK_EQ(base64url_decode("A", out, sizeof(out)), -EINVAL);
    CHECK_EQ(base64url_decode("AQ==", out, sizeof(out)), -EINVAL);
    CHECK_EQ(base64url_decode("+/8", out, sizeof(out)), -EINVAL);
}

TAP_CASES(CASE(kind_of_a_key_decides_its_algorithm), CASE(only_secrets_and_private_keys_sign),
          CASE(secret_of_a_file_ends_before_its_line_end),
          CASE(jwks_gives_the_keys_that_we_can_use), CASE(one_jwk_is_a_set_of_one),
          CASE(weak_keys_are_refused), CASE(what_is_no_key_is_refused_in_words),
          CASE(there_are_only_so_many_keys), CASE(base64url_is_strict))
